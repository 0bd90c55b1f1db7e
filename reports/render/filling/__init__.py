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

import pandas as pd
from lxml import etree
from openpyxl.utils.cell import column_index_from_string, coordinate_from_string, get_column_letter

from reports.errors import RenderError, choices
from reports.model import Table
from reports.render.filling import moved, targets
from reports.render.filling.moving import Move
from reports.render.filling.package import CHART, MAIN, Element, Package
from reports.render.filling.results import refresh
from reports.render.filling.rows import Ground, Rows
from reports.render.filling.targets import Cell, Target, alike
from reports.render.grids import ROWS
from reports.render.locales import ENGLISH, Locale
from reports.render.oddities import Note
from reports.render.values import Look, Values, values

_HOLES = re.compile(rb'<row r="\d+" hole="(\d+)"\s*/>')


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
    _said: list[str] = field(default_factory=list)
    _holes: list[Rows] = field(default_factory=list)
    _columns: dict[tuple[str, int], tuple[Rows, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.package = Package(self.template, self.where)
        self.ground = Ground.of(self.package, self.locale)

    def fill(self) -> Filled:
        """The finished workbook; a RenderError names what in the template, or of the datasets, does not fit."""
        part = self.package.with_strings()
        for sheet in self.package.sheets():
            moved.unshare(self.package.tree(sheet.part))
        found = self._targets()
        moved.refuse_neighbours([target for target, _ in found], self.where)
        fits = self._cells()  # before the rows around them are taken out of their sheets
        for target, dataset in sorted(found, key=lambda one: (one[0].sheet.part, -one[0].top)):
            self._fill(target, dataset)
        if not fits and not found:
            raise self._nothing_fits()
        self._forget_results()
        self._refresh_charts()
        content = self.package.written(lambda name, xml: self._texts(xml) if name == part else self._with_rows(xml))
        datasets = [dataset for _, dataset in found]
        return Filled(content=content, datasets=datasets, said=self._said, notes=self.ground.notes)

    # -- what goes where ---------------------------------------------------------------------------

    def _targets(self) -> list[tuple[Target, str]]:
        areas, _ = targets.ranges(self.package)
        there = {alike(one.name): one for one in (*areas, *targets.tables(self.package))}
        asked = {}
        for name, dataset in self.chosen.items():
            if alike(name) not in there:
                hint = choices(name, [one.name for one in there.values()], what="tables and named ranges there")
                raise RenderError(f"the template has no table or range '{name}'", where=self.where, hint=hint)
            if dataset not in self.tables:
                hint = choices(dataset, self.tables, what="datasets of this run")
                raise RenderError(f"there is no dataset '{dataset}' for '{name}'", where=self.where, hint=hint)
            asked[alike(name)] = dataset
        by_name = {alike(name): name for name in self.tables}
        wanted = {name: by_name[name] for name in there if name in by_name} | asked
        return [(there[name], dataset) for name, dataset in wanted.items()]

    def _cells(self) -> bool:
        """Fills the named cells; whether any was for a dataset."""
        of_run, of_datasets = {alike(name): value for name, value in self.named.items()}, self._values()
        shown = of_run | of_datasets
        found = [cell for cell in targets.ranges(self.package)[1] if alike(cell.name) in shown]
        for cell in found:
            self._put(cell, *shown[alike(cell.name)])
        return any(alike(cell.name) in of_datasets for cell in found)

    def _values(self) -> dict[str, tuple[Any, str]]:
        """The first row of each dataset, by DATASET_COLUMN; of headline figures each, by DATASET_LABEL."""
        found: dict[str, tuple[Any, str]] = {}
        for name, table in self.tables.items():
            for column in table.columns if len(table.frame) else ():
                found[alike(f"{name}_{column.key}")] = (table.frame[column.key].iloc[0], column.format)
            if {"label", "value"} <= set(table.frame.columns):
                for row in table.frame.to_dict("records"):
                    form = str(row.get("format") or "number")
                    found[alike(f"{name}_{row['label']}")] = (row["value"], form)
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
        rows = Rows(self.ground, target, table)
        moved.carry_out(move, self.package, target.sheet)
        rows.move(move)
        for other in self._holes:
            other.follow(move)
        rows.take_over(len(self._holes), end + target.totals)
        self._holes.append(rows)
        for place in range(target.left, target.right + 1):
            self._columns[target.sheet.name, place] = (rows, place - target.left)
        left_out = [column.key for column in table.columns if column.key not in rows.used]
        if left_out:
            self._said.append(f"{target.name}: the template has no column for {', '.join(left_out)} of {dataset}")

    def _put(self, cell: Cell, value: Any, form: str) -> None:
        """One value into one cell, which keeps its look."""
        found = _cell(self.package.tree(cell.sheet.part), cell)
        style = self.ground.styles.for_format(int(found.get("s", 0)), form)
        one = values(pd.Series([value], dtype=object), form, self.ground.strings)
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
                    refresh(reference, *found)

    def _column_of(self, formula: str) -> tuple[pd.Series[Any], Values] | None:
        match = re.fullmatch(r"(?:'((?:[^']|'')+)'|([^'!]+))!\$?([A-Z]+)\$?(\d+):\$?([A-Z]+)\$?(\d+)", formula)
        if match is None or match[3] != match[5]:
            return None
        sheet = (match[1] or match[2]).replace("''", "'")
        rows, place = self._columns.get((sheet, column_index_from_string(match[3])), (None, 0))
        if rows is None or (int(match[4]), int(match[6])) != (rows.start, rows.end):
            return None
        return rows.column(place)

    def _texts(self, xml: bytes) -> Iterable[bytes]:
        """The template's shared strings, and ours after them; without the counts, which are optional."""
        head = xml.removesuffix(b"</sst>") if xml.endswith(b"</sst>") else xml.removesuffix(b"/>") + b">"
        head = re.sub(rb' (c|uniqueC)ount="\d+"', b"", head)
        return chain([head], (part.encode() for part in self.ground.strings.xml()), [b"</sst>"])

    def _with_rows(self, xml: bytes) -> Iterator[bytes]:
        for number, piece in enumerate(_HOLES.split(xml)):
            yield from [piece] if number % 2 == 0 else self._holes[int(piece)].xml()


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


def run_values(*, title: str, job: str, as_of: dt.date) -> dict[str, tuple[Any, str]]:
    """What named cells may show of the run itself."""
    return {"title": (title, "text"), "job": (job, "text"), "as_of": (as_of, "date")}
