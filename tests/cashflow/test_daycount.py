"""Day counts beyond the published examples."""

import datetime as dt

import pytest

from reports.cashflow import daycount
from reports.errors import LoanError

START, END = dt.date(2003, 11, 1), dt.date(2004, 5, 1)


def test_actual_counts_divide_by_their_year() -> None:
    """The actual/actual example of the ISDA memo: 61/365 + 121/366; actual/365 and actual/360 on 182 days."""
    assert daycount.days(START, END, "ACT/365") == 182
    assert daycount.year_fraction(START, END, "ACT/ACT") == pytest.approx(61 / 365 + 121 / 366, abs=1e-15)
    assert daycount.year_fraction(END, START, "ACT/ACT") == pytest.approx(-61 / 365 - 121 / 366, abs=1e-15)
    assert daycount.year_fraction(START, END, "ACT/365") == 182 / 365
    assert daycount.year_fraction(START, END, "ACT/360") == 182 / 360
    assert daycount.year_fraction(START, END, "30/360") == 0.5


def test_whole_months_end_on_the_day_they_began_or_the_months_last() -> None:
    """31 January to 28 February is a month, to 27 February is none."""
    assert daycount.months_between(dt.date(2023, 1, 31), dt.date(2023, 2, 28)) == 1
    assert daycount.months_between(dt.date(2023, 1, 31), dt.date(2023, 2, 27)) == 0
    assert daycount.months_between(dt.date(2023, 1, 15), dt.date(2025, 1, 15)) == 24


def test_an_unknown_convention_is_refused_with_the_known_ones() -> None:
    """The error lists what may be asked for."""
    with pytest.raises(LoanError, match="ACT/364") as caught:
        daycount.days(START, END, "ACT/364")  # type: ignore[arg-type]
    assert "30E/360 ISDA" in caught.value.hint
