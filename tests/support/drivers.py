"""The two drivers of SQL Server, connected to a test's server.

mssql-python has two providers: its default one, msodbcsql18, needs libltdl.so.7 of the system; the other, mssql-odbc,
needs nothing. The variable MSSQL_PYTHON_NATIVE_PROVIDER decides, once, before the process' first connection; unless it
is set, tests take the one that works everywhere. What is to be seen of the other is looked at in processes of its own.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any, Protocol

PROVIDER = "MSSQL_PYTHON_NATIVE_PROVIDER"
ODBC, RUST = "msodbcsql18", "mssql-odbc"
os.environ.setdefault(PROVIDER, RUST)


class Served(Protocol):
    """A server of a test."""

    host: str
    port: int
    clients: list[Any]


def has_libltdl() -> bool:
    """Whether mssql-python's default provider can be loaded."""
    try:
        ctypes.CDLL("libltdl.so.7")
    except OSError:
        return False
    return True


def elsewhere(server: Served, code: str, *, provider: str = RUST, **environment: str) -> str:
    """What another process prints in which `text` is a connection string for mssql-python."""
    text = f"Server=localhost,{server.port};UID=me;PWD=secret;Database=books;"
    program = f"import datetime, decimal, uuid, mssql_python\ntext = {text!r}\n{code}"
    ran = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env=os.environ | {PROVIDER: provider, "PYTHONIOENCODING": "utf-8"} | environment,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@dataclass(frozen=True)
class Driver:
    """One driver: how it is connected, and how it writes a parameter."""

    name: str
    mark: str

    def connect(self, server: Served, **values: Any) -> Any:
        """As "me", in the clear unless told otherwise; values are the driver's own."""
        connection = getattr(self, f"_{self.name}")(server, **values)
        server.clients.append(connection)
        return connection

    def _pymssql(self, server: Served, **values: Any) -> Any:
        import pymssql  # noqa: PLC0415

        known = {"user": "me", "password": "se;cr!et", "database": "books", "charset": "UTF-8", "encryption": "off"}
        return pymssql.connect(server=server.host, port=str(server.port), **known | values)

    def _mssql(self, server: Served, *, host: str = "127.0.0.1", timeout: int = 0, **keywords: str) -> Any:
        import mssql_python  # noqa: PLC0415

        mssql_python.pooling(enabled=False)  # or close() leaves the connection open
        known = {"UID": "me", "PWD": "{se;cr!et}", "Database": "books", "Encrypt": "no", "ConnectRetryCount": "0"}
        text = ";".join(f"{name}={value}" for name, value in (known | keywords).items())
        return mssql_python.connect(f"Server={host},{server.port};{text}", timeout=timeout)

    def url(self, server: Served) -> str:
        """For SQLAlchemy."""
        user = "me:se%3Bcr%21et"
        if self.name == "pymssql":
            return f"mssql+pymssql://{user}@{server.host}:{server.port}/books?charset=UTF-8&encryption=off"
        return f"mssql+mssqlpython://{user}@{server.host}:{server.port}/books?Encrypt=no&ConnectRetryCount=0"


MSSQL, PYMSSQL = Driver("mssql", "?"), Driver("pymssql", "%s")
