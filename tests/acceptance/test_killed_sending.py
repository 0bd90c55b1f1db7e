"""The installed command killed while a server is at an exact step of the conversation with it."""

from __future__ import annotations

import random
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from commands import start
from restarting import ADMIN, READERS, nothing_lost_nothing_twice, notices, project, readers, restart, the_runs
from sink import Sink

# The size is asked for on a connection of its own: the second one carries the message.
ASKED = [("connect", 1), ("EHLO", 1), ("QUIT", 1)]
BEFORE = [("connect", 2), ("EHLO", 2), ("MAIL", 1), ("RCPT", 1), ("RCPT", 2)]
# With the copies that the server has taken by then.
WITHIN = [("DATA", 1, 0), ("dot", 1, 2)]
ACCEPTED = dict.fromkeys(READERS, "accepted")


@dataclass
class Killer:
    """Kills a process when a sink has heard a step for the n-th time, before it answers."""

    step: str
    ordinal: int
    victim: subprocess.Popen[bytes] | None = None

    def __call__(self, step: str, ordinal: int) -> None:
        if (step, ordinal) == (self.step, self.ordinal) and self.victim is not None:
            self.victim.kill()
            self.victim.wait()
            self.victim = None


@contextmanager
def killed(folder: Path, step: str, ordinal: int, *, sales: str = "") -> Iterator[Sink]:
    """The server, after it has killed the first run of the project in `folder` at that step."""
    killer = Killer(step, ordinal)
    with Sink(on_step=killer) as sink:
        project(folder, sink.port)
        if sales:
            (folder / "sales.csv").write_text(sales, "utf-8")
        killer.victim = started = start(folder, "run", "daily")
        assert started.wait() == -signal.SIGKILL
        yield sink


@pytest.mark.parametrize(("step", "ordinal"), ASKED)
def test_while_the_size_is_asked_it_is_interrupted(tmp_path: Path, step: str, ordinal: int) -> None:
    """The report is not made yet; its owner is told."""
    with killed(tmp_path, step, ordinal) as sink:
        assert [run.state for run in the_runs(tmp_path)] == ["interrupted"]
        restart(tmp_path)
        assert readers(tmp_path) == ACCEPTED
        assert notices(tmp_path, "failure") == [(ADMIN, "accepted")]
        nothing_lost_nothing_twice(tmp_path, sink)


@pytest.mark.parametrize(("step", "ordinal"), BEFORE)
def test_before_data_it_is_sent_by_whoever_comes_next(tmp_path: Path, step: str, ordinal: int) -> None:
    """What the server had heard is forgotten there; it gets the message once."""
    with killed(tmp_path, step, ordinal) as sink:
        assert [run.state for run in the_runs(tmp_path)] == ["succeeded"]
        assert sink.log == []
        restart(tmp_path)
        assert readers(tmp_path) == ACCEPTED
        nothing_lost_nothing_twice(tmp_path, sink)


@pytest.mark.parametrize(("step", "ordinal", "copies"), WITHIN)
def test_from_data_to_the_answer_it_is_unknown(tmp_path: Path, step: str, ordinal: int, copies: int) -> None:
    """Whether the server has it or not, the ledger says that it cannot know, and the owner is told."""
    with killed(tmp_path, step, ordinal) as sink:
        for _ in range(2):
            restart(tmp_path)
        assert readers(tmp_path) == dict.fromkeys(READERS, "unknown")
        assert len([one for one in sink.log if one.recipient in READERS]) == copies
        assert notices(tmp_path, "failure") == [(ADMIN, "accepted")]
        nothing_lost_nothing_twice(tmp_path, sink)


def test_half_of_a_message_is_none(tmp_path: Path) -> None:
    """More than the system keeps on its way for a process that is gone: the server has no final dot, and takes nothing."""
    chance = random.Random(1)  # noqa: S311
    rows = [f"{chance.randbytes(900).hex()},2026-10-30,1\n" for _ in range(4000)]
    with killed(tmp_path, "content", 1, sales=f"region,day,revenue\n{''.join(rows)}") as sink:
        restart(tmp_path)
        assert readers(tmp_path) == dict.fromkeys(READERS, "unknown")
        assert not [one for one in sink.log if one.recipient in READERS]
        nothing_lost_nothing_twice(tmp_path, sink)


def test_when_the_answer_has_gone_out_it_is_written_down_or_unknown(tmp_path: Path) -> None:
    """Which of them is a race; a copy too many is neither."""
    with killed(tmp_path, "reply", 1) as sink:
        restart(tmp_path)
        assert readers(tmp_path) in (ACCEPTED, dict.fromkeys(READERS, "unknown"))
        assert len([one for one in sink.log if one.recipient in READERS]) == len(READERS)
        nothing_lost_nothing_twice(tmp_path, sink)


def test_at_the_goodbye_it_is_accepted(tmp_path: Path) -> None:
    """The answers are written down before anything else is said."""
    with killed(tmp_path, "QUIT", 2) as sink:
        assert readers(tmp_path) == ACCEPTED
        restart(tmp_path)
        assert len(sink.log) == len(READERS)
        nothing_lost_nothing_twice(tmp_path, sink)
