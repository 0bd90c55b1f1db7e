"""The days that a schedule names by themselves: every so many, of the month, of the year, of business."""

from __future__ import annotations

import datetime as dt
from calendar import monthrange
from collections.abc import Iterator
from itertools import count

from reports.schedules.calendars import Calendar
from reports.schedules.options import DAY, LAST_DAY, Schedule

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONDAY = dt.date(1970, 1, 5)
Days = Iterator[tuple[dt.date, str]]
"""Days in order, each once, with the reason where it is not the one that is written."""


def days(schedule: Schedule, *, calendar: Calendar, since: dt.date) -> Days:
    """The days from `since` on: of an interval in whole days, monthly, yearly or business_day."""
    if schedule.every:
        return _every(schedule.every // DAY, origin=schedule.start or _MONDAY, since=since)
    return (one for first in _months(since) for one in _of_month(schedule, calendar, first) if one[0] >= since)


def _every(step: int, *, origin: dt.date, since: dt.date) -> Days:
    first = origin.toordinal() - (origin.toordinal() - since.toordinal()) // step * step
    return ((dt.date.fromordinal(day), "") for day in range(first, LAST_DAY.toordinal() + 1, step))


def _months(since: dt.date) -> Iterator[dt.date]:
    for month in count(since.year * 12 + since.month - 1):
        if month // 12 > LAST_DAY.year:
            return
        yield dt.date(month // 12, month % 12 + 1, 1)


def _of_month(schedule: Schedule, calendar: Calendar, first: dt.date) -> Days:
    if schedule.business_day:
        return _business(schedule.business_day, calendar, first)
    wanted = schedule.monthly or [int(day[3:]) for day in schedule.yearly if int(day[:2]) == first.month]
    found: dict[dt.date, str] = {}
    length = monthrange(first.year, first.month)[1]
    for day in wanted:
        number = length if isinstance(day, str) else day
        reason = f"{MONTHS[first.month - 1]} has no day {number}: its last day" if number > length else ""
        date = first.replace(day=min(number, length))
        found[date] = found.get(date, "") or reason
    return iter(sorted(found.items()))


def _business(wanted: tuple[int, ...], calendar: Calendar, first: dt.date) -> Days:
    length = monthrange(first.year, first.month)[1]
    worked = [day for number in range(1, length + 1) if calendar.works(day := first.replace(day=number))]
    places = {number - 1 if number > 0 else len(worked) + number for number in wanted}
    return ((worked[place], "") for place in sorted(places) if 0 <= place < len(worked))
