"""Sums of scheduled balances over blocks of loans that fit the processor's cache."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from reports.cashflow.assumptions import Assumptions
from reports.cashflow.curves import Curves
from reports.cashflow.loans import Book
from reports.cashflow.schedule import Schedule
from reports.cashflow.speeds import FloatArray, IntArray

OPEN, EDGE, CLOSED, SURVIVED, DEFAULTED = range(5)


@dataclass
class Sums:
    """Balances (`principal`) and balances times net rate (`interest`) by zone, month 0..months and curve.

    The zones OPEN, EDGE and CLOSED are plain sums; SURVIVED and DEFAULTED are the closed loans' sums weighted with
    Q / Z and with C at their cutoff. `excess` is what a loss at full severity would exceed the balance left by,
    for a default rate of 1; `late` is by product, the interest lost that a later rate adds on standing defaults. `lag`
    is 0 where nobody defaults, as no month is special then; `nearness` see below.
    """

    curves: Curves
    rule: Assumptions
    months: int
    principal: FloatArray = field(init=False)
    interest: FloatArray = field(init=False)
    excess: FloatArray = field(init=False)
    late: FloatArray = field(init=False)
    lag: int = field(init=False)
    nearness: float = field(init=False)

    def __post_init__(self) -> None:
        shape = (self.months + 1, self.curves.count)
        self.principal, self.interest = np.zeros((2, 5, *shape))
        self.excess = np.zeros(shape)
        self.late = np.zeros((self.months + 2, int(self.curves.product.max(initial=0)) + 1))
        self.lag = self.rule.recovery_lag if self.curves.defaulting.any() else 0
        self.nearness = _nearness(self.rule) if self.lag and self.rule.advance else 0.0


def _nearness(rule: Assumptions) -> float:
    """Loans with fewer months left than this may owe less at recovery than the severity takes.

    At any rate from 0 the balance left is at least k / (k + lag) of that at default, k months from the end; rounded
    payments may end sooner, so there every loan is near.
    """
    if rule.severity == 1 or rule.rounding:
        return np.inf
    return float(np.ceil(rule.severity * rule.recovery_lag / (1 - rule.severity)))


@dataclass(frozen=True)
class Runs:
    """Neighbours with the same remaining term and curve, in an ordered block; single loans where that saves nothing."""

    starts: IntArray | None
    remaining: IntArray
    curve: IntArray

    @classmethod
    def of(cls, remaining: IntArray, curve: IntArray) -> Runs:
        starts = np.flatnonzero(np.diff(remaining, prepend=-1) | np.diff(curve, prepend=-1))
        if len(starts) * 3 > len(curve):
            return cls(None, remaining, curve)
        return cls(starts, remaining[starts], curve[starts])

    def sums(self, values: FloatArray, running: int) -> FloatArray:
        return values if self.starts is None else np.add.reduceat(values, self.starts[:running])


def sum_block(sums: Sums, book: Book, curve: IntArray) -> None:
    """Add a block of loans, longest first, to the sums."""
    schedule = Schedule(book, rounding=sums.rule.rounding)
    zones = _Zones(sums, Runs.of(book.remaining, curve))
    near, late = _Near(sums, book.remaining, curve), _Late(sums, book, curve)
    for month in range(sums.months + 1):
        if not schedule.running:
            return
        balance = schedule.balance()
        zones.add(month, balance, schedule.interest(balance))
        near.add(month, balance)
        late.add(balance)
        schedule.advance()
        late.turn(schedule)


class _Zones:
    """Adds the balances of a block's runs to the sums of their zones."""

    def __init__(self, sums: Sums, runs: Runs) -> None:
        self.sums, self.runs = sums, runs
        cutoff = np.maximum(runs.remaining - sums.lag, 0)
        months = np.arange(sums.months + 1)
        self.open = _more_than(cutoff, months)
        self.edge = _more_than(cutoff, months - 1)
        self.running = _more_than(runs.remaining, months)
        at = np.minimum(cutoff, sums.months), runs.curve
        keeping = sums.curves.keeping[at]
        self.survived = np.divide(sums.curves.surviving[at], keeping, out=np.zeros(len(keeping)), where=keeping > 0)
        self.defaulted = sums.curves.defaulted[at]

    def add(self, month: int, balance: FloatArray, interest: FloatArray) -> None:
        running = self.running[month]
        for values, table in ((balance, self.sums.principal), (interest, self.sums.interest)):
            self._spread(month, self.runs.sums(values, running), table)

    def _spread(self, month: int, values: FloatArray, table: FloatArray) -> None:
        opened, edge, running = self.open[month], self.edge[month], self.running[month]
        edge = min(edge, running)
        self._put(table[OPEN, month], values, 0, opened)
        self._put(table[EDGE, month], values, opened, edge)
        if edge < running:
            closed = slice(edge, running)
            self._put(table[CLOSED, month], values, edge, running)
            survived, defaulted = values[closed] * self.survived[closed], values[closed] * self.defaulted[closed]
            curve = self.runs.curve[closed]
            table[SURVIVED, month] += np.bincount(curve, survived, table.shape[-1])
            table[DEFAULTED, month] += np.bincount(curve, defaulted, table.shape[-1])

    def _put(self, row: FloatArray, values: FloatArray, start: int, end: int) -> None:
        if start < end:
            row += np.bincount(self.runs.curve[start:end], values[start:end], len(row))


class _Near:
    """Adds the excess of losses over the balance left, for the loans near their end."""

    def __init__(self, sums: Sums, remaining: IntArray, curve: IntArray) -> None:
        self.sums, self.curve = sums, curve
        months = np.arange(sums.months + sums.lag + 2)
        self.first = np.zeros(len(months), dtype=np.int64)
        if np.isfinite(sums.nearness):
            self.first = _more_than(remaining, months + int(sums.nearness) - 1)
        self.past: deque[FloatArray] = deque()

    def add(self, month: int, balance: FloatArray) -> None:
        lag = self.sums.lag
        if not self.sums.nearness:
            return
        self.past.append(balance[self.first[month + lag] :].copy())
        if month < lag:
            return
        then, now = self.past.popleft(), balance[self.first[month] :]
        excess = np.maximum(self.sums.rule.severity * then[: len(now)] - now, 0.0)
        row = self.sums.excess[month]
        row += np.bincount(self.curve[self.first[month] : len(balance)], excess, len(row))


class _Late:
    """Adds the change of interest lost when the rate reverts over defaults that stand still.

    Only without advances: there the sums hold each default at the rate of its own month.
    """

    def __init__(self, sums: Sums, book: Book, curve: IntArray) -> None:
        self.sums, self.book, self.curve = sums, book, curve
        turning = bool(np.any(book.reverts < book.remaining))
        self.wanted = turning and not sums.rule.advance and sums.lag > 0
        self.past: deque[FloatArray] = deque(maxlen=sums.lag)

    def add(self, balance: FloatArray) -> None:
        if self.wanted:
            self.past.append(balance.copy())

    def turn(self, schedule: Schedule) -> None:
        """Charge the defaults of the months up to now at the change of rate, until they are recovered."""
        rows, month = schedule.changed, schedule.index
        if not self.wanted or not rows.size or month > self.sums.months:
            return
        change, cutoff = schedule.net_change, self.book.remaining[rows] - self.sums.lag
        product, late = self.sums.curves.product[self.curve[rows]], self.sums.late
        for back, balance in enumerate(reversed(self.past)):
            at = month - back
            share = np.where(at <= cutoff, self.sums.curves.defaulting[at, self.curve[rows]], 0.0)
            lost = np.bincount(product, change * balance[rows] * share, late.shape[1])
            late[month + 1] += lost
            late[min(at + self.sums.lag + 1, len(late) - 1)] -= lost


def _more_than(descending: IntArray, months: IntArray) -> IntArray:
    """How many of the values, largest first, are greater than each month."""
    return len(descending) - np.searchsorted(descending[::-1], months, side="right")
