"""What the users of other schedulers were caught by: each case with what a report's reader means.

The cases are those of the comparison with APScheduler 3.11.3 that are about which instants come; the others, about
what is done at them, are tested with the service.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import islice, pairwise
from typing import Any

import pytest
from pydantic import ValidationError

from reports.model import Occurrence
from reports.schedules.occurrences import occurrences
from reports.schedules.options import Schedule


def next_ones(given: Any, zone: str, after: str, number: int) -> list[Occurrence]:
    named = [Schedule.model_validate(given)]
    return list(islice(occurrences(named, timezone=zone, after=dt.datetime.fromisoformat(after)), number))


def local(found: Sequence[Occurrence]) -> list[str]:
    return [f"{one.local:%m-%d %H:%M}" for one in found]


def test_gap_daily_half_past_two_runs_once_and_says_so() -> None:
    """Gap, New York 2026-03-08: at 03:00, labelled with a time that exists."""
    found = next_ones("30 2 * * *", "America/New_York", "2026-03-07T12:00Z", 2)
    assert local(found) == ["03-08 03:00", "03-09 02:30"]
    assert found[0].at == dt.datetime(2026, 3, 8, 7, tzinfo=dt.UTC)
    assert found[0].local.isoformat() == "2026-03-08T03:00:00-04:00"
    assert found[0].reason == "02:30 does not exist that day: the clock goes from 02:00 to 03:00"
    assert not found[0].skipped
    assert found[1].reason == ""


@pytest.mark.parametrize("given", ["0 0 * * *", "@daily", {"every": "1d"}, {"every": "24h", "at": "00:00"}])
def test_gap_at_midnight_still_makes_that_days_report(given: Any) -> None:
    """Gap at midnight, Sao Paulo 2018-11-04: the day has its report, at its first minute."""
    found = next_ones(given, "America/Sao_Paulo", "2018-11-03T12:00Z", 2)
    assert local(found) == ["11-04 01:00", "11-05 00:00"]
    assert found[0].reason == "00:00 does not exist that day: the clock goes from 00:00 to 01:00"


def test_gap_inside_a_range_of_hours_runs_for_each() -> None:
    """Gap inside a range, hour 0-4 minute 30: five runs, whatever the shape of the field."""
    for given in ("30 0-4 * * *", "30 0,1,2,3,4 * * *", {"every": "1d", "at": [f"0{hour}:30" for hour in range(5)]}):
        found = next_ones(given, "America/New_York", "2026-03-08T04:00Z", 6)
        assert local(found) == [
            "03-08 00:30",
            "03-08 01:30",
            "03-08 03:00",
            "03-08 03:30",
            "03-08 04:30",
            "03-09 00:30",
        ]


@pytest.mark.parametrize(
    "given", ["30 1 * * *", {"every": "1d", "at": "01:30"}, {"every": "1w", "start": "2026-11-01", "at": "01:30"}]
)
def test_fold_daily_half_past_one_runs_once(given: Any) -> None:
    """Fold, New York 2026-11-01: the first of the two, and says so."""
    found = next_ones(given, "America/New_York", "2026-11-01T00:00Z", 2)
    assert found[0].at == dt.datetime(2026, 11, 1, 5, 30, tzinfo=dt.UTC)
    assert found[0].reason == "01:30 comes twice that day: the first of the two"
    assert found[1].local.date() > found[0].local.date()


def test_fold_never_hangs_nor_repeats_from_within_it() -> None:
    """Asked from either pass of the repeated hour, the next one is tomorrow's."""
    for after in ("2026-11-01T05:30Z", "2026-11-01T05:45Z", "2026-11-01T06:00Z", "2026-11-01T06:45Z"):
        assert local(next_ones("30 1 * * *", "America/New_York", after, 1)) == ["11-02 01:30"]


def test_an_interval_of_days_does_not_skip_the_day_of_the_gap() -> None:
    """CalendarIntervalTrigger: 03-07, then 03-08, not 03-09."""
    found = next_ones({"every": "1d", "at": "02:30"}, "America/New_York", "2026-03-07T00:00Z", 3)
    assert local(found) == ["03-07 02:30", "03-08 03:00", "03-09 02:30"]


@pytest.mark.parametrize("length", ["24h", "1d", "1440m"])
def test_every_day_at_nine_stays_at_nine(length: str) -> None:
    """IntervalTrigger(24 h): in spring and in autumn alike."""
    for after in ("2026-03-27T12:00Z", "2026-10-23T12:00Z"):
        found = next_ones({"every": length, "at": "09:00"}, "Europe/Berlin", after, 3)
        assert [one.local.time() for one in found] == [dt.time(9)] * 3
        assert [(b.local.date() - a.local.date()).days for a, b in pairwise(found)] == [1, 1]


def test_a_leap_day_is_kept_on_the_last_of_february() -> None:
    """Leap day, yearly from 02-29: Feb 28 in common years, with the reason."""
    found = next_ones({"yearly": "02-29", "at": "09:00"}, "Europe/Berlin", "2027-01-01T00:00Z", 2)
    assert local(found) == ["02-28 09:00", "02-29 09:00"]
    assert [one.reason for one in found] == ["February has no day 29: its last day", ""]


def test_a_leap_day_in_cron_is_a_leap_day() -> None:
    """Leap day, day=29 month=2: an expression says exactly what it says."""
    assert next_ones("0 0 29 2 *", "UTC", "2026-01-01T00:00Z", 1)[0].local.year == 2028


def test_monthly_on_the_31st_clamps_to_the_months_end() -> None:
    """Monthly from 01-31: every month has its report."""
    found = next_ones({"monthly": 31}, "Europe/Berlin", "2026-01-15T00:00Z", 5)
    assert local(found) == ["01-31 00:00", "02-28 00:00", "03-31 00:00", "04-30 00:00", "05-31 00:00"]
    assert found[1].reason == "February has no day 31: its last day"
    assert found[2].reason == ""


@pytest.mark.parametrize("given", [{"monthly": "last"}, "0 0 L * *"])
def test_the_last_day_of_the_month_can_be_said(given: Any) -> None:
    """Last day of month: also of a leap February, and with nothing to explain."""
    found = next_ones(given, "Europe/Berlin", "2028-01-15T00:00Z", 3)
    assert local(found) == ["01-31 00:00", "02-29 00:00", "03-31 00:00"]
    assert {one.reason for one in found} == {""}


@pytest.mark.parametrize("given", [{"business_day": "last"}, "0 0 LW * *"])
def test_the_last_business_day_comes_every_month(given: Any) -> None:
    """Last business day: Friday 2026-01-30, and January, February and May are there."""
    found = next_ones(given, "Europe/Berlin", "2026-01-01T00:00Z", 5)
    assert local(found) == ["01-30 00:00", "02-27 00:00", "03-31 00:00", "04-30 00:00", "05-29 00:00"]


@pytest.mark.parametrize(("number", "name"), list(enumerate(["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"])))
def test_weekdays_are_numbered_as_crontab_has_them(number: int, name: str) -> None:
    """Weekday numbers: 1 = Monday, 0 and 7 = Sunday."""
    found = next_ones(f"0 9 * * {number}", "UTC", "2026-01-01T00:00Z", 3)
    assert [f"{one.local:%a}" for one in found] == [name] * 3


def test_a_preview_from_an_occurrence_never_gives_it_again() -> None:
    """Wall clock set back: asked from the repeated hour, nothing that was named before comes again."""
    given = "*/20 * * * *"
    found = next_ones(given, "America/New_York", "2026-11-01T04:50Z", 9)
    assert [f"{one.at:%H:%M}" for one in found[:7]] == ["05:00", "05:20", "05:40", "06:00", "06:20", "06:40", "07:00"]
    for number, one in enumerate(found[:-1]):
        assert next_ones(given, "America/New_York", one.at.isoformat(), 8 - number) == found[number + 1 :]


def test_zones_are_names_and_never_utc_in_silence() -> None:
    """Zones: an unknown one is an error; the schedule's own goes before the project's."""
    with pytest.raises(ValidationError, match="not a time zone"):
        Schedule.model_validate({"cron": "@daily", "timezone": "Europe/Berln"})
    own = next_ones({"cron": "0 9 * * *", "timezone": "Asia/Tokyo"}, "Europe/Berlin", "2026-01-01T12:00Z", 1)
    assert own[0].at == dt.datetime(2026, 1, 2, 0, tzinfo=dt.UTC)
