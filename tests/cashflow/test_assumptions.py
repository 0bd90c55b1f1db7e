"""What may be assumed, in which units, and what the curves mean month by month."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from reports.cashflow import Assumptions, project
from reports.errors import LoanError

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"smm": -0.01}, "smm is -0.01"),
    ({"cpr": 6}, "cpr is 6"),
    ({"cpr": [0.06, np.nan]}, "cpr is nan"),
    ({"psa": -1}, "psa is -1"),
    ({"psa": float("inf")}, "psa is inf"),
    ({"abs": 2}, "abs is 2"),
    ({"mdr": 1.5}, "mdr is 1.5"),
    ({"cdr": "much"}, "cdr is not a number"),
    ({"sda": []}, "sda has no values"),
    ({"severity": 20}, "severity is 20"),
    ({"recovery_lag": -1}, "recovery_lag is -1"),
    ({"recovery_lag": 1.5}, "recovery_lag is 1.5"),
    ({"early_repayment_charge": {12: 5.0}}, "early_repayment_charge is 5"),
    ({"survival": [0.9, 0.95]}, "survival rises"),
    ({"psa": 100, "cpr": 0.06}, "cpr and psa exclude each other"),
    ({"mdr": 0.01, "sda": 100}, "mdr and sda exclude each other"),
    ({"rounding": "down"}, "rounding is 'down'"),
    ({"vectors": "pool"}, "vectors is 'pool'"),
    ({"products": {"car": Assumptions(products={"van": Assumptions()})}}, "products of their own"),
]


@pytest.mark.parametrize(("given", "words"), WRONG)
def test_assumptions_out_of_range_are_refused(given: dict[str, Any], words: str) -> None:
    """A number outside its unit, or speeds that exclude each other, are an error that says which."""
    with pytest.raises(LoanError, match=words):
        Assumptions(**given)


def prepaid(plan: Assumptions, age: int = 0, months: int = 40) -> np.ndarray:
    """The share prepaid in each month of an interest-only loan, of the balance performing before."""
    loans = pd.DataFrame({"balance": [1.0], "rate": 0.05, "term": 200, "age": age, "interest_only": 1.0})
    flows = project(loans, plan, months=months).totals
    return (flows["prepaid"] / np.r_[1.0, flows["performing"][:-1]]).to_numpy()


def test_a_survival_curve_is_the_fraction_alive_and_not_a_rate() -> None:
    """With nothing scheduled the balance is the curve itself, straight between the months named, flat at its end."""
    loans = pd.DataFrame({"balance": [100.0], "rate": 0.05, "term": 200, "age": 0, "interest_only": 100.0})
    alive = project(loans, Assumptions(survival={12: 0.88, 24: 0.40}), months=30).totals["performing"]
    assert np.allclose(alive[:12], 100 - np.arange(1, 13))
    assert np.allclose(alive[12:24], 88 - 4 * np.arange(1, 13))
    assert np.allclose(alive[24:], 40)
    listed = project(loans, Assumptions(survival=[0.9, 0.9, 0.0]), months=5).totals["performing"]
    assert np.allclose(listed, [90, 90, 0, 0, 0])


def test_a_seasoned_loan_goes_on_along_its_curve() -> None:
    """A loan of age 12 leaves at the curve's pace after month 12, relative to those alive then."""
    assert np.allclose(prepaid(Assumptions(survival={12: 0.88, 24: 0.40}), age=12, months=1), 4 / 88)
    assert np.allclose(prepaid(Assumptions(psa=150), age=12, months=1), 1 - (1 - 0.0015 * 2 * 13) ** (1 / 12))


def test_vectors_run_by_projected_month_or_by_age() -> None:
    """The first value is next month's, or the first month of the loan's life; the last one holds."""
    values = [0.01, 0.02, 0.03]
    assert np.allclose(prepaid(Assumptions(smm=values), age=1, months=4), [0.01, 0.02, 0.03, 0.03])
    by_age = Assumptions(smm=values, vectors="age")
    assert np.allclose(prepaid(by_age, age=1, months=4), [0.02, 0.03, 0.03, 0.03])


def test_prepayment_never_takes_more_than_is_left() -> None:
    """Default comes first; prepayment is capped at what then remains."""
    loans = pd.DataFrame({"balance": [100.0], "rate": 0.05, "term": 60, "age": 0})
    flows = project(loans, Assumptions(smm=1.0, mdr=0.4), months=2).totals
    assert flows["defaults"][0] == pytest.approx(40)
    assert flows["performing"].to_list() == [0, 0]
    assert flows["prepaid"][0] == pytest.approx(60 - flows["scheduled"][0])


def test_nobody_defaults_in_the_last_months() -> None:
    """The default rate is 0 in the last `recovery_lag` months of each loan's own term."""
    loans = pd.DataFrame({"balance": 100.0, "rate": 0.05, "term": [10, 24], "age": [0, 4]})
    projection = project(loans, Assumptions(mdr=0.01, recovery_lag=6), months=24)
    assert projection.loan(0)["defaults"].gt(0).sum() == 4
    assert projection.loan(1)["defaults"].gt(0).sum() == 14
    assert projection.totals["defaults"].gt(0).sum() == 14


def test_a_charge_table_holds_each_value_until_the_next() -> None:
    """A mapping's charges are steps from the month named, a sequence's are month by month and 0 after."""
    plan = Assumptions(early_repayment_charge={1: 0.05, 4: 0.02, 6: 0.0})
    assert plan.charge(np.arange(1, 9)).tolist() == [0.05, 0.05, 0.05, 0.02, 0.02, 0, 0, 0]
    late = Assumptions(early_repayment_charge={3: 0.01})
    assert late.charge(np.arange(1, 6)).tolist() == [0, 0, 0.01, 0, 0]


def test_a_table_from_a_file_has_texts_for_months() -> None:
    """TOML and JSON know no other keys; the order is that of the numbers."""
    loans = pd.DataFrame({"balance": [1e6], "rate": 0.05, "term": 24, "age": 0})
    numbers, texts = (
        project(loans, Assumptions(smm=0.1, early_repayment_charge=table), months=14).charges
        for table in ({6: 0.05, 12: 0.03}, {"12": 0.03, "6": 0.05})
    )
    assert numbers["charge"][11] > 0
    pd.testing.assert_frame_equal(numbers, texts)


@pytest.mark.parametrize(
    "values",
    [
        {"survival": {0: 0.5, 3: 0.4}},
        {"survival": {-3: 0.9}},
        {"survival": {1.5: 0.9}},
        {"early_repayment_charge": {"six": 0.1}},
        {"survival": 0.5},
        {"severity": [0.1, 0.2]},
        {"recovery_lag": None},
        {"recovery_lag": float("nan")},
        {"advance": "no"},
        {"psa": [[100, 100], [5000, 9000]]},
        {"products": {"a": {}}},
    ],
)
def test_what_cannot_be_assumed_is_a_loan_error(values: dict[str, Any]) -> None:
    """Never an error of the machinery, and never a number taken for another."""
    with pytest.raises(LoanError):
        project(pd.DataFrame({"balance": [1e5], "rate": 0.05, "term": 24, "age": 0}), Assumptions(**values), months=12)


@pytest.mark.parametrize("months", [None, float("nan"), 0, 12.5, True])
def test_a_horizon_is_whole_months(months: Any) -> None:
    """From 1 on."""
    with pytest.raises(LoanError, match="months is"):
        project(pd.DataFrame({"balance": [1e5], "rate": 0.05, "term": 24, "age": 0}), months=months)
