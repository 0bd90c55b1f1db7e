"""Nurseries for tests: they are cheap, for nothing is imported in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nursing
import pytest

from reports.children import Ended, Limits, Nursery

Do = Callable[..., tuple[Ended, str]]


@pytest.fixture(scope="module", params=["forked", "spawned"])
def nursery(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    """Both kinds, that of Linux and that of other systems."""
    folder = tmp_path_factory.mktemp("running")
    one = Nursery(target="nursing:do", folder=folder, fork=request.param == "forked")
    one.warm()
    yield one
    one.close()
    assert list(folder.iterdir()) == []


@pytest.fixture
def forked(tmp_path: Path) -> Iterator[Nursery]:
    """One of its own for a test."""
    one = Nursery(target="nursing:do", folder=tmp_path / "running", fork=True)
    one.warm()
    yield one
    one.close()


@pytest.fixture
def do(nursery: Nursery) -> Do:
    """Has a child do something: how it ended, and what it said."""

    def done(*order: Any, time: float | None = None, memory: int | None = None) -> tuple[Ended, str]:
        child = nursery.start(order, Limits(time=time, memory=memory), name="test")
        assert child.done.wait(nursing.LONG)
        ended = child.poll()
        assert ended
        return ended, child.output()

    return done
