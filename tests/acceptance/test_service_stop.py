"""The service stopped at bad moments and started again, with slow mail, with files that change under it, with a dead timer."""

from __future__ import annotations

import datetime as dt
import io
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from commands import reports
from serving import SECOND, Serving, all_gone, app, deliveries, eventually, mailing, project, runs
from sink import Sink

from reports import logs
from reports import project as projects
from reports.model import Delivery, Run
from reports.service import Service
from reports.timer import Timer

QUIET = 'title = "{name}"\n{schedule}\n[[show]]\ntext = "Nothing to see."\n'
EVERY_SECOND = 'schedule = "* * * * * *"'
NEVER = 'schedule = { once = "2099-01-01 09:00" }'
WAITS = """\
import pathlib, time


def datasets(frames, params):
    here = pathlib.Path(__file__).parent
    here.joinpath("began").touch()
    until = time.monotonic() + 50
    while not here.joinpath("go").exists() and time.monotonic() < until:
        time.sleep(0.05)
    return {}
"""
BOTH = {"you@example.com", "they@example.com"}


def when(*instants: dt.datetime) -> str:
    """A schedule of just these instants."""
    single = [f'{{ once = "{at:%Y-%m-%d %H:%M:%S}" }}' for at in instants]
    return f"schedule = [{', '.join(single)}]"


def quiet(name: str, schedule: str) -> str:
    return QUIET.format(name=name, schedule=schedule)


def soon(seconds: float = 2) -> dt.datetime:
    return dt.datetime.now(dt.UTC).replace(microsecond=0) + SECOND * (1 + seconds)


def waiting(at: dt.datetime) -> dict[str, str]:
    """A job `long` that goes on until its folder has a file `go`."""
    return {"long": quiet("long", when(at)), "long/hooks.py": WAITS}


@contextmanager
def started(
    folder: Path, jobs: Callable[[dt.datetime], dict[str, str]], *, settings: str = "", through: Sequence[str] = ()
) -> Iterator[Serving]:
    """The service of a project whose jobs are due soon after it was ready: a service that never saw them missed none."""
    for lead in (2, 8, 32):
        at = soon(lead)
        with Serving(project(folder, jobs(at), settings=settings), through=through) as service:
            if dt.datetime.now(dt.UTC) < at:
                yield service
                return
        shutil.rmtree(folder / "var")
    raise AssertionError("it does not get ready within half a minute")


def begun(folder: Path) -> None:
    eventually((folder / "jobs/long/began").exists, "the long run has begun")


def let_go(folder: Path) -> None:
    (folder / "jobs/long/go").touch()


def one(folder: Path, job: str) -> Run:
    (found,) = runs(folder, job)
    with app(folder) as at:
        return at.store.runs.find(found.id)


def succeeded(folder: Path, job: str) -> Run:
    eventually(lambda: any(run.state == "succeeded" for run in runs(folder, job)), f"{job} has succeeded")
    return one(folder, job)


def settled(folder: Path, count: int) -> Sequence[Delivery]:
    """The whole ledger, once it has so many deliveries and all are settled."""

    def look() -> Sequence[Delivery]:
        found = deliveries(folder)
        return found if len(found) >= count and all(each.settled for each in found) else ()

    return eventually(look, f"{count} deliveries are settled")


def copies(sink: Sink) -> Counter[tuple[str, str]]:
    return Counter((taken.message_id, taken.recipient) for taken in sink.log)


class Slow:
    """What a mail server does at a step: from now on it waits there, until it is let go."""

    def __init__(self, step: str) -> None:
        self._step, self.reached, self._over = step, threading.Event(), threading.Event()

    def __call__(self, step: str, _ordinal: int) -> None:
        if step == self._step and not self._over.is_set():
            self.reached.set()
            self._over.wait(60)

    def let_go(self) -> None:
        self._over.set()


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as running:
        yield running


# -- while a run goes on -----------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_may_end_while_the_service_stops(tmp_path: Path, sink: Sink, number: signal.Signals) -> None:
    """SIGTERM, or Ctrl-C in its terminal: the run ends as it would have, its report goes out; nothing new begins."""

    def jobs(at: dt.datetime) -> dict[str, str]:
        return waiting(at) | {"later": quiet("later", EVERY_SECOND)}

    with started(tmp_path, jobs, settings=mailing(sink.port), through=["setsid"]) as service:
        begun(tmp_path)
        os.killpg(service.pid, number)
        eventually(lambda: service.log("service stopping"), "it is stopping")
        before = len(runs(tmp_path, "later"))
        time.sleep(1.5)
        assert one(tmp_path, "long").state == "running"
        let_go(tmp_path)
        assert service.process.wait(60) == 0
    assert one(tmp_path, "long").state == "succeeded"
    assert len(runs(tmp_path, "later")) == before
    (tmp_path / "jobs/later/job.toml").write_text(quiet("later", NEVER), "utf-8")
    with Serving(tmp_path):
        settled(tmp_path, 2)
    assert {each.recipient for each in deliveries(tmp_path, "long") if each.state == "accepted"} == BOTH
    assert set(copies(sink).values()) == {1}


def test_a_run_that_does_not_end_is_begun_again_by_the_next_service(tmp_path: Path, sink: Sink) -> None:
    """After stop_timeout it is ended and waits again; the next start makes it, and what fell due meanwhile; one mail."""

    def jobs(at: dt.datetime) -> dict[str, str]:
        return waiting(at) | {"meanwhile": quiet("meanwhile", when(at + 4 * SECOND))}

    with started(tmp_path, jobs, settings=mailing(sink.port) + 'stop_timeout = "1s"\n') as service:
        begun(tmp_path)
        children = service.below()
        assert service.stop() == 0
        all_gone(children)
    stopped = one(tmp_path, "long")
    assert (stopped.state, stopped.attempt) == ("queued", 2)
    assert "the service was stopped" in stopped.log
    off = occurrence(stopped) + 4 * SECOND
    eventually(lambda: dt.datetime.now(dt.UTC) > off, "the other one has fallen due")
    let_go(tmp_path)
    with Serving(tmp_path):
        again, other = succeeded(tmp_path, "long"), succeeded(tmp_path, "meanwhile")
        settled(tmp_path, 4)
    assert (again.id, again.attempt, again.error) == (stopped.id, 2, "")
    assert "the service was stopped" in again.log
    assert other.occurrence == off
    assert set(copies(sink).values()) == {1}
    assert len(copies(sink)) == 4


def test_a_second_signal_does_not_wait(tmp_path: Path) -> None:
    """What runs is ended at once, and waits for the next service."""
    with started(tmp_path, waiting, settings=mailing(1) + 'stop_timeout = "10m"\n') as service:
        begun(tmp_path)
        service.process.send_signal(signal.SIGTERM)
        eventually(lambda: service.log("service stopping"), "it is stopping")
        time.sleep(0.5)
        assert service.is_alive
        assert service.stop() == 0
    assert (one(tmp_path, "long").state, one(tmp_path, "long").attempt) == ("queued", 2)


STORM = """\
import signal, time
from reports.timer import Bell

bell = Bell()
signal.signal(signal.SIGALRM, lambda *_: bell.set())
signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
until = time.monotonic() + 2
while time.monotonic() < until:
    bell.wait(0.00001)
    bell.clear()
signal.setitimer(signal.ITIMER_REAL, 0)
"""


def test_a_signal_may_come_at_any_instant() -> None:
    """Also while the thread that it interrupts is about to wait, or to wait no more."""
    subprocess.run([sys.executable, "-c", STORM], check=True, capture_output=True, timeout=60)


# -- while mail goes out -----------------------------------------------------------------------------------


def test_the_message_in_hand_is_sent_to_its_end(tmp_path: Path) -> None:
    """SIGTERM during DATA: that one is finished and known as accepted; the others wait, and go out after the restart."""
    slow = Slow("content")
    with Sink(on_step=slow) as sink:
        names = ("one", "two", "three")
        settings = mailing(sink.port).replace("= 5", "= 60")
        with started(
            tmp_path, lambda at: {name: quiet(name, when(at)) for name in names}, settings=settings
        ) as service:
            for name in names:
                succeeded(tmp_path, name)
            assert slow.reached.wait(60)
            service.process.send_signal(signal.SIGTERM)
            eventually(lambda: service.log("service stopping"), "it is stopping")
            slow.let_go()
            assert service.process.wait(60) == 0
        by_state = Counter(each.state for each in deliveries(tmp_path))
        assert by_state == {"accepted": 2, "pending": 4}
        assert len(sink.log) == 2
        with Serving(tmp_path):
            assert {each.state for each in settled(tmp_path, 6)} == {"accepted"}
        assert set(copies(sink).values()) == {1}
        assert len(copies(sink)) == 6


def test_a_message_whose_end_is_not_heard_is_never_sent_twice(tmp_path: Path) -> None:
    """SIGTERM twice while the server does not answer: the service ends; that one is unknown, the others go out."""
    slow = Slow("dot")
    with Sink(on_step=slow) as sink:
        names = ("one", "two")
        settings = mailing(sink.port).replace("= 5", "= 600")
        with started(
            tmp_path, lambda at: {name: quiet(name, when(at)) for name in names}, settings=settings
        ) as service:
            for name in names:
                succeeded(tmp_path, name)
            assert slow.reached.wait(60)
            service.process.send_signal(signal.SIGTERM)
            eventually(lambda: service.log("service stopping"), "it is stopping")
            assert service.stop() == 0
        assert sink.log == []
        slow.let_go()
        with Serving(tmp_path):
            eventually(
                lambda: len({each.run for each in deliveries(tmp_path) if each.settled}) == 2, "the other went out"
            )
        reported = Counter(each.state for each in deliveries(tmp_path) if each.kind == "report")
        assert reported == {"unknown": 2, "accepted": 2}
        assert set(copies(sink).values()) == {1}


def test_slow_mail_delays_no_run(tmp_path: Path) -> None:
    """Five seconds for each answer: run after run begins and succeeds while the first report is still on its way."""

    def on_step(_step: str, _ordinal: int) -> None:
        over.wait(5)

    over = threading.Event()
    with Sink(on_step=on_step) as sink:
        settings = mailing(sink.port).replace("= 5", "= 60")
        with Serving(project(tmp_path, {"steady": quiet("steady", EVERY_SECOND)}, settings=settings)) as service:
            eventually(lambda: len(done(tmp_path)) >= 4, "four runs have succeeded")
            assert sink.steps["connect"] >= 1
            assert sink.steps["reply"] == 0
            assert not [each for each in deliveries(tmp_path) if each.settled]
            assert max(run.late for run in done(tmp_path)) < 10 * SECOND
            (tmp_path / "jobs/steady/job.toml").write_text(quiet("steady", NEVER), "utf-8")
            over.set()
            assert service.stop() == 0


def done(folder: Path) -> Sequence[Run]:
    return [run for run in runs(folder, "steady") if run.state == "succeeded"]


# -- while files change ------------------------------------------------------------------------------------


def test_jobs_change_under_the_service(tmp_path: Path) -> None:
    """Changed, broken and mended, removed, added, paused and resumed: all while it runs, and each as it is promised."""
    names = ("changed", "broken", "removed", "paused")
    jobs = {name: quiet(name, NEVER if name == "changed" else EVERY_SECOND) for name in names}
    with Serving(project(tmp_path, jobs)) as service:
        for name in ("broken", "removed", "paused"):
            eventually(ran(tmp_path, name), f"{name} runs")
        write(tmp_path, "changed", quiet("changed", EVERY_SECOND))
        write(tmp_path, "broken", 'title = "broken\n')
        write(tmp_path, "added", quiet("added", EVERY_SECOND))
        shutil.rmtree(tmp_path / "jobs/removed")
        assert reports(tmp_path, "pause", "paused", "--note", "audit").returncode == 0

        eventually(ran(tmp_path, "changed"), "the changed schedule holds")
        eventually(ran(tmp_path, "added"), "the new job runs")
        eventually(missed(tmp_path, "broken", "the job is broken: "), "the broken job's occurrences are missed")
        eventually(missed(tmp_path, "paused", ": audit"), "the paused job's occurrences are missed")
        assert [each["job"] for each in service.log("job broken")] == ["broken"]
        eventually(lambda: service.log("job removed"), "the folder is gone")
        removed = runs(tmp_path, "removed")
        assert removed, "its history is deleted"

        write(tmp_path, "broken", jobs["broken"])
        assert reports(tmp_path, "resume", "paused").returncode == 0
        eventually(ran(tmp_path, "broken", after="missed"), "the mended job runs again")
        eventually(ran(tmp_path, "paused", after="missed"), "the resumed job runs again")
        assert [each["job"] for each in service.log("job mended")] == ["broken"]
        assert len(runs(tmp_path, "removed")) == len(removed)
        assert service.stop() == 0
    for name in ("broken", "paused"):
        every_second(runs(tmp_path, name))


def write(folder: Path, job: str, text: str) -> None:
    path = folder / "jobs" / job / "job.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, "utf-8")


def ran(folder: Path, job: str, *, after: str = "") -> Callable[[], bool]:
    """Whether a run of the job has succeeded, after one with that state if one is named."""

    def look() -> bool:
        states = [run.state for run in sorted(runs(folder, job), key=occurrence)]
        return "succeeded" in (states[states.index(after) :] if after else states)

    return look


def missed(folder: Path, job: str, why: str) -> Callable[[], bool]:
    return lambda: any(run.state == "missed" and why in run.error for run in runs(folder, job))


def occurrence(run: Run) -> dt.datetime:
    assert run.occurrence is not None
    return run.occurrence


def every_second(rows: Sequence[Run]) -> None:
    """No occurrence between the first and the last is without its row."""
    instants = sorted(occurrence(run) for run in rows)
    assert instants == [instants[0] + number * SECOND for number in range(len(instants))]


# -- when its timer dies -----------------------------------------------------------------------------------


def test_a_dead_timer_ends_the_service(tmp_path: Path) -> None:
    """Its thread ends, whoever ended it: the service says so and ends with status 1, to be started anew."""
    project(tmp_path, {"steady": quiet("steady", EVERY_SECOND)})
    settings, _ = projects.read_settings(tmp_path)
    service = Service(settings=settings, reread=lambda: settings)
    said, status = io.StringIO(), []
    logs.configure("json", stream=said)
    try:
        thread = threading.Thread(target=lambda: status.append(service.run()))
        thread.start()
        eventually(ran(tmp_path, "steady"), "it is at work")
        timer: Timer = service._timer
        timer._scheduler.shutdown(wait=False)
        thread.join(60)
    finally:
        service.stop()
        logs.close()
    assert status == [1]
    (line,) = (line for line in said.getvalue().splitlines() if "timer died" in line)
    assert '"level": "critical"' in line
