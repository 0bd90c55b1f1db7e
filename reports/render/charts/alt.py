"""What a chart says, in a few sentences with its numbers, for readers who do not see it."""

from __future__ import annotations

import datetime as dt
import re
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
        return _fitting([locale.word("No data: {subject}.", subject=_subject(chart, plots, locale)), *notes])
    unit = locale.word(", in {unit}", unit=_cut(chart.unit, 40)) if chart.unit else ""
    first = f"{_subject(chart, plots, locale)}{_range(chart, plots, locale)}{unit}{locale.word('.')}"
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
        word, text = self.locale.word, self.x.text(row)
        if self.x.kind == "month":
            return word("in {month}", month=text)
        if self.x.kind == "time":
            timed = isinstance(self.x.names[row], dt.datetime)
            return word("at {time}", time=text) if timed else word("on {date}", date=text)
        return word("at {axis} {place}", axis=_lower(_heading(self.chart), self.locale), place=text)

    def nothing(self, name: str) -> str:
        return self.locale.word("{name} has no values.", name=_cut(name, 60))


def _fitting(parts: Sequence[str]) -> str:
    text = _cut(parts[0], LONGEST)
    for part in map(plain, parts[1:]):
        if len(text) + 1 + len(part) <= LONGEST:
            text += f" {part}"
    return re.sub(r"(?<!\.)\.\.(?!\.)", ".", text)  # a sentence may end in an abbreviation: 2,4 Mio.


def _cut(text: str, length: int) -> str:
    text = plain(text)
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def _subject(chart: Chart, plots: Sequence[Plot], locale: Locale) -> str:
    labels = [_cut(line.label, 60) for line in plots[0].lines] if plots else [one.label for one in chart.y]
    axis = _cut(_lower(_heading(chart), locale), 60)
    return locale.word("{series} by {axis}", series=_listed(labels, locale), axis=axis)


def _heading(chart: Chart) -> str:
    return chart.x.label or chart.x.key


def _lower(text: str, locale: Locale) -> str:
    """Month becomes month inside an English sentence; LTV stays."""
    if not locale.language.startswith("en"):
        return text
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def _listed(names: Sequence[str], locale: Locale) -> str:
    shown = [*names] if len(names) <= 4 else [*names[:3], locale.word("{count} more", count=len(names) - 3)]
    if len(shown) == 1:
        return shown[0]
    return locale.word("{names} and {last}", names=locale.word(", ").join(shown[:-1]), last=shown[-1])


def _range(chart: Chart, plots: Sequence[Plot], locale: Locale) -> str:
    ends = [(plot.x.places[row], plot.x.text(row)) for plot in plots for row in (0, -1) if len(plot.x.places)]
    low, high = min(ends)[1], max(ends)[1]
    ordered = plots[0].x.kind != "category" and chart.kind != "waterfall"
    shown = (
        locale.word(", {first} to {last}", first=low, last=high) if low != high else locale.word(", {place}", place=low)
    )
    return (shown if ordered else "") + (_panelled(chart, len(plots), locale) if chart.by else "")


def _panelled(chart: Chart, count: int, locale: Locale) -> str:
    by = _lower(chart.by, locale)
    if chart.kind == "small_multiples":
        return locale.plural(", {count} panel by {by}", ", {count} panels by {by}", count, by=by)
    if chart.kind == "sparkline":
        return locale.plural(", {count} line by {by}", ", {count} lines by {by}", count, by=by)
    return locale.plural(", {count} row by {by}", ", {count} rows by {by}", count, by=by)


def _lines(teller: _Teller, plots: Sequence[Plot]) -> Iterator[str]:
    word = teller.locale.word
    for line in plots[0].lines:
        if not line.present.size:
            yield teller.nothing(line.label)
            continue
        first, last = line.present[0], line.present[-1]
        name = f"{_cut(line.label, 60)} " if len(plots[0].lines) > 1 else ""
        if first == last:
            said = word("{value} {where}.", value=teller.at(line, first), where=teller.where(first))
        else:
            said = word(
                "from {first} to {last}; highest {high} {at_high}, lowest {low} {at_low}.",
                first=teller.at(line, first),
                last=teller.at(line, last),
                **_extremes(teller, line),
            )
        yield _capital(name + said)


def _extremes(teller: _Teller, line: Line) -> dict[str, str]:
    high, low = _extreme(line, np.nanargmax), _extreme(line, np.nanargmin)
    ends = {"high": teller.at(line, high), "low": teller.at(line, low)}
    return {**ends, "at_high": teller.where(high), "at_low": teller.where(low)}


def _areas(teller: _Teller, plots: Sequence[Plot]) -> Iterator[str]:
    lines, word = plots[0].lines, teller.locale.word
    values = np.array([line.values for line in lines])
    total = np.where(np.isnan(values).all(axis=0), np.nan, np.nansum(values, axis=0))
    whole = Line(label="", format=lines[0].format, values=total)
    peak, last = _extreme(whole, np.nanargmax), whole.present[-1]
    parts = np.nansum(values, axis=1)
    largest = int(np.argmax(parts))
    told = {
        "peak": teller.at(whole, peak),
        "where": teller.where(peak),
        "last": teller.at(whole, last),
        "sum": teller.value(float(parts.sum()), whole),
    }
    if len(lines) == 1:
        yield word("Peaks at {peak} {where} and ends at {last}; {sum} in all.", **told)
        return
    yield word(
        "Total peaks at {peak} {where} and ends at {last}; largest part: {name}, {part} of {sum}.",
        name=_cut(lines[largest].label, 60),
        part=teller.value(float(parts[largest]), lines[largest]),
        **told,
    )


def _bars(teller: _Teller, plots: Sequence[Plot]) -> Iterator[str]:
    plot, word = plots[0], teller.locale.word

    def named(line: Line, row: int) -> str:
        return f"{_cut(plot.x.text(row), 40)} {teller.at(line, row)}"

    for line in plot.lines:
        order = sorted(line.present.tolist(), key=lambda row: -line.values[row])
        if not order:
            yield teller.nothing(line.label)
            continue
        name = f"{_cut(line.label, 60)}, " if len(plot.lines) > 1 else ""
        top = word(", ").join(named(line, row) for row in order[:3])
        if len(order) == 1:
            yield _capital(f"{name}{top}{word('.')}")
        elif len(order) <= 3:
            yield _capital(name + word("highest: {names}.", names=top))
        else:
            yield _capital(name + word("highest: {names}; lowest: {last}.", names=top, last=named(line, order[-1])))


def _panels(teller: _Teller, plots: Sequence[Plot]) -> Iterator[str]:
    word = teller.locale.word
    for index, first in enumerate(plots[0].lines):
        lines = [(plot.name, plot.lines[index]) for plot in plots if plot.lines[index].present.size]
        ends = [(float(line.values[line.present[-1]]), _cut(name, 40)) for name, line in lines]
        name = f"{_cut(first.label, 60)} " if len(plots[0].lines) > 1 else ""
        if not ends:
            yield teller.nothing(first.label)
        elif len(ends) <= 4:
            told = _listed([f"{teller.value(end, first)} ({of})" for end, of in ends], teller.locale)
            yield _capital(name + word("ends at {values}.", values=told))
        else:
            (high, best), (low, least) = max(ends), min(ends)
            told_of = {"high": teller.value(high, first), "low": teller.value(low, first), "best": best, "least": least}
            yield _capital(name + word("ends highest in {best}, {high}, and lowest in {least}, {low}.", **told_of))


def _sparklines(teller: _Teller, plots: Sequence[Plot]) -> Iterator[str]:
    for name, line in ((plot.name or line.label, line) for plot in plots for line in plot.lines):
        if not line.present.size:
            yield teller.nothing(name)
            continue
        first, last = (float(line.values[line.present[end]]) for end in (0, -1))
        since = f" ({change(first, last, line.format, teller.locale)})" if line.present.size > 1 else ""
        told = teller.locale.word("ends at {values}.", values=f"{teller.value(last, line)}{since}")
        yield _capital(f"{_cut(name, 60)} {told}")


def _cells(teller: _Teller, plots: Sequence[Plot]) -> Iterator[str]:
    found = [
        (float(plot.lines[0].values[row]), f"{_cut(plot.name, 40)}, {_cut(plot.x.text(row), 40)}")
        for plot in plots
        for row in plot.lines[0].present.tolist()
    ]
    line, locale = plots[0].lines[0], teller.locale
    (high, best), (low, least) = max(found), min(found)
    told = {"high": teller.value(high, line), "low": teller.value(low, line), "best": best, "least": least}
    yield locale.word("Highest {high} ({best}), lowest {low} ({least}).", **told)
    every = len(plots) * len(np.unique(np.concatenate([plot.x.places for plot in plots])))
    if every > len(found):
        yield locale.word("{count} of {all} cells have no value.", count=every - len(found), all=every)


def _steps(teller: _Teller, steps: Sequence[Step], line: Line) -> Iterator[str]:
    """Where it begins and ends, then the largest steps in both directions."""
    word = teller.locale.word
    totals = [f"{_cut(step.name, 40)} {teller.value(step.end, line)}" for step in steps if step.whole]
    yield _listed(totals, teller.locale) + word(".")
    moves = sorted((step for step in steps if not step.whole), key=lambda step: step.amount)
    if moves and moves[-1].amount > 0:
        amount = teller.value(moves[-1].amount, line)
        yield word("Largest rise: {name}, {amount}.", name=_cut(moves[-1].name, 40), amount=amount)
    if moves and moves[0].amount < 0:
        amount = teller.value(moves[0].amount, line)
        yield word("Largest fall: {name}, {amount}.", name=_cut(moves[0].name, 40), amount=amount)


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
