"""The files that a job attaches, made of its frames: the workbook, CSV and Parquet files, and the zip of them all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from reports import blocks, jobs
from reports.definition import CsvFile, FlatFile, Job, ParquetFile, Workbook
from reports.errors import RenderError
from reports.model import XLSX, About, Artifact, Before, Theme
from reports.render import flat, sealing, workbook
from reports.render.locales import Locale
from reports.render.oddities import Note
from reports.render.packing import zipped
from reports.render.sheet_names import file_name

if TYPE_CHECKING:
    import pandas as pd

CSV, PARQUET = "text/csv", "application/vnd.apache.parquet"
_Made = tuple[Artifact, Sequence[str], Sequence[str]]
"""A file, the datasets of which it has every row, and what its readers have to be told."""


@dataclass(frozen=True, kw_only=True)
class Attached:
    """The files of a run; for each dataset that is whole in one of them its name; sentences for the mail."""

    files: Sequence[Artifact]
    whole_in: Mapping[str, str]
    notices: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Attaching:
    """The attachments of one run; `tell` is told what had to be changed or left out.

    `about` is what the workbook says of its making, `before` the run that its figures are compared with.
    """

    job: Job
    as_of: dt.date
    about: About
    before: Before | None
    root: Path
    locale: Locale
    theme: Theme
    tell: Callable[[str], None]

    def make(self, frames: Mapping[str, pd.DataFrame]) -> Attached:
        """The files in their order, where each dataset is whole, and what readers have to be told."""
        made = list(self._files(frames))
        self._check([file.name for file, _, _ in made])
        notices = [notice for _, _, said in made for notice in said]
        if self.job.attach.zip and made:
            name = file_name(self.job.filled(self.job.attach.zip, self.as_of), ".zip")
            packed = zipped(name, [file for file, _, _ in made])
            whole_in = {dataset: name for _, datasets, _ in made for dataset in datasets}
            return Attached(files=[packed], whole_in=whole_in, notices=notices)
        whole_in = {dataset: file.name for file, datasets, _ in reversed(made) for dataset in datasets}
        return Attached(files=[file for file, _, _ in made], whole_in=whole_in, notices=notices)

    def _files(self, frames: Mapping[str, pd.DataFrame]) -> Iterator[_Made]:
        if excel := self.job.attach.excel:
            book, datasets, said = self._workbook(excel, frames)
            yield (sealing.sealed(book, excel.password.reveal()) if excel.password else book), datasets, said
        for options in self.job.attach.csv:
            yield self._csv(options, frames), [options.dataset], []
        for packed in self.job.attach.parquet:
            yield self._parquet(packed, frames), [packed.dataset], []

    def _workbook(self, excel: Workbook, frames: Mapping[str, pd.DataFrame]) -> _Made:
        if excel.template:
            return self._filled(excel, frames)
        book = blocks.book(self.job, frames, as_of=self.as_of, before=self.before)
        if book is None:
            raise RenderError("the workbook has no sheets", where=excel.file, hint="attach at least one dataset")
        book = replace(book, theme=self.theme, about=self.about if excel.about else None)
        made = workbook.write(book, locale=self.locale)
        lost = self._told(made.artifact.name, made.continued, made.notes)
        return made.artifact, [sheet.dataset for sheet in excel.sheets if sheet.dataset], lost

    def _filled(self, excel: Workbook, frames: Mapping[str, pd.DataFrame]) -> _Made:
        """The template, with the datasets in its tables."""
        from reports.render.filling import Filling, run_values  # noqa: PLC0415  lxml, which other jobs do without

        path = jobs.workbook_template(self.job, self.root)
        named = run_values(title=self.job.title, job=self.job.name, as_of=self.as_of)
        tables = blocks.filling(self.job, frames)
        filled = Filling(
            path.read_bytes(), excel.template, tables=tables, named=named, chosen=excel.fill, locale=self.locale
        ).fill()
        name = file_name(self.job.filled(excel.file, self.as_of))
        lost = self._told(name, filled.said, filled.notes)
        return Artifact(name=name, media_type=XLSX, content=filled.content), filled.datasets, lost

    def _told(self, name: str, said: Sequence[str], notes: Sequence[Note]) -> list[str]:
        """Says in the log what became of a workbook; readers are told of what is lost."""
        for one in (*said, *notes):
            self.tell(f"{name}: {one}")
        return [f"{name}: {note}" for note in notes if note.lost]

    def _csv(self, options: CsvFile, frames: Mapping[str, pd.DataFrame]) -> Artifact:
        table, name = blocks.flat(self.job, options, frames), self._name(options, ".csv")
        content, said = flat.write(table.frame, table.columns, options, where=name)
        for sentence in said:
            self.tell(sentence)
        return Artifact(name=name, media_type=CSV, content=content)

    def _parquet(self, options: ParquetFile, frames: Mapping[str, pd.DataFrame]) -> Artifact:
        table, name = blocks.flat(self.job, options, frames), self._name(options, ".parquet")
        from reports.sources import parquet  # noqa: PLC0415  DuckDB, which other jobs do without

        chosen = table.frame[[column.key for column in table.columns]]
        return Artifact(name=name, media_type=PARQUET, content=parquet.write(chosen, where=name))

    def _name(self, options: FlatFile, suffix: str) -> str:
        named = self.job.filled(options.file, self.as_of) if options.file else ""
        return file_name(named or f"{blocks.words(options.dataset)} {self.as_of}", suffix)

    def _check(self, names: Sequence[str]) -> None:
        folded = [name.casefold() for name in names]
        if twice := [name for name in names if folded.count(name.casefold()) > 1]:
            raise RenderError(
                f"two attachments are called {twice[0]}",
                where=str(self.job.folder / jobs.FILE),
                hint="give one of them another name with the key 'file'",
            )
