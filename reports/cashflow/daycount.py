"""Days and fractions of years between dates, by the conventions of loans and bonds.

Source: 2006 ISDA Definitions, section 4.16: 30/360 (bond basis), 30E/360 (Eurobond basis), 30E/360 (ISDA), actual/365
fixed, actual/360, and actual/actual (ISDA).
"""

from __future__ import annotations

import calendar
import datetime as dt
from typing import Literal, get_args

from reports.errors import LoanError

Convention = Literal["30/360", "30E/360", "30E/360 ISDA", "ACT/365", "ACT/360", "ACT/ACT"]


def days(start: dt.date, end: dt.date, convention: Convention, *, termination: dt.date | None = None) -> int:
    """Days from `start` to `end`; a month has 30 in the 30/360 family.

    `termination` is the last day of the contract, which 30E/360 ISDA leaves as it is when it ends a February.
    """
    if convention not in get_args(Convention):
        raise LoanError(f"day count {convention!r}", hint=f"one of {', '.join(get_args(Convention))}")
    if convention.startswith("ACT"):
        return (end - start).days
    first, last = start.day, end.day
    if convention == "30/360":
        first = min(first, 30)
        last = min(last, 30) if first == 30 else last
    elif convention == "30E/360":
        first, last = min(first, 30), min(last, 30)
    else:
        first = 30 if _ends_month(start, first) else first
        last = 30 if last == 31 or (_ends_month(end, last) and end != termination) else last
    return 360 * (end.year - start.year) + 30 * (end.month - start.month) + last - first


def year_fraction(start: dt.date, end: dt.date, convention: Convention, *, termination: dt.date | None = None) -> float:
    """Years from `start` to `end`; ACT/ACT counts the days in leap years by 366, others by 365."""
    if convention == "ACT/ACT":
        return _actual(start, end) if start <= end else -_actual(end, start)
    return days(start, end, convention, termination=termination) / (365 if convention == "ACT/365" else 360)


def months_between(start: dt.date, end: dt.date) -> int:
    """Whole months from `start` to `end`; the last day of a month completes one begun on a later day."""
    months = 12 * (end.year - start.year) + end.month - start.month
    return months if end.day >= min(start.day, _month_length(end)) else months - 1


def _actual(start: dt.date, end: dt.date) -> float:
    return sum(
        (min(end, dt.date(year + 1, 1, 1)) - max(start, dt.date(year, 1, 1))).days / (365 + calendar.isleap(year))
        for year in range(start.year, end.year + 1)
    )


def _month_length(day: dt.date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _ends_month(date: dt.date, day: int) -> bool:
    """The 31st, or the last day of February."""
    return day == 31 or (date.month == 2 and day == _month_length(date))
