"""What a test's server is asked, and what it may answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from support.tds_tokens import LATIN, Collation

How = Literal[
    "batch", "sp_executesql", "sp_prepexec", "sp_execute", "procedure", "bulk", "begin", "commit", "rollback", "save"
]


@dataclass(frozen=True)
class Statement:
    """What a client asks: text and parameters by name, or a procedure's name and its arguments.

    `how` is the way it came. Of a bulk load `sql` is its INSERT BULK, `columns` are names and types and `rows` its
    rows as they arrive. Of a transaction's request `params` may have a name.
    """

    sql: str
    how: How = "batch"
    params: Mapping[str, Any] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    columns: Sequence[tuple[str, str]] = ()
    rows: Iterator[Sequence[Any]] = field(default=iter(()), repr=False)


@dataclass(frozen=True)
class Column:
    """A column of an answer, with its type as T-SQL writes it: "decimal(19,4)", "nvarchar(max)", "time(3)" ..."""

    name: str
    type: str
    nullable: bool = True
    collation: Collation = LATIN


@dataclass(frozen=True)
class Rows:
    """A result set; an iterator is read as it is sent, and another answer among its rows happens right there.

    With `times` the rows are encoded once and sent so many times over, as fast as the wire takes them.
    """

    columns: Sequence[Column]
    rows: Iterable[Any] = ()
    times: int = 1


@dataclass(frozen=True)
class Count:
    """So many rows were affected; None for a statement that counts none."""

    rows: int | None = None


@dataclass(frozen=True)
class Failure:
    """An error; from severity 20 on the connection ends with it, as the real server's does."""

    number: int
    message: str
    severity: int = 16
    state: int = 1
    line: int = 1
    procedure: str = ""


@dataclass(frozen=True)
class Info:
    """A message that is no error, as PRINT sends it."""

    message: str
    number: int = 0
    severity: int = 0
    state: int = 1


@dataclass(frozen=True)
class Cut:
    """The connection ends right here, after whole rows or, `torn`, in the middle of one; with `reset` at once."""

    reset: bool = False
    torn: bool = False


@dataclass(frozen=True)
class Wait:
    """Nothing is said for so long; an ATTENTION ends the statement."""

    seconds: float


@dataclass(frozen=True)
class Returned:
    """A procedure's status and the values of its output parameters, by name."""

    status: int = 0
    outputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Transaction:
    """A transaction has begun, or ended; the client is told, and the session counts."""

    did: Literal["begin", "commit", "rollback", "save"]


@dataclass(frozen=True)
class Database:
    """Another database is the session's."""

    name: str


Part = Rows | Count | Failure | Info | Cut | Wait | Returned | Transaction | Database
Answer = Callable[["Session", Statement], Iterable[Part]]
Refusal = Failure | Cut | Wait


class Session:
    """One connection as the answering function sees it; `state` is the test's own."""

    def __init__(self, number: int, login: Any, attended: Callable[[float], bool]) -> None:
        self.id, self.login = number, login
        self.database: str = login.database or "master"
        self.transactions = 0
        self.state: dict[str, Any] = {}
        self.attended = attended
        self._on_end: list[Callable[[], None]] = []

    def at_end(self, close: Callable[[], None]) -> None:
        """Have something closed when the connection ends."""
        self._on_end.append(close)

    def end(self) -> None:
        for close in self._on_end:
            close()
