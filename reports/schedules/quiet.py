"""Quiet hours on the wall: whether an instant lies within, and when they are over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from zoneinfo import ZoneInfo

from reports.schedules.clock import moment

_DAY = dt.timedelta(days=1)


def end_of(
    instant: dt.datetime, *, start: dt.time, end: dt.time, days: Collection[int], place: ZoneInfo
) -> dt.datetime | None:
    """When the quiet hours around that instant end, in UTC; None where it lies in none.

    They begin at `start` on these days of the week, 0 being Monday, and end at `end`, on the next day if that is no
    later. A time that the clock jumps over is the first one after it; of one that comes twice it is the first.
    """
    today = instant.astimezone(place).date()
    for day in (today - _DAY, today):
        if day.weekday() not in days:
            continue
        last = day if end > start else day + _DAY
        begun, over = (moment(dt.datetime.combine(*wall), place).at for wall in ((day, start), (last, end)))
        if begun <= instant < over:
            return over
    return None
