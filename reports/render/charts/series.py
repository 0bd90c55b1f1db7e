"""A chart's frame as numbers and positions: checked, in order, and still without a picture."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reports.errors import RenderError
from reports.model import Chart, Column
from reports.render.formats import missing, written
from reports.render.locales import ENGLISH, Locale

PANELS = 12
MOST = {"small_multiples": PANELS, "sparkline": 20, "heatmap": 40}
COLUMNS = 36
LARGEST = 1e200  # what is beyond cannot be told from infinity once it is scaled and summed
_ISO = re.compile(r"\d{4}-\d\d(-\d\d([T ]\d\d:\d\d.*)?)?")
_LABELLESS = "(none)"

Values = NDArray[np.float64]
Kind = Literal["month", "time", "number", "category"]


@dataclass(frozen=True, kw_only=True)
class Positions:
    """Where the rows stand along x, and how each is called.

    `places` holds months since 1970 for dates that are all first or all last days of months, seconds since
    1970 for other dates, the numbers themselves, or 0, 1, 2, ... for categories.
    """

    kind: Kind
    places: Values
    names: Sequence[Any]
    format: str = "text"
    locale: Locale = ENGLISH

    def text(self, row: int) -> str:
        """The x of a row in words."""
        name = self.names[row]
        if missing(name):
            return _LABELLESS
        if self.kind == "month" and self.format in {"text", "month"}:
            return written(name, "month", self.locale)
        if self.kind == "number" and self.format == "text":
            return f"{name:.15g}"
        return written(name, self.format, self.locale)

    def taken(self, rows: NDArray[np.intp]) -> Positions:
        names = [self.names[row] for row in rows]
        return replace(self, places=self.places[rows], names=names)


@dataclass(frozen=True, kw_only=True)
class Line:
    """One of the chart's y columns; NaN where there is no value."""

    label: str
    format: str
    values: Values

    @property
    def present(self) -> NDArray[np.intp]:
        """The rows that have a value."""
        return np.flatnonzero(~np.isnan(self.values))

    def taken(self, rows: NDArray[np.intp]) -> Line:
        return replace(self, values=np.take(self.values, rows))


@dataclass(frozen=True, kw_only=True)
class Plot:
    """Lines over common positions; a panel of small multiples has a name."""

    x: Positions
    lines: Sequence[Line]
    name: str = ""

    @property
    def empty(self) -> bool:
        return not any(line.present.size for line in self.lines)


def plots(chart: Chart, locale: Locale = ENGLISH) -> tuple[list[Plot], list[str]]:
    """The chart's one plot, or one for each value of `by`, and sentences about what is not drawn.

    Raises a RenderError that names a missing column, a column and its first value that is no number, or the
    cell of a heat map that has two values.
    """
    frame = chart.frame
    notes: list[str] = []
    if not chart.y:
        raise RenderError("the chart has no column to draw", where=place(chart), hint="name one under y")
    series = [_numbers(chart, column, notes, locale) for column in chart.y]
    x = replace(_positions(_column(chart, chart.x.key), chart.x.format), locale=locale)
    keys = _column(chart, chart.by) if chart.by else None
    if keys is None and x.kind == "category":  # each row has a place of its own; only panels share them
        x = replace(x, places=np.arange(len(frame), dtype=float))
    whole = Plot(x=x, lines=series)
    rows = _drawable(x, in_order=chart.kind != "waterfall")
    if len(rows) < len(frame):
        lost = {"axis": chart.x.label or chart.x.key, "count": len(frame) - len(rows)}
        notes.append(locale.word("Rows without {axis}, not drawn: {count}.", **lost))
    most = MOST.get(chart.kind, len(series))
    if keys is None:
        if len(series) > most:
            notes.append(locale.word("The first {count} of {all} series are drawn.", count=most, all=len(series)))
        return [_part(replace(whole, lines=series[:most]), rows)], notes
    panels = [_part(whole, rows[keep], name) for name, keep in _groups(keys.iloc[rows])]
    if len(panels) > most:
        counts = {"count": most, "all": len(panels)}
        notes.append(locale.word("The first {count} of {all} by {axis} are drawn.", axis=chart.by, **counts))
    panels = panels[:most]
    return _cells(chart, panels, notes) if chart.kind == "heatmap" else panels, notes


def _cells(chart: Chart, panels: list[Plot], notes: list[str]) -> list[Plot]:
    """The rows of a heat map, each with one value at a place, and no more places than there is room for."""
    for panel in panels:
        places, counts = np.unique(panel.x.places, return_counts=True)
        for at in places[counts > 1]:
            row, count = int(np.flatnonzero(panel.x.places == at)[0]), int(counts[places == at][0])
            raise RenderError(
                f"there are {count} values for {chart.x.key} {panel.x.text(row)} and {chart.by} {panel.name}",
                where=place(chart),
                hint="give a cell one value: group by both columns in the query",
            )
    every = np.unique(np.concatenate([panel.x.places for panel in panels])) if panels else np.empty(0)
    if len(every) <= COLUMNS:
        return panels
    last = panels[0].x.kind != "category"
    along = {"count": COLUMNS, "all": len(every), "axis": chart.x.key}
    notes.append(
        panels[0].x.locale.word("The last {count} of {all} along {axis} are drawn.", **along)
        if last
        else panels[0].x.locale.word("The first {count} of {all} along {axis} are drawn.", **along)
    )
    kept = every[-COLUMNS:] if last else every[:COLUMNS]
    return [_part(panel, np.flatnonzero(np.isin(panel.x.places, kept)), panel.name) for panel in panels]


def place(chart: Chart) -> str:
    """The chart as an error names it."""
    return f"chart '{chart.title}'" if chart.title else f"a {chart.kind} chart without a title"


def _column(chart: Chart, key: str) -> pd.Series[Any]:
    found = [number for number, name in enumerate(chart.frame.columns) if str(name) == key]
    there = ", ".join(map(str, chart.frame.columns)) or "none"
    if not found:
        raise RenderError(f"there is no column '{key}' to draw", where=place(chart), hint=f"the columns are: {there}")
    if len(found) > 1:
        raise RenderError(
            f"there are {len(found)} columns '{key}'", where=place(chart), hint="give each a name of its own"
        )
    return chart.frame.iloc[:, found[0]]


def _numbers(chart: Chart, column: Column, notes: list[str], locale: Locale) -> Line:
    cells, label = _column(chart, column.key), column.label or column.key
    if cells.dtype.kind not in "iufb":
        cells = pd.Series([_number(cell, chart, column.key) for cell in cells], dtype=float)
    values = cells.to_numpy(float, na_value=np.nan)
    beyond = np.abs(values) > LARGEST
    if beyond.any():
        notes.append(locale.word("Infinite values of {label}, not drawn: {count}.", label=label, count=beyond.sum()))
    return Line(label=label, format=column.format, values=np.where(beyond, np.nan, values))


def _number(cell: Any, chart: Chart, key: str) -> float:
    if missing(cell):
        return np.nan
    if isinstance(cell, bool | int | float | np.number | np.bool | Decimal | Fraction):
        return _float(cell)
    raise RenderError(
        f"the column '{key}' holds {str(cell)[:60]!r}, which is no number",
        where=place(chart),
        hint="draw another column, or make this one a number in the query",
    )


def _float(number: Any) -> float:
    try:
        return float(number)
    except OverflowError:  # a whole number of more than 308 digits
        return math.copysign(math.inf, number)


def _positions(cells: pd.Series[Any], format: str) -> Positions:  # noqa: A002  the word of the domain
    moments = _moments(cells)
    if moments is not None:
        return _dated(moments, format)
    numbers = _as_numbers(cells)
    if numbers is not None:
        return Positions(kind="number", places=numbers, names=numbers.tolist(), format=format)
    names = cells.tolist()
    codes: dict[str, int] = {}
    at = [codes.setdefault(str(name), len(codes)) for name in names]
    return Positions(kind="category", places=np.array(at, float), names=names, format=format)


def _moments(cells: pd.Series[Any]) -> pd.Series[Any] | None:
    """The cells as local times to the second where all of them are dates; None where they are not."""
    if isinstance(cells.dtype, pd.PeriodDtype):
        cells = cells.dt.to_timestamp()
    if cells.dtype.kind != "M":
        present = [cell for cell in cells if not missing(cell)]
        if not present or not all(map(_is_date, present)):
            return None
        cells = pd.Series([None if missing(cell) else _moment(cell) for cell in cells])
        if cells.isna().sum() > len(cells) - len(present):
            return None
    elif getattr(cells.dt, "tz", None) is not None:
        cells = cells.dt.tz_localize(None)
    return cells.astype("datetime64[s]")


def _is_date(cell: Any) -> bool:
    return isinstance(cell, dt.date | pd.Period | np.datetime64) or (
        isinstance(cell, str) and _ISO.fullmatch(cell) is not None
    )


def _moment(cell: Any) -> np.datetime64 | None:
    if isinstance(cell, pd.Period):
        cell = cell.to_timestamp()
    if isinstance(cell, str):
        try:
            cell = dt.datetime.fromisoformat(cell + "-01" if len(cell) == len("2026-10") else cell)
        except ValueError:
            return None
    if isinstance(cell, dt.datetime):
        cell = cell.replace(tzinfo=None)
    return np.datetime64(cell, "s")


def _dated(moments: pd.Series[Any], format: str) -> Positions:  # noqa: A002  the word of the domain
    seconds = moments.to_numpy("datetime64[s]")
    there = seconds[~np.isnat(seconds)]
    days, months = there.astype("datetime64[D]"), there.astype("datetime64[M]")
    whole_days = bool((days == there).all())
    names: list[Any] = [None if np.isnat(one) else one.item() for one in seconds]
    if whole_days:
        names = [name and name.date() for name in names]
    ends = (days + 1).astype("datetime64[M]").astype("datetime64[D]") == days + 1
    monthly = whole_days and format != "date" and ((months == days).all() or ends.all())
    at = (seconds.astype("datetime64[M]") if monthly else seconds).astype(float)
    at[np.isnat(seconds)] = np.nan
    return Positions(kind="month" if monthly else "time", places=at, names=names, format=format)


def _as_numbers(cells: pd.Series[Any]) -> Values | None:
    if cells.dtype.kind in "iuf":
        values = cells.to_numpy(float, na_value=np.nan)
    else:
        try:
            present = [not isinstance(cell, str | bytes | bool | np.bool) for cell in cells if not missing(cell)]
            if not present or not all(present):
                return None
            values = np.array([np.nan if missing(cell) else float(cell) for cell in cells], float)
        except (TypeError, ValueError, OverflowError):
            return None
    return np.where(np.abs(values) > LARGEST, np.nan, values)


def _drawable(x: Positions, *, in_order: bool) -> NDArray[np.intp]:
    """The rows with a place, in their order along x if that is wanted."""
    rows = np.flatnonzero(~np.isnan(x.places))
    return rows if x.kind == "category" or not in_order else rows[np.argsort(x.places[rows], kind="stable")]


def _part(plot: Plot, rows: NDArray[np.intp], name: str = "") -> Plot:
    return Plot(x=plot.x.taken(rows), lines=[line.taken(rows) for line in plot.lines], name=name)


def _groups(keys: pd.Series[Any]) -> Iterator[tuple[str, NDArray[np.intp]]]:
    """Panels by name: numbers and dates in their order, text as it comes."""
    names = [_LABELLESS if missing(key) else written(key, "text") for key in keys]
    rows: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        rows.setdefault(name, []).append(row)
    order = _positions(keys, "text")
    if order.kind != "category":
        first = np.nan_to_num(order.places, nan=np.inf)
        rows = dict(sorted(rows.items(), key=lambda item: float(first[item[1][0]])))
    for name, chosen in rows.items():
        yield name, np.array(chosen, np.intp)
