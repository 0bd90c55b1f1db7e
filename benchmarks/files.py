"""GROUP BY over a CSV file of 5 million rows: a file source against plain DuckDB and pandas.

    python benchmarks/files.py [--rows 5000000] [--times 5]

Each contender runs in a process of its own, in turn, several times; the medians count. The file source is
measured from `open_source` to the frame, DuckDB from connecting to the rows, pandas from reading to the
frame, imports aside; the whole process is shown beside it, with the most memory it held.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

SQL = "SELECT region, product, sum(balance) AS balance, avg(term) AS term, count(*) AS n FROM {} GROUP BY ALL"
BLOCK = 250_000


def write(path: Path, rows: int) -> None:
    """Loans with ids, words, dates, amounts and ZIP codes: about 59 bytes a row."""
    random = np.random.default_rng(1)
    regions = np.array(["north", "south", "east", "west", "centre"])
    products = np.array(["mortgage", "auto", "card", "student"])
    with path.open("w", encoding="utf-8") as file:
        file.write("id,region,product,opened,balance,rate,term,zip\n")
        for start in range(0, rows, BLOCK):
            count = min(BLOCK, rows - start)
            columns = (
                regions[random.integers(0, 5, count)],
                products[random.integers(0, 4, count)],
                np.datetime64("2015-01-01") + random.integers(0, 3650, count),
                random.integers(100_000, 99_999_999, count) / 100,
                random.integers(12, 480, count),
                random.integers(0, 99_999, count),
            )
            file.writelines(
                f"{10**9 + start + n},{region},{product},{opened},{balance:.2f},{term / 50:.2f},{term},{code:05d}\n"
                for n, (region, product, opened, balance, term, code) in enumerate(zip(*columns, strict=True))
            )


def ours(path: Path) -> tuple[float, float]:
    from reports.model import Query
    from reports.settings import FileSource
    from reports.sources import files

    start = time.perf_counter()
    source = files.Files("loans", FileSource(files=str(path)))
    frame = source.fetch(Query(name="sums", sql=SQL.format("loans"), source="loans"), {}).frame
    took = time.perf_counter() - start
    source.close()
    return took, float(frame["balance"].sum())


def plain_duckdb(path: Path) -> tuple[float, float]:
    import duckdb

    start = time.perf_counter()
    rows = duckdb.sql(SQL.format(f"read_csv('{path}')")).fetchall()
    return time.perf_counter() - start, sum(row[2] for row in rows)


def plain_pandas(path: Path) -> tuple[float, float]:
    import pandas as pd

    start = time.perf_counter()
    groups = pd.read_csv(path).groupby(["region", "product"])
    frame = groups.agg(balance=("balance", "sum"), term=("term", "mean"), n=("id", "size"))
    return time.perf_counter() - start, float(frame["balance"].sum())


CONTENDERS: dict[str, Callable[[Path], tuple[float, float]]] = {
    "reports": ours,
    "duckdb": plain_duckdb,
    "pandas": plain_pandas,
}


def measured(name: str, path: Path) -> dict[str, float]:
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, __file__, "--only", name, "--file", str(path)], check=True, stdout=subprocess.PIPE
    )
    return {"process": time.perf_counter() - start, **json.loads(done.stdout)}


def only(name: str, path: Path) -> None:
    took, total = CONTENDERS[name](path)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": took, "MB": peak, "total": total}))


def compare(rows: int, times: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "loans.csv"
        write(path, rows)
        print(f"{rows:,} rows, {path.stat().st_size / 1e6:.0f} MB, median of {times}")
        runs: dict[str, list[dict[str, float]]] = {name: [] for name in CONTENDERS}
        for _ in range(times):
            for name, taken in runs.items():
                taken.append(measured(name, path))
    medians = {
        name: {key: statistics.median(run[key] for run in taken) for key in ("seconds", "process", "MB")}
        for name, taken in runs.items()
    }
    totals = [taken[0]["total"] for taken in runs.values()]
    assert max(totals) - min(totals) < 1e-6 * max(totals), "they disagree"  # noqa: S101
    for name, median in medians.items():
        print(f"  {name:8} {median['seconds']:6.2f} s  process {median['process']:6.2f} s  {median['MB']:6.0f} MB")
    for other in ("duckdb", "pandas"):
        ratios = {key: medians["reports"][key] / medians[other][key] for key in medians["reports"]}
        print(f"  reports / {other}: " + ", ".join(f"{key} {ratio:.2f}" for key, ratio in ratios.items()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--only", choices=CONTENDERS)
    parser.add_argument("--file", type=Path)
    given = parser.parse_args()
    if given.only:
        only(given.only, given.file)
    else:
        compare(given.rows, given.times)


if __name__ == "__main__":
    main()
