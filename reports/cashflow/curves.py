"""What the assumptions do to loans of one product and age, whatever their own terms: shares, months x curves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reports.cashflow.assumptions import Assumptions
from reports.cashflow.flows import hazards
from reports.cashflow.speeds import FloatArray, IntArray


@dataclass(frozen=True)
class Curves:
    """Coefficients of the scheduled balance for each curve (product and age), row 0 for today.

    surviving (Q): the share that neither prepaid nor defaulted so far; defaulting (d): the share of the balance at the
    start of a month that defaults in it; defaulted (C): its sum so far; keeping (Z): the share that did not prepay, had
    nobody defaulted; prepaying, and prepaying_alone without defaults in the month: monthly rates.
    """

    product: IntArray
    surviving: FloatArray
    defaulting: FloatArray
    defaulted: FloatArray
    keeping: FloatArray
    prepaying: FloatArray
    prepaying_alone: FloatArray
    charge: FloatArray

    @property
    def count(self) -> int:
        return len(self.product)


def curves(plans: list[Assumptions], product: IntArray, age: IntArray, months: int) -> Curves:
    """The coefficients of curves given by product code (into `plans`, ascending) and age, for months 0..months."""
    month = np.arange(months + 1)[:, None]
    mdr, smm, charge = np.zeros((3, months + 1, len(product)))
    for code in np.unique(product):
        here = np.flatnonzero(product == code)
        mdr[1:, here], smm[1:, here] = hazards(plans[code], age[here], month[1:])
        charge[1:, here] = plans[code].charge(age[here] + month[1:])
    capped = np.minimum(smm, 1 - mdr)
    surviving: FloatArray = np.multiply.accumulate(1 - mdr - capped, axis=0)
    defaulting = mdr
    defaulting[1:] *= surviving[:-1]
    return Curves(
        product=product,
        surviving=surviving,
        defaulting=defaulting,
        defaulted=np.add.accumulate(defaulting, axis=0),
        keeping=np.multiply.accumulate(1 - smm, axis=0),
        prepaying=capped,
        prepaying_alone=smm,
        charge=charge,
    )


def lagged(table: FloatArray, months: int) -> FloatArray:
    """The table `months` earlier; zeros before its start."""
    out = np.zeros_like(table)
    if months < len(table):
        out[months:] = table[: len(table) - months]
    return out
