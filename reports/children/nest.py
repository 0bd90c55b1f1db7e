"""The fork server: a process that has imported everything once, and of which children are forked.

Not multiprocessing's, for that one lends itself to its children: worker processes that they begin by it come to life
beside them instead of below them, where neither limits nor kills reach them. It also runs the parent's main module in
each child, and cannot be stopped while a stray process lives.

For one byte with three descriptors (the order's pipe, the status pipe, the output) it forks a child. Into the status
pipe go a line with the child's number, and when it has ended a line of JSON: exit code, peak in bytes, names of
processes that it left behind; then the pipe ends. The end of the requests is the death of the parent, and of all.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import sys
import warnings
from collections.abc import Sequence
from typing import NoReturn

from reports.children import inside, trees


def main(line: int, target: str, preload: Sequence[str]) -> None:
    """Serves requests from the socket `line` until it ends."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # it ends when its parent does
        signal.signal(number, signal.SIG_IGN)
    trees.adopt_orphans()
    _import([*preload, target.partition(":")[0]])
    gc.collect()
    gc.disable()
    gc.freeze()  # so that the collector of a child writes on no page that it shares
    _Nest(socket.socket(fileno=line), target).serve()
    _flush()
    os._exit(0)  # libraries that are taken down in the end have much to say, and nobody to say it to


def _import(names: Sequence[str]) -> None:
    """What cannot be imported is told here, and once more by each child that needs it."""
    for name in names:
        try:
            importlib.import_module(name)
        except Exception as error:  # noqa: BLE001  any module may raise anything, and the others are still wanted
            sys.stderr.write(f"children cannot begin with {name} imported: {type(error).__name__}: {error}\n")
    _flush()


def _flush() -> None:
    for stream in filter(None, (sys.stdout, sys.stderr)):
        stream.flush()


class _Nest:
    def __init__(self, line: socket.socket, target: str) -> None:
        self._line, self._target = line, target
        self._children: dict[int, int] = {}  # the status pipe of each
        self._woken, self._wake = os.pipe()
        self._selector = selectors.DefaultSelector()

    def serve(self) -> None:
        self._listen_to_deaths()
        self._selector.register(self._line, selectors.EVENT_READ)
        self._selector.register(self._woken, selectors.EVENT_READ)
        while True:
            for key, _ in self._selector.select():
                if key.fd == self._woken:
                    os.read(self._woken, 65_536)
                    self._fetch_the_dead()
                elif not self._answer():
                    return self._end()

    def _listen_to_deaths(self) -> None:
        for pipe in (self._woken, self._wake):
            os.set_blocking(pipe, False)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def _answer(self) -> bool:
        """Forks one child; false if nobody asks any more."""
        asked, pipes, *_ = socket.recv_fds(self._line, 1, 3)
        if not asked:
            return False
        orders, status, output = pipes
        try:
            self._fork(orders, status, output)
        except OSError as error:  # the status pipe ends without a number
            os.write(output, f"no process could be started: {error.strerror}\n".encode())
            os.close(status)
        os.close(orders)
        os.close(output)
        return True

    def _fork(self, orders: int, status: int, output: int) -> None:
        pid = _fork()
        if not pid:
            try:
                self._become_a_child(orders, status, output)
            finally:
                os._exit(70)
        self._children[pid] = status
        _tell(status, str(pid))

    def _become_a_child(self, orders: int, status: int, output: int) -> NoReturn:
        os.setsid()
        signal.set_wakeup_fd(-1)
        self._selector.close()
        self._line.close()
        os.dup2(output, 1)
        os.dup2(output, 2)
        for pipe in (output, status, self._woken, self._wake, *self._children.values()):
            os.close(pipe)
        os.set_inheritable(orders, False)
        atexit._clear()  # noqa: SLF001  what was registered here is not the child's to do
        _shuffle()
        gc.enable()
        inside.live(orders, self._target)

    def _fetch_the_dead(self) -> None:
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            if pid in self._children:
                self._bury(pid, os.waitstatus_to_exitcode(status), usage.ru_maxrss)

    def _bury(self, pid: int, code: int, peak: int) -> None:
        """What a child has begun ends with it."""
        pipe = self._children.pop(pid)
        left = trees.kill_all(lambda: [*trees.group(pid), *trees.adopted(self._children)])
        _tell(pipe, json.dumps([code, peak * 1024, left]))
        os.close(pipe)

    def _end(self) -> None:
        for pid in self._children:
            trees.kill_group(pid)
        trees.kill_below()


def _fork() -> int:
    """Threads that libraries began are not in the child, which they know; newer Pythons warn of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _shuffle() -> None:
    """Children do not all draw the same numbers: Python's random sees to that by itself, NumPy's does not."""
    if drawn := sys.modules.get("numpy.random"):
        drawn.seed()


def _tell(pipe: int, line: str) -> None:
    with contextlib.suppress(BrokenPipeError):  # nobody wants to know any more
        os.write(pipe, f"{line}\n".encode())
