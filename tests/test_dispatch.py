"""The outbox emptied channel by channel: none stands in another's way, and what may not go is held with its reason."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from chatserver import ChatServer, Post
from mailserver import MailServer
from storing import DAY, HOUR, NOW, a_run, ended, opened, outgoing

from reports.dispatch import Dispatch
from reports.model import Message
from reports.settings import Settings
from reports.store import Store
from reports.transports.notes import Note, pack

HOOK = {"url": {"env": "REPORTS_TEST_NO_SUCH_URL"}}


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer(security="none") as running:
        yield running


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(opened(tmp_path)) as made:
        yield made


def settings(server: MailServer, folder: Path, *, mail: dict[str, Any] | None = None, **channels: Any) -> Settings:
    account = {"host": server.host, "port": server.port, "security": "none", "from": "me@example.com"}
    given = {"mail": account | (mail or {}), "channels": channels}
    return Settings.model_validate(given, context={"root": folder})


def dispatch(store: Store, given: Settings, now: dt.datetime = NOW) -> Dispatch:
    return Dispatch(settings=given, store=store, clock=lambda: now)


def fill(store: Store, *, number: int = 1, **channel: Any) -> None:
    """A run whose report goes by mail and to one place on the channel `push`."""
    run = a_run(number)
    assert store.runs.start(run, owner="me", until=NOW + HOUR)
    messages = [
        outgoing(f"mail{number}", "a@example.com", expires=NOW + DAY),
        outgoing(f"push{number}", "phone", channel="push", expires=NOW + DAY, **channel),
    ]
    store.runs.succeed(ended(run, finished=NOW), owner="me", artifacts=[], messages=messages)


def found(store: Store) -> dict[str, str]:
    return {one.recipient: one.state for one in store.outbox.deliveries(every=True)}


def test_a_channel_that_cannot_be_opened_waits_and_mail_goes(server: MailServer, store: Store, tmp_path: Path) -> None:
    """What keeps it shut stands with its deliveries, with what to do, and they are tried again."""
    fill(store)
    dispatch(store, settings(server, tmp_path, push=HOOK)).deliver()
    assert [one.recipients for one in server.messages] == [("a@example.com",)]
    (waiting,) = store.outbox.deliveries()
    assert (waiting.recipient, waiting.state, waiting.attempts) == ("phone", "pending", 1)
    assert "REPORTS_TEST_NO_SUCH_URL is not set" in waiting.last_reply
    assert waiting.hint.startswith("set REPORTS_TEST_NO_SUCH_URL")
    assert waiting.next_attempt is not None
    assert NOW < waiting.next_attempt < NOW + HOUR


def test_what_settings_no_longer_name_is_held(server: MailServer, store: Store, tmp_path: Path) -> None:
    """With the reason, and what to do once the channel is there again."""
    fill(store)
    dispatch(store, settings(server, tmp_path)).deliver()
    assert found(store) == {"a@example.com": "accepted", "phone": "held"}
    (held,) = store.outbox.deliveries()
    (said,) = store.outbox.attempts([held.id])[held.id]
    assert said.text.startswith("settings.toml has no [channels.push] any more")


def test_nothing_leaves_by_a_channel_outside_production(server: MailServer, store: Store, tmp_path: Path) -> None:
    """[mail] redirect says that it is not production; the channel's messages are held."""
    fill(store)
    given = settings(server, tmp_path, mail={"redirect": "me@example.com"}, push=HOOK)
    dispatch(store, given).deliver()
    assert found(store)["phone"] == "held"
    held = next(one for one in store.outbox.deliveries() if one.recipient == "phone")
    assert "redirect" in store.outbox.attempts([held.id])[held.id][0].text


def test_what_is_due_later_is_left_alone(server: MailServer, store: Store, tmp_path: Path) -> None:
    """Also by the rules above: it is looked at when its time has come."""
    fill(store, due=NOW + HOUR)
    given = settings(server, tmp_path)
    dispatch(store, given).deliver()
    assert found(store) == {"a@example.com": "accepted", "phone": "pending"}
    assert dispatch(store, given).next_due() == NOW + HOUR
    dispatch(store, given, NOW + HOUR).deliver()
    assert found(store)["phone"] == "held"


def test_mail_that_cannot_be_used_keeps_no_channel_from_being_looked_at(store: Store, tmp_path: Path) -> None:
    """The error of mail is told after that."""
    fill(store)
    broken = Settings.model_validate({"mail": {"provider": "no such one"}}, context={"root": tmp_path})
    with pytest.raises(Exception, match="no such one"):
        dispatch(store, broken).deliver()
    assert found(store) == {"a@example.com": "pending", "phone": "held"}


def test_channels_send_by_turns(server: MailServer, store: Store, tmp_path: Path) -> None:
    """A slow one makes way after each message, for mail that came meanwhile and for other channels."""
    order: list[str] = []

    class Slow(ChatServer):
        def answer(self, post: Post) -> Any:
            order.append(post.path)
            if len(order) == 1:  # while it keeps us waiting, there is news
                late = a_run(9)
                store.runs.start(late, owner="me", until=NOW + HOUR)
                store.runs.succeed(ended(late, finished=NOW), owner="me", artifacts=[], messages=[outgoing("news")])
            return super().answer(post)

    with Slow() as chats:
        here = f"{chats.host}:{chats.port}"
        channels = {name: {"url": f"json://{here}/{name}"} for name in ("one", "two")}
        given = settings(server, tmp_path, **channels)
        run = a_run(1)
        store.runs.start(run, owner="me", until=NOW + HOUR)
        posts = [
            outgoing(f"{name}{number}", f"json {here}", channel=name, message=posted(f"{name}{number}", f"json {here}"))
            for name in ("one", "two")
            for number in range(3)
        ]
        store.runs.succeed(ended(run, finished=NOW), owner="me", artifacts=[], messages=posts)
        pause = {"settings": given, "store": store, "clock": lambda: NOW, "turn": 0.0}
        Dispatch(**pause).deliver()
    assert {one.state for one in store.outbox.deliveries(every=True)} == {"accepted"}
    assert [one.recipients for one in server.messages] == [("a@example.com",)]
    assert order[:4] == ["/one", "/two", "/one", "/two"]
    assert len(order) == 6


def posted(name: str, recipient: str) -> Message:
    note = pack(Note(title=name, text=name))
    return Message(
        message_id=f"<{name}@example.com>", date=NOW, sender="", recipients=[recipient], subject=name, content=note
    )
