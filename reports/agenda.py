"""What comes next, of all jobs: occurrences become rows in the store when their time has come.

In memory there is one instant for each job; what has been accounted for, and by whom, is in the store, so that any
number of services may have an agenda for the same jobs.
"""

from __future__ import annotations

import datetime as dt
import functools
import heapq
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from reports import jobs
from reports.definition import Job
from reports.definitions import Changes
from reports.errors import JobError
from reports.model import Accounting, Plan, Run
from reports.planning import QUIET, Expectation, Planner, as_kept
from reports.settings import Settings
from reports.store import Store

_log = logging.getLogger("reports.jobs")
AHEAD = dt.timedelta(hours=2)
MOST = 2000
"""Jobs accounted for in one step."""


class Manner(NamedTuple):
    """How a job is run: its limits, where it names some, and the address that is called."""

    time_limit: dt.timedelta | None = None
    memory_limit: int | None = None
    ping: str = ""


@dataclass
class Agenda:
    """The jobs of a project with their plans; `off_since` is when a service was last heard of before this one.

    `overlapping` are the jobs of which several runs may go on at once, `broken` those that cannot be read, and why.
    """

    settings: Settings
    store: Store
    new_id: Callable[[], str]
    off_since: dt.datetime | None = None
    _expected: dict[str, Expectation] = field(default_factory=dict, init=False, repr=False)
    _definitions: dict[str, str] = field(default_factory=dict, init=False, repr=False)
    _next: list[tuple[dt.datetime, str]] = field(default_factory=list, init=False, repr=False)
    _at: dict[str, dt.datetime | None] = field(default_factory=dict, init=False, repr=False)
    _begun: bool = field(default=False, init=False, repr=False)
    broken: dict[str, str] = field(default_factory=dict, init=False)
    manners: dict[str, Manner] = field(default_factory=dict, init=False, repr=False)
    overlapping: Sequence[str] = field(default=(), init=False, repr=False)

    # -- definitions ----------------------------------------------------------------------------------

    def learn(self, changes: Changes, now: dt.datetime) -> Sequence[Run]:
        """What was read becomes what is expected, after what was expected until now has been accounted for."""
        plans = self.store.plans.every()
        self._tell_of_the_clock(plans, now)
        learnt = [*self._read_all(changes, plans, now), *self._gone(changes, plans, now)]
        changed = [one for one in learnt if one != plans.get(one.job)]
        anew = {one.job for one in changed if one.job in plans}
        coming = {name: self._first(plans[name]) for name in changes.read if name in plans and name not in anew}
        rows = [*self._account_all(list(anew), now), *self._account_late(coming, now)]
        self.store.plans.keep(changed)
        self._begun = True
        self.overlapping = [name for name, expected in self._expected.items() if expected.overlap == "allow"]
        for name in [*changes.read, *changes.gone]:
            self._arm(name, coming[name] if name in coming else self._next_after(name, now))
        return rows

    def _tell_of_the_clock(self, plans: Mapping[str, Plan], now: dt.datetime) -> None:
        """Jobs accounted for until long after now: the clock is behind, or was ahead, and nothing runs until then."""
        ahead = [plan.accounted for plan in plans.values() if plan.accounted - now > AHEAD]
        if ahead:
            hint = "look at the clock; if it is right now, it was wrong when these were accounted for"
            _log.error("clock behind", extra={"jobs": len(ahead), "until": max(ahead), "hint": hint})

    def _read_all(self, changes: Changes, plans: Mapping[str, Plan], now: dt.datetime) -> Iterator[Plan]:
        for name, job in changes.read.items():
            plan = plans.get(name)
            if isinstance(job, JobError):
                kept = self._broken(name, job, plan, now)
                if jobs.is_name(name):
                    yield kept
            elif job.schedule or plan:
                yield self._read(job, plan, now)
            self._tell_mended(name, job)

    def _read(self, job: Job, plan: Plan | None, now: dt.datetime) -> Plan:
        if self._begun and (plan is None or plan.gone):
            _log.info("job added", extra={"job": job.name})
        expected = Expectation.of(job, self.settings)
        self._expected[job.name] = expected
        self._definitions[job.name] = expected.model_dump_json(exclude_defaults=True)
        self.manners[job.name] = Manner(job.time_limit, job.memory_limit, job.ping)
        return self._plan(job.name, plan, now)

    def _broken(self, name: str, error: JobError, plan: Plan | None, now: dt.datetime) -> Plan:
        """The job is expected as it was when it could be read last."""
        self.broken[name] = error.what.splitlines()[0]
        _log.error("job broken", extra={"job": name, "error": error.what, "where": error.where})
        if name not in self._expected and plan and not plan.gone and (expected := _parsed(plan.definition)):
            self._expected[name], self._definitions[name] = expected, plan.definition
        return self._plan(name, plan, now, broken=self.broken[name])

    def _tell_mended(self, name: str, job: Job | JobError) -> None:
        if isinstance(job, Job) and name in self.broken:
            del self.broken[name]
            _log.info("job mended", extra={"job": name})

    def _gone(self, changes: Changes, plans: Mapping[str, Plan], now: dt.datetime) -> Iterator[Plan]:
        for name in changes.gone:
            _log.info("job removed", extra={"job": name})
            self.broken.pop(name, None)
            self.manners.pop(name, None)
            self._expected.pop(name, None)
            self._definitions.pop(name, None)
            self._at.pop(name, None)
            if name in plans:
                yield self._plan(name, plans[name], now, gone=now)

    def _plan(
        self, name: str, plan: Plan | None, now: dt.datetime, *, broken: str = "", gone: dt.datetime | None = None
    ) -> Plan:
        """What is to be kept: from now on where the job was not there before, else on from where it was."""
        kept = plan or Plan(job=name, definition="", accounted=now)
        since = now if kept.gone and not gone else kept.accounted
        definition = self._definitions.get(name, kept.definition)
        return replace(kept, definition=definition, accounted=since, broken=broken, gone=gone)

    def _first(self, plan: Plan) -> dt.datetime | None:
        """The first occurrence that has not been accounted for."""
        expected = self._as_kept(plan)
        return expected.next_after(plan.accounted) if expected else None

    def _as_kept(self, plan: Plan) -> Expectation | None:
        """What is expected of the job by the definition that is kept of it, which another service may have read.

        By the one that is read here where only another version can read that.
        """
        if plan.definition == self._definitions.get(plan.job):
            return self._expected[plan.job]
        return _parsed(plan.definition) or self._expected.get(plan.job)

    # -- time -----------------------------------------------------------------------------------------

    def next_at(self) -> dt.datetime | None:
        """The next instant at which something has to be accounted for."""
        while self._next and self._at.get(self._next[0][1]) != self._next[0][0]:
            heapq.heappop(self._next)
        return self._next[0][0] if self._next else None

    def tick(self, now: dt.datetime) -> Sequence[Run]:
        """All that came due gets its rows: what is new in the store, queued, skipped or missed.

        A StoreError leaves it all due.
        """
        due: list[tuple[dt.datetime, str]] = []
        while len(due) < MOST and (first := self.next_at()) and first <= now:
            due.append(heapq.heappop(self._next))
        try:
            rows, accounted = self._account([name for _, name in due], now)
        except BaseException:
            for entry in due:
                heapq.heappush(self._next, entry)
            raise
        for name in {name for _, name in due}:
            self._at.pop(name, None)
            self._arm(name, self._next_after(name, accounted.get(name, now)))
        if self._begun and ((first := self.next_at()) is None or first > now):
            self.off_since = None  # all that it explains has been accounted for
        return rows

    def give_up_stale(self, now: dt.datetime) -> None:
        """Runs that stood in the queue for longer than their job catches up, as after days off, are missed."""
        stale = [run for run in self.store.runs.active() if self._is_stale(run, now)]
        plans = self.store.plans.every() if stale else {}
        for run in stale:
            pause = plans[run.job].why_paused if run.job in plans else ""
            why = "; ".join(filter(None, ["it stood in the queue for longer than catch_up_within", pause]))
            quiet = QUIET if pause else ""
            error = "\n".join(filter(None, [why, run.error]))
            self.store.runs.give_up(replace(run, state="missed", error=error, notice=quiet, finished=now))

    def _is_stale(self, run: Run, now: dt.datetime) -> bool:
        """Counted from when it could have begun, which of another attempt is after its wait."""
        expected = self._expected.get(run.job)
        if run.state != "queued" or run.occurrence is None or expected is None:
            return False
        return now - max(run.occurrence, run.due or run.occurrence) > expected.catch_up_within

    def _account_late(self, coming: dict[str, dt.datetime | None], now: dt.datetime) -> Sequence[Run]:
        """One step of what came due before now; where there is more, that is what comes next."""
        late = [name for name, at in coming.items() if at and at <= now]
        rows, accounted = self._account(late, now)
        coming |= {name: self._next_after(name, accounted.get(name, now)) for name in late}
        return rows

    def _account_all(self, names: Sequence[str], now: dt.datetime) -> Sequence[Run]:
        """However much there is of a job."""
        rows: list[Run] = []
        while names:
            more, accounted = self._account(names, now)
            rows += more
            names = [name for name, until in accounted.items() if until < now]
        return rows

    def _account(self, names: Sequence[str], now: dt.datetime) -> tuple[Sequence[Run], Mapping[str, dt.datetime]]:
        """The rows that are new, and up to when each job is accounted for."""
        planner = Planner(now=now, new_id=self.new_id, off_since=self.off_since)
        accounted: dict[str, dt.datetime] = {}

        def decide(plan: Plan, active: Sequence[Run]) -> Accounting:
            expected = self._as_kept(plan)
            made = planner.account(plan, expected, active) if expected else Accounting(accounted=now)
            accounted[plan.job] = max(made.accounted, plan.accounted)
            return made

        return (self.store.plans.account(names, decide) if names else ()), accounted

    def _next_after(self, name: str, instant: dt.datetime) -> dt.datetime | None:
        expected = self._expected.get(name)
        return expected.next_after(instant) if expected else None

    def _arm(self, name: str, at: dt.datetime | None) -> None:
        if at and at != self._at.get(name):
            heapq.heappush(self._next, (at, name))
        self._at[name] = at


_parsed = functools.lru_cache(maxsize=1000)(as_kept)
