"""Columns of values to pandas, the same types whichever source they come from.

whole numbers   int64, Int64 with NULLs, Python ints past 64 bits: never through a float
numbers         float64, NULL as NaN; exact decimals stay `Decimal` objects, NULL as None
booleans        bool, boolean with NULLs
dates, times    datetime64[us], NULL as NaT; with a zone datetime64[us, UTC]; a time of day `datetime.time`
text, UUIDs     str, NULL as NaN
anything else   Python objects, NULL as None
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd


def series(values: Sequence[Any], empty: str = "object") -> pd.Series[Any]:
    """A column of Python values as a database's driver gives them; `empty` is the type of one without any."""
    present = set(map(type, values)) - {type(None)}
    for kinds, convert in _CONVERTERS:
        if present and present <= kinds:
            return convert(values)
    return objects(values) if present else pd.Series(list(values), dtype=empty)


def objects(values: Sequence[Any]) -> pd.Series[Any]:
    return pd.Series(_array(values), dtype=object)


def _array(values: Sequence[Any]) -> Any:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def whole(values: Sequence[int | None]) -> pd.Series[Any]:
    """Whole numbers, exact at any size."""
    try:
        if None not in values:
            return pd.Series(np.array(values, dtype="int64"))
        column = _array(values)
        missing = pd.isna(column)
        column[missing] = 0
        return pd.Series(pd.arrays.IntegerArray(column.astype("int64"), missing))
    except OverflowError:
        return objects(values)


def _floats(values: Sequence[Any]) -> pd.Series[Any]:
    return pd.Series(np.array(values, dtype="float64"))


def _numbers(values: Sequence[Any]) -> pd.Series[Any]:
    # SQLite mixes 1 and 1.5 in one column; a whole number that no float holds keeps the column as it is.
    if any(isinstance(value, int) and int(float(value)) != value for value in values):
        return objects(values)
    return _floats(values)


def _booleans(values: Sequence[Any]) -> pd.Series[Any]:
    return pd.Series(pd.array(values, dtype="boolean" if None in values else "bool"))


def _texts(values: Sequence[Any]) -> pd.Series[Any]:
    return pd.Series(values, dtype="str")


def _as_text(values: Sequence[Any]) -> pd.Series[Any]:
    return _texts([None if value is None else str(value) for value in values])


def _days(values: Sequence[Any]) -> pd.Series[Any]:
    return pd.Series(list(values), dtype="datetime64[us]")


def _times(values: Sequence[Any]) -> pd.Series[Any]:
    if {getattr(value, "tzinfo", None) for value in values} == {None}:
        return _days(values)
    stamps = [None if value is None else value.astimezone(dt.UTC) for value in values]
    return pd.Series(stamps, dtype="datetime64[us, UTC]")


def _bytes(values: Sequence[Any]) -> pd.Series[Any]:
    return objects([None if value is None else bytes(value) for value in values])


# The first that has all types of a column; one type alone is done with no look at each value.
_CONVERTERS: tuple[tuple[set[type], Callable[[Sequence[Any]], pd.Series[Any]]], ...] = (
    ({bool}, _booleans),
    ({int}, whole),
    ({float}, _floats),
    ({int, float}, _numbers),
    ({Decimal}, objects),
    ({dt.date}, _days),
    ({dt.date, dt.datetime}, _times),
    ({str}, _texts),
    ({uuid.UUID}, _as_text),
    ({bytes, bytearray, memoryview}, _bytes),
)


def frame(columns: dict[str, pd.Series[Any]]) -> pd.DataFrame:
    """Columns side by side, rows numbered from 0."""
    return pd.DataFrame(columns, copy=False)


def of_rows(names: Sequence[str], empty: Sequence[str], rows: Sequence[Sequence[Any]]) -> pd.DataFrame:
    """Rows as a driver gives them; `empty` has the type of each column that has no value."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    return frame({name: series(values, kind) for name, kind, values in zip(names, empty, columns, strict=True)})


def in_zone(given: pd.DataFrame, zone: str) -> pd.DataFrame:
    """The frame with its instants on the clock of `zone`; what has no zone is left as it is."""
    aware = [name for name, kind in given.dtypes.items() if isinstance(kind, pd.DatetimeTZDtype)]
    return given.assign(**{str(name): given[name].dt.tz_convert(zone) for name in aware}) if aware else given
