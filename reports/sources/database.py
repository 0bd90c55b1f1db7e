"""Databases as a source, through SQLAlchemy by URL: read-only, with time limits, one connection a query."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import quote, quote_plus

import pandas as pd
from sqlalchemy import URL, Engine, TextClause, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from reports.errors import MissingDependency, SourceError
from reports.model import Dataset, Query
from reports.settings import MASK, DatabaseSource, Secret
from reports.sources import frames
from reports.sources.dialects import EXTRAS, Dialect, dialect
from reports.sources.wording import bound, check_columns, line_in, listed, no_column, place
from reports.sql import rewrite


class Database:
    """A database that answers queries; whatever a query tries, nothing in it is changed."""

    def __init__(self, name: str, settings: DatabaseSource) -> None:
        self.name, self.settings = name, settings
        self._engine: Engine | None = None

    def fetch(self, query: Query, params: Mapping[str, Any]) -> Dataset:
        """All rows of `query`, each column as exact as the database has it (see `frames`)."""
        clause = self._bound(query, bound(query, params))
        try:
            with self.engine.connect() as connection:
                result = connection.execute(clause)
                if not result.returns_rows:
                    raise SourceError("the statement gives no rows", where=place(query), hint=_ONE_SELECT)
                names = list(result.keys())
                check_columns(names, query)
                codes = [column[1] for column in result.cursor.description] if result.cursor else []
                rows = result.fetchall()
        except SQLAlchemyError as error:
            # Not `from error`: what SQLAlchemy raises shows the URL and the values bound.
            raise self._explained(error, query) from None
        types = [dialect(self._url).types.get(code, "object") for code in codes]
        return Dataset(name=query.name, frame=_frame(names, types, rows), query=query)

    def check(self) -> str:
        """The kind of database and how many tables it has; a SourceError where it cannot be reached."""
        try:
            tables = inspect(self.engine).get_table_names()
        except SQLAlchemyError as error:
            raise self._explained(error, None) from None
        shown = f": {', '.join(tables[:10])}{', …' if len(tables) > 10 else ''}" if tables else ""
        return f"{self._url.get_backend_name()}, {len(tables)} tables{shown}"

    def close(self) -> None:
        """Forget the engine; its connections were closed after each query."""
        if self._engine is not None:
            self._engine.dispose()
        self._engine = None

    @property
    def engine(self) -> Engine:
        """SQLAlchemy's engine, made when first needed; it keeps no connections."""
        if self._engine is None:
            url = self._url
            try:
                self._engine = dialect(url).engine(url, self.settings)
            except (ImportError, NoSuchModuleError) as error:
                library, extra = EXTRAS.get(url.get_backend_name(), (url.drivername, "all"))
                purpose = f"the source '{self.name}' ({url.drivername})"
                raise MissingDependency(library, extra=extra, purpose=purpose) from error
        return self._engine

    @property
    def _url(self) -> URL:
        given = self.settings.url
        try:
            url = make_url(given.reveal() if isinstance(given, Secret) else given)
        except ArgumentError:
            raise SourceError(
                "this is not the URL of a database",
                where=f"sources.{self.name}.url",
                hint='write one like "postgresql+psycopg://user@host/database" or "sqlite:///file.db"',
            ) from None
        if url.drivername in ("postgresql", "postgres"):
            url = url.set(drivername="postgresql+psycopg")
        return url.set(password=self.settings.password.reveal()) if self.settings.password else url

    def _bound(self, query: Query, values: Mapping[str, Any]) -> TextClause:
        # A colon that begins no parameter (a literal, a cast) is escaped for SQLAlchemy.
        sql = rewrite(query.sql, lambda name: f":{name}", lambda other: other.replace(":", "\\:"))
        if self._url.get_backend_name() == "sqlite":
            # It has no decimals, and its driver refuses them.
            values = {n: float(v) if isinstance(v, Decimal) else v for n, v in values.items()}
        return text(sql).bindparams(**values)

    def _explained(self, error: SQLAlchemyError, query: Query | None) -> SourceError:
        message = self._masked(str(error.orig) if isinstance(error, DBAPIError) else str(error.args[0]))
        where = place(query, line_in(message)) if query else f"sources.{self.name}"
        kind = dialect(self._url)
        if kind.unreachable.search(message):
            where = f"sources.{self.name}, {self._url.set(query={}).render_as_string(hide_password=True)}"
            return SourceError(_sentence(message), where=where, hint=_IS_IT_UP, temporary=True)
        if kind.timed_out.search(message):
            what = f"the database did not answer within {self.settings.timeout:g} seconds"
            return SourceError(what, where=where, hint=f"raise timeout in [sources.{self.name}]", temporary=True)
        if kind.refused.search(message):
            return SourceError(f"a source is only read: {_sentence(message)}", where=where, hint=_ONE_SELECT)
        return self._missing(message, where, query, kind) or SourceError(_sentence(message), where=where)

    def _missing(self, message: str, where: str, query: Query | None, kind: Dialect) -> SourceError | None:
        """The error for a table or a column that is not there, with the ones that are."""
        if query and (found := kind.missing_table.search(message)):
            there = listed(inspect(self.engine).get_table_names(), found[1])
            what = f"there is no table '{found[1]}'"
            return SourceError(what, where=where, hint=f"the tables of the source '{self.name}' are {there}")
        if query and (found := kind.missing_column.search(message)):
            return self._no_column(found[1], where, query)
        return None

    def _no_column(self, column: str, where: str, query: Query) -> SourceError:
        inspector = inspect(self.engine)
        words = {word.casefold() for word in re.findall(r"\w+", query.sql)}
        used = [table for table in inspector.get_table_names() if table.casefold() in words]
        columns = {table: [one["name"] for one in inspector.get_columns(table)] for table in used}
        return no_column(column, columns, where)

    def _masked(self, message: str) -> str:
        url = self._url
        in_query = [v for key, values in url.normalized_query.items() if key.lower() in _SECRET for v in values]
        passwords = [str(url.password or ""), *in_query]
        spellings = (str, quote, quote_plus, lambda password: quote(password, safe=""))
        secrets = {spelt(password) for password in passwords for spelt in spellings} - {""}
        for secret in sorted(secrets, key=len, reverse=True):
            message = message.replace(secret, MASK)
        return message


_ONE_SELECT = "a query is one SELECT"
_IS_IT_UP = "is it up, and are host, user and password right?"
# What drivers call a password in the query part of a URL.
_SECRET = {"password", "passwd", "pwd", "sslpassword"}


def _sentence(message: str) -> str:
    """A driver's message on one line, without the excerpt of the SQL and its caret."""
    return " ".join(re.split(r"\nLINE \d+:", message)[0].split())


def _frame(names: Sequence[str], types: Sequence[str], rows: Sequence[Sequence[Any]]) -> pd.DataFrame:
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    return frames.frame(
        {name: frames.series(values, empty) for name, empty, values in zip(names, types, columns, strict=True)}
    )
