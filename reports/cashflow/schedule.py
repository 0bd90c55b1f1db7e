"""Scheduled balances of many loans, month after month, with nobody prepaying or defaulting.

For each loan the part repaid grows as retired(j) = retired(j-1) * (1 + r) + step, where `step` is the first
month's principal. Every term is positive, so no rate and no term makes it drift, and a rate of 0 is no special case;
the last month repays what is left. The balance, IO part included, is base - retired.

A payment is re-levelled where the rate reverts and where the months without repayment end: base becomes the
balance there, retired 0, and step such that the remaining months repay all but the interest-only amount, which
falls due at the end.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from reports.cashflow.annuity import accumulated
from reports.cashflow.loans import Book
from reports.cashflow.speeds import FloatArray, IntArray

Rounding = Literal["half", "up"] | None


class Schedule:
    """The state of a block of loans at month `index`; loans run longest first, finished ones are dropped.

    `running` counts the loans with a balance left, `net` is the rate a month after the servicing fee; `changed`
    are the positions of the loans re-levelled last month, `net_change` what that did to their net rates.
    """

    def __init__(self, book: Book, *, rounding: Rounding = None) -> None:
        self.book, self.rounding, self.index = book, rounding, 0
        self.base = book.balance.copy()
        self.retired = np.zeros(len(book))
        self.growth, self.step, self.net = np.zeros((3, len(book)))
        self._room = np.empty((2, len(book)))
        self._ends = np.sort(book.remaining)
        self._events = _events(book)
        self.changed = np.arange(len(book))
        self.net_change = self._level(self.changed)
        self.running = self._count()

    def balance(self) -> FloatArray:
        """Balances of the running loans now: a view that the next call overwrites."""
        out = self._room[0, : self.running]
        np.subtract(self.base[: self.running], self.retired[: self.running], out=out)
        return np.maximum(out, 0.0, out=out) if self.rounding else out

    def interest(self, balance: FloatArray) -> FloatArray:
        """Interest due next month at the net rate on these balances: a view likewise."""
        return np.multiply(balance, self.net[: self.running], out=self._room[1, : self.running])

    def advance(self) -> None:
        """Go on by one month."""
        self.index += 1
        self.running = self._count()
        retired = self.retired[: self.running]
        retired *= self.growth[: self.running]
        retired += self.step[: self.running]
        self.changed = self._events.get(self.index, _NOBODY)
        if self.changed.size:
            self.base[self.changed] = np.maximum(self.base[self.changed] - self.retired[self.changed], 0.0)
            self.retired[self.changed] = 0.0
            self.net_change = self._level(self.changed)

    def _count(self) -> int:
        return len(self._ends) - int(np.searchsorted(self._ends, self.index, side="right"))

    def _level(self, rows: IntArray) -> FloatArray:
        """Set the payments of these loans anew from their present balance; the change of their net rates."""
        book = self.book.take(rows)
        rate = np.where(book.reverts <= self.index, book.later_rate, book.rate) / 12
        months = book.remaining - np.maximum(book.free, self.index)
        step = (self.base[rows] - book.bullet) / accumulated(rate, np.maximum(months, 1))
        if self.rounding:
            interest = self.base[rows] * rate
            step = np.maximum(to_cents(interest + step, self.rounding) - interest, 0.0)
        self.step[rows] = np.where(book.free > self.index, 0.0, step)
        self.growth[rows] = 1 + rate
        net = rate - book.fee / 12
        change = net - self.net[rows]
        self.net[rows] = net
        return change


_NOBODY: IntArray = np.empty(0, dtype=np.int64)


def _events(book: Book) -> dict[int, IntArray]:
    """Positions of the loans whose payment is re-levelled, by month."""
    months = np.concatenate([book.free, book.reverts])
    rows = np.tile(np.arange(len(book)), 2)
    there = (months > 0) & (months < np.tile(book.remaining, 2))
    months, rows = months[there], rows[there]
    order = np.argsort(months, kind="stable")
    values, starts = np.unique(months[order], return_index=True)
    parts = np.split(rows[order], starts[1:])
    return {int(month): np.unique(part) for month, part in zip(values, parts, strict=False)}


def to_cents(amount: FloatArray, rounding: Literal["half", "up"]) -> FloatArray:
    """Amounts in whole cents: the nearest, half a cent upwards, or the next one up.

    A hundred-thousandth of a cent is allowed for what binary fractions leave.
    """
    cents = amount * 100
    return (np.floor(cents + 0.5 + 1e-5) if rounding == "half" else np.ceil(cents - 1e-5)) / 100
