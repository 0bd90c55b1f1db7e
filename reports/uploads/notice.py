"""The mail that tells how uploads ended: the state first, then figures, errors by cause with samples, what to do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from zoneinfo import ZoneInfo

from reports import notices
from reports.model import Artifact, Block, Column, Figure, Figures, Page, Report, Run, Status, Table, Text, Tone
from reports.notices import rendered, sentence
from reports.pipeline import Produced
from reports.render import themes
from reports.settings import Settings
from reports.store import Reject, Store, Upload
from reports.uploads.frames import of_rows

NAME = "(upload)"
"""What stands for the job in a run that tells of uploads."""
SAMPLES = 3
MINUTE = 60.0
_STATES = {
    "succeeded": "Uploaded",
    "partial": "Uploaded in part",
    "failed": "Upload failed",
    "interrupted": "Upload interrupted",
}
_TONES: Mapping[str, Tone] = {"succeeded": "good", "partial": "warning", "failed": "bad", "interrupted": "bad"}
_WORST = ("failed", "interrupted", "partial", "succeeded")
_SAMPLE = [
    Column(key="cause", label="Cause"),
    Column(key="line", label="Line", format="integer"),
    Column(key="column", label="Column"),
    Column(key="value", label="Value"),
    Column(key="reason", label="Reason"),
]
_FILES = [
    Column(key="file", label="File"),
    Column(key="state", label="State"),
    *(
        Column(key=key, label=label, format="integer", total=True)
        for key, label in (("read", "Read"), ("inserted", "Inserted"), ("updated", "Updated"), ("rejected", "Rejected"))
    ),
]


@dataclass(frozen=True, kw_only=True)
class Notice:
    """What is told of some uploads into one table; `banner` is said first."""

    uploads: Sequence[Upload]
    run: Run
    settings: Settings
    store: Store
    files: Sequence[Artifact]
    banner: str = ""
    _page: Page = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_page", self._made())

    @property
    def state(self) -> str:
        """The worst of the states."""
        return next(state for state in _WORST if any(one.state == state for one in self.uploads))

    def produced(self) -> Produced:
        """The report with all files attached."""
        report = self._report(self._page, self.files)
        return Produced(report, self._page, (), self.run, self.files)

    def restated(
        self, produced: Produced, *, notices: Sequence[str], attachments: Sequence[Artifact] | None = None
    ) -> Produced:
        """The same with `notices` said first and other attachments."""
        kept = produced.report.attachments if attachments is None else attachments
        page = replace(produced.page, notices=[*notices, *produced.page.notices])
        return replace(produced, page=page, report=self._report(page, kept))

    # -- what is said -----------------------------------------------------------------------------------

    def _made(self) -> Page:
        first, mask = self.uploads[0], self.settings.mask
        such, every = sum(one.state == self.state for one in self.uploads), len(self.uploads)
        several = first.name if every == 1 else f"{every} files" if such == every else f"{such} of {every} files"
        title = mask(f"{_STATES[self.state]}: {several} into {first.source}.{first.target}")
        told = [self.banner, *(self._told(one) for one in self.uploads)]
        return Page(
            title=title,
            subject=f"{title}, {self.run.as_of}",
            as_of=self.run.as_of,
            blocks=list(self._blocks()),
            notices=[mask(one) for one in told if one],
            language=self.settings.language,
            currency=self.settings.currency,
            status=Status(text=_STATES[self.state], tone=_TONES[self.state]),
            theme=themes.resolve_or_plain(self.settings.theme),
        )

    def _told(self, upload: Upload) -> str:
        """What a reader must not miss about an upload; nothing of one that went well."""
        name = f"{upload.name}: " if len(self.uploads) > 1 else ""
        if upload.state == "partial":
            if upload.rejected == 1:
                return f"{name}1 row is not in the table. It is in the attached files, with the reason."
            return (
                f"{name}{upload.rejected:,} rows are not in the table. Each is in the attached files, with the reason."
            )
        return f"{name}{sentence(upload.error.partition(chr(10))[0])}." if upload.error else ""

    def _blocks(self) -> Iterator[Block]:
        yield Figures(items=self._figures())
        if len(self.uploads) > 1:
            rows = [
                (one.name, one.state, one.rows_read, one.inserted, one.updated, one.rejected) for one in self.uploads
            ]
            keys = [column.key for column in _FILES]
            yield Table(frame=of_rows(rows, keys, keys[2:]), columns=_FILES, title="Files")
        yield from self._causes()
        yield from self._next()
        yield Text(text="\n".join(self._origin()), title="What it was", as_is=True)

    def _figures(self) -> list[Figure]:
        read, took = sum(one.rows_read for one in self.uploads), sum(map(seconds, self.uploads))
        counts = [
            ("Rows read", read),
            ("Inserted", sum(one.inserted for one in self.uploads)),
            ("Updated", sum(one.updated for one in self.uploads)),
            ("Rejected", sum(one.rejected for one in self.uploads)),
        ]
        retries = sum(one.retries for one in self.uploads)
        rate = f"{read / took:,.0f} rows a second" if took > 0 and read else ""
        return [
            *(Figure(label=label, value=value, format="integer") for label, value in counts),
            Figure(label="Took", value=length(took), note=rate),
            *([Figure(label="Tried again", value=retries, format="integer")] if retries else []),
        ]

    def _causes(self) -> Iterator[Block]:
        rows: list[tuple[object, ...]] = []
        for upload in self.uploads:
            counts = self.store.uploads.causes(upload.id)
            for cause, samples in self._samples(upload, counts).items():
                rows += [
                    (f"{cause} ({counts[cause]:,})", one.line, one.column, one.value, one.reason) for one in samples
                ]
        if rows:
            keys = [column.key for column in _SAMPLE]
            note = f"The first {SAMPLES} rows of each cause; the number in brackets is how many there are."
            yield Table(frame=of_rows(rows, keys, ["line"]), columns=_SAMPLE, title="Errors by cause", note=note)

    def _samples(self, upload: Upload, counts: Mapping[str, int]) -> dict[str, list[Reject]]:
        """The first rows of each cause, the most frequent cause first."""
        found: dict[str, list[Reject]] = {cause: [] for cause in counts}
        for one in islice(self.store.uploads.rejects(upload.id), 100_000):
            if len(found.setdefault(one.cause, [])) < SAMPLES:
                found[one.cause].append(one)
            elif all(len(samples) == SAMPLES for samples in found.values()):
                break
        return found

    def _next(self) -> Iterator[Block]:
        lines: list[str] = []
        for one in self.uploads:
            lines += [f"reports uploads {one.id[:8]}"]
            lines += [resume(one)] if one.state in ("failed", "interrupted") else []
        said = {
            "succeeded": "Nothing is to be done. This shows it again.",
            "partial": "Mend the rejected rows in a file of their own and upload that one; the others are in.",
            "failed": "Mend the reason, then go on where it stopped: what is in already does not go in twice.",
            "interrupted": "Go on where it stopped: what is in already does not go in twice.",
        }
        yield Text(text=said[self.state], title="Next step")
        hints = [line.partition("do:")[2].strip() for one in self.uploads for line in one.error.splitlines()[1:]]
        if hint := "\n\n".join(sentence(one) for one in dict.fromkeys(hints) if one):
            yield Text(text=self.settings.mask(hint))
        yield Text(text="\n".join(lines), as_is=True)

    def _origin(self) -> Iterator[str]:
        for one in self.uploads:
            started = one.started.astimezone(ZoneInfo(self.settings.timezone))
            yield self.settings.mask(f"{one.file}")
            yield f"  {one.mode} into {one.source}.{one.target}, upload {one.id[:8]}, by {one.login}"
            known = f", sha256 {one.sha256[:12]}" if one.sha256 else ""
            yield f"  started {started:%Y-%m-%d %H:%M:%S} ({self.settings.timezone}){known}"

    def _report(self, page: Page, attachments: Sequence[Artifact]) -> Report:
        body, plain = rendered(page, self.settings)
        return Report(
            job=NAME, title=page.title, as_of=page.as_of, subject=page.subject, html=body, text=plain,
            images=page.theme.images, attachments=attachments,
        )  # fmt: skip


def resume(upload: Upload) -> str:
    """The command that goes on with it."""
    return f"reports upload --resume {upload.id[:8]}"


def seconds(upload: Upload) -> float:
    """From its start to its end."""
    return (upload.ended - upload.started).total_seconds() if upload.ended else 0.0


def length(took: float) -> str:
    """A length of time as people say it, a short one to the tenth of a second."""
    return f"{took:.1f} s" if took < MINUTE else notices.length(dt.timedelta(seconds=took))
