"""The engine against every number of the published examples, row by row."""

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reports.cashflow import Assumptions, Projection, annuity, daycount, measures, project, speeds


@pytest.fixture(scope="module")
def reference(shared_data: Path) -> Path:
    """The folder of published numbers."""
    return shared_data / "reference"


def one_loan(balance: float, rate: float, term: int, **columns: float) -> pd.DataFrame:
    """A pool as one loan."""
    return pd.DataFrame(
        {"balance": [balance], "rate": [rate], "term": [term], "age": [0]}
        | {name: [value] for name, value in columns.items()}
    )


def test_cash_flow_a_agrees_to_the_dollar_in_every_cell(reference: Path) -> None:
    """All 360 x 14 cells of the published schedule, and its totals, are ours rounded (factors to 4 decimals)."""
    printed = pd.read_csv(reference / "bma_cashflow_a.csv", encoding="utf-8-sig")
    printed.columns = [" ".join(name.split()) for name in printed.columns]
    printed = printed.drop(columns="Month").astype(float).fillna(0)
    loans = one_loan(100e6, 0.08, 360)
    flows = project(loans, Assumptions(smm=0.01, mdr=0.01, severity=0.2, recovery_lag=12, advance=True)).totals
    factor = annuity.balance_factor(0.08 / 12, 360, np.arange(361))
    ours = pd.DataFrame(
        {
            "Performing Balance": flows["performing"],
            "New Defaults": flows["defaults"],
            "In Foreclosure": flows["foreclosure"],
            "Amort Factor": factor[1:],
            "Expected Amortization": flows["scheduled"] + flows["amortised_defaults"],
            "Voluntary Prepayments": flows["prepaid"],
            "Amort From Defaults": flows["amortised_defaults"],
            "Actual Amort": flows["scheduled"],
            "Expected Interest": flows["interest"] + flows["interest_lost"],
            "Interest Lost": flows["interest_lost"],
            "Actual Interest": flows["interest"],
            "Principal Recovery": flows["recovery"],
            "Principal Loss": flows["loss"],
            "Amortized Default Bal In Recovery Month": flows["recovery"] + flows["loss"],
        }
    )
    months, totals = printed.iloc[1:361], printed.iloc[361]
    assert ours.shape == (360, 14)
    for name, values in ours.items():
        half = 0.5e-4 if name == "Amort Factor" else 0.5
        assert np.abs(values.to_numpy() - months[name].to_numpy()).max() <= half + 1e-6, name
        if totals[name]:
            assert abs(values.sum() - totals[name]) <= 0.5, name


def test_speeds_convert_as_in_the_published_tables(reference: Path) -> None:
    """570 cells of SMM by PSA and age, and 360 of CPR and PSA by SMM, are ours rounded."""
    table = pd.read_csv(reference / "1m_PSAtoSMM_conversion.csv", comment="#").set_index("Month")
    psa = np.array([float(name[3:]) for name in table.columns])
    ours = 100 * speeds.smm_from_psa(psa[None, :], table.index.to_numpy()[:, None])
    assert table.size == 570
    assert np.abs(ours - table.to_numpy()).max() <= 0.005 + 1e-9
    rates = pd.read_csv(reference / "bma_prepay_rate_conversion_table.csv", comment="#")
    smm = rates["SMM"].to_numpy() / 100
    assert 2 * len(rates) == 360
    assert np.abs(100 * speeds.cpr_from_smm(smm) - rates["CPR"]).max() <= 0.05 + 1e-9
    assert np.abs(speeds.psa_from_smm(smm, 30) - rates["PSA30"]).max() <= 0.5 + 1e-9


def month_one() -> dict[str, float]:
    """The first month of a new 9.5 % pool with 9 % passed through, at 150 PSA."""
    flows = project(one_loan(1.0, 0.095, 360, servicing_fee=0.005), Assumptions(psa=150)).cash.iloc[0]
    first = project(one_loan(1.0, 0.095, 360), Assumptions(psa=150)).totals.iloc[0]
    return {
        "scheduled_amortization": first["scheduled"],
        "unscheduled_prepayments": first["prepaid"],
        "gross_interest": first["interest"],
        "servicing_fee": first["interest"] - flows["interest"],
        "pass_through_principal": flows["principal"],
        "pass_through_interest": flows["interest"],
        "pass_through_cash_flow": flows["cash_flow"],
    }


def factors() -> dict[str, float]:
    """The speed between two pool factors."""
    first, last = 0.85150625, 0.84732282
    before, after = annuity.balance_factor(0.095 / 12, 359, [15, 16])
    planned = first * after / before
    smm = float(speeds.smm_from_factors(last, planned))
    return {
        "BAL1": before,
        "BAL2": after,
        "F_sched": planned,
        "amortization": first - planned,
        "prepayments": planned - last,
        "SMM_pct": 100 * smm,
        "CPR_pct": 100 * float(speeds.cpr_from_smm(smm)),
        "PSA_pct": float(speeds.psa_from_smm(smm, 17)),
    }


def two_pools() -> dict[str, float]:
    """The average speed of two pools over six months."""
    start = np.array([0.86925218 * 1e6, 0.99950812 * 2e6])
    actual = 0.84732282 * 1e6 + 0.98290230 * 2e6
    term, paid = np.array([358, 360]), np.array([9, 1])
    planned = (
        start * annuity.balance_factor(0.095 / 12, term, paid + 6) / annuity.balance_factor(0.095 / 12, term, paid)
    )
    smm = float(speeds.smm_from_factors(actual, planned.sum(), months=6))
    return {
        "actual_final_balance": actual,
        "scheduled_final_balance": planned.sum(),
        "SMM_avg_pct": 100 * smm,
        "CPR_avg_pct": 100 * float(speeds.cpr_from_smm(smm)),
        "PSA_avg_pct": speeds.average_psa(actual, planned, first_month=360 - np.array([349, 359]) + 1, months=6),
    }


def car_loans() -> dict[str, float]:
    """ABS speeds of a pool of 36-month loans."""
    later, earlier = annuity.balance_factor(0.10 / 12, 36, [11, 2])
    return {
        "SMM_pct": 100 * float(speeds.smm_from_abs(0.02, 11)),
        "ABS_avg_pct": 100 * float(speeds.average_abs(1.0, 0.64140448 * earlier / later, first_month=2, last_month=11)),
    }


def gnma() -> Projection:
    """100 of a new 9.5 % pool, 9 % passed through, at 150 PSA."""
    return project(one_loan(100.0, 0.095, 360, servicing_fee=0.005), Assumptions(psa=150))


def at_par() -> dict[str, float]:
    """Yield and its measures at par with 14 days of delay."""
    flow, pool = gnma().cash["cash_flow"].to_numpy(), gnma()
    bond = measures.yield_at_price(flow, 100, delay_days=14)
    return {
        **{f"CF{month}": flow[month - 1] for month in (1, 2, 3, 360)},
        "yield_pct": 100 * pool.yield_at(100, delay_days=14),
        "mortgage_yield_pct": 100 * measures.mortgage_yield_at_price(flow, 100, delay_days=14),
        "average_life_years": measures.average_life(pool.cash["principal"], delay_days=14),
        "duration_years": measures.duration(flow, bond, delay_days=14),
        "modified_duration_years": measures.modified_duration(flow, bond, delay_days=14),
        "cash_flow_convexity": measures.convexity(flow, bond, delay_days=14),
        "pool_factor_month3": pool.totals["performing"][2] / 100,
    }


def a_week_later() -> dict[str, float]:
    """The same settled seven days later at par plus accrued interest."""
    accrued = 9.0 * daycount.year_fraction(dt.date(2000, 3, 1), dt.date(2000, 3, 8), "30/360")
    return {
        "price_with_accrued": 100 + accrued,
        "yield_pct": 100 * measures.yield_at_price(gnma().cash["cash_flow"], 100 + accrued, delay_days=14 - 7),
    }


def accruing() -> dict[str, float]:
    """Average lives of a bond that adds its interest: with and without the negative principal."""
    principal, balance = [], 100.0
    for paid in (0.0, 11.0, 121.0):
        principal.append(paid - 0.1 * balance)
        balance -= principal[-1]
    return {
        "gpm_arm_average_life": 12 * measures.average_life(principal),
        "z_bond_average_life": 12 * measures.average_life(np.maximum(principal, 0)),
    }


def standard_defaults() -> dict[str, float]:
    """Cumulative defaults of a new 8 % pool at 150 PSA and 100 SDA."""
    flows = project(one_loan(100.0, 0.08, 360), Assumptions(psa=150, sda=100, recovery_lag=12)).totals
    return {"cumulative_defaults_pct": flows["defaults"].sum()}


WORKED = {
    "cashflow_month1": month_one,
    "speed_from_factors": factors,
    "two_pool_average": two_pools,
    "abs_speed": car_loans,
    "yield_150psa": at_par,
    "yield_150psa_7days": a_week_later,
    "accrual_average_life": accruing,
    "sda_totals": standard_defaults,
}


def test_worked_examples_come_out_as_printed(reference: Path) -> None:
    """All 38 printed numbers are ours at their decimals."""
    printed = pd.read_csv(reference / "bma_worked_examples.csv")
    ours = {example: values() for example, values in WORKED.items()}
    wrong = [
        (row, ours[row.example][row.quantity])
        for row in printed.itertuples()
        if abs(ours[row.example][row.quantity] - row.expected) > 0.5000001 * 10.0**-row.decimals
    ]
    assert len(printed) == 38
    assert wrong == []


def pass_through(psa: float) -> pd.DataFrame:
    """Fabozzi's 400 million: 8.125 % loans, 7.5 % passed through, three months old; indexed by month."""
    loans = one_loan(400e6, 0.08125, 360, servicing_fee=0.00625).assign(age=3)
    pool = project(loans, Assumptions(psa=psa))
    return pool.totals.set_index("month").join(pool.cash.set_index("month")[["principal", "cash_flow"]])


def test_fabozzi_principal_agrees_to_the_cent(reference: Path) -> None:
    """Every printed month at 90 PSA is ours rounded to the cent."""
    printed = pd.read_csv(reference / "fabozzi_principal_90_psa.csv").set_index("month")["principal_90_psa"]
    ours = pass_through(90)["principal"].loc[printed.index]
    assert len(printed) == 38
    assert np.abs(ours - printed).max() <= 0.005 + 1e-6


def fabozzi(psa: float, month: str, quantity: str) -> float:
    """One of the facts printed about the pool and the bonds cut from it."""
    flows, at = pass_through(psa), 1 if month == "any" else int(month)
    row = flows.loc[at]
    paid = flows["principal"].cumsum()
    simple = {
        "total_principal": row["principal"],
        "net_interest": row["interest"],
        "total_cash_flow": row["cash_flow"],
        "scheduled_principal": row["scheduled"],
        "prepayment": row["prepaid"],
        "SMM": float(speeds.smm_from_psa(psa, at + 3)),
        "SMM_at_6_CPR_pct": 100 * float(speeds.smm_from_cpr(0.06)),
        "CPR_pct": 100 * float(speeds.cpr_from_psa(psa, at + 3)),
        "tranche_a_balance_end_of_month": 194.5e6 - paid.loc[at],
        "tranche_a_balance_end": 194.5e6 - paid.loc[at],
        "tranche_b_principal": row["principal"] - max(194.5e6 - (paid.loc[at] - row["principal"]), 0),
        "tranche_a_interest": 194.5e6 * 0.075 / 12,
        "tranche_a_cash_flow": 194.5e6 * 0.075 / 12 + row["principal"],
        "beginning_balance": 400e6 - (paid.loc[at] - row["principal"]),
    }
    return simple[quantity]


def test_fabozzi_facts_come_out_as_printed(reference: Path) -> None:
    """Every fact about the pool at 100 and 165 PSA is ours within the last digit printed."""
    printed = pd.read_csv(reference / "fabozzi_facts.csv", dtype=str)
    assert len(printed) == 16
    for row in printed.itertuples():
        decimals = len(row.value.partition(".")[2])
        value = float(row.value)
        slack = 0.55 * 10.0**-decimals  # two printed sums add parts already rounded
        assert abs(fabozzi(float(row.psa), row.month, row.quantity) - value) <= slack, row


def ratio(text: str) -> float:
    """A rate as printed: 0.08 or 0.08/12."""
    top, _, bottom = str(text).partition("/")
    return float(top) / float(bottom or 1)


def test_spreadsheet_functions_agree_with_their_manuals(reference: Path) -> None:
    """All 32 documented results of PMT, IPMT, PPMT, CUMIPMT and CUMPRINC are ours at the digits given."""
    printed = pd.read_csv(reference / "excel_function_examples.csv", dtype={"rate": str, "expected": str})
    assert len(printed) == 32
    for row in printed.itertuples():
        rate, per, due = ratio(row.rate), row.per_or_start, int(row.type)
        pay = {
            "PMT": lambda r=rate, x=row, d=due: annuity.pmt(r, x.nper, x.pv, x.fv, due=d),
            "IPMT": lambda r=rate, x=row, d=due: annuity.ipmt(r, int(x.per_or_start), x.nper, x.pv, x.fv, due=d),
            "PPMT": lambda r=rate, x=row, d=due: annuity.ppmt(r, int(x.per_or_start), x.nper, x.pv, x.fv, due=d),
            "CUMIPMT": lambda r=rate, x=row, d=due: annuity.cumipmt(
                r, x.nper, x.pv, int(x.per_or_start), int(x.end_period), due=d
            ),
            "CUMPRINC": lambda r=rate, x=row, d=due: annuity.cumprinc(
                r, x.nper, x.pv, int(x.per_or_start), int(x.end_period), due=d
            ),
        }[row.function]
        decimals = min(len(row.expected.partition(".")[2]), 8)
        assert abs(pay() - float(row.expected)) <= 0.51 * 10.0**-decimals, (row, per)


def test_day_counts_agree_with_the_published_examples(reference: Path) -> None:
    """All 93 counts of the three 30/360 conventions are ours."""
    printed = pd.read_csv(reference / "quantlib_30_360.csv", dtype=str).fillna("")
    names = {"30/360 Bond Basis": "30/360", "30E/360 Eurobond Basis": "30E/360", "30E/360 ISDA": "30E/360 ISDA"}
    wrong = []
    for row in printed.itertuples():
        end = dt.date.fromisoformat(row.termination_date) if row.termination_date else None
        ours = daycount.days(
            dt.date.fromisoformat(row.start), dt.date.fromisoformat(row.end), names[row.convention], termination=end
        )
        if ours != int(row.expected_days):
            wrong.append((row, ours))
    assert len(printed) == 93
    assert wrong == []


def test_real_instalments_are_rounded_up_to_the_cent(shared_data: Path) -> None:
    """The first payment with rounding "up" is the printed instalment of 9,997 of 10,000 real loans."""
    rows = pd.read_csv(shared_data / "loans" / "lendingclub_openintro_loans_full_schema.csv")
    loans = pd.DataFrame(
        {"balance": rows["loan_amount"], "rate": rows["interest_rate"] / 100, "term": rows["term"], "age": 0}
    )
    equal = {}
    for rounding in ("up", "half"):
        first = project(loans, Assumptions(rounding=rounding), months=1).loans(range(len(loans)))
        paid = first["scheduled"] + first["interest"]
        equal[rounding] = int((np.abs(paid - rows["installment"]) < 0.001).sum())
    assert len(loans) == 10_000
    assert equal["up"] == 9_997
    assert 4_000 < equal["half"] < 6_000
