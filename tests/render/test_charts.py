"""Charts: the picture's form, the message in words, odd data, fonts and equal bytes."""

import datetime as dt
import io
import os
import struct
import subprocess
import sys
import warnings
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from reports.errors import RenderError
from reports.model import Chart, ChartKind, Column
from reports.render.charts import MissingFont, draw
from reports.render.charts.fonts import Typeface
from reports.render.charts.scale import bounds, position_ticks, row_ticks, span
from reports.render.charts.series import plots
from reports.render.locales import ENGLISH, Locale

SERIES: tuple[ChartKind, ...] = ("line", "area", "bar", "small_multiples")
KINDS: tuple[ChartKind, ...] = (*SERIES, "sparkline", "waterfall", "heatmap")
MONTHS = [f"2026-{month:02}" for month in range(1, 13)]


def chart(
    frame: pd.DataFrame,
    kind: ChartKind = "line",
    y: Sequence[str] = ("v",),
    format: str = "currency.0",  # noqa: A002
    **more: Any,
) -> Chart:
    """A chart of the columns x and y, where small multiples and heat maps are divided by g."""
    return Chart(
        frame=frame,
        kind=kind,
        x=more.pop("x", Column(key="x", label="Month")),
        y=[Column(key=key, label=key.capitalize(), format=format) for key in y],
        by="g" if kind in {"small_multiples", "heatmap"} else "",
        **more,
    )


def year(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"x": MONTHS, "g": "all"} | columns)


def pixels(png: bytes) -> np.ndarray:
    """The rows of an opaque PNG as colours."""
    with Image.open(io.BytesIO(png)) as picture:
        assert picture.mode == "RGB"
        return np.asarray(picture)


def has(png: bytes, code: str) -> bool:
    """Whether a colour is in the picture."""
    return bool((pixels(png) == list(bytes.fromhex(code[1:]))).all(axis=2).any())


# -- the picture ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_has_twice_the_pixels_of_its_css_width(kind: ChartKind) -> None:
    """550 CSS pixels wide, 1100 in the file, opaque, and said to be 192 to the inch."""
    artifact = draw(chart(year(v=range(12)), kind), number=3)
    assert struct.unpack(">II", artifact.content[16:24])[0] == 2 * artifact.width == 1100
    assert artifact.content[24:26] == b"\x08\x02"  # eight bits of red, green and blue, no transparency
    assert struct.unpack(">II", artifact.content[41:49]) == (7559, 7559)
    assert (artifact.name, artifact.cid, artifact.media_type) == ("chart-3.png", "chart-3", "image/png")


@pytest.mark.parametrize("kind", SERIES)
def test_every_series_is_drawn_in_its_colour_on_white(kind: ChartKind) -> None:
    """Both series show, and the four corners are paper."""
    content = draw(chart(year(v=range(1, 13), w=range(12, 0, -1)), kind, y="vw"), number=1).content
    assert has(content, "#1F5A92")
    assert has(content, "#CF7A1F")
    picture = pixels(content)
    assert (picture[[0, 0, -1, -1], [0, -1, 0, -1]] == 255).all()


def test_nothing_touches_the_edge_of_the_picture() -> None:
    """A border of four pixels stays white whatever is drawn, so that the page may frame it."""
    wide = year(v=[10.0**power for power in range(12)], w=-1e12)
    for kind in KINDS:
        picture = pixels(draw(chart(wide, kind, y="vw"), number=1).content)
        assert (picture[:4] == 255).all()
        assert (picture[-4:] == 255).all()
        assert (picture[:, :4] == 255).all()
        assert (picture[:, -4:] == 255).all()


def test_equal_data_give_equal_bytes_in_another_process(tmp_path: Path, root: Path) -> None:
    """The order of hashes and the time of day are not in the picture."""
    script = tmp_path / "draw.py"
    script.write_text(
        "import pandas as pd\n"
        "from reports.model import Chart, Column\n"
        "from reports.render.charts import draw\n"
        "frame = pd.DataFrame({'x': ['2026-01', '2026-02'], 'v': [1.5, 2.5], 'g': ['a', 'b']})\n"
        "for kind in ('line', 'area', 'bar', 'small_multiples', 'sparkline', 'waterfall', 'heatmap'):\n"
        "    chart = Chart(frame=frame, kind=kind, x=Column(key='x', label='Month'),\n"
        "                  y=[Column(key='v', label='V')], by='g' if kind[:2] in ('sm', 'he') else '')\n"
        "    print(draw(chart, number=1).sha256)\n"
    )
    prints = {
        subprocess.run(
            [sys.executable, script],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(root)},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(prints) == 1
    assert len(set(prints.pop().split())) == 7


def test_another_value_gives_another_picture() -> None:
    """The bytes follow the data."""
    one, other = (draw(chart(year(v=[*range(11), last])), number=1).content for last in (11, 5))
    assert one != other


def test_drawing_leaves_matplotlib_settings_alone() -> None:
    """No setting of the process is changed, and neither pyplot nor figures are loaded."""
    code = (
        "import sys, matplotlib, pandas as pd; before = dict(dict.items(matplotlib.rcParams))\n"
        "from reports.model import Chart, Column; from reports.render.charts import draw\n"
        "y = [Column(key='v', label='V')]; x = Column(key='v', label='V')\n"
        "draw(Chart(frame=pd.DataFrame({'v': [1, 2]}), kind='line', x=x, y=y), number=1)\n"
        "assert not {'matplotlib.pyplot', 'matplotlib.figure', 'matplotlib.axes'} & set(sys.modules)\n"
        "assert dict(dict.items(matplotlib.rcParams)) == before\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# -- the message in words -------------------------------------------------------------------------


def test_a_line_tells_first_last_highest_and_lowest() -> None:
    """The message of one line, with its numbers."""
    values = [100_000, 120_000, 90_000, *[95_000] * 8, 110_000]
    assert draw(chart(year(v=values)), number=1).alt == (
        "V by month, 2026-01 to 2026-12. From $100k to $110k; highest $120k in 2026-02, lowest $90k in 2026-03."
    )


def test_areas_tell_the_total_and_the_largest_part() -> None:
    """The message of a stack is its sum."""
    frame = year(v=[3e6, 2e6, *[0] * 10], w=[4e5, 5e5, *[0] * 9, 1e5])
    assert draw(chart(frame, "area", y="vw"), number=1).alt == (
        "V and W by month, 2026-01 to 2026-12. Total peaks at $3.4m in 2026-01 and ends at $100k; "
        "largest part: V, $5m of $6m."
    )


def test_bars_tell_the_longest_and_the_shortest() -> None:
    """The message of bars is their ranking."""
    frame = pd.DataFrame({"x": list("abcde"), "v": [3, 9, 1, 7, 5]})
    alt = draw(chart(frame, "bar", format="integer", x=Column(key="x", label="State")), number=1).alt
    assert alt == "V by state. Highest: b 9, d 7, e 5; lowest: c 1."


def test_panels_tell_where_each_ends() -> None:
    """The message of small multiples is the comparison of the last values."""
    frame = pd.DataFrame({"x": [1, 2] * 2, "g": list("aabb"), "v": [0.01, 0.02, 0.03, 0.045]})
    alt = draw(chart(frame, "small_multiples", format="percent"), number=1).alt
    assert alt == "V by month, 1 to 2, 2 panels by g. Ends at 2.0% (a) and 4.5% (b)."


def test_many_panels_tell_the_highest_and_the_lowest_end() -> None:
    """Five panels are not listed one by one."""
    frame = pd.DataFrame({"x": 1, "g": list("abcde"), "v": [5, 1, 9, 4, 3]})
    alt = draw(chart(frame, "small_multiples", format="integer"), number=1).alt
    assert alt == "V by month, 1, 5 panels by g. Ends highest in c, 9, and lowest in b, 1."


def test_alt_text_that_is_given_is_kept() -> None:
    """The author's words are better than ours."""
    assert draw(chart(year(v=range(12)), alt="Up, as planned."), number=1).alt == "Up, as planned."


def test_an_abbreviation_at_the_end_of_a_sentence_ends_it() -> None:
    """2,4 Mio. needs no second full stop."""
    frame = pd.DataFrame({"x": ["a", "b"], "n": [1_200_000, 2_400_000]})
    shown = Chart(
        frame=frame, kind="bar", x=Column(key="x", label="X"), y=[Column(key="n", label="N", format="compact")]
    )
    alt = draw(shown, number=1, locale=Locale("de")).alt
    assert "Mio." in alt
    assert ".." not in alt


def test_alt_text_stays_short() -> None:
    """Many series with long names still make fewer than 400 characters, of whole sentences."""
    names = [f"w{'x' * 90}{number}" for number in range(9)]
    for kind in KINDS:
        alt = draw(chart(year(**dict.fromkeys(names, 1.0)), kind, y=names), number=1).alt
        assert 40 < len(alt) < 400
        assert alt.endswith(".")


def test_money_is_told_in_the_currency_of_the_page() -> None:
    """Neither the picture nor the words assume dollars."""
    frame = year(v=[2.5e6] * 12)
    assert "€2.5m" in draw(chart(frame), number=1, locale=Locale(currency="EUR")).alt
    assert draw(chart(frame), number=1, locale=Locale(currency="EUR")).content != draw(chart(frame), number=1).content


# -- odd data -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_frame_says_no_data(kind: ChartKind) -> None:
    """A small picture and an alt text that says so, for no rows and for no values."""
    for frame in (year(v=1.0).head(0), year(v=np.nan)):
        artifact = draw(chart(frame, kind), number=1)
        assert artifact.alt == "No data: V by month."
        assert struct.unpack(">I", artifact.content[20:24])[0] == 192
        assert not has(artifact.content, "#1F5A92")


def test_a_value_between_gaps_is_still_seen() -> None:
    """No line leads to it, so it is a dot."""
    values = [np.nan] * 12
    values[4], values[11] = 1.0, 2.0
    lone = pixels(draw(chart(year(v=values)), number=1).content)
    assert (lone[:, 400:600] == list(bytes.fromhex("1F5A92"))).all(axis=2).any()


def test_a_row_without_a_place_is_reported_in_picture_and_words() -> None:
    """Nothing is left out in silence."""
    frame = pd.DataFrame({"x": ["2026-01", None, "2026-03"], "v": [1.0, 2.0, 3.0]})
    whole, short = draw(chart(frame.dropna()), number=1), draw(chart(frame), number=1)
    assert "Rows without Month, not drawn: 1." in short.alt
    assert struct.unpack(">I", short.content[20:24]) > struct.unpack(">I", whole.content[20:24])


def test_infinite_values_are_gaps_and_are_reported() -> None:
    """Infinity has no place on an axis."""
    alt = draw(chart(year(v=[np.inf, *range(10), -np.inf])), number=1).alt
    assert "Infinite values of V, not drawn: 2." in alt
    assert "From $0 to $9" in alt


def test_dates_are_put_in_order_and_text_is_kept_as_it_comes() -> None:
    """A query without ORDER BY still draws time from left to right."""
    shuffled = year(v=range(12)).sample(frac=1, random_state=1)
    assert draw(chart(shuffled), number=1).sha256 == draw(chart(year(v=range(12))), number=1).sha256
    words = pd.DataFrame({"x": ["late", "early", "noon"], "v": [1, 2, 3]})
    assert [part.x.text(row) for part in plots(chart(words))[0] for row in range(3)] == ["late", "early", "noon"]


@pytest.mark.parametrize(
    "dates",
    [
        MONTHS,
        pd.period_range("2026-01", periods=12, freq="M"),
        pd.date_range("2026-01-01", periods=12, freq="MS"),
        pd.date_range("2026-01-01", periods=12, freq="MS", tz="Asia/Tokyo"),
        [dt.date(2026, month, 1) for month in range(1, 13)],
        pd.Series(pd.date_range("2026-01-01", periods=12, freq="MS")).astype(object),
    ],
    ids=["text", "periods", "timestamps", "zoned", "dates", "objects"],
)
def test_months_in_any_form_are_the_same_months(dates: Any) -> None:
    """Text, periods, dates and timestamps of the same months draw the same picture."""
    assert draw(chart(year(v=range(12)).assign(x=dates)), number=1) == draw(chart(year(v=range(12))), number=1)


def test_month_ends_stand_in_their_own_month() -> None:
    """31 December is drawn in December, not a day before January."""
    frame = pd.DataFrame({"x": pd.date_range("2026-01-31", periods=12, freq="ME"), "v": range(12)})
    x = plots(chart(frame))[0][0].x
    assert x.kind == "month"
    assert x.text(11) == "2026-12"
    assert set(np.diff(x.places)) == {1}


@pytest.mark.parametrize(
    "values",
    [
        [Decimal("1.5"), None, Decimal("2.5")],
        pd.array([1, None, 3], dtype="Int64"),
        pd.array([True, None, False], dtype="boolean"),
        [True, False, True],
        np.array([1, 2, 3], np.int8),
        pd.array([1.5, None, 2.5], dtype="float64[pyarrow]"),
    ],
    ids=["decimal", "Int64", "boolean", "bool", "int8", "arrow"],
)
def test_every_type_of_number_is_drawn(values: Any) -> None:
    """What a database may answer for a number is a number here."""
    frame = pd.DataFrame({"x": [1, 2, 3], "g": "a", "v": values})
    for kind in KINDS:
        assert has(draw(chart(frame, kind), number=1).content, "#1F5A92")


def test_negative_values_go_below_zero() -> None:
    """The bars of a loss are as long as those of an equal gain."""
    for kind in ("bar", "area"):
        picture = pixels(draw(chart(year(v=[5.0] * 6 + [-5.0] * 6), kind), number=1).content)
        blue = (picture == list(bytes.fromhex("1F5A92"))).all(axis=2)
        left, right = blue[:, :550].sum(), blue[:, 550:].sum()
        assert left == pytest.approx(right, rel=0.15)
        assert blue[:, :550].any(axis=1).argmax() < blue[:, 760:].any(axis=1).argmax()


def test_long_names_lay_the_bars_down() -> None:
    """Names that do not fit below a bar stand beside it, and the sheet grows with their number."""
    heights = []
    for count in (5, 20):
        frame = pd.DataFrame({"x": [f"A servicer with a long name {n}" for n in range(count)], "v": 1.0})
        heights.append(struct.unpack(">I", draw(chart(frame, "bar"), number=1).content[20:24])[0])
    assert heights[1] - heights[0] == 15 * 2 * 26


def test_more_than_twelve_panels_are_cut_with_a_sentence() -> None:
    """The reader of the picture and of the alt text learns that there are more."""
    frame = pd.DataFrame({"x": [1, 2] * 30, "g": np.repeat(np.arange(30), 2), "v": range(60)})
    few = draw(chart(frame[frame.g < 12], "small_multiples"), number=1)
    many = draw(chart(frame, "small_multiples"), number=1)
    assert "The first 12 of 30 by g are drawn." in many.alt
    assert "are drawn" not in few.alt
    assert struct.unpack(">I", many.content[20:24]) > struct.unpack(">I", few.content[20:24])


def test_panels_named_by_numbers_are_in_their_order() -> None:
    """2020 stands before 2021; text stays in the order of the query."""
    frame = pd.DataFrame({"x": 1, "g": [2021, 2019, 2020], "v": 1.0})
    assert [part.name for part in plots(chart(frame, "small_multiples"))[0]] == ["2019", "2020", "2021"]
    words = frame.assign(g=["one", "two", "four"])
    assert [part.name for part in plots(chart(words, "small_multiples"))[0]] == ["one", "two", "four"]


# -- mistakes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "column"),
    [
        (lambda good: chart(good, y=["balance"], title="Flows"), "balance"),
        (lambda good: chart(good, x=Column(key="day", label="Day"), title="Flows"), "day"),
        (lambda good: chart(good.drop(columns="g"), "small_multiples", title="Flows"), "g"),
    ],
    ids=["y", "x", "by"],
)
def test_a_missing_column_is_named_with_those_that_are_there(wrong: Any, column: str) -> None:
    """The error says which column, of which chart, and what could be meant."""
    with pytest.raises(RenderError) as caught:
        draw(wrong(year(v=1.0)), number=1)
    assert caught.value.what == f"there is no column '{column}' to draw"
    assert caught.value.where == "chart 'Flows'"
    assert "the columns are: x" in caught.value.hint


@pytest.mark.parametrize("bad", ["n/a", "12", dt.date(2026, 1, 1), dt.timedelta(1), 1j, [1]])
def test_a_value_that_is_no_number_is_named(bad: Any) -> None:
    """The error says which column and shows the value."""
    frame = pd.DataFrame({"x": [1, 2], "v": pd.Series([1.0, bad], dtype=object)})
    with pytest.raises(RenderError, match=r"the column 'v' holds .*, which is no number") as caught:
        draw(chart(frame), number=1)
    assert str(bad) in caught.value.what


def test_a_column_twice_and_no_column_are_mistakes() -> None:
    """Neither is guessed at."""
    twice = pd.DataFrame([[1, 2, 3]], columns=["x", "v", "v"])
    with pytest.raises(RenderError, match="there are 2 columns 'v'"):
        draw(chart(twice), number=1)
    with pytest.raises(RenderError, match="no column to draw"):
        draw(chart(year(v=1.0), y=()), number=1)


# -- fonts ----------------------------------------------------------------------------------------

CHINESE = pd.DataFrame({"x": ["固定利率", "浮动利率"], "v": [1.0, 2.0]})


def test_without_a_font_for_them_chinese_characters_are_reported_once() -> None:
    """One warning that says what to install; no boxes, and no warnings of matplotlib."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        draw(chart(CHINESE, "bar"), number=1, fonts=["DejaVu Sans"])
    assert [warning.category for warning in caught] == [MissingFont]
    assert "no installed font has Chinese, Japanese or Korean characters" in str(caught[0].message)
    assert 'pip install "reports[chinese]"' in str(caught[0].message)
    assert "Noto Sans CJK" in str(caught[0].message)


def test_other_missing_characters_are_named() -> None:
    """A script nobody thought of is reported by its characters."""
    frame = pd.DataFrame({"x": ["\N{CUNEIFORM SIGN A}"], "v": [1.0]})
    with pytest.warns(MissingFont, match="the characters \N{CUNEIFORM SIGN A}"):
        draw(chart(frame, "bar"), number=1, fonts=["DejaVu Sans"])


def test_chinese_characters_are_drawn_where_a_font_has_them() -> None:
    """With a font for them there is no warning, and two words make two pictures."""
    typeface = Typeface("zh")
    typeface.clean("固定利率浮动利率")
    if typeface.missing:
        pytest.skip("no font with Chinese characters is installed")
    one = draw(chart(CHINESE, "bar"), number=1, locale=Locale("zh"))
    other = draw(chart(CHINESE.assign(x=["浮动利率", "固定利率"]), "bar"), number=1, locale=Locale("zh"))
    assert one.content != other.content


def test_the_language_chooses_the_shapes_of_shared_characters() -> None:
    """Japanese and Chinese write the same code point differently."""
    first = {language: Typeface(language).families for language in ("zh", "ja", "zh-TW")}
    if "Noto Sans CJK SC" not in first["zh"]:
        pytest.skip("Noto Sans CJK is not installed with a face for each region")
    assert [next(name for name in names if "CJK" in name)[-2:] for names in first.values()] == ["SC", "JP", "TC"]


def test_dollar_signs_and_control_characters_are_plain_text() -> None:
    """Nothing in a label is read as mathematics, and nothing unprintable is drawn."""
    words = pd.Series(["$a^2$", "line\nbreak", "\x07bell", "half \ud800"], dtype=object)
    frame = pd.DataFrame({"x": words, "v": [1.0, 2.0, 3.0, 4.0]})
    artifact = draw(chart(frame, "bar", x=Column(key="x", label="$x_1$ \n y")), number=1)
    assert artifact.alt == "V by $x_1$ y. Highest: half $4, bell $3, line break $2; lowest: $a^2$ $1."


PERIOD = (dt.datetime.fromisoformat("1900-01-01"), dt.datetime.fromisoformat("2100-01-01"))


# -- scales ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("high", "format", "labels"),
    [
        (3.2e6, "currency", ["$0", "$1m", "$2m", "$3m"]),
        (1.3e6, "compact", ["0", "0.5m", "1.0m"]),
        (0.07, "percent", ["0%", "2%", "4%", "6%"]),
        (950, "currency", ["$0", "$200", "$400", "$600", "$800"]),
        (3, "integer", ["0", "1", "2", "3"]),
        (9572, "integer", ["0", "2,500", "5,000", "7,500", "10,000"]),
        (0.004, "number", ["0", "0.001", "0.002", "0.003", "0.004"]),
    ],
)
def test_ticks_share_one_unit_and_tell_themselves_apart(high: float, format: str, labels: list[str]) -> None:  # noqa: A002
    """Short labels in the format of the column."""
    made = span(np.array([0, high]), 5, format, ENGLISH, bars=True)
    assert [tick.text for tick in made.ticks] == labels


def test_bars_of_months_and_quarters_are_named_by_their_januaries() -> None:
    """Where not every bar can be named, the years are."""
    for frequency, count in (("M", 60), ("Q", 20)):
        periods = pd.period_range("2021-10", periods=count, freq=frequency)
        x = plots(chart(pd.DataFrame({"x": periods, "v": 1.0}), "bar"))[0][0].x
        assert [tick.text for tick in row_ticks(x, 6)] == ["2022", "2023", "2024", "2025", "2026"]


def test_a_single_month_is_not_taken_for_its_year() -> None:
    """The figures of January are not those of 2026."""
    x = plots(chart(pd.DataFrame({"x": ["2026-01"], "v": 1.0}), "bar"))[0][0].x
    assert [tick.text for tick in row_ticks(x, 6)] == ["2026-01"]


@given(st.lists(st.floats(-1e200, 1e200), min_size=1, max_size=5), st.booleans(), st.integers(2, 9))
@settings(deadline=None)
def test_ticks_lie_inside_a_range_that_holds_every_value(values: list[float], bars: bool, most: int) -> None:  # noqa: FBT001
    """For any numbers at all; and bars have their zero."""
    made = span(np.array(values), most, "compact", ENGLISH, bars=bars)
    low, high = bounds(np.array(values), from_zero=bars)
    assert made.low <= low < high <= made.high
    assert low <= min(values)
    assert max(values) <= high
    assert 2 <= len(made.ticks) <= most
    assert all(made.low <= tick.at <= made.high for tick in made.ticks)
    assert not bars or made.low <= 0 <= made.high


@given(
    st.lists(st.datetimes(*PERIOD), min_size=2, max_size=9, unique=True),
    st.floats(120, 560),
)
@settings(deadline=None)
def test_ticks_of_time_are_few_and_in_order(moments: list[dt.datetime], room: float) -> None:
    """From seconds to centuries the axis has at least two labels and never too many."""
    x = plots(chart(pd.DataFrame({"x": moments, "v": 1.0})))[0][0].x
    ticks = position_ticks(x, room)
    assert 1 <= len(ticks) <= max(2, room / 40)
    assert [tick.at for tick in ticks] == sorted(tick.at for tick in ticks)
    assert all(x.places.min() <= tick.at <= x.places.max() for tick in ticks)


CELLS = st.one_of(
    st.none(),
    st.floats(),
    st.integers(),
    st.decimals(),
    st.booleans(),
    st.text(max_size=12),
    st.dates(),
    st.datetimes(),
    st.sampled_from([pd.NA, pd.NaT, np.nan, "2026-10", "2026-13", b"\x00", (1, 2)]),
)


@given(
    x=st.lists(CELLS, max_size=6),
    y=st.lists(st.one_of(st.none(), st.floats(), st.integers(), st.decimals(), st.booleans()), min_size=6, max_size=6),
    g=st.lists(CELLS, min_size=6, max_size=6),
    kind=st.sampled_from(KINDS),
    label=st.text(max_size=30),
    format=st.sampled_from(["text", "currency", "percent.2", "integer", "month"]),
)
@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@pytest.mark.filterwarnings("ignore::reports.render.charts.MissingFont")
def test_no_frame_breaks_a_chart(
    x: list[Any],
    y: list[Any],
    g: list[Any],
    kind: ChartKind,
    label: str,
    format: str,  # noqa: A002
) -> None:
    """Whatever a query answers is drawn or is a RenderError, and has an alt text."""
    frame = pd.DataFrame(
        {key: pd.Series(cells[: len(x)], dtype=object) for key, cells in zip("xvg", (x, y, g), strict=True)}
    )
    try:
        artifact = draw(chart(frame, kind, format=format, x=Column(key="x", label=label, format=format)), number=1)
    except RenderError as error:
        assert error.what  # noqa: PT017
        return
    assert 0 < len(artifact.alt) < 400
    artifact.alt.encode()
    assert artifact.content.startswith(b"\x89PNG")


def test_own_scales_let_a_small_panel_be_read_beside_a_large_one() -> None:
    """The scale of each panel is that of its own values, so the pictures differ."""
    frame = pd.DataFrame({"loan": ["a"] * 3 + ["b"] * 3, "month": [1, 2, 3] * 2, "paid": [1, 2, 3, 1000, 2000, 3000]})
    shared = Chart(
        frame=frame, kind="small_multiples", x=Column(key="month", label="Month", format="integer"),
        y=[Column(key="paid", label="Paid", format="compact")], by="loan",
    )  # fmt: skip
    own = replace(shared, own_scales=True)
    assert draw(own, number=1).content != draw(shared, number=1).content
    lone = replace(shared, frame=frame[:3])
    assert draw(replace(lone, own_scales=True), number=1).content == draw(lone, number=1).content
