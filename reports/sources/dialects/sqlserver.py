"""SQL Server, by mssql-python or pymssql: read in its own batches, by Arrow where the driver has that."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import pandas as pd
from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from reports import drivers
from reports.errors import SourceError
from reports.model import Query
from reports.settings import Connected
from reports.sources.dialects import sqlserver_faults as faults
from reports.sources.dialects import sqlserver_results as results
from reports.sources.dialects.base import Dialect, Fault, sentence
from reports.sources.dialects.sqlserver_address import completed, security
from reports.sources.dialects.sqlserver_guard import written_to
from reports.sources.wording import check_columns, place
from reports.sql import rewrite

_ABOUT = (
    "SELECT CAST(SERVERPROPERTY('ProductVersion') AS NVARCHAR(128)) AS version, "
    "CAST(SERVERPROPERTY('Edition') AS NVARCHAR(128)) AS edition, DB_NAME() AS db, SUSER_SNAME() AS login"
)
_NAME = "QUOTENAME(TABLE_SCHEMA) + N'.' + QUOTENAME(TABLE_NAME)"
_MAY = ", ".join(f"HAS_PERMS_BY_NAME({_NAME}, 'OBJECT', '{right}')" for right in ("INSERT", "UPDATE", "DELETE"))
_WRITABLE = f"SELECT COUNT(*) FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_TYPE = 'BASE TABLE' AND 1 IN ({_MAY})"  # noqa: S608
_TABLES = (
    "SELECT TABLE_SCHEMA, TABLE_NAME, SCHEMA_NAME() FROM INFORMATION_SCHEMA.TABLES ORDER BY TABLE_SCHEMA, TABLE_NAME"
)
_COLUMNS = "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME FROM INFORMATION_SCHEMA.COLUMNS ORDER BY ORDINAL_POSITION"
# What says that a batch would have to be run for its columns to be known: it makes a #table, or is dynamic.
_NOT_KNOWN = re.compile(r"metadata could not be determined|sp_describe_first_result_set", re.IGNORECASE)


class SQLServer(Dialect):
    """A server of any edition, on premises or as a service."""

    missing_table: ClassVar = faults.MISSING_TABLE
    missing_column: ClassVar = faults.MISSING_COLUMN
    timed_out: ClassVar = faults.TIMED_OUT
    passing: ClassVar = faults.PASSING
    unreachable: ClassVar = faults.UNREACHABLE
    login: ClassVar = faults.LOGIN
    certificate: ClassVar = faults.CERTIFICATE
    encryption: ClassVar = faults.ENCRYPTION

    def __init__(self) -> None:
        # What the server was asked last, for an interrupt to stop.
        self.asked: Any = None

    # -- connecting ----------------------------------------------------------------------------------

    def address(self, url: URL, where: str) -> URL:
        return completed(url, where)

    def engine(self, url: URL, settings: Connected) -> Engine:
        """Without a transaction, which would hold what was read, unless a snapshot is asked for."""
        return _engine(url, settings, "SNAPSHOT" if settings.isolation else "AUTOCOMMIT", counting=False)

    def writer(self, url: URL, settings: Connected) -> Engine:
        """In transactions, and told how many rows each statement has changed."""
        return _engine(url, settings, "READ COMMITTED", counting=True)

    def clock(self, connection: Connection) -> dt.datetime | None:
        now: dt.datetime = connection.exec_driver_sql("SELECT SYSUTCDATETIME()").scalar_one()
        return now.replace(tzinfo=dt.UTC)

    def about(self, connection: Connection, url: URL, settings: Connected) -> Sequence[str]:
        version, edition, database, login = connection.exec_driver_sql(_ABOUT).one()
        said = [f"SQL Server {version} ({edition})", f"database {database} as {login}", security(url)]
        try:
            writable = connection.exec_driver_sql(_WRITABLE).scalar_one()
        except DBAPIError:
            return [*said, "whether the login may write is not known"]
        if writable and not settings.uploads:
            said.append(f"WARNING the login may write to {writable} tables: db_datareader is enough, and safer")
        return said

    # -- reading -------------------------------------------------------------------------------------

    def read(self, connection: Connection, query: Query, values: Mapping[str, Any]) -> pd.DataFrame:
        """The rows of the one result that the batch gives; what else it does, it does to temporary tables."""
        _refuse_writing(query)
        cursor = self.asked = _raw(connection).cursor()
        sql, given = _bound(connection.engine.url, query.sql, values)
        cursor.execute(sql, *given)
        frame = results.read(cursor, query)
        # A result that was cut off at the end of a row looks whole to mssql-python; its connection is not.
        cursor.execute("SELECT 1")
        cursor.fetchall()
        if frame is None:
            hint = "a query ends in one SELECT; a procedure's own SELECT is as good"
            raise SourceError("the batch gives no rows", where=place(query), hint=hint)
        return frame

    def describe(self, connection: Connection, query: Query, values: Mapping[str, Any]) -> Sequence[str] | None:
        _refuse_writing(query)
        sql = rewrite(query.sql, lambda name: f"@{name}")
        declared = ", ".join(f"@{name} {_type(value)}" for name, value in values.items())
        cursor = _raw(connection).cursor()
        asked = "EXEC sp_describe_first_result_set @tsql = {0}, @params = {0}"
        mark = "%s" if connection.engine.url.drivername == "mssql+pymssql" else "?"
        try:
            cursor.execute(asked.format(mark), (sql, declared or None))
            rows = cursor.fetchall()
        except connection.engine.dialect.loaded_dbapi.Error as error:
            if _NOT_KNOWN.search(self.message(error)):
                return None
            raise
        names = [row[2] or "" for row in rows if not row[0]]
        check_columns(names, query)
        return names or None

    def cancel(self) -> None:
        """Asks the server to stop the statement, where the driver can from another thread."""
        statement = getattr(self.asked, "hstmt", None)
        if statement is not None and hasattr(statement, "_cancel"):
            statement._cancel()  # noqa: SLF001  the driver has no public way yet

    # -- what is there ---------------------------------------------------------------------------------

    def tables(self, connection: Connection) -> Sequence[str]:
        rows = connection.exec_driver_sql(_TABLES).all()
        return [name if schema == usual else f"{schema}.{name}" for schema, name, usual in rows]

    def columns(self, connection: Connection, table: str) -> Sequence[str]:
        schema, _, name = table.rpartition(".")
        rows = connection.exec_driver_sql(_COLUMNS).all()
        return [column for where, which, column in rows if which == name and schema in {"", where}]

    # -- errors ----------------------------------------------------------------------------------------

    def message(self, error: Exception) -> str:
        phrase, text = faults.said(error.orig if isinstance(error, DBAPIError) else error)
        return f"{phrase}: {text}" if phrase and phrase != text else text

    def fault(self, error: Exception) -> Fault:
        _, text = faults.said(error.orig if isinstance(error, DBAPIError) else error)
        return replace(super().fault(error), message=sentence(faults.without_the_obvious(text)))


def _engine(url: URL, settings: Connected, isolation: Any, *, counting: bool) -> Engine:
    by_pymssql = url.drivername == "mssql+pymssql"
    login, statement = max(1, math.ceil(settings.connect_timeout)), max(1, math.ceil(settings.timeout))
    given: dict[str, Any] = {"timeout": login}
    if by_pymssql:
        given = {"login_timeout": login, "timeout": statement, "use_datetime2": True}
    drivers.ready(url.drivername)
    engine = create_engine(url, connect_args=given, poolclass=NullPool, isolation_level=isolation)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: object) -> None:
        if not by_pymssql:
            connection.timeout = statement
        wait = int(settings.lock_timeout * 1000) if settings.lock_timeout else -1
        cursor = connection.cursor()
        cursor.execute(f"SET NOCOUNT {'OFF' if counting else 'ON'}; SET LOCK_TIMEOUT {wait}")
        cursor.close()

    return engine


def _raw(connection: Connection) -> Any:
    """The driver's own connection: what it can do with Arrow and with several results SQLAlchemy does not show."""
    return connection.connection.dbapi_connection


def _refuse_writing(query: Query) -> None:
    if written := written_to(query.sql):
        hint = "a query is one SELECT, which may fill #temporary tables and @variables first"
        raise SourceError(f"a source is only read: {written}", where=place(query), hint=hint)


def _bound(url: URL, sql: str, values: Mapping[str, Any]) -> tuple[str, tuple[Any, ...]]:
    """The batch with the marks of its driver, and what to hand over with it."""
    if not values:
        return sql, ()
    if url.drivername == "mssql+pymssql":
        return rewrite(sql, lambda name: f"%({name})s"), (dict(values),)  # it leaves any other % as it is
    order: list[Any] = []

    def mark(name: str) -> str:
        order.append(values[name])
        return "?"

    return rewrite(sql, mark), (tuple(order),)


def _type(value: object) -> str:
    """The type under which a value is declared where a batch is only described."""
    names = {"bool": "bit", "int": "bigint", "float": "float", "date": "date", "datetime": "datetime2"}
    return names.get(type(value).__name__, "decimal(38, 10)" if type(value).__name__ == "Decimal" else "nvarchar(4000)")
