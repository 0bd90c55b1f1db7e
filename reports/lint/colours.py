"""Colours read from CSS, and turned as dark modes turn them."""

from __future__ import annotations

import colorsys

from tinycss2.color3 import parse_color

from reports.colours import Colour

DARKEST = 0.12
"""The lightness that dark modes make of white: none of them makes it black."""


WHITE, BLACK = Colour(1, 1, 1), Colour(0, 0, 0)


def lightness(colour: Colour) -> float:
    """From black, 0, to white, 1, as HSL has it."""
    return (max(colour) + min(colour)) / 2


def inverted(colour: Colour) -> Colour:
    """The same hue, light where it was dark and dark where it was light."""
    hue, light, saturation = colorsys.rgb_to_hls(*colour)
    return Colour(*colorsys.hls_to_rgb(hue, 1 - (1 - DARKEST) * light, saturation))


def read(text: str, behind: Colour = WHITE) -> Colour | None:
    """A colour of CSS over what is behind it; None where it is none, or nothing is seen of it."""
    found = parse_color(text)
    if found is None or isinstance(found, str) or found.alpha == 0:
        return None
    shown = zip((found.red, found.green, found.blue), behind, strict=True)
    return Colour(*(min(1.0, max(0.0, one * found.alpha + under * (1 - found.alpha))) for one, under in shown))
