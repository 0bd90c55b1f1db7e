"""What is in an attached table, read back from its bytes: a workbook's sheets, or the lines of a CSV file."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePosixPath
from typing import Any

import openpyxl

MOST_ROWS, MOST_COLUMNS = 200, 60
_LONGEST = 300


@dataclass(frozen=True)
class Cell:
    """A value as it is shown; numbers stand at the right."""

    text: str
    number: bool = False
    bold: bool = False


@dataclass(frozen=True)
class Sheet:
    """The first rows of a sheet; `note` says what is not shown."""

    title: str
    rows: Sequence[Sequence[Cell]]
    note: str = ""


def read(name: str, content: bytes) -> tuple[Sequence[Sheet], str]:
    """The sheets of a file, and what there is to say where they cannot be shown."""
    ending = PurePosixPath(name).suffix.lower()
    if ending == ".csv":
        return [_delimited(name, content)], ""
    if ending == ".zip":
        return [], _zipped(content)
    if ending != ".xlsx":
        return [], ""
    if not zipfile.is_zipfile(io.BytesIO(content)):
        return [], "It opens with its password alone, so its sheets are not shown."
    return _workbook(content), ""


def _zipped(content: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return f"In it: {', '.join(archive.namelist())}."
    except zipfile.BadZipFile:
        return "It is no zip file."


def _workbook(content: bytes) -> list[Sheet]:
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    try:
        return [
            _sheet(one.title, one.iter_rows(max_row=MOST_ROWS, max_col=MOST_COLUMNS), one.max_row, one.max_column)
            for one in book.worksheets
        ]
    finally:
        book.close()


def _sheet(title: str, rows: Iterable[Sequence[Any]], high: int | None, wide: int | None) -> Sheet:
    shown = [[_cell(cell) for cell in row] for row in rows]
    while shown and not any(cell.text for cell in shown[-1]):
        shown.pop()
    used = max((at + 1 for row in shown for at, cell in enumerate(row) if cell.text), default=0)
    return Sheet(title, [row[:used] for row in shown], _left_out(high or 0, wide or 0))


def _left_out(high: int, wide: int) -> str:
    said = [f"{MOST_ROWS} of {high:,} rows"] if high > MOST_ROWS else []
    said += [f"{MOST_COLUMNS} of {wide:,} columns"] if wide > MOST_COLUMNS else []
    return f"Shown are {' and '.join(said)}." if said else ""


def _cell(cell: Any) -> Cell:
    value, form = cell.value, getattr(cell, "number_format", "General") or "General"
    font = getattr(cell, "font", None)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return Cell(_written(value, form)[:_LONGEST], number, bool(font and font.b))


def _written(value: Any, form: str) -> str:
    """A value about as Excel shows it by its number format."""
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        return f"{value:%Y-%m-%d}" if not re.search("[hs]", form.lower()) else f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    positive = form.split(";", maxsplit=1)[0]
    decimals = len(match[1]) if (match := re.search(r"\.(0+)", positive)) else 0
    if "%" in positive:
        return f"{value * 100:.{decimals}f}%"
    if "0" in positive:
        return f"{value:,.{decimals}f}" if "," in positive else f"{value:.{decimals}f}"
    return f"{value:.15g}"


def _delimited(name: str, content: bytes) -> Sheet:
    text = content.decode("utf-8-sig", "replace")
    delimiter = ";" if text.partition("\n")[0].count(";") > text.partition("\n")[0].count(",") else ","
    try:
        return _lines(name, text, delimiter)
    except csv.Error as error:
        return Sheet(name, [], f"Its lines cannot be read: {error}.")


def _lines(name: str, text: str, delimiter: str) -> Sheet:
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows = [[Cell(one[:_LONGEST]) for one in line[:MOST_COLUMNS]] for line in islice(lines, MOST_ROWS)]
    return Sheet(name, rows, f"Shown are the first {MOST_ROWS} rows." if next(lines, None) is not None else "")
