"""100,000 rows of 10 mixed columns to .xlsx: ours against the ways people write them today.

    python benchmarks/workbook.py [rows] [times]

Each contender runs in a process of its own, from the same frame, as often as asked for; the best of its times counts,
as other programs only add to it. The seconds are of the writing alone. "Memory" is what the process took at its
peak above the frame, the finished file included. Ours also makes a native table with filters, widths, formats by column
and a row of totals; the others write bare cells. Ratios are to ours and are what to compare: seconds differ between
machines. A contender that is not installed is left out.
"""

from __future__ import annotations

import datetime as dt
import importlib.util
import io
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

ROWS, TIMES = 100_000, 3


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
    return write(Book(file="loans", sheets=[sheet], as_of=dt.date(2026, 10, 31))).artifact.content


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


def pandas_xlsxwriter(data: pd.DataFrame) -> bytes:
    content = io.BytesIO()
    data.to_excel(content, index=False, engine="xlsxwriter")
    return content.getvalue()


def rustpy_fast_excel(data: pd.DataFrame) -> bytes:
    """Its quickest way: the frame itself, into a file."""
    from rustpy_xlsxwriter import FastExcel

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "loans.xlsx"
        FastExcel(str(path)).sheet("Loans", data).save()
        return path.read_bytes()


def pyexcelerate(data: pd.DataFrame) -> bytes:
    from pyexcelerate import Workbook

    content, workbook = io.BytesIO(), Workbook()
    plain = data.astype(object).where(data.notna(), None)
    workbook.new_sheet("Loans", data=[list(data.columns), *plain.to_numpy().tolist()])
    workbook._save(content)  # noqa: SLF001  there is no other way into memory
    return content.getvalue()


CONTENDERS = {
    ours: "openpyxl",
    pandas_openpyxl: "openpyxl",
    openpyxl_write_only: "openpyxl",
    pandas_xlsxwriter: "xlsxwriter",
    xlsxwriter_constant_memory: "xlsxwriter",
    pyexcelerate: "pyexcelerate",
    rustpy_fast_excel: "rustpy_xlsxwriter",
}


def measure(name: str, rows: int) -> dict[str, float]:
    writes = next(one for one in CONTENDERS if one.__name__ == name)
    data = frame(rows)
    writes(data.head(10))  # imports are not what is compared
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6
    before = time.perf_counter()
    size = len(writes(data))
    seconds = time.perf_counter() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    return {"seconds": seconds, "megabytes": max(peak - resident, 0.0), "file": size / 1e6}


def best(name: str, rows: int, times: int) -> dict[str, float]:
    command = [sys.executable, str(Path(__file__).resolve()), "--one", name, str(rows)]
    runs = [
        json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout) for _ in range(times)
    ]
    return {key: min(run[key] for run in runs) for key in runs[0]}


def main(rows: int, times: int) -> None:
    print(f"{rows:,} rows x 10 columns, best of {times}   seconds   ratio   memory MB    file MB")
    first: dict[str, float] = {}
    for contender, library in CONTENDERS.items():
        if importlib.util.find_spec(library) is None:
            print(f"{contender.__name__:38} {library} is not installed")
            continue
        found = best(contender.__name__, rows, times)
        first = first or found
        seconds, ratio = found["seconds"], found["seconds"] / first["seconds"]
        print(f"{contender.__name__:38} {seconds:8.2f} {ratio:7.1f} {found['megabytes']:11.0f} {found['file']:10.1f}")


if __name__ == "__main__":
    if "--one" in sys.argv:
        print(json.dumps(measure(sys.argv[2], int(sys.argv[3]))))
    else:
        main(*map(int, sys.argv[1:]), *(ROWS, TIMES)[len(sys.argv) - 1 :])
