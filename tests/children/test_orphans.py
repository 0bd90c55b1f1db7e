"""No process outlives the run that it was begun for, nor a run the service."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import nursing
import psutil
import pytest

from reports.children import Ended, Limits, Nursery

Do = Callable[..., tuple[Ended, str]]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a process adopt orphans")
SERVICE = """
import pathlib, signal, sys
import nursing
from reports.children import Limits, Nursery
signal.signal(signal.SIGTERM, signal.SIG_IGN)
folder = pathlib.Path(sys.argv[1])
nursery = Nursery(target="nursing:do", folder=folder / "running", spares=2, fork=sys.argv[2] == "forked")
nursery.warm()
nursery.start((nursing.breed, folder / "bred", nursing.hang), Limits(), name="breeds")
nursery.start((nursing.hang_in_c if sys.argv[3] == "c" else nursing.hang, folder / "hanging"), Limits(), name="hangs")
plain = nursery.start((nursing.tell_itself,), Limits(), name="tells")
plain.done.wait()
(folder / "told").write_text(plain.output())
print(nursery._root, flush=True)
signal.pause()
"""


@contextmanager
def service(folder: Path, kind: str = "forked", hang: str = "python") -> Iterator[tuple[psutil.Process, list[int]]]:
    """A program with children at work, and the numbers of all that are below it."""
    command = [sys.executable, "-c", SERVICE, str(folder), kind, hang]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=nursing.with_tests()) as running:
        try:
            assert running.stdout
            assert running.stdout.readline()
            bred = [*nursing.numbers(folder / "bred"), *nursing.numbers(folder / "hanging")]
            one = psutil.Process(running.pid)
            nursing.wait_until(lambda: len(one.children(recursive=True)) >= len(bred) + 2)
            yield one, sorted({*bred, *(below.pid for below in one.children(recursive=True))})
        finally:
            running.kill()


@pytest.mark.parametrize(("kind", "hang"), [("forked", "python"), ("forked", "c"), ("spawned", "python")])
def test_when_the_service_is_killed_nothing_is_left(tmp_path: Path, kind: str, hang: str) -> None:
    """Children, spares, the fork server, and what children began: in their group, out of it, and as daemons."""
    with service(tmp_path, kind, hang) as (one, pids):
        assert nursing.alive(pids) == pids
        one.kill()
        nursing.wait_until(lambda: not nursing.alive(pids))


def test_when_service_and_fork_server_are_killed_nothing_is_left(tmp_path: Path) -> None:
    """Each child sees to it by itself."""
    with service(tmp_path) as (one, pids):
        server = one.children()[0]
        one.suspend()
        server.kill()
        one.kill()
        nursing.wait_until(lambda: not nursing.alive(pids))


def test_a_service_that_ignores_signals_has_children_that_do_not(tmp_path: Path) -> None:
    """What is ignored is inherited by programs that are begun, unless somebody sees to it."""
    for kind in ("forked", "spawned"):
        (tmp_path / kind).mkdir()
        with service(tmp_path / kind, kind):
            assert (tmp_path / kind / "told").read_text() == "True True set() ''\n"


@pytest.mark.parametrize("way", [os.getpid, nursing.fail, nursing.crash])
def test_what_a_child_began_ends_with_it(forked: Nursery, tmp_path: Path, way: Callable[[], object]) -> None:
    """However it ends, and wherever those are; its output says so."""
    child = forked.start((nursing.breed, tmp_path / "pids", way), Limits(), name="test")
    assert child.done.wait(nursing.LONG)
    assert nursing.alive(nursing.numbers(tmp_path / "pids")) == []
    assert "3 processes that it had left behind ended with it: " in child.output().splitlines()[-1]


def test_what_a_spawned_child_began_ends_with_it(do: Do, tmp_path: Path) -> None:
    """It sees to it itself, if it is let."""
    _, output = do(nursing.breed, tmp_path / "pids", nursing.fail)
    assert nursing.alive(nursing.numbers(tmp_path / "pids")) == []
    assert "3 processes that it had left behind ended with it: " in output.splitlines()[-1]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_what_a_child_began_ends_when_it_is_killed(forked: Nursery, tmp_path: Path, number: int) -> None:
    """By somebody who knows nothing of the others."""
    child = forked.start((nursing.breed, tmp_path / "pids", nursing.hang), Limits(), name="test")
    pids = nursing.numbers(tmp_path / "pids")
    os.kill(child.pid, number)
    assert child.done.wait(nursing.LONG)
    assert nursing.alive(pids) == []


def test_what_a_child_began_ends_when_its_time_is_over(forked: Nursery, tmp_path: Path) -> None:
    """The limit is one for all of them."""
    child = forked.start((nursing.breed, tmp_path / "pids", nursing.hang), Limits(time=1.5), name="test")
    pids = nursing.numbers(tmp_path / "pids")
    assert child.done.wait(nursing.LONG)
    end = child.poll()
    assert end
    assert end.killed == "time"
    assert nursing.alive(pids) == []


def test_a_child_of_one_run_does_not_end_with_another(forked: Nursery, tmp_path: Path) -> None:
    """Runs that go on at the same time have nothing to do with each other."""
    stays = forked.start((nursing.breed, tmp_path / "stays", nursing.hang), Limits(), name="test")
    pids = nursing.numbers(tmp_path / "stays")
    goes = forked.start((nursing.breed, tmp_path / "goes", os.getpid), Limits(), name="test")
    assert goes.done.wait(nursing.LONG)
    assert nursing.alive(nursing.numbers(tmp_path / "goes")) == []
    assert nursing.alive(pids) == pids
    stays.kill("enough")
    assert stays.done.wait(nursing.LONG)
    assert nursing.alive(pids) == []
