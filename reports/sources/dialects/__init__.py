"""What differs from one kind of database to the next: connecting, reading, and what its errors mean."""

from __future__ import annotations

from sqlalchemy import URL

from reports.sources.dialects.base import Dialect, Fault
from reports.sources.dialects.postgresql import PostgreSQL
from reports.sources.dialects.sqlite import SQLite
from reports.sources.dialects.sqlserver import SQLServer
from reports.sources.dialects.sqlserver_address import url_of

__all__ = ["Dialect", "Fault", "dialect", "url_of"]

_DIALECTS: dict[str, type[Dialect]] = {"sqlite": SQLite, "postgresql": PostgreSQL, "mssql": SQLServer}


def dialect(url: URL) -> Dialect:
    """That of a URL's kind of database; an unknown kind is connected to without more ado."""
    return _DIALECTS.get(url.get_backend_name(), Dialect)()
