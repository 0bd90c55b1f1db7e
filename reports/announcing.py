"""A report on a channel that is no mail: what is posted there, in the channel's own way, as the bytes that are kept."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from reports.model import Artifact, Message, size
from reports.pipeline import Produced
from reports.render import slack
from reports.render.locales import Locale
from reports.routes import Route
from reports.settings import AppriseChannel, Channel, SlackChannel, SlackWebhook
from reports.transports.notes import Note, pack


@dataclass(frozen=True, kw_only=True)
class Announcer:
    """What is said of one report, whatever the channel; `mailed` says that a mail has all of it as well.

    With `link` a file can be fetched at an address, where a channel's settings want that.
    """

    produced: Produced
    mailed: bool
    link: Callable[[Artifact], str] | None = None

    def message(self, route: Route, channel: Channel, *, key: str) -> Message:
        """The finished message for whom the route reaches; equal for equal arguments.

        `key` is what it is for, such as an occurrence. A RenderError where the report cannot be made to fit.
        """
        report = self.produced.report
        return Message(
            message_id=f"<{_digest(report.job, key, route.channel, *sorted(route.recipients))}@{route.channel}>",
            date=self.produced.run.started,
            sender="",
            recipients=tuple(route.recipients),
            subject=report.subject,
            content=pack(self.note(channel)),
        )

    def note(self, channel: Channel) -> Note:
        """What is said there, with the charts' pictures before the files."""
        report, page = self.produced.report, self.produced.page
        note = Note(
            title=report.subject,
            text=report.text,
            html=report.html,
            files=[*self._drawn, *report.attachments],
            tone=page.status.tone if page.status else "warning" if page.notices else "good",
            whole=self._whole,
            links=self._links(channel, report.attachments),
        )
        if isinstance(channel, SlackChannel):
            return replace(note, blocks=slack.render(page, self._drawn, closing=self._in_the_thread))
        if isinstance(channel, SlackWebhook):
            return replace(note, blocks=slack.render(page, self._drawn, pictured=False))
        return note

    @property
    def _drawn(self) -> Sequence[Artifact]:
        """The charts' pictures, without the theme's logo."""
        theirs = self.produced.page.theme.images
        return [image for image in self.produced.report.images if image not in theirs]

    @property
    def _locale(self) -> Locale:
        return Locale(self.produced.page.language)

    @property
    def _whole(self) -> str:
        if self.mailed:
            return self._locale.word("All of it is in the mail.")
        return self._locale.word("All of it: {command}", command=f"reports show {self.produced.run.id}")

    @property
    def _in_the_thread(self) -> Sequence[str]:
        """The sentence that says where the files are."""
        pictures, files = self._drawn, self.produced.report.attachments
        if not (pictures or files):
            return ()
        count = self._locale.plural("{count} chart", "{count} charts", len(pictures)) if pictures else ""
        named = [f"{one.name} ({size(len(one.content))})" for one in files]
        return [self._locale.word("In the thread below: {files}.", files=", ".join(filter(None, [count, *named])))]

    def _links(self, channel: Channel, files: Sequence[Artifact]) -> Mapping[str, str]:
        """Where files can be fetched, for a channel that cannot carry them and whose settings want links."""
        taken = isinstance(channel, SlackWebhook | AppriseChannel) and channel.on_unsupported == "link"
        return {one.name: self.link(one) for one in files} if taken and self.link else {}


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:40]
