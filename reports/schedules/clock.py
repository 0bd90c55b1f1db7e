"""Times on the wall as instants: what a zone does to those that do not exist, and to those that come twice."""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

_SECOND = dt.timedelta(seconds=1)
_NOTHING = dt.timedelta()


@cache
def zone(name: str) -> ZoneInfo:
    """The zone of that name, read once; KeyError, ValueError or OSError where there is none."""
    return ZoneInfo(name)


class Moment(NamedTuple):
    """The first instant at which the clock shows a time, or, of one in a `gap`, the first after the gap.

    `again` is the second one, of a time that comes twice. `at` and `again` are in UTC, `note` in words.
    """

    at: dt.datetime
    local: dt.datetime
    again: dt.datetime | None = None
    gap: bool = False
    note: str = ""


def moment(wall: dt.datetime, place: ZoneInfo) -> Moment:
    """When the clock of the place shows `wall`, which has no zone."""
    first, second = _offset(wall, place), _offset(wall.replace(fold=1), place)
    if first < second:
        return _after_the_gap(wall, place, first, second)
    at = (wall - first).replace(tzinfo=dt.UTC)
    local = wall.replace(tzinfo=place)
    if first == second:
        return Moment(at, local)
    note = f"{_clock(wall)} comes twice that day: the first of the two"
    return Moment(at, local, again=at + (first - second), note=note)


def earliest_to_come(instant: dt.datetime, place: ZoneInfo) -> dt.datetime:
    """The earliest time, in whole seconds, that the clock shows from `instant` on, though it may yet be set back."""
    local = instant.astimezone(place)
    wall = local.replace(tzinfo=None, microsecond=0, fold=0)
    ahead = _offset(wall, place) - _offset(wall.replace(fold=1), place)
    return wall if local.fold else wall - max(ahead, _NOTHING)


def _after_the_gap(wall: dt.datetime, place: ZoneInfo, before: dt.timedelta, after: dt.timedelta) -> Moment:
    inside, beyond = (wall - after).replace(tzinfo=dt.UTC), (wall - before).replace(tzinfo=dt.UTC)
    while beyond - inside > _SECOND:
        middle = inside + (beyond - inside) // 2 // _SECOND * _SECOND
        if middle.astimezone(place).utcoffset() == before:
            inside = middle
        else:
            beyond = middle
    came = beyond.replace(tzinfo=None)
    start, end = came + before, came + after
    long = start.date() != end.date()
    note = f"{_clock(wall)} does not exist that day: the clock goes from {_clock(start, long)} to {_clock(end, long)}"
    return Moment(beyond, beyond.astimezone(place), gap=True, note=note)


def _offset(wall: dt.datetime, place: ZoneInfo) -> dt.timedelta:
    return place.utcoffset(wall) or _NOTHING


def _clock(wall: dt.datetime, long: bool = False) -> str:  # noqa: FBT001, FBT002  of one line above alone
    time = f"{wall:%H:%M:%S}" if wall.second else f"{wall:%H:%M}"
    return f"{wall:%Y-%m-%d} {time}" if long else time
