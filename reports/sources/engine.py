"""DuckDB, locked in: no extensions fetched, no files but the declared ones, one SELECT at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

Error = duckdb.Error


_NO_TABLE = re.compile(r"Table with name (.+?) does not exist")
_NO_COLUMN = re.compile(
    r'Referenced column "(.+?)" not found|have a column named "(.+?)"|Column "(.+?)" does not exist|'
    r'Column "(.+?)" referenced that exists in the SELECT clause'
)


def missing_table(error: Error) -> str:
    """The name of the table that is not there, if that is what the error says."""
    found = _NO_TABLE.search(str(error))
    return found[1] if found else ""


def missing_column(error: Error) -> str:
    """The name of the column that is not there, if that is what the error says."""
    found = _NO_COLUMN.search(str(error))
    return next(filter(None, found.groups())) if found else ""


class NotOneSelect(Exception):
    """The SQL text is not exactly one SELECT statement."""


def literal(text: object) -> str:
    """`text` as an SQL string."""
    return "'" + str(text).replace("'", "''") + "'"


def quoted(name: str) -> str:
    """`name` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def array(items: Sequence[object]) -> str:
    """`items` as an SQL list of strings."""
    return f"[{', '.join(map(literal, items))}]"


class Engine:
    """A DuckDB of its own in memory that reads `files` and nothing else; it spills into `folder`."""

    def __init__(self, files: Sequence[Path], folder: Path, *, threads: int = 0) -> None:
        self._connection = _locked(files, folder, threads)

    def run(self, sql: str, params: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """Every row of one statement."""
        rows: list[tuple[Any, ...]] = self._connection.execute(sql, params or None).fetchall()
        return rows

    def stream(self, sql: str, size: int) -> Iterator[list[tuple[Any, ...]]]:
        """The rows of one statement in their order, `size` at a time; no more of them are in memory at once."""
        answer = self._connection.execute(sql)
        while rows := answer.fetchmany(size):
            yield rows

    def columns(self, sql: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Every row of one statement as a NumPy array for each column, masked where it has NULLs."""
        found: dict[str, Any] = self._connection.execute(sql, params or None).fetchnumpy()
        return found

    def describe(self, sql: str, params: Mapping[str, Any] | None = None) -> list[tuple[str, str]]:
        """The name and the DuckDB type of each column `sql` would give."""
        return [(name, kind) for name, kind, *_ in self.run(f"DESCRIBE {sql}", params)]

    def check_select(self, sql: str) -> None:
        """NotOneSelect where `sql` is anything else than exactly one SELECT."""
        statements = self._connection.extract_statements(sql)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise NotOneSelect

    def close(self) -> None:
        self._connection.close()


def _locked(files: Sequence[Path], folder: Path, threads: int) -> duckdb.DuckDBPyConnection:
    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        # Otherwise FROM frame would read the variables of whoever calls.
        "python_enable_replacements": False,
        "temp_directory": str(folder / "spill"),
    }
    if threads:
        config["threads"] = threads
    connection = duckdb.connect(config=config)
    for setting in (
        "TimeZone = 'UTC'",
        f"allowed_paths = {array(files)}",
        f"allowed_directories = {array([folder])}",
        "enable_external_access = false",
        "lock_configuration = true",
    ):
        connection.execute(f"SET {setting}")
    return connection
