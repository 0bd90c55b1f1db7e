"""What is assumed about the loans' future: how fast they prepay, default and recover."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from reports.cashflow import speeds
from reports.cashflow.speeds import FloatArray, IntArray
from reports.errors import LoanError

Speed = float | Sequence[float] | np.ndarray
Curve = Sequence[float] | np.ndarray | Mapping[int, float]

PREPAYMENTS = ("smm", "cpr", "psa", "abs", "survival")
DEFAULTS = ("mdr", "cdr", "sda")
HIGHEST: dict[str, float] = {"psa": np.inf, "sda": np.inf}


@dataclass(frozen=True, kw_only=True)
class Assumptions:
    """One prepayment speed, one default speed and what follows a default, for all products or for some.

    Units: `smm`, `cpr`, `abs`, `mdr`, `cdr`, `severity` and charges are fractions (0.06 is 6 %); `psa` and `sda`
    are percent of the standard curve (150 is 150 % PSA). Every speed is one number or a sequence of monthly ones,
    whose last value holds for good. The first number of a sequence belongs to the first projected month, or to the
    first month of the loan's life with `vectors="age"`. The ramps of PSA, SDA and ABS, the survival curve and the
    charges always run by the **loan's** age, never by the pool's.

    - `survival`: the fraction of loans not yet repaid early after month 1, 2, ... of their life (not an annual
      rate), or a mapping from month to fraction (between months on a straight line); flat after its end.
    - `early_repayment_charge`: the fraction of an early repayment charged in month 1, 2, ...; 0 after its end. A
      mapping from month to fraction holds each value until the next month named.
    - `severity`: the part lost, of the balance **at default**; `recovery_lag`: months from default to recovery. No
      loan defaults in its last `recovery_lag` months.
    - `advance`: scheduled principal and interest of defaulted loans are advanced until recovery, so their balance
      goes on amortising.
    - `rounding`: payments rounded to the cent, `"half"` (up from half a cent) or `"up"`; the last payment settles
      what remains. A rounded payment never falls below the interest.
    - `products`: assumptions by product, used in place of these where a loan's product is named.
    """

    smm: Speed | None = None
    cpr: Speed | None = None
    psa: Speed | None = None
    abs: Speed | None = None
    survival: Curve | None = None
    mdr: Speed | None = None
    cdr: Speed | None = None
    sda: Speed | None = None
    severity: float = 0.0
    recovery_lag: int = 0
    advance: bool = True
    early_repayment_charge: Curve | None = None
    rounding: Literal["half", "up"] | None = None
    vectors: Literal["month", "age"] = "month"
    products: Mapping[str, Assumptions] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for names in (PREPAYMENTS, DEFAULTS):
            given = [name for name in names if getattr(self, name) is not None]
            if len(given) > 1:
                raise LoanError(f"speeds {' and '.join(given)} exclude each other", hint="give one of them")
            for name in given:
                _check_range(name, getattr(self, name), HIGHEST.get(name, 1.0))
        _check_range("severity", self.severity, 1.0)
        if self.early_repayment_charge is not None:
            _check_range("early_repayment_charge", self.early_repayment_charge, 1.0)
        self._check_words()
        self._check_survival()

    def _check_words(self) -> None:
        lag = self.recovery_lag
        if isinstance(lag, bool) or lag != int(lag) or not 0 <= lag <= 600:
            raise LoanError(f"recovery_lag is {lag}", hint="give whole months from 0 to 600")
        if self.rounding not in (None, "half", "up"):
            raise LoanError(f"rounding is {self.rounding!r}", hint='give "half", "up" or None')
        if self.vectors not in ("month", "age"):
            raise LoanError(f"vectors is {self.vectors!r}", hint='give "month" or "age"')
        if any(inner.products for inner in self.products.values()):
            raise LoanError("the assumptions of a product name products of their own")

    def _check_survival(self) -> None:
        if self.survival is not None and np.any(np.diff(by_month(self.survival, start=1.0)) > 0):
            raise LoanError("survival rises from one month to the next", hint="give the fraction still alive")

    def of(self, product: str) -> Assumptions:
        """The assumptions for one product: its own where it is named, else these."""
        return self.products.get(product, self)

    def prepayment(self, age: IntArray, month: IntArray) -> FloatArray:
        """SMM in the given months of the loans' lives, which are the given months of the projection."""
        position = age if self.vectors == "age" else month
        if self.smm is not None:
            return speeds.at(self.smm, position)
        if self.cpr is not None:
            return speeds.smm_from_cpr(speeds.at(self.cpr, position))
        if self.psa is not None:
            return speeds.smm_from_psa(speeds.at(self.psa, position), age)
        if self.abs is not None:
            return speeds.smm_from_abs(speeds.at(self.abs, position), age)
        if self.survival is not None:
            leaving = speeds.smm_from_survival(by_month(self.survival, start=1.0))
            return speeds.at(np.append(leaving, 0.0), age)
        return np.zeros(np.broadcast(age, month).shape)

    def default(self, age: IntArray, month: IntArray) -> FloatArray:
        """MDR in the given months of the loans' lives, before the rule on the last months."""
        position = age if self.vectors == "age" else month
        if self.mdr is not None:
            return speeds.at(self.mdr, position)
        if self.cdr is not None:
            return speeds.smm_from_cpr(speeds.at(self.cdr, position))
        if self.sda is not None:
            return speeds.smm_from_cpr(speeds.cdr_from_sda(speeds.at(self.sda, position), age))
        return np.zeros(np.broadcast(age, month).shape)

    def charge(self, age: IntArray) -> FloatArray:
        """The fraction charged on early repayments in the given months of the loans' lives."""
        if self.early_repayment_charge is None:
            return np.zeros(age.shape)
        return speeds.at(np.append(steps(self.early_repayment_charge), 0.0), age)


def by_month(curve: Curve, *, start: float) -> FloatArray:
    """A curve as one value for each of the months 1, 2, ...; a mapping's gaps lie on straight lines."""
    if not isinstance(curve, Mapping):
        return np.asarray(curve, dtype=np.float64)
    points = {0: start, **{int(month): float(value) for month, value in curve.items()}}
    known = sorted(points)
    return np.interp(np.arange(1, known[-1] + 1), known, [points[month] for month in known])


def steps(curve: Curve) -> FloatArray:
    """A table as one value for each of the months 1, 2, ...; a mapping's values hold until the next one."""
    if not isinstance(curve, Mapping):
        return np.asarray(curve, dtype=np.float64)
    known = np.array(sorted(curve), dtype=np.int64)
    values = np.array([0.0, *(float(curve[month]) for month in sorted(curve))])
    return values[np.searchsorted(known, np.arange(1, known[-1] + 1), side="right")]


def _check_range(name: str, value: Speed | Curve, highest: float) -> None:
    """A LoanError unless every number lies between 0 and `highest`."""
    numbers = _numbers(name, value)
    wrong = numbers[~((numbers >= 0) & (numbers <= highest) & np.isfinite(numbers))]
    if numbers.size == 0:
        raise LoanError(f"{name} has no values")
    if wrong.size:
        limit = "0 or more" if np.isinf(highest) else f"a fraction from 0 to {highest:g}"
        raise LoanError(f"{name} is {wrong[0]:g}", where=f"assumption {name}", hint=f"give {limit}")


def _numbers(name: str, value: Speed | Curve) -> FloatArray:
    plain = list(value.values()) if isinstance(value, Mapping) else value
    try:
        return np.atleast_1d(np.asarray(plain, dtype=np.float64))
    except (TypeError, ValueError) as error:
        raise LoanError(f"{name} is not a number or a sequence of numbers: {value!r}") from error
