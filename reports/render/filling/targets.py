"""What a template has to be filled: its tables and named ranges, by their names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from openpyxl.utils.cell import range_boundaries

from reports.render.filling.package import MAIN, Element, Package, SheetPart

_PLACE = re.compile(r"(?:'((?:[^']|'')+)'|([^'!]+))!(\$?[A-Z]{1,3}\$?\d+(?::\$?[A-Z]{1,3}\$?\d+)?)")


@dataclass(frozen=True, kw_only=True)
class Target:
    """A table, or a range with a row of headings: where it stands, and how many rows of totals it ends in.

    `table` is the part of an Excel table, empty for a named range.
    """

    name: str
    sheet: SheetPart
    left: int
    top: int
    right: int
    bottom: int
    table: str = ""
    totals: int = 0

    @property
    def first(self) -> int:
        return self.top + 1

    @property
    def last(self) -> int:
        """The last row of its data; where there is none, the row that Excel keeps for it."""
        return max(self.bottom - self.totals, self.first)


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A named cell."""

    name: str
    sheet: SheetPart
    column: int
    row: int


def boundaries(cells: str) -> tuple[int, int, int, int]:
    """The columns and rows of A1:B5: left, top, right and bottom, from 1."""
    left, top, right, bottom = range_boundaries(cells)
    return int(left or 1), int(top or 1), int(right or 1), int(bottom or 1)


def alike(name: str) -> str:
    """A name as it is compared: letters and digits, whatever their case; anything else is an underscore."""
    return re.sub(r"\W+", "_", name.casefold()).strip("_")


def tables(package: Package) -> Iterator[Target]:
    """The native tables of every sheet."""
    for sheet in package.sheets():
        for part in package.related(sheet.part, "table"):
            root = package.tree(part)
            left, top, right, bottom = boundaries(root.get("ref"))
            yield Target(
                name=root.get("displayName"), sheet=sheet, table=part, totals=int(root.get("totalsRowCount", 0)),
                left=left, top=top, right=right, bottom=bottom,
            )  # fmt: skip


def ranges(package: Package) -> tuple[Sequence[Target], Sequence[Cell]]:
    """The named ranges of more than one row, and the named cells."""
    sheets = {sheet.name.casefold(): sheet for sheet in package.sheets()}
    areas, cells = list[Target](), list[Cell]()
    for name in _names(package):
        match = _PLACE.fullmatch(name.text or "")
        sheet = sheets.get((match[1] or match[2]).replace("''", "'").casefold()) if match else None
        if match is None or sheet is None or name.get("name", "").startswith("_xlnm."):
            continue
        left, top, right, bottom = boundaries(match[3].replace("$", ""))
        if (left, top) == (right, bottom):
            cells.append(Cell(name=name.get("name"), sheet=sheet, column=left, row=top))
        elif bottom > top:
            areas.append(Target(name=name.get("name"), sheet=sheet, left=left, top=top, right=right, bottom=bottom))
    return areas, cells


def _names(package: Package) -> list[Element]:
    return list(package.workbook.iter(f"{MAIN}definedName"))
