"""The installed command as a process that is killed at an exact point of its work.

A point is what another process, or the same one after a restart, could see: a file of the project opened
for writing, renamed or removed, a folder made, a statement of SQLite (BEGIN and COMMIT too), a connection to
a server. Killing at a point means right before it happens. What a server sees of a conversation, down to
half of a message, are the steps of `sink.Sink`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

REPORTS = (str(Path(sys.executable).with_name("reports")),)
KILLED = -9


def points(folder: Path, *arguments: str, command: Sequence[str] = REPORTS) -> list[str]:
    """The names of all points of a run that nothing disturbs, in order; the first is number 1.

    Paths are relative to the project; numbers, quoted texts and hashes are written as #.
    """
    ran, names = _run(folder, 0, command, arguments)
    if ran.returncode < 0:
        raise AssertionError(f"it ended by signal {-ran.returncode}: {ran.stderr}")
    return names


def killed_at(
    folder: Path, number: int, *arguments: str, command: Sequence[str] = REPORTS
) -> subprocess.CompletedProcess[str]:
    """The outcome of a run with SIGKILL right before its point `number`: its return code is KILLED.

    A run with fewer points ends as it does. The name of the last point it came to is the end of stderr.
    """
    if number < 1:
        raise ValueError("the first point is number 1")
    ran, names = _run(folder, number, command, arguments)
    ran.stderr += f"\nlast point: {len(names)} {names[-1] if names else 'none'}"
    return ran


def _run(
    folder: Path, last: int, command: Sequence[str], arguments: Sequence[str]
) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    with tempfile.TemporaryDirectory(prefix="points-") as outside:
        log = Path(outside) / "log"
        ran = subprocess.run(
            [*command, *arguments], cwd=folder, env=environment(folder, log, last),
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return ran, log.read_text("utf-8").splitlines() if log.exists() else []


def environment(folder: Path, log: Path, last: int) -> dict[str, str]:
    """The environment in which a Python process counts its points in `log` and dies at the one numbered `last`."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("REPORTS_")}
    path = os.pathsep.join(filter(None, [str(Path(__file__).with_name("points")), clean.get("PYTHONPATH", "")]))
    return clean | {
        "PYTHONHASHSEED": "0",  # the order of sets is the order of some statements
        "PYTHONPATH": path, "POINTS_FOLDER": str(folder), "POINTS_LOG": str(log), "POINTS_LAST": str(last),
    }  # fmt: skip
