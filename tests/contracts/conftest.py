"""Servers that the contracts are asked of, and what those that stand in for SQL Server cannot show.

Babelfish is PostgreSQL that speaks SQL Server's protocol. Named by REPORTS_TEST_SQLSERVER_URL, it is known by its
version; the tests below are then expected to fail, each for the reason given, and are run all the same.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator

import pytest
from postgres import server
from sqlservers import SQLSERVERS
from support import drivers
from support.tds import TdsServer

BABELFISH = {
    "test_replace_leaves_the_new_rows_alone": "a staging table has no keys, for they cannot be read from its catalogue",
    "test_every_type_is_exact": "DATETIME2 has six digits, and some types come back as others",
}
"""The name of a test, and why it fails there."""


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL of the module's own."""
    yield from server(tmp_path_factory.mktemp("postgresql"))


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TdsServer]:
    """A server that speaks SQL Server's protocol, with a PostgreSQL behind it."""
    pytest.importorskip("sqlglot")
    from support.standin import Standin  # noqa: PLC0415  which needs sqlglot

    for url in server(tmp_path_factory.mktemp("standin")):
        with TdsServer(Standin(url)) as running:
            yield running


@pytest.fixture
def sqlserver(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """The URL, with its password, of one of SQLSERVERS."""

    def url(name: str) -> str:
        if name == "mssql":
            if not (named := os.environ.get("REPORTS_TEST_SQLSERVER_URL", "")):
                pytest.skip("REPORTS_TEST_SQLSERVER_URL names no server")
            return named
        driver = drivers.MSSQL if SQLSERVERS[name] == "mssql" else drivers.PYMSSQL
        return driver.url(request.getfixturevalue("standin"))

    return url


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what is expected to fail on the server that is named, if it is one of those that stand in."""
    if not _is_babelfish():
        return
    for item in items:
        reason = BABELFISH.get(getattr(item, "originalname", item.name))
        if reason and "[mssql" in item.name:
            item.add_marker(pytest.mark.xfail(reason=f"Babelfish: {reason}", strict=False))


@functools.cache
def _is_babelfish() -> bool:
    if not os.environ.get("REPORTS_TEST_SQLSERVER_URL"):
        return False
    from sqlalchemy import text  # noqa: PLC0415  only where there is such a server

    from reports.settings import DatabaseSource  # noqa: PLC0415
    from reports.sources.database import Database  # noqa: PLC0415

    named = DatabaseSource.model_validate({"url": {"env": "REPORTS_TEST_SQLSERVER_URL"}})
    with Database("named", named).engine.connect() as connection:
        return "Babelfish" in str(connection.execute(text("SELECT @@VERSION")).scalar_one())
