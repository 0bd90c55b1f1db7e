"""100,000 rows of 10 mixed columns to .xlsx: ours against the ways people write them today.

    python benchmarks/workbook.py [rows]

Each contender runs in a process of its own, from the same frame. The seconds are of the writing alone,
the memory is the process's peak. Ours also makes a native table with filters, widths, formats per column
and a row of totals; the others write bare cells. Ratios are to ours and are what to compare: seconds
differ between machines.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

ROWS = 100_000


def frame(rows: int) -> pd.DataFrame:
    """Ids, repeated and distinct texts, dates, moments, whole and broken numbers with gaps, a flag."""
    random = np.random.default_rng(7)
    balance = random.gamma(2, 120_000, rows).round(2)
    return pd.DataFrame(
        {
            "loan_id": [f"L{number:08d}" for number in range(rows)],
            "state": random.choice(["CA", "TX", "FL", "NY", "WA", "IL"], rows),
            "borrower": [f"Borrower {number % 7919} & Sons" for number in range(rows)],
            "originated": pd.Timestamp("2015-01-01") + pd.to_timedelta(random.integers(0, 4000, rows), unit="D"),
            "updated": pd.Timestamp("2026-01-01") + pd.to_timedelta(random.integers(0, 10**7, rows), unit="s"),
            "term": random.integers(12, 360, rows),
            "balance": balance,
            "rate": random.normal(0.05, 0.01, rows).round(5),
            "arrears": np.where(random.random(rows) < 0.2, np.nan, balance / 100),
            "insured": random.random(rows) < 0.5,
        }
    )


def ours(data: pd.DataFrame) -> bytes:
    from reports.model import Book, Column, Sheet, Table
    from reports.render.workbook import write

    formats = {
        "originated": "date", "updated": "datetime", "term": "integer", "balance": "currency",
        "rate": "percent.3", "arrears": "number",
    }  # fmt: skip
    columns = [
        Column(key=key, label=key, format=formats.get(key, "text"), total=key in {"balance", "arrears"})
        for key in data.columns
    ]
    sheet = Sheet(name="Loans", content=Table(frame=data, columns=columns))
    return write(Book(file="loans", sheets=[sheet], as_of=dt.date(2026, 10, 31))).content


def pandas_openpyxl(data: pd.DataFrame) -> bytes:
    content = io.BytesIO()
    data.to_excel(content, index=False, engine="openpyxl")
    return content.getvalue()


def openpyxl_write_only(data: pd.DataFrame) -> bytes:
    import openpyxl

    workbook = openpyxl.Workbook(write_only=True)
    sheet = workbook.create_sheet("Loans")
    sheet.append(list(data.columns))
    for row in data.itertuples(index=False):
        sheet.append(list(row))
    content = io.BytesIO()
    workbook.save(content)
    return content.getvalue()


def xlsxwriter_constant_memory(data: pd.DataFrame) -> bytes:
    import xlsxwriter

    content = io.BytesIO()
    options = {"constant_memory": True, "nan_inf_to_errors": True, "default_date_format": "yyyy-mm-dd"}
    workbook = xlsxwriter.Workbook(content, options)
    sheet = workbook.add_worksheet("Loans")
    sheet.write_row(0, 0, list(data.columns))
    for number, row in enumerate(data.itertuples(index=False), start=1):
        sheet.write_row(number, 0, row)
    workbook.close()
    return content.getvalue()


CONTENDERS = {one.__name__: one for one in (ours, pandas_openpyxl, openpyxl_write_only, xlsxwriter_constant_memory)}


def measure(name: str, rows: int) -> dict[str, float]:
    data = frame(rows)
    CONTENDERS[name](data.head(10))  # imports are not what is compared
    before = time.perf_counter()
    size = len(CONTENDERS[name](data))
    seconds = time.perf_counter() - before
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"seconds": seconds, "megabytes": kilobytes / 1024, "file": size / 1e6}


def main(rows: int) -> None:
    print(f"{rows:,} rows x 10 columns      seconds   ratio    peak MB   ratio    file MB")
    ours_first: dict[str, float] = {}
    for name in CONTENDERS:
        command = [sys.executable, str(Path(__file__).resolve()), "--one", name, str(rows)]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        ours_first = ours_first or found
        seconds, megabytes = found["seconds"], found["megabytes"]
        print(
            f"{name:27} {seconds:8.2f} {seconds / ours_first['seconds']:7.1f} "
            f"{megabytes:10.0f} {megabytes / ours_first['megabytes']:7.2f} {found['file']:10.1f}"
        )


if __name__ == "__main__":
    if "--one" in sys.argv:
        print(json.dumps(measure(sys.argv[2], int(sys.argv[3]))))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
