"""Rows of worksheets as XML, made by string formatting and streamed into a finished package.

Why not openpyxl's own cells: a million of them take 8 s and half a gigabyte, formatted strings under
one. So openpyxl writes a *draft*: everything about the workbook but its cells (styles, tables, charts,
print setup), with the `<sheetData>` of every sheet a placeholder. `assemble` copies the draft, putting
our rows where the placeholder was, the one element openpyxl does not know (`ignoredErrors`) where the
schema's order has it, and a part with the shared strings, which openpyxl would write into every cell
(twice the file, and some previewers on phones show such cells empty). Cells refer to the draft's styles
by number; the numbers are those openpyxl gave out, see `workbook.looks.Styles`.

The copy is also what makes equal input give equal bytes: entries in a fixed order, dated 1980.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from itertools import islice
from xml.sax.saxutils import quoteattr
from zipfile import ZIP_DEFLATED, ZipFile

from reports.render.cells import Strings

BLOCK = 4096
# Level 6 takes half as long again as 5 over a million cells, for two per cent of the size.
LEVEL = 5
_STRINGS = "xl/sharedStrings.xml"
_STRINGS_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
# How the package is told of the strings: its content types and the workbook's relationships.
_TOLD = {
    "[Content_Types].xml": (
        "</Types>",
        f'<Override PartName="/{_STRINGS}" ContentType="{_STRINGS_TYPE}"/>',
    ),
    "xl/_rels/workbook.xml.rels": (
        "</Relationships>",
        f'<Relationship Type="{_OFFICE}/sharedStrings" Target="sharedStrings.xml" Id="rIdStrings"/>',
    ),
}
_DATA = re.compile(r"<sheetData\s*/>|<sheetData>.*?</sheetData>", re.DOTALL)
_AFTER_IGNORED_ERRORS = re.compile(r"<(?:drawing|legacyDrawing|tableParts|extLst)\b|</worksheet>")


@dataclass(frozen=True, kw_only=True)
class Look:
    """The numbers of two cell formats: of values of a column's own kind, and of texts among them."""

    value: int
    text: int


@dataclass(frozen=True, kw_only=True)
class Stream:
    """A column to be written: `tails` gives its cells from one place to another, as `cells` makes them."""

    tails: Callable[[int, int], Sequence[str]]
    look: Look


@dataclass(frozen=True, kw_only=True)
class SheetData:
    """What a draft's sheet lacks: its rows, and the ranges where digits are text on purpose."""

    rows: Iterable[str]
    text_ranges: Sequence[str] = ()


@cache
def letter(column: int) -> str:
    """The letters of a column, counted from 0: A, B … Z, AA."""
    before, last = divmod(column, 26)
    return (letter(before - 1) if before else "") + chr(ord("A") + last)


def row(number: int, cells: Mapping[int, tuple[int, str]], *, height: float | None = None) -> str:
    """One row: for each column, counted from 0, the style and the tail of its cell."""
    size = f' ht="{height:g}" customHeight="1"' if height else ""
    placed = (f'<c r="{letter(column)}{number}" s="{style}"{tail}' for column, (style, tail) in sorted(cells.items()))
    return f'<row r="{number}"{size}>{"".join(placed)}</row>'


def rows(columns: Sequence[Stream], *, first: int, count: int) -> Iterator[str]:
    """`count` rows from row `first` on, in blocks: what is in memory at once does not grow with them."""
    for start in range(0, count, BLOCK):
        stop = min(start + BLOCK, count)
        yield _block(columns, first=first, start=start, stop=stop)


def assemble(
    draft: bytes, sheets: Mapping[str, SheetData], strings: Strings, *, alternatives: Sequence[str] = ()
) -> bytes:
    """The draft with the rows of each sheet, by its entry's name; equal input gives equal bytes.

    `alternatives` say in words what the draft's charts show, in their order, to those who do not see them.
    """
    spoken = {f"xl/drawings/drawing{n}.xml": text for n, text in enumerate(alternatives, start=1)}
    content = BytesIO()
    with ZipFile(BytesIO(draft)) as parts, ZipFile(content, "w", ZIP_DEFLATED, compresslevel=LEVEL) as book:
        # The content types come first, where scanners look; the strings last, as the rows enter them.
        for name in [*sorted(parts.namelist(), key=lambda name: (not name.startswith("["), name)), _STRINGS]:
            with book.open(name, "w") as part:
                content_of = _part(name, parts, sheets, strings)
                part.writelines(map(_spoken(spoken[name]), content_of) if name in spoken else content_of)
    return content.getvalue()


def _part(name: str, draft: ZipFile, sheets: Mapping[str, SheetData], strings: Strings) -> Iterable[bytes]:
    if name == _STRINGS:
        return _shared(strings)
    content = draft.read(name)
    if name in sheets:
        return _spliced(content.decode(), sheets[name])
    if name in _TOLD:
        end, told = _TOLD[name]
        return [content.replace(end.encode(), (told + end).encode())]
    return [content]


def _spoken(text: str) -> Callable[[bytes], bytes]:
    """Adds the alternative text to a drawing's chart, which openpyxl cannot."""
    return lambda drawing: drawing.replace(b' name="Chart 1"', f' name="Chart 1" descr={quoteattr(text)}'.encode())


def _block(columns: Sequence[Stream], *, first: int, start: int, stop: int) -> str:
    numbers = range(first + start, first + stop)
    placed = [
        _placed(letter(place), numbers, column.tails(start, stop), column.look) for place, column in enumerate(columns)
    ]
    return "".join(
        f'<row r="{number}">{"".join(cells)}</row>'
        for number, cells in zip(numbers, zip(*placed, strict=True), strict=True)
    )


def _placed(letters: str, numbers: range, tails: Sequence[str], look: Look) -> list[str]:
    # The tail of a text or a bool starts with its type, any other without.
    value, text = look.value, look.text
    return [
        f'<c r="{letters}{number}" s="{text if tail[0] == " " else value}"{tail}'
        for number, tail in zip(numbers, tails, strict=True)
    ]


def _spliced(sheet: str, data: SheetData) -> Iterator[bytes]:
    before, after = _DATA.split(sheet, maxsplit=1)
    yield f"{before}<sheetData>".encode()
    for part in data.rows:
        yield part.encode()
    if data.text_ranges:
        place = _AFTER_IGNORED_ERRORS.search(after)
        at = place.start() if place else len(after)
        after = after[:at] + _ignored_errors(data.text_ranges) + after[at:]
    yield f"</sheetData>{after}".encode()


def _ignored_errors(ranges: Sequence[str]) -> str:
    return f'<ignoredErrors><ignoredError sqref="{" ".join(ranges)}" numberStoredAsText="1"/></ignoredErrors>'


def _shared(strings: Strings) -> Iterator[bytes]:
    yield f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<sst xmlns="{_MAIN}">'.encode()
    items = strings.xml()
    while block := "".join(islice(items, BLOCK)):
        yield block.encode()
    yield b"</sst>"
