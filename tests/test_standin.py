"""The stand-in for SQL Server, by both real drivers."""

# ruff: noqa: S608, DTZ001  tables and moments of the tests alone

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from postgres import server as postgresql
from support.drivers import MSSQL, PYMSSQL, Driver
from support.tds import TdsServer

pytest.importorskip("mssql_python")
pytest.importorskip("pymssql")
pytest.importorskip("sqlglot")
from support.standin import Standin

BOTH = pytest.mark.parametrize("driver", [MSSQL, PYMSSQL], ids=lambda driver: driver.name)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    yield from postgresql(tmp_path_factory.mktemp("postgresql"))


@pytest.fixture
def server(url: str) -> Iterator[TdsServer]:
    """An empty database."""
    with TdsServer(Standin(url)) as running:
        yield running
    import psycopg  # noqa: PLC0415

    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("DROP SCHEMA dbo CASCADE")


def run(connection: Any, *statements: str) -> Any:
    """The cursor of the last statement, each of them committed."""
    cursor = connection.cursor()
    for sql in statements:
        cursor.execute(sql)
        connection.commit()
    return cursor


def rows(connection: Any, sql: str) -> list[Any]:
    cursor = connection.cursor()
    cursor.execute(sql)
    return [tuple(row) for row in cursor.fetchall()]


@BOTH
def test_types_are_kept(driver: Driver, server: TdsServer) -> None:
    """From CREATE TABLE through a bound row to the driver's values."""
    connection = driver.connect(server)
    run(
        connection,
        "CREATE TABLE [dbo].[t] (a int, b bigint, c decimal(19,4), d money, e float, f bit, g nvarchar(20), "
        "h nvarchar(max), i date, j datetime2(3), k datetimeoffset, l uniqueidentifier, m tinyint, n time)",
    )
    row = (
        1, 2**60, Decimal("12.5000"), Decimal("1.2500"), 0.1, True, "中文 😀", "it's 100%", dt.date(2026, 1, 2),
        dt.datetime(2026, 1, 2, 3, 4, 5, 678000), dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC), uuid.UUID(int=7), 255,
        dt.time(1, 2, 3),
    )  # fmt: skip
    marks = ", ".join([driver.mark] * len(row))
    connection.cursor().execute(f"INSERT INTO t VALUES ({marks})", row)
    connection.cursor().execute(f"INSERT INTO t VALUES ({marks})", (None,) * len(row))
    assert rows(connection, "SELECT * FROM t ORDER BY a") in ([row, (None,) * 14], [(None,) * 14, row])
    connection.commit()


@BOTH
def test_transactions_are_real(driver: Driver, server: TdsServer) -> None:
    """What is rolled back is gone; a failing statement leaves the rest of its transaction."""
    connection, other = driver.connect(server), driver.connect(server)
    run(connection, "CREATE TABLE t (id int NOT NULL PRIMARY KEY)")
    cursor = connection.cursor()
    cursor.execute("INSERT INTO t VALUES (1)")
    with pytest.raises(Exception, match="Violation of PRIMARY KEY constraint"):
        cursor.execute("INSERT INTO t VALUES (1)")
    connection.cursor().execute("INSERT INTO t VALUES (2)")
    assert rows(other, "SELECT COUNT(*) AS n FROM t") == [(0,)]
    connection.commit()
    connection.cursor().execute("DELETE FROM t")
    connection.rollback()
    other.commit()
    assert rows(other, "SELECT id FROM t ORDER BY id") == [(1,), (2,)]


FAULTS = {
    "INSERT INTO t VALUES (1, 'A', 1)": "Violation of PRIMARY KEY constraint .* duplicate key value is .1",
    "INSERT INTO t VALUES (2, 'nowhere', 1)": "conflicted with the FOREIGN KEY constraint",
    "INSERT INTO t VALUES (2, 'A', 99)": "conflicted with the CHECK constraint",
    "INSERT INTO t VALUES (NULL, 'A', 1)": "Cannot insert the value NULL into column 'id'",
    "INSERT INTO t VALUES (2, 'much too long a text', 1)": "would be truncated",
    "SELECT * FROM lonas": "Invalid object name 'lonas'",
    "SELECT nmae FROM t": "Invalid column name 'nmae'",
    "SELECT 1/0 AS a": "Divide by zero",
    "MERGE nonsense": "Incorrect syntax",
    "WAITFOR DELAY '00:00:01'": "Incorrect syntax",
}


@BOTH
@pytest.mark.parametrize("sql", FAULTS)
def test_errors_have_the_words_of_sql_server(driver: Driver, server: TdsServer, sql: str) -> None:
    """So that what a client makes of them is seen."""
    connection = driver.connect(server)
    run(
        connection,
        "CREATE TABLE k (code nvarchar(10) NOT NULL PRIMARY KEY)",
        "INSERT INTO k VALUES (N'A')",
        "CREATE TABLE t (id int NOT NULL PRIMARY KEY, code nvarchar(10), n int, "
        "FOREIGN KEY (code) REFERENCES k (code), CHECK (n < 9))",
        "INSERT INTO t VALUES (1, N'A', 1)",
    )
    with pytest.raises(Exception, match=FAULTS[sql]):
        connection.cursor().execute(sql)


@BOTH
def test_an_upsert_by_a_temporary_table(driver: Driver, server: TdsServer) -> None:
    """SELECT INTO, UPDATE ... FROM a join, INSERT ... WHERE NOT EXISTS, with their counts."""
    connection = driver.connect(server)
    run(connection, "CREATE TABLE t (id int IDENTITY(1,1) PRIMARY KEY, name nvarchar(20))")
    run(
        connection,
        "INSERT INTO t (name) VALUES (N'old')",
        "SELECT TOP (0) id, name, CAST(0 AS int) AS r INTO #b FROM t",
    )
    cursor = connection.cursor()
    cursor.execute("INSERT INTO #b VALUES (1, N'new', 0), (2, N'more', 1)")
    cursor.execute("UPDATE t SET t.[name] = b.[name] FROM [dbo].[t] AS t WITH (UPDLOCK, HOLDLOCK) "
                   "INNER JOIN #b AS b ON t.[id] = b.[id]")  # fmt: skip
    assert cursor.rowcount == 1
    cursor.execute("SET IDENTITY_INSERT [dbo].[t] ON")
    cursor.execute("INSERT INTO [dbo].[t] ([id], [name]) SELECT b.[id], b.[name] FROM #b AS b WHERE NOT EXISTS "
                   "(SELECT 1 FROM [dbo].[t] AS t WITH (UPDLOCK, HOLDLOCK) WHERE t.[id] = b.[id])")  # fmt: skip
    assert cursor.rowcount == 1
    connection.commit()
    assert rows(connection, "SELECT id, name FROM t ORDER BY id") == [(1, "new"), (2, "more")]


@BOTH
def test_a_condition_is_asked_first(driver: Driver, server: TdsServer) -> None:
    """IF OBJECT_ID IS NULL, both ways; a renamed table."""
    connection = driver.connect(server)
    for _ in range(2):
        run(connection, "IF OBJECT_ID(N'dbo.t') IS NULL CREATE TABLE t (a int)")
    run(connection, "EXEC sp_rename 'dbo.t', 'u'", "IF OBJECT_ID('u') IS NOT NULL DROP TABLE u")
    assert rows(connection, "SELECT COUNT(*) AS n FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = N'dbo'") == [(0,)]


@BOTH
def test_a_constraint_is_added(driver: Driver, server: TdsServer) -> None:
    """And is told by INFORMATION_SCHEMA, in an expression that may be written again."""
    connection = driver.connect(server)
    run(connection, "CREATE TABLE t (n int)", "ALTER TABLE [dbo].[t] ADD CHECK (([n] < (5)))")
    ((clause,),) = rows(connection, "SELECT CHECK_CLAUSE FROM INFORMATION_SCHEMA.CHECK_CONSTRAINTS")
    run(connection, "CREATE TABLE u (n int)", f"ALTER TABLE [dbo].[u] ADD CHECK ({clause})")
    with pytest.raises(Exception, match="CHECK constraint"):
        run(connection, "INSERT INTO u VALUES (7)")
    assert rows(connection, "SELECT 'a' + N'.' + 'b' AS t") == [("a.b",)]


@BOTH
def test_a_row_among_many_fails_alone(driver: Driver, server: TdsServer) -> None:
    """An array of executions goes on after the one that fails, as on the real server."""
    connection = driver.connect(server)
    run(connection, "CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (3)")
    with pytest.raises(Exception, match="Violation of PRIMARY KEY"):
        connection.cursor().executemany(f"INSERT INTO t VALUES ({driver.mark})", [(n,) for n in range(1, 6)])
    connection.commit()
    left = [row[0] for row in rows(connection, "SELECT id FROM t ORDER BY id")]
    assert left == ([1, 2, 3, 4, 5] if driver is MSSQL else [1, 2, 3])


@BOTH
def test_columns_are_described_without_rows(driver: Driver, server: TdsServer) -> None:
    """By sp_describe_first_result_set, parameters or not."""
    connection = driver.connect(server)
    run(connection, "CREATE TABLE t (id int, paid decimal(9,2))")
    found = rows(connection, "EXEC sp_describe_first_result_set @tsql = N'SELECT id, paid AS p FROM t WHERE id > @x'")
    assert [(row[2], row[4]) for row in found] == [("id", "int"), ("p", "decimal(9,2)")]


@BOTH
def test_sqlalchemy_works_on_it(driver: Driver, server: TdsServer) -> None:
    """With its own transactions and parameters."""
    engine = sa.create_engine(driver.url(server), poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (a int, b nvarchar(9))")
        connection.execute(sa.text("INSERT INTO t VALUES (:a, :b)"), [{"a": 1, "b": "中"}, {"a": 2, "b": "100%"}])
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT b FROM t WHERE a = :a"), {"a": 2}).scalar() == "100%"


def test_a_timeout_ends_the_statement_behind_it(server: TdsServer) -> None:
    """The ATTENTION becomes a cancel; the connection goes on."""
    connection = MSSQL.connect(server)
    connection.timeout = 1
    with pytest.raises(Exception, match="Timeout expired"):
        rows(connection, "SELECT pg_sleep(30) AS a")
    assert server.attentions == 1
    assert rows(connection, "SELECT 2 AS a") == [(2,)]
