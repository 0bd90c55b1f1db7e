"""The colours of series: what colour-blind readers see, and what is seen on white."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest

from reports import colours
from reports.model import Theme
from reports.render.palette import APART, Colour, distance, palette
from reports.render.workbook.looks import series


def code(colour: Colour) -> str:
    return "#" + "".join(f"{round(part * 255):02X}" for part in colour)


ACCENTS = ["#1F5A92", "#0B6E4F", "#B23A48", "#F2C230", "#111111", "#6A3FA0", "#E4572E", "#FFFFFF"]


@pytest.mark.parametrize("accent", ACCENTS)
def test_any_two_series_are_told_apart_by_everybody(accent: str) -> None:
    """With normal sight and without red, green or blue cones, whatever the accent of the theme is."""
    series = [code(one) for one in palette(Theme(accent=accent)).series]
    assert len(series) >= 4
    assert min(distance(one, other) for one, other in combinations(series, 2)) >= APART
    assert distance(series[0], code(palette(Theme(accent=accent)).other)) >= APART


@pytest.mark.parametrize("accent", ACCENTS)
def test_every_mark_is_seen_on_white(accent: str) -> None:
    """A contrast of 3 to 1 for marks, of 4.5 to 1 for the names in their colours."""
    chosen = palette(Theme(accent=accent))
    marks = [*map(code, chosen.series), code(chosen.other), code(chosen.whole)]
    assert min(colours.contrast(one, colours.WHITE) for one in marks) >= 3
    texts = [code(chosen.text(index)) for index in range(chosen.most + 1)]
    assert min(colours.contrast(one, colours.WHITE) for one in texts) >= 4.5


def test_neighbours_of_the_shipped_palette_are_farther_apart() -> None:
    """Which touch each other in a stack."""
    series = [code(one) for one in palette(Theme()).series]
    assert min(distance(one, other) for one, other in pairwise(series)) >= 20


def test_what_nobody_can_tell_apart_is_near() -> None:
    """The measure sees what colour-blind readers do not: red and green of one brightness."""
    assert distance("#B5577D", "#7A8797") < APART < np.inf
    assert distance("#D55E00", "#8B8000") < distance("#D55E00", "#1F5A92")
    assert distance("#123456", "#123456") == 0


@pytest.mark.parametrize("accent", ACCENTS)
def test_the_workbook_has_the_same_colours(accent: str) -> None:
    """A chart in the mail and the native one of the same numbers look alike, whatever the accent is."""
    chosen = palette(Theme(accent=accent))
    assert [f"#{one}" for one in series(Theme(accent=accent))] == [str(chosen.ink(index)) for index in range(6)]


def test_more_series_than_colours_are_grey() -> None:
    """Each colour comes twice, the second time paler; what is beyond is not told apart by colour at all."""
    chosen = palette(Theme())
    inks = [chosen.ink(index) for index in range(40)]
    assert len(set(inks[: chosen.most])) == chosen.most == 12
    assert len(set(inks[chosen.most :])) == 1
