"""A workbook that somebody designed, filled: its tables and named ranges get the rows, all else stays.

A native table or a named range (its first row has the headings) takes the dataset of its name. Its columns are
found by their headings; a column with a formula and without a column of the dataset repeats its formula. The
table grows or shrinks, and what refers to it or stands below follows. A named cell called `as_of`, `title` or
`job` takes that of the run, DATASET_COLUMN the value of the first row, DATASET_LABEL a headline figure's.

Formulas lose the results they had, for these were of other rows: Excel calculates when it opens the file.
Totals rows of tables have theirs, so that a preview that calculates nothing shows them.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import pandas as pd
from lxml import etree
from openpyxl.formula.translate import Translator
from openpyxl.utils.cell import column_index_from_string, coordinate_from_string, get_column_letter

from reports.errors import RenderError, choices
from reports.model import Table
from reports.render.filling import moved, targets
from reports.render.filling.moving import Move
from reports.render.filling.package import CHART, MAIN, Element, Package
from reports.render.filling.styles import Styles
from reports.render.filling.targets import Cell, Target, plain
from reports.render.grids import ROWS
from reports.render.locales import ENGLISH, Locale
from reports.render.oddities import Note
from reports.render.shared_strings import Strings
from reports.render.values import Look, Values, values

_BLOCK = 4096
_HOLES = re.compile(rb'<row r="\d+" hole="(\d+)"\s*/>')
_POINTS = 5_000  # of a chart's cache; more are drawn from the cells alone


@dataclass(frozen=True, kw_only=True)
class Filled:
    """The workbook, the datasets that are whole in it, what was left out, and what cells could not hold."""

    content: bytes
    datasets: Sequence[str]
    said: Sequence[str]
    notes: Sequence[Note]


@dataclass
class Filling:
    """One template being filled. `tables` are the datasets; `named` what named cells may show of the run itself."""

    template: bytes
    where: str
    tables: Mapping[str, Table]
    named: Mapping[str, Any]
    chosen: Mapping[str, str] = field(default_factory=dict)
    locale: Locale = ENGLISH
    notes: list[Note] = field(default_factory=list)
    _said: list[str] = field(default_factory=list)
    _holes: list[_Rows] = field(default_factory=list)
    _columns: dict[tuple[str, int], tuple[Target, _Rows, int]] = field(default_factory=dict)

    def fill(self) -> Filled:
        """The finished workbook; a RenderError names what in the template, or of the datasets, does not fit."""
        self.package = Package(self.template, self.where)
        self.styles = Styles(self.package, self.locale)
        part = self.package.with_strings()
        self.strings = Strings(first=len(self.package.tree(part).findall(f"{MAIN}si")))
        for sheet in self.package.sheets():
            moved.unshare(self.package.tree(sheet.part))
        found = self._targets()
        for target, dataset in sorted(found, key=lambda one: (one[0].sheet.part, -one[0].top)):
            self._fill(target, dataset)
        if not self._cells() and not found:
            raise self._nothing_fits()
        self._forget_results()
        self._refresh_charts()
        content = self.package.written(lambda name, xml: self._texts(xml) if name == part else self._with_rows(xml))
        datasets = [dataset for _, dataset in found]
        return Filled(content=content, datasets=datasets, said=self._said, notes=self.notes)

    # -- what goes where ---------------------------------------------------------------------------

    def _targets(self) -> list[tuple[Target, str]]:
        areas, _ = targets.ranges(self.package)
        there = {plain(one.name): one for one in (*areas, *targets.tables(self.package))}
        asked = {}
        for name, dataset in self.chosen.items():
            if plain(name) not in there:
                hint = choices(name, [one.name for one in there.values()], what="tables and named ranges there")
                raise RenderError(f"the template has no table or range '{name}'", where=self.where, hint=hint)
            asked[plain(name)] = dataset
        by_name = {plain(name): name for name in self.tables}
        wanted = {name: by_name[name] for name in there if name in by_name} | asked
        return [(there[name], dataset) for name, dataset in wanted.items()]

    def _cells(self) -> bool:
        """Fills the named cells; whether any was for a dataset."""
        of_run, of_datasets = {plain(name): value for name, value in self.named.items()}, self._values()
        shown = of_run | of_datasets
        found = [cell for cell in targets.ranges(self.package)[1] if plain(cell.name) in shown]
        for cell in found:
            self._put(cell, *shown[plain(cell.name)])
        return any(plain(cell.name) in of_datasets for cell in found)

    def _values(self) -> dict[str, tuple[Any, str]]:
        """The first row of each dataset, by DATASET_COLUMN; of headline figures each, by DATASET_LABEL."""
        found: dict[str, tuple[Any, str]] = {}
        for name, table in self.tables.items():
            for column in table.columns if len(table.frame) else ():
                found[plain(f"{name}_{column.key}")] = (table.frame[column.key].iloc[0], column.format)
            if {"label", "value"} <= set(table.frame.columns):
                for row in table.frame.to_dict("records"):
                    form = str(row.get("format") or "number")
                    found[plain(f"{name}_{row['label']}")] = (row["value"], form)
        return found

    def _nothing_fits(self) -> RenderError:
        areas, cells = targets.ranges(self.package)
        there = [one.name for one in [*targets.tables(self.package), *areas]] + [one.name for one in cells]
        return RenderError(
            "nothing in the template has the name of a dataset",
            where=self.where,
            hint=f"the template has {', '.join(there) or 'no tables and no names'}; the datasets are "
            f"{', '.join(self.tables)}",
        )

    # -- one table -----------------------------------------------------------------------------------

    def _fill(self, target: Target, dataset: str) -> None:
        table = self.tables[dataset]
        count = len(table.frame)
        end = target.first + max(count, 1) - 1
        if end + target.totals > ROWS:
            raise RenderError(
                f"table '{target.name}' would end in row {end:,}; a sheet has {ROWS:,}",
                where=self.where,
                hint="aggregate or filter in the SQL",
            )
        move = Move(
            sheet=target.sheet.name, head=target.top, first=target.first, last=target.last, end=end,
            left=target.left, right=target.right,
        )  # fmt: skip
        moved.refuse_what_cannot_follow(move, self.package, target.sheet, self.where)
        rows = _Rows(self, target, table, move)
        moved.carry_out(move, self.package, target.sheet)
        for other in self._holes:
            other.follow(move)
        rows.take_over(len(self._holes), end + target.totals)
        self._holes.append(rows)
        for place in range(target.left, target.right + 1):
            self._columns[target.sheet.name, place] = (target, rows, place - target.left)
        left_out = [column.key for column in table.columns if column.key not in rows.used]
        if left_out:
            self._said.append(f"{target.name}: the template has no column for {', '.join(left_out)} of {dataset}")

    def _put(self, cell: Cell, value: Any, form: str) -> None:
        """One value into one cell, which keeps its look."""
        found = _cell(self.package.tree(cell.sheet.part), cell)
        style = self.styles.for_format(int(found.get("s", 0)), form)
        one = values(pd.Series([value], dtype=object), form, self.strings)
        pattern, (inside,) = one.pieces(Look(value=style, text=int(found.get("s", 0))), 0, 1)
        new = etree.fromstring(f'<c xmlns="{MAIN[1:-1]}" r="{found.get("r")}"{pattern % (inside,)}')
        found.getparent().replace(found, new)

    # -- once all is filled --------------------------------------------------------------------------

    def _forget_results(self) -> None:
        for sheet in self.package.sheets():
            for cell in self.package.tree(sheet.part).iter(f"{MAIN}c"):
                if cell.find(f"{MAIN}f") is not None and cell.get("kept") is None:
                    for result in cell.findall(f"{MAIN}v"):
                        cell.remove(result)
                    cell.attrib.pop("t", None)
                cell.attrib.pop("kept", None)
        workbook = self.package.workbook
        told = workbook.find(f"{MAIN}calcPr")
        if told is None:
            told = etree.Element(f"{MAIN}calcPr", calcId="191029")
            after = [workbook.find(f"{MAIN}{name}") for name in ("sheets", "externalReferences", "definedNames")]
            [one for one in after if one is not None][-1].addnext(told)
        told.set("fullCalcOnLoad", "1")
        self.package.drop("xl/calcChain.xml")
        for name in self.package.names:
            if name.startswith("xl/pivotCache/pivotCacheDefinition"):
                self.package.tree(name).set("refreshOnLoad", "1")

    def _refresh_charts(self) -> None:
        """What a chart remembers of cells that were filled, for viewers that draw from that."""
        for part in moved.charts(self.package):
            for reference in self.package.tree(part).iter(f"{CHART}numRef", f"{CHART}strRef"):
                formula = reference.find(f"{CHART}f")
                if (found := self._column_of(formula.text or "")) is not None:
                    _cache(reference, *found)

    def _column_of(self, formula: str) -> tuple[pd.Series[Any], Values] | None:
        match = re.fullmatch(r"(?:'((?:[^']|'')+)'|([^'!]+))!\$?([A-Z]+)\$?(\d+):\$?([A-Z]+)\$?(\d+)", formula)
        if match is None or match[3] != match[5]:
            return None
        sheet = (match[1] or match[2]).replace("''", "'")
        found = self._columns.get((sheet, column_index_from_string(match[3])))
        if found is None or (int(match[4]), int(match[6])) != (found[1].start, found[1].end):
            return None
        return found[1].column(found[2])

    def _texts(self, xml: bytes) -> Iterable[bytes]:
        """The template's shared strings, and ours after them; without the counts, which are optional."""
        head = xml.removesuffix(b"</sst>") if xml.endswith(b"</sst>") else xml.removesuffix(b"/>") + b">"
        head = re.sub(rb' (c|uniqueC)ount="\d+"', b"", head)
        return chain([head], (part.encode() for part in self.strings.xml()), [b"</sst>"])

    def _with_rows(self, xml: bytes) -> Iterator[bytes]:
        for number, piece in enumerate(_HOLES.split(xml)):
            yield from [piece] if number % 2 == 0 else self._holes[int(piece)].xml()


@dataclass
class _Rows:
    """The rows of a table, which are written when its sheet is."""

    filling: Filling
    target: Target
    table: Table
    move: Move
    used: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        root = self.filling.package.tree(self.target.sheet.part)
        rows = {int(row.get("r")): row for row in root.iter(f"{MAIN}row")}
        self.template = rows.get(self.target.first)
        self._beside = {n: row for n, row in rows.items() if self.target.first <= n <= self.target.last}
        self._columns = [self._column(place, rows) for place in range(self.target.left, self.target.right + 1)]
        if twice := [key for key in self.used if sum(one.key == key for one in self._columns) > 1]:
            raise RenderError(f"two columns of '{self.target.name}' are for '{twice[0]}'", where=self.filling.where)

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

    _hole: Element = None

    def column(self, place: int) -> tuple[pd.Series[Any], Values] | None:
        one = self._columns[place]
        return None if one.cells_of is None else (self.table.frame[one.key], one.cells_of)

    # -- before the sheet is written -----------------------------------------------------------------

    def take_over(self, number: int, bottom: int) -> None:
        """Puts a hole where the rows of the template were, and says where the table ends."""
        root = self.filling.package.tree(self.target.sheet.part)
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
            self._extend(self.filling.package.tree(self.target.table), bottom)
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
        root = self.filling.package.tree(self.target.sheet.part)
        row = next((one for one in root.iter(f"{MAIN}row") if one.get("r") == str(bottom)), None)
        for place, told in enumerate(table.iter(f"{MAIN}tableColumn")):
            letters = get_column_letter(self.target.left + place)
            cell = next((one for one in row if one.get("r") == f"{letters}{bottom}"), None) if row is not None else None
            result = _result(told.get("totalsRowFunction", ""), self.column(place))
            if cell is not None and result is not None and cell.find(f"{MAIN}f") is not None:
                for old in cell.findall(f"{MAIN}v"):
                    cell.remove(old)
                etree.SubElement(cell, f"{MAIN}v").text = repr(result)
                cell.attrib.pop("t", None)
                cell.set("kept", "1")

    def _column(self, place: int, rows: Mapping[int, Element]) -> _Column:
        letters = get_column_letter(place)
        heading = self._heading(rows.get(self.target.top), f"{letters}{self.target.top}", place)
        cells = {} if self.template is None else {cell.get("r"): cell for cell in self.template}
        cell = cells.get(f"{letters}{self.target.first}")
        style = int(cell.get("s", 0)) if cell is not None else 0
        found = next((one for one in self.table.columns if plain(one.key) == plain(heading)), None) or next(
            (one for one in self.table.columns if plain(one.label) == plain(heading)), None
        )
        if found is None:
            return self._formula(heading, cell, letters, style, place)
        self.used.add(found.key)
        made = values(self.table.frame[found.key], found.format, self.filling.strings)
        self.filling.notes.extend(Note(sheet=self.target.sheet.name, column=heading, odd=odd) for odd in made.odds)
        look = Look(value=self.filling.styles.for_format(style, found.format), text=style)
        return _Column(key=found.key, letters=letters, cells_of=made, look=look)

    def _heading(self, row: Element, address: str, place: int) -> str:
        if self.target.table:
            names = list(self.filling.package.tree(self.target.table).iter(f"{MAIN}tableColumn"))
            return str(names[place - self.target.left].get("name")).replace("_x000a_", " ")
        cell = next((one for one in row if one.get("r") == address), None) if row is not None else None
        return _text(cell, self.filling.package) if cell is not None else ""

    def _formula(self, heading: str, cell: Element, letters: str, style: int, place: int) -> _Column:
        formula = cell.find(f"{MAIN}f") if cell is not None else None
        text = formula.text if formula is not None else self._calculated(place)
        if not text:
            there = ", ".join(column.key for column in self.table.columns)
            raise RenderError(
                f"column '{heading}' of '{self.target.name}' is no column of its dataset, and has no formula",
                where=self.filling.where,
                hint=f"the dataset's columns are {there}",
            )
        return _Column(key="", letters=letters, formula=f"={text}", look=Look(value=style, text=style))

    def _calculated(self, place: int) -> str:
        if not self.target.table:
            return ""
        column = list(self.filling.package.tree(self.target.table).iter(f"{MAIN}tableColumn"))[place - self.target.left]
        found = column.find(f"{MAIN}calculatedColumnFormula")
        return (found.text or "") if found is not None else ""

    def follow(self, move: Move) -> None:
        """What stands beside the table is out of its sheet by now, and follows by itself."""
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
                        for result in cell.findall(f"{MAIN}v"):
                            cell.remove(result)
                    sides[column > self.target.right].append(_bare(cell))
            if any(sides):
                found[number - self.target.first] = ("".join(sides[0]), "".join(sides[1]))
        return found


@dataclass(frozen=True, kw_only=True)
class _Column:
    """A column of the table: of the dataset's, or with a formula that every row repeats."""

    key: str
    letters: str
    look: Look
    cells_of: Values | None = None
    formula: str = ""

    def cells(self, first: int, start: int, stop: int) -> list[str]:
        numbers = range(first + start, first + stop)
        if self.cells_of is not None:
            pattern, inside = self.cells_of.pieces(self.look, start, stop)
            whole = f'<c r="{self.letters}%s"{pattern}'
            return [whole % one for one in zip(numbers, inside, strict=True)]
        mover, style = Translator(self.formula, origin=f"{self.letters}{first}"), self.look.value
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


def _text(cell: Element, package: Package) -> str:
    value = cell.find(f"{MAIN}v")
    if cell.get("t") == "s" and value is not None:
        item = package.tree(package.with_strings()).findall(f"{MAIN}si")[int(value.text)]
        return "".join(item.itertext())
    return "".join(cell.itertext())


def _cell(root: Element, cell: Cell) -> Element:
    """The cell's element, made in its place if the template has none."""
    address = f"{get_column_letter(cell.column)}{cell.row}"
    data = root.find(f"{MAIN}sheetData")
    row = next((one for one in data if one.get("r") == str(cell.row)), None)
    if row is None:
        row = etree.Element(f"{MAIN}row", r=str(cell.row))
        data.insert(sum(int(one.get("r")) < cell.row for one in data), row)
    found = next((one for one in row if one.get("r") == address), None)
    if found is None:
        found = etree.Element(f"{MAIN}c", r=address)
        row.insert(sum(_place(one) < cell.column for one in row), found)
    return found


def _place(cell: Element) -> int:
    return column_index_from_string(coordinate_from_string(cell.get("r"))[0])


def _result(function: str, column: tuple[pd.Series[Any], Values] | None) -> float | int | None:
    """What a totals row shows, of the cells that the table has now."""
    if column is None or not function:
        return None
    series, cells = column
    numbers = int(pd.to_numeric(series, errors="coerce").notna().sum())
    if function == "count":
        return int(series.notna().sum())
    if function == "countNums":
        return numbers
    if not numbers and function != "sum":
        return None
    if function in {"min", "max"}:
        return cells.ends[function == "max"] if cells.ends else None
    total = cells.total()
    return {"sum": total, "average": total / numbers if numbers else None}.get(function)


def _cache(reference: Element, series: pd.Series[Any], cells: Values) -> None:
    """The values of a chart's column anew; beyond some thousands a viewer has to ask the cells."""
    kind = "num" if reference.tag == f"{CHART}numRef" else "str"
    for old in reference.findall(f"{CHART}{kind}Cache"):
        reference.remove(old)
    if len(series) > _POINTS:
        return
    cache = etree.SubElement(reference, f"{CHART}{kind}Cache")
    if kind == "num":
        etree.SubElement(cache, f"{CHART}formatCode").text = "General"
    etree.SubElement(cache, f"{CHART}ptCount", val=str(len(series)))
    for number, text in enumerate(_points(series, cells, kind)):
        if text is not None:
            point = etree.SubElement(cache, f"{CHART}pt", idx=str(number))
            etree.SubElement(point, f"{CHART}v").text = text


def _points(series: pd.Series[Any], cells: Values, kind: str) -> Iterator[str | None]:
    if kind == "str":
        return (None if pd.isna(one) else str(one) for one in series.tolist())
    _, inside = cells.pieces(Look(value=0, text=0), 0, len(series))
    found = (re.search(r"<v>([^<]*)</v>", f"<v>{one!r}</v>" if not isinstance(one, str) else one) for one in inside)
    return (match[1] if match else None for match in found)


def run_values(*, title: str, job: str, as_of: dt.date) -> dict[str, tuple[Any, str]]:
    """What named cells may show of the run itself."""
    return {"title": (title, "text"), "job": (job, "text"), "as_of": (as_of, "date")}
