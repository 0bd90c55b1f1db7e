"""Whom a script tells, and by what: settled and checked once, before anything is said."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from reports import addressing
from reports.addressing import Envelope
from reports.definition import Job
from reports.errors import DefinitionError, SettingsError
from reports.notify import accounts
from reports.notify.accounts import Account, Project
from reports.notify.boxes import postbox
from reports.notify.notification import NAME, Notification
from reports.notify.outgoing import Handle, Packet, Postbox
from reports.notify.urls import with_given
from reports.notify.writing import Post, Writer
from reports.routes import routes
from reports.settings import Settings
from reports.transports import FOLDER
from reports.transports.account import resolve
from reports.written import Key

Several = str | Sequence[str]
_log = logging.getLogger("reports.notify")
_told: set[str] = set()


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
    settings, names = with_given(settings, ways)
    found = routes(names, settings, Key(("via",)))
    by_mail = any(not one.channel for one in found)
    if to and not by_mail:
        hint = 'name a place with the channel, as in via="team:#ops", or add "mail" to via'
        raise DefinitionError("'to' names whom a mail goes to, and via has no mail", where="to", hint=hint)
    envelope = _envelope(settings, _several(to)) if by_mail else None
    if envelope:
        _tell_where(settings)
    return Outlet(
        settings=settings,
        mail=envelope,
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


def _tell_where(settings: Settings) -> None:
    """Says once where mails are kept that nobody sends, unless that was asked for."""
    place = str(settings.data_folder / FOLDER)
    if settings.mail.provider or resolve(settings.mail).provider.key != "folder" or place in _told:
        return
    _told.add(place)
    _log.warning(
        "no mail account is set, so mails are kept as files in %s; to send them set REPORTS_PROVIDER, REPORTS_USER and "
        "REPORTS_PASSWORD, or [mail] in a settings.toml",
        place,
    )
