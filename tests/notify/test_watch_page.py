"""The page on long work: its examples work as they stand there."""

from __future__ import annotations

import os
import random
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from commands import REPORTS
from mailserver import MailServer
from matplotlib.figure import Figure
from PIL import Image
from watched import account as account_of
from watched import end_watchers, mails

from reports.cli import cli
from reports.notify import boxes
from reports.notify.collecting import Collecting
from reports.notify.moments import Options
from reports.notify.voice import voice

PAGE = Path(__file__).parents[2] / "docs" / "watch.md"


def examples(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)


def lines() -> list[str]:
    return [line for block in examples("sh") for line in block.splitlines()]


def names() -> dict[str, Any]:
    """What the examples take for granted."""

    def store(row: Any) -> None:
        if row["amount"] == "n/a":
            raise ValueError(f"no amount: {row['amount']!r}")

    figure = Figure()
    figure.subplots().plot([3, 1, 2])
    return {
        "steps": 200, "batch": lambda: None, "train": lambda _: (random.random(), random.random()),  # noqa: S311
        "sample_predictions": lambda: figure, "confusion": lambda: {"Confusion": pd.DataFrame({"cat": [3], "dog": [1]})},
        "rows": lambda _: [{"id": 1, "amount": "2.5"}, {"id": 2, "amount": "n/a"}], "store": store,
        "load": lambda _: None,
    }  # fmt: skip


@pytest.fixture(autouse=True)
def over() -> Iterator[None]:
    """What an example has watched is told before its server goes."""
    yield
    voice().close()
    end_watchers()


@pytest.mark.parametrize("number", range(4))
def test_every_example_in_python_runs(account: MailServer, alone: Path, number: int) -> None:
    """And somebody is told."""
    (alone / "metrics.csv").write_text("step,loss\n1,0.5\n", "utf-8")
    found = examples("python")
    assert len(found) == 4
    known = names()
    if number == 2:  # its rows are all good ones
        known["rows"] = lambda _: [{"id": 1, "amount": "2.5"}]
    exec(compile(found[number], str(PAGE), "exec"), known)  # noqa: S102  our own page
    assert voice().wait(60)
    assert boxes.flush(60)
    last = mails(account)[-1]
    assert last.subject.startswith("Finished")
    assert account.messages[-1].recipients == ("me@example.com",)


@pytest.mark.skipif(os.name != "posix", reason="a shell of POSIX")
@pytest.mark.parametrize("line", lines())
def test_every_example_for_the_shell_runs(server: MailServer, alone: Path, tmp_path: Path, line: str) -> None:
    """As it can be pasted."""
    Image.new("RGB", (30, 20), "red").save(alone / "curve.png")
    for name, content in {
        "errors.csv": "a\n1\n", "report.html": "<p>Well</p>", "build.log": "error\n", "Makefile": "all:\n\techo built\n",
        "train.py": "for n in (1, 5):\n    print(f'epoch {n}/5 loss=0.5')\n", "load.sh": "#!/bin/sh\necho loaded\nexit 3\n",
    }.items():  # fmt: skip
        (alone / name).write_text(content, "utf-8")
    (alone / "load.sh").chmod(0o755)
    path = os.pathsep.join([str(REPORTS.parent), os.environ["PATH"]])
    ran = subprocess.run(
        ["sh", "-c", line], cwd=alone, env={**os.environ, **account_of(server, tmp_path / "data"), "PATH": path},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == (3 if "load.sh" in line else 0), ran.stderr
    assert mails(server)


def test_every_option_is_on_the_page() -> None:
    """Of watch and collect, and of both commands."""
    text = PAGE.read_text("utf-8")
    wanted = {f"`{name}`" for name in {*Options.__annotations__, *Collecting.__annotations__} - {"command"}}
    assert [name for name in sorted(wanted) if name not in text] == []
    commands = [one for one in cli.registered_commands if one.callback and one.callback.__name__ in ("notify", "watch")]
    assert len(commands) == 2
    for command in commands:
        for name in command.callback.__annotations__:  # type: ignore[union-attr]
            option = {"as_json": "json", "image": "image"}.get(name, name)
            if name not in ("ctx", "text", "command", "return", "subject"):
                assert f"--{option}" in text, option
