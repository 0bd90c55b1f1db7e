"""How a CSV file is laid out: its delimiter and its columns, read from its first lines."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

from reports.errors import SourceError
from reports.settings import FileSource
from reports.sources import text
from reports.sources.wording import repeated

DELIMITERS = (",", ";", "\t", "|")
LOOKED_AT = 200


@dataclass(frozen=True, kw_only=True)
class Layout:
    """One file: what it is called, where its UTF-8 text is, and how to cut it."""

    file: Path
    text: Path
    delimiter: str
    names: tuple[str, ...]
    # The row of a sheet that the first record was; 0 where the text is the file's own and its lines count.
    first_row: int = 0
    # Lines before the header, or before the first row without one.
    skipped: int = 0
    # What the error cells of a sheet say, each word once.
    errors: tuple[str, ...] = ()


def layout(file: Path, readable: Path, settings: FileSource) -> Layout:
    """The layout of `file`, whose text is in `readable`; a SourceError where it has no columns to speak of."""
    start = text.head(readable)
    lines = start.decode("utf-8-sig", "replace")
    if not lines.strip("\r\n \x00"):
        raise SourceError("the file is empty", where=str(file), hint="has it been written to the end?")
    skipped, named = _preface(lines)
    lines = "".join(lines.splitlines(keepends=True)[skipped:]) if skipped else lines
    delimiter = named or _delimiter(lines, settings, whole=len(start) < text.HEAD)
    first = _records(lines, delimiter)[0]
    names = tuple(_names(first) if settings.header else [f"column{n + 1}" for n in range(len(first))])
    if again := repeated(names):
        raise SourceError(
            f"the header has the same name twice: {again}",
            where=f"{file}:1",
            hint="rename one of the columns, in the file or in the query that writes it",
        )
    return Layout(file=file, text=readable, delimiter=delimiter, names=names, skipped=skipped)


def _preface(lines: str) -> tuple[int, str]:
    """How many lines come before the table (blank ones, and Excel's sep=;), and the delimiter they name."""
    found = re.match(r"((?:[ \t]*\r?\n)*)(?:sep=(.)\r?\n)?", lines, re.IGNORECASE)
    return (found[0].count("\n"), found[2] or "") if found else (0, "")


def _names(header: list[str]) -> list[str]:
    """As written, without blanks around; a column without a name is called after its position."""
    return [name.strip() or f"column{n}" for n, name in enumerate(header, 1)]


def _delimiter(lines: str, settings: FileSource, *, whole: bool) -> str:
    if settings.delimiter != "auto":
        return settings.delimiter
    possible = [one for one in DELIMITERS if one != settings.decimal]
    scores = {one: _score(_records(lines, one)[: None if whole else -1]) for one in possible}
    return max(possible, key=lambda one: scores[one])


def _score(records: list[list[str]]) -> tuple[float, int]:
    """How many of the records are as wide as the first, then how wide that is."""
    width = len(records[0]) if records else 0
    if width < 2:
        return (0.0, 0)
    return (round(sum(len(record) == width for record in records) / len(records), 2), width)


def _records(lines: str, delimiter: str) -> list[list[str]]:
    found: list[list[str]] = []
    reader = csv.reader(io.StringIO(lines, newline=""), delimiter=delimiter)
    try:
        for record in reader:
            found += [record] if record else []
            if len(found) > LOOKED_AT:
                break
    except csv.Error:  # a field without end: what came before it is enough to go by
        pass
    return found or [[""]]
