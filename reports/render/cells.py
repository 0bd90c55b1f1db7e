"""Values as the cells of a worksheet: what Excel stores for each, decided here and nowhere else.

- Text is text: every str, and every value under the format `text`, is a string cell, so `=1+1` is not
  a formula and an id keeps its leading zeros. Only a bool is Excel's own TRUE or FALSE everywhere.
- Nothing is rounded: a whole number of more than 15 digits, which a double cannot hold, is written as
  text. A Decimal with a fraction is the double nearest to it.
- A value that is not of its column's kind (text or an infinity among numbers, a number among dates,
  a date before March 1900, when Excel's calendar is off by a day) is written as text, not bent.
- None, NaN, NaT and the empty text are empty cells. A moment with a time zone keeps its wall clock.
- Characters that XML cannot hold are shown as their control pictures (␀ to ␟) or as �; line ends are
  line feeds. Text past 32,767 characters, Excel's limit, ends in a mark that says so.

A cell is written as its *tail*: the XML after its address and style.
"""

from __future__ import annotations

import datetime as dt
import math
import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

import numpy as np
import pandas as pd

from reports.render.formats import NUMBERS, missing, parsed, written
from reports.render.number_formats import DATES

EMPTY = "/>"
TEXT_LIMIT = 32_767
EXACT = 10**15
_EPOCH = dt.datetime(1899, 12, 30)  # noqa: DTZ001  Excel's calendar knows no zones
_FIRST_SAFE = 61.0  # 1900-03-01: before it Excel counts a 29 February 1900 that never was
_CONTROL = {code: 0x2400 + code for code in range(32) if code not in (9, 10)}
_REPLACED = _CONTROL | dict.fromkeys([*range(0xD800, 0xE000), 0xFFFE, 0xFFFF], 0xFFFD)
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
_ESCAPED = re.compile("_(?=x[0-9A-Fa-f]{4}_)")


@dataclass
class Strings:
    """The workbook's shared strings: each distinct text once; its cells hold its number, counted from `first`."""

    first: int = 0
    _numbers: dict[str, int] = field(default_factory=dict)

    def tail(self, text: str) -> str:
        number = self._numbers.setdefault(text, self.first + len(self._numbers))
        return f' t="s"><v>{number}</v></c>'

    def xml(self) -> Iterator[str]:
        """The items of the table, in the order of their numbers."""
        return map(_item, self._numbers)


@dataclass(frozen=True, kw_only=True)
class Values(ABC):
    """The values of one column, ready to be written.

    numbers: of the cells that are numbers or dates · width: of the longest text, in digits · cut: how
    many texts were too long · stray: the first value that is no number, and its place, from 0.
    """

    numbers: Sequence[float] = ()
    width: int = 0
    cut: int = 0
    stray: tuple[int, Any] | None = None

    @cached_property
    def ends(self) -> tuple[float, ...]:
        """The least and the greatest of the numbers, where there are any."""
        return (float(np.min(self.numbers)), float(np.max(self.numbers))) if len(self.numbers) else ()

    @abstractmethod
    def tails(self, start: int, stop: int) -> list[str]:
        """The cells from one place to another."""


@dataclass(frozen=True, kw_only=True)
class _Numbers(Values):
    """A column of numbers, NaN where empty."""

    array: np.ndarray[Any, Any]

    def tails(self, start: int, stop: int) -> list[str]:
        values = self.array[start:stop].tolist()
        return [f"><v>{value!r}</v></c>" if value == value else EMPTY for value in values]  # noqa: PLR0124


@dataclass(frozen=True, kw_only=True)
class _Codes(Values):
    """A column with each distinct cell once; the last of `distinct` is the empty one, code -1."""

    codes: np.ndarray[Any, Any]
    distinct: list[str]

    def tails(self, start: int, stop: int) -> list[str]:
        return [self.distinct[code] for code in self.codes[start:stop].tolist()]


@dataclass(frozen=True, kw_only=True)
class _Mixed(Values):
    """A column of whatever there is."""

    written: list[str]

    def tails(self, start: int, stop: int) -> list[str]:
        return self.written[start:stop]


def values(series: pd.Series[Any], format: str, strings: Strings) -> Values:  # noqa: A002
    """The cells of `series` under a format; texts are entered into `strings`."""
    kind, _ = parsed(format)
    array = None
    if kind in NUMBERS and series.dtype.kind in "iuf":
        array = _doubles(series)
    elif kind in DATES and series.dtype.kind == "M":
        array = _serials(series)
    if array is not None:
        return _Numbers(array=array, numbers=array[~np.isnan(array)])
    if series.dtype.kind == "b" or (kind == "text" and _all_alike(series)):
        return _coded(series, strings)
    return _mixed(series, kind, strings)


def clean(text: str) -> str:
    """`text` with nothing in it that XML or Excel cannot hold."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.translate(_REPLACED) if _UNSAFE.search(text) else text


def escaped(text: str) -> str:
    """`text` cleaned, with what Excel would read as an escaped character escaped once more."""
    return _ESCAPED.sub("_x005F_", clean(text))


def markup(text: str) -> str:
    """`text` as the content of an XML element, escaped."""
    return escape(escaped(text))


def display_width(text: str) -> int:
    """The width of the first line of `text` in digits; East Asian characters are twice as wide."""
    line = text[:120].partition("\n")[0]
    if line.isascii():
        return len(line)
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in line)


def _doubles(series: pd.Series[Any]) -> np.ndarray[Any, Any] | None:
    """The numbers as doubles, or None where some would not survive that or have no digits."""
    if series.dtype.kind in "iu":
        if ((series >= EXACT) | (series <= -EXACT)).any():
            return None
        if not series.hasnans:
            return series.to_numpy(dtype="int64")
    array = series.to_numpy(dtype=float, na_value=math.nan)
    # Adding zero makes a negative zero a plain one.
    return None if np.isinf(array).any() else array + 0.0


def _serials(series: pd.Series[Any]) -> np.ndarray[Any, Any] | None:
    """The moments as Excel counts them, in days; None where some are too early for that."""
    local = series.dt.tz_localize(None) if getattr(series.dt, "tz", None) else series
    serials: np.ndarray[Any, Any] = (local.to_numpy("datetime64[us]") - np.datetime64(_EPOCH)) / np.timedelta64(1, "D")
    return None if (serials < _FIRST_SAFE).any() else serials


def _coded(series: pd.Series[Any], strings: Strings) -> _Codes:
    codes, distinct = pd.factorize(series)
    texts = [_Text.of(value) for value in map(plain, distinct.tolist())]
    filled = np.array([*(text.text != "" for text in texts), False])
    first = np.flatnonzero(filled[codes])[:1].tolist()
    return _Codes(
        codes=codes,
        distinct=[*(text.tail(strings) for text in texts), EMPTY],
        width=max((text.width for text in texts), default=0),
        cut=sum(text.cut for text in texts),
        stray=(first[0], series.iloc[first[0]]) if first else None,
    )


def _mixed(series: pd.Series[Any], kind: str, strings: Strings) -> _Mixed:
    tails: list[str] = []
    numbers, stray, width, cut = [], None, 0, 0
    for place, value in enumerate(map(plain, series.tolist())):
        if missing(value) or value == "":
            tails.append(EMPTY)
        elif (number := _number(value, kind)) is not None:
            numbers.append(number)
            tails.append(f"><v>{number!r}</v></c>")
        else:
            stray = stray or (place, value)
            text = _Text.of(value)
            tails.append(text.tail(strings))
            width, cut = max(width, text.width), cut + text.cut
    return _Mixed(written=tails, numbers=numbers, width=width, cut=cut, stray=stray)


def _all_alike(series: pd.Series[Any]) -> bool:
    """Whether equal values are the same value, as 1, 1.0 and True in a column of objects are not."""
    return series.dtype != object or pd.api.types.infer_dtype(series, skipna=True) in {"string", "empty"}


class _Text(NamedTuple):
    """A value that is not a number to Excel, as text that fits a cell."""

    value: Any
    text: str
    cut: bool

    @classmethod
    def of(cls, value: Any) -> _Text:
        whole = value if isinstance(value, str) else _text(value)
        fitted = _fitted(whole)
        return cls(value, fitted, fitted is not whole)

    @property
    def width(self) -> int:
        return display_width(self.text)

    def tail(self, strings: Strings) -> str:
        if isinstance(self.value, bool):
            return f' t="b"><v>{self.value:d}</v></c>'
        return strings.tail(self.text) if self.text else EMPTY


def plain(value: Any) -> Any:
    """A scalar of NumPy or pandas as Python's own."""
    if isinstance(value, np.datetime64):
        return pd.Timestamp(value)
    if isinstance(value, pd.Period):
        return value.start_time
    return value.item() if isinstance(value, np.generic) else value


def _number(value: Any, kind: str) -> float | None:
    """What a cell of this kind holds for `value`; None where it has to be text."""
    if kind in NUMBERS and isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return _double(value)
    if kind in DATES and isinstance(value, dt.date):
        serial = _serial(value)
        return None if serial < _FIRST_SAFE else serial
    return None


def _double(number: float | Decimal) -> float | None:
    if isinstance(number, int):
        return number if abs(number) < EXACT else None
    double = float(number)
    if not math.isfinite(double):
        return None
    whole = isinstance(number, Decimal) and number == number.to_integral_value()
    return None if whole and abs(double) >= EXACT else double + 0.0


def _serial(moment: dt.date) -> float:
    if not isinstance(moment, dt.datetime):
        return (moment - _EPOCH.date()).days
    return (moment.replace(tzinfo=None) - _EPOCH) / dt.timedelta(days=1)


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return f"{value + 0.0:.0f}"  # an id that became a float because others of its column are missing
    if isinstance(value, dt.datetime):
        return value.isoformat(" ").removesuffix(" 00:00:00")
    return written(value, "text")


def _fitted(text: str) -> str:
    """`text`, or as much of it as a cell holds with a mark at its end."""
    if len(text) <= TEXT_LIMIT // 2:
        return text
    units = clean(text).encode("utf-16-le")
    if len(units) <= 2 * TEXT_LIMIT:
        return text
    mark = f" … [cut: {len(text):,} characters, a cell holds {TEXT_LIMIT:,}]"
    return units[: 2 * (TEXT_LIMIT - len(mark))].decode("utf-16-le", "ignore") + mark


def _item(text: str) -> str:
    xml = markup(text)
    space = ' xml:space="preserve"' if text != text.strip() or "\n" in text else ""
    return f"<si><t{space}>{xml}</t></si>"


def total(of: Iterable[float]) -> float:
    """The sum of the doubles the cells hold, rounded once."""
    return math.fsum(of)
