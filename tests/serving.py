"""`reports serve` as a process of its own, in a small project; and its store held against schedule and mail server.

project(folder, {"daily": JOB})              jobs by name; "daily/hooks.py" is another file of that job
with Serving(folder) as service:             started, and ready
    eventually(lambda: ..., "what is waited for")
    service.kill(); service.start()          as often as one likes
    assert service.stop() == 0
accounted(folder, "daily", since, until, SECOND, taken=sink.log)
"""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Self, TypeVar

import accounting
import psutil
from commands import REPORTS
from sink import Taken

from reports.app import App, open_app
from reports.definition import Job
from reports.model import Delivery, Plan, Run
from reports.planning import Expectation

SECOND = dt.timedelta(seconds=1)
PATIENCE = 60.0
"""Seconds that anything is waited for, on a machine with much else to do."""
SETTINGS = """\
timezone = "UTC"

[mail]
from = "Reports <reports@example.com>"
to = "finance@example.com"
admins = "admin@example.com"
provider = "folder"

[service]
health = ""
"""
MAIL = """\
timezone = "UTC"

[mail]
host = "127.0.0.1"
port = {port}
security = "none"
from = "Reports <me@example.com>"
to = ["you@example.com", "they@example.com"]
admins = "admin@example.com"
timeout = 5

[service]
health = ""
"""
ENDED = accounting.ENDED
_T = TypeVar("_T")


def mailing(port: int) -> str:
    """Settings that send to a server on that port of this machine; more of [service] may follow."""
    return MAIL.format(port=port)


def project(folder: Path, jobs: Mapping[str, str], *, settings: str = "") -> Path:
    """A project with these jobs, a job.toml each; a key with a slash is another file of a job. Health is off."""
    files = {"settings.toml": settings or SETTINGS}
    files |= {f"jobs/{name}" if "/" in name else f"jobs/{name}/job.toml": text for name, text in jobs.items()}
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8", newline="")
    return folder


def eventually(look: Callable[[], _T], what: str, *, within: float = PATIENCE) -> _T:
    """What `look` gives as soon as that is true; a failure that names what was waited for after so many seconds."""
    until = time.monotonic() + within
    while not (found := look()):
        if time.monotonic() > until:
            raise AssertionError(f"within {within:g} s it did not come to this: {what}")
        time.sleep(0.05)
    return found


class Serving:
    """The service of the project in `folder`, as a process without any REPORTS_* but those that are given.

    Its log goes on in one file, however often it is started. Left as a context it is stopped, if it still runs.
    """

    def __init__(self, folder: Path, *, through: Sequence[str] = (), **environment: str) -> None:
        self.folder, self.log_file = folder, folder / "serve.log"
        self._command = [*through, str(REPORTS), "serve", "--log", "json"]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("REPORTS_")}
        self._environment = clean | environment
        self._running: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if not self.is_alive:
            return
        try:
            self.stop()
        except AssertionError:
            if kind is None:
                raise

    def start(self) -> Self:
        """Begins it, and waits until it is ready."""
        if self.is_alive:
            raise AssertionError("it is at work already")
        with tempfile.TemporaryDirectory(prefix="notify-") as place, closing(_line(Path(place) / "s")) as line:
            environment = self._environment | {"NOTIFY_SOCKET": str(Path(place) / "s")}
            with self.log_file.open("ab") as log:
                self._running = subprocess.Popen(
                    self._command, cwd=self.folder, env=environment, stdout=log, stderr=log
                )
            eventually(lambda: self._is_ready(line), "the service is ready")
        return self

    def _is_ready(self, line: socket.socket) -> bool:
        assert self.is_alive, f"it ended before it was ready: {self.log_file.read_text('utf-8')[-2000:]}"
        with suppress(TimeoutError):
            return b"READY=1" in line.recv(200)
        return False

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The process that was started last."""
        assert self._running is not None, "it was never started"
        return self._running

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def is_alive(self) -> bool:
        return self._running is not None and self._running.poll() is None

    def kill(self) -> int:
        """SIGKILL; the negative number of that signal, or how it had ended by itself before."""
        self.process.kill()
        return self.process.wait(PATIENCE)

    def stop(self, *, within: float = PATIENCE) -> int:
        """SIGTERM; its exit status. One that does not end is killed, which is a failure."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(within)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"it did not end within {within:g} s after SIGTERM") from None

    def log(self, event: str = "") -> list[dict[str, Any]]:
        """What it has logged so far, of one event or all; a line that is no JSON is the event "" with its text."""
        lines = self.log_file.read_text("utf-8", "replace").splitlines() if self.log_file.exists() else []
        return [one for one in map(_parsed, lines) if not event or one["event"] == event]

    def below(self) -> list[psutil.Process]:
        """All processes that it has started, and theirs."""
        with suppress(psutil.NoSuchProcess):
            return psutil.Process(self.pid).children(recursive=True)
        return []


def _line(address: Path) -> socket.socket:
    line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    line.bind(str(address))
    line.settimeout(0.2)
    return line


def _parsed(line: str) -> dict[str, Any]:
    with suppress(ValueError):
        found: Any = json.loads(line)
        if isinstance(found, dict) and "event" in found:
            return found
    return {"event": "", "text": line}


# -- what is due -----------------------------------------------------------------------------------------


def once(at: dt.datetime) -> str:
    """A cron expression for that second in UTC, and then not before a year has gone by."""
    return f"{at.astimezone(dt.UTC):%S %M %H %d %m} *"


def known_since(folder: Path, since: dt.datetime) -> None:
    """All jobs are accounted for up to then, as by a service that ended at that instant: what comes later is due."""
    with app(folder) as one:
        read = [job for job in one.jobs().values() if isinstance(job, Job)]
        expected = {job.name: Expectation.of(job, one.settings) for job in read}
        one.store.plans.keep(
            [
                Plan(job=name, definition=each.model_dump_json(exclude_defaults=True), accounted=since)
                for name, each in expected.items()
            ]
        )


# -- its store -------------------------------------------------------------------------------------------


@contextmanager
def app(folder: Path) -> Iterator[App]:
    with closing(open_app(folder)) as one:
        yield one


def runs(folder: Path, job: str = "") -> Sequence[Run]:
    """All rows of a job or of all, the oldest first, without their logs; nothing is settled by looking."""
    with app(folder) as one:
        return list(reversed(one.store.runs.list(job, limit=sys.maxsize)))


def deliveries(folder: Path, job: str = "") -> Sequence[Delivery]:
    """The whole ledger of a job or of all, notices too."""
    with app(folder) as one:
        return one.store.outbox.deliveries(job=job, every=True, limit=sys.maxsize)


# -- held against what should be -------------------------------------------------------------------------


def accounted(
    folder: Path,
    job: str,
    since: dt.datetime,
    until: dt.datetime,
    every: dt.timedelta,
    *,
    taken: Sequence[Taken] | None = None,
) -> Sequence[Run]:
    """The job's rows from the occurrence `since` to that at `until`, after all that is promised of them was checked.

    Each occurrence has one row; each row is in an end state, with a reason where it did not succeed. Each that
    succeeded has its report in the ledger, no other has. With `taken`, the log of the mail server: what is accepted
    was taken there, the rest is not settled, and nobody has a second copy of anything.
    """
    rows = [run for run in runs(folder, job) if run.occurrence and since <= run.occurrence <= until]
    accounting.each_once(rows, [since + every * number for number in range((until - since) // every + 1)])
    accounting.ended_with_reason(rows)
    accounting.reported(rows, deliveries(folder, job))
    if taken is not None:
        accounting.as_taken(deliveries(folder), taken)
    return rows


# -- processes -------------------------------------------------------------------------------------------


def all_gone(processes: Sequence[psutil.Process], *, within: float = PATIENCE) -> None:
    """None of these is left, however soon their numbers are used again; a zombie that nobody fetched is gone, too."""
    until = time.monotonic() + within
    while left := [one for one in processes if _lives(one)]:
        assert time.monotonic() < until, f"still there after {within:g} s: {left}"
        time.sleep(0.05)


def _lives(one: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return one.is_running() and one.status() != psutil.STATUS_ZOMBIE
    return False


def at_work_in(folder: Path) -> list[psutil.Process]:
    """All processes that live with that project's folder as theirs, this one left out."""
    found = []
    for one in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if one.pid != os.getpid() and one.cwd() == str(folder.resolve()) and _lives(one):
                found.append(one)
    return found
