"""The drivers of databases: what pip brings for each, and what one of them needs of the system."""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import sys
from typing import Any

from reports.errors import MissingDependency
from reports.settings import environment

# By SQLAlchemy's name of a driver, or of a kind of database: the library, and the extra that brings it.
_EXTRAS = {
    "postgresql": ("psycopg", "postgres"),
    "mssqlpython": ("mssql-python", "sqlserver"),
    "pymssql": ("pymssql", "pymssql"),
}
_PROVIDER, _SECOND = "MSSQL_PYTHON_NATIVE_PROVIDER", "mssql-odbc"


def missing(drivername: str, purpose: str) -> MissingDependency:
    """The error for a driver that is not there, by the first part of a URL, with the command that brings it."""
    kind, _, driver = drivername.partition("+")
    library, extra = _EXTRAS.get(driver) or _EXTRAS.get(kind) or (driver or kind, "")
    return MissingDependency(library, extra=extra, purpose=f"{purpose} ({drivername})")


def ready(drivername: str) -> None:
    """Has the driver's choice made where it has one, before its first connection in this process.

    mssql-python has two providers. On a Linux without libltdl, which its first one needs, the second one is taken,
    which needs nothing. What MSSQL_PYTHON_NATIVE_PROVIDER says is left alone.
    """
    if drivername != "mssql+mssqlpython" or not sys.platform.startswith("linux") or environment(_PROVIDER):
        return
    try:
        ctypes.CDLL("libltdl.so.7")
    except OSError:
        _take_the_second()


def _take_the_second() -> None:
    if importlib.util.find_spec("mssql_python") is None:
        return  # which is told by whoever connects
    if importlib.util.find_spec("mssql_py_core") is None:
        purpose = "SQL Server on this Linux, which has no libltdl.so.7,"
        raise MissingDependency("mssql-python-rs", extra="sqlserver", purpose=purpose)
    driver: Any = importlib.import_module("mssql_python")
    if driver.native_provider != _SECOND:
        driver.native_provider = _SECOND
