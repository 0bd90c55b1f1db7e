"""Bars, upright or lying, the series of a row side by side."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from reports.render.charts.paper import (
    AXIS,
    MARGIN,
    ROW,
    WIDTH,
    Frame,
    Picture,
    axis,
    foot,
    grid,
    gutter,
    head,
    legend,
    room_for,
    room_for_head,
)  # fmt: skip
from reports.render.charts.pen import Pen
from reports.render.charts.scale import Scale, bounds, row_ticks
from reports.render.charts.series import Plot

_TALL = 220
_MOST_LYING, _MOST_NAMED = 40, 16
_WIDEST_NAME = 190


def bars(picture: Picture) -> Pen:
    """Upright bars; lying ones where upright ones leave their names no room."""
    return _lying(picture) if _lie(picture) else _upright(picture)


def _lie(picture: Picture) -> bool:
    x = picture.plots[0].x
    if x.kind != "category" or len(x.places) > _MOST_LYING:
        return False
    slot = (WIDTH - 80) / len(x.places)
    return any(picture.ruler.measure(x.text(row)) > slot - 8 for row in range(len(x.places)))


# -- upright --------------------------------------------------------------------------------------


def _upright(picture: Picture) -> Pen:
    """With an axis, or with the values themselves above the bars where there is room for them."""
    plot, ruler = picture.plots[0], picture.ruler
    values = picture.span(np.concatenate([line.values for line in plot.lines]), 5, bars=True)
    named = _values_fit(picture)
    rows = legend(picture) if len(plot.lines) > 1 else []
    unit = picture.unit if named else picture.axis_unit
    top = MARGIN + 10 + room_for_head(unit, rows)
    left = MARGIN if named else MARGIN + gutter(ruler, values)
    frame = Frame(left=left, top=top, right=WIDTH - MARGIN, bottom=top + _TALL)
    pen = ruler.sheet(int(frame.bottom + ROW + MARGIN + 4 + room_for(picture.notes)))
    head(pen, unit, rows)
    grid(pen, replace(values, ticks=[]) if named else values, frame)
    _stand(pen, plot, frame, frame.up(values))
    if named:
        _name_values(pen, picture, frame)
    slots = _slots(plot, frame)
    most = max(2, int(frame.width / (_widest_name(pen, plot) + 12)))
    axis(pen, row_ticks(plot.x, most), frame, slots, room=(MARGIN, WIDTH - MARGIN))
    foot(pen, picture.notes)
    return pen


def _slots(plot: Plot, frame: Frame) -> Scale:
    return Scale(low=-0.5, high=len(plot.x.places) - 0.5, start=frame.left, end=frame.right)


def _widest_name(pen: Pen, plot: Plot) -> float:
    count = len(plot.x.places)
    return min(90.0, max(pen.measure(plot.x.text(row)) for row in range(0, count, max(1, count // 40))))


def _stand(pen: Pen, plot: Plot, frame: Frame, y: Scale) -> None:
    slot, zero = frame.width / len(plot.x.places), y.at(0)
    used = min(slot * 0.7, 72.0 * len(plot.lines)) if slot > 4 else slot
    wide = used / len(plot.lines)
    gap = 1 if wide > 8 and len(plot.lines) > 1 else 0
    for index, line in enumerate(plot.lines):
        rows = line.present
        ends = y(line.values[rows])
        lefts = frame.left + slot * (rows + 0.5) - used / 2 + index * wide
        widths = np.full(len(rows), wide - gap, np.float64)
        pen.boxes(lefts, np.minimum(zero, ends), widths, np.abs(zero - ends), ink=pen.palette.ink(index))
    pen.line((frame.left, frame.right), (round(zero), round(zero)), AXIS)


def _values_fit(picture: Picture) -> bool:
    line, count = picture.lines[0], len(picture.plots[0].x.places)
    if len(picture.lines) > 1 or count > _MOST_NAMED:
        return False
    room = (WIDTH - 2 * MARGIN) / count - 6
    return all(picture.ruler.measure(picture.short(line, row)) <= room for row in line.present)


def _name_values(pen: Pen, picture: Picture, frame: Frame) -> None:
    y, slots = frame.up(picture.span(picture.lines[0].values, 5, bars=True)), _slots(picture.plots[0], frame)
    for row in picture.lines[0].present.tolist():
        value = float(picture.lines[0].values[row])
        baseline = y.at(value) + (15 if value < 0 else -5)
        pen.text(slots.at(row), baseline, picture.short(picture.lines[0], row), align="center")


# -- lying ----------------------------------------------------------------------------------------


def _lying(picture: Picture) -> Pen:
    """Names on the left, values at the ends of the bars, no axis."""
    plot, ruler = picture.plots[0], picture.ruler
    many = len(plot.lines) > 1
    rows = legend(picture) if many else []
    top, tall = MARGIN + room_for_head(picture.unit, rows) + 6 * many, _thick(picture) * len(plot.lines) + 8 + 4 * many
    bottom = top + tall * len(plot.x.places)
    pen = ruler.sheet(int(bottom + MARGIN + room_for(picture.notes)))
    head(pen, picture.unit, rows)
    names = [pen.shortened(plot.x.text(row), _WIDEST_NAME) for row in range(len(plot.x.places))]
    left = MARGIN + max(map(pen.measure, names)) + 10
    x = _room_for_values(picture, left)
    for row, name in enumerate(names):
        middle = top + tall * (row + 0.5)
        pen.text(left - 10, middle + 4, name, align="right")
        _lay(pen, picture, row, x, middle)
    pen.line((x.at(0), x.at(0)), (top, bottom), AXIS)
    foot(pen, picture.notes)
    return pen


def _thick(picture: Picture) -> int:
    return 18 if len(picture.lines) == 1 else 14


def _lay(pen: Pen, picture: Picture, row: int, x: Scale, middle: float) -> None:
    """The bars of one row, each with its value."""
    thick = _thick(picture)
    for index, line in enumerate(picture.lines):
        if np.isnan(value := float(line.values[row])):
            continue
        top, end = middle + (index - len(picture.lines) / 2) * thick, x.at(value)
        pen.box(min(x.at(0), end), top, max(abs(end - x.at(0)), 1), thick - 1, pen.palette.ink(index))
        beside, baseline = end + (6 if value >= 0 else -6), top + thick / 2 + 3.5
        pen.text(beside, baseline, picture.short(line, row), align="left" if value >= 0 else "right")


def _room_for_values(picture: Picture, left: float) -> Scale:
    """The scale on which the longest bars leave room for the values written at their ends."""
    lines, ruler = picture.lines, picture.ruler
    low, high = bounds(np.concatenate([line.values for line in lines]), from_zero=True)
    widest = max(ruler.measure(picture.short(line, row)) for line in lines for row in line.present) + 8
    return Scale(low=low, high=high, start=left + widest * (low < 0), end=WIDTH - MARGIN - widest * (high > 0))
