"""Rows as XML, and a draft turned into a finished package."""

import io
import zipfile
from collections.abc import Iterator

import pytest

from reports.render.cells import EMPTY
from reports.render.shared_strings import Strings
from reports.render.sheet_stream import BLOCK, CELLS, SheetData, Stream, assemble, letter, row, rows
from reports.render.values import Pieces

DRAFT = {
    "xl/worksheets/sheet1.xml": "<worksheet><cols/><sheetData><row r='9'/></sheetData>{after}</worksheet>",
    "[Content_Types].xml": "<Types></Types>",
    "xl/_rels/workbook.xml.rels": "<Relationships></Relationships>",
    "docProps/app.xml": "<Properties/>",
}


def draft(after: str = "") -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as package:
        for name, text in DRAFT.items():
            package.writestr(name, text.replace("{after}", after))
    return content.getvalue()


def assembled(data: SheetData, strings: Strings | None = None, after: str = "") -> zipfile.ZipFile:
    sheets = {"xl/worksheets/sheet1.xml": data}
    return zipfile.ZipFile(io.BytesIO(assemble(draft(after), sheets, strings or Strings())))


def test_columns_have_excels_letters() -> None:
    """A to Z, AA to ZZ, and so on up to the last column there is, XFD."""
    assert [letter(column) for column in (0, 25, 26, 701, 702, 16_383)] == ["A", "Z", "AA", "ZZ", "AAA", "XFD"]


def test_a_row_has_its_cells_in_order_and_its_height() -> None:
    """Cells stand from left to right whatever order they were given in."""
    assert row(3, {2: (5, "><v>1</v></c>"), 0: (4, EMPTY)}, height=20.5) == (
        '<row r="3" ht="20.5" customHeight="1"><c r="A3" s="4"/><c r="C3" s="5"><v>1</v></c></row>'
    )


def numbers(start: int, stop: int) -> Pieces:
    return ' s="7"><v>%d</v></c>', range(start, stop)


def test_columns_fill_one_pattern() -> None:
    """Cells of one look, and cells that bring their own, side by side; an outline's level on each row."""
    texts = [' s="8" t="s"><v>0</v></c>', f' s="7"{EMPTY}']
    columns: list[Stream] = [numbers, lambda start, stop: ("%s", texts[start:stop])]
    assert "".join(rows(columns, first=2, places=range(2))) == (
        '<row r="2"><c r="A2" s="7"><v>0</v></c><c r="B2" s="8" t="s"><v>0</v></c></row>'
        '<row r="3"><c r="A3" s="7"><v>1</v></c><c r="B3" s="7"/></row>'
    )
    assert "".join(rows([numbers], first=9, places=range(4, 5), level=2)) == (
        '<row r="9" outlineLevel="2"><c r="A9" s="7"><v>4</v></c></row>'
    )


@pytest.mark.parametrize("count", [0, 1, BLOCK, BLOCK + 1, 3 * BLOCK - 1])
@pytest.mark.parametrize("width", [1, 100])
def test_rows_come_in_blocks_without_a_gap(count: int, width: int) -> None:
    """Whatever the number of rows, each is written once, in order, and no block holds more than its share."""
    asked: list[int] = []

    def column(start: int, stop: int) -> Pieces:
        asked.append(stop - start)
        return numbers(start, stop)

    text = "".join(rows([column] * width, first=2, places=range(count)))
    row = "".join(f'<c r="{letter(place)}%d" s="7"><v>%d</v></c>' for place in range(width))
    expected = "".join(f'<row r="{n + 2}">{row % ((n + 2, n) * width)}</row>' for n in range(count))
    assert text == expected
    assert max(asked, default=0) <= min(BLOCK, max(1, CELLS // width))


def test_an_error_while_rows_are_made_is_told() -> None:
    """Also where rows are compressed beside."""

    def failing() -> Iterator[str]:
        yield "<row r='1'/>"
        raise ValueError("row 2 is broken")

    with pytest.raises(ValueError, match="row 2 is broken"):
        assembled(SheetData(rows=failing()))


def test_data_bars_are_told_of_their_extensions() -> None:
    """Each rule of data bars gets its mark, in order; the extensions stand at the very end."""
    rule = "<cfRule><dataBar></dataBar></cfRule>"
    data = SheetData(rows=[], marks=["<m1/>", "<m2/>"], extensions="<extLst/>")
    sheet = assembled(data, after=f"{rule}{rule}<tableParts/>").read("xl/worksheets/sheet1.xml").decode()
    marked = "".join(f"<cfRule><dataBar></dataBar><m{n}/></cfRule>" for n in (1, 2))
    assert sheet.endswith(f"{marked}<tableParts/><extLst/></worksheet>")


def test_the_rows_take_the_placeholders_place() -> None:
    """Everything else of the draft's sheet stays where it was."""
    package = assembled(SheetData(rows=["<row r='1'/>", "<row r='2'/>"]), after="<tableParts/>")
    assert package.read("xl/worksheets/sheet1.xml") == (
        b"<worksheet><cols/><sheetData><row r='1'/><row r='2'/></sheetData><tableParts/></worksheet>"
    )


@pytest.mark.parametrize("after", ["<drawing r='1'/><tableParts/>", "<tableParts/>", ""])
def test_ignored_errors_stand_before_drawings_and_tables(after: str) -> None:
    """The schema's order, which Excel insists on, whatever follows."""
    data = SheetData(rows=[], text_ranges=["A2:A9", "C2:C9"])
    sheet = assembled(data, after=f"<headerFooter/>{after}").read("xl/worksheets/sheet1.xml").decode()
    ignored = '<ignoredErrors><ignoredError sqref="A2:A9 C2:C9" numberStoredAsText="1"/></ignoredErrors>'
    assert sheet.endswith(f"<headerFooter/>{ignored}{after}</worksheet>")


def test_the_package_knows_its_shared_strings() -> None:
    """Strings entered while rows are written are in the part, once each, escaped; the package refers to it."""
    strings = Strings()
    texts = (strings.tail(text) for text in ("a & b", " a", "a & b", "_x0041_", "=1"))
    package = assembled(SheetData(rows=(f"<c{tail}" for tail in texts)), strings)
    assert b"".join([b'<c t="s"><v>%d</v></c>' % n for n in (0, 1, 0, 2, 3)]) in package.read(
        "xl/worksheets/sheet1.xml"
    )
    assert (
        package.read("xl/sharedStrings.xml")
        .decode()
        .endswith(
            '<si><t>a &amp; b</t></si><si><t xml:space="preserve"> a</t></si>'
            "<si><t>_x005F_x0041_</t></si><si><t>=1</t></si></sst>"
        )
    )
    assert b'PartName="/xl/sharedStrings.xml"' in package.read("[Content_Types].xml")
    assert b'Target="sharedStrings.xml"' in package.read("xl/_rels/workbook.xml.rels")


def test_entries_are_ordered_and_dated_alike() -> None:
    """The content types come first, where scanners look, and no entry has the present time."""
    package = assembled(SheetData(rows=[]))
    assert package.namelist() == [
        "[Content_Types].xml", "docProps/app.xml", "xl/_rels/workbook.xml.rels", "xl/worksheets/sheet1.xml",
        "xl/sharedStrings.xml",
    ]  # fmt: skip
    assert {one.date_time for one in package.infolist()} == {(1980, 1, 1, 0, 0, 0)}
