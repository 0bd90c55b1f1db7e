"""The queue under any order of schedules, runs that end well or badly, deaths and pauses."""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from storing import MINUTE, NOW, a_due, accounted, ended, opened

from reports.model import Run

JOBS = ("a", "b", "c")
LEASE = 5 * MINUTE


@dataclass
class Known:
    """What a run is believed to be: its state, who has it, and when it may begin."""

    job: str
    due: dt.datetime
    state: str = "queued"
    owner: str = ""
    until: dt.datetime = NOW


class Services(RuleBasedStateMachine):
    """Services with one store: each run is in one hand at a time, and one of a job goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.store = opened(self.folder)
        self.now = NOW
        self.owners = 0
        self.runs: dict[str, Known] = {}
        self.paused: set[str] = set()

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)

    @rule(job=st.sampled_from(JOBS), number=st.integers(1, 3), replaces=st.booleans())
    def occurrences_come_due(self, job: str, number: int, replaces: bool) -> None:  # noqa: FBT001
        new = [a_due(len(self.runs) + n, job=job, due=self.now + n * MINUTE) for n in range(number)]
        old = [name for name, one in self.runs.items() if one.job == job and one.state in {"queued", "running"}]
        stop = dict.fromkeys(old if replaces else [], "replaced")
        assert accounted(self.store, *new, at=self.now, stop=stop) == [one.id for one in new]
        for name in stop:
            if self.runs[name].state == "queued":
                self.runs[name].state = "skipped"
        self.runs |= {one.id: Known(job, one.due or NOW) for one in new}

    @rule(minutes=st.sampled_from([1, 4, 10]))
    def time_passes(self, minutes: int) -> None:
        self.now += minutes * MINUTE

    @rule(number=st.integers(1, 3), overlapping=st.sampled_from([(), ("a",)]))
    def a_service_takes(self, number: int, overlapping: tuple[str, ...]) -> None:
        names = [f"owner-{self.owners + n}" for n in range(number)]
        self.owners += number
        could = self.may_begin(overlapping)
        got = self.store.runs.take(now=self.now, until=self.now + LEASE, owners=names, overlapping=overlapping)
        assert [owner for _, owner in got] == names[: len(got)]
        for run, owner in got:
            known = self.runs[run.id]
            assert run.id in self.may_begin(overlapping), "it had to wait"
            assert (run.state, run.started) == ("running", self.now)
            known.state, known.owner, known.until = "running", owner, self.now + LEASE
        assert len(got) == number or not self.may_begin(overlapping), "one was left that could begin"
        assert bool(got) == bool(could)

    def may_begin(self, overlapping: tuple[str, ...]) -> list[str]:
        busy = {one.job for one in self.runs.values() if one.state == "running"}.difference(overlapping) | self.paused
        waits = {name: one for name, one in self.runs.items() if one.state == "queued" and one.due <= self.now}
        return [name for name, one in waits.items() if one.job not in busy]

    def running(self) -> list[str]:
        return [name for name, one in self.runs.items() if one.state == "running"]

    @precondition(lambda self: self.running())
    @rule(data=st.data(), how=st.sampled_from(["succeeded", "failed", "again"]))
    def a_run_ends(self, data: Any, how: str) -> None:
        name = data.draw(st.sampled_from(self.running()))
        self.settle(self.store.runs.find(name), self.runs[name], how)

    def settle(self, run: Run, known: Known, how: str) -> None:
        if how == "again":
            known.due = self.now + MINUTE
            self.store.runs.requeue(replace(run, due=known.due, attempt=run.attempt + 1), owner=known.owner)
        elif how == "succeeded":
            self.store.runs.succeed(ended(run), owner=known.owner, artifacts=[], messages=[])
        else:
            self.store.runs.fail(ended(run, how), owner=known.owner)
        known.state = "queued" if how == "again" else how

    @rule()
    def those_of_the_dead_begin_again(self) -> None:
        left = {name for name in self.running() if self.runs[name].until <= self.now}
        found = self.store.runs.overdue(self.now)
        assert {run.id for run, _ in found} == left
        for run, owner in found:
            assert owner == self.runs[run.id].owner
            self.settle(run, self.runs[run.id], "again")

    @rule(job=st.sampled_from(JOBS))
    def a_person_pauses_or_resumes(self, job: str) -> None:
        if job in self.paused:
            assert self.store.plans.resume(job, now=self.now)
        else:
            assert self.store.plans.pause(job, now=self.now, note="")
        self.paused ^= {job}

    @invariant()
    def every_run_is_what_it_is_believed_to_be(self) -> None:
        kept = {one.id: (one.job, one.state) for one in self.store.runs.list(limit=1000)}
        assert kept == {name: (one.job, one.state) for name, one in self.runs.items()}
        assert set(self.store.owners()) == {self.runs[name].owner for name in self.running()}


TestServices = Services.TestCase
TestServices.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
