"""What an upload holds does not grow with its file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from places import Place, place

CODE = """
import resource, sys
import reports
done = reports.upload(sys.argv[1], "wh.loans", project=sys.argv[2], mode=sys.argv[3])
assert done.ok, done.error
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.fixture
def where(tmp_path: Path) -> Place:
    made = place("sqlite", tmp_path, "sqlite:///wh.db")
    made.run("CREATE TABLE loans (id INTEGER, branch TEXT, amount DECIMAL(12, 2), opened DATE, note TEXT)")
    return made


def peak(where: Place, rows: int, mode: str) -> int:
    path = where.folder / f"{rows}.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write("id,branch,amount,opened,note\n")
        file.writelines(
            f"{n},branch {n % 97},{n / 4:.2f},2026-01-{n % 28 + 1:02d},a note of {n}\n" for n in range(rows)
        )
    ran = subprocess.run(
        [sys.executable, "-c", CODE, path, where.folder, mode], capture_output=True, text=True, check=True
    )
    return int(ran.stdout)


@pytest.mark.parametrize("mode", ["append", "replace"])
def test_memory_is_flat(where: Place, mode: str) -> None:
    """Forty times the rows, and at most a fifth more; benchmarks/upload.py --memory looks at millions."""
    assert peak(where, 400_000, mode) < 1.2 * peak(where, 10_000, mode)
