"""What schedules name: instants in order, each once, with the reason for each that is not the plain one."""

from __future__ import annotations

import datetime as dt
import heapq
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from reports.model import Occurrence
from reports.schedules import cron
from reports.schedules.calendars import Calendar
from reports.schedules.clock import Moment, earliest_to_come, moment, zone
from reports.schedules.days import WEEKDAYS, days
from reports.schedules.options import DAY, FIRST_DAY, LAST_DAY, Schedule

_HOUR = dt.timedelta(hours=1)


def occurrences(
    schedules: Sequence[Schedule], *, timezone: str, calendar: str = "", after: dt.datetime
) -> Iterator[Occurrence]:
    """The instants that the schedules of a job name after that one, in order, each once; found as they are asked for.

    `timezone` and `calendar` are the project's, for schedules without their own. `start` and `end` bound the days that
    a schedule names, before a holiday moves them. An occurrence that is due hides one that is skipped at the same
    instant. ValueError where `after` has no offset.
    """
    if after.tzinfo is None:
        raise ValueError("`after` needs an offset: it is an instant")
    each = [_Naming.of(one, timezone=timezone, calendar=calendar, after=after) for one in schedules]
    return iter(each[0]) if len(each) == 1 else _merged([iter(one) for one in each])


def _merged(streams: Sequence[Iterator[Occurrence]]) -> Iterator[Occurrence]:
    heads = {number: head for number, stream in enumerate(streams) if (head := next(stream, None))}
    while heads:
        at = min(head.at for head in heads.values())
        same = [number for number, head in heads.items() if head.at == at]
        yield _one_of([heads[number] for number in same])
        for number in same:
            if head := next(streams[number], None):
                heads[number] = head
            else:
                del heads[number]


class _Slot(NamedTuple):
    """A time on the wall that a schedule names."""

    wall: dt.datetime
    reason: str = ""
    skipped: bool = False


_Told = TypeVar("_Told", Occurrence, _Slot)


def _one_of(same: Sequence[_Told]) -> _Told:
    """What is told of several at one time: one that is due, and with its reason if one of them has any."""
    told = [one for one in same if not one.skipped] or same
    return next((one for one in told if one.reason), told[0])


@dataclass(frozen=True, kw_only=True)
class _Naming:
    """One schedule in its zone, with its calendar, from one instant on."""

    schedule: Schedule
    place: ZoneInfo
    calendar: Calendar
    after: dt.datetime

    @classmethod
    def of(cls, schedule: Schedule, *, timezone: str, calendar: str, after: dt.datetime) -> _Naming:
        place = zone(schedule.timezone or timezone)
        named = Calendar(schedule.calendar or calendar)
        return cls(schedule=schedule, place=place, calendar=named, after=after.astimezone(dt.UTC))

    def __iter__(self) -> Iterator[Occurrence]:
        return (one for one in self._found() if one.at > self.after)

    def _found(self) -> Iterator[Occurrence]:
        schedule = self.schedule
        if schedule.once and schedule.once.tzinfo:
            at = schedule.once.astimezone(dt.UTC)
            return iter([Occurrence(at=at, local=at.astimezone(self.place))])
        if schedule.every and not schedule.by_days and DAY % schedule.every:
            return self._elapsed(schedule.every)
        runs_on = bool(schedule.cron) and cron.runs_on(schedule.cron)
        both = runs_on or (schedule.every is not None and schedule.every <= _HOUR)
        return _each_once(_instants(self._ruled(), self.place, both=both, gaps=not runs_on))

    def _elapsed(self, step: dt.timedelta) -> Iterator[Occurrence]:
        """Of an interval that does not divide the day: by the time that passes from its start."""
        schedule = self.schedule
        origin = moment(dt.datetime.combine(schedule.start or FIRST_DAY, schedule.times[0]), self.place).at
        room = dt.datetime.combine(LAST_DAY, dt.time(), tzinfo=dt.UTC) - origin
        for number in range(max((self.after - origin) // step + 1, 0), room // step + 1):
            at = origin + step * number
            local = at.astimezone(self.place)
            if local.date() > self._last:
                return
            kind, name = self._off(local.date()) if schedule.rule == "skip" else ("", "")
            yield Occurrence(at=at, local=local, reason=f"{kind}: {name}" if kind else "", skipped=bool(kind))

    # -- times on the wall

    @property
    def _last(self) -> dt.date:
        return self.schedule.end or LAST_DAY

    def _slots(self, since: dt.datetime) -> Iterator[_Slot]:
        """The times from `since` on that the schedule names, whatever the day."""
        since = max(since, dt.datetime.combine(self.schedule.start or FIRST_DAY, dt.time()))
        return takewhile(lambda slot: slot.wall.date() <= self._last, self._unending(since))

    def _unending(self, since: dt.datetime) -> Iterator[_Slot]:
        schedule = self.schedule
        if schedule.once:
            return iter([_Slot(schedule.once)])
        if schedule.cron:
            return map(_Slot, cron.times(schedule.cron, since))
        if schedule.every and not schedule.by_days:
            return map(_Slot, _marks(schedule.every, schedule.times[0], since))
        named = days(schedule, calendar=self.calendar, since=since.date())
        return (_Slot(dt.datetime.combine(day, time), reason) for day, reason in named for time in schedule.times)

    # -- holidays

    def _ruled(self) -> Iterator[_Slot]:
        """The times from `after` on, in order, as the rule for holidays has them."""
        since = earliest_to_come(self.after, self.place)
        match self.schedule.rule:
            case "run":
                return self._slots(since)
            case "skip":
                return map(self._perhaps_skipped, self._slots(since))
            case "before":
                return self._moved_before(since.date())
            case "after":
                return self._moved_after(since.date())

    def _off(self, day: dt.date) -> tuple[str, str]:
        """Why a day counts as a holiday: the kind and its name, both empty where it does not."""
        if name := self.calendar.holiday(day):
            return "holiday", name
        weekend = self.schedule.business_days and not self.calendar.works(day)
        return ("weekend", WEEKDAYS[day.weekday()]) if weekend else ("", "")

    def _perhaps_skipped(self, slot: _Slot) -> _Slot:
        kind, name = self._off(slot.wall.date())
        return _Slot(slot.wall, f"{kind}: {name}", skipped=True) if kind else slot

    def _moved_before(self, first: dt.date) -> Iterator[_Slot]:
        """With the rule "before". Whatever still comes is not moved beyond the business day before it."""
        slots = self._slots(dt.datetime.combine(first, dt.time()))
        targets = ((slot, self.calendar.on_or_before(slot.wall.date())) for slot in slots)
        return _in_order((dt.datetime.combine(to, dt.time()), self._moved(slot, to)) for slot, to in targets)

    def _moved_after(self, first: dt.date) -> Iterator[_Slot]:
        """With the rule "after". It begins with the days off before the first one, which may be moved to it."""
        begin = self.calendar.on_or_before(first - DAY) + DAY
        slots = self._slots(dt.datetime.combine(begin, dt.time()))
        targets = ((slot, self.calendar.on_or_after(slot.wall.date())) for slot in slots)
        return _in_order((slot.wall, self._moved(slot, to)) for slot, to in targets)

    def _moved(self, slot: _Slot, to: dt.date) -> _Slot:
        day = slot.wall.date()
        _, name = self._off(day)
        if not name:
            return slot
        reason = f"moved from {day} ({name}) to {to}"
        return _Slot(dt.datetime.combine(to, slot.wall.time()), "; ".join(filter(None, [slot.reason, reason])))


def _marks(step: dt.timedelta, at: dt.time, since: dt.datetime) -> Iterator[dt.datetime]:
    """The times from `since` on that are a multiple of a step, which divides the day, away from `at`."""
    origin = dt.datetime.combine(since.date(), at) - DAY
    mark = origin - (origin - since) // step * step
    while True:
        yield mark
        mark += step


def _in_order(slots: Iterable[tuple[dt.datetime, _Slot]]) -> Iterator[_Slot]:
    """Slots by their time, several at one time as one. Beside each: what comes later is not before that."""
    waiting: list[_Slot] = []
    for bound, slot in slots:
        heapq.heappush(waiting, slot)
        yield from _released(waiting, bound)
    yield from _released(waiting, dt.datetime.combine(dt.date.max, dt.time()))


def _released(waiting: list[_Slot], bound: dt.datetime) -> Iterator[_Slot]:
    while waiting and (wall := waiting[0].wall) < bound:
        same = []
        while waiting and waiting[0].wall == wall:
            same.append(heapq.heappop(waiting))
        yield _one_of(same)


# -- from times on the wall to instants


def _instants(
    slots: Iterable[_Slot], place: ZoneInfo, *, both: bool, gaps: bool
) -> Iterator[tuple[Moment, Occurrence]]:
    """The first instant of each time, or `both` of one that comes twice; with `gaps`, the end of the gap it is in."""
    again: deque[tuple[Moment, Occurrence]] = deque()
    for slot in slots:
        found = moment(slot.wall, place)
        while again and again[0][0].at < found.at:
            yield again.popleft()
        if gaps or not found.gap:
            note = "" if both and found.again else found.note
            yield found, _occurrence(found.at, found.local, slot, note)
        if both and found.again:
            second = found._replace(at=found.again, again=None)
            again.append((second, _occurrence(second.at, found.local.replace(fold=1), slot, "")))
    yield from again


def _occurrence(at: dt.datetime, local: dt.datetime, slot: _Slot, note: str) -> Occurrence:
    if slot.skipped:
        return Occurrence(at=at, local=local, reason=slot.reason, skipped=True)
    return Occurrence(at=at, local=local, reason="; ".join(filter(None, [slot.reason, note])))


def _each_once(found: Iterable[tuple[Moment, Occurrence]]) -> Iterator[Occurrence]:
    """Times in a gap and the one at its end, if that is named too, are one occurrence."""
    held: list[Occurrence] = []
    for where, one in found:
        if held and held[0].at != one.at:
            yield _one_of(held)
            held = []
        if held or where.gap:
            held.append(one)
        else:
            yield one
    if held:
        yield _one_of(held)
