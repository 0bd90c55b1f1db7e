"""Colours as WCAG 2 measures them, written #RRGGBB: how well one can be read on another, and shades between two."""

from __future__ import annotations

ENOUGH = 4.5
"""The contrast that text needs on its ground (WCAG AA)."""
WHITE, INK, BLACK = "#FFFFFF", "#1F2933", "#000000"


def contrast(first: str, second: str) -> float:
    """From 1, which cannot be told apart, to 21, black on white."""
    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """How bright a colour is, from 0 to 1."""
    red, green, blue = (_linear(part / 255) for part in _parts(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def mixed(first: str, second: str, share: float) -> str:
    """`first` with a `share` of `second` in it, from 0 to 1."""
    pairs = zip(_parts(first), _parts(second), strict=True)
    return "#" + "".join(f"{round(one + (other - one) * share):02X}" for one, other in pairs)


def ink_on(ground: str, inks: tuple[str, ...] = (WHITE, INK, BLACK)) -> str:
    """The first of `inks` that can be read on `ground`; white or black can on any."""
    return next(
        (ink for ink in inks if contrast(ink, ground) >= ENOUGH), max(inks, key=lambda ink: contrast(ink, ground))
    )


def as_ink(colour: str, ground: str = WHITE, towards: str = BLACK) -> str:
    """`colour`, as near to `towards` as it has to be to be read on `ground`."""
    shades = (mixed(colour, towards, step / 20) for step in range(21))
    return next((shade for shade in shades if contrast(shade, ground) >= ENOUGH), towards)


def _parts(colour: str) -> list[int]:
    return [int(colour[at : at + 2], 16) for at in (1, 3, 5)]


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
