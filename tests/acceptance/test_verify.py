"""A run is made again from what it fetched then, and every byte is compared."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from commands import command, reports

from reports.app import Wanted, open_app

SQL = "SELECT kind, count(*) AS n, sum(amount) AS amount, max(day) AS day FROM rows GROUP BY kind ORDER BY kind"
JOB = """
title = "Sums"
source = "rows"
[[show]]
figures = "headline"
[[show]]
table = "sums"
bars = ["amount"]
[[show]]
chart = "sums"
x = "kind"
y = "amount"
kind = "bar"
[attach]
excel = ["sums"]
"""
HOOKS = """
import pandas as pd

def datasets(frames, params):
    sums = frames["sums"]
    return {"headline": pd.DataFrame({"label": ["Amount"], "value": [sums["amount"].sum()], "format": ["currency"]})}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A job over a CSV file, with hooks, a picture and a workbook."""
    job = tmp_path / "jobs" / "sums"
    job.mkdir(parents=True)
    (job / "job.toml").write_text(JOB, "utf-8")
    (job / "sums.sql").write_text(SQL, "utf-8")
    (job / "hooks.py").write_text(HOOKS, "utf-8")
    (tmp_path / "settings.toml").write_text(
        '[sources.rows]\nfiles = "rows.csv"\n[mail]\nprovider = "folder"\nfrom = "r@example.com"\nto = "a@example.com"\n',
        "utf-8",
    )
    rows(tmp_path, "a,1.5,2026-10-30", "b,2.25,2026-10-31", "a,3,2026-10-01")
    return tmp_path


def rows(project: Path, *lines: str) -> None:
    (project / "rows.csv").write_text("kind,amount,day\n" + "\n".join(lines) + "\n", "utf-8")


def run(project: Path, as_of: str = "2026-10-31", *more: str) -> str:
    ran = command(project, "run", "sums", "--as-of", as_of, *more)
    assert ran.exit_code == 0, ran.output
    return str(json.loads(command(project, "runs", "--json").stdout)[0]["id"])


def verified(project: Path, *arguments: str) -> tuple[int, str]:
    ran = command(project, "verify", *arguments)
    return ran.exit_code, ran.output


def test_a_run_is_the_same_without_its_sources(project: Path) -> None:
    """The rows are others now, and nobody asks for them."""
    made = run(project)
    rows(project, "c,99,2026-11-01")
    status, said = verified(project, made[:8])
    assert (status, said.count("same     ")) == (0, 5), said
    for name in ("body.html", "body.txt", "chart-1.png", "Sums 2026-10-31.xlsx"):
        assert name in said


def test_a_changed_template_is_no_reason(project: Path) -> None:
    """The run is made again by the project as it was then; as it is now only where that is asked for."""
    made = run(project)
    (project / "jobs" / "sums" / "job.toml").write_text(JOB.replace('"Sums"', '"All sums"'), "utf-8")
    assert verified(project, made)[0] == 0
    status, said = verified(project, made, "--current", "--out", str(project / "out"))
    assert status == 1
    assert "All sums" in said
    assert "the job's definition was" in said
    then = (project / "out" / made / "then" / "body.html").read_text("utf-8")
    assert "All sums" not in then
    assert "All sums" in (project / "out" / made / "now" / "body.html").read_text("utf-8")


def test_hooks_that_look_at_the_clock_are_found_out(project: Path) -> None:
    """What differs is told: the line of the text, and the cell of the workbook."""
    (project / "jobs" / "sums" / "hooks.py").write_text(
        "import time\n" + HOOKS.replace('sums["amount"].sum()', "time.time_ns()"), "utf-8"
    )
    status, said = verified(project, run(project))
    lines = [line.strip() for line in said.splitlines()]
    assert status == 1
    assert "different  body.txt" in said
    assert [line[0] for line in lines if line[1:].startswith("Amount")] == ["-", "+"]
    assert "same       Sums 2026-10-31.xlsx" in said


def test_stored_bytes_that_were_altered_are_told(project: Path) -> None:
    """A file in the store that is not the one that was sent is no proof of anything."""
    made = run(project)
    (chart,) = [
        one for one in json.loads(command(project, "show", made, "--json").stdout)["artifacts"] if "png" in one["name"]
    ]
    stored = project / "var" / "artifacts" / chart["sha256"][:2] / chart["sha256"]
    stored.write_bytes(b"other")
    status, said = verified(project, made)
    assert status == 1
    assert "stored bytes were altered" in said
    stored.unlink()
    assert "stored bytes are missing" in verified(project, made)[1]


def test_all_of_a_job(project: Path) -> None:
    """As JSON, the newest first; what cannot be made again does not stand in the way."""
    first = run(project)
    with (project / "settings.toml").open("a", encoding="utf-8") as settings:
        settings.write("[store]\narchive = false\n")
    second = run(project)
    ran = command(project, "verify", "--all", "--job", "sums", "--json")
    found = json.loads(ran.stdout)
    assert ran.exit_code == 1
    assert [(one["run"], one["same"]) for one in found] == [(second, None), (first, True)]
    assert "archive = false" in found[0]["error"]


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("feed",), 1, "there is no run 'feed'"),
        ((), 2, "name a run, or say --all"),
        (("feed", "--all"), 2, "name a run, or say --all"),
        (("--all", "--job", "sms"), 1, "sums"),
    ],
)
def test_misuse_is_told(project: Path, arguments: tuple[str, ...], status: int, said: str) -> None:
    """With what to write instead."""
    run(project)
    ran = reports(project, "verify", *arguments)
    assert said in ran.stderr
    assert ran.returncode == status or (ran.returncode == 2 and status == 1)


def test_over_the_limit_it_says_so(project: Path) -> None:
    """In the run's log, and when somebody wants it verified; the figures are kept all the same."""
    with (project / "settings.toml").open("a", encoding="utf-8") as settings:
        settings.write('[store]\narchive_limit = "1kB"\n')
    made = run(project, "2026-10-30")
    assert "no datasets are archived" in command(project, "show", made).stdout
    status, said = verified(project, made)
    assert status == 1
    assert "archive_limit is 1,000 bytes" in said or "archive_limit is 1" in said


def test_an_archive_is_no_file_of_the_report(project: Path) -> None:
    """`reports show` lists what was made for readers."""
    record = json.loads(command(project, "show", run(project), "--json").stdout)
    assert [one["name"] for one in record["artifacts"]] == ["Sums 2026-10-31.xlsx", "chart-1.png"]


def test_a_figure_is_compared_with_the_last_day(project: Path) -> None:
    """Not with a test, and not with another run about the same day: sent again, it says the same."""
    run(project, "2026-10-30")
    rows(project, "a,100,2026-10-31")
    run(project, "2026-10-30", "--to", "me@example.com")
    first = command(project, "run", "sums", "--as-of", "2026-10-31", "--dry-run", "--out", str(project / "one"))
    run(project, "2026-10-31")
    command(project, "run", "sums", "--as-of", "2026-10-31", "--dry-run", "--out", str(project / "two"))
    assert first.exit_code == 0
    one, two = ((project / name / "body.txt").read_text("utf-8") for name in ("one", "two"))
    assert one == two
    with closing(open_app(project)) as app:
        page = app.dry_run("sums", Wanted(as_of="2026-10-31")).produced.page
    assert [str(page.compared), page.blocks[0].items[0].before] == ["2026-10-30", 6.75]  # type: ignore[union-attr]
    with sqlite3.connect(project / "var" / "reports.db") as store:
        kept = store.execute("SELECT count(*) FROM artifact WHERE name = 'figures.json'").fetchone()
    assert kept == (2,)


MAKE = """
import datetime as dt, hashlib, json, sys
from pathlib import Path
from reports.app import App, Wanted, open_app
from reports import project
settings, document = project.read_settings(Path(sys.argv[1]))
now = dt.datetime.fromisoformat(sys.argv[2])
app = App(settings, document, clock=lambda: now, new_id=lambda: sys.argv[3])
found = {}
for name, params in (("cashflow", {}), ("bulk_upload", {"now": "2026-10-31 23:00"}), ("training", {})):
    if (Path(sys.argv[1]) / "jobs" / name).is_dir():
        sent = app.dry_run(name, Wanted(as_of="2026-10-31", params=params))
        report = sent.produced.report
        parts = {"html": report.html.encode(), "text": report.text.encode(), "subject": report.subject.encode()}
        parts |= {one.name: one.content for one in (*report.images, *report.attachments)}
        found |= {f"{name}/{part}": hashlib.sha256(content).hexdigest() for part, content in parts.items()}
print(json.dumps(found))
"""


def made(project: Path, now: str, **environment: str) -> dict[str, str]:
    """The hashes of all that the sample jobs make, in a process of its own."""
    base = {name: value for name, value in os.environ.items() if name not in {"TZ", "LANG", "LC_ALL", "PYTHONHASHSEED"}}
    ran = subprocess.run(
        [sys.executable, "-c", MAKE, str(project), now, environment.pop("ID")],
        env=base | environment, cwd=project.parent, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    found: dict[str, str] = json.loads(ran.stdout)
    return found


def test_sample_jobs_give_the_same_bytes_anywhere_and_at_any_time(root: Path, tmp_path: Path) -> None:
    """In another folder, year, time zone, language and under another hash seed."""
    elsewhere = tmp_path / "another place" / "项目"
    for part in ("jobs", "templates"):
        shutil.copytree(root / part, elsewhere / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(root / "settings.toml", elsewhere / "settings.toml")
    here = tmp_path / "here"
    shutil.copytree(elsewhere, here)
    one = made(here, "2026-11-02T07:00:00+00:00", ID="1", PYTHONHASHSEED="1", TZ="UTC", LANG="C.UTF-8")
    two = made(elsewhere, "2031-06-07T23:59:59+00:00", ID="2", PYTHONHASHSEED="2", TZ="Asia/Kolkata", LC_ALL="C")
    assert one.keys() == two.keys()
    assert [name for name in one if one[name] != two[name]] == []
    assert len(one) > 8
