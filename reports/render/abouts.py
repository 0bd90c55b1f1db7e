"""The page that ends a workbook: where its numbers come from, and what its columns mean."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from reports.model import About, Book, Provenance
from reports.render.cells import text_of
from reports.render.formats import NUMBERS, missing, parsed, written
from reports.render.grids import Grid, GridColumn
from reports.render.locales import Locale, noted
from reports.render.oddities import Note
from reports.render.sheet_pages import SheetPage

_FIRST, _LAST = 1, 5
_WIDTHS = {0: 2.5, 1: 28, 2: 24, 3: 22, 4: 12, 5: 62}
_LINE, _LINES = 130, 150
_KINDS = {
    "text": noted("text"),
    "integer": noted("whole number"),
    "number": noted("number"),
    "currency": noted("amount"),
    "compact": noted("number, shortened"),
    "percent": noted("percentage"),
    "date": noted("date"),
    "datetime": noted("date and time"),
    "month": noted("month"),
}


@dataclass(kw_only=True)
class AboutPage(SheetPage):
    """The sheet as it grows from the top. Nothing on it is of the clock, of this machine or secret."""

    last: int = _LAST
    numbers: bool = False

    def opening(self, book: Book, about: About, title: str) -> None:
        """The report, its date and its job; then what the reader must not miss."""
        self.widths = dict(_WIDTHS)
        self.band(title, book.title)
        self.gap()
        facts = {self.locale.word("Report"): book.title, self.locale.word("Job"): about.job}
        if book.as_of:
            facts[self.locale.word("As of")] = written(book.as_of, "date", self.locale)
        for label, text in facts.items():
            self._line(label, text)
        for notice in about.notices:
            self._line(self.locale.word("Notice"), notice)
        self._params(about)

    def datasets(self, origins: Sequence[Provenance]) -> None:
        """Each dataset with its source, its rows and its query."""
        for one in origins:
            self.gap()
            self.section(one.dataset, _FIRST)
            word, number = self.locale.word, self.locale.integer
            facts = {word("Source"): one.source, word("Query"): one.query_hash, word("Rows"): number(one.rows)}
            if one.set_aside:
                facts[word("Rows set aside")] = number(one.set_aside)
            for label, text in facts.items():
                self._line(label, text)
            for line in _lines(one.sql, one.query_hash):
                cells = {place: self.said("code", "") for place in range(_FIRST, _LAST + 1)}
                self.add({**cells, _FIRST: self.said("code", line)}, height=15)

    def columns(self, grids: Iterable[Grid]) -> None:
        """For each table its columns: heading, name in the query, kind, whether it is totalled, and what it means."""
        for grid in grids:
            if grid.part:
                continue
            self.gap()
            word = self.locale.word
            said = {2: word("Column"), 3: word("Kind"), 4: word("Total"), 5: word("Meaning")}
            self.section(", ".join(place.sheet for place in grid.places), _FIRST, said)
            for column in grid.columns:
                self._column(column)

    def notes(self, notes: Sequence[Note], continued: Sequence[str]) -> None:
        """What Excel cannot hold as it is, and tables that took more than one sheet."""
        if not notes and not continued:
            return
        self.gap()
        self.section(self.locale.word("Values Excel cannot hold"), _FIRST)
        for note in notes:
            texts = (note.sheet, note.column, note.what, "", note.odd.example)
            self.add({place: self.said("meaning", text) for place, text in enumerate(texts, start=_FIRST)}, height=20)
        for sentence in continued:
            self._line(self.locale.word("Continued"), sentence)

    def _params(self, about: About) -> None:
        if not about.params:
            return
        self.gap()
        self.section(self.locale.word("Parameters"), _FIRST)
        for name, value in about.params.items():
            self._line(name, _said(value))

    def _column(self, column: GridColumn) -> None:
        one = column.column
        total = self.locale.word("yes") if column.total is not None else ""
        texts = (column.heading, one.key, kind_in_words(one.format, self.locale), total, one.description)
        height = 20 * max(1, -(-len(one.description) // int(_WIDTHS[_LAST])))
        self.add({place: self.said("meaning", text) for place, text in enumerate(texts, start=_FIRST)}, height=height)

    def _line(self, label: str, text: str) -> None:
        cells = {place: self.said("plain", "") for place in range(_FIRST, _LAST + 1)}
        self.add({**cells, _FIRST: self.said("fact", label), _FIRST + 1: self.said("plain", text)}, height=20)


def kind_in_words(format: str, locale: Locale) -> str:  # noqa: A002
    """A format as people say it: amount, 2 decimals."""
    kind, decimals = parsed(format)
    said = locale.word(_KINDS[kind])
    if kind not in NUMBERS or decimals is None:
        return said
    return f"{said}, " + locale.plural("{count} decimal", "{count} decimals", decimals)


def _said(value: Any) -> str:
    return "" if missing(value) else text_of(value)


def _lines(sql: str, query_hash: str) -> Iterator[str]:
    """The query, long lines wrapped; of a very long one the beginning, with the hash of the whole."""
    lines = [part for line in sql.expandtabs(4).strip("\n").splitlines() for part in _wrapped(line)]
    yield from lines[:_LINES]
    if len(lines) > _LINES:
        yield f"… {len(lines) - _LINES:,} more lines; the whole query has the hash {query_hash}"


def _wrapped(line: str) -> list[str]:
    indent = " " * (len(line) - len(line.lstrip()) + 4)
    options = {"width": _LINE, "subsequent_indent": indent[:40], "drop_whitespace": False, "replace_whitespace": False}
    return textwrap.wrap(line, **options) or [""]  # type: ignore[arg-type]
