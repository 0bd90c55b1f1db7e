"""The colours of series: told apart by all readers, colour-blind ones included, and dark enough on white paper.

Colours are compared as they look with normal sight and without each of the three kinds of cones (Machado,
Oliveira and Fernandes, 2009, at full severity), by their distance in CIELAB (1976).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from reports import colours
from reports.colours import Colour
from reports.model import Theme

WHITE, INK, MUTED, RULE = map(Colour.of, (colours.WHITE, colours.INK, colours.MUTED, colours.RULE))

_GREY = MUTED.blended(WHITE, 0.6)
APART = 18.0
"""The least distance between any two colours of series, however they are seen."""
LEAST_CONTRAST = 3.0
"""Of a mark on white (WCAG 2, 1.4.11)."""
_POOL = ("#1F5A92", "#CF7A1F", "#49A284", "#9A2B4B", "#7D92AB", "#A97DD4")
_MOST = 6
_SIGHTS = (
    np.eye(3),
    np.array(((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998))),
    np.array(((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881))),
    np.array(((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900))),
)
_TO_XYZ = np.array(
    ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))
)
_DAYLIGHT = np.array((0.95047, 1.0, 1.08883))


@dataclass(frozen=True)
class Palette:
    """The colours of one theme; the first is its accent, `other` stands against it, as below zero against above."""

    series: tuple[Colour, ...]
    other: Colour

    def ink(self, index: int) -> Colour:
        """The colour of a series; once all are used they come again, paler, and then there are no more."""
        again, number = divmod(index, len(self.series))
        return self.series[number].blended(WHITE, 0.4 * again) if index < self.most else _GREY

    @property
    def most(self) -> int:
        """How many series have a colour; the others are grey."""
        return 2 * len(self.series)

    def text(self, index: int) -> Colour:
        """The colour of a series, dark enough to be read."""
        return _read(str(self.ink(index).blended(INK, 0.35)))

    @staticmethod
    def on(ground: Colour) -> Colour:
        """White or dark ink, whichever can be read on a colour."""
        return _on(str(ground))

    @property
    def whole(self) -> Colour:
        """The colour of totals, which are no series."""
        return MUTED.blended(INK, 0.3)


@lru_cache(maxsize=256)
def _read(wanted: str) -> Colour:
    return Colour.of(colours.as_ink(wanted))


@lru_cache(maxsize=1024)
def _on(ground: str) -> Colour:
    return Colour.of(colours.ink_on(ground))


@lru_cache(maxsize=16)
def palette(theme: Theme) -> Palette:
    """The accent, then those of our colours that nobody takes for one before them."""
    accent, second = _marking(theme.accent), _marking(theme.second)
    chosen = [accent]
    for one in _POOL:
        if len(chosen) < _MOST and min(distance(one, other) for other in chosen) >= APART:
            chosen.append(one)
    if distance(accent, second) < APART:
        second = max(_POOL, key=lambda one: distance(accent, one))
    return Palette(tuple(map(Colour.of, chosen)), Colour.of(second))


def distance(one: str, other: str) -> float:
    """How far apart two colours are for those who tell them apart least."""
    linear = _linear(np.array((Colour.of(one), Colour.of(other))))
    return min(float(np.linalg.norm(np.subtract(*_lab(np.clip(linear @ sight.T, 0, 1))))) for sight in _SIGHTS)


def _marking(wanted: str) -> str:
    """A colour as near to what is wanted as can be seen on white."""
    shades = (colours.mixed(wanted, colours.INK, step / 20) for step in range(21))
    return next(shade for shade in shades if colours.contrast(shade, colours.WHITE) >= LEAST_CONTRAST)


def _linear(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)


def _lab(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    share = (linear @ _TO_XYZ.T) / _DAYLIGHT
    x, y, z = np.moveaxis(np.where(share > 216 / 24389, np.cbrt(share), share * 841 / 108 + 4 / 29), -1, 0)
    return np.stack((116 * y - 16, 500 * (x - y), 200 * (y - z)), axis=-1)
