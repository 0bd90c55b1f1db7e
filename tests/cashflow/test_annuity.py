"""Level payments and the spreadsheet functions among themselves."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.cashflow import annuity
from reports.errors import LoanError


@given(
    rate=st.floats(0, 0.1) | st.sampled_from([0.0, 1e-12]),
    nper=st.integers(1, 200),
    fv=st.floats(-1000, 1000),
    due=st.sampled_from([0, 1]),
)
@settings(max_examples=30)
def test_payments_repay_the_loan(rate: float, nper: int, fv: float, due: int) -> None:
    """Principal over all periods is the loan and what remains; interest is the rest of the payments."""
    payment = annuity.pmt(rate, nper, 10_000, fv, due=due)
    principal = [annuity.ppmt(rate, per, nper, 10_000, fv, due=due) for per in range(1, nper + 1)]
    interest = [annuity.ipmt(rate, per, nper, 10_000, fv, due=due) for per in range(1, nper + 1)]
    assert np.add(principal, interest) == pytest.approx(payment)
    repaid = sum(principal) if due == 0 else sum(principal) + interest_at_the_end(rate, fv)
    assert repaid == pytest.approx(-10_000 - fv)


def interest_at_the_end(rate: float, fv: float) -> float:
    """With payments at the beginning, the last period's interest is left for what remains at its end."""
    return -fv * rate / (1 + rate)


def test_cumulative_functions_are_sums_of_periods() -> None:
    """CUMIPMT and CUMPRINC over a span are the periods' parts added up; wrong spans are refused."""
    assert annuity.cumipmt(0.01, 24, 100, 3, 7) == pytest.approx(
        sum(annuity.ipmt(0.01, per, 24, 100) for per in range(3, 8))
    )
    assert annuity.cumprinc(0.01, 24, 100, 1, 24) == pytest.approx(-100)
    for start, end in ((0, 5), (6, 5), (1, 25)):
        with pytest.raises(LoanError, match="periods"):
            annuity.cumipmt(0.01, 24, 100, start, end)
    with pytest.raises(LoanError, match="period is 25"):
        annuity.ppmt(0.01, 25, 24, 100)
    with pytest.raises(LoanError, match="number of periods"):
        annuity.pmt(0.01, 0, 100)


def test_balances_fall_to_zero_at_any_rate() -> None:
    """The scheduled factor starts at 1 and ends at exactly 0; a rate of 0 falls on a straight line."""
    factor = annuity.balance_factor(np.array([[0.0], [1e-9], [0.01], [0.08]]), 12, np.arange(13))
    assert (factor[:, 0] == 1).all()
    assert (factor[:, -1] == 0).all()
    assert factor[0] == pytest.approx(1 - np.arange(13) / 12)
    assert (np.diff(factor) < 0).all()
