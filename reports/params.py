"""The values a run is about: params with types, and dates said in words resolved against the as-of date."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping

from reports.definition import Job, Param, Scalar
from reports.errors import DefinitionError, JobError, choices

DAY = dt.timedelta(days=1)
RELATIVE: Mapping[str, Callable[[dt.date], dt.date]] = {
    "today": lambda day: day,
    "yesterday": lambda day: day - DAY,
    "tomorrow": lambda day: day + DAY,
    "last business day": lambda day: _business_day(day - DAY),
    "month start": lambda day: day.replace(day=1),
    "month end": lambda day: _month_start(day, 1) - DAY,
    "last month start": lambda day: _month_start(day, -1),
    "last month end": lambda day: day.replace(day=1) - DAY,
    "year start": lambda day: day.replace(month=1, day=1),
    "year end": lambda day: day.replace(month=12, day=31),
}
"""Dates in words; the last business day is the newest Monday to Friday before the as-of date."""


def _business_day(day: dt.date) -> dt.date:
    return day - DAY * max(0, day.weekday() - 4)


def _month_start(day: dt.date, months: int) -> dt.date:
    years, month = divmod(day.month - 1 + months, 12)
    return dt.date(day.year + years, month + 1, 1)


def to_date(text: str, as_of: dt.date, *, name: str) -> dt.date:
    """A date written as 2026-10-31 or in words; a DefinitionError names `name` where it is neither."""
    word = " ".join(text.lower().split())
    if word in RELATIVE:
        return RELATIVE[word](as_of)
    try:
        return dt.date.fromisoformat(word)
    except ValueError:
        raise DefinitionError(
            f"{name}: '{text}' is not a date",
            hint="write a date like 2026-10-31, or one of: " + ", ".join(RELATIVE),
        ) from None


def resolve(job: Job, given: Mapping[str, str], as_of: dt.date) -> dict[str, Scalar]:
    """Every param of the job, `as_of` among them, as a value of its type; `given` ones replace defaults."""
    for name in given:
        if name not in job.params:
            hint = choices(name, job.params, what="its params")
            raise JobError(f"job '{job.name}' has no param '{name}'", hint=hint)
    values = {name: _value(name, p, given.get(name, p.default), as_of) for name, p in job.params.items()}
    return {"as_of": as_of, **values}


def _value(name: str, param: Param, value: Scalar, as_of: dt.date) -> Scalar:
    if not isinstance(value, str):
        return float(value) if param.type == "number" and isinstance(value, int) else value
    if param.type == "date":
        return to_date(value, as_of, name=f"param {name}")
    try:
        return _CONVERT[param.type](value)
    except (ValueError, KeyError):
        raise DefinitionError(f"param {name}: '{value}' is not {_WORDS[param.type]}") from None


_CONVERT: Mapping[str, Callable[[str], Scalar]] = {
    "text": str,
    "integer": int,
    "number": float,
    "boolean": lambda text: {"true": True, "yes": True, "false": False, "no": False}[text.lower()],
}
_WORDS = {"integer": "a whole number", "number": "a number", "boolean": "true or false"}
