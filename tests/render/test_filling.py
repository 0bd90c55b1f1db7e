"""A workbook that somebody designed is filled, and stays the workbook that it was."""

from __future__ import annotations

import datetime as dt
import io
import shutil
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import openpyxl
import pandas as pd
import pytest
import xlsxwriter
from openpyxl.chart import LineChart, Reference
from openpyxl.drawing.image import Image as Picture
from openpyxl.formatting.rule import CellIsRule
from openpyxl.styles import Font, PatternFill
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.table import Table as NativeTable
from openpyxl.worksheet.table import TableStyleInfo
from PIL import Image
from python_calamine import CalamineWorkbook

from reports.errors import RenderError
from reports.model import Column, Table
from reports.render.filling import Filled, Filling, run_values

NAMED = run_values(title="Loan cash flows", job="cashflow", as_of=dt.date(2026, 10, 31))


def loans(count: int) -> Table:
    """So many loans: an id with zeros before it, a date, two numbers."""
    frame = pd.DataFrame(
        {
            "loan_id": [f"{number:05d}" for number in range(count)],
            "made": pd.to_datetime(["2026-01-31"] * count),
            "balance": [1000.5 + number for number in range(count)],
            "rate": [0.05] * count,
        }
    )
    formats = {"made": "date", "balance": "number", "rate": "number"}
    return Table(
        frame=frame, columns=[Column(key=key, label=key, format=formats.get(key, "text")) for key in frame.columns]
    )


def figures() -> Table:
    frame = pd.DataFrame(
        {"label": ["Total balance", "Note"], "value": [Decimal("12.5"), "=1+1"], "format": ["currency", "text"]}
    )
    return Table(frame=frame, columns=[Column(key=key, label=key) for key in frame.columns])


def template(rows: int = 3, *, below: bool = True) -> bytes:
    """A designed workbook: a table with totals and a calculated column, and all that people put around one."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Our loans"
    sheet["A1"], sheet["A1"].font = "Loans", Font(size=20, bold=True)
    sheet["B1"].number_format = "dd/mm/yyyy"
    headings = ["Loan ID", "Made", "Balance", "Rate", "Interest"]
    for place, heading in enumerate(headings, 1):
        sheet.cell(3, place, heading)
    for number in range(4, 4 + rows):
        for place, value in enumerate(["x", dt.date(2020, 1, 1), 1.0, 0.1, f"=C{number}*D{number}"], 1):
            sheet.cell(number, place, value)
        sheet.cell(number, 3).number_format = "#,##0.00"
        sheet.cell(number, 3).fill = PatternFill("solid", fgColor="FFF2CC")
    last = 3 + rows
    sheet.cell(last + 1, 1, "Total")
    sheet.cell(last + 1, 3, "=SUBTOTAL(109,Loans[Balance])")
    table = NativeTable(displayName="Loans", ref=f"A3:E{last + 1}", totalsRowCount=1)
    table._initialise_columns()
    for column, heading in zip(table.tableColumns, headings, strict=True):
        column.name = heading
    table.tableColumns[2].totalsRowFunction = "sum"
    table.autoFilter.ref = f"A3:E{last}"
    table.tableStyleInfo = TableStyleInfo(name="TableStyleMedium4", showRowStripes=True)
    sheet.add_table(table)
    sheet.conditional_formatting.add(
        f"C4:C{last}", CellIsRule(operator="lessThan", formula=["0"], font=Font(color="FF0000"))
    )
    check = DataValidation(type="decimal", operator="greaterThan", formula1="0")
    check.add(f"D4:D{last}")
    sheet.add_data_validation(check)
    if below:
        sheet.cell(last + 3, 1, "Signed by the desk")
        sheet.cell(last + 3, 3, f"=C{last + 1}*2")
        sheet.merge_cells(start_row=last + 3, end_row=last + 3, start_column=4, end_column=5)
    chart = LineChart()
    chart.add_data(Reference(sheet, min_col=3, min_row=3, max_row=last), titles_from_data=True)
    sheet.add_chart(chart, f"G{last + 6}")
    picture = io.BytesIO()
    Image.new("RGB", (20, 10), "red").save(picture, "PNG")
    picture.seek(0)
    sheet.add_image(Picture(picture), "G1")
    sheet.freeze_panes, sheet.print_title_rows = "A4", "3:3"
    sheet.page_setup.orientation = "landscape"
    sheet.oddFooter.center.text = "Page &P"
    sums = book.create_sheet("Sums")
    sums["A1"] = f"=SUM('Our loans'!C4:C{last})"
    sums["A2"] = "kept as it is"
    for name, place in {
        "as_of": "'Our loans'!$B$1",
        "headline_Total_balance": "Sums!$B$1",
        "headline_Note": "Sums!$B$2",
    }.items():
        book.defined_names[name] = DefinedName(name, attr_text=place)
    book.defined_names["Balances"] = DefinedName("Balances", attr_text=f"'Our loans'!$C$4:$C${last}")
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def fill(made: bytes, **tables: Table) -> Filled:
    return Filling(made, "templates/loans.xlsx", tables=tables, named=NAMED).fill()


def opened(content: bytes, *, values: bool = False) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(content), data_only=values)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 50, 5000])
def test_a_table_takes_as_many_rows_as_there_are(count: int) -> None:
    """It grows or shrinks with its totals below it, and every reader finds the same rows."""
    filled = fill(template(), loans=loans(count))
    sheet = opened(filled.content)["Our loans"]
    last = 3 + max(count, 1)
    assert (sheet.tables["Loans"].ref, sheet.tables["Loans"].autoFilter.ref) == (f"A3:E{last + 1}", f"A3:E{last}")
    assert [sheet.cell(last + 1, 1).value, sheet.cell(last + 1, 3).value] == ["Total", "=SUBTOTAL(109,Loans[Balance])"]
    found = [[cell.value for cell in row[:4]] for row in sheet.iter_rows(min_row=4, max_row=last)]
    frame = loans(count).frame
    assert [row[0] for row in found] == (frame["loan_id"].tolist() or [None])
    assert [row[2] for row in found] == (frame["balance"].tolist() or [None])
    rows = CalamineWorkbook.from_filelike(io.BytesIO(filled.content)).get_sheet_by_name("Our loans").to_python()
    assert len(rows) == last + 3
    assert rows[last][2] == pytest.approx(frame["balance"].sum())
    assert rows[last + 2][0] == "Signed by the desk"


def test_what_refers_to_the_table_follows() -> None:
    """Formulas on this and on other sheets, rules, names, merged cells, the chart and its place."""
    filled = fill(template(), loans=loans(10))
    book = opened(filled.content)
    sheet = book["Our loans"]
    assert book["Sums"]["A1"].value == "=SUM('Our loans'!C4:C13)"
    assert sheet["C16"].value == "=C14*2"
    assert [str(one.sqref) for one in sheet.conditional_formatting] == ["C4:C13"]
    assert [str(one.sqref) for one in sheet.data_validations.dataValidation] == ["D4:D13"]
    assert [str(one) for one in sheet.merged_cells.ranges] == ["D16:E16"]
    assert book.defined_names["Balances"].attr_text == "'Our loans'!$C$4:$C$13"
    (chart,) = sheet._charts
    assert chart.ser[0].val.numRef.f == "'Our loans'!$C$4:$C$13"
    assert [point.v for point in chart.ser[0].val.numRef.numCache.pt][-1] == 1009.5
    assert chart.anchor._from.row == 11 + 7


def test_the_rest_of_the_template_stays() -> None:
    """Looks, picture, print set-up, panes; parts that nothing was changed in are the same bytes."""
    made = template()
    filled = fill(made, loans=loans(7), headline=figures())
    sheet = opened(filled.content)["Our loans"]
    assert (sheet["C10"].fill.fgColor.rgb, sheet["C10"].number_format) == ("00FFF2CC", "#,##0.00")
    assert (sheet["A1"].font.size, sheet.freeze_panes, sheet.print_title_rows) == (20, "A4", "$3:$3")
    assert (sheet.page_setup.orientation, sheet.oddFooter.center.text) == ("landscape", "Page &P")
    assert len(sheet._images) == 1
    with ZipFile(io.BytesIO(made)) as old, ZipFile(io.BytesIO(filled.content)) as new:
        for name in ("xl/media/image1.png", "xl/theme/theme1.xml", "docProps/core.xml"):
            assert old.read(name) == new.read(name)


def test_a_formula_of_the_table_is_in_every_row() -> None:
    """A column that no dataset has repeats the formula of the first row, for its own row."""
    sheet = opened(fill(template(), loans=loans(6)).content)["Our loans"]
    assert [sheet.cell(row, 5).value for row in range(4, 10)] == [f"=C{row}*D{row}" for row in range(4, 10)]


def test_named_cells_take_the_run_and_the_figures() -> None:
    """A date in the cell's own format, a number as a number, and text as text."""
    book = opened(fill(template(), loans=loans(1), headline=figures()).content)
    assert (book["Our loans"]["B1"].value, book["Our loans"]["B1"].number_format) == (
        pd.Timestamp(2026, 10, 31),
        "dd/mm/yyyy",
    )
    assert (book["Sums"]["B1"].value, book["Sums"]["B2"].value, book["Sums"]["B2"].data_type) == (12.5, "=1+1", "s")
    assert book["Sums"]["A2"].value == "kept as it is"


def test_dates_are_seen_as_dates_where_the_template_says_nothing() -> None:
    """And a column that was made for texts stays one."""
    sheet = opened(fill(template(), loans=loans(2)).content)["Our loans"]
    assert sheet["B5"].value == pd.Timestamp(2026, 1, 31)
    assert sheet["B5"].is_date


def test_a_named_range_is_filled_like_a_table() -> None:
    """Its first row has the headings; it is as long as the dataset from now on."""
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True}) as book:
        sheet = book.add_worksheet("S")
        sheet.write_row("B2", ["balance", "loan id"])
        sheet.write_row("B3", [1, "x"])
        sheet.write("A3", "beside")
        sheet.write("B5", "=SUM(B3:B3)")
        book.define_name("loans", "=S!$B$2:$C$3")
    filled = fill(made.getvalue(), loans=loans(4))
    found = opened(filled.content)["S"]
    assert [[cell.value for cell in row] for row in found["A2:C6"]] == [
        [None, "balance", "loan id"], ["beside", 1000.5, "00000"], [None, 1001.5, "00001"],
        [None, 1002.5, "00002"], [None, 1003.5, "00003"],
    ]  # fmt: skip
    assert opened(filled.content).defined_names["loans"].attr_text == "S!$B$2:$C$6"
    assert found["B8"].value == "=SUM(B3:B6)"
    assert filled.said == ["loans: the template has no column for made, rate of loans"]


def test_two_tables_one_below_the_other() -> None:
    """The lower one moves when the upper one grows."""
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True}) as book:
        sheet = book.add_worksheet("S")
        for top, name in ((1, "Upper"), (6, "Lower")):
            columns = [{"header": "loan_id"}, {"header": "balance"}]
            sheet.add_table(top, 0, top + 1, 1, {"name": name, "columns": columns, "data": [["x", 1]]})
    filled = fill(made.getvalue(), upper=loans(5), lower=loans(3))
    found = opened(filled.content)["S"]
    assert dict(found.tables.items()) == {"Upper": "A2:B7", "Lower": "A11:B14"}
    assert [found.cell(row, 2).value for row in (3, 7, 11, 12, 14)] == [1000.5, 1004.5, "balance", 1000.5, 1002.5]


def test_formulas_of_a_table_that_was_moved_are_those_of_its_rows() -> None:
    """One above it has grown: each formula is of its own row, and what it says of one cell follows that cell."""
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True}) as book:
        sheet = book.add_worksheet("S")
        sheet.add_table(1, 0, 2, 0, {"name": "Upper", "columns": [{"header": "loan_id"}], "data": [["x"]]})
        sheet.write("C5", 100)
        sheet.add_table("A7:B8", {"name": "Lower", "columns": [{"header": "balance"}, {"header": "Share"}]})
        sheet.write_formula("B8", "=A8/$C$5")
    filled = fill(made.getvalue(), upper=loans(5), lower=loans(3))
    found = opened(filled.content)["S"]
    assert [found.cell(row, 2).value for row in (12, 13, 14)] == ["=A12/$C$9", "=A13/$C$9", "=A14/$C$9"]


def test_equal_input_gives_equal_bytes() -> None:
    """Also of large tables, whose rows are written in blocks."""
    made = template()
    assert fill(made, loans=loans(9000)).content == fill(made, loans=loans(9000)).content


def changed(**cells: Any) -> bytes:
    book = opened(template())
    sheet = book["Our loans"]
    for address, value in cells.items():
        sheet[address] = value
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


@pytest.mark.parametrize(
    ("made", "tables", "told"),
    [
        (b"no zip", {"loans": loans(1)}, "is no .xlsx file"),
        (b"\xd0\xcf\x11\xe0" + b"x" * 99, {"loans": loans(1)}, "is encrypted"),
        (template(), {"others": loans(1)}, "Loans"),
        (template(), {"loans": figures()}, "column 'Loan ID' of 'Loans'"),
        (changed(H6="beside"), {"loans": loans(1)}, "row 6 has cells beside it"),
    ],
)
def test_what_cannot_be_filled_is_told(made: bytes, tables: dict[str, Table], told: str) -> None:
    """With what the template has, so that a name can be put right."""
    with pytest.raises(RenderError) as error:
        fill(made, **tables)
    assert told in str(error.value)


def test_a_table_can_be_named_for_a_dataset() -> None:
    """Where the template's names are not ours; one that it does not have is told with the nearest."""
    chosen = Filling(template(), "t", tables={"tape": loans(2)}, named=NAMED, chosen={"Loans": "tape"}).fill()
    assert chosen.datasets == ["tape"]
    with pytest.raises(RenderError, match="no table or range 'Lons'"):
        Filling(template(), "t", tables={"tape": loans(2)}, named=NAMED, chosen={"Lons": "tape"}).fill()


def converted(path: Path) -> bytes:
    """The workbook as LibreOffice reads it, calculates it and writes it."""
    home, out = (path.parent / "profile").as_uri(), path.parent / "out"
    options = ["--headless", "--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", str(out)]
    command = ["soffice", f"-env:UserInstallation={home}", *options, str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return (out / path.name).read_bytes()


@pytest.mark.office
@pytest.mark.parametrize("count", [1, 40])
def test_libreoffice_calculates_it(tmp_path: Path, count: int) -> None:
    """It opens without a repair, and the formulas that were there give the new rows' results."""
    if shutil.which("soffice") is None:
        pytest.skip("LibreOffice is not installed")
    (tmp_path / "filled.xlsx").write_bytes(fill(template(), loans=loans(count), headline=figures()).content)
    book = opened(converted(tmp_path / "filled.xlsx"), values=True)
    total = loans(count).frame["balance"].sum()
    assert book["Sums"]["A1"].value == pytest.approx(total)
    assert book["Our loans"].cell(4 + count, 3).value == pytest.approx(total)
    assert book["Our loans"].cell(4, 5).value == pytest.approx(1000.5 * 0.05)
    assert book["Our loans"].cell(6 + count, 3).value == pytest.approx(2 * total)


# -- what stands beside a table ----------------------------------------------------------------------------


def beside(cells: dict[str, Any], *, table: str = "", name: str = "") -> bytes:
    """A table of loans in A1:B3 with other cells beside it, perhaps a table of them or a name for one."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Data"
    for row in (["loan_id", "balance"], ["x", 1], ["y", 2]):
        sheet.append(row)
    sheet.add_table(NativeTable(displayName="Loans", ref="A1:B3"))
    for address, value in cells.items():
        sheet[address] = value
    if table:
        sheet.add_table(NativeTable(displayName="Other", ref=table))
    if name:
        book.defined_names["as_of"] = DefinedName("as_of", attr_text=f"Data!{name}")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize("count", [2, 5])
def test_two_tables_in_the_same_rows_are_an_error(count: int) -> None:
    """Each would push the other's rows down; nothing is lost without a word."""
    made, other = beside({"D1": "balance", "D2": 9}, table="D1:D2"), loans(8)
    with pytest.raises(RenderError, match="'Loans' and 'Other' share rows of sheet 'Data'"):
        Filling(made, "t.xlsx", tables={"loans": loans(count), "other": other}, named=NAMED).fill()


def test_a_table_beside_one_that_grows_is_not_torn_apart() -> None:
    """It is told; beside one that keeps its length it stays."""
    made = beside({"D1": "kept", "D2": 9, "D3": 8, "D4": 7}, table="D1:D4")
    with pytest.raises(RenderError, match="the table 'Other' stands beside it"):
        Filling(made, "t.xlsx", tables={"loans": loans(5)}, named=NAMED).fill()
    same = Filling(made, "t.xlsx", tables={"loans": loans(2)}, named=NAMED).fill()
    sheet = openpyxl.load_workbook(io.BytesIO(same.content))["Data"]
    assert [sheet[f"D{row}"].value for row in range(1, 5)] == ["kept", 9, 8, 7]


@pytest.mark.parametrize("place", ["$D$1", "$D$2", "$D$3", "$D$9"])
def test_a_named_cell_may_stand_beside_a_table(place: str) -> None:
    """In whichever row: it has its value and the table has all of its rows."""
    filled = Filling(beside({}, name=place), "t.xlsx", tables={"loans": loans(5)}, named=NAMED).fill()
    book = openpyxl.load_workbook(io.BytesIO(filled.content))
    sheet = book["Data"]
    assert [sheet[f"A{row}"].value for row in range(2, 7)] == [f"{number:05d}" for number in range(5)]
    where = book.defined_names["as_of"].attr_text.rpartition("!")[2].replace("$", "")
    assert sheet[where].value == dt.datetime(2026, 10, 31)  # noqa: DTZ001


def test_a_dataset_that_the_run_does_not_have_is_told() -> None:
    """With those that it has: hooks may not have made it."""
    with pytest.raises(RenderError, match="there is no dataset 'laons' for 'Loans'") as caught:
        Filling(beside({}), "t.xlsx", tables={"loans": loans(1)}, named=NAMED, chosen={"Loans": "laons"}).fill()
    assert "did you mean 'loans'" in caught.value.hint


@pytest.mark.office
def test_a_template_that_another_program_wrote_is_filled(tmp_path: Path) -> None:
    """LibreOffice writes the same workbook in its own way."""
    if shutil.which("soffice") is None:
        pytest.skip("LibreOffice is not installed")
    (tmp_path / "made.xlsx").write_bytes(template())
    written = converted(tmp_path / "made.xlsx")
    book = opened(fill(written, loans=loans(10), headline=figures()).content)
    sheet = book["Our loans"]
    assert (sheet.tables["Loans"].ref, book["Sums"]["A1"].value) == ("A3:E14", "=SUM('Our loans'!C4:C13)")
    assert [sheet["C13"].value, sheet["E13"].value, sheet["C16"].value] == [1009.5, "=C13*D13", "=C14*2"]
    assert sheet._charts[0].ser[0].val.numRef.f == "'Our loans'!$C$4:$C$13"
