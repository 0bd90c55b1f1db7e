"""What a report says of its own run: subject, status, what readers must not miss, and where it comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from reports import blocks
from reports.definition import Job
from reports.model import About, Dataset, Provenance, Run, Status
from reports.render.formats import written
from reports.render.locales import Locale

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Remarks:
    """The sentences of one run in one language. `late` is when it was due, on the clock of `zone`, if it is late."""

    job: Job
    run: Run
    zone: str
    late: str
    locale: Locale

    def subject(self) -> str:
        subject = self.job.filled(self.job.subject, written(self.run.as_of, "date", self.locale))
        return self.locale.word("LATE, for {due}: {subject}", due=self._due, subject=subject) if self.late else subject

    def status(self, frames: blocks.Frames) -> Status | None:
        """What the job says of itself; a late one that says nothing is late."""
        late = Status(text=self.locale.word("Late"), tone="warning") if self.late else None
        return blocks.status(self.job, frames) or late

    def notices(self, datasets: Sequence[Dataset]) -> list[str]:
        """That it is late, and which rows are not in its numbers."""
        return [*([self._lateness()] if self.late else []), *self._rejections(datasets)]

    def about(self, datasets: Sequence[Dataset]) -> About:
        """What the workbook says of its making; not when, so that it is the same made again."""
        return About(
            job=self.job.name,
            datasets=provenance(datasets),
            params=self.run.params,
            notices=self._rejections(datasets),
        )

    def _lateness(self) -> str:
        """When it was due and when it was begun, both on the job's own clock, which is named."""
        begun = self.run.started.astimezone(ZoneInfo(self.zone)).replace(tzinfo=None)
        return self.locale.word(
            "This report is late: it was due at {due}, and begun at {begun} ({zone}).",
            due=self._due,
            begun=written(begun, "datetime", self.locale),
            zone=self.zone,
        )

    @property
    def _due(self) -> str:
        return written(self.late, "datetime", self.locale)

    def _rejections(self, datasets: Sequence[Dataset]) -> list[str]:
        return [self._rejection(table, rows) for (_, table), rows in rejected(datasets).items() if len(rows)]

    def _rejection(self, table: str, rows: pd.DataFrame) -> str:
        first = rows.iloc[0]
        place = {"file": first["file"], "line": first["line"], "column": first["column"], "value": first["value"]}
        return self.locale.plural(
            "{count} row of {table} did not fit and is not in these numbers. It is in {place}: {reason}.",
            "{count} rows of {table} did not fit and are not in these numbers. The first is in {place}: {reason}.",
            len(rows),
            table=table,
            place=self.locale.word("{file}, line {line}, column {column}, '{value}'", **place)
            if first["column"]
            else self.locale.word("{file}, line {line}", **place),
            reason=first["reason"],
        )


def rejected(datasets: Sequence[Dataset]) -> dict[tuple[str, str], Any]:
    """The rows set aside by source and table, each once however many queries read the table."""
    return {
        (dataset.query.source if dataset.query else "", table): rows
        for dataset in datasets
        for table, rows in dataset.rejected.items()
    }


def provenance(datasets: Sequence[Dataset]) -> list[Provenance]:
    """Where each dataset that a query gave came from."""
    return [
        Provenance(
            dataset=one.name,
            source=one.query.source,
            query_hash=one.query.hash,
            rows=one.rows,
            sql=one.query.sql,
            set_aside=sum(map(len, one.rejected.values())),
        )
        for one in datasets
        if one.query
    ]
