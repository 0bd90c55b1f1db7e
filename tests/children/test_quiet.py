"""The end of a nursery says nothing: what libraries complain of when they are taken down is nobody's business."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import nursing, pathlib, sys, time
from reports.children import Limits, Nursery
nursery = Nursery(
    target="nursing:do", preload=["nursing", "reports.sources.files"], folder=pathlib.Path(sys.argv[1]) / "out"
)
nursery.warm()
child = nursery.start((nursing.draw,), Limits(), name="one")
while child.poll() is None:
    time.sleep(0.01)
nursery.close()
"""


def test_a_nursery_ends_without_a_word(tmp_path: Path) -> None:
    """With the libraries loaded that a run needs."""
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)],
        cwd=Path(__file__).parents[1], capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert ran.stdout + ran.stderr == ""
