"""A notification as finished messages: a mail for its recipients, a note for each other channel.

A text becomes a mail in the looks of the project's reports, HTML stays as it is, with tables and pictures below it.
"""

from __future__ import annotations

import datetime as dt
import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from reports import shipped
from reports.addressing import Envelope
from reports.errors import ReportsError
from reports.model import Artifact, Follow, Message, MessageKind, Outgoing, Page, Report, Run, Status, Text
from reports.notify.notification import LONG, NAME, Notification
from reports.render import documents, html, plain, text, themes
from reports.render.locales import Locale
from reports.settings import Settings, SlackChannel, SlackWebhook
from reports.transports import mime, notes
from reports.transports.account import resolve

if TYPE_CHECKING:
    from reports.pipeline import Produced

_PAGE, _PARTS, _TEXT = "notify.html.j2", "parts.html.j2", "notify.txt.j2"
_log = logging.getLogger("reports.notify")


@dataclass(frozen=True, kw_only=True)
class Post:
    """How a notification goes out: its kind, the thread it belongs to and in which way, and not before `due`."""

    kind: MessageKind = "report"
    thread: str = ""
    follow: Follow = ""
    due: dt.datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Writer:
    """Writes notifications by the settings of an outlet; each message has an identity of its own, by `new_key`."""

    settings: Settings
    clock: Callable[[], dt.datetime]
    new_key: Callable[[], str] = field(default=lambda: secrets.token_hex(8))

    def mail(self, said: Notification, envelope: Envelope, post: Post) -> Outgoing:
        """The notification as a mail. What makes it larger than the provider takes is zipped or left out, and named."""
        now, key = self.clock(), self.new_key()

        def composed(report: Report) -> Message:
            return mime.compose(
                report, sender=resolve(self.settings.mail).sender, to=envelope.to, cc=envelope.cc, bcc=envelope.bcc,
                reply_to=envelope.reply_to, key=key, date=now, thread=post.thread, follow=post.follow,
            )  # fmt: skip

        page = self._page(said, [envelope.banner], now)
        message = composed(self._report(said, page, said.attachments))
        limit = resolve(self.settings.mail).size_limit
        if limit is not None and len(message.content) > limit:
            message = self._fitted(said, page, composed, limit)
        return self._outgoing(message, post, expires=now + self.settings.mail.expires)

    def note(self, said: Notification, channel: str, places: Sequence[str], post: Post) -> Outgoing:
        """The notification as a note for the places of a channel."""
        now = self.clock()
        page = self._page(said, [], now)
        note = notes.Note(
            title=page.title,
            text=self._text(said, page),
            blocks=self._blocks(said, page, channel),
            files=said.files,
            tone=said.status.tone if said.status else "",
        )
        message = Message(
            message_id=f"<{self.new_key()}@{channel}>",
            date=now,
            sender=channel,
            recipients=tuple(places),
            subject=page.subject,
            content=notes.pack(note),
            follow=post.follow,
        )
        expires = now + self.settings.channels[channel].expires
        return replace(self._outgoing(message, post, expires=expires), channel=channel)

    def _outgoing(self, message: Message, post: Post, *, expires: dt.datetime) -> Outgoing:
        return Outgoing(
            message=message, kind=post.kind, expires=expires, on_unknown=self.settings.mail.on_unknown,
            thread=post.thread, due=post.due,
        )  # fmt: skip

    # -- what is said -----------------------------------------------------------------------------------

    def _page(self, said: Notification, notices: Sequence[str], now: dt.datetime) -> Page:
        """All that stands in a mail but HTML of the author's own."""
        title = said.title or said.subject
        return Page(
            title=title,
            subject=f"{self.settings.notify.subject_prefix}{said.subject}",
            as_of=self.settings.today(now),
            blocks=[*_first(said, title), *said.blocks],
            notices=[one for one in (*notices, *said.notices) if one],
            language=self.settings.language,
            currency=self.settings.currency,
            status=said.status or Status(text="", tone=""),
            theme=themes.resolve_or_plain(self.settings.theme),
        )

    def _report(self, said: Notification, page: Page, attachments: Sequence[Artifact]) -> Report:
        return Report(
            job=NAME,
            title=page.title,
            as_of=page.as_of,
            subject=page.subject,
            html=self._html(said, page),
            text=self._text(said, page),
            images=[*said.images, *said.shown, *([] if said.html else page.theme.images)],
            attachments=attachments,
        )

    def _html(self, said: Notification, page: Page) -> str:
        if not said.html:
            return self._by_template(lambda where: html.render(page, said.images, template=_PAGE, folders=where))
        below = ""
        if page.blocks or page.notices:
            parts = replace(page, theme=replace(page.theme, logo=None))
            made = self._by_template(lambda where: html.render(parts, said.images, template=_PARTS, folders=where))
            below = documents.body_of(made)
        return documents.whole(said.html, title=page.title, locale=Locale(page.language), below=below)

    def _text(self, said: Notification, page: Page) -> str:
        """The author's own words as they are, and all else in lines below them."""
        own = said.text or (plain.of_html(said.html) if said.html else "")
        rest = replace(page, blocks=said.blocks)
        lines = self._by_template(lambda where: text.render(rest, said.images, template=_TEXT, folders=where))
        return "\n\n".join(filter(None, [own.strip("\n"), lines.strip("\n")])) + "\n"

    def _by_template(self, render: Callable[[Sequence[Path]], str]) -> str:
        """By the project's templates; by the shipped ones where those are what is broken."""
        try:
            return render(shipped.template_folders(self.settings.root))
        except ReportsError as error:
            _log.warning("the project's template is not used: %s", error.what)
            return render(shipped.template_folders(shipped.folder()))

    def _blocks(self, said: Notification, page: Page, channel: str) -> Sequence[dict[str, object]]:
        """What Slack shows in place of the text; other channels have no blocks."""
        kind = self.settings.channels[channel]
        if not isinstance(kind, SlackChannel | SlackWebhook):
            return ()
        from reports.render import slack  # noqa: PLC0415  Slack's own forms, which other channels do without

        if said.html:
            own = said.text or plain.of_html(said.html)
            page = replace(page, blocks=[Text(text=own), *page.blocks])
        return slack.render(page, said.images, pictured=isinstance(kind, SlackChannel), bare=True)

    # -- what is too large --------------------------------------------------------------------------------

    def _fitted(self, said: Notification, page: Page, composed: Callable[[Report], Message], limit: int) -> Message:
        from reports import oversize  # noqa: PLC0415  the left half of reports, which what is small does without
        from reports.pipeline import Produced  # noqa: PLC0415

        def restated(
            produced: Produced, *, notices: Sequence[str], attachments: Sequence[Artifact] | None = None
        ) -> Produced:
            now = replace(produced.page, notices=[*notices, *produced.page.notices])
            kept = produced.report.attachments if attachments is None else attachments
            return replace(produced, page=now, report=self._report(said, now, kept))

        run = Run(id="", job=NAME, as_of=page.as_of, started=self.clock())
        produced = Produced(self._report(said, page, said.attachments), page, (), run, said.attachments)
        _, message = oversize.fit(
            produced, restated=restated, compose=composed, limit=limit, policy=("zip", "leave_out"), link=None
        )
        return message


def _first(said: Notification, title: str) -> list[Text]:
    """The text as a block, without a first line that is the heading already."""
    line, _, rest = said.text.strip("\n").partition("\n")
    shown = rest.strip("\n") if line.strip() == title else said.text
    return [Text(text=shown[:LONG])] if shown.strip() and not said.html else []
