"""Rows of failure streaks, inside the transaction that has the failure or its end."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, update
from sqlalchemy.exc import IntegrityError

from reports.store.schema import trouble


@dataclass(frozen=True, kw_only=True)
class Failure:
    """One more failure of a job, or of its reports to the recipient `about`."""

    job: str
    about: str = ""
    run: str
    since: dt.datetime
    latest: dt.datetime
    message_id: str = ""


def add(connection: Connection, failure: Failure) -> bool:
    """Opens the streak, or counts it up if it is open; True if it was opened by this."""
    if _counted_up(connection, failure):
        return False
    try:
        with connection.begin_nested():
            values = {**vars(failure), "times": 1}
            connection.execute(insert(trouble).values(values))
    except IntegrityError:  # another process opened it a moment ago
        _counted_up(connection, failure)
        return False
    return True


def _counted_up(connection: Connection, failure: Failure) -> bool:
    changed = connection.execute(
        update(trouble)
        .where(trouble.c.job == failure.job, trouble.c.about == failure.about)
        .values(times=trouble.c.times + 1, latest=failure.latest)
    )
    return changed.rowcount > 0


def close(connection: Connection, job: str, about: Sequence[str]) -> bool:
    """Ends these streaks; True if one of them was open."""
    ended = connection.execute(delete(trouble).where(trouble.c.job == job, trouble.c.about.in_(about)))
    return ended.rowcount > 0
