"""Average life, yields and sensitivities against their definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.cashflow import measures
from reports.errors import LoanError

FLOW = np.linspace(2.0, 0.5, 120)


@given(rate=st.floats(-0.5, 3.0), delay=st.floats(0, 60))
def test_yields_give_back_their_price(rate: float, delay: float) -> None:
    """The yield of a flow at its price at a yield is that yield, also below zero and above 100 %."""
    price = measures.price_at_yield(FLOW, rate, delay_days=delay)
    assert measures.yield_at_price(FLOW, price, delay_days=delay) == pytest.approx(rate, abs=1e-9)
    assert measures.mortgage_equivalent(measures.bond_equivalent(rate)) == pytest.approx(rate, abs=1e-12)


def test_duration_and_convexity_are_the_derivatives_of_the_price() -> None:
    """Modified duration and convexity are the first and second derivative by the yield, over the price."""
    at, step = 0.07, 1e-4
    low, price, high = (measures.price_at_yield(FLOW, at + move, delay_days=14) for move in (-step, 0, step))
    assert measures.modified_duration(FLOW, at, delay_days=14) == pytest.approx(
        (low - high) / (2 * step * price), rel=1e-6
    )
    second = (low - 2 * price + high) / step**2 / price
    assert measures.convexity(FLOW, at, delay_days=14) == pytest.approx(second, rel=1e-5)


def test_a_single_payment_has_its_date_as_life_and_duration() -> None:
    """One payment after two years: average life and Macaulay duration are 2."""
    flow = np.zeros(30)
    flow[23] = 5.0
    assert measures.average_life(flow) == 2
    assert measures.duration(flow, 0.09) == pytest.approx(2)
    assert measures.average_life(np.zeros(3)) == 0


@pytest.mark.parametrize(("flow", "price"), [(FLOW, 0.0), (FLOW, -1.0), (np.zeros(5), 100.0), (-FLOW, 10.0)])
def test_no_yield_without_price_and_payments(flow: np.ndarray, price: float) -> None:
    """A price or payments that give no yield are an error."""
    with pytest.raises(LoanError, match="no yield"):
        measures.yield_at_price(flow, price)


def test_effective_rates_compound_once_a_year() -> None:
    """12 % nominal is 12.6825 % effective."""
    assert measures.effective(0.12) == pytest.approx(0.12682503)
    with pytest.raises(LoanError, match="rate is -12"):
        measures.npv(FLOW, -12.0)
