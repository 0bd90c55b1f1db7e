"""Worksheets that are read like a page: a title in a band, sections, and lines under them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from reports.render.cells import EMPTY
from reports.render.locales import Locale
from reports.render.shared_strings import Strings
from reports.render.sheet_stream import row

Cell = tuple[int, str]
"""The style and the tail of a cell."""


@dataclass(kw_only=True)
class SheetPage:
    """The page as it grows from the top: its rows, the widths they need, and the links in them."""

    style: Callable[[str, str], int]
    strings: Strings
    locale: Locale
    last: int  # the place of its last column
    numbers: bool = True  # whether captions stand above numbers
    rows: list[str] = field(default_factory=list)
    widths: dict[int, float] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)

    def band(self, title: str, under: str) -> None:
        """The title over a line of smaller print, both on the accent, from edge to edge."""
        places = range(self.last + 2)
        edge = {place: self.said("band", "") for place in places}
        self.add(edge, height=10)
        self.add({**edge, 1: self.said("title", title)}, height=32)
        self.add({**edge, 1: self.said("subtitle", under)}, height=24)
        self.widths.setdefault(self.last + 1, 2.5)

    def section(self, title: str, first: int, captions: Mapping[int, str] = MappingProxyType({})) -> None:
        """A heading over the whole width, with what stands in the columns below."""
        role = "caption" if self.numbers else "heading_left"
        cells = {place: self.said(role, captions.get(place, "")) for place in range(first, self.last + 1)}
        self.add({**cells, first: self.said("section", title)}, height=26)

    def said(self, role: str, text: str) -> Cell:
        """A text, or an empty cell, that looks like this role."""
        return self.style(role, "@"), self.strings.tail(text) if text else EMPTY

    def gap(self) -> None:
        self.add({}, height=14)

    def add(self, cells: Mapping[int, Cell], *, height: float) -> None:
        self.rows.append(row(len(self.rows) + 1, cells, height=height))
