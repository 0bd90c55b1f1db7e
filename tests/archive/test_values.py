"""Single values, written down and read again."""

from __future__ import annotations

import datetime as dt
import json
import math
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.archive.values import Unkept, read, written

MODERN = dt.datetime(1950, 1, 1)  # noqa: DTZ001  hypothesis gives it a zone
PLAIN = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.binary(), st.uuids(),
    st.decimals(allow_nan=False), st.dates(), st.datetimes(), st.times(), st.timedeltas(),
    st.datetimes(MODERN, MODERN.replace(year=2040), timezones=st.just(ZoneInfo("Europe/Berlin"))),
    st.datetimes(timezones=st.just(dt.timezone(dt.timedelta(hours=5, minutes=30)))),
)  # fmt: skip
NESTED = st.recursive(PLAIN, lambda one: st.lists(one) | st.tuples(one) | st.dictionaries(st.text(), one), max_leaves=8)


def again(value: Any) -> Any:
    return read(json.loads(json.dumps(written(value))))


@given(NESTED)
def test_values_come_back_equal_and_of_their_type(value: Any) -> None:
    """Through JSON, whatever they are and whatever they are in."""
    back = again(value)
    assert (back, type(back), repr(back)) == (value, type(value), repr(value))


@pytest.mark.parametrize(
    "value",
    [
        np.int8(-3), np.float32(0.1), np.bool(1), np.datetime64("2026-10-31T07:00", "m"), np.timedelta64(3, "D"),
        pd.Timestamp("2026-10-31 07:00:00.123456789"), pd.Timestamp("2026-10-25 01:30", tz="Europe/Berlin"),
        pd.Timedelta("1D 3ns"), pd.NaT, pd.NA, -0.0, math.inf, Decimal("1.10"), Decimal("NaN"), UUID(int=7),
    ],
)  # fmt: skip
def test_scalars_of_numpy_and_pandas_come_back(value: Any) -> None:
    """Of the same type, unit and zone."""
    back = again(value)
    assert (repr(back), type(back)) == (repr(value), type(value))


def test_the_second_hour_of_a_night_in_october_stays_the_second() -> None:
    """Half past two comes twice; the clock alone does not tell which it was."""
    moment = dt.datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=1)
    assert again(moment).fold == 1


def test_nan_comes_back_as_nan() -> None:
    """It is equal to nothing, so it is looked at by itself."""
    assert math.isnan(again(math.nan))


@pytest.mark.parametrize(
    "value", [object(), {1, 2}, [object()], dt.time(7, tzinfo=ZoneInfo("Europe/Berlin")), complex(1, 2)]
)
def test_what_cannot_be_written_exactly_is_refused(value: Any) -> None:
    """With the name of its type, rather than kept as something else."""
    with pytest.raises(Unkept, match=r"object|set|time|complex"):
        written(value)
