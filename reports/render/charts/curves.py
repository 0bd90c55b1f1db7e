"""Lines, stacked areas and small multiples."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

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
    ink,
    ink_of_text,
    legend,
    room_for,
    write_legend,
)  # fmt: skip
from reports.render.charts.pen import DENSITY, INK, MUTED, WHITE, Colour, Pen
from reports.render.charts.scale import Scale, Span, position_ticks
from reports.render.charts.series import Line, Plot, Positions, Values

_HEIGHT = 270  # of a sheet without legend, caption and foot
_LABELS_WIDEST, _LABELS_FARTHEST = 150, 20
_MOST_POINTS = 5_000
_PANEL, _GAP = 104, 22


@dataclass(frozen=True, kw_only=True)
class EndLabel:
    """The name of a series and its last value, beside the place where it ends."""

    index: int
    y: float
    name: str
    value: str


def lines(picture: Picture) -> Pen:
    """Lines over a common axis, or areas stacked on each other."""
    plot, stacked, ruler = picture.plots[0], picture.kind == "area", picture.ruler
    values = _edges(plot) if stacked else np.concatenate([line.values for line in plot.lines])
    ticks = picture.span(values, 5, bars=stacked)
    below = ROW * (1 + _captioned(plot.x, picture)) + 8
    frame = Frame(left=MARGIN + gutter(ruler, ticks), top=MARGIN + 8, right=WIDTH - MARGIN - 8, bottom=_HEIGHT - 30)
    labels = _end_labels(picture, frame.up(ticks))
    rows = [] if labels else legend(ruler, plot.lines)
    right = max((_width(ruler, label) for label in labels), default=0.0)
    frame = replace(
        frame,
        right=frame.right - right - 4 * bool(labels),
        bottom=frame.bottom + ROW * len(rows),
        top=frame.top + ROW * len(rows),
    )
    pen = ruler.sheet(int(frame.bottom + below + MARGIN - 4 + room_for(picture.notes)))
    write_legend(pen, rows)
    grid(pen, ticks, frame)
    x, y = frame.along(plot.x), frame.up(ticks)
    axis(pen, position_ticks(plot.x, frame.width), frame, x, room=(MARGIN, WIDTH - MARGIN))
    if _captioned(plot.x, picture):
        caption(pen, picture.x_label, frame)
    (_areas if stacked else _curves)(pen, plot, x, y)
    for label in labels:
        _write(pen, label, frame.right + 10)
    foot(pen, picture.notes)
    return pen


def _captioned(x: Positions, picture: Picture) -> bool:
    return x.kind == "number" and bool(picture.x_label)


# -- marks ----------------------------------------------------------------------------------------


def _curves(pen: Pen, plot: Plot, x: Scale, y: Scale, width: float = 2) -> None:
    for index, line in reversed(list(enumerate(plot.lines))):
        xs, ys = _thinned(x(plot.x.places), y(line.values))
        pen.line(xs, ys, ink(index), width)
        for row in _alone(ys):
            pen.dot(float(xs[row]), float(ys[row]), width, ink(index))
        if line.present.size:
            last = np.flatnonzero(~np.isnan(ys))[-1]
            pen.dot(float(xs[last]), float(ys[last]), width + 2, WHITE)
            pen.dot(float(xs[last]), float(ys[last]), width + 1, ink(index))


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
    return np.concatenate((_stack(plot, 1), _stack(plot, -1)))


def _stack(plot: Plot, sign: int) -> Values:
    """The running sums over the series of what has this sign; rows without any value stay NaN."""
    values = np.array([line.values for line in plot.lines])
    sums = np.cumsum(np.maximum(np.nan_to_num(values) * sign, 0), axis=0) * sign
    sums[:, np.isnan(values).all(axis=0)] = np.nan
    return np.asarray(sums)


def _areas(pen: Pen, plot: Plot, x: Scale, y: Scale) -> None:
    xs, zero = x(plot.x.places), y.at(0)
    for sign in (1, -1):
        stack = _stack(plot, sign)
        for index in reversed(range(len(plot.lines))):
            if np.nansum(np.abs(stack[index])):
                _area(pen, xs, y(stack[index]), zero, ink(index))


def _area(pen: Pen, xs: Values, ys: Values, zero: float, tone: Colour) -> None:
    """Down to zero, so that the next one covers its part: no seams between neighbours."""
    xs, ys = _thinned(xs, ys)
    rows = np.flatnonzero(~np.isnan(ys))
    for run in np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1):
        across = xs[run] if len(run) > 1 else np.array([xs[run[0]] - 2, xs[run[0]] + 2])
        edge = ys[run] if len(run) > 1 else ys[run].repeat(2)
        pen.fill([across[0], *across, across[-1]], [zero, *edge, zero], tone)


# -- labels at the ends ---------------------------------------------------------------------------


def _end_labels(picture: Picture, y: Scale) -> list[EndLabel]:
    """A label for each series, none touching another; none at all where they do not fit."""
    plot = picture.plots[0]
    ends = _ends(plot, y) if picture.kind == "area" else [_end(line, y) for line in plot.lines]
    if any(math.isnan(end) for end in ends):
        return []
    labels = [
        EndLabel(index=index, y=end, name=line.label, value=picture.short(line, line.present[-1]))
        for index, (line, end) in enumerate(zip(plot.lines, ends, strict=True))
    ]
    tall = 31 if len(labels) <= 4 else 16
    if tall == 16:
        labels = [replace(label, value="") for label in labels]
    placed = _apart(labels, tall, bottom=y.start + 8 - tall / 2)
    far = max(abs(label.y - ends[label.index]) for label in placed)
    widest = max(_width(picture.ruler, label) for label in labels)
    fits = far <= _LABELS_FARTHEST and widest <= _LABELS_WIDEST and placed[0].y >= y.end - 8 + tall / 2 - 10
    return placed if fits else []


def _end(line: Line, y: Scale) -> float:
    at_end = line.present.size and line.present[-1] == len(line.values) - 1
    return y.at(line.values[-1]) if at_end else math.nan


def _ends(plot: Plot, y: Scale) -> list[float]:
    """The middle of each area's right edge, where all of them are thick enough to be told apart."""
    edges = np.concatenate(([0.0], _stack(plot, 1)[:, -1]))
    places = y(edges)
    if (np.abs(np.diff(places)) < 14).any():
        return [math.nan]
    middles: list[float] = ((places[1:] + places[:-1]) / 2).tolist()
    return middles


def _apart(labels: Sequence[EndLabel], tall: float, bottom: float) -> list[EndLabel]:
    """From the bottom up, each as near its place as the one below allows."""
    placed: list[EndLabel] = []
    for label in sorted(labels, key=lambda one: -one.y):
        placed.append(replace(label, y=min(label.y, bottom)))
        bottom = placed[-1].y - tall
    return placed[::-1]


def _width(pen: Pen, label: EndLabel) -> float:
    return max(pen.measure(label.name, bold=True), pen.measure(label.value)) + 2


def _write(pen: Pen, label: EndLabel, x: float) -> None:
    middle = label.y + 4 - 7.5 * bool(label.value)
    pen.text(x, middle, label.name, ink=ink_of_text(label.index), bold=True)
    pen.text(x, middle + 15, label.value, ink=INK)


# -- small multiples ------------------------------------------------------------------------------


def panels(picture: Picture) -> Pen:
    """One small chart for each plot, on one time scale, and on one scale of values unless each has its own."""
    plots, ruler = picture.plots, picture.ruler
    spans = _spans(picture)
    x = _together([plot.x for plot in plots])
    rows = legend(ruler, picture.lines) if len(picture.lines) > 1 else []
    room = max(gutter(ruler, span) for span in spans)
    top = MARGIN + ROW * len(rows) + 4 * bool(rows)
    frames = _frames(len(plots), MARGIN + room, top, between=_GAP + room * picture.own_scales)
    bottom = max(frame.bottom for frame in frames) + ROW * (1 + _captioned(x, picture)) + 8
    pen = ruler.sheet(int(bottom + MARGIN - 4 + room_for(picture.notes)))
    write_legend(pen, rows)
    marks = position_ticks(x, frames[0].width)
    for number, (plot, frame, ticks) in enumerate(zip(plots, frames, spans, strict=True)):
        grid(pen, ticks, frame, labels=picture.own_scales or frame.left == frames[0].left)
        _heading(pen, picture, plot, frame)
        _curves(pen, plot, frame.along(x), frame.up(ticks), 1.75)
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
    value = "No data" if plot.empty else value
    room = frame.width - pen.measure(value) - 8
    pen.text(frame.left, frame.top - 10, pen.shortened(plot.name, room, bold=True), bold=True)
    pen.text(frame.right, frame.top - 10, value, ink=MUTED if plot.empty else ink_of_text(0), align="right")


def _together(positions: Sequence[Positions]) -> Positions:
    """All positions of the panels, each once, in order."""
    at, rows = np.unique(np.concatenate([one.places for one in positions]), return_index=True)
    names = [name for one in positions for name in one.names]
    return replace(positions[0], places=at, names=[names[row] for row in rows])
