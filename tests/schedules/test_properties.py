"""Against a walk of the clock, minute by minute: nothing missing, nothing twice, whatever the zone does.

The walk knows nothing of gaps and folds but what a clock on the wall shows from one minute to the next.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise, takewhile
from typing import Any
from zoneinfo import ZoneInfo

import holidays
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.model import Occurrence
from reports.schedules.occurrences import occurrences
from reports.schedules.options import Schedule

ZONES = (
    "UTC", "Europe/Berlin", "Europe/London", "Europe/Dublin", "Europe/Istanbul", "America/New_York", "America/St_Johns",
    "America/Sao_Paulo", "America/Havana", "America/Caracas", "America/Asuncion", "Australia/Lord_Howe", "Pacific/Apia",
    "Pacific/Chatham", "Pacific/Tongatapu", "Asia/Kathmandu", "Asia/Tehran", "Asia/Beirut", "Asia/Gaza",
    "Asia/Pyongyang", "Africa/Cairo", "Africa/Casablanca", "Antarctica/Troll", "Antarctica/Casey",
)  # fmt: skip
YEARS = (2000, 2029)
MINUTE, DAY = dt.timedelta(minutes=1), dt.timedelta(days=1)
Matches = Callable[[dt.datetime], bool]


@dataclass(frozen=True)
class Window:
    """A few days of a zone, as a clock that is looked at every minute shows them, from half a day before."""

    zone: str
    begin: dt.datetime
    end: dt.datetime
    looks: Sequence[tuple[dt.datetime, dt.datetime]] = field(repr=False)

    @classmethod
    def at(cls, zone: str, begin: dt.datetime, days: int = 2) -> Window:
        place, end = ZoneInfo(zone), begin + days * DAY
        first = begin - DAY / 2
        minutes = (first + number * MINUTE for number in range((end - first) // MINUTE + 1))
        return cls(zone, begin, end, [(at, at.astimezone(place).replace(tzinfo=None, fold=0)) for at in minutes])

    @property
    def days(self) -> list[dt.date]:
        return sorted({wall.date() for _, wall in self.looks})

    def inside(self, instants: set[dt.datetime]) -> set[dt.datetime]:
        return {at for at in instants if self.begin < at <= self.end}


def shown(window: Window, matches: Matches, *, both: bool, gaps: bool) -> set[dt.datetime]:
    """When the clock shows such a time: first, or each time; where it jumps over one, with `gaps`, after the jump."""
    found: set[dt.datetime] = set()
    seen: set[dt.datetime] = set()
    for (_, before), (at, wall) in pairwise(window.looks):
        over = range(1, (wall - before) // MINUTE) if gaps else ()
        jumped = any(matches(before + number * MINUTE) for number in over)
        if jumped or (matches(wall) and (both or wall not in seen)):
            found.add(at)
        seen.add(wall)
    return window.inside(found)


@cache
def changes(zone: str) -> list[dt.datetime]:
    """The days on which the zone's clock is set."""
    place = ZoneInfo(zone)
    first = dt.datetime(YEARS[0], 1, 1, tzinfo=dt.UTC)
    days = [first + number * DAY for number in range((YEARS[1] - YEARS[0] + 1) * 365)]
    offsets = [day.astimezone(place).utcoffset() for day in days]
    return [day for day, (one, other) in zip(days, pairwise(offsets), strict=False) if one != other]


@st.composite
def windows(draw: st.DrawFn) -> Window:
    """Mostly where a clock is set, sometimes anywhere else; from any minute on."""
    zone = draw(st.sampled_from(ZONES))
    anywhere = st.integers(0, 365 * (YEARS[1] - YEARS[0])).map(
        lambda number: dt.datetime(YEARS[0], 1, 1, tzinfo=dt.UTC) + number * DAY
    )
    set_then = changes(zone)
    day = draw(st.one_of(st.sampled_from(set_then), st.sampled_from(set_then), anywhere) if set_then else anywhere)
    return Window.at(zone, day - draw(st.integers(-12 * 60, 24 * 60)) * MINUTE)


TIMES = st.builds(dt.time, st.integers(0, 23), st.sampled_from([0, 0, 1, 15, 30, 45, 59]))
# Hours in which clocks are set, and any.
HOURS = st.one_of(st.integers(0, 3), st.integers(0, 23))


def plain(values: set[int]) -> str:
    return ",".join(map(str, sorted(values)))


@st.composite
def crons(draw: st.DrawFn, window: Window) -> tuple[Any, set[dt.datetime]]:
    """An expression with its parts as sets, so that whether it matches is plain."""
    minutes, hours = (
        draw(st.sets(st.integers(0, 59), min_size=1, max_size=3)),
        draw(st.sets(HOURS, min_size=1, max_size=4)),
    )
    step, star = draw(st.sampled_from([1, 7, 15, 20])), draw(st.sampled_from(["neither", "minute", "hour", "both"]))
    if star in {"minute", "both"}:
        minutes = set(range(0, 60, step))
    if star in {"hour", "both"}:
        hours = set(range(24))
    month_days = draw(st.none() | st.sets(st.sampled_from([day.day for day in window.days]), min_size=1))
    weekdays = draw(st.none() | st.sets(st.integers(0, 7), min_size=1, max_size=3))
    expression = " ".join([
        f"*/{step}" if star in {"minute", "both"} else plain(minutes),
        "*" if star in {"hour", "both"} else plain(hours),
        plain(month_days) if month_days else "*",
        "*",
        plain(weekdays) if weekdays else "*",
    ])  # fmt: skip

    def on(day: dt.date) -> bool:
        of_month = month_days is None or day.day in month_days
        of_week = weekdays is None or bool({day.isoweekday(), day.isoweekday() % 7} & weekdays)
        return of_month or of_week if month_days and weekdays else of_month and of_week

    def matches(wall: dt.datetime) -> bool:
        return wall.minute in minutes and wall.hour in hours and on(wall.date())

    runs_on = star != "neither"
    return expression, shown(window, matches, both=runs_on, gaps=not runs_on)


@st.composite
def named_days(draw: st.DrawFn, window: Window) -> tuple[dict[str, Any], Callable[[dt.date], bool]]:
    """Whole days, days of the month and of the year, business days; with what makes a day one of them."""
    kind = draw(st.sampled_from(["every", "weeks", "monthly", "yearly", "business_day"]))
    day = draw(st.sampled_from(window.days))
    if kind == "every":
        step, start = draw(st.integers(1, 5)), draw(st.none() | st.just(day - 9 * DAY))
        origin = start or dt.date(1970, 1, 5)
        return {"every": f"{step}d"} | ({"start": start} if start else {}), lambda one: (one - origin).days % step == 0
    if kind == "weeks":
        return {"every": "1w", "start": day}, lambda one: one >= day and one.weekday() == day.weekday()
    if kind == "monthly":
        wanted = draw(st.sampled_from([day.day, 29, 30, 31]))
        return {"monthly": wanted}, lambda one: one.day == min(wanted, last_of(one))
    if kind == "yearly":
        said = draw(st.sampled_from([f"{day:%m-%d}", "02-29"]))
        in_common = said.replace("02-29", "02-28")
        return {"yearly": said}, lambda one: f"{one:%m-%d}" == (said if one.year % 4 == 0 else in_common)
    number = draw(st.sampled_from([1, 2, 3, 15, -1, -2]))
    return {"business_day": number}, lambda one: number in places(one)


def last_of(day: dt.date) -> int:
    return next(number for number in (31, 30, 29, 28) if (day.replace(day=1) + (number - 1) * DAY).month == day.month)


def places(day: dt.date) -> set[int]:
    """The numbers that a day has among the days from Monday to Friday of its month, from the start and from the end."""
    worked = [number for number in range(1, last_of(day) + 1) if day.replace(day=number).weekday() < 5]
    place = worked.index(day.day) if day.day in worked else None
    return set() if place is None else {place + 1, place - len(worked)}


@st.composite
def by_days(draw: st.DrawFn, window: Window) -> tuple[Any, set[dt.datetime]]:
    said, on = draw(named_days(window))
    times = draw(st.sets(TIMES, min_size=1, max_size=3))
    found = shown(window, lambda wall: wall.time() in times and on(wall.date()), both=False, gaps=True)
    return said | {"at": list(times)}, found


@st.composite
def marks(draw: st.DrawFn, window: Window) -> tuple[Any, set[dt.datetime]]:
    """Intervals that divide the day."""
    step, at = draw(st.sampled_from([1, 5, 15, 30, 60, 90, 120, 240, 720])), draw(TIMES)
    since = at.hour * 60 + at.minute
    found = shown(window, lambda wall: (wall.hour * 60 + wall.minute - since) % step == 0, both=step <= 60, gaps=True)
    return {"every": f"{step}m", "at": at}, found


@st.composite
def elapsed(draw: st.DrawFn, window: Window) -> tuple[Any, set[dt.datetime]]:
    """Intervals that do not divide the day, from a start within the window."""
    step, start, at = draw(st.sampled_from([7, 50, 37 * 60])), draw(st.sampled_from(window.days[1:])), draw(TIMES)
    origin = next((one for one, wall in window.looks if wall >= dt.datetime.combine(start, at)), None)
    found = {one for one, _ in window.looks if origin and one >= origin and (one - origin) // MINUTE % step == 0}
    return {"every": f"{step}m", "start": start, "at": at}, window.inside(found)


@st.composite
def jobs(draw: st.DrawFn) -> tuple[Window, list[Any], set[dt.datetime]]:
    """A window, one or two schedules, and the instants that the walk of the clock finds for them."""
    window = draw(windows())
    one = st.one_of(crons(window), by_days(window), marks(window), elapsed(window))
    several = draw(st.lists(one, min_size=1, max_size=2))
    return window, [said for said, _ in several], set().union(*(found for _, found in several))


def named(window: Window, said: Sequence[Any], after: dt.datetime | None = None) -> Iterator[Occurrence]:
    schedules = [Schedule.model_validate(one) for one in said]
    found = occurrences(schedules, timezone=window.zone, after=after or window.begin)
    return takewhile(lambda one: one.at <= window.end, found)


@settings(max_examples=400, deadline=None)
@given(jobs())
def test_nothing_is_missing_and_nothing_comes_twice(job: tuple[Window, list[Any], set[dt.datetime]]) -> None:
    """In order, each instant once, exactly those that a walk of the clock finds; told on the clock of the zone."""
    window, said, expected = job
    found = list(named(window, said))
    assert all(one.at < other.at for one, other in pairwise(found))
    assert [one.at for one in found] == sorted(expected)
    assert all(one.local.isoformat() == one.at.astimezone(ZoneInfo(window.zone)).isoformat() for one in found)


@settings(max_examples=100, deadline=None)
@given(jobs(), st.data())
def test_asked_again_the_rest_comes(job: tuple[Window, list[Any], set[dt.datetime]], data: st.DataObject) -> None:
    """After any of them, and after any instant between them."""
    window, said, _ = job
    found = list(named(window, said))
    after = window.begin + data.draw(st.integers(0, 2 * 24 * 3600)) * dt.timedelta(seconds=1)
    if found and data.draw(st.booleans()):
        after = data.draw(st.sampled_from(found)).at
    assert list(named(window, said, after)) == [one for one in found if one.at > after]


# -- holidays

CALENDARS = {"": "", "DE": "Europe/Berlin", "US": "America/New_York", "CN": "Asia/Shanghai", "IL": "Asia/Jerusalem"}


@cache
def off(calendar: str, year: int, *, business_days: bool) -> set[dt.date]:
    """The days of a year that count as holidays."""
    days = [day for number in range(366) if (day := dt.date(year, 1, 1) + number * DAY).year == year]
    if not calendar:
        return {day for day in days if business_days and day.weekday() >= 5}
    known = getattr(holidays, calendar)(years=range(year - 1, year + 2))
    return {day for day in days if day in known or (business_days and not known.is_working_day(day))}


def moved(day: dt.date, rule: str, calendar: str) -> dt.date:
    step = -DAY if rule == "before" else DAY
    while day in off(calendar, day.year, business_days=True):
        day += step
    return day


@st.composite
def ruled(draw: st.DrawFn) -> tuple[dict[str, Any], Window, set[dt.datetime], set[dt.datetime]]:
    """A schedule with a rule for holidays, and the instants at which it is due, and at which it is skipped."""
    calendar = draw(st.sampled_from(sorted(CALENDARS)))
    begin = dt.datetime(
        draw(st.integers(2001, 2028)), draw(st.integers(1, 12)), draw(st.integers(1, 28)), 11, tzinfo=dt.UTC
    )
    window = Window.at(CALENDARS[calendar] or "UTC", begin, days=5)
    rule, business_days = draw(st.sampled_from(["skip", "before", "after"])), draw(st.booleans()) or not calendar
    times, weekdays = draw(st.sets(TIMES, min_size=1, max_size=2)), set(range(1, 8))
    said: dict[str, Any] = {"every": "1d", "at": list(times)}
    if len(times) == 1:
        weekdays = draw(st.sets(st.integers(1, 7), min_size=1))
        said = {"cron": "".join(f"{time.minute} {time.hour} * * {plain(weekdays)}" for time in times)}
    due, skipped = set(), set()
    for day in (begin.date() + number * DAY for number in range(-40, 46)):
        is_off = day in off(calendar, day.year, business_days=business_days)
        to = moved(day, rule, calendar) if is_off and rule != "skip" else day
        if day.isoweekday() in weekdays:
            (skipped if is_off and rule == "skip" else due).update(dt.datetime.combine(to, time) for time in times)
    return (
        said | {"calendar": calendar, "on_holiday": rule, "business_days": business_days},
        window,
        shown(window, lambda wall: wall in due, both=False, gaps=True),
        shown(window, lambda wall: wall in skipped, both=False, gaps=True),
    )


@settings(max_examples=150, deadline=None)
@given(ruled())
def test_holidays_neither_lose_nor_double_a_run(
    job: tuple[dict[str, Any], Window, set[dt.datetime], set[dt.datetime]],
) -> None:
    """Skipped, or moved before or after as day by day reckoning has it: in order, each once, and told why."""
    said, window, due, skipped = job
    found = list(named(window, [said]))
    assert all(one.at < other.at for one, other in pairwise(found))
    assert [one.at for one in found if not one.skipped] == sorted(due)
    assert [one.at for one in found if one.skipped] == sorted(skipped - due)
    assert all(one.reason for one in found if one.skipped)
    if found:
        assert list(named(window, [said], found[0].at)) == found[1:]


def test_the_walk_of_the_clock_sees_gaps_and_folds() -> None:
    """The measure itself: a time in a gap once, one in a fold once or twice, as it is asked for."""
    spring = Window.at("Europe/Berlin", dt.datetime(2026, 3, 28, 12, tzinfo=dt.UTC), days=1)
    autumn = Window.at("Europe/Berlin", dt.datetime(2026, 10, 24, 12, tzinfo=dt.UTC), days=1)

    def half_past_two(wall: dt.datetime) -> bool:
        return wall.time() == dt.time(2, 30)

    assert shown(spring, half_past_two, both=False, gaps=True) == {dt.datetime(2026, 3, 29, 1, tzinfo=dt.UTC)}
    assert shown(spring, half_past_two, both=True, gaps=False) == set()
    assert len(shown(autumn, half_past_two, both=False, gaps=True)) == 1
    assert len(shown(autumn, half_past_two, both=True, gaps=True)) == 2
    assert sum(len(changes(zone)) for zone in ZONES) > 500
