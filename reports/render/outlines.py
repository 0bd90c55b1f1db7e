"""Rows in groups: where equal values of a column end, and what is added up there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from reports.render.cells import plain, text_of
from reports.render.formats import missing


@dataclass(frozen=True, kw_only=True)
class Subtotal:
    """A row under the rows `of` a group: whose group it is, and how deep in the outline it lies."""

    label: str
    level: int
    of: range


def outline(keys: Sequence[pd.Series[Any]]) -> list[range | Subtotal]:
    """The lines of a sheet in order: rows of the table, and below each run of equal `keys` its subtotal.

    The rows stay in the order they are in, so equal values that stand apart are two groups.
    """
    return list(_lines(keys, range(len(keys[0])), 0))


def _lines(keys: Sequence[pd.Series[Any]], places: range, level: int) -> Iterator[range | Subtotal]:
    if not keys:
        yield places
        return
    for run in _runs(keys[0], places):
        yield from _lines(keys[1:], run, level + 1)
        yield Subtotal(label=_label(keys[0].iloc[run.start]), level=level, of=run)


def _runs(key: pd.Series[Any], places: range) -> Iterator[range]:
    if not places:
        return
    codes, _ = pd.factorize(key.iloc[places.start : places.stop])
    starts = [0, *(np.flatnonzero(np.diff(codes)) + 1).tolist(), len(codes)]
    for start, stop in pairwise(starts):
        yield range(places.start + start, places.start + stop)


def _label(value: Any) -> str:
    value = plain(value)
    return "" if missing(value) else text_of(value)
