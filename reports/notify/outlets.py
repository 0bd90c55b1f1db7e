"""Whom a script tells, and by what: settled and checked once, before anything is said."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from reports import addressing
from reports.addressing import Envelope
from reports.definition import Job
from reports.errors import DefinitionError, SettingsError
from reports.notify import accounts
from reports.notify.accounts import Account, Project
from reports.notify.boxes import postbox
from reports.notify.notification import NAME, Notification
from reports.notify.outgoing import Handle, Packet, Postbox
from reports.notify.writing import Post, Writer
from reports.routes import routes
from reports.secret import Given
from reports.settings import AppriseChannel, Settings, SlackWebhook
from reports.transports.account import resolve
from reports.written import Key

Several = str | Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Outlet:
    """Recipients by mail, if any, and places on other channels; `post` sends what is said there.

    Nothing that is wrong with the network is an error of it.
    """

    settings: Settings
    mail: Envelope | None = None
    places: Sequence[tuple[str, Sequence[str]]] = ()

    @property
    def box(self) -> Postbox:
        """This process's postbox for it."""
        return postbox(self.settings)

    def post(self, said: Notification, how: Post = Post(), *, job: str = NAME, log: str = "") -> Handle:  # noqa: B008  frozen
        """Stored when this returns, and sent in the background."""
        return self.box.put(self._packet(said, how, job, log))

    def post_later(self, said: Notification, how: Post = Post(), *, job: str = NAME, log: str = "") -> Handle:  # noqa: B008  frozen
        """Stored and sent in the background."""
        return self.box.put_later(self._packet(said, how, job, log))

    def _packet(self, said: Notification, how: Post, job: str, log: str) -> Packet:
        writer = Writer(settings=self.settings, clock=self.box.clock)
        letters = [writer.mail(said, self.mail, how)] if self.mail else []
        letters += [writer.note(said, channel, places, how) for channel, places in self.places]
        return Packet(letters=letters, job=job, files=said.files, log=log)


def outlet(
    *, to: Several = (), via: Several = (), project: Project = None, sender: str = "", account: Account | None = None
) -> Outlet:
    """To whom and by what; a ReportsError names what is wrong with a recipient, a channel or the account.

    Args:
        to: mail addresses, groups of settings, or "admins"; the sender itself by default.
        via: "mail", channels of settings as NAME or NAME:PLACE, a Slack webhook or an Apprise URL; mail by default.
        project: the project's folder; else the nearest settings.toml upwards; False for none.
        sender: who is shown as the sender, the account's own by default.
        account: an account other than that of settings, by the keys of [mail].
    """
    settings = accounts.settings_for(project, sender=sender, account=account)
    ways = _several(via) or settings.notify.via or ("mail",)
    settings, names = _with_given(settings, ways)
    found = routes(names, settings, Key(("via",)))
    by_mail = any(not one.channel for one in found)
    if to and not by_mail:
        hint = 'name a place with the channel, as in via="team:#ops", or add "mail" to via'
        raise DefinitionError("'to' names whom a mail goes to, and via has no mail", where="to", hint=hint)
    return Outlet(
        settings=settings,
        mail=_envelope(settings, _several(to)) if by_mail else None,
        places=[(one.channel, one.recipients) for one in found if one.channel],
    )


def _several(given: Several) -> Sequence[str]:
    return ((given,) if given else ()) if isinstance(given, str) else tuple(given)


def _envelope(settings: Settings, to: Sequence[str]) -> Envelope:
    """Whom the mail goes to: those named, or those of settings, or the sender itself."""
    names = to or settings.notify.to or (resolve(settings.mail).sender,)
    admins = settings.notify.admins or settings.mail.admins
    if "admins" in names and "admins" not in settings.groups:
        if not admins:
            hint = "set admins in [notify] or [mail] of settings.toml, or REPORTS_ADMINS"
            raise SettingsError("there are no admins", where="to", hint=hint)
        names = [one for name in names for one in (admins if name == "admins" else (name,))]
    try:
        return addressing.envelopes(Job(name=NAME, title="Message", to=tuple(names)), settings)[0]
    except DefinitionError as error:
        what = "; ".join(one.what for one in error.problems)
        raise DefinitionError(what, where="to", hint=error.problems[0].hint) from error


def _with_given(settings: Settings, ways: Sequence[str]) -> tuple[Settings, Sequence[str]]:
    """The settings with the webhooks and URLs that stand in `ways` as channels, and the names of all."""
    given = {_named(way): _channel(way) for way in ways if "://" in way}
    if not given:
        return settings, ways
    changed = settings.model_copy(update={"channels": {**settings.channels, **given}})
    return changed, [_named(way) if "://" in way else way for way in ways]


def _named(url: str) -> str:
    return f"{urlsplit(url).scheme.replace('+', '_')}_{hashlib.sha256(url.encode()).hexdigest()[:8]}"


def _channel(url: str) -> SlackWebhook | AppriseChannel:
    kept = Given.of(url)
    if _is_webhook(url):
        return SlackWebhook.model_construct(webhook=kept)
    return AppriseChannel.model_construct(url=(kept,))


def _is_webhook(url: str) -> bool:
    """Whether it is one of Slack's, or of one that stands in for Slack on this machine."""
    place = urlsplit(url)
    host = place.hostname or ""
    if place.scheme in ("http", "https") and place.path.startswith("/services/"):
        return host.startswith("hooks.slack") or host == "localhost" or _is_loopback(host)
    return False


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
