"""Failure streaks: who was told when one began, so that it is told once, who took note of it, and its end as well."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, and_, insert, or_, select, update

from reports.model import Acknowledgement, Delivery, Outgoing, Trouble
from reports.store import messages, rows, streaks
from reports.store.artifacts import Artifacts
from reports.store.engine import Database, locked
from reports.store.schema import FAILED, acknowledgement, delivery, message, run, trouble

NOTICES = ("failure", "recovery", "escalation")


@dataclass(frozen=True)
class Troubles:
    """What is failing now: a job itself, or a job's reports to one recipient."""

    database: Database
    kept: Artifacts

    def open(self, job: str) -> Mapping[str, dt.datetime]:
        """Since when each of a job's troubles is open, by recipient; an empty name stands for the job itself."""
        return {one.about: one.since for one in self.every(job)}

    def every(self, job: str = "") -> Sequence[Trouble]:
        """The troubles that are open, of one job or of all."""
        with self.database.reading() as connection:
            return [_as_trouble(row) for row in connection.execute(_open(job))]

    def failing(self) -> Sequence[tuple[Delivery, ...]]:
        """Deliveries of reports that were refused, expired or became unknown, not told of yet, by message."""
        # Notices are no reports: that a notice failed never causes another.
        return self._untold(message.c.kind == "report")

    def unheard(self) -> Sequence[tuple[Delivery, ...]]:
        """The same of notices: what somebody should have been told of, and was not."""
        return self._untold(message.c.kind.in_(NOTICES))

    def _untold(self, which: Any) -> Sequence[tuple[Delivery, ...]]:
        wanted = rows.deliveries().where(FAILED, which).order_by(message.c.id, delivery.c.id)
        with self.database.reading() as connection:
            found = [rows.as_delivery(row) for row in connection.execute(wanted)]
        return [tuple(group) for _, group in groupby(found, key=lambda one: one.message_id)]

    def recovered(self) -> Sequence[tuple[str, str, Delivery]]:
        """Open troubles about a recipient who has accepted a report of that job since: job, recipient, delivery."""
        with self.database.reading() as connection:
            troubled = list(connection.execute(select(trouble).where(trouble.c.about != "")))
            found = [(row, _accepted_since(connection, row)) for row in troubled]
        return [(row.job, row.about, rows.as_delivery(one)) for row, one in found if one is not None]

    def tell(
        self, deliveries: Sequence[Delivery], *, now: dt.datetime, notices: Sequence[Outgoing] = (), run_id: str
    ) -> Sequence[Outgoing]:
        """These failures count as told, in one commit with the troubles they open and the notices of it.

        Of these go out those whose channels were not told of one of the troubles: they come back.
        """
        contents = self._kept(notices)
        with self.database.writing() as connection:
            failed = _to_tell(connection, deliveries, now)
            named = notices[0].message.message_id if notices else ""
            failures = _failures(failed, run_id, named, now)
            if not failures:
                return []
            if not notices:
                streaks.open_silently(connection, failures)
                return []
            return streaks.tell(connection, failures, contents, now)

    def settle(
        self, job: str, recipients: Sequence[str], *, run_id: str, recoveries: Sequence[Outgoing] = (), now: dt.datetime
    ) -> bool:
        """These troubles are over; the recoveries go out only if one was still open, which is what comes back."""
        contents = self._kept(recoveries)
        with self.database.writing() as connection:
            threads = streaks.close(connection, job, recipients, now)
            for one, content in contents if threads else ():
                within = replace(one, thread=threads[0])
                messages.add(connection, run_id, within, content=content, at=one.message.date)
        return bool(threads and contents)

    def told_later(self, job: str, about: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Whom escalations of these troubles have reached, or may have, by channel."""
        threads = [streaks.thread(one.run) for one in self.every(job) if one.about in about]
        reached = (message.c.kind == "escalation", delivery.c.state.in_(["accepted", "sending", "unknown"]))
        wanted = (
            select(message.c.channel, delivery.c.recipient)
            .join(message, delivery.c.message == message.c.id)
            .where(message.c.thread.in_(threads), *reached)
            .order_by(delivery.c.id)
        )
        found: dict[str, list[str]] = {}
        with self.database.reading() as connection:
            for row in connection.execute(wanted):
                found.setdefault(row.channel, []).append(row.recipient)
        return found

    def note_unheard(self, deliveries: Sequence[Delivery], *, words: str, now: dt.datetime) -> bool:
        """That these were not heard stands with their run, beside who was told; False if it did already."""
        with self.database.writing() as connection:
            if not _to_tell(connection, deliveries, now):
                return False
            of_run = run.c.id == deliveries[0].run
            said = connection.execute(locked(select(run.c.notice).where(of_run), run)).scalar() or ""
            joined = "; ".join(filter(None, [said, words]))
            connection.execute(update(run).where(of_run).values(notice=joined))
        return True

    # -- taken note of ---------------------------------------------------------------------------------

    def acknowledge(
        self, troubles: Sequence[Trouble], said: Acknowledgement, *, also: Sequence[str] = ()
    ) -> Sequence[Delivery]:
        """Somebody has taken note of these; what waited to be told of them is cancelled, and comes back.

        It stands with the runs that they began with, and with those named in `also`.
        """
        runs = list(dict.fromkeys([*(one.run for one in troubles), *also]))
        reason = f"not sent: acknowledged by {said.who}" + (f": {said.note}" if said.note else "")
        with self.database.writing() as connection:
            there = set(connection.scalars(select(run.c.id).where(run.c.id.in_(runs))))
            values = [{"run": one, "at": said.at, "who": said.who, "note": said.note} for one in runs if one in there]
            if values:
                connection.execute(insert(acknowledgement), values)
            threads = [streaks.thread(one.run) for one in troubles]
            ids = streaks.cancel(connection, threads, said.at, reason)
            wanted = rows.deliveries().where(delivery.c.id.in_(ids)).order_by(delivery.c.id)
            return [rows.as_delivery(row) for row in connection.execute(wanted)]

    def acknowledgements(self, run_id: str) -> Sequence[Acknowledgement]:
        """Who has taken note of what that run told of, in order."""
        columns = (acknowledgement.c.at, acknowledgement.c.who, acknowledgement.c.note)
        wanted = select(*columns).where(acknowledgement.c.run == run_id).order_by(acknowledgement.c.id)
        with self.database.reading() as connection:
            return [Acknowledgement(at=row.at, who=row.who, note=row.note) for row in connection.execute(wanted)]

    def _kept(self, outgoing: Sequence[Outgoing]) -> Sequence[tuple[Outgoing, str]]:
        return [(one, self.kept.put(one.message.content)) for one in outgoing]


def _open(job: str) -> Any:
    found = select(trouble).order_by(trouble.c.job, trouble.c.about)
    return found.where(trouble.c.job == job) if job else found


def _as_trouble(row: Row[Any]) -> Trouble:
    return Trouble(
        job=row.job, about=row.about, since=row.since, latest=row.latest, times=row.times, run=row.run,
        told=tuple(row.told.split()),
    )  # fmt: skip


def _accepted_since(connection: Connection, about: Row[Any]) -> Row[Any] | None:
    recipient, _, channel = about.about.rpartition(" on ")
    by_channel = and_(delivery.c.recipient == recipient, message.c.channel == channel)
    by_mail = and_(delivery.c.recipient == about.about, message.c.channel == "")
    accepted = rows.deliveries().where(
        or_(by_mail, by_channel) if recipient else by_mail,
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
        by_recipient.setdefault((one.job, one.who), []).append(one.settled or now)
    return [
        streaks.Failure(job=job, about=about, run=run_id, since=min(at), latest=max(at), message_id=message_id)
        for (job, about), at in sorted(by_recipient.items())
    ]
