"""The records of a CSV file with the lines they stand on: read only to say where a bad row is."""

from __future__ import annotations

import csv
import sys
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import Self

from reports.sources import text


@dataclass(frozen=True, kw_only=True)
class Bad:
    """One row that does not fit, as it is reported."""

    file: str
    line: int
    column: str
    value: str
    reason: str
    row: str


def records(path: Path, delimiter: str, skipped: int = 0) -> Iterator[tuple[int, str, list[str]]]:
    """Each record as (its first line counted from 1, its text with its line end, its fields)."""
    taken: list[str] = []

    def lines(file: TextIOWrapper) -> Iterator[str]:
        for line in file:
            taken.append(line)
            yield line

    csv.field_size_limit(sys.maxsize // 2**32)
    with text.opened(path) as raw:
        file = TextIOWrapper(raw, "utf-8-sig", errors="surrogateescape", newline="")
        number = 1 + sum(1 for _ in islice(file, skipped))
        for fields in csv.reader(lines(file), delimiter=delimiter):
            if fields:
                yield number, "".join(taken), fields
            number += len(taken)
            taken.clear()


def odd_line_end(path: Path, delimiter: str) -> int:
    """The first line that a record ends otherwise than on the first line."""
    ends = ((line + row.count("\n") - 1, row.endswith("\r\n")) for line, row, _ in records(path, delimiter))
    _, usual = next(ends, (0, False))
    return next((line for line, end in ends if end != usual), 0)


def lines_at(path: Path, offsets: Sequence[int]) -> dict[int, int]:
    """The line, counted from 1, on which each byte of `offsets` (counted from 0) stands."""
    found: dict[int, int] = {}
    line, start, ends = 1, 0, b""
    with text.opened(path) as file:
        block = file.read(text.BLOCK)
        ends = b"\n" if b"\n" in block else b"\r"
        for offset in sorted(set(offsets)):
            while offset >= start + len(block):
                line, start = line + block.count(ends), start + len(block)
                if not (block := file.read(text.BLOCK)):
                    return found | dict.fromkeys(set(offsets) - set(found), line)
            found[offset] = line + block.count(ends, 0, offset - start)
    return found


# -- cutting strictly, for rows that are to be kept ---------------------------------------------------

LONGEST = 2_000_000
"""Characters of one record; a longer one is taken for a quote that is never closed."""
FOREIGN = "has bytes that are not of the file's encoding"
UNQUOTED = "has a quote that is not closed, or text after the closing quote"


@dataclass(frozen=True, kw_only=True)
class Cut:
    """How a file's text is cut into records of `width` fields."""

    delimiter: str
    width: int
    skipped: int = 0
    header: bool = True


class _Endless(Exception):
    """A record has grown beyond what any record is."""


@dataclass(frozen=True, kw_only=True)
class Records:
    """Some records that follow each other: on which line each begins, its text, its fields, and why some are none.

    `wrong` has the place of such a record among them, and the reason; its fields are as far as it could be cut.
    """

    lines: Sequence[int]
    contents: Sequence[str]
    fields: Sequence[Sequence[str]]
    wrong: Mapping[int, str]


class _Lines:
    """The lines of a file, of which some may be given back to be read once more."""

    def __init__(self, file: TextIOWrapper) -> None:
        self._file = file
        self._again: deque[str] = deque()
        self.taken: list[str] = []
        self.suspect = 0
        self._length = 0

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._file)
        self.taken.append(line)
        if len(self.taken) > 1:
            self._length += len(line)
            if self._length > LONGEST:
                raise _Endless
        return line

    def some(self, size: int) -> list[str]:
        """Up to so many lines, or none where some are to be read once more."""
        return [] if self._again else list(islice(self._file, size))

    def back(self, lines: Sequence[str]) -> None:
        """These are read once more."""
        self._again.extendleft(reversed(lines))

    def done(self) -> str:
        """The record that was just read, as it stands."""
        record = self.taken[0] if len(self.taken) == 1 else "".join(self.taken)
        self.suspect = max(0, self.suspect - len(self.taken))
        self.taken, self._length = [], 0
        return record

    def only_the_first(self) -> str:
        """The first line of the record that failed; those after it are read again, with suspicion."""
        first, *rest = self.taken
        self.suspect = max(self.suspect - 1, len(rest))
        self.back(rest)
        self.taken, self._length = [], 0
        return first


class Cutter:
    """Cuts a file into records, strictly. Blank lines are none, nor is the header.

    A quote that is never closed costs the line it is on, and not what comes after it.
    """

    def __init__(self, file: TextIOWrapper, how: Cut) -> None:
        csv.field_size_limit(sys.maxsize // 2**32)
        self._how = how
        self._lines = _Lines(file)
        self._number = 1 + sum(1 for _ in islice(file, how.skipped))
        self._reader = csv.reader(self._lines, delimiter=how.delimiter, strict=True)
        if how.header:
            next(self._carefully(), None)

    def take(self, size: int) -> Records:
        """The next records, up to so many; fewer at the end of the file."""
        if (quick := self._quickly(size)) is not None:
            return quick
        found = list(islice(self._carefully(), size))
        wrong = {place: reason for place, (_, _, _, reason) in enumerate(found) if reason}
        return Records(
            lines=[one[0] for one in found], contents=[one[1] for one in found], fields=[one[2] for one in found],
            wrong=wrong,
        )  # fmt: skip

    def _quickly(self, size: int) -> Records | None:
        """The records where every line is one, cut in one go; nothing, and nothing taken, where they are not."""
        lines = self._lines.some(size)
        try:
            rows = list(csv.reader(lines, delimiter=self._how.delimiter, strict=True))
        except csv.Error:
            rows = []
        width = self._how.width
        if not rows or len(rows) != len(lines) or not all(rows):
            self._lines.back(lines)
            return None
        first, self._number = self._number, self._number + len(lines)
        even = set(map(len, rows)) == {width}
        wrong = {} if even else {n: _reason(row, width) for n, row in enumerate(rows) if len(row) != width}
        return Records(lines=range(first, self._number), contents=lines, fields=rows, wrong=wrong)

    def _carefully(self) -> Iterator[tuple[int, str, list[str], str]]:
        """Each record by itself: its first line, its text, its fields, and why it is none."""
        while True:
            number = self._number
            try:
                fields = next(self._reader)
            except StopIteration:
                return
            except (csv.Error, _Endless):
                self._number += 1
                yield number, self._lines.only_the_first(), [], UNQUOTED
                continue
            suspicious = self._lines.suspect > 0
            self._number += len(self._lines.taken)
            content = self._lines.done()
            if fields:
                yield number, content, fields, _reason(fields, self._how.width, suspicious=suspicious)


def uneven(count: int, width: int) -> str:
    """Why a record of so many columns is no row of the file."""
    return f"has {count} columns where the header has {width}"


def _reason(fields: Sequence[str], width: int, *, suspicious: bool = False) -> str:
    if len(fields) != width:
        return uneven(len(fields), width)
    return UNQUOTED if suspicious and any('"' in one for one in fields) else ""
