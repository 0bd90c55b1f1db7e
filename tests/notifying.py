"""What tests of notifications have in common: what was said, written as a mail and opened again."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
import itertools
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from reports.addressing import Envelope
from reports.notify.notification import Notification
from reports.notify.writing import Post, Writer
from reports.settings import Settings

NOW = dt.datetime(2026, 11, 28, 9, 30, tzinfo=dt.UTC)
ENVELOPE = Envelope(to=("ann@example.com",))
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000020000000108020000007b40e8dd0000000f49444154"
    "789c633cc1c0c0c0c0000004be00cab7e2e5330000000049454e44ae426082"
)
"""Two dots."""


def settings(root: Path, **tables: Any) -> Settings:
    """Settings of a project in `root` that has an account for mail."""
    mail = {"from": "me@example.com", "provider": "folder", **tables.pop("mail", {})}
    return Settings.model_validate({"mail": mail, **tables}, context={"root": root})


def writer(root: Path, **tables: Any) -> Writer:
    """One that stands still in time, and numbers what it writes."""
    numbers = itertools.count(1)
    return Writer(settings=settings(root, **tables), clock=lambda: NOW, new_key=lambda: f"key-{next(numbers)}")


def mailed(said: Notification, root: Path, post: Post | None = None, **tables: Any) -> EmailMessage:
    """The notification as the mail program of its recipient opens it."""
    written = writer(root, **tables).mail(said, ENVELOPE, post or Post())
    return opened(written.message.content)


def opened(content: bytes) -> EmailMessage:
    """The bytes of a mail, as a mail program reads them."""
    found = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


def body(mail: EmailMessage, kind: str) -> str:
    """The text or the HTML of a mail."""
    part = mail.get_body((kind,))
    assert part is not None
    text: str = part.get_content()
    return text.replace("\r\n", "\n")


def pictures(mail: EmailMessage) -> dict[str, bytes]:
    """The inline pictures by their content ids."""
    return {str(part["Content-ID"]).strip("<>"): part.get_content() for part in mail.walk() if part["Content-ID"]}


def attached(mail: EmailMessage) -> dict[str, bytes]:
    """The attached files by their names, as they were before they were encoded."""
    found = {}
    for part in mail.walk():
        if part.get_content_disposition() == "attachment":
            found[str(part.get_filename())] = part.get_payload(decode=True)
    return found
