"""Promises of a script's outbox: what was said is not lost, and not said twice, whatever the network and the script do."""

from __future__ import annotations

import datetime as dt
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from mailserver import MailServer

from reports.notify import accounts, boxes, flush, message, outlet, send
from reports.notify.results import Result

Back = Callable[[], MailServer]


def subjects(server: MailServer) -> list[str]:
    """The subjects of what a server took, in its order."""
    lines = [line for one in server.messages for line in one.content.decode().splitlines()]
    return [line.removeprefix("Subject: ") for line in lines if line.startswith("Subject: ")]


def states(result: Result) -> list[str]:
    return [one.state for one in result]


def script(source: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """The outcome of a script of its own process, with the environment of the test."""
    path = folder / "script.py"
    path.write_text(textwrap.dedent(source), "utf-8")
    return subprocess.run(
        [sys.executable, str(path)], cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )


def test_without_a_network_it_waits_and_nothing_is_raised(away: Back) -> None:
    """The result is false, and says why."""
    result = send("upload done", to="ann@example.com")
    assert not result
    assert result.waits
    assert states(result) == ["pending"]
    assert "nothing listens there" in str(result)


def test_what_waits_goes_with_the_next_message(away: Back) -> None:
    """For then the network is back: nobody waits for the time of the next try, and the order is that in which it was said."""
    send("first", to="ann@example.com")
    send("second", to="ann@example.com")
    with away() as server:
        assert send("third", to="ann@example.com")
        assert flush(30)
        assert sorted(subjects(server)) == ["first", "second", "third"]
        boxes.close_all()


def test_what_waits_goes_by_itself_when_its_time_has_come(away: Back) -> None:
    """In the background of the same process, with no further call."""
    result = send("upload done", to="ann@example.com")
    assert states(result) == ["pending"]
    with away() as server:
        box = outlet().box
        box.clock = lambda: dt.datetime.now(dt.UTC) + dt.timedelta(minutes=3)
        box.ring()
        assert flush(30)
        assert subjects(server) == ["upload done"]
        boxes.close_all()


def test_what_waits_is_sent_by_the_next_script(away: Back, alone: Path) -> None:
    """One outbox for all scripts of an account, in the user's data folder: a process that ended leaves nothing behind."""
    assert script('from reports.notify import send; print(send("first", to="ann@example.com"))', alone).returncode == 0
    with away() as server:
        ran = script('from reports.notify import send; print(send("second", to="ann@example.com"))', alone)
        assert "ann@example.com: accepted" in ran.stdout
        assert sorted(subjects(server)) == ["first", "second"]


KILLED = """
    import os, signal
    from reports.notify import message, outlet
    from reports.notify.outgoing import Postbox
    Postbox.ring = lambda self: os.kill(os.getpid(), signal.SIGKILL)  # it is stored, and nobody was told to send it
    outlet(to="ann@example.com").post(message("upload done"))
"""


def test_a_script_that_is_killed_after_storing_has_its_message_sent_once(account: MailServer, alone: Path) -> None:
    """By the next one with the same account."""
    assert script(KILLED, alone).returncode == -signal.SIGKILL
    assert account.messages == []
    send("another", to="ann@example.com")
    send("a third", to="ann@example.com")
    assert sorted(subjects(account)) == ["a third", "another", "upload done"]


def test_the_end_of_a_script_waits_for_what_is_on_its_way(account: MailServer, alone: Path) -> None:
    """Also for what was left to the background, and for messages large enough to be read ahead."""
    source = """
        from reports.notify import message, send
        for n in range(3):
            send(message(f"no. {n}", attachments=("a.bin", bytes(100_000))), to="ann@example.com", wait=0)
    """
    ran = script(source, alone)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert subjects(account) == ["no. 0", "no. 1", "no. 2"]


def test_the_end_of_a_script_waits_no_longer_than_it_may(
    account: MailServer, alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that never says a word keeps no script from its end, and the message is sent by the next one."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("REPORTS_TIMEOUT", "600")
        source = f"""
            import os
            from reports.notify import boxes, outlet, send
            boxes.AT_EXIT = 1.0
            os.environ["REPORTS_DATA"] = {str(alone / "here")!r}
            os.environ["REPORTS_PORT"] = "{silent.getsockname()[1]}"
            print(send("upload done", to="ann@example.com", wait=0.1).waits)
        """
        ran = script(source, alone)
    assert (ran.returncode, ran.stdout) == (0, "True\n")


def test_a_child_that_was_forked_sends_by_itself(account: MailServer, alone: Path) -> None:
    """As under a server that loads the application and forks its workers; each message goes once."""
    source = """
        import os, sys
        from reports.notify import send
        assert send("parent", to="ann@example.com")
        children = []
        for n in range(2):
            child = os.fork()
            if child == 0:
                assert send(f"child {n}", to="ann@example.com")
                send(f"child {n} at its end", to="ann@example.com", wait=0)
                sys.exit(0)
            children.append(child)
        assert all(os.waitpid(child, 0)[1] == 0 for child in children)
        assert send("parent again", to="ann@example.com")
    """
    ran = script(source, alone)
    assert ran.returncode == 0, ran.stderr
    expected = ["child 0", "child 0 at its end", "child 1", "child 1 at its end", "parent", "parent again"]
    assert sorted(subjects(account)) == expected


@pytest.mark.parametrize("way", ["fork", "spawn"])
def test_a_child_of_multiprocessing_sends_what_it_has_left(account: MailServer, alone: Path, way: str) -> None:
    """Though such a process ends without what atexit has."""
    source = f"""
        import multiprocessing
        from reports.notify import send

        def work(n):
            send(f"child {{n}}", to="ann@example.com", wait=0)

        if __name__ == "__main__":
            context = multiprocessing.get_context("{way}")
            child = context.Process(target=work, args=(1,))
            child.start()
            child.join()
    """
    ran = script(source, alone)
    assert ran.returncode == 0, ran.stderr
    assert subjects(account) == ["child 1"]


def test_any_number_of_threads_may_send(account: MailServer) -> None:
    """Each message goes once."""
    threads = [threading.Thread(target=send, args=(f"no. {n}",), kwargs={"to": "ann@example.com"}) for n in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert flush(30)
    assert sorted(subjects(account)) == [f"no. {n}" for n in range(8)]


def test_what_cannot_be_stored_is_tried_once_directly(
    account: MailServer, alone: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As where the disk is full: the log says so, and nothing is raised."""
    (alone / "file").touch()
    monkeypatch.setenv("REPORTS_DATA", str(alone / "file" / "data"))
    result = send("upload done", to="ann@example.com")
    assert result
    assert subjects(account) == ["upload done"]
    assert "the outbox cannot be written, so this is tried once, directly" in caplog.text
    account.stop()
    result = send("once more", to="ann@example.com")
    assert states(result) == ["refused"]
    assert "not sent, and it could not be stored either: ann@example.com" in caplog.text


def test_what_cannot_be_stored_is_told_on_stderr(
    account: MailServer, alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the script has no log of its own."""
    (alone / "file").touch()
    monkeypatch.setenv("REPORTS_DATA", str(alone / "file" / "data"))
    ran = script('from reports.notify import send; send("upload done", to="ann@example.com")', alone)
    assert ran.returncode == 0
    assert "the outbox cannot be written" in ran.stderr
    assert subjects(account) == ["upload done"]


def test_a_run_of_its_own_keeps_what_was_sent(account: MailServer) -> None:
    """The outbox names it (notify), with its files; nothing of it is a report of a job."""
    result = send(message("upload done", attachments=("errors.bin", b"1")), to="ann@example.com")
    store = outlet().box.store
    run = store.runs.find(result.run)
    assert (run.job, run.state) == ("(notify)", "succeeded")
    assert [one.name for one in store.runs.artifacts(run.id)] == ["errors.bin"]


def test_the_outbox_of_an_account_is_in_the_users_data_folder(account: MailServer, tmp_path: Path) -> None:
    """One for each account, since all that waits in it is sent by that account."""
    folder = outlet().settings.data_folder
    assert folder.parent == tmp_path / "data"
    assert folder.name.startswith("me-example-com-127-0-0-1-")
    other = accounts.settings_for(account={"host": "127.0.0.1", "port": account.port, "user": "you@example.com"})
    assert other.data_folder != folder


def test_what_is_old_is_let_go_of_once_a_day(account: MailServer) -> None:
    """Nobody else looks after an outbox that no service has."""
    assert send("old", to="ann@example.com")
    box = outlet().box
    mark, store = box.settings.data_folder / "tidied", box.store
    assert mark.exists()
    box.clock = lambda: dt.datetime.now(dt.UTC) + dt.timedelta(days=500)
    assert send("new", to="ann@example.com")
    assert flush(30)
    assert len(store.runs.list()) == 2
    os.utime(mark, (0, 0))
    assert send("newer", to="ann@example.com")
    assert flush(30)
    assert len(store.runs.list()) == 2


def test_the_parents_handles_can_be_asked_in_a_child(account: MailServer, alone: Path) -> None:
    """They are no use there, and do no harm."""
    source = """
        import os, sys
        from reports.notify import message, outlet
        handle = outlet(to="ann@example.com").post(message("x"))
        assert handle.wait(30)
        child = os.fork()
        if child == 0:
            sys.exit(0 if handle.wait(5) else 1)
        assert os.waitpid(child, 0)[1] == 0
    """
    ran = script(source, alone)
    assert ran.returncode == 0, ran.stderr
