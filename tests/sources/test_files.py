# ruff: noqa: S608
"""Tables of a file source: their names and files, what SQL may do with them, and what it may not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from reports.errors import SourceError
from reports.model import Dataset, Query
from reports.sources import Source

Ask = Callable[..., Dataset]
Files = Callable[..., Source]


def query(sql: str) -> Query:
    return Query(name="q", sql=sql, source="t", path=Path("jobs/j/q.sql"))


@pytest.fixture
def loans(tmp_path: Path) -> Path:
    for month in ("01", "02"):
        (tmp_path / f"loans_{month}.csv").write_text(f"id,amount\n{month}7,{int(month)}.5\n")
    (tmp_path / "rates.csv").write_text("id,rate\n017,3.5\n")
    return tmp_path


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ("rates.csv", ["t"]),
        ("loans_*.csv", ["t"]),
        (["loans_*.csv", "rates.csv"], ["loans", "rates"]),
        ({"a": "loans_0[12].csv", "b": "rates.csv"}, ["a", "b"]),
    ],
)
def test_tables_are_named_by_the_settings(files: Files, loans: Path, given: object, names: list[str]) -> None:
    """A string is the source's own table, entries of a list have their stems, a table of TOML its keys."""
    source = files(files=given)
    for name in names:
        assert len(source.fetch(query(f"SELECT * FROM {name}"), {}).frame) >= 1
    assert [part.split(":")[0] for part in source.check().split("; ")] == names


@pytest.mark.parametrize("given", [["*.csv"], ["loans_*.csv", "loans.csv"], ["2026*.csv"]])
def test_names_that_cannot_be_are_refused(files: Files, given: list[str]) -> None:
    """A glob without a name in it, and two tables of one name, ask for names."""
    with pytest.raises(SourceError) as error:
        files(files=given)
    assert "files = {" in error.value.hint


def test_a_glob_is_one_table_whatever_the_order_of_columns(files: Files, loans: Path) -> None:
    """Columns are matched by name, and a column with leading zeros in one file is text in all."""
    (loans / "loans_03.csv").write_text("amount;id\n3;37\n")
    frame = files(files="loans_*.csv").fetch(query("SELECT * FROM t ORDER BY amount"), {}).frame
    assert list(frame.itertuples(index=False, name=None)) == [("017", 1.5), ("027", 2.5), ("37", 3.0)]


def test_files_of_a_glob_that_differ_are_refused(files: Files, loans: Path) -> None:
    """The error names the file and the columns it lacks and has beyond the others."""
    (loans / "loans_03.csv").write_text("id,amt\n1,2\n")
    with pytest.raises(SourceError, match=r"loans_03.csv lacks amount and also has amt") as error:
        files(files="loans_*.csv").check()
    assert error.value.where == str(loans / "loans_03.csv")


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ("nope.csv", "the file does not exist"),
        ("nope_*.csv", "no file matches"),
        (".", "a folder stands where a file is needed"),
        ("empty.csv", "the file is empty"),
        ("damaged.csv.gz", "not a whole gzip file"),
        ("damaged.parquet", "not a Parquet file"),
        ("damaged.xlsx", "not an Excel file"),
        ("loans.json", r"the ending '\.json' does not say"),
    ],
)
def test_files_that_cannot_be_read(files: Files, tmp_path: Path, given: str, what: str) -> None:
    """Each way a file can fail has its own words, and the path."""
    (tmp_path / "empty.csv").write_bytes(b"")
    for name in ("damaged.csv.gz", "damaged.parquet", "damaged.xlsx", "loans.json"):
        (tmp_path / name).write_bytes(b"not what it says")
    source = files(files=given)
    for attempt in (source.check, lambda: source.fetch(query("SELECT * FROM t"), {})):
        with pytest.raises(SourceError, match=what) as error:
            attempt()
        assert error.value.where.startswith(str(tmp_path / given).removesuffix("/."))


def test_a_broken_file_harms_only_queries_that_use_it(files: Files, loans: Path) -> None:
    """Tables are opened when a query names them."""
    source = files(files={"rates": "rates.csv", "gone": "gone.csv"})
    assert len(source.fetch(query("SELECT * FROM rates"), {}).frame) == 1
    with pytest.raises(SourceError, match="does not exist"):
        source.fetch(query("SELECT * FROM rates JOIN gone USING (id)"), {})


def test_a_missing_table_names_those_there_are(files: Files, loans: Path) -> None:
    """Nearest first, with the query's file and line."""
    with pytest.raises(SourceError, match="there is no table 'rate'") as error:
        files(files=["loans_*.csv", "rates.csv"]).fetch(query("SELECT *\nFROM rate"), {})
    assert error.value.where == "jobs/j/q.sql:2"
    assert error.value.hint.endswith("are rates, loans")


@pytest.mark.parametrize(
    "sql", ["SELECT amuont\nFROM t", "SELECT t.amuont FROM t", "SELECT sum(x.amuont) AS s FROM t x"]
)
def test_a_missing_column_names_those_there_are(files: Files, loans: Path, sql: str) -> None:
    """The column, the file and its columns, the nearest first."""
    with pytest.raises(SourceError, match=r"there is no column 'amuont'; did you mean 'amount'\?") as error:
        files(files="loans_*.csv").fetch(query(sql), {})
    assert error.value.where == "jobs/j/q.sql:1"
    assert error.value.hint == "t (loans_01.csv and 1 more) has amount, id"


def test_other_errors_have_the_line_and_no_internals(files: Files, loans: Path) -> None:
    """DuckDB's own sentence, without its class, excerpt and advice."""
    source = files(files="rates.csv")
    with pytest.raises(SourceError) as error:
        source.fetch(query("SELECT *\nFROM t\nGROPU BY 1"), {})
    assert str(error.value) == 'syntax error at or near "BY"\n  where: jobs/j/q.sql:3'
    with pytest.raises(SourceError, match="Could not convert string 'abc' to INT32"):
        source.fetch(query("SELECT 'abc'::INTEGER AS n FROM t"), {})


def test_parameters_are_bound(ask: Ask) -> None:
    """Values of every type arrive as they are, and text with quotes in it stays text."""
    params: dict[str, Any] = {
        "s": "x'; DROP TABLE t; --", "i": 10**20, "f": 0.1, "b": True, "d": date(2026, 1, 31), "m": Decimal("1.10")
    }  # fmt: skip
    sql = "SELECT :s AS s, :i AS i, :f AS f, :b AS b, :d AS d, :m AS m, ':s' AS z, '1'::INT AS one FROM t"
    row = next(ask("a\n1\n", sql, params | {"unused": 1}).frame.itertuples(index=False))
    assert row[:4] == (params["s"], 10**20, 0.1, True)
    assert (row.d.date(), row.m, row.z, row.one) == (date(2026, 1, 31), Decimal("1.10"), ":s", 1)


def test_a_parameter_without_a_value_is_said(ask: Ask) -> None:
    """With its line and the ones there are."""
    with pytest.raises(SourceError, match="uses :day, which has no value") as error:
        ask("a\n1\n", "SELECT *\nFROM t WHERE a = :day", {"days": 1})
    assert error.value.where == "jobs/j/q.sql:2"
    assert "days" in error.value.hint


@pytest.mark.parametrize(
    "sql",
    [
        "COPY t TO '{0}/out.csv'",
        "COPY (SELECT 1) TO '{0}/t.csv' (USE_TMP_FILE false)",
        "ATTACH '{0}/x.db'",
        "SET threads = 1",
        "INSTALL excel",
        "CREATE TABLE x (a INT)",
        "DROP VIEW t",
        "SELECT 1 AS a; SELECT 2 AS a",
        "PRAGMA version",
        "",
        "-- nothing",
    ],
)
def test_a_query_is_one_select(ask: Ask, tmp_path: Path, sql: str) -> None:
    """Nothing else is run: no writing, no attaching, no settings, no second statement."""
    with pytest.raises(SourceError, match="a query is one SELECT"):
        ask("a\n1\n", sql.format(tmp_path))
    assert (tmp_path / "t.csv").read_text() == "a\n1\n"
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('{0}/secret.txt')",
        "SELECT * FROM '{0}/secret.txt'",
        "SELECT * FROM glob('{0}/*')",
        "SELECT * FROM read_csv('{0}/../{1}/secret.txt')",
        "SELECT * FROM read_csv('http://localhost/x.csv')",
        "SELECT * FROM frame",
    ],
)
def test_a_query_reads_only_the_declared_files(ask: Ask, tmp_path: Path, sql: str) -> None:
    """Not other files, not folders, not the network, and not the variables of the program."""
    (tmp_path / "secret.txt").write_text("secret\n")
    frame = duckdb.sql("SELECT 1 AS a")
    with pytest.raises(SourceError) as error:
        ask("a\n1\n", sql.format(tmp_path, tmp_path.name))
    assert "secret\n" not in str(error.value)
    assert frame is not None


def test_extensions_are_neither_fetched_nor_loaded(ask: Ask) -> None:
    """And the settings that say so cannot be changed."""
    sql = "SELECT name, value FROM duckdb_settings() WHERE name LIKE 'auto%known_extensions' OR name LIKE 'lock_conf%'"
    frame = ask("a\n1\n", sql).frame
    assert dict(frame.itertuples(index=False, name=None)) == {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "lock_configuration": "true",
    }


@pytest.mark.parametrize(
    ("sql", "what"),
    [("SELECT 1 AS a, 2 AS b, 3 AS A", "the same name: 'a' at 1, 3"), ("SELECT * FROM t, t AS u", "'a' at 1, 2")],
)
def test_results_with_one_name_twice_are_refused(ask: Ask, sql: str, what: str) -> None:
    """With the positions."""
    with pytest.raises(SourceError, match=what):
        ask("a\n1\n", sql)


def test_order_survives_beside_wide_types(ask: Ask) -> None:
    """ORDER BY holds although sums travel as text."""
    text = "a,b\n" + "".join(f"{n % 1000},{n}\n" for n in range(5000))
    frame = ask(text, "SELECT a, sum(b) AS s FROM t GROUP BY a ORDER BY a DESC; -- the end").frame
    assert list(frame["a"]) == list(range(999, -1, -1))


def test_closing_removes_the_copies(files: Files, tmp_path: Path) -> None:
    """Temporary copies go with the source, which may be closed twice and opened again."""
    (tmp_path / "t.csv").write_bytes("名\n中\n".encode("gbk"))
    source: Any = files(files="t.csv", encoding="gbk")
    source.check()
    folder = Path(source._folder.name)
    assert list(folder.iterdir())
    source.close()
    source.close()
    assert not folder.exists()
    assert source.check() == "t: 1 columns from t.csv"


def test_paths_with_quotes_and_spaces(files: Files, tmp_path: Path) -> None:
    """A name is never part of the SQL's syntax."""
    (tmp_path / 'o\'brien "x".csv').write_text('it\'s,"a ""b"""\n1,2\n')
    frame = files(files='o\'brien "x".csv').fetch(query("SELECT * FROM t"), {}).frame
    assert frame.to_dict("records") == [{"it's": 1, 'a "b"': 2}]


def test_freddie(shared_data: Path, files: Files) -> None:
    """Real loans: the published total, and ZIP codes with their leading zeros."""
    source = files(root=shared_data / "loans", files="freddie_2020q1_sampler.csv")
    sql = (
        "SELECT sum(orig_upb) AS balance, sum(orig_upb * orig_int_rt) / sum(orig_upb) AS wac, "
        "min(zipcode) AS zip, count(*) AS n FROM t"
    )
    row = next(source.fetch(query(sql), {}).frame.itertuples(index=False))
    assert (row.balance, round(row.wac, 5), row.zip, row.n) == (2_228_091_000, 3.81968, "00800", 9_572)


def test_lending_club(shared_data: Path, files: Files) -> None:
    """Real loans: NA is NULL where configured, and quoted commas stay in their field."""
    source = files(root=shared_data / "loans", files="lendingclub_openintro_loans_full_schema.csv", null_words=["NA"])
    sql = (
        "SELECT sum(balance) AS balance, sum(balance * interest_rate) / sum(balance) AS wac, "
        "count(annual_income_joint) AS joint, count(*) AS n FROM t"
    )
    row = next(source.fetch(query(sql), {}).frame.itertuples(index=False))
    assert (round(row.balance, 2), round(row.wac, 5), row.joint, row.n) == (144_589_166.10, 12.66038, 1_495, 10_000)


def test_sba_and_berka(shared_data: Path, files: Files) -> None:
    """Real loans: a byte order mark with CR LF, and datetimes in quotes."""
    source = files(root=shared_data / "loans", files={"sba": "sba_*.csv", "berka": "berka_*.csv"})
    frame = source.fetch(query('SELECT "Selected" AS first, "Default" AS last FROM sba'), {}).frame
    assert (len(frame), [str(kind) for kind in frame.dtypes]) == (2_101, ["int64", "int64"])
    sql = "SELECT count(*) AS n, min(date) AS d FROM berka WHERE amount = duration * payments"
    row = next(source.fetch(query(sql), {}).frame.itertuples(index=False))
    assert (row.n, str(row.d)) == (44, "1993-07-05 00:00:00")


def test_a_required_column_that_the_file_lacks(shared_data: Path, files: Files) -> None:
    """42,538 rows without an amount: the error says which columns there are."""
    source = files(root=shared_data / "loans", files="lendingclub_42538_four_columns.csv")
    assert source.fetch(query("SELECT count(*) AS n FROM t"), {}).frame["n"][0] == 42_538
    with pytest.raises(SourceError, match="there is no column 'loan_amount'") as error:
        source.fetch(query("SELECT loan_amount FROM t"), {})
    assert "lendingclub_42538_four_columns.csv) has loan_status, " in error.value.hint


def test_a_log_with_apostrophes(shared_data: Path, files: Files) -> None:
    """Only the double quote quotes."""
    source = files(root=shared_data / "logs", files="etl_log_azyyzme01_with_error.csv")
    frame = source.fetch(query("SELECT error, success FROM t"), {}).frame
    assert frame["error"][0].startswith("'utf-8' codec can't decode byte 0xc9")
    assert not frame["success"][0]
