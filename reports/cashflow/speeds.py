"""Speeds of prepayment and default, and the conversions between them.

Units: SMM, MDR (a month), CPR, CDR (a year) and ABS (a month) are fractions; PSA and SDA are percent of the
standard curve (150 means 150 % PSA). A month is always a month of the loan's life: the first payment is month 1.

Source: Standard Formulas of The Bond Market Association (now SIFMA), chapter SF, B and C.3.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
LONGEST = 1200
"""Months of the longest life."""


def _floats(values: ArrayLike) -> FloatArray:
    return np.asarray(values, dtype=np.float64)


def smm_from_cpr(cpr: ArrayLike) -> FloatArray:
    """The monthly rate that compounds to an annual one: 1 - (1 - CPR)^(1/12); MDR from CDR likewise."""
    return 1 - (1 - _floats(cpr)) ** (1 / 12)


def cpr_from_smm(smm: ArrayLike) -> FloatArray:
    """The annual rate twelve equal months make: 1 - (1 - SMM)^12; CDR from MDR likewise."""
    return 1 - (1 - _floats(smm)) ** 12


def cpr_from_psa(psa: ArrayLike, month: ArrayLike) -> FloatArray:
    """0.2 % CPR a month up to 6 % in month 30, flat after, times psa percent; never above 100 %."""
    ramp = np.clip(_floats(month), 1, 30)
    return np.minimum(_floats(psa) / 100 * 0.002 * ramp, 1.0)


def psa_from_cpr(cpr: ArrayLike, month: ArrayLike) -> FloatArray:
    """The percentage of the standard curve that gives this CPR in this month of the loan's life."""
    return 100 * _floats(cpr) / (0.002 * np.clip(_floats(month), 1, 30))


def smm_from_psa(psa: ArrayLike, month: ArrayLike) -> FloatArray:
    """The monthly rate of a PSA percentage in a month of the loan's life."""
    return smm_from_cpr(cpr_from_psa(psa, month))


def psa_from_smm(smm: ArrayLike, month: ArrayLike) -> FloatArray:
    """The PSA percentage of a monthly rate in a month of the loan's life."""
    return psa_from_cpr(cpr_from_smm(smm), month)


def smm_from_abs(abs_speed: ArrayLike, month: ArrayLike) -> FloatArray:
    """ABS counts the original number of loans: SMM(n) = ABS / (1 - ABS (n - 1)), 1 once none are left."""
    speed = _floats(abs_speed)
    left = 1 - speed * (_floats(month) - 1)
    return np.where(left > speed, speed / np.where(left > speed, left, 1.0), np.where(speed > 0, 1.0, 0.0))


def abs_from_smm(smm: ArrayLike, month: ArrayLike) -> FloatArray:
    """The ABS speed of a monthly rate in a month of the loan's life: SMM / (1 + SMM (n - 1))."""
    rate = _floats(smm)
    return rate / (1 + rate * (_floats(month) - 1))


def cdr_from_sda(sda: ArrayLike, month: ArrayLike) -> FloatArray:
    """The standard default curve: 0.02 % CDR a month up to 0.60 % in month 30, flat to month 60, then
    0.0095 % less a month down to 0.03 % in month 120, flat after; times sda percent, at most 100 %.
    """
    curve = np.interp(_floats(month), (1.0, 30.0, 60.0, 120.0), (0.0002, 0.006, 0.006, 0.0003))
    return np.minimum(_floats(sda) / 100 * curve, 1.0)


def smm_from_factors(end: ArrayLike, scheduled: ArrayLike, *, months: int = 1) -> FloatArray:
    """The average monthly prepayment that left a pool factor (or balance) where `scheduled` was planned.

    `scheduled` is the factor after so many months had nobody prepaid: the one at their start, times the ratio of the
    scheduled balances.
    """
    return 1 - (_floats(end) / _floats(scheduled)) ** (1 / months)


def average_abs(start: ArrayLike, end: ArrayLike, *, first_month: int, last_month: int) -> FloatArray:
    """The one ABS speed that takes the surviving share of loans from `start` to `end`.

    `start` and `end` are pool factors divided by the scheduled factors at the same dates; the months are the
    loans' ages there. Surviving at age a under ABS is 1 - ABS a.
    """
    ratio = _floats(end) / _floats(start)
    return (1 - ratio) / (last_month - ratio * first_month)


def average_psa(actual: float, scheduled: ArrayLike, *, first_month: ArrayLike, months: int) -> float:
    """The one PSA percentage at which pools come to `actual` in sum after so many months.

    `scheduled` are their balances at the end had nobody prepaid, `first_month` the loans' ages in the first month.
    It is looked for up to the speed that prepays everything at once.
    """
    planned = np.atleast_1d(_floats(scheduled))
    ages = np.add.outer(np.arange(months), np.atleast_1d(np.asarray(first_month)))
    low, high = 0.0, 50_000.0
    for _ in range(100):
        middle = (low + high) / 2
        left = float(planned @ np.prod(1 - smm_from_psa(middle, ages), axis=0))
        low, high = (middle, high) if left > actual else (low, middle)
    return (low + high) / 2


def smm_from_survival(survival: ArrayLike) -> FloatArray:
    """Monthly rates of leaving from the fraction still alive after months 1, 2, ...; 1 once nobody is."""
    alive = np.concatenate([[1.0], _floats(survival)])
    before, after = alive[:-1], alive[1:]
    return np.where(before > 0, 1 - after / np.where(before > 0, before, 1.0), 1.0)


def at(values: Any, position: IntArray) -> FloatArray:
    """The value of a monthly vector at each 1-based position; its last value holds for good."""
    vector: FloatArray = np.atleast_1d(_floats(values))
    return vector.take(np.minimum(position, len(vector)) - 1)
