"""Schedules as people say them."""

from __future__ import annotations

from typing import Any

import pytest

from reports.schedules.options import Schedule
from reports.schedules.words import words


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("0 7 * * 1-5", "at 07:00 on Monday through Friday (Europe/Berlin)"),
        ("@daily", "at 00:00 every day (Europe/Berlin)"),
        ("0 18 L * *", "at 18:00 on the last day of every month (Europe/Berlin)"),
        ("*/15 9-17 * * *", "every 15th minute from 09:00 through 17:59 (Europe/Berlin)"),
        ({"cron": "0 7 * * *", "timezone": "Asia/Tokyo"}, "at 07:00 every day (Asia/Tokyo)"),
        ({"every": "15m"}, "every 15 minutes (Europe/Berlin)"),
        ({"every": "1s"}, "every second (Europe/Berlin)"),
        ({"every": "60m"}, "every hour (Europe/Berlin)"),
        ({"every": "36h", "at": "09:00"}, "every 36 hours, counted from 09:00 (Europe/Berlin)"),
        ({"every": "1d"}, "every day at 00:00 (Europe/Berlin)"),
        ({"every": "24h", "at": ["17:00", "09:00"]}, "every day at 09:00 and 17:00 (Europe/Berlin)"),
        ({"every": "10d", "at": "09:00:30"}, "every 10 days at 09:00:30 (Europe/Berlin)"),
        ({"every": "2w", "at": "09:00"}, "every 2 weeks on Monday at 09:00 (Europe/Berlin)"),
        (
            {"every": "7d", "start": "2026-01-08"},
            "every week on Thursday at 00:00 (Europe/Berlin), from 8 January 2026",
        ),
        ({"monthly": "last", "at": "18:00"}, "on the last day of the month at 18:00 (Europe/Berlin)"),
        ({"monthly": [15, "last", 1]}, "on the 1st, 15th and last day of the month at 00:00 (Europe/Berlin)"),
        ({"monthly": [11, 22, 23, 31]}, "on the 11th, 22nd, 23rd and 31st day of the month at 00:00 (Europe/Berlin)"),
        ({"yearly": ["12-24", "02-29"]}, "on 29 February and 24 December at 00:00 (Europe/Berlin)"),
        (
            {"business_day": 3, "calendar": "US", "at": "18:00"},
            "on the 3rd business day of the month (US) at 18:00 (Europe/Berlin)",
        ),
        (
            {"business_day": [-1, 1, -2]},
            "on the 1st, 2nd last and last business day of the month at 00:00 (Europe/Berlin)",
        ),
        ({"once": "2026-12-31T09:00"}, "on 31 December 2026 at 09:00 (Europe/Berlin)"),
        ({"once": "2026-12-31T09:00-05:00"}, "on 31 December 2026 at 09:00 UTC-05:00 (Europe/Berlin)"),
        (
            {"every": "1d", "at": "09:00", "calendar": "DE"},
            "every day at 09:00 (Europe/Berlin), not on holidays (DE)",
        ),
        (
            {"every": "1d", "at": "09:00", "on_holiday": "before", "business_days": True},
            "every day at 09:00 (Europe/Berlin), on weekends and holidays the business day before",
        ),
        (
            {"monthly": 1, "on_holiday": "after", "calendar": "NYSE", "end": "2027-03-31"},
            "on the 1st day of the month at 00:00 (Europe/Berlin), on holidays (NYSE) the business day after, until 31 March 2027",
        ),
    ],
)
def test_a_schedule_in_words(given: Any, expected: str) -> None:
    """All that decides when it comes, in one phrase; the project's zone where it has none of its own."""
    assert words(Schedule.model_validate(given), timezone="Europe/Berlin") == expected
