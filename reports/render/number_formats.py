"""A report's formats as Excel's: the number stays a number, and reads as it does in the mail."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from reports.render.formats import NUMBERS, parsed, written
from reports.render.locales import Locale

TEXT = "@"
DATES = {"date": "yyyy\\-mm\\-dd", "datetime": "yyyy\\-mm\\-dd\\ hh:mm:ss", "month": "yyyy\\-mm"}
_WIDTHS = {"date": 10, "datetime": 19, "month": 7}
# A comma after the last digit divides by a thousand.
_UNITS = {"": "", "k": ",", "m": ",,", "bn": ",,,", "tn": ",,,,"}
Numbers = Sequence[float] | NDArray[np.float64]
_ONE = re.compile(r"(?P<prefix>\D*)\d+(?:\.(?P<decimals>\d+))?(?P<suffix>\D*)")


def number_format(format: str, locale: Locale, numbers: Numbers = ()) -> str:  # noqa: A002
    """Excel's code for a format; `numbers` are all it is for, as compact ones share one unit."""
    kind, decimals = parsed(format)
    if kind not in NUMBERS:
        return DATES.get(kind, TEXT)
    if kind == "compact":
        return _compact(decimals, numbers)
    one = _ONE.fullmatch(written(1, format, locale))
    if one is None:  # pragma: no cover  every currency is written around its digits
        return "#,##0.00"
    prefix = f"[${one['prefix']}]" if one["prefix"] else ""
    return prefix + "#,##0" + _fraction(len(one["decimals"] or "")) + one["suffix"]


def number_width(format: str, locale: Locale, numbers: Sequence[float]) -> int:  # noqa: A002
    """The characters the widest of `numbers` takes under a format."""
    kind, _ = parsed(format)
    if kind not in NUMBERS:
        return _WIDTHS.get(kind, 0) if len(numbers) else 0
    ends = (min(numbers), max(numbers)) if len(numbers) else ()
    return max((len(written(end, format, locale)) for end in ends), default=0)


def _compact(decimals: int | None, numbers: Numbers) -> str:
    array = np.abs(np.asarray(numbers, dtype=float))
    unit = written(float(array.max()), "compact").lstrip("0123456789.,") if array.size else ""
    if unit not in _UNITS:
        return "0.00E+00"  # beyond all words for numbers
    if decimals is None:
        whole = bool((array == np.trunc(array)).all())
        decimals = 1 if unit else 0 if whole else 2
    return "#,##0" + _fraction(decimals) + _UNITS[unit] + (f'"{unit}"' if unit else "")


def _fraction(decimals: int) -> str:
    return "." + "0" * decimals if decimals else ""
