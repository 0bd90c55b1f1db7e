"""What a source is: something that answers a query with a dataset."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Protocol

from reports.model import Dataset, Query


class Source(Protocol):
    """A named database or set of files, open for the length of one run."""

    def fetch(self, query: Query, params: Mapping[str, Any]) -> Dataset:
        """All rows of `query`; parameters are bound by name. A SourceError says what went wrong where."""
        ...

    def describe(self, query: Query, params: Mapping[str, Any]) -> list[str] | None:
        """The columns that `query` would give, without its rows; None where only running it could tell."""
        ...

    def clock(self) -> dt.datetime | None:
        """The clock of the other side; None where that is this machine's own."""
        ...

    def check(self) -> str:
        """One line that says what was found (tables, server); a SourceError where it cannot be reached."""
        ...

    def close(self) -> None:
        """Give back connections and temporary files; safe to call twice."""
        ...
