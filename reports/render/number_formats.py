"""A report's formats as Excel's: the number stays a number, and reads as it does in the mail.

A code is written in the signs of English; Excel shows it with those of its reader. The place of the currency
and of the percent sign, the order of a date and the unit of large numbers are the report's own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from reports.render import dates, numerals
from reports.render.formats import NUMBERS, decimals_of, parsed, step_of, written
from reports.render.languages import lcid, plain_english
from reports.render.locales import Locale
from reports.render.tables import width

TEXT = "@"
DATES = frozenset({"date", "datetime", "month"})
Numbers = Sequence[float] | NDArray[np.float64]
_BEYOND = 1e100  # words for numbers end before it
_AUTUMN = "2026-09-30 20:00"  # as long as dates become
_PATTERN = re.compile("(?P<quoted>'[^']*')|(?P<letters>([A-Za-z])\\3*)|(?P<other>[^A-Za-z']+)")
_DATE_CODES = {
    "y": "yyyy", "yyyy": "yyyy", "yy": "yy", "M": "m", "MM": "mm", "MMM": "mmm", "MMMM": "mmmm", "L": "m", "LL": "mm",
    "LLL": "mmm", "d": "d", "dd": "dd", "H": "h", "HH": "hh", "h": "h", "hh": "hh", "m": "mm", "mm": "mm", "s": "ss",
    "ss": "ss", "a": "AM/PM", "B": "AM/PM",
}  # fmt: skip


def number_format(format: str, locale: Locale, numbers: Numbers = ()) -> str:  # noqa: A002
    """Excel's code for a format; `numbers` are all it is for, as compact ones share one unit."""
    kind, decimals = parsed(format)
    if kind in DATES:
        return _date(kind, locale)
    if kind not in NUMBERS:
        return TEXT
    if kind == "compact":
        return _compact(decimals, numbers, locale)
    style = numerals.percent(locale.language) if kind == "percent" else numerals.plain(locale.language)
    if kind == "currency":
        style = numerals.money(locale.language, locale.currency)
    digits = "#,##0" + _fraction(decimals_of(kind, decimals, locale))
    return _affix(style.before[0], locale) + digits + _affix(style.after[0], locale)


def changes_format(code: str) -> str:
    """A code for numbers that go up and down: an arrow and the sign, so that no colour is needed to tell."""
    return f'"▲"\\ +{code};"▼"\\ \\-{code};{code}'


def number_width(format: str, locale: Locale, numbers: Sequence[float]) -> int:  # noqa: A002
    """The characters the widest of `numbers` takes under a format."""
    kind, _ = parsed(format)
    if kind in DATES:
        seconds = len(":00") if kind == "datetime" else 0
        return width(written(_AUTUMN, kind, locale)) + seconds if len(numbers) else 0
    if kind not in NUMBERS:
        return 0
    ends = (min(numbers), max(numbers)) if len(numbers) else ()
    return max((width(written(end, format, locale)) for end in ends), default=0)


def _compact(decimals: int | None, numbers: Numbers, locale: Locale) -> str:
    array = np.abs(np.asarray(numbers, dtype=float))
    largest = float(array.max()) if array.size else 0.0
    if largest > _BEYOND:
        return "0.00E+00"
    step = step_of(Decimal(str(largest)), numerals.steps(locale.language))
    thousands, rest = divmod(step.size.adjusted(), 3)
    if rest:  # Excel divides by thousands alone, so that there is no 万
        return "#,##0" + _fraction(decimals or 0)
    if decimals is None:
        whole = bool((array == np.trunc(array)).all()) or largest >= 1000
        decimals = 1 if thousands else 0 if whole else 2
    return "#,##0" + _fraction(decimals) + "," * thousands + _affix(step.styles["other"].after[0], locale)


def _fraction(decimals: int) -> str:
    return "." + "0" * decimals if decimals else ""


def _affix(text: str, locale: Locale) -> str:
    """What stands before or after the digits: the currency's sign in brackets, a percent sign, words in quotes."""
    text, symbol = _plain(text), _plain(numerals.symbol(locale.language, locale.currency))
    before, found, after = text.partition(symbol)
    if found:
        return f"{_quoted(before)}[${symbol}{_language(locale)}]{_quoted(after)}"
    before, found, after = text.partition("%")
    return _quoted(before) + found + _quoted(after)


def _language(locale: Locale) -> str:
    number = None if plain_english(locale.language) else lcid(locale.language)
    return f"-{number:X}" if number else ""


def _quoted(text: str) -> str:
    return f'"{text}"' if text else ""


def _plain(text: str) -> str:
    """Without marks of direction, which a cell has no use for."""
    return re.sub("[\u200e\u200f\u061c]", "", text)


def _date(kind: str, locale: Locale) -> str:
    codes = [_of_pattern(match) for match in _PATTERN.finditer(dates.pattern(kind, locale.language))]
    named = f"[${_language(locale)}]" if "mmm" in codes and _language(locale) else ""
    return named + "".join(codes)


def _of_pattern(match: re.Match[str]) -> str:
    if letters := match["letters"]:
        return _DATE_CODES.get(letters, f'"{letters}"')
    text = _plain((match["quoted"] or "").strip("'") or match["other"] or "")
    return "".join(one if one == ":" else f"\\{one}" for one in text)
