"""`reports check --connect`: what will fail on Monday is found before, and nothing of it is run."""

from __future__ import annotations

import datetime as dt
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from commands import command, start
from postgres import server
from projects import make_project
from support import drivers  # noqa: F401  which chooses the provider
from support.tds import Column, Failure, Rows, Session, Statement, TdsServer, courtesies

from reports.app import Wanted, open_app

MAIL = '[mail]\nprovider = "folder"\nfrom = "r@example.com"\nto = "f@example.com"\n'
LITE = '[sources.sales]\nurl = "sqlite:///sales.db"\n' + MAIL
QUERY = "SELECT region, sum(revenue) AS revenue FROM sales WHERE day <= :day GROUP BY region ORDER BY region"


def lite(folder: Path, columns: str, *, query: str = QUERY, **more: Any) -> Path:
    """A project over a SQLite file with the table `sales`."""
    with closing(sqlite3.connect(folder / "sales.db")) as connection:
        connection.execute(f"CREATE TABLE sales ({columns})")
    return make_project(folder, settings=LITE, files={"jobs/daily/by_region.sql": query}, **more)


def test_every_query_tells_its_columns(tmp_path: Path) -> None:
    """A line for each, and one for what the job shows of them."""
    ran = command(lite(tmp_path, "region TEXT, day TEXT, revenue REAL"), "check", "--connect")
    assert "query daily/by_region: ok: 2 columns: region, revenue" in ran.output
    assert "columns of daily: ok: all that the job shows is there" in ran.output
    assert "source sales: ok: SQLite" in ran.output
    assert ran.exit_code == 0


def test_a_renamed_column_is_found(tmp_path: Path) -> None:
    """By its name, the nearest one and the query's file; nothing was asked for a row."""
    ran = command(lite(tmp_path, "region TEXT, day TEXT, revenues REAL"), "check", "--connect")
    assert "query daily/by_region: failed" in ran.output
    assert "there is no column 'revenue'; did you mean 'revenues'?" in ran.output
    assert "by_region.sql" in ran.output
    assert ran.exit_code == 1


def test_a_column_that_only_the_job_names_is_found(tmp_path: Path) -> None:
    """Where the query says SELECT * and the table has changed."""
    folder = lite(tmp_path, "region TEXT, day TEXT, revenues REAL", query="SELECT * FROM sales WHERE day <= :day")
    ran = command(folder, "check", "--connect")
    assert "query daily/by_region: ok: 3 columns" in ran.output
    assert "columns of daily: failed\ntable 'by_region': there is no column 'revenue'" in ran.output
    assert ran.exit_code == 1


def test_files_are_described_too(tmp_path: Path) -> None:
    """A column that the file of today does not have any more."""
    folder = make_project(tmp_path, files={"sales.csv": "region,day,revenues\nNorth,2026-10-30,1\n"})
    ran = command(folder, "check", "--connect")
    assert "query daily/by_region: failed\nthere is no column 'revenue'; did you mean 'revenues'?" in ran.output


def test_without_connect_no_source_is_asked(tmp_path: Path) -> None:
    """Not even whether it is there."""
    ran = command(make_project(tmp_path, settings=LITE), "check")
    assert "source sales: ok: not tried" in ran.output
    assert "query daily" not in ran.output


def test_a_source_that_an_upload_will_make_is_not_missing(tmp_path: Path) -> None:
    """It is said what makes it."""
    settings = '[sources.sales]\nurl = "sqlite:///sales.db"\nuploads = true\n' + MAIL
    ran = command(make_project(tmp_path, settings=settings), "check", "--connect")
    assert "source sales: ok: no file yet; the first upload makes it" in ran.output


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with a table, and a login that may only read it."""
    for url in server(tmp_path_factory.mktemp("postgresql")):
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute("CREATE TABLE sales (region text, day date, revenue numeric(19,4))")
            connection.execute("CREATE ROLE reader LOGIN")
            connection.execute("GRANT SELECT ON sales TO reader")
        yield url


def test_a_login_that_may_write_is_warned_of(tmp_path: Path, postgresql: str) -> None:
    """One that may only read is not, nor one that uploads use."""
    reader = postgresql.replace("postgres@", "reader@")
    settings = f'[sources.sales]\nurl = "{postgresql}"\n[sources.safe]\nurl = "{reader}"\n'
    settings += f'[sources.target]\nurl = "{postgresql}"\nuploads = true\n{MAIL}'
    ran = command(make_project(tmp_path, settings=settings), "check", "--connect")
    lines = {line.partition(":")[0]: line for line in ran.output.splitlines()}
    assert "WARNING the login may write to 1 tables" in lines["source sales"]
    assert "PostgreSQL 1" in lines["source sales"]
    assert "WARNING" not in lines["source safe"] + lines["source target"]
    assert "2 columns: region, revenue" in lines["query daily/by_region"]


def test_a_killed_run_ends_its_statement_on_the_server(tmp_path: Path, postgresql: str) -> None:
    """Within seconds, not when it would have been done."""
    settings = f'[sources.sales]\nurl = "{postgresql}"\n{MAIL}'
    slow = "SELECT 'x' AS region, 1 AS revenue, pg_sleep(120) AS nothing, :day AS day"
    folder = make_project(tmp_path, settings=settings, files={"jobs/daily/by_region.sql": slow})
    running = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%AS nothing%' AND pid <> pg_backend_pid()"
    with psycopg.connect(postgresql.replace("+psycopg", ""), autocommit=True) as connection:

        def count() -> int:
            return int(connection.execute(running).fetchone()[0])  # type: ignore[index]

        process = start(folder, "run", "daily")
        until = time.monotonic() + 30
        while not count() and time.monotonic() < until:
            time.sleep(0.1)
        assert count() == 1
        process.kill()
        process.wait()
        until = time.monotonic() + 15
        while count() and time.monotonic() < until:
            time.sleep(0.2)
        assert count() == 0


def test_instants_are_on_the_clock_of_the_report(tmp_path: Path, postgresql: str) -> None:
    """Stored with whatever offset, shown where the reader's clock hangs."""
    settings = f'timezone = "Asia/Shanghai"\n[sources.sales]\nurl = "{postgresql}"\n{MAIL}'
    instant = "SELECT 'x' AS region, 1 AS revenue, TIMESTAMPTZ '2026-01-31 23:30:00-05' AS at, :day AS day"
    folder = make_project(tmp_path, settings=settings, files={"jobs/daily/by_region.sql": instant})
    with closing(open_app(folder)) as app:
        produced = app.dry_run("daily", Wanted()).produced
    assert produced.datasets[0].frame["at"].iloc[0].isoformat() == "2026-02-01T12:30:00+08:00"
    assert "2026-02-01 12:30" in produced.report.text


def test_a_sql_server_is_looked_at(tmp_path: Path) -> None:
    """Its clock as well; a batch with a temporary table is not run to be described."""

    def answer(_: Session, statement: Statement) -> Any:
        text = f"{statement.sql} {statement.params}"
        if "sp_describe_first_result_set" in text:
            return [Failure(11526, "The metadata could not be determined because a statement uses a temp table.")]
        if "Edition" in text:
            kinds = [Column(name, "nvarchar(128)") for name in ("version", "edition", "db", "login")]
            return [Rows(kinds, [("16.0", "Standard", "risk", "me")])]
        if "HAS_PERMS_BY_NAME" in text:
            return [Rows([Column("n", "int")], [(0,)])]
        if "SYSUTCDATETIME" in text:
            return [Rows([Column("now", "datetime2(7)")], [(dt.datetime(2020, 1, 31, 10),)])]  # noqa: DTZ001
        if "INFORMATION_SCHEMA.TABLES" in text:
            return [Rows([Column(name, "nvarchar(128)") for name in "abc"], [("dbo", "sales", "dbo")])]
        return courtesies(_, statement)

    (tmp_path / "password").write_text("secret")
    with TdsServer(answer) as tds:
        settings = (
            f'[sources.sales]\nserver = "127.0.0.1"\nport = {tds.port}\ndatabase = "risk"\nuser = "me"\nencrypt = "no"\n'
            f'password = {{ file = "password" }}\n{MAIL}'
        )
        batch = "SELECT region INTO #t FROM sales WHERE day <= :day; SELECT region, 1 AS revenue FROM #t"
        folder = make_project(tmp_path, settings=settings, files={"jobs/daily/by_region.sql": batch})
        ran = command(folder, "check", "--connect")
        asked = [one.sql for one in tds.statements if one.sql.startswith("SELECT region INTO")]
    assert "source sales: ok: WARNING its clock differs by -2" in ran.output
    assert "SQL Server 16.0 (Standard); database risk as me; WARNING not encrypted; 1 tables: sales" in ran.output
    assert "query daily/by_region: ok: only running it could tell its columns" in ran.output
    assert asked == []


def test_the_projects_own_store_is_a_source(tmp_path: Path) -> None:
    """Read only, and there before anything was kept."""
    settings = f"[sources.sales]\nstore = true\n{MAIL}"
    query = "SELECT job AS region, count(*) AS revenue, :day AS day FROM run GROUP BY job"
    folder = make_project(tmp_path, settings=settings, files={"jobs/daily/by_region.sql": query})
    assert "source sales: ok: nothing kept yet" in command(folder, "check", "--connect").output
    assert command(folder, "run", "daily").exit_code == 0
    with closing(open_app(folder)) as app:
        rows = app.dry_run("daily", Wanted()).produced.datasets[0].frame
    assert rows[["region", "revenue"]].values.tolist() == [["daily", 1]]
    writing = make_project(
        tmp_path, settings=settings, files={"jobs/daily/by_region.sql": "DELETE FROM run WHERE :day"}
    )
    refused = command(writing, "run", "daily")
    assert "a source is only read" in refused.output
