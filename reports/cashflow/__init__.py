"""Cash flows of loans: prepayment, default, recovery; totals of millions in seconds, or one loan to the cent.

projection = project(loans, Assumptions(psa=150, sda=100, severity=0.2, recovery_lag=12), months=360)
projection.totals         one row per month
projection.loan("A-17")   the same columns for one loan
"""

from reports.cashflow.assumptions import Assumptions
from reports.cashflow.projection import Projection, project

__all__ = ["Assumptions", "Projection", "project"]
