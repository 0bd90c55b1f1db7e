"""What asking for help costs: `reports --help` against `python -c "import typer"`, as a ratio of medians.

python benchmarks/startup.py
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

RUNS = 15


def seconds(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def main() -> None:
    program = shutil.which("reports", path=str(Path(sys.executable).parent)) or "reports"
    ours, theirs = [program, "--help"], [sys.executable, "-c", "import typer"]
    seconds(ours), seconds(theirs)
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(RUNS)]
    help_time, typer_time = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"reports --help   {help_time * 1000:6.0f} ms")
    print(f"import typer     {typer_time * 1000:6.0f} ms")
    print(f"ratio            {help_time / typer_time:6.2f}   (at most 2.5)")


if __name__ == "__main__":
    main()
