"""This process's side of its watcher: one for all watches, begun with the first and let go of some time after the last.

What is said here is said in one line each, at once and without waiting: a watcher that is gone, or does not listen,
is begun anew a few times, and never stands in the way of the work.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_log = logging.getLogger("reports.notify")
_SCRIPT = Path(__file__).with_name("watcher.py")
_TIMES = 3
"""How often a watcher is begun that ends by itself."""
_PATIENCE = 0.2
"""Seconds that a line may take; what was written of it then is no line."""


class Guard:
    """Says to the watcher what is open and how far it is. A forked child of this process has to `forget` it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # a signal's own code may come in between
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: int | None = None
        self._inode = 0
        self._open: dict[str, Mapping[str, Any]] = {}
        self._begun = 0
        self.fault = ""

    def open(self, watch: str, about: Mapping[str, Any]) -> None:
        """Something is watched from now on: `about` is all that a message about its end needs."""
        with self._lock:
            self._open[watch] = about
            self._ready()
            self._say("open", watch, about)

    def state(self, watch: str, state: Mapping[str, Any]) -> None:
        """How far it is; said once more if the watcher had to be begun anew."""
        with self._lock:
            if watch in self._open:
                self._open[watch] = {**self._open[watch], **state}
                self._ready()
                self._say("state", watch, state)

    def close(self, watch: str) -> None:
        """Whatever happens to this process now, it is no end of that one."""
        with self._lock:
            if self._open.pop(watch, None) is not None:
                self._say("close", watch, {})

    def leave(self, seconds: float = 2.0) -> None:
        """Lets go of the watcher, which ends; unless something is open yet, which it will tell of."""
        with self._lock:
            process, self._process = self._process, None
            if self._open:
                self._say("leave", "", {})
            self._hang_up()
            self._begun = 0
            if process is None:
                return
            if self._open:
                process.returncode = 0  # it lives on, and nobody here waits for it
                return
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(seconds)

    def rest(self) -> None:
        """Lets go of the watcher if there is nothing to watch."""
        with self._lock:
            if not self._open:
                self.leave()

    def forget_open(self) -> None:
        """What was left to a watcher is no more of ours."""
        with self._lock:
            self._open = {}

    def forget(self) -> None:
        """In a forked child: the watcher is the parent's."""
        self._lock = threading.RLock()
        if self._process is not None:
            self._process.returncode = 0
        self._hang_up()
        self._process, self._open, self._begun, self.fault = None, {}, 0, ""

    @property
    def is_there(self) -> bool:
        return self._pipe is not None

    def _ready(self) -> None:
        """Begins a watcher if there is none that hears."""
        if self._pipe is not None and self._hears():
            return
        self._hang_up()
        if self._process is not None and self._process.poll() is None:  # it cannot hear any more
            self._process.kill()
            self._process.wait()
        if self._begun >= _TIMES:
            return
        self._begun += 1
        try:
            self._begin()
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            self.fault, self._begun = f"no process can be begun here ({error})", _TIMES
            _log.warning("nothing would notice it if this process were killed: %s", self.fault)
            return
        self._say("python", "", {"path": [one or str(Path.cwd()) for one in sys.path], "cwd": str(Path.cwd())})
        for watch, about in self._open.items():
            self._say("open", watch, about)

    def _begin(self) -> None:
        if not sys.executable:
            raise OSError("this Python does not know its own program")
        theirs, ours = os.pipe()
        try:
            command = [sys.executable, "-I", "-S", str(_SCRIPT), str(os.getpid())]
            apart: dict[str, Any] = (
                {"start_new_session": True} if os.name == "posix" else {"creationflags": 0x00000208}  # of its own group
            )
            self._process = subprocess.Popen(  # noqa: S603  our own program
                command, stdin=theirs, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=os.path.sep, **apart
            )
        except BaseException:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        if os.name == "posix":
            os.set_blocking(ours, False)
        self._pipe, self._inode = ours, os.fstat(ours).st_ino

    def _hears(self) -> bool:
        """Whether the pipe is still ours: a program may close whatever is open, and open something else there."""
        try:
            return self._process is not None and self._process.poll() is None and self._is_ours()
        except OSError:
            return False

    def _is_ours(self) -> bool:
        return self._pipe is not None and os.fstat(self._pipe).st_ino == self._inode

    def _say(self, kind: str, watch: str, told: Mapping[str, Any]) -> None:
        line = json.dumps({**told, "say": kind, "watch": watch}, default=str).encode() + b"\n"
        with contextlib.suppress(OSError):
            until = time.monotonic() + _PATIENCE
            while line and self._pipe is not None and self._is_ours() and time.monotonic() < until:
                line = line[self._written(line) :]

    def _written(self, line: bytes) -> int:
        """How many bytes the pipe took; it is hardly ever full, for whoever listens does nothing else."""
        try:
            return os.write(self._pipe or -1, line)
        except BlockingIOError:
            time.sleep(0.001)
            return 0

    def _hang_up(self) -> None:
        if self._pipe is not None:
            with contextlib.suppress(OSError):
                if self._is_ours():
                    os.close(self._pipe)
        self._pipe = None
