"""A few of a chart's numbers as a small table, for readers whose mail shows no pictures.

Along months, days or numbers a row for each line or panel, and at most six columns, evenly spread with the first and
the last; of categories the largest. A sentence says how many there are in all.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import numpy as np

from reports.model import Chart
from reports.render import formats
from reports.render.charts.series import Line, Plot, plots
from reports.render.locales import Locale, noted
from reports.render.numerals import MINUS
from reports.render.tables import MISSING, Cell, Heading, WrittenTable, shortened

MOST = 6
_ROWS = 12
_NAME = 40  # characters
_SHORT = 14  # of a name that may head a column


def table(chart: Chart, locale: Locale) -> WrittenTable | None:
    """The table, or None of a chart without any value."""
    drawn, _ = plots(chart, locale)
    if all(plot.empty for plot in drawn):
        return None
    if len(drawn) == 1 and drawn[0].x.kind == "category":
        return _by_category(drawn[0], chart, locale)
    return _along(drawn, chart, locale)


def _by_category(plot: Plot, chart: Chart, locale: Locale) -> WrittenTable:
    """The largest categories in the order in which they are drawn: a column each if they are short, else a row."""
    sizes = np.nan_to_num(np.abs([line.values for line in plot.lines])).max(axis=0)
    every = len(sizes)
    chosen = sorted(np.argsort(-sizes, kind="stable")[:MOST].tolist())
    lines, names = plot.lines[:MOST], [shortened(plot.x.text(row), _NAME) for row in chosen]
    title, note = chart.x.label or chart.x.key, _of(noted("The {shown} largest of {all}."), len(chosen), every, locale)
    if len(lines) == 1 and max(map(len, names)) <= _SHORT:
        return _table(
            [title, *names], [[Cell(lines[0].label), *(_cell(lines[0], row, locale) for row in chosen)]], note
        )
    cells = [[_cell(line, row, locale) for line in lines] for row in chosen]
    rows = [[Cell(name), *of_row] for name, of_row in zip(names, cells, strict=True)]
    return _table([title, *(line.label for line in lines)], rows, note)


def _along(drawn: Sequence[Plot], chart: Chart, locale: Locale) -> WrittenTable:
    """Evenly spread places along x, with a row for each line of each panel."""
    places = np.unique(np.concatenate([plot.x.places for plot in drawn]))
    chosen = places[_spread(len(places))].tolist()
    every = [(plot, line) for plot in drawn for line in plot.lines if line.present.size]
    rows = [
        [Cell(_name(plot, line, chart)), *(_at(plot, line, place, locale) for place in chosen)]
        for plot, line in islice(every, _ROWS)
    ]
    said = noted("{shown} of {all} months.") if drawn[0].x.kind == "month" else noted("{shown} of {all} points.")
    notes = [
        _of(said, len(chosen), len(places), locale),
        _of(noted("{shown} of {all} lines."), len(rows), len(every), locale),
    ]
    note = " ".join(filter(None, notes))
    return _table([chart.x.label or chart.x.key, *(_text(drawn, place) for place in chosen)], rows, note)


def _of(said: str, shown: int, every: int, locale: Locale) -> str:
    """How many there are, where not all of them are shown."""
    return locale.word(said, shown=locale.integer(shown), all=locale.integer(every)) if shown < every else ""


def _spread(count: int) -> list[int]:
    """At most six places of `count`, the first and the last among them."""
    return sorted({round(at) for at in np.linspace(0, count - 1, min(count, MOST)).tolist()})


def _name(plot: Plot, line: Line, chart: Chart) -> str:
    if not plot.name:
        return shortened(line.label, _NAME)
    return shortened(plot.name if len(chart.y) == 1 else f"{plot.name}, {line.label}", _NAME)


def _text(drawn: Sequence[Plot], place: float) -> str:
    """A place along x, as the first panel that has it says it."""
    found = ((plot.x, np.flatnonzero(plot.x.places == place)) for plot in drawn)
    return next(x.text(int(rows[0])) for x, rows in found if len(rows))


def _at(plot: Plot, line: Line, place: float, locale: Locale) -> Cell:
    rows = np.flatnonzero(plot.x.places == place)
    return _cell(line, int(rows[0]), locale) if len(rows) else Cell(MISSING)


def _cell(line: Line, row: int, locale: Locale) -> Cell:
    value = float(line.values[row])
    text = formats.written(value, line.format, locale) or MISSING
    return Cell(text, MINUS in text)


def _table(headings: Sequence[str], rows: Sequence[Sequence[Cell]], note: str) -> WrittenTable:
    return WrittenTable(
        title="",
        note=note,
        headings=[Heading(shortened(text, _NAME), numeric=bool(at), whole=False) for at, text in enumerate(headings)],
        rows=rows,
        totals=(),
        empty="",
        all_rows=len(rows),
        all_columns=len(headings),
    )
