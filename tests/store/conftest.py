"""One empty store, as each kind of database keeps it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from postgres import server
from storing import Open, shared

from reports.store import Store


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of these tests' own."""
    yield from server(tmp_path_factory.mktemp("postgresql"))


@pytest.fixture(params=["sqlite", "postgresql"])
def open_one(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens one and the same empty store, as each process would."""
    options = {} if request.param == "sqlite" else {"url": request.getfixturevalue("postgresql")}
    yield from shared(tmp_path, **options)


@pytest.fixture
def store(open_one: Open) -> Store:
    return open_one()
