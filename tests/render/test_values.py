"""Columns ready to be written: what each cell holds, and what Excel cannot hold."""

import datetime as dt
import math
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.render.cells import EMPTY
from reports.render.shared_strings import Strings
from reports.render.values import Look, Values, values

LOOK = Look(value=7, text=8)


def tails(made: Values, start: int, stop: int) -> list[str]:
    """The cells without their styles."""
    pattern, filling = made.pieces(LOOK, start, stop)
    return [(pattern % one).partition('"')[2].partition('"')[2] for one in filling]


def test_slices_give_the_same_cells_as_the_whole() -> None:
    """Whatever a column is made of, its cells do not depend on how they are asked for."""
    for series in (
        pd.Series([1.5, np.nan, 3]),
        pd.Series(["a", None, "b"]),
        pd.Series([1, "a", None], dtype=object),
        pd.Series([True, False, True]),
    ):
        for kind in ("text", "number"):
            made = values(series, kind, Strings())
            assert tails(made, 0, 3) == [*tails(made, 0, 1), *tails(made, 1, 3)]


def test_equal_values_of_different_types_stay_apart() -> None:
    """1, 1.0 and True are equal in Python, and three different cells in a column of objects."""
    strings = Strings()
    made = values(pd.Series([True, 1, "1", 1.0], dtype=object), "text", strings)
    one = strings.tail("1")
    assert tails(made, 0, 4) == [' t="b"><v>1</v></c>', one, one, one]


@pytest.mark.parametrize("missing", [None, np.nan, pd.NaT, pd.NA, Decimal("NaN"), ""])
@pytest.mark.parametrize("kind", ["text", "number", "date"])
def test_nothing_is_an_empty_cell(missing: object, kind: str) -> None:
    """Every way pandas has of saying nothing is an empty cell, and counts neither as text nor as number."""
    made = values(pd.Series([missing], dtype=object), kind, Strings())
    assert (tails(made, 0, 1), made.stray, made.ends) == ([EMPTY], None, ())


def test_the_first_stray_is_told_with_its_place() -> None:
    """What a total cannot count is found in columns of any kind."""
    mixed = values(pd.Series([1, None, "x", "y"], dtype=object), "number", Strings())
    texts = values(pd.Series([None, "x"]), "text", Strings())
    assert (mixed.stray, texts.stray) == ((2, "x"), (1, "x"))


@given(st.lists(st.decimals(-(10**9), 10**9, places=2), max_size=50))
def test_totals_of_amounts_are_right_to_the_cent(amounts: list[Decimal]) -> None:
    """The sum of doubles is the sum of the Decimals they came from, to far below a cent."""
    made = values(pd.Series(amounts, dtype=object), "currency", Strings())
    assert abs(Decimal(made.total()) - sum(amounts, Decimal())) < Decimal("0.00001")


@pytest.mark.parametrize(
    ("series", "format_", "kind", "count"),
    [
        (["a" * 33_000, "b"], "text", "cut", 1),
        (["\x07", "\ufffe", "\ud800", "a"], "text", "replaced", 3),
        (["a\r\nb", "a\rb", "a\nb"], "text", "line ends", 2),
        (["\n" * 254, "\n" * 253], "text", "lines", 1),
        ([10**15, -(10**15), 10**15 - 1], "integer", "digits", 2),
        ([Decimal(10**16), 1], "number", "digits", 1),
        ([math.inf, -math.inf, 1.0], "number", "infinite", 2),
        ([dt.date(1900, 2, 28), dt.date(1900, 3, 1)], "date", "early", 1),
        (["x", 1.0], "number", "other", 1),
        ([1, dt.date(2026, 1, 1)], "date", "other", 1),
        ([Decimal("0.12345678901234567891"), Decimal("0.1")], "number", "rounded", 1),
    ],
)
@pytest.mark.parametrize("times", [1, 4_000])
def test_what_excel_cannot_hold_is_counted(series: list[Any], format_: str, kind: str, count: int, times: int) -> None:
    """With the first as an example, whether they are few or many, and however the column is kept."""
    (odd,) = values(pd.Series(series * times, dtype=object), format_, Strings()).odds
    assert (odd.kind, odd.count) == (kind, count * times)
    assert odd.example


@pytest.mark.parametrize("format_", ["text", "integer", "date"])
def test_what_excel_holds_is_not_counted(format_: str) -> None:
    """Nor is what a column of texts makes text on purpose, or a bool."""
    kept = {
        "text": ["a", 10**20, math.inf, None, True],
        "integer": [1, True, None],
        "date": [dt.date(2026, 1, 1), pd.NaT],
    }
    assert list(values(pd.Series(kept[format_], dtype=object), format_, Strings()).odds) == []


@pytest.mark.parametrize("dtype", [object, "str", "string[pyarrow]"])
def test_texts_that_hardly_repeat_are_kept_in_no_memory(dtype: str) -> None:
    """Each is a shared string of its own, in order, gaps included, beside those that repeat."""
    texts = [None if number % 7 == 0 else f"L{number}" for number in range(6_000)]
    strings = Strings()
    before, made = strings.tail("before"), values(pd.Series(texts, dtype=dtype), "text", strings)
    after = strings.tail("after")
    found = tails(made, 0, 6_000)
    assert found[:2] == [EMPTY, ' t="s"><v>2</v></c>']
    assert (before, after) == (' t="s"><v>0</v></c>', ' t="s"><v>6001</v></c>')
    items = "".join(strings.xml()).split("<si>")[1:]
    assert len(items) == 6_002
    assert items[1 + 5_998] == "<t>L5998</t></si>"
    assert (made.width, made.stray) == (5, (1, "L1"))


def test_a_column_of_many_parts_is_one() -> None:
    """Ends, totals and the first fraction are found wherever they stand."""
    numbers = np.arange(200_000.0)
    numbers[150_000], numbers[3] = -0.5, np.nan
    made = values(pd.Series(numbers), "number", Strings())
    assert (made.ends, made.telling) == ((-0.5, 199_999.0), (-0.5, 199_999.0, -0.5))
    assert made.total() == math.fsum(numbers[~np.isnan(numbers)])
    assert made.total(149_999, 150_001) == 149_998.5
