"""Promises about frames of scripts as tables: every column under its own name, in a format that keeps what it says."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from reports.errors import DefinitionError
from reports.render.frames import is_frame, table
from reports.render.tables import lay_out


def formats(**columns: Any) -> list[str]:
    return [column.format for column in table(pd.DataFrame(columns)).columns]


def test_each_column_has_the_format_of_its_type() -> None:
    """Days are days, instants have their time, and text stays text."""
    found = formats(
        a=[1, 2], b=["x", "y"], c=[pd.Timestamp("2026-01-01"), pd.Timestamp("2026-01-02")], d=[pd.Timestamp("2026-01-01 07:00"), pd.NaT],
        e=[Decimal("1.5"), None], f=[True, False],
    )  # fmt: skip
    assert found == ["integer", "text", "date", "datetime", "number", "text"]


@pytest.mark.parametrize(
    ("values", "form"),
    [([1.5, 200.0], "number"), ([0.5, 0.25], "number.4"), ([0.031, 2.0], "number.4"), ([3e-5], "number.6"),
     ([0.0, float("nan"), float("inf")], "number"), ([1e-12], "number.6")],
)  # fmt: skip
def test_small_numbers_have_the_decimals_that_they_need(values: list[float], form: str) -> None:
    """Six at the most."""
    assert formats(n=values) == [form]


def test_an_index_that_says_something_is_a_column() -> None:
    """Names or days, and several levels; a plain count of rows is none."""
    frame = pd.DataFrame({"n": [1, 2]}, index=pd.Index(["a", "b"], name="region"))
    assert [one.label for one in table(frame).columns] == ["region", "n"]
    assert [one.label for one in table(pd.DataFrame({"n": [1]})).columns] == ["n"]
    levels = pd.DataFrame({"n": [1]}, index=pd.MultiIndex.from_tuples([("a", 1)], names=["region", None]))
    assert [one.label for one in table(levels).columns] == ["region", "", "n"]


def test_columns_of_one_name_are_all_shown() -> None:
    """Also where the index has it, too."""
    frame = pd.DataFrame([[1, 2]], columns=["n", "n"], index=pd.Index([3], name="n"))
    assert [[cell.text for cell in row] for row in lay_out(table(frame)).rows] == [["3", "1", "2"]]


def test_a_series_and_what_becomes_a_frame_are_frames() -> None:
    """Such as those of Polars, which are asked for a frame of pandas."""

    class Polars:
        def to_pandas(self) -> pd.DataFrame:
            return pd.DataFrame({"n": [1]})

    assert is_frame(pd.Series([1], name="n"))
    assert is_frame(Polars())
    assert not is_frame({"n": [1]})
    assert [one.label for one in table(Polars()).columns] == ["n"]
    assert [one.label for one in table(pd.Series([1], name="n")).columns] == ["n"]


def test_what_is_no_frame_is_told() -> None:
    """With where it was given."""
    with pytest.raises(DefinitionError, match="this is a dict") as caught:
        table({"n": [1]}, where="tables[1]")
    assert caught.value.where == "tables[1]"
