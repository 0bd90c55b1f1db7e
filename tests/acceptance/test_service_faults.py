"""The service while its database, its disk, its settings and its clock are disturbed: it goes on, nothing is lost."""

from __future__ import annotations

import collections
import contextlib
import datetime as dt
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import postgres
import psutil
import pytest
from serving import SECOND, Serving, accounted, all_gone, deliveries, eventually, mailing, project, runs
from sink import Sink
from sqlalchemy import make_url
from storing import opened

from reports import leases
from reports.app import open_app
from reports.model import Accounting, Plan, Run
from reports.project import read_settings
from reports.service import Service
from reports.settling import Settler

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
NOON = dt.datetime(2026, 11, 24, 12, 0, 0, 250_000, tzinfo=dt.UTC)
TICK = """\
title = "Tick"
schedule = "* * * * * *"
overlap = "queue"
catch_up = "all"
[[show]]
text = "Nothing to see."
"""
QUIET = TICK.replace("* * * * * *", "0 7 * * *").replace('"all"', '"latest"').replace("Tick", "Daily")
LONG = TICK.replace("* * * * * *", "*/10 * * * * *").replace('"all"', '"latest"').replace("Tick", "Long")
# The first of these runs says that it has begun, and goes on until it may end, for four seconds at the least.
LONG_HOOKS = """\
import os, pathlib, time
def datasets(frames, params):
    here, began = pathlib.Path(__file__).parent, time.monotonic()
    if not (here / "begun").exists():
        (here / "pid").write_text(str(os.getpid()))
        (here / "pid").rename(here / "begun")
        while not (here / "may_end").exists() or time.monotonic() - began < 4:
            time.sleep(0.05)
    with (here / "entered").open("a") as entered:
        entered.write("once\\n")
    return {}
"""


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as running:
        yield running


def steadily(folder: Path, sink: Sink, *, job: str = "tick", beat: dt.timedelta = SECOND) -> Sequence[Run]:
    """All rows of the job, after it was seen that there is one for each occurrence, and no mail twice."""
    ats = [row.occurrence for row in runs(folder, job) if row.occurrence]
    copies = collections.Counter((taken.message_id, taken.recipient) for taken in sink.log)
    assert max(copies.values()) == 1
    return accounted(folder, job, min(ats), max(ats), beat, taken=sink.log)


def succeeded(folder: Path, job: str = "tick", *, after: dt.datetime | None = None) -> list[Run]:
    rows = [row for row in runs(folder, job) if row.state == "succeeded"]
    return [row for row in rows if row.occurrence and (after is None or row.occurrence > after)]


def at_rest(folder: Path, job: str = "tick") -> None:
    """The job comes due no more, and all that did is done and sent."""
    path = folder / "jobs" / job / "job.toml"
    (written := path.with_suffix(".new")).write_text(path.read_text().replace("schedule =", "#"), "utf-8")
    written.replace(path)

    def is_done() -> bool:
        with closing(open_app(folder)) as one:
            expected = "* * *" in one.store.plans.every()[job].definition
            waits = one.store.runs.active(job) or set(one.store.outbox.counts()) & {"pending", "sending"}
            return not expected and not waits

    eventually(is_done, "nothing is left to run or to send", within=240)


# -- the database is away -----------------------------------------------------------------------------------


class Line:
    """The way to a server on this machine, which can be cut: then nobody gets through, nor stays connected."""

    def __init__(self, there: str) -> None:
        self._there, self._open = there, False
        self._through: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)

    def cut(self) -> None:
        with self._lock:
            self._open = False
            for one in self._through:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        with self._lock:
            self._open = True

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                here, _ = self._listener.accept()
                threading.Thread(target=self._join, args=(here,), daemon=True).start()

    def _join(self, here: socket.socket) -> None:
        with here, socket.socket(socket.AF_UNIX) as there:
            with self._lock:
                if not self._open:
                    return
                there.connect(self._there)
                self._through |= {here, there}
            back = threading.Thread(target=_pass_on, args=(there, here), daemon=True)
            back.start()
            _pass_on(here, there)
            back.join()
            with self._lock:
                self._through -= {here, there}


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while block := one.recv(65_536):
            other.sendall(block)
    for end in (one, other):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    """The way to a PostgreSQL with nothing in it; it is cut."""
    for url in postgres.server(tmp_path_factory.mktemp("postgres")):
        with Line(f"{make_url(url).query['host']}/.s.PGSQL.5432") as one:
            yield one


def away(line: Line) -> str:
    return f'\n[store]\nurl = "postgresql+psycopg://postgres@127.0.0.1:{line.port}/postgres"\ntimeout = 5\n'


def test_a_database_that_is_away_for_a_while(tmp_path: Path, line: Line, sink: Sink, soak: float) -> None:
    """The same service goes on: told once, nothing twice, and a run at its commit meanwhile is made again, and sent once."""
    jobs = {"tick": TICK, "long": LONG, "long/hooks.py": LONG_HOOKS}
    folder, long = project(tmp_path, jobs, settings=mailing(sink.port) + away(line)), tmp_path / "jobs" / "long"
    line.mend()
    with Serving(folder) as service:
        pid = service.pid
        begun = eventually(lambda: (long / "begun").exists() and (long / "begun").read_text(), "a long run goes on")
        eventually(lambda: succeeded(folder), "the other job runs")
        line.cut()
        until = time.monotonic() + (30 if soak > 100 else 8)
        (long / "may_end").touch()
        with contextlib.suppress(psutil.NoSuchProcess):
            all_gone([psutil.Process(int(begun))])
        project(folder, {"added": TICK.replace("Tick", "Added")}, settings=(folder / "settings.toml").read_text())
        time.sleep(max(until - time.monotonic(), 0))
        line.mend()
        since = dt.datetime.now(dt.UTC)
        eventually(lambda: succeeded(folder, "tick", after=since), "it runs again")
        eventually(lambda: succeeded(folder, "added"), "what was added meanwhile runs")
        for job in ("long", "added", "tick"):
            at_rest(folder, job)
        assert (service.pid, service.is_alive) == (pid, True)
        assert service.stop() == 0
    assert [len(service.log(event)) for event in ("store away", "store back")] == [1, 1]
    assert {row.state for row in steadily(folder, sink)} == {"succeeded"}
    first = min(runs(folder, "long"), key=lambda row: row.occurrence or since)
    assert (first.state, first.attempt) == ("succeeded", 2)
    assert len([one for one in deliveries(folder, "long") if one.run == first.id]) == 2, "one mail, two readers"


def test_a_service_waits_for_a_database_that_is_not_there_yet(tmp_path: Path, line: Line, sink: Sink) -> None:
    """It says so once and goes on trying; when the database comes, it works and delivers."""
    folder = project(tmp_path, {"tick": TICK}, settings=mailing(sink.port) + away(line))
    with Serving(folder) as service:
        (told,) = eventually(lambda: service.log("store away"), "it is told")
        assert "cannot be reached" in told["error"]
        line.mend()
        eventually(lambda: sink.log, "a report has gone out")
        at_rest(folder)
        assert service.stop() == 0
    assert len(service.log("store away")) == len(service.log("store back")) == 1
    assert {row.state for row in steadily(folder, sink)} == {"succeeded"}


def test_a_service_that_never_had_its_database_ends_in_order(tmp_path: Path, line: Line) -> None:
    """It is stopped like any other."""
    folder = project(tmp_path, {"tick": TICK}, settings=mailing(1) + away(line))
    with Serving(folder) as service:
        eventually(lambda: service.log("store away"), "it is told")
        assert service.stop() == 0
    said = service.log_file.read_text()
    assert '"service stopped", "status": 0' in said
    assert "Traceback" not in said


def test_the_system_hears_of_a_service_whose_database_is_away(
    tmp_path: Path, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It turns, so a watchdog need not begin it anew."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(tmp_path / "s"))
        heard.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "s"))
        project(tmp_path, {"daily": QUIET}, settings=mailing(1) + away(line))
        service = Service(settings=read_settings(tmp_path)[0], reread=lambda: read_settings(tmp_path)[0])
        service.turn()
        assert heard.recv(100) == b"WATCHDOG=1"


# -- the database is held, the disk is full -----------------------------------------------------------------


def test_a_database_that_another_process_holds_for_ten_seconds(tmp_path: Path, sink: Sink) -> None:
    """What came due meanwhile is run afterwards, each once."""
    folder = project(tmp_path, {"tick": TICK}, settings=mailing(sink.port) + "\n[store]\ntimeout = 2\n")
    with Serving(folder) as service:
        eventually(lambda: succeeded(folder), "it runs")
        with closing(sqlite3.connect(folder / "var/reports.db", isolation_level=None, timeout=60)) as other:
            other.execute("BEGIN EXCLUSIVE")
            time.sleep(10)
        since = dt.datetime.now(dt.UTC)
        eventually(lambda: succeeded(folder, after=since), "it runs again")
        at_rest(folder)
        assert service.stop() == 0
    assert len(service.log("store away")) == len(service.log("store back")) >= 1
    assert {row.state for row in steadily(folder, sink)} == {"succeeded"}


def test_a_database_that_is_held_while_a_message_goes_out_stops_no_later_one(tmp_path: Path) -> None:
    """The message in hand goes out too, once and before its lease is over, though its sender could not let go of it."""
    holder: list[sqlite3.Connection] = []

    def hold(heard: str, ordinal: int) -> None:
        if (heard, ordinal) == ("RCPT", 1):
            database = tmp_path / "var/reports.db"
            holder.append(sqlite3.connect(database, isolation_level=None, check_same_thread=False, timeout=60))
            holder[0].execute("BEGIN EXCLUSIVE")

    with Sink(on_step=hold) as sink:
        project(tmp_path, {"tick": TICK}, settings=mailing(sink.port) + "\n[store]\ntimeout = 0.5\n")
        with Serving(tmp_path) as service:
            eventually(lambda: service.log("outbox stands still"), "it is told")
            holder[0].close()
            eventually(lambda: _all_accepted(tmp_path), "the first one is sent, and others", within=90)
            at_rest(tmp_path)
            assert service.stop() == 0
        steadily(tmp_path, sink)


def _all_accepted(folder: Path) -> bool:
    states = [one.state for one in deliveries(folder)]
    return len(states) > 4 and states[-2:] == ["accepted", "accepted"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of eight megabytes."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if not mounted or mounted.returncode:
        pytest.skip("this account may not mount a small disk")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk: Path) -> Path:
    """A file that leaves no room beside it."""
    with (disk / "ballast").open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(4096)):
            pass
    return disk / "ballast"


def test_a_disk_that_is_full_for_a_while(small_disk: Path, tmp_path: Path, sink: Sink) -> None:
    """Runs come due and a run goes on meanwhile; with room again all of them are made, each once."""
    jobs = {"tick": TICK, "long": LONG, "long/hooks.py": LONG_HOOKS}
    folder, long = project(small_disk, jobs, settings=mailing(sink.port)), small_disk / "jobs" / "long"
    service = Serving(folder)
    service.log_file = tmp_path / "serve.log"
    with service:
        eventually((long / "begun").exists, "a long run goes on")
        eventually(lambda: succeeded(folder), "the other job runs")
        (long / "may_end").touch()
        ballast = fill(small_disk)
        until = time.monotonic() + 6
        while time.monotonic() < until:
            fill(small_disk)
            time.sleep(0.1)
        ballast.unlink()
        since = dt.datetime.now(dt.UTC)
        eventually(lambda: succeeded(folder, after=since), "it runs again")
        at_rest(folder, "long")
        at_rest(folder)
        assert service.stop() == 0
    assert any("the disk is full" in one["error"] for one in service.log("store away"))
    assert {row.state for row in steadily(folder, sink)} <= {"succeeded"}
    assert {row.state for row in runs(folder, "long")} <= {"succeeded", "skipped", "missed"}


# -- settings -----------------------------------------------------------------------------------------------


def test_broken_settings_are_told_and_the_old_ones_hold_until_they_are_mended(tmp_path: Path, sink: Sink) -> None:
    """Runs go on by what was read last; what is mended holds without a restart."""
    sound = mailing(sink.port)
    folder = project(tmp_path, {"tick": TICK}, settings=sound)
    with Serving(folder) as service:
        eventually(lambda: sink.log, "it sends")
        (folder / "settings.toml").write_text(sound.replace("[mail]", "[mail"), "utf-8")
        (told,) = eventually(lambda: service.log("settings broken"), "it is told")
        assert "settings.toml" in told["where"]
        since, sent = dt.datetime.now(dt.UTC), len(sink.log)
        eventually(lambda: _goes_on(folder, sound, since), "runs go on")
        eventually(lambda: len(sink.log) > sent, "mails go out")
        mended = sound.replace('["you@example.com", "they@example.com"]', '"new@example.com"')
        (folder / "settings.toml").write_text(mended, "utf-8")
        eventually(lambda: "new@example.com" in {one.recipient for one in sink.log}, "new settings hold")
        at_rest(folder)
        assert service.stop() == 0
    assert {row.state for row in steadily(folder, sink)} == {"succeeded"}


def _goes_on(folder: Path, sound: str, since: dt.datetime) -> bool:
    """Looked at from a folder whose settings can be read."""
    beside = folder / "beside"
    project(beside, {}, settings=sound + f'\n[store]\nurl = "sqlite:///{folder}/var/reports.db"\n')
    return len(succeeded(beside, after=since)) > 2


# -- the clock ----------------------------------------------------------------------------------------------


@dataclass
class Clock:
    """A clock that is noon when the test begins, and then is set; other processes may read it in `file`."""

    ahead: dt.timedelta = field(default_factory=lambda: NOON - dt.datetime.now(dt.UTC))
    file: Path | None = None

    def __call__(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC) + self.ahead

    def set(self, by: dt.timedelta) -> None:
        self.ahead += by
        if self.file:
            (written := self.file.with_suffix(".new")).write_text(str(self.ahead.total_seconds()))
            written.replace(self.file)


@contextmanager
def at_work(folder: Path, clock: Clock) -> Iterator[Service]:
    """A service in a thread of this process, which looks for dead runs all the time."""
    service = Service(settings=read_settings(folder)[0], reread=lambda: read_settings(folder)[0], clock=clock)
    service._settling.seconds = 0.2
    ends: list[int] = []
    thread = threading.Thread(target=lambda: ends.append(service.run()))
    thread.start()
    try:
        eventually(lambda: service._turned, "the service is ready")
        yield service
    finally:
        service.stop()
        thread.join(60)
    assert ends == [0]


def hears_of_it(folder: Path, clock: Clock) -> bool:
    """Whether by its own clock a service is at work."""
    with closing(replace(open_app(folder), clock=clock)) as one:
        return bool(one.services())


def test_a_clock_set_forward_a_day_makes_up_for_the_latest_and_says_late(tmp_path: Path, sink: Sink) -> None:
    """The subject says for when; what went by before that is missed with its reason; the service is known to live."""
    often = QUIET.replace("0 7 *", "30 */6 *").replace("Daily", "Often")
    folder, clock = project(tmp_path, {"daily": QUIET, "often": often}, settings=mailing(sink.port)), Clock()
    with at_work(folder, clock):
        clock.set(DAY)
        eventually(lambda: len(succeeded(folder, "daily") + succeeded(folder, "often")) == 2, "both are made up for")
        eventually(lambda: len(sink.log) == 4, "both are sent")
        eventually(lambda: hears_of_it(folder, clock), "its sign of life is of today")
    subjects = {one.subject.partition(": ")[0] for one in deliveries(folder, "daily")}
    assert subjects == {"LATE, for 2026-11-25 07:00"}
    ends = [(f"{row.occurrence:%d %H:%M}", row.state) for row in runs(folder, "often")]
    assert sorted(ends) == [
        ("24 12:30", "missed"), ("24 18:30", "missed"), ("25 00:30", "missed"), ("25 06:30", "succeeded"),
    ]  # fmt: skip
    assert {one.subject.partition(": ")[0] for one in deliveries(folder, "often")} == {"LATE, for 2026-11-25 06:30"}


def test_a_clock_set_back_an_hour_runs_nothing_twice(tmp_path: Path, sink: Sink) -> None:
    """Nothing comes due in an hour that was there before; when it is over, things run on."""
    folder, clock = project(tmp_path, {"tick": TICK}, settings=mailing(sink.port)), Clock()
    with at_work(folder, clock) as service:
        eventually(lambda: len(succeeded(folder)) > 2, "it runs")
        clock.set(-HOUR)
        eventually(lambda: not service.store.runs.active(), "what was due is done")
        known = len(runs(folder))
        time.sleep(3)
        assert len(runs(folder)) == known
        assert hears_of_it(folder, clock)
        clock.set(HOUR)
        since = clock()
        eventually(lambda: succeeded(folder, after=since), "it runs on")
        at_rest(folder)
    assert {(row.state, row.attempt) for row in steadily(folder, sink)} == {("succeeded", 1)}


# Another service of the same project, whose clock is read from a file.
OTHER = """\
import datetime as dt, sys
from pathlib import Path
from reports.project import read_settings
from reports.service import Service

def clock():
    return dt.datetime.now(dt.UTC) + dt.timedelta(seconds=float(Path(sys.argv[2]).read_text()))

read = lambda: read_settings(Path(sys.argv[1]))[0]
service = Service(settings=read(), reread=read, clock=clock)
service._settling.seconds = 0.2
service.listen_to_signals()
sys.exit(service.run())
"""


@contextmanager
def another(folder: Path, clock: Clock) -> Iterator[None]:
    arguments = [sys.executable, "-c", OTHER, str(folder), str(clock.file)]
    with subprocess.Popen(arguments, env={**os.environ}, stderr=subprocess.DEVNULL) as process:
        try:
            with closing(opened(folder)) as store:
                eventually(lambda: len(store.services.every()) == 2, "another service is at work")
            yield
        finally:
            process.terminate()
            ended = process.wait(60)
    assert ended == 0


@pytest.mark.parametrize("by", [DAY, -HOUR], ids=["forward a day", "back an hour"])
def test_a_run_that_goes_on_while_the_clock_is_set_is_not_taken_for_dead(
    tmp_path: Path, sink: Sink, by: dt.timedelta
) -> None:
    """Neither by its own service nor by another one: it is entered once, ends well, and is sent once."""
    jobs = {"long": LONG.replace("*/10 * * * * *", "1 0 12 * * *"), "long/hooks.py": LONG_HOOKS}
    settings = mailing(sink.port).replace("timeout", 'expires = "3d"\ntimeout')
    folder, long = project(tmp_path, jobs, settings=settings), tmp_path / "jobs" / "long"
    clock = Clock(file=tmp_path / "ahead")
    clock.set(-dt.timedelta(minutes=5))
    with at_work(folder, clock) as service:
        clock.set(dt.timedelta(minutes=5))
        eventually((long / "begun").exists, "the run goes on")
        with another(folder, clock):
            clock.set(by)
            time.sleep(5)
            (row,) = [one for one in runs(folder) if one.state == "running"]
            assert row.attempt == 1
            (long / "may_end").touch()
            eventually(lambda: succeeded(folder, "long"), "it ends well")
            eventually(lambda: not service.store.runs.active(), "nothing else goes on")
            clock.set(max(-by, dt.timedelta()))  # the hour is over, and with it that of the mail
            eventually(lambda: not set(service.store.outbox.counts()) & {"pending", "sending"}, "all is sent")
    first = next(one for one in runs(folder) if one.id == row.id)
    assert (first.state, first.attempt) == ("succeeded", 1)
    sent = [
        one for one in sink.log if one.message_id in {it.message_id for it in deliveries(folder) if it.run == row.id}
    ]
    assert sorted(one.recipient for one in sent) == ["they@example.com", "you@example.com"]
    assert len((long / "entered").read_text().split()) == len(succeeded(folder, "long"))


def begun(folder: Path, owner: str) -> Settler:
    """A run of that owner, whose lease was over long ago, and who may settle it."""
    store = opened(folder)
    row = Run(id="r1", job="daily", as_of=NOON.date(), started=NOON, occurrence=NOON, state="queued", due=NOON)
    store.plans.keep([Plan(job="daily", definition="", accounted=NOON - SECOND)])
    store.plans.account(["daily"], lambda *_: Accounting(accounted=NOON, runs=[row]))
    assert store.runs.take(now=NOON, until=NOON + leases.LENGTH, owners=[owner])
    return Settler(settings=read_settings(folder)[0], store=store, clock=lambda: NOON + DAY)


@pytest.mark.parametrize(
    ("mine", "by_lease", "state"),
    [(True, True, "running"), (False, True, "queued"), (False, False, "queued"), (None, False, "running")],
    ids=["goes on here", "nobody has it", "nobody has it, whatever leases say", "of another one, leases not believed"],
)
def test_who_is_called_dead_after_a_jump_of_the_clock(
    tmp_path: Path, *, mine: bool | None, by_lease: bool, state: str
) -> None:
    """A service knows its own runs, and that what has its name and goes on nowhere was never begun."""
    project(tmp_path, {"daily": QUIET})
    own = leases.new_owner()
    owner = f"elsewhere/{own.partition('/')[2]}" if mine is None else own
    settler = begun(tmp_path, owner)
    with closing(settler.store):
        settler.interrupted(mine=[owner] if mine else [], by_lease=by_lease)
        assert settler.store.runs.find("r1").state == state
