"""Thousands of deliveries under random faults, two senders at once: the server's own log equals the ledger."""

from __future__ import annotations

import collections
import datetime as dt
import random
import select
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import postgres
import pytest
import rounds
from restarting import app
from sink import HOST, Faults, Sink, Taken

from reports.model import Attempt, Delivery, Message, Outgoing, Run
from reports.store import Store

NOW = dt.datetime(2026, 11, 2, 7, tzinfo=dt.UTC)
ROUND = dt.timedelta(hours=2)
"""Longer than any wait between two attempts."""
SETTINGS = """
[mail]
host = "{host}"
port = {port}
security = "none"
from = "me@example.com"
admins = "admin@example.com"
connections = {connections}

[store]
url = "{url}"
"""
OPEN = {"pending", "sending", "held"}


@dataclass(frozen=True)
class Plan:
    """What is to be sent, what goes wrong on the way, and when one of the senders is killed."""

    seed: int
    messages: int
    deliveries: int
    kills: int
    connections: int = 1
    url: str = ""

    def project(self, folder: Path, sink: Sink) -> None:
        text = SETTINGS.format(host=HOST, port=sink.port, connections=self.connections, url=self.url)
        (folder / "settings.toml").write_text(text, "utf-8")
        with app(folder) as one:
            fill(one.store, self)

    def to_kill_at(self) -> list[int]:
        """Lengths of the server's log at which a sender is killed."""
        return [self.deliveries * (2 * number + 1) // (2 * self.kills + 2) for number in range(self.kills)]


def fill(store: Store, plan: Plan) -> None:
    """As many deliveries as planned in so many messages, each to one to eight people of three hundred."""
    chance = random.Random(plan.seed)  # noqa: S311
    sizes = [1] * plan.messages
    while sum(sizes) < plan.deliveries:
        at = chance.randrange(plan.messages)
        sizes[at] += sizes[at] < 8
    people = [f"p{number}@example.com" for number in range(300)]
    messages = [message(number, chance.sample(people, size)) for number, size in enumerate(sizes)]
    for number in range(0, len(messages), 100):
        run = Run(id=f"run{number}", job="daily", as_of=NOW.date(), started=NOW)
        assert store.runs.start(run, owner="me", until=NOW + ROUND)
        done = replace(run, state="succeeded", finished=NOW)
        store.runs.succeed(done, owner="me", artifacts=(), messages=messages[number : number + 100])


def message(number: int, recipients: Sequence[str]) -> Outgoing:
    """Every fifth one is sent again where it is unknown what became of it."""
    name = f"<{number}@example.com>"
    lines = [f"Message-ID: {name}", f"Subject: {number}", "", *["a line of the report"] * (number % 40), ""]
    content = "\r\n".join(lines).encode()
    whole = Message(
        message_id=name, date=NOW, sender="me@example.com", recipients=recipients, subject=str(number), content=content
    )
    again = number % 5 == 0
    return Outgoing(
        message=whole, kind="report", expires=NOW + 365 * dt.timedelta(days=1), on_unknown="resend" if again else "hold"
    )


class Worker:
    """A sender in a process of its own, which can be killed and started again in the middle of a round."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._round = folder, ""
        self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def _start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, rounds.__file__, str(self._folder)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def _end(self) -> None:
        self._process.kill()
        self._process.communicate()

    def begin(self, instant: dt.datetime) -> None:
        self._round = f"{instant.isoformat()}\n"
        assert self._process.stdin is not None
        self._process.stdin.write(self._round)
        self._process.stdin.flush()

    @property
    def is_done(self) -> bool:
        assert self._process.stdout is not None
        return bool(select.select([self._process.stdout], [], [], 0.005)[0])

    def done(self) -> None:
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "done\n"

    def kill(self, instant: dt.datetime) -> None:
        """Without warning; its successor does the round again."""
        self._end()
        self._start()
        self.begin(instant)


def deliver(folder: Path, sink: Sink, kills: list[int]) -> int:
    """Rounds with two senders until nothing waits any more; gives how often one of them was killed."""
    killed, instant = 0, NOW
    with Worker(folder) as mortal, Worker(folder) as other:
        for _ in range(40):
            mortal.begin(instant)
            other.begin(instant)
            while not (mortal.is_done and other.is_done):
                if killed < len(kills) and len(sink.log) >= kills[killed]:
                    mortal.kill(instant)
                    killed += 1
            mortal.done()
            other.done()
            if not waiting(folder):
                break
            instant += ROUND
    return killed


def waiting(folder: Path) -> bool:
    with app(folder) as one:
        return one.store.outbox.next_due() is not None


# -- the ledger and the log --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Books:
    """What both sides wrote down about each delivery, by Message-ID and recipient."""

    ledger: Mapping[tuple[str, str], Delivery]
    attempts: Mapping[int, Sequence[Attempt]]
    log: Mapping[tuple[str, str], Sequence[Taken]]

    def rows(self) -> Iterator[tuple[Delivery, collections.Counter[str], int]]:
        """Each delivery, how often the server took it in which way, and how many attempts nobody knows the end of."""
        for key, delivery in self.ledger.items():
            unknown = [one for one in self.attempts[delivery.id] if one.state == "unknown"]
            yield delivery, collections.Counter(taken.state for taken in self.log.get(key, ())), len(unknown)


def books(folder: Path, sink: Sink) -> Books:
    log: dict[tuple[str, str], list[Taken]] = {}
    for taken in sink.log:
        log.setdefault((taken.message_id, taken.recipient), []).append(taken)
    with app(folder) as one:
        found = one.store.outbox.deliveries(every=True, limit=100_000)
        attempts = one.store.outbox.attempts([delivery.id for delivery in found])
    return Books({(delivery.message_id, delivery.recipient): delivery for delivery in found}, attempts, log)


def agree(both: Books) -> None:
    """The ledger says of each recipient exactly what the server knows, or that it cannot know."""
    assert set(both.log) <= set(both.ledger), "the server took what the ledger does not know"
    for delivery, taken, unknown in both.rows():
        copies, told = taken.total(), (delivery, dict(taken), unknown)
        assert delivery.state not in OPEN, told
        assert copies <= unknown + (delivery.state == "accepted"), told
        assert taken["taken_unanswered"] <= unknown, told
        if delivery.state == "accepted":
            assert taken["accepted"] >= 1, told
        if delivery.state == "unknown":
            assert unknown >= 1, told
        if not unknown:
            assert copies == taken["accepted"] == (delivery.state == "accepted"), told


def everybody_got_the_same_bytes(both: Books) -> None:
    by_message: dict[str, set[str]] = {}
    for (message_id, _), copies in both.log.items():
        by_message.setdefault(message_id, set()).update(taken.sha256 for taken in copies)
    assert {len(hashes) for hashes in by_message.values()} == {1}


def play(folder: Path, plan: Plan, *, rate: float) -> collections.Counter[str]:
    """The plan, carried out and compared; gives how many deliveries ended in which state."""
    with Sink(faults=Faults(seed=plan.seed, rate=rate)) as sink:
        plan.project(folder, sink)
        assert deliver(folder, sink, plan.to_kill_at()) == plan.kills
        both = books(folder, sink)
        agree(both)
        everybody_got_the_same_bytes(both)
        assert sink.failed.total() > plan.messages * rate, "hardly anything went wrong"
    reports = [delivery for delivery in both.ledger.values() if delivery.kind == "report"]
    assert len(reports) == plan.deliveries
    return collections.Counter(delivery.state for delivery in reports)


def test_the_servers_log_equals_the_ledger(tmp_path: Path) -> None:
    """10,000 deliveries, two processes, one of them killed five times: recipient by recipient."""
    states = play(tmp_path, Plan(seed=3, messages=2500, deliveries=10_000, kills=5), rate=0.02)
    assert set(states) == {"accepted", "refused", "unknown"}
    assert states["accepted"] > 9000


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    yield from postgres.server(tmp_path_factory.mktemp("postgres"))


def test_the_same_holds_on_postgresql(tmp_path: Path, url: str) -> None:
    """1,000 deliveries, with two connections in each of the two processes."""
    states = play(tmp_path, Plan(seed=4, messages=250, deliveries=1000, kills=2, connections=2, url=url), rate=0.03)
    assert states["accepted"] > 850
