"""Tables as they will stand on their worksheets: headings, cells, number formats, widths and totals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pandas as pd

from reports.errors import RenderError
from reports.model import Column, Table
from reports.render.cells import display_width
from reports.render.formats import numeric, parsed
from reports.render.locales import Locale
from reports.render.number_formats import changes_format, number_format, number_width
from reports.render.oddities import Note, Odd, excerpt
from reports.render.outlines import Subtotal, outline
from reports.render.shared_strings import Strings
from reports.render.sheet_names import headings, quoted, specifier
from reports.render.sheet_stream import letter
from reports.render.values import Values, values

ROWS, COLUMNS, CELLS = 1_048_576, 16_384, 50_000_000
_NARROWEST, _WIDEST, _FILTER_BUTTON, _ARROW = 10, 60, 5, 2


@dataclass(frozen=True, kw_only=True)
class GridColumn:
    """A column: what it was asked to be, its heading, its cells, how Excel shows them, and its sum."""

    column: Column
    heading: str
    values: Values
    number_format: str
    width: int
    total: float | None

    @property
    def odds(self) -> Sequence[Odd]:
        return list(self.values.odds)

    @property
    def right(self) -> bool:
        return numeric(self.column.format)

    @property
    def is_text(self) -> bool:
        return parsed(self.column.format)[0] == "text"


@dataclass(frozen=True, kw_only=True)
class Place:
    """A worksheet and the name of the table on it."""

    sheet: str
    table: str


@dataclass(frozen=True, kw_only=True)
class Grid:
    """A table, or a part of one, on its sheet from A1 on: a row of headings, the rows, perhaps a row of totals.

    Excel wants at least one row under the headings, so a table without rows has a blank one. A table of more rows
    than a sheet holds goes on on the next one: `places` are all of them, this is the one of number `part`, with the
    rows at `rows`. One that is grouped has `lines` instead, and is no table of Excel's, which has no subtotals.
    """

    places: Sequence[Place]
    title: str
    columns: Sequence[GridColumn]
    rows: range
    whole: int
    part: int = 0
    lines: Sequence[range | Subtotal] = ()

    @property
    def sheet(self) -> str:
        return self.places[self.part].sheet

    @property
    def name(self) -> str:
        return self.places[self.part].table

    @property
    def count(self) -> int:
        return len(self.rows)

    @property
    def is_last(self) -> bool:
        return self.part == len(self.places) - 1

    @cached_property
    def last(self) -> int:
        """The number of the last row of data, or of subtotals."""
        return 1 + max(self.count, 1) + sum(isinstance(line, Subtotal) for line in self.lines)

    @cached_property
    def totals(self) -> list[GridColumn]:
        """The columns with a sum, which stands on the last sheet."""
        return [one for one in self.columns if one.total is not None] if self.is_last else []

    @property
    def bottom(self) -> int:
        return self.last + bool(self.totals)

    @property
    def ref(self) -> str:
        return self.range(0, len(self.columns) - 1, 1, self.bottom)

    @property
    def width(self) -> int:
        return sum(one.width for one in self.columns)

    def range(self, left: int, right: int, top: int, bottom: int) -> str:
        return f"{letter(left)}{top}:{letter(right)}{bottom}"

    def ranges(self, chosen: Sequence[bool], bottom: int) -> list[str]:
        """The ranges, from the second row to `bottom`, of the chosen columns."""
        return [self.range(place, place, 2, bottom) for place, one in enumerate(chosen) if one]

    def subtotal(self, column: GridColumn) -> str:
        """The formula under a column, of what the filter leaves."""
        if not self.lines:
            return f"SUBTOTAL(109,{self._references(column)})"
        place = self.columns.index(column)  # 9 counts what an outline hides
        return f"SUBTOTAL(9,{self.range(place, place, 2, self.last)})"

    def sum(self, column: GridColumn) -> str:
        """The formula for a column's sum, as it may stand anywhere in the workbook."""
        if not self.lines:
            return f"SUM({self._references(column)})"
        return f"{quoted(self.sheet)}!{letter(self.columns.index(column))}{self.bottom}"

    def _references(self, column: GridColumn) -> str:
        """The cells of a column, as structured references write them: Loans[Balance]."""
        return ",".join(place.table + specifier(column.heading) for place in self.places)

    @property
    def notes(self) -> list[Note]:
        """What its columns have that Excel cannot hold; of one that goes on, said with its first sheet."""
        columns = () if self.part else self.columns
        return [Note(sheet=self.sheet, column=one.heading, odd=odd) for one in columns for odd in one.odds]


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What all tables of a workbook have in common."""

    locale: Locale
    strings: Strings
    most: int = ROWS  # rows of a sheet


def parts(table: Table, *, group: Sequence[str] = (), most: int = ROWS) -> int:
    """How many sheets a table takes."""
    room = _room(table, most)
    return 1 if group else max(1, -(-len(table.frame) // room))


def grids(table: Table, places: Sequence[Place], setting: Setting, *, group: Sequence[str] = ()) -> list[Grid]:
    """`table` ready for its sheets; a RenderError where Excel or its totals cannot take it."""
    sheet = places[0].sheet
    _check_size(table, sheet)
    labels = headings(column.label for column in table.columns)
    columns = [
        _column(table.frame, column, heading, setting, f"sheet '{sheet}', column '{heading}'")
        for column, heading in zip(table.columns, labels, strict=True)
    ]
    whole, room = len(table.frame), _room(table, setting.most)
    made = Grid(places=places, title=table.title, columns=columns, rows=range(whole), whole=whole)
    if group:
        return [_grouped(made, table, group, setting.most)]
    every = range(whole)
    return [replace(made, part=part, rows=every[part * room : (part + 1) * room]) for part in range(len(places))]


def _grouped(made: Grid, table: Table, group: Sequence[str], most: int) -> Grid:
    where = f"sheet '{made.sheet}'"
    keys = [_series(table.frame, key, where) for key in group]
    grouped = replace(made, lines=outline(keys))
    if grouped.bottom > most:
        raise RenderError(
            f"the groups would take {grouped.bottom:,} rows with their subtotals; a sheet can have {most:,}",
            where=where,
            hint="take 'group' out, so that the rows go on on a next sheet, or aggregate in the SQL",
        )
    return grouped


def _room(table: Table, most: int) -> int:
    """The rows of data that a sheet has room for, under the headings and above the totals."""
    return most - 1 - any(column.total for column in table.columns)


def _column(frame: pd.DataFrame, column: Column, heading: str, setting: Setting, where: str) -> GridColumn:
    cells = values(_series(frame, column.key, where), column.format, setting.strings)
    summed = _total(cells, where) if column.total else None
    shown = [] if summed is None else [summed]
    form = number_format(column.format, setting.locale, [*cells.telling, *shown])
    changes = column.look == "change"
    widths = (
        display_width(heading) + _FILTER_BUTTON,
        cells.width + 3,
        number_width(column.format, setting.locale, [*cells.ends, *shown]) + 2 + changes * _ARROW,
    )
    return GridColumn(
        column=column,
        heading=heading,
        values=cells,
        number_format=changes_format(form) if changes else form,
        width=min(max(_NARROWEST, *widths), _WIDEST),
        total=summed,
    )


def _series(frame: pd.DataFrame, key: str, where: str) -> pd.Series[Any]:
    places = [place for place, column in enumerate(frame.columns) if str(column) == key]
    if len(places) == 1:
        return frame.iloc[:, places[0]]
    there = ", ".join(map(str, frame.columns))
    what = f"there are {len(places)} columns '{key}'" if places else f"there is no column '{key}'"
    raise RenderError(what, where=where, hint=f"the columns are: {there}")


def _total(cells: Values, where: str) -> float:
    if cells.stray is None:
        return cells.total()
    place, value = cells.stray
    raise RenderError(
        f"a total was asked for, but row {place + 1} has {excerpt(value)}, which is no number to Excel",
        where=where,
        hint="give the column a number's format, cast it in the SQL, or take it out of 'total'",
    )


def _check_size(table: Table, sheet: str) -> None:
    width = len(table.columns)
    if not width:
        raise RenderError("a table has no columns", where=f"sheet '{sheet}'", hint="name at least one")
    for size, limit, noun in ((width, COLUMNS, "columns"), (len(table.frame) * width, CELLS, "cells")):
        if size > limit:
            raise RenderError(
                f"the table would take {size:,} {noun}; {limit:,} are the most",
                where=f"sheet '{sheet}'",
                hint="aggregate or filter in the SQL",
            )
