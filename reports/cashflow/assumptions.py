"""What is assumed about the loans' future: how fast they prepay, default and recover."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from reports.cashflow import speeds
from reports.cashflow.speeds import LONGEST, FloatArray, IntArray
from reports.errors import LoanError

Speed = float | Sequence[float] | np.ndarray
Curve = Sequence[float] | np.ndarray | Mapping[int, float]

PREPAYMENTS = ("smm", "cpr", "psa", "abs", "survival")
DEFAULTS = ("mdr", "cdr", "sda")
CURVES = ("survival", "early_repayment_charge")
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
        if np.ndim(self.severity):
            raise LoanError("severity has several values", hint="give one fraction")
        if self.early_repayment_charge is not None:
            _check_range("early_repayment_charge", self.early_repayment_charge, 1.0)
        self._check_words()
        self._check_survival()

    def _check_words(self) -> None:
        if not _whole(self.recovery_lag, 0, 600):
            raise LoanError(f"recovery_lag is {self.recovery_lag}", hint="give whole months from 0 to 600")
        if not isinstance(self.advance, bool):
            raise LoanError(f"advance is {self.advance!r}", hint="give True or False")
        if self.rounding not in (None, "half", "up"):
            raise LoanError(f"rounding is {self.rounding!r}", hint='give "half", "up" or None')
        if self.vectors not in ("month", "age"):
            raise LoanError(f"vectors is {self.vectors!r}", hint='give "month" or "age"')
        self._check_products()

    def _check_products(self) -> None:
        for name, inner in self.products.items():
            if not isinstance(inner, Assumptions):
                raise LoanError(f"the assumptions of product {name} are {inner!r}", hint="give Assumptions(...)")
            if inner.products:
                raise LoanError(f"the assumptions of product {name} name products of their own")
        # Products of a frame are texts, whatever they are made of.
        object.__setattr__(self, "products", {str(name): inner for name, inner in self.products.items()})

    def _check_survival(self) -> None:
        if self.survival is None:
            return
        _check_range("survival", self.survival, 1.0)
        if np.any(np.diff(by_month(self.survival, start=1.0)) > 0):
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
    points = {0: start, **_table(curve)}
    return np.interp(np.arange(1, max(points) + 1), list(points), list(points.values()))


def steps(curve: Curve) -> FloatArray:
    """A table as one value for each of the months 1, 2, ...; a mapping's values hold until the next one."""
    if not isinstance(curve, Mapping):
        return np.asarray(curve, dtype=np.float64)
    table = _table(curve)
    values = np.array([0.0, *table.values()])
    return values[np.searchsorted(list(table), np.arange(1, max(table) + 1), side="right")]


def _table(curve: Mapping[Any, float]) -> dict[int, float]:
    """A mapping by month in order, also from a file, whose keys are texts; a LoanError for what is no month."""
    months = {key: str(key).strip() for key in curve}
    if wrong := [key for key, text in months.items() if not text.isdecimal() or not 1 <= int(text) <= LONGEST]:
        raise LoanError(f"{wrong[0]!r} is not a month", hint=f"a table's months are whole numbers from 1 to {LONGEST}")
    return dict(sorted((int(months[key]), float(value)) for key, value in curve.items()))


def _check_range(name: str, value: Speed | Curve, highest: float) -> None:
    """A LoanError unless every number lies between 0 and `highest`."""
    numbers = _numbers(name, value)
    if numbers.ndim > 1 or (name in CURVES and not np.iterable(value)):
        raise LoanError(f"{name} is not a sequence of monthly values", where=f"assumption {name}")
    wrong = numbers[~((numbers >= 0) & (numbers <= highest) & np.isfinite(numbers))]
    if numbers.size == 0:
        raise LoanError(f"{name} has no values")
    if wrong.size:
        limit = "0 or more" if np.isinf(highest) else f"a fraction from 0 to {highest:g}"
        raise LoanError(f"{name} is {wrong[0]:g}", where=f"assumption {name}", hint=f"give {limit}")


def _whole(value: object, least: int, most: int) -> bool:
    """Whether a value is a whole number in a range; True and False are none."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and least <= int(value) <= most


def _numbers(name: str, value: Speed | Curve) -> FloatArray:
    plain = list(value.values()) if isinstance(value, Mapping) else value
    try:
        return np.atleast_1d(np.asarray(plain, dtype=np.float64))
    except (TypeError, ValueError) as error:
        raise LoanError(f"{name} is not a number or a sequence of numbers: {value!r}") from error
