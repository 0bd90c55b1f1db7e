"""What was fetched: a query's rows, and which of them did not fit."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Query:
    """SQL against one source; its dataset has the file's name."""

    name: str
    sql: str
    source: str
    path: Path | None = None

    @property
    def hash(self) -> str:
        """The first 12 hex digits of the SQL text's SHA-256: the same query, the same hash."""
        return hashlib.sha256(self.sql.encode()).hexdigest()[:12]


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """The named result of a query, or of a job's hooks (then without source and query)."""

    name: str
    frame: pd.DataFrame
    query: Query | None = None
    # Rows set aside while reading, by table: columns file, line, column, value, reason, row.
    rejected: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return len(self.frame)


def size(count: int) -> str:
    """Bytes as people say them, in powers of ten: 812 bytes, 280 kB, 35.9 MB."""
    if count < 10_000:
        return f"{count:,} bytes"
    return f"{count / 1e3:,.0f} kB" if count < 1_000_000 else f"{count / 1e6:,.1f} MB"
