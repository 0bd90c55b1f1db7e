"""An Excel sheet copied out as CSV, one record for each row, so that it is read like any other text."""

from __future__ import annotations

import csv
import datetime as dt
import zipfile
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from reports.errors import SourceError
from reports.sources.faults import faults


def as_csv(file: Path, sheet: str | int, folder: Path) -> tuple[Path, int, tuple[str, ...]]:
    """The sheet (by name, or by position from 0) as a CSV file in `folder`, and the row its first record is,
    and what its error cells say, each word once.

    Rows without any value before the first and after the last that has one are left out.
    """
    rows, errors = _rows(file, sheet)
    filled = [n for n, row in enumerate(rows) if any(value != "" for value in row)] or [0]
    rows = rows[filled[0] : filled[-1] + 1]
    copy = folder / f"{len(list(folder.iterdir()))}-{file.stem}.csv"
    with copy.open("w", encoding="utf-8", newline="") as target:
        writer = csv.writer(target, quoting=csv.QUOTE_ALL)
        writer.writerows([_written(value) for value in row] for row in rows)
    return copy, filled[0] + 1, errors


def _rows(file: Path, sheet: str | int) -> tuple[list[list[Any]], tuple[str, ...]]:
    try:
        with file.open("rb") as opened:
            book = CalamineWorkbook.from_filelike(opened)
            names = book.sheet_names
            if sheet not in names and not (isinstance(sheet, int) and 0 <= sheet < len(names)):
                raise SourceError(
                    f"there is no sheet {sheet!r}", where=str(file), hint=f"its sheets are {', '.join(names)}"
                )
            found = book.get_sheet_by_index(sheet) if isinstance(sheet, int) else book.get_sheet_by_name(sheet)
            rows: list[list[Any]] = found.to_python(skip_empty_area=False)
            wrong = faults(opened, sheet if isinstance(sheet, int) else names.index(sheet))
    except OSError as error:
        raise SourceError(f"the file cannot be read: {error.strerror or error}", where=str(file)) from error
    except (CalamineError, zipfile.BadZipFile, KeyError, StopIteration) as error:
        raise SourceError(f"the file is not an Excel file, or is damaged: {error}", where=str(file)) from error
    for (row, column), word in wrong.items():
        rows[row][column] = word
    return rows, tuple(sorted(set(wrong.values())))


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, dt.datetime):
        return value.isoformat(" ")
    return str(value)
