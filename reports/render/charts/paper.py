"""What surrounds the marks of a chart: frame, grid, axes, legend and the sentences at the foot."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from reports.render.charts.pen import Pen
from reports.render.charts.scale import Scale, Span, Tick, short, span
from reports.render.charts.series import Line, Plot, Positions, Values
from reports.render.formats import parsed
from reports.render.locales import Locale
from reports.render.palette import MUTED, RULE, WHITE

WIDTH = 550  # CSS pixels: the mail's column of 600 inside its padding and the picture's border
MARGIN, ROW, SMALL = 10, 18, 11
Legend = Sequence[Sequence[tuple[float, int, str]]]
AXIS = RULE.blended(MUTED, 0.45)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One bar of a waterfall from `start` to `end`; a `whole` one is a total and stands on zero."""

    name: str
    start: float
    end: float
    whole: bool = False

    @property
    def amount(self) -> float:
        return self.end - self.start


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
    unit: str = ""
    steps: Sequence[Step] = ()

    @property
    def axis_unit(self) -> str:
        """What stands above an axis of values: the currency where they are money, for the ticks do not say it."""
        money = parsed(self.lines[0].format)[0] == "currency"
        return self.unit or (self.locale.currency if money else "")

    @property
    def lines(self) -> Sequence[Line]:
        """The series, which all panels share."""
        return self.plots[0].lines

    def short(self, line: Line, row: int) -> str:
        """The value of a line in a row, in few characters."""
        return short(float(line.values[row]), line.format, self.locale)

    def said(self, value: float, *, signed: bool = False) -> str:
        """A value in the format of the first series, with a plus before what is more than zero if signs matter."""
        text = short(value, self.lines[0].format, self.locale)
        return f"+{text}" if signed and value > 0 else text

    def span(self, values: Values, most: int, *, bars: bool = False) -> Span:
        """The range of the values, with ticks in the format of the first series; what money it is stands above."""
        return span(values, most, self.bare(self.lines[0].format), self.locale, bars=bars)

    def bare(self, format: str) -> str:  # noqa: A002  the word of the domain
        """The format of values whose currency is said elsewhere."""
        return "compact" if parsed(format)[0] == "currency" else format


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


def legend(picture: Picture, *, only: Collection[int] | None = None) -> Legend:
    """The rows of a legend: where each series' mark stands, which it is, and its name; of `only` some series."""
    rows: list[list[tuple[float, int, str]]] = [[]]
    x = float(MARGIN)
    pen = picture.ruler
    for index, name in _entries(picture):
        if only is not None and index not in only:
            continue
        text = pen.shortened(name, 240)
        width = 16 + pen.measure(text)
        if x + width > WIDTH - MARGIN and rows[-1]:
            rows.append([])
            x = MARGIN
        rows[-1].append((x, index, text))
        x += width + 16
    return rows if rows[0] else []


def _entries(picture: Picture) -> Iterator[tuple[int, str]]:
    """The series that have a colour, by number and name, and all others as one."""
    most, count = picture.ruler.palette.most, len(picture.lines)
    for index, line in enumerate(picture.lines[:most]):
        yield index, line.label
    if count > most:
        yield most, picture.locale.word("{count} more", count=count - most)


def write_legend(pen: Pen, rows: Legend) -> None:
    """At the top of the sheet."""
    for number, row in enumerate(rows):
        baseline = MARGIN + 12 + number * ROW
        for x, index, text in row:
            pen.box(x, baseline - 9, 10, 10, pen.palette.ink(index))
            pen.text(x + 16, baseline, text)


def head(pen: Pen, unit: str, rows: Legend = ()) -> None:
    """The top of a sheet: the legend, if there is one, and the unit of the values."""
    write_legend(pen, rows)
    text = pen.shortened(unit, WIDTH - 2 * MARGIN, size=SMALL)
    pen.text(MARGIN, MARGIN + 10 + ROW * len(rows), text, size=SMALL, ink=MUTED)


def room_for_head(unit: str, rows: Legend = ()) -> float:
    """The height of the head."""
    return ROW * len(rows) + (ROW - 1) * bool(unit)


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
    pen.box(MARGIN, MARGIN, WIDTH - 2 * MARGIN, 76, RULE.blended(WHITE, 0.7))
    pen.text(WIDTH / 2, 53, picture.locale.word("No data"), size=14, ink=MUTED, align="center")
    foot(pen, picture.notes)
    return pen
