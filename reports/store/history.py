"""What there is to know of runs: found, listed and counted, and who is to be looked after."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Table, func, or_, select
from sqlalchemy.sql.selectable import NamedFromClause

from reports.errors import NoSuchRun
from reports.model import Run, StoredArtifact
from reports.store import queueing, rows
from reports.store.engine import Database
from reports.store.schema import ACTIVE, MISSED, artifact, run

EARLIER = 50
"""How many runs of days before are looked at for one that this run can be compared with."""


@dataclass(frozen=True)
class History:
    """All runs, as they are."""

    database: Database

    # -- for people ------------------------------------------------------------------------------------

    def find(self, prefix: str) -> Run:
        """The run of that id, or of the only id that begins so; a NoSuchRun says what there is otherwise."""
        alike = rows.runs(log=True).where(run.c.id.startswith(prefix, autoescape=True))
        with self.database.reading() as connection:
            exact = connection.execute(rows.runs(log=True).where(run.c.id == prefix)).one_or_none()
            found = [exact] if exact else list(connection.execute(alike.order_by(run.c.started.desc()).limit(6)))
            if len(found) == 1 and prefix:
                return rows.as_run(found[0])
            newest = connection.scalars(select(run.c.id).order_by(run.c.started.desc()).limit(5)).all()
        if found and prefix:
            what, there = f"'{prefix}' begins the ids of several runs", [row.id for row in found]
        else:
            what, there = f"there is no run '{prefix}'", list(newest)
        hint = f"newest first: {', '.join(there)}" if there else "nothing has been run yet"
        raise NoSuchRun(what, where=self.database.where, hint=hint)

    def list(self, job: str = "", limit: int = 100) -> Sequence[Run]:
        """The newest runs first, of one job or of all, without their logs."""
        newest = rows.runs(log=False).order_by(*_newest(run)).limit(limit)
        return self._runs(newest.where(run.c.job == job) if job else newest)

    def lasts(self) -> dict[str, Run]:
        """How each job went last: its newest run that was no test, not skipped and not waiting; without its log."""
        jobs, other = select(run.c.job).distinct().subquery(), run.alias()
        newest = select(other.c.id).where(other.c.job == jobs.c.job, *_counts(other)).order_by(*_newest(other)).limit(1)
        own = rows.runs(log=False).join(jobs, run.c.id == newest.correlate(jobs).scalar_subquery())
        return {one.job: one for one in self._runs(own)}

    def artifacts(self, run_id: str) -> Sequence[StoredArtifact]:
        """The files a run made, in its order."""
        with self.database.reading() as connection:
            return [rows.as_artifact(row) for row in connection.execute(rows.artifacts_of(run_id))]

    def before(self, job: str, as_of: dt.date, media_type: str) -> Sequence[tuple[Run, StoredArtifact]]:
        """Good runs about days before `as_of` that were no tests, the last first, each with its file of that type."""
        ours = (run.c.job == job, run.c.state == "succeeded", run.c.trigger != "test", run.c.as_of < as_of)
        kept = rows.runs(log=False).add_columns(*rows.ARTIFACT).join(artifact, artifact.c.run == run.c.id)
        wanted = kept.where(*ours, artifact.c.media_type == media_type)
        with self.database.reading() as connection:
            found = connection.execute(wanted.order_by(run.c.as_of.desc(), *_newest(run)).limit(EARLIER)).all()
        return [(rows.as_run(row), rows.as_artifact(row)) for row in found]

    def counts(self) -> Mapping[str, int]:
        """How many runs are in each state."""
        with self.database.reading() as connection:
            found = connection.execute(select(run.c.state, func.count().label("number")).group_by(run.c.state))
            return {row.state: row.number for row in found}

    # -- for services ----------------------------------------------------------------------------------

    def overdue(self, now: dt.datetime, *, dead: Sequence[str] = ()) -> Sequence[tuple[Run, str]]:
        """Runs whose owner is one of the `dead` or has let the lease run out, with that owner."""
        left = or_(run.c.until <= now, run.c.owner.in_(dead))
        over = rows.runs(log=True).add_columns(run.c.owner).where(run.c.state == "running", left)
        with self.database.reading() as connection:
            return [(rows.as_run(row), row.owner) for row in connection.execute(over.order_by(run.c.started))]

    def active(self, job: str = "") -> Sequence[Run]:
        """Runs that wait or go on, of one job or of all, the oldest first, without their logs."""
        # Put in order here: for an order by index a database may read all that the job ever had.
        going = rows.runs(log=False).where(ACTIVE)
        found = self._runs(going.where(run.c.job == job) if job else going)
        return sorted(found, key=lambda one: (one.started, one.id))

    def next_due(self) -> dt.datetime | None:
        """When the next waiting run may begin, be it past; None where none waits, save for jobs that are paused."""
        with self.database.reading() as connection:
            due: dt.datetime | None = connection.execute(queueing.NEXT_DUE).scalar()
        return due

    def asked(self, owners: Sequence[str]) -> dict[str, str]:
        """Why runs of these owners are asked to end, by run id; only those that are."""
        found: dict[str, str] = {}
        with self.database.reading() as connection:
            for batch in rows.batches(owners):
                mine = (ACTIVE, run.c.state == "running", run.c.owner.in_(batch), run.c.stop != "")
                found |= {row.id: row.stop for row in connection.execute(select(run.c.id, run.c.stop).where(*mine))}
        return found

    def untold(self, limit: int = 1000) -> Sequence[Run]:
        """Missed runs that nobody was told of, by job and occurrence, without their logs."""
        return self._runs(rows.runs(log=False).where(MISSED).order_by(run.c.job, run.c.occurrence).limit(limit))

    def _runs(self, statement: Any) -> Sequence[Run]:
        with self.database.reading() as connection:
            return [rows.as_run(row) for row in connection.execute(statement)]


def _newest(of: Table | NamedFromClause) -> Sequence[ColumnElement[Any]]:
    return of.c.started.desc(), of.c.id.desc()


def _counts(of: Table | NamedFromClause) -> Sequence[ColumnElement[bool]]:
    """Runs that say how a job goes."""
    return of.c.trigger != "test", of.c.state.not_in(["queued", "skipped"])
