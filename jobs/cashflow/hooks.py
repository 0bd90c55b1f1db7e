"""From a loan tape to what the report shows: the projection, by month, year and product, and a sample of loans."""

import random

import pandas as pd

from reports.cashflow import Assumptions, Projection, project

FLOWS = ["interest", "scheduled", "prepaid", "defaults", "loss"]


def datasets(frames, params):
    loans = frames["loans"]
    if loans.empty:
        raise ValueError(f"the tape has no loans made by {params['as_of']}")
    projection = projection_of(loans, params)
    monthly = dated(projection.totals, params["as_of"])
    return {
        "loans": loans,
        "headline": headline(loans, projection, params),
        "balance": where_it_goes(projection, loans["balance"].sum()),
        "monthly": monthly,
        "by_year": by_year(monthly),
        "by_product": by_product(loans, projection),
        "sample": sample(loans, projection, params),
    }


def projection_of(loans, params) -> Projection:
    """The portfolio to its last payment."""
    assumptions = Assumptions(
        psa=params["psa"], sda=params["sda"], severity=params["severity"], recovery_lag=params["lag"], advance=True
    )
    months = int((loans["term"] - loans["age"]).max())
    return project(loans, assumptions, months=max(months, 1))


def dated(frame, as_of):
    """Months counted from 1 as calendar months, the first the one after the as-of date."""
    last = max(frame["month"], default=1)
    calendar = pd.date_range(pd.Timestamp(as_of) + pd.offsets.MonthBegin(), periods=last, freq="MS")
    return frame.assign(month=calendar[frame["month"] - 1])


def weighted(values, balance) -> float:
    """The average of values, weighted by balance."""
    return float((values * balance).sum() / balance.sum()) if balance.sum() else 0.0


def headline(loans, projection, params):
    totals, balance = projection.totals.sum(), loans["balance"]
    left = loans["term"] - loans["age"]
    rows = [
        ("Loans", len(loans), "integer", "", ""),
        ("Balance", balance.sum(), "currency.0", "", ""),
        ("Coupon", weighted(loans["rate"], balance), "percent.2", "weighted average", "up"),
        ("Maturity", weighted(left, balance), "number.0", "months, weighted average", ""),
        ("Life", projection.average_life, "number.2", "years, weighted average", ""),
        ("Yield", projection.yield_at(params["price"]), "percent.2", f"at a price of {params['price']:g}", "up"),
        ("Interest", totals["interest"], "currency.0", "projected", "up"),
        ("Scheduled principal", totals["scheduled"], "currency.0", "projected", ""),
        ("Prepayments", totals["prepaid"], "currency.0", f"{params['psa']:g}% PSA", ""),
        ("Defaults", totals["defaults"], "currency.0", f"{params['sda']:g}% SDA", "down"),
        ("Recovered", totals["recovery"], "currency.0", f"after {params['lag']} months", "up"),
        ("Losses", totals["loss"], "currency.0", f"{params['severity']:.0%} severity", "down"),
    ]
    return pd.DataFrame(rows, columns=["label", "value", "format", "note", "good"])


def where_it_goes(projection, opening):
    """The opening balance, less what comes back in each way, is what is lost."""
    totals = projection.totals.sum()
    steps = [
        ("Balance", opening),
        ("Scheduled", -totals["scheduled"]),
        ("Prepaid", -totals["prepaid"]),
        ("Amortised", -totals["amortised_defaults"]),
        ("Recovered", -totals["recovery"]),
        ("Lost", totals["loss"]),
    ]
    return pd.DataFrame(steps, columns=["step", "amount"])


def by_year(monthly):
    years = monthly.groupby(monthly["month"].dt.year)[FLOWS].sum()
    return years.reset_index(names="year")


def by_product(loans, projection):
    weights = pd.DataFrame(
        {
            "product": loans["product"].fillna("") if "product" in loans else "all",
            "loans": 1,
            "balance": loans["balance"],
            "coupon": loans["rate"] * loans["balance"],
            "maturity": (loans["term"] - loans["age"]) * loans["balance"],
        }
    )
    table = weights.groupby("product", sort=False).sum().reset_index()
    owed = table["balance"].where(table["balance"] != 0)
    table["coupon"], table["maturity"] = table["coupon"] / owed, table["maturity"] / owed
    table["loss"] = table["product"].map(projection.by_product.groupby("product")["loss"].sum())
    return table.sort_values("balance", ascending=False, ignore_index=True)


def sample(loans, projection, params):
    """Loans drawn at random by the as-of date, so that a run made again draws the same."""
    ids = sorted(loans["loan_id"])
    chosen = random.Random(params["as_of"].isoformat()).sample(ids, min(params["sample"], len(ids)))
    lines = projection.lines(sorted(chosen))
    alive = lines[(lines["balance"] > 0) | (lines["cash_flow"] > 0)].reset_index(drop=True)
    return dated(alive, params["as_of"])
