"""The rows of a table of the template, which are written when its sheet is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import pandas as pd
from lxml import etree
from openpyxl.formula.translate import Translator
from openpyxl.utils.cell import column_index_from_string, coordinate_from_string, get_column_letter

from reports.errors import RenderError
from reports.model import Table
from reports.render.filling import moved
from reports.render.filling.moving import Move
from reports.render.filling.package import MAIN, Element, Package
from reports.render.filling.results import result
from reports.render.filling.styles import Styles
from reports.render.filling.targets import Target, alike
from reports.render.locales import Locale
from reports.render.oddities import Note
from reports.render.shared_strings import Strings
from reports.render.values import Look, Values, values

_BLOCK = 4096


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What all that is filled has in common; `notes` grows by what cells cannot hold."""

    package: Package
    strings: Strings
    styles: Styles
    notes: list[Note]

    @classmethod
    def of(cls, package: Package, locale: Locale) -> Ground:
        texts = package.tree(package.with_strings()).findall(f"{MAIN}si")
        return cls(package=package, strings=Strings(first=len(texts)), styles=Styles(package, locale), notes=[])

    @property
    def where(self) -> str:
        return self.package.where


@dataclass
class Rows:
    """The rows of a table, which are written when its sheet is."""

    ground: Ground
    target: Target
    table: Table
    used: set[str] = field(default_factory=set)
    _hole: Element = None

    def __post_init__(self) -> None:
        root = self.ground.package.tree(self.target.sheet.part)
        rows = {int(row.get("r")): row for row in root.iter(f"{MAIN}row")}
        self.template = rows.get(self.target.first)
        self._beside = {n: row for n, row in rows.items() if self.target.first <= n <= self.target.last}
        self._columns = [self._column(place, rows) for place in range(self.target.left, self.target.right + 1)]
        if twice := [key for key in self.used if sum(one.key == key for one in self._columns) > 1]:
            raise RenderError(f"two columns of '{self.target.name}' are for '{twice[0]}'", where=self.ground.where)

    @property
    def count(self) -> int:
        return len(self.table.frame)

    @property
    def start(self) -> int:
        """The row that the data begins in now; a table above may have moved it."""
        return int(self._hole.get("r")) if self._hole is not None else self.target.first

    @property
    def end(self) -> int:
        return self.start + max(self.count, 1) - 1

    def column(self, place: int) -> tuple[pd.Series[Any], Values] | None:
        one = self._columns[place]
        return None if one.cells_of is None else (self.table.frame[one.key], one.cells_of)

    # -- before the sheet is written -----------------------------------------------------------------

    def take_over(self, number: int, bottom: int) -> None:
        """Puts a hole where the rows of the template were, and says where the table ends."""
        root = self.ground.package.tree(self.target.sheet.part)
        hole = etree.Element(f"{MAIN}row", r=str(self.target.first), hole=str(number))
        for row in list(root.iter(f"{MAIN}row")):
            if row in self._beside.values():
                row.getparent().remove(row)
        after = [row for row in root.iter(f"{MAIN}row") if int(row.get("r")) < self.target.first]
        if after:
            after[-1].addnext(hole)
        else:
            root.find(f"{MAIN}sheetData").insert(0, hole)
        self._hole = hole
        if self.target.table:
            self._extend(self.ground.package.tree(self.target.table), bottom)
        dimension = root.find(f"{MAIN}dimension")
        if dimension is not None:
            root.remove(dimension)  # it is optional, and was that of the template

    def _extend(self, table: Element, bottom: int) -> None:
        target = self.target
        left, right = get_column_letter(target.left), get_column_letter(target.right)
        table.set("ref", f"{left}{target.top}:{right}{bottom}")
        for one in table.iter(f"{MAIN}autoFilter"):
            one.set("ref", f"{left}{target.top}:{right}{bottom - target.totals}")
        if target.totals:
            self._total(table, bottom)

    def _total(self, table: Element, bottom: int) -> None:
        root = self.ground.package.tree(self.target.sheet.part)
        row = next((one for one in root.iter(f"{MAIN}row") if one.get("r") == str(bottom)), None)
        for place, told in enumerate(table.iter(f"{MAIN}tableColumn")):
            letters = get_column_letter(self.target.left + place)
            cell = next((one for one in row if one.get("r") == f"{letters}{bottom}"), None) if row is not None else None
            sum_up = result(told.get("totalsRowFunction", ""), self.column(place))
            if cell is not None and sum_up is not None and cell.find(f"{MAIN}f") is not None:
                for old in cell.findall(f"{MAIN}v"):
                    cell.remove(old)
                etree.SubElement(cell, f"{MAIN}v").text = repr(sum_up)
                cell.attrib.pop("t", None)
                cell.set("kept", "1")

    def _column(self, place: int, rows: Mapping[int, Element]) -> RowColumn:
        letters = get_column_letter(place)
        heading = self._heading(rows.get(self.target.top), f"{letters}{self.target.top}", place)
        cells = {} if self.template is None else {cell.get("r"): cell for cell in self.template}
        cell = cells.get(f"{letters}{self.target.first}")
        style = int(cell.get("s", 0)) if cell is not None else 0
        found = next((one for one in self.table.columns if alike(one.key) == alike(heading)), None) or next(
            (one for one in self.table.columns if alike(one.label) == alike(heading)), None
        )
        if found is None:
            return self._formula(heading, cell, letters, style, place)
        self.used.add(found.key)
        made = values(self.table.frame[found.key], found.format, self.ground.strings)
        self.ground.notes.extend(Note(sheet=self.target.sheet.name, column=heading, odd=odd) for odd in made.odds)
        look = Look(value=self.ground.styles.for_format(style, found.format), text=style)
        return RowColumn(key=found.key, letters=letters, cells_of=made, look=look)

    def _heading(self, row: Element, address: str, place: int) -> str:
        if self.target.table:
            names = list(self.ground.package.tree(self.target.table).iter(f"{MAIN}tableColumn"))
            return str(names[place - self.target.left].get("name")).replace("_x000a_", " ")
        cell = next((one for one in row if one.get("r") == address), None) if row is not None else None
        return text_of(cell, self.ground.package) if cell is not None else ""

    def _formula(self, heading: str, cell: Element, letters: str, style: int, place: int) -> RowColumn:
        formula = cell.find(f"{MAIN}f") if cell is not None else None
        text = formula.text if formula is not None else self._calculated(place)
        if not text:
            there = ", ".join(column.key for column in self.table.columns)
            raise RenderError(
                f"column '{heading}' of '{self.target.name}' is no column of its dataset, and has no formula",
                where=self.ground.where,
                hint=f"the dataset's columns are {there}",
            )
        look = Look(value=style, text=style)
        return RowColumn(key="", letters=letters, look=look, formula=f"={text}", origin=self.target.first)

    def _calculated(self, place: int) -> str:
        if not self.target.table:
            return ""
        column = list(self.ground.package.tree(self.target.table).iter(f"{MAIN}tableColumn"))[place - self.target.left]
        found = column.find(f"{MAIN}calculatedColumnFormula")
        return (found.text or "") if found is not None else ""

    def move(self, move: Move) -> None:
        """Its formulas, which stand in no sheet until it is written, refer to where things are now."""
        self._columns = [one.moved(move, self.target.sheet.name) for one in self._columns]

    def follow(self, move: Move) -> None:
        """So does what stands beside it, once that has been taken out of its sheet."""
        self.move(move)
        for row in self._beside.values():
            moved.formulas(row, self.target.sheet.name, move)

    # -- while it is ---------------------------------------------------------------------------------

    def xml(self) -> Iterator[bytes]:
        shape = _shape(self.template)
        first, beside = self.start, self._around()
        if not self.count:
            cells = "".join(f'<c r="{one.letters}{first}" s="{one.look.value}"/>' for one in self._columns)
            yield f'<row r="{first}"{shape}>{cells}</row>'.encode()
        for begin in range(0, self.count, _BLOCK):
            stop = min(begin + _BLOCK, self.count)
            placed = [one.cells(first, begin, stop) for one in self._columns]
            yield "".join(
                f'<row r="{first + begin + n}"{shape}>{before}{"".join(cells)}{after}</row>'
                for n, cells in enumerate(zip(*placed, strict=True))
                for before, after in [beside.get(begin + n, ("", ""))]
            ).encode()

    def _around(self) -> dict[int, tuple[str, str]]:
        """What stands beside the table in its rows, by their places: before it and after it."""
        found = {}
        by = self.start - self.target.first
        for number, row in self._beside.items():
            sides: tuple[list[str], list[str]] = ([], [])
            for cell in row:
                letters, _ = coordinate_from_string(cell.get("r"))
                column = column_index_from_string(letters)
                if not self.target.left <= column <= self.target.right:
                    cell.set("r", f"{letters}{number + by}")
                    if cell.find(f"{MAIN}f") is not None:
                        for old in cell.findall(f"{MAIN}v"):
                            cell.remove(old)
                    sides[column > self.target.right].append(_bare(cell))
            if any(sides):
                found[number - self.target.first] = ("".join(sides[0]), "".join(sides[1]))
        return found


@dataclass(frozen=True, kw_only=True)
class RowColumn:
    """A column of the table: of the dataset's, or with a formula that every row repeats, as it is in row `origin`."""

    key: str
    letters: str
    look: Look
    cells_of: Values | None = None
    formula: str = ""
    origin: int = 0

    def moved(self, move: Move, sheet: str) -> RowColumn:
        """The same column of this sheet after a move."""
        if not self.formula:
            return self
        origin = move.row(self.origin) if sheet == move.sheet else self.origin
        return replace(self, formula=move.formula(self.formula, sheet), origin=origin)

    def cells(self, first: int, start: int, stop: int) -> list[str]:
        numbers = range(first + start, first + stop)
        if self.cells_of is not None:
            pattern, inside = self.cells_of.pieces(self.look, start, stop)
            whole = f'<c r="{self.letters}%s"{pattern}'
            return [whole % one for one in zip(numbers, inside, strict=True)]
        mover, style = Translator(self.formula, origin=f"{self.letters}{self.origin}"), self.look.value
        addresses = [f"{self.letters}{number}" for number in numbers]
        formulas = [escape(mover.translate_formula(address).removeprefix("=")) for address in addresses]
        return [
            f'<c r="{address}" s="{style}"><f>{formula}</f></c>'
            for address, formula in zip(addresses, formulas, strict=True)
        ]


def _shape(row: Element) -> str:
    """The height and the look of the template's first row of data, for every row."""
    if row is None:
        return ""
    kept = ("s", "customFormat", "ht", "customHeight", "hidden", "outlineLevel")
    return "".join(f' {name}="{row.get(name)}"' for name in kept if row.get(name))


def _bare(element: Element) -> str:
    """The element as XML without prefixes, which the sheet that it goes into may not have."""
    attributes = "".join(
        f" {'xml:' if name.startswith('{') else ''}{etree.QName(name).localname}={quoteattr(value)}"
        for name, value in element.attrib.items()
    )
    name = etree.QName(element).localname
    return f"<{name}{attributes}>{escape(element.text or '')}{''.join(map(_bare, element))}</{name}>"


def text_of(cell: Element, package: Package) -> str:
    value = cell.find(f"{MAIN}v")
    if cell.get("t") == "s" and value is not None:
        item = package.tree(package.with_strings()).findall(f"{MAIN}si")[int(value.text)]
        return "".join(item.itertext())
    return "".join(cell.itertext())
