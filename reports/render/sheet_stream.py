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
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import IO, Any
from xml.sax.saxutils import quoteattr
from zipfile import ZIP_DEFLATED, ZipFile

from reports.render.shared_strings import Strings
from reports.render.values import Pieces

BLOCK, CELLS = 4096, 65_536  # rows, and cells, that are made at a time
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


Stream = Callable[[int, int], Pieces]
"""A column to be written: gives its cells from one place to another."""


@dataclass(frozen=True, kw_only=True)
class SheetData:
    """What a draft's sheet lacks: its rows, and the ranges where digits are text on purpose.

    `marks` are for its rules of data bars, in their order, which the `extensions` at its end have more to say of.
    """

    rows: Iterable[str]
    text_ranges: Sequence[str] = ()
    marks: Sequence[str] = ()
    extensions: str = ""


@cache
def letter(column: int) -> str:
    """The letters of a column, counted from 0: A, B … Z, AA."""
    before, last = divmod(column, 26)
    return (letter(before - 1) if before else "") + chr(ord("A") + last)


def row(number: int, cells: Mapping[int, tuple[int, str]], *, height: float | None = None, level: int = 0) -> str:
    """One row: for each column, counted from 0, the style and the tail of its cell; `level` is that of its outline."""
    size = f' ht="{height:g}" customHeight="1"' if height else ""
    placed = (f'<c r="{letter(column)}{number}" s="{style}"{tail}' for column, (style, tail) in sorted(cells.items()))
    return f'<row r="{number}"{size}{_outlined(level)}>{"".join(placed)}</row>'


def rows(columns: Sequence[Stream], *, first: int, places: range, level: int = 0) -> Iterator[str]:
    """The rows at `places` of the columns, from row `first` on, in blocks: what is in memory at once stays as it is."""
    step = max(1, min(BLOCK, CELLS // len(columns)))
    for start in places[::step]:
        stop = min(start + step, places.stop)
        yield _block(columns, first=first + start - places.start, places=range(start, stop), level=level)


def assemble(
    draft: bytes, sheets: Mapping[str, SheetData], strings: Strings, *, alternatives: Sequence[Sequence[str]] = ()
) -> bytes:
    """The draft with the rows of each sheet, by its entry's name; equal input gives equal bytes.

    `alternatives` say in words what the charts of each drawing show, in their order, to those who do not see them.
    """
    spoken = {f"xl/drawings/drawing{n}.xml": texts for n, texts in enumerate(alternatives, start=1)}
    content = BytesIO()
    with ZipFile(BytesIO(draft)) as parts, ZipFile(content, "w", ZIP_DEFLATED, compresslevel=LEVEL) as book:
        # The content types come first, where scanners look; the strings last, as the rows enter them.
        for name in [*sorted(parts.namelist(), key=lambda name: (not name.startswith("["), name)), _STRINGS]:
            with book.open(name, "w") as part:
                content_of = _part(name, parts, sheets, strings)
                _write(part, map(_spoken(spoken[name]), content_of) if name in spoken else content_of)
    return content.getvalue()


def _write(part: IO[bytes], content: Iterable[bytes]) -> None:
    """Compresses one block while the next is made: zlib lets other threads work."""
    with ThreadPoolExecutor(max_workers=1) as beside:
        last: Future[int] | None = None
        for block in content:
            if last:
                last.result()
            last = _begun(beside, part.write, block)
        if last:
            last.result()


def _begun(beside: ThreadPoolExecutor, write: Callable[[bytes], int], block: bytes) -> Future[int] | None:
    """None where it is done already: while the interpreter ends, nothing begins beside."""
    try:
        return beside.submit(write, block)
    except RuntimeError:
        write(block)
        return None


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


def _spoken(texts: Sequence[str]) -> Callable[[bytes], bytes]:
    """Adds the alternative texts to a drawing's charts, which openpyxl cannot."""

    def spoken(drawing: bytes) -> bytes:
        for number, text in enumerate(texts, start=1):
            name = f' name="Chart {number}"'.encode()
            drawing = drawing.replace(name, name + f" descr={quoteattr(text)}".encode())
        return drawing

    return spoken


def _block(columns: Sequence[Stream], *, first: int, places: range, level: int) -> str:
    """Many rows at once, each one filling of the same pattern."""
    numbers = list(map(str, range(first, first + len(places))))
    pattern, filling = [f'<row r="%s"{_outlined(level)}>'], list[Sequence[Any]]([numbers])
    for place, column in enumerate(columns):
        cell, inside = column(places.start, places.stop)
        pattern.append(f'<c r="{letter(place)}%s"{cell}')
        filling += [numbers, inside]
    return "".join(map(f"{''.join(pattern)}</row>".__mod__, zip(*filling, strict=True)))


def _outlined(level: int) -> str:
    return f' outlineLevel="{level}"' if level else ""


def _spliced(sheet: str, data: SheetData) -> Iterator[bytes]:
    before, after = _DATA.split(sheet, maxsplit=1)
    yield f"{before}<sheetData>".encode()
    for part in data.rows:
        yield part.encode()
    if data.text_ranges:
        place = _AFTER_IGNORED_ERRORS.search(after)
        at = place.start() if place else len(after)
        after = after[:at] + _ignored_errors(data.text_ranges) + after[at:]
    for mark in data.marks:
        after = after.replace("</dataBar></cfRule>", f"</dataBar>{mark}</cfRule>", 1)
    end = after.removesuffix("</worksheet>") + data.extensions + "</worksheet>"
    yield f"</sheetData>{end}".encode()


def _ignored_errors(ranges: Sequence[str]) -> str:
    return f'<ignoredErrors><ignoredError sqref="{" ".join(ranges)}" numberStoredAsText="1"/></ignoredErrors>'


def _shared(strings: Strings) -> Iterator[bytes]:
    yield f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<sst xmlns="{_MAIN}">'.encode()
    for items in strings.xml():
        yield items.encode()
    yield b"</sst>"
