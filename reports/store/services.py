"""The services that use this store: which are at work, and when one was last heard of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select, union_all, update

from reports.model import Beat
from reports.store import rows
from reports.store.engine import Database
from reports.store.schema import service


@dataclass(frozen=True)
class Services:
    """One row a service, kept for a while after its end."""

    database: Database

    def beat(self, beat: Beat) -> None:
        """The service is at work, or has stopped in order, as it says."""
        with self.database.writing(quick=True) as connection:
            _beat(connection, beat)

    def every(self) -> Sequence[Beat]:
        """All that are known, the one last heard of first."""
        newest = rows.beats().order_by(service.c.beat.desc(), service.c.owner)
        with self.database.reading() as connection:
            return [rows.as_beat(row) for row in connection.execute(newest)]

    def last_before(self, now: dt.datetime) -> dt.datetime | None:
        """When a service was last heard of before `now`, by its beat or its stop; None if none ever was."""
        heard = union_all(
            *(select(column.label("at")).where(column < now) for column in (service.c.beat, service.c.stopped))
        ).subquery()
        with self.database.reading() as connection:
            last: dt.datetime | None = connection.execute(select(func.max(heard.c.at))).scalar()
        return last

    def prune(self, before: dt.datetime) -> None:
        """Forgets the services that were last heard of before then."""
        old = (service.c.beat < before, func.coalesce(service.c.stopped, service.c.beat) < before)
        with self.database.writing() as connection:
            connection.execute(delete(service).where(*old))


def _beat(connection: Connection, beat: Beat) -> None:
    # An owner's name is its own: nobody else adds the row in between.
    known = update(service).where(service.c.owner == beat.owner)
    if not connection.execute(known.values(vars(beat))).rowcount:
        connection.execute(insert(service).values(vars(beat)))
