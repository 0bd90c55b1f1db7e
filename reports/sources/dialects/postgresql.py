"""PostgreSQL: every session is told to be read only, and ends its statement when nobody waits for it any more."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.pool import NullPool

from reports.settings import Connected
from reports.sources.dialects.base import Dialect

# PostgreSQL's numbers for its types, which are fixed.
_TYPES = {
    **dict.fromkeys((20, 21, 23), "Int64"),
    **dict.fromkeys((25, 1043, 1042, 2950), "str"),
    **dict.fromkeys((700, 701), "float64"),
    **dict.fromkeys((1082, 1114), "datetime64[us]"),
    1184: "datetime64[us, UTC]",
    16: "boolean",
}
_ABOUT = text("""
    SELECT current_setting('server_version'), current_database(), current_user,
        (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()),
        (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p') AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
           AND has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE'))
""")


class PostgreSQL(Dialect):
    """A server, by psycopg."""

    missing_table: ClassVar = re.compile(r'relation "(.+?)" does not exist')
    missing_column: ClassVar = re.compile(r'column "?([\w.]+)"? does not exist')
    timed_out: ClassVar = re.compile(r"statement timeout")
    writes: ClassVar = re.compile(r"read-only transaction|multiple commands into a prepared statement")
    # 40001, 40P01, 53300, 55P03, 57P01 to 57P03 and 08006, by their words, as the driver gives them.
    passing: ClassVar = re.compile(
        r"could not serialize access|deadlock detected|too many (clients|connections)|remaining connection slots|"
        r"lock timeout|terminating connection|server closed the connection|the database system is |"
        r"connection (to server )?was (lost|closed)|SSL connection has been closed|could not receive data from server|"
        r"conflict with recovery"
    )
    unreachable: ClassVar = re.compile(r"^connection (failed|timeout|is bad)|failed to resolve host")
    login: ClassVar = re.compile(
        r"authentication failed|no pg_hba\.conf entry|no password supplied|(role|database) \"[^\"]*\" does not exist"
    )
    certificate: ClassVar = re.compile(r"certificate verify failed|server certificate for|does not support SSL")
    types: ClassVar = _TYPES

    def address(self, url: URL, where: str) -> URL:
        del where
        plain = url.drivername in {"postgresql", "postgres"}
        return url.set(drivername="postgresql+psycopg") if plain else url

    def engine(self, url: URL, settings: Connected) -> Engine:
        # Prepared, a text cannot hold a second statement that ends the read-only transaction.
        return _engine(url, settings, "-c default_transaction_read_only=on", prepare_threshold=0)

    def writer(self, url: URL, settings: Connected) -> Engine:
        return _engine(url, settings)

    def clock(self, connection: Connection) -> dt.datetime | None:
        now: dt.datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
        return now

    def about(self, connection: Connection, url: URL, settings: Connected) -> Sequence[str]:
        del url
        version, database, user, encrypted, writable = connection.execute(_ABOUT).one()
        said = [f"PostgreSQL {version}", f"database {database} as {user}"]
        said.append("encrypted" if encrypted else "not encrypted")
        if writable and not settings.uploads:
            said.append(f"WARNING the login may write to {writable} tables: one that may only read is safer")
        return said


def _engine(url: URL, settings: Connected, *options: str, **arguments: Any) -> Engine:
    times = {"statement_timeout": settings.timeout, "lock_timeout": settings.lock_timeout or 0}
    set_ = [*options, *(f"-c {name}={int(seconds * 1000)}" for name, seconds in times.items())]
    isolation: Mapping[str, Any] = {"isolation_level": "REPEATABLE READ"} if settings.isolation else {}
    given: dict[str, Any] = {
        "options": " ".join([str(url.query.get("options", "")), *set_]).strip(),
        "connect_timeout": max(2, round(settings.connect_timeout)),
        "application_name": "reports",
        **arguments,
    }
    engine = create_engine(url, connect_args=given, poolclass=NullPool, **isolation)
    refusal: type[Exception] = engine.dialect.loaded_dbapi.Error

    @event.listens_for(engine, "connect")
    def watch_the_client(connection: Any, _: object) -> None:
        """A statement whose client was killed ends within seconds, not when it has something to say."""
        usual, connection.autocommit = connection.autocommit, True
        with contextlib.suppress(refusal):  # not every version has it, nor every system that the server runs on
            connection.execute("SET client_connection_check_interval = '5s'")
        connection.autocommit = usual

    return engine
