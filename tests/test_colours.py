"""Colours that can be read on one another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.colours import ENOUGH, as_ink, contrast, ink_on, mixed

COLOURS = st.integers(0, 0xFFFFFF).map("#{:06X}".format)


@pytest.mark.parametrize(
    ("first", "second", "ratio"),
    [
        ("#000000", "#FFFFFF", 21.0),
        ("#777777", "#FFFFFF", 4.48),
        ("#FF0000", "#FFFFFF", 4.0),
        ("#123456", "#123456", 1),
    ],
)
def test_the_contrast_is_that_of_wcag(first: str, second: str, ratio: float) -> None:
    """Published values; which is the ground does not matter."""
    assert contrast(first, second) == contrast(second, first) == pytest.approx(ratio, abs=0.005)


@given(COLOURS)
def test_there_is_an_ink_for_every_ground(ground: str) -> None:
    """White where it can be read, else a dark one."""
    ink = ink_on(ground)
    assert contrast(ink, ground) >= ENOUGH
    assert (ink == "#FFFFFF") == (contrast("#FFFFFF", ground) >= ENOUGH)


@given(COLOURS)
def test_every_colour_has_a_shade_that_is_an_ink(colour: str) -> None:
    """The colour itself where it can be read."""
    shade = as_ink(colour)
    assert contrast(shade, "#FFFFFF") >= ENOUGH
    assert (shade == colour) == (contrast(colour, "#FFFFFF") >= ENOUGH)


def test_a_mixture_lies_between_both() -> None:
    """From the one to the other."""
    assert [mixed("#000000", "#FF8040", share) for share in (0, 0.5, 1)] == ["#000000", "#804020", "#FF8040"]
