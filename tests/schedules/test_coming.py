"""When a schedule really runs next."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from reports.schedules.coming import next_run
from reports.schedules.options import Schedule

FRIDAY = dt.datetime(2026, 12, 25, 8, tzinfo=dt.UTC)


def coming(*given: Any, zone: str = "UTC", calendar: str = "") -> str:
    """The local time of the next run after that Friday, which is Christmas Day; empty if there is none."""
    schedules = [Schedule.model_validate(one) for one in given]
    found = next_run(schedules, timezone=zone, calendar=calendar, after=FRIDAY)
    return found.local.isoformat(timespec="minutes") if found else ""


@pytest.mark.parametrize(
    ("given", "local"),
    [
        ("0 9 * * *", "2026-12-25T09:00+00:00"),
        ({"cron": "0 9 * * *", "business_days": True}, "2026-12-25T09:00+00:00"),
        ({"cron": "0 9 * * *", "calendar": "DE"}, "2026-12-27T09:00+00:00"),
        ({"cron": "0 9 * * *", "calendar": "DE", "business_days": True}, "2026-12-28T09:00+00:00"),
        ({"every": "1s", "calendar": "DE", "business_days": True}, "2026-12-28T00:00+00:00"),
        ({"every": "7m", "calendar": "DE", "business_days": True}, "2026-12-28T00:01+00:00"),
        ({"every": "1d", "calendar": "DE", "on_holiday": "after"}, "2026-12-27T00:00+00:00"),
    ],
)
def test_what_is_skipped_is_passed_over(given: Any, local: str) -> None:
    """By whole days, so that a job of every second costs no more than one of every day."""
    assert coming(given) == local


def test_days_end_at_the_midnight_of_the_place() -> None:
    """Samoa's Monday begins while it is Sunday in UTC."""
    given = {"every": "1h", "business_days": True, "timezone": "Pacific/Apia"}
    assert coming({**given, "start": "2026-12-26"}) == "2026-12-28T00:00+13:00"


def test_the_first_of_several_schedules_counts() -> None:
    """One that is skipped that day does not hide the other."""
    assert coming({"cron": "0 9 * * *", "calendar": "DE"}, "0 10 * * *") == "2026-12-25T10:00+00:00"
    assert coming() == ""


@pytest.mark.parametrize(
    "given",
    [
        {"once": "2020-01-01T09:00"},
        {"every": "1h", "end": "2020-01-01"},
        {"cron": "* * * * 6", "business_days": True},
        {"every": "1s", "start": "2027-01-01", "end": "2027-01-01", "calendar": "DE"},
        {"yearly": "12-25", "calendar": "DE"},
    ],
)
def test_what_never_runs_is_found_out(given: Any) -> None:
    """It is over, or it is always skipped: nobody searches for ever."""
    assert coming(given) == ""


def test_the_calendar_of_the_project_counts_where_a_schedule_asks_for_one() -> None:
    """As it does when the service decides."""
    assert coming({"cron": "0 9 * * *", "on_holiday": "skip"}, calendar="DE") == "2026-12-27T09:00+00:00"
    assert coming("0 9 * * *", calendar="DE") == "2026-12-25T09:00+00:00"
