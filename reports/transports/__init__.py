"""What carries a finished message: an SMTP account, or a folder when none is configured."""

from __future__ import annotations

from pathlib import Path

from reports.settings import Mail
from reports.transports.account import resolve
from reports.transports.base import Transport
from reports.transports.folder import FolderTransport

FOLDER = "mail"
"""Where in the data folder the messages of the provider `folder` are kept."""


def open_transport(mail: Mail, data_folder: Path) -> Transport:
    """The transport that `[mail]` asks for; a SettingsError where it cannot be used as it stands."""
    account = resolve(mail)
    if account.provider.key == "folder":
        return FolderTransport(data_folder / FOLDER)
    from reports.transports.smtp import SmtpTransport  # noqa: PLC0415  ssl and smtplib only where they send

    return SmtpTransport(account)
