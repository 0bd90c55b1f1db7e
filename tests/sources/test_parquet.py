"""Parquet files: every column keeps its type, equal frames give equal bytes."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from reports.errors import RenderError
from reports.sources import parquet

MOMENT = dt.datetime(2026, 10, 25, 0, 30, tzinfo=dt.UTC)


def read(content: bytes, folder: Path) -> tuple[list[str], list[tuple[Any, ...]]]:
    path = folder / "read.parquet"
    path.write_bytes(content)
    kinds = [kind for _, kind, *_ in duckdb.sql(f"DESCRIBE SELECT * FROM '{path}'").fetchall()]  # noqa: S608  our own path
    return kinds, duckdb.sql(f"SELECT * FROM '{path}'").fetchall()  # noqa: S608


@pytest.mark.parametrize(
    ("series", "kind", "values"),
    [
        (pd.Series(["é", None], dtype="str"), "VARCHAR", ["é", None]),
        (pd.Series([1, 2**63 - 1]), "BIGINT", [1, 2**63 - 1]),
        (pd.Series([1, None], dtype="Int64"), "BIGINT", [1, None]),
        (pd.Series([10**37, 1], dtype=object), "DECIMAL(38,0)", [Decimal(10**37), Decimal(1)]),
        (pd.Series([10**50, None], dtype=object), "VARCHAR", ["1" + "0" * 50, None]),
        (pd.Series([0.1, None]), "DOUBLE", [0.1, None]),
        (pd.Series([Decimal("1.10"), Decimal("12345678901234567890.123")]), "DECIMAL(23,3)",
         [Decimal("1.100"), Decimal("12345678901234567890.123")]),
        (pd.Series([dt.date(1850, 1, 2), None], dtype=object), "DATE", [dt.date(1850, 1, 2), None]),
        (pd.Series([dt.datetime(2026, 1, 2, 3), None]), "TIMESTAMP", [dt.datetime(2026, 1, 2, 3), None]),  # noqa: DTZ001
        (pd.Series([True, None], dtype="boolean"), "BOOLEAN", [True, None]),
        (pd.Series([b"\x00", None], dtype=object), "BLOB", [b"\x00", None]),
        (pd.Series(["x", None], dtype="category"), "VARCHAR", ["x", None]),
        (pd.Series([None, None], dtype=object), "VARCHAR", [None, None]),
    ],
)  # fmt: skip
def test_a_column_keeps_its_type(series: pd.Series[Any], kind: str, values: list[Any], tmp_path: Path) -> None:
    """And each value what it is; what Parquet has no type for is a text, never a rounded number."""
    kinds, rows = read(parquet.write(pd.DataFrame({"v": series}), where="x"), tmp_path)
    assert (kinds, [row[0] for row in rows]) == ([kind], values)


def test_instants_are_instants_in_utc(tmp_path: Path) -> None:
    """On whatever clock they were."""
    local = pd.Series([pd.Timestamp(MOMENT).tz_convert("Asia/Tokyo"), None])
    kinds, rows = read(parquet.write(pd.DataFrame({"v": local}), where="x"), tmp_path)
    assert kinds == ["TIMESTAMP WITH TIME ZONE"]
    assert rows[0][0].astimezone(dt.UTC) == MOMENT


def test_a_type_is_that_of_every_row(tmp_path: Path) -> None:
    """Not of the first thousand."""
    values = [1] * 5_000 + ["n/a"]
    kinds, rows = read(parquet.write(pd.DataFrame({"v": pd.Series(values, dtype=object)}), where="x"), tmp_path)
    assert (kinds, rows[-1]) == (["VARCHAR"], ("n/a",))


def test_equal_frames_give_equal_bytes_in_their_order(tmp_path: Path) -> None:
    """More rows than one group has, and names that SQL would not take."""
    frame = pd.DataFrame({'a "b"': range(300_000), "select": "x"})
    content = parquet.write(frame, where="x")
    assert parquet.write(frame.copy(), where="x") == content
    found = pd.read_parquet(_saved(content, tmp_path))
    assert list(found.columns) == ['a "b"', "select"]
    assert found['a "b"'].tolist() == list(range(300_000))


def _saved(content: bytes, folder: Path) -> Path:
    path = folder / "x.parquet"
    path.write_bytes(content)
    return path


def test_a_frame_without_columns_is_told() -> None:
    """Parquet has no such file."""
    with pytest.raises(RenderError, match="cannot be a Parquet file") as caught:
        parquet.write(pd.DataFrame(), where="empty.parquet")
    assert caught.value.where == "empty.parquet"
