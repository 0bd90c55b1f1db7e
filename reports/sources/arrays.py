"""DuckDB's answer to pandas, with no digit lost: what NumPy cannot hold exactly travels as text."""

# ruff: noqa: S608  the SQL is made of quoted names and literals only; values of a query are always bound

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from reports.sources import frames
from reports.sources.engine import Engine, quoted

_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER")
_WIDE = ("HUGEINT", "UHUGEINT", "UBIGINT", "BIGNUM")
_TEXT = ("VARCHAR", "UUID", "JSON")


def fetch(engine: Engine, sql: str, params: Mapping[str, Any], columns: list[tuple[str, str]]) -> pd.DataFrame:
    """Every row of `sql`, whose columns are given as (name, DuckDB type)."""
    parts = [_as_text(name) if _exact(kind) else quoted(name) for name, kind in columns]
    # On one line with the query, so that the lines of its errors stay right.
    found = engine.columns(f"SELECT {', '.join(parts)} FROM ({sql}\n)", params)
    return frames.frame({name: _series(found[name], kind) for name, kind in columns})


def _as_text(name: str) -> str:
    return f"CAST({quoted(name)} AS VARCHAR) AS {quoted(name)}"


def _exact(kind: str) -> bool:
    return kind in _WIDE or kind == "UUID" or kind.startswith(("DECIMAL", "ENUM"))


def _series(found: Any, kind: str) -> pd.Series[Any]:
    empty, values = np.ma.getmaskarray(found), np.ma.getdata(found)
    if kind in _WHOLE:
        whole = values.astype("int64")
        return pd.Series(pd.arrays.IntegerArray(whole, empty) if empty.any() else whole)
    if kind == "BOOLEAN":
        return pd.Series(pd.arrays.BooleanArray(values, empty) if empty.any() else values)
    if kind in ("DOUBLE", "FLOAT"):
        return pd.Series(np.where(empty, np.nan, values.astype("float64")))
    if kind == "DATE" or kind.startswith("TIMESTAMP"):
        times = pd.DatetimeIndex(np.where(empty, np.datetime64("NaT"), values.astype("datetime64[us]")))
        return pd.Series(times.tz_localize("UTC") if kind.endswith("ZONE") else times)
    values = values.astype(object)
    values[empty] = None
    return _objects(values, kind)


def _objects(values: Any, kind: str) -> pd.Series[Any]:
    if kind in _TEXT or kind.startswith("ENUM"):
        return pd.Series(values, dtype="str")
    if kind in _WIDE:
        return frames.whole([None if value is None else int(value) for value in values])
    if kind.startswith("DECIMAL"):
        return frames.objects([None if value is None else Decimal(value) for value in values])
    if kind == "BLOB":
        return frames.objects([None if value is None else bytes(value) for value in values])
    return frames.objects(list(values))
