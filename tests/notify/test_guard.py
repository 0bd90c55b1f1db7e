"""Promises of the watcher: it knows what was open when a process went, however that went, and never outlives its use."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from reports.notify.guard import Guard

# The watcher hands what it knows to `reports.notify.obituary`; here to one that only keeps it.
KEEPER = "import sys, os\ndef main():\n    with open(os.environ['KEPT'], 'wb') as file:\n        file.write(sys.stdin.buffer.read())\n"
SCRIPT = """\
import os, signal, sys, time
from pathlib import Path
sys.path.insert(0, {elsewhere!r})
import reports.notify
reports.notify.__path__.insert(0, {elsewhere!r})
from reports.notify.guard import Guard
guard = Guard()
os.register_at_fork(after_in_child=guard.forget)
guard.open("first", {{"title": "outer"}})
guard.open("second", {{"title": "inner"}})
guard.state("second", {{"step": 3}})
guard.state("second", {{"step": 4, "loss": 0.5}})
Path({pid!r}).write_text(str(guard._process.pid))
"""


def until(true: Callable[[], object], seconds: float = 60) -> bool:
    """Whether it became true in time."""
    over = time.monotonic() + seconds
    while time.monotonic() < over:
        if true():
            return True
        time.sleep(0.02)
    return False


def is_there(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


class Run:
    """A process with two watches open that does what `rest` says; the watcher of it, and what that has told."""

    def __init__(self, folder: Path, rest: str) -> None:
        self.kept, pid = folder / "kept.json", folder / "pid"
        package = folder / "elsewhere"
        package.mkdir()
        (package / "obituary.py").write_text(KEEPER, "utf-8")
        hook = folder / "hook"
        hook.mkdir()
        # Python looks for this at its start, also that of the one which the watcher begins.
        (hook / "sitecustomize.py").write_text(
            f"import sys\nif sys.argv[:1] == ['-c'] and 'REPORTS_KEEPER' in __import__('os').environ:\n"
            f"    import reports.notify\n    reports.notify.__path__.insert(0, {str(package)!r})\n",
            "utf-8",
        )
        script = SCRIPT.format(elsewhere=str(package), pid=str(pid)) + rest
        environment = {
            **os.environ, "KEPT": str(self.kept), "REPORTS_KEEPER": "1",
            "PYTHONPATH": os.pathsep.join([str(hook), os.environ.get("PYTHONPATH", str(Path(__file__).parents[2]))]),
        }  # fmt: skip
        self.ran = subprocess.run(
            [sys.executable, "-c", script], env=environment, cwd=folder, check=False, capture_output=True, text=True
        )
        assert pid.exists(), self.ran.stderr
        self.watcher = int(pid.read_text())

    def told(self) -> dict[str, Any]:
        assert until(lambda: not is_there(self.watcher))
        said: dict[str, Any] = json.loads(self.kept.read_text("utf-8"))
        return said

    @property
    def told_nothing(self) -> bool:
        return until(lambda: not is_there(self.watcher)) and not self.kept.exists()


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize(
    ("rest", "status"),
    [("os.kill(os.getpid(), signal.SIGKILL)", 9), ("os._exit(3)", 3 << 8), ("os.abort()", 6),
     ("import ctypes; ctypes.string_at(0)", 11)],
    ids=["killed", "left", "aborted", "crashed"],
)  # fmt: skip
def test_an_end_without_a_word_is_told(tmp_path: Path, rest: str, status: int) -> None:
    """With all that was open, the newest that is known of each, and how it ended where the system tells that."""
    told = Run(tmp_path, rest).told()
    assert told["watches"] == {"first": {"title": "outer"}, "second": {"title": "inner", "step": 4, "loss": 0.5}}
    assert told["evidence"]["status"] is None or told["evidence"]["status"] & 0xFF7F == status


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_the_memory_it_had_is_told(tmp_path: Path) -> None:
    """In kilobytes, and what the machine had left."""
    found = Run(tmp_path, "hoard = bytearray(50_000_000); time.sleep(1.5); os._exit(1)").told()["evidence"]
    assert 50_000 < found["memory"] <= found["peak"] < 1_000_000
    assert found["free"] > 0


@pytest.mark.parametrize(
    "rest",
    [
        "guard.close('first'); guard.close('second'); guard.leave()",
        "guard.close('first'); guard.close('second'); os._exit(1)",
    ],
    ids=["left in order", "gone after the last word"],
)
def test_what_is_closed_is_not_told_of(tmp_path: Path, rest: str) -> None:
    """And the watcher ends with it."""
    assert Run(tmp_path, rest).told_nothing


def test_only_what_is_open_is_told_of(tmp_path: Path) -> None:
    """Several share one watcher."""
    assert set(Run(tmp_path, "guard.close('second'); os._exit(1)").told()["watches"]) == {"first"}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.parametrize(
    "fork", ["os.fork()", "__import__('ctypes').CDLL(None).fork()"], ids=["Python's", "a library's"]
)
def test_a_child_that_lives_on_keeps_nothing_from_being_told(tmp_path: Path, fork: str) -> None:
    """Even where it holds the other end of the pipe, as a child does that a library has forked."""
    rest = f"""
child = {fork}
if child == 0:
    time.sleep(3)
    os._exit(0)
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert set(Run(tmp_path, rest).told()["watches"]) == {"first", "second"}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_childs_end_is_not_the_parents(tmp_path: Path) -> None:
    """Killed or not, it had nothing open."""
    rest = """
if os.fork() == 0:
    os.kill(os.getpid(), signal.SIGKILL)
os.wait()
guard.close('first')
guard.close('second')
guard.leave()
"""
    assert Run(tmp_path, rest).told_nothing


def test_a_program_that_closes_all_its_files_is_not_taken_for_dead(tmp_path: Path) -> None:
    """Nothing is written into the file that has the pipe's number then; the watcher is begun anew, and hears all."""
    rest = """
first = guard._process.pid
os.closerange(3, 64)
own = [os.open("own", os.O_CREAT | os.O_RDWR) for _ in range(40)]
guard.state("second", {"step": 5})
assert os.path.getsize("own") == 0
assert guard._process.pid != first
Path("pid").write_text(str(guard._process.pid))
os._exit(1)
"""
    run = Run(tmp_path, rest)
    assert run.told()["watches"] == {"first": {"title": "outer"}, "second": {"title": "inner", "step": 5, "loss": 0.5}}


def test_a_program_that_takes_its_time_to_end_is_waited_for(tmp_path: Path) -> None:
    """What it leaves to the watcher is told after its end, however long that takes."""
    rest = "guard.leave(); time.sleep(4); assert not Path('kept.json').exists(); os._exit(1)"
    assert set(Run(tmp_path, rest).told()["watches"]) == {"first", "second"}


def test_a_watcher_that_is_killed_is_begun_anew(tmp_path: Path) -> None:
    """With all that the first one knew."""
    rest = """
guard._process.kill()
guard._process.wait()
guard.state("first", {"step": 1})
Path("pid").write_text(str(guard._process.pid))
os._exit(1)
"""
    assert Run(tmp_path, rest).told()["watches"]["first"] == {"title": "outer", "step": 1}


def test_signals_to_the_whole_group_do_not_end_it(tmp_path: Path) -> None:
    """As Ctrl-C in a terminal, or a shutdown, sends them."""
    rest = """
watcher = guard._process.pid
time.sleep(0.3)
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    os.kill(watcher, number)
assert guard._process.poll() is None
os._exit(1)
"""
    assert set(Run(tmp_path, rest).told()["watches"]) == {"first", "second"}


def test_where_no_process_can_be_begun_it_says_so(caplog: pytest.LogCaptureFixture) -> None:
    """And everything else works as before."""
    guard, program = Guard(), sys.executable
    try:
        sys.executable = ""
        guard.open("first", {})
        guard.state("first", {"step": 1})
        guard.close("first")
    finally:
        sys.executable = program
    assert "no process can be begun" in guard.fault
    assert "nothing would notice it if this process were killed" in caplog.text


def test_it_costs_microseconds_to_say_something() -> None:
    """A thousand words take less than a second, on any machine."""
    guard = Guard()
    guard.open("first", {"title": "x"})
    began = time.perf_counter()
    for step in range(1000):
        guard.state("first", {"step": step})
    took = time.perf_counter() - began
    guard.close("first")
    guard.leave()
    assert took < 1


def test_nothing_is_left_of_it(tmp_path: Path) -> None:
    """Neither a zombie nor an open file."""
    before = psutil.Process().num_fds() if hasattr(psutil.Process, "num_fds") else 0
    guard, begun = Guard(), []
    for _ in range(5):
        guard.open("first", {})
        begun.append(guard._process.pid if guard._process else 0)
        guard.close("first")
        guard.leave(60)
    assert len(set(begun)) == 5
    assert not any(map(psutil.pid_exists, begun))
    assert not before or psutil.Process().num_fds() <= before
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
