"""Promises of `reports notify` and `reports watch`: people told from a shell, exit status and output kept."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import REPORTS, reports
from mailserver import MailServer
from PIL import Image
from sending import PASSWORD, USER
from watched import PATIENCE, Mail, account, end_watchers, mails, until

pytestmark = pytest.mark.skipif(os.name != "posix", reason="a shell of POSIX")


@pytest.fixture
def server() -> Iterator[MailServer]:
    """A mail server with TLS that knows one user."""
    with MailServer(users={USER: PASSWORD}) as running:
        yield running
    end_watchers()


@pytest.fixture
def environment(server: MailServer, tmp_path: Path) -> dict[str, str]:
    """Its account, and no project anywhere above."""
    (tmp_path / "work").mkdir()
    return account(server, tmp_path / "data")


@pytest.fixture
def work(environment: dict[str, str], tmp_path: Path) -> Path:
    """A folder to work in."""
    return tmp_path / "work"


def one(server: MailServer) -> Mail:
    """The only mail, once it is there."""
    assert until(lambda: server.messages)
    (mail,) = mails(server)
    return mail


# -- notify ------------------------------------------------------------------------------------------------


def test_a_text_with_picture_and_file_is_sent(server: MailServer, environment: dict[str, str], work: Path) -> None:
    """Who got it stands on stdout."""
    Image.new("RGB", (60, 40), "red").save(work / "curve.png")
    (work / "errors.csv").write_text("a,b\n1,2\n", "utf-8")
    ran = reports(
        work, "notify", "upload done", "--image", "curve.png", "--attach", "errors.csv", "--to", "ann@example.com",
        "--to", "bob@example.com", **environment,
    )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (0, "")
    assert re.findall(r"(?m)^(\S+): accepted", ran.stdout) == ["ann@example.com", "bob@example.com"]
    mail = one(server)
    assert mail.subject == "upload done"
    assert {"curve.png", "errors.csv"} <= set(mail.files)


def test_what_comes_in_is_shown_as_it_is(server: MailServer, environment: dict[str, str], work: Path) -> None:
    """Below the text, or as the text itself."""
    for text in (["build failed"], []):
        ran = subprocess.run(
            [str(REPORTS), "notify", *text, "--stdin"], input="gcc: error\n    1 | int x\n", text=True, cwd=work,
            env={**os.environ, **environment}, capture_output=True, check=False,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
    with_text, alone = mails(server)
    assert (with_text.subject, alone.subject) == ("build failed", "gcc: error")
    assert "    gcc: error\n        1 | int x" in with_text.text


def test_html_of_ones_own_stays_as_it_is(server: MailServer, environment: dict[str, str], work: Path) -> None:
    """A text is made of it."""
    (work / "note.html").write_text("<h1>Nightly</h1><p>All <b>well</b>.</p>", "utf-8")
    ran = reports(work, "notify", "--html", "note.html", "--subject", "Nightly run", **environment)
    assert ran.returncode == 0, ran.stderr
    mail = one(server)
    assert mail.subject == "Nightly run"
    assert "<b>well</b>" in mail.html
    assert "All well." in mail.text


def test_who_did_not_get_it_makes_it_fail(server: MailServer, environment: dict[str, str], work: Path) -> None:
    """With the server's words; what waits is said to wait."""
    server.replies["RCPT bob@example.com"] = "550 5.1.1 no such user"
    ran = reports(work, "notify", "x", "--to", "bob@example.com", "--json", **environment)
    assert ran.returncode == 1
    (answer,) = json.loads(ran.stdout)["answers"]
    assert (answer["recipient"], answer["state"]) == ("bob@example.com", "refused")
    server.replies["MAIL"] = "451 4.3.2 later"
    ran = reports(work, "notify", "x", **environment)
    assert ran.returncode == 1
    assert "pending" in ran.stdout
    assert "it is kept" in ran.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["notify"], "say something"),
        (["notify", "x", "--attach", "not-there.csv"], "not-there.csv"),
        (["notify", "x", "--html", "not-there.html"], "not-there.html"),
        (["notify", "x", "--via", "team"], "team"),
        (["watch", "--every", "3", "--", "true"], "--progress"),
        (["watch", "--progress", "(", "--", "true"], "no pattern"),
        (["watch"], "COMMAND"),
    ],
)
def test_what_is_wrong_is_told(environment: dict[str, str], work: Path, arguments: list[str], said: str) -> None:
    """And nothing is sent or run."""
    ran = reports(work, *arguments, **environment)
    assert ran.returncode == 2
    assert said in ran.stderr
    assert "Traceback" not in ran.stderr


# -- watch -------------------------------------------------------------------------------------------------

BOTH = "import sys; print('to out', flush=True); print('to err', file=sys.stderr); sys.stdout.buffer.write(bytes(range(256)))"


def test_output_and_status_stay_what_they_are(server: MailServer, environment: dict[str, str], work: Path) -> None:
    """Byte for byte, each where it belongs."""
    ran = subprocess.run(
        [str(REPORTS), "watch", "--", sys.executable, "-c", BOTH], cwd=work, env={**os.environ, **environment},
        capture_output=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0
    assert ran.stdout == b"to out\n" + bytes(range(256))
    assert ran.stderr == b"to err\n"
    mail = one(server)
    assert mail.subject.startswith(f"Finished: {Path(sys.executable).name} on ")
    assert "The end of its output" not in mail.text


@pytest.mark.parametrize("status", [1, 3, 75, 200])
def test_an_exit_status_is_kept_and_told(
    server: MailServer, environment: dict[str, str], work: Path, status: int
) -> None:
    """With the end of what was printed."""
    code = f"import sys\nfor n in range(100): print('line', n)\nsys.exit({status})"
    ran = reports(work, "watch", "--name", "load", "--", sys.executable, "-c", code, **environment)
    assert ran.returncode == status
    mail = one(server)
    assert mail.subject.startswith("Failed: load on ")
    assert f"It ended with exit status {status}." in mail.words
    assert "line 99" in mail.text
    assert "line 10\n" not in mail.text


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
def test_a_signal_that_ends_it_is_told(
    server: MailServer, environment: dict[str, str], work: Path, number: int
) -> None:
    """The status is that of shells: 128 and its number."""
    code = f"import os, time; print('so far', flush=True); os.kill(os.getpid(), {int(number)}); time.sleep(9)"
    ran = reports(work, "watch", "--name", "load", "--", sys.executable, "-c", code, **environment)
    assert ran.returncode == 128 + number
    mail = one(server)
    assert mail.subject.startswith("Killed: load on ")
    assert signal.Signals(number).name in mail.words
    assert "so far" in mail.text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_are_passed_on(server: MailServer, environment: dict[str, str], work: Path, number: int) -> None:
    """What the program makes of them is its own affair, and its status is kept."""
    code = """
import signal, sys, time
from pathlib import Path
def leave(number, frame):
    print("saving after", number, flush=True)
    sys.exit(7)
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, leave)
Path("going").touch()
time.sleep(60)
"""
    process = subprocess.Popen(
        [str(REPORTS), "watch", "--name", "load", "--", sys.executable, "-c", code], cwd=work,
        env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True, start_new_session=True,
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),  # noqa: PLW1509  tests may be run under nohup
    )  # fmt: skip
    assert until((work / "going").exists)
    process.send_signal(number)
    out, _ = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (7, f"saving after {int(number)}\n")
    mail = one(server)
    assert mail.subject.startswith("Interrupted: load on ")
    assert f"{signal.Signals(number).name} was sent to it." in mail.words


def test_output_comes_at_once(environment: dict[str, str], work: Path) -> None:
    """Not when the program is over."""
    code = "import time\nfor n in range(2):\n    print(n, flush=True)\n    time.sleep(5)"
    process = subprocess.Popen(
        [str(REPORTS), "watch", "--", sys.executable, "-c", code], cwd=work, env={**os.environ, **environment},
        stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == b"0\n"
    assert process.poll() is None
    process.communicate(timeout=PATIENCE)


def test_a_terminal_stays_a_terminal(environment: dict[str, str], work: Path) -> None:
    """So colours, bars and lines at once stay; its size is the real one's."""
    code = "import os, sys; print(sys.stdout.isatty(), sys.stderr.isatty(), os.get_terminal_size(1).columns)"
    ours, theirs = pty.openpty()
    subprocess.run(["stty", "cols", "91", "rows", "20"], stdin=theirs, check=True)
    process = subprocess.Popen(
        [str(REPORTS), "watch", "--", sys.executable, "-c", code], cwd=work, env={**os.environ, **environment},
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    said, over = b"", time.monotonic() + PATIENCE
    while b"\n" not in said and time.monotonic() < over:
        said += os.read(ours, 1000)
    assert said.replace(b"\r", b"") == b"True True 91\n"
    process.wait(PATIENCE)
    os.close(ours)


def test_what_comes_in_is_the_programs(environment: dict[str, str], work: Path) -> None:
    """It reads it as it would by itself."""
    ran = subprocess.run(
        [str(REPORTS), "watch", "--quiet", "--", "cat"], input=b"a\nb", cwd=work, env={**os.environ, **environment},
        capture_output=True, check=False,
    )  # fmt: skip
    assert (ran.returncode, ran.stdout) == (0, b"a\nb")


def test_whoever_reads_no_more_ends_it(environment: dict[str, str], work: Path) -> None:
    """As in a pipeline with head: the program is told by its own next write."""
    command = f"'{REPORTS}' watch --quiet -- yes | head -n 1"
    ran = subprocess.run(
        ["sh", "-c", command], cwd=work, env={**os.environ, **environment}, capture_output=True, check=False,
        timeout=PATIENCE,
    )  # fmt: skip
    assert ran.stdout == b"y\n"


def test_lines_of_its_output_are_updates(server: MailServer, environment: dict[str, str], work: Path) -> None:
    """Step, total and metrics by the names of groups."""
    code = """
import time
from pathlib import Path
for epoch in range(1, 6):
    print(f"epoch {epoch}/5 loss={1 / epoch:.3f}", flush=True)
    while epoch == 3 and not Path("enough").exists():
        time.sleep(0.05)
"""
    pattern = r"epoch (?P<step>\d+)/(?P<total>\d+) loss=(?P<loss>\S+)"
    process = subprocess.Popen(
        [str(REPORTS), "watch", "--name", "train", "--progress", pattern, "--every", "3", "--", sys.executable, "-c", code],
        cwd=work, env={**os.environ, **environment}, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    assert until(lambda: server.messages)
    (work / "enough").touch()
    assert process.wait(PATIENCE) == 0
    update, end = mails(server)
    assert (update.step, end.step) == (3, 5)
    assert "of 5, 60%" in update.words
    assert "0.3330" in update.text
    assert "epoch 3/5" in update.text
    assert end.subject.startswith("Finished: train")


def test_nothing_is_told_of_an_end_without_an_error_where_that_is_not_wanted(
    server: MailServer, environment: dict[str, str], work: Path
) -> None:
    """As from cron: silence is good news."""
    assert reports(work, "watch", "--quiet", "--", "true", **environment).returncode == 0
    assert reports(work, "watch", "--quiet", "--", "false", **environment).returncode == 1
    assert one(server).subject.startswith("Failed: false")


@pytest.mark.parametrize(("program", "status"), [("./not-there", 127), ("./no-program", 126)])
def test_a_program_that_cannot_be_begun_is_told(
    server: MailServer, environment: dict[str, str], work: Path, program: str, status: int
) -> None:
    """With the status of shells, on the terminal and in the message."""
    (work / "no-program").write_text("x", "utf-8")
    ran = reports(work, "watch", "--", program, **environment)
    assert ran.returncode == status
    assert f"{program} cannot be begun" in ran.stderr
    assert "cannot be begun" in one(server).words


def test_a_mail_server_that_refuses_changes_nothing(
    server: MailServer, environment: dict[str, str], work: Path
) -> None:
    """Neither output nor status."""
    server.replies["MAIL"] = "550 5.7.1 not you"
    ran = reports(work, "watch", "--", sys.executable, "-c", "print(1); raise SystemExit(5)", **environment)
    assert (ran.returncode, ran.stdout) == (5, "1\n")


def test_its_own_kill_is_noticed(server: MailServer, environment: dict[str, str], work: Path) -> None:
    """With the end of what the program had printed till then."""
    code = "import time; print('half way', flush=True); time.sleep(60)"
    process = subprocess.Popen(
        [str(REPORTS), "watch", "--name", "load", "--", sys.executable, "-c", code], cwd=work,
        env={**os.environ, **environment}, stdout=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == b"half way\n"
    time.sleep(3)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    mail = one(server)
    assert mail.subject.startswith("Killed: load")
    assert "half way" in mail.text
