"""The left half of the flow, and the file to read first: a job becomes a report, and nothing is sent.

    Job --fetch--> Datasets --transform--> frames --build--> Blocks --render--> Report

It fails or succeeds as a whole: any ReportsError on the way means that there is no report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, Self

from reports import blocks, hooks, shipped
from reports.attaching import Attaching
from reports.definition import Job
from reports.errors import JobError
from reports.model import About, Artifact, Before, Block, Dataset, Page, Report, Run, Table, Theme, size
from reports.remarks import Remarks, provenance, rejected
from reports.render import html, pictures, text, themes
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

    def renderings(
        self, datasets: Sequence[Dataset], locales: Iterable[Locale]
    ) -> dict[Locale, tuple[Pipeline, Produced]]:
        """All is computed once, and rendered once in each language and currency, with what can restate it."""
        frames = self.transform(datasets)
        speaking = {locale: self.speaking(locale) for locale in dict.fromkeys(locales)}
        return {locale: (one, one.render(datasets, frames)) for locale, one in speaking.items()}

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
        theme, remarks = themes.resolve(self.settings.theme), self._remarks
        attached = self._attaching(theme, remarks.about(datasets)).make(frames)
        shown = blocks.build(self.job, frames, as_of=self.run.as_of, before=self.before, whole_in=attached.whole_in)
        shown, drawn = pictures.drawn(shown, self.locale, theme, self.tell)
        page = Page(
            title=self.job.title,
            subject=remarks.subject(),
            as_of=self.run.as_of,
            blocks=shown,
            notices=[*remarks.notices(datasets), *attached.notices],
            provenance=provenance(datasets),
            language=self.locale.language,
            currency=self.locale.currency,
            status=remarks.status(frames),
            compared=self.before.as_of if self.before and blocks.are_compared(shown) else None,
            theme=theme,
        )
        report = self._report(page, drawn, attached.files)
        weight = size(len(report.html.encode()))
        self.tell(f"rendered {len(drawn)} charts, {len(attached.files)} attachments, {weight} of HTML")
        return Produced(report, page, datasets, self.run, attached.files)

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

    def _attaching(self, theme: Theme, about: About) -> Attaching:
        return Attaching(
            job=self.job,
            as_of=self.run.as_of,
            about=about,
            before=self.before,
            root=self.settings.root,
            locale=self.locale,
            theme=theme,
            tell=self.tell,
        )

    @property
    def _remarks(self) -> Remarks:
        return Remarks(job=self.job, run=self.run, zone=self._zone, late=self.late, locale=self.locale)

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
