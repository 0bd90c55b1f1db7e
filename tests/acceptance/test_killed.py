"""The installed command killed at exact points of run, commit and send, and started again: nothing lost, nothing twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from commands import reports
from killing import KILLED, killed_at, points
from restarting import ADMIN, READERS, nothing_lost_nothing_twice, notices, project, readers, restart, the_runs
from sink import Sink

ACCEPTED, UNKNOWN = dict.fromkeys(READERS, "accepted"), dict.fromkeys(READERS, "unknown")

# Points by how their names begin and which of that kind, each killed right before it happens.
NOT_BEGUN = [
    ("mkdir var", 1),
    ("sql CREATE TABLE message", 1),
    ("sql COMMIT", 1),
    ("sql COMMIT", 2),
]
NOT_COMMITTED = [
    ("connect", 1),
    ("write var/artifacts", 1),
    ("rename var/artifacts", 2),
    ("sql BEGIN IMMEDIATE", 3),
    ("sql INSERT INTO delivery", 2),
    ("sql COMMIT", 3),
]
NOT_HANDED_OVER = [
    ("sql BEGIN IMMEDIATE", 4),
    ("sql COMMIT", 4),
    ("connect", 2),
    ("sql COMMIT", 5),
]
NOT_WRITTEN_DOWN = [("sql BEGIN IMMEDIATE", 6), ("sql INSERT INTO attempt", 1), ("sql COMMIT", 6)]
SENT = [("sql BEGIN IMMEDIATE", 7), ("sql SELECT trouble.job", -1), ("sql ROLLBACK", -1)]


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Sequence[str]:
    """The names of all points of a first run, in order."""
    with Sink() as sink:
        return points(project(tmp_path_factory.mktemp("whole"), sink.port), "run", "daily")


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as running:
        yield running


def killed(folder: Path, sink: Sink, known: Sequence[str], begins: str, ordinal: int) -> Path:
    """The project whose first run was killed right before that point."""
    numbers = [number for number, name in enumerate(known, 1) if name.startswith(begins)]
    number = numbers[ordinal - (ordinal > 0)]
    ran = killed_at(project(folder, sink.port), number, "run", "daily")
    assert ran.returncode == KILLED
    assert ran.stderr.endswith(f"last point: {number} {known[number - 1]}")
    return folder


@pytest.mark.parametrize(("begins", "ordinal"), NOT_BEGUN)
def test_before_its_first_row_it_never_was(
    tmp_path: Path, sink: Sink, known: Sequence[str], begins: str, ordinal: int
) -> None:
    """No run, no mail, and whatever is on the disk by then is no obstacle to the next one."""
    folder = killed(tmp_path, sink, known, begins, ordinal)
    assert not the_runs(folder)
    restart(folder)
    assert [run.state for run in the_runs(folder)] == ["succeeded"]
    assert readers(folder) == ACCEPTED
    nothing_lost_nothing_twice(folder, sink)


@pytest.mark.parametrize(("begins", "ordinal"), NOT_COMMITTED)
def test_before_its_commit_it_is_interrupted_and_sent_nothing(
    tmp_path: Path, sink: Sink, known: Sequence[str], begins: str, ordinal: int
) -> None:
    """Its owner is told, once, and once more when the next run succeeds; nobody waits for a lease."""
    folder = killed(tmp_path, sink, known, begins, ordinal)
    (run,) = the_runs(folder)
    assert (run.state, run.notice) == ("interrupted", f"told {ADMIN}")
    assert "before it was done" in run.error
    assert sink.log == []
    restart(folder)
    assert [run.state for run in the_runs(folder)] == ["succeeded", "interrupted"]
    assert readers(folder) == ACCEPTED
    assert notices(folder, "failure") == notices(folder, "recovery") == [(ADMIN, "accepted")]
    nothing_lost_nothing_twice(folder, sink)


@pytest.mark.parametrize(("begins", "ordinal"), NOT_HANDED_OVER)
def test_after_its_commit_it_is_sent_by_whoever_comes_next(
    tmp_path: Path, sink: Sink, known: Sequence[str], begins: str, ordinal: int
) -> None:
    """The run succeeded and stays so; what was claimed and not handed over goes out, once."""
    folder = killed(tmp_path, sink, known, begins, ordinal)
    assert [run.state for run in the_runs(folder)] == ["succeeded"]
    assert sink.log == []
    restart(folder)
    assert readers(folder) == ACCEPTED
    nothing_lost_nothing_twice(folder, sink)


@pytest.mark.parametrize(("begins", "ordinal"), NOT_WRITTEN_DOWN)
def test_before_the_answer_is_written_down_it_is_unknown(
    tmp_path: Path, sink: Sink, known: Sequence[str], begins: str, ordinal: int
) -> None:
    """The server has it, the ledger cannot know that, says so, and sends nothing again by itself."""
    folder = killed(tmp_path, sink, known, begins, ordinal)
    assert {taken.recipient for taken in sink.log} == READERS
    for _ in range(2):
        restart(folder)
    assert readers(folder) == UNKNOWN
    assert notices(folder, "failure") == [(ADMIN, "accepted")]
    nothing_lost_nothing_twice(folder, sink)


@pytest.mark.parametrize(("begins", "ordinal"), SENT)
def test_after_the_answer_is_written_down_nothing_is_left_to_do(
    tmp_path: Path, sink: Sink, known: Sequence[str], begins: str, ordinal: int
) -> None:
    """What is accepted stays accepted."""
    folder = killed(tmp_path, sink, known, begins, ordinal)
    restart(folder)
    assert readers(folder) == ACCEPTED
    assert len(sink.log) == len(READERS)
    nothing_lost_nothing_twice(folder, sink)


def test_the_next_run_tells_of_the_one_that_died(tmp_path: Path, sink: Sink, known: Sequence[str]) -> None:
    """With processes all along, and nothing but `reports run`, as cron calls it: sent, and the owner told of both."""
    folder = killed(tmp_path, sink, known, "sql COMMIT", 3)
    shown = reports(folder, "runs")
    assert (shown.returncode, "interrupted" in shown.stdout) == (0, True)
    again = reports(folder, "run", "daily")
    assert again.returncode == 0, again.stdout + again.stderr
    assert notices(folder, "failure") == notices(folder, "recovery") == [(ADMIN, "accepted")]
    nothing_lost_nothing_twice(folder, sink)
