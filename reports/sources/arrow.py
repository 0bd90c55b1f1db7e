"""Batches of Arrow to pandas, batch by batch, in the same types as from any other source (see `frames`)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from reports.sources import frames


class Collected:
    """Columns that grow by batches of one schema; a batch is let go of once it has been added.

    Peak memory: the frame, the copy of one of its columns, and one batch.
    """

    def __init__(self, schema: Any) -> None:
        self._schema = schema
        self._pieces: list[list[Any]] = [[] for _ in schema]

    def add(self, batch: Any) -> None:
        for pieces, column, field in zip(self._pieces, batch.columns, self._schema, strict=True):
            pieces.append(_piece(column, str(field.type)))

    def frame(self) -> pd.DataFrame:
        """All rows; it empties what was collected."""
        columns = {}
        for number, field in enumerate(self._schema):
            columns[field.name] = _joined(self._pieces[number], str(field.type))
            self._pieces[number] = []
        return frames.frame(columns)


_TEXT = ("string", "large_string", "string_view")
_WHOLE = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32")


def _piece(column: Any, kind: str) -> Any:
    """A batch's values of one column: an array of pandas or NumPy, or a list of Python objects."""
    if kind in _WHOLE:
        return _masked(column.cast("int64"), pd.arrays.IntegerArray)
    if kind == "bool":
        return _masked(column, pd.arrays.BooleanArray)
    if kind in ("float", "double", "halffloat"):
        return column.cast("float64").to_numpy(zero_copy_only=False)
    if kind.startswith(("timestamp", "date")):
        utc = ", tz=UTC" if "tz=" in kind else ""
        return column.cast("timestamp[us]" if not utc else column.type).to_numpy(zero_copy_only=False)
    if kind in _TEXT:
        return pd.array(column, dtype="str")
    return _decimals(column) if kind.startswith("decimal") else frames.objects(column.to_pylist()).array


def _decimals(column: Any) -> Any:
    """As Python's own: each that occurs is made once, since making them is most of the work."""
    coded = column.dictionary_encode()
    values = np.append(coded.dictionary.to_numpy(zero_copy_only=False), [None])
    return values[coded.indices.fill_null(len(values) - 1).to_numpy(zero_copy_only=False)]


def _masked(column: Any, kind: Any) -> Any:
    """NumPy's own type while there is no NULL, which is known for all batches at the end."""
    empty = column.is_null().to_numpy(zero_copy_only=False)
    values = column.fill_null(0 if kind is pd.arrays.IntegerArray else False).to_numpy(zero_copy_only=False)
    return kind(values, empty)


def _joined(pieces: list[Any], kind: str) -> pd.Series[Any]:
    if kind in _WHOLE or kind == "bool":
        whole = pd.concat([pd.Series(piece) for piece in pieces or [_nothing(kind)]], ignore_index=True)
        return whole if whole.isna().any() else whole.astype("bool" if kind == "bool" else "int64")
    if kind in ("float", "double", "halffloat"):
        return pd.Series(np.concatenate(pieces) if pieces else np.array([], dtype="float64"))
    if kind.startswith(("timestamp", "date")):
        times = np.concatenate(pieces) if pieces else np.array([], dtype="datetime64[us]")
        stamps = pd.Series(times.astype("datetime64[us]"))
        return stamps.dt.tz_localize("UTC") if "tz=" in kind else stamps
    if kind in _TEXT:
        return pd.concat([pd.Series(piece, dtype="str") for piece in pieces or [[]]], ignore_index=True)
    return pd.Series(np.concatenate(pieces) if pieces else np.array([], dtype=object), dtype=object)


def _nothing(kind: str) -> Any:
    return pd.array([], dtype="boolean" if kind == "bool" else "Int64")
