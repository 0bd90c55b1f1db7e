"""Frames as bytes and back, with the very types that they had.

Numbers, dates and flags are kept as the memory that they are; all else as JSON, value by value. No pickle: what
lies in a store may only ever be read, never run.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from reports.archive.values import Unkept, read, written

Put = Callable[[bytes], str]
"""Keeps bytes and gives the name that they are found by."""
Get = Callable[[str], bytes]
_PLAIN = frozenset({str, bool, int, type(None)})


def encode(frame: pd.DataFrame, put: Put) -> dict[str, Any]:
    """What `decode` needs; Unkept names a column with a value that cannot be kept exactly."""
    columns = [_named(frame.iloc[:, place], put) for place in range(frame.shape[1])]
    return {
        "rows": len(frame),
        "index": _index(frame.index, put),
        "names": [written(name) for name in frame.columns],
        "names_type": str(frame.columns.dtype),
        "columns": columns,
    }


def decode(kept: dict[str, Any], get: Get) -> pd.DataFrame:
    """The frame that `encode` was given."""
    columns = {place: _series(_read(one, get)) for place, one in enumerate(kept["columns"])}
    frame = pd.DataFrame(columns, index=pd.RangeIndex(kept["rows"]))
    frame.index = _read_index(kept["index"], get)
    frame.columns = pd.Index([read(name) for name in kept["names"]], dtype=kept["names_type"])
    return frame


def _series(values: Any) -> pd.Series[Any]:
    series: pd.Series[Any] = pd.Series(values, dtype=values.dtype, copy=False)  # of objects no type is guessed
    return series


def _named(series: pd.Series[Any], put: Put) -> dict[str, Any]:
    try:
        return _write(series.array, put)
    except Unkept as error:
        raise Unkept(f"column '{series.name}' holds a {error}") from error


def _index(index: pd.Index[Any], put: Put) -> dict[str, Any]:
    if isinstance(index, pd.RangeIndex):
        return {"range": [index.start, index.stop, index.step], "name": written(index.name)}
    return {"values": _write(index.array, put), "name": written(index.name)}


def _read_index(kept: dict[str, Any], get: Get) -> pd.Index[Any]:
    name = read(kept["name"])
    if "range" in kept:
        start, stop, step = kept["range"]
        return pd.RangeIndex(start, stop, step, name=name)
    values = _read(kept["values"], get)
    index: pd.Index[Any] = pd.Index(values, name=name, dtype=values.dtype)
    return index


def _write(array: Any, put: Put) -> dict[str, Any]:
    if isinstance(array, pd.arrays.NumpyExtensionArray):
        array = array.to_numpy()
    kind = array.dtype
    if isinstance(kind, np.dtype) and kind.kind in "biufcmM":
        return {"numpy": kind.str, "bytes": put(np.ascontiguousarray(array).tobytes())}
    if isinstance(kind, pd.DatetimeTZDtype):
        return {"zoned": str(kind), "bytes": put(array.asi8.tobytes())}
    if isinstance(kind, pd.CategoricalDtype):
        codes = _write(np.asarray(array.codes), put)
        return {"codes": codes, "categories": _write(kind.categories.array, put), "ordered": bool(kind.ordered)}
    if isinstance(kind, pd.StringDtype):
        return _write_texts(array, kind, put)
    return {"type": str(kind), "json": put(_json(np.asarray(array, dtype=object).tolist()))}


def _write_texts(array: Any, kind: pd.StringDtype, put: Put) -> dict[str, Any]:
    """Each text once, and which of them stands where."""
    codes, texts = pd.factorize(array)
    places = codes.astype(np.min_scalar_type(-max(len(texts), 1)))
    missing = "NA" if kind.na_value is pd.NA else "nan"
    return {
        "strings": [kind.storage, missing],
        "json": put(_json(np.asarray(texts, dtype=object).tolist())),
        "places": _write(places, put),
    }


def _read(kept: dict[str, Any], get: Get) -> Any:
    if "numpy" in kept:
        return np.frombuffer(get(kept["bytes"]), kept["numpy"]).copy()
    if "zoned" in kept:
        kind: Any = pd.api.types.pandas_dtype(kept["zoned"])
        moments = pd.DatetimeIndex(np.frombuffer(get(kept["bytes"]), f"M8[{kind.unit}]"))
        return moments.tz_localize("UTC").tz_convert(kind.tz).array
    if "codes" in kept:
        categories = _read(kept["categories"], get)
        return pd.Categorical.from_codes(
            _read(kept["codes"], get), categories=pd.Index(categories, dtype=categories.dtype), ordered=kept["ordered"]
        )
    values = [read(one) if type(one) is dict else one for one in json.loads(get(kept["json"]))]
    if "strings" in kept:
        texts = pd.array([*values, None], dtype=_strings(*kept["strings"]))
        return texts.take(_read(kept["places"], get))  # -1, the last, where there is none
    return _objects(values) if kept["type"] == "object" else pd.array(values, dtype=kept["type"])


def _strings(storage: str, missing: str) -> Any:
    kind: Any = pd.StringDtype
    value = pd.NA if missing == "NA" else np.nan
    try:
        return kind(storage, na_value=value)
    except ImportError:  # made where pyarrow is, read where it is not: the values are the same
        return kind("python", na_value=value)


def _objects(values: Sequence[Any]) -> np.ndarray[Any, Any]:
    """One object for each value, also where all of them are lists."""
    array = np.empty(len(values), dtype=object)
    for place, value in enumerate(values):
        array[place] = value
    return array


def _json(values: Sequence[Any]) -> bytes:
    # Most are what JSON has; asking once for all of them is a tenth of the cost.
    plain = values if _PLAIN.issuperset(map(type, values)) else [written(value) for value in values]
    return json.dumps(plain, ensure_ascii=True, separators=(",", ":")).encode()
