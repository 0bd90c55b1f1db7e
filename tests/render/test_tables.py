"""Tables as written cells."""

import math
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from render.pages import COLUMNS, table

from reports.errors import RenderError
from reports.model import Column, Table
from reports.render.locales import Locale
from reports.render.tables import MISSING, Cell, Room, lay_out, shortened, width


def said(row: Iterable[Cell]) -> tuple[str, ...]:
    """The words of a row."""
    return tuple(cell.text for cell in row)


def total(values: Any, format_: str = "number.2") -> str:
    """The written total of one column after a column of names."""
    frame = pd.DataFrame({"name": "x", "value": values}, index=range(len(values)))
    columns = [Column(key="name", label=""), Column(key="value", label="", format=format_, total=True)]
    return lay_out(Table(frame=frame, columns=columns, limit=1)).totals[1].text


def test_cells_are_written_in_the_order_of_the_columns() -> None:
    """Headings say where to align, and each cell is in the words of its column's format."""
    found = lay_out(table())
    assert [heading.label for heading in found.headings] == [column.label for column in COLUMNS]
    assert [heading.numeric for heading in found.headings] == [False, True, True, True, True, False]
    assert said(found.rows[1]) == ("Car", "150", "$2,100,457", "7.81%", "−$61,234", "2032-04-30")


def test_a_missing_cell_is_a_dash() -> None:
    """An empty cell could be a mistake of the mail; a dash says that there is no value."""
    assert said(lay_out(table()).rows[2]) == ("Staff", "42", "$320,990", MISSING, "$0", MISSING)


def test_totals_are_over_all_rows_not_only_those_shown() -> None:
    """A cut table still adds up to the portfolio."""
    found = lay_out(table(limit=1))
    assert len(found.rows) == 1
    assert said(found.totals) == ("Total", "612", "$99,766,214", "", "$751,112", "")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([Decimal("0.1"), None, Decimal("0.2")], "0.30"),
        ([Decimal("1234567890123456789012345678.01"), Decimal("0.02")], "1,234,567,890,123,456,789,012,345,678.03"),
        ([0.1] * 10, "1.00"),
        ([1e16, 1.0, -1e16], "1.00"),
        ([np.nan, 2.0], "2.00"),
        ([None, None], MISSING),
        ([math.inf, 1.0], "∞"),
        ([math.inf, -math.inf], MISSING),
        ([Decimal("Infinity"), Decimal("-Infinity")], MISSING),
        (np.array([2**62, 2**62, 2**62]), "13,835,058,055,282,163,712.00"),
        (["1.5", "2.5"], "4.00"),
        (pd.array([1, None], dtype="Int64"), "1.00"),
    ],
)
def test_totals_are_exact_and_ignore_missing_values(values: Any, words: str) -> None:
    """Decimals and whole numbers add up without rounding, floats are rounded once."""
    assert total(values) == words


@given(st.lists(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12)))
def test_a_total_of_decimals_is_their_sum(values: list[Decimal]) -> None:
    """For any amounts, in any order."""
    if values:
        words = total(values, "number.4")
        assert Decimal(words.replace(",", "").replace("−", "-")) == sum(values)


def test_text_cannot_be_totalled() -> None:
    """A remark among numbers would make the total wrong in silence."""
    with pytest.raises(RenderError, match="'value' of table '' cannot be totalled: it holds 'n/a'") as caught:
        total([1, None, "n/a"])
    assert "row 3" in caught.value.where


def test_the_word_total_stands_in_the_first_column_that_is_not_totalled() -> None:
    """Wherever the names of the rows are."""
    frame = pd.DataFrame({"n": [1], "name": ["a"]})
    columns = [Column(key="n", label="", format="integer", total=True), Column(key="name", label="")]
    assert said(lay_out(Table(frame=frame, columns=columns)).totals) == ("1", "Total")
    assert said(lay_out(Table(frame=frame, columns=columns[:1])).totals) == ("1",)


def test_a_missing_column_is_an_error_that_says_what_is_there() -> None:
    """Named with the table, and with the columns that the dataset has."""
    with pytest.raises(RenderError, match="column 'ballance' of table 'By product' is not there") as caught:
        lay_out(table(columns=[Column(key="ballance", label="Balance")]))
    assert "product, loans, balance" in caught.value.hint


def test_a_column_that_is_there_twice_is_an_error() -> None:
    """Nobody can say which of the two was meant."""
    frame = pd.DataFrame([[1, 2]], columns=["a", "a"])
    with pytest.raises(RenderError, match="'a' of table '' is there 2 times"):
        lay_out(Table(frame=frame, columns=[Column(key="a", label="")]))


@pytest.mark.parametrize(
    ("whole_in", "sentence"),
    [
        ("", "Showing 40 of 3,112 rows."),
        ("a.xlsx", "Showing 40 of 3,112 rows; all in the attachment a.xlsx."),
    ],
)
def test_a_cut_table_says_where_the_rest_is(whole_in: str, sentence: str) -> None:
    """The reader knows how much is not shown."""
    frame = pd.DataFrame({"a": range(3112)})
    table = Table(frame=frame, columns=[Column(key="a", label="A")], whole_in=whole_in)
    assert lay_out(table).cut == sentence


def test_room_cuts_rows_columns_and_long_cells_but_no_number() -> None:
    """What is too long ends in an ellipsis; a number with digits missing would be another number."""
    frame = pd.DataFrame({"text": ["x" * 50] * 3, "number": [10**60] * 3, "third": 1})
    columns = [Column(key="text", label="T"), Column(key="number", label="N", format="integer"), *COLUMNS[:0]]
    columns.append(Column(key="third", label="3"))
    found = lay_out(Table(frame=frame, columns=columns), room=Room(rows=2, columns=2, chars=10))
    assert [tuple(map(len, said(row))) for row in found.rows] == [(10, 81)] * 2
    assert found.cut == "Showing 2 of 3 rows and 2 of 3 columns."


def test_an_empty_table_says_so() -> None:
    """With its headings, and without a total of nothing."""
    found = lay_out(table(frame=table().frame.head(0), empty="No loans."))
    assert (list(found.rows), found.totals, found.empty, found.cut) == ([], (), "No loans.", "")


def test_unprintable_characters_are_shown_as_such() -> None:
    """A NUL or half a surrogate pair would break the mail on its way."""
    assert shortened("a\x00b\ud800c\td\ne", 99) == "a�b�c\td\ne"


@pytest.mark.parametrize(("text", "columns"), [("abc", 3), ("贷款", 4), ("é", 1), ("e\u0301", 1), ("−$1", 3), ("", 0)])
def test_width_is_counted_in_columns(text: str, columns: int) -> None:
    """East Asian characters take two, combining marks none."""
    assert width(text) == columns


@pytest.mark.parametrize("language", ["en", "de", "de_CH", "fr", "sv", "ar", "he", "hi"])
def test_a_number_below_zero_is_negative_in_every_language(language: str) -> None:
    """Wherever its sign stands, and whatever marks stand before it."""
    frame = pd.DataFrame({"x": [-12.5, 12.5, 0.0]})
    table = Table(frame=frame, columns=[Column(key="x", label="X", format="currency", total=True)])
    written = lay_out(table, locale=Locale(language, "CHF"))
    assert [row[0].negative for row in written.rows] == [True, False, False]
