"""Numbers as bars, heat and changes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.colours import contrast
from reports.errors import RenderError
from reports.model import Column, Theme
from reports.render.marks import BELOW, DOWN, TRACK, UP, Bar, Mark, marker

Look = Literal["bar", "heat", "change"]


def marks(look: Look, values: Any, format_: str = "number") -> list[Mark]:
    series = pd.Series(values)
    mark = marker(Column(key="x", label="X", format=format_, look=look), series, Theme(), place="table 'T'")
    assert mark
    return [mark(value) for value in series.tolist()]


def bars(values: Any) -> list[Bar | None]:
    return [mark.bar for mark in marks("bar", values)]


def test_bars_begin_at_zero_and_the_longest_fills_the_track() -> None:
    """What is twice as much is twice as long."""
    half, whole, none, missing = bars([50, 100, 0, None])
    assert half
    assert whole
    assert (half.lead, half.width, half.rest) == (0, TRACK // 2, TRACK // 2)
    assert (whole.lead, whole.width, whole.rest) == (0, TRACK, 0)
    assert none is missing is None


def test_bars_below_zero_go_to_the_other_side_in_another_colour() -> None:
    """From the same zero, on the same scale."""
    up, down = bars([Decimal(20), Decimal(-10)])
    assert up
    assert down
    assert down.lead == 0
    assert up.lead == down.lead + down.width == round(TRACK / 3)
    assert down.colour == BELOW != up.colour


@given(st.lists(st.one_of(st.floats(allow_nan=True, allow_infinity=True), st.none()), min_size=1, max_size=30))
def test_every_bar_stays_in_its_track(values: list[float | None]) -> None:
    """Whatever the numbers; one that is not zero is seen, and lies wholly in the track."""
    for value, bar in zip(values, bars(np.array(values, dtype=float)), strict=True):
        if bar is None:
            assert value in (None, 0.0) or not np.isfinite(value)
        else:
            assert bar.width >= 1
            assert bar.lead >= 0
            assert bar.rest >= 0
            assert bar.lead + bar.width + bar.rest == TRACK


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=30))
def test_numbers_can_be_read_on_every_heat(values: list[float]) -> None:
    """Whatever the shade."""
    for mark in marks("heat", values):
        assert contrast(mark.ink, mark.ground) >= 4.5


def test_heat_is_stronger_the_further_from_the_least() -> None:
    """Of one colour where all are on one side of zero, of two where they are not."""
    low, middle, high = (contrast("#FFFFFF", mark.ground) for mark in marks("heat", [1, 2, 3]))
    assert low < middle < high
    below, nothing, above = (mark.ground for mark in marks("heat", [-1, 0, 1]))
    assert contrast("#FFFFFF", nothing) < min(contrast("#FFFFFF", below), contrast("#FFFFFF", above))
    assert below != above


def test_changes_have_a_direction() -> None:
    """An arrow besides the colour; nothing where nothing changed, or nothing is known."""
    found = [(mark.arrow, mark.tone) for mark in marks("change", [1.5, -2, 0, None])]
    assert found == [(UP, "good"), (DOWN, "bad"), ("", ""), ("", "")]


def test_text_cannot_be_drawn() -> None:
    """It is told with the column and what to do."""
    with pytest.raises(RenderError, match="column 'x' is to be drawn, and is written as text") as caught:
        marks("bar", ["a"], "text")
    assert "format of numbers" in caught.value.hint


@pytest.mark.parametrize("value", [5e-324, -5e-324, 1.7e308, -1.7e308])
def test_the_smallest_and_the_largest_numbers_have_bars(value: float) -> None:
    """Half of the one is nothing, twice the other more than a float holds."""
    (bar,) = bars(np.array([value]))
    assert bar is not None
    assert bar.width == TRACK
