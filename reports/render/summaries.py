"""The page that opens a workbook: its title, its figures, and the contents with their live totals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import pandas as pd

from reports.model import Book, Figure, Figures
from reports.render.cells import display_width, markup
from reports.render.formats import written
from reports.render.grids import Grid, GridColumn
from reports.render.number_formats import changes_format, number_format, number_width
from reports.render.oddities import Note
from reports.render.sheet_names import quoted
from reports.render.sheet_pages import Cell, SheetPage
from reports.render.sheet_stream import letter
from reports.render.values import Look, Values, values

_LABEL, _VALUE, _BEFORE, _CHANGE, _NOTE = 1, 2, 3, 4, 5  # column A is a margin
_WIDEST_LABEL, _WIDEST_VALUE, _WIDEST_NOTE = 46, 40, 70


@dataclass(kw_only=True)
class Summary(SheetPage):
    """The sheet as it grows from the top. Columns for the last run are there where a figure is compared with it."""

    sheet: str
    last: int = _NOTE
    notes: list[Note] = field(default_factory=list)

    def opening(self, book: Book, figures: Figures) -> None:
        """The book's title in a band, and the figures' own title."""
        self.widths = {0: 2.5, _LABEL: 26, _VALUE: 18, _BEFORE: 2, _CHANGE: 2, _NOTE: 34}
        title = book.title or figures.title
        as_of = written(book.as_of, "date", self.locale) if book.as_of else ""
        self.band(title, self.locale.word("As of {date}", date=as_of) if as_of else "")
        self.gap()
        if figures.title not in {"", title}:
            self.section(figures.title, _LABEL)

    def figures(self, figures: Sequence[Figure]) -> None:
        """A line for each figure: label, value in its own format, that of the last run and the change, note."""
        if any(figure.before is not None for figure in figures):
            said = {_BEFORE: self.locale.word("Last run"), _CHANGE: self.locale.word("Change")}
            self.add({place: self.said("caption", text) for place, text in said.items()}, height=18)
        for figure in figures:
            value, cells = self._figure(figure, figure.value, "figure")
            before, past = self._figure(figure, figure.before, "count")
            self.notes += [Note(sheet=self.sheet, column=figure.label, odd=odd) for odd in cells.odds]
            self._fit(_LABEL, display_width(figure.label), _WIDEST_LABEL)
            self._fit(_NOTE, display_width(figure.note), _WIDEST_NOTE)
            row = {_LABEL: self.said("label", figure.label), _VALUE: value, _BEFORE: before}
            row |= {_CHANGE: self._change(figure, cells, past), _NOTE: self.said("note", figure.note)}
            self.add(row, height=24)
            self._fit(_VALUE, self._width(figure, cells), _WIDEST_VALUE)
            if figure.before is not None:
                self._fit(_BEFORE, self._width(figure, past), _WIDEST_VALUE)
                self._fit(_CHANGE, self._width(figure, past) + 3, _WIDEST_VALUE)

    def contents(self, grids: Sequence[Grid], about: str = "") -> None:
        """A line for each table, linked to its sheet, with its rows; then their totals, as formulas."""
        if not grids and not about:
            return
        self.gap()
        self.section(self.locale.word("Contents"), _LABEL, {_VALUE: self.locale.word("Rows")})
        for grid in grids:
            count = (self.style("count", "#,##0"), f"><v>{grid.count}</v></c>")
            self._line(grid.sheet, count, _told(grid))
        if about:
            self._line(about, self.said("count", ""), self.locale.word("Sources, queries and definitions"))
        self._totals(grids)

    def _line(self, sheet: str, count: Cell, note: str) -> None:
        self.links[f"{letter(_LABEL)}{len(self.rows) + 1}"] = f"{quoted(sheet)}!A1"
        self._fit(_LABEL, display_width(sheet), _WIDEST_LABEL)
        self._fit(_NOTE, display_width(note), _WIDEST_NOTE)
        self.add({**self._ruled(), _LABEL: self.said("link", sheet), _VALUE: count, _NOTE: self.said("note", note)},
                 height=21)  # fmt: skip

    def _totals(self, grids: Iterable[Grid]) -> None:
        summed = [(grid, column) for grid in grids for column in grid.totals]
        if not summed:
            return
        self.gap()
        self.section(self.locale.word("Totals"), _LABEL)
        for grid, column in summed:
            self._total(grid, column)

    def _total(self, grid: Grid, column: GridColumn) -> None:
        style = self.style("sum", column.number_format)
        value = (style, f"><f>{markup(grid.sum(column))}</f><v>{column.total!r}</v></c>")
        self._fit(_LABEL, display_width(column.heading), _WIDEST_LABEL)
        self._fit(_VALUE, column.width, _WIDEST_VALUE)
        sheet = self.said("note", grid.places[0].sheet)
        self.add({**self._ruled(), _LABEL: self.said("label", column.heading), _VALUE: value, _NOTE: sheet}, height=21)

    def _figure(self, figure: Figure, value: object, role: str) -> tuple[Cell, Values]:
        cells = values(pd.Series([value], dtype=object), figure.format, self.strings)
        code = number_format(figure.format, self.locale, cells.telling)
        is_number = bool(cells.ends)
        style = self.style(role, code if is_number else "@")
        pattern, filling = cells.pieces(Look(value=style, text=style), 0, 1)
        return (style, (pattern % filling[0]).partition(f' s="{style}"')[2]), cells

    def _change(self, figure: Figure, now: Values, past: Values) -> Cell:
        """The difference to the last run as a formula, with an arrow and a sign."""
        if not (now.ends and past.ends) or figure.format.startswith(("date", "month")):
            return self.said("count", "")
        change = now.ends[0] - past.ends[0]
        code = changes_format(number_format(figure.format, self.locale, [*now.telling, *past.telling]))
        role = {"up": change > 0, "down": change < 0}.get(figure.good)
        tone = "count" if role is None or not change else "better" if role else "worse"
        row = len(self.rows) + 1
        return self.style(tone, code), f"><f>{letter(_VALUE)}{row}-{letter(_BEFORE)}{row}</f><v>{change!r}</v></c>"

    def _width(self, figure: Figure, cells: Values) -> int:
        return max(cells.width, number_width(figure.format, self.locale, cells.ends))

    def _ruled(self) -> dict[int, Cell]:
        return {place: self.said("note", "") for place in range(_LABEL, _NOTE + 1)}

    def _fit(self, column: int, width: int, widest: int) -> None:
        self.widths[column] = min(max(self.widths[column], width * 1.15 + 3), widest)


def _told(grid: Grid) -> str:
    """The title of a table, where that says more than the sheet's name; of a part of one, which rows it has."""
    if len(grid.places) > 1:
        return f"Rows {grid.rows.start + 1:,} to {grid.rows.stop:,} of {grid.whole:,}"
    return grid.title if grid.title != grid.sheet else ""
