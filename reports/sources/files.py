"""Files as a source: SQL through DuckDB over CSV, Parquet and Excel, each file or glob a table."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from reports.errors import SourceError
from reports.model import Dataset, Query
from reports.settings import FileSource
from reports.sources import arrays, rejects, tables
from reports.sources import engine as duck
from reports.sources.delimited import MARK
from reports.sources.engine import Engine
from reports.sources.opened import Table, csv_table, excel_table, parquet_table
from reports.sources.wording import bound, check_columns, line_in, listed, no_column, place
from reports.sql import rewrite, statement

_OPENERS: dict[str, Callable[..., Table]] = {
    "csv": csv_table,
    "excel": excel_table,
    "parquet": parquet_table,
}


class Files:
    """A set of files that SQL may query; nothing but these files can be read, and nothing written."""

    def __init__(self, name: str, settings: FileSource) -> None:
        self.name, self.settings = name, settings
        self.patterns = tables.declared(name, settings.files)
        self._opened: dict[str, Table] = {}
        self._engine: Engine | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def fetch(self, query: Query, params: Mapping[str, Any]) -> Dataset:
        """All rows of `query`; rows set aside while reading its tables come along in `rejected`."""
        values = bound(query, params)
        try:
            self.engine.check_select(_rewritten(query.sql))
            sql = _rewritten(statement(query.sql))
            columns = self._described(sql, values)
            check_columns([name for name, _ in columns], query)
            frame = arrays.fetch(self.engine, sql, values, columns)
        except duck.NotOneSelect as error:
            raise SourceError(
                "a query is one SELECT; files are never changed", where=place(query), hint="leave the rest out"
            ) from error
        except duck.Error as error:
            raise self._explained(error, query) from error
        # A source that collects has this dataset on good days too, so that a job may always show it.
        collected = self._used(query) if self.settings.on_bad_rows == "collect" else []
        rejected = {table.name: rejects.as_frame(table.rejected, self.settings.root.resolve()) for table in collected}
        return Dataset(name=query.name, frame=frame, query=query, rejected=rejected)

    def check(self) -> str:
        """The tables with their columns and files; a SourceError for one that cannot be read."""
        return "; ".join(str(self._table(name)) for name in self.patterns)

    def close(self) -> None:
        """Close DuckDB and remove the temporary copies; safe to call twice."""
        if self._engine:
            self._engine.close()
        if self._folder:
            self._folder.cleanup()
        self._engine, self._folder, self._opened = None, None, {}

    @property
    def engine(self) -> Engine:
        """DuckDB, opened when first needed and from then on confined to the files that exist now."""
        if self._engine is None:
            self._folder = tempfile.TemporaryDirectory(prefix="reports-", ignore_cleanup_errors=True)
            files = [file for pattern in self.patterns.values() for file in self._found(pattern)]
            self._engine = Engine(files, Path(self._folder.name).resolve())
        return self._engine

    def _found(self, pattern: str) -> list[Path]:
        return tables.found(pattern, self.settings.root.resolve())

    def _described(self, sql: str, values: Mapping[str, Any]) -> list[tuple[str, str]]:
        """The result's columns; DuckDB names the tables it misses, and each is made ready when it does."""
        while True:
            try:
                return self.engine.describe(sql, values)
            except duck.Error as error:
                wanted = duck.missing_table(error).casefold()
                name = next((name for name in self.patterns if name.casefold() == wanted), "")
                if not name or name in self._opened:
                    raise
                self._table(name)

    def _used(self, query: Query) -> list[Table]:
        """The tables that the SQL names, of those that are ready."""
        named = (rf"(?<!\w){re.escape(name)}(?!\w)" for name in self._opened)
        found = [bool(re.search(name, query.sql, re.IGNORECASE)) for name in named]
        return [table for table, is_named in zip(self._opened.values(), found, strict=True) if is_named]

    def _table(self, name: str) -> Table:
        if name not in self._opened:
            root = self.settings.root.resolve()
            if not (files := self._found(self.patterns[name])):
                raise tables.none_found(self.patterns[name], root)
            engine = self.engine
            folder = Path(self._folder.name).resolve() if self._folder else root
            opener = _OPENERS[tables.format_of(files[0], self.settings)]
            try:
                self._opened[name] = opener(name, files, self.settings, engine, folder)
            except duck.Error as error:
                raise SourceError(
                    f"the file cannot be read: {_first_line(str(error))}",
                    where=str(files[0]),
                    hint="are its lines ended in one way, and its quotes closed?",
                ) from error
        return self._opened[name]

    def _explained(self, error: duck.Error, query: Query) -> SourceError:
        message, used = str(error), self._used(query)
        for table in used if MARK in message or "CSV" in message else ():
            table.explain(message)
        where = place(query, line_in(message))
        if name := duck.missing_table(error):
            there = listed(self.patterns, name)
            hint = f"the tables of the source '{self.name}' are {there}"
            return SourceError(f"there is no table '{name}'", where=where, hint=hint)
        if name := duck.missing_column(error):
            columns = {f"{table.name} ({table.place})": table.columns for table in used}
            return no_column(name, columns, where)
        return SourceError(_first_line(message), where=where)


def _rewritten(sql: str) -> str:
    return rewrite(sql, lambda name: f"${name}")


def _first_line(message: str) -> str:
    """DuckDB's first sentence, without the class of the error before it."""
    return re.sub(r"^[A-Z][A-Za-z ]+ Error: ", "", message.partition("\n")[0])
