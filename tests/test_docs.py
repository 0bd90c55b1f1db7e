"""The documentation names all there is: every key, command and error."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from reports import definition, settings
from reports.definition import RELATIVE_DATES
from reports.schedules.options import Schedule


def keys(*models: type[definition.Part]) -> set[str]:
    return {field.alias or name for model in models for name, field in model.model_fields.items()}


@pytest.mark.parametrize(
    ("page", "models"),
    [
        ("schedules.md", (Schedule, definition.Retry)),
        ("service.md", (settings.Service,)),
        (
            "jobs.md",
            (definition.Definition, definition.ShowTable, definition.ShowChart, definition.ShowFigures,
             definition.ShowText, definition.SheetOptions, definition.Workbook),
        ),
        (
            "settings.md",
            (settings.Settings, settings.FileSource, settings.DatabaseSource, settings.Mail, settings.OAuth,
             settings.Store, settings.Secret),
        ),
    ],
)  # fmt: skip
def test_every_key_is_documented(root: Path, page: str, models: tuple[type[definition.Part], ...]) -> None:
    """A key nobody can read about does not exist."""
    text = (root / "docs" / page).read_text("utf-8")
    named = set(re.findall(r"[a-z_]+", text))
    assert keys(*models) - named == set()


def test_every_relative_date_is_documented(root: Path) -> None:
    """So is every word a date may be."""
    text = (root / "docs" / "jobs.md").read_text("utf-8")
    assert [word for word in RELATIVE_DATES if f"`{word}`" not in text] == []


def test_every_command_is_documented(root: Path) -> None:
    """And every command the page names exists."""
    text = (root / "docs" / "commands.md").read_text("utf-8")
    shown = subprocess.run([sys.executable, "-c", "from reports.cli import main; main()", "--help"],
                           capture_output=True, text=True, check=True).stdout  # fmt: skip
    commands = set(re.findall(r"^  ([a-z]+)  ", shown.partition("Commands:")[2], re.MULTILINE))
    assert commands == set(re.findall(r"\| `reports ([a-z]+)", text))
