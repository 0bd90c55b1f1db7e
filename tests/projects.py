"""Small projects on disk, for tests that need one."""

from __future__ import annotations

from pathlib import Path

SALES = "region,day,revenue\nNorth,2026-10-30,1200.50\nSouth,2026-10-30,800\nNorth,2026-10-31,99.5\n"
SETTINGS = """\
timezone = "UTC"

[sources.sales]
files = "sales.csv"

[mail]
from = "Reports <reports@example.com>"
to = "finance@example.com"
provider = "folder"
"""
JOB = """\
title = "Daily sales"
source = "sales"
params = { day = "yesterday" }

[[show]]
table = "by_region"
total = ["revenue"]
"""
QUERY = """\
SELECT region, sum(revenue) AS revenue
FROM sales
WHERE day <= :day
GROUP BY region ORDER BY region
"""


def make_project(
    folder: Path, *, settings: str = SETTINGS, job: str = JOB, files: dict[str, str] | None = None
) -> Path:
    """A project with one job, `daily`; `files` adds or replaces files by their path in it."""
    standard = {
        "settings.toml": settings,
        "sales.csv": SALES,
        "jobs/daily/job.toml": job,
        "jobs/daily/by_region.sql": QUERY,
    }
    for name, content in {**standard, **(files or {})}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8", newline="")
    return folder
