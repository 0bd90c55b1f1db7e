"""What becomes of the occurrences of a job that came due: run, made up for, skipped or missed, each with its reason.

Pure: the store, the clock and the ids are given. Which instants there are is said by `schedules`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, takewhile

from pydantic import ValidationError

from reports.definition import CatchUp, Job, Overlap
from reports.model import Accounting, Occurrence, Plan, Run, RunState, Trigger
from reports.parts import Duration, Part
from reports.schedules.occurrences import occurrences
from reports.schedules.options import Schedule
from reports.settings import Settings

_log = logging.getLogger("reports.jobs")
GRACE = dt.timedelta(seconds=60)
"""What begins within a minute of its occurrence was on time; what is later has to be caught up."""
QUIET = "nobody was told: it is paused"
REPLACED = 'a later one is made in its place (catch_up = "latest")'
_INSTANT = dt.timedelta.resolution
AT_ONCE = 1000
"""Occurrences of one job that are accounted for in one step."""


class Expectation(Part):
    """What a job's definition says of when it runs, complete in itself: as it is kept with the plan."""

    schedule: tuple[Schedule, ...]
    timezone: str
    calendar: str
    jitter: Duration | None
    catch_up: CatchUp
    catch_up_within: Duration
    overlap: Overlap

    @classmethod
    def of(cls, job: Job, settings: Settings) -> Expectation:
        """Read once from the job, with the project's time zone and calendar filled in."""
        return cls.model_construct(
            schedule=job.schedule,
            timezone=settings.timezone,
            calendar=settings.calendar,
            jitter=job.jitter,
            catch_up=job.catch_up,
            catch_up_within=job.catch_up_within,
            overlap=job.overlap,
        )

    def after(self, instant: dt.datetime) -> Iterator[Occurrence]:
        """The occurrences after that instant, in order."""
        return occurrences(self.schedule, timezone=self.timezone, calendar=self.calendar, after=instant)

    def next_after(self, instant: dt.datetime) -> dt.datetime | None:
        """When there is something to account for next."""
        first = next(self.after(instant), None)
        return first.at if first else None


def as_kept(definition: str) -> Expectation | None:
    """The expectation that is kept with a plan; None if there is none, or only another version can read it."""
    try:
        return Expectation.model_validate_json(definition) if definition else None
    except ValidationError as error:
        _log.warning("definition not understood", extra={"error": str(error).partition("\n")[0]})
        return None


@dataclass(frozen=True, kw_only=True)
class Planner:
    """Decides at one moment. `off_since` is when a service was last heard of before this one began, if any was."""

    now: dt.datetime
    new_id: Callable[[], str]
    off_since: dt.datetime | None = None

    def account(self, plan: Plan, expected: Expectation, active: Sequence[Run]) -> Accounting:
        """Every occurrence since the plan was last accounted for becomes a row, up to AT_ONCE of them.

        `active` are the job's runs that are queued or running.
        """
        if plan.gone:
            return Accounting(accounted=self.now)
        due = list(islice(self._due(plan, expected), AT_ONCE + 1))
        complete, due = len(due) <= AT_ONCE, due[:AT_ONCE]
        one = _Step(self, plan, expected, active, after=None if complete else due[-1].at)
        return Accounting(
            accounted=self.now if complete else due[-1].at,
            runs=sorted(one.rows(due), key=lambda run: run.occurrence or self.now),
            stop=one.stopped(due),
        )

    def account_as_kept(self, plan: Plan, active: Sequence[Run]) -> Accounting:
        """The same by the definition that is kept with the plan."""
        expected = as_kept(plan.definition)
        return self.account(plan, expected, active) if expected else Accounting(accounted=self.now)

    def _due(self, plan: Plan, expected: Expectation) -> Iterator[Occurrence]:
        return takewhile(lambda one: one.at <= self.now, expected.after(plan.accounted))

    def is_late(self, occurrence: Occurrence) -> bool:
        return self.now - occurrence.at > GRACE

    def is_too_old(self, occurrence: Occurrence, expected: Expectation) -> bool:
        return self.is_late(occurrence) and self.now - occurrence.at > expected.catch_up_within


@dataclass(frozen=True)
class _Step:
    """One job at one moment; `after` is where this step ends, if more is due than it takes."""

    planner: Planner
    plan: Plan
    expected: Expectation
    active: Sequence[Run]
    after: dt.datetime | None = None

    def rows(self, due: Sequence[Occurrence]) -> Iterator[Run]:
        going = []
        for one in due:
            if one.skipped:
                yield self._settled(one, "skipped", one.reason)
            elif why := self._stands_still(one):
                quiet = QUIET if self._is_paused(one) else ""
                yield self._settled(one, "missed", why, notice=quiet)
            else:
                going.append(one)
        yield from self._made(going)

    def stopped(self, due: Sequence[Occurrence]) -> dict[str, str]:
        """Runs that make way for the newest one, where the job wants that."""
        going = [one for one in due if not (one.skipped or self._stands_still(one) or self.planner.is_late(one))]
        if self.expected.overlap != "replace" or not going:
            return {}
        return {run.id: f"replaced by the run for {_at(going[-1].at)}" for run in self.active}

    def _stands_still(self, one: Occurrence) -> str:
        """Why nothing of the job runs then; empty if it does."""
        plan = self.plan
        if self._is_paused(one):
            return plan.why_paused
        return f"the job is broken: {plan.broken}" if plan.broken else ""

    def _is_paused(self, one: Occurrence) -> bool:
        return self.plan.paused is not None and one.at >= self.plan.paused

    def _made(self, going: Sequence[Occurrence]) -> Iterator[Run]:
        before = next((run for run in reversed(self.active) if run.trigger != "backfill"), None)
        latest = self._latest(going)
        for one in going:
            late = self.planner.is_late(one)
            if why := self._given_up(one, late=late, replaced=latest is not None and one is not latest):
                # Of an occurrence that a later one stands for, the report itself will tell.
                quiet = "nobody was told: a later one is made in its place" if why is REPLACED else ""
                yield self._settled(one, "missed", f"{self._why_late(one)}; {why}", notice=quiet)
            elif late:
                yield self._queued(one, "backfill", self._why_late(one))
            elif before is not None and self.expected.overlap == "skip":
                yield self._settled(one, "skipped", _in_the_way(before))
            else:
                before = self._queued(one, "schedule", "")
                yield before

    def _latest(self, going: Sequence[Occurrence]) -> Occurrence | None:
        """The one that is made and stands for the others, in this step or after it; None if all are too old."""
        if not going:
            return None
        if self.after and (later := self._later(self.after)):
            return later
        return None if self.planner.is_too_old(going[-1], self.expected) else going[-1]

    def _later(self, after: dt.datetime) -> Occurrence | None:
        """One that is made of those that came due after this step."""
        now, window = self.planner.now, max(self.expected.catch_up_within, GRACE)
        due = takewhile(lambda one: one.at <= now, self.expected.after(max(after, now - window - _INSTANT)))
        return next((one for one in due if not (one.skipped or self._stands_still(one))), None)

    def _given_up(self, one: Occurrence, *, late: bool, replaced: bool) -> str:
        """Why an occurrence is not made up for, if it is one of several or late; empty if it is made."""
        if late and self.expected.catch_up == "none":
            return 'the job wants no catching up (catch_up = "none")'
        if self.expected.catch_up != "all" and replaced:
            return REPLACED
        return "it is older than catch_up_within" if self.planner.is_too_old(one, self.expected) else ""

    def _why_late(self, one: Occurrence) -> str:
        off = self.planner.off_since
        if off is None or one.at <= off:
            return f"no service took it up before {_at(self.planner.now)}"
        return f"no service was running from {_at(off)} to {_at(self.planner.now)}"

    def _queued(self, one: Occurrence, trigger: Trigger, why: str) -> Run:
        begins = self.planner.now if trigger == "backfill" else one.at + self._jitter(one)
        log = "; ".join(filter(None, [one.reason, why]))
        return replace(self._row(one), state="queued", trigger=trigger, due=begins, log=log)

    def _settled(self, one: Occurrence, state: RunState, why: str, *, notice: str = "") -> Run:
        return replace(self._row(one), state=state, error=why, notice=notice, finished=self.planner.now)

    def _row(self, one: Occurrence) -> Run:
        return Run(
            id=self.planner.new_id(),
            job=self.plan.job,
            as_of=one.local.date(),
            started=self.planner.now,
            occurrence=one.at,
            trigger="schedule",
        )

    def _jitter(self, one: Occurrence) -> dt.timedelta:
        """A part of the job's jitter, always the same one for the same occurrence."""
        if self.expected.jitter is None:
            return dt.timedelta()
        draw = hashlib.sha256(f"{self.plan.job} {one.at.isoformat()}".encode()).digest()
        return self.expected.jitter * (int.from_bytes(draw[:4]) / 2**32)


def _in_the_way(before: Run) -> str:
    state = "running" if before.state == "running" else "waiting to begin"
    return f"the run for {_at(before.occurrence)} was still {state}"


def _at(instant: dt.datetime | None) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S}Z" if instant else "?"
