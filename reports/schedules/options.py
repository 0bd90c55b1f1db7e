"""A schedule as it is written in a job.toml."""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from calendar import monthrange
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal, LiteralString, Self

from pydantic import AfterValidator, BeforeValidator, GetJsonSchemaHandler, WithJsonSchema, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from reports.errors import choices
from reports.parts import Duration, Part
from reports.schedules import calendars, cron
from reports.schedules.clock import zone

KINDS = ("cron", "every", "once", "monthly", "yearly", "business_day")
"""The ways to say when; a schedule has exactly one of them."""
DAY = dt.timedelta(days=1)
FIRST_DAY, LAST_DAY = dt.date(1970, 1, 1), dt.date(2999, 12, 31)
"""Between them a schedule may begin and end; after the last one, nothing comes."""
Rule = Literal["run", "skip", "before", "after"]
_MIDNIGHT = dt.time()
_BUSINESS_DAYS = 23  # no month has more
_EXAMPLES = 'write for example schedule = "0 9 * * 1-5", or schedule = { every = "1d", at = "09:00" }'


def _wrong(what: LiteralString, hint: str = "", /, **values: object) -> PydanticCustomError:
    return PydanticCustomError("schedule", what, {**values, "hint": hint})


def zone_exists(name: str) -> str:
    """The name, if it is one of a time zone; never UTC in its place."""
    try:
        zone(name or "UTC")
    except (KeyError, ValueError, OSError) as error:
        raise _wrong("'{name}' is not a time zone", _nearest_zone(name), name=name) from error
    return name


def _nearest_zone(name: str) -> str:
    """A hint with the zone that is called so or nearly; people leave out the part before the slash."""
    known = sorted(zoneinfo.available_timezones())
    city = name.replace(" ", "_").rpartition("/")[2].lower()
    same = [one for one in known if "/" in one and one.rpartition("/")[2].lower() == city]
    what = "names are those of the IANA, such as America/New_York"
    if same:
        return f"did you mean {' or '.join(map(repr, same))}? {what}"
    hint = choices(name, known, what=what)
    return hint[: hint.index(what) + len(what)]


def calendar_exists(name: str) -> str:
    """The name, if a calendar of holidays has it."""
    if name and (hint := calendars.unknown(name)):
        raise _wrong("there is no calendar '{name}'", hint, name=name)
    return name


def _cron(expression: str) -> str:
    expression = " ".join(expression.split())
    what, hint = cron.complaint(expression) if expression else ("", "")
    if what:
        raise _wrong("{what}", hint, what=what)
    return expression


def _once(given: object) -> object:
    if isinstance(given, str) and re.fullmatch(_INSTANT, given):
        try:
            given = dt.datetime.fromisoformat(given)
        except ValueError as error:
            raise _wrong("there is no such day or time") from error
    if isinstance(given, dt.datetime) and not given.microsecond:
        _day(given.date())
        return given
    if given is None:
        return None
    raise _wrong("one date with its time of day is needed, such as 2026-12-31T09:00:00")


def _day(given: object) -> object:
    if isinstance(given, str) and re.fullmatch(_DATE, given):
        try:
            given = dt.date.fromisoformat(given)
        except ValueError as error:
            raise _wrong("there is no such day") from error
    if given is None or (type(given) is dt.date and FIRST_DAY <= given <= LAST_DAY):
        return given
    what = "a day from {first} to {last} is needed, such as 2026-12-31"
    raise _wrong(what, first=str(FIRST_DAY), last=str(LAST_DAY))


def _times(given: object) -> object:
    return tuple(sorted({_time(one) for one in (given if isinstance(given, list | tuple) else (given,))}))


def _time(given: object) -> dt.time:
    if isinstance(given, str) and re.fullmatch(_TIME, given):
        return dt.time.fromisoformat(given.zfill(5) if given.count(":") == 1 else given.zfill(8))
    if isinstance(given, dt.time) and given.tzinfo is None and not given.microsecond:
        return given
    raise _wrong('a time of day is needed, such as "09:00", without an offset: the key timezone says where')


def _days_of_month(given: object) -> object:
    return _numbers(given, {"first": 1, "last": "last"}, range(1, 32), 'from 1 to 31, "first" or "last"')


def _business_days(given: object) -> object:
    wide = range(-_BUSINESS_DAYS, _BUSINESS_DAYS + 1)
    return _numbers(given, {"first": 1, "last": -1}, wide, "from 1 to 23, or from -1, the last, to -23")


def _numbers(given: object, words: dict[str, Any], known: range, what: str) -> object:
    several = given if isinstance(given, list | tuple) else (given,)
    numbers = [words.get(one, one) if isinstance(one, str) else one for one in several]
    for one in numbers:
        if not ((type(one) is int and one in known and one) or one == "last"):
            raise _wrong("the day '{day}' of a month cannot be: write {what}", day=str(one), what=what)
    return tuple(dict.fromkeys(numbers))


def _days_of_year(given: object) -> object:
    several = given if isinstance(given, list | tuple) else (given,)
    for day in several:
        if not (isinstance(day, str) and re.fullmatch(_MONTH_DAY, day) and _is_real(day)):
            raise _wrong("'{day}' is no day of a year: write month and day, such as 12-31", day=str(day))
    return tuple(dict.fromkeys(several))


def _is_real(day: str) -> bool:
    return int(day[3:]) <= monthrange(2024, int(day[:2]))[1]


_TIME = r"([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d)?"
_DATE = r"\d{4}-\d\d-\d\d"
_INSTANT = rf"{_DATE}[T ]\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)?"
_MONTH_DAY = r"(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"


def _text(pattern: str) -> dict[str, object]:
    return {"type": "string", "pattern": f"^{pattern}$"}


def _some(one: dict[str, object]) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [one, {"type": "array", "items": one}]})


def _number(lowest: int, highest: int) -> dict[str, object]:
    numbers = {"type": "integer", "minimum": lowest, "maximum": highest}
    return {"anyOf": [numbers | ({"not": {"const": 0}} if lowest < 0 else {}), {"enum": ["first", "last"]}]}


Zone = Annotated[str, AfterValidator(zone_exists)]
CalendarName = Annotated[str, AfterValidator(calendar_exists)]
"""A country (DE), a part of one (US-NY) or a market (NYSE); empty for none."""
_Cron = Annotated[str, AfterValidator(_cron)]
_Once = Annotated[dt.datetime | None, BeforeValidator(_once), WithJsonSchema(_text(_INSTANT))]
_Day = Annotated[dt.date | None, BeforeValidator(_day), WithJsonSchema(_text(_DATE) | {"format": "date"})]
_Times = Annotated[tuple[dt.time, ...], BeforeValidator(_times), _some(_text(_TIME))]
_Monthly = Annotated[tuple[int | Literal["last"], ...], BeforeValidator(_days_of_month), _some(_number(1, 31))]
_Yearly = Annotated[tuple[str, ...], BeforeValidator(_days_of_year), _some(_text(_MONTH_DAY))]
_Business = Annotated[tuple[int, ...], BeforeValidator(_business_days), _some(_number(-_BUSINESS_DAYS, _BUSINESS_DAYS))]


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

    cron: _Cron = ""
    every: Duration | None = None
    once: _Once = None
    monthly: _Monthly = ()
    yearly: _Yearly = ()
    business_day: _Business = ()
    at: _Times = ()
    timezone: Zone = ""
    start: _Day = None
    end: _Day = None
    calendar: CalendarName = ""
    on_holiday: Rule | None = None
    business_days: bool = False

    @property
    def times(self) -> tuple[dt.time, ...]:
        """The times of day, midnight where none is said."""
        return self.at or (_MIDNIGHT,)

    @property
    def rule(self) -> Rule:
        """What happens on a holiday: one that only the project's calendar knows changes nothing."""
        asked = self.calendar and not self.business_day
        return self.on_holiday or ("skip" if asked or self.business_days else "run")

    @property
    def by_days(self) -> bool:
        """Whether it names days, each with the times of `at`: not an expression, one instant, or a short interval."""
        return not (self.cron or self.once or (self.every and self.every % DAY))

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, given: object) -> object:
        if isinstance(given, str) and re.fullmatch(_TIME, given):
            raise _wrong("'{time}' does not say on which days", _EXAMPLES, time=given)
        if not isinstance(given, str | dict | Schedule):
            raise _wrong("a schedule is an expression as crontab has it, or a table", _EXAMPLES)
        return {"cron": given} if isinstance(given, str) else given

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if len(said := [kind for kind in KINDS if getattr(self, kind)]) != 1:
            found = " and ".join(said) or "none of them"
            hint = "write each as a [[schedule]] of its own" if said else _EXAMPLES
            what = "a schedule needs exactly one of {kinds} (found {found})"
            raise _wrong(what, hint, kinds=", ".join(KINDS), found=found)
        for key, what in self._senseless(said[0]):
            raise _wrong(what, key=key)
        return self

    def _senseless(self, kind: str) -> Iterator[tuple[str, str]]:
        """Keys that cannot stand beside the others, with the sentence that says why."""
        if self.at and kind in {"cron", "once"}:
            yield "at", f"'at' cannot stand beside '{kind}', which says the time itself"
        if self.end and self.start and self.end < self.start:
            yield "end", f"'end' ({self.end}) is before 'start' ({self.start})"
        if kind == "once":
            yield from self._beside_once()
        if kind == "business_day" and (self.on_holiday or self.business_days):
            key = "on_holiday" if self.on_holiday else "business_days"
            yield key, f"'{key}' cannot stand beside 'business_day': a business day is never a holiday"
        if self.business_days and self.on_holiday == "run":
            yield "on_holiday", "'on_holiday' cannot be \"run\" where 'business_days' asks for business days only"
        if self.every and not self.by_days:
            yield from self._beside_short_interval()

    def _beside_once(self) -> Iterator[tuple[str, str]]:
        for key in ("start", "end", "calendar", "on_holiday", "business_days"):
            if getattr(self, key):
                yield key, f"'{key}' cannot stand beside 'once', which is one instant, whatever the day"

    def _beside_short_interval(self) -> Iterator[tuple[str, str]]:
        if len(self.at) > 1:
            yield "at", "'at' can have several times only where 'every' is whole days: 1d, 2d, 1w"
        if self.on_holiday in {"before", "after"}:
            yield "on_holiday", 'only where \'every\' is whole days can a run be moved: write "skip" or "run"'


def _several(given: object) -> object:
    return given if isinstance(given, list | tuple) else (given,)


class _OneOrSeveral:
    """Says in the JSON Schema of a tuple that one of its items may stand in its place."""

    @staticmethod
    def __get_pydantic_json_schema__(core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        several = handler(core)
        return {"anyOf": [several["items"], several]}


Schedules = Annotated[tuple[Schedule, ...], BeforeValidator(_several), _OneOrSeveral()]
"""The schedules of a job: several, or one without brackets."""
