"""Sources: named databases and sets of files, each answering queries with datasets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from reports.errors import SourceError
from reports.model import Dataset
from reports.settings import Connected, FileSource
from reports.sources import tables
from reports.sources.base import Source

__all__ = ["Source", "in_zone", "missing_files", "open_source"]


def _silent(_: str) -> None:
    """Tells nobody."""


def open_source(name: str, settings: FileSource | Connected, tell: Callable[[str], None] = _silent) -> Source:
    """The source that `settings` describe, not yet connected; its library is imported here, when needed.

    `tell` hears of reads that are made again.
    """
    if isinstance(settings, FileSource):
        from reports.sources.files import Files  # noqa: PLC0415  DuckDB, for file sources alone

        return Files(name, settings)
    from reports.sources.database import Database  # noqa: PLC0415  SQLAlchemy, for databases alone

    return Database(name, settings, tell=tell)


def in_zone(dataset: Dataset, zone: str) -> Dataset:
    """The dataset with its instants on the clock of `zone`; what has no zone is left as it is."""
    from reports.sources import frames  # noqa: PLC0415  pandas, which only a run needs

    return replace(dataset, frame=frames.in_zone(dataset.frame, zone))


def missing_files(name: str, settings: FileSource, sql: str | None = None) -> list[SourceError]:
    """Why each table's pattern that means no file now means none; with `sql`, of the tables it names alone."""
    root = settings.root.resolve()
    patterns = tables.declared(name, settings.files)
    read = [pattern for table, pattern in patterns.items() if sql is None or tables.names(sql, table)]
    return [tables.none_found(pattern, root) for pattern in read if not tables.found(pattern, root)]
