"""The result of a batch: the one set of rows it gives, read by Arrow where the driver has that."""

from __future__ import annotations

import importlib.util
import uuid
from collections.abc import Sequence
from typing import Any

import pandas as pd

from reports.errors import SourceError
from reports.model import Query
from reports.sources import arrow, frames
from reports.sources.wording import check_columns, place

BATCH = 20_000
"""Rows that are under way at one time."""
# The kinds of columns as pymssql tells them: what a column without any value is taken for.
_TYPES = {1: "str", 3: "float64", 4: "datetime64[us]"}


def read(cursor: Any, query: Query) -> pd.DataFrame | None:
    """The rows of the one result, None if there is none; a SourceError for a second one. The batch runs to its end."""
    frame: pd.DataFrame | None = None
    while True:
        if cursor.description:
            names = [column[0] or "" for column in cursor.description]
            if frame is not None:
                raise _second(frame, names, query)
            check_columns(names, query)
            frame = _by_arrow(cursor) if _has_arrow(cursor) else _by_rows(cursor, names)
        # Also where there is no more: an error of a later statement comes with it.
        if not cursor.nextset():
            return frame


def _has_arrow(cursor: Any) -> bool:
    return hasattr(cursor, "arrow_batch") and importlib.util.find_spec("pyarrow") is not None


def _by_arrow(cursor: Any) -> pd.DataFrame:
    collected = arrow.Collected(cursor.arrow_batch(0).schema)
    while (batch := cursor.arrow_batch(BATCH)).num_rows:
        collected.add(batch)
    frame = collected.frame()
    for name, kind, *_ in cursor.description:
        if kind is uuid.UUID:
            frame[name] = frame[name].str.lower()  # as every other driver and database writes it
    return frame


def _by_rows(cursor: Any, names: Sequence[str]) -> pd.DataFrame:
    empty = [_TYPES.get(column[1], "object") for column in cursor.description]
    return frames.of_rows(names, empty, cursor.fetchall())  # not by parts: pymssql would go on into the next result


def _second(first: pd.DataFrame, names: Sequence[str], query: Query) -> SourceError:
    return SourceError(
        f"the batch gives a second result ({', '.join(names)}) after the first ({', '.join(map(str, first.columns))})",
        where=place(query),
        hint="one of them can be the dataset: put the other into a .sql file of its own, or into a #temporary table",
    )
