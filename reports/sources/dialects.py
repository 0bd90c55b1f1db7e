"""What differs from one kind of database to the next: how to connect read-only and with time limits."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Engine, create_engine
from sqlalchemy.pool import NullPool

from reports.errors import SourceError
from reports.settings import DatabaseSource

# The pip extra that brings the driver of a kind of database.
EXTRAS = {"postgresql": ("psycopg", "postgres"), "mssql": ("mssql-python", "sqlserver")}
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


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """An engine for one kind of database, and how its messages name what is missing or took too long."""

    engine: Callable[[URL, DatabaseSource], Engine]
    missing_table: re.Pattern[str]
    missing_column: re.Pattern[str]
    timed_out: re.Pattern[str]
    refused: re.Pattern[str]
    unreachable: re.Pattern[str]
    # The pandas type, by the driver's type code, of a column in which no row has a value.
    types: Mapping[Any, str] = field(default_factory=dict)


def dialect(url: URL) -> Dialect:
    """The entry for a URL's kind of database; an unknown kind is connected to without more ado."""
    return _DIALECTS.get(url.get_backend_name(), _OTHER)


def _sqlite(url: URL, settings: DatabaseSource) -> Engine:
    path = (settings.root / (url.database or "")).resolve()
    if not path.is_file():
        raise SourceError("the SQLite file does not exist", where=str(path), hint="is the path right?")

    def connect() -> sqlite3.Connection:
        uri = f"file:{quote(str(path))}?mode=ro"
        connection = sqlite3.connect(uri, uri=True, timeout=settings.connect_timeout)
        connection.execute("PRAGMA query_only = ON")
        connection.set_authorizer(_authorize)
        until = time.monotonic() + settings.timeout
        connection.set_progress_handler(lambda: int(time.monotonic() > until), _STEPS)
        return connection

    return create_engine("sqlite://", creator=connect, poolclass=NullPool)


def _authorize(action: int, name: str | None, *_: str | None) -> int:
    reads = action in _ALLOWED or (action == sqlite3.SQLITE_PRAGMA and name in _PRAGMAS)
    return sqlite3.SQLITE_OK if reads else sqlite3.SQLITE_DENY


def _postgresql(url: URL, settings: DatabaseSource) -> Engine:
    options = f"-c default_transaction_read_only=on -c statement_timeout={int(settings.timeout * 1000)}"
    arguments: dict[str, Any] = {
        "options": f"{url.query.get('options', '')} {options}".strip(),
        "connect_timeout": max(2, round(settings.connect_timeout)),
        # Prepared, a text cannot hold a second statement that ends the read-only transaction.
        "prepare_threshold": 0,
        "application_name": "reports",
    }
    return create_engine(url, connect_args=arguments, poolclass=NullPool)


def _other(url: URL, settings: DatabaseSource) -> Engine:
    del settings
    return create_engine(url, poolclass=NullPool)


# PostgreSQL's numbers for its types, which are fixed.
_POSTGRESQL_TYPES = {
    **dict.fromkeys((20, 21, 23), "Int64"),
    **dict.fromkeys((25, 1043, 1042, 2950), "str"),
    **dict.fromkeys((700, 701), "float64"),
    **dict.fromkeys((1082, 1114), "datetime64[us]"),
    1184: "datetime64[us, UTC]",
    16: "boolean",
}
_NEVER = re.compile(r"(?!)")
_OTHER = Dialect(
    engine=_other, missing_table=_NEVER, missing_column=_NEVER, timed_out=_NEVER, refused=_NEVER, unreachable=_NEVER
)
_DIALECTS = {
    "sqlite": Dialect(
        engine=_sqlite,
        missing_table=re.compile(r"no such table: (\S+)"),
        missing_column=re.compile(r"no such column: (\S+)"),
        timed_out=re.compile(r"^interrupted$"),
        refused=re.compile(r"not authorized|authorization denied|readonly database|one statement at a time"),
        unreachable=re.compile(r"unable to open database file"),
    ),
    "postgresql": Dialect(
        engine=_postgresql,
        missing_table=re.compile(r'relation "(.+?)" does not exist'),
        missing_column=re.compile(r'column "?([\w.]+)"? does not exist'),
        timed_out=re.compile(r"statement timeout"),
        refused=re.compile(r"read-only transaction|multiple commands into a prepared statement"),
        unreachable=re.compile(r"^connection (failed|timeout|is bad)|failed to resolve host"),
        types=_POSTGRESQL_TYPES,
    ),
}
