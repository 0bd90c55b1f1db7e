"""The rows of a stream go into the table, piece by piece; each that does not is on record before the mark passes it."""

from __future__ import annotations

import contextlib
import gc
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reports.errors import ReportsError, SourceError
from reports.sources.stream import Piece, Stream
from reports.store import Reject
from reports.uploads.causes import BROKEN, cause
from reports.uploads.columns import Column
from reports.uploads.halving import halved
from reports.uploads.server import Mark
from reports.uploads.session import Plan, Session
from reports.uploads.values import Unfit, Values, Writing, converted

LONGEST = 10_000


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far an upload is: `share` of the file is read, from 0 to 1, or less than 0 where that is not known."""

    rows: int
    rejected: int
    seconds: float
    share: float
    begun_at: int = 0


class Stopped(ReportsError):
    """The upload ends before the end of its file: at a bad row, or because there are too many of them."""


@dataclass
class Loading:
    """One stream on its way. `pairs` are the places of the file's columns with the table's."""

    session: Session
    plan: Plan
    stream: Stream
    pairs: Sequence[tuple[int, Column]]
    writing: Writing
    batch: int
    stop: bool
    most: int
    record: Callable[[Sequence[Reject]], None]
    told: Callable[[Progress], None]
    mark: Mark = field(default_factory=Mark)
    rejected: int = 0
    batches: int = 0
    _began: float = field(default_factory=time.monotonic)
    _begun_at: int = 0
    _constraints: dict[str, Sequence[str]] = field(default_factory=dict)

    def run(self) -> None:
        """All records from the mark on; Stopped where it is not to go on."""
        with unhindered():
            self._run()

    def _run(self) -> None:
        start = self._begun_at = self.mark.loaded
        last = 0
        for piece in self.stream.pieces(self.batch, after=start):
            last = piece.last
            if last == start and piece.hash(last) != self.mark.prefix:
                raise self._changed()
            if last > start:
                self._take(piece)
            self.told(self._progress(piece))
        if last < start:
            raise self._changed()

    def _progress(self, piece: Piece) -> Progress:
        seconds = time.monotonic() - self._began
        return Progress(
            rows=piece.last, rejected=self.rejected, seconds=seconds, share=piece.share, begun_at=self._begun_at
        )

    def _changed(self) -> SourceError:
        return SourceError(
            f"the first {self.mark.loaded:,} rows of the file, which are loaded already, are not what they were",
            where=self.stream.place,
            hint="bring the file back as it was; or begin anew, without --resume, with --again or --mode replace",
        )

    # -- one piece -------------------------------------------------------------------------------------

    def _take(self, piece: Piece) -> None:
        bad = self._broken(piece)
        columns, unfit = self._converted(piece)
        bad += [self._unfit(piece, row, column, one) for row, (column, one) in unfit.items()]
        bad.sort(key=lambda one: one.row)
        end = piece.last
        if bad and self.stop:
            bad, end = bad[:1], bad[0].row - 1
        self._reject(bad)
        kept = [n for n, number in enumerate(piece.numbers) if n not in unfit and number <= end]
        if len(kept) < len(piece.numbers):
            columns = [[values[n] for n in kept] for values in columns]
        _Putting(self, piece, kept, self.session.server.rows(columns) if kept else [], end).run()
        if bad and self.stop:
            raise self._stopped(bad[0], piece)
        if self.rejected > self.most:
            raise self._too_many()

    def _converted(self, piece: Piece) -> tuple[list[Values], Mapping[int, tuple[Column, Unfit]]]:
        texts = list(zip(*piece.rows, strict=True)) if piece.rows else [()] * len(self.stream.names)
        unfit: dict[int, tuple[Column, Unfit]] = {}
        columns: list[Values] = []
        for place, column in self.pairs:
            values, bad = converted(column, texts[place], self.writing)
            columns.append(values)
            for row, one in bad.items():
                unfit.setdefault(row, (column, one))
        for key in self.plan.keys:
            values = columns[[column for _, column in self.pairs].index(key)]
            for row, value in enumerate(values) if None in values else ():
                if value is None:
                    unfit.setdefault(row, (key, Unfit("has no value, and rows are found by it", "missing value")))
        return columns, unfit

    def put(self, rows: Sequence[Any], upto: int, piece: Piece) -> None:
        """These rows, and the mark moved to the record `upto`."""
        after = Mark(loaded=upto, prefix=piece.hash(upto))
        self.mark = self.session.put(self.plan, rows, self.mark, after)
        self.batches += 1

    # -- rows that are not let in ------------------------------------------------------------------------

    def refuse(self, piece: Piece, row: int, message: str) -> Reject:
        """The server does not take this row of the piece, and says why."""
        found = cause(message)
        places = {column.name.casefold(): (place, column) for place, column in self.pairs}
        names = found.columns or self._blamed(found.name, message)
        named = [places[name.casefold()] for name in names if name.casefold() in places]
        value = ", ".join(piece.rows[row][place] or "NULL" for place, _ in named)
        value = value or found.value
        column = ", ".join(column.name for _, column in named) or ", ".join(names)
        reject = self._rejected(piece, piece.numbers[row], column, value, message, found.name)
        self._reject([reject])
        if self.rejected > self.most and not self.stop:
            raise self._too_many()
        return reject

    def _blamed(self, named: str, message: str) -> Sequence[str]:
        """The columns of the constraint that the message names, asked for once."""
        server = self.session.server
        if (constraint := server.constraint(named, message)) and constraint not in self._constraints:
            try:
                found = self.session.look(lambda cursor: server.columns_of(cursor, constraint))
            except ReportsError:  # a login may not see it
                found = []
            self._constraints[constraint] = found
        return self._constraints.get(constraint, ())

    def _broken(self, piece: Piece) -> list[Reject]:
        return [self._rejected(piece, one.row, one.column, "", one.reason, BROKEN) for one in piece.broken]

    def _unfit(self, piece: Piece, row: int, column: Column, unfit: Unfit) -> Reject:
        place = next(place for place, one in self.pairs if one is column)
        value = piece.rows[row][place] or ""
        return self._rejected(piece, piece.numbers[row], column.name, value, unfit.reason, unfit.cause)

    def _rejected(self, piece: Piece, number: int, column: str, value: str, reason: str, named: str) -> Reject:
        return Reject(
            row=number, file=self.stream.name, line=piece.line(number), column=column, value=_cut(value),
            reason=reason, cause=named, content=_cut(piece.content(number)),
        )  # fmt: skip

    def _reject(self, bad: Sequence[Reject]) -> None:
        if bad:
            self.record(bad)
            self.rejected += len(bad)

    def stopped(self, bad: Reject, piece: Piece) -> Stopped:
        """Why it ends at this row, up to where all is in, and what to do."""
        return self._stopped(bad, piece)

    def _stopped(self, bad: Reject, piece: Piece) -> Stopped:
        del piece
        value = f", column {bad.column}" if bad.column else ""
        shown = f": '{bad.value[:80]}'" if bad.value else ""
        before = f"the {self.mark.loaded:,} rows before it are" if self.mark.loaded else "no row before it is"
        where = "in the table" if not self.plan.staging else "loaded, and the table is as it was"
        return Stopped(
            f"line {bad.line}{value}{shown} {bad.reason}; {before} {where}",
            where=f"{self.stream.place}:{bad.line}",
            hint="mend the file from that line on, then type the same command with --resume",
        )

    def _too_many(self) -> Stopped:
        return Stopped(
            f"more than {self.most:,} rows were rejected, and the upload stopped after {self.mark.loaded:,} rows",
            where=self.stream.place,
            hint="is it the right file for this table? --resume goes on from there, --max-rejected allows for more",
        )


@contextlib.contextmanager
def unhindered() -> Iterator[None]:
    """Rows are many and refer to nothing: looking for cycles among them would take longer than to read them."""
    looking = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if looking:
            gc.enable()


@dataclass
class _Putting:
    """The rows of one piece that fit, put in together or, where the server refuses some, in parts."""

    loading: Loading
    piece: Piece
    kept: Sequence[int]
    rows: Sequence[Any]
    end: int

    def run(self) -> None:
        if self.rows:
            halved(len(self.rows), self.put, self.refuse)
        if self.loading.mark.loaded < self.end:
            self.loading.put([], self.end, self.piece)

    def put(self, first: int, end: int) -> None:
        upto = self.piece.numbers[self.kept[end]] - 1 if end < len(self.kept) else self.end
        self.loading.put(self.rows[first:end], upto, self.piece)

    def refuse(self, row: int, message: str) -> None:
        reject = self.loading.refuse(self.piece, self.kept[row], message)
        if self.loading.stop:
            if self.loading.mark.loaded < reject.row - 1:
                self.loading.put([], reject.row - 1, self.piece)
            raise self.loading.stopped(reject, self.piece)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
