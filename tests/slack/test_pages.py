"""The page on Slack: its table is the one that errors read, its commands and its Python run as they stand."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import command
from projects import SETTINGS, make_project
from slackserver import SlackServer

from reports.slack import METHODS, blocks
from reports.slack.methods import MORE, REPORTS

CHANNEL = '\n[channels.team]\ntoken = {{ file = "token" }}\nuser_token = {{ file = "user" }}\napi = "{api}"\n'


@pytest.fixture
def server() -> Iterator[SlackServer]:
    """A workspace of the test's own."""
    with SlackServer() as running:
        yield running


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    """The page as it is written."""
    return (root / "docs" / "slack.md").read_text("utf-8")


def test_the_table_of_methods_is_the_one_that_errors_read(page: str) -> None:
    """Scope by scope."""
    rows = re.findall(r"(?m)^\| `([a-z]+\.[\w.]+)` \| (.*) \| (.*) \| (.*) \|$", page)
    told = {name: (does, *(tuple(re.findall(r"`([^`]+)`", cell)) for cell in cells)) for name, does, *cells in rows}
    assert told == {name: (one.does, one.bot, one.user) for name, one in METHODS.items()}


def test_every_scope_beyond_a_methods_own_is_told(page: str) -> None:
    """And the two that reports need."""
    assert all(f"`{scope}` | {what} |" in page for scope, what in MORE.items())
    assert all(f"- {scope}" in page for scope in REPORTS)


def test_the_limits_are_those_that_are_checked(page: str) -> None:
    """Number by number."""
    told = page.partition("## Limits")[2].partition("## ")[0]
    for limit in (
        blocks.BLOCKS,
        blocks.WHOLE,
        blocks.HEADER,
        blocks.TEXT,
        blocks.FIELDS,
        blocks.ROWS,
        blocks.CELLS,
        blocks.FALLBACK,
    ):
        assert f"{limit:,}" in told


def test_the_commands_run_as_they_stand(
    page: str, server: SlackServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the order of the page; a message and a file are those that were just posted."""
    make_project(tmp_path, settings=SETTINGS + CHANNEL.format(api=server.api))
    for name, text in (("token", server.bot), ("user", server.user), ("flows.csv", "month,amount\n1,12\n")):
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    posted = json.loads(command(tmp_path, "slack", "post", "#cash", "hello", "--json").stdout)["message"]
    lines = [line for text in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) for line in text.splitlines() if line]
    assert len(lines) > 20
    for line in lines:
        file = next(reversed(server.world.files), "")
        said = [{"MESSAGE": posted, "FILE": file}.get(one, one) for one in shlex.split(line)]
        ran = command(tmp_path, *said[1:])
        assert ran.exit_code == 0, f"{line}: {ran.output}"
    ran_by = {re.split(r"\s+", line)[2] for line in lines}
    listed = command(tmp_path, "slack", "--help").stdout.partition("Commands:")[2]
    assert ran_by == set(re.findall(r"(?m)^  ([a-z]+)  ", listed))


def test_the_python_runs_as_it_stands(page: str, server: SlackServer) -> None:
    """With the tokens of this workspace."""
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    given = code.replace('Slack("xoxb-...", "xoxp-...")', f'Slack("{server.bot}", "{server.user}", api="{server.api}")')
    assert given != code
    exec(compile(given, "docs/slack.md", "exec"), {})  # noqa: S102
    assert {"conversations.create", "files.completeUploadExternal", "search.messages"} <= set(server.calls())
    assert set(METHODS) - set(server.calls()) <= {
        "conversations.join",
        "conversations.open",
        "users.info",
        "conversations.setPurpose",
    }
