"""What is too old goes, in batches, and never what somebody still waits for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from sqlalchemy import ColumnElement, CompoundSelect, Connection, case, delete, func, or_, select, union

from reports.model import UNSETTLED, RunState
from reports.store import rows
from reports.store.artifacts import Artifacts
from reports.store.engine import Database
from reports.store.schema import artifact, delivery, message, run, upload

GRACE = dt.timedelta(days=1)
"""Bytes are written before the commit that refers to them; younger ones may still be waiting for theirs."""
_BATCH = 200


def prune_runs(database: Database, cutoff: dt.datetime, keep_runs: int) -> int:
    """Deletes finished runs that ended before `cutoff` or are beyond the newest `keep_runs` of their job.

    Uploads go with them that ended before `cutoff`, and what is known of their rows.
    """
    with database.writing() as connection:
        connection.execute(delete(upload).where(upload.c.ended < cutoff, upload.c.state != "running"))
    with database.reading() as connection:
        ids = _too_old(connection, cutoff, keep_runs)
    return sum(_delete(database, batch) for batch in rows.batches(ids, _BATCH))


def prune_bytes(database: Database, kept: Artifacts, now: dt.datetime) -> None:
    """Deletes bytes that no row refers to, save those put within the last day."""
    before = now - GRACE
    kept.tidy(before)
    old = [sha256 for sha256, put in kept.every() if put < before]
    for batch in rows.batches(old):
        with database.reading() as connection:
            wanted = set(connection.scalars(_referred(batch)))
        for sha256 in set(batch) - wanted:
            kept.delete(sha256, before=before)


def referred(connection: Connection) -> Iterator[tuple[str, str, str]]:
    """Run, name and hash of all bytes that a row refers to; those of a message are named by its Message-ID."""
    for table, name, sha256 in (
        (artifact, artifact.c.name, artifact.c.sha256),
        (message, message.c.message_id, message.c.content),
    ):
        for row in connection.execute(select(table.c.run, name, sha256).order_by(table.c.id)):
            yield row[0], row[1], row[2]


_ACTIVE: tuple[RunState, ...] = ("queued", "running")
_NEVER_RAN: tuple[RunState, ...] = ("skipped", "missed")


def _too_old(connection: Connection, cutoff: dt.datetime, keep_runs: int) -> Sequence[str]:
    newest_first = (run.c.started.desc(), run.c.id.desc())
    # Counted apart: a job that is skipped every second keeps the runs that it had.
    ran = case((run.c.state.in_(_NEVER_RAN), 0), else_=1)
    place = func.row_number().over(partition_by=(run.c.job, ran), order_by=newest_first).label("place")
    over = func.coalesce(run.c.finished, run.c.started).label("over")
    ranked = select(run.c.id, over, place).where(run.c.state.not_in(_ACTIVE)).subquery()
    old = or_(ranked.c.over < cutoff, ranked.c.place > keep_runs)
    return connection.scalars(select(ranked.c.id).where(old)).all()


def _delete(database: Database, ids: Sequence[str]) -> int:
    """Deletes these runs with all that hangs on them; asked again, for a person may just have changed one."""
    with database.writing() as connection:
        gone = connection.execute(delete(run).where(run.c.id.in_(ids), ~_is_waiting()))
    return gone.rowcount


def _is_waiting() -> ColumnElement[bool]:
    of_run = delivery.join(message, delivery.c.message == message.c.id)
    unsettled = (message.c.run == run.c.id, delivery.c.state.in_(UNSETTLED))
    return select(delivery.c.id).select_from(of_run).where(*unsettled).correlate(run).exists()


def _referred(batch: Sequence[str]) -> CompoundSelect[str]:
    return union(
        select(artifact.c.sha256).where(artifact.c.sha256.in_(batch)),
        select(message.c.content).where(message.c.content.in_(batch)),
    )
