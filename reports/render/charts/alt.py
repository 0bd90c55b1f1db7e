"""What a chart says, in a few sentences with its numbers, for readers who do not see it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from reports.model import Chart
from reports.render.charts.fonts import plain
from reports.render.charts.paper import Step
from reports.render.charts.scale import change, short
from reports.render.charts.series import Line, Plot, Positions
from reports.render.locales import Locale

LONGEST = 399  # characters: more than a screen reader's user wants to sit through


def sentences(chart: Chart, plots: Sequence[Plot], notes: Sequence[str], steps: Sequence[Step], locale: Locale) -> str:
    """What is shown over which range, then the highest, the lowest and the last, in order of weight.

    Sentences that would make it longer than 399 characters are left out, the notes last of all.
    """
    if all(plot.empty for plot in plots) and not steps:
        return _fitting([f"No data: {_subject(chart, plots)}.", *notes])
    unit = f", in {_cut(chart.unit, 40)}" if chart.unit else ""
    first = f"{_subject(chart, plots)}{_range(chart, plots)}{unit}."
    teller = _Teller(chart, plots[0].x, locale)
    told = _steps(teller, steps, plots[0].lines[0]) if chart.kind == "waterfall" else _TOLD[chart.kind](teller, plots)
    return _fitting([first, *notes, *told])


class _Teller:
    """Puts values and places of one chart into words."""

    def __init__(self, chart: Chart, x: Positions, locale: Locale) -> None:
        self.chart, self.x, self.locale = chart, x, locale

    def value(self, value: float, line: Line) -> str:
        return short(value, line.format, self.locale)

    def at(self, line: Line, row: int) -> str:
        return self.value(float(line.values[row]), line)

    def where(self, row: int) -> str:
        if self.x.kind == "month":
            return f"in {self.x.text(row)}"
        if self.x.kind == "time":
            on = "at" if isinstance(self.x.names[row], dt.datetime) else "on"
            return f"{on} {self.x.text(row)}"
        return f"at {_lower(_heading(self.chart))} {self.x.text(row)}"


def _fitting(parts: Sequence[str]) -> str:
    text = _cut(parts[0], LONGEST)
    for part in map(plain, parts[1:]):
        if len(text) + 1 + len(part) <= LONGEST:
            text += f" {part}"
    return text


def _cut(text: str, length: int) -> str:
    text = plain(text)
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def _subject(chart: Chart, plots: Sequence[Plot]) -> str:
    labels = [_cut(line.label, 60) for line in plots[0].lines] if plots else [one.label for one in chart.y]
    return f"{_listed(labels)} by {_cut(_lower(_heading(chart)), 60)}"


def _heading(chart: Chart) -> str:
    return chart.x.label or chart.x.key


def _lower(text: str) -> str:
    """Month becomes month inside a sentence; LTV stays."""
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def _listed(names: Sequence[str]) -> str:
    shown = [*names] if len(names) <= 4 else [*names[:3], f"{len(names) - 3} more"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _range(chart: Chart, plots: Sequence[Plot]) -> str:
    ends = [(plot.x.places[row], plot.x.text(row)) for plot in plots for row in (0, -1) if len(plot.x.places)]
    low, high = min(ends)[1], max(ends)[1]
    ordered = plots[0].x.kind != "category" and chart.kind != "waterfall"
    shown = f", {low}" + f" to {high}" * (low != high) if ordered else ""
    what = {"small_multiples": "panels", "sparkline": "lines", "heatmap": "rows"}.get(chart.kind, "")
    panels = f", {len(plots)} {what if len(plots) > 1 else what[:-1]} by {_lower(chart.by)}" if chart.by else ""
    return shown + panels


def _lines(teller: _Teller, plots: Sequence[Plot]) -> Iterator[str]:
    for line in plots[0].lines:
        if not line.present.size:
            yield f"{_cut(line.label, 60)} has no values."
            continue
        first, last = line.present[0], line.present[-1]
        name = f"{_cut(line.label, 60)} " if len(plots[0].lines) > 1 else ""
        if first == last:
            yield _capital(f"{name}{teller.at(line, first)} {teller.where(first)}.")
            continue
        high, low = _extreme(line, np.nanargmax), _extreme(line, np.nanargmin)
        yield _capital(
            f"{name}from {teller.at(line, first)} to {teller.at(line, last)}; highest "
            f"{teller.at(line, high)} {teller.where(high)}, lowest {teller.at(line, low)} {teller.where(low)}."
        )


def _areas(teller: _Teller, plots: Sequence[Plot]) -> Iterator[str]:
    lines = plots[0].lines
    values = np.array([line.values for line in lines])
    total = np.where(np.isnan(values).all(axis=0), np.nan, np.nansum(values, axis=0))
    whole = Line(label="Total" if len(lines) > 1 else "", format=lines[0].format, values=total)
    peak, last = _extreme(whole, np.nanargmax), whole.present[-1]
    name = "Total peaks" if len(lines) > 1 else "Peaks"
    parts = np.nansum(values, axis=1)
    largest = int(np.argmax(parts))
    ending = f"{name} at {teller.at(whole, peak)} {teller.where(peak)} and ends at {teller.at(whole, last)}"
    if len(lines) == 1:
        yield f"{ending}; {teller.value(float(parts.sum()), whole)} in all."
    else:
        yield (
            f"{ending}; largest part: {_cut(lines[largest].label, 60)}, "
            f"{teller.value(float(parts[largest]), lines[largest])} of {teller.value(float(parts.sum()), whole)}."
        )


def _bars(teller: _Teller, plots: Sequence[Plot]) -> Iterator[str]:
    plot = plots[0]
    for line in plot.lines:
        order = sorted(line.present.tolist(), key=lambda row: -line.values[row])
        if not order:
            yield f"{_cut(line.label, 60)} has no values."
            continue
        name = f"{_cut(line.label, 60)}, " if len(plot.lines) > 1 else ""
        top = [f"{_cut(plot.x.text(row), 40)} {teller.at(line, row)}" for row in order[:3]]
        more = f"; lowest: {_cut(plot.x.text(order[-1]), 40)} {teller.at(line, order[-1])}" if len(order) > 3 else ""
        yield _capital(f"{name}{'highest: ' if len(order) > 1 else ''}{', '.join(top)}{more}.")


def _panels(teller: _Teller, plots: Sequence[Plot]) -> Iterator[str]:
    for index, first in enumerate(plots[0].lines):
        lines = [(plot.name, plot.lines[index]) for plot in plots if plot.lines[index].present.size]
        ends = [(float(line.values[line.present[-1]]), _cut(name, 40)) for name, line in lines]
        name = f"{_cut(first.label, 60)} " if len(plots[0].lines) > 1 else ""
        if not ends:
            yield f"{name}has no values."
        elif len(ends) <= 4:
            yield _capital(f"{name}ends at {_listed([f'{teller.value(end, first)} ({of})' for end, of in ends])}.")
        else:
            (high, best), (low, least) = max(ends), min(ends)
            yield _capital(
                f"{name}ends highest in {best}, {teller.value(high, first)}, and lowest in {least}, "
                f"{teller.value(low, first)}."
            )


def _sparklines(teller: _Teller, plots: Sequence[Plot]) -> Iterator[str]:
    for name, line in ((plot.name or line.label, line) for plot in plots for line in plot.lines):
        if not line.present.size:
            yield f"{_cut(name, 60)} has no values."
            continue
        first, last = (float(line.values[line.present[end]]) for end in (0, -1))
        since = f" ({change(first, last, line.format, teller.locale)})" if line.present.size > 1 else ""
        yield _capital(f"{_cut(name, 60)} ends at {teller.value(last, line)}{since}.")


def _cells(teller: _Teller, plots: Sequence[Plot]) -> Iterator[str]:
    found = [
        (float(plot.lines[0].values[row]), f"{_cut(plot.name, 40)}, {_cut(plot.x.text(row), 40)}")
        for plot in plots
        for row in plot.lines[0].present.tolist()
    ]
    line = plots[0].lines[0]
    (high, best), (low, least) = max(found), min(found)
    yield f"Highest {teller.value(high, line)} ({best}), lowest {teller.value(low, line)} ({least})."
    every = len(plots) * len(np.unique(np.concatenate([plot.x.places for plot in plots])))
    if every > len(found):
        yield f"{every - len(found)} of {every} cells have no value."


def _steps(teller: _Teller, steps: Sequence[Step], line: Line) -> Iterator[str]:
    """Where it begins and ends, then the largest steps in both directions."""
    totals = [step for step in steps if step.whole]
    yield f"{_listed([f'{_cut(step.name, 40)} {teller.value(step.end, line)}' for step in totals])}."
    moves = sorted((step for step in steps if not step.whole), key=lambda step: step.amount)
    if moves and moves[-1].amount > 0:
        yield f"Largest rise: {_cut(moves[-1].name, 40)}, {teller.value(moves[-1].amount, line)}."
    if moves and moves[0].amount < 0:
        yield f"Largest fall: {_cut(moves[0].name, 40)}, {teller.value(moves[0].amount, line)}."


_TOLD: Mapping[str, Callable[[_Teller, Sequence[Plot]], Iterator[str]]] = {
    "line": _lines,
    "area": _areas,
    "bar": _bars,
    "small_multiples": _panels,
    "sparkline": _sparklines,
    "heatmap": _cells,
}


def _extreme(line: Line, of: Callable[[np.ndarray], np.intp]) -> int:
    return int(of(line.values))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
