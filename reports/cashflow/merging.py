"""The order loans are summed in, and loans alike summed beforehand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from reports.cashflow.loans import Book
from reports.cashflow.speeds import FloatArray, IntArray

SAMPLE, FEW = 4_096, 2_048


def in_order(book: Book, curve: IntArray, *, merge: bool) -> tuple[Book, IntArray, IntArray]:
    """The loans, their curves, and the order that puts the longest first, then by curve.

    Loans alike become one where that saves half. Flows are linear in the balance, so loans equal in all but balance
    add up exactly if the same share of it is interest-only; payments rounded to the cent are not linear, so there
    `merge` must be False.
    """
    key = (int(book.remaining.max(initial=0)) - book.remaining) * (int(curve.max(initial=0)) + 1) + curve
    refined = _refined(book, key) if merge else None
    if refined is None:
        return book, curve, np.argsort(key)
    order = np.argsort(refined)
    first = np.flatnonzero(np.diff(refined[order], prepend=-1))
    if len(first) * 2 > len(order):
        return book, curve, order
    merged = book.take(order[first])
    balance, bullet = (np.add.reduceat(column[order], first) for column in (book.balance, book.bullet))
    return replace(merged, balance=balance, bullet=bullet), curve[order[first]], np.arange(len(first))


def _bullet_share(book: Book) -> FloatArray:
    """The part of each balance that is interest-only; zeros without memory where there is none."""
    if book.bullet.strides == (0,):
        return book.bullet
    return np.divide(book.bullet, book.balance, out=np.zeros(len(book)), where=book.balance > 0)


def _refined(book: Book, key: IntArray) -> IntArray | None:
    """`key` refined by every other term of the loans, or None where the terms are too various to be worth it."""
    for column in (book.rate, book.fee, book.reverts, book.later_rate, book.free, _bullet_share(book)):
        if column.strides == (0,):
            continue
        step = max(1, len(column) // SAMPLE)
        if len(np.unique(column[::step])) > FEW // 2:
            return None
        codes, values = pd.factorize(column, use_na_sentinel=False)
        if int(key.max(initial=0)) * (len(values) + 1) > np.iinfo(np.int64).max:
            return None
        key = key * len(values) + codes
    return key
