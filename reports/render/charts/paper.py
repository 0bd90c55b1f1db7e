"""What surrounds the marks of a chart: frame, grid, axes, legend and the sentences at the foot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reports.render.charts.pen import INK, MUTED, RULE, WHITE, Colour, Pen, colour, mixed
from reports.render.charts.scale import Scale, Span, Tick, short, span
from reports.render.charts.series import Line, Plot, Positions, Values
from reports.render.locales import Locale

WIDTH = 550  # CSS pixels: the mail's column of 600 inside its padding and the picture's border
MARGIN, ROW, SMALL = 10, 18, 11
AXIS = mixed(RULE, MUTED, 0.45)
_PALETTE = tuple(map(colour, ("#1F5A92", "#E08E2B", "#3C9D8F", "#B5577D", "#7A8797", "#8C6BB1")))


@dataclass(frozen=True, kw_only=True)
class Picture:
    """All that a chart is drawn from; the ruler measures before there is a sheet."""

    kind: str
    plots: Sequence[Plot]
    notes: Sequence[str]
    ruler: Pen
    locale: Locale
    x_label: str = ""
    own_scales: bool = False

    @property
    def lines(self) -> Sequence[Line]:
        """The series, which all panels share."""
        return self.plots[0].lines

    def short(self, line: Line, row: int) -> str:
        """The value of a line in a row, in few characters."""
        return short(float(line.values[row]), line.format, self.locale)

    def span(self, values: Values, most: int, *, bars: bool = False) -> Span:
        """The range of the values, with ticks in the format of the first series."""
        return span(values, most, self.lines[0].format, self.locale, bars=bars)


@dataclass(frozen=True, kw_only=True)
class Frame:
    """The rectangle that holds the marks."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    def up(self, values: Span) -> Scale:
        """The vertical scale from the least value at the bottom to the greatest at the top."""
        return Scale(low=values.low, high=values.high, start=self.bottom, end=self.top)

    def along(self, x: Positions) -> Scale:
        """The horizontal scale of all positions; a single one is in the middle."""
        low, high = float(x.places.min()), float(x.places.max())
        if low == high:
            low, high = low - max(1.0, abs(low) / 8), high + max(1.0, abs(high) / 8)
        return Scale(low=low, high=high, start=self.left, end=self.right)


def ink(index: int) -> Colour:
    """The colour of a series; from the seventh on the palette comes again, paler."""
    return mixed(_PALETTE[index % len(_PALETTE)], WHITE, min(0.7, 0.4 * (index // len(_PALETTE))))


def ink_of_text(index: int) -> Colour:
    """The colour of a series, dark enough to be read."""
    return mixed(ink(index), INK, 0.35)


def gutter(pen: Pen, values: Span) -> float:
    """The room that the labels of a vertical axis take."""
    return max(pen.measure(tick.text) for tick in values.ticks) + 8


def grid(pen: Pen, values: Span, frame: Frame, *, labels: bool = True) -> None:
    """A quiet line for each tick, a firmer one at zero."""
    for tick in values.ticks:
        y = round(frame.up(values).at(tick.at))
        pen.line((frame.left, frame.right), (y, y), AXIS if tick.at == 0 else RULE, 1 if tick.at == 0 else 0.75)
        if labels:
            pen.text(frame.left - 8, y + 4, tick.text, ink=MUTED, align="right")


def axis(pen: Pen, ticks: Sequence[Tick], frame: Frame, scale: Scale, *, room: tuple[float, float]) -> None:
    """The labels below the frame, each kept inside `room`; one that would touch the last is left out."""
    free = room[0]
    for tick in ticks:
        text = pen.shortened(tick.text, (room[1] - room[0]) / max(2, len(ticks)) * 1.1)
        width = pen.measure(text)
        left = float(np.clip(scale.at(tick.at) - width / 2, room[0], max(room[0], room[1] - width)))
        if left >= free:
            pen.text(left, frame.bottom + ROW, text, ink=MUTED)
            free = left + width + 8


def caption(pen: Pen, text: str, frame: Frame) -> None:
    """The name of the horizontal axis, where its ticks do not tell it."""
    text = pen.shortened(text, frame.width)
    pen.text(frame.right, frame.bottom + 2 * ROW - 2, text, size=SMALL, ink=MUTED, align="right")


def legend(pen: Pen, lines: Sequence[Line], *, left: float = MARGIN) -> list[list[tuple[float, int, str]]]:
    """The rows of a legend: where each series' mark stands, which it is, and its name."""
    rows: list[list[tuple[float, int, str]]] = [[]]
    x = left
    for index, line in enumerate(lines):
        text = pen.shortened(line.label, 240)
        width = 16 + pen.measure(text)
        if x + width > WIDTH - MARGIN and rows[-1]:
            rows.append([])
            x = left
        rows[-1].append((x, index, text))
        x += width + 16
    return rows


def write_legend(pen: Pen, rows: Sequence[Sequence[tuple[float, int, str]]]) -> None:
    for number, row in enumerate(rows):
        baseline = MARGIN + 12 + number * ROW
        for x, index, text in row:
            pen.box(x, baseline - 9, 10, 10, ink(index))
            pen.text(x + 16, baseline, text)


def foot(pen: Pen, notes: Sequence[str]) -> None:
    """The last lines of a sheet: what is not drawn."""
    for number, note in enumerate(reversed(notes)):
        baseline = pen.height - MARGIN - number * (ROW - 2)
        pen.text(MARGIN, baseline, pen.shortened(note, WIDTH - 2 * MARGIN, size=SMALL), size=SMALL, ink=MUTED)


def room_for(notes: Sequence[str]) -> float:
    """The height of the foot."""
    return len(notes) * (ROW - 2) + 4 * bool(notes)


def no_data(picture: Picture) -> Pen:
    """A small sheet that says so."""
    pen = picture.ruler.sheet(96 + int(room_for(picture.notes)))
    pen.box(MARGIN, MARGIN, WIDTH - 2 * MARGIN, 76, mixed(RULE, WHITE, 0.7))
    pen.text(WIDTH / 2, 53, "No data", size=14, ink=MUTED, align="center")
    foot(pen, picture.notes)
    return pen
