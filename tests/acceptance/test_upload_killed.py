"""`reports upload` killed, at exact points and at random, and gone on with: every row is in once, none is lost."""

from __future__ import annotations

import contextlib
import random
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from commands import reports, start
from killing import KILLED, killed_at, points
from places import Place, place
from postgres import server

ROWS = 12
BAD = {4: "x", 9: "999999999999999999999999"}
UPLOAD = ("upload", "loans.csv", "--to", "wh.loans", "--batch", "4")
POINTS = [
    ("sql INSERT INTO upload", 1),
    ("sql CREATE TABLE", -1),
    ("sql COMMIT", -6),
    ("sql INSERT INTO upload_reject", 1),
    ("sql INSERT INTO upload_reject", 2),
    *(('sql INSERT INTO "main"."loans"', number) for number in (1, 3, 8)),
    *(('sql UPDATE "main"."reports_upload"', number) for number in (1, 2, 3)),
    ('sql DELETE FROM "main"."reports_upload"', 1),
    *(("sql COMMIT", number) for number in (-1, -2, -3, -4, -5)),
]  # fmt: skip


def project(folder: Path, rows: int = ROWS) -> Place:
    """An empty table, and a file with two rows that do not fit."""
    made = place("sqlite", folder, "sqlite:///wh.db")
    made.run("CREATE TABLE loans (id INTEGER, name TEXT)")
    write(made, rows)
    return made


def write(made: Place, rows: int) -> None:
    made.write("id,name\n" + "".join(f"{BAD.get(n, n)},name {n}\n" for n in range(rows)))


def good(rows: int) -> list[int]:
    return [n for n in range(rows) if n not in BAD]


def in_table(made: Place) -> list[int]:
    return [int(row[0]) for row in made.rows("SELECT id FROM loans ORDER BY id")]


def gone_on_with(made: Place, *command: str) -> subprocess.CompletedProcess[str]:
    """The same command, as somebody types it who has looked what became of it."""
    with made.app() as app:
        states = [one.state for one in app.uploads()]
    if states and states[0] in ("succeeded", "partial"):
        return reports(made.folder, "uploads")
    return reports(made.folder, *command, *(["--resume"] if states else []))


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Sequence[str]:
    """The names of all points of an upload that nothing disturbs, in order."""
    return points(project(tmp_path_factory.mktemp("whole")).folder, *UPLOAD)


@pytest.mark.parametrize(("begins", "ordinal"), POINTS)
def test_killed_at_a_point(tmp_path: Path, known: Sequence[str], begins: str, ordinal: int) -> None:
    """Whatever had been committed by then, in the one database or in both: each row is in once, each bad one told once."""
    made = project(tmp_path)
    numbers = [number for number, name in enumerate(known, 1) if name.startswith(begins)]
    number = numbers[ordinal - (ordinal > 0)]
    assert killed_at(made.folder, number, *UPLOAD).returncode == KILLED
    ran = gone_on_with(made, *UPLOAD)
    assert ran.returncode in (0, 1), ran.stderr
    assert in_table(made) == good(ROWS)
    with made.app() as app:
        (one,) = app.uploads()
        assert (one.state, one.rows_read, one.inserted, one.rejected) == ("partial", ROWS, ROWS - 2, 2)
        assert [reject.line for reject in app.store.uploads.rejects(one.id)] == [6, 11]


@pytest.fixture(params=["sqlite", "postgresql"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "sqlite":
        yield project(tmp_path)
        return
    (tmp_path / "server").mkdir()
    for url in server(tmp_path / "server"):
        made = place("postgresql", tmp_path / "project", url)
        made.run("CREATE TABLE loans (id integer, name text)")
        yield made


def test_killed_at_random(target: Place, soak: float) -> None:
    """SIGKILL whenever it comes, again and again, until uploads get through: nothing twice, nothing lost."""
    rows, seed = 20_000, time.time_ns()
    chance = random.Random(seed)  # noqa: S311  no secret is made of it
    write(target, rows)
    command = ("upload", "loans.csv", "--to", "wh.loans", "--batch", "200")
    began = time.monotonic()
    assert reports(target.folder, *command).returncode == 1
    took, until = time.monotonic() - began, time.monotonic() + soak / 2
    killed, checked = 0, set[str]()
    while time.monotonic() < until or killed < 2 or len(checked) < 2:
        with target.app() as app:
            newest = app.uploads()[0]
        if newest.state == "partial" and newest.id not in checked:
            checked.add(newest.id)
            check(target, rows, seed)
            target.run("DELETE FROM loans")
        more = ["--resume"] if newest.id not in checked else ["--again"]
        running = start(target.folder, *command, *more)
        try:
            running.wait(took * chance.uniform(0.2, 1.2))
        except subprocess.TimeoutExpired:
            running.send_signal(signal.SIGKILL)
            killed += 1
        running.wait()


def check(target: Place, rows: int, seed: int) -> None:
    assert in_table(target) == good(rows), f"seed {seed}"
    with target.app() as app:
        one = app.uploads()[0]
        assert (one.rows_read, one.inserted, one.rejected) == (rows, rows - 2, 2), f"seed {seed}"
        assert [reject.row for reject in app.store.uploads.rejects(one.id)] == [5, 10]


def test_stopped_by_hand(tmp_path: Path) -> None:
    """Ctrl-C is told as that, with how to go on; what is in stays in."""
    made = project(tmp_path)
    write(made, 300_000)
    running = start(made.folder, "upload", "loans.csv", "--to", "wh.loans", "--batch", "100")
    while not (there := _count(made)):
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    assert running.wait(20) != 0
    with made.app() as app:
        (one,) = app.uploads()
    assert (one.state, one.error) == ("interrupted", "stopped by hand")
    assert there <= one.inserted < 300_000
    assert reports(made.folder, "upload", "--resume", one.id[:8], "--batch", "10000").returncode == 1
    assert in_table(made) == good(300_000)


def test_a_store_that_is_locked(tmp_path: Path) -> None:
    """No row passes its mark that is not on record: the upload ends, and goes on when the store can be written to."""
    made = project(tmp_path)
    settings = tmp_path / "settings.toml"
    settings.write_text(settings.read_text("utf-8") + "\n[store]\ntimeout = 0.5\n", "utf-8")
    text = "".join(f"{n},x\n" if n % 500 else "x,x\n" for n in range(100_000))
    made.write(f"id,name\n{text}")
    running = start(made.folder, "upload", "loans.csv", "--to", "wh.loans", "--batch", "100")
    while not _count(made):
        time.sleep(0.02)
    with contextlib.closing(sqlite3.connect(tmp_path / "var" / "reports.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert running.wait(30) == 1
    ran = reports(made.folder, "upload", "loans.csv", "--to", "wh.loans", "--resume")
    assert ran.returncode == 1, ran.stderr
    assert in_table(made) == [n for n in range(100_000) if n % 500]
    with made.app() as app:
        (one,) = app.uploads()
        assert (one.state, one.inserted, one.rejected) == ("partial", 99_800, 200)
        assert app.store.uploads.count_rejects(one.id) == 200


def _count(made: Place) -> int:
    with contextlib.suppress(Exception):
        return int(made.one("SELECT COUNT(*) FROM loans"))
    return 0
