"""The headline figures of a run, kept beside its files so that the next one can say what changed."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from reports import blocks
from reports.archive.packing import FIGURES_TYPE
from reports.archive.values import Unkept, read_all, written
from reports.errors import LostBytes
from reports.model import Artifact, Before, Run, StoredArtifact
from reports.pipeline import Produced
from reports.store import Store


def kept(made: Produced) -> Artifact | None:
    """The figures of a report, or None where it has none."""
    figures = {}
    for name, value in blocks.figures(made.page.blocks).items():
        try:
            figures[name] = written(value)
        except Unkept:
            continue  # no number and no date: nothing to compare
    content = json.dumps(figures, sort_keys=True).encode()
    return Artifact(name="figures.json", media_type=FIGURES_TYPE, content=content) if figures else None


def before(store: Store | None, run: Run) -> Before | None:
    """The figures of the job's last good run about an earlier day, with the same params, if any are kept.

    Dates aside: those move with the day. One day is never its own past.
    """
    if store is None:
        return None
    for earlier, artifact in store.runs.before(run.job, run.as_of, FIGURES_TYPE):
        if _lasting(earlier) == _lasting(run):
            return _read(store, earlier, artifact)
    return None


def _lasting(run: Run) -> dict[str, Any]:
    return {name: value for name, value in run.params.items() if not isinstance(value, dt.date)}


def _read(store: Store, run: Run, artifact: StoredArtifact) -> Before | None:
    try:
        figures = json.loads(store.artifacts.get(artifact.sha256))
    except LostBytes:
        return None  # `reports check` tells of it; a report is worth more than its comparison
    return Before(as_of=run.as_of, figures=read_all(figures))
