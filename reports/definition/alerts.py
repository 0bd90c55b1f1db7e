"""Who is told of what, when it is not the report itself: by severity, later if nobody answers, and not at night."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any, ClassVar, Literal, Self, get_args
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from reports.errors import choices
from reports.parts import Duration, Part, Texts
from reports.schedules.options import Zone
from reports.schedules.quiet import end_of

Severity = Literal["info", "warning", "error"]
Held = Literal["info", "warning", "error", "report"]
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME = r"([01]?\d|2[0-3]):[0-5]\d|24:00"


def _time(given: object) -> object:
    """A time of day; 24:00 is the midnight at the day's end, which as an end is 00:00."""
    if isinstance(given, str) and re.fullmatch(_TIME, given):
        return dt.time.fromisoformat("00:00" if given == "24:00" else given.zfill(5))
    if isinstance(given, dt.time) and given.tzinfo is None:
        return given
    raise PydanticCustomError("time", 'a time of day is needed, such as "22:00"')


def _days(given: object) -> object:
    several = given if isinstance(given, list | tuple) else (given,)
    found: list[str] = []
    for one in several:
        first, dash, last = str(one).strip().lower().partition("-")
        for day in (first, last) if dash else (first,):
            if day not in DAYS:
                hint = choices(day, DAYS, what='days are written "sat", or "mon-fri"; they')
                raise PydanticCustomError("days", "there is no day '{day}'", {"day": day, "hint": hint})
        start, end = DAYS.index(first), DAYS.index(last or first)
        found += [DAYS[day % 7] for day in range(start, end + 1 if end >= start else end + 8)]
    return tuple(dict.fromkeys(found))


def _several(given: object) -> object:
    return given if isinstance(given, list | tuple) else (given,)


_A_MONDAY = dt.datetime(2026, 1, 5, 12, tzinfo=dt.UTC)
_LONGEST = dt.timedelta(days=9)
_Time = Annotated[dt.time, BeforeValidator(_time), WithJsonSchema({"type": "string", "pattern": f"^({_TIME})$"})]
_Days = Annotated[
    tuple[str, ...],
    BeforeValidator(_days),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]


class Escalation(Part):
    """Whom to tell besides, `after` so long without an acknowledgement and without the job working again."""

    after: Duration
    channels: Texts = Field(min_length=1)


class Quiet(Part):
    """Hours in which messages wait for their end: from one time on the wall to the next, begun on these days.

    Without `days` it is every day; one that ends no later than it begins ends on the next day. It `holds` messages of
    these severities, and "report" the reports of a schedule. The clock is that of `timezone`, else the project's.
    """

    start: _Time = Field(alias="from")
    end: _Time = Field(alias="to")
    days: _Days = DAYS
    holds: tuple[Held, ...] = ("info", "warning")
    timezone: Zone = ""

    def __str__(self) -> str:
        end = f"{self.end:%H:%M}" if self.end > dt.time() else "24:00"
        days = "" if set(self.days) == set(DAYS) else f" on {', '.join(self.days)}"
        return f"from {self.start:%H:%M} to {end}{days}"

    def end_of(self, instant: dt.datetime, zone: str) -> dt.datetime | None:
        """When these hours are over, if the instant lies within; `zone` is the project's."""
        place, days = ZoneInfo(self.timezone or zone), [DAYS.index(day) for day in self.days]
        return end_of(instant, start=self.start, end=self.end, days=days, place=place)


class Alerts(Part):
    """Channels by severity. In a job each key that is there stands in the place of the settings' own.

    error: a run failed, was interrupted or missed, or a report was not delivered · warning: a report whose status is
    a warning or bad, or that has notices, goes there besides · info: it works again. "mail" is the job's owner, else
    the admins.
    """

    _keys: ClassVar = ("info", "warning", "error", "escalate", "quiet")

    info: Texts = ("mail",)
    warning: Texts = ()
    error: Texts = ("mail",)
    escalate: Annotated[tuple[Escalation, ...], BeforeValidator(_several)] = ()
    quiet: Annotated[tuple[Quiet, ...], BeforeValidator(_several)] = ()

    @model_validator(mode="after")
    def _ends(self) -> Self:
        for held in get_args(Held):
            end = self.held_until(held, _A_MONDAY, "UTC")
            if end and end - _A_MONDAY >= _LONGEST:
                raise PydanticCustomError("quiet", "the quiet hours that hold '{held}' never end", {"held": held})
        return self

    def held_until(self, held: Held, instant: dt.datetime, zone: str) -> dt.datetime | None:
        """Until when quiet hours hold messages of that kind; None where they may go. `zone` is the project's.

        Hours that begin before others end are one; they end within days.
        """
        end, more = instant, True
        while more and end - instant < _LONGEST:
            ends = [one.end_of(end, zone) for one in self.quiet if held in one.holds]
            later = max((one for one in ends if one), default=None)
            end, more = (later, True) if later else (end, False)
        return end if end > instant else None

    def of(self, severity: Severity) -> tuple[str, ...]:
        """The channels of that severity, as they are written."""
        found: Any = getattr(self, severity)
        return tuple(found)

    def under(self, project: Alerts) -> Alerts:
        """These of a job, with those of the project where the job says nothing."""
        own = {name: getattr(self, name) for name in self._keys if name in self.model_fields_set}
        return project.model_copy(update=own)
