"""A waterfall: amounts that add up, each bar beginning where the one before it ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from reports.colours import Colour
from reports.errors import RenderError, choices
from reports.model import Chart
from reports.render.charts.paper import AXIS, MARGIN, ROW, WIDTH, Picture, Step, foot, head, room_for, room_for_head
from reports.render.charts.pen import Pen
from reports.render.charts.scale import Scale, bounds
from reports.render.charts.series import Plot, place
from reports.render.locales import Locale
from reports.render.palette import MUTED, WHITE

MOST = 40
_TALL, _THICK, _LABEL = 210, 24, 18
_WIDEST_NAME = 190
_ROUNDING = 1e-9


def steps(chart: Chart, plot: Plot, locale: Locale) -> tuple[list[Step], list[str]]:
    """The bars in the order of the rows, and sentences about what is not as it seems.

    A total without a value is the sum so far; without any total the sum is the last bar. Raises a RenderError
    for a total that is no name along x.
    """
    names = [plot.x.text(row) for row in range(len(plot.x.places))]
    if names and (unknown := [name for name in chart.totals if name not in names]):
        hint = choices(unknown[0], names, what=f"names in '{chart.x.key}'")
        raise RenderError(f"there is no '{unknown[0]}' to be a total", where=place(chart), hint=hint)
    made, notes = _added(names, plot.lines[0].values.tolist(), {*chart.totals}, locale)
    if made and not chart.totals:
        made.append(Step(name=locale.word("Total"), start=0.0, end=made[-1].end, whole=True))
    return _folded(made, notes, locale), notes


def _added(
    names: Sequence[str], amounts: Sequence[float], totals: set[str], locale: Locale
) -> tuple[list[Step], list[str]]:
    made: list[Step] = []
    notes: list[str] = []
    level, missing = 0.0, 0
    for name, amount in zip(names, amounts, strict=True):
        if name in totals:
            end = level if np.isnan(amount) else amount
            if made and abs(end - level) > _ROUNDING * max(abs(end), abs(level)):
                notes.append(locale.word("{name} is not what the steps before it add up to.", name=name))
            made.append(Step(name=name, start=0.0, end=end, whole=True))
            level = end
        elif np.isnan(amount):
            missing += 1
        else:
            made.append(Step(name=name, start=level, end=level + amount))
            level += amount
    if missing and made:
        notes.append(locale.word("Steps without a value, not drawn: {count}.", count=missing))
    return made, notes


def _folded(made: list[Step], notes: list[str], locale: Locale) -> list[Step]:
    """At most so many bars: what is beyond is one step, before the last total."""
    if len(made) <= MOST:
        return made
    kept, rest = made[: MOST - 2], made[MOST - 2 :]
    ends = [rest.pop()] if rest[-1].whole else []
    notes.append(locale.word("The last {count} steps are drawn as one.", count=len(rest)))
    return [*kept, Step(name=locale.word("{count} more", count=len(rest)), start=kept[-1].end, end=rest[-1].end), *ends]


def waterfall(picture: Picture) -> Pen:
    """Upright where names and values have room below and above the bars, else lying."""
    slot = (WIDTH - 2 * MARGIN) / len(picture.steps)
    texts = [text for step in picture.steps for text in (step.name, _label(picture, step))]
    fits = all(picture.ruler.measure(text) <= slot - 6 for text in texts)
    return _upright(picture, slot) if fits else _lying(picture)


def _label(picture: Picture, step: Step) -> str:
    return picture.said(step.end) if step.whole else picture.said(step.amount, signed=True)


def _ink(pen: Pen, step: Step) -> Colour:
    if step.whole:
        return pen.palette.whole
    return pen.palette.ink(0) if step.amount >= 0 else pen.palette.other


def _scale(picture: Picture) -> Callable[[float, float], Scale]:
    ends = np.array([end for step in picture.steps for end in (step.start, step.end)])
    low, high = bounds(ends, from_zero=True)
    return lambda start, end: Scale(low=low, high=high, start=start, end=end)


def _bars(picture: Picture) -> Iterator[tuple[int, Step, Step | None]]:
    """Each bar with its number and the next one."""
    for number, step in enumerate(picture.steps):
        yield number, step, picture.steps[number + 1] if number + 1 < len(picture.steps) else None


def _back(step: Step) -> bool:
    """Whether it goes down, or left, where its value is written then."""
    return step.end < step.start


def _beside(pen: Pen, text: str, ends: tuple[float, float], baseline: float, *, back: bool) -> None:
    """The value at the side to which its bar goes, on paper of its own, for the axis may pass there."""
    wide = pen.measure(text)
    left = min(ends) - 6 - wide if back else max(ends) + 6
    pen.box(left - 1, baseline - 10, wide + 2, 12, WHITE)
    pen.text(left, baseline, text)


def _upright(picture: Picture, slot: float) -> Pen:
    top = MARGIN + room_for_head(picture.unit)
    bottom = top + _TALL
    pen = picture.ruler.sheet(int(bottom + ROW + MARGIN + 2 + room_for(picture.notes)))
    head(pen, picture.unit)
    y = _scale(picture)(bottom, top + _LABEL)
    if any(_back(step) and y.at(min(step.start, step.end)) > bottom - _LABEL for step in picture.steps):
        y = _scale(picture)(bottom - _LABEL, top + _LABEL)
    wide = min(slot * 0.64, 64)
    for number, step, following in _bars(picture):
        middle = MARGIN + slot * (number + 0.5)
        ends = y.at(step.start), y.at(step.end)
        pen.box(middle - wide / 2, min(ends), wide, max(abs(ends[0] - ends[1]), 1), _ink(pen, step))
        if following:
            pen.line((middle + wide / 2, middle + slot - wide / 2), (ends[1], ends[1]), MUTED, 0.75)
        baseline = max(ends) + 15 if _back(step) else min(ends) - 5
        pen.text(middle, baseline, _label(picture, step), align="center")
        pen.text(middle, bottom + ROW, step.name, ink=MUTED, align="center")
    pen.line((MARGIN, WIDTH - MARGIN), (round(y.at(0)), round(y.at(0))), AXIS)
    foot(pen, picture.notes)
    return pen


def _lying(picture: Picture) -> Pen:
    """Names on the left; the values beside the bars, at the side to which they go."""
    top = MARGIN + room_for_head(picture.unit)
    bottom = top + _THICK * len(picture.steps)
    pen = picture.ruler.sheet(int(bottom + MARGIN + room_for(picture.notes)))
    head(pen, picture.unit)
    names = [pen.shortened(step.name, _WIDEST_NAME) for step in picture.steps]
    left = MARGIN + max(map(pen.measure, names)) + 10
    widest = max(pen.measure(_label(picture, step)) for step in picture.steps) + 8
    x = _scale(picture)(left + widest * any(map(_back, picture.steps)), WIDTH - MARGIN - widest)
    pen.line((x.at(0), x.at(0)), (top, bottom), AXIS)
    for number, step, following in _bars(picture):
        upper = top + _THICK * number
        ends = x.at(step.start), x.at(step.end)
        pen.text(left - 10, upper + _THICK / 2 + 4, names[number], align="right")
        pen.box(min(ends), upper + 4, max(abs(ends[0] - ends[1]), 1), _THICK - 8, _ink(pen, step))
        if following:
            pen.line((ends[1], ends[1]), (upper + _THICK - 4, upper + _THICK + 4), MUTED, 0.75)
        _beside(pen, _label(picture, step), ends, upper + _THICK / 2 + 4, back=_back(step))
    foot(pen, picture.notes)
    return pen
