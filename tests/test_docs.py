"""The documentation names all there is: every key, command and error."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import get_args

import pytest

from reports import definition, settings, toml
from reports.definition import RELATIVE_DATES
from reports.errors import DefinitionError
from reports.model import ChartKind
from reports.parts import Part
from reports.schedules.options import KINDS, Schedule
from reports.secret import Secret


def keys(*models: type[Part]) -> set[str]:
    return {field.alias or name for model in models for name, field in model.model_fields.items()}


@pytest.mark.parametrize(
    ("page", "models"),
    [
        ("schedules.md", (Schedule, definition.Retry)),
        ("service.md", (settings.Service,)),
        (
            "jobs.md",
            (definition.Definition, definition.ShowTable, definition.ShowChart, definition.ShowFigures,
             definition.ShowPicture, definition.ShowText, definition.ShowCallouts, definition.SheetOptions, definition.Workbook),
        ),
        ("languages.md", (definition.Audience,)),
        (
            "channels.md",
            (settings.SlackChannel, settings.SlackWebhook, settings.AppriseChannel,
             definition.Alerts, definition.Escalation, definition.Quiet),
        ),
        ("attachments.md", (definition.Attach, definition.Workbook, definition.CsvFile, definition.ParquetFile)),
        (
            "settings.md",
            (settings.Settings, settings.FileSource, settings.DatabaseSource, settings.SqlServerSource,
             settings.StoreSource, settings.Mail, settings.OAuth,
             settings.Store, Secret, settings.Theme, settings.Notify),
        ),
    ],
)  # fmt: skip
def test_every_key_is_documented(root: Path, page: str, models: tuple[type[Part], ...]) -> None:
    """A key nobody can read about does not exist."""
    text = (root / "docs" / page).read_text("utf-8")
    named = set(re.findall(r"[a-z_]+", text))
    assert keys(*models) - named == set()


def examples(root: Path) -> list[tuple[str, str]]:
    """Every example in TOML of the documentation, with its page."""
    pages = [root / "README.md", *sorted((root / "docs").glob("*.md"))]
    found = [
        (page.name, text)
        for page in pages
        for text in re.findall(r"```toml\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    ]
    other = re.compile(r"(?m)^password[^\n]*\npassword|^\[example_mail]")  # a choice of three; a provider's row
    return [(page, text) for page, text in found if not other.search(text)]


EXAMPLES = examples(Path(__file__).parents[1])


@pytest.mark.parametrize(("page", "text"), EXAMPLES, ids=[page for page, _ in EXAMPLES])
def test_every_example_is_right(page: str, text: str, tmp_path: Path) -> None:
    """It can be pasted into a job.toml, or into settings.toml, as it stands."""
    tables = tomllib.loads(text)
    of_settings = set(tables) <= keys(settings.Settings)
    path = tmp_path / page
    path.write_text(text if of_settings or "title" in tables else f'title = "x"\n{text}', "utf-8")
    model: type[Part] = settings.Settings if of_settings else definition.Definition
    assert toml.validate(toml.read(path, error=DefinitionError), model, error=DefinitionError, root=tmp_path)


def test_there_are_examples_of_schedules() -> None:
    """Or nothing would have been looked at."""
    assert [page for page, _ in EXAMPLES].count("schedules.md") >= 3
    assert {"README.md", "tutorial.md", "jobs.md", "deploy.md"} <= {page for page, _ in EXAMPLES}


@pytest.mark.parametrize("key", KINDS)
def test_every_value_that_a_schedule_may_have_is_one(root: Path, key: str) -> None:
    """Those in the table of the ways to say when; every way stands in it."""
    text = (root / "docs" / "schedules.md").read_text("utf-8")
    row = re.search(rf"(?m)^\| `{key}` \|(.*)$", text)
    assert row is not None
    values = [one for one in re.findall(r"`([^`]*)`", row[1]) if re.fullmatch(r'".*"|-?\d+|\[.*\]', one)]
    assert values or key == "cron"
    for value in values:
        assert Schedule.model_validate(tomllib.loads(f"{key} = {value}")), value
    for alias in re.findall(r"`(@\w+)`", row[1]) if key == "cron" else ():
        assert Schedule.model_validate(alias)


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


def test_every_rule_of_the_linter_is_documented(root: Path) -> None:
    """And every rule that the page names exists."""
    text = (root / "docs" / "linting.md").read_text("utf-8")
    code = "\n".join(path.read_text("utf-8") for path in sorted((root / "reports" / "lint").glob("*.py")))
    named = set(re.findall(r"`([a-z]+(?:-[a-z]+)+|contrast|script|bulk|priority)`", text)) - {"css-", "html-", "image-"}
    assert len(named) > 50
    of_a_list = {
        "from-missing",
        "date-missing",
        "message-id-missing",
        "lang-missing",
        "dir-missing",
        "lang-inside",
        "dir-inside",
    }
    assert {one for one in named if f'"{one}"' not in code} == of_a_list
    given = set(re.findall(r'rule="([a-z-]+)"|"(?:error|warning)", "([a-z-]+)"', code))
    assert {one or other for one, other in given} - {"warning"} <= named


def test_every_kind_of_chart_has_an_example_and_its_picture(root: Path) -> None:
    """On the page on charts, small enough to be read on the way."""
    kinds = {
        show["kind"]
        for page, text in EXAMPLES
        if page == "charts.md"
        for show in tomllib.loads(text)["show"]
        if "chart" in show
    }
    assert kinds == set(get_args(ChartKind))
    assert all((root / "docs" / "charts" / f"{kind}.png").stat().st_size <= 40_000 for kind in kinds)
