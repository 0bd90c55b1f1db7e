"""From values to places on the paper: ranges, round ticks and their short labels."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from reports.render import dates, numerals
from reports.render.charts.series import Positions, Values
from reports.render.formats import amount, parsed, written
from reports.render.locales import Locale

_DAY = 86_400
_MONTHS = (1, 3, 6, *(12 * years for years in (1, 2, 5, 10, 20, 25, 50, 100, 200, 500, 1000, 2000, 10_000)))
_SECONDS = (1, 5, 15, 30, 60, 300, 900, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600)
_STEPS = (*_SECONDS, *(_DAY * days for days in (1, 2, 7, 14)))
_STRIDES = sorted(factor * 10**power for power in range(9) for factor in (1, 2, 3, 4, 5, 6, 12, 24, 60))
_LEAST = 1e-250  # what is smaller cannot be told from zero once it is divided
_MINUS = "\N{MINUS SIGN}"
# A character of a label is about 7 pixels wide; 16 more keep two labels apart.
_CHARACTER, _APART = 7, 16


@dataclass(frozen=True, kw_only=True)
class Tick:
    """A round place on an axis and what is written there."""

    at: float
    text: str


@dataclass(frozen=True, kw_only=True)
class Span:
    """A range of values, a little wider than they need, with the ticks inside it."""

    low: float
    high: float
    ticks: Sequence[Tick]


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Places values between `low` and `high` from `start` to `end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, values: Values | float) -> Values:
        share = (np.asarray(values, float) - self.low) / (self.high - self.low)
        return np.asarray(self.start + share * (self.end - self.start))

    def at(self, value: float) -> float:
        return float(self(value))


# -- values ---------------------------------------------------------------------------------------


def span(values: Values, most: int, format: str, locale: Locale, *, bars: bool = False) -> Span:  # noqa: A002
    """The range of all values with at most `most` ticks in one unit: $0.5m, $1.0m, $1.5m.

    Zero is in it if it is near, and always under areas and `bars`; bars get more air at their ends.
    """
    low, high = bounds(values, from_zero=bars)
    air = high - low
    low, high = low - air * (0.1 if bars else 0.05) * (low != 0), high + air * 0.05 * (high != 0)
    places = _inside(low, high, most, whole=parsed(format)[0] == "integer")
    texts = _labels(places, format, locale)
    return Span(low=low, high=high, ticks=[Tick(at=at, text=text) for at, text in zip(places, texts, strict=True)])


def bounds(values: Values, *, from_zero: bool, near_zero: bool = True) -> tuple[float, float]:
    """The least range that holds all values, zero if that is near or wanted, and has some height."""
    present = values[~np.isnan(values)]
    low, high = (float(present.min()), float(present.max())) if present.size else (0.0, 1.0)
    if from_zero or (near_zero and 0 < low < 0.4 * high):
        low = min(low, 0.0)
    if from_zero or (near_zero and 0.4 * low < high < 0):
        high = max(high, 0.0)
    if high - low <= max(1e-9 * max(abs(low), abs(high)), _LEAST):
        margin = abs(high) * 0.1 if abs(high) > _LEAST else 1.0
        low, high = (low - margin if low else 0.0), high + margin
    return low, high


def _inside(low: float, high: float, most: int, *, whole: bool = False) -> list[float]:
    """Round numbers 1, 2, 2.5 or 5 times a power of ten apart; the ends where no two are inside."""
    power = math.floor(math.log10((high - low) / most))
    for factor in (1, 2, 2.5, 5, 10, 20, 25, 50):
        step = factor * 10.0**power
        if whole and (step < 1 or step != round(step)):
            continue
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if 1 <= last - first < most:
            return [_exact(number, factor, power) for number in range(first, last + 1)]
    return [low, high]


def _exact(number: int, factor: float, power: int) -> float:
    """Number x factor x 10^power without the dust of binary fractions."""
    return number * factor * 10.0**power if power >= 0 else number * factor / 10.0**-power


def _labels(places: Sequence[float], format: str, locale: Locale) -> list[str]:  # noqa: A002
    kind, size = parsed(format)[0], max(map(abs, places))
    if size >= 1e15 or size < 1e-6:
        return [_significant(place, locale) for place in places]
    unit, style, zero = _unit(kind, size, locale)
    after = _decimals((places[1] - places[0]) / float(unit))
    return [
        style.write(Decimal(f"{abs(place) / float(unit):.{after}f}"), negative=place < 0) if place else zero
        for place in places
    ]


def _unit(kind: str, size: float, locale: Locale) -> tuple[Decimal, numerals.Style | numerals.Step, str]:
    """The unit of an axis that ends at `size`, how numbers of it are written, and a zero, which needs no unit."""
    if kind == "percent":
        percent = numerals.percent(locale.language)
        return Decimal("0.01"), percent, percent.write(Decimal(0))
    least = {"integer": 1e6, "number": 1e6, "currency": 1e4}.get(kind, 1e3)
    steps = numerals.steps(locale.language, locale.currency if kind == "currency" else "")
    step = next((one for one in reversed(steps) if size >= max(least, float(one.at))), steps[0])
    return step.size, step, steps[0].write(Decimal(0))


def _significant(value: float, locale: Locale, digits: int = 3) -> str:
    """A number beyond all words for numbers: 1.2e+16."""
    text = f"{value:.{digits}g}".replace("-", _MINUS)
    return text.translate(numerals.plain(locale.language).marks)


def _decimals(step: float) -> int:
    return next((after for after in range(10) if math.isclose(step * 10**after, round(step * 10**after))), 10)


def short(value: float, format: str, locale: Locale) -> str:  # noqa: A002  the word of the domain
    """A value as a sentence or a label says it: large amounts of money in k, m or bn."""
    kind = parsed(format)[0]
    if abs(value) >= 1e15:
        return _significant(value, locale)
    if kind == "currency" and abs(value) >= 10_000:
        return amount(value, locale)
    if kind in {"currency", "percent"}:
        return written(value, format, locale)
    text = written(value, format, locale) if kind in {"integer", "number", "compact"} and abs(value) < 1e9 else ""
    if text and (not value or any(digit in text for digit in "123456789")):
        return text
    return written(value, "compact", locale) if abs(value) > 1e-6 else _significant(value, locale, 2)


def brief(value: float, format: str, locale: Locale) -> str:  # noqa: A002  the word of the domain
    """A value in as few characters as tell it from others: two digits, and k, m or bn."""
    kind = parsed(format)[0]
    if not 10 <= abs(value) < 1e15:
        return short(value, "percent.0" if kind == "percent" else "compact.1" if abs(value) >= 1 else format, locale)
    leading = abs(value) / 1000.0 ** ((len(str(int(abs(value)))) - 1) // 3)
    return short(value, "compact.1" if leading < 9.95 else "compact.0", locale)


def change(first: float, last: float, format: str, locale: Locale) -> str:  # noqa: A002
    """From the first to the last: in percent where both are above zero, else by how much, percents in points."""
    sign = "+" if last > first else _MINUS if last < first else ""
    if parsed(format)[0] == "percent":
        return locale.word("{number} pp", number=sign + written(abs(last - first) * 100, "number.1", locale))
    if first > _LEAST and 0 <= last < 10 * first:
        return sign + written(abs(last - first) / first, "percent", locale)
    return sign + short(abs(last - first), format, locale)


# -- positions ------------------------------------------------------------------------------------


def position_ticks(x: Positions, room: float) -> list[Tick]:
    """Round places inside the range of x, as many as there is room for in pixels."""
    low, high = float(x.places.min()), float(x.places.max())
    if low == high:
        return [Tick(at=low, text=x.text(0))]
    if x.kind == "category":
        widest = max(len(x.text(row)) for row in range(0, len(x.places), max(1, len(x.places) // 40)))
        rows = row_ticks(x, _fitting(room, min(widest, 14)))
        return [Tick(at=float(x.places[int(tick.at)]), text=tick.text) for tick in rows]
    ticks = {"month": _months, "time": _moments, "number": _numbers}[x.kind](x, room)
    for some in ticks:
        if 2 <= len(some) <= _fitting(room, max(len(tick.text) for tick in some)):
            return some
    return [Tick(at=float(x.places[row]), text=x.text(row)) for row in (int(x.places.argmin()), int(x.places.argmax()))]


def _fitting(room: float, characters: int) -> int:
    return max(2, int((room + _APART) / (_CHARACTER * characters + _APART)))


def row_ticks(x: Positions, most: int) -> list[Tick]:
    """The rows to name where only `most` can be, `at` their numbers: Januaries, where the rows are months."""
    count = len(x.places)
    apart = int(np.median(np.diff(x.places))) if x.kind == "month" and count > 1 else 0
    fit = [step for step in _STRIDES if math.ceil(count / step) <= most]
    every = next((step for step in fit if apart and step * apart in _MONTHS), fit[0])
    months = every * apart
    start = next((row for row in range(min(every, count)) if months and x.places[row] % months == 0), 0)
    rows = range(start, count, every)
    years = months > 0 and months % 12 == 0 and all(x.places[row] % 12 == 0 for row in rows)
    return [
        Tick(at=float(row), text=_month(int(x.places[row]), x.locale, years=True) if years else x.text(row))
        for row in rows
    ]


def _months(x: Positions, room: float) -> Iterator[list[Tick]]:
    low, high = int(x.places.min()), int(x.places.max())
    for step in _MONTHS:
        # Yearly and quarterly figures are named by the month they stand in, others by January.
        start = int(x.places[0]) % step if (x.places % step == x.places[0] % step).all() else 0
        first = low + (start - low) % step
        if (high - first) / step < room:
            years = step % 12 == 0
            yield [Tick(at=float(at), text=_month(at, x.locale, years=years)) for at in range(first, high + 1, step)]


def _month(months: int, locale: Locale, *, years: bool) -> str:
    text = str(np.datetime64(months, "M"))
    return text[:-3] if years else written(f"{text}-01", "month", locale) if len(text) == len("2026-10") else text


def _moments(x: Positions, room: float) -> Iterator[list[Tick]]:
    low, high = float(x.places.min()), float(x.places.max())
    for step in _STEPS:
        if (high - low) / step < room:
            turns = range(math.ceil(low / step), math.floor(high / step) + 1)
            yield [Tick(at=float(turn * step), text=_moment(turn * step, step, x.locale)) for turn in turns]
    first, last = (int(np.datetime64(int(end), "s").astype("datetime64[M]").astype(int)) for end in (low, high))
    for step in _MONTHS:
        if (last - first) / step < room:
            months = range(first + 1 + (-first - 1) % step, last + 1, step)
            yield [Tick(at=_seconds(month), text=_month(month, x.locale, years=step % 12 == 0)) for month in months]


def _seconds(month: int) -> float:
    return float(np.datetime64(month, "M").astype("datetime64[s]").astype(int))


def _moment(seconds: int, step: int, locale: Locale) -> str:
    day, clock = str(np.datetime64(seconds, "s")).split("T")
    if step >= _DAY:
        return written(day, "date", locale)
    return dates.clock(dt.time.fromisoformat(clock), locale.language) if step >= 60 else clock


def _numbers(x: Positions, room: float) -> Iterator[list[Tick]]:
    low, high = float(x.places.min()), float(x.places.max())
    whole = bool((x.places == np.round(x.places)).all()) and max(abs(low), abs(high)) < 1e15
    for most in range(min(9, int(room / 40)), 1, -1):
        yield [Tick(at=at, text=_named(at, x.format, x.locale)) for at in _inside(low, high, most, whole=whole)]


def _named(number: float, format: str, locale: Locale) -> str:  # noqa: A002  the word of the domain
    return _significant(number, locale, 12) if format == "text" else written(number, format, locale)
