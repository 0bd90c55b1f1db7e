"""Values as cells: the parts that a finished workbook shows only in passing."""

from decimal import Decimal
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.render.cells import EMPTY, Strings, clean, display_width, markup, total, values


@given(st.text(st.characters()))
def test_any_text_can_be_written_and_parsed(text: str) -> None:
    """What `markup` gives is well-formed XML, and holds the cleaned text with its escapes doubled."""
    element = ET.fromstring(f"<t>{markup(text)}</t>")  # noqa: S314  our own text
    assert (element.text or "").replace("_x005F_", "_") == clean(text).replace("_x005F_", "_")


@given(st.text(st.characters()))
def test_cleaning_keeps_what_can_be_kept(text: str) -> None:
    """Cleaning twice changes nothing more, and plain text not at all."""
    assert clean(clean(text)) == clean(text)
    if text.isprintable():
        assert clean(text) == text


@pytest.mark.parametrize(("text", "width"), [("", 0), ("abc", 3), ("贷款", 4), ("é", 1), ("ab\nlonger line", 2)])
def test_width_is_of_the_first_line_in_digits(text: str, width: int) -> None:
    """East Asian characters are two digits wide, and what wraps below does not widen a column."""
    assert display_width(text) == width


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
            assert made.tails(0, 3) == [*made.tails(0, 1), *made.tails(1, 3)]


def test_equal_values_of_different_types_stay_apart() -> None:
    """1, 1.0 and True are equal in Python, and three different cells in a column of objects."""
    strings = Strings()
    made = values(pd.Series([True, 1, "1", 1.0], dtype=object), "text", strings)
    one = strings.tail("1")
    assert made.tails(0, 4) == [' t="b"><v>1</v></c>', one, one, one]


@pytest.mark.parametrize("missing", [None, np.nan, pd.NaT, pd.NA, Decimal("NaN"), ""])
@pytest.mark.parametrize("kind", ["text", "number", "date"])
def test_nothing_is_an_empty_cell(missing: object, kind: str) -> None:
    """Every way pandas has of saying nothing is an empty cell, and counts neither as text nor as number."""
    made = values(pd.Series([missing], dtype=object), kind, Strings())
    assert (made.tails(0, 1), made.stray, len(made.numbers)) == ([EMPTY], None, 0)


def test_the_first_stray_is_told_with_its_place() -> None:
    """What a total cannot count is found in columns of any kind."""
    mixed = values(pd.Series([1, None, "x", "y"], dtype=object), "number", Strings())
    texts = values(pd.Series([None, "x"]), "text", Strings())
    assert (mixed.stray, texts.stray) == ((2, "x"), (1, "x"))


@given(st.lists(st.decimals(-(10**9), 10**9, places=2), max_size=50))
def test_totals_of_amounts_are_right_to_the_cent(amounts: list[Decimal]) -> None:
    """The sum of doubles is the sum of the Decimals they came from, to far below a cent."""
    made = values(pd.Series(amounts, dtype=object), "currency", Strings())
    assert abs(Decimal(total(made.numbers)) - sum(amounts, Decimal())) < Decimal("0.00001")
