"""Two services on one database share the work: each run is one's, and what a killed one leaves the other takes over."""

from __future__ import annotations

import collections
import datetime as dt
import itertools
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import postgres
import pytest
from serving import SECOND, Serving, accounted, deliveries, eventually, mailing, project, runs
from serving import app as opened
from sink import Sink
from sqlalchemy import create_engine, select, text
from storing import both

from reports import leases
from reports.model import Accounting, Plan, Run
from reports.project import read_settings
from reports.service import Service
from reports.store.schema import run

TO_PLAN = dt.timedelta(seconds=5)
"""How long after its first beat a service may take to see its jobs, on a slow machine."""
BEATS = {"every_second": 1, "every_second_one": 2, "every_third": 3, "every_fifth": 5}
JOB = """\
title = "{name}"
schedule = "*/{beat} * * * * *"
overlap = "queue"
catch_up = "all"
[[show]]
text = "Nothing to see."
"""
HOOKS = """\
import fcntl, pathlib, time
def datasets(frames, params):
    here = pathlib.Path(__file__).parent
    with (here / "held").open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            (here / "two_at_once").touch()
        time.sleep(0.05)
    return {}
"""
STORE = '\n[store]\nurl = "{url}"\n'
SEVEN = dt.datetime(2026, 11, 24, 7, tzinfo=dt.UTC)
ELSEWHERE = "elsewhere+1/77/0a1b2c3d.99/aa"
"""An owner on another machine."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    yield from postgres.server(tmp_path_factory.mktemp("postgres"))


_NUMBERS = itertools.count(1)


@pytest.fixture
def url(server: str) -> str:
    """A database of the test's own."""
    engine, name = create_engine(server, isolation_level="AUTOCOMMIT"), f"d{next(_NUMBERS)}"
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    made = engine.url.set(database=name)
    return made.render_as_string(hide_password=False)


@dataclass
class Pair:
    """Two services of one project, each with all the process numbers that it ever had."""

    folder: Path
    both: Sequence[Serving] = ()
    pids: Sequence[set[int]] = field(default_factory=lambda: (set(), set()))

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Begun at the same moment, on a database that has nothing in it."""
        self.both = Serving(self.folder), Serving(self.folder)
        with ExitStack() as stack:
            for number, one in enumerate(self.both):
                one.log_file = self.folder / f"serve{number}.log"
                stack.push(one)
            both(self.both[0].start, self.both[1].start)
            self._note()
            yield

    def _note(self) -> None:
        for one, pids in zip(self.both, self.pids, strict=True):
            pids.add(one.pid)

    def disturbed(self, seconds: float, *, every: float) -> int:
        """One after the other is killed and begun again; how many times."""
        chance, until = random.Random(4), time.monotonic() + seconds  # noqa: S311
        for number in itertools.count():
            time.sleep(every * chance.uniform(0.6, 1.4))
            if time.monotonic() > until and number > 1:
                return number
            victim = self.both[number % 2]
            assert victim.kill() == -9
            victim.start()
            self._note()
        raise AssertionError

    def drained(self) -> dt.datetime:
        """Nothing more comes due, and all that did is done; when that was written."""
        for name in BEATS:
            path = self.folder / "jobs" / name / "job.toml"
            (written := path.with_suffix(".new")).write_text(path.read_text().replace("schedule =", "#"), "utf-8")
            written.replace(path)
        now = dt.datetime.now(dt.UTC)
        eventually(self._is_at_rest, "nothing is left to run or to send", within=120)
        return now

    def _is_at_rest(self) -> bool:
        with opened(self.folder) as one:
            plans = one.store.plans.every()
            expected = any("*/" in plan.definition for plan in plans.values())
            waiting = one.store.runs.active() or set(one.store.outbox.counts()) & {"pending", "sending"}
            return len(plans) == len(BEATS) and not expected and not waiting

    def stopped(self) -> None:
        assert [one.stop() for one in self.both] == [0, 0]


def laid_out(folder: Path, url: str, port: int) -> Path:
    jobs = {name: JOB.format(name=name, beat=beat) for name, beat in BEATS.items()}
    jobs |= {f"{name}/hooks.py": HOOKS for name in BEATS}
    return project(folder, jobs, settings=mailing(port) + STORE.format(url=url))


def workers(folder: Path) -> set[int]:
    """The processes that had a run at the end of it."""
    with opened(folder) as one, one.store.database.reading() as connection:
        return {int(owner.split("/")[1]) for owner in connection.scalars(select(run.c.owner)) if owner}


def test_two_services_of_which_one_is_killed_again_and_again(tmp_path: Path, url: str, soak: float) -> None:
    """Every occurrence has one row and ends; both have worked; never two runs of a job at once, and no mail twice."""
    with Sink() as sink:
        pair = Pair(laid_out(tmp_path, url, sink.port))
        with pair.at_work():
            began = dt.datetime.now(dt.UTC)
            pair.disturbed(soak, every=10 if soak > 100 else 3)
            ended = pair.drained()
            pair.stopped()
        for name, beat in BEATS.items():
            every_one_ran(tmp_path, name, beat * SECOND, (began, ended), sink)
        assert not list(tmp_path.glob("jobs/*/two_at_once")), "two runs of one job at once"
        assert all(pids & workers(tmp_path) for pids in pair.pids), "one of them did nothing"
        copies = collections.Counter((taken.message_id, taken.recipient) for taken in sink.log)
        assert max(copies.values()) == 1


def every_one_ran(
    folder: Path, job: str, every: dt.timedelta, between: tuple[dt.datetime, dt.datetime], sink: Sink
) -> None:
    """All occurrences from the start to the end of the schedule, save for runs that died under five services."""
    ats = [row.occurrence for row in runs(folder, job) if row.occurrence]
    assert ats[0] <= between[0] + every + TO_PLAN
    assert max(ats) > between[1] - every
    found = accounted(folder, job, min(ats), max(ats), every, taken=sink.log)
    states = collections.Counter(row.state for row in found)
    assert set(states) <= {"succeeded", "interrupted"}, states
    assert states["succeeded"] >= 0.9 * len(found), states


@contextmanager
def turned(folder: Path, clock: Callable[[], dt.datetime]) -> Iterator[Service]:
    """A service that turns when it is told to, and is ended in order."""
    service = Service(settings=read_settings(folder)[0], reread=lambda: read_settings(folder)[0], clock=clock)
    try:
        yield service
    finally:
        service.stop()
        service.run()


def begun_elsewhere(service: Service) -> None:
    """A run for seven that a service on another machine has in hand since then."""
    row = Run(id="r1", job="daily", as_of=SEVEN.date(), started=SEVEN, occurrence=SEVEN, state="queued", due=SEVEN)
    service.store.plans.keep([Plan(job="daily", definition="", accounted=SEVEN - SECOND)])
    service.store.plans.account(["daily"], lambda *_: Accounting(accounted=SEVEN, runs=[replace(row)]))
    assert service.store.runs.take(now=SEVEN, until=SEVEN + leases.LENGTH, owners=[ELSEWHERE])


def made_by(service: Service, folder: Path) -> bool:
    service.turn()
    return runs(folder)[0].state == "succeeded"


def test_what_a_service_on_another_machine_holds_is_its_own_until_its_lease_is_over(tmp_path: Path, url: str) -> None:
    """Not a second before; then it is begun here, once, and the other one could not commit it any more."""
    daily = JOB.format(name="daily", beat=1).replace("*/1 * * * * *", "0 7 * * *")
    with Sink() as sink:
        folder = project(tmp_path, {"daily": daily}, settings=mailing(sink.port) + STORE.format(url=url))
        with turned(folder, lambda: SEVEN) as before:
            begun_elsewhere(before)
        with turned(folder, lambda: SEVEN + leases.LENGTH - SECOND) as early:
            early.turn()
            assert [(row.state, row.attempt) for row in runs(folder)] == [("running", 1)]
        with turned(folder, lambda: SEVEN + leases.LENGTH) as late:
            eventually(lambda: made_by(late, folder), "it is made here")
            assert not late.store.runs.renew("r1", owner=ELSEWHERE, until=SEVEN + dt.timedelta(days=1))
        assert [(row.state, row.attempt) for row in runs(folder)] == [("succeeded", 2)]
        assert sorted(one.recipient for one in deliveries(folder)) == ["they@example.com", "you@example.com"]
