"""How a schedule may be written, and what is told of one that cannot be meant."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import TypeAdapter, ValidationError

from reports import toml
from reports.definition import Definition
from reports.errors import JobError
from reports.schedules.options import Schedule, Schedules

NINE = dt.time(9)


def read(text: str) -> Schedule:
    """One schedule as a job.toml has it."""
    return Schedule.model_validate(tomllib.loads(f"schedule = {text}")["schedule"])


def told(given: Any) -> str:
    """What is told of a schedule that is refused, with its hint."""
    with pytest.raises(ValidationError) as caught:
        Schedule.model_validate(given)
    detail = caught.value.errors()[0]
    return f"{detail['msg']} / {detail.get('ctx', {}).get('hint', '')}"


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ('"0 7 * * 1-5"', "cron", "0 7 * * 1-5"),
        ('{ cron = " 0  7 * * mon " }', "cron", "0 7 * * mon"),
        ('"@daily"', "cron", "@daily"),
        ("{ monthly = 31 }", "monthly", (31,)),
        ('{ monthly = "last" }', "monthly", ("last",)),
        ('{ monthly = [1, 15, "last"] }', "monthly", (1, 15, "last")),
        ("{ business_day = 1 }", "business_day", (1,)),
        ("{ business_day = [-1, 3] }", "business_day", (-1, 3)),
        ('{ business_day = ["first", "last"] }', "business_day", (1, -1)),
        ('{ yearly = "02-29" }', "yearly", ("02-29",)),
        ('{ every = "1d", at = "9:00" }', "at", (NINE,)),
        ('{ every = "1d", at = 09:00:00 }', "at", (NINE,)),
        ('{ every = "1d", at = ["17:00", 09:00:00, "09:00"] }', "at", (NINE, dt.time(17))),
        ("{ once = 2026-12-31T09:00:00 }", "once", dt.datetime(2026, 12, 31, 9)),  # noqa: DTZ001
        ('{ once = "2026-12-31 09:00" }', "once", dt.datetime(2026, 12, 31, 9)),  # noqa: DTZ001
        ("{ once = 2026-12-31T09:00:00Z }", "once", dt.datetime(2026, 12, 31, 9, tzinfo=dt.UTC)),
        ('{ every = "1w", start = 2026-01-05 }', "start", dt.date(2026, 1, 5)),
        ('{ every = "1w", end = "2026-01-05" }', "end", dt.date(2026, 1, 5)),
        ('{ every = "1d", calendar = "DE-BY" }', "calendar", "DE-BY"),
        ('{ every = "1d", calendar = "XNYS" }', "calendar", "XNYS"),
    ],
)
def test_a_schedule_is_written_as_people_write_it(text: str, key: str, value: object) -> None:
    """One value or several, texts or TOML's own dates and times; and it survives being kept as JSON."""
    schedule = read(text)
    assert getattr(schedule, key) == value
    assert Schedule.model_validate_json(schedule.model_dump_json()) == schedule


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("61 * * * *", "the minute '61' cannot be / write * or 0 to 59"),
        ("0 24 * * *", "the hour '24' cannot be"),
        ("0 0 32 * *", "the day of the month '32' cannot be"),
        ("0 0 ? * *", "the day of the month '?' cannot be / write * or 1 to 31, L"),
        ("0 0 * 13 *", "the month '13' cannot be"),
        ("0 0 * * 8", "the day of the week '8' cannot be / write * or 0 to 7 (1 = Monday"),
        ("60 0 0 * * *", "the second '60' cannot be"),
        ("0 22-5 * * *", "a range goes upwards: 22-23,0-5"),
        ("0 7 * *", "has five fields, or six with the seconds first (found 4)"),
        ("0 0 30 2 *", "'0 0 30 2 *' never comes"),
        ("0 0 31 4,6,9,11 *", "never comes"),
        ("0 0 LW * */7", "never comes"),
        ("0 0 */8 2 5#5", "never comes"),
        ("@dayly", "'@dayly' is not known / did you mean '@daily'?"),
        ("@reboot", "'@reboot' is not known"),
    ],
)
def test_a_cron_expression_that_is_wrong_is_told_by_its_field(cron: str, words: str) -> None:
    """Which field, and what may stand there; one that can never come is wrong too."""
    assert words in told(cron)


@pytest.mark.parametrize("cron", ["0 0 29 2 *", "0 0 30 2 1", "0 0 29 2 */7", "0 0 * 2 MON#5", "@Hourly"])
def test_a_cron_expression_that_comes_seldom_is_right(cron: str) -> None:
    """A leap day does come, and so does a Monday beside a day that does not."""
    assert Schedule.model_validate(cron).cron == cron


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "found none of them"),
        ("", "found none of them"),
        (
            {"cron": "@daily", "every": "1d"},
            "exactly one of cron, every, once, monthly, yearly, business_day (found cron",
        ),
        ({"cron": "@daily", "at": "09:00"}, "'at' cannot stand beside 'cron'"),
        ({"once": "2026-01-01T09:00", "at": "09:00"}, "'at' cannot stand beside 'once'"),
        ({"once": "2026-01-01T09:00", "end": "2026-01-01"}, "'end' cannot stand beside 'once'"),
        ({"once": "2026-01-01T09:00", "on_holiday": "skip"}, "'on_holiday' cannot stand beside 'once'"),
        ({"once": "2026-01-01"}, "one date with its time of day"),
        ({"once": "2026-02-30T09:00"}, "no such day"),
        ({"once": ["2026-01-01T09:00"]}, "one date with its time of day"),
        ({"once": 5}, "one date with its time of day"),
        ({"every": "1d", "start": "2026-01-02", "end": "2026-01-01"}, "'end' (2026-01-01) is before 'start'"),
        ({"every": "1d", "start": 5}, "a day from 1970-01-01 to 2999-12-31"),
        ({"every": "1d", "start": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)}, "a day from 1970-01-01"),
        ({"every": "1d", "end": "2026-02-30"}, "no such day"),
        ({"every": "1h", "at": ["09:00", "17:00"]}, "only where 'every' is whole days"),
        ({"every": "1h", "calendar": "DE", "on_holiday": "before"}, "whole days can a run be moved"),
        ({"every": "36h", "on_holiday": "after"}, "whole days can a run be moved"),
        ({"every": "0d"}, "a duration is a number and a unit"),
        ({"every": "1d", "at": "24:00"}, "a time of day is needed"),
        ({"every": "1d", "at": "09:00+01:00"}, "without an offset: the key timezone says where"),
        ({"every": "1d", "at": dt.time(9, tzinfo=dt.UTC)}, "without an offset"),
        ({"every": "1d", "at": 9}, "a time of day is needed"),
        ({"monthly": 32}, "the day '32' of a month cannot be"),
        ({"monthly": [1, 0]}, "the day '0' of a month cannot be"),
        ({"monthly": True}, "the day 'True' of a month cannot be"),
        ({"monthly": "lust"}, 'from 1 to 31, "first" or "last"'),
        ({"business_day": 0}, "the day '0' of a month cannot be"),
        ({"business_day": 24}, "the day '24' of a month cannot be"),
        ({"business_day": 1, "calendar": "DE", "on_holiday": "after"}, "a business day is never a holiday"),
        ({"yearly": "02-30"}, "'02-30' is no day of a year"),
        ({"yearly": ["12-31", 5]}, "'5' is no day of a year"),
        ({"cron": "@daily", "business_days": True, "on_holiday": "run"}, "asks for business days only"),
        ({"cron": "@daily", "calendar": "de"}, "there is no calendar 'de' / did you mean 'DE'?"),
        ({"cron": "@daily", "calendar": "NYSX"}, "did you mean 'XNYS'?"),
        ({"cron": "@daily", "calendar": "DE-BA"}, "there is no calendar 'DE-BA' / did you mean 'DE-"),
        ({"cron": "@daily", "calendar": "NYSE-X"}, "there is no calendar 'NYSE-X'"),
        ({"cron": "@daily", "timezone": "Europe/Berln"}, "'Europe/Berln' is not a time zone"),
    ],
)
def test_what_cannot_be_meant_is_an_error_that_says_why(given: Any, words: str) -> None:
    """Never a default in silence, and never two keys of which one would be passed over."""
    assert words in told(given)


def test_a_mistake_is_told_with_its_file_and_line(tmp_path: Path) -> None:
    """Also one in a key that only is wrong beside another."""
    path = tmp_path / "job.toml"
    path.write_text('title = "x"\n[[schedule]]\ncron = "0 7 * * *"\n[[schedule]]\ncron = "@daily"\nat = "09:00"\n')
    with pytest.raises(JobError) as caught:
        toml.validate(toml.read(path, error=JobError), Definition, error=JobError, root=tmp_path)
    assert "'at' cannot stand beside 'cron'" in str(caught.value)
    assert "job.toml:6, key schedule[1].at" in str(caught.value)


SCHEDULES = TypeAdapter(Schedules)
GOOD: list[Any] = [
    "0 7 * * 1-5",
    [{"monthly": 31}, {"monthly": ["last", 1], "at": ["09:00", "9:30:15"]}],
    {"business_day": [-1, "first"], "calendar": "US"},
    {"yearly": "02-29", "at": "07:00", "start": "2026-01-01"},
    {"once": "2026-12-31T09:00:00+01:00"},
    {"every": "90m", "timezone": "Asia/Tokyo"},
]
BAD: list[Any] = [
    5,
    {"monthly": 32},
    {"monthly": 0},
    {"business_day": 0},
    {"business_day": "lust"},
    {"yearly": "13-01"},
    {"every": "1d", "at": "25:00"},
    {"once": "tomorrow"},
    {"every": "often"},
    {"cron": "@daily", "holidays": "DE"},
]


def underlined(given: Any) -> bool:
    return not jsonschema.Draft202012Validator(SCHEDULES.json_schema()).is_valid(given)


@pytest.mark.parametrize("given", GOOD)
def test_editors_accept_what_is_accepted(given: Any) -> None:
    """The schema knows every form of a key."""
    assert SCHEDULES.validate_python(given)
    assert not underlined(given)


@pytest.mark.parametrize("given", BAD)
def test_editors_underline_what_is_refused(given: Any) -> None:
    """Except what needs a clock or a calendar to be judged."""
    with pytest.raises(ValidationError):
        SCHEDULES.validate_python(given)
    assert underlined(given)


def test_calendars_are_read_only_by_who_names_one() -> None:
    """Thousands of jobs are checked at start, and most know no holiday."""
    code = (
        "import sys; from reports.schedules.options import Schedule; from reports.schedules import occurrences, words\n"
        "Schedule.model_validate('@daily'); assert 'holidays' not in sys.modules\n"
        "Schedule.model_validate({'cron': '@daily', 'calendar': 'DE'}); assert 'holidays' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("expression", "instead"), [("*/90 * * * *", "90m"), ("0 */36 * * *", "36h"), ("*/60 * * * * *", "60s")]
)
def test_a_step_longer_than_its_field_is_told_with_what_was_meant(expression: str, instead: str) -> None:
    """Cron would take it for every hour, every day, every minute."""
    with pytest.raises(ValidationError) as raised:
        Schedule.model_validate({"cron": expression})
    assert raised.value.errors()[0]["ctx"]["hint"] == f'write every = "{instead}"'


def test_a_country_by_its_name_is_told_its_letters() -> None:
    """And what is like nothing is not given a stranger for a neighbour."""
    for name, hint in (
        ("Germany", 'write "DE"'),
        ("Bayern", "write a country (DE), a part of one (US-NY) or a market (NYSE)"),
    ):
        with pytest.raises(ValidationError) as raised:
            Schedule.model_validate({"cron": "@daily", "calendar": name})
        assert raised.value.errors()[0]["ctx"]["hint"] == hint
