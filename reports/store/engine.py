"""The database behind the store: opened, brought up to date, and written in transactions of its own kind."""

from __future__ import annotations

import datetime as dt
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

from sqlalchemy import URL, Connection, Engine, Table, create_engine, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import QueuePool

from reports import drivers
from reports.errors import SettingsError
from reports.secret import Secret
from reports.settings import MASK
from reports.settings import Store as Options
from reports.store import faults, forking
from reports.store.schema import HEAD

_VERSION = text("SELECT version_num FROM alembic_version")
_CLOCKS = {"postgresql": "SELECT clock_timestamp()", "mssql": "SELECT SYSUTCDATETIME()"}


@dataclass(frozen=True, eq=False)
class Database:
    """One database. A transaction either commits as a whole or leaves nothing; errors are StoreErrors."""

    url: URL
    engine: Engine
    writer: Engine
    quick: Engine

    @property
    def where(self) -> str:
        """The file or the server, without a password."""
        if self.is_sqlite:
            return str(self.url.database)
        return self.url.set(query={}).render_as_string(hide_password=True)

    @property
    def is_sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that only reads; it keeps nobody from writing."""
        with self._used(), faults.of_database(self.where, self._masked), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self, *, quick: bool = False) -> Iterator[Connection]:
        """A transaction, committed when the block ends well. SQLite has one writer at a time, from the start.

        A `quick` commit survives the end of the process, but with SQLite perhaps not that of the machine;
        it does not wait for the disk.
        """
        writer = self.quick if quick else self.writer
        with self._used(), faults.of_database(self.where, self._masked), writer.begin() as connection:
            yield connection

    def _used(self) -> AbstractContextManager[None]:
        return forking.in_use() if self.is_sqlite else nullcontext()

    def clock_skew(self, now: dt.datetime) -> float | None:
        """Seconds by which the server's clock is ahead of `now`; None where there is no other clock."""
        if (asked := _CLOCKS.get(self.url.get_backend_name())) is None:
            return None
        with self.reading() as connection:
            there: dt.datetime = connection.execute(text(asked)).scalar_one()
        there = there if there.tzinfo else there.replace(tzinfo=dt.UTC)
        return (there - now).total_seconds()

    def check(self) -> None:
        """A StoreError if the file is not whole; what a server keeps it looks after itself."""
        if self.is_sqlite:
            with self.reading() as connection:
                found = connection.execute(text("PRAGMA quick_check(1)")).scalar_one()
                if found != "ok":
                    raise sqlite3.DatabaseError(f"malformed: {found}")

    def let_go(self) -> None:
        """Closes the connections that are in nobody's hands, before the process is forked."""
        self.close()

    def close(self) -> None:
        for engine in {self.engine, self.writer, self.quick}:
            engine.dispose()

    def _masked(self, message: str) -> str:
        password = str(self.url.password or "")
        for spelt in {password, quote(password), quote_plus(password), quote(password, safe="")} - {""}:
            message = message.replace(spelt, MASK)
        return message


def locked(statement: Any, table: Table, *, skip: bool = False) -> Any:
    """The rows of a SELECT, locked for this transaction; with `skip`, without those that another one holds."""
    hint = "WITH (UPDLOCK, ROWLOCK, READPAST)" if skip else "WITH (UPDLOCK, ROWLOCK)"
    return statement.with_for_update(of=table, skip_locked=skip).with_hint(table, hint, "mssql")


def open_database(options: Options, data_folder: Path) -> Database:
    """The database of `options`, made or brought up to date if need be."""
    url = _url(options, data_folder)
    database = Database(url, *_engines(url, options))
    if database.is_sqlite:
        forking.watched(database)
    try:
        _bring_up_to_date(database)
    except BaseException:
        database.close()
        raise
    return database


def exists(options: Options, data_folder: Path) -> bool:
    """Whether there is a store already, so that to look at it does not make one; of a server's it is assumed."""
    url = _url(options, data_folder)
    return url.get_backend_name() != "sqlite" or Path(str(url.database)).is_file()


def _bring_up_to_date(database: Database) -> None:
    with database.reading() as connection:
        revision = _revision(connection)
    if revision == HEAD:
        return
    # Not before it is needed: it takes as long to import as SQLAlchemy itself.
    from reports.store.migrating import upgrade  # noqa: PLC0415

    with database.writing() as connection:
        upgrade(connection, database.where)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(_VERSION).scalar()
    return found


# -- the URL -----------------------------------------------------------------------------------------


def _url(options: Options, data_folder: Path) -> URL:
    given = options.url.reveal() if isinstance(options.url, Secret) else options.url
    try:
        url = make_url(given) if given else URL.create("sqlite", database=str(data_folder / "reports.db"))
    except ArgumentError:
        raise SettingsError(
            "this is not the URL of a database",
            where="store.url",
            hint='write one like "postgresql+psycopg://user@host/database" or "sqlite:///file.db"',
        ) from None
    if url.drivername in {"postgresql", "postgres"}:
        url = url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() == "sqlite":
        return _file(url, options.root)
    return url.set(password=options.password.reveal()) if options.password else url


def _file(url: URL, root: Path) -> URL:
    if not url.database or url.database == ":memory:":
        raise SettingsError(
            "history cannot be kept in memory", where="store.url", hint='write a file: "sqlite:///history.db"'
        )
    return url.set(database=str(root / url.database))


# -- the engine ----------------------------------------------------------------------------------------


def _engines(url: URL, options: Options) -> tuple[Engine, Engine, Engine]:
    """One that reads, one that writes, and one that writes without waiting for the disk: of SQLite three."""
    if url.get_backend_name() == "sqlite":
        path, timeout = Path(str(url.database)), options.timeout
        return (
            _sqlite(path, timeout, begin="BEGIN"),
            _sqlite(path, timeout, begin="BEGIN IMMEDIATE"),
            _sqlite(path, timeout, begin="BEGIN IMMEDIATE", synchronous="NORMAL"),
        )
    engine = _engine(url, options)
    return engine, engine, engine


def _engine(url: URL, options: Options) -> Engine:
    try:
        drivers.ready(url.drivername)
        return create_engine(url, connect_args=_arguments(url, options.timeout), pool_pre_ping=True, max_overflow=-1)
    except (ImportError, NoSuchModuleError) as error:
        raise drivers.missing(url.drivername, "the store") from error


def _arguments(url: URL, timeout: float) -> dict[str, Any]:
    if url.get_backend_name() != "postgresql":
        return {}
    options = f"{url.query.get('options', '')} -c lock_timeout={int(timeout * 1000)}".strip()
    return {
        "options": options,
        "connect_timeout": max(2, round(timeout)),
        "application_name": "reports",
        # A server that went without a word is noticed: by what it does not confirm, and by asking whether it is there.
        "tcp_user_timeout": int(timeout * 1000),
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
    }


def _sqlite(path: Path, timeout: float, *, begin: str, synchronous: str = "FULL") -> Engine:
    with faults.of_files(str(path)):
        path.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        "sqlite://", creator=lambda: _connected(path, timeout, synchronous), poolclass=QueuePool, max_overflow=-1
    )

    def do_begin(dbapi_connection: Any) -> None:
        dbapi_connection.execute(begin)

    # Not as an event: an engine that has one looks for more of them at every statement.
    engine.dialect.do_begin = do_begin  # type: ignore[method-assign]
    return engine


def _connected(path: Path, timeout: float, synchronous: str) -> sqlite3.Connection:
    # With no isolation level the driver begins nothing by itself: `do_begin` does.
    connection = sqlite3.connect(path, timeout=timeout, isolation_level=None, check_same_thread=False)
    try:
        _until(time.monotonic() + timeout, lambda: connection.execute("PRAGMA journal_mode = WAL"))
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute("PRAGMA foreign_keys = ON")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _until(deadline: float, step: Callable[[], object]) -> None:
    """Tries again while the database is locked: SQLite does not wait by itself when its journal changes."""
    while True:
        try:
            step()
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return
