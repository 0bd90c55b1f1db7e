"""Level payments: the growth of an annuity, scheduled balances, and the spreadsheet functions built on them.

The spreadsheet functions keep its signs (money paid out is negative) and its meaning of `due` (0: at the end of a
period, 1: at its beginning). Rates are fractions a period.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from reports.cashflow.speeds import FloatArray
from reports.errors import LoanError


def accumulated(rate: ArrayLike, periods: ArrayLike) -> FloatArray:
    """What 1 paid at the end of each period grows to: ((1 + r)^n - 1) / r, and n where the rate is 0."""
    r, n = np.broadcast_arrays(np.asarray(rate, dtype=np.float64), np.asarray(periods, dtype=np.float64))
    safe = np.where(r == 0, 1.0, r)
    return np.where(r == 0, n, np.expm1(n * np.log1p(safe)) / safe)


def balance_factor(rate: ArrayLike, term: ArrayLike, paid: ArrayLike) -> FloatArray:
    """The scheduled balance after `paid` of `term` level payments, as a fraction of the first: rate a period."""
    return 1 - accumulated(rate, paid) / accumulated(rate, term)


def pmt(rate: float, nper: float, pv: float, fv: float = 0.0, *, due: int = 0) -> float:
    """The level payment of a loan (PMT)."""
    if nper <= 0:
        raise LoanError(f"number of periods is {nper}", hint="give a positive number")
    return -(rate * pv + (pv + fv) / float(accumulated(rate, nper))) / (1 + rate * due)


def ipmt(rate: float, per: int, nper: float, pv: float, fv: float = 0.0, *, due: int = 0) -> float:
    """The interest in the payment of one period, counted from 1 (IPMT)."""
    if not 1 <= per <= nper:
        raise LoanError(f"period is {per}", hint=f"give a period from 1 to {nper}")
    if per == 1 and due:
        return 0.0
    repaid = float(accumulated(rate, per - 1) / accumulated(rate, nper))
    return -rate * (pv - (pv + fv) * repaid) / (1 + rate * due)


def ppmt(rate: float, per: int, nper: float, pv: float, fv: float = 0.0, *, due: int = 0) -> float:
    """The principal in the payment of one period, counted from 1 (PPMT)."""
    return pmt(rate, nper, pv, fv, due=due) - ipmt(rate, per, nper, pv, fv, due=due)


def cumipmt(rate: float, nper: int, pv: float, start: int, end: int, *, due: int = 0) -> float:
    """The interest paid from period `start` to `end`, both included (CUMIPMT)."""
    return sum(ipmt(rate, per, nper, pv, due=due) for per in _span(start, end, nper))


def cumprinc(rate: float, nper: int, pv: float, start: int, end: int, *, due: int = 0) -> float:
    """The principal paid from period `start` to `end`, both included (CUMPRINC)."""
    return sum(ppmt(rate, per, nper, pv, due=due) for per in _span(start, end, nper))


def _span(start: int, end: int, nper: int) -> range:
    if not 1 <= start <= end <= nper:
        raise LoanError(f"periods {start} to {end}", hint=f"give periods in order from 1 to {nper}")
    return range(start, end + 1)
