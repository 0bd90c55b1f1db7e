"""Colours: read from CSS, compared as WCAG does, and turned as dark modes turn them."""

from __future__ import annotations

import colorsys
from typing import NamedTuple

from tinycss2.color3 import parse_color

DARKEST = 0.12
"""The lightness that dark modes make of white: none of them makes it black."""


class Colour(NamedTuple):
    """Red, green and blue from 0 to 1."""

    red: float
    green: float
    blue: float

    def __str__(self) -> str:
        return "#" + "".join(f"{round(one * 255):02X}" for one in self)

    @property
    def luminance(self) -> float:
        """As WCAG 2 defines it."""
        red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in self)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    @property
    def lightness(self) -> float:
        """From black, 0, to white, 1, as HSL has it."""
        return (max(self) + min(self)) / 2

    def inverted(self) -> Colour:
        """The same hue, light where it was dark and dark where it was light."""
        hue, lightness, saturation = colorsys.rgb_to_hls(*self)
        return Colour(*colorsys.hls_to_rgb(hue, 1 - (1 - DARKEST) * lightness, saturation))


WHITE, BLACK = Colour(1, 1, 1), Colour(0, 0, 0)


def contrast(one: Colour, other: Colour) -> float:
    """From 1, the same, to 21, black on white."""
    light, dark = sorted((one.luminance, other.luminance), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def read(text: str, behind: Colour = WHITE) -> Colour | None:
    """A colour of CSS over what is behind it; None where it is none, or nothing is seen of it."""
    found = parse_color(text)
    if found is None or isinstance(found, str) or found.alpha == 0:
        return None
    shown = zip((found.red, found.green, found.blue), behind, strict=True)
    return Colour(*(min(1.0, max(0.0, one * found.alpha + under * (1 - found.alpha))) for one, under in shown))
