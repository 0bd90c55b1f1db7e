"""Totals over very many loans without the flows of each.

The recursion separates: PERF(j) = balance(j) * Q(j), where the scheduled balance depends on a loan's own terms, and
the surviving share Q only on its curve (product and age) and on its cutoff, the last month in which it may default
(remaining term less lag). So the work per loan and month is the scheduled balance alone; sums of it by curve meet the
curve's coefficients once, at the end.

A loan is *open* at month j before its cutoff, at the *edge* in that month, and *closed* after it. Closed loans
survive as Q(cutoff) Z(j) / Z(cutoff), Z being the share that does not prepay; the share of them in foreclosure is
C(cutoff) - C(j - lag), C being the sum of all defaults so far, as a share of the scheduled balance. Advanced defaults
amortise on the loan's own schedule, so they are a share of the same balance. Defaults that are not advanced stand
still: they are the sum of the last `lag` months' defaults.

Only the loss is no sum of products: min(severity * balance at default, balance left) differs from its first part
near the end of a term alone, and its excess is summed over the loans that are that near.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from reports.cashflow.assumptions import Assumptions
from reports.cashflow.blocks import CLOSED, DEFAULTED, EDGE, OPEN, SURVIVED, Sums, sum_block
from reports.cashflow.curves import curves, lagged
from reports.cashflow.flows import COLUMNS, Flows, without_noise
from reports.cashflow.loans import Book
from reports.cashflow.merging import in_order
from reports.cashflow.speeds import FloatArray, IntArray

BLOCK = 16_384
MOST_CURVES = 2_048
PORTION = 1_000_000


def total_flows(book: Book, plans: list[Assumptions], months: int, *, portion: int = PORTION) -> Flows:
    """The flows of all loans by product, arrays of months x products; `plans` are the products' assumptions.

    `portion` loans are ordered and summed at a time, which bounds the memory.
    """
    flows = {name: np.zeros((months, len(plans))) for name in (*COLUMNS, "charge")}
    for start in range(0, len(book), portion):
        for rule, loans in _alike(book.take(slice(start, start + portion)), plans):
            for part, curve, product, age in _tables(loans):
                sums = Sums(curves(plans, product, age, months), rule, months)
                _sum(sums, part, curve)
                _add(flows, sums)
    return flows


def _add(flows: Flows, sums: Sums) -> None:
    """Add the flows of these sums' curves to those of their products."""
    products, starts = np.unique(sums.curves.product, return_index=True)
    for name, values in _flows(sums).items():
        flows[name][:, products] += np.add.reduceat(values, starts, axis=1)
    late, size = np.cumsum(sums.late, axis=0), np.cumsum(np.abs(sums.late), axis=0)
    flows["interest_lost"][:, : late.shape[1]] += without_noise(late, size)[1:-1]


def _alike(book: Book, plans: list[Assumptions]) -> Iterator[tuple[Assumptions, Book]]:
    """The loans of products that share lag, severity, advances and rounding, and one set of assumptions of theirs."""
    rules = [(plan.recovery_lag, plan.severity, plan.advance, plan.rounding) for plan in plans]
    for rule in dict.fromkeys(rules):
        member = np.array([each == rule for each in rules])
        loans = book if member.all() else book.take(np.flatnonzero(member[book.product]))
        yield plans[int(np.argmax(member))], loans


def _tables(book: Book) -> Iterator[tuple[Book, IntArray, IntArray, IntArray]]:
    """The loans in portions of so many curves that the tables stay small: loans, their curves, the curves'
    products (ascending) and ages.
    """
    ages = int(book.age.max(initial=0)) + 1
    code = book.product * ages + book.age
    present = np.flatnonzero(np.bincount(code))
    place = np.zeros(int(present.max(initial=0)) + 1, dtype=np.int64)
    place[present] = np.arange(len(present))
    curve = place[code]
    for start in range(0, len(present), MOST_CURVES):
        here = present[start : start + MOST_CURVES]
        product, age = np.divmod(here, ages)
        if len(here) == len(present):
            yield book, curve, product, age
        else:
            rows = np.flatnonzero((curve >= start) & (curve < start + MOST_CURVES))
            yield book.take(rows), curve[rows] - start, product, age


def _sum(sums: Sums, book: Book, curve: IntArray) -> None:
    """Sum all loans, block by block; loans alike are summed beforehand unless payments are rounded."""
    book, curve, order = in_order(book, curve, merge=not sums.rule.rounding)
    for start in range(0, len(order), BLOCK):
        rows = order[start : start + BLOCK]
        sum_block(sums, book.take(rows), curve[rows])


def _flows(sums: Sums) -> Flows:
    """Sums met with coefficients: flows of months 1..months by curve."""
    known, lag = sums.curves, sums.lag
    everyone = sums.principal[OPEN] + sums.principal[EDGE] + sums.principal[CLOSED]
    performing = _performing(sums, sums.principal)
    defaults = _previous(sums.principal[OPEN], known.defaulting)
    prepaid = _prepaid(sums)
    scheduled = without_noise(performing[:-1] - performing[1:] - defaults - prepaid, performing[:-1])
    rate_paid = _performing(sums, sums.interest)[:-1] - _previous(sums.interest[OPEN], known.defaulting)
    due = lagged(known.defaulting, lag)
    loss = sums.rule.severity * lagged(defaults, lag) - _previous(sums.excess, due)
    recovered = _previous(everyone, due) if sums.rule.advance else lagged(defaults, lag)
    foreclosure, lost = _foreclosure(sums, defaults)
    waiting = np.vstack([np.zeros((1, known.count)), foreclosure[:-1]])
    amortised = without_noise(defaults + waiting - recovered - foreclosure, waiting + defaults)
    return {
        "performing": performing[1:],
        "defaults": defaults,
        "foreclosure": foreclosure,
        "scheduled": scheduled,
        "prepaid": prepaid,
        "amortised_defaults": amortised if sums.rule.advance else np.zeros_like(defaults),
        "interest": rate_paid,
        "interest_lost": lost,
        "recovery": np.maximum(recovered - loss, 0.0),
        "loss": loss,
        "charge": prepaid * known.charge[1:],
    }


def _performing(sums: Sums, table: FloatArray) -> FloatArray:
    """The share of the table's balances (or interest) that performs, months 0..months by curve."""
    known = sums.curves
    performing: FloatArray = (table[OPEN] + table[EDGE]) * known.surviving + table[SURVIVED] * known.keeping
    return performing


def _prepaid(sums: Sums) -> FloatArray:
    known, table = sums.curves, sums.principal
    with_defaults = (table[OPEN, 1:] + table[EDGE, 1:]) * known.prepaying[1:] * known.surviving[:-1]
    prepaid: FloatArray = with_defaults + table[SURVIVED, 1:] * known.prepaying_alone[1:] * known.keeping[:-1]
    return prepaid


def _foreclosure(sums: Sums, defaults: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Balances in foreclosure, and the interest lost on them and on new defaults, for months 1..months."""
    known, lag = sums.curves, sums.lag
    new = _previous(sums.interest[OPEN], known.defaulting)
    if not sums.rule.advance:
        return _window(defaults, lag), _window(new, lag + 1)
    held = [_held(sums, table) for table in (sums.principal, sums.interest)]
    return held[0][1:], new + held[1][:-1]


def _held(sums: Sums, table: FloatArray) -> FloatArray:
    """The advanced balances (or interest) of the last `lag` months' defaults, months 0..months."""
    before = lagged(sums.curves.defaulted, sums.lag)
    share: FloatArray = (table[OPEN] + table[EDGE]) * (sums.curves.defaulted - before)
    return share + without_noise(table[DEFAULTED] - table[CLOSED] * before, table[DEFAULTED])


def _window(flow: FloatArray, lag: int) -> FloatArray:
    """Sums of the last `lag` months."""
    total = np.cumsum(flow, axis=0)
    return without_noise(total - lagged(total, lag), total)


def _previous(table: FloatArray, share: FloatArray) -> FloatArray:
    """Balances at the start of months 1..months times shares of these months."""
    product: FloatArray = table[:-1] * share[1:]
    return product
