"""What tests of sources ask for: sources over files just written, and databases that are really there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from reports.model import Dataset, Query
from reports.settings import FileSource
from reports.sources import Source, open_source

Ask = Callable[..., Dataset]


@pytest.fixture
def files(tmp_path: Path) -> Iterator[Callable[..., Source]]:
    """Opens a file source over the test's folder; closed when the test ends."""
    opened: list[Source] = []

    def make(name: str = "t", *, root: Path = tmp_path, **settings: Any) -> Source:
        source = open_source(name, FileSource.model_validate(settings, context={"root": root}))
        opened.append(source)
        return source

    yield make
    for source in opened:
        source.close()


@pytest.fixture
def ask(tmp_path: Path, files: Callable[..., Source]) -> Ask:
    """Writes bytes or text as the table `t` and queries it."""

    def answer(
        content: bytes | str,
        sql: str = "SELECT * FROM t",
        params: Mapping[str, Any] | None = None,
        file: str = "t.csv",
        **settings: Any,
    ) -> Dataset:
        (tmp_path / file).write_bytes(content.encode() if isinstance(content, str) else content)
        source = files(files=file, **settings)
        return source.fetch(Query(name="q", sql=sql, source="t", path=Path("jobs/j/q.sql")), params or {})

    return answer


def rows(dataset: Dataset) -> list[tuple[Any, ...]]:
    """The rows as tuples, every missing value None."""
    frame = dataset.frame.astype(object)
    return list(frame.where(frame.notna(), None).itertuples(index=False, name=None))


@pytest.fixture(name="rows")
def rows_() -> Callable[[Dataset], list[tuple[Any, ...]]]:
    return rows


@pytest.fixture
def write_excel(tmp_path: Path) -> Callable[..., Path]:
    """Writes frames as the sheets of a workbook."""

    def write(file: str, **sheets: pd.DataFrame) -> Path:
        with pd.ExcelWriter(tmp_path / file) as book:
            for name, frame in sheets.items():
                frame.to_excel(book, sheet_name=name, index=False)
        return tmp_path / file

    return write
