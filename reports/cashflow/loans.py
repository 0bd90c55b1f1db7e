"""A frame of loans, checked once and kept as columns of numbers.

Columns: `balance` (today), `rate` (annual fraction), `term` (original months), `age` (months paid), and optionally
`loan_id` (else the frame's index), `product`, `servicing_fee` (annual fraction), `interest_only` (the amount of the
balance that pays interest only and is repaid at the end), `interest_only_months` (months of the loan's life in which
nothing is repaid), `reversion_month` (the last month of the loan's life at `rate`) with `reversion_rate` (the rate
after it), `fees` and `costs` (amounts received and paid at the start).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reports.cashflow.speeds import LONGEST, FloatArray, IntArray
from reports.errors import LoanError

REQUIRED = ("balance", "rate", "term", "age")
AMOUNTS = ("servicing_fee", "interest_only", "interest_only_months", "fees", "costs")
NEVER = 1_000_000
PORTION = 1_000_000
BoolArray = NDArray[np.bool_]
Finding = tuple[str, str, BoolArray]
Numbers = FloatArray | IntArray


@dataclass(frozen=True)
class Book:
    """Checked loans as columns; absent optional columns are zeros that take no memory.

    `remaining`, `free` (months without repayment) and `reverts` count from today; `reverts` is NEVER where the rate
    stays. `rate` is the rate of the next month.
    """

    balance: FloatArray
    rate: FloatArray
    term: IntArray
    age: IntArray
    product: IntArray
    products: tuple[str, ...]
    fee: FloatArray
    bullet: FloatArray
    free: IntArray
    reverts: IntArray
    later_rate: FloatArray
    fees: FloatArray
    costs: FloatArray

    def __len__(self) -> int:
        return len(self.balance)

    @property
    def remaining(self) -> IntArray:
        """Months left."""
        return self.term - self.age

    def take(self, rows: IntArray | slice) -> Book:
        """The loans at these positions, in this order."""
        columns = {name: _pick(values, rows) for name, values in vars(self).items() if name != "products"}
        return Book(products=self.products, **columns)


def _pick(values: NDArray[Any], rows: IntArray | slice) -> NDArray[Any]:
    """values[rows]; one repeated value stays one in memory."""
    if isinstance(rows, slice) or values.strides != (0,) or not len(values):
        return values[rows]
    return np.broadcast_to(values[0], len(rows))


def read_book(
    loans: pd.DataFrame, *, on_bad: Literal["raise", "set_aside"] = "raise"
) -> tuple[Book, pd.Index, pd.DataFrame]:
    """The loans as a Book, their ids, and the rows set aside with a `reason` column (empty unless asked for).

    The Book looks into the frame where it can, so the caller keeps the frame: a copy of it, which costs nothing until
    the original is changed.
    LoanError: a required column is missing, or `on_bad` is "raise" and a loan cannot be.
    """
    if on_bad not in ("raise", "set_aside"):
        raise LoanError(f"on_bad is {on_bad!r}", hint='give "raise" or "set_aside"')
    _require_columns(loans)
    ids = pd.Index(loans["loan_id"]) if "loan_id" in loans else loans.index.to_flat_index()
    numbers: dict[str, Numbers] = {
        name: _numbers(loans, name) for name in (*REQUIRED, *AMOUNTS, "reversion_month", "reversion_rate")
    }
    found = _found(numbers, ids)
    if found and on_bad == "raise":
        raise _refusal(found, ids)
    bad = np.logical_or.reduce([mask for *_, mask in found]) if found else np.zeros(len(loans), dtype=np.bool_)
    product = loans.get("product")
    aside = _set_aside(loans, found, bad)
    if found:
        keep = ~bad
        numbers = {name: values[keep] for name, values in numbers.items()}
        ids, product = ids[keep], None if product is None else product[keep]
    return _book(numbers, product), ids, aside


def _require_columns(loans: pd.DataFrame) -> None:
    missing = [name for name in REQUIRED if name not in loans]
    if not loans.columns.is_unique:
        twice = sorted({str(name) for name in loans.columns[loans.columns.duplicated()]})
        raise LoanError(f"loans have the column {', '.join(twice)} twice")
    if missing:
        raise LoanError(
            f"loans lack the column{'s' * (len(missing) > 1)} {', '.join(missing)}",
            where=f"columns there are: {', '.join(map(str, loans.columns)) or 'none'}",
            hint="name them in the query, or rename them in hooks.py",
        )


def _numbers(loans: pd.DataFrame, name: str) -> Numbers:
    """A column as numbers: NaN where a value is missing, infinite where it is none.

    In an optional column nothing means zero (no reversion: NaN), as it does where the column is absent.
    """
    if name not in loans:
        return np.broadcast_to(np.nan if name.startswith("reversion") else 0.0, len(loans))
    column = loans[name]
    if column.dtype in (np.float64, np.int64):
        values: Numbers = column.to_numpy()
    elif pd.api.types.is_numeric_dtype(column):
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        values = pd.to_numeric(column.astype(object), errors="coerce").to_numpy(dtype=np.float64)
        values = np.where(np.isnan(values) & column.notna().to_numpy(), np.inf, values)
    return np.where(np.isnan(values), 0.0, values) if name in AMOUNTS and np.isnan(values).any() else values


def _found(numbers: dict[str, Numbers], ids: pd.Index) -> list[Finding]:
    """What is wrong with which column, for which loans; looked for in portions, as copies of everything are dear."""
    found: dict[tuple[str, str], BoolArray] = {}
    for start in range(0, len(ids), PORTION):
        here = slice(start, start + PORTION)
        for column, words, bad in _checks({name: _floats(values[here]) for name, values in numbers.items()}):
            if bad.any():
                found.setdefault((column, words), np.zeros(len(ids), dtype=np.bool_))[here] = bad
    if ids.hasnans:
        found["loan_id", "is missing"] = np.asarray(ids.isna())
    if not ids.is_unique:
        found["loan_id", "occurs more than once"] = np.asarray(ids.duplicated(keep=False))
    return [(column, words, bad) for (column, words), bad in found.items()]


def _floats(values: Numbers) -> FloatArray:
    return np.asarray(values, dtype=np.float64)


def _checks(numbers: dict[str, FloatArray]) -> Iterator[Finding]:
    """What is impossible: the column, what is wrong with it, and for which loans."""
    balance, rate, term, age = (numbers[name] for name in REQUIRED)
    for name in (*REQUIRED, *AMOUNTS):
        yield name, "is not a number", ~np.isfinite(numbers[name])
    yield "balance", "is negative", balance < 0
    yield "rate", "is negative", rate < 0
    yield "rate", "is over 100 % (a fraction a year is expected: 0.045 for 4.5 %)", rate > 1
    yield (
        "term",
        f"is not a whole number of months from 1 to {LONGEST}",
        _not_whole(term) | (term < 1) | (term > LONGEST),
    )
    yield "age", "is not a whole number of months from 0", _not_whole(age) | (age < 0)
    yield "age", "leaves no month of the term", (term >= 1) & ((age > term) | ((age == term) & (balance > 0)))
    yield from _optional_checks(numbers)


def _optional_checks(numbers: dict[str, FloatArray]) -> Iterator[Finding]:
    balance, bullet, fee = numbers["balance"], numbers["interest_only"], numbers["servicing_fee"]
    month, later = numbers["reversion_month"], numbers["reversion_rate"]
    free = numbers["interest_only_months"]
    yield "servicing_fee", "is not a fraction from 0 to 1", (fee < 0) | (fee > 1)
    yield "interest_only", "is negative or over the balance", (bullet < 0) | ((bullet > balance) & (balance >= 0))
    yield "interest_only_months", "is not a whole number of months from 0", _not_whole(free) | (free < 0)
    yield "fees", "is negative", numbers["fees"] < 0
    yield "costs", "is negative", numbers["costs"] < 0
    there = ~np.isnan(month)
    yield "reversion_month", "is not a whole number of months from 0", there & (_not_whole(month) | (month < 0))
    used = there & (month < numbers["term"])
    yield "reversion_rate", "is not a fraction from 0 to 1", used & ~((later >= 0) & (later <= 1))


def _not_whole(values: FloatArray) -> BoolArray:
    whole: BoolArray = (values == np.floor(values)) | np.isnan(values)
    return ~whole | np.isinf(values)


def _refusal(found: list[Finding], ids: pd.Index) -> LoanError:
    """One error that names every column at fault, what is wrong, and the first loans."""
    lines = []
    for column, words, bad in found:
        number, first = int(bad.sum()), ", ".join(str(each) for each in ids[bad][:5])
        more = f" and {number - 5} more" if number > 5 else ""
        lines.append(f"{column} {words}: loan{'s' * (number > 1)} {first}{more}")
    count = int(np.logical_or.reduce([bad for *_, bad in found]).sum())
    columns = ", ".join(dict.fromkeys(column for column, *_ in found))
    return LoanError(
        f"{count} of {len(ids)} loans cannot be projected: {'; '.join(lines)}",
        where=f"column {columns}",
        hint='correct them at the source, or project with on_bad="set_aside"',
    )


def _set_aside(loans: pd.DataFrame, found: list[Finding], bad: BoolArray) -> pd.DataFrame:
    aside = loans[bad] if found else loans.iloc[:0]
    reasons = np.full(len(aside), "", dtype=object)
    for column, words, mask in found:
        here = mask[bad]
        reasons[here] = [f"{old}; {column} {words}".lstrip("; ") for old in reasons[here]]
    return aside.assign(reason=reasons)


def _book(numbers: dict[str, Numbers], product: pd.Series | None) -> Book:
    values = {name: _floats(column) for name, column in numbers.items() if name not in ("age", "term")}
    age, term = (np.asarray(numbers[name], dtype=np.int64) for name in ("age", "term"))
    codes, products = _products(product, len(age))
    rate, reverts = _reversion(values, age, term)
    return Book(
        balance=values["balance"],
        rate=rate,
        term=term,
        age=age,
        product=codes,
        products=products,
        fee=values["servicing_fee"],
        bullet=values["interest_only"],
        free=_months_left(values["interest_only_months"], age, term),
        reverts=reverts,
        later_rate=values["reversion_rate"],
        fees=values["fees"],
        costs=values["costs"],
    )


def _products(product: pd.Series | None, count: int) -> tuple[IntArray, tuple[str, ...]]:
    """Codes in the order of the names; without a column the product is "all", without a value ""."""
    if product is None:
        return np.broadcast_to(np.int64(0), count), ("all",)
    codes, names = pd.factorize(product, use_na_sentinel=False)
    words = ["" if pd.isna(name) else str(name) for name in names]
    ordered = sorted(set(words))
    place = {word: code for code, word in enumerate(ordered)}
    coded: IntArray = np.array([place[word] for word in words], dtype=np.int64)[codes]
    return coded, tuple(ordered)


def _reversion(numbers: dict[str, FloatArray], age: IntArray, term: IntArray) -> tuple[FloatArray, IntArray]:
    """The rate of the next month, and the months until the other one begins."""
    month, rate = numbers["reversion_month"], numbers["rate"]
    if month.strides == (0,) or np.isnan(month).all():
        return rate, np.broadcast_to(np.int64(NEVER), len(age))
    left = np.where(np.isnan(month) | (month >= term), NEVER, month - age).astype(np.int64)
    return np.where(left <= 0, numbers["reversion_rate"], rate), np.where(left <= 0, NEVER, left)


def _months_left(free: FloatArray, age: IntArray, term: IntArray) -> IntArray:
    """Months still without repayment; at least the last month repays."""
    if free.strides == (0,):
        return np.broadcast_to(np.int64(0), len(age))
    most: IntArray = np.maximum(term - age - 1, 0)
    left: IntArray = np.minimum(np.maximum(free.astype(np.int64) - age, 0), most)
    return left
