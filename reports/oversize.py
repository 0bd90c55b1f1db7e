"""A message that is too large is made smaller as its job says: zipped, linked, left out, or not sent at all.

Nothing is dropped in silence: what is not attached is named in the mail, with its size and how to get it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from reports.definition import Oversize
from reports.errors import RenderError
from reports.model import Artifact, Message, Report, size
from reports.pipeline import ZIP, Produced
from reports.render.locales import Locale
from reports.render.packing import zipped
from reports.settings import Settings
from reports.transports import open_transport
from reports.transports.account import resolve

Link = Callable[[Artifact], str]
_LONGEST_NAME = 255  # bytes, as in a mail and on disk
_SAID_NAME = 120  # characters of a name in a sentence


@dataclass(frozen=True)
class _File:
    """An attachment and what has become of it; `said` is the sentence in its place where it is not attached."""

    original: Artifact
    attached: Artifact | None
    said: str = ""

    @property
    def weight(self) -> int:
        return len(self.attached.content) if self.attached else 0


@dataclass(frozen=True)
class _Fitted:
    """The files as they are now, and the message with them."""

    files: Sequence[_File]
    produced: Produced
    message: Message

    @property
    def size(self) -> int:
        return len(self.message.content)


def limit_of(files: Sequence[Artifact], settings: Settings) -> int | None:
    """What the other side takes; a server is only asked where something could be made smaller for it."""
    known, attached = resolve(settings.mail).size_limit, sum(len(one.content) for one in files)
    if not attached or (known and attached < known / 8):
        return known
    with closing(open_transport(settings.mail, settings.data_folder)) as transport:
        return transport.size_limit()


def fit(
    produced: Produced,
    *,
    restated: Callable[..., Produced],
    compose: Callable[[Report], Message],
    limit: int | None,
    policy: Sequence[Oversize],
    link: Link | None,
) -> tuple[Produced, Message]:
    """The report and its message, which is no larger than `limit` bytes as it is sent; None is no limit.

    What is too large goes through the steps of `policy` in order, the largest attachment first, and no
    further than needed. A RenderError says that it cannot be sent, because the policy says so, has come
    to its end, or because the body alone is too large.
    """
    fitting = _Fitting(produced, restated, compose, link)
    now = _Fitted([_File(one, one) for one in produced.report.attachments], produced, compose(produced.report))
    if limit is None or now.size <= limit:
        return produced, now.message
    first = now.size
    for step in policy:
        for tried in fitting.steps(step, now, limit):
            now = tried
            if now.size <= limit:
                now = fitting.without_needless_zips(now, limit)
                return now.produced, now.message
        if step == "fail":
            break
    raise _too_large(produced.report, first, now, limit)


@dataclass(frozen=True)
class _Fitting:
    """How the files of one report are changed, and the message is made again."""

    produced: Produced
    restated: Callable[..., Produced]
    compose: Callable[[Report], Message]
    link: Link | None

    def steps(self, step: Oversize, now: _Fitted, limit: int) -> Iterator[_Fitted]:
        """What comes of the step for one more file each time, the largest first."""
        for file in sorted(now.files, key=lambda file: file.weight, reverse=True):
            if file.attached and (changed := self._changed(step, file, now, limit)):
                now = self.remade([changed if one is file else one for one in now.files])
                yield now

    def _changed(self, step: Oversize, file: _File, now: _Fitted, limit: int) -> _File | None:
        if step == "zip":
            taken = {one.attached.name for one in now.files if one.attached}
            packed = _zipped(file.original)
            return None if packed is None or packed.name in taken else replace(file, attached=packed)
        if step == "link" and self.link:
            return _File(file.original, None, _linked(file.original, self.link(file.original), self._locale))
        if step == "leave_out":
            said = _left_out(file.original, limit, run=self.produced.run.id, locale=self._locale)
            return _File(file.original, None, said)
        return None

    @property
    def _locale(self) -> Locale:
        return Locale(self.produced.page.language)

    def remade(self, files: Sequence[_File]) -> _Fitted:
        """The report with these files, from the first one on, so that each sentence is said once."""
        produced = self.restated(
            self.produced,
            notices=[file.said for file in files if file.said],
            attachments=[file.attached for file in files if file.attached],
        )
        return _Fitted(files, produced, self.compose(produced.report))

    def without_needless_zips(self, now: _Fitted, limit: int) -> _Fitted:
        """Files as they were made, where the message has room for them since others are not attached."""
        for file in now.files if any(file.said for file in now.files) else ():
            if file.attached and file.attached is not file.original:
                plain = [_File(one.original, one.original) if one is file else one for one in now.files]
                tried = self.remade(plain)
                now = tried if tried.size <= limit else now
        return now


def _zipped(artifact: Artifact) -> Artifact | None:
    """The file in a zip, if that is smaller."""
    packed = zipped(artifact.name + ZIP, [artifact])
    smaller = len(packed.content) < len(artifact.content) and len(packed.name.encode()) <= _LONGEST_NAME
    return packed if smaller else None


# -- what is said ---------------------------------------------------------------------------------


def _linked(artifact: Artifact, address: str, locale: Locale) -> str:
    file = _named(artifact)
    return locale.word("{file} is too large to be attached. Fetch it here: {address}", file=file, address=address)


def _left_out(artifact: Artifact, limit: int, *, run: str, locale: Locale) -> str:
    return locale.word(
        "{file} is not attached: with it this mail would be larger than the {limit} that can be sent. Ask the report's "
        "owner for it, who finds it with: {command}",
        file=_named(artifact),
        limit=size(limit),
        command=f"reports show {run}",
    )


def _named(artifact: Artifact) -> str:
    name = artifact.name if len(artifact.name) <= _SAID_NAME else f"{artifact.name[: _SAID_NAME - 1]}…"
    return f"{name} ({size(len(artifact.content))})"


def _too_large(report: Report, first: int, now: _Fitted, limit: int) -> RenderError:
    where = f"job {report.job}, subject '{report.subject}'"
    asked = "set [mail] size_limit if your server takes more"
    if not any(file.attached for file in now.files):
        return RenderError(
            f"the mail is {size(now.size)} without any attachment, and at most {size(limit)} can be sent",
            where=where,
            hint=f"show fewer charts and shorter tables, or {asked}",
        )
    least = f", {size(now.size)} after all that its oversize allows" if now.size < first else ""
    return RenderError(
        f"the mail is {size(first)}{least}, and at most {size(limit)} can be sent",
        where=where,
        hint=f'attach less, add "link" or "leave_out" to the job\'s oversize, or {asked}',
    )
