"""SQLite: a file that is opened to be read only, whatever a query tries."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine
from sqlalchemy.pool import NullPool

from reports.errors import SourceError
from reports.model import Query
from reports.settings import Connected
from reports.sources.dialects.base import Dialect
from reports.sources.wording import check_columns

_ALLOWED = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
    sqlite3.SQLITE_TRANSACTION,
}
# What SQLAlchemy asks; none of them changes anything.
_PRAGMAS = {"table_info", "table_xinfo", "table_list", "database_list", "read_uncommitted"}
_STEPS = 10_000


class SQLite(Dialect):
    """A file under the project's folder, or anywhere by its whole path."""

    missing_table: ClassVar = re.compile(r"no such table: (\S+)")
    missing_column: ClassVar = re.compile(r"no such column: (\S+)")
    timed_out: ClassVar = re.compile(r"^interrupted$")
    writes: ClassVar = re.compile(r"not authorized|authorization denied|readonly database|one statement at a time")
    passing: ClassVar = re.compile(r"database( table)? is locked")
    unreachable: ClassVar = re.compile(r"unable to open database file")

    def engine(self, url: URL, settings: Connected) -> Engine:
        path = _file(url, settings)
        if not path.is_file():
            hint = "an upload makes it: reports upload" if settings.uploads else "is the path right?"
            raise SourceError("the SQLite file does not exist", where=str(path), hint=hint)

        def connect() -> sqlite3.Connection:
            uri = f"file:{quote(str(path))}?mode=ro"
            connection = sqlite3.connect(uri, uri=True, timeout=settings.connect_timeout)
            connection.execute("PRAGMA query_only = ON")
            connection.set_authorizer(_authorize)
            until = time.monotonic() + settings.timeout
            connection.set_progress_handler(lambda: int(time.monotonic() > until), _STEPS)
            return connection

        return create_engine("sqlite://", creator=connect, poolclass=NullPool)

    def writer(self, url: URL, settings: Connected) -> Engine:
        """The file, made if it is not there; a transaction begins and ends where it is told to."""
        path = _file(url, settings)
        if not path.parent.is_dir():
            raise SourceError("the folder of the SQLite file does not exist", where=str(path.parent))

        def connect() -> sqlite3.Connection:
            connection = sqlite3.connect(path, timeout=settings.connect_timeout, isolation_level=None)
            connection.execute("PRAGMA foreign_keys = ON")
            return connection

        return create_engine("sqlite://", creator=connect, poolclass=NullPool)

    def not_yet(self, url: URL, settings: Connected) -> str:
        awaited = settings.uploads and not _file(url, settings).is_file()
        return "no file yet; the first upload makes it" if awaited else ""

    def about(self, connection: Connection, url: URL, settings: Connected) -> Sequence[str]:
        del connection, settings
        return [f"SQLite {sqlite3.sqlite_version}", f"the file {url.database}, opened to be read only"]

    def describe(self, connection: Connection, query: Query, values: Mapping[str, Any]) -> Sequence[str] | None:
        names = super().describe(connection, query, values) or ()
        # Within a query it tells two columns of one name apart by itself, as id and id:1.
        check_columns([re.sub(r":\d+$", "", name) for name in names], query)
        return names

    def bindable(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """It has no decimals, and its driver refuses them."""
        return {name: float(value) if isinstance(value, Decimal) else value for name, value in values.items()}


def _file(url: URL, settings: Connected) -> Path:
    return (settings.root / (url.database or "")).resolve()


def _authorize(action: int, name: str | None, *_: str | None) -> int:
    reads = action in _ALLOWED or (action == sqlite3.SQLITE_PRAGMA and name in _PRAGMAS)
    return sqlite3.SQLITE_OK if reads else sqlite3.SQLITE_DENY
