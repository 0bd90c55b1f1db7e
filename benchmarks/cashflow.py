"""The cash-flow engine against a plain month loop over whole arrays, and against libraries that go loan by loan.

python benchmarks/cashflow.py                       a million loans, ten million, ten thousand by library
python benchmarks/cashflow.py --loans 200000 --skip-large
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

try:
    import numpy_financial as npf
except ImportError:
    npf = None
try:
    import QuantLib as ql  # noqa: N813
except ImportError:
    ql = None

sys.path.insert(0, str(Path(__file__).parents[1]))
from reports.cashflow import Assumptions, project
from reports.cashflow.flows import COLUMNS

PLAN = Assumptions(psa=150, sda=100, severity=0.20, recovery_lag=12, advance=True)
MONTHS = 360


def portfolio(count: int, kind: str = "random", seed: int = 7) -> pd.DataFrame:
    """Random loans: any rate, or rates on eighths of a percent; terms and ages of all kinds, or a few."""
    rng = np.random.default_rng(seed)
    few = [60, 120, 180, 240, 300, 360]
    term = rng.integers(12, 361, count) if kind == "various" else rng.choice(few, count)
    rate = rng.uniform(0.01, 0.12, count)
    return pd.DataFrame(
        {
            "balance": rng.uniform(1_000, 500_000, count).round(2),
            "rate": np.round(rate * 800) / 800 if kind == "eighths" else rate,
            "term": term,
            "age": (rng.random(count) * np.minimum(term, 120)).astype(np.int64),
        }
    )


def plain(loans: pd.DataFrame, months: int = MONTHS) -> dict[str, np.ndarray]:
    """The published formulas for every loan and month over whole arrays, as one would write them first."""
    balance, rate = loans["balance"].to_numpy(), loans["rate"].to_numpy() / 12
    left, age = (loans["term"] - loans["age"]).to_numpy(), loans["age"].to_numpy()
    lag, severity = PLAN.recovery_lag, PLAN.severity
    low = (1 + rate) ** -left
    scheduled_before = np.ones_like(balance)
    performing, foreclosure = balance.copy(), np.zeros_like(balance)
    past: list[tuple[np.ndarray, np.ndarray]] = []
    out: dict[str, list[float]] = {name: [] for name in COLUMNS}
    for month in range(1, months + 1):
        scheduled = np.where(month < left, (1 - low * (1 + rate) ** month) / (1 - low), 0.0)
        ratio = np.divide(scheduled, scheduled_before, out=np.zeros_like(balance), where=scheduled_before > 0)
        at = age + month
        smm = 1 - (1 - np.minimum(1.5 * 0.002 * np.clip(at, 1, 30), 1)) ** (1 / 12)
        mdr = 1 - (1 - np.interp(at, (1, 30, 60, 120), (0.0002, 0.006, 0.006, 0.0003))) ** (1 / 12)
        defaults = performing * np.where(month <= left - lag, mdr, 0.0)
        amortised = (performing - defaults) * (1 - ratio)
        prepaid = np.minimum(performing * ratio * smm, performing - defaults - amortised)
        adb = loss = np.zeros_like(balance)
        if month > lag:
            defaulted, then = past.pop(0)
            adb = defaulted * np.divide(scheduled_before, then, out=np.zeros_like(then), where=then > 0)
            loss = np.minimum(defaulted * severity, adb)
        past.append((defaults, scheduled_before))
        waiting = defaults + foreclosure - adb
        values = {
            "performing": performing - defaults - amortised - prepaid,
            "defaults": defaults,
            "foreclosure": waiting * ratio,
            "scheduled": amortised,
            "prepaid": prepaid,
            "amortised_defaults": waiting * (1 - ratio),
            "interest": (performing + foreclosure) * rate - (defaults + foreclosure) * rate,
            "interest_lost": (defaults + foreclosure) * rate,
            "recovery": np.maximum(adb - loss, 0.0),
            "loss": loss,
        }
        performing, foreclosure, scheduled_before = values["performing"], values["foreclosure"], scheduled
        for name in COLUMNS:
            out[name].append(float(values[name].sum()))
    return {name: np.array(values) for name, values in out.items()}


def seconds(action: Callable[[], object], times: int = 1) -> float:
    """The best of so many times."""
    best = float("inf")
    for _ in range(times):
        start = time.perf_counter()
        action()
        best = min(best, time.perf_counter() - start)
    return best


def difference(loans: pd.DataFrame, theirs: dict[str, np.ndarray]) -> float:
    """The greatest difference in any month, relative to the greatest amount of its column."""
    ours = project(loans, PLAN, months=MONTHS).totals
    return max(float(np.abs(ours[name] - theirs[name]).max() / np.abs(theirs[name]).max()) for name in COLUMNS)


def status(name: str) -> float:
    """Megabytes of this process: now (VmRSS) or at most so far (VmHWM); Linux only.

    Not ru_maxrss: a child starts with its parent's.
    """
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(lines[name].split()[0]) / 1024


def peak(loans: pd.DataFrame) -> float:
    """Megabytes a fresh process takes at most, above what it held with libraries and loans loaded."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "loans.npz"
        np.savez(path, **{name: loans[name].to_numpy() for name in loans})
        answer = subprocess.run([sys.executable, __file__, "--peak-of", path], capture_output=True, check=True)
    return float(answer.stdout)


def print_peak(path: Path) -> None:
    """The fresh process of `peak`."""
    project(portfolio(1000), PLAN, months=MONTHS)
    with np.load(path) as columns:
        loans = pd.DataFrame({name: columns[name] for name in columns.files})
    before = status("VmRSS")
    project(loans, PLAN, months=MONTHS)
    print(max(status("VmHWM") - before, 0.0))


def against_plain(count: int) -> None:
    """Ours and the plain loop on the same loans, in this process."""
    print(f"\n{count:,} loans x {MONTHS} months, 150 PSA, 100 SDA, severity 20 %, lag 12, advanced: totals")
    print(f"{'loans':10} {'ours s':>8} {'plain s':>8} {'ratio':>7} {'largest difference':>19} {'peak MB':>8}")
    for kind in ("random", "various", "eighths"):
        loans = portfolio(count, kind)
        theirs: dict[str, np.ndarray] = {}
        ours = seconds(lambda loans=loans: project(loans, PLAN, months=MONTHS), 3)
        slow = seconds(lambda loans=loans, theirs=theirs: theirs.update(plain(loans)))
        apart = difference(loans, theirs)
        print(f"{kind:10} {ours:8.2f} {slow:8.1f} {slow / ours:6.0f}x {apart:19.1e} {peak(loans):8.0f}")


def against_size(count: int) -> None:
    """Ten times the loans, timed in turn with the smaller portfolio."""
    print(f"\n{'loans':10} {count:>12,} {10 * count:>12,}   ratio")
    for kind in ("random", "various", "eighths"):
        small, large = portfolio(count, kind), portfolio(10 * count, kind)
        times = np.array(
            [
                [seconds(lambda loans=loans: project(loans, PLAN, months=MONTHS)) for loans in (small, large, small)]
                for _ in range(2)
            ]
        )
        one, ten = times[:, [0, 2]].min(), times[:, 1].min()
        print(f"{kind:10} {one:11.2f}s {ten:11.2f}s {ten / one:6.1f}x")


def financial(loans: pd.DataFrame) -> float | None:
    """Interest of all loans by numpy-financial, loan by loan."""
    if npf is None:
        return None
    total = 0.0
    for loan in loans.itertuples():
        months = np.arange(1, loan.term - loan.age + 1)
        total -= npf.ipmt(loan.rate / 12, months, len(months), loan.balance).sum()
        npf.ppmt(loan.rate / 12, months, len(months), loan.balance)
    return total


def quantlib(loans: pd.DataFrame) -> float | None:
    """Interest of all loans by QuantLib, each an amortising bond on a monthly schedule."""
    if ql is None:
        return None
    start, count, total = ql.Date(1, 1, 2026), ql.Thirty360(ql.Thirty360.BondBasis), 0.0
    for loan in loans.itertuples():
        term = ql.Period(int(loan.term - loan.age), ql.Months)
        notionals = ql.sinkingNotionals(term, ql.Monthly, float(loan.rate), float(loan.balance))
        schedule = ql.sinkingSchedule(start, term, ql.Monthly, ql.NullCalendar())
        bond = ql.AmortizingFixedRateBond(0, notionals, schedule, [float(loan.rate)], count)
        coupons = filter(None, map(ql.as_coupon, bond.cashflows()))
        total += sum(coupon.amount() for coupon in coupons)
    return total


def against_libraries(count: int) -> None:
    """Scheduled interest of the same loans, which is all the libraries do."""
    loans = portfolio(count)
    ours = seconds(lambda: project(loans, months=MONTHS), 3)
    interest = project(loans, months=MONTHS).totals["interest"].sum()
    print(f"\n{count:,} loans, schedules only{'seconds':>14} {'ratio':>9} {'difference':>11}")
    print(f"{'ours':30} {ours:10.3f}")
    for name, library in (("numpy-financial", financial), ("QuantLib", quantlib)):
        found: list[float | None] = []
        took = seconds(lambda library=library, found=found: found.append(library(loans)))
        if found[0] is None:
            print(f"{name:30} not installed: skipped")
            continue
        print(f"{name:30} {took:10.2f} {took / ours:8.0f}x {abs(found[0] / interest - 1):11.1e}")


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--loans", type=int, default=1_000_000, help="loans against the plain loop")
    parser.add_argument("--one-by-one", type=int, default=10_000, help="loans against the libraries")
    parser.add_argument("--skip-large", action="store_true", help="leave out ten times as many loans")
    parser.add_argument("--peak-of", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak_of:
        print_peak(options.peak_of)
        return
    against_plain(options.loans)
    if not options.skip_large:
        against_size(options.loans)
    against_libraries(options.one_by_one)


if __name__ == "__main__":
    main()
