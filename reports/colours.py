"""Colours: those of the house, and how well one can be read on another, as WCAG 2 measures it.

They are written #RRGGBB wherever they leave a module; a `Colour` is for reckoning.
"""

from __future__ import annotations

from typing import NamedTuple

ENOUGH = 4.5
"""The contrast that text needs on its ground (WCAG AA)."""
WHITE, INK, BLACK = "#FFFFFF", "#1F2933", "#000000"
MUTED, RULE = "#5B6875", "#D5DCE4"
GOOD, BAD = "#17663F", "#A62B3A"
"""Inks of good and of bad news, the second also of numbers below zero; both can be read when a client turns them."""


class Colour(NamedTuple):
    """Red, green and blue from 0 to 1."""

    red: float
    green: float
    blue: float

    @classmethod
    def of(cls, code: str) -> Colour:
        """The colour written #RRGGBB."""
        return cls(*(int(code[at : at + 2], 16) / 255 for at in (1, 3, 5)))

    def __str__(self) -> str:
        return "#" + "".join(f"{round(part * 255):02X}" for part in self)

    @property
    def luminance(self) -> float:
        """How bright it is, from 0 to 1."""
        return 0.2126 * _linear(self.red) + 0.7152 * _linear(self.green) + 0.0722 * _linear(self.blue)

    def blended(self, other: Colour, share: float) -> Colour:
        """It with a `share` of another in it, from 0 to 1."""
        return Colour(*(one + (to - one) * share for one, to in zip(self, other, strict=True)))

    def contrast(self, other: Colour) -> float:
        """From 1, which cannot be told apart, to 21, black on white."""
        light, dark = sorted((self.luminance, other.luminance), reverse=True)
        return (light + 0.05) / (dark + 0.05)


def contrast(first: str, second: str) -> float:
    """From 1, which cannot be told apart, to 21, black on white."""
    return Colour.of(first).contrast(Colour.of(second))


def mixed(first: str, second: str, share: float) -> str:
    """`first` with a `share` of `second` in it, from 0 to 1."""
    return str(Colour.of(first).blended(Colour.of(second), share))


def ink_on(ground: str, inks: tuple[str, ...] = (WHITE, INK, BLACK)) -> str:
    """The first of `inks` that can be read on `ground`; white or black can on any."""
    return next(
        (ink for ink in inks if contrast(ink, ground) >= ENOUGH), max(inks, key=lambda ink: contrast(ink, ground))
    )


def as_ink(colour: str, ground: str = WHITE, towards: str = BLACK) -> str:
    """`colour`, as near to `towards` as it has to be to be read on `ground`."""
    shades = (mixed(colour, towards, step / 20) for step in range(21))
    return next((shade for shade in shades if contrast(shade, ground) >= ENOUGH), towards)


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
