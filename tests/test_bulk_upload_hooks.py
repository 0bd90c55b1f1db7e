"""The hooks of the job over uploads: names as patterns, errors as causes, changes and durations in words."""

from __future__ import annotations

import datetime as dt
import runpy
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

JOB = Path(__file__).parents[1] / "jobs" / "bulk_upload"
HOOKS = runpy.run_path(str(JOB / "hooks.py"))
READING = runpy.run_path(str(JOB / "reading.py"))
EXPECTING = runpy.run_path(str(JOB / "expecting.py"))


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("loans_20261127.csv", "loans_*.csv"),
        ("loans_2026-11-27.csv.gz", "loans_*.csv.gz"),
        ("2026.11.27 06.30 loans.csv", "* loans.csv"),
        ("fx_27Nov2026.csv", "fx_*.csv"),
        ("fx-27-november-2026.csv", "fx-*.csv"),
        ("fx_Nov2026.csv", "fx_*.csv"),
        ("limits_2026-W48.csv", "limits_*-W*.csv"),
        ("in/2026/loans_1.csv", "loans_*.csv"),
        ("in\\loans_1.csv", "loans_*.csv"),
        ("decimals.csv", "decimals.csv"),
        ("market.csv", "market.csv"),
        ("maybe2.csv", "maybe*.csv"),
        ("客户_20261127.csv", "客户_*.csv"),
    ],
)
def test_the_date_in_a_name_is_a_wildcard(name: str, pattern: str) -> None:
    """In digits and with months in words; what only looks like a month is left."""
    assert READING["pattern"](name) == pattern


@given(st.dates(), st.sampled_from(["%Y%m%d", "%Y-%m-%d", "%d.%m.%Y", "%y%m%d", "%d%b%Y", "%d-%B-%Y", "%b%Y", "%Y_%m"]))
def test_a_name_with_any_date_has_the_same_pattern(day: dt.date, written: str) -> None:
    """Whenever it came, and however the date is written."""
    assert READING["pattern"](f"loans_{day.strftime(written)}_eod.csv") == "loans_*_eod.csv"


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        ("'utf-8' codec can't decode byte 0xc9 in position 759: invalid continuation byte", "encoding"),
        ("Transaction (Process ID 57) was deadlocked on lock resources and has been chosen as the deadlock victim", "connection"),
        ("TCP Provider: Error code 0x2746", "other"),
        ("Login failed for user 'etl'.", "permission"),
        ("The INSERT permission was denied on the object 'loans'", "permission"),
        ("Invalid object name 'dbo.loan'.", "not there"),
        ("Violation of PRIMARY KEY constraint 'PK_loans'. Cannot insert duplicate key", "duplicate key"),
        ("String or binary data would be truncated in table 'dbo.t'", "too long"),
        ("Invalid character value for cast specification", "wrong type"),
        ("Cannot insert the value NULL into column 'id'", "missing value"),
        ("The INSERT statement conflicted with the FOREIGN KEY constraint 'FK_t'", "unknown reference"),
        ("more than 10,000 rows were rejected, and the upload stopped after 40,000 rows", "too many rejected rows"),
        ('new row for relation "t" violates check constraint "positive"', "refused by a check"),
        ("Could not allocate space because the 'PRIMARY' filegroup is full", "no room"),
        ("", "other"),
    ],
)  # fmt: skip
def test_an_error_is_taken_for_a_cause_by_its_words(error: str, cause: str) -> None:
    """As servers and programs write them."""
    assert HOOKS["cause_of"](SimpleNamespace(state="failed", error=error)) == cause


def test_every_cause_has_an_advice() -> None:
    """Also those that the store gives to rejected rows."""
    of_rows = {"broken row", "wrong type", "too long", "missing value", "duplicate key", "unknown reference",
               "refused by a check", "other"}  # fmt: skip
    assert {cause for cause, _ in HOOKS["CAUSES"]} | of_rows <= set(HOOKS["ADVICE"])


@pytest.mark.parametrize(
    ("value", "mean", "said"),
    [
        (11, 8.2, "+2.8 on the 30-day mean of 8.2"),
        (0, 8.25, "−8.2 on the 30-day mean of 8.2"),
        (0, 885_150.4, "−100% on the 30-day mean of 885,150"),
        (1_040, 1_000.0, "+4.0% on the 30-day mean of 1,000"),
        (3_000, 12.0, "250 times the 30-day mean of 12"),
        (24_000_000, 20_000_000.0, "+20% on the 30-day mean of 20.0m"),
        (5, float("nan"), "nothing to compare with yet"),
        (float("nan"), 24_083.0, "30-day mean of 24,083"),
    ],
)
def test_a_figure_is_told_against_its_mean(value: float, mean: float, said: str) -> None:
    """Small counts by their difference, others in percent, and what is far above in times."""
    assert HOOKS["change"](value, mean, 30) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.64, "0.6 s"),
        (9.96, "10.0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (213.4, "3 min 33 s"),
        (7_260, "2 h 1 min"),
    ],
)
def test_a_duration_is_told_as_people_say_it(seconds: float, said: str) -> None:
    """To the second from ten seconds on, to the minute from an hour on."""
    assert HOOKS["duration"](seconds) == said


@pytest.mark.parametrize(
    ("days", "meant"),
    [("daily", set(range(7))), ("business days", None), ("mon-fri", set(range(5))), ("Mon Wed fri", {0, 2, 4}),
     ("sat-mon", {5, 6, 0}), ("Monday, Tuesday", {0, 1})],
)  # fmt: skip
def test_days_are_read_as_people_write_them(days: str, meant: set[int] | None) -> None:
    """Ranges may go over the week's end."""
    weekdays: Callable[[str, str], Any] = EXPECTING["weekdays"]
    assert weekdays(days, "here") == meant


def test_the_hour_that_autumn_has_twice_stops_no_report() -> None:
    """Nor does the one that spring leaves out: times without a zone are placed as well as they can be."""
    times = pd.Series(pd.to_datetime(["2026-10-25 02:30:00", "2026-03-29 02:30:00", None]))
    placed = READING["instants"](times, "Europe/Berlin")
    assert [str(one) for one in placed] == ["2026-10-25 00:30:00+00:00", "2026-03-29 01:00:00+00:00", "NaT"]
