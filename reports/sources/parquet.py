"""Frames as Parquet files, written by DuckDB: every column with its type, equal bytes for equal frames.

Decimals stay exact, instants with a zone are instants in UTC, whole numbers beyond 64 bits are decimals of 38 digits.
"""

from __future__ import annotations

import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from reports.errors import RenderError
from reports.sources.engine import literal, quoted

_WIDEST = 10**38
# Types that Parquet lacks: they would become doubles, or no column at all.
_CASTS = {"HUGEINT": "DECIMAL(38, 0)", "UHUGEINT": "DECIMAL(38, 0)", '"NULL"': "VARCHAR", "NULL": "VARCHAR"}


def write(frame: pd.DataFrame, *, where: str) -> bytes:
    """The frame's columns in their order, its index left out; a RenderError where Parquet has no type for one."""
    with tempfile.TemporaryDirectory() as folder, closing(_connection()) as connection:
        path = Path(folder) / "out.parquet"
        try:
            connection.register("frame", _plain(frame))
            columns = ", ".join(_column(name, kind) for name, kind, *_ in _described(connection))
            target = f"TO {literal(path)} (FORMAT parquet, COMPRESSION zstd)"
            connection.execute(f"COPY (SELECT {columns} FROM frame) {target}")  # noqa: S608  quoted names alone
        except duckdb.Error as error:
            hint = "cast the column in the SQL, or attach a CSV file"
            raise RenderError(f"the rows cannot be a Parquet file: {error}", where=where, hint=hint) from error
        return path.read_bytes()


def _connection() -> duckdb.DuckDBPyConnection:
    """One thread, for rows and row groups in their order; every value of an object column is looked at for its type."""
    return duckdb.connect(config={"threads": 1, "pandas_analyze_sample": 2**31})


def _described(connection: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    return connection.execute("DESCRIBE SELECT * FROM frame").fetchall()


def _column(name: str, kind: str) -> str:
    wanted = "VARCHAR" if kind.startswith("ENUM") else _CASTS.get(kind)
    return f"CAST({quoted(name)} AS {wanted}) AS {quoted(name)}" if wanted else quoted(name)


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Without what DuckDB would read by way of other libraries, or round: texts and long numbers as Python's own."""
    columns = {str(name): _series(column) for name, column in frame.items()}
    return pd.DataFrame(columns, index=pd.RangeIndex(len(frame)))


def _series(column: pd.Series[Any]) -> Any:
    if isinstance(column.dtype, pd.StringDtype):
        return column.astype(object).where(column.notna(), None).to_numpy()
    if column.dtype == object and any(isinstance(one, int) and abs(one) >= _WIDEST for one in column):
        return column.map(lambda one: str(one) if isinstance(one, int) else one).to_numpy()
    return column.array
