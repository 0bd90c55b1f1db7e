"""A program of any kind that is watched: begun here, its output handed on, its exit status the one that it had.

Signals that are sent to this process are passed on. Ctrl-C in a terminal reaches the program by itself.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import takewhile
from pathlib import PurePath
from types import FrameType
from typing import Any

from reports.notify.lines import Lines, Progress
from reports.notify.moments import Options
from reports.notify.standing import State
from reports.notify.streams import ERR, OUT, Streams, failed
from reports.notify.tails import Tail
from reports.notify.watching import Watch

RECENT = 10
"""Lines of output that an update shows."""
LOOK, REST = 0.5, 5.0
"""Seconds between two looks at the program, and those that its last output may take."""
_PASSED_ON = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1", "SIGUSR2") if hasattr(signal, name)
)


class Program:
    """A command that is watched under a name. `run` gives its exit status: 128 and more where a signal ended it.

    With a `progress` pattern its lines are updates (see `Lines`); without one the end of its output is.
    """

    def __init__(self, command: Sequence[str], options: Options, *, name: str = "", progress: str = "") -> None:
        self.command = list(command)
        told = {"command": subprocess.list2cmdline(command), "unit": "" if not progress else "step", **options}
        self._watch = Watch(name or _named(command), told)  # type: ignore[arg-type]
        self._tail = Tail()
        self._lines = {number: Lines(re.compile(progress)) for number in (OUT, ERR)} if progress else {}
        self.fault = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._signals: list[str] = []

    def run(self) -> int:
        """Runs it to its end. One that cannot be begun has the status that shells give for that, and a `fault`."""
        self._watch.tail = lambda: self._tail.text(RECENT)
        with self._watch:
            memory = _Memory()
            try:
                code = self._run()
            except OSError as error:
                self.fault = f"{self.command[0]} cannot be begun: {error.strerror or error}"
                self._watch.outcome = ("failed", [f"{self.fault}."])
                return failed(error)
            self._watch.outcome = _outcome(code, self._signals, memory)
            self._watch.tail = self._tail.text if code else str
        return code if code >= 0 else 128 - code

    def _run(self) -> int:
        streams = Streams(self._look)
        try:
            self._process = subprocess.Popen(self.command, **streams.given)  # noqa: S603  the user's own command
        except BaseException:
            streams.abandon()
            raise
        with self._passing_on(streams):
            streams.begin()
            while True:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    code = self._process.wait(LOOK)
                    break
                self._tell_recent()
            streams.end(REST)
        return code

    # -- how far it is -----------------------------------------------------------------------------------

    def _look(self, number: int, chunk: bytes) -> None:
        self._tail.add(chunk)
        if self._lines:
            for one in self._lines[number].add(chunk):
                self._tell(one)

    def _tell(self, one: Progress) -> None:
        self._watch.update(one.step, total=one.total, **_named_apart(one.metrics))

    def _tell_recent(self) -> None:
        if not self._lines and self._watch.due():
            self._watch.update()

    # -- signals -------------------------------------------------------------------------------------------

    @contextmanager
    def _passing_on(self, streams: Streams) -> Iterator[None]:
        """What is sent to this process goes to the program; what it does then is its own affair."""
        before: dict[int, Any] = {}
        handlers: dict[int, Callable[[int, FrameType | None], None]] = dict.fromkeys(_PASSED_ON, self._came)
        if hasattr(signal, "SIGWINCH"):
            handlers[signal.SIGWINCH] = lambda *_: streams.resize()
        if threading.current_thread() is threading.main_thread():
            before = {number: signal.getsignal(number) for number in handlers}
            for number, handler in handlers.items():
                if before[number] != signal.SIG_IGN:
                    signal.signal(number, handler)
        try:
            yield
        finally:
            for number, was in before.items():
                signal.signal(number, was)

    def _came(self, number: int, _: FrameType | None) -> None:
        self._signals.append(signal.Signals(number).name)
        if number == signal.SIGINT and _is_in_front():
            return  # the terminal has sent it to the program as well
        if self._process is not None:
            with contextlib.suppress(OSError):
                self._process.send_signal(number)


class _Memory:
    """What can be known of want of memory, from before the program to after it."""

    def __init__(self) -> None:
        from reports.notify import watcher  # noqa: PLC0415  a program of its own, which is at home there

        self._count = watcher.out_of_memory
        self._pid = os.getpid()
        self._before = self._count(self._pid)

    def evidence(self) -> dict[str, Any]:
        after = self._count(self._pid)
        more = {name: count - self._before.get(name, count) for name, count in after.items()}
        return {"out_of_memory": {name: count for name, count in more.items() if count > 0}, "peak": _peak()}


def _peak() -> int:
    """The most memory that a program begun here had, in kilobytes; 0 where the system does not say."""
    try:
        import resource  # noqa: PLC0415  of POSIX alone
    except ImportError:
        return 0
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return most if os.uname().sysname == "Linux" else most // 1024


def _outcome(code: int, signals: Sequence[str], memory: _Memory) -> tuple[State, Sequence[str]] | None:
    """What became of it, in sentences; None where all went well."""
    from reports.notify.deaths import killed  # noqa: PLC0415  which processes that end well do without

    passed = [f"{name} was sent to it." for name in dict.fromkeys(signals)]
    if code == 0:
        return ("interrupted", ["It ended after a signal, with exit status 0.", *passed]) if passed else None
    if code > 0:
        state: State = "interrupted" if passed else "failed"
        return state, [f"It ended with exit status {code}.", *passed]
    asked = -code in {signal.SIGINT, signal.SIGTERM} and bool(passed)
    return ("interrupted" if asked else "killed"), [*killed(code, memory.evidence()), *passed]


def _is_in_front() -> bool:
    """Whether a terminal's keys reach this process and what it has begun."""
    try:
        with open(os.ctermid(), "rb", buffering=0) as terminal:  # noqa: PTH123  no path of anybody's
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except (AttributeError, OSError):
        return False


def _named(command: Sequence[str]) -> str:
    """The program and the first words after it that are no options: python train.py, make test."""
    words = takewhile(lambda word: re.fullmatch(r"(?!-)[\w./:@=+-]{1,40}", word), command[1:3])
    return " ".join([PurePath(command[0]).name, *words])


def _named_apart(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """By names that an update does not take for something else."""
    own = {"text", "images", "attachments", "tables"}
    return {f"{name}_" if name in own else name: value for name, value in metrics.items()}
