"""Promises of `send_email`: text and HTML by templates, links that can be opened, and no request that waits for a server."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fastapi
import flask
import httpx
import pytest
from mailserver import MailServer
from notifying import body, opened

from reports.errors import ReportsError
from reports.notify import flush, send_email

TEXT = "Hello {{ name }},\n\nconfirm: {{ url('/confirm/' ~ token) }}\n"
HTML = """<p>Hello <b>{{ name }}</b>, <a href="{{ url('/confirm/' ~ token) }}">confirm</a></p>\n"""


@pytest.fixture
def templates(alone: Path) -> Path:
    """A folder with one mail in both forms."""
    folder = alone / "templates" / "mail"
    folder.mkdir(parents=True)
    (folder / "welcome.txt.j2").write_text(TEXT, "utf-8")
    (folder / "welcome.html.j2").write_text(HTML, "utf-8")
    return folder.parent


@pytest.fixture
def shop(account: MailServer, templates: Path, monkeypatch: pytest.MonkeyPatch) -> MailServer:
    """The account of a web application, whose server takes its time."""
    monkeypatch.setenv("REPORTS_BASE_URL", "https://shop.example.com/app/")
    account.pause = 2
    return account


def test_text_and_html_are_made_by_their_templates(shop: MailServer) -> None:
    """Escaped where that is needed, with links that begin at the base URL."""
    shop.pause = 0
    handle = send_email("ann@example.com", "Welcome", "mail/welcome", name="Ann & Bob", token="t1")
    assert handle.wait(30)
    mail = opened(shop.messages[0].content)
    assert body(mail, "plain") == "Hello Ann & Bob,\n\nconfirm: https://shop.example.com/app/confirm/t1\n"
    assert "Hello <b>Ann &amp; Bob</b>" in body(mail, "html")
    assert 'href="https://shop.example.com/app/confirm/t1"' in body(mail, "html")
    assert mail["Subject"] == "Welcome"


def test_it_returns_before_the_server_has_answered(shop: MailServer) -> None:
    """The handle says how it went, when somebody wants to know."""
    handle = send_email("ann@example.com", "Welcome", "mail/welcome", name="Ann", token="t1")
    assert shop.messages == []
    assert not handle.result
    assert handle.wait(30)
    assert len(shop.messages) == 1


def test_a_view_of_flask_does_not_wait(shop: MailServer) -> None:
    """The answer is there while the mail server still thinks."""
    app = flask.Flask("shop")

    @app.get("/register/<name>")
    def register(name: str) -> str:
        send_email(f"{name}@example.com", "Welcome", "mail/welcome", name=name, token="t1")
        return "look into your mailbox"

    client = app.test_client()
    answers = [client.get(f"/register/{name}") for name in ("ann", "bob")]
    assert [one.status_code for one in answers] == [200, 200]
    assert shop.messages == []
    assert flush(30)
    assert sorted(one.recipients for one in shop.messages) == [("ann@example.com",), ("bob@example.com",)]


def test_a_view_of_fastapi_does_not_wait_nor_does_its_loop(shop: MailServer) -> None:
    """Other requests are answered meanwhile."""
    app = fastapi.FastAPI()

    @app.get("/register/{name}")
    async def register(name: str) -> str:
        send_email(f"{name}@example.com", "Welcome", "mail/welcome", name=name, token="t1")
        return "look into your mailbox"

    @app.get("/ping")
    async def ping() -> str:
        return "pong"

    async def ask() -> list[int]:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            paths = ("/register/ann", "/ping", "/register/bob", "/ping")
            return [one.status_code for one in await asyncio.gather(*map(client.get, paths))]

    assert asyncio.run(ask()) == [200, 200, 200, 200]
    assert shop.messages == []
    assert flush(30)
    assert sorted(one.recipients for one in shop.messages) == [("ann@example.com",), ("bob@example.com",)]


def test_a_view_answers_though_there_is_no_network(shop: MailServer) -> None:
    """What is pending goes by itself later."""
    shop.stop()
    handle = send_email("ann@example.com", "Welcome", "mail/welcome", name="Ann", token="t1")
    result = handle.wait(30)
    assert [one.state for one in result] == ["pending"]


def test_what_the_templates_saw_may_change_afterwards(shop: MailServer) -> None:
    """They are filled before it returns: what belongs to the request is used while that lasts."""
    said = {"name": "Ann"}

    class Lazy:
        def __str__(self) -> str:
            return said["name"]

    handle = send_email("ann@example.com", "Welcome", "mail/welcome", name=Lazy(), token="t1")
    said["name"] = "somebody else"
    assert handle.wait(30)
    assert "Hello Ann," in body(opened(shop.messages[0].content), "plain")


@pytest.mark.parametrize("there", ["txt", "html"])
def test_one_template_is_enough(shop: MailServer, templates: Path, there: str) -> None:
    """The other form is made of it."""
    shop.pause = 0
    (templates / "mail" / f"welcome.{'html' if there == 'txt' else 'txt'}.j2").unlink()
    assert send_email("ann@example.com", "Welcome", "mail/welcome", name="Ann", token="t1").wait(30)
    mail = opened(shop.messages[0].content)
    for kind in ("plain", "html"):
        assert "https://shop.example.com/app/confirm/t1" in body(mail, kind)


def test_a_template_that_is_changed_is_read_again(shop: MailServer, templates: Path) -> None:
    """Without a restart."""
    shop.pause = 0
    assert send_email("ann@example.com", "Welcome", "mail/welcome", name="Ann", token="t1").wait(30)
    path = templates / "mail" / "welcome.txt.j2"
    path.write_text("Changed, and longer than it was: {{ name }}\n", "utf-8")
    os.utime(path, (2_000_000_000, 2_000_000_000))
    assert send_email("ann@example.com", "Welcome", "mail/welcome", name="Ann", token="t1").wait(30)
    assert "Changed" in body(opened(shop.messages[1].content), "plain")


def test_templates_may_be_anywhere(shop: MailServer, tmp_path: Path) -> None:
    """In a folder that the call names, or in the project's."""
    shop.pause = 0
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "note.txt.j2").write_text("A note for {{ name }}", "utf-8")
    assert send_email("ann@example.com", "Note", "note", templates=tmp_path / "own", name="Ann").wait(30)
    (tmp_path / "project" / "templates").mkdir(parents=True)
    (tmp_path / "project" / "settings.toml").write_text("", "utf-8")
    (tmp_path / "project" / "templates" / "note.txt.j2").write_text("The project's note", "utf-8")
    assert send_email("ann@example.com", "Note", "note", project=tmp_path / "project").wait(30)
    assert [body(opened(one.content), "plain").strip() for one in shop.messages] == [
        "A note for Ann",
        "The project's note",
    ]


def test_links_that_are_whole_stay_so(shop: MailServer, templates: Path) -> None:
    """Only paths are put below the base URL."""
    shop.pause = 0
    (templates / "links.txt.j2").write_text(
        "{{ '/a' | url }} {{ url('a?b=1') }} {{ url('https://example.com/x') }} {{ url('mailto:a@example.com') }}",
        "utf-8",
    )
    assert send_email("ann@example.com", "Links", "links").wait(30)
    base = "https://shop.example.com/app"
    expected = f"{base}/a {base}/a?b=1 https://example.com/x mailto:a@example.com"
    assert body(opened(shop.messages[0].content), "plain").strip() == expected


@pytest.mark.parametrize(
    ("template", "context", "named"),
    [
        ("mail/welcom", {}, "did you mean 'mail/welcome'"),
        ("mail/welcome", {"name": "Ann"}, "'token' is undefined"),
        ("mail/welcome", {"token": "t1"}, "this mail was given token"),
        ("broken", {}, r"broken\.txt\.j2:1"),
    ],
)
def test_a_mistake_is_told_at_once(
    shop: MailServer, templates: Path, template: str, context: dict[str, Any], named: str
) -> None:
    """With the template's line, and nothing is sent."""
    (templates / "broken.txt.j2").write_text("{% if %}", "utf-8")
    with pytest.raises(ReportsError) as caught:
        send_email("ann@example.com", "Welcome", template, **context)
    assert re.search(named, str(caught.value))


def test_a_link_without_a_base_is_told(account: MailServer, templates: Path) -> None:
    """With the key that is missing; a mail with a link that leads nowhere is worse than none."""
    with pytest.raises(ReportsError, match="there is no base_url") as caught:
        send_email("ann@example.com", "Welcome", "mail/welcome", name="Ann", token="t1")
    assert "welcome.txt.j2:3" in str(caught.value)


def test_a_mail_to_nobody_is_a_mistake(shop: MailServer) -> None:
    """Else it would go to the shop itself."""
    with pytest.raises(ReportsError, match="nobody to send to"):
        send_email([], "Welcome", "mail/welcome", name="Ann", token="t1")


def test_headers_cannot_be_injected(shop: MailServer) -> None:
    """By whatever a visitor writes into a form."""
    for to, subject in (("a@example.com\nBcc: b@example.com", "x"), ("a@example.com", "x\r\nBcc: b@example.com")):
        with pytest.raises(ReportsError, match=r"U\+000[AD]"):
            send_email(to, subject, "mail/welcome", name="Ann", token="t1")


def test_the_context_may_be_called_anything(shop: MailServer, templates: Path) -> None:
    """Also what the call's own first words are called."""
    shop.pause = 0
    (templates / "words.txt.j2").write_text("{{ to }} {{ subject }} {{ template }} {{ user }}", "utf-8")
    handle = send_email("a@example.com", "x", "words", to="1", subject="2", template="3", user="4")
    assert handle.wait(30)
    assert body(opened(shop.messages[0].content), "plain").strip() == "1 2 3 4"


@pytest.fixture(autouse=True)
def _ends(alone: Path) -> Iterator[None]:
    """What is on its way is over before the next test begins."""
    yield
    flush(30)
