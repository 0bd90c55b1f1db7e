"""What is expected of each job, as every service on this store knows it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection, and_, bindparam, case, insert, select, update

from reports.model import Plan, Run
from reports.store import accounting, rows
from reports.store.accounting import Decide
from reports.store.engine import Database, locked
from reports.store.racing import retried
from reports.store.schema import Instant, plan

_BATCH = 300
"""Jobs in one transaction, which keeps others from them while it lasts."""


@dataclass(frozen=True)
class Plans:
    """The plans of all jobs that ever had one."""

    database: Database

    def every(self) -> dict[str, Plan]:
        """Each job's plan."""
        with self.database.reading() as connection:
            return {one.job: one for one in map(rows.as_plan, connection.execute(rows.plans()))}

    def keep(self, plans: Sequence[Plan]) -> None:
        """What the definitions of these jobs say now: definition, broken and gone; new ones as they are given.

        Up to when a job is accounted for changes only if it had gone and is back. A pause is left as it is.
        """
        wanted = sorted({one.job: one for one in plans}.items())
        for batch in rows.batches(wanted, _BATCH):
            retried(self.database, partial(_keep, plans=dict(batch)))

    def pause(self, job: str, *, now: dt.datetime, note: str) -> bool:
        """Nothing of the job starts from now on; False if it was so already. The job need not be known."""
        return retried(self.database, lambda connection: _pause(connection, job, now, note))

    def resume(self, job: str, *, now: dt.datetime) -> bool:
        """The job starts again; False if it was so already.

        What fell due while it was paused, up to `now`, is to be accounted for before this.
        """
        del now  # of a pause that is over nothing is kept
        held = (plan.c.job == job, plan.c.paused.is_not(None))
        with self.database.writing() as connection:
            return connection.execute(update(plan).where(*held).values(paused=None, pause_note="")).rowcount > 0

    def account(self, jobs: Sequence[str], decide: Decide) -> Sequence[Run]:
        """What `decide` says of each job and its active runs becomes rows; gives the runs that are new.

        While it decides on a job, no other service does, and no run of it is taken. An occurrence that has a
        row already keeps that one. `decide` may be asked again for the same job, so it changes nothing itself;
        jobs without a plan are left out.
        """
        added: list[Run] = []
        for batch in rows.batches(sorted(set(jobs)), _BATCH):
            added += retried(self.database, partial(accounting.account, jobs=batch, decide=decide))
        return added


# Batches are their own transactions, and lock in the database's own order: so two services wait in line.
_KEPT = locked(
    select(plan.c.job, plan.c.definition, plan.c.broken, plan.c.gone)
    .where(plan.c.job.in_(bindparam("jobs", expanding=True)))
    .order_by(plan.c.job),
    plan,
)
_gone = bindparam("left", type_=Instant)
_is_back = and_(plan.c.gone.is_not(None), _gone.is_(None))
_CHANGE = (
    update(plan)
    .where(plan.c.job == bindparam("name"))
    .values(
        definition=bindparam("said"),
        broken=bindparam("why"),
        gone=_gone,
        accounted=case((_is_back, bindparam("until", type_=Instant)), else_=plan.c.accounted),
    )
)


def _keep(connection: Connection, plans: dict[str, Plan]) -> None:
    kept = {row.job: row for row in connection.execute(_KEPT, {"jobs": list(plans)})}
    if new := [vars(one) for name, one in plans.items() if name not in kept]:
        connection.execute(insert(plan), new)
    changed = [_change(one) for name, one in plans.items() if name in kept and _differs(one, kept[name])]
    if changed:
        connection.execute(_CHANGE, changed)


def _differs(one: Plan, kept: Any) -> bool:
    return (one.definition, one.broken, one.gone) != (kept.definition, kept.broken, kept.gone)


def _change(one: Plan) -> dict[str, Any]:
    return {"name": one.job, "said": one.definition, "why": one.broken, "left": one.gone, "until": one.accounted}


def _pause(connection: Connection, job: str, now: dt.datetime, note: str) -> bool:
    goes = (plan.c.job == job, plan.c.paused.is_(None))
    if connection.execute(update(plan).where(*goes).values(paused=now, pause_note=note)).rowcount:
        return True
    if connection.execute(select(plan.c.job).where(plan.c.job == job)).first():
        return False
    made = Plan(job=job, definition="", accounted=now, paused=now, pause_note=note)
    connection.execute(insert(plan).values(vars(made)))
    return True
