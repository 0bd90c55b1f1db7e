"""Quiet hours on the wall, also where the clock is changed."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.schedules.quiet import end_of

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = {"start": dt.time(22), "end": dt.time(7)}
EVERY = range(7)


def at(text: str, place: ZoneInfo = BERLIN) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=place)


@pytest.mark.parametrize(
    ("instant", "end"),
    [
        ("2026-11-02T21:59:59", None),
        ("2026-11-02T22:00", "2026-11-03T07:00"),
        ("2026-11-03T03:00", "2026-11-03T07:00"),
        ("2026-11-03T06:59:59", "2026-11-03T07:00"),
        ("2026-11-03T07:00", None),
    ],
)
def test_a_night_ends_on_the_next_day(instant: str, end: str | None) -> None:
    """It begins with its first instant, and is over at its end."""
    assert end_of(at(instant), **NIGHT, days=EVERY, place=BERLIN) == (at(end) if end else None)


@pytest.mark.parametrize(
    ("instant", "end"),
    [("2026-11-06T23:00", "2026-11-07T07:00"), ("2026-11-07T03:00", "2026-11-07T07:00"), ("2026-11-07T23:00", None)],
)
def test_days_are_those_on_which_they_begin(instant: str, end: str | None) -> None:
    """From Monday to Friday: the morning of Saturday is Friday's night."""
    assert end_of(at(instant), **NIGHT, days=range(5), place=BERLIN) == (at(end) if end else None)


def test_a_day_from_midnight_to_midnight_is_whole() -> None:
    """An end that is no later than the beginning is on the next day."""
    whole = {"start": dt.time(), "end": dt.time(), "days": [5], "place": BERLIN}
    assert end_of(at("2026-11-07T00:00"), **whole) == at("2026-11-08T00:00")  # type: ignore[arg-type]
    assert end_of(at("2026-11-07T23:59"), **whole) == at("2026-11-08T00:00")  # type: ignore[arg-type]
    assert end_of(at("2026-11-08T00:00"), **whole) is None  # type: ignore[arg-type]


def test_a_night_in_which_the_clock_changes_ends_on_the_wall() -> None:
    """Eight hours or ten; a time that is not there is the first after it, of one that comes twice the first."""
    spring, autumn = at("2026-03-28T23:00"), at("2026-10-24T23:00")
    for evening in (spring, autumn):
        end = end_of(evening, **NIGHT, days=EVERY, place=BERLIN)
        assert end is not None
        assert end.astimezone(BERLIN).time() == dt.time(7)
    assert end_of(spring, **NIGHT, days=EVERY, place=BERLIN) == dt.datetime(2026, 3, 29, 5, tzinfo=dt.UTC)
    assert end_of(autumn, **NIGHT, days=EVERY, place=BERLIN) == dt.datetime(2026, 10, 25, 6, tzinfo=dt.UTC)
    early = {"start": dt.time(22), "end": dt.time(2, 30), "days": EVERY, "place": BERLIN}
    assert end_of(spring, **early) == dt.datetime(2026, 3, 29, 1, tzinfo=dt.UTC)  # type: ignore[arg-type]
    assert end_of(autumn, **early) == dt.datetime(2026, 10, 25, 0, 30, tzinfo=dt.UTC)  # type: ignore[arg-type]


TIMES = st.times().map(lambda time: time.replace(second=0, microsecond=0))
ZONES = st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Shanghai", "Australia/Lord_Howe", "UTC"])


SECONDS = st.integers(0, 366 * 86_400)


@given(SECONDS, TIMES, TIMES, st.sets(st.integers(0, 6)), ZONES)
def test_the_end_is_later_within_a_day_or_so_and_on_the_wall(
    seconds: int, start: dt.time, end: dt.time, days: set[int], zone: str
) -> None:
    """Whatever the hours, the days and the zone; and what lies in none may go at once."""
    place, now = ZoneInfo(zone), dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=seconds)
    over = end_of(now, start=start, end=end, days=days, place=place)
    if over is None:
        return
    assert days
    assert now < over <= now + dt.timedelta(hours=25)
    assert end_of(over - dt.timedelta(seconds=1), start=start, end=end, days=days, place=place) is not None
    shown = over.astimezone(place).time()
    assert shown >= end  # the same, or the first one that the clock shows after it
