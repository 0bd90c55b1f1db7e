"""The outbox: what is still to be sent, in whose hands it is, and what became of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, case, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from reports.errors import StoreError
from reports.model import UNSETTLED, Attempt, Delivery, DeliveryState, Outcome, Parcel
from reports.store import claiming, ledger, rows
from reports.store.claiming import Claim
from reports.store.engine import Database, locked
from reports.store.schema import attempt, delivery, message, pace, run

_AHEAD = 100
"""Slots that may be reserved at a time: one further away was reserved before the clock was set back."""


@dataclass(frozen=True)
class Outbox:
    """All deliveries. Each is in the hands of one sender at a time, who may lose it when the lease runs out."""

    database: Database

    # -- for senders -----------------------------------------------------------------------------------

    def claim(  # noqa: PLR0913  whose, until when, and which
        self,
        *,
        now: dt.datetime,
        owner: str,
        until: dt.datetime,
        limit: int,
        most_recipients: int = 100,
        run: str = "",
        channel: str = "",
    ) -> Sequence[Parcel]:
        """At most `limit` due deliveries of a channel, oldest first, become `owner`'s; no other sender gets them.

        A message comes in as few parcels as `most_recipients` allows. What has expired is settled as that.
        """
        claim = Claim(now=now, owner=owner, until=until, limit=limit, run=run, channel=channel)
        while True:
            with self.database.writing() as connection:
                ids, more = claiming.take(connection, claim)
                if ids or not more:
                    return claiming.parcels(connection, ids, most_recipients)

    def take_up(self, now: dt.datetime, *, dead: Sequence[str] = (), fallen: Sequence[str] = ()) -> Sequence[Delivery]:
        """Takes deliveries from senders that are `dead` or whose lease is over, and gives them as they are now.

        The `fallen` are those of the dead whose machine went down: all that they held counts as handed over.
        What was not handed over is pending again. What was is unknown, or pending where the message says resend.
        """
        with self.database.reading() as connection:
            if not claiming.has_left(connection, now, dead):
                return []
        with self.database.writing() as connection:
            claiming.fallen(connection, fallen)
            return claiming.take_up(connection, now, dead)

    def renew(self, *, owner: str, until: dt.datetime) -> int:
        """All that `owner` holds is leased until then; gives how many deliveries that are."""
        held = (delivery.c.state == "sending", delivery.c.owner == owner)
        with self.database.writing() as connection:
            return connection.execute(update(delivery).where(*held).values(until=until)).rowcount

    def record(
        self,
        *,
        owner: str,
        now: dt.datetime,
        settled: Sequence[Outcome] = (),
        handing_over: Sequence[int] = (),
    ) -> None:
        """Writes down what was answered, and what is about to be handed over, in one commit.

        Superseded if one of `handing_over` is not `owner`'s any more: then none of them may be sent, none is
        marked, and the answers are written all the same. `ledger` says what a late answer still changes.
        """
        ledger.record(self.database, owner=owner, now=now, settled=settled, handing_over=handing_over)

    def next_due(self) -> dt.datetime | None:
        """When the next pending delivery is due; None where none is pending."""
        with self.database.reading() as connection:
            due: dt.datetime | None = connection.execute(claiming.next_due()).scalar()
        return due

    def channels(self, now: dt.datetime) -> Sequence[str]:
        """The channels on which something is due, mail being the empty one."""
        with self.database.reading() as connection:
            return sorted(connection.scalars(claiming.CHANNELS, {"now": now}))

    def reserve(self, account: str, *, interval: dt.timedelta, now: dt.datetime) -> dt.datetime:
        """The instant, now or later, at which the caller may send one message on that account.

        Each call gets a slot of its own, `interval` after the one before, whichever process asks.
        """
        while True:
            with self.database.writing() as connection:
                if slot := _reserve(connection, account, interval, now):
                    return slot

    # -- for people ------------------------------------------------------------------------------------

    def deliveries(
        self, *, run: str = "", job: str = "", message_id: str = "", every: bool = False, limit: int = 1000
    ) -> Sequence[Delivery]:
        """Deliveries that are not settled, or all, the newest message first."""
        wanted = [] if every else [delivery.c.state.in_(UNSETTLED)]
        wanted += [column == value for column, value in _filters(run, job, message_id) if value]
        with self.database.reading() as connection:
            return _read(connection, rows.deliveries().where(*wanted).limit(limit))

    def waiting(self, channel: str, now: dt.datetime) -> Sequence[int]:
        """The ids of deliveries that are due on a channel and in nobody's hands."""
        with self.database.reading() as connection:
            return connection.scalars(claiming.WAITING, {"now": now, "through": channel}).all()

    def hurry(self, channel: str, now: dt.datetime) -> int:
        """What waits on a channel because the other side was away is due now; gives how many deliveries that are.

        What the other side has put off itself waits on, as does what is not to go before its time.
        """
        away = (delivery.c.last_reply != "", *(~delivery.c.last_reply.like(f"{code}__ %") for code in (4, 5)))
        on_channel = select(message.c.id).where(message.c.channel == channel)
        waiting = (delivery.c.state == "pending", delivery.c.next_attempt > now, delivery.c.message.in_(on_channel))
        with self.database.writing() as connection:
            return connection.execute(update(delivery).where(*waiting, *away).values(next_attempt=now)).rowcount

    def attempts(self, delivery_ids: Sequence[int]) -> Mapping[int, Sequence[Attempt]]:
        """Every attempt at these deliveries, in order; what a person changed is among them."""
        found: dict[int, list[Attempt]] = {number: [] for number in delivery_ids}
        with self.database.reading() as connection:
            for batch in rows.batches(delivery_ids):
                these = select(attempt).where(attempt.c.delivery.in_(batch)).order_by(attempt.c.id)
                for row in connection.execute(these):
                    found[row.delivery].append(rows.as_attempt(row))
        return found

    def totals(self, run_ids: Sequence[str]) -> Mapping[str, Mapping[DeliveryState, int]]:
        """How many deliveries of each run are in each state; notices about the run are not among them."""
        found: dict[str, dict[DeliveryState, int]] = {number: {} for number in run_ids}
        counted = (
            select(message.c.run, delivery.c.state, func.count().label("number"))
            .join(message, delivery.c.message == message.c.id)
            .where(message.c.kind.in_(["report", "test", "progress"]))
            .group_by(message.c.run, delivery.c.state)
        )
        with self.database.reading() as connection:
            for batch in rows.batches(run_ids):
                for row in connection.execute(counted.where(message.c.run.in_(batch))):
                    found[row.run][row.state] = row.number
        return found

    def counts(self) -> Mapping[DeliveryState, int]:
        """How many deliveries there are in each state."""
        counted = select(delivery.c.state, func.count().label("number")).group_by(delivery.c.state)
        with self.database.reading() as connection:
            return {row.state: row.number for row in connection.execute(counted)}

    def select(self, which: Sequence[str], *, states: Sequence[DeliveryState]) -> Sequence[Delivery]:
        """Deliveries in those states, of all that `which` names: runs, Message-IDs, jobs, recipients.

        None named are all, as are no states. A StoreError for a name that nothing has, in whatever state.
        """
        with self.database.reading() as connection:
            named = [self._named(connection, name) for name in which]
            wanted = rows.deliveries().where(delivery.c.state.in_(states)) if states else rows.deliveries()
            return _read(connection, wanted.where(or_(*named)) if named else wanted)

    def change(
        self,
        ids: Sequence[int],
        *,
        to: DeliveryState,
        states: Sequence[DeliveryState],
        now: dt.datetime,
        reason: str,
        expires: dt.datetime | None = None,
    ) -> Sequence[Delivery]:
        """A person's decision: those of `ids` that are still in `states` become `to`; gives them as they are now.

        The reason stands among their attempts. Pending ones are due at once, and expire at `expires` if given.
        """
        changed: list[int] = []
        with self.database.writing() as connection:
            for batch in rows.batches(ids):
                found = _still(connection, batch, states)
                changed += _change(connection, found, _decided(to, now, expires))
                ledger.explain(connection, found, to=to, now=now, reason=reason)
            return [
                one
                for batch in rows.batches(changed)
                for one in _read(connection, rows.deliveries().where(delivery.c.id.in_(batch)))
            ]

    def _named(self, connection: Connection, name: str) -> ColumnElement[bool]:
        """The deliveries that a word on the command line means."""
        for known, meant in _meanings(name):
            if connection.execute(known.limit(1)).first() is not None:
                return meant
        alike = connection.scalars(select(run.c.id).where(run.c.id.startswith(name, autoescape=True)).limit(6)).all()
        if len(alike) == 1 and name:
            return message.c.run.in_(alike)
        several = f"'{name}' begins the ids of several runs: {', '.join(alike)}"
        raise StoreError(
            several if alike and name else f"nothing was ever sent under '{name}'",
            where=self.database.where,
            hint="name a run, a Message-ID, a job or a recipient; reports outbox list --all has them",
        )


def _filters(run_id: str, job: str, message_id: str) -> Sequence[tuple[Any, str]]:
    return ((message.c.run, run_id), (run.c.job, job), (message.c.message_id, message_id))


def _read(connection: Connection, wanted: Select[Any]) -> Sequence[Delivery]:
    ordered = wanted.order_by(message.c.id.desc(), delivery.c.id)
    return [rows.as_delivery(row) for row in connection.execute(ordered)]


def _meanings(name: str) -> Sequence[tuple[Select[Any], ColumnElement[bool]]]:
    """What a name may mean, first meaning first: how to see that there is such a thing, and its deliveries."""
    address: ColumnElement[bool] = func.lower(delivery.c.recipient) == name.lower()
    message_id = message.c.message_id.in_([name, f"<{name}>"])
    return (
        (select(run.c.id).where(run.c.id == name), message.c.run == name),
        (select(run.c.id).where(run.c.job == name), run.c.job == name),
        (select(message.c.id).where(message_id), message_id),
        (select(delivery.c.id).where(address), address),
    )


# -- a person's decision -------------------------------------------------------------------------------


def _still(connection: Connection, ids: Sequence[int], states: Sequence[DeliveryState]) -> Sequence[int]:
    found = select(delivery.c.id).where(delivery.c.id.in_(ids), delivery.c.state.in_(states))
    return connection.scalars(locked(found.order_by(delivery.c.id), delivery)).all()


def _decided(to: DeliveryState, now: dt.datetime, expires: dt.datetime | None) -> dict[str, Any]:
    values: dict[str, Any] = {
        "state": to,
        "settled": now if to in rows.SETTLED else None,
        "next_attempt": now if to == "pending" else None,
        "hint": "",
        # Nobody holds it now, and a failure after this is told again.
        "owner": None,
        "told": None,
        # What was being sent has been tried, and the answer to it comes late.
        "attempts": delivery.c.attempts + case((delivery.c.state == "sending", 1), else_=0),
    }
    return values if expires is None else {**values, "expires": expires}


def _change(connection: Connection, ids: Sequence[int], values: Mapping[str, Any]) -> Sequence[int]:
    connection.execute(update(delivery).where(delivery.c.id.in_(ids)).values(values))
    return ids


# -- the pace of an account ----------------------------------------------------------------------------


def _reserve(connection: Connection, account: str, interval: dt.timedelta, now: dt.datetime) -> dt.datetime | None:
    """A slot, or None if another process was quicker."""
    this = pace.c.account == account
    free = connection.execute(select(pace.c.next_at).where(this)).scalar()
    if free is None:
        return now if _first(connection, account, now + interval) else None
    slot = free if now < free <= now + _AHEAD * interval else now
    taken = connection.execute(update(pace).where(this, pace.c.next_at == free).values(next_at=slot + interval))
    return slot if taken.rowcount else None


def _first(connection: Connection, account: str, next_at: dt.datetime) -> bool:
    try:
        with connection.begin_nested():
            connection.execute(insert(pace).values(account=account, next_at=next_at))
    except IntegrityError:
        return False
    return True
