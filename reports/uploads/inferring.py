"""The types of a new table, from every value of the file that is to fill it: what would lose a digit stays text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from reports.sources.stream import Stream
from reports.uploads.columns import Column
from reports.uploads.loading import unhindered
from reports.uploads.values import Unfit, Writing, all_of, converted

_NAMED = {"number": "number", "integer": "integer", "boolean": "boolean", "date": "date", "datetime": "datetime"}
_ORDER = ("boolean", "integer", "decimal", "number", "date", "datetime", "instant")
_TESTS = {
    "integer": r"-?(?:0|[1-9][0-9]{0,17})",
    "decimal": r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?",
    "number": r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?",
    "date": r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
    "instant": r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][^\n]*(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)",
}
MOST_DIGITS = 38


@dataclass
class Guess:
    """What one column can still be, the strictest first, and how much room its values take."""

    name: str
    pinned: str = ""
    left: list[str] = field(default_factory=lambda: list(_ORDER))
    whole: int = 1
    scale: int = 0
    length: int = 0
    seen: bool = False

    def look(self, texts: Sequence[str | None], writing: Writing) -> None:
        """Some more values."""
        present = [text for text in texts if text is not None and text not in writing.null_words]
        if not present:
            return
        self.length = max([self.length, *map(len, present)])
        values = [text for text in present if text]
        self.seen = self.seen or bool(values)
        while not self.pinned and self.left and not _all(self.left[0], values, writing):
            self.left.pop(0)
        if self.kind == "decimal" or self.left[:1] == ["integer"]:
            self._measure(values, writing)

    def _measure(self, values: Sequence[str], writing: Writing) -> None:
        fraction = rf"(?:\.[0-9]{{1,{self.scale}}})?" if self.scale else ""
        if writing.is_plain and all_of(f"-?[0-9]{{1,{self.whole}}}{fraction}", values):
            return
        for value in set(values):
            whole, _, fraction = _number(value, writing).lstrip("-").partition(".")
            self.whole, self.scale = max(self.whole, len(whole)), max(self.scale, len(fraction))
        if self.whole + self.scale > MOST_DIGITS and self.left[:1] == ["decimal"]:
            self.left = []

    @property
    def kind(self) -> str:
        """The strictest kind that holds all that was seen; without a value it is text."""
        if self.pinned:
            return _NAMED.get(self.pinned, "decimal" if self.pinned.startswith("decimal") else "text")
        return self.left[0] if self.left and self.seen else "text"

    @property
    def size(self) -> tuple[int, int]:
        """Digits and scale of a decimal, with room for larger ones."""
        if found := re.fullmatch(r"decimal\((\d+),\s?(\d+)\)", self.pinned):
            return int(found[1]), int(found[2])
        return max(self.whole + self.scale, min(15, self.scale + 11)), self.scale


def guesses(stream: Stream, types: Mapping[str, str], writing: Writing, *, size: int) -> list[Guess]:
    """A guess for each column, after a look at every row."""
    found = [Guess(name, types.get(name) or stream.kinds.get(name, "")) for name in stream.names]
    with unhindered():
        for piece in stream.pieces(size):
            for guess, texts in zip(found, zip(*piece.rows, strict=True), strict=False):
                guess.look(texts, writing)
    return found


def _all(kind: str, values: Sequence[str], writing: Writing) -> bool:
    if kind == "boolean":
        return {value.lower() for value in values} <= {"true", "false"}
    if kind in ("integer", "decimal", "number"):
        return all_of(_TESTS[kind], values if writing.is_plain else [_number(value, writing) for value in values])
    distinct = sorted(set(values))
    if kind in _TESTS and not writing.date_format and not all_of(_TESTS[kind], distinct):
        return False
    column = Column(name="", declared="", kind=kind)  # type: ignore[arg-type]
    return not converted(column, distinct, writing)[1]


def _number(value: str, writing: Writing) -> str:
    if writing.is_plain:
        return value
    try:
        return writing.number(value)
    except Unfit:
        return ""
