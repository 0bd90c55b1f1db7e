"""A notification as finished messages: a mail for its recipients, a note for each other channel."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from reports.addressing import Envelope
from reports.model import Block, Follow, Message, MessageKind, Outgoing, Page, Report, Status, Text
from reports.notify.notification import NAME, Notification
from reports.settings import Settings
from reports.transports import mime, notes
from reports.transports.account import resolve


@dataclass(frozen=True, kw_only=True)
class Post:
    """How a notification goes out: its kind, the thread it belongs to and in which way, and not before `due`."""

    kind: MessageKind = "report"
    thread: str = ""
    follow: Follow = ""
    due: dt.datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Writer:
    """Writes notifications for one route; each message has an identity of its own, by `new_key`."""

    settings: Settings
    clock: Callable[[], dt.datetime]
    new_key: Callable[[], str] = field(default=lambda: secrets.token_hex(8))

    def mail(self, said: Notification, envelope: Envelope, post: Post) -> Outgoing:
        """The notification as a mail."""
        now, mail = self.clock(), self.settings.mail
        message = mime.compose(
            self._report(said, envelope.banner, now),
            sender=resolve(mail).sender,
            to=envelope.to,
            cc=envelope.cc,
            bcc=envelope.bcc,
            reply_to=envelope.reply_to,
            key=self.new_key(),
            date=now,
            thread=post.thread,
            follow=post.follow,
        )
        return self._outgoing(message, post, expires=now + mail.expires)

    def note(self, said: Notification, channel: str, places: Sequence[str], post: Post) -> Outgoing:
        """The notification as a note for the places of a channel."""
        now, report = self.clock(), self._report(said, "", self.clock())
        note = notes.Note(
            title=report.subject, text=report.text, html=report.html, files=[*report.images, *report.attachments]
        )
        message = Message(
            message_id=f"<{self.new_key()}@{channel}>",
            date=now,
            sender=channel,
            recipients=tuple(places),
            subject=report.subject,
            content=notes.pack(note),
            follow=post.follow,
        )
        expires = now + self.settings.channels[channel].expires
        return replace(self._outgoing(message, post, expires=expires), channel=channel)

    def _outgoing(self, message: Message, post: Post, *, expires: dt.datetime) -> Outgoing:
        return Outgoing(
            message=message,
            kind=post.kind,
            expires=expires,
            on_unknown=self.settings.mail.on_unknown,
            thread=post.thread,
            due=post.due,
        )

    def _report(self, said: Notification, banner: str, now: dt.datetime) -> Report:
        from reports.notices import rendered  # noqa: PLC0415
        from reports.render import themes  # noqa: PLC0415

        blocks: list[Block] = [Text(text=said.text)] if said.text else []
        page = Page(
            title=said.subject, subject=said.subject, as_of=self.settings.today(now), blocks=[*blocks, *said.tables],
            notices=[banner] if banner else [], status=Status(text="Message"),
            theme=themes.resolve_or_plain(self.settings.theme),
        )  # fmt: skip
        html, text = rendered(page, self.settings)
        subject = f"{self.settings.notify.subject_prefix}{said.subject}"
        return Report(
            job=NAME,
            title=said.subject,
            as_of=page.as_of,
            subject=subject,
            html=html,
            text=text,
            images=[*said.images, *page.theme.images],
            attachments=said.attachments,
        )
