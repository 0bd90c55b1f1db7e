"""`reports run cashflow` as a whole process against the hand-made script doing the same work, in one run.

    python benchmarks/run.py path/to/freddie_2020q1_sampler.csv

Each is started anew several times, in turn; the ratio is that of the medians.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]


def measure(command: list[str]) -> tuple[float, float]:
    """Seconds and peak memory (MB) of one process."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"failed: {' '.join(command)}")
    return time.perf_counter() - began, usage.ru_maxrss / 1000


def project(folder: Path, tape: Path) -> Path:
    """The sample project with the tape as its source: another loans.sql, and nothing else."""
    shutil.copytree(ROOT / "jobs", folder / "jobs")
    shutil.copytree(ROOT / "templates", folder / "templates")
    shutil.copyfile(ROOT / "tests" / "tapes" / "freddie.sql", folder / "jobs" / "cashflow" / "loans.sql")
    settings = (ROOT / "settings.toml").read_text("utf-8")
    settings = settings.replace("jobs/cashflow/tape.csv", str(tape)).replace("{ LOAN_ID", "{ id_loan")
    (folder / "settings.toml").write_text(settings, "utf-8")
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tape", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = project(Path(name) / "project", options.tape.absolute())
        reports = Path(sys.executable).with_name("reports")
        ours = [str(reports), "--project", str(folder), "run", "cashflow", "--as-of", "2020-03-31"]
        theirs = [sys.executable, str(ROOT / "benchmarks" / "handmade.py"), str(options.tape), f"{name}/out.eml"]
        measure(ours), measure(theirs)
        pairs = [(measure(ours), measure(theirs)) for _ in range(options.runs)]
    (our_time, our_memory), (their_time, their_memory) = (
        [statistics.median(column) for column in zip(*side, strict=True)] for side in zip(*pairs, strict=True)
    )
    print(f"reports run cashflow  {our_time:6.2f} s  {our_memory:6.0f} MB")
    print(f"the hand-made script  {their_time:6.2f} s  {their_memory:6.0f} MB")
    print(f"ratio                 {our_time / their_time:6.2f}   (at most 0.5)")


if __name__ == "__main__":
    main()
