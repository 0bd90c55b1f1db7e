"""A CSV file into a table: an upload against pandas.to_sql and a plain executemany loop into the same database.

    python benchmarks/upload.py [--rows 1000000] [--server-rows 50000] [--times 1] [--memory 10000000]

PostgreSQL comes from its wheel, SQLite is a file; SQL Server is the one that REPORTS_TEST_SQLSERVER_URL names, and is
left out without it. Each contender runs in a process of its own, in turn, and begins with an empty table; the medians
count. The time is from the file to the last commit, imports aside: pandas reads with read_csv and writes with chunks of
10,000; the loop reads with the csv module and commits once. Neither tests a value, keeps a log or could go on after a
kill. With --memory the most that an upload holds is compared for 10,000 rows and for that many.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parent))

COLUMNS = {
    "id": "bigint", "region": "varchar(20)", "product": "varchar(20)", "opened": "date", "balance": "decimal(14,2)",
    "rate": "decimal(6,2)", "term": "int", "zip": "varchar(10)",
}  # fmt: skip
TABLE = f"CREATE TABLE loans ({', '.join(f'{name} {kind}' for name, kind in COLUMNS.items())})"
CHUNK = 10_000


def project(folder: Path, url: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    settings = f'[sources.wh]\nurl = "{url}"\nuploads = true\n[mail]\nprovider = "folder"\nfrom = "a@example.com"\n'
    (folder / "settings.toml").write_text(settings, "utf-8")
    return folder


def ours(file: Path, url: str, folder: Path) -> float:
    import reports
    import reports.uploads.desk

    project(folder, url)
    begun = time.perf_counter()
    done = reports.upload(file, "wh.loans", project=folder, again=True)
    assert done.ok, done.error  # noqa: S101
    return time.perf_counter() - begun


def by_pandas(file: Path, url: str, folder: Path) -> float:
    import pandas as pd
    from sqlalchemy import create_engine

    del folder
    engine = create_engine(url)
    begun = time.perf_counter()
    for frame in pd.read_csv(file, dtype={"zip": "str"}, parse_dates=["opened"], chunksize=CHUNK):
        frame.to_sql("loans", engine, if_exists="append", index=False)
    return time.perf_counter() - begun


def by_hand(file: Path, url: str, folder: Path) -> float:
    from sqlalchemy import create_engine

    del folder
    engine = create_engine(url)
    mark = {"sqlite": "?", "mssqlpython": "?"}.get(engine.dialect.driver.replace("pysqlite", "sqlite"), "%s")
    statement = f"INSERT INTO loans VALUES ({', '.join([mark] * len(COLUMNS))})"  # noqa: S608  no value in it
    begun = time.perf_counter()
    connection: Any = engine.raw_connection()
    with file.open(encoding="utf-8", newline="") as opened:
        rows = islice(csv.reader(opened), 1, None)
        while some := [tuple(row) for row in islice(rows, CHUNK)]:
            connection.cursor().executemany(statement, some)
    connection.commit()
    return time.perf_counter() - begun


CONTENDERS: dict[str, Callable[[Path, str, Path], float]] = {
    "reports": ours,
    "to_sql": by_pandas,
    "executemany": by_hand,
}


def emptied(url: str) -> None:
    from sqlalchemy import create_engine, inspect

    engine = create_engine(url)
    with engine.begin() as connection:
        for table in ("loans", "reports_upload"):
            if inspect(connection).has_table(table):
                connection.exec_driver_sql(f"DROP TABLE {table}")
        connection.exec_driver_sql(TABLE)
    engine.dispose()


def counted(url: str) -> tuple[int, float]:
    from sqlalchemy import create_engine

    engine = create_engine(url)
    with engine.connect() as connection:
        count, total = connection.exec_driver_sql("SELECT count(*), sum(balance) FROM loans").one()
    engine.dispose()
    return int(count), round(float(total), 2)


def measured(name: str, file: Path, url: str, folder: Path) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, __file__, "--only", name, "--file", file, "--url", url, "--folder", folder],
        check=True, stdout=subprocess.PIPE,
    )  # fmt: skip
    return dict(json.loads(done.stdout))


def databases(folder: Path) -> Iterator[tuple[str, str]]:
    from postgres import server

    yield "sqlite", f"sqlite:///{folder / 'wh.db'}"
    for url in server(folder):
        yield "postgresql", url
    if url := os.environ.get("REPORTS_TEST_SQLSERVER_URL", ""):
        yield "sqlserver", url


def compare(rows: int, server_rows: int, times: int) -> None:
    from files import write

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind, url in databases(folder):
            count = server_rows if kind == "sqlserver" else rows
            file = folder / f"{count}.csv"
            if not file.exists():
                write(file, count)
            print(f"{kind}, {count:,} rows, {file.stat().st_size / 1e6:.0f} MB, median of {times}")
            runs: dict[str, list[float]] = {one: [] for one in CONTENDERS}
            totals = set()
            for number in range(times):
                for contender, taken in runs.items():
                    emptied(url)
                    project_folder = folder / f"{kind}-{number}"
                    taken.append(measured(contender, file, url, project_folder)["seconds"])
                    totals.add(counted(url))
            assert len(totals) == 1, f"they disagree: {totals}"  # noqa: S101
            medians = {one: statistics.median(taken) for one, taken in runs.items()}
            for contender, seconds in medians.items():
                ratio = seconds / medians["reports"]
                print(f"  {contender:12} {seconds:7.2f} s  {count / seconds:9,.0f} rows/s  {ratio:5.2f} x")


def memory(rows: int) -> None:
    from files import write

    with tempfile.TemporaryDirectory() as name:
        folder, peaks = Path(name), {}
        url = f"sqlite:///{folder / 'wh.db'}"
        for count in (10_000, rows):
            file = folder / f"{count}.csv"
            write(file, count)
            emptied(url)
            peaks[count] = measured("reports", file, url, folder / str(count))["MB"]
            print(f"  {count:>12,} rows: {peaks[count]:.0f} MB at the most")
        print(f"  {peaks[rows] / peaks[10_000]:.2f} x")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--server-rows", type=int, default=50_000)
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--memory", type=int, default=0)
    parser.add_argument("--only", choices=CONTENDERS)
    for option in ("--file", "--folder"):
        parser.add_argument(option, type=Path)
    parser.add_argument("--url")
    given = parser.parse_args()
    if given.only:
        seconds = CONTENDERS[given.only](given.file, given.url, given.folder)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"seconds": seconds, "MB": peak}))
    elif given.memory:
        memory(given.memory)
    else:
        compare(given.rows, given.server_rows, given.times)


if __name__ == "__main__":
    main()
