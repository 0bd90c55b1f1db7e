"""Processes that are killed at a point: which points there are, and that nothing happens after it."""

import re
import sqlite3
import sys
from pathlib import Path

import pytest
from killing import KILLED, killed_at, points
from projects import make_project

SCRIPT = """
import os, smtplib, socket, subprocess, sys
from pathlib import Path
import sqlalchemy as sa

Path("new").write_text("x")
Path("new").replace("renamed")
Path("renamed").read_text()
Path("../elsewhere").write_text("no point")
engine = sa.create_engine("sqlite:///kept.db")
with engine.begin() as connection:
    connection.execute(sa.text("CREATE TABLE t (a)"))
    connection.execute(sa.text("INSERT INTO t VALUES (:a)"), [{"a": 17}])
subprocess.run([sys.executable, "-c", "open('by-a-child', 'w').close()"], check=True)
listener = socket.create_server(("127.0.0.1", 0))
socket.create_connection(listener.getsockname()).close()
Path("renamed").unlink()
print("done")
"""
COMMAND = (sys.executable, "-c", SCRIPT)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    there = tmp_path / "project"
    there.mkdir()
    return there


def test_the_points_are_what_others_could_see(folder: Path) -> None:
    """Files of the project written, renamed and removed, statements, connections; nothing else."""
    names = [name for name in points(folder, command=COMMAND) if "PRAGMA" not in name]
    assert names == [
        "write new",
        "rename renamed",
        "sql CREATE TABLE t (a)",
        "sql BEGIN",
        "sql INSERT INTO t VALUES (#)",
        "sql COMMIT",
        "connect",
        "remove renamed",
    ]


def test_a_killed_process_has_done_what_came_before_and_no_more(folder: Path) -> None:
    """At the COMMIT the file is renamed, the row is not there, and nothing was said."""
    number = points(folder, command=COMMAND).index("sql COMMIT") + 1
    (folder / "kept.db").unlink()
    ran = killed_at(folder, number, command=COMMAND)
    assert (ran.returncode, ran.stdout) == (KILLED, "")
    assert ran.stderr.endswith(f"last point: {number} sql COMMIT")
    assert (folder / "renamed").exists()
    with sqlite3.connect(folder / "kept.db") as connection:
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (0,)
    connection.close()


def test_a_run_with_fewer_points_ends_as_it_does(folder: Path) -> None:
    """It is seen that nothing was killed."""
    ran = killed_at(folder, 1000, command=COMMAND)
    assert (ran.returncode, ran.stdout) == (0, "done\n")
    assert re.search(r"last point: \d+ remove renamed$", ran.stderr)


def test_the_command_has_the_same_points_every_time(tmp_path: Path) -> None:
    """So that the n-th of one run is the n-th of another; its start-up is not disturbed."""
    once, again = (points(make_project(tmp_path / name), "run", "daily") for name in ("once", "again"))
    assert _without_indexes(once) == _without_indexes(again)
    assert {"sql BEGIN IMMEDIATE", "sql COMMIT"} < set(once)
    assert any(name.startswith("rename var/artifacts/") for name in once)


def _without_indexes(names: list[str]) -> list[str]:
    """SQLAlchemy makes those of one table in any order."""
    return [name for name in names if "INDEX" not in name]


def test_the_command_is_killed_at_a_point(tmp_path: Path) -> None:
    """The installed program dies there and says nothing more."""
    ran = killed_at(make_project(tmp_path), 2, "run", "daily")
    assert (ran.returncode, ran.stdout) == (KILLED, "")
