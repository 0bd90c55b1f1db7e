"""The records of a CSV file with the lines they stand on: read only to say where a bad row is."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import TextIOWrapper
from itertools import islice
from pathlib import Path

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
