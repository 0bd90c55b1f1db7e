"""A table as rows of written cells: the same cells for the HTML and for the plain text."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Context, Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from reports.errors import RenderError
from reports.model import Column, Table, Theme
from reports.render import formats
from reports.render.locales import ENGLISH, Locale, noted
from reports.render.marks import NO_MARK, Mark, marker
from reports.render.numerals import MINUS

if TYPE_CHECKING:
    import pandas as pd

MISSING = "\N{EN DASH}"
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
_LONGEST_NUMBER = 140  # what formats.written may give for a number; a number is never cut
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_COLUMNS = {"W": 2, "F": 2}
_SUM = Context(prec=400)
# What is said of a table that is cut, by whether it has totals and whether a file has all of it.
_CUT = {
    (False, False): noted("Showing {what}."),
    (False, True): noted("Showing {what}; all in the attachment {file}."),
    (True, False): noted("Showing {what}, totals of all {all}."),
    (True, True): noted("Showing {what}, totals of all {all}; all in the attachment {file}."),
}


@dataclass(frozen=True, kw_only=True)
class Room:
    """How much is shown at most: of each table, of each row of figures, of the page, and of one cell's text.

    A `plain` table has neither bars nor heat, which take as much room as their numbers; `numbers` are those of charts
    that no table has, `every_number` of all of them.
    """

    rows: int = 500
    columns: int = 200
    figures: int = 200
    parts: int = 200
    chars: int = 1000
    plain: bool = False
    numbers: bool = True
    every_number: bool = False


class Cell(NamedTuple):
    """A value in words, and what is drawn with it."""

    text: str
    negative: bool = False
    mark: Mark = NO_MARK


@dataclass(frozen=True)
class Heading:
    """A column's heading; over numbers, which align right; over dates, which no line break may split.

    Over bars it stands over two cells of each row: a number and its bar.
    """

    label: str
    numeric: bool
    whole: bool
    bars: bool = False


@dataclass(frozen=True, kw_only=True)
class WrittenTable:
    """A table's written cells; `totals` has none where nothing is totalled.

    It remembers how many rows and columns there are in all, and the files that have them. A `plain` one has less
    about it than others, so that more rows of it fit.
    """

    title: str
    note: str
    headings: Sequence[Heading]
    rows: Sequence[Sequence[Cell]]
    totals: Sequence[Cell]
    empty: str
    all_rows: int
    all_columns: int
    whole_in: str = ""
    plain: bool = False
    locale: Locale = ENGLISH
    kind: str = "table"

    @property
    def cut(self) -> str:
        """The sentence that says what is not shown, and where it is; nothing where all is shown."""
        rows, columns = len(self.rows), len(self.headings)
        parts = [self._of(noted("{shown} of {all} rows"), rows, self.all_rows)] if self.all_rows > rows else []
        parts += (
            [self._of(noted("{shown} of {all} columns"), columns, self.all_columns)]
            if self.all_columns > columns
            else []
        )
        if not parts:
            return ""
        word, every = self.locale.word, self.locale.integer(self.all_rows)
        what = word("{rows} and {columns}", rows=parts[0], columns=parts[1]) if len(parts) > 1 else parts[0]
        said = _CUT[bool(self.totals) and self.all_rows > rows, bool(self.whole_in)]
        return word(said, what=what, all=every, file=shortened(self.whole_in, 120))

    def _of(self, said: str, shown: int, every: int) -> str:
        return self.locale.word(said, shown=self.locale.integer(shown), all=self.locale.integer(every))

    def narrowed(self, columns: int) -> Self:
        """The same table with its first columns only."""
        return replace(
            self,
            headings=self.headings[:columns],
            rows=[row[:columns] for row in self.rows],
            totals=self.totals[:columns],
        )


def lay_out(
    table: Table, *, locale: Locale = ENGLISH, room: Room | None = None, theme: Theme | None = None
) -> WrittenTable:
    """The first rows of `table` as people read them, with totals over all its rows.

    A RenderError names a column that is not in the frame, or one to be totalled or drawn that holds
    something else than numbers.
    """
    room, theme = room or Room(), theme or Theme()
    every = [_series(table, column) for column in table.columns]
    columns, values = table.columns[: room.columns], every[: room.columns]
    limit, writer = min(table.limit, room.rows), _Writer(table, locale, room.chars, theme)
    columns = [replace(column, look="") if room.plain and column.look != "change" else column for column in columns]
    cells = [
        writer.cells(column, series, series.head(limit).to_numpy())
        for column, series in zip(columns, values, strict=True)
    ]
    return WrittenTable(
        title=shortened(table.title, room.chars),
        note=shortened(table.note, room.chars * 4),
        headings=[_heading(column, room.chars) for column in columns],
        rows=list(zip(*cells, strict=True)),
        totals=writer.totals(columns, values) if len(table.frame) else (),
        empty="" if len(table.frame) else shortened(empty(table.empty, locale), room.chars),
        all_rows=len(table.frame),
        all_columns=len(every),
        whole_in=table.whole_in,
        plain=room.plain,
        locale=locale,
    )


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
    whole = kind in {"date", "datetime", "month"}
    return Heading(label, numeric=kind in formats.NUMBERS, whole=whole, bars=column.look == "bar")


def empty(said: str, locale: Locale) -> str:
    """What is said where there are no rows: the job's words as they are, or ours in the report's language."""
    return locale.word("No rows.") if said == Table.empty else said


@dataclass(frozen=True)
class _Writer:
    """How the cells of one table are written."""

    table: Table
    locale: Locale
    longest: int
    theme: Theme

    def cells(self, column: Column, series: pd.Series[Any], shown: Iterable[Any]) -> list[Cell]:
        """The values that are shown, drawn against all of the column."""
        mark = marker(column, series, self.theme, place=f"table '{self.table.title}'") if column.look else None
        if mark is None:
            return [self.cell(value, column) for value in shown]
        return [self._marked(value, column, mark(value)) for value in shown]

    def cell(self, value: Any, column: Column) -> Cell:
        text = formats.written(value, column.format, self.locale) or MISSING
        if not formats.numeric(column.format):
            return Cell(shortened(text, self.longest))
        return Cell(shortened(text, max(self.longest, _LONGEST_NUMBER)), MINUS in text)

    def _marked(self, value: Any, column: Column, mark: Mark) -> Cell:
        cell = self.cell(value, column)
        if not mark.arrow:
            return cell._replace(mark=mark)
        sign = "" if cell.negative else "+"
        return Cell(f"{mark.arrow} {self.locale.signed(sign + cell.text)}", mark=mark)

    def totals(self, columns: Sequence[Column], values: Sequence[pd.Series[Any]]) -> Sequence[Cell]:
        if not any(column.total for column in columns):
            return ()
        cells = [
            self.cell(_sum(self.table, column, series), column) if column.total else Cell("")
            for column, series in zip(columns, values, strict=True)
        ]
        named = next((place for place, column in enumerate(columns) if not column.total), None)
        return [*cells[:named], Cell(self.locale.word("Total")), *cells[named + 1 :]] if named is not None else cells


def _sum(table: Table, column: Column, series: pd.Series[Any]) -> Decimal | float | None:
    """The sum without the missing values: exact for whole numbers and Decimals, rounded once for floats."""
    if getattr(series.dtype, "kind", "O") == "f":
        return _float_sum(series.dropna().tolist()) if series.notna().any() else None
    present = {row: value for row, value in enumerate(series.to_numpy(), 1) if not formats.missing(value)}
    if not present:
        return None
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
