"""What carries a finished message: an SMTP account, an API by HTTPS, a chat, or a folder when none is configured."""

from __future__ import annotations

from pathlib import Path

from reports.errors import Unsupported
from reports.settings import Channel, Mail
from reports.transports.account import resolve
from reports.transports.base import Transport
from reports.transports.folder import FolderTransport

FOLDER = "mail"
"""Where in the data folder the messages of the provider `folder` are kept."""


def open_channel(name: str, channel: Channel) -> Transport:
    """The transport of `[channels.NAME]`; a SettingsError where it cannot be used as it stands."""
    raise Unsupported(f"[channels.{name}] cannot be used: nothing here carries a {type(channel).__name__}")


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
