"""Tables as CSV files: every digit kept, and no text that a spreadsheet would evaluate.

- Texts that begin like a formula (= + - @, their full-width forms, a tab or a line end, also after spaces) get a '
  before them, which is OWASP's rule; numbers and dates never do. How many there were is said.
- Numbers have all their digits, dates are ISO dates, instants carry the offset of their zone; nothing is an empty cell.
- Lines end as Excel writes them, with CR and LF. A lone surrogate, which no encoding has, becomes � and is counted.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pandas as pd

from reports.definition import CsvFile
from reports.errors import RenderError
from reports.model import Column
from reports.render.cells import plain
from reports.render.formats import missing, written

_EVALUATED = re.compile(r"[\s\x00\u200b\ufeff]*[=+\-@＝＋－＠]|[ \xa0]*[\t\r\n\x00]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_BLOCK = 4096


@dataclass
class _Counted:
    """What was changed on the way, by column."""

    guarded: dict[str, int] = field(default_factory=dict)
    replaced: dict[str, int] = field(default_factory=dict)


def write(
    frame: pd.DataFrame, columns: Sequence[Column], options: CsvFile, *, where: str
) -> tuple[bytes, Sequence[str]]:
    """The columns under their labels, and in words what had to be changed; a RenderError where a text has no code."""
    counted, out = _Counted(), io.StringIO(newline="")
    cells = [_Cells(frame[one.key], one.key, options, counted) for one in columns]
    writer = csv.writer(out, delimiter=options.delimiter, lineterminator="\r\n")
    writer.writerow([_text(one.label, one.key, options, counted) for one in columns])
    for start in range(0, len(frame), _BLOCK):
        writer.writerows(zip(*(one.written(start, start + _BLOCK) for one in cells), strict=True))
    return _encoded(out.getvalue(), options.encoding, where), list(_said(counted, where))


@dataclass(frozen=True)
class _Cells:
    """The cells of one column, each as its text."""

    series: pd.Series[Any]
    key: str
    options: CsvFile
    counted: _Counted

    def written(self, start: int, stop: int) -> list[str]:
        part = self.series.iloc[start:stop].tolist()
        return list(map(self._moment if self.series.dtype.kind == "M" else self._value, part))

    @property
    def _moment(self) -> Callable[[Any], str]:
        if getattr(self.series.dtype, "tz", None) is None and self._are_days:
            return lambda one: "" if missing(one) else one.date().isoformat()
        return self._value

    @property
    def _are_days(self) -> bool:
        there = self.series.dropna()
        return bool((there == there.dt.normalize()).all())

    def _value(self, given: Any) -> str:
        value = plain(given)
        if missing(value):
            return ""
        if isinstance(value, bool):
            return str(value).upper()
        if isinstance(value, int | float | Decimal):
            digits = f"{value:f}" if isinstance(value, Decimal) else repr(value)
            return digits.replace(".", self.options.decimal)
        if isinstance(value, dt.datetime):
            return value.isoformat(" ")
        if isinstance(value, dt.date | dt.time):
            return value.isoformat()
        text = value if isinstance(value, str) else written(value, "text")
        return _text(text, self.key, self.options, self.counted)


def _text(text: str, key: str, options: CsvFile, counted: _Counted) -> str:
    if _SURROGATE.search(text):
        text = _SURROGATE.sub("\ufffd", text)
        counted.replaced[key] = counted.replaced.get(key, 0) + 1
    if not options.guard or (safe := guarded(text)) is text:
        return text
    counted.guarded[key] = counted.guarded.get(key, 0) + 1
    return safe


def guarded(text: str) -> str:
    """`text`, with an apostrophe before it where a spreadsheet would evaluate it."""
    return f"'{text}" if _EVALUATED.match(text) else text


def _encoded(text: str, encoding: str, where: str) -> bytes:
    try:
        return text.encode(encoding)
    except UnicodeEncodeError as error:
        raise RenderError(
            f"the character '{text[error.start]}' cannot be written in {encoding}",
            where=where,
            hint="leave the key 'encoding' out: the file is then UTF-8, which has all characters",
        ) from error


def _said(counted: _Counted, where: str) -> Iterator[str]:
    for key, count in counted.guarded.items():
        yield f"{where}, column {key}: {count:,} texts that a spreadsheet would evaluate begin with ' now"
    for key, count in counted.replaced.items():
        yield f"{where}, column {key}: {count:,} texts had half a character, which is � now"
