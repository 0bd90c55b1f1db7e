"""A headline figure against the last run: how much it went up or down, in the words that say most about it.

Amounts change in percent, percentages in points, counts and small numbers by a difference; so does what was zero or
below, or is many times what it was, of which a percentage would say nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from reports.model import Figure, Tone
from reports.render import formats
from reports.render.locales import Locale
from reports.render.marks import DOWN, UP
from reports.render.numerals import MINUS

_SMALL = 1000  # below it the difference of two counts says more than a percentage
_MANY = 10  # times; above it a percentage is hard to read
_LEAST = Decimal("0.0005")  # of what it was: below it a percentage would read 0.0%


@dataclass(frozen=True)
class Change:
    """What became of a figure: an arrow and words with a sign, and how that is meant; without an arrow, unchanged."""

    arrow: str
    text: str
    tone: Tone = ""


def change(figure: Figure, locale: Locale) -> Change | None:
    """The change of a figure, or None where it had no value in the last run, or either is no number."""
    if formats.missing(figure.before) or formats.missing(figure.value) or not formats.numeric(figure.format):
        return None
    now, before = formats.exact(figure.value), formats.exact(figure.before)
    if now is None or before is None or now.is_infinite() or before.is_infinite():
        return None
    up = now > before
    size = _size(now, before, figure, locale)
    if not re.search(r"(?!0)\d", size):  # in whatever digits
        return Change("", locale.word("unchanged"))
    text = locale.signed(("+" if up else MINUS) + size)
    good = figure.good and (figure.good == "up") == up
    return Change(UP if up else DOWN, text, ("good" if good else "bad") if figure.good else "")


def _written(number: Decimal, figure: Figure, locale: Locale) -> str:
    return formats.written(number, figure.format, locale)


def _size(now: Decimal, before: Decimal, figure: Figure, locale: Locale) -> str:
    """How large the change is, without its sign."""
    difference = abs(now - before)
    kind, decimals = formats.parsed(figure.format)
    if kind == "percent":
        points = formats.written(difference * 100, f"number.{1 if decimals is None else decimals}", locale)
        return locale.word("{number} points", number=points)
    small = kind in {"integer", "number"} and max(abs(now), abs(before)) < _SMALL
    share = difference / before if before > 0 and now > 0 else None
    if small or share is None or not _LEAST <= share < _MANY:
        return _written(difference, figure, locale)
    return formats.written(share, "percent.1", locale)
