"""How the numbers of a column are drawn in a mail: as bars, by heat, or as going up and down.

Bars are lengths in pixels, heat is a ground with an ink that can be read on it: a template makes table cells of both,
which is all that Outlook's Word engine draws.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from reports.colours import BLACK, WHITE, mixed
from reports.errors import RenderError
from reports.model import Column, Theme, Tone
from reports.render import formats

if TYPE_CHECKING:
    import pandas as pd

UP, DOWN = "\N{BLACK UP-POINTING TRIANGLE}", "\N{BLACK DOWN-POINTING TRIANGLE}"
BELOW = "#C9606C"
"""The bar of a number below zero."""
TRACK = 56  # pixels for bars
_STEPS = 12  # shades of heat
_FAINTEST, _STRONGEST = 0.05, 0.5  # of the colour in a shade
_BAR = 0.35  # of white in a bar


class Bar(NamedTuple):
    """A bar in its track: pixels before it, of it, and after it, and its colour."""

    lead: int
    width: int
    rest: int
    colour: str


class Mark(NamedTuple):
    """What is drawn with one number: a bar, a ground with its ink, or a direction with how it is meant."""

    bar: Bar | None = None
    ground: str = ""
    ink: str = ""
    arrow: str = ""
    tone: Tone = ""


NO_MARK = Mark()
Marker = Callable[[Any], Mark]


def marker(column: Column, values: pd.Series[Any], theme: Theme, *, place: str) -> Marker | None:
    """What draws each of a column's values, against all of them; None where nothing is drawn.

    A RenderError for a column to be drawn that is not written as numbers.
    """
    if not column.look:
        return None
    if not formats.numeric(column.format):
        raise RenderError(
            f"column '{column.key}' is to be drawn, and is written as {formats.parsed(column.format)[0]}",
            where=place,
            hint=f"give it a format of numbers, such as integer or percent, or take '{column.key}' out",
        )
    if column.look == "change":
        return _change
    scale = _Scale(*_ends(values), theme)
    return scale.bar if column.look == "bar" else scale.heat


def _number(value: Any) -> float | None:
    if formats.missing(value) or (exact := formats.exact(value)) is None:
        return None
    number = float(exact)
    return number if math.isfinite(number) else None


def _ends(values: pd.Series[Any]) -> tuple[float, float]:
    """The least and the greatest of the finite numbers."""
    if values.dtype.kind in "iuf":
        numbers = values.to_numpy(dtype=float, na_value=math.nan)
        numbers = numbers[np.isfinite(numbers)]
    else:
        numbers = np.array([number for number in map(_number, values) if number is not None])
    return (float(numbers.min()), float(numbers.max())) if numbers.size else (0.0, 0.0)


def _change(value: Any) -> Mark:
    number = _number(value)
    if not number:
        return NO_MARK
    return Mark(arrow=UP, tone="good") if number > 0 else Mark(arrow=DOWN, tone="bad")


@dataclass(frozen=True)
class _Scale:
    """The least and the greatest number of a column, and the colours between them."""

    least: float
    most: float
    theme: Theme

    def bar(self, value: Any) -> Mark:
        """From zero, to the right or, below it, to the left; a number that is not zero is seen."""
        number = _number(value)
        low, high = min(self.least, 0.0), max(self.most, 0.0)
        if not number:
            return NO_MARK
        # Halves of large ones, since the distance of two numbers may be more than a float holds.
        part = 0.5 if max(high, -low) > 1 else 1.0
        span = high * part - low * part
        zero = round(TRACK * (-low * part / span))
        length = round(TRACK * (abs(number) * part / span))
        if number > 0:
            length = max(min(length, TRACK - zero), 1)
            lead, colour = min(zero, TRACK - length), mixed(self.theme.accent, WHITE, _BAR)
        else:
            length = max(min(length, zero), 1)
            lead, colour = max(zero - length, 0), BELOW
        return Mark(bar=Bar(lead, length, TRACK - lead - length, colour))

    def heat(self, value: Any) -> Mark:
        """The stronger the further from the least; from zero, in a second colour below it, where there are both."""
        if (number := _number(value)) is None:
            return NO_MARK
        share, colour = self._share(number)
        step = round(share * (_STEPS - 1)) / (_STEPS - 1)
        # Shades are so light that black can be read on them, also where a client turns both to their opposites.
        ground = mixed(WHITE, colour, _FAINTEST + (_STRONGEST - _FAINTEST) * step)
        return Mark(ground=ground, ink=BLACK)

    def _share(self, number: float) -> tuple[float, str]:
        if self.least < 0 < self.most:
            furthest = max(-self.least, self.most)
            return abs(number) / furthest, self.theme.accent if number >= 0 else self.theme.second
        span = self.most / 2 - self.least / 2
        share = (number / 2 - self.least / 2) / span if span else 0.5
        return (share, self.theme.accent) if self.most > 0 or span == 0 else (1 - share, self.theme.second)
