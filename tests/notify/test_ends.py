"""Promises of a watch about processes: whatever ends one, somebody is told, and its exit status is what it would have been."""

from __future__ import annotations

import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from mailserver import MailServer
from watched import PATIENCE, account, end_watchers, mails, run, started, until

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")

LOOP = """
import os, signal, sys, time
from pathlib import Path
from reports.notify import watch

{before}
with watch("train", every=10, apart=0) as watching:
    for step in range(1, 100_000):
        watching.update(step, total=100_000, loss=1 / step)
        if step == 25:
            Path("going").touch()
        time.sleep(0.02)
"""


@pytest.fixture(autouse=True)
def over() -> Iterator[None]:
    """No watcher outlives its test."""
    yield
    end_watchers()


@pytest.fixture
def environment(server: MailServer, tmp_path: Path) -> dict[str, str]:
    """An account, and an outbox of the test's own."""
    return account(server, tmp_path / "data")


def ended_by(number: int, alone: Path, environment: dict[str, str], *, before: str = "") -> tuple[int, str]:
    """The exit status of a loop that gets a signal, and what it has said."""
    (alone / "going").unlink(missing_ok=True)
    with started(alone, LOOP.format(before=before), environment=environment) as script:
        assert script.comes_to("going"), script.wait() or script.said
        script.process.send_signal(number)
        return script.wait(), script.said["out"]


def last(server: MailServer, subject: str) -> str:
    """The text of the mail with such a subject, once it is there, in one line."""
    assert until(lambda: any(one.subject.startswith(subject) for one in mails(server))), [
        one.subject for one in mails(server)
    ]
    (found,) = [one for one in mails(server) if one.subject.startswith(subject)]
    return found.words


def test_sigterm_is_told_and_ends_it_as_before(alone: Path, server: MailServer, environment: dict[str, str]) -> None:
    """By that very signal, as whoever waits for it can see."""
    assert ended_by(signal.SIGTERM, alone, environment)[0] == -signal.SIGTERM
    text = last(server, "Interrupted: train")
    assert "SIGTERM ended it" in text
    assert "of 100,000" in text


def test_ctrl_c_is_told_and_ends_it_as_before(alone: Path, server: MailServer, environment: dict[str, str]) -> None:
    """As the KeyboardInterrupt that it is."""
    assert ended_by(signal.SIGINT, alone, environment)[0] == -signal.SIGINT
    assert "interrupted by hand" in last(server, "Interrupted: train")


HANDLER = """
def leave(number, frame):
    print("saving", number, flush=True)
    sys.exit(7)

signal.signal(signal.SIGTERM, leave)
"""


def test_a_handler_of_the_programs_own_is_called(alone: Path, server: MailServer, environment: dict[str, str]) -> None:
    """With the signal; its exit status is kept, and the signal is told with the end."""
    assert ended_by(signal.SIGTERM, alone, environment, before=HANDLER) == (7, "saving 15\n")
    text = last(server, "Interrupted: train")
    assert "sys.exit, 7" in text
    assert "SIGTERM came" in text


def test_a_signal_that_is_ignored_stays_ignored(alone: Path, server: MailServer, environment: dict[str, str]) -> None:
    """As by nohup: the work goes on, and nothing is told of it."""
    code = LOOP.format(before="signal.signal(signal.SIGHUP, signal.SIG_IGN)")
    with started(alone, code, environment=environment) as script:
        assert script.comes_to("going")
        script.process.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        assert script.process.poll() is None
        script.process.send_signal(signal.SIGKILL)
        assert script.wait() == -signal.SIGKILL
    assert "SIGHUP" not in last(server, "Killed: train")


def test_handlers_are_as_they_were_afterwards(alone: Path, environment: dict[str, str]) -> None:
    """The program's own, the default, and one that was set meanwhile."""
    code = """
    import signal
    from reports.notify import watch

    def own(number, frame): ...
    def other(number, frame): ...

    signal.signal(signal.SIGHUP, own)
    with watch("first"):
        with watch("second"):
            assert signal.getsignal(signal.SIGTERM) not in (signal.SIG_DFL, own)
        assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGHUP) is own
    with watch("third"):
        signal.signal(signal.SIGTERM, other)
    assert signal.getsignal(signal.SIGTERM) is other
    print("as before")
    """
    script = run(alone, code, environment=environment)
    assert script.said["out"] == "as before\n", script.said["err"]


def test_a_kill_is_noticed_by_the_watcher(alone: Path, server: MailServer, environment: dict[str, str]) -> None:
    """With the last state that is known, and what may have been the reason."""
    assert ended_by(signal.SIGKILL, alone, environment)[0] == -signal.SIGKILL
    text = last(server, "Killed: train")
    assert re.search(r"Step \d+ of 100,000, 0%", text)
    assert "loss" in text
    assert "killed" in text.lower()


def test_an_exit_that_runs_nothing_is_noticed(alone: Path, server: MailServer, environment: dict[str, str]) -> None:
    """os._exit, as child processes of some launchers end."""
    code = """
    import os
    from reports.notify import watch
    with watch("leave") as watching:
        watching.update(3, loss=0.5)
        os._exit(3)
    """
    assert run(alone, code, environment=environment).process.returncode == 3
    assert until(lambda: server.messages)
    (mail,) = mails(server)
    assert mail.subject.startswith(("Failed: leave", "Killed: leave"))
    assert mail.step == 3


def test_what_was_over_before_it_was_gone_is_told_as_that(
    alone: Path, server: MailServer, environment: dict[str, str]
) -> None:
    """The watcher tells the end itself where nobody else could."""
    code = """
    import os
    from reports.notify import watch
    try:
        with watch("train") as watching:
            watching.update(3, loss=0.5)
            raise ValueError("the loss is NaN")
    finally:
        os._exit(1)
    """
    run(alone, code, environment=environment)
    text = last(server, "Failed: train")
    assert "the loss is NaN" in text
    assert "Traceback (most recent call last)" in text


def test_it_is_told_once_whoever_tells_it(alone: Path, server: MailServer, environment: dict[str, str]) -> None:
    """The program itself or its watcher."""
    for how in ("pass", "sys.exit(0)", "raise ValueError", "os.kill(os.getpid(), signal.SIGTERM)"):
        code = f"""
        import os, signal, sys
        from reports.notify import watch
        with watch("{how[:5]}"):
            {how}
        """
        run(alone, code, environment=environment)
    assert until(lambda: len(server.messages) == 4)
    time.sleep(1)
    assert len(mails(server)) == 4


def test_a_child_by_fork_says_nothing_of_its_parents_work(
    alone: Path, server: MailServer, environment: dict[str, str]
) -> None:
    """It may end as it likes; work of its own it tells, and its parent's goes on."""
    code = """
    import os, signal, time
    from reports.notify import current, watch

    with watch("parent", every=1, apart=0) as watching:
        watching.update(1)
        if (child := os.fork()) == 0:
            for step in range(100, 200):
                watching.update(step)
            assert not watching.due(1000)
            with watch("child") as own:
                own.update(7)
            os.kill(os.getpid(), signal.SIGKILL)
        os.waitpid(child, 0)
        watching.update(2)
    """
    run(alone, code, environment=environment)
    assert until(
        lambda: {one.subject.partition(" on ")[0] for one in mails(server)} >= {"Finished: parent", "Finished: child"}
    )
    assert {one.subject.partition(" on ")[0]: one.step for one in mails(server) if ":" in one.subject} == {
        "Finished: parent": 2, "Finished: child": 7,
    }  # fmt: skip


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_children_of_multiprocessing_may_watch(
    alone: Path, server: MailServer, environment: dict[str, str], method: str
) -> None:
    """Each its own work, beside the parent's; such a child does not run what others run at their end."""
    code = f"""
    import multiprocessing
    from reports.notify import watch

    @watch("child")
    def work(number):
        return number + 1

    if __name__ == "__main__":
        with watch("parent"):
            context = multiprocessing.get_context("{method}")
            children = [context.Process(target=work, args=(number,)) for number in (10, 20)]
            for child in children:
                child.start()
            for child in children:
                child.join()
                assert child.exitcode == 0
    """
    assert run(alone, code, environment=environment).process.returncode == 0
    assert until(lambda: len(server.messages) == 3)
    subjects = sorted(one.subject.partition(" on ")[0] for one in mails(server))
    assert subjects == ["Finished: child", "Finished: child", "Finished: parent"]
    assert sorted(one.text.count("11") + 2 * one.text.count("21") for one in mails(server) if "child" in one.subject)


def test_a_killed_child_is_told_and_its_parent_goes_on(
    alone: Path, server: MailServer, environment: dict[str, str]
) -> None:
    """As the system kills the largest process where memory runs out."""
    code = """
    import multiprocessing, os, signal
    from reports.notify import watch

    def work():
        with watch("child"):
            os.kill(os.getpid(), signal.SIGKILL)

    if __name__ == "__main__":
        with watch("parent"):
            child = multiprocessing.get_context("spawn").Process(target=work)
            child.start()
            child.join()
    """
    run(alone, code, environment=environment)
    wanted = {"Killed: child", "Finished: parent"}
    assert until(lambda: {one.subject.partition(" on ")[0] for one in mails(server)} == wanted)


def test_a_work_that_is_still_open_at_the_end_is_told(
    alone: Path, server: MailServer, environment: dict[str, str]
) -> None:
    """As where a loop's own callback was to end it."""
    code = """
    from reports.notify import watch
    watching = watch("left open").__enter__()
    watching.update(3)
    """
    run(alone, code, environment=environment)
    assert "The program ended while this was not over" in last(server, "Interrupted: left open")


def test_other_ranks_are_told_of_when_they_are_killed(
    alone: Path, server: MailServer, environment: dict[str, str]
) -> None:
    """By their number; told to end, as launchers do with the rest, they say nothing."""
    ranked = {**environment, "RANK": "5"}
    assert ended_by(signal.SIGTERM, alone, ranked)[0] == -signal.SIGTERM
    assert ended_by(signal.SIGKILL, alone, ranked)[0] == -signal.SIGKILL
    assert until(lambda: server.messages)
    (mail,) = mails(server)
    assert mail.subject.startswith("Killed: train on ")
    assert mail.subject.endswith(", rank 5")


# -- networks ------------------------------------------------------------------------------------------


@pytest.fixture
def nowhere() -> int:
    """A port where nobody answers."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


def test_a_network_that_is_away_delays_no_work(alone: Path, environment: dict[str, str], nowhere: int) -> None:
    """The exit status is the work's own; what was to be said is in the outbox, the end in place of updates."""
    code = """
    import time
    from reports.notify import watch
    times = []
    with watch("train", every=10, start=True, apart=0) as watching:
        for step in range(1, 201):
            began = time.perf_counter()
            watching.update(step, loss=1 / step)
            times.append(time.perf_counter() - began)
            time.sleep(0.01)
    print(sorted(times)[100] < 0.001)
    """
    away = {**environment, "REPORTS_PORT": str(nowhere)}
    script = run(alone, code, environment=away)
    assert (script.process.returncode, script.said["out"]) == (0, "True\n")
    states = run(alone, WAITING, environment=away).said["out"].split("\n")
    assert "pending Finished" in "\n".join(states)
    assert not any(one.startswith("pending train") for one in states)


WAITING = """
import os
from reports.notify import outlet
box = outlet(to="ann@example.com").box
for one in box.store.outbox.deliveries(every=True):
    print(one.state, one.subject)
os._exit(0)  # nothing is sent by this one
"""


def test_what_a_process_had_to_leave_is_sent_by_its_watcher(
    alone: Path, server: MailServer, environment: dict[str, str]
) -> None:
    """Where the server took nothing at its end, and does soon after; the watcher goes once all is sent."""
    code = """
    from pathlib import Path
    from reports.notify import watch
    from reports.notify.voice import voice
    with watch("train"):
        Path("watcher").write_text(str(voice().guard._process.pid))
    """
    server.replies["MAIL"] = "451 4.3.2 the system is being shut down"
    assert run(alone, code, environment=environment).process.returncode == 0
    assert not server.messages
    server.replies.clear()
    assert until(lambda: server.messages)
    pid = int((alone / "watcher").read_text())
    assert until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    assert [one.subject.partition(" on ")[0] for one in mails(server)] == ["Finished: train"]


def test_a_server_that_hangs_delays_no_end_for_long(alone: Path, environment: dict[str, str]) -> None:
    """The process waits some seconds at its end, and then goes."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        code = """
        import time
        from reports.notify import watch
        with watch("train", every=1, start=True, apart=0) as watching:
            for step in range(50):
                watching.update(step)
                time.sleep(0.01)
        print("over", flush=True)
        """
        began = time.monotonic()
        script = run(alone, code, environment={**environment, "REPORTS_PORT": str(port)})
        assert script.said["out"] == "over\n"
        assert script.process.returncode == 0
        assert time.monotonic() - began < PATIENCE - 10


def test_nothing_is_left_after_the_last_watch(alone: Path, environment: dict[str, str]) -> None:
    """No watcher of a process that has ended, and none that was told to go."""
    code = """
    import psutil
    from reports.notify import boxes, watch
    with watch("train"):
        children = psutil.Process().children()
        assert len(children) == 1
        with watch("inner"):
            assert psutil.Process().children() == children
    print(children[0].pid)
    """
    pid = int(run(alone, code, environment=environment).said["out"])
    assert until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
