"""What an upload asks of a database, in the SQL that all of them speak; each kind says what it says differently.

Everything goes through the driver itself, on one connection whose transactions begin and end here.
"""

# ruff: noqa: S608  the SQL is made of quoted names and literals only; values of rows are always bound

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from reports.uploads.columns import Column
from reports.uploads.values import Values

MARKS = "reports_upload"
BATCH = "reports_batch"
ROW = "reports_row"


@dataclass(frozen=True, kw_only=True)
class Mark:
    """How far an upload has come, as the target's own database knows it: in one commit with the rows themselves.

    `loaded` is the last record that is accounted for, `prefix` the hash of all records up to it.
    """

    loaded: int = 0
    inserted: int = 0
    updated: int = 0
    prefix: str = ""
    done: bool = False


class Server(ABC):
    """One kind of database and its driver, with the table that an upload goes to."""

    placeholder: ClassVar[str] = "?"
    # Where SQL says that values are given to a column which counts by itself.
    overriding: ClassVar[str] = ""

    def __init__(self, schema: str, table: str) -> None:
        self.schema, self.table = schema, table

    # -- names ---------------------------------------------------------------------------------------

    def quoted(self, name: str) -> str:
        return '"' + name.replace('"', '""') + '"'

    def within(self, table: str) -> str:
        """A table beside the target."""
        return f"{self.quoted(self.schema)}.{self.quoted(table)}"

    @property
    def target(self) -> str:
        return self.within(self.table)

    def listed(self, columns: Sequence[Column], prefix: str = "") -> str:
        return ", ".join(prefix + self.quoted(column.name) for column in columns)

    def literal(self, text: str) -> str:
        return "'" + text.replace("'", "''") + "'"

    # -- what is there ---------------------------------------------------------------------------------

    @abstractmethod
    def default_schema(self, cursor: Any) -> str:
        """The schema of a table that is named without one."""

    @abstractmethod
    def columns(self, cursor: Any) -> list[Column]:
        """The target's columns in their order; none where there is no such table."""

    @abstractmethod
    def tables(self, cursor: Any) -> list[str]:
        """The tables of the target's schema."""

    # -- how far it has come -----------------------------------------------------------------------------

    def marks(self) -> str:
        """The statement that makes the table of marks."""
        return (
            f"CREATE TABLE {self.within(MARKS)} ("
            "upload varchar(64) NOT NULL PRIMARY KEY, target varchar(400) NOT NULL, loaded bigint NOT NULL, "
            "inserted bigint NOT NULL, updated bigint NOT NULL, prefix varchar(64) NOT NULL, done integer NOT NULL, "
            "changed timestamp DEFAULT CURRENT_TIMESTAMP)"
        )

    @abstractmethod
    def exists(self, cursor: Any, table: str) -> bool:
        """Whether there is a table of that name beside the target."""

    def mark(self, cursor: Any, upload: str) -> Mark | None:
        """The mark of the upload, None without one."""
        asked = f"SELECT loaded, inserted, updated, prefix, done FROM {self.within(MARKS)}"
        cursor.execute(f"{asked} WHERE upload = {self.literal(upload)}")
        row = cursor.fetchone()
        if row is None:
            return None
        loaded, inserted, updated, prefix, done = row
        return Mark(loaded=int(loaded), inserted=int(inserted), updated=int(updated), prefix=prefix, done=bool(done))

    def begin_mark(self, cursor: Any, upload: str) -> None:
        cursor.execute(
            f"INSERT INTO {self.within(MARKS)} (upload, target, loaded, inserted, updated, prefix, done) "
            f"VALUES ({self.literal(upload)}, {self.literal(self.table)}, 0, 0, 0, '', 0)"
        )

    def move_mark(self, cursor: Any, upload: str, before: Mark, after: Mark) -> bool:
        """The mark goes on from `before` to `after`; False if it does not stand there."""
        cursor.execute(
            f"UPDATE {self.within(MARKS)} SET loaded = {after.loaded}, inserted = {after.inserted}, "
            f"updated = {after.updated}, prefix = {self.literal(after.prefix)}, done = {int(after.done)}, "
            "changed = CURRENT_TIMESTAMP "
            f"WHERE upload = {self.literal(upload)} AND loaded = {before.loaded} AND done = 0"
        )
        return bool(cursor.rowcount == 1)

    def end_mark(self, cursor: Any, upload: str) -> None:
        cursor.execute(f"DELETE FROM {self.within(MARKS)} WHERE upload = {self.literal(upload)}")

    # -- rows --------------------------------------------------------------------------------------------

    def begin(self, cursor: Any) -> None:  # noqa: B027  most drivers do
        """A transaction begins, where the driver does not see to that."""

    def rows(self, columns: Sequence[Values]) -> Sequence[Any]:
        """Columns of values as rows, in the form that the driver takes fastest."""
        return list(zip(*columns, strict=True))

    @abstractmethod
    def insert(self, cursor: Any, into: str, columns: Sequence[Column], rows: Sequence[Any]) -> None:
        """The rows go into that table, by the fastest way there is, within the transaction."""

    def counting(self, cursor: Any, table: str, *, on: bool) -> None:  # noqa: B027  most need not be told
        """Values may now be given, or no more, to a column that counts by itself."""

    def refused(self, error: Exception) -> bool:
        """Whether the error is about the rows, so that fewer of them may be taken."""
        names = {one.__name__ for one in type(error).__mro__}
        return bool(names & {"IntegrityError", "DataError"}) or isinstance(error, OverflowError | UnicodeEncodeError)

    def place(self, error: Exception) -> int | None:
        """Which of the rows it was, where the server says so."""
        del error
        return None

    def message(self, error: Exception) -> str:
        """What the server said."""
        return " ".join(str(error).split())

    def constraint(self, cause: str, message: str) -> str:
        """The constraint that the message is about, where it does not say which columns that is of; else nothing."""
        del cause, message
        return ""

    def columns_of(self, cursor: Any, constraint: str) -> list[str]:
        """The columns of the target that the constraint is about, if that can be told."""
        del cursor, constraint
        return []

    # -- rows that may be there already ------------------------------------------------------------------

    @property
    def batch(self) -> str:
        """The temporary table that a batch goes into first."""
        return self.quoted(BATCH)

    def make_batch(self, cursor: Any, columns: Sequence[Column]) -> None:
        """It is there from now on, as long as the connection; empty."""
        cursor.execute(
            f"CREATE TEMPORARY TABLE IF NOT EXISTS {self.batch} AS "
            f"SELECT {self.listed(columns)}, 0 AS {ROW} FROM {self.target} WHERE 1 = 0"
        )

    @abstractmethod
    def fill_batch(self, cursor: Any, columns: Sequence[Column], rows: Sequence[Any]) -> None:
        """The rows go into the temporary table, numbered in their order."""

    def lock(self, cursor: Any) -> None:  # noqa: B027  elsewhere the statements lock
        """Nobody else writes to the target before this transaction ends; readers go on."""

    def latest_only(self, cursor: Any, keys: Sequence[Column]) -> int:
        """Of rows with the same key the last one stays; how many others there were."""
        newest = f"SELECT MAX({ROW}) FROM {self.batch} GROUP BY {self.listed(keys)}"
        cursor.execute(f"DELETE FROM {self.batch} WHERE {ROW} NOT IN ({newest})")
        return int(cursor.rowcount)

    def update(self, cursor: Any, columns: Sequence[Column], keys: Sequence[Column]) -> int:
        """The rows whose keys are there take the other values of the batch; how many they are."""
        changed = [column for column in columns if column not in keys and not column.identity] or list(keys)
        set_ = ", ".join(f"{self.quoted(one.name)} = b.{self.quoted(one.name)}" for one in changed)
        cursor.execute(f"UPDATE {self.target} AS t SET {set_} FROM {self.batch} AS b WHERE {self.same(keys)}")
        return int(cursor.rowcount)

    def insert_new(self, cursor: Any, columns: Sequence[Column], keys: Sequence[Column]) -> int:
        """The rows of the batch whose keys are not there; how many they are."""
        names = self.listed(columns)
        there = f"SELECT 1 FROM {self.target} AS t{self.held} WHERE {self.same(keys)}"
        chosen = f"SELECT {self.listed(columns, 'b.')} FROM {self.batch} AS b WHERE NOT EXISTS ({there})"
        cursor.execute(f"INSERT INTO {self.target} ({names}) {self.overriding}{chosen}")
        return int(cursor.rowcount)

    held: ClassVar[str] = ""

    def same(self, keys: Sequence[Column]) -> str:
        return " AND ".join(f"t.{self.quoted(key.name)} = b.{self.quoted(key.name)}" for key in keys)

    @property
    def constraints(self) -> Sequence[Callable[[Any], list[str]]]:
        """How constraints are asked for that a table like the target is to be given, each by itself."""
        return ()

    # -- all rows replaced ---------------------------------------------------------------------------------

    @abstractmethod
    def make_staging(self, cursor: Any, staging: str, columns: Sequence[Column], constraints: Sequence[str]) -> None:
        """A table like the target, with these columns at the least, and constrained as that is.

        So bad rows are found before anything is replaced.
        """

    def constrain(self, cursor: Any, staging: str, constraint: str) -> None:
        """One constraint more for that table."""
        cursor.execute(f"ALTER TABLE {self.within(staging)} ADD {constraint}")

    def swap(self, cursor: Any, staging: str, columns: Sequence[Column]) -> None:
        """The rows of the target go and those of the staging table come, within the transaction."""
        names = self.listed(columns)
        cursor.execute(f"DELETE FROM {self.target}")
        self.counting(cursor, self.target, on=any(column.identity for column in columns))
        cursor.execute(
            f"INSERT INTO {self.target} ({names}) {self.overriding}SELECT {names} FROM {self.within(staging)}"
        )
        self.counting(cursor, self.target, on=False)
        self.drop(cursor, staging)

    def drop(self, cursor: Any, table: str) -> None:
        cursor.execute(f"DROP TABLE {self.within(table)}")

    # -- a table that is not there yet -----------------------------------------------------------------------

    @abstractmethod
    def declared(self, kind: str, *, digits: int, scale: int, length: int, key: bool) -> str:
        """The type of a new column."""
