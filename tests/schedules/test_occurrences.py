"""Which instants schedules name: by clock, by month, by business day, around holidays, and merged over a job."""

from __future__ import annotations

import datetime as dt
from itertools import islice, pairwise
from typing import Any

import pytest

from reports.model import Occurrence
from reports.schedules.occurrences import occurrences
from reports.schedules.options import Schedule

NEW_YEAR = "2026-01-01T00:00Z"


def next_ones(
    *given: Any, zone: str = "UTC", after: str = NEW_YEAR, calendar: str = "", n: int = 1000
) -> list[Occurrence]:
    named = [Schedule.model_validate(one) for one in given]
    instant = dt.datetime.fromisoformat(after)
    return list(islice(occurrences(named, timezone=zone, calendar=calendar, after=instant), n))


def days(*given: Any, n: int = 4, **where: Any) -> list[str]:
    return [f"{one.local:%a %m-%d}" for one in next_ones(*given, n=n, **where) if not one.skipped]


def times(*given: Any, n: int = 4, **where: Any) -> list[str]:
    return [f"{one.local:%d %H:%M}" for one in next_ones(*given, n=n, **where) if not one.skipped]


def told(*given: Any, **where: Any) -> list[tuple[str, str]]:
    return [(f"{one.local:%m-%d %H:%M}", one.reason) for one in next_ones(*given, **where)]


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("0 9 * * 1-5", ["Thu 01-01", "Fri 01-02", "Mon 01-05", "Tue 01-06"]),
        ("0 9 * * MON-FRI", ["Thu 01-01", "Fri 01-02", "Mon 01-05", "Tue 01-06"]),
        ("0 9 13 * 5", ["Fri 01-02", "Fri 01-09", "Tue 01-13", "Fri 01-16"]),
        ("0 9 */7 * 1", ["Mon 06-01", "Mon 06-08", "Mon 06-15", "Mon 06-22"]),
        ("0 9 13 * *", ["Tue 01-13", "Fri 02-13", "Fri 03-13", "Mon 04-13"]),
        ("0 9 L * *", ["Sat 01-31", "Sat 02-28", "Tue 03-31", "Thu 04-30"]),
        ("0 9 LW * *", ["Fri 01-30", "Fri 02-27", "Tue 03-31", "Thu 04-30"]),
        ("0 9 * * 5L", ["Fri 01-30", "Fri 02-27", "Fri 03-27", "Fri 04-24"]),
        ("0 9 * * 1#2", ["Mon 01-12", "Mon 02-09", "Mon 03-09", "Mon 04-13"]),
        ("0 9 1,15 */6 *", ["Thu 01-01", "Thu 01-15", "Wed 07-01", "Wed 07-15"]),
        ("@yearly", ["Fri 01-01", "Sat 01-01", "Mon 01-01", "Tue 01-01"]),
        ("@annually", ["Fri 01-01", "Sat 01-01", "Mon 01-01", "Tue 01-01"]),
        ("@monthly", ["Sun 02-01", "Sun 03-01", "Wed 04-01", "Fri 05-01"]),
        ("@weekly", ["Sun 01-04", "Sun 01-11", "Sun 01-18", "Sun 01-25"]),
        ("@daily", ["Fri 01-02", "Sat 01-03", "Sun 01-04", "Mon 01-05"]),
        ("@Midnight", ["Fri 01-02", "Sat 01-03", "Sun 01-04", "Mon 01-05"]),
    ],
)
def test_cron_means_what_crontab_says(cron: str, expected: list[str]) -> None:
    """Day and weekday both given: either suffices, unless one begins with a star; L, LW, 5L, 1#2; the aliases."""
    after = "2026-05-20T00:00Z" if "*/7" in cron else NEW_YEAR
    assert days(cron, after=after) == expected


def test_cron_may_say_the_second() -> None:
    """Six fields, the second first; @hourly is an alias too."""
    assert [one.at.second for one in next_ones("5,35 * * * * *", n=3)] == [5, 35, 5]
    assert times("@hourly") == ["01 01:00", "01 02:00", "01 03:00", "01 04:00"]


def test_cron_with_a_star_runs_on_as_debians_does() -> None:
    """With a star in minute or hour both passes of a repeated hour are run, and nothing for the gap."""
    autumn = next_ones("*/30 * * * *", zone="Europe/Berlin", after="2026-10-24T23:55Z", n=6)
    assert [f"{one.at:%H:%M} {one.local:%H:%M}" for one in autumn] == [
        "00:00 02:00", "00:30 02:30", "01:00 02:00", "01:30 02:30", "02:00 03:00", "02:30 03:30",
    ]  # fmt: skip
    assert {one.reason for one in autumn} == {""}
    assert times("30 * * * *", zone="Europe/Berlin", after="2026-03-29T00:00Z") == [
        "29 01:30",
        "29 03:30",
        "29 04:30",
        "29 05:30",
    ]
    assert times("*/30 2 * * *", zone="Europe/Berlin", after="2026-03-28T02:00Z", n=2) == ["30 02:00", "30 02:30"]


def test_cron_with_a_star_is_right_where_the_clock_moves_by_half_an_hour() -> None:
    """Lord Howe: every other hour is every other hour on the clock, in both passes of a repeated half hour."""
    assert times("0 */2 * * *", zone="Australia/Lord_Howe", after="2026-04-04T13:30Z") == [
        "05 02:00",
        "05 04:00",
        "05 06:00",
        "05 08:00",
    ]
    found = next_ones("*/15 1 * * *", zone="Australia/Lord_Howe", after="2026-04-04T14:20Z", n=4)
    assert [f"{one.local:%H:%M}" for one in found] == ["01:30", "01:45", "01:30", "01:45"]


def test_a_time_in_a_gap_that_meets_another_is_one_occurrence() -> None:
    """03:00 stands for 02:00 as well, and says so."""
    found = told("0 2,3 * * *", zone="Europe/Berlin", after="2026-03-28T12:00Z", n=2)
    assert found == [
        ("03-29 03:00", "02:00 does not exist that day: the clock goes from 02:00 to 03:00"),
        ("03-30 02:00", ""),
    ]


def test_a_day_that_does_not_exist_is_made_up_for_at_its_end() -> None:
    """Apia had no 2011-12-30: its report comes at the first minute of the 31st, whose own comes too."""
    found = told({"every": "1d", "at": "09:00"}, zone="Pacific/Apia", after="2011-12-29T20:00Z", n=2)
    why = "09:00 does not exist that day: the clock goes from 2011-12-30 00:00 to 2011-12-31 00:00"
    assert found == [("12-31 00:00", why), ("12-31 09:00", "")]


def test_a_clock_set_back_over_midnight_runs_once() -> None:
    """Sao Paulo 2018-02-18 00:00 became the 17th, 23:00: half past eleven is run once, and so is midnight."""
    zone = "America/Sao_Paulo"
    assert times({"every": "1d", "at": ["23:30", "00:00"]}, zone=zone, after="2018-02-17T12:00Z") == [
        "17 23:30",
        "18 00:00",
        "18 23:30",
        "19 00:00",
    ]


def test_chatham_keeps_its_quarter_hours() -> None:
    """A zone of 12:45, with a gap at 02:45."""
    found = told("0 3 * * *", zone="Pacific/Chatham", after="2026-09-26T00:00Z", n=1)
    assert found == [("09-27 03:45", "03:00 does not exist that day: the clock goes from 02:45 to 03:45")]


# -- intervals


def test_whole_days_and_weeks_are_counted_from_their_start() -> None:
    """From `start`, else from a Monday; so many days on the calendar, at each time."""
    assert days({"every": "1w"}) == ["Mon 01-05", "Mon 01-12", "Mon 01-19", "Mon 01-26"]
    assert days({"every": "2w", "start": "2026-01-08"}) == ["Thu 01-08", "Thu 01-22", "Thu 02-05", "Thu 02-19"]
    assert days({"every": "3d", "start": "2025-12-30"}) == ["Fri 01-02", "Mon 01-05", "Thu 01-08", "Sun 01-11"]
    assert times({"every": "1d", "at": ["17:00", "09:00"]}) == ["01 09:00", "01 17:00", "02 09:00", "02 17:00"]


def test_a_part_of_a_day_stands_on_the_wall() -> None:
    """Every four hours from nine is the same six times each day, in summer as in winter."""
    found = next_ones({"every": "4h", "at": "09:00"}, zone="America/New_York", after="2026-03-07T12:00Z", n=60)
    assert {one.local.hour for one in found} == {1, 5, 9, 13, 17, 21}
    assert len({one.local.date() for one in found}) == 11


def test_up_to_an_hour_both_passes_count_and_longer_ones_once() -> None:
    """A repeated hour has all its quarters again; of a mark every two hours the first pass is enough."""
    where = {"zone": "Europe/Berlin", "after": "2026-10-24T23:50Z"}
    assert times({"every": "15m"}, n=9, **where)[3:6] == ["25 02:45", "25 02:00", "25 02:15"]
    assert times({"every": "1h"}, n=3, **where) == ["25 02:00", "25 02:00", "25 03:00"]
    assert times({"every": "2h"}, n=3, **where) == ["25 02:00", "25 04:00", "25 06:00"]


def test_marks_in_a_gap_are_one_at_its_end() -> None:
    """Neither none of them nor all at once."""
    where = {"zone": "Europe/Berlin", "after": "2026-03-29T00:40Z"}
    assert times({"every": "15m"}, n=3, **where) == ["29 01:45", "29 03:00", "29 03:15"]
    assert times({"every": "15m", "at": "00:05"}, n=3, **where) == ["29 01:50", "29 03:00", "29 03:05"]
    assert times({"every": "2h"}, n=2, **where) == ["29 03:00", "29 04:00"]


def test_what_does_not_divide_the_day_goes_by_time_that_passes() -> None:
    """Every 36 hours from the start: the clock's jump is felt."""
    found = next_ones({"every": "36h", "start": "2026-03-28", "at": "09:00"}, zone="Europe/Berlin", n=20)
    assert [f"{one.local:%d %H:%M}" for one in found[:3]] == ["28 09:00", "29 22:00", "31 10:00"]
    assert {b.at - a.at for a, b in pairwise(found)} == {dt.timedelta(hours=36)}


def test_what_does_not_divide_the_day_has_a_beginning_without_a_start() -> None:
    """From 1970 in the zone: two services agree."""
    found = next_ones({"every": "7m"}, zone="Asia/Kolkata", n=2)
    origin = dt.datetime.fromisoformat("1970-01-01T00:00+05:30")
    assert [(one.at - origin) % dt.timedelta(minutes=7) for one in found] == [dt.timedelta()] * 2
    assert found[0].at - dt.datetime.fromisoformat(NEW_YEAR) <= dt.timedelta(minutes=7)


def test_every_second_is_every_second() -> None:
    """Through a gap and a fold, with none lost."""
    for after in ("2026-03-29T00:59:00Z", "2026-10-25T00:59:00Z"):
        found = next_ones({"every": "1s"}, zone="Europe/Berlin", after=after, n=4000)
        assert {b.at - a.at for a, b in pairwise(found)} == {dt.timedelta(seconds=1)}
        assert found[0].at == dt.datetime.fromisoformat(after) + dt.timedelta(seconds=1)


# -- one instant, days of the month and of the year


def test_once_is_once() -> None:
    """At a local time or at an instant; and never again, though asked from that very instant."""
    assert told({"once": "2026-06-01T09:00"}, zone="Europe/Berlin") == [("06-01 09:00", "")]
    assert told({"once": "2026-06-01T09:00Z"}, zone="Europe/Berlin") == [("06-01 11:00", "")]
    assert told({"once": "2026-03-29T02:30"}, zone="Europe/Berlin")[0][0] == "03-29 03:00"
    assert told({"once": "2026-06-01T09:00"}, zone="Europe/Berlin", after="2026-06-01T07:00Z") == []


def test_days_of_the_month_that_meet_are_one() -> None:
    """The 28th, the 31st and the last are one day in February."""
    assert days({"monthly": [31, "last", 28]}, after="2026-01-31T12:00Z") == [
        "Sat 02-28",
        "Sat 03-28",
        "Tue 03-31",
        "Tue 04-28",
    ]


def test_business_days_are_counted_by_the_calendar() -> None:
    """Without one Monday to Friday; with one its holidays and its weekend; the schedule's own before the project's."""
    before = "2025-12-31T12:00Z"
    assert days({"business_day": 1}, after=before) == ["Thu 01-01", "Mon 02-02", "Mon 03-02", "Wed 04-01"]
    assert days({"business_day": 1}, calendar="DE", after=before) == [
        "Fri 01-02",
        "Mon 02-02",
        "Mon 03-02",
        "Wed 04-01",
    ]
    assert days({"business_day": [3, -1], "calendar": "US"}, n=2, calendar="DE", after=before) == [
        "Tue 01-06",
        "Fri 01-30",
    ]
    assert days({"business_day": 1, "calendar": "IL"}, n=2, after=before) == ["Thu 01-01", "Sun 02-01"]
    assert days({"business_day": -1, "calendar": "NYSE"}, after="2026-05-01T00:00Z", n=1) == ["Fri 05-29"]


def test_a_month_with_too_few_business_days_has_none() -> None:
    """The 23rd business day comes in months that have it."""
    assert days({"business_day": 23}) == ["Fri 07-31", "Thu 12-31", "Wed 03-31", "Fri 12-31"]


# -- start and end


def test_start_and_end_are_the_first_and_the_last_local_day() -> None:
    """Both inclusive, on the clock of the zone; after that there is nothing."""
    given = {"cron": "30 23 * * *", "start": "2026-02-02", "end": "2026-02-04"}
    assert days(given, zone="America/New_York", n=9) == ["Mon 02-02", "Tue 02-03", "Wed 02-04"]
    for kind in (
        {"every": "1d"},
        {"every": "12h"},
        {"every": "36h"},
        {"monthly": 2},
        {"yearly": "02-03"},
        {"business_day": 2},
    ):
        found = next_ones(kind | {"start": "2026-02-02", "end": "2026-02-04"}, zone="Asia/Tokyo")
        assert found
        assert all(dt.date(2026, 2, 2) <= one.local.date() <= dt.date(2026, 2, 4) for one in found)


def test_midnight_of_the_first_day_belongs_to_it() -> None:
    """Whatever the kind, the first instant of the first day is named."""
    for kind in ({"cron": "0 0 * * *"}, {"cron": "* * * * *"}, {"every": "1d"}, {"every": "15m"}, {"every": "7m"}):
        assert times(kind | {"start": "2026-02-02"}, n=1) == ["02 00:00"]


def test_nothing_comes_after_the_last_year() -> None:
    """An endless schedule still ends, and says so by ending."""
    for given in ("0 0 1 1 *", {"every": "1d"}, {"every": "7m"}, {"monthly": "last"}, {"every": "52000w"}):
        assert len(next_ones(given, after="2999-12-31T00:00Z")) < 300


# -- holidays

XMAS = {"zone": "Europe/Berlin", "after": "2026-12-23T12:00Z"}


def test_a_holiday_is_skipped_with_its_name() -> None:
    """What is skipped is still told; a weekend is no holiday by itself."""
    found = next_ones({"cron": "0 9 * * *", "calendar": "DE"}, n=4, **XMAS)
    assert [one.skipped for one in found] == [False, True, True, False]
    assert [one.reason for one in found] == ["", "holiday: Christmas Day", "holiday: Second Day of Christmas", ""]


def test_a_calendar_of_the_project_changes_nothing_unless_asked() -> None:
    """It is there for who names a rule."""
    assert not any(one.skipped for one in next_ones("0 9 * * *", n=4, calendar="DE", **XMAS))
    asked = next_ones({"cron": "0 9 * * *", "on_holiday": "skip"}, n=4, calendar="DE", **XMAS)
    assert [one.skipped for one in asked] == [False, True, True, False]


def test_business_days_only() -> None:
    """Saturdays and Sundays count as holidays, with and without a calendar; the weekend is the country's."""
    given = {"cron": "0 9 * * *", "business_days": True}
    assert told(given, n=3, after="2026-01-09T12:00Z") == [
        ("01-10 09:00", "weekend: Saturday"), ("01-11 09:00", "weekend: Sunday"), ("01-12 09:00", ""),
    ]  # fmt: skip
    assert told(given, n=1, calendar="DE", after="2026-12-24T12:00Z") == [("12-25 09:00", "holiday: Christmas Day")]
    assert told(given | {"calendar": "IL"}, n=1, after="2026-01-08T12:00Z") == [("01-09 09:00", "weekend: Friday")]


def test_a_holiday_moves_a_run_to_the_business_day_after() -> None:
    """At the same time; two that meet are one, told with the reason."""
    given = {"cron": "0 9 25 12 *", "calendar": "DE", "on_holiday": "after"}
    assert told(given, n=1, **XMAS) == [("12-28 09:00", "moved from 2026-12-25 (Christmas Day) to 2026-12-28")]
    daily = {"cron": "0 9 * * *", "calendar": "DE", "on_holiday": "after", "business_days": True}
    assert [day for day, _ in told(daily, n=3, **XMAS)] == ["12-24 09:00", "12-28 09:00", "12-29 09:00"]


def test_a_holiday_moves_a_run_to_the_business_day_before() -> None:
    """Also when it is asked for in between: the holiday's run is not forgotten, and not given twice."""
    given = {"cron": "0 17 * * 5", "calendar": "DE", "on_holiday": "before"}
    moved = ("12-24 17:00", "moved from 2026-12-25 (Christmas Day) to 2026-12-24")
    assert told(given, n=1, **XMAS) == [moved]
    assert told(given, n=1, zone="Europe/Berlin", after="2026-12-24T15:59Z") == [moved]
    assert told(given, n=1, zone="Europe/Berlin", after="2026-12-24T16:00Z")[0][0] == "12-31 17:00"


def test_moved_runs_stay_in_order() -> None:
    """A Monday's holiday goes before the Sunday that runs as ever; Friday evening stays after what was moved to it."""
    given = {"every": "1d", "at": ["09:00", "18:00"], "calendar": "DE", "on_holiday": "before"}
    found = told(given, zone="Europe/Berlin", after="2026-04-02T10:00Z", n=6)  # Good Friday 3, Easter Monday 6 April
    assert [day for day, _ in found] == [
        "04-02 18:00",
        "04-04 09:00",
        "04-04 18:00",
        "04-05 09:00",
        "04-05 18:00",
        "04-07 09:00",
    ]
    assert found[0][1] == "moved from 2026-04-03 (Good Friday) to 2026-04-02"


def test_what_was_moved_from_before_now_is_still_to_come() -> None:
    """Asked on the holiday or after it, the run on the next business day is there."""
    given = {"cron": "0 9 3 4 *", "calendar": "DE", "on_holiday": "after"}
    for after in ("2026-04-02T12:00Z", "2026-04-03T12:00Z", "2026-04-06T12:00Z", "2026-04-07T06:59Z"):
        assert told(given, zone="Europe/Berlin", after=after, n=1)[0][0] == "04-07 09:00"


def test_a_long_holiday_is_crossed() -> None:
    """The week of the National Day in China, with Saturdays that are worked instead."""
    given = {"cron": "0 9 1 10 *", "calendar": "CN", "on_holiday": "after"}
    (found,) = next_ones(given, zone="Asia/Shanghai", after="2024-09-01T00:00Z", n=1)
    assert f"{found.local:%m-%d}" == "10-08"
    worked = {"cron": "0 9 * * *", "calendar": "CN", "business_days": True}
    assert not next_ones(worked, zone="Asia/Shanghai", after="2024-10-11T12:00Z", n=1)[0].skipped


def test_a_holiday_kept_in_another_year_is_known_however_it_is_asked_for() -> None:
    """New Year 2028 is a Saturday, kept in the US on the Friday before: years are not looked at alone."""
    for after in ("2027-12-30T12:00Z", "2026-01-01T12:00Z"):
        found = next_ones({"cron": "0 9 31 12 *", "calendar": "US"}, after=after, n=2)
        assert [one.skipped for one in found if one.local.year == 2027] == [True]


def test_a_clamped_day_that_is_moved_tells_both() -> None:
    """Each step has its reason."""
    given = {"monthly": 31, "business_days": True, "on_holiday": "before"}
    (found,) = told(given, after="2026-02-01T00:00Z", n=1)
    assert found == (
        "02-27 00:00",
        "February has no day 31: its last day; moved from 2026-02-28 (Saturday) to 2026-02-27",
    )


# -- several schedules of one job


def test_the_schedules_of_a_job_are_one_sequence() -> None:
    """In order, each instant once, each schedule in its own zone."""
    berlin, tokyo = {"cron": "0 9 * * *"}, {"cron": "0 17 * * *", "timezone": "Asia/Tokyo"}
    found = next_ones(berlin, tokyo, zone="Europe/Berlin", after="2026-01-01T12:00Z", n=4)
    assert [one.at.hour for one in found] == [8, 8, 8, 8]
    assert len({one.at for one in found}) == 4
    assert [one.at.hour for one in next_ones("0 9 * * *", "30 12 * * *", "0 9 2 * *", n=3)] == [9, 12, 9]


def test_one_that_is_due_hides_one_that_is_skipped() -> None:
    """A job skips on holidays, but has a schedule that does not."""
    skipping, running = {"cron": "0 9 * * *", "calendar": "DE"}, {"cron": "0 9 25 12 *"}
    found = next_ones(skipping, running, n=4, **XMAS)
    assert [one.skipped for one in found] == [False, False, True, False]
    assert found == next_ones(running, skipping, n=4, **XMAS)


def test_a_job_ends_when_all_its_schedules_have() -> None:
    """And one without schedules has nothing to come."""
    assert len(next_ones({"once": "2026-06-01T09:00"}, {"every": "1d", "end": "2026-01-03"})) == 3
    assert next_ones() == []


def test_an_instant_without_an_offset_is_refused() -> None:
    """It would be read on the machine's own clock, in silence."""
    with pytest.raises(ValueError, match="needs an offset"):
        next_ones("@daily", after="2026-01-01T00:00")


def test_occurrences_are_found_as_they_are_asked_for() -> None:
    """The first of an endless schedule costs no more than the first."""
    for given in ({"every": "1s"}, "* * * * * *", {"every": "1d", "calendar": "DE", "on_holiday": "after"}):
        assert len(next_ones(given, n=1)) == 1
