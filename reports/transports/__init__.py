"""What carries a finished message: an SMTP account, an API by HTTPS, a chat, or a folder when none is configured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reports.errors import SettingsError
from reports.settings import AppriseChannel, Channel, Mail, SlackChannel
from reports.slack.line import needed
from reports.transports.account import resolve
from reports.transports.base import Transport
from reports.transports.folder import FolderTransport

FOLDER = "mail"
"""Where in the data folder the messages of the provider `folder` are kept."""


def open_channel(name: str, channel: Channel) -> Transport:
    """The transport of `[channels.NAME]`; a SettingsError where it cannot be used as it stands."""
    if isinstance(channel, AppriseChannel):
        from reports.transports.chat import AppriseTransport  # noqa: PLC0415

        return AppriseTransport.opened(name, channel)
    needed()
    if isinstance(channel, SlackChannel):
        from reports.transports.slack import SlackTransport  # noqa: PLC0415

        return SlackTransport(channel)
    from reports.transports.slack_webhook import SlackWebhookTransport  # noqa: PLC0415

    return SlackWebhookTransport(channel)


def without_files(name: str, channel: Channel, reached: Sequence[str]) -> Sequence[str]:
    """Those of the recipients that take no files, told without asking them."""
    if isinstance(channel, SlackChannel):
        return ()
    if not isinstance(channel, AppriseChannel):
        return reached
    from reports.transports.chat import AppriseTransport  # noqa: PLC0415  an optional library

    taken = AppriseTransport.opened(name, channel).takes()
    return [one for one in reached if not taken.get(one, True)]


def recipients(name: str, channel: Channel, place: str = "") -> Sequence[str]:
    """Whom NAME, or NAME:PLACE, reaches on that channel, as it calls them; a SettingsError where that is nobody.

    Of a service that Apprise knows it is each of its targets, by a name in which there is no secret.
    """
    if isinstance(channel, AppriseChannel):
        from reports.transports.chat import targets  # noqa: PLC0415  an optional library

        return targets(name, channel, place)
    needed()
    if isinstance(channel, SlackChannel):
        if not (place or channel.to):
            raise SettingsError(
                f"'{name}' does not say whom it reaches",
                hint=f'write "{name}:#channel", or add to = ["#channel"] to [channels.{name}]',
            )
        return (place,) if place else channel.to
    if place or channel.to:
        raise SettingsError(f"'{name}' is a webhook, which reaches its one channel", hint=f'write "{name}" alone')
    return (name,)


def open_transport(mail: Mail, data_folder: Path) -> Transport:
    """The transport that `[mail]` asks for; a SettingsError where it cannot be used as it stands."""
    account = resolve(mail)
    # What a login or a transport needs of the network is imported where it is used, and not by who only looks.
    if mail.oauth is not None:
        from reports.transports.oauth import with_login  # noqa: PLC0415

        account = with_login(account, mail.oauth, data_folder)
    match account.provider.transport:
        case "folder":
            return FolderTransport(data_folder / FOLDER)
        case "graph":
            from reports.transports.graph import GraphTransport  # noqa: PLC0415

            return GraphTransport(account)
        case "gmail":
            from reports.transports.gmail import GmailTransport  # noqa: PLC0415

            return GmailTransport(account)
    from reports.transports.smtp import SmtpTransport  # noqa: PLC0415

    return SmtpTransport(account)
