"""`reports serve` and its children killed: at random, in the midst of a run, from outside, and by a job itself."""

from __future__ import annotations

import collections
import datetime as dt
import random
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
from serving import (
    PATIENCE,
    SECOND,
    Serving,
    accounted,
    all_gone,
    at_work_in,
    deliveries,
    eventually,
    known_since,
    mailing,
    once,
    project,
    runs,
)
from sink import Sink, Taken

from reports.model import Run
from reports.settling import MOST_BEGUN

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="processes are killed otherwise there")
DISTURBED = ("all", "plain")
READERS, ADMIN = ["they@example.com", "you@example.com"], "admin@example.com"
JOB = """\
title = "Report"
schedule = "{cron}"
{more}
[[show]]
text = "All is well."
"""
TAKES_A_WHILE = "import time\ndef datasets(frames, params):\n    time.sleep(0.4)\n    return {}\n"
# Tells who it is, each time that it is begun, and whom it has begun; the first time it goes on for ever.
LONG_AT_FIRST = """\
import os, pathlib, subprocess, sys, time
BEGUN = pathlib.Path(__file__).with_name("begun")
def datasets(frames, params):
    again = BEGUN.exists()
    below = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
    with BEGUN.open("a") as file:
        file.write(f"{os.getpid()} {below.pid}\\n")
    if not again:
        time.sleep(3600)
    below.kill()
    below.wait()
    return {}
"""
# Kills the process that is named in the file `victim` beside it.
KILLS = """\
import os, pathlib, signal, time
HERE = pathlib.Path(__file__).parent
def datasets(frames, params):
    with (HERE / "begun").open("a") as file:
        file.write(f"{os.getpid()}\\n")
    while not (HERE / "victim").exists():
        time.sleep(0.02)
    os.kill(int((HERE / "victim").read_text()), signal.SIGKILL)
    time.sleep(3600)
"""


# -- at random -------------------------------------------------------------------------------------------


@dataclass
class Killer:
    """Disturbs a service at random, as a seed says; `did` counts what it has done, `seen` are all that lived."""

    service: Serving
    chance: random.Random
    did: collections.Counter[str] = field(default_factory=collections.Counter)
    seen: set[psutil.Process] = field(default_factory=set)

    def go_on_for(self, seconds: float) -> None:
        """First a child and the service are killed, then whatever comes; it may be dead when this ends."""
        until, first = time.monotonic() + seconds, [self._kill_it, self._kill_a_child]
        ways = (self._kill_it, self._kill_a_child, self._kill_the_fork_server, self._stop_it)
        while first or time.monotonic() < until:
            if not self.service.is_alive:
                self.service.start()
            time.sleep(self.chance.uniform(0.05, 2.5))
            self.seen |= set(self.service.below())
            disturb = first.pop() if first else self.chance.choices(ways, [6, 11, 2, 1])[0]
            disturb()

    def _kill_it(self) -> None:
        assert self.service.kill() == -signal.SIGKILL, "it had ended by itself"
        self.did["service killed"] += 1
        time.sleep(self.chance.choice([0, 0, 0.3, 2]))

    def _kill_a_child(self) -> None:
        """One that is at work, or waits for work."""
        children = eventually(lambda: self._below(of_the_service=False), "there is a child")
        self._kill(self.chance.choice(children), "child killed")

    def _kill_the_fork_server(self) -> None:
        for one in self._below(of_the_service=True):
            self._kill(one, "fork server killed")

    def _below(self, *, of_the_service: bool) -> list[psutil.Process]:
        return [one for one in self.service.below() if (_parent(one) == self.service.pid) == of_the_service]

    def _kill(self, one: psutil.Process, what: str) -> None:
        with suppress(psutil.NoSuchProcess):  # it has just ended
            one.kill()
            self.did[what] += 1

    def _stop_it(self) -> None:
        assert self.service.stop() == 0
        self.did["service stopped"] += 1


def _parent(one: psutil.Process) -> int:
    with suppress(psutil.NoSuchProcess):
        return one.ppid()
    return 0


def test_kills_at_random_lose_nothing_and_double_nothing(tmp_path: Path, soak: float) -> None:
    """Each second has its one row with its end and its reason, each success its one mail, and no process is left."""
    with Sink(on_step=slowly) as sink:
        service = Serving(project(tmp_path, every_second(), settings=mailing(sink.port)))
        killer = Killer(service, random.Random(4))  # noqa: S311  a plan, no secret
        killer.go_on_for(soak)
        let_all_end(service, patience=PATIENCE + 2 * soak)
        rows = {job: accounted(tmp_path, job, *_span(tmp_path, job), SECOND, taken=sink.log) for job in DISTURBED}
        all_gone([*killer.seen, *at_work_in(tmp_path)])
        print(_summary(killer, rows, sink.log, tmp_path))  # noqa: T201  what a long one is run for
    assert killer.did["service killed"], "nothing was shown"
    assert killer.did["child killed"], "nothing was shown"
    assert all(any(run.state == "succeeded" for run in of) for of in rows.values())


def slowly(step: str, _: int) -> None:
    """The server takes its time before it answers, so that a kill meets messages that nobody knows of."""
    if step == "dot":
        time.sleep(0.2)


def every_second(cron: str = "* * * * * *") -> dict[str, str]:
    """A job that wants all made up for and in order, and one that has all as it is by default."""
    return {
        "all": JOB.format(cron=cron, more='catch_up = "all"\noverlap = "queue"'), "all/hooks.py": TAKES_A_WHILE,
        "plain": JOB.format(cron=cron, more=""), "plain/hooks.py": TAKES_A_WHILE,
    }  # fmt: skip


def let_all_end(service: Serving, *, patience: float) -> None:
    """Nothing more comes due after now; what did has ended between a last start and an orderly stop."""
    now = dt.datetime.now(dt.UTC)
    project(
        service.folder,
        every_second(once(now - dt.timedelta(hours=1))),
        settings=(service.folder / "settings.toml").read_text("utf-8"),
    )
    if not service.is_alive:
        service.start()
    eventually(lambda: _is_over(service.folder, now), f"all up to {now} has ended", within=patience)
    assert service.stop() == 0


def _is_over(folder: Path, now: dt.datetime) -> bool:
    """Whether all is accounted for up to then, and nothing waits or goes on."""
    if any(run.state in {"queued", "running"} for run in runs(folder)):
        return False
    return all(_span(folder, job)[1] >= now - SECOND for job in DISTURBED)


def _span(folder: Path, job: str) -> tuple[dt.datetime, dt.datetime]:
    """The first occurrence that has a row, and the last."""
    found = [run.occurrence for run in runs(folder, job) if run.occurrence]
    return min(found), max(found)


def _summary(killer: Killer, rows: Mapping[str, Sequence[Run]], taken: Sequence[Taken], folder: Path) -> str:
    """What there was of everything, in a line each."""
    lines = [f"{dict(killer.did)}; {len(killer.seen)} processes seen below it"]
    for job, of in rows.items():
        states = dict(collections.Counter(run.state for run in of))
        again = sum(run.attempt > 1 for run in of)
        lines.append(f"{job}: {len(of)} occurrences, {states}, {again} begun more than once")
    ledger = collections.Counter(f"{one.kind} {one.state}" for one in deliveries(folder))
    lines.append(f"mails taken, by recipient: {len(taken)}; deliveries: {dict(ledger)}")
    return "\n".join(lines)


# -- in the midst of one run -----------------------------------------------------------------------------


@contextmanager
def one_run(folder: Path, hooks: str, more: str = "") -> Iterator[tuple[Serving, Sink]]:
    """A service that is not started yet, of a project with one job that has been due for a moment, and just once."""
    at = dt.datetime.now(dt.UTC).replace(microsecond=0)
    job = {"job": JOB.format(cron=once(at), more=more), "job/hooks.py": hooks}
    with Sink() as sink:
        project(folder, job, settings=mailing(sink.port))
        known_since(folder, at - SECOND)
        service = Serving(folder)
        try:
            yield service, sink
        finally:
            if service.is_alive:
                service.kill()
    all_gone(at_work_in(folder))


def begun(folder: Path, times: int = 1) -> list[psutil.Process]:
    """The processes that the run was in the last time, once it was begun so often."""
    file = folder / "jobs/job/begun"
    lines = eventually(lambda: _whole_lines(file, times), f"the run was begun {times} times")
    return [psutil.Process(int(number)) for number in lines[-1].split()]


def _whole_lines(file: Path, times: int) -> list[str]:
    text = file.read_text() if file.exists() else ""
    return text.splitlines() if text.count("\n") >= times else []


def ended(folder: Path) -> Run:
    """The only run, once it has ended."""

    def over() -> Sequence[Run]:
        return [run for run in runs(folder) if run.state not in {"queued", "running"}]

    (run,) = eventually(over, "the run has ended")
    return run


def mailed(sink: Sink, *to: str) -> list[Taken]:
    """What the server has taken, once it is this many; recipients are as given."""
    eventually(lambda: len(sink.log) >= len(to), f"mail to {to}")
    assert sorted(one.recipient for one in sink.log) == sorted(to)
    return sink.log


def test_a_run_dies_with_its_service_and_is_begun_again_by_the_next(tmp_path: Path) -> None:
    """With all that it has begun; it is the same row, tried twice, and one mail."""
    with one_run(tmp_path, LONG_AT_FIRST) as (service, sink):
        service.start()
        first = begun(tmp_path)
        assert service.kill() == -signal.SIGKILL
        all_gone(first)
        service.start()
        run = ended(tmp_path)
        assert (run.state, run.attempt) == ("succeeded", 2), run
        mailed(sink, *READERS)
        assert service.stop() == 0
        mailed(sink, *READERS)


def test_a_child_that_was_killed_is_tried_again_where_its_job_says_so(tmp_path: Path) -> None:
    """What it had begun ends with it, the service goes on, and nobody is told of a failure that passed."""
    with one_run(tmp_path, LONG_AT_FIRST, 'retry = { attempts = 2, wait = "1s" }') as (service, sink), service:
        first = begun(tmp_path)
        first[0].kill()
        all_gone(first)
        run = ended(tmp_path)
        assert (run.state, run.attempt) == ("succeeded", 2), run
        mailed(sink, *READERS)
        assert service.stop() == 0
        mailed(sink, *READERS)


def test_a_child_that_was_killed_has_failed_else_and_its_owner_is_told(tmp_path: Path) -> None:
    """The reason names the signal."""
    with one_run(tmp_path, LONG_AT_FIRST) as (service, sink), service:
        begun(tmp_path)[0].kill()
        run = ended(tmp_path)
        assert (run.state, run.attempt) == ("failed", 1), run
        assert "signal 9 (SIGKILL)" in run.error
        mailed(sink, ADMIN)
        assert service.stop() == 0
        assert ADMIN in ended(tmp_path).notice


def test_a_run_whose_fork_server_was_killed_is_begun_again(tmp_path: Path) -> None:
    """It was taken along, and has done nothing itself: no retry of its job's own is needed for that."""
    with one_run(tmp_path, LONG_AT_FIRST) as (service, sink), service:
        first = begun(tmp_path)
        (server,) = [one for one in service.below() if _parent(one) == service.pid]
        server.kill()
        all_gone(first)
        run = ended(tmp_path)
        assert (run.state, run.attempt) == ("succeeded", 2), run
        mailed(sink, *READERS)
        assert service.stop() == 0


def test_the_last_words_of_a_run_are_its_own(tmp_path: Path) -> None:
    """Killed at each attempt and silent, it has none: what is noted of the attempt before is no word of it."""
    with one_run(tmp_path, KILLS, 'retry = { attempts = 2, wait = "1s" }') as (service, _), service:
        for attempt in (1, 2):
            begun(tmp_path, attempt)[0].kill()
        run = ended(tmp_path)
        assert (run.state, run.attempt) == ("failed", 2), run
        assert run.error.startswith("it was killed by signal 9 (SIGKILL)")
        assert "last line" not in run.error


def test_a_run_that_could_not_be_started_is_begun_again(tmp_path: Path) -> None:
    """The fork server is killed before it has forked it: that is not the run's failure, and nobody is told of it."""
    with Sink() as sink, Serving(project(tmp_path, {}, settings=mailing(sink.port))) as service:
        (tmp_path / "jobs").mkdir()
        eventually(lambda: len(service.below()) > 1, "a child waits for work")
        (server,) = [one for one in service.below() if _parent(one) == service.pid]
        server.suspend()  # so that one run has the child that waits, and the other waits for its birth
        every_two = JOB.format(cron="*/2 * * * * *", more="")
        project(tmp_path, {"one": every_two, "other": every_two}, settings=mailing(sink.port))
        eventually(lambda: len({line["job"] for line in service.log("run started")}) == 2, "both have begun")
        server.kill()
        again = eventually(lambda: [run for run in runs(tmp_path) if run.attempt == 2], "one of them is begun again")
        assert "could not be started" in again[0].error, again
        assert not [one for one in deliveries(tmp_path) if one.run == again[0].id]


def test_a_run_that_kills_its_service_is_given_up_after_a_few_times(tmp_path: Path) -> None:
    """It is begun so often and no more; then it is interrupted, and its owner told."""
    victim = tmp_path / "jobs/job/victim"
    with one_run(tmp_path, KILLS) as (service, sink):
        for time_ in range(1, MOST_BEGUN + 1):
            service.start()
            (child,) = begun(tmp_path, time_)
            victim.with_suffix(".new").write_text(str(service.pid))
            victim.with_suffix(".new").replace(victim)
            eventually(lambda: not service.is_alive, "the service was killed")
            all_gone([child])
            victim.unlink()
        service.start()
        run = ended(tmp_path)
        assert (run.state, run.attempt) == ("interrupted", MOST_BEGUN), run
        assert run.error
        mailed(sink, ADMIN)
        assert service.stop() == 0
        assert ADMIN in ended(tmp_path).notice
        assert len(begun_lines(tmp_path)) == MOST_BEGUN


def begun_lines(folder: Path) -> list[str]:
    return (folder / "jobs/job/begun").read_text().splitlines()
