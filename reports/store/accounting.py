"""Occurrences that came due become rows, for some jobs at a time and inside one transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, insert, select, update

from reports.model import Accounting, Plan, Run
from reports.store import rows
from reports.store.engine import locked
from reports.store.schema import ACTIVE, Instant, plan, run

Decide = Callable[[Plan, Sequence[Run]], Accounting]
"""What becomes of a job's occurrences, from its plan and its active runs, oldest occurrence first."""

_jobs: BindParameter[Any] = bindparam("jobs", expanding=True)
PLANS = locked(rows.plans().where(plan.c.job.in_(_jobs)).order_by(plan.c.job), plan)
# Whether one has an occurrence is looked at here: asked for it, a database may read all that the job ever had.
GOING = rows.runs(log=False).where(run.c.job.in_(_jobs), ACTIVE)
_KNOWN = select(run.c.job, run.c.occurrence).where(
    run.c.job.in_(_jobs), run.c.occurrence >= bindparam("first"), run.c.occurrence <= bindparam("last")
)
_at = bindparam("at", type_=Instant)
_ADVANCE = update(plan).where(plan.c.job == bindparam("name"), plan.c.accounted < _at).values(accounted=_at)
_this = run.c.id == bindparam("number")
_ASK = update(run).where(_this, run.c.state == "running").values(stop=bindparam("reason"))
_SKIP = (
    update(run).where(_this, run.c.state == "queued").values(state="skipped", error=bindparam("reason"), finished=_at)
)


def account(connection: Connection, jobs: Sequence[str], decide: Decide) -> Sequence[Run]:
    """The rows that `decide` names and that are not there yet; with them the plans move on and runs are stopped."""
    plans = [rows.as_plan(row) for row in connection.execute(PLANS, {"jobs": list(jobs)})]
    active = _active(connection, jobs)
    decided = {one.job: decide(one, active.get(one.job, ())) for one in plans}
    new = list(_new(connection, jobs, [one for each in decided.values() for one in each.runs]))
    if new:
        connection.execute(insert(run), [_values(one) for one in new])
    if decided:
        connection.execute(_ADVANCE, [{"name": name, "at": each.accounted} for name, each in decided.items()])
    _stop(connection, decided.values())
    return new


def _active(connection: Connection, jobs: Sequence[str]) -> dict[str, list[Run]]:
    found: dict[str, list[Run]] = {}
    going = [rows.as_run(row) for row in connection.execute(GOING, {"jobs": list(jobs)}) if row.occurrence]
    for one in sorted(going, key=lambda each: (each.occurrence or each.started, each.id)):
        found.setdefault(one.job, []).append(one)
    return found


def _new(connection: Connection, jobs: Sequence[str], wanted: Sequence[Run]) -> Iterator[Run]:
    """The first for each occurrence that has no row."""
    instants = [one.occurrence for one in wanted if one.occurrence]
    known: set[tuple[str, dt.datetime | None]] = set()
    if instants:
        between = {"jobs": list(jobs), "first": min(instants), "last": max(instants)}
        known.update((row.job, row.occurrence) for row in connection.execute(_KNOWN, between))
    for one in wanted:
        if (named := (one.job, one.occurrence)) not in known:
            known.add(named)
            yield one


def _values(one: Run) -> dict[str, Any]:
    if one.occurrence is None or (one.state == "queued" and one.due is None):
        raise ValueError(f"the run {one.id} is for no occurrence, or nobody says when it may begin")
    return {**rows.of_run(one), "owner": "", "until": one.started}


def _stop(connection: Connection, decided: Iterable[Accounting]) -> None:
    """Those that are running are asked to end, those that wait are skipped."""
    named = [
        {"number": number, "reason": reason, "at": each.accounted}
        for each in decided
        for number, reason in each.stop.items()
    ]
    if named:
        # In this order: one that goes back into the queue just before is then skipped.
        connection.execute(_ASK, [{"number": one["number"], "reason": one["reason"]} for one in named])
        connection.execute(_SKIP, named)
