"""The way of one upload into its target: every batch one transaction with its mark, whatever happens to the line."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

from reports.errors import ReportsError, SourceError, Superseded
from reports.uploads.columns import Column
from reports.uploads.halving import Refused
from reports.uploads.server import MARKS, Mark, Server

Result = TypeVar("Result")
WAITS = (0.5, 1.0, 2.0, 4.0)
"""Seconds before a transaction is made again on a new connection; the last one also for all that follow."""


class Database(Protocol):
    """What is needed of a source that may be written to."""

    @property
    def where(self) -> str: ...

    @property
    def writer(self) -> Any: ...

    def transient(self, error: Exception) -> bool: ...

    def explained(self, error: Exception) -> SourceError: ...

    def masked(self, message: str) -> str: ...


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How rows go in: into which columns, and by which keys those are found that are there already."""

    mode: str
    columns: Sequence[Column]
    keys: Sequence[Column] = ()
    staging: str = ""


@dataclass
class Session:
    """One upload's way into its target. Connects when it has to, and again when the line was lost."""

    database: Database
    server: Server
    upload: str
    attempts: int = 4
    tell: Callable[[str], None] = lambda _: None
    sleep: Callable[[float], None] = time.sleep
    retries: int = 0
    _connection: Any = field(default=None, repr=False)
    _batch_made: bool = field(default=False, repr=False)

    # -- looking -----------------------------------------------------------------------------------------

    def look(self, ask: Callable[[Any], Result]) -> Result:
        """What `ask` finds with a cursor; nothing is changed."""
        return self._attempted(lambda _: self._asked(ask))

    def columns(self) -> list[Column]:
        """The target's columns, none where it is not there; the schema is settled on the way."""

        def ask(cursor: Any) -> list[Column]:
            self.server.schema = self.server.schema or self.server.default_schema(cursor)
            return self.server.columns(cursor)

        return self.look(ask)

    def _asked(self, ask: Callable[[Any], Result]) -> Result:
        with self._transaction() as cursor:
            return ask(cursor)

    # -- marks -------------------------------------------------------------------------------------------

    def begin(self) -> Mark:
        """The mark of this upload, made if it is not there, and the table of marks with it."""
        try:
            return self.look(self._marked)
        except SourceError as error:
            if self.look(lambda cursor: self.server.exists(cursor, MARKS)):  # made by somebody else a moment ago
                return self.look(self._marked)
            hint = (
                f"let the login make it, or have it made by hand, readable and writable for it:\n{self.server.marks()}"
            )
            what = f"how far the upload has come cannot be kept in {self.server.within(MARKS)}: {error.what}"
            raise SourceError(what, where=error.where, hint=hint, temporary=error.temporary) from None

    def _marked(self, cursor: Any) -> Mark:
        if not self.server.exists(cursor, MARKS):
            cursor.execute(self.server.marks())
        if (found := self.server.mark(cursor, self.upload)) is not None:
            return found
        self.server.begin_mark(cursor, self.upload)
        return Mark()

    def mark(self) -> Mark | None:
        """Where this upload stands, if it has ever begun."""

        def ask(cursor: Any) -> Mark | None:
            return self.server.mark(cursor, self.upload) if self.server.exists(cursor, MARKS) else None

        return self.look(ask)

    def end(self, upload: str, staging: str = "") -> None:
        """The upload is done, or never will be; its mark is needed no more, nor a table that was to replace another."""

        def ask(cursor: Any) -> None:
            self.server.end_mark(cursor, upload)
            if staging and self.server.exists(cursor, staging):
                self.server.drop(cursor, staging)

        self.look(ask)

    # -- rows --------------------------------------------------------------------------------------------

    def put(self, plan: Plan, rows: Sequence[Any], before: Mark, after: Mark) -> Mark:
        """The rows, and the mark moved from `before` to `after`, in one transaction; the mark as it is then.

        Refused if the server does not take them, and then nothing has changed. Where the line is lost the mark
        says whether they are in.
        """

        def step(again: bool) -> Mark:  # noqa: FBT001  after a failure
            if again and (now := self._asked(lambda cursor: self.server.mark(cursor, self.upload))) != before:
                return self._ours(now, after)
            with self._transaction(plan) as cursor:
                inserted, updated = self._rows(cursor, plan, rows) if rows else (0, 0)
                moved = replace(after, inserted=before.inserted + inserted, updated=before.updated + updated)
                if not self.server.move_mark(cursor, self.upload, before, moved):
                    raise _taken_over(self.upload)
            return moved

        return self._attempted(step)

    def _rows(self, cursor: Any, plan: Plan, rows: Sequence[Any]) -> tuple[int, int]:
        if plan.mode != "upsert":
            into = self.server.within(plan.staging) if plan.staging else self.server.target
            self.server.insert(cursor, into, plan.columns, rows)
            return len(rows), 0
        self.server.fill_batch(cursor, plan.columns, rows)
        twice = self.server.latest_only(cursor, plan.keys)
        self.server.lock(cursor)
        updated = self.server.update(cursor, plan.columns, plan.keys)
        return self.server.insert_new(cursor, plan.columns, plan.keys), updated + twice

    def _ours(self, now: Mark | None, after: Mark) -> Mark:
        """The mark that was found after the line was lost, if it is where this very transaction moved it."""
        if now is not None and (now.loaded, now.prefix) == (after.loaded, after.prefix):
            return now
        raise _taken_over(self.upload)

    def stage(self, plan: Plan) -> None:
        """The table beside the target that takes its place at the end; what is there already stays."""
        if self.look(lambda cursor: self.server.exists(cursor, plan.staging)):
            return
        constraints = self._constraints(plan)

        def make(cursor: Any, constraints: Sequence[str] = constraints) -> None:
            self.server.make_staging(cursor, plan.staging, plan.columns, constraints)

        try:
            self._make(plan.staging, make)
        except SourceError as error:
            if error.temporary or not constraints:
                raise
            self._make(plan.staging, lambda cursor: make(cursor, ()))
            for one in constraints:
                self._add(plan.staging, one)

    def _constraints(self, plan: Plan) -> list[str]:
        """Those of the target that are about columns of the plan alone, as far as the server tells them."""
        told = [one for ask in self.server.constraints for one in self._known(ask)]
        if not told:
            return []
        absent = [self.server.quoted(one.name) for one in self.columns() if one not in plan.columns]
        return [one for one in told if not any(name in one for name in absent)]

    def _add(self, staging: str, constraint: str) -> None:
        """One constraint of several, of which not all can be had."""
        try:
            self.look(lambda cursor: self.server.constrain(cursor, staging, constraint))
        except SourceError as error:
            if error.temporary:
                raise
            self.tell(f"rows that break this may only be found at the end: {constraint} ({error.what})")

    def make(self, statement: str) -> None:
        """The target, which is not there yet."""
        self._make(self.server.table, lambda cursor: cursor.execute(statement))

    def _make(self, table: str, make: Callable[[Any], object]) -> None:
        """A table; where the line was lost it may be there already."""

        def ask(cursor: Any) -> None:
            if not self.server.exists(cursor, table):
                make(cursor)

        self.look(ask)

    def _known(self, ask: Callable[[Any], list[str]]) -> list[str]:
        """The constraints of one kind, if the server tells them."""
        try:
            return self.look(ask)
        except SourceError as error:
            if error.temporary:
                raise
            self.tell(f"bad rows may only be found at the end: {error.what}")
            return []

    def swap(self, plan: Plan, before: Mark) -> Mark:
        """The target has the rows of the staging table and no others, from one moment to the next."""
        done = replace(before, done=True)

        def step(again: bool) -> Mark:  # noqa: FBT001  after a failure
            if again and (now := self._asked(lambda cursor: self.server.mark(cursor, self.upload))) and now.done:
                return now
            with self._transaction() as cursor:
                self.server.swap(cursor, plan.staging, plan.columns)
                if not self.server.move_mark(cursor, self.upload, before, done):
                    raise _taken_over(self.upload)
            return done

        return self._attempted(step)

    # -- the line ----------------------------------------------------------------------------------------

    def close(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(self._errors):
                self._connection.close()
        self._connection, self._batch_made = None, False

    def _let_go(self) -> None:
        """Of a connection that is of no more use, without a word to the server."""
        if self._connection is not None:
            with contextlib.suppress(Exception):
                self._connection.invalidate()
        self._connection, self._batch_made = None, False

    def _attempted(self, step: Callable[[bool], Result]) -> Result:
        """What `step` gives, tried again on a new connection while its errors are of those that pass."""
        for number in range(self.attempts):
            try:
                return step(number > 0)
            except self._errors as error:
                self._let_go()
                last = number == self.attempts - 1
                if last or not self.database.transient(error):
                    raise self._explained(error) from None
                self._wait(number, error)
        raise AssertionError("the last attempt ends one way or the other")

    def _wait(self, number: int, error: Exception) -> None:
        wait = WAITS[min(number, len(WAITS) - 1)]
        self.retries += 1
        self.tell(f"{self.database.masked(self.server.message(error))}; tried again in {wait:g} s on a new connection")
        self.sleep(wait)

    def _explained(self, error: Exception) -> ReportsError:
        return self.database.explained(error)

    @property
    def _errors(self) -> type[Exception]:
        """What the driver raises."""
        refusal: type[Exception] = self.database.writer.dialect.loaded_dbapi.Error
        return refusal

    @contextlib.contextmanager
    def _transaction(self, plan: Plan | None = None) -> Iterator[Any]:
        """A cursor; what is done with it is committed when the block ends well.

        With a plan rows are put in; Refused where they were at fault.
        """
        if self._connection is None:
            self._connection = self.database.writer.raw_connection()
        connection = self._connection
        try:
            cursor = connection.cursor()
            if plan and plan.mode == "upsert" and not self._batch_made:
                self.server.make_batch(cursor, plan.columns)
                connection.commit()
                self._batch_made = True
            self.server.begin(cursor)
            yield cursor
            connection.commit()
            cursor.close()
        except BaseException as error:
            self._undone()
            if plan and isinstance(error, Exception) and not self._passes(error) and self.server.refused(error):
                said = self.database.masked(self.server.message(error))
                raise Refused(said, self.server.place(error)) from None
            raise

    def _passes(self, error: Exception) -> bool:
        return isinstance(error, self._errors) and self.database.transient(error)

    def _undone(self) -> None:
        """Nothing of the transaction stays; where the line is gone the server sees to that."""
        try:
            self._connection.rollback()
        except Exception:  # noqa: BLE001  whatever it is, this connection is of no more use
            self._let_go()


def _taken_over(upload: str) -> Superseded:
    return Superseded(
        f"the upload {upload} was taken up by another process, and goes on there",
        hint=f"reports uploads {upload} shows how it goes",
    )
