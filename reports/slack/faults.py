"""What Slack's errors mean and what to do about them: its own words turned into those of people."""

from __future__ import annotations

import re
import urllib.error
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reports.errors import TransportError
from reports.slack.methods import METHODS, Kind

APPS = "api.slack.com/apps, OAuth & Permissions"
"""Where an app's scopes and tokens are."""


@dataclass(frozen=True)
class Fault:
    """Why a call did not do what it should.

    `code` is Slack's own word, empty where it said none. An `unknown` one may have had its effect all the same: the
    request had gone, and nobody knows what came of it. `account` is about the token: no other call would fare better.
    """

    what: str
    hint: str
    code: str = ""
    permanent: bool = True
    account: bool = False
    retry_after: float | None = None
    unknown: bool = False

    def error(self, where: str) -> TransportError:
        """The same as an error that can be raised."""
        return TransportError(
            self.what,
            where=where,
            hint=self.hint,
            permanent=self.permanent and not self.unknown,
            retry_after=self.retry_after,
            account=self.account,
        )


@dataclass(frozen=True)
class _Meaning:
    """A word of Slack's: what it means, and what to do."""

    text: str
    hint: str = ""
    permanent: bool = True
    account: bool = False


HOOKS = "api.slack.com/apps, Incoming Webhooks"
"""Where an app's webhooks are."""
_NEXT = "it is tried again"
_TOKEN = f"take the token from {APPS}, and see that it is whole and of this workspace"
_AGAIN = "it is tried again; if it stays, look at slack-status.com"
_SEEN = "write it as #name or as its id; a private channel is seen once the bot is in it: /invite @BOT there"
_JOIN = "type /invite @BOT in that channel"
_ADMINS = "ask an admin of the workspace to allow it"
_OURS = "a fault of what was sent: see docs/slack.md for the limits"
_PERSON = "write a user's id, a mail address or @name; `reports slack users` lists them"
_MEANINGS: Mapping[str, _Meaning] = {
    "invalid_auth": _Meaning("the token is not taken", _TOKEN, account=True),
    "not_authed": _Meaning("no token was given", _TOKEN, account=True),
    "token_revoked": _Meaning("the token was taken back, or the app was removed", _TOKEN, account=True),
    "token_expired": _Meaning("the token has expired", _TOKEN, account=True),
    "account_inactive": _Meaning("the token is of a user, an app or a workspace that is gone", _TOKEN, account=True),
    "org_login_required": _Meaning("the workspace is being moved", _AGAIN, permanent=False, account=True),
    "team_added_to_org": _Meaning("the workspace is being moved", _AGAIN, permanent=False, account=True),
    "ekm_access_denied": _Meaning("admins have suspended it", _ADMINS, account=True),
    "access_denied": _Meaning("the token may not reach that", _ADMINS),
    "no_permission": _Meaning("the token may not do that", _ADMINS),
    "channel_not_found": _Meaning("there is no such channel, or the token may not see it", _SEEN),
    "not_in_channel": _Meaning("the bot is not in that channel", _JOIN),
    "is_archived": _Meaning("the channel is archived", "unarchive it, or name another one"),
    "is_inactive": _Meaning("the channel is archived or gone", "unarchive it, or name another one"),
    "name_taken": _Meaning("there is a channel of that name already, perhaps a private or an archived one"),
    "restricted_action": _Meaning("the workspace's settings do not allow it", _ADMINS),
    "restricted_action_read_only_channel": _Meaning("nobody but admins may post there", _ADMINS),
    "restricted_action_thread_only_channel": _Meaning("only answers in threads may be posted there", _ADMINS),
    "restricted_action_non_threadable_channel": _Meaning("there are no threads in that channel", _ADMINS),
    "method_not_supported_for_channel_type": _Meaning("that kind of conversation cannot do it"),
    "user_not_found": _Meaning("there is no such person, or the token may not see them", _PERSON),
    "users_not_found": _Meaning("nobody in the workspace has that mail address", _PERSON),
    "user_disabled": _Meaning("that person's account is closed", _PERSON),
    "already_in_channel": _Meaning("one of these is in the channel already"),
    "cant_invite_self": _Meaning("whoever the token is of cannot invite itself", "reports slack join CHANNEL"),
    "message_not_found": _Meaning(
        "there is no such message in that channel", "see its time in `reports slack history`"
    ),
    "cant_update_message": _Meaning("a message can be changed only by who posted it, with the same kind of token"),
    "edit_window_closed": _Meaning("the workspace does not let messages be changed so late", _ADMINS),
    "cant_delete_message": _Meaning("a message can be deleted only by who posted it, with the same kind of token"),
    "cant_delete_file": _Meaning("a file can be deleted only by who uploaded it"),
    "file_not_found": _Meaning("there is no such file, or the token may not see it"),
    "file_deleted": _Meaning("the file is deleted already"),
    "file_uploads_disabled": _Meaning("the workspace takes no files", _ADMINS),
    "file_uploads_except_images_disabled": _Meaning("the workspace takes no files but pictures", _ADMINS),
    "file_type_not_allowed": _Meaning("the workspace does not take files of that type", _ADMINS),
    "file_upload_size_restricted": _Meaning("the file is larger than the workspace takes", _ADMINS),
    "storage_limit_reached": _Meaning("the workspace has no room for files left", _ADMINS),
    "msg_too_long": _Meaning("the text is too long", "a message that is changed has at most 4,000 characters"),
    "msg_blocks_too_long": _Meaning("the blocks are too long together", _OURS),
    "invalid_blocks": _Meaning("the blocks are not as Slack takes them", _OURS),
    "invalid_blocks_format": _Meaning("the blocks are not as Slack takes them", _OURS),
    "invalid_attachments": _Meaning("the attachments are not as Slack takes them", _OURS),
    "too_many_attachments": _Meaning("a message has at most 100 attachments", _OURS),
    "no_text": _Meaning("there is nothing to post"),
    "too_long": _Meaning("the text is too long", "topic and purpose have at most 250 characters, a status 100"),
    "cannot_parse": _Meaning("Slack does not understand that time", 'write it as "in 20 minutes" or "tomorrow at 9am"'),
    "cannot_add_others": _Meaning("reminders for others are not possible any more"),
    "snooze_not_active": _Meaning("notifications are not snoozed"),
    "ratelimited": _Meaning("too many requests", _NEXT, permanent=False),
    "rate_limited": _Meaning("too many messages", _NEXT, permanent=False),
    "message_limit_exceeded": _Meaning("too many messages in the workspace", _NEXT, permanent=False),
    "service_unavailable": _Meaning("Slack is not available now", _AGAIN, permanent=False),
    "request_timeout": _Meaning("the request did not arrive whole", _AGAIN, permanent=False),
    "method_deprecated": _Meaning("Slack has taken that method away", "a fault of reports itself: please report it"),
    "unknown_method": _Meaning("Slack knows no such method", "see that `api` is the address of Slack's Web API"),
}
_WORD = re.compile(r"[a-z][a-z0-9_]*")
_PERHAPS = {"fatal_error", "internal_error"}
"""After these, says Slack, some of it may have been done all the same."""
_NOBODY_KNOWS = "it may have been done or not: look into Slack before it is done again"


def refused(method: str, kind: Kind, answer: Mapping[str, Any], *, status: int, wait: float | None) -> Fault:
    """The fault of an answer that is none of success: its error by name, or the status of HTTP."""
    words = str(answer.get("error", ""))
    code = words if _WORD.fullmatch(words) and status < 500 else ""
    if code == "missing_scope":
        return _missing(method, kind, answer)
    if code in {"not_allowed_token_type", "invalid_token_type"}:
        return wrong_kind(method, kind)
    if status == 429 or code in {"ratelimited", "rate_limited"}:
        code = code or "ratelimited"
    elif code in _PERHAPS or (not code and status != 503):
        return _in_doubt(method, words, status)
    code = code or "service_unavailable"
    meant = _MEANINGS.get(code, _Meaning(""))
    more = "; ".join(str(one) for one in (answer.get("response_metadata") or {}).get("messages", ()))
    said = ": ".join(filter(None, (f"Slack said {code} to {method}", meant.text, more)))
    hint = _HINTS.get((code, method)) or meant.hint or f"see docs.slack.dev/reference/methods/{method}"
    return Fault(said, hint, code, meant.permanent, meant.account, retry_after=wait)


_HINTS = {
    ("not_in_channel", "chat.postMessage"): f"{_JOIN}; for public channels the scope chat:write.public will do "
    f"({APPS}; reinstall the app)",
}


def _in_doubt(method: str, words: str, status: int) -> Fault:
    if 400 <= status < 500:  # by whoever answers there: Slack itself says why
        said = f"HTTP {status} to {method}: {words}"
        return Fault(said, "see that `api` is the address of Slack's Web API, and what the proxy does", account=True)
    writes = method in METHODS and METHODS[method].writes
    return Fault(
        f"Slack said {words or f'HTTP {status}'} to {method}: trouble on its side",
        _NOBODY_KNOWS if writes else _AGAIN,
        words,
        permanent=False,
        unknown=writes,
    )


def wrong_kind(method: str, kind: Kind | None) -> Fault:
    """The fault of a token that may not call a method because of whose it is; None where there is no token at all."""
    called = METHODS[method]
    other: Kind = "bot" if (called.bot and kind != "user") or not called.user else "user"
    scopes = " or ".join(called.scopes(other)) or "that it needs"
    had = f"a {kind} token may not do that" if kind else "there is none"
    if kind and called.allows(kind):
        other, had = kind, "this token is of another kind"
    return Fault(
        f"{method} needs a {other} token with the scope {scopes}; {had}",
        f"add {scopes} under {_section(other)} at {APPS}, reinstall the app, and give its token as {_place(other)}",
        "not_allowed_token_type",
    )


def no_token() -> Fault:
    """The fault of having no token at all."""
    return Fault(
        "there is no token for Slack",
        f"take the Bot User OAuth Token from {APPS}, and give it as {_place('bot')}",
        "not_authed",
        account=True,
    )


def _missing(method: str, kind: Kind, answer: Mapping[str, Any]) -> Fault:
    """A scope is lacking: which one, what the token has, and how it gets it."""
    named = METHODS[method].scopes(kind) if method in METHODS else ()
    needed = [one.strip() for one in str(answer.get("needed") or "").split(",") if one.strip()] or list(named)
    provided = ", ".join(sorted(filter(None, str(answer.get("provided") or "").split(",")))) or "none"
    wanted = needed[0] if len(needed) == 1 else f"{', '.join(needed[:-1])} or {needed[-1]}"
    return Fault(
        f"{method} needs the scope {wanted}, which the {kind} token does not have (it has {provided})",
        f"add {wanted} under {_section(kind)} at {APPS}, then reinstall the app to the workspace",
        "missing_scope",
    )


def _section(kind: Kind) -> str:
    return "Bot Token Scopes" if kind == "bot" else "User Token Scopes"


def _place(kind: Kind) -> str:
    if kind == "bot":
        return "SLACK_BOT_TOKEN, or as token in [channels.NAME]"
    return "SLACK_USER_TOKEN, or as user_token in [channels.NAME]"


# -- what the network did -----------------------------------------------------------------------------


def unreached(error: urllib.error.URLError) -> Fault:
    """The request did not go out whole, so nothing was done."""
    words = str(error.reason) or type(error.reason).__name__
    trusted = "certificate verify failed" not in words
    hint = "check the network of this machine, and HTTPS_PROXY" if trusted else "set SSL_CERT_FILE to the authority's"
    return Fault(f"Slack cannot be reached: {words}", hint, permanent=not trusted, account=True)


def unanswered(error: Exception, *, writes: bool, timeout: float) -> Fault:
    """The request had gone, and no answer came: nobody knows what one that writes has done."""
    words = f"nothing within {timeout:g} s" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
    hint = _NOBODY_KNOWS if writes else _AGAIN
    return Fault(f"no answer from Slack: {words}", hint, permanent=False, unknown=writes)


def upload_refused(status: int, words: str) -> Fault:
    """The bytes of a file were not taken."""
    passing = status >= 500 or status == 429
    said = f"Slack did not take the file: HTTP {status} {words}".strip()
    return Fault(said, _AGAIN if passing else "see that the file is not empty", permanent=not passing)


def hook_refused(status: int, words: str, *, wait: float | None) -> Fault:
    """A webhook did not take a message: its words are the error's name."""
    code = " ".join(words.split())[:80]
    if status == 429:
        return Fault(
            "Slack said 429 to the webhook: too many messages", _NEXT, "ratelimited", permanent=False, retry_after=wait
        )
    if status == 503:
        return Fault("Slack said 503 to the webhook: it is not available now", _AGAIN, code, permanent=False)
    if status >= 500:
        said = f"Slack said {status} {code} to the webhook: trouble on its side"
        return Fault(said, _NOBODY_KNOWS, code, permanent=False, unknown=True)
    gone = status in {403, 404} and code not in {"channel_not_found", "action_prohibited"}
    hint = f"make a new webhook at {HOOKS}, and give its address" if gone else _HOOK_HINTS.get(code, _OURS)
    return Fault(f"Slack said {status} {code} to the webhook", hint, code, account=gone)


_HOOK_HINTS = {
    "channel_is_archived": "unarchive the webhook's channel, or make a webhook for another one",
    "channel_not_found": f"the webhook's channel is gone: make another at {HOOKS}",
    "action_prohibited": _ADMINS,
}
