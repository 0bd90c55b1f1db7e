"""The installed command, run as a process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

REPORTS = Path(sys.executable).with_name("reports")


def reports(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command's outcome, run in `folder`."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("REPORTS_")}
    return subprocess.run(
        [str(REPORTS), *arguments], cwd=folder, env=clean | environment, capture_output=True, text=True, check=False
    )
