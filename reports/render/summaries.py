"""The page that opens a workbook: its title, its figures, and the contents with their live totals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import pandas as pd

from reports.model import Book, Figure, Figures
from reports.render.cells import EMPTY, Strings, display_width, markup, values
from reports.render.grids import Grid
from reports.render.locales import Locale
from reports.render.number_formats import number_format, number_width
from reports.render.sheet_names import quoted
from reports.render.sheet_stream import letter, row

# Column A is a margin.
_LABEL, _VALUE, _NOTE = 1, 2, 3
_WIDEST_LABEL, _WIDEST_VALUE, _WIDEST_NOTE = 46, 40, 70
_Cells = dict[int, tuple[int, str]]


@dataclass
class Summary:
    """The sheet as it grows from the top: its rows, the widths they need, and the links in them."""

    style: Callable[[str, str], int]
    strings: Strings
    locale: Locale
    rows: list[str] = field(default_factory=list)
    widths: dict[int, float] = field(default_factory=lambda: {0: 2.5, _LABEL: 24, _VALUE: 16, _NOTE: 30})
    links: dict[str, str] = field(default_factory=dict)

    def title(self, book: Book, figures: Figures) -> None:
        """The book's title over a rule, the business date under it, and the figures' own title."""
        title = book.title or figures.title
        self._add({_LABEL: self._said("title", title), _VALUE: (self.style("title", "@"), EMPTY),
                   _NOTE: (self.style("title", "@"), EMPTY)}, height=34)  # fmt: skip
        if book.as_of:
            self._add({_LABEL: self._said("subtitle", f"As of {book.as_of.isoformat()}")}, height=22)
        self._gap()
        if figures.title not in {"", title}:
            self._section(figures.title)

    def figures(self, figures: Iterable[Figure]) -> None:
        """A line for each figure: label, value in its own format, note."""
        for figure in figures:
            label, value = self._said("label", figure.label), self._value(figure)
            self._fit(_LABEL, display_width(figure.label), _WIDEST_LABEL)
            self._fit(_NOTE, display_width(figure.note), _WIDEST_NOTE)
            self._add({_LABEL: label, _VALUE: value, _NOTE: self._said("note", figure.note)}, height=21)

    def contents(self, grids: Sequence[Grid]) -> None:
        """A line for each table, linked to its sheet, with its rows; then their totals, as formulas."""
        if not grids:
            return
        self._gap()
        self._section("Contents", "Rows")
        for grid in grids:
            self.links[f"{letter(_LABEL)}{len(self.rows) + 1}"] = f"{quoted(grid.sheet)}!A1"
            count = (self.style("count", "#,##0"), f"><v>{grid.count}</v></c>")
            note = grid.title if grid.title != grid.sheet else ""
            self._fit(_LABEL, display_width(grid.sheet), _WIDEST_LABEL)
            self._add(
                {_LABEL: self._said("link", grid.sheet), _VALUE: count, _NOTE: self._said("note", note)}, height=21
            )
        self._totals(grids)

    def _totals(self, grids: Sequence[Grid]) -> None:
        if not any(grid.totals for grid in grids):
            return
        self._gap()
        self._section("Totals")
        for grid in grids:
            for column in grid.totals:
                formula = f"SUM({grid.reference(column)})"
                style = self.style("figure", column.number_format)
                value = (style, f"><f>{markup(formula)}</f><v>{column.total!r}</v></c>")
                self._fit(_LABEL, display_width(column.heading), _WIDEST_LABEL)
                self._fit(_VALUE, column.width, _WIDEST_VALUE)
                cells = {_LABEL: self._said("label", column.heading), _VALUE: value}
                self._add(cells | {_NOTE: self._said("note", grid.sheet)}, height=21)

    def _value(self, figure: Figure) -> tuple[int, str]:
        cells = values(pd.Series([figure.value], dtype=object), figure.format, self.strings)
        tail = cells.tails(0, 1)[0]
        code = number_format(figure.format, self.locale, cells.numbers)
        width = max(cells.width, number_width(figure.format, self.locale, cells.numbers))
        self._fit(_VALUE, width, _WIDEST_VALUE)
        return self.style("figure", code if tail.startswith(">") else "@"), tail

    def _section(self, title: str, of_values: str = "") -> None:
        cells = {_LABEL: self._said("section", title), _VALUE: self._said("caption", of_values)}
        self._add(cells | {_NOTE: (self.style("section", "@"), EMPTY)}, height=24)

    def _said(self, role: str, text: str) -> tuple[int, str]:
        return self.style(role, "@"), self.strings.tail(text) if text else EMPTY

    def _fit(self, column: int, width: int, widest: int) -> None:
        self.widths[column] = min(max(self.widths[column], width * 1.15 + 3), widest)

    def _gap(self) -> None:
        self._add({}, height=12)

    def _add(self, cells: _Cells, *, height: float) -> None:
        self.rows.append(row(len(self.rows) + 1, cells, height=height))
