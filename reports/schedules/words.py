"""A schedule as people say it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from reports.schedules import cron
from reports.schedules.days import MONTHS, WEEKDAYS
from reports.schedules.options import Schedule

_UNITS = (("week", 604_800), ("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1))
_ON_HOLIDAYS = {
    "run": "",
    "skip": ", not on {days}",
    "before": ", on {days} the business day before",
    "after": ", on {days} the business day after",
}


def words(schedule: Schedule, *, timezone: str) -> str:
    """When it comes, in one phrase: every day at 09:00 (Europe/Berlin), not on holidays (DE).

    `timezone` is the project's, for a schedule without its own. Of calendars only its own is told.
    """
    return f"{_when(schedule)} ({schedule.timezone or timezone}){_holidays(schedule)}{_bounds(schedule)}"


def _when(schedule: Schedule) -> str:
    if schedule.cron:
        said = cron.explained(schedule.cron)
        return said[0].lower() + said[1:]
    if schedule.once:
        return f"on {_date(schedule.once)} at {_once(schedule.once)}"
    if schedule.every:
        return _every(schedule.every, schedule)
    return f"on {_named_days(schedule)} at {_listed([_time(one) for one in schedule.times])}"


def _every(length: dt.timedelta, schedule: Schedule) -> str:
    seconds = int(length.total_seconds())
    unit, size = next(one for one in _UNITS if seconds % one[1] == 0)
    number = seconds // size
    said = f"every {unit}" if number == 1 else f"every {number} {unit}s"
    if not schedule.by_days:
        return said + (f", counted from {_time(schedule.at[0])}" if schedule.at else "")
    on = f" on {WEEKDAYS[schedule.start.weekday() if schedule.start else 0]}" if unit == "week" else ""
    return f"{said}{on} at {_listed([_time(one) for one in schedule.times])}"


def _named_days(schedule: Schedule) -> str:
    if schedule.yearly:
        return _listed([f"{int(day[3:])} {MONTHS[int(day[:2]) - 1]}" for day in sorted(schedule.yearly)])
    if schedule.monthly:
        numbers = sorted(day for day in schedule.monthly if not isinstance(day, str))
        named = [_nth(day) for day in numbers] + (["last"] if "last" in schedule.monthly else [])
        return f"the {_listed(named)} day of the month"
    where = f" ({schedule.calendar})" if schedule.calendar else ""
    ordered = sorted(schedule.business_day, key=lambda day: (day < 0, day))
    return f"the {_listed([_nth(day) for day in ordered])} business day of the month{where}"


def _nth(number: int) -> str:
    if number < 0:
        return "last" if number == -1 else f"{_nth(-number)} last"
    teens = number % 100 in {11, 12, 13}
    return f"{number}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def _holidays(schedule: Schedule) -> str:
    if schedule.rule == "run":
        return ""
    where = f" ({schedule.calendar})" if schedule.calendar else ""
    kinds = ("weekends and " if schedule.business_days else "") + "holidays"
    return _ON_HOLIDAYS[schedule.rule].format(days=kinds + where)


def _bounds(schedule: Schedule) -> str:
    since = f", from {_date(schedule.start)}" if schedule.start else ""
    return since + (f", until {_date(schedule.end)}" if schedule.end else "")


def _date(day: dt.date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def _once(instant: dt.datetime) -> str:
    offset = f"{instant:%z}"
    return _time(instant.time()) + (f" UTC{offset[:3]}:{offset[3:5]}" if offset else "")


def _time(time: dt.time) -> str:
    return f"{time:%H:%M:%S}" if time.second else f"{time:%H:%M}"


def _listed(several: Sequence[str]) -> str:
    return f"{', '.join(several[:-1])} and {several[-1]}" if len(several) > 1 else several[0]
