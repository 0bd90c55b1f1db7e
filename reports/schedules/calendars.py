"""Calendars of countries, their parts and markets: which days are holidays, and which are worked."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from reports.errors import choices

if TYPE_CHECKING:
    from holidays import HolidayBase

_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Calendar:
    """The calendar of that name: DE, US-NY, NYSE; without one there is no holiday, and Monday to Friday are worked."""

    name: str = ""

    def holiday(self, day: dt.date) -> str:
        """What the holiday on that day is called; empty if it is none."""
        return str(_in_year(self.name, day.year).get(day) or "") if self.name else ""

    def works(self, day: dt.date) -> bool:
        """Whether it is a business day: neither of the weekend there, nor a holiday."""
        return _in_year(self.name, day.year).is_working_day(day) if self.name else day.weekday() < 5

    def on_or_before(self, day: dt.date) -> dt.date:
        """The day itself if it is a business day, else the last one before it."""
        while not self.works(day):
            day -= _DAY
        return day

    def on_or_after(self, day: dt.date) -> dt.date:
        """The day itself if it is a business day, else the first one after it."""
        while not self.works(day):
            day += _DAY
        return day


@lru_cache(maxsize=1000)
def unknown(name: str) -> str:
    """A hint with the nearest name, where no calendar has this one; else empty."""
    from holidays.registry import COUNTRIES, EntityLoader  # noqa: PLC0415  slow, and only for who names a calendar

    place, dash, part = name.partition("-")
    countries, markets = set(EntityLoader.get_country_codes()), set(EntityLoader.get_financial_codes())
    if place not in countries | markets:
        if named := COUNTRIES.get(place.lower().replace(" ", "_")):
            return f'write "{named[1]}"'
        alike = {one for one in countries | markets if abs(len(one) - len(place)) <= 1}
        return _nearest(place.upper(), alike, what="write a country (DE), a part of one (US-NY) or a market (NYSE)")
    parts = _entity(place).subdivisions
    if dash and part not in {*parts, *_entity(place).subdivisions_aliases}:
        return _nearest(name, {f"{place}-{one}" for one in parts}, what=f"known of {place}")
    return ""


def _nearest(name: str, known: set[str], *, what: str) -> str:
    """Like `choices`, but without the list where nobody would read it to its end."""
    hint = choices(name, sorted(known), what=what)
    return hint if 0 < len(known) <= 60 else hint[: hint.index(what) + len(what)]


@lru_cache(maxsize=1000)
def _in_year(name: str, year: int) -> HolidayBase:
    """A calendar with the holidays of that year. It is never added to, so that threads may share it."""
    place, _, part = name.partition("-")
    return _entity(place, part=part, years=(year,))


def _entity(place: str, *, part: str = "", years: tuple[int, ...] = ()) -> HolidayBase:
    import holidays  # noqa: PLC0415  slow, and only for who names a calendar

    entity: HolidayBase = getattr(holidays, place)(subdiv=part or None, years=years, expand=False, language="en_US")
    return entity
