"""The service with very many jobs, with very many due at once, with nothing to do, and how soon a run begins.

    python benchmarks/service.py [--jobs 10000] [--due 1000] [--idle 60] [--runs 60]

Start: from the process's first instruction until it says READY, with that many jobs that it has never seen, and
again with jobs that it knows. Due: that many jobs whose occurrences lie within one minute, and again at one instant;
they do nothing but write a mail of one sentence, which is kept and saved as a file. Lateness is from the occurrence
until the run was claimed, and until it began, as the store has it. First line: a job of every two seconds whose
hooks.py writes down when it was entered; beside it what a user would do, a cold Python that imports pandas and
matplotlib, started by APScheduler at the same instants. Memory is what processes have for themselves (USS), with what
they share counted once (PSS).
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import os
import random
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]
SETTINGS = """\
[mail]
from = "Reports <reports@example.com>"
to = "finance@example.com"
provider = "folder"

[service]
health = ""
concurrency = {concurrency}
"""
JOB = """\
title = "Job {number}"
schedule = "{cron}"
[[show]]
text = "Nothing to see."
"""
HOOKS = """\
import pathlib, time
def datasets(frames, params):
    with pathlib.Path(__file__).with_name("entered").open("a") as file:
        file.write(f"{time.time()}\\n")
    return {}
"""
BY_HAND = """\
import subprocess, sys, time, datetime as dt
from apscheduler.schedulers.background import BackgroundScheduler
code = "import pandas, matplotlib.figure, time; print(time.time())"
def run(): subprocess.run([sys.executable, "-c", code])
scheduler = BackgroundScheduler()
scheduler.add_job(run, "cron", second="*/3", max_instances=5)
scheduler.start()
time.sleep(float(sys.argv[1]))
"""


def project(folder: Path, crons: Sequence[str], concurrency: int = 4) -> Path:
    """A project with a job for each cron expression."""
    (folder / "jobs").mkdir(parents=True)
    (folder / "settings.toml").write_text(SETTINGS.format(concurrency=concurrency))
    for number, cron in enumerate(crons):
        job = folder / "jobs" / f"job_{number}"
        job.mkdir()
        (job / "job.toml").write_text(JOB.format(number=number, cron=cron))
    return folder


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[tuple[psutil.Process, float]]:
    """The service at work, and the seconds until it said that it is ready."""
    address = folder / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(str(address))
        began = time.perf_counter()
        command = [str(Path(sys.executable).with_name("reports")), "serve", "--log", "json"]
        environment = os.environ | {"NOTIFY_SOCKET": str(address)}
        with (folder / "log").open("ab") as log:
            running = subprocess.Popen(command, cwd=folder, env=environment, stderr=log)
        try:
            line.settimeout(300)
            while b"READY" not in line.recv(200):
                pass
            yield psutil.Process(running.pid), time.perf_counter() - began
        finally:
            running.send_signal(signal.SIGTERM)
            running.wait(120)
    address.unlink()


def memory(process: psutil.Process) -> tuple[float, float]:
    """MB that the service has resident, and that it has with all its children, shared pages counted once."""
    everybody = [process, *process.children(recursive=True)]
    return process.memory_info().rss / 1e6, sum(one.memory_full_info().pss for one in everybody) / 1e6


def busy(process: psutil.Process, seconds: float) -> float:
    """The share of one core that it and its children use."""
    everybody = [process, *process.children(recursive=True)]

    def used() -> float:
        return sum(one.cpu_times().user + one.cpu_times().system for one in everybody if one.is_running())

    before = used()
    time.sleep(seconds)
    return (used() - before) / seconds


def query(folder: Path, sql: str) -> list[tuple[float, ...]]:
    with contextlib.closing(sqlite3.connect(folder / "var" / "reports.db")) as connection:
        return connection.execute(sql).fetchall()


def share(values: Sequence[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


def many_jobs(folder: Path, jobs: int, idle: float) -> None:
    draw = random.Random(1)
    project(folder, [f"{draw.randrange(60)} {draw.randrange(24)} 1 1 1-5" for _ in range(jobs)])
    for which in ("never seen", "known"):
        with serving(folder) as (process, seconds):
            time.sleep(3)
            own, whole = memory(process)
            print(f"start, {jobs:,} jobs {which:<11} {seconds:6.2f} s   (at most 3)")
            print(f"  resident {own:6.0f} MB (at most 200); with fork server and spare {whole:.0f} MB")
            if which == "known":
                print(f"idle with {jobs:,} jobs   {busy(process, idle):8.2%} of a core (under 0.5 %)")


def idle(folder: Path, seconds: float) -> None:
    project(folder, ["0 7 1 1 *"] * 10)
    with serving(folder) as (process, _):
        time.sleep(5)
        print(f"idle with 10 jobs       {busy(process, seconds):8.2%} of a core (under 0.5 %)")


def due(folder: Path, many: int, *, spread: bool) -> None:
    begin = dt.datetime.now(dt.UTC).replace(second=0, microsecond=0) + dt.timedelta(minutes=2)
    seconds = [number % 60 if spread else 0 for number in range(many)]
    crons = [f"{second} {begin.minute} {begin.hour} * * *" for second in seconds]
    project(folder, crons, concurrency=4)
    with serving(folder):
        while query(folder, "SELECT count(*) FROM run WHERE state = 'succeeded'")[0][0] < many:
            time.sleep(1)
            if dt.datetime.now(dt.UTC) > begin + dt.timedelta(minutes=10):
                break
    rows = query(
        folder,
        "SELECT (julianday(started) - julianday(occurrence)) * 86400, state FROM run",
    )
    states = {state: sum(1 for row in rows if row[1] == state) for state in {row[1] for row in rows}}
    began = [row[0] for row in rows]
    claimed = list(claims(folder / "log"))
    what = "within one minute" if spread else "at one instant"
    print(f"{many:,} due {what}: {states}")
    print(f"  claimed late by  median {statistics.median(claimed):6.3f} s, p99 {share(claimed, 0.99):6.3f} s (under 1)")
    print(f"  begun late by    median {statistics.median(began):6.3f} s, p99 {share(began, 0.99):6.3f} s")


def claims(log: Path) -> Iterator[float]:
    """How late each occurrence was written down as a row, queued for whoever has room."""
    import json

    for line in log.read_text().splitlines():
        record = json.loads(line)
        if record["event"] == "run queued":
            at = dt.datetime.fromisoformat(record["at"])
            yield (at - dt.datetime.fromisoformat(record["occurrence"])).total_seconds()


def first_line(folder: Path, runs: int) -> None:
    project(folder, ["*/2 * * * * *"])
    (folder / "jobs/job_0/hooks.py").write_text(HOOKS)
    with serving(folder):
        time.sleep(runs * 2)
    entered = [float(line) for line in (folder / "jobs/job_0/entered").read_text().split()][2:]
    ours = [at % 2 for at in entered]
    by_hand = subprocess.run(
        [sys.executable, "-c", BY_HAND, str(runs)], capture_output=True, text=True, check=True
    ).stdout
    theirs = [float(line) % 3 for line in by_hand.split()]
    print(f"first line of job code, of {len(ours)} runs: median {statistics.median(ours) * 1000:.0f} ms (at most 60),"
          f" p90 {share(ours, 0.9) * 1000:.0f} ms")  # fmt: skip
    print(f"  cold Python with pandas and matplotlib: median {statistics.median(theirs) * 1000:.0f} ms;"
          f" ratio {statistics.median(ours) / statistics.median(theirs):.3f}")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--due", type=int, default=1_000)
    parser.add_argument("--idle", type=float, default=120)
    parser.add_argument("--runs", type=int, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        first_line(folder / "first", options.runs)
        many_jobs(folder / "many", options.jobs, options.idle)
        idle(folder / "idle", options.idle)
        due(folder / "minute", options.due, spread=True)
        due(folder / "instant", options.due, spread=False)


if __name__ == "__main__":
    main()
