"""The history of runs: started once for an occurrence, ended in one commit with all that follows from it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from reports.errors import StoreError, Superseded
from reports.model import Outgoing, Run, StoredArtifact
from reports.store import messages, queueing, retention, rows, streaks
from reports.store.artifacts import Artifacts
from reports.store.engine import locked
from reports.store.history import History
from reports.store.schema import ACTIVE, artifact, run
from reports.store.services import Services


@dataclass(frozen=True)
class Runs(History):
    """All runs, and the files they made."""

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
        recoveries: Sequence[Outgoing] = (),
    ) -> bool:
        """The run's success, its files and its messages in one commit, or none of them.

        `recoveries` go out too if the job was in trouble, one on each channel; whether they do is what comes back.
        What waited to be told of that trouble is cancelled. Superseded if the run is not `owner`'s any more.
        """
        contents, glad = self._kept(messages), self._kept(recoveries)
        with self.database.writing() as connection:
            at = _end(connection, ended, owner)
            if artifacts:
                connection.execute(insert(artifact), [{**vars(one), "run": ended.id} for one in artifacts])
            # That a test went well says nothing about the job's own runs.
            test = any(outgoing.kind == "test" for outgoing in messages)
            threads = [] if test else streaks.close(connection, ended.job, [""], at)
            for outgoing, content in contents:
                _add(connection, ended, outgoing, content, at)
            for outgoing, content in glad if threads else ():
                _add(connection, ended, replace(outgoing, thread=threads[0]), content, at)
        return bool(threads and glad)

    def fail(self, ended: Run, *, owner: str, notices: Sequence[Outgoing] = ()) -> Sequence[Outgoing]:
        """The run's failure, and of its notices those whose channels were not told of this trouble: they come back.

        The trouble is opened, or counted up, in the same commit; a failure that nobody is told of opens none.
        Superseded if the run is not `owner`'s any more.
        """
        contents = self._kept(notices)
        with self.database.writing() as connection:
            at = _end(connection, ended, owner)
            return streaks.tell(connection, [_failure(ended.job, ended.id, at, notices)], contents, at)

    def note(self, run_id: str, notice: str) -> None:
        """Says with the run who was told of its failure, or why nobody could be."""
        with self.database.writing() as connection:
            if not connection.execute(update(run).where(run.c.id == run_id).values(notice=notice)).rowcount:
                raise StoreError(f"there is no run {run_id}", where=self.database.where)

    def miss(
        self,
        run_ids: Sequence[str],
        *,
        job: str,
        at: dt.datetime,
        notices: Sequence[Outgoing] = (),
        note: Callable[[Sequence[Outgoing]], str],
    ) -> Sequence[Outgoing]:
        """Runs of a job that were missed are told of, by those notices whose channels were not told of this trouble.

        They come back. `note` makes of them what is said with each run: who was told, or why nobody was. Those that
        somebody has told of meanwhile are left as they are.
        """
        contents = self._kept(notices)
        with self.database.writing() as connection:
            untold = _untold(connection, run_ids)
            if not untold:
                return []
            told = streaks.tell(connection, [_failure(job, untold[-1], at, notices)], contents, at)
            for batch in rows.batches(untold):
                connection.execute(update(run).where(run.c.id.in_(batch)).values(notice=note(told)))
        return told

    # -- the queue -------------------------------------------------------------------------------------

    def take(
        self, *, now: dt.datetime, until: dt.datetime, owners: Sequence[str], overlapping: Sequence[str] = ()
    ) -> Sequence[tuple[Run, str]]:
        """Queued runs that are due begin, the longest due first, each leased to one of the owners until then.

        At most one run of a job goes on at a time, whoever takes them, unless it is one of the `overlapping`.
        Paused jobs begin nothing. What another service has in hand at this moment is passed over.
        """
        if not owners or not self._any_due(now):
            return []
        call = queueing.Call(now=now, until=until, owners=owners, overlapping=frozenset(overlapping))
        with self.database.writing() as connection:
            return queueing.taken(connection, queueing.take(connection, call))

    def requeue(self, again: Run, *, owner: str) -> None:
        """The run waits again, until it is due, with the attempt, error and log given; its lease is given up.

        Superseded if the run is not `owner`'s any more.
        """
        if again.due is None:
            raise ValueError(f"nobody says when the run {again.id} may begin again")
        names = ("attempt", "due", "error", "log")
        values = {name: getattr(again, name) for name in names} | {"state": "queued", "owner": "", "stop": ""}
        with self.database.writing() as connection:
            _change(connection, again.id, owner, values)

    def give_up(self, settled: Run) -> bool:
        """A run that waits is settled as it says, with its error and notice; False if it waits no more."""
        if settled.finished is None or settled.state in {"queued", "running"}:
            raise ValueError(f"the run {settled.id} is not settled")
        values = {name: getattr(settled, name) for name in ("state", "error", "notice", "finished")}
        waits = (run.c.id == settled.id, run.c.state == "queued")
        with self.database.writing() as connection:
            return connection.execute(update(run).where(*waits).values(values)).rowcount > 0

    def renew_all(self, owners: Sequence[str], *, until: dt.datetime) -> None:
        """All that these owners are running is leased until then."""
        held = (ACTIVE, run.c.state == "running", run.c.owner.in_(owners))
        with self.database.writing(quick=True) as connection:
            connection.execute(update(run).where(*held).values(until=until))

    def keep_log(self, run_id: str, *, owner: str, log: str) -> None:
        """What the run has said so far, or all that it said; nothing is changed if it is not `owner`'s any more."""
        with self.database.writing(quick=True) as connection:
            connection.execute(update(run).where(run.c.id == run_id, run.c.owner == owner).values(log=log))

    def prune(self, now: dt.datetime, *, keep: dt.timedelta, keep_runs: int) -> int:
        """Deletes what is older than `keep` or beyond the newest `keep_runs` of a job; gives the number of runs.

        Those that ran are counted apart from those that were skipped or missed. A run that is active, or has a
        delivery that is not settled, stays whole. Then the bytes that no run refers to go, and what is known of
        services that were last heard of before that.
        """
        deleted = retention.prune_runs(self.database, now - keep, keep_runs)
        retention.prune_bytes(self.database, self.kept, now)
        Services(self.database).prune(now - keep)
        return deleted

    def _any_due(self, now: dt.datetime) -> bool:
        """Whether there is anything to take: a look that disturbs nobody."""
        due = self.next_due()
        return due is not None and due <= now

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
    _change(connection, ended.id, owner, rows.of_run(ended))
    return ended.finished


def _change(connection: Connection, run_id: str, owner: str, values: Mapping[str, Any]) -> None:
    mine = (run.c.id == run_id, run.c.owner == owner, run.c.state == "running")
    if not connection.execute(update(run).where(*mine).values(values)).rowcount:
        raise Superseded(
            f"the run {run_id} is not this process's any more: its lease ran out, and it was given up",
            hint="nothing of it was sent; run the job again",
        )


def _untold(connection: Connection, run_ids: Sequence[str]) -> Sequence[str]:
    """Those of the missed runs that nobody has told of, in the order given, locked."""
    found: set[str] = set()
    for batch in rows.batches(sorted(run_ids)):
        silent = select(run.c.id).where(run.c.id.in_(batch), run.c.state == "missed", run.c.notice == "")
        found.update(connection.scalars(locked(silent.order_by(run.c.id), run)))
    return [number for number in run_ids if number in found]


def _failure(job: str, run_id: str, at: dt.datetime, notices: Sequence[Outgoing]) -> streaks.Failure:
    named = notices[0].message.message_id if notices else ""
    return streaks.Failure(job=job, run=run_id, since=at, latest=at, message_id=named)


def _add(connection: Connection, ended: Run, outgoing: Outgoing, content: str, at: dt.datetime) -> None:
    messages.add(connection, ended.id, outgoing, content=content, at=at)
