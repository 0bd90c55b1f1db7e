"""Uploads into databases that go away, are locked or full, or do not let in: nothing twice, nothing lost, all told."""

from __future__ import annotations

import contextlib
import socket
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import psycopg
import pytest
from places import Place, place
from postgres import server
from sqlalchemy import event, make_url
from sqlalchemy.engine import Engine

from reports import leases
from reports.errors import SourceError
from reports.settings import FileSource
from reports.sources.stream import open_stream
from reports.store import Upload
from reports.uploads.order import Order
from reports.uploads.target import parse
from reports.uploads.uploading import Uploading

ROWS = 2000


class Faulty:
    """The way to a server's socket, each connection of which ends as `ends` says, in order; all later ones go through.

    A number cuts it after so many bytes of the client; "answer" right after a commit has gone to the server and before
    its answer is there.
    """

    def __init__(self, there: str, ends: Sequence[int | str]) -> None:
        self._there, self._ends = there, list(ends)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.cuts = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                here, _ = self._listener.accept()
                end = self._ends.pop(0) if self._ends else None
                threading.Thread(target=self._join, args=(here, end), daemon=True).start()

    def _join(self, here: socket.socket, end: int | str | None) -> None:
        mute, passed = threading.Event(), 0
        with here, socket.socket(socket.AF_UNIX) as there, contextlib.suppress(OSError):
            there.connect(self._there)
            threading.Thread(target=self._back, args=(there, here, mute), daemon=True).start()
            while block := here.recv(4096):
                passed += len(block)
                if isinstance(end, int) and passed > end:
                    break
                if end == "answer" and passed > 10_000 and b"COMMIT" in block:
                    mute.set()
                    there.sendall(block)
                    threading.Event().wait(0.2)
                    break
                there.sendall(block)
            else:
                return
            self.cuts += 1
            for one in (here, there):
                one.shutdown(socket.SHUT_RDWR)

    def _back(self, there: socket.socket, here: socket.socket, mute: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while block := there.recv(65_536):
                if not mute.is_set():
                    here.sendall(block)


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    yield from server(tmp_path_factory.mktemp("postgresql"))


def table(url: str, *more: str) -> None:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        for sql in ("DROP TABLE IF EXISTS loans", "CREATE TABLE loans (id integer, name text)", *more):
            connection.execute(sql)


def made(where: Place, order: Order, tell: Any = lambda _: None) -> Upload:
    """An upload whose waits are none."""
    with where.app() as app:
        uploading = Uploading(
            settings=app.settings, store=app.store, clock=app.clock, new_id=app.new_id, owner=leases.new_owner(),
            tell=tell, sleep=lambda _: None,
        )  # fmt: skip
        reading = FileSource(files="")
        return uploading.upload(open_stream(where.folder / "loans.csv", reading, where.folder), order, reading)


def through(folder: Path, url: str, by: str) -> Place:
    """The place at `url`, to which its project comes another way."""
    place("sqlite", folder, "sqlite:///unused.db")
    settings = folder / "settings.toml"
    settings.write_text(settings.read_text("utf-8").replace("sqlite:///unused.db", by), "utf-8")
    return Place("postgresql", folder, url)


def file(where: Place, rows: int = ROWS) -> Path:
    return where.write("id,name\n" + "".join(f"{n},name {n}\n" for n in range(rows)))


@pytest.mark.parametrize("mode", ["append", "replace", "upsert"])
@pytest.mark.parametrize("ends", [[5000], [12_000, 3000], ["answer"], ["answer", "answer", 3000], [9000, "answer"]])
def test_a_server_that_is_lost_in_the_middle(
    tmp_path: Path, postgresql: str, mode: str, ends: Sequence[int | str]
) -> None:
    """In the middle of a batch, or after a commit of which nobody heard: it goes on by itself, and each row is in once."""
    table(postgresql, "DROP TABLE IF EXISTS reports_upload")
    with Faulty(f"{make_url(postgresql).query['host']}/.s.PGSQL.5432", ends) as way:
        where = through(tmp_path, postgresql, f"postgresql+psycopg://postgres@127.0.0.1:{way.port}/postgres")
        file(where)
        said: list[str] = []
        keys = ("id",) if mode == "upsert" else ()
        done = made(where, Order(target=parse("wh.loans"), mode=mode, keys=keys, batch=100), said.append)
        assert way.cuts == len(ends)
    assert (done.state, done.rows_read, done.inserted, done.rejected) == ("succeeded", ROWS, ROWS, 0)
    assert done.retries == len(ends) == len(said)
    assert all("tried again in" in line for line in said)
    assert where.rows("SELECT COUNT(*), COUNT(DISTINCT id) FROM loans") == [(ROWS, ROWS)]


def test_a_server_that_stays_away(tmp_path: Path, postgresql: str) -> None:
    """After a few attempts it has failed, says so, and is gone on with later."""
    table(postgresql, "DROP TABLE IF EXISTS reports_upload")
    socket_file = f"{make_url(postgresql).query['host']}/.s.PGSQL.5432"
    with Faulty(socket_file, [20_000, *[10] * 3]) as way:
        where = through(tmp_path, postgresql, f"postgresql+psycopg://postgres@127.0.0.1:{way.port}/postgres")
        file(where)
        done = made(where, Order(target=parse("wh.loans"), batch=100))
        assert (done.state, done.retries) == ("failed", 3)
        assert 0 < done.inserted < ROWS
        assert "server closed the connection" in done.error or "connection" in done.error
        again = made(where, Order(target=parse("wh.loans"), batch=100, resume=True))
    assert (again.id, again.state, again.inserted) == (done.id, "succeeded", ROWS)
    assert where.rows("SELECT COUNT(*), COUNT(DISTINCT id) FROM loans") == [(ROWS, ROWS)]


def test_a_login_that_may_not_write(tmp_path: Path, postgresql: str) -> None:
    """It is told what it lacks: the table of marks with its statement, or the table itself; nothing is changed."""
    table(
        postgresql, "DROP TABLE IF EXISTS reports_upload", "DROP ROLE IF EXISTS reader", "CREATE ROLE reader LOGIN",
        "GRANT SELECT ON loans TO reader", "REVOKE CREATE ON SCHEMA public FROM public",
    )  # fmt: skip
    where = through(tmp_path, postgresql, postgresql.replace("postgres@", "reader@"))
    file(where)
    refused = where.upload(where.folder / "loans.csv")
    assert refused.state == "failed"
    assert "permission denied for schema public" in refused.error
    assert 'CREATE TABLE "public"."reports_upload"' in refused.error
    with psycopg.connect(postgresql.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(refused.error[refused.error.index("CREATE TABLE") :])
        connection.execute("GRANT ALL ON reports_upload TO reader")
    refused = where.upload(where.folder / "loans.csv")
    assert (refused.state, refused.inserted, refused.rejected) == ("failed", 0, 0)
    assert "permission denied for table loans" in refused.error
    table(postgresql, "DROP TABLE reports_upload", "DROP OWNED BY reader", "DROP ROLE reader")


def test_a_database_that_somebody_else_has_locked(tmp_path: Path) -> None:
    """It is waited for; where that takes too long the upload has failed, and is gone on with later."""
    where = place("sqlite", tmp_path, "sqlite:///wh.db", more="connect_timeout = 0.2\nattempts = 2")
    where.run("CREATE TABLE loans (id INTEGER, name TEXT)")
    file(where)
    other = sqlite3.connect(tmp_path / "wh.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    order = Order(target=parse("wh.loans"))
    with pytest.raises(SourceError, match="database is locked"):
        made(where, order)
    other.execute("ROLLBACK")
    other.close()
    assert made(where, order).inserted == ROWS


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    """What went in stays in, the rest follows when there is room; no row is taken for a bad one."""
    where = place("sqlite", tmp_path, "sqlite:///wh.db")
    where.run("CREATE TABLE loans (id INTEGER, name TEXT)")
    file(where, 20_000)
    order = Order(target=parse("wh.loans"), batch=1000)
    with where.app() as app:
        uploading = Uploading(
            settings=app.settings, store=app.store, clock=app.clock, new_id=app.new_id, owner=leases.new_owner(),
            sleep=lambda _: None,
        )  # fmt: skip
        reading = FileSource(files="")
        done = _with_room(uploading, where, order, reading)
    assert (done.state, done.rejected) == ("failed", 0)
    assert "full" in done.error
    assert 0 < done.inserted < 20_000
    again = made(where, Order(target=parse("wh.loans"), batch=1000, resume=True))
    assert (again.state, again.inserted) == ("succeeded", 20_000)
    assert where.rows("SELECT COUNT(*), COUNT(DISTINCT id) FROM loans") == [(20_000, 20_000)]


def _with_room(uploading: Uploading, where: Place, order: Order, reading: FileSource) -> Upload:
    """The upload into a file that may have no more than 40 pages, as each connection is told."""

    def limit(connection: Any, _: object) -> None:
        connection.execute("PRAGMA max_page_count = 40")

    event.listen(Engine, "connect", limit)
    try:
        return uploading.upload(open_stream(where.folder / "loans.csv", reading, where.folder), order, reading)
    finally:
        event.remove(Engine, "connect", limit)
