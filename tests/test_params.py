"""Params: typed values, and dates in words against the as-of date."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.definition import RELATIVE_DATES, Job
from reports.errors import DefinitionError, JobError
from reports.params import RELATIVE, resolve, to_date

AS_OF = dt.date(2026, 11, 2)  # a Monday


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("today", "2026-11-02"),
        ("yesterday", "2026-11-01"),
        ("tomorrow", "2026-11-03"),
        ("last business day", "2026-10-30"),
        ("month start", "2026-11-01"),
        ("month end", "2026-11-30"),
        ("last month start", "2026-10-01"),
        ("Last  Month End", "2026-10-31"),
        ("year start", "2026-01-01"),
        ("year end", "2026-12-31"),
        ("2024-02-29", "2024-02-29"),
    ],
)
def test_dates_in_words(word: str, expected: str) -> None:
    """Each means what a person in finance means by it."""
    assert to_date(word, AS_OF, name="day").isoformat() == expected


def test_the_words_of_definition_and_resolution_are_the_same() -> None:
    """A word that makes a param a date can be resolved."""
    assert set(RELATIVE_DATES) == set(RELATIVE)


@given(st.dates(dt.date(1999, 1, 1), dt.date(2101, 12, 31)))
def test_month_and_business_days_hold_for_every_date(day: dt.date) -> None:
    """Also at year ends, leap days and weekends."""
    day_after = dt.timedelta(days=1)
    assert RELATIVE["last business day"](day) < day
    assert RELATIVE["last business day"](day).weekday() < 5
    assert (day - RELATIVE["last business day"](day)).days <= 3
    assert RELATIVE["month end"](day) + day_after == RELATIVE["month start"](RELATIVE["month end"](day) + day_after)
    assert RELATIVE["last month end"](day) + day_after == RELATIVE["month start"](day)
    assert RELATIVE["last month start"](day) == RELATIVE["month start"](RELATIVE["last month end"](day))


def test_types_are_inferred_from_defaults_and_given_values_converted() -> None:
    """What a person types on the command line becomes the type of the default."""
    job = Job.model_validate(
        {"title": "t", "name": "j", "params": {"day": "yesterday", "n": 3, "r": 0.5, "b": True, "s": "x"}}
    )
    assert resolve(job, {}, AS_OF) == {
        "as_of": AS_OF, "day": dt.date(2026, 11, 1), "n": 3, "r": 0.5, "b": True, "s": "x",
    }  # fmt: skip
    given_values = {"day": "month start", "n": "7", "r": "1.5", "b": "no", "s": "=1+1"}
    assert resolve(job, given_values, AS_OF) == {
        "as_of": AS_OF, "day": dt.date(2026, 11, 1), "n": 7, "r": 1.5, "b": False, "s": "=1+1",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given_value", "message"),
    [({"n": "many"}, "'many' is not a whole number"), ({"day": "someday"}, "'someday' is not a date")],
)
def test_a_value_of_the_wrong_type_is_named(given_value: dict[str, str], message: str) -> None:
    """The param and the value are in the message."""
    job = Job.model_validate({"title": "t", "name": "j", "params": {"day": "yesterday", "n": 3}})
    with pytest.raises(DefinitionError, match=message):
        resolve(job, given_value, AS_OF)


def test_an_unknown_param_names_the_nearest() -> None:
    """`-p dya=...` is answered with `day`."""
    job = Job.model_validate({"title": "t", "name": "j", "params": {"day": "yesterday"}})
    with pytest.raises(JobError, match="no param 'dya'") as caught:
        resolve(job, {"dya": "today"}, AS_OF)
    assert "did you mean 'day'?" in caught.value.hint
