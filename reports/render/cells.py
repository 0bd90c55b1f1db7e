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

What a cell cannot hold as it is gets counted (`oddities`). A cell is written as its *tail*: the XML after
its address and style.
"""

from __future__ import annotations

import datetime as dt
import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
import pandas as pd

from reports.render.formats import NUMBERS, written
from reports.render.number_formats import DATES
from reports.render.oddities import Odds

EMPTY = "/>"
TEXT_LIMIT, LINES_LIMIT = 32_767, 253
EXACT = 10**15
EPOCH = dt.datetime(1899, 12, 30)  # noqa: DTZ001  Excel's calendar knows no zones
FIRST_SAFE = 61.0  # 1900-03-01: before it Excel counts a 29 February 1900 that never was
_CONTROL = {code: 0x2400 + code for code in range(32) if code not in (9, 10)}
_REPLACED = _CONTROL | dict.fromkeys([*range(0xD800, 0xE000), 0xFFFE, 0xFFFF], 0xFFFD)
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
_ESCAPED = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
_MEASURED = 120  # characters: no column is wider


def clean(text: str) -> str:
    """`text` with nothing in it that XML or Excel cannot hold."""
    if "\r" in text:
        text = _line_ends(text)
    return text.translate(_REPLACED) if _UNSAFE.search(text) else text


def escaped(text: str) -> str:
    """`text` cleaned, with what Excel would read as an escaped character escaped once more."""
    return _ESCAPED.sub("_x005F_", clean(text))


def markup(text: str) -> str:
    """`text` as the content of an XML element, escaped."""
    return escape(escaped(text))


def is_plain(text: str) -> bool:
    """Whether `markup` need not be asked about anything but &, < and >: what is printable, XML holds."""
    return text.isprintable() and "_x" not in text


def fitted(text: str) -> str:
    """`text`, or as much of it as a cell holds with a mark at its end."""
    if len(text) <= TEXT_LIMIT // 2:
        return text
    units = clean(text).encode("utf-16-le")
    if len(units) <= 2 * TEXT_LIMIT:
        return text
    mark = f" … [cut: {len(text):,} characters, a cell holds {TEXT_LIMIT:,}]"
    return units[: 2 * (TEXT_LIMIT - len(mark))].decode("utf-16-le", "ignore") + mark


def look_over(texts: Sequence[str], odds: Odds, counts: Sequence[int] = ()) -> None:
    """Counts what cells cannot hold of `texts`, which are looked at together, as mostly all of them can be held.

    `counts` say in how many cells each stands, if not in one.
    """
    if "".join(texts).isprintable() and max(map(len, texts), default=0) <= TEXT_LIMIT // 2:
        return
    for place, text in enumerate(texts):
        _look_at(text, odds, counts[place] if len(counts) else 1)


def display_width(text: str) -> int:
    """The width of the first line of `text` in digits; East Asian characters are twice as wide."""
    line = text[:_MEASURED].partition("\n")[0]
    if line.isascii():
        return len(line)
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in line)


def widest(texts: Sequence[str]) -> int:
    """The greatest display width of many texts."""
    joined = "".join(texts)
    if joined.isascii() and "\n" not in joined:
        return min(max(map(len, texts), default=0), _MEASURED)
    return max(map(display_width, texts), default=0)


def plain(value: Any) -> Any:
    """A scalar of NumPy or pandas as Python's own."""
    if isinstance(value, np.datetime64):
        return pd.Timestamp(value)
    if isinstance(value, pd.Period):
        return value.start_time
    return value.item() if isinstance(value, np.generic) else value


def number(value: Any, kind: str) -> float | None:
    """What a cell of this kind holds for `value`; None where it has to be text."""
    if kind in NUMBERS and isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return _double(value)
    if kind in DATES and isinstance(value, dt.date):
        serial = _serial(value)
        return None if serial < FIRST_SAFE else serial
    return None


def text_of(value: Any) -> str:
    """A value that is no number to Excel as text."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return f"{value + 0.0:.0f}"  # an id that became a float because others of its column are missing
    if isinstance(value, dt.datetime):
        return value.isoformat(" ").removesuffix(" 00:00:00")
    return written(value, "text")


def is_rounded(value: Any, double: float) -> bool:
    """Whether a cell holds something else than the exact number it was given."""
    return isinstance(value, Decimal) and Decimal(repr(double)) != value


def total(of: Iterable[float]) -> float:
    """The sum of the doubles the cells hold, rounded once."""
    return math.fsum(of)


def _line_ends(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _look_at(text: str, odds: Odds, times: int) -> None:
    if len(text) > TEXT_LIMIT // 2 and fitted(text) is not text:
        odds.add("cut", text, times)
    if len(text) > LINES_LIMIT and text.count("\n") > LINES_LIMIT:
        odds.add("lines", text, times)
    if "\r" in text:
        odds.add("line ends", text, times)
        text = _line_ends(text)
    if _UNSAFE.search(text):
        odds.add("replaced", text, times)


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
        return (moment - EPOCH.date()).days
    return (moment.replace(tzinfo=None) - EPOCH) / dt.timedelta(days=1)
