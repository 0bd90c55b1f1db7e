"""Lines, stacked areas and small multiples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from reports.colours import Colour
from reports.render.charts.labels import at_ends, in_bands, room_for_ends, stack, write_bands, write_ends
from reports.render.charts.paper import (
    MARGIN,
    ROW,
    WIDTH,
    Frame,
    Picture,
    axis,
    caption,
    foot,
    grid,
    gutter,
    head,
    legend,
    room_for,
    room_for_head,
)  # fmt: skip
from reports.render.charts.pen import DENSITY, Pen
from reports.render.charts.scale import Scale, Span, position_ticks
from reports.render.charts.series import Plot, Positions, Values
from reports.render.palette import MUTED, WHITE

_HEIGHT = 270  # of a sheet without legend, caption and foot
_MOST_POINTS = 5_000
_PANEL, _GAP = 104, 22


def lines(picture: Picture) -> Pen:
    """Lines over a common axis, or areas stacked on each other."""
    plot, stacked, ruler = picture.plots[0], picture.kind == "area", picture.ruler
    values = _edges(plot) if stacked else np.concatenate([line.values for line in plot.lines])
    ticks = picture.span(values, 5, bars=stacked)
    below = ROW * (1 + _captioned(plot.x, picture)) + 8
    frame = Frame(left=MARGIN + gutter(ruler, ticks), top=MARGIN + 8, right=WIDTH - MARGIN - 8, bottom=_HEIGHT - 30)
    ends = at_ends(picture, frame.up(ticks))
    frame = replace(frame, right=frame.right - room_for_ends(ruler, ends))
    named = {label.index for label in ends}
    bands = in_bands(picture, frame.along(plot.x), frame.up(ticks), named) if stacked else []
    named |= {label.index for label in bands}
    rows = legend(picture, only={*range(len(plot.lines))} - named)
    down = room_for_head(picture.axis_unit, rows)
    frame = replace(frame, top=frame.top + down, bottom=frame.bottom + down)
    pen = ruler.sheet(int(frame.bottom + below + MARGIN - 4 + room_for(picture.notes)))
    head(pen, picture.axis_unit, rows)
    grid(pen, ticks, frame)
    x, y = frame.along(plot.x), frame.up(ticks)
    axis(pen, position_ticks(plot.x, frame.width), frame, x, room=(MARGIN, WIDTH - MARGIN))
    if _captioned(plot.x, picture):
        caption(pen, picture.x_label, frame)
    (_areas if stacked else draw_curves)(pen, plot, x, y)
    write_ends(pen, [replace(label, y=label.y + down, end=label.end + down) for label in ends], frame)
    write_bands(pen, bands, down)
    foot(pen, picture.notes)
    return pen


def _captioned(x: Positions, picture: Picture) -> bool:
    return x.kind == "number" and bool(picture.x_label)


# -- marks ----------------------------------------------------------------------------------------


def draw_curves(pen: Pen, plot: Plot, x: Scale, y: Scale, width: float = 2) -> None:
    """The lines of a plot, the first on top, each with a dot where it ends."""
    for index, line in reversed(list(enumerate(plot.lines))):
        xs, ys = _thinned(x(plot.x.places), y(line.values))
        pen.line(xs, ys, pen.palette.ink(index), width)
        for row in _alone(ys):
            pen.dot(float(xs[row]), float(ys[row]), width, pen.palette.ink(index))
        if line.present.size:
            last = np.flatnonzero(~np.isnan(ys))[-1]
            pen.dot(float(xs[last]), float(ys[last]), width + 2, WHITE)
            pen.dot(float(xs[last]), float(ys[last]), width + 1, pen.palette.ink(index))


def _alone(ys: Values) -> Iterator[int]:
    """Points between gaps: no line would show them."""
    there = np.concatenate(([False], ~np.isnan(ys), [False]))
    yield from np.flatnonzero(there[1:-1] & ~there[:-2] & ~there[2:]).tolist()


def _thinned(xs: Values, ys: Values) -> tuple[Values, Values]:
    """Of many more points than pixels those that show: each column's first, last, lowest and highest."""
    if len(xs) <= _MOST_POINTS:
        return xs, ys
    rows = np.flatnonzero(~np.isnan(ys))
    columns = np.round(xs[rows] * DENSITY)
    kept = [np.flatnonzero(np.isnan(ys))]
    for order in (np.arange(len(rows)), np.lexsort((ys[rows], columns))):
        turns = np.flatnonzero(np.diff(columns[order])) + 1
        kept += [rows[order[np.concatenate(([0], turns))]], rows[order[np.concatenate((turns - 1, [-1]))]]]
    chosen = np.unique(np.concatenate(kept))
    return xs[chosen], ys[chosen]


def _edges(plot: Plot) -> Values:
    """The upper edges of the stacked areas, then the lower ones of what is negative."""
    return np.concatenate((stack(plot, 1), stack(plot, -1)))


def _areas(pen: Pen, plot: Plot, x: Scale, y: Scale) -> None:
    xs, zero = x(plot.x.places), y.at(0)
    for sign in (1, -1):
        sums = stack(plot, sign)
        for index in reversed(range(len(plot.lines))):
            if np.nansum(np.abs(sums[index])):
                _area(pen, xs, y(sums[index]), zero, pen.palette.ink(index))


def _area(pen: Pen, xs: Values, ys: Values, zero: float, tone: Colour) -> None:
    """Down to zero, so that the next one covers its part: no seams between neighbours."""
    xs, ys = _thinned(xs, ys)
    rows = np.flatnonzero(~np.isnan(ys))
    for run in np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1):
        across = xs[run] if len(run) > 1 else np.array([xs[run[0]] - 2, xs[run[0]] + 2])
        edge = ys[run] if len(run) > 1 else ys[run].repeat(2)
        pen.fill([across[0], *across, across[-1]], [zero, *edge, zero], tone)


# -- small multiples ------------------------------------------------------------------------------


def panels(picture: Picture) -> Pen:
    """One small chart for each plot, on one time scale, and on one scale of values unless each has its own."""
    plots, ruler = picture.plots, picture.ruler
    spans = _spans(picture)
    x = together([plot.x for plot in plots])
    rows = legend(picture) if len(picture.lines) > 1 else []
    room = max(gutter(ruler, span) for span in spans)
    top = MARGIN + room_for_head(picture.axis_unit, rows) + 4 * bool(rows)
    frames = _frames(len(plots), MARGIN + room, top, between=_GAP + room * picture.own_scales)
    bottom = max(frame.bottom for frame in frames) + ROW * (1 + _captioned(x, picture)) + 8
    pen = ruler.sheet(int(bottom + MARGIN - 4 + room_for(picture.notes)))
    head(pen, picture.axis_unit, rows)
    marks = position_ticks(x, frames[0].width)
    for number, (plot, frame, ticks) in enumerate(zip(plots, frames, spans, strict=True)):
        grid(pen, ticks, frame, labels=picture.own_scales or frame.left == frames[0].left)
        _heading(pen, picture, plot, frame)
        draw_curves(pen, plot, frame.along(x), frame.up(ticks), 1.75)
        if number + _columns(len(plots)) >= len(plots):
            axis(pen, marks, frame, frame.along(x), room=(frame.left - 8, frame.right + 8))
    if _captioned(x, picture):
        caption(pen, picture.x_label, frames[-1])
    foot(pen, picture.notes)
    return pen


def _spans(picture: Picture) -> list[Span]:
    """The range of values of each panel."""
    values = [np.concatenate([line.values for line in plot.lines]) for plot in picture.plots]
    if picture.own_scales:
        return [picture.span(own, 3) for own in values]
    return [picture.span(np.concatenate(values), 3)] * len(values)


def _columns(count: int) -> int:
    return {1: 1, 2: 2, 4: 2}.get(count, 3)


def _frames(count: int, left: float, top: float, *, between: float) -> list[Frame]:
    columns = _columns(count)
    width = (WIDTH - MARGIN - 8 - left - between * (columns - 1)) / columns
    tall = _PANEL + 40 * (columns < 3)
    tops = [top + 28 + (tall + 28) * (number // columns) for number in range(count)]
    lefts = [left + (width + between) * (number % columns) for number in range(count)]
    return [Frame(left=a, top=b, right=a + width, bottom=b + tall - 12) for a, b in zip(lefts, tops, strict=True)]


def _heading(pen: Pen, picture: Picture, plot: Plot, frame: Frame) -> None:
    """The panel's name and, where there is one line, its last value."""
    present = plot.lines[0].present
    value = picture.short(plot.lines[0], present[-1]) if len(plot.lines) == 1 and present.size else ""
    value = picture.locale.word("No data") if plot.empty else value
    room = frame.width - pen.measure(value) - 8
    pen.text(frame.left, frame.top - 10, pen.shortened(plot.name, room, bold=True), bold=True)
    pen.text(frame.right, frame.top - 10, value, ink=MUTED if plot.empty else pen.palette.text(0), align="right")


def together(positions: Sequence[Positions]) -> Positions:
    """All positions of the panels, each once, in order."""
    at, rows = np.unique(np.concatenate([one.places for one in positions]), return_index=True)
    names = [name for one in positions for name in one.names]
    return replace(positions[0], places=at, names=[names[row] for row in rows])
