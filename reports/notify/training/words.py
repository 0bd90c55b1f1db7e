"""How good a training is and how it went, in sentences and in tables. How far it is, the watch says."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import pandas as pd

from reports.notify.training.history import Epoch, History, lost
from reports.notify.training.names import parse, say


def ended(history: History, *, unit: str, total: float | None) -> Iterator[str]:
    """How many there were in which time, once it is over, and whether these are fewer than were planned."""
    if (last := history.last) is None:
        yield f"It ended before the first {unit} did."
        return
    count = number(last.number - (history.after or 0))
    many = unit if count == "1" else f"{unit}s"
    pace = f", {duration(history.usual)} each" if history.usual and count != "1" else ""
    yield f"{count} {many} in {duration(last.ended)}{pace}."
    if total and last.number < total:
        yield f"It ended at {unit} {number(last.number)} of {number(total)}."


def warnings(history: History, *, unit: str) -> Iterator[str]:
    """What must not be missed: a loss that is no number, and that this is not the whole of the training."""
    last, broken = history.last, history.broken
    if last and broken:
        names = " and ".join(f"{parse(name).whole} is {say(name, last.metrics[name])}" for name in lost(last.metrics))
        at = f"since {unit}" if broken.number != last.number else "in this"
        where = f" {number(broken.number)}" if broken.number != last.number else f" {unit}"
        yield f"The {names} {at}{where}: nothing more will be learnt."
    if history.resumed:
        unknown = "" if history.whole else ": what came before is not in these figures"
        yield f"It went on from {unit} {number(history.resumed)}{unknown}."


def best(history: History, unit: str) -> Iterator[str]:
    """The best value of the metric that decides, in a sentence; none where there is none."""
    if (found := history.best(history.watched)) is not None:
        value = say(parse(found.name).metric, found.value)
        yield f"The best {parse(found.name).whole} is {value}, in {unit} {number(found.number)}."


def best_table(history: History, *, unit: str) -> pd.DataFrame:
    """A row for each metric of which one way is better: its best value, and where that was."""
    found = [one for name in history.names if (one := history.best(name))]
    rows = [(parse(one.name).heading, say(parse(one.name).metric, one.value), number(one.number)) for one in found]
    return pd.DataFrame(rows, columns=["Metric", "Best", unit.capitalize()])


def epochs_table(epochs: Sequence[Epoch], *, unit: str) -> pd.DataFrame:
    """Every epoch with all that was said of it, as a file to work with."""
    rows = [{unit: one.number, "seconds": round(one.took, 3), **one.metrics} for one in epochs]
    frame = pd.DataFrame(rows)
    if len(frame) and (frame[unit] == frame[unit].round()).all():
        frame[unit] = frame[unit].astype("int64")
    return frame


def number(value: float | None) -> str:
    """A count as people write it: 12, and 0.53 where it is between two."""
    if value is None or not math.isfinite(value):
        return ""
    return f"{int(value):,}" if value == int(value) else f"{value:.2f}"


_LENGTHS: tuple[tuple[float, Callable[[float], str]], ...] = (
    (0.95, lambda seconds: f"{seconds * 1000:.0f} ms"),
    (9.95, lambda seconds: f"{seconds:.1f} s"),
    (90, lambda seconds: f"{seconds:.0f} s"),
    (3570, lambda seconds: f"{round(seconds / 60)} min"),
    (48 * 3600, lambda seconds: f"{round(seconds / 60) // 60} h {round(seconds / 60) % 60:02d} min"),
)


def duration(seconds: float | None) -> str:
    """A length of time in the one or two units that matter: 41 s, 12 min, 3 h 05 min, 2 d 4 h."""
    if seconds is None:
        return ""
    said = next((say for most, say in _LENGTHS if seconds < most), None)
    hours = round(seconds / 3600)
    return said(seconds) if said else f"{hours // 24} d {hours % 24} h"
