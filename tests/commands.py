"""The command: as installed, in a process of its own, or here, where a process would add nothing."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from typer.testing import CliRunner, Result

from reports.cli import cli

REPORTS = Path(sys.executable).with_name("reports")


def reports(
    folder: Path,
    *arguments: str,
    through: Sequence[str] = (),
    before: Callable[[], object] | None = None,
    **environment: str,
) -> subprocess.CompletedProcess[str]:
    """The command's outcome, run in `folder`, perhaps by another program and after something done in its process."""
    return subprocess.run(
        [*through, str(REPORTS), *arguments],
        cwd=folder, env=_clean() | environment, capture_output=True, text=True, check=False, preexec_fn=before,
    )  # fmt: skip


def command(folder: Path, *arguments: str) -> Result:
    """The same command's outcome in this process."""
    try:
        return CliRunner().invoke(cli, arguments, env={"REPORTS_PROJECT": str(folder)})
    finally:
        gc.unfreeze()  # the command expects to be all that its process does


def start(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """The command at work in `folder`, to be killed or stopped; what it says is not kept."""
    return subprocess.Popen(
        [str(REPORTS), *arguments],
        cwd=folder, env=_clean(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def _clean() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("REPORTS_")}
