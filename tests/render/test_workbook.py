"""The workbook as its readers meet it: opened by openpyxl, calamine, pandas and LibreOffice."""

import datetime as dt
import io
import math
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook
from support.xlsx import faults

from reports.errors import RenderError
from reports.model import XLSX, Artifact, Book, Chart, Column, Figure, Figures, Sheet, Table
from reports.render import workbook
from reports.render.cells import clean
from reports.render.locales import Locale

AS_OF = dt.date(2026, 10, 31)


def write(made: Book, **options: Any) -> Artifact:
    """The file, which breaks no rule of the published structure."""
    artifact = workbook.write(made, **options).artifact
    assert faults(artifact.content) == []
    return artifact


MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
# CT_Worksheet's children in the schema's order, as far as we write them.
ORDER = [
    "sheetPr", "dimension", "sheetViews", "sheetFormatPr", "cols", "sheetData", "conditionalFormatting",
    "hyperlinks", "pageMargins", "pageSetup", "headerFooter", "ignoredErrors", "drawing", "tableParts",
]  # fmt: skip


def table(values: Sequence[Any], format: str = "text", *, total: bool = False, **columns: Any) -> Table:  # noqa: A002
    frame = pd.DataFrame({"value": pd.Series(list(values), dtype=columns.pop("dtype", object))})
    column = Column(key="value", label=columns.pop("label", "Value"), format=format, total=total)
    return Table(frame=frame, columns=[column], title="A table")


def book(*contents: Table | Figures, names: Sequence[str] = (), chart: Chart | None = None) -> Book:
    named = [*names, *(f"Sheet {n}" for n in range(len(names), len(contents)))]
    sheets = [
        Sheet(name=name, content=one, charts=[chart] if chart and isinstance(one, Table) else [])
        for name, one in zip(named, contents, strict=True)
    ]
    return Book(file="Cash flow.xlsx", sheets=sheets, title="Cash flow & more", as_of=AS_OF)


def opened(made: Book, *, values: bool = False, currency: str = "USD") -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(write(made, locale=Locale(currency=currency)).content), data_only=values)


def cells(content: Table) -> list[Any]:
    """What openpyxl finds under the heading of a one-column table."""
    return [row[0] for row in opened(book(content)).worksheets[0].iter_rows(min_row=2)]


def part(made: Book, name: str) -> ET.Element:
    with zipfile.ZipFile(io.BytesIO(write(made).content)) as package:
        return ET.fromstring(package.read(name))  # noqa: S314  our own file


def loans() -> Book:
    """A book with everything in it."""
    frame = pd.DataFrame(
        {
            "id": ["00012", "00013", None, "=1+1"],
            "month": pd.to_datetime(["2026-01-31", "2026-02-28", "2026-03-31", None]),
            "balance": [Decimal("1200.10"), Decimal("-0.30"), None, Decimal("7.2")],
            "count": pd.array([3, None, 5, 7], dtype="Int64"),
            "rate": [0.05, math.nan, 0.03, 0.1],
        }
    )
    columns = [
        Column(key="id", label="Loan id"),
        Column(key="month", label="Month", format="month"),
        Column(key="balance", label="Balance [net] #1", format="currency", total=True),
        Column(key="count", label="Loans", format="integer", total=True),
        Column(key="rate", label="Rate", format="percent.2", total=True),
    ]
    chart = Chart(frame=frame, kind="area", x=columns[1], y=[columns[2], columns[3]], title="Balance")
    summary = Figures(items=[Figure(label="Balance", value=1207.0, format="currency", note="net")], title="Key")
    sheets = [
        Sheet(name="Summary", content=summary),
        Sheet(name="Bob's loans", content=Table(frame=frame, columns=columns), charts=[chart]),
        Sheet(name="贷款 余额", content=Table(frame=frame, columns=columns[:3], title="明细")),
        Sheet(name="Rejected", content=Table(frame=frame.head(0), columns=columns)),
    ]
    return Book(file="Loans", sheets=sheets, title="Loans", as_of=AS_OF)


# -- the file ------------------------------------------------------------------------------------


def test_gives_a_named_xlsx_file() -> None:
    """The artifact has the book's name, made safe and with its suffix, and Excel's media type."""
    artifact = write(Book(file="a/b: c", sheets=[Sheet(name="S", content=table([1]))]))
    assert (artifact.name, artifact.media_type) == ("a-b- c.xlsx", XLSX)
    assert write(book(table([1]))).name == "Cash flow.xlsx"


def test_a_book_needs_a_sheet() -> None:
    """Excel opens no workbook without sheets, so none is written."""
    with pytest.raises(RenderError, match="no sheets"):
        write(Book(file="empty", sheets=[]))


def test_says_who_made_it_and_of_which_day() -> None:
    """The document's properties are the title and the business date, never the present time."""
    properties = opened(book(table([1]))).properties
    assert (properties.title, properties.creator) == ("Cash flow & more", "reports")
    assert properties.created == properties.modified == dt.datetime(2026, 10, 31)  # noqa: DTZ001


def test_equal_books_give_equal_bytes(root: Path) -> None:
    """Two processes, two seconds apart and with other hash seeds, write the same file."""
    code = "import test_workbook as t; print(t.write(t.loans()).sha256)"
    hashes = []
    for seed in ("1", "2"):
        started = time.monotonic()
        path = os.pathsep.join((str(root), str(root / "tests"), str(Path(__file__).parent)))
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": path}
        run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        hashes.append(run.stdout)
        if seed == "1":  # the clock of a zip file ticks every two seconds
            time.sleep(max(0.0, 2.1 - (time.monotonic() - started)))
    assert hashes[0] == hashes[1] == f"{write(loans()).sha256}\n"


def test_elements_stand_in_the_order_of_the_schema() -> None:
    """Excel repairs a sheet whose elements are in another order than the schema's."""
    for number in range(1, 5):
        tags = [child.tag.removeprefix(MAIN) for child in part(loans(), f"xl/worksheets/sheet{number}.xml")]
        assert tags == sorted(tags, key=ORDER.index)
    assert "ignoredErrors" in tags


def test_every_style_a_cell_names_exists() -> None:
    """Our rows refer to styles by number, and openpyxl wrote each of them."""
    styles = len(part(loans(), "xl/styles.xml").findall(f"{MAIN}cellXfs/{MAIN}xf"))
    for number in range(1, 5):
        sheet = part(loans(), f"xl/worksheets/sheet{number}.xml")
        assert all(0 < int(cell.get("s", -1)) < styles for cell in sheet.iter(f"{MAIN}c"))


def test_calamine_and_pandas_read_what_was_written() -> None:
    """Other readers find the same values, totals included."""
    content = write(loans()).content
    rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_name("Bob's loans").to_python()
    assert rows[1][:3] == ["00012", dt.date(2026, 1, 31), 1200.1]
    assert rows[-1][0] == "Total"
    frame = pd.read_excel(io.BytesIO(content), sheet_name="贷款 余额", engine="calamine", dtype={"Loan id": str})
    assert frame["Loan id"].tolist()[:2] == ["00012", "00013"]


# -- values --------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(st.characters(), max_size=40), min_size=1, max_size=20))
def test_any_text_comes_back_as_text(texts: list[str]) -> None:
    """No str becomes a formula, a number or an error, whatever is in it; only what XML lacks is replaced."""
    for format_ in ("text", "number", "date"):
        for given_, cell in zip(texts, cells(table(texts, format_)), strict=True):
            assert cell.value == (clean(given_) or None)
            assert cell.data_type == ("s" if given_ else "n")


@pytest.mark.parametrize("text", ["=1+1", "=HYPERLINK(1)", "+1", "@SUM(A1)", "#N/A", "00123", "_x0041_", " a ", "a\nb"])
def test_hostile_texts_stay_what_they_are(text: str) -> None:
    """A text that Excel would evaluate, unescape or trim is stored as it is."""
    (cell,) = cells(table([text]))
    assert (cell.value, cell.data_type, cell.number_format) == (text, "s", "@")


def test_identifiers_get_no_green_triangles() -> None:
    """Digits in a text column are meant as text, and Excel is told so; those of numbers it may mark."""
    sheet = part(loans(), "xl/worksheets/sheet2.xml")
    (ignored,) = sheet.iter(f"{MAIN}ignoredError")
    assert (ignored.get("sqref"), ignored.get("numberStoredAsText")) == ("A2:A5", "1")


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**15) + 1, 10**15 - 1), min_size=1))
def test_numbers_come_back_exactly(numbers: list[float]) -> None:
    """A double, and a whole number that a double holds, lose nothing."""
    assert [cell.value for cell in cells(table(numbers, "number"))] == numbers
    assert [cell.value for cell in cells(table(list(map(float, numbers)), "number", dtype=float))] == [
        float(number) for number in numbers
    ]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.datetimes(dt.datetime(1900, 3, 1), dt.datetime(9999, 12, 30)), min_size=1))  # noqa: DTZ001
def test_moments_come_back(moments: list[dt.datetime]) -> None:
    """Dates are Excel's own from March 1900 on, to the millisecond."""
    for cell, moment in zip(cells(table(moments, "datetime")), moments, strict=True):
        assert abs(cell.value - moment) < dt.timedelta(milliseconds=1)


@pytest.mark.parametrize("dtype", [object, "int64", "Int64", "uint64", "int64[pyarrow]"])
def test_long_whole_numbers_become_text(dtype: str) -> None:
    """An id of more than 15 digits, which Excel would round, is kept digit by digit."""
    found = cells(table([123456789012345678, 12], "integer", dtype=dtype))
    assert (found[0].value, found[0].data_type) == ("123456789012345678", "s")
    assert int(found[1].value) == 12


@pytest.mark.parametrize(
    ("value", "format_", "expected"),
    [
        (Decimal("1.10"), "currency", 1.1),
        (Decimal("12345678901234567890.0"), "number", "12345678901234567890.0"),
        (math.inf, "number", "inf"),
        (True, "text", True),
        (False, "integer", False),
        (dt.date(2026, 10, 31), "date", dt.datetime(2026, 10, 31)),  # noqa: DTZ001
        (pd.Period("2026-10"), "month", dt.datetime(2026, 10, 1)),  # noqa: DTZ001
        (dt.date(1900, 2, 28), "date", "1900-02-28"),
        (202610, "month", "202610"),
        (pd.Timestamp("2026-10-31 09:30", tz="Europe/Berlin"), "datetime", dt.datetime(2026, 10, 31, 9, 30)),  # noqa: DTZ001
        (12.0, "text", "12"),
        (b"\x01\xff", "text", "01ff"),
        ("\x07\ufffe\r\n", "text", "␇�\n"),
        (None, "number", None),
        (pd.NaT, "date", None),
        (pd.NA, "text", None),
        (Decimal("NaN"), "currency", None),
        ("", "text", None),
    ],
)
def test_odd_values_are_shown_not_bent(value: Any, format_: str, expected: Any) -> None:
    """Each kind of value has one way into a cell, and none is lost in silence."""
    found = cells(table([value, value], format_))
    assert [cell.value for cell in found] == [expected, expected]


@pytest.mark.parametrize("dtype", ["str", "category", "string[pyarrow]", object])
def test_texts_of_any_dtype_are_shared(dtype: str) -> None:
    """A text that repeats is stored once, and gaps stay gaps, whatever pandas keeps it in."""
    made = book(table(["b", "a", None, "b"], dtype=dtype))
    assert [cell.value for cell in opened(made).worksheets[0]["A"][1:]] == ["b", "a", None, "b"]
    strings = [item.text for item in part(made, "xl/sharedStrings.xml").iter(f"{MAIN}t")]
    assert sorted(strings) == ["Value", "a", "b"]


def test_moments_of_any_dtype_are_dates() -> None:
    """Zones are dropped with the wall clock kept; a column with a date before 1900-03-01 still comes."""
    berlin = pd.date_range("2026-07-01 09:00", periods=2, tz="Europe/Berlin")
    assert cells(table(berlin, "datetime", dtype=berlin.dtype))[0].value == dt.datetime(2026, 7, 1, 9)  # noqa: DTZ001
    old = pd.to_datetime(["1899-12-31", "2026-07-01"])
    found = [cell.value for cell in cells(table(old, "date", dtype=old.dtype))]
    assert found == ["1899-12-31", dt.datetime(2026, 7, 1)]  # noqa: DTZ001


def test_a_text_too_long_is_cut_with_a_mark_and_told() -> None:
    """What Excel cannot hold ends in a mark with its length, and a note names sheet, column, number and example."""
    made = book(table(["a" * 40_000, "\N{GRINNING FACE}" * 16_384, "b" * 32_767]))
    found = [row[0] for row in opened(made).worksheets[0].iter_rows(min_row=2)]
    for cell, length in zip(found, (40_000, 16_384), strict=False):
        assert len(cell.value.encode("utf-16-le")) <= 2 * 32_767
        assert cell.value.endswith(f"[cut: {length:,} characters, a cell holds 32,767]")
    assert found[2].value == "b" * 32_767
    (note,) = workbook.write(made).notes
    said = "Sheet 'Sheet 0', column 'Value': 2 texts are longer than 32,767 characters: cut (first: 'aaa"
    assert str(note).startswith(said)
    assert note.lost


# -- tables --------------------------------------------------------------------------------------


def test_a_table_is_excels_own() -> None:
    """It has filters, our style with stripes, a frozen heading and its totals outside of the filter."""
    sheet = opened(loans()).worksheets[1]
    (found,) = sheet.tables.values()
    assert (found.displayName, found.ref, found.autoFilter.ref) == ("Bob_s_loans", "A1:E6", "A1:E5")
    assert (found.tableStyleInfo.name, found.tableStyleInfo.showRowStripes) == ("Reports", True)
    assert (found.totalsRowCount, sheet.freeze_panes) == (1, "A2")
    assert [column.totalsRowFunction for column in found.tableColumns] == [None, None, "sum", "sum", "sum"]
    assert found.column_names == [cell.value for cell in sheet[1]]


def test_headings_differ_without_regard_to_case() -> None:
    """Excel repairs a table with two equal headings, so the second gets a number; empty ones a name."""
    frame = pd.DataFrame([[1, 2, 3, 4]], columns=list("abcd"))
    labels = ["Balance", "balance", "", "A\nB"]
    columns = [Column(key=key, label=label, format="integer") for key, label in zip("abcd", labels, strict=True)]
    sheet = opened(book(Table(frame=frame, columns=columns))).worksheets[0]
    assert [cell.value for cell in sheet[1]] == ["Balance", "balance (2)", "Column 3", "A B"]


@pytest.mark.parametrize("total", [True, False])
def test_a_table_without_rows_is_still_a_table(*, total: bool) -> None:
    """It has one blank row, as Excel wants, and totals of nothing."""
    sheet = opened(book(table([], "number", total=total)), values=True).worksheets[0]
    assert next(iter(sheet.tables.values())).ref == ("A1:A3" if total else "A1:A2")
    assert [cell.value for cell in sheet["A"]][1:] == ([None, 0] if total else [None])


def test_totals_are_formulas_with_their_results() -> None:
    """SUBTOTAL follows the filter; its cached value is right for Decimals, nullables and gaps."""
    formulas = [cell.value for cell in opened(loans()).worksheets[1][6]]
    assert formulas[0] == "Total"
    assert formulas[2:4] == ["=SUBTOTAL(109,Bob_s_loans[Balance '[net'] '#1])", "=SUBTOTAL(109,Bob_s_loans[Loans])"]
    values = [cell.value for cell in opened(loans(), values=True).worksheets[1][6]]
    assert values[2:] == pytest.approx([1207.0, 15, 0.18], rel=1e-15)


def test_a_total_is_the_exact_sum_of_its_cells() -> None:
    """The sum is rounded once, not at every step."""
    sheet = opened(book(table([0.1] * 10, "number", total=True, dtype=float)), values=True).worksheets[0]
    assert sheet["A12"].value == 1.0


@pytest.mark.parametrize(
    ("value", "format_"), [("N/A", "number"), (math.inf, "number"), (12, "text"), (True, "integer")]
)
def test_a_total_over_what_is_no_number_is_an_error(value: Any, format_: str) -> None:
    """Excel would leave it out of the sum without a word; the error names the place instead."""
    with pytest.raises(RenderError) as caught:
        write(book(table([None, value], format_, total=True)))
    assert "row 2" in caught.value.what
    assert caught.value.where == "sheet 'Sheet 0', column 'Value'"


@pytest.mark.parametrize(
    ("format_", "currency", "value", "code"),
    [
        ("number", "USD", 1.5, "#,##0.00"),
        ("integer", "USD", 1, "#,##0"),
        ("percent", "USD", 0.5, "#,##0.0%"),
        ("percent.3", "USD", 0.5, "#,##0.000%"),
        ("currency", "USD", 1, "[$$]#,##0.00"),
        ("currency.0", "EUR", 1, "[$€]#,##0"),
        ("currency", "JPY", 1, "[$¥]#,##0"),
        ("currency", "CHF", 1, '[$CHF]"\N{NO-BREAK SPACE}"#,##0.00'),
        ("compact", "USD", 2_228_091_000, '#,##0.0,,,"bn"'),
        ("compact.2", "USD", -1_500_000, '#,##0.00,,"m"'),
        ("compact", "USD", 950, "#,##0"),
        ("compact", "USD", 9.5, "#,##0.00"),
        ("date", "USD", AS_OF, r"yyyy\-mm\-dd"),
        ("datetime", "USD", AS_OF, r"yyyy\-mm\-dd\ hh:mm:ss"),
        ("month", "USD", AS_OF, r"yyyy\-mm"),
        ("text", "USD", "a", "@"),
    ],
)
def test_formats_are_excels_own(format_: str, currency: str, value: Any, code: str) -> None:
    """Numbers stay numbers and read as in the mail; compact ones of a column share one unit."""
    sheet = opened(book(table([value, None], format_)), currency=currency).worksheets[0]
    assert sheet["A2"].number_format == sheet["A3"].number_format == code


def test_columns_are_as_wide_as_what_they_show() -> None:
    """Widths come from headings and written values, East Asian characters double, up to a limit."""
    frame = pd.DataFrame({"n": [1234567.891], "t": ["x" * 500], "c": ["贷款" * 10], "s": ["a"]})
    columns = [
        Column(key="n", label="n", format="currency"),
        Column(key="t", label="t"),
        Column(key="c", label="c"),
        Column(key="s", label="A heading of its own"),
    ]
    sheet = opened(book(Table(frame=frame, columns=columns))).worksheets[0]
    widths = [sheet.column_dimensions[letter].width for letter in "ABCD"]
    assert widths == [len("$1,234,567.89") + 2, 60, 43, len("A heading of its own") + 5]


def test_a_compact_column_hides_no_fraction() -> None:
    """Decimals are for what stands between the least and the greatest, too."""
    assert {cell.number_format for cell in cells(table([1, 2.5, 3], "compact"))} == {"#,##0.00"}


def test_negative_numbers_are_red_by_rule() -> None:
    """Only columns that have some get the rule, so that it stays right when people sort or edit."""
    formatting = opened(loans()).worksheets[1].conditional_formatting
    assert [str(one.sqref) for one in formatting] == ["C2:C6"]


def test_prints_on_a4_one_page_wide() -> None:
    """Wide sheets lie, headings repeat, and every page says what it is; & is no instruction."""
    wide = Table(
        frame=pd.DataFrame({str(n): ["x" * 20] for n in range(8)}),
        columns=[Column(key=str(n), label=str(n)) for n in range(8)],
    )
    narrow, lying = opened(book(table([1]), wide)).worksheets
    assert (narrow.page_setup.orientation, lying.page_setup.orientation) == ("portrait", "landscape")
    assert (lying.page_setup.paperSize, lying.page_setup.fitToWidth, lying.page_setup.fitToHeight) == (9, 1, 0)
    assert lying.sheet_properties.pageSetUpPr.fitToPage
    assert lying.print_title_rows == "$1:$1"
    assert lying.oddHeader.left.text == "Cash flow && more"
    assert (lying.oddFooter.left.text, lying.oddFooter.right.text) == ("As of 2026-10-31", "Page &P of &N")


def test_sheet_and_table_names_are_excels() -> None:
    """Hostile, long, double and Chinese names all become names that Excel takes."""
    names = ["a/b", "'A-B'", "x" * 40, "History", "Q1", "贷款", ""]
    made = opened(book(*(table([1]) for _ in names), names=names))
    assert made.sheetnames == ["a-b", "A-B (2)", "x" * 31, "History_", "Q1", "贷款", "Sheet"]
    assert [next(iter(sheet.tables)) for sheet in made] == [
        "a_b", "A_B__2", "x" * 31, "History", "Table_Q1", "贷款", "Sheet",
    ]  # fmt: skip


@pytest.mark.parametrize(("rows", "columns", "noun"), [(100_000, 501, "cells"), (1, 16_385, "columns")])
def test_more_than_a_workbook_should_hold_is_an_error(rows: int, columns: int, noun: str) -> None:
    """The error has both numbers and says what to do; nothing is cut."""
    frame = pd.DataFrame({"a": pd.Series(0, index=range(rows), dtype="int8")})
    many = [Column(key="a", label="a", format="integer")] * columns
    with pytest.raises(RenderError, match=rf"{rows * columns:,} {noun}; [\d,]+ are the most") as caught:
        write(book(Table(frame=frame, columns=many)))
    assert "aggregate" in caught.value.hint


def test_a_column_that_is_not_there_is_an_error() -> None:
    """The error names the column and those there are; a name that two columns have is no better."""
    frame = pd.DataFrame([[1, 2]], columns=["a", "a"])
    for key, what in (("b", "no column 'b'"), ("a", "2 columns 'a'")):
        with pytest.raises(RenderError, match=what):
            write(book(Table(frame=frame, columns=[Column(key=key, label="x")])))
    with pytest.raises(RenderError, match="no columns"):
        write(book(Table(frame=frame, columns=[])))


def test_real_loans_arrive_to_the_last_one(shared_data: Path) -> None:
    """The Freddie Mac sampler: each loan, ids and postal codes to the digit, the published balance."""
    frame = pd.read_csv(shared_data / "loans" / "freddie_2020q1_sampler.csv", dtype=str)
    frame["balance"] = frame["orig_upb"].astype(float)
    columns = [
        *(Column(key=key, label=key) for key in map(str, frame.columns[:-1])),
        Column(key="balance", label="Balance", format="currency.0", total=True),
    ]
    content = write(book(Table(frame=frame, columns=columns))).content
    rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    assert rows[-1][-1] == 2_228_091_000
    assert [row[:-1] for row in rows[1:-1]] == frame.iloc[:, :-1].fillna("").to_numpy().tolist()


# -- the first page ------------------------------------------------------------------------------


def test_the_summary_has_figures_contents_and_live_totals() -> None:
    """Title and date, each figure in its format, a link to each table with its rows, then the totals."""
    formulas, values = opened(loans()).worksheets[0], opened(loans(), values=True).worksheets[0]
    rows = [[row[place].value for place in (1, 2, 5)] for row in values.iter_rows() if any(cell.value for cell in row)]
    assert rows == [
        ["Loans", None, None],
        ["As of 2026-10-31", None, None],
        ["Key", None, None],
        ["Balance", 1207, "net"],
        ["Contents", "Rows", None],
        ["Bob's loans", 4, None],
        ["贷款 余额", 4, "明细"],
        ["Rejected", 0, None],
        ["Totals", None, None],
        ["Balance [net] #1", pytest.approx(1207), "Bob's loans"],
        ["Loans", 15, "Bob's loans"],
        ["Rate", pytest.approx(0.18), "Bob's loans"],
        ["Balance [net] #1", pytest.approx(1207), "贷款 余额"],
        ["Balance [net] #1", 0, "Rejected"],
        ["Loans", 0, "Rejected"],
        ["Rate", 0, "Rejected"],
    ]
    assert "=SUM(Bob_s_loans[Loans])" in [cell.value for cell in formulas["C"]]
    links = [cell.hyperlink.location for cell in formulas["B"] if cell.hyperlink]
    assert links == ["'Bob''s loans'!A1", "'贷款 余额'!A1", "'Rejected'!A1"]


def test_only_the_first_page_of_figures_has_the_contents() -> None:
    """A second one has its own title and its figures."""
    figures = Figures(items=[Figure(label="Day", value=AS_OF, format="date"), Figure(label="Id", value="=1")])
    second = opened(book(figures, table([1]), figures)).worksheets[2]
    assert [cell.value for cell in second["B"] if cell.value] == ["Cash flow & more", "As of 2026-10-31", "Day", "Id"]
    day, formula = (cell for cell in second["C"] if cell.value)
    assert (day.is_date, formula.value, formula.data_type) == (True, "=1", "s")


# -- charts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "tag"), [("line", "lineChart"), ("area", "areaChart"), ("bar", "barChart")])
def test_a_chart_shows_the_tables_cells(kind: Any, tag: str) -> None:
    """Its series are the columns under their headings, its axes are shown, with formats and titles."""
    made = loans()
    sheets = [made.sheets[0], *(replace_chart(one, kind) for one in made.sheets[1:])]
    chart = part(Book(file="x", sheets=sheets, as_of=AS_OF), "xl/charts/chart1.xml")
    space = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
    assert len(chart.findall(f".//{space}{tag}/{space}ser")) == 2
    assert [one.text for one in chart.iter(f"{space}f")] == [
        "'Bob''s loans'!$C$1", "'Bob''s loans'!$B$2:$B$5", "'Bob''s loans'!$C$2:$C$5",
        "'Bob''s loans'!$D$1", "'Bob''s loans'!$B$2:$B$5", "'Bob''s loans'!$D$2:$D$5",
    ]  # fmt: skip
    assert {one.get("val") for one in chart.iter(f"{space}delete")} == {"0"}
    formats = [one.get("formatCode") for one in chart.iter(f"{space}numFmt")]
    assert formats == [r"yyyy\-mm", "[$$]#,##0.00"]
    assert [one.text for one in chart.iter("{http://schemas.openxmlformats.org/drawingml/2006/main}t")] == [
        "Balance", "Month",
    ]  # fmt: skip
    grouping = chart.find(f".//{space}grouping")
    assert kind != "area" or (grouping is not None and grouping.get("val") == "stacked")


def replace_chart(sheet: Sheet, kind: Any) -> Sheet:
    return replace(sheet, charts=[replace(chart, kind=kind) for chart in sheet.charts])


def test_a_chart_that_excel_cannot_draw_is_an_error() -> None:
    """Small multiples and columns that the sheet lacks are refused, with the sheet's name."""
    content = table([1.0], "number")
    there, missing = Column(key="value", label="v"), Column(key="other", label="o")
    wrong = [("small_multiples", there, "no chart of the kind"), ("line", missing, "no such column")]
    for kind, y, what in wrong:
        chart = Chart(frame=content.frame, kind=kind, x=there, y=[y])  # type: ignore[arg-type]
        with pytest.raises(RenderError, match=what) as caught:
            write(book(content, chart=chart))
        assert caught.value.where == "chart of sheet 'Sheet 0'"
    with pytest.raises(RenderError, match="no columns to show"):
        write(book(content, chart=Chart(frame=content.frame, kind="line", x=there, y=[])))


@pytest.mark.parametrize("kind", ["small_multiples", "sparkline", "waterfall", "heatmap"])
def test_kinds_of_the_mail_are_refused_in_a_sheet(kind: Any) -> None:
    """With those that Excel draws."""
    content, value = table([1.0], "number"), Column(key="value", label="v")
    with pytest.raises(RenderError, match=f"Excel has no chart of the kind '{kind}'") as caught:
        write(book(content, chart=Chart(frame=content.frame, kind=kind, x=value, y=[value])))
    assert "line, area or bar" in caught.value.hint


def test_the_unit_of_a_native_chart_stands_at_its_axis() -> None:
    """Beside the column's heading, or alone where there are several."""
    made = loans()
    sheet = replace(made.sheets[1], charts=[replace(chart, unit="million EUR") for chart in made.sheets[1].charts])
    chart = part(Book(file="x", sheets=[made.sheets[0], sheet], as_of=AS_OF), "xl/charts/chart1.xml")
    said = [one.text for one in chart.iter("{http://schemas.openxmlformats.org/drawingml/2006/main}t")]
    assert "million EUR" in said


# -- another office ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def recalculated(tmp_path_factory: pytest.TempPathFactory) -> openpyxl.Workbook:
    """The full book, its cached results taken out, calculated and saved again by LibreOffice."""
    if not (office := shutil.which("soffice")):
        pytest.skip("LibreOffice (soffice) is not on this machine")
    folder = tmp_path_factory.mktemp("office")
    emptied = folder / "book.xlsx"
    with zipfile.ZipFile(io.BytesIO(write(loans()).content)) as package, zipfile.ZipFile(emptied, "w") as copy:
        for name in package.namelist():
            copy.writestr(name, re.sub(rb"</f><v>[^<]*</v>", b"</f>", package.read(name)))
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    command = [office, profile, "--headless", "--convert-to", "xlsx", "--outdir", str(folder / "out"), str(emptied)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return openpyxl.load_workbook(folder / "out" / "book.xlsx", data_only=True)


@pytest.mark.office
def test_libreoffice_calculates_the_same_totals(recalculated: openpyxl.Workbook) -> None:
    """Every formula's result that we stored is what another program finds by itself."""
    formulas, stored = opened(loans()), opened(loans(), values=True)
    compared = 0
    for sheet in formulas:
        for cell in (cell for row in sheet.iter_rows() for cell in row if cell.data_type == "f"):
            found = recalculated[sheet.title][cell.coordinate].value
            assert found == pytest.approx(stored[sheet.title][cell.coordinate].value, rel=1e-12, abs=1e-12)
            compared += 1
    assert compared == 14


@pytest.mark.office
def test_libreoffice_finds_no_errors(recalculated: openpyxl.Workbook) -> None:
    """All sheets arrive, the hostile text as text, and no cell is an error."""
    assert recalculated.sheetnames == ["Summary", "Bob's loans", "贷款 余额", "Rejected"]
    every = [cell for sheet in recalculated for row in sheet.iter_rows() for cell in row]
    assert not [cell for cell in every if cell.data_type == "e"]
    assert recalculated["Bob's loans"]["A5"].value == "=1+1"


def test_a_native_chart_says_in_words_what_it_shows() -> None:
    """A screen reader has something to read."""
    frame = pd.DataFrame({"month": ["2026-10", "2026-11"], "paid": [1.0, 2.0]})
    columns = [Column(key="month", label="Month"), Column(key="paid", label='Paid & "due"', format="number")]
    chart = Chart(frame=frame, kind="line", x=columns[0], y=columns[1:], title="Payments")
    sheet = Sheet(name="Monthly", content=Table(frame=frame, columns=columns), charts=[chart])
    book = write(Book(file="a.xlsx", sheets=[sheet, replace(sheet, name="Again")]))
    with zipfile.ZipFile(io.BytesIO(book.content)) as parts:
        for number in (1, 2):
            drawing = parts.read(f"xl/drawings/drawing{number}.xml").decode()
            assert """descr='Payments: Paid &amp; "due" by Month'""" in drawing
