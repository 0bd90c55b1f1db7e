"""What every kind of database can do, by means of SQLAlchemy alone; each kind of its own says what it does better."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import pandas as pd
from sqlalchemy import URL, Connection, Engine, TextClause, create_engine, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from reports.errors import SourceError
from reports.model import Query
from reports.settings import Connected
from reports.sources import frames
from reports.sources.wording import check_columns, place
from reports.sql import rewrite, statement

NEVER = re.compile(r"(?!)")
ONE_SELECT = "a query is one SELECT"
FaultKind = Literal[
    "unreachable",
    "login",
    "encryption",
    "certificate",
    "timed out",
    "passing",
    "writes",
    "no table",
    "no column",
    "other",
]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What an error of a database is about: its sentence, its line of the SQL, and the name of what is missing.

    unreachable: no connection · passing: it may well work when it is tried again on a new connection.
    """

    kind: FaultKind
    message: str
    line: int = 0
    name: str = ""


class Dialect:
    """One kind of database."""

    missing_table: ClassVar[re.Pattern[str]] = NEVER
    missing_column: ClassVar[re.Pattern[str]] = NEVER
    timed_out: ClassVar[re.Pattern[str]] = NEVER
    writes: ClassVar[re.Pattern[str]] = NEVER
    passing: ClassVar[re.Pattern[str]] = NEVER
    unreachable: ClassVar[re.Pattern[str]] = NEVER
    login: ClassVar[re.Pattern[str]] = NEVER
    certificate: ClassVar[re.Pattern[str]] = NEVER
    encryption: ClassVar[re.Pattern[str]] = NEVER
    # Asks the server to stop what it was asked for; None where an interrupt does that by itself.
    cancel: Callable[[], None] | None = None
    # The pandas type, by the driver's type code, of a column in which no row has a value.
    types: ClassVar[Mapping[Any, str]] = {}

    # -- connecting ----------------------------------------------------------------------------------

    def address(self, url: URL, where: str) -> URL:
        """The URL of the settings' key `where`, completed by what may be left out; it is said what may not."""
        del where
        return url

    def engine(self, url: URL, settings: Connected) -> Engine:
        """Connects to read; it keeps no connection open."""
        del settings
        return create_engine(url, poolclass=NullPool)

    def writer(self, url: URL, settings: Connected) -> Engine:
        """Connects to write."""
        return self.engine(url, settings)

    def not_yet(self, url: URL, settings: Connected) -> str:
        """Why there is nothing to look at, where that is as it should be; else empty."""
        del url, settings
        return ""

    def about(self, connection: Connection, url: URL, settings: Connected) -> Sequence[str]:
        """What is worth knowing of the server and of what the login may do, each in a few words."""
        del connection, url, settings
        return ()

    def clock(self, connection: Connection) -> dt.datetime | None:
        """The server's clock; None where it is this machine's."""
        del connection
        return None

    # -- reading -------------------------------------------------------------------------------------

    def read(self, connection: Connection, query: Query, values: Mapping[str, Any]) -> pd.DataFrame:
        """Every row of the query, each column as exact as the database has it (see `frames`)."""
        result = connection.execute(self.clause(query.sql, values))
        if not result.returns_rows:
            raise SourceError("the statement gives no rows", where=place(query), hint=ONE_SELECT)
        names = list(result.keys())
        check_columns(names, query)
        cursor = result.cursor
        codes = [column[1] for column in cursor.description] if cursor else []
        rows = cursor.fetchall() if cursor else []  # as the driver gives them: nothing is to be done to any
        return frames.of_rows(names, [self.types.get(code, "object") for code in codes], rows)

    def describe(self, connection: Connection, query: Query, values: Mapping[str, Any]) -> Sequence[str] | None:
        """The columns of the query without its rows; None where it would have to be run to be known."""
        whole = rewrite(query.sql, lambda name: f":{name}")
        # On one line with the query, so that the lines of its errors stay right.
        none = f"SELECT * FROM ({statement(whole)}\n) q WHERE 1 = 0"  # noqa: S608  the job's own SQL
        rows = connection.execute(self.clause(none, values))
        names = list(rows.keys())
        check_columns(names, query)
        return names

    def clause(self, sql: str, values: Mapping[str, Any]) -> TextClause:
        """The text with its values bound; a colon that begins no parameter (a literal, a cast) stays one."""
        escaped = rewrite(sql, lambda name: f":{name}", lambda other: other.replace(":", "\\:"))
        return text(escaped).bindparams(**self.bindable(values))

    def bindable(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """The values as the driver takes them."""
        return values

    # -- what is there ---------------------------------------------------------------------------------

    def tables(self, connection: Connection) -> Sequence[str]:
        """The names of the tables that a query may name as they are."""
        return inspect(connection).get_table_names()

    def columns(self, connection: Connection, table: str) -> Sequence[str]:
        return [column["name"] for column in inspect(connection).get_columns(table)]

    # -- errors ----------------------------------------------------------------------------------------

    def message(self, error: Exception) -> str:
        """What the server, or the driver, said."""
        return str(error.orig) if isinstance(error, DBAPIError) else str(error.args[0] if error.args else error)

    def fault(self, error: Exception) -> Fault:
        """What the error is about."""
        message = self.message(error)
        line = int(found[1]) if (found := re.search(r"^LINE (\d+):", message, re.MULTILINE)) else 0
        kinds: tuple[tuple[FaultKind, re.Pattern[str]], ...] = (
            ("no table", self.missing_table),
            ("no column", self.missing_column),
            ("login", self.login),
            ("encryption", self.encryption),
            ("certificate", self.certificate),
            ("timed out", self.timed_out),
            ("writes", self.writes),
            ("passing", self.passing),
            ("unreachable", self.unreachable),
        )
        for kind, pattern in kinds:
            if found := pattern.search(message):
                name = next(filter(None, found.groups()), "")
                return Fault(kind=kind, message=sentence(message), line=line, name=name)
        return Fault(kind="other", message=sentence(message), line=line)


def sentence(message: str) -> str:
    """A driver's message on one line, without the excerpt of the SQL and its caret."""
    return " ".join(re.split(r"\nLINE \d+:", message)[0].split())
