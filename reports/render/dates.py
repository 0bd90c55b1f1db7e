"""Dates in a language, as long as a table has room for: 31.10.2026, 31 oct. 2026, 2026年10月31日.

English of no country writes them as ISO 8601 does, which nobody misreads.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache

from babel.dates import parse_pattern

from reports.render.languages import facts, plain_english

_QUOTED = re.compile("'([^']*)'")


def date(moment: dt.date, language: str) -> str:
    """The day."""
    if plain_english(language):
        return moment.isoformat()[:10]
    return _day(moment.year, moment.month, moment.day, language)


def month(moment: dt.date, language: str) -> str:
    """The month with its year: Okt. 2026."""
    if plain_english(language):
        return moment.isoformat()[:7]
    return _month(moment.year, moment.month, language)


def datetime(moment: dt.datetime, language: str) -> str:
    """The day and the time to the minute, with the offset from UTC where it has one."""
    if plain_english(language):
        return moment.isoformat(" ", "minutes")
    joined = _QUOTED.sub(r"\1", facts(language).datetime_formats["medium"])
    told = joined.replace("{1}", date(moment, language)).replace("{0}", clock(moment, language))
    return told if moment.utcoffset() is None else f"{told} {moment.isoformat('T', 'minutes')[16:]}"


def clock(moment: dt.datetime | dt.time, language: str) -> str:
    """The time to the minute: 17:30, or 5:30 PM."""
    if plain_english(language):
        return f"{moment:%H:%M}"
    return _clock(moment.hour, moment.minute, language)


def pattern(kind: str, language: str) -> str:
    """Unicode's pattern for a format of `date`, `datetime` (to the second, as sheets have it) or `month`: dd.MM.y."""
    if plain_english(language):
        return {"date": "yyyy-MM-dd", "datetime": "yyyy-MM-dd HH:mm:ss", "month": "yyyy-MM"}[kind]
    known = facts(language)
    if kind == "month":
        return str(known.datetime_skeletons["yMMM"].pattern)
    day = str(known.date_formats["medium"].pattern)
    if kind == "date":
        return day
    joined = str(known.datetime_formats["medium"])
    return joined.replace("{1}", day).replace("{0}", str(known.time_formats["medium"].pattern))


@lru_cache(maxsize=4096)
def _day(year: int, month: int, day: int, language: str) -> str:
    return _applied(dt.datetime(year, month, day), pattern("date", language), language)  # noqa: DTZ001  a day has no zone


@lru_cache(maxsize=1024)
def _month(year: int, month: int, language: str) -> str:
    return _applied(dt.datetime(year, month, 1), pattern("month", language), language)  # noqa: DTZ001


@lru_cache(maxsize=2048)
def _clock(hour: int, minute: int, language: str) -> str:
    moment = dt.datetime(2000, 1, 1, hour, minute)  # noqa: DTZ001
    return _applied(moment, facts(language).time_formats["short"].pattern, language)


def _applied(moment: dt.datetime, pattern: str, language: str) -> str:
    return parse_pattern(pattern).apply(moment, facts(language))
