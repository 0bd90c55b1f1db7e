"""The headline figures of a run, kept beside its files so that the next one can say what changed."""

from __future__ import annotations

import datetime as dt
import json

from reports import blocks
from reports.archive.packing import FIGURES_TYPE
from reports.archive.values import Unkept, read_all, written
from reports.errors import LostBytes
from reports.model import Artifact, Before
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
    content = json.dumps(figures, ensure_ascii=False, sort_keys=True).encode()
    return Artifact(name="figures.json", media_type=FIGURES_TYPE, content=content) if figures else None


def before(store: Store | None, job: str, as_of: dt.date) -> Before | None:
    """The figures of the job's last good run about an earlier day, if any are kept; one day is never its own past."""
    found = store.runs.before(job, as_of, FIGURES_TYPE) if store else None
    if store is None or found is None:
        return None
    run, artifact = found
    try:
        figures = json.loads(store.artifacts.get(artifact.sha256))
    except LostBytes:
        return None  # `reports check` tells of it; a report is worth more than its comparison
    return Before(as_of=run.as_of, figures=read_all(figures))
