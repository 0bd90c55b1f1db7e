"""The database opened and used: durable, waiting its turn, and clear about what is wrong."""

from __future__ import annotations

import socket
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from storing import HOUR, NOW, a_run, opened, outgoing, sent, states

from reports.errors import MissingDependency, SettingsError, StoreError
from reports.settings import Store as Options
from reports.store import Store, exists

PASSWORD = "p@ss/w:rd"  # noqa: S105


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A SQLite store that waits for a moment only."""
    made = opened(tmp_path, timeout=0.05)
    yield made
    made.close()


def test_sqlite_writes_are_on_the_disk_when_a_commit_returns(store: Store) -> None:
    """A write-ahead log, flushed at every commit but the quick ones; references are kept."""
    for quick, synchronous in ((False, 2), (True, 1)):
        with store.database.writing(quick=quick) as connection:
            asked = [connection.execute(text(f"PRAGMA {name}")).scalar() for name in _PRAGMAS]
        assert dict(zip(_PRAGMAS, asked, strict=True)) == {**_PRAGMAS, "synchronous": synchronous}


_PRAGMAS = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 50}


def test_a_long_look_keeps_nobody_from_writing(store: Store) -> None:
    """And sees what was there when it began, until it ends."""
    with store.database.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM run")).scalar() == 0
        sent(store, outgoing())
        assert connection.execute(text("SELECT count(*) FROM run")).scalar() == 0
    assert states(store) == {"a@example.com": "pending"}


def test_a_database_held_by_another_is_told_as_that(store: Store) -> None:
    """After the time that settings allow."""
    holder = sqlite3.connect(store.where, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="another process holds the database") as caught:
        store.runs.start(a_run(), owner="me", until=NOW)
    assert (caught.value.where, "timeout in [store]" in caught.value.hint) == (store.where, True)
    holder.close()
    assert store.runs.start(a_run(), owner="me", until=NOW)


def test_the_first_opening_waits_for_a_file_in_use(tmp_path: Path) -> None:
    """Also where SQLite itself would not wait: while it changes to its write-ahead log."""
    (tmp_path / "var").mkdir()
    holder = sqlite3.connect(tmp_path / "var" / "reports.db", isolation_level=None, check_same_thread=False)
    holder.execute("CREATE TABLE other (x)")
    holder.execute("BEGIN IMMEDIATE")
    done = threading.Timer(0.2, holder.close)
    done.start()
    opened(tmp_path, timeout=10).close()
    assert done.finished.is_set()


def test_looking_whether_there_is_a_store_makes_none(tmp_path: Path) -> None:
    """A file is there or not; a server is not asked."""
    options, folder = Options(), tmp_path / "var"
    assert not exists(options, folder)
    assert not folder.exists()
    opened(tmp_path).close()
    assert exists(options, folder)
    assert exists(Options(url="postgresql://nowhere.invalid/db"), folder)


def test_a_full_disk_takes_nothing_half(store: Store) -> None:
    """The commit fails as a whole, says why, and works again with space."""
    with store.database.writing() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar()
        connection.execute(text(f"PRAGMA max_page_count = {pages}"))
    messages = [outgoing(f"m{number}", *(f"{n}@example.com" for n in range(50))) for number in range(20)]
    with pytest.raises(StoreError, match="the disk is full"):
        sent(store, *messages)
    assert states(store) == {}
    store.database.engine.dispose()
    assert store.runs.renew("run-1", owner="me", until=NOW + HOUR)


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    """It may be something that somebody needs."""
    path = tmp_path / "var" / "reports.db"
    path.parent.mkdir()
    path.write_bytes(b"minutes of the meeting" * 100)
    with pytest.raises(StoreError, match="this file is no database") as caught:
        opened(tmp_path)
    assert caught.value.where == str(path)
    assert path.read_bytes() == b"minutes of the meeting" * 100


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A folder where the file should be, a file where the folder should be."""
    (tmp_path / "var" / "reports.db").mkdir(parents=True)
    with pytest.raises(StoreError, match="the database cannot be written"):
        opened(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"Not a directory|File exists|cannot find"):
        opened(tmp_path, url="sqlite:///file/history.db")


def test_a_database_that_may_only_be_read_is_told_as_that(store: Store) -> None:
    """And can be read."""
    with store.database.writing() as connection:
        connection.execute(text("PRAGMA query_only = ON"))
    with pytest.raises(StoreError, match="the database cannot be written") as caught:
        store.runs.start(a_run(), owner="me", until=NOW)
    assert "may write there" in caught.value.hint
    assert store.runs.list() == []


def test_a_relative_file_starts_at_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the command is given; the URL may be a secret."""
    monkeypatch.setenv("HISTORY", "sqlite:///kept/history.db")
    store = opened(tmp_path, url={"env": "HISTORY"})
    assert store.where == str(tmp_path / "kept" / "history.db")
    store.close()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_history_is_not_kept_in_memory(tmp_path: Path, url: str) -> None:
    """It would be gone with the process."""
    with pytest.raises(SettingsError, match="in memory"):
        opened(tmp_path, url=url)


def test_what_is_no_url_and_what_has_no_driver_is_told(tmp_path: Path) -> None:
    """With an example of a URL, or what to install."""
    with pytest.raises(SettingsError, match="not the URL of a database"):
        opened(tmp_path, url="my database")
    with pytest.raises(MissingDependency, match="nosuch"):
        opened(tmp_path, url="nosuch://host/database")


# -- a server ------------------------------------------------------------------------------------------


def test_a_server_that_is_not_there_is_told_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The place and what to look at, and nothing of what is secret."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("PASSWORD", PASSWORD)
    with pytest.raises(StoreError, match="the database cannot be reached") as caught:
        opened(tmp_path, url=f"postgresql://me@127.0.0.1:{port}/history", password={"env": "PASSWORD"})
    assert caught.value.where == f"postgresql+psycopg://me:***@127.0.0.1:{port}/history"
    assert PASSWORD not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_lost_connection_is_told_and_the_next_one_works(tmp_path: Path, postgresql: str) -> None:
    """Between two uses nobody notices; in the middle of one, the whole of it is undone."""
    store = opened(tmp_path, url=postgresql)

    def cut() -> None:
        with psycopg.connect(postgresql.replace("+psycopg", ""), autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'reports' AND pid <> pg_backend_pid()"
            )

    def delete_and_lose() -> None:
        with store.database.writing() as connection:
            connection.execute(text("DELETE FROM delivery"))
            cut()
            connection.execute(text("SELECT 1"))

    sent(store, outgoing())
    cut()
    assert states(store) == {"a@example.com": "pending"}
    with pytest.raises(StoreError, match="the database cannot be reached"):
        delete_and_lose()
    assert states(store) == {"a@example.com": "pending"}
    store.close()


def test_a_lock_on_a_server_is_waited_for_no_longer_than_allowed(tmp_path: Path, postgresql: str) -> None:
    """As with a file."""
    store = opened(tmp_path, url=postgresql, timeout=0.1)
    with psycopg.connect(postgresql.replace("+psycopg", "")) as other:
        other.execute("LOCK TABLE run")
        with pytest.raises(StoreError, match="another process holds the database"):
            store.runs.note("run-1", "x")
    store.close()
