"""What single loans earn."""

import numpy as np
import pandas as pd
import pytest

from reports.cashflow import Assumptions, project
from reports.errors import LoanError

LOANS = pd.DataFrame(
    {
        "loan_id": ["plain", "with fees", "free"],
        "balance": 10_000.0,
        "rate": [0.06, 0.06, 0.0],
        "term": 36,
        "age": 0,
        "fees": [0.0, 300.0, 0.0],
        "costs": [0.0, 100.0, 0.0],
    }
)


def test_a_loan_without_fees_earns_its_rate() -> None:
    """Twelve times the monthly rate is the loan's rate, its effective rate is compounded, whatever prepays."""
    found = project(LOANS, Assumptions(psa=400)).returns(rate=0.06).set_index("loan_id")
    assert found["irr"]["plain"] == pytest.approx(0.06, abs=1e-12)
    assert found["effective_rate"]["plain"] == pytest.approx(1.005**12 - 1, abs=1e-12)
    assert found["irr"]["free"] == pytest.approx(0, abs=1e-12)
    assert found["npv"]["plain"] == pytest.approx(0, abs=1e-8)


def test_fees_raise_and_costs_lower_the_effective_rate() -> None:
    """The outlay is balance less fees plus costs, and the NPV at the effective rate is 0."""
    projection = project(LOANS)
    found = projection.returns(["with fees"])
    rate = float(found["irr"].iloc[0])
    assert rate > 0.06
    assert projection.returns(["with fees"], rate=rate)["npv"].iloc[0] == pytest.approx(0, abs=1e-7)
    assert projection.returns(["with fees"], rate=0.06)["npv"].iloc[0] == pytest.approx(200, abs=1e-7)
    assert list(found.columns) == ["loan_id", "irr", "effective_rate"]


def test_profit_is_interest_less_losses_and_fees_at_the_start() -> None:
    """Spans add up: month 0 has the fees, months after have interest less losses."""
    projection = project(LOANS, Assumptions(mdr=0.01, severity=0.5, recovery_lag=3), months=36)
    whole = projection.profit(0, 36)["profit"]
    split = projection.profit(0, 12)["profit"] + projection.profit(13, 36)["profit"]
    assert np.allclose(whole, split)
    flows = projection.loan("with fees")
    assert whole[1] == pytest.approx(flows["interest"].sum() - flows["loss"].sum() + 200)
    with pytest.raises(LoanError, match="months 5 to 40"):
        projection.profit(5, 40)


def test_a_loan_that_costs_nothing_has_no_rate() -> None:
    """An outlay of zero or less has no rate: NaN, not an error, so the other loans keep theirs."""
    found = project(LOANS.assign(fees=[20_000.0, 0.0, 0.0])).returns()
    assert np.isnan(found["irr"][0])
    assert found["irr"][1:].notna().all()
