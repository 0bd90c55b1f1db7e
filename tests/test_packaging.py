"""What is shipped: the sample project once, its tape as made, the README's commands."""

from __future__ import annotations

import runpy
import tomllib
from pathlib import Path

from reports import shipped


def test_the_sample_tape_is_what_its_generator_makes(root: Path) -> None:
    """Nobody's real loans, and the same for everybody."""
    made = runpy.run_path(str(root / "jobs" / "cashflow" / "make_tape.py"))["tape"]()
    assert (root / "jobs" / "cashflow" / "tape.csv").read_text("utf-8") == made


def test_the_sample_log_of_training_is_what_its_generator_makes(root: Path) -> None:
    """No line of a statement in it is anybody's, and it is small."""
    folder = root / "jobs" / "training"
    made = runpy.run_path(str(folder / "make_log.py"))["log"]()
    there = tuple((folder / name).read_text("utf-8") for name in ("metrics.csv", "predictions.csv"))
    assert there == made
    assert sum(len(text.encode()) for text in there) < 60_000


def test_the_sample_project_is_shipped_in_the_wheel(root: Path) -> None:
    """Every part that `reports init` lays out."""
    wheel = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["force-include"] == {part: f"reports/_project/{part}" for part in shipped.PARTS}


def test_the_readme_opens_with_the_two_commands(root: Path) -> None:
    """Typed as written, they work."""
    block = (root / "README.md").read_text("utf-8").split("```")[1]
    assert block.splitlines()[1:] == ["pip install -e . && reports run cashflow", 'pip install -e ".[test]" && pytest']
