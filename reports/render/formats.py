"""How a value is written for people: in the mail, in its plain text and on charts.

The grammar of a format is `definition.Format`. English today; whatever depends on the language is in
this module, so that another language is another table here and nothing elsewhere.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from reports.errors import RenderError
from reports.render.locales import ENGLISH, Locale

NUMBERS = frozenset({"integer", "number", "currency", "compact", "percent"})
_GRAMMAR = re.compile(r"(text|integer|number|currency|compact|percent|date|datetime|month)(?:\.([0-6]))?")
_DECIMALS = {"integer": 0, "number": 2, "currency": 2, "percent": 1}
_UNITS = tuple((Decimal(1000) ** power, unit) for power, unit in enumerate(("", "k", "m", "bn", "tn")))
_SYMBOLS = {
    "USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "CNY": "CN¥", "INR": "₹", "KRW": "₩", "ILS": "₪",
    "VND": "₫", "PHP": "₱", "NGN": "₦", "UAH": "₴", "AUD": "A$", "CAD": "CA$", "NZD": "NZ$", "HKD": "HK$",
    "TWD": "NT$", "MXN": "MX$", "BRL": "R$",
}  # fmt: skip
# Currencies whose smallest unit is not a hundredth (ISO 4217).
_MINOR_UNITS = {"JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "ISK": 0, "BHD": 3, "KWD": 3, "OMR": 3, "TND": 3}
_MINUS, _INFINITY, _NO_BREAK = "\N{MINUS SIGN}", "\N{INFINITY}", "\N{NO-BREAK SPACE}"
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
        return _text(value) if number is None else _number(number, kind, decimals, locale)
    return _text(value) if kind == "text" else _date(value, kind)


def parsed(format: str) -> tuple[str, int | None]:  # noqa: A002  the word of the domain
    """The kind and the decimals, if any, that a format names; a RenderError for any other text."""
    if not (match := _GRAMMAR.fullmatch(format)):
        raise RenderError(
            f"there is no format '{format}'",
            hint="write text, integer, number, currency, compact, percent, date, datetime or month, "
            "and for numbers perhaps the decimals: currency.0",
        )
    return match[1], int(match[2]) if match[2] else None


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
    sign = _MINUS if number < 0 else ""
    if number.is_infinite():
        return sign + _INFINITY
    if number.adjusted() > _READABLE:
        return sign + (f"{number.copy_abs():.2e}" if number else "0")
    if kind == "compact":
        digits = _compact(number.copy_abs(), decimals)
    elif kind == "percent":
        digits = _grouped(number.copy_abs().scaleb(2, _EXACT), 1 if decimals is None else decimals) + "%"
    else:
        usual = _MINOR_UNITS.get(locale.currency, 2) if kind == "currency" else _DECIMALS[kind]
        digits = _grouped(number.copy_abs(), usual if decimals is None else decimals)
    if not re.search("[1-9]", digits):  # a loss of a hundredth of a cent is no negative zero
        sign = ""
    return sign + (_symbol(locale.currency) if kind == "currency" else "") + digits


def _grouped(number: Decimal, decimals: int) -> str:
    return f"{_rounded(number, decimals):,f}"


def _rounded(number: Decimal, decimals: int) -> Decimal:
    return number.quantize(Decimal(1).scaleb(-decimals), context=_EXACT)


def _compact(number: Decimal, decimals: int | None) -> str:
    """950, 1.2k, 12.3m, 1.2bn; without decimals asked for, no more digits than tell something."""
    plain = 2 if number >= 1 or not number else min(1 - number.adjusted(), 12)
    for size, unit in _UNITS:
        usual = 1 if unit else plain
        shown = _rounded(_EXACT.divide(number, size), usual if decimals is None else decimals)
        if shown < 1000:
            break
    return (_trimmed(f"{shown:,f}") if decimals is None else f"{shown:,f}") + unit


def _trimmed(digits: str) -> str:
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def _symbol(currency: str) -> str:
    return _SYMBOLS.get(currency, currency + _NO_BREAK)


def _date(value: Any, kind: str) -> str:
    moment = _moment(value)
    if moment is None:
        return _text(value)
    if kind == "datetime" and isinstance(moment, dt.datetime):
        return moment.isoformat(" ", "minutes")
    return moment.isoformat()[: 7 if kind == "month" else 10]


def _moment(value: Any) -> dt.date | None:
    if isinstance(value, str) and _ISO_DATE.fullmatch(value):
        try:
            return dt.datetime.fromisoformat(value) if len(value) > 10 else dt.date.fromisoformat(value)
        except ValueError:
            return None
    if type(value).__name__ == "datetime64":
        value = value.astype("datetime64[us]").item()
    return value if isinstance(value, dt.date) else None


def _text(value: Any) -> str:
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, bool) or type(value).__name__ == "bool":
        return "yes" if value else "no"
    if (moment := _moment(value)) is not None:
        midnight = isinstance(moment, dt.datetime) and moment.time() == dt.time()
        return _date(moment, "date" if midnight else "datetime")
    return str(value)
