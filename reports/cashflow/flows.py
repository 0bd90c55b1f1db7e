"""The flows of single loans, month by month, straight from the formulas; the totals take a shorter way.

Order within a month: default, then scheduled principal, then prepayment. Loans default on the balance at the start
of the month (MDR of it), never in the last `lag` months of their term. Foreclosed loans are recovered `lag` months
later; while principal and interest are advanced they amortise on, else they stand still. The loss is `severity` of
the balance at default, and never more than what is left of it at recovery.

Source: Standard Formulas of The Bond Market Association (now SIFMA), chapter SF, C.3.
"""

from __future__ import annotations

import numpy as np

from reports.cashflow.assumptions import Assumptions
from reports.cashflow.loans import Book
from reports.cashflow.schedule import Schedule
from reports.cashflow.speeds import FloatArray, IntArray

COLUMNS = (
    "performing",
    "defaults",
    "foreclosure",
    "scheduled",
    "prepaid",
    "amortised_defaults",
    "interest",
    "interest_lost",
    "recovery",
    "loss",
)
Flows = dict[str, FloatArray]


def loan_flows(book: Book, assumptions: Assumptions, months: int) -> Flows:
    """The flows of loans under one set of assumptions: arrays of months x loans, row 0 for month 1."""
    balances, rates = _schedules(book, assumptions, months)
    month = np.arange(1, months + 1)[:, None]
    default, prepayment = hazards(assumptions, book.age, month)
    default[month > book.remaining - assumptions.recovery_lag] = 0.0
    flows = {name: np.zeros((months, len(book))) for name in (*COLUMNS, "charge")}
    performing, foreclosure = balances[0], np.zeros(len(book))
    for row in range(months):
        start = {"performing": performing, "foreclosure": foreclosure}
        _month(flows, start, row, (balances, rates, default[row], prepayment[row], assumptions))
        performing, foreclosure = flows["performing"][row], flows["foreclosure"][row]
    flows["charge"] = flows["prepaid"] * assumptions.charge(book.age + month)
    return flows


def hazards(assumptions: Assumptions, age: IntArray, month: IntArray) -> tuple[FloatArray, FloatArray]:
    """MDR and SMM of loans of these ages today, months x loans, MDR before the rule on the last months."""
    shape = np.broadcast(age, month).shape
    at, when = np.broadcast_to(age + month, shape), np.broadcast_to(month, shape)
    return assumptions.default(at, when), assumptions.prepayment(at, when)


def _schedules(book: Book, assumptions: Assumptions, months: int) -> tuple[FloatArray, FloatArray]:
    """Scheduled balances at the ends of months 0..months, and net rates a month for months 1..months."""
    order = np.argsort(-book.remaining, kind="stable")
    schedule = Schedule(book.take(order), rounding=assumptions.rounding)
    balances, rates = np.zeros((months + 1, len(book))), np.zeros((months, len(book)))
    for row in range(months):
        balances[row, order[: schedule.running]] = schedule.balance()
        rates[row, order] = schedule.net
        schedule.advance()
    balances[months, order[: schedule.running]] = schedule.balance()
    return balances, rates


def _month(
    flows: Flows,
    start: Flows,
    row: int,
    terms: tuple[FloatArray, FloatArray, FloatArray, FloatArray, Assumptions],
) -> None:
    """One month of the formulas, written into `row`."""
    balances, rates, default, prepayment, assumptions = terms
    lag, left = assumptions.recovery_lag, _ratio(balances[row + 1], balances[row])
    performing, foreclosure = start["performing"], start["foreclosure"]
    defaults = performing * default
    smm = np.minimum(prepayment, 1 - default)
    flows["defaults"][row] = defaults
    flows["scheduled"][row] = (performing - defaults) * (1 - left)
    flows["prepaid"][row] = performing * left * smm
    flows["performing"][row] = performing * left * (1 - default - smm)
    due = flows["defaults"][row - lag] if row >= lag else np.zeros_like(defaults)
    kept = _ratio(balances[row], balances[row - lag]) if assumptions.advance and row >= lag else 1.0
    recovered = due * kept
    flows["loss"][row] = np.minimum(due * assumptions.severity, recovered)
    flows["recovery"][row] = np.maximum(recovered - flows["loss"][row], 0.0)
    waiting = without_noise(defaults + foreclosure - recovered, defaults + foreclosure)
    flows["amortised_defaults"][row] = waiting * (1 - left) if assumptions.advance else 0.0
    flows["foreclosure"][row] = waiting * left if assumptions.advance else waiting
    flows["interest"][row] = (performing - defaults) * rates[row]
    flows["interest_lost"][row] = (defaults + foreclosure) * rates[row]


def _ratio(later: FloatArray, earlier: FloatArray) -> FloatArray:
    return np.divide(later, earlier, out=np.zeros_like(later), where=earlier > 0)


def without_noise(difference: FloatArray, size: FloatArray) -> FloatArray:
    """Differences, exactly 0 where they are only what rounding leaves of numbers of this size."""
    return np.where(np.abs(difference) <= 1e-13 * np.abs(size), 0.0, difference)
