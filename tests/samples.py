"""The sample jobs' reports of fixed days, as they are shown, checked by eye and compared."""

from __future__ import annotations

import datetime as dt
import shutil
from contextlib import closing
from pathlib import Path

from storing import opened
from upload_log import month

from reports.app import Sent, Wanted, open_app

FRIDAY = dt.date(2026, 11, 27)
SAMPLES = {
    "cashflow": Wanted(as_of="2026-10-31"),
    "bulk_upload": Wanted(as_of=FRIDAY.isoformat(), params={"now": f"{FRIDAY} 18:00"}),
    "training": Wanted(as_of="2026-11-26"),
}
"""Each with the date it is about: a portfolio, a bad day of uploads, a run in the middle of its training."""
BEFORE = {"cashflow": "2026-09-30", "bulk_upload": "2026-11-26", "training": "2026-11-25"}
"""The dates of the runs before, with which figures are compared."""


def laid_out(folder: Path, root: Path) -> Path:
    """The sample project in `folder`, with a month of uploads in its store."""
    for part in ("jobs", "templates"):
        shutil.copytree(root / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(root / "settings.toml", folder / "settings.toml")
    store = opened(folder)
    month(FRIDAY).keep(store)
    store.close()
    return folder


def report(job: str, folder: Path) -> Sent:
    """The report of the job's day, in a project that is laid out, after a run for the date before; nothing is sent."""
    with closing(open_app(folder)) as app:
        if not app.runs(job):
            app.run(job, Wanted(as_of=BEFORE[job]))
        return app.dry_run(job, SAMPLES[job])
