"""A frame that a script hands over as a table: its columns under their own names, each in the format of its type."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any

import pandas as pd

from reports.errors import DefinitionError
from reports.model import Column, Table

_FORMATS = {"i": "integer", "u": "integer", "f": "number", "M": "datetime"}
_LEAST = 0.1
"""Numbers below that need more than two decimals to be told apart."""


def is_frame(given: object) -> bool:
    """Whether it is a DataFrame or a Series of pandas, or what turns itself into one, such as a frame of Polars."""
    return isinstance(given, pd.DataFrame | pd.Series) or callable(getattr(given, "to_pandas", None))


def table(given: Any, *, title: str = "", whole_in: str = "", where: str = "") -> Table:
    """The frame as a table of a report; an index that says something is its first column.

    `whole_in` is the file that has all rows, where the table may be cut. A DefinitionError where it is no frame, or has
    no columns.
    """
    frame = _framed(given, where)
    labels = [_label(name) for name in frame.columns]
    keys = _unique(labels)
    frame = frame.set_axis(keys, axis=1)
    columns = [
        Column(key=key, label=label, format=_format(frame[key])) for key, label in zip(keys, labels, strict=True)
    ]
    return Table(frame=frame, columns=columns, title=title, whole_in=whole_in)


def of_rows(rows: Iterable[Sequence[object]], columns: Sequence[str]) -> pd.DataFrame:
    """A frame of these rows, each with a value for each column."""
    return pd.DataFrame(list(rows), columns=list(columns))


def _framed(given: Any, where: str) -> pd.DataFrame:
    to_pandas: Callable[[], Any] | None = getattr(given, "to_pandas", None)
    found = to_pandas() if callable(to_pandas) else given
    found = found.to_frame() if isinstance(found, pd.Series) else found
    if not isinstance(found, pd.DataFrame):
        what = f"a table is made of a DataFrame, and this is a {type(given).__name__}"
        raise DefinitionError(what, where=where, hint="pandas.DataFrame(...) makes one")
    if not isinstance(found.index, pd.RangeIndex):
        names = found.index.names
        found = found.reset_index(names=[name if name is not None else "" for name in names], allow_duplicates=True)
    if found.columns.empty:
        raise DefinitionError("the DataFrame has no columns", where=where, hint="leave it out, or fill it")
    return found


def _label(name: Any) -> str:
    return " ".join(str(one) for one in name if str(one)) if isinstance(name, tuple) else str(name)


def _unique(labels: Iterable[str]) -> list[str]:
    """A key for each column, for two may have one name."""
    keys: list[str] = []
    for number, label in enumerate(labels):
        keys.append(label if label not in keys else f"{label}\0{number}")
    return keys


def _format(values: pd.Series[Any]) -> str:
    kind = getattr(values.dtype, "kind", "O")
    if kind == "M":
        there = values.dropna()
        return "date" if bool((there.dt.normalize() == there).all()) else "datetime"
    if kind == "f":
        return _decimals(values)
    if kind == "O" and isinstance(next(iter(values.dropna()), None), Decimal):
        return "number"
    return _FORMATS.get(kind, "text")


def _decimals(values: pd.Series[Any]) -> str:
    """As many decimals as the smallest number needs for two digits that count, six at the most."""
    sizes = values.abs()
    there = sizes[(sizes > 0) & (sizes < math.inf)]
    if there.empty:
        return "number"
    least, most = float(there.min()), float(there.max())
    if least < _LEAST:
        return f"number.{min(max(1 - math.floor(math.log10(least)), 4), 6)}"
    return "number.4" if most < 1 else "number"
