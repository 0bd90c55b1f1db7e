"""Frames, kept and read again."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.archive.frames import decode, encode
from reports.archive.values import Unkept


def again(frame: pd.DataFrame) -> pd.DataFrame:
    kept: dict[str, bytes] = {}

    def put(content: bytes) -> str:
        name = str(len(kept))
        kept[name] = content
        return name

    return decode(json.loads(json.dumps(encode(frame, put))), kept.__getitem__)


def stamps(*texts: str | None) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(pd.to_datetime(list(texts), format="ISO8601"))


COLUMNS: dict[str, Any] = {
    "whole": [1, 2, 2**62],
    "broken": [1.5, np.nan, -0.0],
    "flag": [True, False, True],
    "text": ["a", None, "ü"],
    "text or NA": pd.array(["a", pd.NA, "b"], dtype="string"),
    "no text at all": pd.array([None, None, None], dtype="str"),
    "day": stamps("2026-01-01", None, "2026-10-25"),
    "instant": stamps("2026-01-01", "2026-10-25 00:30", "2026-10-25 01:30")
    .tz_localize("UTC")
    .tz_convert("Europe/Berlin"),
    "offset": stamps("2026-01-01", None, "2026-01-02").tz_localize(dt.timezone(dt.timedelta(hours=5, minutes=30))),
    "exact": pd.Series([Decimal("1.10"), None, float("nan")], dtype=object),
    "mixed": pd.Series(["x", 3, dt.date(1, 1, 1)], dtype=object),
    "objects": pd.Series(["x", "y", "z"], dtype=object),
    "lists": pd.Series([[1, 2], [3, 4], [5, 6]], dtype=object),
    "category": pd.Categorical(["x", "y", None], categories=["y", "x", "w"], ordered=True),
    "whole or NA": pd.array([1, None, 2**62], dtype="Int64"),
    "flag or NA": pd.array([True, None, False], dtype="boolean"),
    "small": np.array([1, 2, 255], "u1"),
    "length": pd.to_timedelta(["1s", None, "2D"]),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_comes_back_with_its_type(name: str) -> None:
    """To the unit and the zone, and each object as the one that it was."""
    frame = pd.DataFrame({name: COLUMNS[name]})
    back = again(frame)
    pd.testing.assert_frame_equal(back, frame, check_exact=True, check_freq=False)
    assert [*map(repr, back[name])] == [*map(repr, frame[name])]


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(),
        pd.DataFrame({"a": pd.Series([], dtype="int64")}),
        pd.DataFrame({"a": [1, 2]}, index=pd.Index(["x", "y"], name="key")),
        pd.DataFrame([[1, "b"]], columns=["same", "same"]),
        pd.DataFrame({3: [1.0]}),
    ],
    ids=["nothing", "no rows", "an index", "two columns of one name", "a number for a name"],
)
def test_a_frame_comes_back_as_it_was(frame: pd.DataFrame) -> None:
    """Its rows' and columns' names included."""
    pd.testing.assert_frame_equal(again(frame), frame)


@given(st.lists(st.text() | st.none()), st.lists(st.floats()))
def test_any_texts_and_numbers_come_back(texts: list[str | None], numbers: list[float]) -> None:
    """Lone halves of characters and NUL among them, and every bit of a number."""
    frame = pd.DataFrame({"text": pd.Series(texts, dtype=object)})
    assert again(frame)["text"].tolist() == texts
    column = pd.DataFrame({"number": pd.Series(numbers, dtype=float)})
    assert again(column)["number"].to_numpy().tobytes() == column["number"].to_numpy().tobytes()


def test_what_cannot_be_kept_is_told_by_its_column() -> None:
    """So that the run's log can say which query gave it."""
    with pytest.raises(Unkept, match=r"column 'made' holds a complex|column 'made' holds a object"):
        again(pd.DataFrame({"made": pd.Series([object()], dtype=object)}))
