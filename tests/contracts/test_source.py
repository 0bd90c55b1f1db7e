"""What every source promises, asked of each kind with the same small data."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import psycopg
import pytest
from openpyxl import Workbook
from sqlalchemy import text
from sqlservers import SQLSERVERS

from reports.errors import SourceError
from reports.model import Query
from reports.settings import DatabaseSource, FileSource
from reports.sources import Source, open_source
from reports.sources.database import Database

NAMES = ("id", "code", "amount", "note")
ROWS: list[tuple[Any, ...]] = [
    (1, "00715", 1.5, "plain"),
    (2, "12345678901234567890", None, "x' OR '1'='1"),
    (None, "9", -2.25, "中文"),
]
BIG = 9007199254740993  # the first whole number that a float does not hold


@pytest.fixture(scope="module")
def loans(postgresql: str) -> str:
    """A PostgreSQL with the table."""
    with psycopg.connect(postgresql.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("CREATE TABLE loans (id bigint, code text, amount float8, note text)")
        connection.cursor().executemany("INSERT INTO loans VALUES (%s, %s, %s, %s)", ROWS)
    return postgresql


def csv(root: Path) -> FileSource:
    pd.DataFrame(ROWS, columns=NAMES).astype({"id": "Int64"}).to_csv(root / "loans.csv", index=False)
    return FileSource.model_validate({"files": {"loans": "loans.csv"}}, context={"root": root})


def parquet(root: Path) -> FileSource:
    with duckdb.connect() as memory:
        memory.execute("CREATE TABLE loans (id BIGINT, code VARCHAR, amount DOUBLE, note VARCHAR)")
        memory.executemany("INSERT INTO loans VALUES (?, ?, ?, ?)", ROWS)
        memory.execute(f"COPY loans TO '{root / 'loans.parquet'}'")
    return FileSource.model_validate({"files": ["loans.parquet"]}, context={"root": root})


def excel(root: Path) -> FileSource:
    book = Workbook()
    for number, row in enumerate([NAMES, *ROWS], 1):
        for column, value in enumerate(row, 1):
            book.worksheets[0].cell(number, column, value)
    book.save(root / "loans.xlsx")
    return FileSource.model_validate({"files": {"loans": "*.xlsx"}}, context={"root": root})


def sqlite(root: Path) -> DatabaseSource:
    connection = sqlite3.connect(root / "loans.db")
    connection.execute("CREATE TABLE loans (id INTEGER, code TEXT, amount REAL, note TEXT)")
    connection.executemany("INSERT INTO loans VALUES (?, ?, ?, ?)", ROWS)
    connection.commit()
    connection.close()
    return DatabaseSource.model_validate({"url": "sqlite:///loans.db"}, context={"root": root})


KINDS: dict[str, Callable[[Path], FileSource | DatabaseSource]] = {
    "csv": csv,
    "parquet": parquet,
    "excel": excel,
    "sqlite": sqlite,
}


@contextmanager
def on_sqlserver(url: str, root: Path) -> Iterator[DatabaseSource]:
    """A SQL Server with the table, which goes again."""
    (root / "url").write_text(url, "utf-8")
    settings = DatabaseSource.model_validate({"url": {"file": "url"}, "uploads": True}, context={"root": root})
    writer = Database("warehouse", settings).writer
    with writer.begin() as connection:
        connection.exec_driver_sql("IF OBJECT_ID('loans') IS NOT NULL DROP TABLE loans")
        connection.exec_driver_sql("CREATE TABLE loans (id bigint, code nvarchar(50), amount float, note nvarchar(50))")
        insert = text("INSERT INTO loans VALUES (:id, :code, :amount, :note)")
        for row in ROWS:
            connection.execute(insert, dict(zip(NAMES, row, strict=True)))
    yield settings
    with writer.begin() as connection:
        connection.exec_driver_sql("DROP TABLE loans")


@pytest.fixture(params=[*KINDS, "postgresql", *SQLSERVERS])
def source(request: pytest.FixtureRequest, tmp_path: Path, sqlserver: Callable[[str], str]) -> Iterator[Source]:
    with ExitStack() as stack:
        if request.param in SQLSERVERS:
            settings = stack.enter_context(on_sqlserver(sqlserver(request.param), tmp_path))
        elif request.param == "postgresql":
            settings = DatabaseSource(url=request.getfixturevalue("loans"))
        else:
            settings = KINDS[request.param](tmp_path)
        yield stack.enter_context(closing(open_source("warehouse", settings)))


def query(sql: str) -> Query:
    return Query(name="totals", sql=sql, source="warehouse", path=Path("jobs/j/totals.sql"))


def fetch(source: Source, sql: str, **params: Any) -> list[tuple[Any, ...]]:
    frame = source.fetch(query(sql), params).frame.astype(object)
    return list(frame.where(frame.notna(), None).itertuples(index=False, name=None))


def test_every_row_comes_as_it_is(source: Source) -> None:
    """Text with zeros and quotes, numbers, and NULL where there is no value."""
    assert fetch(source, "SELECT id, code, amount, note FROM loans ORDER BY note") == [ROWS[0], ROWS[1], ROWS[2]]


def test_types_of_columns(source: Source) -> None:
    """Whole numbers with NULLs, text and numbers have the same pandas types everywhere."""
    frame = source.fetch(query("SELECT id, code, amount FROM loans"), {}).frame
    assert [str(kind) for kind in frame.dtypes] == ["Int64", "str", "float64"]
    frame = source.fetch(query("SELECT id FROM loans WHERE id IS NOT NULL"), {}).frame
    assert [str(kind) for kind in frame.dtypes] == ["int64"]


def test_a_dataset_knows_its_query(source: Source) -> None:
    """Its name, its query, and nothing set aside."""
    asked = query("SELECT count(*) AS n FROM loans")
    dataset = source.fetch(asked, {})
    assert (dataset.name, dataset.query, dataset.rows, dict(dataset.rejected)) == ("totals", asked, 1, {})


@pytest.mark.parametrize("words", ["x' OR '1'='1", "'; DROP TABLE loans; --", ":code", "中文", ""])
def test_parameters_are_bound_and_never_pasted(source: Source, words: str) -> None:
    """Text that looks like SQL finds only the row that holds it."""
    found = fetch(source, "SELECT note FROM loans WHERE note = :text", text=words)
    assert found == [(row[3],) for row in ROWS if row[3] == words]
    assert fetch(source, "SELECT count(*) AS n FROM loans") == [(3,)]


def test_parameters_of_each_type(source: Source) -> None:
    """Numbers are bound as numbers; one may be used twice, and others not at all."""
    sql = "SELECT code FROM loans WHERE (id >= :least OR id > :least + 5) AND amount < :most"
    assert fetch(source, sql, least=1, most=2.5, unused="x") == [("00715",)]


def test_colons_that_are_no_parameters(source: Source) -> None:
    """In a string or a comment."""
    assert fetch(source, "SELECT '12:30 :x' AS t /* :y */ FROM loans WHERE id = :id -- :z", id=1) == [("12:30 :x",)]


def test_a_missing_parameter_is_named(source: Source) -> None:
    """With the line of the query's file."""
    with pytest.raises(SourceError, match="uses :day, which has no value") as error:
        fetch(source, "SELECT *\nFROM loans WHERE id = :day", month=1)
    assert error.value.where == "jobs/j/totals.sql:2"


def test_big_numbers_are_exact(source: Source) -> None:
    """Beside a NULL too, where a float would round."""
    sql = "SELECT CASE WHEN id = 1 THEN :big END AS n FROM loans ORDER BY note"
    rows = fetch(source, sql.replace(":big", str(BIG)))
    assert sorted(row[0] for row in rows if row[0]) == [BIG]
    assert fetch(source, "SELECT CAST(:big AS BIGINT) AS n FROM loans WHERE id = 1", big=BIG) == [(BIG,)]


def test_no_rows_is_an_answer(source: Source) -> None:
    """An empty frame with the columns asked for."""
    frame = source.fetch(query("SELECT id, note FROM loans WHERE id = 99"), {}).frame
    assert (list(frame.columns), len(frame)) == (["id", "note"], 0)


def test_a_missing_table_names_the_tables(source: Source) -> None:
    """What was asked for, and what there is."""
    with pytest.raises(SourceError, match="there is no table 'lonas'") as error:
        fetch(source, "SELECT * FROM lonas")
    assert "loans" in error.value.hint
    assert error.value.where.startswith("jobs/j/totals.sql")


def test_a_missing_column_names_the_nearest(source: Source) -> None:
    """The column, the nearest one, and all there are, nearest first."""
    with pytest.raises(SourceError, match=r"there is no column 'amuont'; did you mean 'amount'\?") as error:
        fetch(source, "SELECT amuont FROM loans")
    assert "has amount, " in error.value.hint


def test_columns_of_one_name_are_refused(source: Source) -> None:
    """With their positions."""
    with pytest.raises(SourceError, match="same name: 'id' at 1, 3") as error:
        fetch(source, "SELECT id, code, amount AS id FROM loans")
    assert "AS" in error.value.hint


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM loans",
        "INSERT INTO loans (id) VALUES (9)",
        "CREATE TABLE more (a INTEGER)",
        "DROP TABLE loans",
        "SELECT 1 AS a; DELETE FROM loans",
    ],
)
def test_nothing_is_ever_changed(source: Source, sql: str) -> None:
    """Whatever is not one SELECT is refused, and the rows are all there."""
    with pytest.raises(SourceError) as error:
        fetch(source, sql)
    assert "SELECT" in str(error.value)
    assert fetch(source, "SELECT count(*) AS n FROM loans") == [(3,)]


def test_a_syntax_error_is_told_without_internals(source: Source) -> None:
    """The database's sentence and the query's file; no links, no classes, no stack."""
    with pytest.raises(SourceError, match=r"(?i)syntax") as error:
        fetch(source, "SELECT *\nFORM loans")
    assert error.value.where.startswith("jobs/j/totals.sql")
    for internal in ("sqlalche.me", "Error:", "psycopg", "duckdb", "[SQL"):
        assert internal not in str(error.value)


def test_a_query_tells_its_columns_without_its_rows(source: Source) -> None:
    """By name and in order, parameters or not; a column that is not there is found this way too."""
    sql = "SELECT code, amount AS paid FROM loans WHERE id > :least"
    assert source.describe(query(sql), {"least": 1}) == ["code", "paid"]
    with pytest.raises(SourceError, match="no column 'amuont'"):
        source.describe(query("SELECT amuont FROM loans"), {})
    with pytest.raises(SourceError, match="same name: 'id' at 1, 2"):
        source.describe(query("SELECT id, code AS id FROM loans"), {})


def test_the_clock_is_that_of_the_other_side(source: Source) -> None:
    """An instant near this machine's, or none where it is this machine's own."""
    there = source.clock()
    assert there is None or abs((there - dt.datetime.now(dt.UTC)).total_seconds()) < 86_400


def test_check_says_what_is_there(source: Source) -> None:
    """One line that names the table."""
    line = source.check()
    assert "loans" in line
    assert "\n" not in line


def test_closing_twice_is_harmless(source: Source) -> None:
    """Also before anything was asked."""
    source.close()
    assert fetch(source, "SELECT count(*) AS n FROM loans") == [(3,)]
    source.close()
    source.close()
