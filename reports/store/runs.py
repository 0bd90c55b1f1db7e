"""The history of runs: started once for an occurrence, ended in one commit with all that follows from it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from reports.errors import StoreError, Superseded
from reports.model import Outgoing, Run, StoredArtifact
from reports.store import messages, retention, rows, streaks
from reports.store.artifacts import Artifacts
from reports.store.engine import Database
from reports.store.schema import artifact, run


@dataclass(frozen=True)
class Runs:
    """All runs, and the files they made."""

    database: Database
    kept: Artifacts

    # -- one run, from its start to its end ------------------------------------------------------------

    def start(self, started: Run, *, owner: str, until: dt.datetime) -> bool:
        """The run begins, leased to `owner`; False, and nothing changed, if its occurrence has a run already."""
        values = {**rows.of_run(started), "state": "running", "owner": owner, "until": until}
        with self.database.writing() as connection:
            try:
                with connection.begin_nested():
                    connection.execute(insert(run).values(values))
            except IntegrityError:
                if not _has_run(connection, started):
                    raise
                return False
        return True

    def renew(self, run_id: str, *, owner: str, until: dt.datetime) -> bool:
        """The lease lasts until then; False if the run is not `owner`'s any more."""
        mine = (run.c.id == run_id, run.c.owner == owner, run.c.state == "running")
        with self.database.writing() as connection:
            return connection.execute(update(run).where(*mine).values(until=until)).rowcount > 0

    def succeed(
        self,
        ended: Run,
        *,
        owner: str,
        artifacts: Sequence[StoredArtifact],
        messages: Sequence[Outgoing],
        recovery: Outgoing | None = None,
    ) -> bool:
        """The run's success, its files and its messages in one commit, or none of them.

        `recovery` goes out too if the job was in trouble; whether it does is what comes back. Superseded if
        the run is not `owner`'s any more.
        """
        contents = self._kept([*messages, *([recovery] if recovery else [])])
        with self.database.writing() as connection:
            at = _end(connection, ended, owner)
            if artifacts:
                connection.execute(insert(artifact), [{**vars(one), "run": ended.id} for one in artifacts])
            # That a test went well says nothing about the job's own runs.
            test = any(outgoing.kind == "test" for outgoing in messages)
            recovered = not test and streaks.close(connection, ended.job, [""]) and recovery is not None
            for outgoing, content in contents:
                if outgoing is not recovery or recovered:
                    _add(connection, ended, outgoing, content, at)
        return recovered

    def fail(self, ended: Run, *, owner: str, notice: Outgoing | None = None) -> bool:
        """The run's failure; its notice too if the job was not in trouble yet, which is what comes back.

        The trouble is opened, or counted up, in the same commit; a failure that nobody is told of opens none.
        Superseded if the run is not `owner`'s any more.
        """
        contents = self._kept([notice] if notice else [])
        with self.database.writing() as connection:
            at = _end(connection, ended, owner)
            if notice is None:
                return False
            named = notice.message.message_id
            failure = streaks.Failure(job=ended.job, run=ended.id, since=at, latest=at, message_id=named)
            opened = streaks.add(connection, failure)
            for outgoing, content in contents if opened else ():
                _add(connection, ended, outgoing, content, at)
        return opened

    def note(self, run_id: str, notice: str) -> None:
        """Says with the run who was told of its failure, or why nobody could be."""
        with self.database.writing() as connection:
            if not connection.execute(update(run).where(run.c.id == run_id).values(notice=notice)).rowcount:
                raise StoreError(f"there is no run {run_id}", where=self.database.where)

    # -- what there is -------------------------------------------------------------------------------

    def overdue(self, now: dt.datetime, *, dead: Sequence[str] = ()) -> Sequence[tuple[Run, str]]:
        """Runs whose owner is one of the `dead` or has let the lease run out, with that owner."""
        left = or_(run.c.until <= now, run.c.owner.in_(dead))
        over = rows.runs(log=True).add_columns(run.c.owner).where(run.c.state == "running", left)
        with self.database.reading() as connection:
            return [(rows.as_run(row), row.owner) for row in connection.execute(over.order_by(run.c.started))]

    def find(self, prefix: str) -> Run:
        """The run of that id, or of the only id that begins so; a StoreError says what there is otherwise."""
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
        raise StoreError(what, where=self.database.where, hint=hint)

    def list(self, job: str = "", limit: int = 100) -> Sequence[Run]:
        """The newest runs first, of one job or of all, without their logs."""
        newest = rows.runs(log=False).order_by(run.c.started.desc(), run.c.id.desc()).limit(limit)
        with self.database.reading() as connection:
            return [rows.as_run(row) for row in connection.execute(newest.where(run.c.job == job) if job else newest)]

    def last(self, job: str) -> Run | None:
        """The newest run of a job that was not a test, without its log."""
        own = rows.runs(log=False).where(run.c.job == job, run.c.trigger != "test")
        with self.database.reading() as connection:
            row = connection.execute(own.order_by(run.c.started.desc(), run.c.id.desc()).limit(1)).one_or_none()
        return rows.as_run(row) if row else None

    def artifacts(self, run_id: str) -> Sequence[StoredArtifact]:
        """The files a run made, in its order."""
        with self.database.reading() as connection:
            return [rows.as_artifact(row) for row in connection.execute(rows.artifacts_of(run_id))]

    def prune(self, now: dt.datetime, *, keep: dt.timedelta, keep_runs: int) -> int:
        """Deletes what is older than `keep` or beyond the newest `keep_runs` of a job; gives the number of runs.

        A run with a delivery that is not settled stays whole. Then the bytes that no run refers to go.
        """
        deleted = retention.prune_runs(self.database, now - keep, keep_runs)
        retention.prune_bytes(self.database, self.kept, now)
        return deleted

    def _kept(self, outgoing: Sequence[Outgoing]) -> Sequence[tuple[Outgoing, str]]:
        """Each message with the hash of its bytes, which are on the disk before anything refers to them."""
        return [(one, self.kept.put(one.message.content)) for one in outgoing]


def _has_run(connection: Connection, started: Run) -> bool:
    if started.occurrence is None:
        return False
    same = (run.c.job == started.job, run.c.occurrence == started.occurrence)
    return connection.execute(select(run.c.id).where(*same)).first() is not None


def _end(connection: Connection, ended: Run, owner: str) -> dt.datetime:
    """The run as it ended, if it is still `owner`'s; the instant when it did."""
    if ended.finished is None or ended.state == "running":
        raise ValueError(f"the run {ended.id} has not ended")
    mine = (run.c.id == ended.id, run.c.owner == owner, run.c.state == "running")
    if not connection.execute(update(run).where(*mine).values(rows.of_run(ended))).rowcount:
        raise Superseded(
            f"the run {ended.id} is not this process's any more: its lease ran out, and it was given up",
            hint="nothing of it was sent; run the job again",
        )
    return ended.finished


def _add(connection: Connection, ended: Run, outgoing: Outgoing, content: str, at: dt.datetime) -> None:
    messages.add(connection, ended.id, outgoing, content=content, at=at)
