"""A loop over many rows that goes on after errors: they are gathered, told at the end by cause, and all attached.

with collect("bulk load", to="me@example.com") as errors:
for row in rows:
with errors.catch(row):
load(row)
"""

from __future__ import annotations

import re
import threading
from pathlib import PurePath
from types import TracebackType
from typing import Any, Self, TypedDict, Unpack

from reports.errors import TooManyErrors
from reports.notify.gathering import SAMPLES, Gathered
from reports.notify.moments import Options
from reports.notify.watching import Watch

SHOWN = 12
"""Causes that the message shows; all of them are in the workbook."""
_EACH = 32
"""Rows after which the watch is told how far it is, for most rows take less time than that."""


class Collecting(TypedDict, total=False):
    """What may be said of a collection besides its title.

    to, via, project, every, minutes, total, start: as of `watch`
    limit: how many errors are borne; one more raises TooManyErrors out of the loop
    always: whether the end is told even where nothing failed
    """

    to: Any
    via: Any
    project: Any
    every: float
    minutes: float
    total: float
    start: bool
    limit: int
    always: bool


def collect(title: str = "", /, **options: Unpack[Collecting]) -> Errors:
    """Gathers the errors of a loop, see `Collecting`. A TypeError tells at once of an option that there is not."""
    if wrong := set(options) - Collecting.__optional_keys__:
        known = ", ".join(Collecting.__annotations__)
        raise TypeError(f"collect takes no {', '.join(sorted(wrong))}; it takes {known}")
    return Errors(title, options)


class Errors:
    """The errors of one loop. `good` and `bad` count its rows, also afterwards; it is true where some failed."""

    def __init__(self, title: str, options: Collecting) -> None:
        self.good = self.bad = 0
        self.limit = options.get("limit")
        told: Any = {key: value for key, value in options.items() if key not in ("limit", "always")}
        quiet: Options = {"unit": "row", "chart": False, "quiet": not options.get("always", False)}
        self._watch = Watch(title or "collection", {**told, **quiet})
        self._gathered: Gathered | None = None
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        return self.bad > 0

    def catch(self, row: Any = None, /) -> Row:
        """One row: an Exception in its block is kept with the row's fields, and the loop goes on after it.

        What ends programs, such as KeyboardInterrupt, is passed on. TooManyErrors where there are more than `limit`.
        """
        return Row(self, row)

    def add(self, error: Exception, row: Any = None, /) -> None:
        """One more row that failed, where the error was caught already."""
        self._count(row, error)

    def _count(self, row: Any, error: Exception | None) -> None:
        with self._lock:
            self.good, self.bad = self.good + (error is None), self.bad + (error is not None)
            number = self.good + self.bad
            if error is not None:
                self._gathered = self._gathered or Gathered()
                self._gathered.add(number, row, error)
        if error is not None or number % _EACH == 0:
            self._watch.update(number, Failed=self.bad)
        if error is not None and self.limit is not None and self.bad > self.limit:
            raise TooManyErrors(
                f"{self.bad:,} of {number:,} rows failed, and limit = {self.limit:,}",
                where=self._watch.title,
                hint="the message has them by cause; mend that, or allow more by limit",
            ) from error

    # -- begin and end ---------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self.good = self.bad = 0
        self._gathered = None
        self._watch.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._watch.update(self.good + self.bad)
        self._watch.outcome = ("partial", [self._said()]) if self.bad else None
        gathered = self._gathered
        self._watch.finish(
            text="" if self.bad and error is None else self._said(),
            tables=(lambda: _tables(gathered)) if gathered else None,
            attachments=(lambda: _files(self._watch.title, gathered)) if gathered else (),
            **self._figures(),
        )
        self._watch.__exit__(kind, error, trace)

    def _figures(self) -> dict[str, Any]:
        every, seconds = self.good + self.bad, self._watch.now().seconds
        rate = {"Rows a second": round(every / seconds)} if every > 20 and seconds > 0.1 else {}
        return {"Good": self.good, "Failed": self.bad, **rate}

    def _said(self) -> str:
        if self._gathered is None:
            return "Every row went well."
        cut = self._gathered.cut
        only = f" The first {self._gathered.count - cut:,} of them are in the attached workbook." if cut else ""
        each = " Each is in the attached workbook, with its row." if not cut else ""
        return f"{_rows(self.bad)} of {self.good + self.bad:,} failed.{only or each}"


class Row:
    """The block of one row."""

    __slots__ = ("_errors", "_row")

    def __init__(self, errors: Errors, row: Any) -> None:
        self._errors, self._row = errors, row

    def __enter__(self) -> None:
        """Nothing is done until it ends."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if error is not None and not isinstance(error, Exception):
            return False
        self._errors._count(self._row, error)  # noqa: SLF001  its own
        return error is not None


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _tables(gathered: Gathered) -> dict[str, Any]:
    """The causes, the most frequent first, each with the first rows that it befell."""
    from reports.render import frames  # noqa: PLC0415  pandas, which loops without errors do without

    causes = gathered.causes
    rows = [
        [
            cause.name,
            cause.count,
            ", ".join(f"{one.number:,}" for one in cause.samples) + (", …" if cause.count > SAMPLES else ""),
            cause.samples[0].said,
            _short(cause.where),
        ]
        for cause in causes[:SHOWN]
    ]
    title = "Errors by cause" + (f", {SHOWN} of {len(causes):,}" if len(causes) > SHOWN else "")
    return {title: frames.of_rows(rows, ["Cause", "Times", "Rows", "For example", "Where"])}


def _short(where: str) -> str:
    """A place without the folders above its file."""
    file, colon, rest = where.partition(":") if not re.match(r"[A-Za-z]:", where) else ("", "", where)
    return f"{PurePath(file).name}{colon}{rest}"


def _files(title: str, gathered: Gathered) -> list[Any]:
    from reports.render import frames  # noqa: PLC0415  likewise

    heads, rows = gathered.rows()
    gathered.close()
    name = re.sub(r'[\\/:*?"<>|\s]+', " ", title).strip(" .")[:80] or "rows"
    return [(f"{name} errors.xlsx", frames.of_rows(rows, heads))]
