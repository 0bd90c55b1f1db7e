"""Children, as real processes: how they begin, what they say, how they end."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import nursing
import psutil
import pytest

from reports.children import Child, Ended, Limits, Nursery
from reports.errors import ReportsError

Do = Callable[..., tuple[Ended, str]]
FREE = Limits()
pytestmark = pytest.mark.skipif(os.name == "nt", reason="what children do here is what POSIX has")


def ended(child: Child) -> Ended:
    assert child.done.wait(nursing.LONG)
    end = child.poll()
    assert end
    return end


# -- how it ends -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("value", "code"), [(None, 0), (0, 0), (7, 7), (75, 75), (256, 255), (-1, 255)])
def test_the_exit_code_is_what_the_function_returns(do: Do, value: int | None, code: int) -> None:
    """A number that is no exit code never passes for success."""
    end, output = do(nursing.give, value)
    assert (end.code, end.killed, end.temporary, output) == (code, "", code == 75, "")
    assert (end.reason == "") == (code in {0, 75})


def test_an_error_is_told_with_its_traceback(do: Do) -> None:
    """The child has failed, and its output says where."""
    end, output = do(nursing.fail)
    assert (end.code, end.reason, end.temporary) == (1, "it ended itself with exit code 1", False)
    assert output.startswith("Traceback")
    assert output.endswith("ValueError: the figures do not add up\n")


def test_an_exit_in_the_middle_is_an_end(do: Do) -> None:
    """os._exit lets nobody say anything; sys.exit may have words."""
    assert do(os._exit, 3)[0].reason == "it ended itself with exit code 3"
    assert do(sys.exit, 4)[0].code == 4
    end, output = do(sys.exit, "no rows today")
    assert (end.code, output) == (1, "no rows today\n")


def test_a_crash_is_told_with_where_it_was(do: Do) -> None:
    """The interpreter is gone, and yet there is a traceback."""
    end, output = do(nursing.crash)
    assert (end.code, end.reason, end.temporary) == (-11, "it crashed: signal 11 (SIGSEGV)", False)
    assert "Segmentation fault" in output
    assert "in crash" in output


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_who_is_killed_from_outside_may_be_tried_again(do: Do, number: signal.Signals) -> None:
    """It was not its own fault."""
    end, _ = do(nursing.signal_oneself, int(number))
    assert (end.code, end.killed, end.temporary) == (-number, "", True)
    assert end.reason.startswith(f"it was killed by signal {int(number)} ({number.name})")


def test_who_is_asked_to_end_ends_for_the_first_reason(nursery: Nursery, tmp_path: Path) -> None:
    """And is not called killed by somebody."""
    child = nursery.start((nursing.hang, tmp_path / "pid"), FREE, name="test")
    assert nursing.numbers(tmp_path / "pid") == [child.pid]
    assert child.poll() is None
    child.kill("another run replaced it")
    child.kill("it was not needed")
    end = ended(child)
    assert (end.killed, end.reason, end.temporary) == ("asked", "another run replaced it", False)
    assert end.seconds > 0
    child.kill("too late")
    assert child.poll() == end


def test_who_is_asked_to_end_before_it_is_born_ends(forked: Nursery) -> None:
    """At once after the start, when nobody knows its number yet."""
    children = [forked.start((nursing.hang,), FREE, name="test") for _ in range(3)]
    for child in children:
        child.kill("stop")
    assert {ended(child).killed for child in children} == {"asked"}


def test_threads_and_what_was_registered_come_to_their_end(do: Do) -> None:
    """As in a program of its own."""
    assert do(nursing.end_late)[1] == "first\nin a thread\nregistered\n"


def test_a_target_that_is_not_there_is_an_error_of_the_child(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Told where its run is told; what cannot be imported beforehand stops nobody."""
    nursery = Nursery(target="nowhere:main", preload=["nothing_like_it"], folder=tmp_path / "running")
    child = nursery.start(None, FREE, name="test")
    assert ended(child).code == 1
    assert "No module named 'nowhere'" in child.output()
    nursery.close()
    assert "nothing_like_it" in capfd.readouterr().err


# -- what it says ----------------------------------------------------------------------------------


def test_all_that_is_said_is_kept_in_its_order(do: Do) -> None:
    """By Python, by C, by programs that it runs, by the log and by warnings."""
    end, output = do(nursing.talk)
    lines = output.splitlines()
    assert end.code == 0, output
    assert lines[:4] == ["by Python", "by the system", "by C", "by another program"]
    assert lines[4].endswith("Z INFO bank: by the log")
    assert "WARNING py.warnings:" in lines[5]
    assert lines[5].endswith("UserWarning: by a warning")
    assert lines[-1] == "by Python, as an error"


def test_what_is_said_can_be_followed(nursery: Nursery) -> None:
    """Line by line, while it goes on."""
    child = nursery.start((nursing.do, (print, "so far")), FREE, name="test")
    ended(child)
    slow = nursery.start((exec, "print('so far'); import time; time.sleep(600)"), FREE, name="test")
    nursing.wait_until(lambda: slow.output() == "so far\n")
    assert slow.poll() is None
    slow.kill("enough")
    ended(slow)


def test_a_flood_takes_neither_memory_nor_disk(do: Do) -> None:
    """100 MB are cut down to beginning and end."""
    before = psutil.Process().memory_info().rss
    end, output = do(nursing.flood, 100)
    assert (end.code, end.reason) == (0, "")
    assert output.startswith("the beginning\nxxx")
    assert output.endswith("xxx\nthe end\n")
    assert len(output) < 140_000
    said = next(line for line in output.splitlines() if "left out" in line)
    assert int(said.split()[1].replace(",", "")) == 100 * 1024 * 1024 + 22 - 2 * 65536
    assert psutil.Process().memory_info().rss - before < 40_000_000


# -- how it begins ---------------------------------------------------------------------------------


def test_a_child_has_its_own_session_and_plain_signals(do: Do) -> None:
    """Ctrl-C in the terminal of the service is not for it, and whoever ends it by SIGTERM can."""
    assert do(nursing.tell_itself)[1] == "True True set() ''\n"


def test_a_burst_of_starts_is_carried_out(nursery: Nursery) -> None:
    """Many more than there are spares, each with its own order and its own output."""
    children = [nursery.start((print, number), FREE, name=str(number)) for number in range(30)]
    assert [ended(child).code for child in children] == [0] * 30
    assert [child.output() for child in children] == [f"{number}\n" for number in range(30)]
    assert len({child.pid for child in children}) == 30
    assert [child.name for child in children] == [str(number) for number in range(30)]


def test_a_start_takes_milliseconds(forked: Nursery) -> None:
    """Nothing is imported, nothing is forked while somebody waits."""
    took = []
    for _ in range(20):
        began = time.perf_counter()
        child = forked.start((nursing.give, 0), FREE, name="test")
        took.append(time.perf_counter() - began)
        ended(child)
    print(f"start() takes {statistics.median(took) * 1000:.2f} ms, {max(took) * 1000:.2f} ms at most")  # noqa: T201  to be read
    assert statistics.median(took) < 0.05


def test_several_threads_may_start_children(forked: Nursery) -> None:
    """Each gets its own."""
    said: list[str] = []

    def start(number: int) -> None:
        child = forked.start((print, number), FREE, name="test")
        ended(child)
        said.append(child.output())

    threads = [threading.Thread(target=start, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(nursing.LONG)
    assert sorted(said) == [f"{number}\n" for number in range(8)]


def test_a_long_order_arrives_whole(do: Do) -> None:
    """Longer than any pipe holds."""
    assert do(nursing.do, (len, b"x" * 5_000_000))[0].code == 255


def test_an_order_that_cannot_be_told_costs_no_child(nursery: Nursery) -> None:
    """The error is that of whoever gave it."""
    with pytest.raises((TypeError, AttributeError), match=r"pickle|lambda"):
        nursery.start(lambda: 0, FREE, name="test")
    assert ended(nursery.start((nursing.give, 5), FREE, name="test")).code == 5


def test_whoever_waits_is_told_of_an_end(tmp_path: Path) -> None:
    """Once the child can be asked how it ended."""
    told = threading.Event()
    nursery = Nursery(target="nursing:do", folder=tmp_path, on_end=told.set)
    child = nursery.start((nursing.give, 0), FREE, name="test")
    assert told.wait(nursing.LONG)
    assert child.poll()
    nursery.close()


def test_children_do_not_draw_the_same_numbers(tmp_path: Path) -> None:
    """Though they were forked from the same state."""
    nursery = Nursery(target="nursing:do", preload=["numpy.random"], folder=tmp_path, spares=2)
    children = [nursery.start((nursing.draw,), FREE, name="test") for _ in range(3)]
    assert [ended(child).code for child in children] == [0] * 3
    drawn = " ".join(child.output() for child in children).split()
    assert len(set(drawn)) == 6
    nursery.close()


# -- what goes wrong -------------------------------------------------------------------------------


def test_a_spare_that_died_is_passed_over(nursery: Nursery) -> None:
    """Nobody notices."""
    ended(nursery.start((nursing.give, 0), FREE, name="test"))
    root = psutil.Process(nursery._root)
    nursing.wait_until(root.children)
    for spare in root.children():
        spare.kill()
    nursing.wait_until(lambda: not nursing.alive(one.pid for one in root.children()))
    assert ended(nursery.start((nursing.give, 6), FREE, name="test")).code == 6


def test_without_its_fork_server_a_child_ends_and_the_next_has_a_new_one(forked: Nursery, tmp_path: Path) -> None:
    """Nobody could say how it ended; it is not its fault."""
    child = forked.start((nursing.breed, tmp_path / "pids", nursing.hang), FREE, name="test")
    pids = nursing.numbers(tmp_path / "pids")
    os.kill(forked._root, signal.SIGKILL)
    end = ended(child)
    assert (end.code, end.temporary) == (-9, True)
    assert "had begun it was killed" in end.reason
    nursing.wait_until(lambda: not nursing.alive(pids[:3]))
    os.kill(pids[3], signal.SIGKILL) if nursing.alive(pids[3:]) else None
    assert ended(forked.start((nursing.give, 8), FREE, name="test")).code == 8


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """With where it was to be."""
    (tmp_path / "file").write_text("")
    nursery = Nursery(target="nursing:do", folder=tmp_path / "file" / "running")
    with pytest.raises(ReportsError, match="no child process could be started") as error:
        nursery.start((nursing.give, 0), FREE, name="test")
    assert error.value.temporary
    assert str(tmp_path / "file") in error.value.hint
    nursery.close()


def test_closing_ends_everything(tmp_path: Path) -> None:
    """What goes on, the spares, the fork server, the files; and nothing can be begun afterwards."""
    nursery = Nursery(target="nursing:do", folder=tmp_path / "running", spares=2)
    nursery.warm()
    nursery.warm()
    child = nursery.start((nursing.breed, tmp_path / "pids", nursing.hang_in_c), FREE, name="test")
    root = psutil.Process(nursery._root)
    pids = {root.pid, *nursing.numbers(tmp_path / "pids"), *(one.pid for one in root.children(recursive=True))}
    assert len(pids) >= 6
    nursery.close()
    nursery.close()
    end = child.poll()
    assert end
    assert (end.killed, end.reason) == ("asked", "the service was ended")
    assert nursing.alive(pids) == []
    assert list((tmp_path / "running").iterdir()) == []
    with pytest.raises(ReportsError):
        nursery.start((nursing.give, 0), FREE, name="test")


def test_one_that_was_never_used_is_closed_at_no_cost(tmp_path: Path) -> None:
    """There may be nothing to close."""
    Nursery(target="nursing:do", folder=tmp_path).close()
    assert list(tmp_path.iterdir()) == []


# -- where there is less ---------------------------------------------------------------------------


def test_whoever_begins_children_imports_nothing_of_theirs() -> None:
    """The service stays small."""
    code = "import sys, reports.children; print(*sys.modules)"
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"pandas", "numpy", "matplotlib", "typer", "pydantic", "sqlalchemy", "multiprocessing"} & set(there) == set()


def test_it_works_without_what_only_posix_has(tmp_path: Path) -> None:
    """Neither fork nor groups nor sessions nor descriptors that are sent."""
    code = f"""
import os, pathlib, selectors, signal, socket, subprocess, sys, psutil
for module, names in ((os, "fork killpg setsid getpgid getpgrp wait4 getsid"), (signal, "SIGHUP SIGCHLD pthread_sigmask"),
                      (socket, "send_fds recv_fds")):
    for name in names.split():
        delattr(module, name)
from reports.children import Limits, Nursery
nursery = Nursery(target="nursing:do", folder=pathlib.Path({str(tmp_path)!r}))
nursery.warm()
child = nursery.start((print, "hello"), Limits(time=20, memory=10**9), name="test")
child.done.wait(20)
print(child.poll().code, child.output(), end="")
nursery.close()
"""
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=nursing.with_tests()
    )
    assert (ran.stdout, ran.stderr) == ("0 hello\n", "")
