"""The values of a column, ready to be written as cells.

A column is looked through once, for its width, its total and what Excel cannot hold; its cells are made when
they are written, a block at a time. What is in memory does not grow with the rows.
"""

from __future__ import annotations

import datetime as dt
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd

from reports.render.cells import (
    EMPTY,
    EPOCH,
    EXACT,
    FIRST_SAFE,
    TEXT_LIMIT,
    display_width,
    fitted,
    is_rounded,
    look_over,
    number,
    plain,
    text_of,
    total,
    widest,
)
from reports.render.formats import NUMBERS, missing, parsed
from reports.render.number_formats import DATES
from reports.render.oddities import Oddity, Odds
from reports.render.shared_strings import Strings

Array = np.ndarray[Any, Any]
Pieces = tuple[str, Sequence[Any]]
"""Cells of a column without their addresses: a format, and for each row what is put into it."""
_PART = 65_536
_SAMPLE, _LEAP, _DISTINCT = 5_000, 2_654_435_761, 0.95  # a leap that is prime: the rows leapt to are as if at random


@dataclass(frozen=True, kw_only=True)
class Look:
    """The numbers of two cell formats: of values of a column's own kind, and of texts among them."""

    value: int
    text: int


@dataclass(frozen=True, kw_only=True)
class Values(ABC):
    """The values of one column.

    ends: the least and the greatest of the numbers, where there are any · telling: those, and one with a fraction ·
    width: of the longest text, in digits · odds: what cells cannot hold · stray: the first value that is no
    number, and its place, from 0.
    """

    series: pd.Series[Any]
    ends: tuple[float, ...] = ()
    telling: tuple[float, ...] = ()
    width: int = 0
    odds: Odds = field(default_factory=Odds)
    stray: tuple[int, Any] | None = None

    @abstractmethod
    def pieces(self, look: Look, start: int, stop: int) -> Pieces:
        """The cells from one place to another."""

    def total(self, start: int = 0, stop: int | None = None) -> float:
        """The sum of the numbers from one place to another."""
        return total(chain.from_iterable(self._numbers(self.series.iloc[start:stop])))

    def _numbers(self, series: pd.Series[Any]) -> Iterator[Sequence[float]]:
        del series
        return iter(())


@dataclass(frozen=True, kw_only=True)
class _Numbers(Values):
    """A column of numbers or dates; `convert` gives them as cells hold them, NaN where empty."""

    convert: Callable[[pd.Series[Any]], Array]

    def pieces(self, look: Look, start: int, stop: int) -> Pieces:
        array = self.convert(self.series.iloc[start:stop])
        if array.dtype.kind == "f":
            empty = np.isnan(array)
            if empty.any():
                return "%s", self._with_gaps(look, array)
            if (np.abs(array) < EXACT).all() and (array == np.trunc(array)).all():
                array = array.astype("int64")
        return f' s="{look.value}"><v>%r</v></c>', array.tolist()

    def _with_gaps(self, look: Look, array: Array) -> list[str]:
        before, empty = f' s="{look.value}"><v>', f' s="{look.value}"{EMPTY}'
        return [f"{before}{one!r}</v></c>" if one == one else empty for one in array.tolist()]  # noqa: PLR0124

    def _numbers(self, series: pd.Series[Any]) -> Iterator[Sequence[float]]:
        for part in _parts(series):
            array = self.convert(part)
            yield array[~np.isnan(array)].tolist()


@dataclass(frozen=True, kw_only=True)
class _Distinct(Values):
    """A column whose values repeat: the tail of each of them, by the value; what is none of them is empty."""

    tails: dict[Any, str]

    def pieces(self, look: Look, start: int, stop: int) -> Pieces:
        every = {value: _styled(tail, look) for value, tail in self.tails.items()}
        empty = _styled(EMPTY, look)
        return "%s", [every.get(value, empty) for value in self.series.iloc[start:stop].tolist()]


@dataclass(frozen=True, kw_only=True)
class _Run(Values):
    """A column of texts that hardly repeat: each is a shared string of its own, from the number `first` on."""

    first: int
    gaps: bool

    def pieces(self, look: Look, start: int, stop: int) -> Pieces:
        numbers = range(self.first + start, self.first + stop)
        if not self.gaps:
            return f' s="{look.text}" t="s"><v>%d</v></c>', numbers
        texts = _texts(self.series.iloc[start:stop])
        before, empty = f' s="{look.text}" t="s"><v>', f' s="{look.value}"{EMPTY}'
        return "%s", [f"{before}{one}</v></c>" if text else empty for one, text in zip(numbers, texts, strict=True)]


@dataclass(frozen=True, kw_only=True)
class _Mixed(Values):
    """A column of whatever there is."""

    kind: str
    strings: Strings

    def pieces(self, look: Look, start: int, stop: int) -> Pieces:
        every = map(plain, self.series.iloc[start:stop].tolist())
        return "%s", [_styled(self._tail(value), look) for value in every]

    def _tail(self, value: Any) -> str:
        if missing(value) or value == "":
            return EMPTY
        if (found := number(value, self.kind)) is not None:
            return f"><v>{found!r}</v></c>"
        return _tail(value, self.strings)

    def _numbers(self, series: pd.Series[Any]) -> Iterator[Sequence[float]]:
        for part in _parts(series):
            found = (number(value, self.kind) for value in map(plain, part.tolist()) if not missing(value))
            yield [one for one in found if one is not None]


def values(series: pd.Series[Any], format: str, strings: Strings) -> Values:  # noqa: A002
    """The cells of `series` under a format; texts are entered into `strings`."""
    kind, _ = parsed(format)
    if kind in NUMBERS and series.dtype.kind in "iuf" and _fit_doubles(series):
        return _numbers(series, _doubles)
    if kind in DATES and series.dtype.kind == "M" and _fit_serials(series):
        return _numbers(series, _serials)
    if series.dtype.kind == "b" or (kind == "text" and _all_alike(series)):
        return _run(series, strings) if _hardly_repeats(series) else _distinct(series, strings)
    return _mixed(series, kind, strings)


def _styled(tail: str, look: Look) -> str:
    # The tail of a text or a bool starts with its type, any other without.
    return f' s="{look.text if tail[0] == " " else look.value}"{tail}'


def _tail(value: Any, strings: Strings) -> str:
    if isinstance(value, bool):
        return f' t="b"><v>{value:d}</v></c>'
    text = fitted(text_of(value))
    return strings.tail(text) if text else EMPTY


def _parts(series: pd.Series[Any]) -> Iterator[pd.Series[Any]]:
    return (series.iloc[start : start + _PART] for start in range(0, len(series), _PART))


# -- numbers and dates ---------------------------------------------------------------------------


def _fit_doubles(series: pd.Series[Any]) -> bool:
    """Whether doubles can hold all of the numbers, and have digits for them."""
    if series.dtype.kind in "iu":
        return not any(((part >= EXACT) | (part <= -EXACT)).any() for part in _parts(series))
    return not any(np.isinf(_doubles(part)).any() for part in _parts(series))


def _fit_serials(series: pd.Series[Any]) -> bool:
    """Whether Excel's calendar is right for all of the moments."""
    return not any((_serials(part) < FIRST_SAFE).any() for part in _parts(series))


def _doubles(series: pd.Series[Any]) -> Array:
    if series.dtype.kind in "iu" and not series.hasnans:
        return series.to_numpy(dtype="int64")
    # Adding zero makes a negative zero a plain one.
    return series.to_numpy(dtype=float, na_value=math.nan) + 0.0


def _serials(series: pd.Series[Any]) -> Array:
    """The moments as Excel counts them, in days."""
    local = series.dt.tz_localize(None) if getattr(series.dt, "tz", None) else series
    serials: Array = (local.to_numpy("datetime64[us]") - np.datetime64(EPOCH)) / np.timedelta64(1, "D")
    return serials


def _numbers(series: pd.Series[Any], convert: Callable[[pd.Series[Any]], Array]) -> _Numbers:
    least, greatest = math.inf, -math.inf
    broken: tuple[float, ...] = ()
    for part in _parts(series):
        array = convert(part)
        array = array[~np.isnan(array)]
        if len(array):
            least, greatest = min(least, float(array.min())), max(greatest, float(array.max()))
            broken = broken or tuple(array[array != np.trunc(array)][:1].tolist())
    ends = (least, greatest) if least <= greatest else ()
    return _Numbers(series=series, convert=convert, ends=ends, telling=(*ends, *broken))


# -- texts ---------------------------------------------------------------------------------------


def _all_alike(series: pd.Series[Any]) -> bool:
    """Whether equal values are the same value, as 1, 1.0 and True in a column of objects are not."""
    return series.dtype != object or pd.api.types.infer_dtype(series, skipna=True) in {"string", "empty"}


def _hardly_repeats(series: pd.Series[Any]) -> bool:
    """Whether hardly any text of a long column stands there twice, going by a sample of it."""
    if len(series) <= _SAMPLE or series.dtype.kind == "b":
        return False
    # Leaps, as every so many rows might be in step with what repeats.
    sample = series.iloc[np.unique(np.arange(_SAMPLE) * _LEAP % len(series))]
    return bool(sample.nunique() > _DISTINCT * sample.count())


def _texts(series: pd.Series[Any]) -> list[str]:
    """The texts of a part of a column as cells hold them; of nothing, nothing."""
    listed = series.tolist()
    if set(map(type, listed)) - {str}:
        return ["" if missing(value) else text_of(plain(value)) for value in listed]
    return listed


def _run(series: pd.Series[Any], strings: Strings) -> _Run:
    odds, width, stray, gaps = Odds(), 0, None, False
    for number_, part in enumerate(_parts(series)):
        texts = _texts(part)
        gaps = gaps or not all(texts)
        look_over(texts, odds)
        width = max(width, widest(texts))
        if stray is None and (place := next((place for place, text in enumerate(texts) if text), None)) is not None:
            stray = number_ * _PART + place, part.iloc[place]
    first = strings.run(len(series), partial(_fitted, series))
    return _Run(series=series, first=first, width=width, odds=odds, stray=stray, gaps=gaps)


def _fitted(series: pd.Series[Any]) -> Iterator[list[str]]:
    for part in _parts(series):
        texts = _texts(part)
        long = max(map(len, texts)) > TEXT_LIMIT // 2
        yield list(map(fitted, texts)) if long else texts


def _distinct(series: pd.Series[Any], strings: Strings) -> _Distinct:
    counts: dict[Any, int] = {}
    stray = None
    for number_, part in enumerate(_parts(series)):
        codes, distinct = pd.factorize(part)
        found = distinct.tolist()
        for value, times in zip(found, np.bincount(codes[codes >= 0], minlength=len(found)).tolist(), strict=True):
            counts[value] = counts.get(value, 0) + times
        if stray is None:
            filled = np.array([*(bool(text_of(plain(value))) for value in found), False])
            places = np.flatnonzero(filled[codes])[:1].tolist()
            stray = (number_ * _PART + places[0], part.iloc[places[0]]) if places else None
    texts, odds = [text_of(plain(value)) for value in counts], Odds()
    look_over(texts, odds, list(counts.values()))
    tails = {value: _tail(plain(value), strings) for value in counts}
    return _Distinct(series=series, tails=tails, width=widest(texts), odds=odds, stray=stray)


# -- whatever there is ---------------------------------------------------------------------------


def _mixed(series: pd.Series[Any], kind: str, strings: Strings) -> _Mixed:
    odds, stray, width = Odds(), None, 0
    least, greatest = math.inf, -math.inf
    broken: tuple[float, ...] = ()
    every = chain.from_iterable(part.tolist() for part in _parts(series))
    for place, value in enumerate(map(plain, every)):
        if missing(value) or value == "":
            continue
        if (found := number(value, kind)) is None:
            stray = stray or (place, value)
            width = max(width, _note(value, kind, odds))
            continue
        least, greatest = min(least, found), max(greatest, found)
        broken = broken or ((float(found),) if found != math.trunc(found) else ())
        if is_rounded(value, found):
            odds.add("rounded", value)
    ends = (float(least), float(greatest)) if least <= greatest else ()
    told = (*ends, *broken)
    return _Mixed(
        series=series, kind=kind, strings=strings, ends=ends, telling=told, width=width, odds=odds, stray=stray
    )


def _note(value: Any, kind: str, odds: Odds) -> int:
    """Counts why a value is no number to its column, and says how wide it is as text."""
    text = text_of(value)
    if kind != "text" and not isinstance(value, bool):
        odds.add(_reason(value, kind), value)
    look_over([text], odds)
    return display_width(text)


def _reason(value: Any, kind: str) -> Oddity:
    if kind in DATES and isinstance(value, dt.date):
        return "early"
    if kind in NUMBERS and isinstance(value, int | float | Decimal):
        return "digits" if math.isfinite(value) else "infinite"
    return "other"
