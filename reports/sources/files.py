"""Files as a source: SQL through DuckDB over CSV, Parquet and Excel, each file or glob a table."""

from __future__ import annotations

import datetime as dt
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from reports.errors import SourceError
from reports.model import Dataset, Query
from reports.settings import FileSource
from reports.sources import arrays, rejects, tables
from reports.sources import engine as duck
from reports.sources.delimited import MARK
from reports.sources.engine import Engine
from reports.sources.opened import Table, columns_of, csv_table, excel_table, parquet_table
from reports.sources.wording import bound, check_columns, line_in, listed, nearest, no_column, place
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
            raise self._not_one(query) from error
        except duck.Error as error:
            raise self._explained(error, query) from error
        # A source that collects has this dataset on good days too, so that a job may always show it.
        collected = self._used(query) if self.settings.on_bad_rows == "collect" else []
        rejected = {table.name: rejects.as_frame(table.rejected, self.settings.root.resolve()) for table in collected}
        return Dataset(name=query.name, frame=frame, query=query, rejected=rejected)

    def describe(self, query: Query, params: Mapping[str, Any]) -> list[str] | None:
        """The columns that `query` would give; of each file it names, no more is read than that takes."""
        values = bound(query, params)
        try:
            self.engine.check_select(_rewritten(query.sql))
            names = [name for name, _ in self._described(_rewritten(statement(query.sql)), values)]
        except duck.NotOneSelect as error:
            raise self._not_one(query) from error
        except duck.Error as error:
            raise self._explained(error, query) from error
        check_columns(names, query)
        return names

    def clock(self) -> dt.datetime | None:
        """None: files are on this machine."""
        return None

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

    def _not_one(self, query: Query) -> SourceError:
        what = "a query is one SELECT; files are never changed"
        return SourceError(what, where=place(query), hint="leave the rest out")

    def _used(self, query: Query) -> list[Table]:
        """The tables that the SQL names, of those that are ready."""
        return [table for name, table in self._opened.items() if tables.names(query.sql, name)]

    def _table(self, name: str) -> Table:
        if name not in self._opened:
            root = self.settings.root.resolve()
            if not (files := self._found(self.patterns[name])):
                raise tables.none_found(self.patterns[name], root)
            engine = self.engine
            self._check_writing(engine)
            folder = Path(self._folder.name).resolve() if self._folder else root
            opener = _OPENERS[tables.format_of(files[0], self.settings)]
            try:
                table = opener(name, files, self.settings, engine, folder)
            except duck.Error as error:
                raise SourceError(
                    f"the file cannot be read: {_first_line(str(error))}",
                    where=str(files[0]),
                    hint="are its lines ended in one way, and its quotes closed?",
                ) from error
            self._check_types(table, engine, folder)
            self._opened[name] = table
        return self._opened[name]

    def _check_writing(self, engine: Engine) -> None:
        """Refuse a delimiter or a format of dates that no file could have."""
        delimiter, date_format = self.settings.delimiter, self.settings.date_format
        if delimiter != "auto" and (len(delimiter) != 1 or delimiter in '"\r\n\0'):
            what = f"the delimiter {delimiter!r} is not one character that may stand between values"
            hint = 'write one, like ";", or leave it out for it to be found'
            raise SourceError(what, where=f"sources.{self.name}.delimiter", hint=hint)
        try:
            engine.run("SELECT try_strptime('', $format)", {"format": date_format or "%Y"})
        except duck.Error as error:
            what = f"date_format = '{date_format}' is not a format of dates: {_first_line(str(error))}"
            hint = 'write one like "%d.%m.%Y"'
            raise SourceError(what, where=f"sources.{self.name}.date_format", hint=hint) from error

    def _check_types(self, table: Table, engine: Engine, folder: Path) -> None:
        """Refuse a column in `types` that no table has; one that cannot be read now may have it."""
        known = {table.name: table.columns} | {name: other.columns for name, other in self._opened.items()}
        for name in self.patterns:
            if name not in known and self._not_in(known):
                try:
                    known[name] = columns_of(self._found(self.patterns[name])[0], self.settings, engine, folder)
                except (SourceError, duck.Error, IndexError):
                    return
        if not (unknown := self._not_in(known)):
            return
        near = nearest({column for columns in known.values() for column in columns}, unknown[0])[0]
        there = "; ".join(f"{name} has {listed(columns, unknown[0])}" for name, columns in known.items())
        # The table is there for SQL already: forgotten, so that the next query is refused as well.
        self.close()
        nowhere = f"{table.place} does not have" if len(known) == 1 else "no table of the source has"
        raise SourceError(
            f"types names the column '{unknown[0]}', which {nowhere}",
            where=f"sources.{self.name}.types",
            hint=f"did you mean '{near}'? {there}",
        )

    def _not_in(self, known: Mapping[str, Sequence[str]]) -> list[str]:
        return [column for column in self.settings.types if not any(column in names for names in known.values())]

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
