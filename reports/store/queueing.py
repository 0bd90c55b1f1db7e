"""How queued runs get into the hands of those who carry them out, one of a job at a time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, Connection, Row, Select, bindparam, select, update

from reports.model import Run
from reports.store import rows
from reports.store.engine import locked
from reports.store.schema import ACTIVE, QUEUED, Instant, plan, run

_LOOK = 50
"""Rows looked at beyond those wanted: several may be of one job."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """Who has a hand free, until when a lease would last, and jobs of which several runs may go on at once."""

    now: dt.datetime
    until: dt.datetime
    owners: Sequence[str]
    overlapping: Collection[str]


# As a value, so that no database thinks of beginning with the plans: there are many, and runs that wait are few.
_plan = select(plan.c.job).where(plan.c.job == run.c.job, plan.c.paused.is_(None)).correlate(run).scalar_subquery()
_may_begin = (QUEUED, _plan.is_not(None))
DUE: Select[Any] = (
    select(run.c.id, run.c.job)
    .where(*_may_begin, run.c.due <= bindparam("now"), run.c.job.not_in(bindparam("passed", expanding=True)))
    .order_by(run.c.due, run.c.occurrence, run.c.id)
)
NEXT_DUE = select(run.c.due).where(*_may_begin).order_by(run.c.due).limit(1)
_jobs: BindParameter[Any] = bindparam("jobs", expanding=True)
FREE = locked(
    select(plan.c.job).where(plan.c.job.in_(_jobs), plan.c.paused.is_(None)).order_by(plan.c.job), plan, skip=True
)
# Whether one has an occurrence is looked at here: asked for it, a database may read all that the job ever had.
BUSY = select(run.c.job, run.c.occurrence).where(ACTIVE, run.c.state == "running")
_now = bindparam("now", type_=Instant)
_BEGIN = (
    update(run)
    .where(run.c.id == bindparam("number"), run.c.state == "queued", run.c.due <= _now)
    .values(
        state="running",
        started=_now,
        owner=bindparam("who"),
        until=bindparam("lease", type_=Instant),
        stop="",
    )
)


def take(connection: Connection, call: Call) -> Mapping[str, str]:
    """Makes the runs that are due the owners' own, one each, oldest due first; gives run ids with their owner.

    A job that another service has in hand at this moment is passed over.
    """
    taken: dict[str, str] = {}
    passed = _busy(connection, BUSY, call)
    while found := _look(connection, call, passed, len(call.owners) - len(taken)):
        jobs = {row.job for row in found}
        # Nobody begins a run of a job without its plan's lock, so what is seen from here on stays true.
        free = set(connection.scalars(FREE, {"jobs": list(jobs)}))
        free -= _busy(connection, BUSY.where(run.c.job.in_(list(free))), call)
        begun = _begin(connection, call, [row for row in found if row.job in free], call.owners[len(taken) :])
        taken |= {row.id: owner for row, owner in begun}
        passed |= (jobs - free) | ({row.job for row, _ in begun} - set(call.overlapping))
    return taken


def _busy(connection: Connection, statement: Any, call: Call) -> set[str]:
    """Jobs that have a run going on, and want no second one beside it."""
    return {row.job for row in connection.execute(statement) if row.occurrence}.difference(call.overlapping)


def _look(connection: Connection, call: Call, passed: Iterable[str], wanted: int) -> Sequence[Row[Any]]:
    """At most so many due runs of other jobs than those, one of a job unless it may overlap."""
    if not wanted:
        return []
    jobs: set[str] = set()
    chosen: list[Row[Any]] = []
    for row in connection.execute(DUE.limit(wanted + _LOOK), {"now": call.now, "passed": list(passed)}):
        if row.job not in jobs or row.job in call.overlapping:
            chosen.append(row)
        jobs.add(row.job)
    return chosen[:wanted]


def _begin(
    connection: Connection, call: Call, found: Sequence[Row[Any]], owners: Sequence[str]
) -> Sequence[tuple[Row[Any], str]]:
    """Those that still wait and are due, each with its owner."""
    begun: list[tuple[Row[Any], str]] = []
    for row in found:
        owner = owners[len(begun)]
        values = {"number": row.id, "now": call.now, "who": owner, "lease": call.until}
        if connection.execute(_BEGIN, values).rowcount:
            begun.append((row, owner))
    return begun


def taken(connection: Connection, owners: Mapping[str, str]) -> Sequence[tuple[Run, str]]:
    """These runs as they are now, with their logs, in the order given, each with its owner."""
    found: dict[str, Run] = {}
    for batch in rows.batches(list(owners)):
        these = rows.runs(log=True).where(run.c.id.in_(batch))
        found |= {row.id: rows.as_run(row) for row in connection.execute(these)}
    return [(found[number], owner) for number, owner in owners.items()]
