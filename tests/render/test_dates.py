"""Dates in the languages of the world."""

from __future__ import annotations

import datetime as dt

import pytest
from babel.dates import format_date, format_skeleton
from babel.localedata import locale_identifiers
from hypothesis import given
from hypothesis import strategies as st

from reports.render.dates import clock, date, datetime, month, pattern
from reports.render.languages import facts

DAY = dt.date(2026, 10, 31)
NOON = dt.datetime(2026, 10, 31, 17, 30)  # noqa: DTZ001  as queries give it


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("2026-10-31", "2026-10", "2026-10-31 17:30")),
        ("en-US", ("Oct 31, 2026", "Oct 2026", "Oct 31, 2026, 5:30\N{NARROW NO-BREAK SPACE}PM")),
        ("en_GB", ("31 Oct 2026", "Oct 2026", "31 Oct 2026, 17:30")),
        ("de", ("31.10.2026", "Okt. 2026", "31.10.2026, 17:30")),
        ("fr", ("31 oct. 2026", "oct. 2026", "31 oct. 2026, 17:30")),
        ("zh", ("2026年10月31日", "2026年10月", "2026年10月31日 17:30")),
        ("nowhere", ("2026-10-31", "2026-10", "2026-10-31 17:30")),
    ],
)
def test_dates_are_those_of_the_language(language: str, words: tuple[str, ...]) -> None:
    """English of no country, and a language nobody knows, have ISO's."""
    assert (date(DAY, language), month(DAY, language), datetime(NOON, language)) == words


@given(st.dates(), st.sampled_from(["de", "fr", "zh", "en_US", "ar", "pt_BR"]))
def test_days_and_months_are_as_babel_writes_them(day: dt.date, language: str) -> None:
    """Whatever day it is, however often it was asked for."""
    known = facts(language)
    for _ in range(2):
        assert date(day, language) == format_date(day, "medium", known)
        assert month(day, language) == format_skeleton("yMMM", day, locale=known)


@pytest.mark.parametrize(("language", "ending"), [("en", "17:30+01:00"), ("de", "17:30 +01:00")])
def test_an_offset_is_said(language: str, ending: str) -> None:
    """An instant in a zone says which, also where an equal one in another zone was told before."""
    told = NOON.replace(tzinfo=dt.timezone(dt.timedelta(hours=1)))
    assert datetime(told.astimezone(dt.UTC), language).endswith("+00:00")
    assert datetime(told, language).endswith(ending)


def test_every_language_has_its_patterns() -> None:
    """Day, month and year are in the date of every language, and the time is told."""
    for language in (one for one in locale_identifiers() if "_" not in one):
        assert {"d", "y"} <= set(pattern("date", language))
        assert set(pattern("month", language)) & set("ML")
        assert clock(NOON, language) in datetime(NOON, language)
