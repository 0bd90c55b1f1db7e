"""The methods of Slack's Web API that are called here: the scopes and the kind of token of each, as data.

Errors and `docs/slack.md` read this table. Where a method has a scope for each kind of conversation, all of them are
named: `channels:` is for public channels, `groups:` for private ones, `im:` for direct messages, `mpim:` for those of
several people. A token needs those of the kinds that it is used for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["bot", "user"]
"""Whose a token is: the app's own, or a person's who gave it to the app."""


@dataclass(frozen=True)
class Method:
    """One method: what it is for, and the scopes that a token of either kind needs; none where such a one may not.

    One that `writes` may have had its effect though no answer came.
    """

    name: str
    does: str
    bot: tuple[str, ...] = ()
    user: tuple[str, ...] = ()
    writes: bool = False
    free: bool = False

    @property
    def attribute(self) -> str:
        """Its name in slack_sdk."""
        return self.name.replace(".", "_")

    def scopes(self, kind: Kind) -> tuple[str, ...]:
        """What a token of that kind needs."""
        return self.bot if kind == "bot" else self.user

    def allows(self, kind: Kind) -> bool:
        """Whether a token of that kind may call it at all."""
        return self.free or bool(self.scopes(kind))


def _each(ending: str) -> tuple[str, ...]:
    return tuple(f"{kind}:{ending}" for kind in ("channels", "groups", "im", "mpim"))


_SEEN, _READ = _each("read"), _each("history")
_MANAGED = ("channels:manage", "groups:write")
_OWN = ("channels:write", "groups:write")
_WRITE, _FILES = ("chat:write",), ("files:write",)
_PEOPLE, _MAIL = ("users:read",), ("users:read.email",)
_DIRECT = ("im:write", "mpim:write")
_TABLE = (
    Method("auth.test", "who the token is, and its scopes", free=True),
    Method("conversations.list", "channels, with purpose and topic", _SEEN, _SEEN),
    Method("conversations.history", "what was said in a channel; a bot must be in it", _READ, _READ),
    Method("conversations.create", "a new channel", _MANAGED, _OWN, writes=True),
    Method("conversations.setTopic", "a channel's topic", _MANAGED, _OWN, writes=True),
    Method("conversations.setPurpose", "a channel's purpose, shown as its description", _MANAGED, _OWN, writes=True),
    Method("conversations.invite", "people into a channel", _MANAGED, _OWN, writes=True),
    Method("conversations.join", "into a public channel oneself", ("channels:join",), ("channels:write",), writes=True),
    Method("conversations.open", "direct messages, of up to eight people", _DIRECT, _DIRECT, writes=True),
    Method("users.list", "people, with time zone and status", _PEOPLE, _PEOPLE),
    Method("users.info", "one person", _PEOPLE, _PEOPLE),
    Method("users.lookupByEmail", "a person by mail address", _MAIL, _MAIL),
    Method("users.profile.set", "one's own status and emoji", user=("users.profile:write",), writes=True),
    Method("search.messages", "messages that have certain words", user=("search:read",)),
    Method("chat.postMessage", "a message, or a comment in a thread", _WRITE, _WRITE, writes=True),
    Method("chat.update", "a message of one's own, changed in place", _WRITE, _WRITE, writes=True),
    Method("chat.delete", "a message of one's own, deleted", _WRITE, _WRITE, writes=True),
    Method("files.getUploadURLExternal", "where a file goes, the first step", _FILES, _FILES),
    Method("files.completeUploadExternal", "a file shown in a channel, the last step", _FILES, _FILES, writes=True),
    Method("files.delete", "a file of one's own, deleted", _FILES, _FILES, writes=True),
    Method("reminders.add", "a reminder for oneself", user=("reminders:write",), writes=True),
    Method("dnd.setSnooze", "no notifications for a while", user=("dnd:write",), writes=True),
    Method("dnd.endSnooze", "notifications again", user=("dnd:write",), writes=True),
)
METHODS: Mapping[str, Method] = {method.name: method for method in _TABLE}
"""Every method that is called here, by its name."""

MORE: Mapping[str, str] = {
    "chat:write.public": "to post in public channels which the bot was not invited to",
    "chat:write.customize": "to post under another name, with another icon",
}
"""Scopes that a method does not need, and what they are for."""

REPORTS = ("chat:write", "files:write")
"""The scopes of a bot that sends reports and nothing else."""
