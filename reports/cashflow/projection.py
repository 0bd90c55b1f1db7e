"""Loans and assumptions in, cash flows out."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable, Iterable, Mapping
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd

from reports.cashflow.assumptions import Assumptions
from reports.cashflow.flows import COLUMNS, Flows, loan_flows
from reports.cashflow.loans import Book, read_book
from reports.cashflow.measures import average_life, yield_at_price
from reports.cashflow.returns import PRINCIPAL, profit, returns, total
from reports.cashflow.speeds import LONGEST, FloatArray, IntArray
from reports.cashflow.totals import total_flows
from reports.errors import LoanError

SINGLY = 4_096


def project(
    loans: pd.DataFrame,
    assumptions: Assumptions | None = None,
    *,
    months: int = 360,
    on_bad: Literal["raise", "set_aside"] = "raise",
) -> Projection:
    """The cash flows of loans over the next `months` months; the columns of `loans` are told in `loans.py`.

    LoanError: a column is missing; or a loan cannot be, unless `on_bad="set_aside"` puts such loans aside.
    """
    if not isinstance(loans, pd.DataFrame):
        raise LoanError(f"loans are {type(loans).__name__}, not a DataFrame")
    if not isinstance(months, int | np.integer) or isinstance(months, bool) or not 1 <= months <= LONGEST:
        raise LoanError(f"months is {months}", hint=f"give a whole number from 1 to {LONGEST}")
    return Projection(loans.copy(deep=False), assumptions or Assumptions(), months=int(months), on_bad=on_bad)


class Projection:
    """Flows by month, of all loans, by product or of single loans; single loans are computed when asked for.

    Frames have one row per month 1..months and amounts in the currency of the balances: performing and foreclosure
    at the end of the month, all else during it. `interest` is what performing loans pay after the servicing fee,
    `interest_lost` what loans in default would have paid. `set_aside` holds the loans not projected, with a reason.
    """

    def __init__(
        self, loans: pd.DataFrame, assumptions: Assumptions, *, months: int, on_bad: Literal["raise", "set_aside"]
    ) -> None:
        self._loans = loans  # the book looks into it
        self.assumptions, self.months = assumptions, months
        self.book, self.ids, self.set_aside = read_book(loans, on_bad=on_bad)
        if unknown := sorted(set(assumptions.products) - set(self.book.products)):
            there = ", ".join(self.book.products)
            message = f"no loan has the product {', '.join(unknown)}, whose assumptions are unused; there are: {there}"
            warnings.warn(message, stacklevel=3)
        self._plans = [assumptions.of(name) for name in self.book.products]
        self._flows = total_flows(self.book, self._plans, months)

    @property
    def count(self) -> int:
        """How many loans were projected."""
        return len(self.book)

    @cached_property
    def balance(self) -> float:
        """The balance of all loans today."""
        return float(self.book.balance.sum())

    @cached_property
    def totals(self) -> pd.DataFrame:
        """All loans: month, performing, defaults, foreclosure, scheduled, prepaid, amortised_defaults, interest,
        interest_lost, recovery, loss.
        """
        return self._frame({name: self._flows[name].sum(axis=1) for name in COLUMNS})

    @cached_property
    def by_product(self) -> pd.DataFrame:
        """The columns of `totals` after a column `product`; one row per product and month."""
        frame = self._frame({"month": np.tile(self._months, len(self._plans)), **self._stacked(self._flows)})
        frame.insert(0, "product", np.repeat(np.array(self.book.products, dtype=object), self.months))
        return frame

    @cached_property
    def charges(self) -> pd.DataFrame:
        """Early-repayment charges on all loans: month, charge."""
        return self._frame({"charge": self._flows["charge"].sum(axis=1)})

    @cached_property
    def cash(self) -> pd.DataFrame:
        """What all loans pay: month, principal (scheduled, prepaid, amortised defaults, recovery), interest,
        cash_flow (their sum, without charges).
        """
        return cash(self.totals)

    @property
    def average_life(self) -> float:
        """Years until a unit of principal is received, on average."""
        return average_life(self.cash["principal"].to_numpy())

    def yield_at(self, price: float = 100.0, *, delay_days: float = 0.0) -> float:
        """The bond-equivalent annual yield of the cash flow bought at `price` percent of the balance."""
        return yield_at_price(self.cash["cash_flow"].to_numpy(), price / 100 * self.balance, delay_days=delay_days)

    def loan(self, loan_id: Hashable) -> pd.DataFrame:
        """The columns of `totals` for one loan."""
        return self.loans([loan_id]).drop(columns="loan_id")

    def loans(self, loan_ids: Iterable[Hashable]) -> pd.DataFrame:
        """The columns of `totals` after a column `loan_id`, for these loans in this order."""
        rows = self._rows(loan_ids)
        return self._by_loan(rows, self._stacked(self._loan_flows(rows)))

    def lines(self, loan_ids: Iterable[Hashable]) -> pd.DataFrame:
        """What is charted for these loans in this order: loan_id, month, balance, interest, scheduled, prepaid,
        charge, cash_flow (charges and recoveries included).
        """
        rows = self._rows(loan_ids)
        flows = {name: values.ravel(order="F") for name, values in self._loan_flows(rows).items()}
        shown = {name: flows[name] for name in ("interest", "scheduled", "prepaid", "charge")}
        paid = sum(shown.values(), flows["amortised_defaults"] + flows["recovery"])
        return self._by_loan(rows, {"balance": flows["performing"] + flows["foreclosure"], **shown, "cash_flow": paid})

    @cached_property
    def summary(self) -> pd.DataFrame:
        """One row per loan: loan_id, product, balance, average_life (years), interest, prepaid, defaults, loss over
        the months projected. Loans are projected singly, so a million take a while.
        """
        frame = self._singly(np.arange(self.count), lambda _, flows: _summary(flows))
        frame.insert(1, "product", np.array(self.book.products, dtype=object)[self.book.product])
        frame.insert(2, "balance", self.book.balance)
        return frame

    def returns(self, loan_ids: Iterable[Hashable] | None = None, *, rate: float | None = None) -> pd.DataFrame:
        """One row per loan: loan_id, irr (twelve times the monthly rate), effective_rate (compounded once a year)
        and, at an annual `rate`, npv; fees and costs at the start are part of each.
        """
        return self._singly(self._rows(loan_ids), lambda book, flows: returns(book, flows, rate))

    def profit(self, first: int, last: int, loan_ids: Iterable[Hashable] | None = None) -> pd.DataFrame:
        """One row per loan: loan_id, profit in months first..last: interest and charges less losses, and fees less
        costs where `first` is 0. `daycount.months_between` turns dates into months.
        """
        if not 0 <= first <= last <= self.months:
            raise LoanError(f"months {first} to {last}", hint=f"give months in order from 0 to {self.months}")
        return self._singly(self._rows(loan_ids), lambda book, flows: {"profit": profit(book, flows, first, last)})

    def _singly(self, rows: IntArray, measure: Callable[[Book, Flows], Flows]) -> pd.DataFrame:
        """A measure of each of these loans, a few thousand at a time."""
        blocks = [rows[start : start + SINGLY] for start in range(0, max(len(rows), 1), SINGLY)]
        parts = [measure(self.book.take(block), self._loan_flows(block)) for block in blocks]
        columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        return pd.DataFrame({"loan_id": self.ids[rows], **columns})

    def _rows(self, loan_ids: Iterable[Hashable] | None) -> IntArray:
        """Positions of these loans, or of all."""
        if loan_ids is None:
            return np.arange(self.count)
        wanted = list(loan_ids)
        rows = np.asarray(self.ids.get_indexer(pd.Index(wanted)), dtype=np.int64)
        unknown = [str(each) for each, row in zip(wanted, rows, strict=True) if row < 0]
        if unknown:
            raise LoanError(f"no loan {', '.join(unknown[:5])} among the {self.count} projected")
        return rows

    def _loan_flows(self, rows: IntArray) -> Flows:
        """Flows of the loans at these positions, months x loans, whatever their products."""
        product = self.book.product[rows]
        flows = {name: np.zeros((self.months, len(rows))) for name in (*COLUMNS, "charge")}
        for code in np.unique(product):
            here = np.flatnonzero(product == code)
            part = loan_flows(self.book.take(rows[here]), self._plans[code], self.months)
            for name, values in part.items():
                flows[name][:, here] = values
        return flows

    @property
    def _months(self) -> IntArray:
        return np.arange(1, self.months + 1)

    def _by_loan(self, rows: IntArray, columns: Flows) -> pd.DataFrame:
        frame = self._frame({"month": np.tile(self._months, len(rows)), **columns})
        frame.insert(0, "loan_id", self.ids[np.repeat(rows, self.months)])
        return frame

    def _stacked(self, flows: Flows) -> Flows:
        """Months x many as one column after another."""
        return {name: flows[name].ravel(order="F") for name in COLUMNS}

    def _frame(self, columns: Mapping[str, FloatArray | IntArray]) -> pd.DataFrame:
        return pd.DataFrame({"month": self._months, **columns})


def cash(flows: pd.DataFrame) -> pd.DataFrame:
    """Month, principal, interest and cash_flow of a frame of flows."""
    principal = flows[list(PRINCIPAL)].sum(axis=1)
    columns = {"month": flows["month"], "principal": principal, "interest": flows["interest"]}
    return pd.DataFrame(columns | {"cash_flow": principal + flows["interest"]})


def _summary(flows: Flows) -> Flows:
    principal = total(flows, PRINCIPAL)
    weight, repaid = np.arange(1, len(principal) + 1) @ principal, principal.sum(axis=0)
    life = np.divide(weight, repaid * 12, out=np.zeros_like(repaid), where=repaid > 0)
    return {
        "average_life": life,
        **{name: flows[name].sum(axis=0) for name in ("interest", "prepaid", "defaults", "loss")},
    }
