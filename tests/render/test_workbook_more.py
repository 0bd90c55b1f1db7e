"""The workbook's other sides: tables over several sheets, groups, looks, the page about the report, and all readers."""

from __future__ import annotations

import datetime as dt
import io
import math
import re
import shutil
import subprocess
import time
import zipfile
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from python_calamine import CalamineWorkbook
from support.xlsx import faults

from reports.errors import RenderError
from reports.model import About, Book, Chart, Column, Figure, Figures, Provenance, Sheet, Table, Theme
from reports.render import workbook
from reports.render.locales import Locale
from reports.render.workbook import Written

AS_OF = dt.date(2026, 10, 31)
LOANS = pd.DataFrame(
    {
        "product": ["Fixed", "Fixed", "ARM", "ARM", "ARM", "Fixed"],
        "state": ["CA", "TX", "CA", "CA", "TX", "CA"],
        "balance": [100.0, 250.5, -20.25, 10.0, 40.0, 7.0],
        "moved": [0.01, -0.02, 0.0, 0.5, -0.1, None],
    }
)
COLUMNS = [
    Column(key="product", label="Product"),
    Column(key="state", label="State"),
    Column(key="balance", label="Balance", format="currency", total=True),
    Column(key="moved", label="Moved", format="percent.1"),
]


def write(*sheets: Sheet, **options: Any) -> Written:
    """The workbook, which breaks no rule of the published structure."""
    most = {key: options.pop(key) for key in ("most", "locale") if key in options}
    made = workbook.write(Book(file="Loans", sheets=sheets, title="Loans & more", as_of=AS_OF, **options), **most)
    assert faults(made.artifact.content) == []
    return made


def opened(made: Written, *, values: bool = False) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(made.artifact.content), data_only=values)


def loans(name: str = "Loans", **options: Any) -> Sheet:
    looks = options.pop("looks", {})
    columns = [replace(column, look=looks.get(column.key, "")) for column in options.pop("columns", COLUMNS)]
    return Sheet(name=name, content=Table(frame=options.pop("frame", LOANS), columns=columns), **options)


def rows(sheet: Any) -> list[list[Any]]:
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


def texts(sheet: Any) -> list[str]:
    return [str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value is not None]


# -- more rows than a sheet holds ----------------------------------------------------------------


def test_a_table_goes_on_on_the_next_sheet() -> None:
    """Headings repeat, every row is there once and in order, the totals stand at the end and cover all sheets."""
    made = write(Sheet(name="Summary", content=Figures(items=[])), loans(), loans("Other", frame=LOANS.head(2)), most=5)
    book, cached = opened(made), opened(made, values=True)
    assert book.sheetnames == ["Summary", "Loans", "Loans (2)", "Other"]
    first, second = rows(cached["Loans"]), rows(cached["Loans (2)"])
    assert first[0] == second[0] == ["Product", "State", "Balance", "Moved"]
    assert [row[2] for row in first[1:] + second[1:]] == [*LOANS["balance"], LOANS["balance"].sum()]
    assert book["Loans (2)"]["C5"].value == "=SUBTOTAL(109,Loans[Balance],Loans__2[Balance])"
    assert {name: (one.ref, one.totalsRowCount) for sheet in book for name, one in dict.items(sheet.tables)} == {
        "Loans": ("A1:D4", None), "Loans__2": ("A1:D5", 1), "Other": ("A1:D4", 1),
    }  # fmt: skip


def test_what_goes_on_is_said() -> None:
    """In a sentence for the log, in the contents, with the rows of each, and on the page about the report."""
    made = write(Sheet(name="Summary", content=Figures(items=[])), loans(), most=5, about=About(job="loans"))
    (said,) = made.continued
    assert said == "The 6 rows of 'Loans' take 2 sheets, as one holds 3: they go on on 'Loans (2)'."
    book = opened(made)
    assert said in texts(book["About this report"])
    summary = texts(book["Summary"])
    assert {"Rows 1 to 3 of 6", "Rows 4 to 6 of 6"} <= set(summary)
    assert "=SUM(Loans[Balance],Loans__2[Balance])" in summary
    assert not write(loans(), most=8).continued


def test_a_chart_stands_beside_the_first_rows() -> None:
    """It shows the rows of its sheet, once."""
    chart = Chart(frame=LOANS, kind="bar", x=COLUMNS[0], y=[COLUMNS[2]])
    book = opened(write(loans(charts=[chart, replace(chart, kind="line")]), most=5))
    assert [len(sheet._charts) for sheet in book] == [2, 0]


def test_a_million_rows_and_more_arrive() -> None:
    """At the real limit: the last row of the first sheet and the first of the next are neighbours."""
    count = 1_048_575 + 3
    frame = pd.DataFrame({"n": range(count)})
    began = time.monotonic()
    sheet = Sheet(name="N", content=Table(frame=frame, columns=[Column(key="n", label="N", format="integer")]))
    made = workbook.write(Book(file="n", sheets=[sheet]))
    with zipfile.ZipFile(io.BytesIO(made.artifact.content)) as package:
        first = package.read("xl/worksheets/sheet1.xml").decode()
        second = package.read("xl/worksheets/sheet2.xml").decode()
    assert '<row r="1048576"><c r="A1048576" s="' in first
    assert re.findall(r"<v>(\d+)</v></c></row>", first[-2_000:])[-1] == "1048574"
    assert re.findall(r"<v>(\d+)</v></c></row>", second)[1:] == ["1048575", "1048576", "1048577"]
    assert time.monotonic() - began < 60


# -- groups --------------------------------------------------------------------------------------


def test_rows_are_grouped_with_subtotals() -> None:
    """Each run of equal values is folded under its subtotal; the results are stored, and the sum is right."""
    sheet = loans(group=["product"])
    made = write(sheet)
    found, cached = opened(made)["Loans"], rows(opened(made, values=True)["Loans"])
    assert [row[0] for row in cached[1:]] == [
        "Fixed", "Fixed", "Total of Fixed", "ARM", "ARM", "ARM", "Total of ARM", "Fixed", "Total of Fixed", "Total",
    ]  # fmt: skip
    assert [row[2] for row in cached if str(row[0]).startswith("Total")] == [350.5, 29.75, 7.0, 387.25]
    formulas = [cell.value for cell in found["C"] if str(cell.value).startswith("=")]
    assert formulas == ["=SUBTOTAL(9,C2:C3)", "=SUBTOTAL(9,C5:C7)", "=SUBTOTAL(9,C9:C9)", "=SUBTOTAL(9,C2:C10)"]
    levels = [found.row_dimensions[number].outlineLevel for number in range(1, 12)]
    assert levels == [0, 1, 1, 0, 1, 1, 1, 0, 1, 0, 0]
    assert (found.tables, found.auto_filter.ref, found.freeze_panes) == ({}, "A1:D10", "A2")
    assert (found.print_title_rows, found.sheet_properties.outlinePr.summaryBelow) == ("$1:$1", True)


def test_two_columns_make_groups_in_groups() -> None:
    """The inner subtotals are folded into the outer ones, and none is counted twice."""
    made = write(Sheet(name="Summary", content=Figures(items=[])), loans(group=["product", "state"]))
    found, cached = opened(made)["Loans"], rows(opened(made, values=True)["Loans"])
    labelled = [(row[0], found.row_dimensions[n].outlineLevel) for n, row in enumerate(cached, start=1) if row[2]]
    assert labelled[1:6] == [("Fixed", 2), ("Total of CA", 1), ("Fixed", 2), ("Total of TX", 1), ("Total of Fixed", 0)]
    assert found["C6"].value == "=SUBTOTAL(9,C2:C5)"
    assert cached[-1][2] == 387.25
    assert "='Loans'!C16" in texts(opened(made)["Summary"])


def test_groups_of_nothing_are_an_empty_sheet() -> None:
    """Headings, a blank row, totals of nothing."""
    made = write(loans(group=["product"], frame=LOANS.head(0)))
    assert [row[2] for row in rows(opened(made, values=True)["Loans"])] == ["Balance", None, 0]


def test_groups_do_not_go_on_on_a_next_sheet() -> None:
    """What would be cut off from its subtotal is an error with both numbers."""
    with pytest.raises(RenderError, match="would take 11 rows with their subtotals; a sheet can have 10"):
        write(loans(group=["product"]), most=10)


# -- looks ---------------------------------------------------------------------------------------


def test_numbers_are_drawn_as_excel_draws_them() -> None:
    """Bars with an axis at zero, heat over white at zero, arrows with their sign: over the rows, never the totals."""
    looks = {"balance": "bar", "moved": "change"}
    made = write(loans(looks=looks), loans("Heat", looks={"balance": "heat"}), theme=Theme(accent="#006644"))
    bars, heat = opened(made).worksheets
    rules = {str(one.sqref): [rule.type for rule in one.rules] for one in bars.conditional_formatting}
    assert rules == {"C2:C7": ["dataBar"], "D2:D7": ["cellIs", "cellIs"], "C2:C8": ["cellIs"]}
    assert bars["D2"].number_format == '"▲"\\ +#,##0.0%;"▼"\\ \\-#,##0.0%;#,##0.0%'
    scale = next(rule for one in heat.conditional_formatting for rule in one.rules if rule.type == "colorScale")
    assert [(one.type, one.val) for one in scale.colorScale.cfvo] == [("min", None), ("num", 0.0), ("max", None)]
    with zipfile.ZipFile(io.BytesIO(made.artifact.content)) as package:
        sheet = package.read("xl/worksheets/sheet1.xml").decode()
    assert 'gradient="0"' in sheet
    assert "<x14:negativeFillColor" in sheet


def test_the_theme_is_the_projects() -> None:
    """Headings and the band are on its accent, in an ink that can be read there."""
    theme = Theme(accent="#FFCC00", on_accent="#000000", link="#7A6200")
    book = opened(write(Sheet(name="Summary", content=Figures(items=[])), loans(), theme=theme))
    assert (book["Loans"]["A1"].fill.start_color.rgb, book["Loans"]["A1"].font.color.rgb) == ("00FFCC00", "00000000")
    assert book["Summary"]["A1"].fill.start_color.rgb == "00FFCC00"


def test_figures_stand_beside_those_of_the_last_run() -> None:
    """With the change as a formula and its result; which direction is good decides the colour, the sign is there."""
    items = [
        Figure(label="Balance", value=120.0, before=100.0, format="currency", good="up"),
        Figure(label="Losses", value=12.0, before=10, format="integer", good="down"),
        Figure(label="Day", value=AS_OF, before=AS_OF, format="date"),
        Figure(label="New", value=1, format="integer"),
    ]
    made = write(Sheet(name="Summary", content=Figures(items=items)), loans())
    sheet, cached = opened(made)["Summary"], opened(made, values=True)["Summary"]
    start = next(cell.row for cell in sheet["B"] if cell.value == "Balance")
    assert [cell.value for cell in sheet[start - 1]][3:5] == ["Last run", "Change"]
    assert [cell.value for cell in sheet[start]][2:5] == [120, 100, f"=C{start}-D{start}"]
    assert [cached.cell(start + n, 5).value for n in range(4)] == [20, 2, None, None]
    up, down = sheet.cell(start, 5), sheet.cell(start + 1, 5)
    assert up.font.color.rgb != down.font.color.rgb
    assert "▲" in up.number_format


# -- about this report ---------------------------------------------------------------------------


def about() -> About:
    sql = "SELECT *\n\tFROM loans\nWHERE " + " AND ".join(f"x{n} = {n}" for n in range(40))
    origin = Provenance(dataset="loans", source="warehouse", sql=sql, query_hash="0123456789ab", rows=6, set_aside=2)
    return About(job="cashflow", datasets=[origin], params={"day": AS_OF, "rate": 0.5}, notices=["2 rows did not fit."])


def test_the_last_sheet_is_about_the_report() -> None:
    """Job, date, parameters, notices, each dataset with its query, each column with its meaning."""
    columns = [replace(COLUMNS[2], description="Outstanding principal"), COLUMNS[3]]
    made = write(Sheet(name="Summary", content=Figures(items=[])), loans(columns=columns), about=about())
    book = opened(made)
    assert book.sheetnames[-1] == "About this report"
    found = [[cell.value for cell in row if cell.value is not None] for row in book["About this report"].iter_rows()]
    for line in (
        ["Report", "Loans & more"], ["Job", "cashflow"], ["As of", "2026-10-31"], ["Notice", "2 rows did not fit."],
        ["day", "2026-10-31"], ["rate", "0.5"], ["Source", "warehouse"], ["Query", "0123456789ab"], ["Rows", "6"],
        ["Rows set aside", "2"], ["SELECT *"], ["    FROM loans"],
        ["Balance", "balance", "amount", "yes", "Outstanding principal"],
        ["Moved", "moved", "percentage, 1 decimal"],
    ):  # fmt: skip
        assert line in found, line
    links = [cell.hyperlink.location for cell in book["Summary"]["B"] if cell.hyperlink]
    assert links == ["'Loans'!A1", "'About this report'!A1"]


def test_a_very_long_query_is_cut_with_its_hash() -> None:
    """A sheet is no place for a thousand lines."""
    origin = replace(about().datasets[0], sql="\n".join(f"-- {n}" for n in range(1_000)))
    found = texts(opened(write(loans(), about=About(job="j", datasets=[origin])))["About this report"])
    assert "… 850 more lines; the whole query has the hash 0123456789ab" in found
    assert "-- 149" in found
    assert "-- 150" not in found


def test_what_excel_cannot_hold_is_named_in_the_workbook() -> None:
    """Sheet, column, how many and the first, for tables and figures."""
    frame = pd.DataFrame({"id": [10**20, 1, 10**17]}, dtype=object)
    sheet = Sheet(name="Ids", content=Table(frame=frame, columns=[Column(key="id", label="Id", format="integer")]))
    figures = Sheet(name="Summary", content=Figures(items=[Figure(label="Odd", value=math.inf, format="number")]))
    made = write(figures, sheet, about=about())
    found = [[cell.value for cell in row if cell.value] for row in opened(made)["About this report"].iter_rows()]
    assert ["Ids", "Id", "2 whole numbers have over 15 digits: kept as text", "100000000000000000000"] in found
    assert ["Summary", "Odd", "1 value is infinite: kept as text", "inf"] in found
    assert not any(note.lost for note in made.notes)


def test_it_speaks_the_language_of_the_report() -> None:
    """Dates and amounts as well."""
    made = write(loans(), about=about(), locale=Locale("de", "EUR"))
    sheet = opened(made)["Loans"]
    assert sheet["C2"].number_format.endswith("[$€-407]")


def test_nothing_of_the_clock_or_the_machine_gets_in() -> None:
    """The bytes are the same later, and no part names a path, a user or a time that is not the report's."""
    made = write(loans(), about=about())
    time.sleep(2.1)
    assert write(loans(), about=about()).artifact.sha256 == made.artifact.sha256
    with zipfile.ZipFile(io.BytesIO(made.artifact.content)) as package:
        every = b"".join(package.read(name) for name in package.namelist()).decode()
        properties = package.read("docProps/core.xml").decode()
    assert re.findall(r"\d{4}-\d\d-\d\dT[^<]*", properties) == ["2026-10-31T00:00:00Z"] * 2
    assert str(Path.home()) not in every
    assert str(Path.cwd()) not in every


# -- every reader --------------------------------------------------------------------------------

HOSTILE: list[tuple[Any, str]] = [
    ("=1+1", "=1+1"), ('=HYPERLINK("http://x")', '=HYPERLINK("http://x")'), ("+1", "+1"), ("-1", "-1"),
    ("@SUM(A1)", "@SUM(A1)"), ("\t=1", "\t=1"), ("{=1}", "{=1}"), ("http://example.com/" + "x" * 2_100, ""),
    ("mailto:a@example.com", "mailto:a@example.com"), ("internal:Sheet1!A1", "internal:Sheet1!A1"), ("#N/A", "#N/A"),
    ("00123", "00123"), ("123456789012345678", "123456789012345678"), ("_x0041_", "_x0041_"), ("\x0b\x07", "␋␇"),
    ("\ufffe", "�"), ("\ud800", "�"), ("a\nb", "a\nb"), ("a\r\nb", "a\nb"), (" padded ", " padded "),
    ("贷款 余额", "贷款 余额"), ("👩‍👩‍👧", "👩‍👩‍👧"), ("TRUE", "TRUE"), ("1E5", "1E5"), ("\n" * 300 + "x", "\n" * 300 + "x"),
    ("<&>\"'", "<&>\"'"), ("مرحبا", "مرحبا"), (123456789012345678, "123456789012345678"),
    (Decimal(12345678901234567890), "12345678901234567890"), (dt.date(1899, 12, 31), "1899-12-31"),
]  # fmt: skip


def hostile() -> tuple[Written, list[str]]:
    expected = [text or given for given, text in HOSTILE]
    frame = pd.DataFrame({"text": [given for given, _ in HOSTILE], "n": range(len(HOSTILE))}, dtype=object)
    columns = [Column(key="text", label="Text"), Column(key="n", label="N", format="number", total=True)]
    many = pd.concat([frame] * 200, ignore_index=True)
    return write(Sheet(name="Hostile", content=Table(frame=many, columns=columns))), expected * 200


def test_every_reader_finds_the_same_in_a_hostile_book() -> None:
    """openpyxl, python-calamine and pandas, each text to the character."""
    made, expected = hostile()
    content = made.artifact.content
    assert [row[0] for row in opened(made)["Hostile"].iter_rows(min_row=2, values_only=True)][:-1] == expected
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0)
    assert [row[0] for row in sheet.to_python()[1:-1]] == expected
    frame = pd.read_excel(io.BytesIO(content), dtype=str, keep_default_na=False, engine="calamine")
    assert frame["Text"].tolist()[:-1] == expected


@pytest.mark.office
def test_another_office_finds_the_same_in_a_hostile_book(tmp_path: Path) -> None:
    """LibreOffice opens it, and saves each text and each number again as it was."""
    if not (office := shutil.which("soffice")):
        pytest.skip("LibreOffice (soffice) is not on this machine")
    made, expected = hostile()
    (tmp_path / "in.xlsx").write_bytes(made.artifact.content)
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    command = [
        office,
        profile,
        "--headless",
        "--convert-to",
        "xlsx",
        "--outdir",
        tmp_path / "out",
        tmp_path / "in.xlsx",
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    sheet = openpyxl.load_workbook(tmp_path / "out" / "in.xlsx").worksheets[0]
    assert [row[0] for row in sheet.iter_rows(min_row=2, values_only=True)][:-1] == expected
    assert [row[1] for row in sheet.iter_rows(min_row=2, values_only=True)][:-1] == list(range(len(HOSTILE))) * 200


@pytest.mark.parametrize(("language", "turned"), [("ar", True), ("he", True), ("de", None)])
def test_sheets_run_as_the_language_does(*, language: str, turned: bool | None) -> None:
    """In Arabic and Hebrew the first column is at the right."""
    made = write(loans(), locale=Locale(language))
    views = [sheet.sheet_view.rightToLeft for sheet in openpyxl.load_workbook(io.BytesIO(made.artifact.content))]
    assert set(views) == {turned}
