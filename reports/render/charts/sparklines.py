"""Sparklines: a row for each series with its name, its course, its last value and the change since the first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reports.render.charts.curves import draw_curves, together
from reports.render.charts.paper import MARGIN, ROW, SMALL, WIDTH, Frame, Picture, foot, head, room_for, room_for_head
from reports.render.charts.pen import Pen
from reports.render.charts.scale import Span, bounds, change
from reports.render.charts.series import Line, Plot, Positions
from reports.render.palette import INK, MUTED, RULE

_TALL = 32
_WIDEST_NAME, _LEAST_COURSE = 170, 110
_GAP, _ARROW = 16, 13


@dataclass(frozen=True, kw_only=True)
class _Row:
    """One sparkline with its texts."""

    name: str
    x: Positions
    line: Line
    last: str = ""
    change: str = ""
    direction: int = 0
    range: str = ""


@dataclass(frozen=True, kw_only=True)
class _Columns:
    """Where the columns are: the name begins at the margin, the course has two ends, the texts end at theirs."""

    name: float
    left: float
    right: float
    last: float
    change: float
    range: float


def sparklines(picture: Picture) -> Pen:
    """All rows over one common x, each on a scale of its own: what they show is their course."""
    rows = [_row(picture, plot, line) for plot in picture.plots for line in plot.lines]
    columns = _columns(picture, rows)
    top = MARGIN + room_for_head(picture.unit) + ROW
    pen = picture.ruler.sheet(int(top + _TALL * len(rows) + MARGIN + room_for(picture.notes)))
    head(pen, picture.unit)
    x = together([plot.x for plot in picture.plots])
    _headings(pen, picture, columns, x, top - 6)
    for number, row in enumerate(rows):
        upper = top + number * _TALL
        _write(pen, picture, row, columns, upper)
        _draw(pen, row, x, Frame(left=columns.left, top=upper + 6, right=columns.right, bottom=upper + _TALL - 6))
    foot(pen, picture.notes)
    return pen


def _row(picture: Picture, plot: Plot, line: Line) -> _Row:
    row = _Row(name=plot.name or line.label, x=plot.x, line=line)
    if not line.present.size:
        return row
    first, last = (float(line.values[line.present[end]]) for end in (0, -1))
    low, high = (picture.short(line, int(of(line.values))) for of in (np.nanargmin, np.nanargmax))
    return _Row(
        name=row.name,
        x=row.x,
        line=line,
        last=picture.short(line, line.present[-1]),
        change=change(first, last, line.format, picture.locale) if line.present.size > 1 else "",
        direction=int(np.sign(last - first)),
        range=low if low == high else f"{low} \N{EN DASH} {high}",
    )


def _columns(picture: Picture, rows: Sequence[_Row]) -> _Columns:
    """The names take what they need, the texts too, the courses what is left; ranges go where there is no room."""
    pen, word = picture.ruler, picture.locale.word
    name = min(_WIDEST_NAME, max(pen.measure(row.name) for row in rows))
    wide = {
        "last": max(pen.measure(text, bold=True) for text in (*(row.last for row in rows), "")),
        "change": _ARROW + max(pen.measure(row.change) for row in rows),
        "range": max(pen.measure(row.range, size=SMALL) for row in rows),
    }
    for key, heading in (("last", "Last"), ("change", "Change"), ("range", "Low to high")):
        wide[key] = max(wide[key], pen.measure(word(heading), size=SMALL)) + _GAP
    left, end = MARGIN + name + _GAP, WIDTH - MARGIN
    if end - sum(wide.values()) - left < _LEAST_COURSE:
        wide["range"] = 0.0
    change_end = end - wide["range"]
    last_end = change_end - wide["change"]
    return _Columns(
        name=name, left=left, right=last_end - wide["last"], last=last_end, change=change_end,
        range=end if wide["range"] else 0.0,
    )  # fmt: skip


def _headings(pen: Pen, picture: Picture, columns: _Columns, x: Positions, baseline: float) -> None:
    word = picture.locale.word
    ends = [x.text(row) for row in (0, -1)] if len(x.places) > 1 else []
    if ends and sum(pen.measure(end, size=SMALL) for end in ends) + 12 < columns.right - columns.left:
        pen.text(columns.left, baseline, ends[0], size=SMALL, ink=MUTED)
        pen.text(columns.right, baseline, ends[1], size=SMALL, ink=MUTED, align="right")
    pen.text(columns.last, baseline, word("Last"), size=SMALL, ink=MUTED, align="right")
    pen.text(columns.change, baseline, word("Change"), size=SMALL, ink=MUTED, align="right")
    if columns.range:
        pen.text(columns.range, baseline, word("Low to high"), size=SMALL, ink=MUTED, align="right")


def _write(pen: Pen, picture: Picture, row: _Row, columns: _Columns, top: float) -> None:
    baseline = top + _TALL / 2 + 4
    pen.line((MARGIN, WIDTH - MARGIN), (top, top), RULE, 0.75)
    pen.text(MARGIN, baseline, pen.shortened(row.name, columns.name + 1))
    if not row.last:
        pen.text(columns.left, baseline, picture.locale.word("No data"), ink=MUTED)
        return
    pen.text(columns.last, baseline, row.last, bold=True, align="right")
    pen.text(columns.change, baseline, row.change, align="right")
    if row.direction:
        pen.arrow(columns.change - pen.measure(row.change) - _ARROW + 4, baseline - 4.5, up=row.direction > 0, ink=INK)
    if columns.range:
        pen.text(columns.range, baseline, row.range, size=SMALL, ink=MUTED, align="right")


def _draw(pen: Pen, row: _Row, x: Positions, frame: Frame) -> None:
    if row.last:
        low, high = bounds(row.line.values, from_zero=False, near_zero=False)
        frame = Frame(left=frame.left + 4, top=frame.top, right=frame.right - 4, bottom=frame.bottom)
        y = frame.up(Span(low=low, high=high, ticks=()))
        draw_curves(pen, Plot(x=row.x, lines=[row.line]), frame.along(x), y, 1.5)
