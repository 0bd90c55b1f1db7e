"""Databases by URL: read-only, in time, exact, and silent about passwords."""

from __future__ import annotations

import datetime as dt
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import psycopg
import pytest
from postgres import server

from reports.errors import SourceError
from reports.model import Query
from reports.settings import DatabaseSource
from reports.sources import Source, open_source

Open = Callable[..., Source]
SLOW = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT count(*) AS n FROM r"


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with a user who needs a password and a table of every type."""
    for url in server(tmp_path_factory.mktemp("postgresql")):
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(
                "CREATE TABLE kinds (m numeric(30,10), b bigint, d date, t timestamp, z timestamptz, u uuid, "
                "s text, ok boolean, j jsonb, raw bytea, clock time, list int[], f real)"
            )
            connection.execute(
                "INSERT INTO kinds VALUES (12345678901234567890.0123456789, 9007199254740993, '2026-01-31', "
                "'2026-01-31 10:00', '2026-01-31 10:00+02', '00000000-0000-0000-0000-000000000001', 'x', true, "
                "'{\"a\": [1]}', '\\x00ff', '10:30', '{1,2}', 0.5)"
            )
            connection.execute("INSERT INTO kinds (m) VALUES (NULL)")
            connection.execute("CREATE SEQUENCE more_seq")
        yield url


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """Opens a database source whose project is the test's folder."""
    sources: list[Source] = []

    def make(url: object, **settings: Any) -> Source:
        given = DatabaseSource.model_validate({"url": url, **settings}, context={"root": tmp_path})
        sources.append(open_source("warehouse", given))
        return sources[-1]

    yield make
    for source in sources:
        source.close()


@pytest.fixture
def lite(tmp_path: Path, opened: Open) -> Source:
    """A SQLite file under the project's folder."""
    (tmp_path / "var").mkdir()
    with sqlite3.connect(tmp_path / "var" / "a b.db") as connection:
        connection.execute("CREATE TABLE loans (id INTEGER, amount NUMERIC, day TEXT)")
        connection.execute("INSERT INTO loans VALUES (9223372036854775807, 1.5, '2026-01-31'), (1, 2, NULL)")
    connection.close()
    return opened("sqlite:///var/a b.db", timeout=0.3)


def ask(source: Source, sql: str, **params: Any) -> pd.DataFrame:
    return source.fetch(Query(name="q", sql=sql, source="warehouse", path=Path("jobs/j/q.sql")), params).frame


def test_a_sqlite_path_starts_at_the_project(lite: Source) -> None:
    """And its values come exactly, also where SQLite mixes whole numbers and others in one column."""
    frame = ask(lite, "SELECT id, amount, day FROM loans ORDER BY id")
    assert list(frame["id"]) == [1, 9223372036854775807]
    assert (str(frame["id"].dtype), str(frame["amount"].dtype), str(frame["day"].dtype)) == ("int64", "float64", "str")
    mixed = ask(lite, "SELECT 9007199254740993 AS n UNION ALL SELECT 0.5")
    assert sorted(mixed["n"]) == [0.5, 9007199254740993]


def test_sqlite_takes_dates_and_decimals(lite: Source) -> None:
    """Dates as ISO text, as it compares them; decimals as the floats it has."""
    sql = "SELECT id FROM loans WHERE day = :day AND amount > :least"
    assert len(ask(lite, sql, day=dt.date(2026, 1, 31), least=Decimal("1.25"))) == 1


@pytest.mark.parametrize("url", ["sqlite:///gone.db", "sqlite:///", "sqlite://"])
def test_a_sqlite_file_is_never_made(opened: Open, tmp_path: Path, url: str) -> None:
    """A path without a file is an error, and still without a file afterwards."""
    with pytest.raises(SourceError, match="SQLite file does not exist"):
        opened(url).check()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE loans SET id = 0",
        "VACUUM",
        "ATTACH 'other.db' AS o",
        "PRAGMA query_only = OFF",
        "PRAGMA journal_mode = WAL",
        "BEGIN; DELETE FROM loans",
        "WITH x AS (SELECT 1) INSERT INTO loans (id) SELECT * FROM x",
    ],
)
def test_sqlite_is_only_read(lite: Source, tmp_path: Path, sql: str) -> None:
    """Neither rows nor settings nor other files are touched."""
    before = (tmp_path / "var" / "a b.db").read_bytes()
    with pytest.raises(SourceError, match=r"only read|gives no rows"):
        ask(lite, sql)
    assert (tmp_path / "var" / "a b.db").read_bytes() == before
    assert [file.name for file in (tmp_path / "var").iterdir()] == ["a b.db"]


def test_sqlite_stops_in_time(lite: Source) -> None:
    """A query without end ends at the source's timeout."""
    start = time.monotonic()
    with pytest.raises(SourceError, match=r"did not answer within 0\.3 seconds") as error:
        ask(lite, SLOW)
    assert time.monotonic() - start < 5
    assert "[sources.warehouse]" in error.value.hint


def test_postgresql_types_are_exact(postgresql: str, opened: Open) -> None:
    """Each type keeps its values, and a NULL beside them."""
    source = opened(postgresql)
    frame = ask(source, "SELECT * FROM kinds ORDER BY m")
    first = frame.iloc[0]
    assert first["m"] == Decimal("12345678901234567890.0123456789")
    assert first["b"] == 9007199254740993
    assert first["d"] == pd.Timestamp(2026, 1, 31)
    assert first["t"] == pd.Timestamp(2026, 1, 31, 10)
    assert first["z"] == pd.Timestamp(2026, 1, 31, 8, tz="UTC")
    assert first["u"] == str(uuid.UUID(int=1))
    assert (first["s"], first["ok"], first["j"], first["raw"]) == ("x", True, {"a": [1]}, b"\x00\xff")
    assert (first["clock"], first["list"], first["f"]) == (dt.time(10, 30), [1, 2], 0.5)
    assert frame.iloc[1].isna().all()
    kinds = {name: str(kind) for name, kind in frame.dtypes.items()}
    assert kinds == {
        "m": "object", "b": "Int64", "d": "datetime64[us]", "t": "datetime64[us]", "z": "datetime64[us, UTC]",
        "u": "str", "s": "str", "ok": "boolean", "j": "object", "raw": "object", "clock": "object",
        "list": "object", "f": "float64",
    }  # fmt: skip


def test_columns_without_values_have_their_types(postgresql: str, opened: Open) -> None:
    """A result without rows, and a column of NULLs, are typed by the database."""
    sql = "SELECT b, d, z, s, ok, f FROM kinds WHERE b IS NULL"
    expected = ["Int64", "datetime64[us]", "datetime64[us, UTC]", "str", "boolean", "float64"]
    for query in (sql, f"{sql} AND false"):
        assert [str(kind) for kind in ask(opened(postgresql), query).dtypes] == expected


def test_postgresql_sql_is_left_alone(postgresql: str, opened: Open) -> None:
    """Casts, JSON operators, percent signs, backslashes and colons in strings."""
    sql = (
        "SELECT j->'a'->>0 AS a, j ? 'a' AS has, '7'::int % 5 AS m, ':x' AS c, '50%' AS p, 'a\\:b' AS q, "
        "(:day::date + 1)::text AS d, E'\\:' AS e FROM kinds WHERE s LIKE '%x%' AND j @> '{\"a\": [1]}'"
    )
    row = ask(opened(postgresql), sql, day="2026-01-30").to_dict("records")[0]
    assert row == {"a": "1", "has": True, "m": 2, "c": ":x", "p": "50%", "q": "a\\:b", "d": "2026-01-31", "e": ":"}


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE kinds SET s = 'y'",
        "TRUNCATE kinds",
        "WITH gone AS (DELETE FROM kinds RETURNING s) SELECT s FROM gone",
        "CREATE TABLE more (a int)",
        "SELECT nextval('more_seq')",
        "COMMIT; SET default_transaction_read_only = off; DELETE FROM kinds",
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
    ],
)
def test_postgresql_is_only_read(postgresql: str, opened: Open, sql: str) -> None:
    """Refused, also where a second statement would lift the ban; a setting lasts for its query only."""
    source = opened(postgresql)
    with pytest.raises(SourceError):
        ask(source, sql)
    with pytest.raises(SourceError, match="only read: cannot execute DELETE in a read-only transaction"):
        ask(source, "DELETE FROM kinds")
    assert len(ask(source, "SELECT s FROM kinds")) == 2


def test_postgresql_stops_in_time(postgresql: str, opened: Open) -> None:
    """The statement timeout is the source's."""
    with pytest.raises(SourceError, match=r"did not answer within 0\.2 seconds"):
        ask(opened(postgresql, timeout=0.2), "SELECT pg_sleep(5)")


def test_connections_are_closed_after_each_query(postgresql: str, opened: Open) -> None:
    """Also after one that failed."""
    source = opened(postgresql)
    ask(source, "SELECT 1 AS a")
    with pytest.raises(SourceError):
        ask(source, "SELECT 1/0 AS a")
    sql = "SELECT count(*) AS n FROM pg_stat_activity WHERE application_name = 'reports' AND pid <> pg_backend_pid()"
    deadline = time.monotonic() + 20
    while ask(source, sql)["n"][0] and time.monotonic() < deadline:
        time.sleep(0.05)
    assert ask(source, sql)["n"][0] == 0


def test_columns_without_a_name_are_refused(postgresql: str, opened: Open) -> None:
    """With their positions."""
    with pytest.raises(SourceError, match="columns without a name, at position 2, 3"):
        ask(opened(postgresql), "SELECT 1 AS a, 2, 3 + 1")


def test_errors_have_the_line_of_the_query(postgresql: str, opened: Open) -> None:
    """As PostgreSQL points to it, parameters notwithstanding."""
    with pytest.raises(SourceError, match="there is no column 'nope'") as error:
        ask(opened(postgresql), "SELECT s,\n  :a::text AS a,\n  nope\nFROM kinds", a="x")
    assert error.value.where == "jobs/j/q.sql:3"
    assert error.value.hint.startswith("kinds has ")


@pytest.mark.parametrize("password", ["s3cret", "p@ss/w:rd %41 ü", "a+b c"])
@pytest.mark.parametrize("form", ["password", "url"])
def test_no_error_shows_the_password(opened: Open, tmp_path: Path, password: str, form: str) -> None:
    """Neither as it is nor as a URL writes it; and no links to a library's pages."""
    from urllib.parse import quote  # noqa: PLC0415

    (tmp_path / "secret").write_text(
        password if form == "password" else f"postgresql://u:{quote(password, safe='')}@127.0.0.1:1/d"
    )
    secret = {"file": "secret"}
    source = (
        opened("postgresql://u@127.0.0.1:1/d", password=secret, connect_timeout=2)
        if form == "password"
        else opened(secret, connect_timeout=2)
    )
    with pytest.raises(SourceError, match=r"127.0.0.1") as error:
        source.check()
    shown = f"{error.value}{error.value.__cause__}{source.__dict__}"
    assert password not in shown
    assert quote(password, safe="") not in shown
    assert "sqlalche.me" not in shown


def test_a_dead_database_is_named_with_its_address(opened: Open) -> None:
    """The source, the host and what to look at, whatever was asked of it."""
    source = opened("postgresql+psycopg://me@127.0.0.1:1/accounts")
    for ask_it in (lambda: ask(source, "SELECT 1 AS a"), source.check):
        with pytest.raises(SourceError, match="connection failed") as caught:
            ask_it()
        assert "me@127.0.0.1:1/accounts" in caught.value.where
        assert "is it up" in caught.value.hint
        assert "\n" not in caught.value.what


def test_what_is_no_url_is_said(opened: Open, tmp_path: Path) -> None:
    """Without repeating it, since it may hold a password."""
    (tmp_path / "secret").write_text("my password")
    with pytest.raises(SourceError, match="not the URL of a database") as error:
        opened({"file": "secret"}).check()
    assert "my password" not in str(error.value)


ABSENT = """
import sys
for name in ("psycopg", "mssql_python", "pymssql", "pyodbc", "asyncpg"):
    sys.modules[name] = None
from reports.errors import MissingDependency
from reports.settings import DatabaseSource
from reports.sources import open_source
try:
    open_source("warehouse", DatabaseSource(url=sys.argv[1])).check()
except MissingDependency as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("url", "library", "command"),
    [
        ("postgresql://u@h/d", "psycopg", 'pip install "reports[postgres]"'),
        ("postgresql+asyncpg://u@h/d", "psycopg", 'pip install "reports[postgres]"'),
        ("mssql://u@h/d", "mssql-python", 'pip install "reports[sqlserver]"'),
        ("mssql+pymssql://u@h/d", "pymssql", 'pip install "reports[pymssql]"'),
        ("mssql+pyodbc://u@h/d?driver=FreeTDS", "pyodbc", "pip install pyodbc"),
    ],
)
def test_a_missing_driver_names_the_command(url: str, library: str, command: str) -> None:
    """In a Python that has none of them."""
    ran = subprocess.run([sys.executable, "-c", ABSENT, url], capture_output=True, text=True, check=True)
    assert "the source 'warehouse' (" in ran.stdout
    assert f"needs {library}, which is not installed" in ran.stdout
    assert f"do:    {command}" in ran.stdout


@pytest.mark.parametrize("key", ["password", "PWD", "sslpassword"])
def test_a_password_in_the_query_of_a_url_is_not_shown(opened: Open, tmp_path: Path, key: str) -> None:
    """Neither by the URL in an error nor by what the driver says of it."""
    (tmp_path / "url").write_text(f"postgresql://127.0.0.1:1/d?user=u&{key}=hunter2&application_name=hunter2")
    source = opened({"file": "url"}, connect_timeout=2)
    with pytest.raises(SourceError) as error:
        source.check()
    assert "hunter" not in f"{error.value} {error.value.where} {error.value.hint}"
