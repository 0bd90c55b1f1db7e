"""The log of trainings that the job `training` reports: a line an epoch for each part of the data, written as it ends.

Lines go in whole, each set by one write at the end of the file, so that the job may read it at any time and
several trainings may write into it.
"""

from __future__ import annotations

import contextlib
import csv
import errno
import io
import math
import os
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path

import pandas as pd

from reports.notify.training.names import Name, Split, parse, rate

METRICS = ("run", "epoch", "epochs", "split", "time", "loss", "accuracy", "lr", "seconds")
PREDICTIONS = ("run", "epoch", "item", "line", "truth", "predicted", "confidence")
_SPLITS: Mapping[Split, str] = {"training": "train", "validation": "validation", "test": "test"}
_LINE = ("line", "content", "text", "input")  # what a table of predictions may call the item itself


class Logbook:
    """One training's lines in a CSV file of metrics and, beside it, in predictions.csv. Times are in UTC."""

    def __init__(self, path: Path | str, *, name: str, run: str = "") -> None:
        self.path = Path(path)
        self.name, self.run = _line(name), _line(run)

    def _begin(self, *, resumed: bool) -> None:
        """Decides which run this is: a new one, or the newest of its name that goes on."""
        known = {row.get("run") or "" for row in _rows(self.path)}
        names = [self.name, *(f"{self.name} {count}" for count in range(2, len(known) + 2))]
        there = [name for name in names if name in known]
        free = next(name for name in names if name not in known)
        self.run = there[-1] if there and resumed else free

    def earlier(self, first: float) -> list[tuple[float, dict[Name, float]]]:
        """What the log has, from before an epoch, of the run that goes on there."""
        if not self.run:
            self._begin(resumed=True)
        found: dict[float, dict[Name, float]] = {}
        for row in _rows(self.path):
            if row.get("run") == self.run and (number := _number(row.get("epoch"))) < first:
                found.setdefault(number, {}).update(_measured(row))
        return sorted(found.items())

    def write(
        self, number: float, values: Mapping[str, float], *, total: float | None, took: float, at: datetime
    ) -> None:
        """The lines of an epoch that ended at a time: one of training, one of validation, as far as there are values.

        A run without a name of its own is called as the training is, or "NAME 2", "NAME 3" where that is taken.
        """
        if number != int(number):
            return
        if not self.run:
            self._begin(resumed=False)
        shared = {
            "run": self.run,
            "epoch": int(number),
            "epochs": int(total) if total else "",
            "time": at.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "milliseconds"),
            "lr": next((f"{value:.6g}" for name, value in values.items() if rate(name)), ""),
        }
        rows = [{**shared, "split": _SPLITS[split], **own} for split, own in _by_split(values)]
        for row, seconds in zip(rows, (f"{took:.3f}", *[""] * len(rows)), strict=False):
            row["seconds"] = seconds
        append(self.path, METRICS, rows)

    def predictions(self, frame: pd.DataFrame, number: float) -> None:
        """Predictions of an epoch: a table with truth and predicted, and perhaps item, line and confidence."""
        line = next((name for name in _LINE if name in frame), "")
        rows = [
            {
                "run": self.run,
                "epoch": int(number),
                "item": one.get("item", place),
                "line": one.get(line, ""),
                "truth": one["truth"],
                "predicted": one["predicted"],
                "confidence": one.get("confidence", ""),
            }
            for place, one in enumerate(frame.to_dict("records"), start=1)
        ]
        append(self.path.with_name("predictions.csv"), PREDICTIONS, rows)


def _by_split(values: Mapping[str, float]) -> Iterator[tuple[Split, dict[str, str]]]:
    """What each part of the data has for the log's columns; of several kinds of accuracy the first."""
    found: dict[Split, dict[str, str]] = {}
    for name, value in values.items():
        parsed = parse(name)
        if parsed.split:
            where = column(parsed.metric)
            text = f"{value:.6g}" if math.isfinite(value) or where == "loss" else ""
            found.setdefault(parsed.split, {}).setdefault(where, text)
    yield from found.items()


def column(metric: str) -> str:
    """The log's column for a metric: there is one for all kinds of accuracy."""
    words = metric.lower().replace("-", "_").split("_")
    return "loss" if metric == "loss" else "accuracy" if {"accuracy", "acc"} & set(words) else metric


# -- the file -------------------------------------------------------------------------------------


def append(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> None:
    """Rows at the end of a CSV file, in the columns that it has, or those given where there is none yet.

    A file begins with its header or is not there; a line that somebody left unfinished stays one of its own. What
    the file has no column for is left out. Raises an OSError where nothing could be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        _begin(path, columns)
    with path.open("ab+", buffering=0) as file:
        file.seek(0)
        first = file.readline().decode("utf-8-sig")
        heading = next(csv.reader([first])) if first else list(columns)
        header = b"" if first else _header(columns)
        content = header + (b"" if not first or _is_whole(file) else b"\n") + _text(heading, rows)
        size = file.seek(0, os.SEEK_END)
        if file.write(content) != len(content):
            file.truncate(size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def _is_whole(file: FileIO) -> bool:
    """Whether the file ends with the end of a line; one that is being written by another is given the time for it."""
    for pause in (0.0, 0.05, 0.2):
        time.sleep(pause)
        file.seek(-1, os.SEEK_END)
        if file.read(1) == b"\n":
            return True
    return False


def _begin(path: Path, columns: Sequence[str]) -> None:
    """The file with its header at once: whoever comes first, nobody sees it without."""
    made = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}.new")
    made.write_bytes(_header(columns))
    try:
        os.link(made, path)
    except FileExistsError:
        pass
    except OSError:  # a file system without links
        with contextlib.suppress(FileExistsError):
            made.rename(path)
    finally:
        made.unlink(missing_ok=True)


def _header(columns: Sequence[str]) -> bytes:
    return _text(columns, [{name: name for name in columns}])


def _text(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([[_line(row.get(name, "")) for name in columns] for row in rows])
    return text.getvalue().encode()


def _line(value: object) -> str:
    """A value on one line; nothing for what is missing."""
    return " ".join(str("" if value is None else value).split())


def _rows(path: Path) -> Iterator[dict[str, str]]:
    if path.exists():
        with path.open(encoding="utf-8-sig", newline="", errors="replace") as file:
            yield from csv.DictReader(file)


def _measured(row: Mapping[str, str | None]) -> Iterator[tuple[Name, float]]:
    split: Split = next((split for split, name in _SPLITS.items() if name == row.get("split")), "training")
    for name in ("loss", "accuracy", "lr"):
        if row.get(name):
            part: Split = "" if name == "lr" else split
            yield Name(name, part), _number(row[name])


def _number(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return math.nan
