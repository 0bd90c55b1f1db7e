"""Errors of many rows in little memory: counted by cause, with samples, and each of them kept on disk for a workbook.

Two errors have one cause if they are of one kind, say the same but for the values in it, and happened at one place.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, is_dataclass
from dataclasses import fields as dataclass_fields
from typing import Any

from reports.notify.crashes import place_of
from reports.notify.measures import text
from reports.uploads import causes

KEPT, CAUSES, SAMPLES, FIELDS = 50_000, 500, 3, 60
"""Errors that the workbook has, causes that are told apart, samples of each, and fields of a row."""
_LONGEST = 300  # characters of a value, and of what an error says
OTHERS = "Others"
# What stands for a value: quoted texts, dates and times, hexadecimal numbers and ids, and numbers.
_VALUES = re.compile(
    r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?\b"""
    r"""|\b0x[0-9a-fA-F]+\b|\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b|(?<!\w)[-+]?\d[\d,]*(?:\.\d+)?(?:[eE][-+]?\d+)?"""
)


@dataclass(frozen=True)
class Failure:
    """One row that failed: its number, its fields in plain values, and what went wrong where."""

    number: int
    fields: Mapping[str, Any]
    cause: str
    said: str
    where: str


@dataclass
class Cause:
    """What several errors have in common, how many they are, and the first few."""

    name: str
    where: str
    count: int = 0
    samples: list[Failure] = field(default_factory=list)


class Gathered:
    """All errors so far. `close` lets go of the disk."""

    def __init__(self) -> None:
        self.count = 0
        self._causes: dict[tuple[str, str], Cause] = {}
        self._file = tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n")  # noqa: SIM115  closed by `close`
        self._kept = 0

    def add(self, number: int, row: Any, error: BaseException) -> None:
        """One more; whatever the row is, and whatever its own code does."""
        where = place_of(error)
        said = text(error)[:_LONGEST]
        name = named(error)
        failure = Failure(number, fields(row), name, said, where)
        self._of(name, where, failure)
        self.count += 1
        if self._kept < KEPT:
            self._file.write(json.dumps(asdict(failure), ensure_ascii=True) + "\n")
            self._kept += 1

    def _of(self, name: str, where: str, failure: Failure) -> None:
        key = (name, where) if (name, where) in self._causes or len(self._causes) < CAUSES else (OTHERS, "")
        cause = self._causes.setdefault(key, Cause(*key))
        cause.count += 1
        if len(cause.samples) < SAMPLES:
            cause.samples.append(failure)

    @property
    def causes(self) -> Sequence[Cause]:
        """The most frequent first; of those that are alike the first to happen."""
        return sorted(self._causes.values(), key=lambda one: -one.count)

    @property
    def cut(self) -> int:
        """How many are not among those that are kept."""
        return self.count - self._kept

    def kept(self) -> Iterator[Failure]:
        """Each that is kept, in the order in which they happened."""
        self._file.flush()
        self._file.seek(0)
        for line in self._file:
            yield Failure(**json.loads(line))

    def rows(self) -> tuple[list[str], list[list[Any]]]:
        """The same as headings and rows: number, fields, cause, message, place."""
        failures = list(self.kept())
        columns = list(dict.fromkeys(name for one in failures for name in one.fields))[:FIELDS]
        heads = ["Row", *columns, "Cause", "Message", "Where"]
        return heads, [
            [one.number, *(one.fields.get(name) for name in columns), one.cause, one.said, one.where]
            for one in failures
        ]

    def close(self) -> None:
        self._file.close()


def named(error: BaseException) -> str:
    """What errors of one cause have in common: their kind, and what they say with the values taken out.

    Of a database's errors that are known it is what they are about, and the columns.
    """
    kind, words = type(error).__name__, _words(error)
    if any(one.__name__ == "DatabaseError" for one in type(error).__mro__) and (known := causes.cause(words)).columns:
        return f"{kind}: {known.name} ({', '.join(known.columns)})"
    said = _VALUES.sub(_blank, words.partition("\n")[0])[:_LONGEST].strip()
    return f"{kind}: {said}" if said else kind


def _blank(value: re.Match[str]) -> str:
    return "…" if value[0][0] in "'\"" else "#"


def _words(error: BaseException) -> str:
    """What it says, in its lines."""
    try:
        return str(error).strip()
    except Exception:  # noqa: BLE001  its own code
        return ""


def fields(row: Any) -> dict[str, Any]:
    """A row's fields by name, numbers as numbers and everything else as short texts."""
    try:
        return {str(name)[:100]: _plain(value) for name, value in _pairs(row)}
    except Exception as error:  # noqa: BLE001  a row's own code
        return {"row": f"({type(row).__name__}, which cannot be written: {type(error).__name__})"}


def _pairs(row: Any) -> Sequence[tuple[Any, Any]]:
    if row is None:
        return []
    if isinstance(row, tuple) and len(row) == 2 and hasattr(row[1], "to_dict"):  # of DataFrame.iterrows
        return [("index", row[0]), *row[1].to_dict().items()]
    if hasattr(row, "_asdict"):
        row = row._asdict()
    elif is_dataclass(row) and not isinstance(row, type):
        row = {one.name: getattr(row, one.name) for one in dataclass_fields(row)}
    elif hasattr(row, "to_dict"):
        row = row.to_dict()
    if isinstance(row, Mapping):
        return list(row.items())[:FIELDS]
    if isinstance(row, list | tuple):
        return [(f"column {at}", value) for at, value in enumerate(row[:FIELDS], start=1)]
    return [("row", row)]


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and value == value):  # noqa: PLR0124
        return value if not isinstance(value, int) or abs(value) < 2**53 else str(value)
    if hasattr(value, "item") and getattr(value, "size", 0) == 1:
        return _plain(value.item())
    return text(value)[:_LONGEST] if not isinstance(value, float) else None
