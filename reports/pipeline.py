"""The left half of the flow, and the file to read first: a job becomes a report, and nothing is sent.

    Job --fetch--> Datasets --transform--> frames --build--> Blocks --render--> Report

It fails or succeeds as a whole: any ReportsError on the way means that there is no report.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, Self
from zoneinfo import ZoneInfo

from reports import blocks, hooks, shipped
from reports.attaching import Attaching
from reports.definition import Job
from reports.errors import JobError
from reports.model import (
    About,
    Artifact,
    Asked,
    Before,
    Block,
    Chart,
    Dataset,
    Page,
    Picture,
    Provenance,
    Report,
    Run,
    Status,
    Table,
    Theme,
    size,
)
from reports.render import charts, html, images, text, themes
from reports.render.formats import written
from reports.render.locales import ENGLISH, Locale
from reports.settings import Settings
from reports.sources import in_zone, open_source

if TYPE_CHECKING:
    import pandas as pd

ZIP = ".zip"
Tell = Callable[[str], None]
"""Told what was just done, in words, while a run goes on."""


@dataclass(frozen=True)
class Produced:
    """A report with what it was made of; `files` are all that were made to be attached, whatever became of them.

    `added` are the notices about its recipients and attachments, which no dataset is the reason for.
    """

    report: Report
    page: Page
    datasets: Sequence[Dataset]
    run: Run
    files: Sequence[Artifact]
    added: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """One run of one job. Each step takes what the step before gave.

    `late` is when it was due, if it is late; `before` has the figures of the last run, to compare with.
    """

    job: Job
    run: Run
    settings: Settings
    tell: Tell
    late: str = ""
    before: Before | None = None
    locale: Locale = ENGLISH

    def produce(self) -> Produced:
        datasets = self.fetch()
        frames = self.transform(datasets)
        return self.render(datasets, frames)

    def speaking(self, locale: Locale) -> Self:
        """The same run in another language or currency; what was fetched and computed can be rendered by both."""
        return replace(self, locale=locale, job=self.job.speaking(locale.language))

    def fetch(self) -> list[Dataset]:
        """A dataset for each query, instants on the job's clock; a source is closed before the next is opened."""
        datasets: list[Dataset] = []
        by_source = sorted(self.job.queries, key=lambda query: query.source)
        for name, queries in groupby(by_source, key=lambda query: query.source):
            with closing(open_source(name, self.settings.source(name), self.tell)) as source:
                for query in queries:
                    datasets.append(in_zone(source.fetch(query, self.run.params), self._zone))
                    self.tell(f"fetched {query.name} from {name}: {datasets[-1].rows:,} rows")
        return datasets

    def transform(self, datasets: Sequence[Dataset]) -> dict[str, Any]:
        """The frames by name: the datasets, their rejected rows, and what the job's hooks make of them."""
        frames: dict[str, Any] = {dataset.name: dataset.frame for dataset in datasets}
        frames |= self._set_aside(datasets)
        if self.job.hooks:
            # What was fetched is kept as it came: a hook that writes into a frame writes into a copy.
            own = {name: frame.copy(deep=False) for name, frame in frames.items()}
            frames = hooks.apply(self.job.hooks, own, self._told_to_hooks)
            self.tell(f"computed {', '.join(frames)}")
        return frames

    @property
    def _told_to_hooks(self) -> dict[str, Any]:
        """The params, and what a hook would else ask the clock for: when the run began, and the job's time zone."""
        return {"started": self.run.started, "timezone": self._zone, **self.run.params}

    def _set_aside(self, datasets: Sequence[Dataset]) -> dict[str, pd.DataFrame]:
        """The rows set aside while reading, under the name of their table with `_rejected`."""
        taken = {dataset.name for dataset in datasets}
        found: dict[str, pd.DataFrame] = {}
        for (source, table), rows in rejected(datasets).items():
            name = f"{table}_rejected"
            if name in taken or name in found:
                raise JobError(
                    f"the rows set aside of table '{table}' of source '{source}' would be a second dataset '{name}'",
                    where=str(self.job.folder),
                    hint="give the table, or the query, another name",
                )
            found[name] = rows
        return found

    def render(self, datasets: Sequence[Dataset], frames: Mapping[str, Any]) -> Produced:
        """Blocks as pictures, HTML and text; frames as the files that are attached."""
        theme = themes.resolve(self.settings.theme)
        attached = self._attaching(theme, datasets).make(frames)
        attachments, whole_in = attached.files, attached.whole_in
        shown = blocks.build(self.job, frames, as_of=self.run.as_of, before=self.before, whole_in=whole_in)
        shown, pictures = self._fitting(shown, self._images(shown, theme))
        page = replace(self._page(shown, datasets, theme), status=self._status(frames))
        page = replace(page, notices=[*page.notices, *attached.notices])
        report = self._report(page, pictures, attachments)
        weight = size(len(report.html.encode()))
        self.tell(f"rendered {len(pictures)} charts, {len(attachments)} attachments, {weight} of HTML")
        return Produced(report, page, datasets, self.run, attachments)

    def restated(
        self, produced: Produced, *, notices: Sequence[str], attachments: Sequence[Artifact] | None = None
    ) -> Produced:
        """The report with `notices` said first and perhaps other attachments; nothing is computed again.

        Tables point at a file by its name now, at the zip it is in, or no longer where it is not attached.
        """
        report, page = produced.report, produced.page
        kept = report.attachments if attachments is None else attachments
        names = {artifact.name: artifact.name for artifact in kept}
        zipped = {name.removesuffix(ZIP): name for name in names if name.endswith(ZIP)}
        shown = _pointing(page.blocks, zipped | names)
        page = replace(page, notices=[*notices, *page.notices], blocks=shown)
        drawn = [image for image in report.images if image not in page.theme.images]
        report, added = self._report(page, drawn, kept), [*notices, *produced.added]
        return replace(produced, page=page, report=report, added=added)

    def _attaching(self, theme: Theme, datasets: Sequence[Dataset]) -> Attaching:
        return Attaching(
            job=self.job,
            as_of=self.run.as_of,
            about=self._about(datasets),
            before=self.before,
            root=self.settings.root,
            locale=self.locale,
            theme=theme,
            tell=self.tell,
        )

    def _about(self, datasets: Sequence[Dataset]) -> About:
        asked = [one for dataset in datasets for one in _asked(dataset)]
        return About(
            job=self.job.name, datasets=asked, params=self.run.params, notices=_rejections(datasets, self.locale)
        )

    def _fitting(self, shown: Sequence[Block], drawn: Sequence[Artifact]) -> tuple[list[Block], list[Artifact]]:
        """The blocks and their pictures, without those that are too heavy for a mail."""
        fitted = images.fit(drawn, self.tell)
        left = iter(fitted)
        marked = [
            replace(block, drawn=next(left) is not None) if isinstance(block, Chart | Picture) else block
            for block in shown
        ]
        return marked, [picture for picture in fitted if picture]

    def _images(self, shown: Sequence[Block], theme: Theme) -> list[Artifact]:
        to_draw = [block for block in shown if isinstance(block, Chart | Picture)]
        return [
            charts.draw_figure(block, number=number)
            if isinstance(block, Picture)
            else charts.draw(block, number=number, locale=self.locale, theme=theme)
            for number, block in enumerate(to_draw, start=1)
        ]

    def _page(self, shown: Sequence[Block], datasets: Sequence[Dataset], theme: Theme) -> Page:
        late = [self._lateness()] if self.late else []
        return Page(
            title=self.job.title,
            subject=self._subject(),
            as_of=self.run.as_of,
            blocks=shown,
            notices=late + _rejections(datasets, self.locale),
            provenance=[origin for dataset in datasets for origin in provenance(dataset)],
            language=self.locale.language,
            currency=self.locale.currency,
            compared=self.before.as_of if self.before and blocks.are_compared(shown) else None,
            theme=theme,
        )

    def _subject(self) -> str:
        subject = self.job.filled(self.job.subject, written(self.run.as_of, "date", self.locale))
        return self.locale.word("LATE, for {due}: {subject}", due=self._due, subject=subject) if self.late else subject

    def _status(self, frames: Mapping[str, pd.DataFrame]) -> Status | None:
        """What the job says of itself; a late one that says nothing is late."""
        late = Status(text=self.locale.word("Late"), tone="warning") if self.late else None
        return blocks.status(self.job, frames) or late

    def _lateness(self) -> str:
        """When it was due and when it was begun, both on the job's own clock, which is named."""
        begun = self.run.started.astimezone(ZoneInfo(self._zone)).replace(tzinfo=None)
        return self.locale.word(
            "This report is late: it was due at {due}, and begun at {begun} ({zone}).",
            due=self._due,
            begun=written(begun, "datetime", self.locale),
            zone=self._zone,
        )

    @property
    def _due(self) -> str:
        return written(self.late, "datetime", self.locale)

    @property
    def _zone(self) -> str:
        return self.job.zone(self.settings.timezone)

    def _report(self, page: Page, images: Sequence[Artifact], attachments: Sequence[Artifact]) -> Report:
        folders = shipped.template_folders(self.settings.root)
        return Report(
            job=self.job.name,
            title=page.title,
            as_of=page.as_of,
            subject=page.subject,
            html=html.render(page, images, template=self.job.template, folders=folders),
            text=text.render(page, images, folders=folders),
            images=[*images, *page.theme.images],
            attachments=attachments,
        )


def _pointing(shown: Sequence[Block], files: Mapping[str, str]) -> list[Block]:
    """The blocks with the files that tables point at under the names that those have now, if there at all."""
    return [
        replace(block, whole_in=files.get(block.whole_in, "")) if isinstance(block, Table) else block for block in shown
    ]


def rejected(datasets: Sequence[Dataset]) -> dict[tuple[str, str], pd.DataFrame]:
    """The rows set aside by source and table, each once however many queries read the table."""
    return {
        (dataset.query.source if dataset.query else "", table): rows
        for dataset in datasets
        for table, rows in dataset.rejected.items()
    }


def _rejections(datasets: Sequence[Dataset], locale: Locale) -> list[str]:
    return [_rejection(table, rows, locale) for (_, table), rows in rejected(datasets).items() if len(rows)]


def _rejection(table: str, rows: pd.DataFrame, locale: Locale) -> str:
    first = rows.iloc[0]
    place = {"file": first["file"], "line": first["line"], "column": first["column"], "value": first["value"]}
    return locale.plural(
        "{count} row of {table} did not fit and is not in these numbers. It is in {place}: {reason}.",
        "{count} rows of {table} did not fit and are not in these numbers. The first is in {place}: {reason}.",
        len(rows),
        table=table,
        place=locale.word("{file}, line {line}, column {column}, '{value}'", **place)
        if first["column"]
        else locale.word("{file}, line {line}", **place),
        reason=first["reason"],
    )


def _asked(dataset: Dataset) -> list[Asked]:
    """What the workbook says of a dataset, if a query gave it."""
    if (query := dataset.query) is None:
        return []
    set_aside = sum(map(len, dataset.rejected.values()))
    return [
        Asked(
            name=dataset.name,
            source=query.source,
            sql=query.sql,
            query_hash=query.hash,
            rows=dataset.rows,
            set_aside=set_aside,
        )
    ]


def provenance(dataset: Dataset) -> list[Provenance]:
    """Where the dataset came from, if a query gave it."""
    if (query := dataset.query) is None:
        return []
    origin = Provenance(dataset=dataset.name, source=query.source, query_hash=query.hash, rows=dataset.rows)
    return [origin]
