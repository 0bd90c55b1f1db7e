"""A schedule as it is written in a job.toml."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, ClassVar, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, model_validator
from pydantic_core import PydanticCustomError

from reports.parts import Duration, Part, Texts

KINDS = ("cron", "every", "once", "monthly", "yearly", "business_day")
"""The ways to say when; a schedule has exactly one of them."""
Rule = Literal["run", "skip", "before", "after"]


def zone_exists(name: str) -> str:
    """The name, if it is one of a time zone; never UTC in its place."""
    try:
        ZoneInfo(name or "UTC")
    except (KeyError, ValueError, OSError) as error:
        raise PydanticCustomError(
            "timezone", "'{name}' is not a time zone; write one like Europe/Berlin", {"name": name}
        ) from error
    return name


Zone = Annotated[str, AfterValidator(zone_exists)]


class Schedule(Part):
    """When a job runs, on the clock on the wall of its time zone.

    cron: five fields as crontab has them (1 = Monday; L, LW, 5L, 1#2), six with seconds first, or @daily and its kin ·
    every: an interval, kept on the wall clock · once: one local date and time, or one with an offset ·
    monthly: days of the month, 31 meaning its end where it is shorter, or "last" · yearly: days written as 02-29 ·
    business_day: the nth of the month, -1 being the last. `at` says the times of day for all but cron and once.
    `start` and `end` are the first and the last local day. `calendar` names the holidays (DE, US-NY, NYSE), and
    `on_holiday` what happens on one of them; with `business_days` Saturday and Sunday count as such.
    """

    _short_form: ClassVar = {"type": "string"}

    cron: str = ""
    every: Duration | None = None
    once: dt.datetime | None = None
    monthly: tuple[int | Literal["last"], ...] = ()
    yearly: Texts = ()
    business_day: tuple[int, ...] = ()
    at: tuple[dt.time, ...] = (dt.time(),)
    timezone: Zone = ""
    start: dt.date | None = None
    end: dt.date | None = None
    calendar: str = ""
    on_holiday: Rule | None = None
    business_days: bool = False

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, given: object) -> object:
        return {"cron": given} if isinstance(given, str) else given

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if len(said := [kind for kind in KINDS if getattr(self, kind)]) != 1:
            found = " and ".join(said) or "none of them"
            raise PydanticCustomError(
                "schedule",
                "a schedule needs exactly one of {kinds} (found {found})",
                {"kinds": ", ".join(KINDS), "found": found},
            )
        return self
