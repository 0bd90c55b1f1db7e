"""What stands in the place of `requests` in a plugin: the same to the plugin, and everything seen."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from chatserver import ChatServer

from reports.errors import Superseded
from reports.transports.base import nothing
from reports.transports.chat.exchanges import Exchanges, overheard


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer() as running:
        yield running


def test_a_request_is_answered_as_ever_and_noted(server: ChatServer) -> None:
    """By each method, with what `requests` has besides."""
    asked = Exchanges(timeout=5, handing_over=nothing)
    url = f"http://me:secret@{server.host}:{server.port}/place"
    assert asked.post(url, json={"a": 1}).json() == {"id": "1"}
    assert asked.put(url, data="text").status_code == asked.codes.ok == 200
    assert asked.get(url, params={"q": "x"}).ok
    assert [(one.method, one.path) for one in server.posts] == [
        ("POST", "/place"), ("PUT", "/place"), ("GET", "/place?q=x"),
    ]  # fmt: skip
    assert {one.place for one in asked.seen} == {f"{server.host}:{server.port}"}
    assert all(one.good for one in asked.seen)
    assert asked.RequestException is requests.RequestException


def test_it_is_told_before_the_first_byte_of_a_body_and_can_be_stopped(server: ChatServer) -> None:
    """What is raised then comes out as it is, is kept, and nothing has arrived."""

    def superseded() -> None:
        raise Superseded("another sender has it")

    asked = Exchanges(timeout=5, handing_over=superseded)
    with pytest.raises(Superseded):
        asked.post(f"http://{server.host}:{server.port}/place", data=b"body")
    assert isinstance(asked.stopped, Superseded)
    assert (server.posts, asked.seen) == ([], [])


def test_no_password_is_taken_from_a_netrc(server: ChatServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One that a plugin gives is used."""
    (tmp_path / "netrc").write_text(f"machine {server.host} login ann password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    asked = Exchanges(timeout=5, handing_over=nothing)
    asked.post(f"http://{server.host}:{server.port}/place", data="x")
    asked.post(f"http://{server.host}:{server.port}/place", data="x", auth=("bob", "pass"))
    assert [one.headers.get("Authorization", "") for one in server.posts] == ["", "Basic Ym9iOnBhc3M="]


def test_the_plugin_s_own_module_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the copy speaks through what is seen; a module without `requests` is left alone."""
    from apprise.plugins import custom_json  # noqa: PLC0415  an optional library

    asked = Exchanges(timeout=5, handing_over=nothing)
    copied, speaks = overheard(custom_json.NotifyJSON, asked, {"throttle": None})
    assert speaks
    assert issubclass(copied, custom_json.NotifyBase)
    assert vars(sys.modules[custom_json.NotifyJSON.__module__])["requests"] is requests
    assert copied.__mro__[1].send.__globals__["requests"] is asked  # type: ignore[attr-defined]
    silent = types.ModuleType("silent")
    monkeypatch.setitem(sys.modules, "silent", silent)
    plain = type("Plain", (), {"__module__": "silent"})
    made, speaks = overheard(plain, asked, {"words": 1})
    assert (speaks, issubclass(made, plain), vars(made)["words"]) == (False, True, 1)
