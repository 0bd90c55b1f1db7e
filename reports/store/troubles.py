"""Failure streaks: who was told when one began, so that it is told once, and its end as well."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, select, update

from reports.model import Delivery, Outgoing
from reports.store import messages, rows, streaks
from reports.store.artifacts import Artifacts
from reports.store.engine import Database, locked
from reports.store.schema import FAILED, delivery, message, run, trouble


@dataclass(frozen=True)
class Troubles:
    """What is failing now: a job itself, or a job's reports to one recipient."""

    database: Database
    kept: Artifacts

    def open(self, job: str) -> Mapping[str, dt.datetime]:
        """Since when each of a job's troubles is open, by recipient; an empty name stands for the job itself."""
        with self.database.reading() as connection:
            found = connection.execute(select(trouble.c.about, trouble.c.since).where(trouble.c.job == job))
            return {row.about: row.since for row in found}

    def failing(self) -> Sequence[tuple[Delivery, ...]]:
        """Deliveries of reports that were refused, expired or became unknown, not told of yet, by message."""
        # Notices are no reports: that a notice failed never causes another.
        reports = rows.deliveries().where(FAILED, message.c.kind == "report")
        with self.database.reading() as connection:
            found = [rows.as_delivery(row) for row in connection.execute(reports.order_by(message.c.id, delivery.c.id))]
        return [tuple(group) for _, group in groupby(found, key=lambda one: one.message_id)]

    def recovered(self) -> Sequence[tuple[str, str, Delivery]]:
        """Open troubles about a recipient who has accepted a report of that job since: job, recipient, delivery."""
        with self.database.reading() as connection:
            troubled = list(connection.execute(select(trouble).where(trouble.c.about != "")))
            found = [(row, _accepted_since(connection, row)) for row in troubled]
        return [(row.job, row.about, rows.as_delivery(one)) for row, one in found if one is not None]

    def tell(self, deliveries: Sequence[Delivery], *, now: dt.datetime, notice: Outgoing | None, run_id: str) -> bool:
        """These failures count as told, in one commit with the troubles they open and the notice of it.

        The notice goes out only if a trouble was opened by this; whether it does is what comes back.
        """
        content = self.kept.put(notice.message.content) if notice else ""
        with self.database.writing() as connection:
            failed = _to_tell(connection, deliveries, now)
            named = notice.message.message_id if notice else ""
            opened = [streaks.add(connection, one) for one in _failures(failed, run_id, named, now)]
            if notice is None or not any(opened):
                return False
            messages.add(connection, run_id, notice, content=content, at=now)
        return True

    def settle(self, job: str, recipients: Sequence[str], *, run_id: str, recovery: Outgoing | None) -> bool:
        """These troubles are over; the recovery goes out only if one was still open, which is what comes back."""
        content = self.kept.put(recovery.message.content) if recovery else ""
        with self.database.writing() as connection:
            closed = streaks.close(connection, job, recipients)
            if recovery is None or not closed:
                return False
            messages.add(connection, run_id, recovery, content=content, at=recovery.message.date)
        return True


def _accepted_since(connection: Connection, about: Row[Any]) -> Row[Any] | None:
    accepted = rows.deliveries().where(
        delivery.c.recipient == about.about,
        delivery.c.state == "accepted",
        delivery.c.settled > about.latest,
        message.c.kind == "report",
        run.c.job == about.job,
    )
    return connection.execute(accepted.order_by(delivery.c.settled.desc()).limit(1)).one_or_none()


def _to_tell(connection: Connection, deliveries: Sequence[Delivery], now: dt.datetime) -> Sequence[Delivery]:
    """Those that nobody has told of meanwhile, marked as told."""
    mine: set[int] = set()
    for batch in rows.batches([one.id for one in deliveries]):
        untold = select(delivery.c.id).where(delivery.c.id.in_(batch), FAILED).order_by(delivery.c.id)
        ids = connection.scalars(locked(untold, delivery)).all()
        connection.execute(update(delivery).where(delivery.c.id.in_(ids)).values(told=now))
        mine.update(ids)
    return [one for one in deliveries if one.id in mine]


def _failures(failed: Sequence[Delivery], run_id: str, message_id: str, now: dt.datetime) -> Sequence[streaks.Failure]:
    """One for each job and recipient, from the first of these failures to the last."""
    by_recipient: dict[tuple[str, str], list[dt.datetime]] = {}
    for one in failed:
        by_recipient.setdefault((one.job, one.recipient), []).append(one.settled or now)
    return [
        streaks.Failure(job=job, about=about, run=run_id, since=min(at), latest=max(at), message_id=message_id)
        for (job, about), at in sorted(by_recipient.items())
    ]
