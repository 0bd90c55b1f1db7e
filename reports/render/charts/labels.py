"""The names of series where the series are: at the ends of lines and inside areas, for which no legend is needed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from reports.render.charts.paper import Frame, Picture
from reports.render.charts.pen import Pen
from reports.render.charts.scale import Scale
from reports.render.charts.series import Plot, Values
from reports.render.palette import INK

_WIDEST, _FARTHEST = 150, 34
_TALL, _LOW = 34, 16  # of a name with its value below it, and of a name alone
_WITH_VALUES = 4
_BAND = 17
_COLUMNS = 110


@dataclass(frozen=True, kw_only=True)
class EndLabel:
    """The name of a series and its last value, beside the place where it ends."""

    index: int
    end: float
    y: float
    name: str
    value: str


@dataclass(frozen=True, kw_only=True)
class BandLabel:
    """The name of a series on its own area."""

    index: int
    x: float
    y: float
    name: str


# -- at the ends ----------------------------------------------------------------------------------


def at_ends(picture: Picture, y: Scale) -> list[EndLabel]:
    """A label for each series that reaches the right edge, none touching another; none where they do not fit."""
    plot = picture.plots[0]
    ends = _band_ends(plot, y) if picture.kind == "area" else _line_ends(plot, y)
    labels = [
        EndLabel(index=index, end=end, y=end, name=plot.lines[index].label, value=_last(picture, index))
        for index, end in ends.items()
    ]
    if not labels or len(plot.lines) > picture.ruler.palette.most:
        return []
    if max(_width(picture.ruler, label) for label in labels) > _WIDEST:
        return []
    if len(labels) <= _WITH_VALUES and (placed := _placed(labels, _TALL, y)):
        return placed
    return _placed([replace(label, value="") for label in labels], _LOW, y)


def _last(picture: Picture, index: int) -> str:
    line = picture.lines[index]
    return picture.short(line, line.present[-1])


def _line_ends(plot: Plot, y: Scale) -> dict[int, float]:
    last = len(plot.x.places) - 1
    ending = [(index, line.values) for index, line in enumerate(plot.lines) if last in line.present]
    return {index: y.at(values[last]) for index, values in ending}


def _band_ends(plot: Plot, y: Scale) -> dict[int, float]:
    """The middle of each area's right edge that is thick enough for a name."""
    edges = y(np.concatenate(([0.0], stack(plot, 1)[:, -1])))
    thick, middles = np.abs(np.diff(edges)), (edges[1:] + edges[:-1]) / 2
    return {index: float(middles[index]) for index in np.flatnonzero(thick >= _LOW - 2).tolist()}


def _placed(labels: Sequence[EndLabel], tall: float, y: Scale) -> list[EndLabel]:
    """The labels from the top down, each as near its end as the others allow; none where one is too far off."""
    ordered = sorted(labels, key=lambda label: label.end)
    top, bottom = y.end - 10 + tall / 2, y.start + 8 - tall / 2
    if bottom - tall * (len(ordered) - 1) < top:
        return []
    wanted = [label.end - tall * number for number, label in enumerate(ordered)]
    levels = np.clip(_rising(wanted), top, bottom - tall * (len(ordered) - 1))
    placed = [
        replace(label, y=float(level) + tall * number)
        for number, (label, level) in enumerate(zip(ordered, levels, strict=True))
    ]
    return placed if max(abs(label.y - label.end) for label in placed) <= _FARTHEST else []


def _rising(wanted: Sequence[float]) -> list[float]:
    """The nearest numbers that never fall: neighbours in the wrong order meet in their middle."""
    groups: list[tuple[float, int]] = []
    for number in wanted:
        mean, count = number, 1
        while groups and groups[-1][0] > mean:
            before, many = groups.pop()
            mean, count = (mean * count + before * many) / (count + many), count + many
        groups.append((mean, count))
    return [mean for mean, count in groups for _ in range(count)]


def room_for_ends(pen: Pen, labels: Sequence[EndLabel]) -> float:
    """The width that the labels take from the frame."""
    return max((_width(pen, label) for label in labels), default=-8.0) + 8


def _width(pen: Pen, label: EndLabel) -> float:
    return max(pen.measure(label.name, bold=True), pen.measure(label.value))


def write_ends(pen: Pen, labels: Sequence[EndLabel], frame: Frame) -> None:
    """Each label in its series' colour, led to its line where it had to make way."""
    x = frame.right + 12
    for label in labels:
        if abs(label.y - label.end) > 5:
            pen.line((frame.right + 4, x - 3), (label.end, label.y), pen.palette.ink(label.index), 0.75)
        middle = label.y + 4 - 7.5 * bool(label.value)
        pen.text(x, middle, label.name, ink=pen.palette.text(label.index), bold=True)
        pen.text(x, middle + 15, label.value, ink=INK)


# -- inside the areas -----------------------------------------------------------------------------


def stack(plot: Plot, sign: int) -> Values:
    """The running sums over the series of what has this sign; rows without any value stay NaN."""
    values = np.array([line.values for line in plot.lines])
    sums = np.cumsum(np.maximum(np.nan_to_num(values) * sign, 0), axis=0) * sign
    sums[:, np.isnan(values).all(axis=0)] = np.nan
    return np.asarray(sums)


def in_bands(picture: Picture, x: Scale, y: Scale, besides: Collection[int]) -> list[BandLabel]:
    """A label on each area that is somewhere thick enough for its name, `besides` those that have one."""
    plot = picture.plots[0]
    if len(plot.x.places) < 2:
        return []
    columns = np.linspace(x.start, x.end, _COLUMNS)
    sums = stack(plot, 1)
    edges = np.array([np.interp(columns, x(plot.x.places), y(edge)) for edge in (np.zeros(sums.shape[1]), *sums)])
    found = ((index, line.label) for index, line in enumerate(plot.lines) if index not in besides)
    return [label for index, name in found for label in _in_band(picture.ruler, index, name, columns, edges)]


def _in_band(pen: Pen, index: int, name: str, columns: Values, edges: Values) -> Iterator[BandLabel]:
    """Where a strip as wide as the name is thickest."""
    wide = int(np.ceil((pen.measure(name, bold=True) + 12) / (columns[1] - columns[0]))) + 1
    if wide >= len(columns):
        return
    windows = np.lib.stride_tricks.sliding_window_view(edges[index : index + 2], wide, axis=1)
    upper, lower = windows[1].max(axis=1), windows[0].min(axis=1)
    thick = np.nan_to_num(lower - upper, nan=-1.0)
    best = int(np.argmax(thick))
    if thick[best] >= _BAND:
        x, y = (columns[best] + columns[best + wide - 1]) / 2, (upper[best] + lower[best]) / 2
        yield BandLabel(index=index, x=float(x), y=float(y), name=name)


def write_bands(pen: Pen, labels: Sequence[BandLabel], down: float) -> None:
    """Each name on its area, which lies so much lower than when it was measured."""
    for label in labels:
        ink = pen.palette.on(pen.palette.ink(label.index))
        pen.text(label.x, label.y + down + 4, label.name, ink=ink, bold=True, align="center")
