"""Conversions between speeds, there and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.cashflow import speeds

months = st.integers(1, 480)
rates = st.floats(0, 0.5)


@given(smm=rates, month=months)
def test_speeds_convert_there_and_back(smm: float, month: int) -> None:
    """SMM to CPR, PSA and ABS and back is the same rate."""
    assert speeds.smm_from_cpr(speeds.cpr_from_smm(smm)) == pytest.approx(smm, abs=1e-9)
    assert speeds.smm_from_psa(speeds.psa_from_smm(smm, month), month) == pytest.approx(smm, abs=1e-9)
    assert speeds.smm_from_abs(speeds.abs_from_smm(smm, month), month) == pytest.approx(smm, abs=1e-9)


def test_the_standard_curves_have_their_corners() -> None:
    """100 PSA and 100 SDA at the months the standard names."""
    assert speeds.cpr_from_psa(100, [1, 15, 30, 200]).tolist() == pytest.approx([0.002, 0.03, 0.06, 0.06])
    assert speeds.cpr_from_psa(5000, 30) == 1
    sda = speeds.cdr_from_sda(100, [1, 15, 30, 45, 60, 61, 119, 120, 300])
    expected = [0.0002, 0.003, 0.006, 0.006, 0.006, 0.006 - 0.000095, 0.0003 + 0.000095, 0.0003, 0.0003]
    assert sda.tolist() == pytest.approx(expected)


def test_an_abs_speed_uses_its_pool_up() -> None:
    """At 2 % ABS the surviving share falls by 2 % of the original number a month, to none."""
    alive = np.cumprod(1 - speeds.smm_from_abs(0.02, np.arange(1, 61)))
    assert alive[:50] == pytest.approx(1 - 0.02 * np.arange(1, 51), abs=1e-12)
    assert np.all(alive[50:] < 1e-12)
    assert speeds.smm_from_abs(0.0, 500) == 0


def test_average_speeds_recover_the_speed_applied() -> None:
    """Pools aged by one PSA or ABS speed average to that speed."""
    ages = np.arange(10, 22)
    survived = float(np.prod(1 - speeds.smm_from_psa(230, ages)))
    assert speeds.average_psa(80 * survived, [80.0], first_month=[10], months=12) == pytest.approx(230)
    assert speeds.average_abs(1 - 0.015 * 4, 1 - 0.015 * 20, first_month=4, last_month=20) == pytest.approx(0.015)
