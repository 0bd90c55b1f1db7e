"""The pages on notifications: every example is run as it stands, and does what the page says."""

from __future__ import annotations

import asyncio
import io
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from mailserver import MailServer
from notifying import PNG, attached, body, opened, pictures
from PIL import Image
from slackserver import SlackServer

from reports.notify import flush

DOCS = Path(__file__).parents[2] / "docs"


def examples(page: str, language: str) -> list[str]:
    text = (DOCS / page).read_text("utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


NOTIFY, WEB = examples("notify.md", "python"), examples("webapps.md", "python")


@pytest.fixture
def loggers() -> Iterator[None]:
    """The handlers of the root logger are what they were."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    yield
    for handler in root.handlers:
        if handler not in before:
            handler.close()
    root.handlers[:] = before
    root.setLevel(level)


@pytest.fixture
def place(account: MailServer, alone: Path, monkeypatch: pytest.MonkeyPatch, loggers: None) -> Iterator[Path]:
    """A folder with the files that the examples name, and a project with the channel that they name."""
    (alone / "curve.png").write_bytes(PNG)
    (alone / "errors.csv").write_text("line,reason\n17,no date\n", "utf-8")
    (alone / "log.txt").write_text("began\nended\n", "utf-8")
    made = io.BytesIO()
    Image.fromarray(np.zeros((30, 40, 3), dtype=np.uint8)).save(made, "JPEG")
    (alone / "field.jpg").write_bytes(made.getvalue())
    for text in examples("webapps.md", "jinja"):
        name = re.search(r"{# (\S+) #}", text)
        assert name
        (alone / name[1]).parent.mkdir(parents=True, exist_ok=True)
        (alone / name[1]).write_text(text.partition("\n")[2], "utf-8")
    with SlackServer() as slack:
        slack.world.found("cash").name = "ops"
        (alone / "token").write_text(slack.bot, "utf-8")
        (alone / "settings.toml").write_text(
            f'[channels.team]\ntoken = {{ file = "token" }}\napi = "{slack.api}"\n'
            '[notify]\nadmins = ["ops@example.com"]\nbase_url = "https://shop.example.com"\n',
            "utf-8",
        )
        yield alone
        flush(30)


def ran(text: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "example"}
    exec(compile(text, "example", "exec"), names)  # noqa: S102  what the page says
    assert flush(30)
    return names


@pytest.mark.parametrize("number", range(len(NOTIFY)))
def test_every_example_sends_something(number: int, place: Path, account: MailServer) -> None:
    """And raises nothing."""
    ran(NOTIFY[number])
    for handler in logging.getLogger().handlers:
        handler.flush()
    assert flush(30)
    assert account.messages


def test_the_first_example_is_what_it_says(place: Path, account: MailServer) -> None:
    """A picture that is shown, and two files, opened out of the mail that arrived."""
    ran(NOTIFY[0])
    mail = opened(account.messages[0].content)
    assert mail["Subject"] == "The upload is done."
    assert set(attached(mail)) == {"errors.csv", "log.txt"}
    assert attached(mail)["log.txt"].replace(b"\r\n", b"\n") == b"began\nended\n"
    assert pictures(mail) == {"picture-1": PNG}


def test_the_second_example_holds_all_kinds_of_parts(place: Path, account: MailServer) -> None:
    """Three pictures, four files and a table."""
    ran(NOTIFY[1])
    mail = opened(account.messages[0].content)
    assert mail["Subject"] == "Load of November"
    assert len(pictures(mail)) == 3
    assert list(attached(mail)) == ["log.txt", "errors.csv", "errors.xlsx", "raw.bin"]
    assert "Rows left out" in body(mail, "plain")
    assert "The field on the first day" in body(mail, "plain")


def test_an_error_of_a_view_is_told_to_the_admins(place: Path, account: MailServer) -> None:
    """With its traceback, as the page says; and the view answers."""
    names = ran(WEB[2])
    assert names["app"].test_client().get("/broken").status_code == 500
    for handler in names["app"].logger.handlers:
        handler.flush()
    assert flush(30)
    mail = opened(account.messages[0].content)
    assert mail["To"] == "ops@example.com"
    assert "ValueError: deep down" in body(mail, "plain")
    for handler in list(names["app"].logger.handlers):
        names["app"].logger.removeHandler(handler)
        handler.close()


@pytest.mark.parametrize("number", [0, 1])
def test_a_view_sends_what_the_page_says(number: int, place: Path, account: MailServer) -> None:
    """Of Flask and of FastAPI, by their own clients."""
    app = ran(WEB[number])["app"]
    if number == 0:
        assert app.test_client().post("/register/ann").status_code == 200
    else:
        asyncio.run(asked(app))
    assert flush(30)
    mail = opened(account.messages[0].content)
    assert mail["To"] == "ann@example.com"
    assert "https://shop.example.com/confirm/4711" in body(mail, "plain")
    assert "Hello <b>ann</b>" in body(mail, "html")


async def asked(app: Any) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://shop") as client:
        assert (await client.post("/register/ann")).status_code == 200


def test_there_are_examples() -> None:
    """Or nothing would have been run."""
    assert (len(NOTIFY), len(WEB)) == (8, 3)
