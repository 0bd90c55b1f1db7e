"""Rows of failure streaks, inside the transaction that has the failure or its end, and the messages that tell of them.

Each channel is told once a streak. What is to be told later, unless somebody acknowledges it or it works again, waits
in the outbox in the same thread; there it is found and cancelled.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from reports.model import Outgoing
from reports.store import ledger, messages, rows
from reports.store.engine import locked
from reports.store.schema import delivery, message, trouble

WORKS = "not sent: it works again"
_SPACE = " "
_MAIL = "mail"


@dataclass(frozen=True, kw_only=True)
class Failure:
    """One more failure of a job, or of its reports to the recipient `about`."""

    job: str
    about: str = ""
    run: str
    since: dt.datetime
    latest: dt.datetime
    message_id: str = ""


Contents = Sequence[tuple[Outgoing, str]]
"""Messages, each with the hash of its bytes."""


def thread(run_id: str) -> str:
    """What holds together all that is told of a streak that began with that run."""
    return f"alert-{run_id}"


def tell(connection: Connection, failures: Sequence[Failure], contents: Contents, at: dt.datetime) -> list[Outgoing]:
    """Opens these streaks, or counts them up, and puts into the outbox what their channels were not told yet.

    Gives what was put there. Escalations are put there only where a streak is opened by this.
    """
    if not contents:
        return []
    channels = {_channel(one) for one, _ in contents if one.kind != "escalation"}
    found = [_entered(connection, failure, channels) for failure in failures]
    opened = any(one is None for one in found)
    new = set[str]().union(*(channels - (one.told if one else set()) for one in found))
    first = next((one.run for one in found if one), failures[0].run)
    going = [
        (one, content) for one, content in contents if (opened if one.kind == "escalation" else _channel(one) in new)
    ]
    for one, content in going:
        within = replace(one, thread=thread(failures[0].run if opened else first))
        messages.add(connection, failures[0].run, within, content=content, at=at)
    return [one for one, _ in going]


@dataclass(frozen=True)
class _Open:
    """A streak that was open before: the run that it began with, and the channels that were told of it."""

    run: str
    told: set[str]


def open_silently(connection: Connection, failures: Sequence[Failure]) -> None:
    """Opens these streaks, or counts them up, where there is nobody to tell."""
    for failure in failures:
        _entered(connection, failure, set())


def _channel(one: Outgoing) -> str:
    return one.channel or _MAIL


def _entered(connection: Connection, failure: Failure, channels: set[str]) -> _Open | None:
    """Counts the streak up, and gives it as it was; or opens it."""
    before = _counted_up(connection, failure, channels)
    if before is None and not _opened(connection, failure, channels):
        before = _counted_up(connection, failure, channels)  # another process opened it a moment ago
    return before


def _opened(connection: Connection, failure: Failure, channels: Iterable[str]) -> bool:
    try:
        with connection.begin_nested():
            values = {**vars(failure), "times": 1, "told": _SPACE.join(sorted(channels))}
            connection.execute(insert(trouble).values(values))
    except IntegrityError:
        return False
    return True


def _counted_up(connection: Connection, failure: Failure, channels: set[str]) -> _Open | None:
    this = (trouble.c.job == failure.job, trouble.c.about == failure.about)
    found = connection.execute(locked(select(trouble.c.run, trouble.c.told).where(*this), trouble)).one_or_none()
    if found is None:
        return None
    before = _Open(found.run, set(found.told.split()))
    told = _SPACE.join(sorted(before.told | channels))
    changed = {"times": trouble.c.times + 1, "latest": failure.latest, "told": told}
    connection.execute(update(trouble).where(*this).values(changed))
    return before


# -- its end -------------------------------------------------------------------------------------------


def close(connection: Connection, job: str, about: Sequence[str], at: dt.datetime) -> Sequence[str]:
    """Ends these streaks; the threads of those that were open. What waits in them to be told is cancelled.

    One notice may have told of several recipients: what waits of it is cancelled with the last of them.
    """
    these = (trouble.c.job == job, trouble.c.about.in_(about))
    runs = list(dict.fromkeys(connection.scalars(locked(select(trouble.c.run).where(*these), trouble))))
    if not runs:
        return []
    connection.execute(delete(trouble).where(*these))
    left = set(connection.scalars(select(trouble.c.run).where(trouble.c.run.in_(runs))))
    threads = [thread(run) for run in runs]
    over = [thread(run) for run in runs if run not in left]
    # A notice that quiet hours held back is told no more: the message that it works again says since when it had not.
    held_back = and_(message.c.kind == "failure", delivery.c.attempts == 0, delivery.c.next_attempt > at)
    cancel(connection, over, at, WORKS, also=held_back)
    return threads


def cancel(
    connection: Connection,
    threads: Sequence[str],
    at: dt.datetime,
    reason: str,
    *,
    also: ColumnElement[bool] | None = None,
) -> Sequence[int]:
    """Cancels the escalations that wait in these threads, and what else `also` is true of; gives the deliveries."""
    escalation = message.c.kind == "escalation"
    waits = (
        select(delivery.c.id)
        .join(message, delivery.c.message == message.c.id)
        .where(
            message.c.thread.in_(threads),
            delivery.c.state.in_(["pending", "held"]),
            escalation if also is None else or_(escalation, also),
        )
    )
    ids = connection.scalars(locked(waits.order_by(delivery.c.id), delivery)).all()
    values: Mapping[str, object] = {"state": "cancelled", "settled": at, "next_attempt": None, "hint": ""}
    for batch in rows.batches(ids):
        connection.execute(update(delivery).where(delivery.c.id.in_(batch)).values(values))
        ledger.explain(connection, batch, to="cancelled", now=at, reason=reason)
    return ids
