"""Processes that wait for an order, as their parent sees them: forked from the fork server, or spawned."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Protocol, cast

import psutil

from reports.children import trees
from reports.children.endings import NOT_BEGUN, Exit
from reports.children.inside import LENGTH
from reports.children.output import Output

CAN_FORK = hasattr(os, "fork") and sys.platform != "darwin"
"""Not on macOS, whose own libraries do not bear a fork."""
_GONE = "the process that had begun it was killed, and so was it"
_NOT_BEGUN = "it could not be started: the system gave no process, or killed the one that starts them"
_PATIENCE = 5.0


class Cradle(Protocol):
    """A process that does nothing before it gets its order. `sentinel` is readable when there may be news."""

    output: Output
    pid: int
    sentinel: int | None

    def give(self, order: bytes) -> None:
        """The order; an OSError if it is not there any more."""

    def look(self, known: Iterable[psutil.Process]) -> Exit | None:
        """How it ended, once it has; `pid` is known from the first look after its birth. `known` are all below it."""

    def close(self) -> None:
        """Lets go of it; without an order it ends."""


class Source(Protocol):
    """Where cradles come from; all of them are below the process `root`."""

    root: int

    def new(self, folder: Path) -> Cradle:
        """Another one, with its output in the folder; it may still have to be born. An OSError if there can be none."""

    def close(self) -> None:
        """There are no more."""


def _command(code: str) -> Sequence[str]:
    """A Python that imports from where this one does, and not from the folder it is started in."""
    return [sys.executable, "-P", "-c", f"import sys; sys.path[:] = {sys.path!r}; {code}"]


class Forks:
    """A fork server."""

    def __init__(self, target: str, preload: Sequence[str]) -> None:
        self._line, there = socket.socketpair()
        with there:
            code = f"from reports.children import nest; nest.main({there.fileno()}, {target!r}, {list(preload)!r})"
            self._server = subprocess.Popen(  # noqa: S603  this very Python
                _command(code), stdin=subprocess.DEVNULL, pass_fds=[there.fileno()], start_new_session=True
            )
        self.root = self._server.pid

    def new(self, folder: Path) -> Cradle:
        if self._server.poll() is not None:
            raise BrokenPipeError
        return _Forked(self._line, folder)

    def close(self) -> None:
        """It kills what it has begun, and ends."""
        self._line.close()
        try:
            self._server.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            trees.kill(self.root)
            self._server.wait()


class _Forked:
    """Its status pipe says with one line that it is born, and with the next how it ended; see `nest`."""

    def __init__(self, line: socket.socket, folder: Path) -> None:
        self.pid, self._said = 0, b""
        self.output = Output(folder)
        orders, self._orders = os.pipe()
        self._status, status = os.pipe()
        self.sentinel: int | None = self._status
        writing = self.output.open()
        try:
            socket.send_fds(line, [b"+"], [orders, status, writing])
        except OSError:
            self.close()
            self.output.close()
            raise
        finally:
            for pipe in (orders, status, writing):
                os.close(pipe)

    def give(self, order: bytes) -> None:
        left = memoryview(LENGTH.pack(len(order)) + order)
        while left:
            left = left[os.write(self._orders, left) :]

    def look(self, known: Iterable[psutil.Process] = ()) -> Exit | None:
        over = False
        while not over and _is_readable(self._status):
            piece = os.read(self._status, 65_536)
            self._said += piece
            over = not piece
        born, _, end = self._said.partition(b"\n")
        self.pid = int(born or 0)
        return self._exit(end, known) if over else None

    def _exit(self, end: bytes, known: Iterable[psutil.Process]) -> Exit:
        if end:
            code, peak, left = json.loads(end)
            return Exit(code=code, peak=peak, left=left)
        if not self.pid:
            return Exit(code=NOT_BEGUN, fault=_NOT_BEGUN)
        trees.kill(self.pid, known)
        return Exit(code=-signal.SIGKILL, fault=_GONE)

    def close(self) -> None:
        for pipe in (self._orders, self._status):
            os.close(pipe)


def _is_readable(pipe: int) -> bool:
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    return bool(poll.poll(0))


class Spawns:
    """Children that each import everything for themselves."""

    def __init__(self, target: str, preload: Sequence[str]) -> None:
        imports = "".join(f"import {name}; " for name in preload)
        self._code = f"{imports}from reports.children import inside; inside.spawned({target!r})"
        self.root = os.getpid()

    def new(self, folder: Path) -> Cradle:
        return _Spawned(_command(self._code), folder)

    def close(self) -> None:
        """Nothing is left to be done."""


class _Spawned:
    sentinel: int | None = None

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        self.output = Output(folder)
        writing = self.output.open()
        try:
            self._process = subprocess.Popen(  # noqa: S603  this very Python
                command, stdin=subprocess.PIPE, stdout=writing, stderr=writing, start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )  # fmt: skip
        except OSError:
            self.output.close()
            raise
        finally:
            os.close(writing)
        self.pid, self._orders = self._process.pid, cast("IO[bytes]", self._process.stdin)

    def give(self, order: bytes) -> None:
        self._orders.write(LENGTH.pack(len(order)) + order)
        self._orders.flush()

    def look(self, known: Iterable[psutil.Process] = ()) -> Exit | None:
        code = self._process.poll()
        if code is None:
            return None
        below = [one for one in known if one.pid != self.pid]
        left = trees.kill_all(lambda: {*trees.group(self.pid), *below})
        return Exit(code=code, left=left)

    def close(self) -> None:
        with contextlib.suppress(OSError):  # of an order that it did not take
            self._orders.close()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            trees.kill(self.pid)
            self._process.wait()
