"""What Excel cannot hold as it is: counted, so that nothing is changed in silence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

Oddity = Literal["cut", "replaced", "digits", "infinite", "early", "other", "rounded", "lines", "line ends"]
LOST: frozenset[Oddity] = frozenset({"cut", "replaced"})
"""What a reader of the workbook misses; the rest is all there, if in another form."""
_EXAMPLE = 40
_SAID: dict[Oddity, tuple[str, str]] = {
    "cut": ("text is longer than 32,767 characters: cut", "texts are longer than 32,767 characters: cut"),
    "replaced": ("text has control characters: shown by signs", "texts have control characters: shown by signs"),
    "digits": ("whole number has over 15 digits: kept as text", "whole numbers have over 15 digits: kept as text"),
    "infinite": ("value is infinite: kept as text", "values are infinite: kept as text"),
    "early": ("date is before March 1900: kept as text", "dates are before March 1900: kept as text"),
    "other": ("value is not of its column's kind: kept as text", "values are not of their column's kind: kept as text"),
    "rounded": ("decimal has more digits than a cell: rounded", "decimals have more digits than a cell: rounded"),
    "lines": ("text has over 253 line feeds: kept", "texts have over 253 line feeds: kept"),
    "line ends": ("text had carriage returns: now line feeds", "texts had carriage returns: now line feeds"),
}


@dataclass(frozen=True, kw_only=True)
class Odd:
    """One kind of thing that the cells of a column cannot hold: how many of them, and the first."""

    kind: Oddity
    count: int
    example: str


@dataclass
class Odds:
    """The oddities of one column, counted one by one."""

    _found: dict[Oddity, tuple[int, str]] = field(default_factory=dict)

    def add(self, kind: Oddity, example: Any, times: int = 1) -> None:
        count, first = self._found.get(kind) or (0, excerpt(example))
        self._found[kind] = count + times, first

    def __iter__(self) -> Iterator[Odd]:
        return (Odd(kind=kind, count=count, example=example) for kind, (count, example) in self._found.items())


@dataclass(frozen=True, kw_only=True)
class Note:
    """An oddity with its place: what stands in the log, on the sheet about the report and perhaps in the mail."""

    sheet: str
    column: str
    odd: Odd

    @property
    def lost(self) -> bool:
        return self.odd.kind in LOST

    @property
    def what(self) -> str:
        return f"{self.odd.count:,} {_SAID[self.odd.kind][self.odd.count > 1]}"

    def __str__(self) -> str:
        return f"Sheet '{self.sheet}', column '{self.column}': {self.what} (first: {self.odd.example})."


def excerpt(value: Any) -> str:
    """The beginning of a value, with what cannot be printed written out."""
    text = repr(value[: _EXAMPLE + 1]) if isinstance(value, str) else str(value)
    return text if len(text) <= _EXAMPLE else f"{text[:_EXAMPLE]}…"
