"""What a frame of loans must hold, and what is said of loans that cannot be."""

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from reports.cashflow import Assumptions, project
from reports.cashflow.loans import read_book
from reports.errors import LoanError


def good(count: int = 8) -> pd.DataFrame:
    """Loans A0, A1, ... without a fault, as text, whole numbers and fractions come from a database."""
    return pd.DataFrame(
        {
            "loan_id": [f"A{number}" for number in range(count)],
            "balance": 1000.0,
            "rate": 0.05,
            "term": 60,
            "age": 12,
            "interest_only": 100.0,
            "servicing_fee": 0.001,
            "reversion_month": 24.0,
            "reversion_rate": 0.06,
        }
    )


IMPOSSIBLE = [
    ("balance", -1.0, "is negative"),
    ("balance", np.nan, "is not a number"),
    ("balance", np.inf, "is not a number"),
    ("rate", -0.01, "is negative"),
    ("rate", 4.5, "is over 100 %"),
    ("rate", np.nan, "is not a number"),
    ("term", 0, "is not a whole number of months from 1"),
    ("term", 1201, "is not a whole number of months from 1"),
    ("term", 36.5, "is not a whole number of months from 1"),
    ("age", -1, "is not a whole number of months from 0"),
    ("age", 60, "leaves no month of the term"),
    ("age", 61, "leaves no month of the term"),
    ("interest_only", 1000.5, "is negative or over the balance"),
    ("interest_only", -1.0, "is negative or over the balance"),
    ("servicing_fee", 1.5, "is not a fraction"),
    ("reversion_month", 2.5, "is not a whole number of months"),
    ("reversion_rate", np.nan, "is not a fraction from 0 to 1"),
    ("reversion_rate", 6.0, "is not a fraction from 0 to 1"),
    ("loan_id", "A0", "occurs more than once"),
    ("loan_id", None, "is missing"),
]


@pytest.mark.parametrize(("column", "value", "words"), IMPOSSIBLE)
def test_impossible_loans_are_refused_by_id_and_column(column: str, value: Any, words: str) -> None:
    """The error names the column, what is wrong, the loan and how many there are."""
    loans = good().astype({"term": float, "age": float})
    loans.loc[5, column] = value
    with pytest.raises(LoanError) as caught:
        project(loans, months=1)
    text = str(caught.value)
    assert f"{column} {words}" in text
    assert "of 8 loans cannot be projected" in text
    assert "A0, A0" in text if value == "A0" else ("A5" in text or column == "loan_id")
    assert caught.value.where == f"column {column}"
    assert "on_bad" in caught.value.hint


@pytest.mark.parametrize(("column", "value", "words"), IMPOSSIBLE)
def test_impossible_loans_are_set_aside_with_a_reason(column: str, value: Any, words: str) -> None:
    """With on_bad="set_aside" the rest is projected and each loan left out tells why."""
    loans = good().astype({"term": float, "age": float})
    loans.loc[5, column] = value
    projection = project(loans, months=1, on_bad="set_aside")
    aside = projection.set_aside
    assert projection.count + len(aside) == 8
    assert 5 in aside.index
    assert all(f"{column} {words}" in reason for reason in aside["reason"])
    assert list(aside.columns) == [*loans.columns, "reason"]
    assert projection.balance == 1000.0 * projection.count


def test_the_first_loans_are_named_and_the_rest_counted() -> None:
    """Of many loans at fault five are named; a loan with two faults counts once and has both reasons."""
    loans = good(20)
    loans.loc[:8, "balance"] = -1.0
    loans.loc[3:4, "rate"] = 7.0
    with pytest.raises(LoanError, match="9 of 20 loans") as caught:
        project(loans, months=1)
    assert "loans A0, A1, A2, A3, A4 and 4 more" in str(caught.value)
    assert "loans A3, A4" in str(caught.value)
    aside = project(loans, months=1, on_bad="set_aside").set_aside
    assert aside["reason"][3].count(";") >= 1
    assert "rate is over" in aside["reason"][3]


def test_a_missing_column_is_named_with_those_there_are() -> None:
    """The error lists what lacks and what there is, even where loans may be set aside."""
    loans = pd.DataFrame({"installment": [162.87], "grade": ["B"], "balance": [1.0]})
    with pytest.raises(LoanError, match="lack the columns rate, term, age") as caught:
        project(loans, on_bad="set_aside")
    assert caught.value.where == "columns there are: installment, grade, balance"


def test_a_column_given_twice_is_refused() -> None:
    """Two columns of one name leave open which is meant."""
    loans = pd.concat([good(), good()[["rate"]]], axis=1)
    with pytest.raises(LoanError, match="column rate twice"):
        project(loans)


def test_numbers_come_in_any_type_a_database_gives() -> None:
    """Decimals, text, nullable and small whole numbers read as the same loans; words are no numbers."""
    plain = good(2)
    other = plain.assign(
        balance=[Decimal("1000.0")] * 2,
        rate=["0.05", "0.05"],
        term=pd.array([60, 60], dtype="Int64"),
        age=np.array([12, 12], dtype=np.int16),
    )
    assert project(other, months=5).totals.equals(project(plain, months=5).totals)
    with pytest.raises(LoanError, match="rate is not a number: loan A1"):
        project(plain.assign(rate=["0.05", "five"]))
    with pytest.raises(LoanError, match="servicing_fee is not a number: loan A1"):
        project(plain.assign(servicing_fee=[None, "n/a"]))


def test_nothing_in_an_optional_column_means_none() -> None:
    """NULL as fee, interest-only amount or reversion is no fee, no such amount, no reversion."""
    bare = good(3)[["loan_id", "balance", "rate", "term", "age"]]
    names = ("servicing_fee", "interest_only", "interest_only_months", "fees", "costs", "reversion_month")
    filled = bare.assign(**dict.fromkeys((*names, "reversion_rate"), np.nan))
    assert project(filled).totals.equals(project(bare).totals)
    assert project(filled.astype(object).where(filled.notna(), None)).totals.equals(project(bare).totals)


def test_a_paid_loan_may_remain_in_the_list() -> None:
    """No balance at the end of the term is a finished loan, not an error."""
    loans = good(2).assign(balance=[0.0, 1000.0], age=[60, 12], interest_only=0.0)
    flows = project(loans, Assumptions(psa=100)).totals
    assert flows["scheduled"].sum() + flows["prepaid"].sum() == pytest.approx(1000)


def test_ids_default_to_the_index_and_must_differ() -> None:
    """Without loan_id the frame's index names the loans."""
    loans = good(2).drop(columns="loan_id").set_axis(["x", "y"])
    assert project(loans, months=3).loan("y")["month"].to_list() == [1, 2, 3]
    with pytest.raises(LoanError, match="loan_id occurs more than once: loans x, x"):
        project(loans.set_axis(["x", "x"]))


def test_the_engine_keeps_its_own_numbers() -> None:
    """Changing the frame afterwards changes no loan that is projected later."""
    loans = good(2)
    projection = project(loans, months=2)
    before = projection.loan("A1")
    loans["balance"] *= 2
    loans["rate"].to_numpy(copy=False)
    loans.loc[:, "rate"] = 0.9
    assert projection.loan("A1").equals(before)


def test_a_mistyped_choice_is_refused() -> None:
    """on_bad takes two words only."""
    with pytest.raises(LoanError, match="on_bad"):
        read_book(good(), on_bad="ignore")  # type: ignore[arg-type]
