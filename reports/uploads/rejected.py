"""The rows that are not in the table, as files that people open: a workbook, and CSV for whatever comes next."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import islice
from pathlib import Path

from reports.model import Artifact, Book, Column, Sheet, Table
from reports.render import workbook
from reports.render.flat import guarded
from reports.saving import save
from reports.store import Reject, Upload, Uploads
from reports.uploads.frames import COLUMNS, HEADINGS, of_rejects

IN_A_SHEET = 500_000
"""Rows that a workbook has; those beyond are in the CSV file alone."""


def files(upload: Upload, uploads: Uploads, tell: Callable[[str], None]) -> list[Artifact]:
    """The workbook and the CSV file of an upload's rejected rows; `tell` is told what the first cannot hold of them."""
    name = f"{Path(upload.name).stem[:100] or 'frame'} rejected {upload.id[:8]}"
    rows = of_rejects(islice(uploads.rejects(upload.id), IN_A_SHEET))
    columns = [Column(key=key, label=label) for key, label in zip(COLUMNS, HEADINGS, strict=True)]
    columns[1] = replace(columns[1], format="integer")
    sheet = Sheet(name="Rejected rows", content=Table(frame=rows, columns=columns, limit=len(rows)))
    title = f"Rejected rows of {upload.name}"
    made = workbook.write(Book(file=f"{name}.xlsx", sheets=[sheet], title=title, as_of=upload.started.date()))
    for note in made.notes:
        tell(f"{made.artifact.name}: {note}")
    text = as_csv(uploads.rejects(upload.id))
    book = made.artifact
    return [book, Artifact(name=book.name.removesuffix(".xlsx") + ".csv", media_type="text/csv", content=text)]


def as_csv(rejects: Iterable[Reject]) -> bytes:
    """UTF-8 with its mark, as Excel wants it; a text that Excel would calculate has an apostrophe before it."""
    target = io.StringIO()
    writer = csv.writer(target)
    writer.writerow(COLUMNS)
    for one in rejects:
        writer.writerow([guarded(value) if isinstance(value := getattr(one, name), str) else value for name in COLUMNS])
    return b"\xef\xbb\xbf" + target.getvalue().encode("utf-8", "replace")


def write(artifacts: Iterable[Artifact], folder: Path) -> list[Path]:
    """The files in `folder`, which is made if need be."""
    return [save(folder / one.name, one.content) for one in artifacts]
