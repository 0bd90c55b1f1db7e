"""Rejected rows as frames, for the mail and for the workbook."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from reports.store import Reject

COLUMNS = ("file", "line", "column", "value", "reason", "cause", "content")
HEADINGS = ("File", "Line", "Column", "Value", "Reason", "Cause", "Row as it stands")


def of_rejects(rejects: Iterable[Reject]) -> pd.DataFrame:
    """One row for each, in their order."""
    rows = [[getattr(one, name) for name in COLUMNS] for one in rejects]
    frame = pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)
    return frame.astype({name: "int64" if name == "line" else "str" for name in COLUMNS})


def of_rows(rows: Iterable[Sequence[object]], columns: Sequence[str], numbers: Sequence[str]) -> pd.DataFrame:
    """These rows under these names; `numbers` are whole numbers, all others are texts."""
    frame = pd.DataFrame(list(rows), columns=list(columns), dtype=object)
    return frame.astype({name: "int64" if name in numbers else "str" for name in columns})
