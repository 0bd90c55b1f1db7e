"""The curves of a training as charts: training and validation of one metric in one panel."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import pandas as pd

from reports.model import Artifact, Chart, Column
from reports.notify.training.history import History
from reports.notify.training.names import Name, decimals, parse, rate, share
from reports.render import charts

_LARGE = 3  # metrics with a chart of their own; the others share one with a panel for each
_PANELS = 6
_RAISED = str.maketrans("-0123456789", "\N{SUPERSCRIPT MINUS}⁰¹²³⁴⁵⁶⁷⁸⁹")
_ENDS = {"training": "Training", "validation": "Validation", "test": "Test", "": ""}


def draw(history: History, *, unit: str = "epoch") -> list[Artifact]:
    """The curves as PNG with alt texts, what decides first; none before there are two points to join."""
    drawn = [chart for chart in sketches(history, unit=unit) if len(chart.frame) > 1]
    return [charts.draw(chart, number=number) for number, chart in enumerate(drawn, start=1)]


def sketches(history: History, *, unit: str = "epoch") -> list[Chart]:
    """The charts, before they are drawn: the first metrics, the others, and the learning rate if it changes."""
    metrics = _metrics(history)
    large = _LARGE + (len(metrics) == _LARGE + 1)
    made = [_chart(history, metric, names, unit) for metric, names in metrics[:large]]
    if others := metrics[large : large + _PANELS]:
        made.append(_small(history, others, unit))
    return made + [_rate(history, name, unit) for name in history.names if rate(name) and _moves(history, name)]


def _metrics(history: History) -> list[tuple[str, list[str]]]:
    """Each metric with the names of its series."""
    found: dict[str, list[str]] = {}
    for name in history.names:
        if parse(name).split:
            found.setdefault(parse(name).metric, []).append(name)
    return list(found.items())


def _chart(history: History, metric: str, names: Sequence[str], unit: str) -> Chart:
    frame = frame_of(history, names, unit)
    format_ = _format(metric, frame[list(names)].to_numpy().ravel().tolist())
    y = [Column(key=name, label=parse(name).heading, format=format_) for name in names]
    return Chart(frame=frame, kind="line", x=_along(unit), y=y, title=f"{Name(metric, '').label} by {unit}")


def _small(history: History, metrics: Sequence[tuple[str, list[str]]], unit: str) -> Chart:
    """A panel for each of the metrics, on its own scale."""
    parts = []
    for metric, names in metrics:
        by_split = {_ENDS[parse(name).split]: name for name in names}
        part = frame_of(history, list(by_split.values()), unit)
        part = part.rename(columns={name: split for split, name in by_split.items()})
        parts.append(part.assign(metric=Name(metric, "").label))
    frame = pd.concat(parts, ignore_index=True)
    there = [split for split in _ENDS.values() if split in frame]
    largest = max((abs(one) for one in frame[there].to_numpy().ravel().tolist() if math.isfinite(one)), default=0)
    y = [Column(key=split, label=split, format=f"number.{min(decimals(largest), 3)}") for split in there]
    return Chart(
        frame=frame, kind="small_multiples", by="metric", x=_along(unit), y=y, own_scales=True, title=f"More by {unit}"
    )


def _rate(history: History, name: str, unit: str) -> Chart:
    """The learning rate, in a power of ten where it is too small to be read."""
    frame = frame_of(history, [name], unit)
    power = math.floor(math.log10(max(frame[name].max(), 1e-12)))
    scaled = frame.assign(**{name: frame[name] / 10.0**power}) if power < -2 else frame
    label = f"Learning rate of {name.removeprefix('lr-')}" if name.startswith("lr-") else "Learning rate"
    y = [Column(key=name, label=label, format="number.2" if power < -2 else "number.4")]
    text = f"× 10{str(power).translate(_RAISED)}" if power < -2 else ""
    return Chart(frame=scaled, kind="line", x=_along(unit), y=y, unit=text, title=f"{label} by {unit}")


def _moves(history: History, name: str) -> bool:
    values = [value for _, value in history.series(name)]
    return bool(values) and max(values) - min(values) > 1e-9 * max(map(abs, values))


def frame_of(history: History, names: Sequence[str], unit: str) -> pd.DataFrame:
    """A row for each number with any of the metrics; what was not measured lies on the line between its neighbours.

    A value that is no number stays a gap, whatever stands beside it.
    """
    rows = [one for one in history.epochs if any(name in one.metrics for name in names)]
    places = [one.number for one in rows]
    columns = {name: list(_joined(places, [one.metrics.get(name) for one in rows])) for name in names}
    whole = all(place == int(place) for place in places)
    return pd.DataFrame({unit: [int(place) for place in places] if whole else places, **columns})


def _joined(places: Sequence[float], values: Sequence[float | None]) -> Iterator[float]:
    there = [place for place, value in enumerate(values) if value is not None]
    for place, value in enumerate(values):
        if value is not None:
            yield value if math.isfinite(value) else math.nan
            continue
        before = max((one for one in there if one < place), default=None)
        after = min((one for one in there if one > place), default=None)
        yield math.nan if before is None or after is None else _between(places, values, place, (before, after))


def _between(places: Sequence[float], values: Sequence[float | None], place: int, ends: tuple[int, int]) -> float:
    first, last = (float(values[end]) for end in ends)  # type: ignore[arg-type]  # both were measured
    part = (places[place] - places[ends[0]]) / (places[ends[1]] - places[ends[0]])
    value = first + part * (last - first)
    return value if math.isfinite(value) else math.nan


def _format(metric: str, values: Sequence[float]) -> str:
    numbers = [abs(value) for value in values if math.isfinite(value)]
    if share(metric, *numbers):
        return "percent.1"
    return f"number.{min(decimals(max(numbers, default=0)), 3)}"


def _along(unit: str) -> Column:
    return Column(key=unit, label=unit.capitalize(), format="text")
