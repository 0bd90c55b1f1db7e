"""A table as rows of written cells: the same cells for the HTML and for the plain text."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Context, Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Self

from reports.errors import RenderError
from reports.model import Column, Table
from reports.render import formats
from reports.render.locales import ENGLISH, Locale

if TYPE_CHECKING:
    import pandas as pd

MISSING = "\N{EN DASH}"
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
_LONGEST_NUMBER = 140  # what formats.written may give for a number; a number is never cut
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_COLUMNS = {"W": 2, "F": 2}
_SUM = Context(prec=400)


@dataclass(frozen=True, kw_only=True)
class Room:
    """How much is shown at most: of each table, of each row of figures, of the page, and of one cell's text."""

    rows: int = 500
    columns: int = 200
    figures: int = 200
    parts: int = 200
    chars: int = 1000


@dataclass(frozen=True)
class Heading:
    """A column's heading; over numbers, which align right; over dates, which no line break may split."""

    label: str
    numeric: bool
    whole: bool


@dataclass(frozen=True, kw_only=True)
class WrittenTable:
    """A table's written cells; `totals` has none where nothing is totalled.

    It remembers how many rows and columns there are in all, and the files that have them.
    """

    title: str
    note: str
    headings: Sequence[Heading]
    rows: Sequence[Sequence[str]]
    totals: Sequence[str]
    empty: str
    all_rows: int
    all_columns: int
    whole_in: str = ""
    kind: str = "table"

    @property
    def cut(self) -> str:
        """The sentence that says what is not shown, and where it is; nothing where all is shown."""
        rows, columns = len(self.rows), len(self.headings)
        parts = [f"{rows:,} of {self.all_rows:,} rows"] if self.all_rows > rows else []
        parts += [f"{columns:,} of {self.all_columns:,} columns"] if self.all_columns > columns else []
        if not parts:
            return ""
        totals = f", totals of all {self.all_rows:,}" if any(self.totals) and self.all_rows > rows else ""
        return f"Showing {' and '.join(parts)}{totals}{_elsewhere(self.whole_in)}."

    def narrowed(self, columns: int) -> Self:
        """The same table with its first columns only."""
        return replace(
            self,
            headings=self.headings[:columns],
            rows=[row[:columns] for row in self.rows],
            totals=self.totals[:columns],
        )


def lay_out(table: Table, *, locale: Locale = ENGLISH, room: Room | None = None) -> WrittenTable:
    """The first rows of `table` as people read them, with totals over all its rows.

    A RenderError names a column that is not in the frame, or one to be totalled that holds something
    else than numbers.
    """
    room = room or Room()
    every = [_series(table, column) for column in table.columns]
    columns, values = table.columns[: room.columns], every[: room.columns]
    limit = min(table.limit, room.rows)
    cells = [
        [_cell(value, column, locale, room.chars) for value in series.head(limit).to_numpy()]
        for column, series in zip(columns, values, strict=True)
    ]
    return WrittenTable(
        title=shortened(table.title, room.chars),
        note=shortened(table.note, room.chars * 4),
        headings=[_heading(column, room.chars) for column in columns],
        rows=list(zip(*cells, strict=True)),
        totals=_totals(table, columns, values, locale) if len(table.frame) else (),
        empty="" if len(table.frame) else shortened(table.empty, room.chars),
        all_rows=len(table.frame),
        all_columns=len(every),
        whole_in=table.whole_in,
    )


def _elsewhere(file: str) -> str:
    return f"; all in the attachment {shortened(file, 120)}" if file else ""


def shortened(text: str, longest: int) -> str:
    """`text` without unprintable characters, and with an ellipsis where it is longer than `longest`."""
    shown = text if len(text) <= longest else text[: longest - 1].rstrip() + ELLIPSIS
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", shown)


def width(text: str) -> int:
    """How many columns `text` takes in a fixed-width font: two for an East Asian character, none for a mark."""
    if text.isascii():
        return len(text)
    return sum(_COLUMNS.get(unicodedata.east_asian_width(one), 1) * _takes_room(one) for one in text)


def _takes_room(character: str) -> bool:
    return unicodedata.category(character) not in {"Mn", "Me", "Cf"}


def listed(names: Iterable[str]) -> str:
    """Names as a sentence has them: a, b and c."""
    *before, last = names
    return f"{', '.join(before)} and {last}" if before else last


def _series(table: Table, column: Column) -> pd.Series[Any]:
    found = list(table.frame.columns).count(column.key)
    if found != 1:
        there = ", ".join(map(str, table.frame.columns)) or "none"
        times = "is not there" if not found else f"is there {found} times"
        raise RenderError(
            f"column '{column.key}' of table '{table.title}' {times}",
            where=f"table '{table.title}'",
            hint=f"name each column once, from those of the dataset: {there}",
        )
    return table.frame[column.key]


def _heading(column: Column, longest: int) -> Heading:
    kind, _ = formats.parsed(column.format)
    label = shortened(column.label or column.key, longest)
    return Heading(label, numeric=kind in formats.NUMBERS, whole=kind in {"date", "datetime", "month"})


def _cell(value: Any, column: Column, locale: Locale, longest: int) -> str:
    text = formats.written(value, column.format, locale) or MISSING
    return shortened(text, max(longest, _LONGEST_NUMBER) if formats.numeric(column.format) else longest)


def _totals(table: Table, columns: Sequence[Column], values: Sequence[pd.Series[Any]], locale: Locale) -> Sequence[str]:
    if not any(column.total for column in columns):
        return ()
    cells = [
        _cell(_sum(table, column, series), column, locale, _LONGEST_NUMBER) if column.total else ""
        for column, series in zip(columns, values, strict=True)
    ]
    named = next((place for place, column in enumerate(columns) if not column.total), None)
    return [*cells[:named], "Total", *cells[named + 1 :]] if named is not None else cells


def _sum(table: Table, column: Column, series: pd.Series[Any]) -> Decimal | float | None:
    """The sum without the missing values: exact for whole numbers and Decimals, rounded once for floats."""
    present = {row: value for row, value in enumerate(series.to_numpy(), 1) if not formats.missing(value)}
    if not present:
        return None
    if series.dtype.kind == "f":
        return _float_sum(list(present.values()))
    numbers = []
    for row, value in present.items():
        if (number := formats.exact(value)) is None:
            raise RenderError(
                f"column '{column.key}' of table '{table.title}' cannot be totalled: it holds {value!r}",
                where=f"table '{table.title}', row {row}",
                hint=f"take '{column.key}' out of 'total', or let the query give a number",
            )
        numbers.append(number)
    return _exact_sum(numbers)


def _float_sum(values: Sequence[float]) -> float | None:
    try:
        return math.fsum(values)
    except (OverflowError, ValueError):  # more than a float holds; or both infinities, which have no sum
        return sum(map(float, values))


def _exact_sum(numbers: Iterable[Decimal]) -> Decimal | None:
    total = Decimal(0)
    try:
        for number in numbers:
            total = _SUM.add(total, number)
    except InvalidOperation:  # both infinities
        return None
    return total
