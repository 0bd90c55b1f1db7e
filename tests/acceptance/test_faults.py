"""What a disk, a database, a clock and a stopped process can do: nothing is lost, nothing goes twice, and it is told."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from commands import command, reports, start
from projects import JOB
from restarting import ADMIN, READERS, nothing_lost_nothing_twice, notices, project, readers, restart, the_runs
from sink import Faults, Sink

from reports.app import App, Wanted, open_app
from reports.model import Run

MINUTE, DAY = dt.timedelta(minutes=1), dt.timedelta(days=1)


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as running:
        yield running


def each(state: str) -> dict[str, str]:
    return dict.fromkeys(READERS, state)


def to_readers(sink: Sink) -> list[str]:
    """Those who have a copy, one by one."""
    return sorted(taken.recipient for taken in sink.log if taken.recipient in READERS)


def lay_out(folder: Path, sink: Sink, *, more: str = "") -> Path:
    project(folder, sink.port, more=more)
    (folder / "jobs/daily/job.toml").write_text(JOB, "utf-8")
    return folder


@contextlib.contextmanager
def turned_away(folder: Path) -> Iterator[Sink]:
    """A server that was too busy for the first run of the project in `folder`, and is not any more."""
    with Sink(faults=Faults(rate=1, kinds=["421 connect"], most=1)) as sink:
        assert command(lay_out(folder, sink), "run", "daily").exit_code == 1
        assert readers(folder) == each("pending")
        yield sink


# -- the disk -----------------------------------------------------------------------------------------------


def limited(folder: Path, size: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command where no file may grow beyond `size` bytes."""
    return reports(folder, *arguments, before=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)))


def test_bytes_that_do_not_fit_fail_the_run(tmp_path: Path, sink: Sink) -> None:
    """The file is named, nothing half is left, the owner is told, nothing was sent; with room it works."""
    chance = random.Random(1)  # noqa: S311
    rows = [f"{chance.randbytes(900).hex()},2026-10-30,1\n" for _ in range(1000)]
    folder = project(tmp_path, sink.port)
    (folder / "sales.csv").write_text(f"region,day,revenue\n{''.join(rows)}", "utf-8")
    ran = limited(folder, 500_000, "run", "daily")
    assert (ran.returncode, [run.state for run in the_runs(folder)]) == (1, ["failed"])
    assert "File too large" in ran.stderr
    assert "var/artifacts" in ran.stderr
    assert [taken.recipient for taken in sink.log] == [ADMIN]
    assert list((folder / "var/artifacts").rglob("*.part")) == []
    assert command(folder, "run", "daily").exit_code == 0
    assert to_readers(sink) == sorted(READERS)


def test_a_database_that_cannot_grow_takes_nothing_half(tmp_path: Path, sink: Sink) -> None:
    """Status 1 with the file's name, and a project that works as soon as there is room."""
    ran = limited(lay_out(tmp_path, sink), 60_000, "run", "daily")
    assert ran.returncode == 1
    assert "reports.db" in ran.stderr
    assert sink.log == []
    restart(tmp_path)
    assert readers(tmp_path) == each("accepted")
    nothing_lost_nothing_twice(tmp_path, sink)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if not mounted or mounted.returncode:
        pytest.skip("this account may not mount a small disk")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def filled(disk: Path, *, but: int = 0) -> Path:
    """A file that leaves only so many bytes free there."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while free := os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize - but:
            if free <= 0 or not file.write(bytes(min(free, 4096))):
                break
    return ballast


def test_a_full_disk_is_told_as_that(tmp_path: Path, small_disk: Path, sink: Sink) -> None:
    """Before the run's first row, or between that and its commit: nothing is sent, and no second run is disturbed."""
    folder = lay_out(small_disk, sink)
    assert command(folder, "run", "daily").exit_code == 0
    for room in (0, 40_000):
        ballast = filled(small_disk, but=room)
        ran = command(folder, "run", "daily")
        assert (ran.exit_code, "the disk is full" in ran.stderr) == (1, True), ran.stderr
        assert str(folder) in ran.stderr
        ballast.unlink()
    assert to_readers(sink) == sorted(READERS)
    assert command(folder, "run", "daily").exit_code == 0
    assert to_readers(sink) == sorted([*READERS, *READERS])


def test_answers_that_a_full_disk_did_not_keep_are_unknown(small_disk: Path) -> None:
    """The server took the message, the ledger could not be written: nobody gets it again by itself."""

    def fill(step: str, ordinal: int) -> None:
        if (step, ordinal) == ("dot", 1):
            filled(small_disk)

    with Sink(on_step=fill) as sink:
        ran = reports(lay_out(small_disk, sink), "run", "daily")
        assert (ran.returncode, "disk is full" in ran.stderr) == (1, True), ran.stderr
        (small_disk / "ballast").unlink()
        restart(small_disk)
        assert readers(small_disk) == each("unknown")
        assert to_readers(sink) == sorted(READERS)
        nothing_lost_nothing_twice(small_disk, sink)


# -- the database -------------------------------------------------------------------------------------------

IMPATIENT = "\n[store]\ntimeout = 0.3\n"


def held(folder: Path) -> sqlite3.Connection:
    """A process that writes into the database, and takes its time."""
    other = sqlite3.connect(folder / "var/reports.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    return other


def test_a_database_held_by_another_is_waited_for_and_told(tmp_path: Path, sink: Sink) -> None:
    """As long as [store] timeout says; nothing is sent, and afterwards it works."""
    folder = lay_out(tmp_path, sink, more=IMPATIENT)
    command(folder, "run", "daily")
    with closing(held(folder)):
        ran = command(folder, "run", "daily")
    assert (ran.exit_code, "another process holds the database" in ran.stderr) == (1, True)
    assert to_readers(sink) == sorted(READERS)
    assert command(folder, "run", "daily").exit_code == 0


@pytest.mark.parametrize(("step", "state"), [("RCPT", "accepted"), ("dot", "unknown")])
def test_a_database_that_is_held_while_a_message_goes_out(tmp_path: Path, step: str, state: str) -> None:
    """Before the mark that it is handed over it is not sent; after that it is unknown: in no case twice."""
    others: list[sqlite3.Connection] = []

    def hold(heard: str, ordinal: int) -> None:
        if (heard, ordinal) == (step, 1):
            others.append(held(tmp_path))

    with Sink(on_step=hold) as sink:
        ran = reports(lay_out(tmp_path, sink, more=IMPATIENT), "run", "daily")
        assert (ran.returncode, "another process holds the database" in ran.stderr) == (1, True)
        assert to_readers(sink) == (sorted(READERS) if step == "dot" else [])
        others[0].close()
        restart(tmp_path)
        assert readers(tmp_path) == each(state)
        nothing_lost_nothing_twice(tmp_path, sink)


def test_a_database_that_is_gone_begins_anew(tmp_path: Path) -> None:
    """What it knew is lost with it; nothing is sent of what nobody knows any more."""
    with turned_away(tmp_path) as sink:
        for path in (tmp_path / "var").glob("reports.db*"):
            path.unlink()
        assert command(tmp_path, "outbox", "retry").exit_code == 0
        assert sink.log == []
        assert command(tmp_path, "run", "daily").exit_code == 0
        assert to_readers(sink) == sorted(READERS)


@pytest.mark.parametrize(("start_at", "words"), [(0, "this file is no database"), (2048, "the database is damaged")])
def test_a_damaged_database_is_told_and_left_alone(tmp_path: Path, start_at: int, words: str) -> None:
    """No command sends anything, nor makes it worse; the copy that is brought back sends once."""
    with turned_away(tmp_path) as sink:
        database = tmp_path / "var/reports.db"
        sound = database.read_bytes()
        database.write_bytes(broken := sound[:start_at] + random.Random(1).randbytes(len(sound) - start_at))  # noqa: S311
        for arguments in (("run", "daily"), ("outbox", "retry"), ("runs",)):
            ran = command(tmp_path, *arguments)
            assert (ran.exit_code, words in ran.stderr) == (1, True), (arguments, ran.stderr)
        assert (database.read_bytes(), sink.log) == (broken, [])
        for left in (tmp_path / "var").glob("reports.db-*"):
            left.unlink()
        database.write_bytes(sound)
        assert command(tmp_path, "outbox", "retry").exit_code == 0
        assert to_readers(sink) == sorted(READERS)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """Nothing is sent that could not be written down."""
    with turned_away(tmp_path) as sink:
        kept = tmp_path / "var"
        kept.chmod(0o500)
        (kept / "reports.db").chmod(0o400)
        ran = reports(tmp_path, "outbox", "retry", through=_powerless())
        kept.chmod(0o700)
        (kept / "reports.db").chmod(0o600)
        assert (ran.returncode, "cannot be written" in ran.stderr) == (1, True), ran.stderr
        assert sink.log == []
        assert command(tmp_path, "outbox", "retry").exit_code == 0
        assert to_readers(sink) == sorted(READERS)


def _powerless() -> list[str]:
    """What goes before a command so that modes of files hold for it, also where the tests are run by root."""
    if os.geteuid():
        return []
    if not (program := shutil.which("setpriv")):
        pytest.skip("root may write everywhere, and setpriv is not here")
    return [program, "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search"]


# -- stored bytes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("harm", "words"), [(Path.unlink, "missing"), (lambda path: path.write_bytes(b"x"), "altered")]
)
def test_what_lacks_its_bytes_is_never_sent(tmp_path: Path, harm: Callable[[Path], object], words: str) -> None:
    """Refused, with what to do; brought back, it is sent once."""
    with turned_away(tmp_path) as sink:
        with sqlite3.connect(tmp_path / "var" / "reports.db") as store:
            ((content,),) = store.execute("SELECT content FROM message WHERE kind = 'report'").fetchall()
        kept = tmp_path / "var" / "artifacts" / content[:2] / content
        sound = kept.read_bytes()
        harm(kept)
        ran = command(tmp_path, "outbox", "retry")
        assert (ran.exit_code, readers(tmp_path)) == (1, each("refused"))
        assert "not sent: stored bytes" in ran.stdout
        assert words in ran.stdout
        assert "bring the file back" in ran.stderr
        assert command(tmp_path, "check").exit_code != 0
        assert to_readers(sink) == []
        kept.write_bytes(sound)
        assert command(tmp_path, "outbox", "retry", the_runs(tmp_path)[0].id).exit_code == 0
        assert (readers(tmp_path), to_readers(sink)) == (each("accepted"), sorted(READERS))


# -- the clock ----------------------------------------------------------------------------------------------


@dataclass
class Clock:
    """A clock that somebody sets."""

    now: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))

    def __call__(self) -> dt.datetime:
        return self.now


@contextlib.contextmanager
def at(folder: Path, clock: Callable[[], dt.datetime]) -> Iterator[App]:
    with closing(replace(open_app(folder), clock=clock)) as one:
        yield one


def test_a_clock_set_back_delays_what_waits_and_no_more(tmp_path: Path) -> None:
    """By itself it is sent when the clock is where it was; by hand at once. Once."""
    clock = Clock()
    with turned_away(tmp_path) as sink, at(tmp_path, clock) as one:
        clock.now -= DAY
        one.deliver()
        assert to_readers(sink) == []
        assert {delivery.state for delivery in one.retry()} == {"accepted"}
        clock.now += DAY + 10 * MINUTE
        one.deliver()
        assert to_readers(sink) == sorted(READERS)


def test_a_clock_set_forward_expires_what_waits_and_tells(tmp_path: Path) -> None:
    """A report of last month is not sent by itself, its owner hears of it, and a person may still send it."""
    clock = Clock()
    with turned_away(tmp_path) as sink, at(tmp_path, clock) as one:
        clock.now += 30 * DAY
        one.deliver()
        assert readers(tmp_path) == each("expired")
        assert [taken.recipient for taken in sink.log] == [ADMIN]
        assert {delivery.state for delivery in one.retry(["daily"])} == {"accepted"}
        assert to_readers(sink) == sorted(READERS)


@pytest.mark.parametrize("leap", [-DAY, MINUTE, 10 * MINUTE])
@pytest.mark.parametrize("step", ["RCPT", "dot"])
def test_a_clock_that_leaps_while_a_message_goes_out(tmp_path: Path, step: str, leap: dt.timedelta) -> None:
    """Another sender sees the lease run out, or not; whoever is first sends it, and the other one is stopped."""
    clock = Clock()

    def leaps(heard: str, ordinal: int) -> None:
        if (heard, ordinal) == (step, 1):
            clock.now += leap
            with at(tmp_path, clock) as other:
                other.deliver()

    with Sink(on_step=leaps) as sink, at(lay_out(tmp_path, sink), clock) as one:
        sent = one.run("daily", Wanted())
        assert sent.delivered
        clock.now += 2 * DAY
        one.deliver()
        assert to_readers(sink) == sorted(READERS)
        nothing_lost_nothing_twice(tmp_path, sink)


# -- a process that stands still ----------------------------------------------------------------------------


@pytest.mark.parametrize(("step", "meanwhile"), [("RCPT", "accepted"), ("dot", "unknown")])
def test_a_sender_that_stood_still_beyond_its_lease(tmp_path: Path, step: str, meanwhile: str) -> None:
    """Another one takes over what it had; when it goes on it sends no second copy, and what it knows still counts."""
    stopped: list[subprocess.Popen[bytes]] = []
    seen: list[dict[str, str]] = []

    def stop(heard: str, ordinal: int) -> None:
        if (heard, ordinal) == (step, 1):
            stopped[0].send_signal(signal.SIGSTOP)
            with at(tmp_path, Clock(dt.datetime.now(dt.UTC) + 5 * MINUTE)) as other:
                other.deliver()
            seen.append(dict(readers(tmp_path)))
            stopped[0].send_signal(signal.SIGCONT)

    with Sink(on_step=stop) as sink:
        stopped.append(start(lay_out(tmp_path, sink), "run", "daily"))
        assert stopped[0].wait(30) == 0
        assert seen == [each(meanwhile)]
        assert readers(tmp_path) == each("accepted")
        nothing_lost_nothing_twice(tmp_path, sink)


def test_two_who_find_the_same_dead_run_tell_of_it_once(tmp_path: Path, sink: Sink) -> None:
    """The second one finds it settled, and is not disturbed."""
    asked: list[int] = []

    def clock() -> dt.datetime:
        asked.append(1)
        if len(asked) == 2:  # between the look and the settling
            assert [run.state for run in the_runs(tmp_path)] == ["interrupted"]
        return dt.datetime.now(dt.UTC)

    with at(lay_out(tmp_path, sink), clock) as one:
        began = dt.datetime.now(dt.UTC) - DAY
        one.store.runs.start(Run(id="r1", job="daily", as_of=began.date(), started=began), owner="gone", until=began)
        assert [run.state for run in one.runs()] == ["interrupted"]
    assert len(asked) >= 2
    assert notices(tmp_path, "failure") == [(ADMIN, "pending")]
