"""Excel and Parquet files as tables."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from openpyxl import Workbook

from reports.errors import SourceError
from reports.model import Query
from reports.sources import Source

Files = Callable[..., Source]


def fetch(source: Source, sql: str = "SELECT * FROM t") -> pd.DataFrame:
    return source.fetch(Query(name="q", sql=sql, source="t"), {}).frame


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A workbook with every kind of cell, a row left empty above, and a second sheet."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append([])
    sheet.append(["id", "amount", "n", "ok", "day", "at", "note"])
    sheet.append(["00715", 1.1, 1, True, dt.date(2026, 1, 31), dt.datetime(2026, 1, 31, 10, 30), 'a "b",\nc'])  # noqa: DTZ001
    sheet.append(["1", 2, None, False, None, None, None])
    book.create_sheet("Second").append(["x"])
    book["Second"].append([7])
    book.save(tmp_path / "t.xlsx")
    return tmp_path / "t.xlsx"


@pytest.mark.usefixtures("book")
def test_excel_cells_keep_their_kinds(files: Files) -> None:
    """Text stays text, whole numbers whole, dates dates; an empty cell is NULL, save in text."""
    frame = fetch(files(files="t.xlsx"))
    kinds = ["str", "float64", "Int64", "bool", "datetime64[us]", "datetime64[us]", "str"]
    assert [str(kind) for kind in frame.dtypes] == kinds
    first, second = frame.to_dict("records")
    assert first == {
        "id": "00715",
        "amount": 1.1,
        "n": 1,
        "ok": True,
        "day": pd.Timestamp(2026, 1, 31),
        "at": pd.Timestamp(2026, 1, 31, 10, 30),
        "note": 'a "b",\nc',
    }
    assert (second["id"], second["note"]) == ("1", "")
    assert pd.isna(second["n"])
    assert pd.isna(second["day"])


@pytest.mark.usefixtures("book")
def test_a_sheet_is_chosen_by_name_or_position(files: Files) -> None:
    """And one that is not there is told with those that are."""
    assert fetch(files(files="t.xlsx", sheet="Second"))["x"][0] == 7
    assert fetch(files(files="t.xlsx", sheet=1))["x"][0] == 7
    for wrong in ("Third", 2, -1):
        with pytest.raises(SourceError, match="there is no sheet") as error:
            fetch(files(files="t.xlsx", sheet=wrong))
        assert error.value.hint == "its sheets are Sheet, Second"


@pytest.mark.usefixtures("book")
def test_a_bad_cell_is_told_by_its_row(files: Files, tmp_path: Path) -> None:
    """The line is the row of the sheet, also after cells with line ends in them."""
    with pytest.raises(SourceError, match="line 3, column note: ") as error:
        fetch(files(files="t.xlsx", types={"note": "integer"}))
    assert error.value.where == f"{tmp_path / 't.xlsx'}:3"
    source = files(files="t.xlsx", types={"amount": "integer"}, on_bad_rows="collect")
    answer = source.fetch(Query(name="q", sql="SELECT id FROM t", source="t"), {})
    assert list(answer.frame["id"]) == ["1"]
    assert answer.rejected["t"][["line", "column", "value"]].to_dict("records") == [
        {"line": 3, "column": "amount", "value": "1.1"}
    ]


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    """A workbook with error cells among numbers and among text, on its second sheet and below empty rows."""
    book = Workbook()
    sheet = book.create_sheet("Figures & more")
    rows = [["id", "v", "note"], [1, 10, "x"], [2, "#DIV/0!", "y"], [3, "#REF!", "#N/A"], [4, None, "#x"]]
    for number, row in enumerate(rows, 3):
        for column, value in enumerate(row, 1):
            sheet.cell(number, column, value)
    book.save(tmp_path / "t.xlsx")
    return tmp_path / "t.xlsx"


@pytest.mark.parametrize(
    ("sql", "line", "column", "value"), [("sum(v)", 5, "v", "#DIV/0!"), ("max(note)", 6, "note", "#N/A")]
)
def test_an_error_cell_is_never_an_empty_one(
    files: Files, faulty: Path, sql: str, line: int, column: str, value: str
) -> None:
    """It is told with row, column and value, in numbers as in text; a column that is not used is not looked at."""
    source = files(files="t.xlsx", sheet="Figures & more")
    with pytest.raises(SourceError, match=f"line {line}, column {column}: '{value}' is what an error cell") as error:
        fetch(source, f"SELECT count(*) AS n, {sql} AS v FROM t")  # noqa: S608
    assert error.value.where == f"{faulty}:{line}"
    assert f'null_words = ["{value}"]' in error.value.hint
    assert fetch(source, "SELECT sum(id) AS s FROM t")["s"][0] == 10


@pytest.mark.usefixtures("faulty")
def test_error_cells_are_set_aside_or_mean_no_value(files: Files) -> None:
    """Rows with them are collected where that is asked; a null word is NULL, as anywhere."""
    source = files(files="t.xlsx", sheet=1, on_bad_rows="collect")
    answer = source.fetch(Query(name="q", sql="SELECT id, v FROM t", source="t"), {})
    assert list(answer.frame["id"]) == [1, 4]
    found = answer.rejected["t"][["line", "column", "value"]].to_numpy().tolist()
    assert found == [[5, "v", "#DIV/0!"], [6, "v", "#REF!"]]
    source = files(files="t.xlsx", sheet=1, null_words=["#DIV/0!", "#REF!", "#N/A"])
    frame = fetch(source, "SELECT count(*) AS n, sum(v) AS v, count(note) AS notes FROM t")
    assert frame.to_dict("records") == [{"n": 4, "v": 10, "notes": 3}]


def test_excel_files_of_one_table(files: Files, write_excel: Callable[..., Path]) -> None:
    """A glob of workbooks is one table."""
    write_excel("a1.xlsx", S=pd.DataFrame({"x": [1], "y": ["p"]}))
    write_excel("a2.xlsx", S=pd.DataFrame({"y": ["q"], "x": [2]}))
    assert fetch(files(files="a*.xlsx"), "SELECT sum(x) AS s, max(y) AS m FROM t").to_dict("records") == [
        {"s": 3, "m": "q"}
    ]


def test_an_empty_sheet_is_an_error(files: Files, tmp_path: Path) -> None:
    """Like an empty file."""
    Workbook().save(tmp_path / "t.xlsx")
    with pytest.raises(SourceError, match="the file is empty"):
        fetch(files(files="t.xlsx"))


def test_parquet_types_are_its_own(files: Files, tmp_path: Path) -> None:
    """Decimals, wide integers and text with leading zeros come as stored."""
    duckdb.sql(
        "SELECT '007' AS id, 1.10::DECIMAL(18,2) AS m, 9007199254740993 AS b, DATE '2026-01-31' AS d, NULL::BIGINT AS n"
    ).write_parquet(str(tmp_path / "t.parquet"))
    row = fetch(files(files="t.parquet")).to_dict("records")[0]
    assert (row["id"], row["m"], row["b"], row["d"]) == (
        "007",
        Decimal("1.10"),
        9007199254740993,
        pd.Timestamp(2026, 1, 31),
    )
    assert pd.isna(row["n"])
    assert fetch(files(files="t.parquet", types={"id": "integer"}))["id"][0] == 7


def test_parquet_files_that_differ_are_refused(files: Files, tmp_path: Path) -> None:
    """Another order of columns is one table, other columns are not."""
    duckdb.sql("SELECT 1 AS a, 'x' AS b").write_parquet(str(tmp_path / "p1.parquet"))
    duckdb.sql("SELECT 'y' AS b, 2 AS a").write_parquet(str(tmp_path / "p2.parquet"))
    assert fetch(files(files="p*.parquet"), "SELECT sum(a) AS s FROM t")["s"][0] == 3
    duckdb.sql("SELECT 1 AS c").write_parquet(str(tmp_path / "p3.parquet"))
    with pytest.raises(SourceError, match=r"p3.parquet and p1.parquet differ in the columns a, b, c"):
        fetch(files(files="p*.parquet"))
