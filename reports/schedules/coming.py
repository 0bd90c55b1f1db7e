"""When a schedule really runs next: past the days off on which it would be skipped."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from reports.model import Occurrence
from reports.schedules.clock import moment
from reports.schedules.occurrences import occurrences
from reports.schedules.options import DAY, Schedule

DAYS_OFF, FAR = 400, 30 * 366 * DAY
"""What is skipped on so many days that it names, one after the other, or for so long, never runs."""


def next_run(
    schedules: Sequence[Schedule], *, timezone: str, calendar: str = "", after: dt.datetime
) -> Occurrence | None:
    """The first occurrence after that instant that is not skipped; None if there is none, or never will be.

    `timezone` and `calendar` are the project's, for schedules without their own.
    """
    found = [_first(one, timezone, calendar, after) for one in schedules]
    return min(filter(None, found), key=lambda one: one.at, default=None)


def _first(schedule: Schedule, timezone: str, calendar: str, after: dt.datetime) -> Occurrence | None:
    for number in range(DAYS_OFF):
        coming = next(occurrences([schedule], timezone=timezone, calendar=calendar, after=after), None)
        if coming is None or not coming.skipped:
            return coming
        if number == 0:
            far = coming.at + FAR
        elif coming.at > far:
            return None
        after = max(coming.at, _end_of_day(coming.local))
    return None


def _end_of_day(local: dt.datetime) -> dt.datetime:
    """The last instant of that day, there: a day off is off for all its times."""
    place = local.tzinfo if isinstance(local.tzinfo, ZoneInfo) else ZoneInfo("UTC")
    midnight = dt.datetime.combine(local.date() + DAY, dt.time())
    return moment(midnight, place).at - dt.timedelta(microseconds=1)
