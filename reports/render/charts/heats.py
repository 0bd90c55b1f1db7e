"""A heat map: values as colours in rows and columns, and as numbers where they fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reports.colours import Colour
from reports.render.charts.curves import together
from reports.render.charts.paper import MARGIN, ROW, SMALL, WIDTH, Frame, Picture, axis, foot, room_for
from reports.render.charts.pen import Pen
from reports.render.charts.scale import Scale, brief, row_ticks, short
from reports.render.charts.series import Values
from reports.render.palette import MUTED, RULE, WHITE, Palette

_TALL, _WIDEST = 26, 72
_WIDEST_NAME = 150
_KEY = 96
_PALEST = 0.08


@dataclass(frozen=True, kw_only=True)
class _Heat:
    """The colours of the values between `low` and `high`, which lie around zero where there are both signs."""

    low: float
    high: float
    palette: Palette

    @property
    def diverging(self) -> bool:
        return self.low < 0 < self.high

    def ink(self, value: float) -> Colour:
        if self.diverging:
            share = abs(value) / max(-self.low, self.high)
            return WHITE.blended(self.palette.ink(0) if value >= 0 else self.palette.other, share)
        share = 0.5 if self.low == self.high else (value - self.low) / (self.high - self.low)
        below = self.low < 0
        dark = 1 - share if below else share
        return WHITE.blended(self.palette.other if below else self.palette.ink(0), _PALEST + dark * (1 - _PALEST))


def heatmap(picture: Picture) -> Pen:
    """Rows with their names on the left, columns with theirs below, the key of the colours above."""
    ruler, x = picture.ruler, together([plot.x for plot in picture.plots])
    cells = _cells(picture, x.places)
    heat = _heat(cells, ruler.palette)
    names = [ruler.shortened(plot.name, _WIDEST_NAME) for plot in picture.plots]
    left = MARGIN + max(map(ruler.measure, names)) + 10
    wide = min(_WIDEST, (WIDTH - MARGIN - left) / len(x.places))
    top = MARGIN + ROW + 6
    frame = Frame(left=left, top=top, right=left + wide * len(x.places), bottom=top + _TALL * len(names))
    pen = ruler.sheet(int(frame.bottom + ROW + MARGIN + 2 + room_for(picture.notes)))
    _key(pen, picture, heat, empty=bool(np.isnan(cells).any()))
    for row, name in enumerate(names):
        pen.text(left - 10, top + _TALL * (row + 0.5) + 4, name, align="right")
    _fill(pen, picture, cells, heat, frame)
    slots = Scale(low=-0.5, high=len(x.places) - 0.5, start=frame.left, end=frame.right)
    widest = min(90.0, max(pen.measure(x.text(row)) for row in range(len(x.places))))
    ticks = row_ticks(x, max(2, int(frame.width / (widest + 4))))  # every column, as long as names do not touch
    axis(pen, ticks, frame, slots, room=(MARGIN, WIDTH - MARGIN))
    foot(pen, picture.notes)
    return pen


def _cells(picture: Picture, places: Values) -> Values:
    """The values in rows and columns; NaN where there is none."""
    cells = np.full((len(picture.plots), len(places)), np.nan)
    for row, plot in enumerate(picture.plots):
        cells[row, np.searchsorted(places, plot.x.places)] = plot.lines[0].values
    return cells


def _heat(cells: Values, palette: Palette) -> _Heat:
    low, high = float(np.nanmin(cells)), float(np.nanmax(cells))
    return _Heat(low=low, high=high, palette=palette)


def _fill(pen: Pen, picture: Picture, cells: Values, heat: _Heat, frame: Frame) -> None:
    wide = frame.width / cells.shape[1]
    texts = _texts(pen, picture, cells, wide - 8)
    for row, column in np.ndindex(cells.shape):
        left, top = frame.left + wide * column, frame.top + _TALL * row
        value = float(cells[row, column])
        if np.isnan(value):
            _blank(pen, left, top, wide - 1, _TALL - 1)
            continue
        ground = heat.ink(value)
        pen.box(left, top, wide - 1, _TALL - 1, ground)
        if texts:
            text = texts[row][column]
            pen.text(left + wide / 2, top + _TALL / 2 + 4, text, ink=pen.palette.on(ground), align="center", size=11)


def _texts(pen: Pen, picture: Picture, cells: Values, room: float) -> Sequence[Sequence[str]]:
    """The values as they stand in the cells; nothing where one of them has no room, so that all are read alike."""
    form = picture.bare(picture.lines[0].format)
    for written in (short, brief):
        texts = [
            ["" if np.isnan(value) else written(float(value), form, picture.locale) for value in row] for row in cells
        ]
        if max(pen.measure(text, size=11) for text in {text for row in texts for text in row}) <= room:
            return texts
    return []


def _blank(pen: Pen, left: float, top: float, wide: float, tall: float) -> None:
    """A cell without a value: white, with a thin frame and a stroke through it."""
    right, bottom = left + wide, top + tall
    pen.line((left, right, right, left, left), (top, top, bottom, bottom, top), RULE, 0.75)
    pen.line((left, right), (bottom, top), RULE, 0.75)


def _key(pen: Pen, picture: Picture, heat: _Heat, *, empty: bool) -> None:
    """What the colours mean, at the right of the head; the unit at its left."""
    high, low = (short(end, picture.bare(picture.lines[0].format), picture.locale) for end in (heat.high, heat.low))
    baseline, right = MARGIN + 11, WIDTH - MARGIN
    pen.text(right, baseline, high, size=SMALL, ink=MUTED, align="right")
    end = right - pen.measure(high, size=SMALL) - 6
    ends = np.linspace(heat.low, heat.high, 25)
    for number, value in enumerate(ends.tolist()):
        pen.box(end - _KEY + number * _KEY / 25, baseline - 9, _KEY / 25, 10, heat.ink(value))
    start = end - _KEY - 6
    if heat.low < heat.high:
        pen.text(start, baseline, low, size=SMALL, ink=MUTED, align="right")
        start -= pen.measure(low, size=SMALL) + 20
    if empty:
        word = picture.locale.word("No value")
        pen.text(start, baseline, word, size=SMALL, ink=MUTED, align="right")
        start -= pen.measure(word, size=SMALL) + 20
        _blank(pen, start, baseline - 9, 14, 10)
    unit = pen.shortened(picture.axis_unit, start - MARGIN - 10, size=SMALL)
    pen.text(MARGIN, baseline, unit, size=SMALL, ink=MUTED)
