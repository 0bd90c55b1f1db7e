"""How deliveries get into one sender's hands, and out of them again when that sender has died."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, exists, func, insert, or_, select, update

from reports.model import UNKNOWN_WAIT, Delivery, Parcel
from reports.store import rows
from reports.store.engine import locked
from reports.store.schema import attempt, delivery, message

EXPIRED = "not sent in time: reports outbox retry RUN sends it all the same; or run the job again"
LEFT = "the sender stopped before anything was handed over"
DIED = "the sender stopped after the message was handed over, so nobody knows whether it arrived"
ASK = "ask the recipient, or look into the account's sent mail; then reports outbox retry RUN --unknown, or cancel"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """Who wants deliveries, of which channel, until when, and how many."""

    now: dt.datetime
    owner: str
    until: dt.datetime
    limit: int
    run: str = ""
    channel: str = ""


def take(connection: Connection, claim: Claim) -> tuple[Sequence[int], bool]:
    """Makes the oldest due deliveries the sender's own; gives their ids, and whether any was due at all.

    Those past their expiry are settled as expired instead.
    """
    statement = (DUE_OF_RUN if claim.run else DUE).limit(claim.limit + 1)
    found = list(connection.execute(statement, {"now": claim.now, "of": claim.run, "through": claim.channel}))
    late = [row.id for row in found if row.expires <= claim.now]
    mine = _whole_messages([row for row in found if row.expires > claim.now], claim.limit)
    _expire(connection, late, claim.now)
    return [number for batch in rows.batches(mine) for number in take_these(connection, batch, claim)], bool(found)


_pending = (delivery.c.state == "pending", delivery.c.next_attempt <= bindparam("now"))
_on_channel = exists().where(message.c.id == delivery.c.message, message.c.channel == bindparam("through"))
# Pending deliveries whose time has come, oldest first; one more than wanted, to see where a message ends.
_DUE = (
    select(delivery.c.id, delivery.c.message, delivery.c.expires)
    .where(*_pending, _on_channel)
    .order_by(delivery.c.next_attempt, delivery.c.id)
)
WAITING = select(delivery.c.id).where(*_pending, _on_channel)
CHANNELS = select(message.c.channel).distinct().join(delivery, delivery.c.message == message.c.id).where(*_pending)
_of_run = select(message.c.id).where(message.c.run == bindparam("of"))
DUE = locked(_DUE, delivery, skip=True)
DUE_OF_RUN = locked(_DUE.where(delivery.c.message.in_(_of_run)), delivery, skip=True)


def _whole_messages(found: Sequence[Row[Any]], limit: int) -> Sequence[int]:
    """At most `limit` ids; a message that the limit would cut waits for the next claim, unless it is the first."""
    wanted = found[:limit]
    if len(found) > limit and found[limit].message == found[limit - 1].message != found[0].message:
        wanted = [row for row in wanted if row.message != found[limit].message]
    return [row.id for row in wanted]


def take_these(connection: Connection, ids: Sequence[int], claim: Claim) -> Sequence[int]:
    """Those of `ids` that are still pending become the sender's, by one conditional UPDATE; gives just these."""
    mine = {"state": "sending", "owner": claim.owner, "until": claim.until, "claimed": claim.now, "handed": None}
    taken = connection.execute(
        update(delivery).where(delivery.c.id.in_(ids), delivery.c.state == "pending").values(mine)
    )
    if taken.rowcount == len(ids):
        return ids
    # Where the database could not lock the rows read, another sender may have been first at some.
    return connection.scalars(
        select(delivery.c.id).where(
            delivery.c.id.in_(ids),
            delivery.c.state == "sending",
            delivery.c.owner == claim.owner,
            delivery.c.claimed == claim.now,
        )
    ).all()


def _expire(connection: Connection, ids: Sequence[int], now: dt.datetime) -> None:
    values = {"state": "expired", "settled": now, "next_attempt": None, "hint": EXPIRED}
    for batch in rows.batches(ids):
        connection.execute(
            update(delivery).where(delivery.c.id.in_(batch), delivery.c.state == "pending").values(values)
        )


# -- parcels ---------------------------------------------------------------------------------------


_these = delivery.c.id.in_(bindparam("ids", expanding=True))
_PARCELS = rows.deliveries(
    *(message.c[name] for name in ("date", "sender", "content", "size", "on_unknown", "thread", "follow"))
).where(_these)
_EARLIER = (
    select(delivery.c.recipient, delivery.c.reference)
    .join(message, delivery.c.message == message.c.id)
    .where(
        message.c.thread == bindparam("thread"),
        message.c.channel == bindparam("through"),
        delivery.c.reference != "",
    )
    .order_by(delivery.c.id.desc())
)


def parcels(connection: Connection, ids: Sequence[int], most_recipients: int) -> Sequence[Parcel]:
    """The deliveries by message, each parcel with at most so many of them."""
    found: dict[int, Row[Any]] = {}
    for batch in rows.batches(ids):
        found |= {row.id: row for row in connection.execute(_PARCELS, {"ids": list(batch)})}
    by_message: dict[str, list[Row[Any]]] = {}
    for number in ids:
        by_message.setdefault(found[number].message_id, []).append(found[number])
    return [
        _parcel(group, _earlier(connection, group[0]))
        for all_ in by_message.values()
        for group in rows.batches(all_, most_recipients)
    ]


def _earlier(connection: Connection, row: Row[Any]) -> dict[str, str]:
    """What the other side calls the first message of the thread, by recipient; the first one is read last."""
    if not row.follow:
        return {}
    found = connection.execute(_EARLIER, {"thread": row.thread, "through": row.channel})
    return {one.recipient: one.reference for one in found}


def _parcel(group: Sequence[Row[Any]], earlier: Mapping[str, str]) -> Parcel:
    first = group[0]
    return Parcel(
        message_id=first.message_id,
        run=first.run,
        job=first.job,
        kind=first.kind,
        date=first.date,
        sender=first.sender,
        subject=first.subject,
        content=first.content,
        size=first.size,
        expires=min(row.expires for row in group),
        on_unknown=first.on_unknown,
        deliveries=[rows.as_delivery(row) for row in group],
        channel=first.channel,
        follow=first.follow,
        earlier=earlier,
    )


# -- senders that died --------------------------------------------------------------------------------


def has_left(connection: Connection, now: dt.datetime, dead: Sequence[str]) -> bool:
    """Whether there is anything to take up: a look that disturbs nobody."""
    sending = select(delivery.c.id).where(delivery.c.state == "sending", _over(now, dead))
    return connection.execute(sending.limit(1)).first() is not None


def _over(now: dt.datetime, dead: Sequence[str]) -> ColumnElement[bool]:
    return or_(delivery.c.until <= now, delivery.c.owner.in_(dead))


def fallen(connection: Connection, owners: Sequence[str]) -> None:
    """What these senders held counts as handed over: their machine went down, and with it perhaps the mark."""
    held = (delivery.c.state == "sending", delivery.c.owner.in_(owners), delivery.c.handed.is_(None))
    connection.execute(update(delivery).where(*held).values(handed=delivery.c.claimed))


def take_up(connection: Connection, now: dt.datetime, dead: Sequence[str]) -> Sequence[Delivery]:
    """Deliveries whose lease is over, or whose sender is dead, as they are after it: pending again, or unknown."""
    left = list(connection.execute(_LEFT.where(_over(now, dead))))
    if not left:
        return []
    connection.execute(_TAKE_UP, [_taken_up(row, now) for row in left])
    connection.execute(insert(attempt), [_attempt(row, now) for row in left])
    again = rows.deliveries().where(_these).order_by(delivery.c.id)
    numbers = [row.id for row in left]
    return [
        rows.as_delivery(row)
        for batch in rows.batches(numbers)
        for row in connection.execute(again, {"ids": list(batch)})
    ]


_LEFT = locked(
    select(
        delivery.c.id,
        delivery.c.until,
        delivery.c.expires,
        delivery.c.claimed,
        delivery.c.handed,
        delivery.c.attempts,
        message.c.on_unknown,
    )
    .join(message, delivery.c.message == message.c.id)
    .where(delivery.c.state == "sending")
    .order_by(delivery.c.id),
    delivery,
    skip=True,
)
_TAKE_UP = (
    update(delivery)
    .where(delivery.c.id == bindparam("number"), delivery.c.state == "sending", delivery.c.until == bindparam("lease"))
    .values(
        state=bindparam("to"),
        attempts=delivery.c.attempts + 1,
        next_attempt=bindparam("next"),
        settled=bindparam("done"),
        last_reply=bindparam("words"),
        hint=bindparam("do"),
    )
)


def _taken_up(row: Row[Any], now: dt.datetime) -> dict[str, Any]:
    # The owner stays: should it be alive after all, its answer still counts (see `ledger`).
    unknown = row.handed is not None and row.on_unknown == "hold"
    return {
        "number": row.id,
        "lease": row.until,
        "to": "unknown" if unknown else "pending",
        "next": None if unknown else min(row.expires, now + UNKNOWN_WAIT) if row.handed else now,
        "done": now if unknown else None,
        "words": DIED if row.handed else LEFT,
        "do": ASK if unknown else "",
    }


def _attempt(row: Row[Any], now: dt.datetime) -> dict[str, Any]:
    return {
        "delivery": row.id,
        "number": row.attempts + 1,
        "started": row.claimed or now,
        "finished": now,
        "state": "unknown" if row.handed else "pending",
        "code": 0,
        "text": DIED if row.handed else LEFT,
    }


def next_due() -> Any:
    return select(func.min(delivery.c.next_attempt)).where(delivery.c.state == "pending")
