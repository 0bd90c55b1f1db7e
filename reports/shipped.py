"""The sample project that comes with the package: jobs, templates and settings, which exist once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

PARTS = ("settings.toml", "jobs", "templates")


@cache
def folder() -> Path:
    """Where the shipped project lies: inside the installed package, or the repository itself."""
    package = Path(__file__).parent
    inside = package / "_project"
    return inside if inside.is_dir() else package.parent


@cache
def template_folders(root: Path) -> Sequence[Path]:
    """Where a template is looked for, in order: the project's own, then the shipped ones."""
    return (root / "templates", folder() / "templates")
