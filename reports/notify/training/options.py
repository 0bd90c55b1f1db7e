"""What may be said of a training: the same for plain loops and for the callbacks of the frameworks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

from reports.notify.training.names import Direction

OF_A_WATCH = frozenset({"to", "via", "project", "start", "apart", "every", "minutes"})
"""Those that a watch of the caller's own says itself."""


class Options(TypedDict, total=False):
    """What may be said of a training besides its name.

    to, via, project, start, apart: who is told by which settings, and when, as of a `watch`, where none is given
    every, minutes: an update each so many epochs (5), each so many minutes, or no sooner than both
    total: the epochs that are planned, those before a resumption included
    predictions: a function that gives sample predictions; it is called only when an update is due
    monitor: the metric that decides which epoch is best; else validation loss, or what comes nearest
    better: "up" or "down" by metric, where its name does not tell
    log, run: the CSV file of the job `training`, and the name in it if not the training's own
    saved: where the model will lie: a path, one with {epoch} in it, or a ModelCheckpoint
    unit: what is counted, "epoch" or "step"
    counted_from: 0 where the loop counts from 0; found out where it begins there
    after: the epoch or step that it goes on from, where the first number does not tell
    """

    to: str | Sequence[str]
    via: str | Sequence[str]
    project: Any
    start: bool
    apart: float
    every: float
    minutes: float
    total: float
    predictions: Callable[..., object]
    monitor: str
    better: Mapping[str, Direction]
    log: str | Path
    run: str
    saved: object
    unit: str
    counted_from: int
    after: float
