"""Totals, single loans and what is measured on them."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.cashflow import Assumptions, annuity, project, speeds
from reports.cashflow.flows import COLUMNS
from reports.cashflow.loans import read_book
from reports.cashflow.measures import average_life
from reports.cashflow.projection import cash
from reports.cashflow.returns import PRINCIPAL
from reports.cashflow.totals import total_flows
from reports.errors import LoanError

Oracle = dict[str, list[float]]


def scheduled(loan: dict[str, float]) -> tuple[list[float], list[float]]:
    """A loan's scheduled balances and the rates of its months, payment by payment from the plain annuity formula."""
    left, balance = int(loan["term"] - loan["age"]), loan["balance"]
    balances, rates = [balance], []
    for month in range(1, left + 1):
        reverted = loan["age"] + month > loan.get("reversion_month", np.inf)
        rate = (loan["reversion_rate"] if reverted else loan["rate"]) / 12
        repaying, months = balance - loan.get("interest_only", 0.0), left - month + 1
        level = repaying / months if rate == 0 else repaying * rate / (1 - (1 + rate) ** -months)
        if loan["age"] + month > loan.get("interest_only_months", 0) or month == left:
            balance -= level - repaying * rate
        balances.append(0.0 if month == left else balance)
        rates.append(rate - loan.get("servicing_fee", 0.0) / 12)
    return balances, rates


def by_hand(loan: dict[str, float], plan: Assumptions, smm: Callable[[int], float], mdr: float) -> Oracle:
    """The published formulas for one loan in plain Python; `smm` by the loan's age."""
    balances, rates = scheduled(loan)
    lag, out = plan.recovery_lag, {name: [] for name in COLUMNS}
    performing, foreclosure, defaults = balances[0], 0.0, [0.0]
    for month in range(1, len(balances)):
        before, after = balances[month - 1], balances[month]
        amortised = 1 - after / before if before else 1.0
        defaults.append(performing * mdr if month <= len(rates) - lag else 0.0)
        paid = (performing - defaults[-1]) * amortised
        prepaid = min(performing * (1 - amortised) * smm(int(loan["age"]) + month), performing - defaults[-1] - paid)
        due = defaults[month - lag] if month > lag else 0.0
        then = balances[month - 1 - lag] if month > lag else 0.0
        adb = due * (before / then if plan.advance and then else 1.0)
        loss = min(due * plan.severity, adb)
        waiting = defaults[-1] + foreclosure - adb
        moved = waiting * amortised if plan.advance else 0.0
        values = {
            "performing": performing - defaults[-1] - paid - prepaid,
            "defaults": defaults[-1],
            "foreclosure": waiting - moved,
            "scheduled": paid,
            "prepaid": prepaid,
            "amortised_defaults": moved,
            "interest": (performing + foreclosure) * rates[month - 1] - (defaults[-1] + foreclosure) * rates[month - 1],
            "interest_lost": (defaults[-1] + foreclosure) * rates[month - 1],
            "recovery": max(adb - loss, 0.0),
            "loss": loss,
        }
        performing, foreclosure = values["performing"], values["foreclosure"]
        for name, value in values.items():
            out[name].append(value)
    return out


FEATURES: dict[str, dict[str, float]] = {
    "annuity": {},
    "zero rate": {"rate": 0.0},
    "seasoned": {"age": 41},
    "one month left": {"age": 119},
    "served": {"servicing_fee": 0.005},
    "interest-only part": {"interest_only": 40_000.0},
    "all interest-only": {"interest_only": 100_000.0},
    "interest-only period": {"interest_only_months": 36},
    "reverting": {"reversion_month": 24, "reversion_rate": 0.09},
    "reverting to zero": {"reversion_month": 24, "reversion_rate": 0.0},
    "reverted already": {"reversion_month": 24, "reversion_rate": 0.09, "age": 30},
    "everything": {
        "age": 5,
        "servicing_fee": 0.0025,
        "interest_only": 25_000.0,
        "interest_only_months": 30,
        "reversion_month": 30,
        "reversion_rate": 0.08,
    },
}


@pytest.mark.parametrize("advance", [True, False])
@pytest.mark.parametrize("severity", [0.2, 0.8, 1.0])
@pytest.mark.parametrize("feature", FEATURES)
def test_one_loan_follows_the_published_formulas(feature: str, severity: float, *, advance: bool) -> None:
    """A loan of every kind has the flows the formulas give by hand, singly and as a total."""
    loan = {"balance": 100_000.0, "rate": 0.055, "term": 120, "age": 0} | FEATURES[feature]
    plan = Assumptions(psa=180, mdr=0.004, severity=severity, recovery_lag=9, advance=advance)
    projection = project(pd.DataFrame([loan]), plan, months=130)
    hand = pd.DataFrame(by_hand(loan, plan, lambda age: float(speeds.smm_from_psa(180, age)), 0.004))
    for frame in (projection.totals, projection.loan(0)):
        ours = frame[list(COLUMNS)].to_numpy()
        assert np.abs(ours[: len(hand)] - hand.to_numpy()).max() <= 1e-9 * loan["balance"]
        assert not ours[len(hand) :].any()
        assert frame["performing"].iloc[-1] == 0


speed = st.floats(0, 0.2) | st.sampled_from([0.0, 1.0]) | st.lists(st.floats(0, 1), min_size=1, max_size=6)


@st.composite
def plans(draw: st.DrawFn) -> Assumptions:
    """Any assumptions the engine takes."""
    survival = st.lists(st.floats(0, 1), min_size=1, max_size=30).map(lambda values: sorted(values, reverse=True))
    prepayment = draw(
        st.one_of(
            st.just({}),
            st.fixed_dictionaries({"smm": speed}),
            st.fixed_dictionaries({"cpr": speed}),
            st.fixed_dictionaries({"psa": st.floats(0, 3000)}),
            st.fixed_dictionaries({"abs": st.floats(0, 0.1)}),
            st.fixed_dictionaries({"survival": survival}),
        )
    )
    default = draw(
        st.one_of(
            st.just({}),
            st.fixed_dictionaries({"mdr": speed}),
            st.fixed_dictionaries({"cdr": speed}),
            st.fixed_dictionaries({"sda": st.floats(0, 20_000)}),
        )
    )
    return Assumptions(
        **prepayment,
        **default,
        severity=draw(st.floats(0, 1)),
        recovery_lag=draw(st.integers(0, 40)),
        advance=draw(st.booleans()),
        rounding=draw(st.sampled_from([None, None, "half", "up"])),
        vectors=draw(st.sampled_from(["month", "age"])),
        early_repayment_charge=draw(st.sampled_from([None, {1: 0.05, 13: 0.02, 25: 0.0}])),
    )


@st.composite
def portfolios(draw: st.DrawFn) -> pd.DataFrame:
    """A few hundred random loans at most: two products, any ages and rates, any optional columns, some alike."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count, longest = draw(st.integers(1, 40)), draw(st.sampled_from([3, 30, 400]))
    term = random.integers(1, longest + 1, count)
    loans: dict[str, Any] = {
        "balance": random.uniform(0, 500_000, count) * (random.random(count) > 0.1),
        "rate": random.uniform(0, draw(st.sampled_from([0.1, 1.0])), count) * (random.random(count) > 0.2),
        "term": term,
        "age": (random.random(count) * term).astype(int),
        "product": random.choice(["car", "home"], count),
    }
    optional = {
        "servicing_fee": random.uniform(0, 0.01, count),
        "interest_only": loans["balance"] * random.random(count),
        "interest_only_months": random.integers(0, longest, count),
        "reversion_month": np.where(random.random(count) < 0.3, np.nan, random.integers(0, longest, count)),
    }
    chosen = draw(st.sets(st.sampled_from(sorted(optional))))
    loans |= {name: values for name, values in optional.items() if name in chosen}
    loans |= {"reversion_rate": random.uniform(0, 0.2, count)} if "reversion_month" in chosen else {}
    return pd.concat([pd.DataFrame(loans)] * draw(st.sampled_from([1, 1, 5])), ignore_index=True)


@pytest.mark.filterwarnings("ignore:no loan has the product")  # drawn at random, it may be absent
@settings(max_examples=60, deadline=None)
@given(loans=portfolios(), plan=plans(), car=plans(), months=st.sampled_from([1, 12, 360, 410]))
def test_nothing_is_lost_and_totals_are_the_sums_of_loans(
    loans: pd.DataFrame, plan: Assumptions, car: Assumptions, months: int
) -> None:
    """Repaid, recovered, lost and outstanding make the opening balance; totals equal the loans added up."""
    projection = project(loans, replace(plan, products={"car": car}), months=months)
    totals, opening = projection.totals, loans["balance"].sum()
    gone = totals[["scheduled", "prepaid", "amortised_defaults", "recovery", "loss"]].to_numpy().sum()
    outstanding = totals[["performing", "foreclosure"]].iloc[-1].sum()
    assert abs(gone + outstanding - opening) <= 1e-9 * max(opening, 1)
    singly = projection.loans(range(len(loans))).groupby("month")[list(COLUMNS)].sum().to_numpy()
    assert np.abs(singly - totals[list(COLUMNS)].to_numpy()).max() <= 1e-9 * max(opening, 1)
    products = projection.by_product.groupby("month")[list(COLUMNS)].sum().to_numpy()
    assert np.abs(products - totals[list(COLUMNS)].to_numpy()).max() <= 1e-9 * max(opening, 1)
    charged = projection._loan_flows(np.arange(len(loans)))["charge"].sum()
    assert abs(charged - projection.charges["charge"].sum()) <= 1e-9 * max(opening, 1)
    amounts = totals.drop(columns=["month", "interest", "interest_lost"]).to_numpy()
    assert amounts.min() >= -1e-9 * max(opening, 1)


def test_high_rates_over_long_terms_end_at_zero() -> None:
    """A loan at 100 % over a hundred years is repaid exactly, as is one at a rate near 0."""
    loans = pd.DataFrame({"balance": 1e9, "rate": [1.0, 1e-12, 1e-6], "term": 1200, "age": 0})
    flows = project(loans, months=1200).totals
    assert flows["performing"].iloc[-1] == 0
    assert flows["scheduled"].sum() == pytest.approx(3e9, rel=1e-12)
    assert (np.diff(flows["performing"]) <= 0).all()


def random_loans(count: int) -> pd.DataFrame:
    """Loans of ten products with ids, any terms and ages."""
    random = np.random.default_rng(3)
    term = random.integers(10, 361, count)
    return pd.DataFrame(
        {
            "loan_id": [f"L{number}" for number in range(count)],
            "balance": random.uniform(1e3, 1e6, count),
            "rate": random.uniform(0, 0.2, count),
            "term": term,
            "age": (random.random(count) * term).astype(int),
            "product": random.choice(list("abcdefghij"), count),
        }
    )


def test_many_curves_and_loans_are_split_without_a_change() -> None:
    """Portfolios summed in several portions, blocks and tables have the totals of their parts."""
    loans, plan = random_loans(20_000), Assumptions(cpr=0.1, cdr=0.03, severity=0.6, recovery_lag=18)
    whole = project(loans, plan, months=120)
    parts = [project(loans.iloc[start : start + 2_500], plan, months=120).totals for start in range(0, 20_000, 2_500)]
    assert np.allclose(whole.totals[list(COLUMNS)], sum(part[list(COLUMNS)] for part in parts), rtol=1e-10, atol=1e-6)
    book, _, _ = read_book(loans)
    portions = total_flows(book, [plan] * 10, 120, portion=6_000)
    assert np.allclose(portions["loss"].sum(axis=1), whole.totals["loss"], rtol=1e-10, atol=1e-6)


def test_equal_loans_are_summed_exactly() -> None:
    """Loans alike, which are merged beforehand, have the totals of one loan times their number."""
    kinds = random_loans(30).drop(columns="loan_id").assign(interest_only=500.0, servicing_fee=0.0025)
    plan = Assumptions(psa=200, sda=300, severity=0.4, recovery_lag=6)
    once = project(kinds, plan).totals[list(COLUMNS)]
    often = project(pd.concat([kinds] * 200, ignore_index=True), plan).totals[list(COLUMNS)]
    assert np.allclose(often, 200 * once, rtol=1e-11, atol=1e-6)


def test_loans_alike_but_for_their_interest_only_part_are_not_added_up() -> None:
    """The loss after a default is not linear in that part, so such loans are projected each by itself."""
    loans = pd.DataFrame(
        {"balance": [1e5] * 1000, "rate": 0.06, "term": 36, "age": 0, "interest_only": [0.0, 1e5] * 500}
    )
    projection = project(loans, Assumptions(mdr=0.005, severity=0.6, recovery_lag=12), months=36)
    assert projection.totals["loss"].sum() == pytest.approx(projection.summary["loss"].sum(), rel=1e-9)


def test_a_product_that_no_loan_has_is_warned_of() -> None:
    """A slip in a name would project the loans on other speeds."""
    with pytest.warns(UserWarning, match="no loan has the product hme, whose assumptions are unused; there are: home"):
        project(random_loans(3).assign(product="home"), Assumptions(products={"hme": Assumptions()}))
    codes = random_loans(3).assign(product=7)
    assert project(codes, Assumptions(products={7: Assumptions(mdr=0.1)})).totals["defaults"].sum() > 0  # type: ignore[dict-item]


def test_a_rate_that_would_never_be_used_may_be_missing() -> None:
    """A loan fixed for its whole term has no reversion rate."""
    loans = pd.DataFrame(
        {"balance": [1e5], "rate": 0.05, "term": 24, "age": 0, "reversion_month": 24, "reversion_rate": None}
    )
    whole = project(loans.drop(columns=["reversion_month", "reversion_rate"]), months=24).totals
    pd.testing.assert_frame_equal(project(loans, months=24).totals, whole)


def test_products_follow_their_own_assumptions() -> None:
    """A product named in `products` is projected by those, the others by the rest; both add up to the totals."""
    loans = random_loans(60).assign(product=["car", "home", None] * 20)
    plan = Assumptions(psa=100, products={"car": Assumptions(abs=0.02, mdr=0.01, recovery_lag=3, severity=0.5)})
    projection = project(loans, plan, months=60)
    frame = projection.by_product
    assert list(frame.columns) == ["product", "month", *COLUMNS]
    assert list(frame["product"].unique()) == ["", "car", "home"]
    car = project(loans[loans["product"] == "car"], plan.products["car"], months=60).totals
    assert np.allclose(frame[frame["product"] == "car"][list(COLUMNS)], car[list(COLUMNS)])
    home = project(loans[loans["product"] == "home"], Assumptions(psa=100), months=60).totals
    assert np.allclose(frame[frame["product"] == "home"][list(COLUMNS)], home[list(COLUMNS)])


def test_single_loans_are_found_by_id_in_the_order_asked() -> None:
    """`loan` and `loans` answer by id; an id that is not there is an error naming it."""
    projection = project(random_loans(50), Assumptions(psa=150), months=24)
    assert list(projection.totals.columns) == ["month", *COLUMNS]
    assert list(projection.loan("L7").columns) == ["month", *COLUMNS]
    two = projection.loans(["L40", "L3"])
    assert list(two["loan_id"]) == ["L40"] * 24 + ["L3"] * 24
    assert two.iloc[24:].drop(columns="loan_id").reset_index(drop=True).equals(projection.loan("L3"))
    with pytest.raises(LoanError, match="no loan L99"):
        projection.loan("L99")


def test_summary_agrees_with_single_loans_and_totals() -> None:
    """One row per loan, whose interest and loss add up to the totals and whose life is the loan's own."""
    projection = project(random_loans(200), Assumptions(psa=150, mdr=0.002, recovery_lag=4, severity=0.3))
    summary = projection.summary
    assert summary["interest"].sum() == pytest.approx(projection.totals["interest"].sum())
    assert summary["loss"].sum() == pytest.approx(projection.totals["loss"].sum())
    principal = cash(projection.loan("L7"))["principal"]
    assert summary["average_life"][7] == pytest.approx(average_life(principal))
    lives = summary["average_life"] @ (summary["balance"] - summary["loss"])
    assert projection.average_life == pytest.approx(lives / projection.totals[list(PRINCIPAL)].to_numpy().sum())


def test_charges_follow_the_loans_age() -> None:
    """An early-repayment charge is the fraction for the month of the loan's life, and part of its cash flow."""
    loans = pd.DataFrame({"loan_id": ["x"], "balance": 1000.0, "rate": 0.06, "term": 60, "age": 10})
    plan = Assumptions(smm=0.02, early_repayment_charge=[0.05] * 12 + [0.01] * 12)
    projection = project(loans, plan, months=60)
    lines = projection.lines(["x"])
    expected = projection.totals["prepaid"] * ([0.05] * 2 + [0.01] * 12 + [0.0] * 46)
    assert np.allclose(lines["charge"], expected)
    assert np.allclose(projection.charges["charge"], expected)
    assert np.allclose(lines["cash_flow"], projection.cash["cash_flow"] + expected)
    assert list(lines.columns) == [
        "loan_id", "month", "balance", "interest", "scheduled", "prepaid", "charge", "cash_flow",
    ]  # fmt: skip


def test_rounded_payments_are_whole_cents_and_the_last_settles_the_rest() -> None:
    """Every payment but the last is the level payment in cents, and the loan ends at zero."""
    loans = pd.DataFrame({"balance": [10_000.0], "rate": 0.0725, "term": 48, "age": 0})
    exact = annuity.pmt(0.0725 / 12, 48, -10_000.0)
    for rounding, cents in (("half", np.floor(exact * 100 + 0.5)), ("up", np.ceil(exact * 100))):
        flows = project(loans, Assumptions(rounding=rounding), months=48).totals
        paid = flows["scheduled"] + flows["interest"]
        assert np.allclose(paid[:-1], cents / 100, atol=1e-9)
        assert abs(paid.iloc[-1] - exact) < 0.5
        assert flows["scheduled"].sum() == pytest.approx(10_000, abs=1e-9)


def test_a_portfolio_without_loans_has_flows_of_zero() -> None:
    """No rows, or only loans set aside, give zeros, not an error."""
    empty = project(random_loans(5).iloc[:0], Assumptions(psa=100, mdr=0.01, recovery_lag=2), months=12)
    assert not empty.totals[list(COLUMNS)].to_numpy().any()
    assert empty.by_product.empty
    assert empty.summary.empty
    bad = project(random_loans(5).assign(balance=-1.0), on_bad="set_aside", months=12)
    assert (bad.count, len(bad.set_aside)) == (0, 5)


@pytest.mark.parametrize("months", [0, 1201, 1.5, True])
def test_months_out_of_range_are_refused(months: Any) -> None:
    """The horizon is a whole number of months from 1 to 1200."""
    with pytest.raises(LoanError, match="months is"):
        project(random_loans(1), months=months)


def test_importing_the_engine_loads_numpy_and_pandas_only() -> None:
    """Neither a plotting nor a database library comes with the engine."""
    code = "import sys, reports.cashflow; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"numpy", "pandas"} <= set(loaded)
    assert not {"matplotlib", "duckdb", "sqlalchemy", "openpyxl", "scipy", "pydantic", "jinja2"} & set(loaded)
