"""What a source is: something that answers a query with a dataset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from reports.model import Dataset, Query


class Source(Protocol):
    """A named database or set of files, open for the length of one run."""

    def fetch(self, query: Query, params: Mapping[str, Any]) -> Dataset:
        """All rows of `query`; parameters are bound by name. A SourceError says what went wrong where."""
        ...

    def check(self) -> str:
        """One line that says what was found (tables, server); a SourceError where it cannot be reached."""
        ...

    def close(self) -> None:
        """Give back connections and temporary files; safe to call twice."""
        ...
