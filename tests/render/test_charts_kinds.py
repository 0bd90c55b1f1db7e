"""Sparklines, waterfalls and heat maps; and what stands above and below every chart."""

from __future__ import annotations

import datetime as dt
import io
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from reports.errors import RenderError
from reports.model import Chart, ChartKind, Column, Theme
from reports.render.charts import draw
from reports.render.charts.falls import MOST, steps
from reports.render.charts.scale import brief, change, span
from reports.render.charts.series import plots
from reports.render.locales import ENGLISH, Locale

MONTHS = [f"2026-{month:02}" for month in range(1, 13)]
BLUE, ORANGE, WHOLE = "#1F5A92", "#CD842C", "#495561"


def chart(
    frame: pd.DataFrame,
    kind: ChartKind,
    format: str = "currency.0",  # noqa: A002
    y: Sequence[str] = ("v",),
    **more: Any,
) -> Chart:
    return Chart(
        frame=frame,
        kind=kind,
        x=Column(key="x", label="Step"),
        y=[Column(key=key, label=key.capitalize(), format=format) for key in y],
        **more,
    )


def pixels(content: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(content)) as picture:
        return np.asarray(picture)


def tall(content: bytes) -> int:
    return int(struct.unpack(">I", content[20:24])[0])


def area(content: bytes, code: str) -> int:
    """How many pixels have a colour."""
    return int((pixels(content) == list(bytes.fromhex(code[1:]))).all(axis=2).sum())


# -- sparklines -----------------------------------------------------------------------------------


def test_a_sparkline_tells_its_last_value_and_the_change_since_the_first() -> None:
    """One sentence for each row, in the order of the columns; one without values says so."""
    frame = pd.DataFrame({"x": MONTHS, "v": np.linspace(100, 150, 12), "w": np.linspace(8, 6, 12), "n": np.nan})
    assert draw(chart(frame, "sparkline", "number.0", y="vwn"), number=1).alt == (
        "V, W and N by step, 2026-01 to 2026-12. V ends at 150 (+50.0%). W ends at 6 (−25.0%). N has no values."
    )


def test_each_row_of_sparklines_takes_the_same_height() -> None:
    """By columns or by the values of one column, the sheet grows with their number."""
    frame = pd.DataFrame({"x": [1, 2] * 5, "g": np.repeat(list("abcde"), 2), "v": range(10)})
    heights = [tall(draw(chart(frame[frame.g < end], "sparkline", by="g"), number=1).content) for end in "bcf"]
    assert heights[1] - heights[0] == 64
    assert heights[2] - heights[0] == 4 * 64


def test_more_sparklines_than_there_is_room_for_are_cut_with_a_sentence() -> None:
    """By columns and by groups."""
    frame = pd.DataFrame({f"v{number}": [1.0, 2.0] for number in range(25)} | {"x": [1, 2]})
    many = draw(chart(frame, "sparkline", y=[f"v{number}" for number in range(25)]), number=1)
    assert "The first 20 of 25 series are drawn." in many.alt
    grouped = pd.DataFrame({"x": 1, "g": range(25), "v": 1.0})
    assert "The first 20 of 25 by g are drawn." in draw(chart(grouped, "sparkline", by="g"), number=1).alt


@pytest.mark.parametrize(
    ("first", "last", "format", "said"),
    [
        (100, 112.4, "number", "+12.4%"),
        (100, 88, "currency", "−12.0%"),
        (0.05, 0.046, "percent", "−0.4 pp"),
        (-5, 3, "number.0", "+8"),
        (0, 20_000, "currency.0", "+$20k"),
        (1, 500, "integer", "+499"),
        (4, 4, "number", "0.0%"),
    ],
)
def test_a_change_is_told_as_people_tell_it(first: float, last: float, format: str, said: str) -> None:  # noqa: A002
    """In percent of what was there; of rates in points; from below zero, from nothing or past tenfold by how much."""
    assert change(first, last, format, ENGLISH) == said


# -- waterfalls -----------------------------------------------------------------------------------


def fall(amounts: Sequence[float], totals: Sequence[str] = (), **more: Any) -> Chart:
    names = [chr(ord("a") + number) for number in range(len(amounts))]
    return chart(pd.DataFrame({"x": names, "v": amounts}), "waterfall", totals=totals, **more)


def made(one: Chart) -> tuple[list[tuple[str, float, float, bool]], list[str]]:
    found, notes = steps(one, plots(one)[0][0], ENGLISH)
    return [(step.name, step.start, step.end, step.whole) for step in found], notes


def test_each_step_begins_where_the_one_before_it_ended() -> None:
    """And a total stands on zero; below zero too."""
    bars, notes = made(fall([10, 5, -18, -3], totals="ad"))
    assert bars == [("a", 0, 10, True), ("b", 10, 15, False), ("c", 15, -3, False), ("d", 0, -3, True)]
    assert notes == []


def test_a_total_without_a_value_is_the_sum_so_far() -> None:
    """Its author need not add up; a step without a value is told."""
    bars, notes = made(fall([10, np.nan, 5, np.nan], totals="d"))
    assert bars[-1] == ("d", 0, 15, True)
    assert notes == ["Steps without a value, not drawn: 1."]


def test_a_total_that_is_not_the_sum_is_told() -> None:
    """The picture shows a step that nobody explained, and its foot says so."""
    _, notes = made(fall([10, 5, 16], totals="c"))
    assert notes == ["c is not what the steps before it add up to."]
    assert "c is not what the steps" in draw(fall([10, 5, 16], totals="c"), number=1).alt


def test_without_totals_the_sum_is_the_last_bar() -> None:
    """So that every waterfall ends on the ground."""
    bars, _ = made(fall([10, -4]))
    assert bars[-1] == ("Total", 0, 6, True)


def test_a_total_that_is_no_step_is_an_error_with_the_nearest_name() -> None:
    """A renamed row is not drawn as a step in silence."""
    with pytest.raises(RenderError, match="there is no 'z' to be a total") as caught:
        draw(fall([1, 2], totals="z"), number=1)
    assert "a" in caught.value.hint


def test_up_and_down_differ_in_colour_and_in_sign() -> None:
    """Rises, falls and totals each have their colour; the words have the signs."""
    artifact = draw(fall([10, 5, -8, 7], totals="ad"), number=1)
    assert min(area(artifact.content, code) for code in (BLUE, ORANGE, WHOLE)) > 1000
    assert artifact.alt == "V by step. a $10 and d $7. Largest rise: b, $5. Largest fall: c, −$8."


def test_steps_keep_the_order_of_the_rows() -> None:
    """Also where their names are numbers or dates, which other charts put in order."""
    frame = pd.DataFrame({"x": ["2026-03", "2026-01", "2026-02"], "v": [1.0, 2.0, 3.0]})
    assert [name for name, *_ in made(chart(frame, "waterfall"))[0]] == ["2026-03", "2026-01", "2026-02", "Total"]


def test_too_many_steps_are_drawn_as_one_and_add_up_all_the_same() -> None:
    """The last bar is what it would have been."""
    frame = pd.DataFrame({"x": [f"s{number}" for number in range(60)], "v": 1.0})
    bars, notes = made(chart(frame, "waterfall"))
    assert len(bars) == MOST
    assert bars[-2:] == [("22 more", 38, 60, False), ("Total", 0, 60, True)]
    assert notes == ["The last 22 steps are drawn as one."]


def test_long_names_lay_a_waterfall_down() -> None:
    """Then each step is a row."""
    short, long = fall([1, 2, 3, 4]), fall([1, 2, 3, 4])
    long = chart(long.frame.assign(x=[f"A step with a long name {number}" for number in range(4)]), "waterfall")
    assert tall(draw(long, number=1).content) == 2 * (10 + 24 * 5 + 10)
    assert tall(draw(short, number=1).content) > 400


# -- heat maps ------------------------------------------------------------------------------------

CELLS = pd.DataFrame({"x": MONTHS * 2, "g": np.repeat(["CA", "NY"], 12), "v": np.linspace(0.01, 0.24, 24)})


def test_a_heat_map_tells_its_extremes_and_what_is_empty() -> None:
    """With the row and the column of each."""
    assert draw(chart(CELLS.drop(3), "heatmap", "percent", by="g"), number=1).alt == (
        "V by step, 2026-01 to 2026-12, 2 rows by g. Highest 24.0% (NY, 2026-12), lowest 1.0% (CA, 2026-01). "
        "1 of 24 cells have no value."
    )


def test_a_cell_with_two_values_is_an_error_that_names_it() -> None:
    """Neither the first nor the sum is guessed at."""
    twice = pd.concat([CELLS, CELLS.iloc[[13]]])
    with pytest.raises(RenderError, match="there are 2 values for x 2026-02 and g NY") as caught:
        draw(chart(twice, "heatmap", by="g", title="Rates"), number=1)
    assert caught.value.where == "chart 'Rates'"


def test_the_colours_of_both_signs_meet_at_zero() -> None:
    """The accent above, the other colour below; of one sign there is one colour alone."""
    both = draw(chart(CELLS.assign(v=np.linspace(-1, 1, 24)), "heatmap", by="g"), number=1).content
    assert min(area(both, BLUE), area(both, ORANGE)) > 1000
    above = draw(chart(CELLS, "heatmap", by="g"), number=1).content
    assert area(above, BLUE) > 1000
    assert area(above, ORANGE) == 0


def test_equal_cells_are_drawn_too() -> None:
    """A range without height is no division by zero."""
    for value in (0.0, 5.0, -5.0):
        assert draw(chart(CELLS.assign(v=value), "heatmap", by="g"), number=1).content


def test_numbers_stand_in_the_cells_where_they_fit() -> None:
    """A few columns hold them, thirty do not; then colour alone tells, and the alt text."""
    wide = pd.DataFrame({"x": range(30), "g": "a", "v": 123_456.0})
    for columns, ink in ((3, True), (30, False)):
        content = draw(chart(wide.head(columns), "heatmap", "number", by="g"), number=1).content
        row = pixels(content)[76:110, 60:].reshape(-1, 3)
        assert bool((row < 90).all(axis=1).any()) is ink


def test_a_heat_map_has_at_most_so_many_rows_and_columns() -> None:
    """The newest columns, the first rows, and a sentence for each."""
    frame = pd.DataFrame({"x": np.tile(range(50), 45), "g": np.repeat(range(45), 50), "v": 1.0})
    alt = draw(chart(frame, "heatmap", by="g"), number=1).alt
    assert "14 to 49" in alt
    assert "The first 40 of 45 by g are drawn." in alt
    assert "The last 36 of 50 along x are drawn." in alt


@pytest.mark.parametrize(
    ("value", "format", "said"),
    [(345_678, "compact", "346k"), (9_960, "compact", "10k"), (-2_345_678, "number", "−2.3m"), (0.05, "percent.2", "5%"), (0.5, "number", "0.50")],
)  # fmt: skip
def test_a_value_in_a_narrow_cell_has_two_digits(value: float, format: str, said: str) -> None:  # noqa: A002
    """As few as tell it from others."""
    assert brief(value, format, ENGLISH) == said


# -- above and below ------------------------------------------------------------------------------

YEAR = pd.DataFrame({"x": MONTHS, "g": "all", "v": np.linspace(1e6, 2e6, 12)})
ALL: tuple[ChartKind, ...] = ("line", "area", "bar", "small_multiples", "sparkline", "waterfall", "heatmap")


def groups(kind: ChartKind) -> str:
    return "g" if kind in {"small_multiples", "heatmap"} else ""


@pytest.mark.parametrize("kind", ALL)
def test_the_source_stands_at_the_foot_of_every_chart(kind: ChartKind) -> None:
    """A line of its own, however long its text is; the author's words take its place."""
    plain, told, own, long = (
        draw(chart(YEAR, kind, by=groups(kind), **more), number=1).content
        for more in (
            {},
            {"source": "loans", "as_of": dt.date(2026, 10, 31)},
            {"credit": "Source: own survey"},
            {"credit": "A long line " * 30},
        )
    )
    assert tall(told) == tall(own) == tall(long) > tall(plain)
    assert len({plain, told, own, long}) == 4
    assert (pixels(long)[-4:] == 255).all()
    assert (pixels(long)[:, -8:] == 255).all()


@pytest.mark.parametrize("kind", ALL)
def test_the_unit_is_said_on_the_picture_and_in_words(kind: ChartKind) -> None:
    """At the top left, and in the first sentence."""
    plain, told = (
        draw(chart(YEAR, kind, "number", by=groups(kind), unit=unit), number=1) for unit in ("", "million EUR")
    )
    assert plain.content != told.content
    assert (pixels(told.content)[20:44, 20:120] < 140).any()
    assert ", in million EUR." in told.alt
    assert "million" not in plain.alt


def test_money_on_an_axis_is_named_once_by_its_code() -> None:
    """The code of the currency above, bare numbers beside the lines of the grid."""
    dollars, euros, numbers = (
        draw(chart(YEAR, "line", form), number=1, locale=Locale(currency=code)).content
        for form, code in (("currency", "USD"), ("currency", "EUR"), ("compact", "EUR"))
    )
    assert tall(dollars) == tall(euros) == tall(numbers) + 34
    left = [pixels(one)[40:, :60] for one in (dollars, euros)]
    assert (left[0] == left[1]).all()  # ticks without a sign of the currency
    assert dollars != euros


def test_numbers_and_months_are_those_of_the_language() -> None:
    """In the words and, for that they are the same, on the picture; German nouns keep their capitals."""
    german = Locale(language="de", currency="EUR")
    artifact = draw(chart(YEAR, "line"), number=1, locale=german)
    assert "1 Mio. €" in artifact.alt
    assert "Jan. 2026" in artifact.alt
    assert "Step" in artifact.alt
    assert artifact.content != draw(chart(YEAR, "line"), number=1, locale=Locale(currency="EUR")).content
    ticks = span(np.array([0, 3.2e6]), 5, "compact", german, bars=True).ticks
    assert [tick.text for tick in ticks] == ["0", "1\xa0Mio.", "2\xa0Mio.", "3\xa0Mio."]
    ticks = span(np.array([0, 0.05]), 5, "percent", german, bars=True).ticks
    assert [tick.text for tick in ticks] == ["0\xa0%", "2\xa0%", "4\xa0%"]


def test_the_theme_gives_the_first_colour() -> None:
    """And the one against it."""
    theme = Theme(accent="#0B6E4F", second="#D1603D")
    content = draw(fall([10, -8]), number=1, theme=theme).content
    assert area(content, "#0B6E4F") > 1000
    assert area(content, "#D1603D") > 1000
    assert area(content, BLUE) == 0
