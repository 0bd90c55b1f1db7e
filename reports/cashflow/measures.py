"""Average life, yield, duration, convexity, IRR and NPV of a cash flow.

Cash flows are amounts at the ends of months 1, 2, ...; yields are annual fractions, and bond-equivalent (compounded
twice a year) unless named mortgage yields (twelve times the monthly rate). A payment delay is given in days of a
30-day month: the first flow arrives 1 + delay/30 months after settlement.

Source: Standard Formulas of The Bond Market Association (now SIFMA), chapter SF, E and F.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from reports.cashflow.speeds import FloatArray
from reports.errors import LoanError


def _times(count: int, delay_days: float) -> FloatArray:
    """When flows arrive, in months from settlement."""
    return np.arange(1.0, count + 1.0) + float(delay_days) / 30


def average_life(principal: ArrayLike, *, delay_days: float = 0.0) -> float:
    """Years until a unit of principal is received, on average; 0 where there is none.

    A month that adds to the balance counts as negative principal.
    """
    flow = np.asarray(principal, dtype=np.float64)
    total = float(flow.sum())
    return float(_times(len(flow), delay_days) @ flow / total / 12) if total else 0.0


def npv(flows: ArrayLike, annual_rate: float, *, delay_days: float = 0.0) -> float:
    """The value today of monthly flows, discounted at a twelfth of the annual rate a month."""
    return float(_present(np.asarray(flows, dtype=np.float64), annual_rate, delay_days).sum())


def _present(flow: FloatArray, mortgage_yield: float, delay_days: float) -> FloatArray:
    """The value today of each flow."""
    if mortgage_yield <= -12:
        raise LoanError(f"rate is {mortgage_yield:g}", hint="give a fraction a year, more than -12")
    present: FloatArray = flow * np.exp(-_times(len(flow), delay_days) * np.log1p(mortgage_yield / 12))
    return present


def bond_equivalent(mortgage_yield: float) -> float:
    """The yield compounded twice a year that equals twelve times a monthly rate: 2 ((1 + y/12)^6 - 1)."""
    return 2 * float(np.expm1(6 * np.log1p(mortgage_yield / 12)))


def mortgage_equivalent(bond_yield: float) -> float:
    """Twelve times the monthly rate that equals a yield compounded twice a year."""
    return 12 * float(np.expm1(np.log1p(bond_yield / 2) / 6))


def effective(mortgage_yield: ArrayLike) -> FloatArray:
    """The yield compounded once a year that equals twelve times a monthly rate: (1 + y/12)^12 - 1."""
    effective_yield: FloatArray = np.expm1(12 * np.log1p(np.asarray(mortgage_yield, dtype=np.float64) / 12))
    return effective_yield


def mortgage_yield_at_price(flows: ArrayLike, price: float, *, delay_days: float = 0.0) -> float:
    """Twelve times the monthly rate at which the flows are worth `price`, accrued interest included."""
    flow = np.asarray(flows, dtype=np.float64)[:, None]
    found = float(irr(flow, np.array([price]), delay_days=delay_days)[0])
    if np.isnan(found):
        raise LoanError("no yield: price and cash flow must be positive", where=f"price {price:g}")
    return found


def yield_at_price(flows: ArrayLike, price: float, *, delay_days: float = 0.0) -> float:
    """The bond-equivalent yield at which the flows are worth `price`, accrued interest included."""
    return bond_equivalent(mortgage_yield_at_price(flows, price, delay_days=delay_days))


def price_at_yield(flows: ArrayLike, bond_yield: float, *, delay_days: float = 0.0) -> float:
    """The price, accrued interest included, that gives a bond-equivalent yield."""
    return npv(flows, mortgage_equivalent(bond_yield), delay_days=delay_days)


def duration(flows: ArrayLike, bond_yield: float, *, delay_days: float = 0.0) -> float:
    """Macaulay's: the average years until a unit of present value is received."""
    present = _present(np.asarray(flows, dtype=np.float64), mortgage_equivalent(bond_yield), delay_days)
    return float(_times(len(present), delay_days) @ present / present.sum() / 12)


def modified_duration(flows: ArrayLike, bond_yield: float, *, delay_days: float = 0.0) -> float:
    """The fall of the price, as a fraction of it, for a unit of rise of the bond-equivalent yield."""
    return duration(flows, bond_yield, delay_days=delay_days) / (1 + bond_yield / 2)


def convexity(flows: ArrayLike, bond_yield: float, *, delay_days: float = 0.0) -> float:
    """The second derivative of the price by the bond-equivalent yield, as a fraction of the price (years squared)."""
    present = _present(np.asarray(flows, dtype=np.float64), mortgage_equivalent(bond_yield), delay_days)
    halves = _times(len(present), delay_days) / 6
    weight = present @ (halves * (halves + 1)) / present.sum()
    return float(weight / 4 / (1 + bond_yield / 2) ** 2)


def irr(flows: FloatArray, price: ArrayLike, *, delay_days: float = 0.0) -> FloatArray:
    """Twelve times the monthly rate at which each column of months x loans is worth its price.

    NaN where a price is not positive, or flows are negative or all zero. Newton's method on the logarithm of the
    value, which is convex in the logarithm of the rate and nearly straight.
    """
    paid = np.broadcast_to(np.asarray(price, dtype=np.float64), flows.shape[1:])
    able = (paid > 0) & (flows >= 0).all(axis=0) & (flows.sum(axis=0) > 0)
    amounts, goal = flows[:, able], np.log(paid[able])
    times, force = _times(len(flows), delay_days), np.zeros(int(able.sum()))
    for _ in range(60):
        present = amounts * np.exp(-np.outer(times, force))
        value = present.sum(axis=0)
        step = (np.log(value) - goal) * value / (times @ present)
        force += np.clip(step, -0.5, 0.5)
        if np.all(np.abs(step) < 1e-15 + 1e-13 * np.abs(force)):
            break
    found = np.full(paid.shape, np.nan)
    found[able] = 12 * np.expm1(force)
    return found
