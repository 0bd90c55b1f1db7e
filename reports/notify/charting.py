"""The metrics of some work over its steps, as one small chart of the house."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reports.model import Chart, Column
from reports.render import frames

FEWEST = 5
"""Points from which a chart says more than the last numbers do."""
PANELS = 6
POINTS = 240
"""Points a line has at the most, for there are no more pixels."""
_CHECKED = re.compile(r"(?:val|valid|validation|test|eval)[_/ .-](?P<of>.+)", re.IGNORECASE)
_TRAINED = re.compile(r"(?:train|training)[_/ .-](?P<of>.+)", re.IGNORECASE)
_FIRST, _SECOND = "Training", "Validation"


def chart(points: Sequence[tuple[float, Mapping[str, Any]]], *, unit: str = "step") -> Chart | None:
    """One panel for each metric that is a number and changes, with its own scale; None where that is too little.

    What is measured in training and in validation shares a panel.
    """
    thinned = points[:: max(1, math.ceil(len(points) / POINTS))]
    thinned = thinned if not points or thinned[-1] is points[-1] else [*thinned, points[-1]]
    panels = list(_panels(thinned).items())[:PANELS]
    if not panels:
        return None
    both = any(_SECOND in names for _, names in panels)
    rows = [row for label, names in panels for row in _panel(label, names, thinned)]
    y = [_FIRST, _SECOND] if both else [_FIRST]
    return Chart(
        frame=frames.of_rows(rows, ["metric", "step", _FIRST, _SECOND]),
        kind="small_multiples" if len(panels) > 1 else "line",
        x=Column(key="step", label=unit.capitalize()),
        y=[Column(key=name, label=name if both or len(panels) > 1 else panels[0][0], format="number.4") for name in y],
        by="metric" if len(panels) > 1 else "",
        own_scales=True,
        title=f"{'Metrics' if len(panels) > 1 else panels[0][0]} by {unit or 'step'}",
        numbers=False,
    )


def _panels(points: Sequence[tuple[float, Mapping[str, Any]]]) -> dict[str, dict[str, str]]:
    """The panels by name, each with the metrics in it by what they are."""
    seen: dict[str, list[object]] = {}
    for _, metrics in points:
        for name, value in metrics.items():
            seen.setdefault(name, []).extend([value] if _is_number(value) else [])
    drawn = [name for name, values in seen.items() if len(values) >= FEWEST and len(set(values)) > 1]
    found: dict[str, dict[str, str]] = {}
    for name in drawn:
        if not _CHECKED.fullmatch(name):
            found.setdefault(_bare(name), {})[_FIRST] = name
    for name in drawn:
        if (of := _CHECKED.fullmatch(name)) and _FIRST in found.get(of["of"], {}):
            found[of["of"]][_SECOND] = name
        elif of:
            found[name] = {_FIRST: name}
    return found


def _bare(name: str) -> str:
    return of["of"] if (of := _TRAINED.fullmatch(name)) else name


def _panel(
    label: str, names: Mapping[str, str], points: Sequence[tuple[float, Mapping[str, Any]]]
) -> Iterator[Sequence[object]]:
    """A row for each step at which one of the panel's metrics was told."""
    for step, metrics in points:
        if any(name in metrics for name in names.values()):
            yield [label, step, *(_number(metrics.get(names.get(what, ""))) for what in (_FIRST, _SECOND))]


def _number(value: object) -> float:
    return float(value) if _is_number(value) else math.nan  # type: ignore[arg-type]


def _is_number(value: object) -> bool:
    return isinstance(value, float | int) and not isinstance(value, bool) and math.isfinite(value)
