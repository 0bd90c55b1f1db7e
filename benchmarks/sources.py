"""A million rows out of a database: a source against pandas.read_sql on the same driver.

    python benchmarks/sources.py [--rows 1000000] [--times 3]

SQL Server is the one that REPORTS_TEST_SQLSERVER_URL names, read by its driver; else the tests' small TDS server, which
sends rows that were encoded once, so that what is measured is the client. PostgreSQL comes from its wheel, SQLite is a
file. Each contender runs in a process of its own, in turn; the medians count. The time is from the first connection to
the frame, imports aside; the memory is the most that the process held, less what it held before.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

COLUMNS = (
    ("id", "bigint"), ("branch", "nvarchar(20)"), ("balance", "decimal(19,4)"), ("rate", "float"),
    ("opened", "date"), ("changed", "datetime2(3)"), ("active", "bit"), ("note", "nvarchar(100)"),
)  # fmt: skip
SERVER = "SELECT id, branch, balance, rate, opened, changed, active, note FROM loans"
GENERATED = """
WITH d AS (SELECT n FROM (VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)) v (n)),
s AS (SELECT a.n + 10 * b.n + 100 * c.n + 1000 * e.n + 10000 * f.n + 100000 * g.n AS n
      FROM d a CROSS JOIN d b CROSS JOIN d c CROSS JOIN d e CROSS JOIN d f CROSS JOIN d g)
SELECT TOP ({rows}) CAST(n AS BIGINT) AS id, N'branch 中文' AS branch, CAST(n AS DECIMAL(19, 4)) / 7 AS balance,
    CAST(n AS FLOAT) / 3 AS rate, CAST('2026-01-31' AS DATE) AS opened,
    CAST('2026-01-31 10:00' AS DATETIME2(3)) AS changed, CAST(n % 2 AS BIT) AS active,
    N'a note that somebody left here' AS note
FROM s
"""
LITE = """
WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < {rows} - 1)
SELECT n AS id, 'branch 中文' AS branch, n / 7.0 AS balance, n / 3.0 AS rate, '2026-01-31' AS opened,
    '2026-01-31 10:00' AS changed, n % 2 AS active, 'a note that somebody left here' AS note FROM s
"""
POSTGRES = """
SELECT n::bigint AS id, 'branch 中文' AS branch, (n / 7.0)::numeric(19, 4) AS balance, n / 3.0::float8 AS rate,
    DATE '2026-01-31' AS opened, TIMESTAMP '2026-01-31 10:00' AS changed, n % 2 = 1 AS active,
    'a note that somebody left here' AS note FROM generate_series(0, {rows} - 1) n
"""


def serve(rows: int, port: object) -> None:
    """The tests' server, for as long as it is needed."""
    import datetime as dt
    from decimal import Decimal

    from support.tds import Column, Rows, TdsServer, courtesies

    block = [
        (9_000_000_000 + n, "branch 中文", Decimal(n * 1_234_567) / 10_000, n / 3, dt.date(2026, 1, 31),
         dt.datetime(2026, 1, 31, 10), n % 2 == 1, "a note that somebody left here")  # noqa: DTZ001
        for n in range(1_000)
    ]  # fmt: skip

    def answer(session: object, statement: object) -> object:
        if "FROM loans" in statement.sql:
            return [Rows([Column(*column) for column in COLUMNS], block, times=rows // 1_000)]
        return courtesies(session, statement)

    with TdsServer(answer) as server:
        port.send(server.port)
        port.recv()


@contextlib.contextmanager
def databases(rows: int, folder: Path) -> Iterator[dict[str, tuple[str, str]]]:
    """A URL and a query for each kind and driver."""
    from postgres import server as postgresql

    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(rows, theirs), daemon=True)
    process.start()
    port = ours.recv()
    (folder / "empty.db").touch()
    found = {
        "mssqlpython": (f"mssql+mssqlpython://me:x@127.0.0.1:{port}/risk?Encrypt=no", SERVER),
        "pymssql": (f"mssql+pymssql://me:x@127.0.0.1:{port}/risk?encryption=off&charset=UTF-8", SERVER),
        "sqlite": (f"sqlite:///{folder / 'empty.db'}", LITE.format(rows=rows)),
    }
    if named := os.environ.get("REPORTS_TEST_SQLSERVER_URL"):
        driver = "pymssql" if "pymssql" in named else "mssqlpython"
        found = {driver: (named, GENERATED.format(rows=rows)), "sqlite": found["sqlite"]}
    for url in postgresql(folder):
        yield {**found, "psycopg": (url, POSTGRES.format(rows=rows))}
    ours.send("enough")
    process.join()


def reports(url: str, sql: str) -> int:
    """What a job does."""
    from reports.model import Query
    from reports.settings import DatabaseSource
    from reports.sources.database import Database

    os.environ["URL"] = url
    source = Database("s", DatabaseSource.model_validate({"url": {"env": "URL"}}))
    return len(source.fetch(Query(name="q", sql=sql, source="s"), {}).frame)


def read_sql(url: str, sql: str) -> int:
    """What people write."""
    import pandas as pd
    from sqlalchemy import create_engine, text

    with create_engine(url).connect() as connection:
        return len(pd.read_sql(text(sql), connection))


def read_sql_in_chunks(url: str, sql: str) -> int:
    """What people write whose memory was not enough."""
    import pandas as pd
    from sqlalchemy import create_engine, text

    with create_engine(url).connect() as connection:
        return len(pd.concat(list(pd.read_sql(text(sql), connection, chunksize=10_000))))


CONTENDERS = {"reports": reports, "read_sql": read_sql, "read_sql, chunks": read_sql_in_chunks}


def only(name: str, url: str, sql: str) -> None:
    import pandas as pd  # noqa: F401  not measured
    import pyarrow as pa  # noqa: F401
    import sqlalchemy  # noqa: F401

    from reports import drivers

    drivers.ready("mssql+mssqlpython")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    start = time.perf_counter()
    rows = CONTENDERS[name](url, sql)
    took = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": took, "MB": peak - before, "rows": rows}))


def measured(name: str, url: str, sql: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, __file__, "--only", name, "--url", url, "--sql", sql], check=True, stdout=subprocess.PIPE
    )
    return json.loads(done.stdout)


def compare(rows: int, times: int) -> None:
    with tempfile.TemporaryDirectory() as folder, databases(rows, Path(folder)) as found:
        print(f"{rows:,} rows of {len(COLUMNS)} columns, median of {times}")
        for kind, (url, sql) in found.items():
            runs: dict[str, list[dict[str, float]]] = {name: [] for name in CONTENDERS}
            for _ in range(times):
                for name, taken in runs.items():
                    taken.append(measured(name, url, sql))
            assert {run["rows"] for taken in runs.values() for run in taken} == {rows}  # noqa: S101
            medians = {
                name: {key: statistics.median(run[key] for run in taken) for key in ("seconds", "MB")}
                for name, taken in runs.items()
            }
            for name, median in medians.items():
                ratio = f"  x {median['seconds'] / medians['reports']['seconds']:.2f}" if name != "reports" else ""
                print(f"  {kind:12} {name:18} {median['seconds']:7.2f} s {median['MB']:7.0f} MB{ratio}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--only", choices=CONTENDERS)
    parser.add_argument("--url")
    parser.add_argument("--sql")
    given = parser.parse_args()
    if given.only:
        only(given.only, given.url, given.sql)
    else:
        compare(given.rows, given.times)


if __name__ == "__main__":
    main()
