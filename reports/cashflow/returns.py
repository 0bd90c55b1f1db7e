"""What each loan earns: effective rate, net present value and profit.

Up-front fees and costs fall at the start of the projection: the outlay for a loan is balance - fees + costs. What
comes back is principal, interest after the servicing fee, early-repayment charges and recoveries.
"""

from __future__ import annotations

import numpy as np

from reports.cashflow.flows import Flows
from reports.cashflow.loans import Book
from reports.cashflow.measures import effective, irr
from reports.cashflow.speeds import FloatArray
from reports.errors import LoanError

PRINCIPAL = ("scheduled", "prepaid", "amortised_defaults", "recovery")
RECEIVED = (*PRINCIPAL, "interest", "charge")


def received(flows: Flows) -> FloatArray:
    """Cash by month and loan."""
    return total(flows, RECEIVED)


def total(flows: Flows, names: tuple[str, ...]) -> FloatArray:
    """The sum of these flows, by month and loan."""
    return np.asarray(sum(flows[name] for name in names), dtype=np.float64)


def returns(book: Book, flows: Flows, rate: float | None) -> Flows:
    """Rates and value by loan.

    `irr` is twelve times the monthly rate and `effective_rate` is compounded once a year, both NaN where the outlay is
    not positive; with a rate, `npv` is the value of what comes back, at a twelfth of it a month, less the outlay.
    """
    cash, outlay = received(flows), book.balance - book.fees + book.costs
    found = irr(cash, outlay)
    columns = {"irr": found, "effective_rate": effective(found)}
    if rate is not None:
        if not rate > -12:
            raise LoanError(f"rate is {rate:g}", hint="give a fraction a year, more than -12")
        columns["npv"] = (1 + rate / 12) ** -np.arange(1.0, len(cash) + 1) @ cash - outlay
    return columns


def profit(book: Book, flows: Flows, first: int, last: int) -> FloatArray:
    """By loan: interest and charges less losses in months first..last, and fees less costs where first is 0."""
    span = slice(max(first, 1) - 1, last)
    earned: FloatArray = (flows["interest"][span] + flows["charge"][span] - flows["loss"][span]).sum(axis=0)
    return earned + book.fees - book.costs if first == 0 else earned
