"""Names beside the lines and on the areas, and a legend only for those that found no room."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.model import Chart, ChartKind, Column, Theme
from reports.render.charts.fonts import Typeface
from reports.render.charts.labels import EndLabel, _placed, _rising, at_ends, in_bands
from reports.render.charts.paper import WIDTH, Picture, legend
from reports.render.charts.pen import Pen
from reports.render.charts.scale import Scale
from reports.render.charts.series import plots
from reports.render.locales import ENGLISH
from reports.render.palette import palette

Y, X = Scale(low=0, high=100, start=240, end=18), Scale(low=0, high=11, start=40, end=420)


def picture(kind: ChartKind = "line", **columns: Any) -> Picture:
    frame = pd.DataFrame({"x": range(12)} | columns)
    y = [Column(key=key, label=key, format="number.0") for key in columns]
    parts, notes = plots(Chart(frame=frame, kind=kind, x=Column(key="x", label="X"), y=y))
    ruler = Pen(Typeface(), palette(Theme()), WIDTH, 1)
    return Picture(kind=kind, plots=parts, notes=notes, ruler=ruler, locale=ENGLISH)


def ending(*ends: float) -> dict[str, Any]:
    return {f"series {number}": np.linspace(50, end, 12) for number, end in enumerate(ends)}


def test_each_line_is_named_where_it_ends() -> None:
    """In the order in which they end, with their last values."""
    labels = at_ends(picture(**ending(10, 90, 50)), Y)
    assert [(label.name, label.value) for label in labels] == [
        ("series 1", "90"),
        ("series 2", "50"),
        ("series 0", "10"),
    ]
    assert all(abs(label.y - label.end) < 1 for label in labels)


def test_labels_make_way_for_each_other() -> None:
    """Lines that end side by side have names that do not touch, around where they end."""
    labels = at_ends(picture(**ending(50, 51, 52)), Y)
    gaps = np.diff([label.y for label in labels])
    assert (gaps >= 16).all()
    assert abs(np.mean([label.y - label.end for label in labels])) < 1


def test_what_ends_earlier_or_is_too_long_is_in_the_legend() -> None:
    """A name stands at the end of its line or nowhere near it; an endless one would leave the lines no room."""
    values = np.where(np.arange(12) < 6, 20.0, np.nan)
    some = picture(early=values, late=np.full(12, 80.0))
    labels = at_ends(some, Y)
    assert [label.name for label in labels] == ["late"]
    (row,) = legend(some, only={0, 1} - {label.index for label in labels})
    assert [name for _, _, name in row] == ["early"]
    assert at_ends(picture(**{"a name " * 12: np.arange(12.0)}), Y) == []


def test_a_crowd_of_lines_has_a_legend() -> None:
    """Where names would stand too far from their lines there are none; past the colours the rest is one entry."""
    crowd = picture(**ending(*np.linspace(49, 51, 12)))
    assert at_ends(crowd, Y) == []
    many = picture(**ending(*range(40)))
    entries = [name for row in legend(many) for _, _, name in row]
    assert len(entries) == 13
    assert entries[-1] == "28 more"


def test_an_area_is_named_where_it_is_thick() -> None:
    """At its end if it is thick there, else inside, where the name has room; else not at all."""
    fading = 40 * 0.5 ** np.arange(12.0)
    areas = picture("area", rest=np.full(12, 30.0), fading=fading, thin=np.full(12, 0.5))
    ends = at_ends(areas, Y)
    assert [label.name for label in ends] == ["rest"]
    (band,) = in_bands(areas, X, Y, {0})
    assert band.name == "fading"
    assert X.start < band.x < X.start + 80
    assert Y.at(30 + 40) < band.y < Y.at(30)


@given(st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=9))
@settings(deadline=None)
def test_the_nearest_rising_numbers(wanted: list[float]) -> None:
    """They never fall, keep their mean, and what rises already stays."""
    risen = _rising(wanted)
    assert all(a <= b + 1e-6 for a, b in itertools.pairwise(risen))
    assert np.isclose(np.mean(risen), np.mean(wanted), atol=1e-6)
    assert np.allclose(_rising(sorted(wanted)), sorted(wanted))


@given(st.lists(st.floats(18, 240), min_size=1, max_size=12))
@settings(deadline=None)
def test_labels_never_touch_and_stay_on_the_sheet(ends: list[float]) -> None:
    """Wherever the lines end; or there are no labels."""
    labels = [EndLabel(index=number, end=end, y=end, name="n", value="") for number, end in enumerate(ends)]
    placed = _placed(labels, 16, Y)
    assert len(placed) in {0, len(ends)}
    assert all(b.y - a.y >= 16 - 1e-6 for a, b in itertools.pairwise(placed))
    assert all(Y.end - 10 + 8 - 1e-6 <= label.y <= Y.start + 1e-6 for label in placed)
