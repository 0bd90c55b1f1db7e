"""How a value is written for people: in the mail, in its plain text and on charts.

The grammar of a format is `definition.Format`. What depends on the language, the signs of numbers and the
patterns of dates, is in `numerals` and `dates`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from itertools import pairwise
from typing import Any

from reports.errors import RenderError
from reports.render import dates, numerals
from reports.render.locales import ENGLISH, Locale

NUMBERS = frozenset({"integer", "number", "currency", "compact", "percent"})
_GRAMMAR = re.compile(r"(text|integer|number|currency|compact|percent|date|datetime|month)(?:\.([0-6]))?")
_DECIMALS = {"integer": 0, "number": 2, "currency": 2, "percent": 1}
_INFINITY = "\N{INFINITY}"
_READABLE = 100  # digits; no one counts more of them
_EXACT = Context(prec=10_000, rounding=ROUND_HALF_UP)
_PLAIN_NUMBER = re.compile(r"[-+]?(0|[1-9]\d*)(\.\d+)?")
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?")


def written(value: Any, format: str, locale: Locale = ENGLISH) -> str:  # noqa: A002  the word of the domain
    """`value` in the words of `format`; nothing at all for a missing value.

    Numbers are rounded half up, exactly for whole numbers and Decimals; text under a number's format is
    read as a number or a date where it plainly is one, and otherwise stays as it is.
    """
    kind, decimals = parsed(format)
    if missing(value):
        return ""
    if kind in NUMBERS:
        number = exact(value)
        return _text(value, locale) if number is None else _number(number, kind, decimals, locale)
    return _text(value, locale) if kind == "text" else _date(value, kind, locale)


def amount(value: float, locale: Locale) -> str:
    """An amount in few characters, for charts and sentences: $12.3m, 12,3 Mio. €."""
    number = _parsed_decimal(str(value))
    if number is None or not number.is_finite():
        return written(value, "currency", locale)
    return _compact(number, None, numerals.steps(locale.language, locale.currency))


def parsed(format: str) -> tuple[str, int | None]:  # noqa: A002  the word of the domain
    """The kind and the decimals, if any, that a format names; a RenderError for any other text."""
    if not (match := _GRAMMAR.fullmatch(format)):
        raise RenderError(
            f"there is no format '{format}'",
            hint="write text, integer, number, currency, compact, percent, date, datetime or month, "
            "and for numbers perhaps the decimals: currency.0",
        )
    return match[1], int(match[2]) if match[2] else None


def decimals_of(kind: str, asked: int | None, locale: Locale) -> int:
    """The decimals of a kind of number, where a format may have asked for some."""
    if asked is not None:
        return asked
    return numerals.minor_digits(locale.currency) if kind == "currency" else _DECIMALS[kind]


def numeric(format: str) -> bool:  # noqa: A002  the word of the domain
    """Whether a format writes numbers, which stand at the right of a column."""
    return parsed(format)[0] in NUMBERS


def missing(value: Any) -> bool:
    """Whether a cell holds nothing: None, NaN, NaT or pandas.NA, told without importing pandas."""
    if value is None or isinstance(value, Decimal):
        return value is None or value.is_nan()
    try:
        return bool(value != value)  # noqa: PLR0124  only what is not a value differs from itself
    except (TypeError, ValueError):  # pandas.NA has no truth, an array has several
        return type(value).__name__ == "NAType"


def exact(value: Any) -> Decimal | None:
    """A number, or a text that is plainly one, as the Decimal a person would read in it; None for others."""
    if isinstance(value, str):
        return Decimal(value) if _PLAIN_NUMBER.fullmatch(value) else None
    if isinstance(value, Decimal | int):
        return Decimal(value)
    if isinstance(value, float) or type(value).__module__ == "numpy":
        # The shortest text of a float is the number meant: 2.675, not 2.67499999999999982236431605997495353.
        return _parsed_decimal(str(value))
    return None


def _parsed_decimal(text: str) -> Decimal | None:
    if text in {"True", "False"}:
        return Decimal(text == "True")
    try:
        return Decimal(text)
    except ArithmeticError:
        return None


def _number(number: Decimal, kind: str, decimals: int | None, locale: Locale) -> str:
    style, negative = _style(kind, locale), number < 0
    if number.is_infinite() or number.adjusted() > _READABLE:
        return numerals.plain(locale.language).words(_beyond(number, locale), negative=negative)
    if kind == "compact":
        return _compact(number, decimals, numerals.steps(locale.language))
    shown = number.copy_abs().scaleb(2, _EXACT) if kind == "percent" else number.copy_abs()
    return style.write(_rounded(shown, decimals_of(kind, decimals, locale)), negative=negative)


def _style(kind: str, locale: Locale) -> numerals.Style:
    if kind == "currency":
        return numerals.money(locale.language, locale.currency)
    return (numerals.percent if kind == "percent" else numerals.plain)(locale.language)


def _beyond(number: Decimal, locale: Locale) -> str:
    """A number of more digits than anyone counts."""
    if number.is_infinite():
        return _INFINITY
    digits = f"{number.copy_abs():.2e}" if number else "0"
    return digits.translate(numerals.plain(locale.language).marks)


def _rounded(number: Decimal, decimals: int) -> Decimal:
    return number.quantize(Decimal(1).scaleb(-decimals), context=_EXACT)


def _compact(number: Decimal, decimals: int | None, steps: Sequence[numerals.Step]) -> str:
    """950, 1.2k, 12.3m, 1.2bn; without decimals asked for, no more digits than tell something."""
    size = number.copy_abs()
    step = step_of(size, steps, decimals)
    shown = _of_step(size, step, decimals)
    return step.write(_trimmed(shown) if decimals is None else shown, negative=number < 0)


def step_of(size: Decimal, steps: Sequence[numerals.Step], decimals: int | None = None) -> numerals.Step:
    """The unit for a number that is not negative: the next one too where rounding reaches it."""
    for step, above in pairwise(steps):
        if _of_step(size, step, decimals) * step.size < above.at:
            return step
    return steps[-1]


def _of_step(size: Decimal, step: numerals.Step, decimals: int | None) -> Decimal:
    return _rounded(_EXACT.divide(size, step.size), _telling(size, step) if decimals is None else decimals)


def _telling(size: Decimal, step: numerals.Step) -> int:
    """The decimals that a number is worth: few of a large one, more of one that would vanish."""
    if step.size > 1 or size >= 1000:
        return step.size > 1
    return 2 if size >= 1 or not size else min(1 - size.adjusted(), 12)


def _trimmed(number: Decimal) -> Decimal:
    whole = number.to_integral_value()
    return whole if number == whole else number.normalize(_EXACT)


def _date(value: Any, kind: str, locale: Locale) -> str:
    moment = _moment(value)
    if moment is None:
        return _text(value, locale)
    if kind == "datetime" and isinstance(moment, dt.datetime):
        return dates.datetime(moment, locale.language)
    return (dates.month if kind == "month" else dates.date)(moment, locale.language)


def _moment(value: Any) -> dt.date | None:
    if isinstance(value, str) and _ISO_DATE.fullmatch(value):
        try:
            return dt.datetime.fromisoformat(value) if len(value) > 10 else dt.date.fromisoformat(value)
        except ValueError:
            return None
    if type(value).__name__ == "datetime64":
        value = value.astype("datetime64[us]").item()
    return value if isinstance(value, dt.date) else None


def _text(value: Any, locale: Locale) -> str:
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, bool) or type(value).__name__ == "bool":
        return locale.word("yes") if value else locale.word("no")
    if (moment := _moment(value)) is not None:
        midnight = isinstance(moment, dt.datetime) and moment.time() == dt.time()
        return _date(moment, "date" if midnight else "datetime", locale)
    return str(value)
