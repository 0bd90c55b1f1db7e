"""Cron expressions: what is wrong with one, and the times on the wall that it names."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from functools import lru_cache

from cronsim import CronSim, CronSimError

from reports.errors import choices

ALIASES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_FIELDS = {
    "second": "0 to 59",
    "minute": "0 to 59",
    "hour": "0 to 23",
    "day-of-month": "1 to 31, L for the last, LW for the last from Monday to Friday",
    "month": "1 to 12, or JAN to DEC",
    "day-of-week": "0 to 7 (1 = Monday, 0 and 7 = Sunday), SUN to SAT, 5L for the last Friday, 1#2 the second Monday",
}
_UNITS = (("seconds", 60, "a minute"), ("minutes", 60, "an hour"), ("hours", 24, "a day"))
_SECOND = dt.timedelta(seconds=1)
# A year whose leap days and weekdays all come again within the fifty years that are searched.
_BEGINNING = dt.datetime(1999, 12, 31)  # noqa: DTZ001  on the wall


def fields(expression: str) -> list[str]:
    """The fields of an expression or of its alias, seconds first."""
    parts = ALIASES.get(expression.lower(), expression).upper().split()
    return ["0", *parts] if len(parts) == 5 else parts


@lru_cache(maxsize=10_000)
def complaint(expression: str) -> tuple[str, str]:
    """What is wrong with an expression, and what to do; both empty if nothing is."""
    if expression.startswith("@") and expression.lower() not in ALIASES:
        return f"'{expression}' is not known", choices(expression, ALIASES, what="known are")
    parts = fields(expression)
    if len(parts) != 6:
        hint = "write minute, hour, day of the month, month and day of the week, such as 0 7 * * 1-5"
        return f"a cron expression has five fields, or six with the seconds first (found {len(parts)})", hint
    if too_long := _too_long(parts):
        return too_long
    try:
        return ("", "") if any(True for _ in CronSim(" ".join(parts), _BEGINNING)) else _never(expression)
    except CronSimError as error:
        return _bad(expression, parts, str(error).removeprefix("Bad "))


def _too_long(parts: list[str]) -> tuple[str, str] | None:
    """A step that is longer than its field: cron would begin anew at each hour or day, which nobody means."""
    for text, (unit, many, of) in zip(parts, _UNITS, strict=False):
        if (step := re.search(r"/(\d+)$", text)) and int(step[1]) >= many:
            return f"there are no {step[1]} {unit} in {of} to step by", f'write every = "{step[1]}{unit[0]}"'
    return None


def _bad(expression: str, parts: list[str], name: str) -> tuple[str, str]:
    text = parts[list(_FIELDS).index(name)]
    if name == "day-of-month" and _stands([*parts[:4], "*", parts[5]]):
        return _never(expression)
    hint = f"write * or {_FIELDS[name]}"
    if re.search(r"\d-\d", text):
        hint += "; a range goes upwards: 22-23,0-5"
    return f"the {name.replace('-of-', ' of the ')} '{text}' cannot be", hint


def _stands(parts: list[str]) -> bool:
    try:
        CronSim(" ".join(parts), _BEGINNING)
    except CronSimError:
        return False
    return True


def _never(expression: str) -> tuple[str, str]:
    return f"'{expression}' never comes: there is no such day", "mend the day of the month, the month or the weekday"


def runs_on(expression: str) -> bool:
    """Whether it goes by the minutes that pass rather than by the clock on the wall, as Debian's cron has it.

    It does with a star in the minute or the hour: it then runs in both passes of a repeated hour, and not in a gap.
    """
    return any(part.startswith("*") for part in fields(expression)[1:3])


def times(expression: str, since: dt.datetime) -> Iterator[dt.datetime]:
    """The times on the wall, without a zone, from `since` on."""
    return CronSim(" ".join(fields(expression)), since - _SECOND)


def explained(expression: str) -> str:
    """The expression in words: At 07:00 on Monday through Friday."""
    return CronSim(" ".join(fields(expression)), _BEGINNING).explain()
