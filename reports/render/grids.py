"""Tables as they will stand on their worksheets: headings, cells, number formats, widths and totals."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from reports.errors import RenderError
from reports.model import Column, Table
from reports.render.cells import TEXT_LIMIT, Strings, Values, display_width, total, values
from reports.render.formats import numeric, parsed
from reports.render.locales import Locale
from reports.render.number_formats import number_format, number_width
from reports.render.sheet_names import headings, specifier
from reports.render.sheet_stream import letter

ROWS, COLUMNS, CELLS = 1_048_576, 16_384, 20_000_000
_NARROWEST, _WIDEST, _FILTER_BUTTON = 10, 60, 5
_log = logging.getLogger(__name__)


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
    def right(self) -> bool:
        return numeric(self.column.format)

    @property
    def is_text(self) -> bool:
        return parsed(self.column.format)[0] == "text"


@dataclass(frozen=True, kw_only=True)
class Grid:
    """A table on its sheet from A1 on: a row of headings, the rows, perhaps a row of totals.

    Excel wants at least one row under the headings, so a table without rows has a blank one.
    """

    sheet: str
    name: str
    title: str
    columns: Sequence[GridColumn]
    count: int

    @property
    def last(self) -> int:
        """The number of the last row of data."""
        return 1 + max(self.count, 1)

    @cached_property
    def totals(self) -> list[GridColumn]:
        return [one for one in self.columns if one.total is not None]

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

    def reference(self, column: GridColumn) -> str:
        """The cells of a column, as formulas anywhere in the workbook write them: Loans[Balance]."""
        return self.name + specifier(column.heading)


def grid(table: Table, *, sheet: str, name: str, locale: Locale, strings: Strings) -> Grid:
    """`table` ready for the sheet; a RenderError where Excel or its totals cannot take it."""
    _check_size(table, sheet)
    labels = headings(column.label for column in table.columns)
    columns = [
        _column(table.frame, column, heading=heading, locale=locale, strings=strings, sheet=sheet)
        for column, heading in zip(table.columns, labels, strict=True)
    ]
    return Grid(sheet=sheet, name=name, title=table.title, columns=columns, count=len(table.frame))


def _column(
    frame: pd.DataFrame, column: Column, *, heading: str, locale: Locale, strings: Strings, sheet: str
) -> GridColumn:
    where = f"sheet '{sheet}', column '{heading}'"
    cells = values(_series(frame, column.key, where), column.format, strings)
    if cells.cut:
        _log.warning("%s: %d texts longer than %s characters were cut", where, cells.cut, f"{TEXT_LIMIT:,}")
    summed = _total(cells, where) if column.total else None
    shown = [] if summed is None else [summed]
    widths = (
        display_width(heading) + _FILTER_BUTTON,
        cells.width + 3,
        number_width(column.format, locale, [*cells.ends, *shown]) + 2,
    )
    return GridColumn(
        column=column,
        heading=heading,
        values=cells,
        number_format=number_format(column.format, locale, np.append(cells.numbers, shown)),
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
        return total(cells.numbers)
    place, value = cells.stray
    raise RenderError(
        f"a total was asked for, but row {place + 1} has {_excerpt(value)}, which is no number to Excel",
        where=where,
        hint="give the column a number's format, cast it in the SQL, or take it out of 'total'",
    )


def _excerpt(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


def _check_size(table: Table, sheet: str) -> None:
    height = len(table.frame) + 1 + any(column.total for column in table.columns)
    width = len(table.columns)
    if not width:
        raise RenderError("a table has no columns", where=f"sheet '{sheet}'", hint="name at least one")
    for size, limit, noun in ((height, ROWS, "rows"), (width, COLUMNS, "columns"), (height * width, CELLS, "cells")):
        if size > limit:
            raise RenderError(
                f"the table would take {size:,} {noun}; a sheet can have {limit:,}",
                where=f"sheet '{sheet}'",
                hint="aggregate or filter in the SQL, or spread the rows over several sheets",
            )
