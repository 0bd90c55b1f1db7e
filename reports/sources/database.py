"""Databases as a source, through SQLAlchemy by URL: read-only, with time limits, one connection a query."""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import quote, quote_plus

from sqlalchemy import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from reports import drivers
from reports.errors import SourceError
from reports.model import Dataset, Query
from reports.secret import Secret
from reports.settings import MASK, Connected, DatabaseSource, SqlServerSource
from reports.sources.dialects import Dialect, Fault, dialect, url_of
from reports.sources.dialects.base import ONE_SELECT
from reports.sources.interrupts import interruptible
from reports.sources.wording import bound, listed, no_column, place

T = TypeVar("T")
Tell = Callable[[str], None]
WAITS = (1.0, 2.0, 4.0)
"""Seconds before a read is made again; the last one also for all that follow."""


def _silent(_: str) -> None:
    """Tells nobody."""


class Database:
    """A database that answers queries; whatever a query tries, nothing in it is changed."""

    def __init__(
        self, name: str, settings: Connected, *, tell: Tell = _silent, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.name, self.settings = name, settings
        self._tell, self._sleep = tell, sleep
        self._engine: Engine | None = None

    # -- a source ------------------------------------------------------------------------------------

    def fetch(self, query: Query, params: Mapping[str, Any]) -> Dataset:
        """All rows of `query`, each column as exact as the database has it (see `frames`).

        What fails for a reason that passes by itself is asked again on a new connection, after a wait that doubles.
        """
        values = bound(query, params)
        frame = self._asked(lambda connection: self.dialect.read(connection, query, values), query)
        return Dataset(name=query.name, frame=frame, query=query)

    def describe(self, query: Query, params: Mapping[str, Any]) -> list[str] | None:
        """The columns that `query` would give, without its rows; None where only running it could tell."""
        values = bound(query, params)
        names = self._asked(lambda connection: self.dialect.describe(connection, query, values), query)
        return None if names is None else list(names)

    def check(self) -> str:
        """The server, what the login may do, and the tables; a SourceError where it cannot be reached."""

        def look(connection: Connection) -> str:
            tables = self.dialect.tables(connection)
            shown = f": {', '.join(tables[:10])}{', …' if len(tables) > 10 else ''}" if tables else ""
            about = self.dialect.about(connection, self.url, self.settings)
            return "; ".join([*about, f"{len(tables)} tables{shown}"])

        return self.dialect.not_yet(self.url, self.settings) or self._asked(look, None)

    def clock(self) -> dt.datetime | None:
        """The server's own clock; None for a database that has none."""
        return None if self.dialect.not_yet(self.url, self.settings) else self._asked(self.dialect.clock, None)

    def close(self) -> None:
        """Forget the engine; its connections were closed after each query."""
        if self._engine is not None:
            self._engine.dispose()
        self._engine = None

    # -- what an upload needs as well ----------------------------------------------------------------

    @property
    def kind(self) -> str:
        """sqlite, postgresql, mssql, or what else SQLAlchemy calls it."""
        return self.url.get_backend_name()

    @property
    def driver(self) -> str:
        """psycopg, mssqlpython, pymssql …"""
        return self.url.drivername.partition("+")[2] or self.kind

    @cached_property
    def writer(self) -> Engine:
        """An engine that may write, to be disposed of; a SourceError where the settings do not allow that."""
        if not self.settings.uploads:
            hint = f"if it may, add uploads = true to [sources.{self.name}]"
            raise SourceError(f"nothing may be written to the source '{self.name}'", where=self.where, hint=hint)
        return self._made(self.dialect.writer)

    @property
    def where(self) -> str:
        """Its key in the settings and its address, without a password."""
        return f"sources.{self.name}, {self.url.set(query={}).render_as_string(hide_password=True)}"

    def transient(self, error: Exception) -> bool:
        """Whether the same may work by itself, later, on a new connection."""
        return self.dialect.fault(error).kind in {"passing", "unreachable"}

    def masked(self, message: str) -> str:
        """The message without the passwords of this source."""
        url = self.url
        in_query = [v for key, values in url.normalized_query.items() if key.lower() in _SECRET for v in values]
        passwords = [str(url.password or ""), *in_query]
        spellings = (str, quote, quote_plus, lambda password: quote(password, safe=""))
        secrets = {spelt(password) for password in passwords for spelt in spellings} - {""}
        for secret in sorted(secrets, key=len, reverse=True):
            message = message.replace(secret, MASK)
        return message

    # -- connecting ------------------------------------------------------------------------------------

    @cached_property
    def url(self) -> URL:
        if isinstance(self.settings, SqlServerSource):
            return url_of(self.name, self.settings)
        assert isinstance(self.settings, DatabaseSource), "a store is told as the database it is"  # noqa: S101
        given, key = self.settings.url, f"sources.{self.name}.url"
        try:
            url = make_url(given.reveal() if isinstance(given, Secret) else given)
        except ArgumentError:
            raise SourceError(
                "this is not the URL of a database",
                where=key,
                hint='write one like "postgresql+psycopg://user@host/database" or "sqlite:///file.db"',
            ) from None
        url = dialect(url).address(url, key)
        return url.set(password=self.settings.password.reveal()) if self.settings.password else url

    @cached_property
    def dialect(self) -> Dialect:
        return dialect(self.url)

    @property
    def engine(self) -> Engine:
        """SQLAlchemy's engine that reads, made when first needed; it keeps no connections."""
        if self._engine is None:
            self._engine = self._made(self.dialect.engine)
        return self._engine

    def _made(self, make: Callable[[URL, Connected], Engine]) -> Engine:
        try:
            return make(self.url, self.settings)
        except (ImportError, NoSuchModuleError) as error:
            raise drivers.missing(self.url.drivername, f"the source '{self.name}'") from error

    # -- asking ----------------------------------------------------------------------------------------

    def _asked(self, ask: Callable[[Connection], T], query: Query | None) -> T:
        """What `ask` finds on a connection of its own, tried again while its errors are of those that pass."""
        connected: list[Connection] = []

        def once() -> T:
            connected.clear()
            with self.engine.connect() as connection:
                connected.append(connection)
                return ask(connection)

        for wait in self._waits():
            try:
                return interruptible(once, cancel=self.dialect.cancel)
            except (SQLAlchemyError, self._refusals) as error:
                fault = self.dialect.fault(error)
                if fault.kind == "timed out" and not connected:  # which some drivers say in the same words
                    fault = replace(fault, kind="unreachable")
                if wait is None or fault.kind not in {"passing", "unreachable"}:
                    # Not `from error`: what SQLAlchemy raises shows the URL and the values bound.
                    raise self._explained(fault, query) from None
            said, about = self.masked(fault.message), query.name if query else f"the source '{self.name}'"
            self._tell(f"{about}: {said}; asked again in {wait:g} s on a new connection")
            self._sleep(wait)
        raise AssertionError("the last attempt ends one way or the other")

    def _waits(self) -> Iterator[float | None]:
        """The seconds to wait after each attempt; None after the last one."""
        for number in range(self.settings.attempts - 1):
            yield WAITS[min(number, len(WAITS) - 1)]
        yield None

    @property
    def _refusals(self) -> type[Exception]:
        """What the driver itself raises."""
        refusal: type[Exception] = self.engine.dialect.loaded_dbapi.Error
        return refusal

    def explained(self, error: Exception, query: Query | None = None) -> SourceError:
        """What went wrong, where, and what to do."""
        return self._explained(self.dialect.fault(error), query)

    def _explained(self, fault: Fault, query: Query | None) -> SourceError:
        said, limit = self.masked(fault.message), f"sources.{self.name}"
        where = place(query, fault.line) if query else self.where
        if hint := _CONNECTING.get(fault.kind):
            return SourceError(said, where=self.where, hint=hint, temporary=fault.kind == "unreachable")
        if fault.kind == "passing":
            return SourceError(said, where=where, hint="it may well work later", temporary=True)
        if fault.kind == "timed out":
            what = f"the database did not answer within {self.settings.timeout:g} seconds"
            return SourceError(what, where=where, hint=f"raise timeout in [{limit}]", temporary=True)
        if fault.kind == "writes":
            return SourceError(f"a source is only read: {said}", where=where, hint=ONE_SELECT)
        return self._missing(fault, where, query) or SourceError(said, where=where)

    def _missing(self, fault: Fault, where: str, query: Query | None) -> SourceError | None:
        """The error for a table or a column that is not there, with the ones that are."""
        if query is None or fault.kind not in {"no table", "no column"}:
            return None
        there = self._there(query if fault.kind == "no column" else None)
        if fault.kind == "no table":
            hint = f"the tables of the source '{self.name}' are {listed(there, fault.name)}"
            return SourceError(f"there is no table '{fault.name}'", where=where, hint=hint)
        return no_column(fault.name, there, where)

    def _there(self, query: Query | None) -> Mapping[str, Sequence[str]]:
        """The tables; with `query` those that it names, with their columns. Nothing where they cannot be seen."""
        try:
            with self.engine.connect() as connection:
                tables = self.dialect.tables(connection)
                if query is None:
                    return dict.fromkeys(tables, ())
                words = {word.casefold() for word in re.findall(r"\w+", query.sql)}
                used = [table for table in tables if table.casefold().rpartition(".")[2] in words]
                return {one: self.dialect.columns(connection, one) for one in used}
        except (SQLAlchemyError, self._refusals):
            return {}


_CONNECTING: Mapping[str, str] = {
    "unreachable": "is it up, and are host, user and password right?",
    "encryption": 'encrypt = "no" does without, and lets everybody on the way read along',
    "login": "are user, password and database right?",
    "certificate": "is the server called by the name in its certificate, and is whoever signed that known here? "
    "SSL_CERT_FILE names more of them; trust_server_certificate = true gives the protection up",
}
# What drivers call a password in the query part of a URL.
_SECRET = {"password", "passwd", "pwd", "sslpassword"}
