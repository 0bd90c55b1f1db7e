"""The process that notices when the one it watches is gone without a word: it waits, and then tells of it.

It is run as a file of its own and imports a few modules of the standard library, so that it is there in milliseconds
and takes a few megabytes. On its standard input it hears, a JSON object a line, what is watched and how far that is.
The end of the input is the end of the other side: what was not closed then is handed to `reports.notify.obituary`, in
a Python that starts as the watched one did, and this process ends with that one.
"""

from __future__ import annotations

import json
import os
import select
import signal
import struct
import subprocess
import sys
import time
from typing import Any

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

LOOK = 1.0
"""Seconds between two looks at the watched process."""
PATIENCE = 900.0
"""Seconds that telling of an end may take, as where the network is away; the message stays in the outbox after that."""
_CHUNK = 65_536
_OBITUARY = "import sys; sys.path[:0] = sys.argv[1:]; from reports.notify.obituary import main; main()"
_INFO, _INFO_SIZE, _EXITED = (3 << 30) | (64 << 16) | (0xFF << 8) | 11, 64, 8
"""Linux since 6.15 tells by PIDFD_GET_INFO how a process ended, also once its own parent has asked."""


class Watched:
    """One process, by its number: whether it is there, what memory it had, and what can be seen of its end."""

    def __init__(self, pid: int) -> None:
        self.pid, self.memory, self.peak, self.free = pid, 0, 0, 0
        self.status: int | None = None
        self._before = out_of_memory(pid)
        self._groups = group_files(pid)
        self._handle = _opened(pid)
        self.look()

    def fileno(self) -> int | None:
        """What becomes readable when the process has ended, where the system has such a thing."""
        return self._handle

    def is_there(self) -> bool:
        """Whether it lives; what the system keeps of its end is read in passing, before its own parent has asked."""
        if os.name != "posix":
            return True  # its end of the pipe tells, which no other process has there
        fields = _fields(self.pid)
        if fields and fields[0] in "ZX":
            self.status = int(fields[49])
            return False
        return os.getppid() == self.pid

    def is_gone_soon(self, most: float = 2.0) -> bool:
        """Whether it ends right now, which takes a moment where it had much memory."""
        until = time.monotonic() + most
        while self.is_there():
            if os.name != "posix":
                return True
            if time.monotonic() > until:
                return False
            time.sleep(0.0005)
        return True

    def look(self) -> None:
        """Notes the memory that it has now, and what the machine has left."""
        self.memory = _kilobytes(f"/proc/{self.pid}/status", "VmRSS:") or self.memory
        self.peak = _kilobytes(f"/proc/{self.pid}/status", "VmHWM:") or self.peak
        self.free = _kilobytes("/proc/meminfo", "MemAvailable:")

    def evidence(self) -> dict[str, Any]:
        """What can be known of how it ended, as far as this system lets anybody know."""
        if self.status is None:
            self.status = _exit_status(self._handle)
        killed = out_of_memory(self.pid, self._groups)
        more = {name: count - self._before.get(name, count) for name, count in killed.items()}
        return {
            "status": self.status, "out_of_memory": {name: count for name, count in more.items() if count > 0},
            "memory": self.memory, "peak": self.peak, "free": self.free,
        }  # fmt: skip


def out_of_memory(pid: int, files: dict[str, str] | None = None) -> dict[str, int]:
    """How often the system has killed processes for want of memory: in the group of this one, and on the machine."""
    found = {}
    for name, path in (files if files is not None else group_files(pid)).items():
        count = _number(path, "oom_kill")
        if count is not None:
            found[name] = count
    return found


def group_files(pid: int) -> dict[str, str]:
    """Where Linux counts such kills."""
    files = {"machine": "/proc/vmstat"}
    try:
        with open(f"/proc/{pid}/cgroup", encoding="utf-8") as lines:  # noqa: PTH123  pathlib is one more import
            for line in lines:
                number, controllers, path = line.rstrip("\n").split(":", 2)
                if number == "0" and not controllers:
                    files["group"] = f"/sys/fs/cgroup{path.rstrip('/')}/memory.events"
                elif "memory" in controllers.split(","):
                    files["group"] = f"/sys/fs/cgroup/memory{path.rstrip('/')}/memory.oom_control"
    except (OSError, ValueError):
        pass
    return files


def _number(path: str, name: str) -> int | None:
    try:
        with open(path, encoding="ascii") as lines:  # noqa: PTH123
            for line in lines:
                if line.startswith(f"{name} "):
                    return int(line.split()[1])
    except (OSError, ValueError):
        pass
    return None


def _kilobytes(path: str, name: str) -> int:
    try:
        with open(path, encoding="utf-8") as lines:  # noqa: PTH123
            return next((int(line.split()[1]) for line in lines if line.startswith(name)), 0)
    except (OSError, ValueError):
        return 0


def _fields(pid: int) -> list[str]:
    """What Linux says of a process, from its state on; nothing where there is none, or no Linux."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()
    except OSError:
        return []


def _exit_status(handle: int | None, most: float = 0.3) -> int | None:
    """How the process of a handle ended, as soon as its own parent has asked."""
    until = time.monotonic() + most
    while handle is not None and fcntl is not None and time.monotonic() < until:
        told = bytearray(_INFO_SIZE)
        struct.pack_into("=Q", told, 0, _EXITED)
        try:
            fcntl.ioctl(handle, _INFO, told)
        except OSError:
            return None
        if struct.unpack_from("=Q", told)[0] & _EXITED:
            return int(struct.unpack_from("=i", told, _INFO_SIZE - 4)[0])
        time.sleep(0.01)
    return None


def _opened(pid: int) -> int | None:
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None


class Open:
    """What is watched, by name, each with what is known of it; and how the other side runs Python."""

    def __init__(self) -> None:
        self.python: dict[str, Any] = {}
        self.watches: dict[str, dict[str, Any]] = {}
        self.is_left = False
        self._rest = b""

    def hear(self, chunk: bytes) -> None:
        """Takes what came in; half a line waits for the other half."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            try:
                said = json.loads(line)
            except ValueError:
                continue
            if isinstance(said, dict):
                self._heard(said)

    def _heard(self, said: dict[str, Any]) -> None:
        kind, name = said.pop("say", ""), said.pop("watch", "")
        if kind == "python":
            self.python = said
        elif kind == "leave":
            self.is_left = True
        elif kind == "close":
            self.watches.pop(name, None)
        elif kind == "open":
            self.watches[name] = said
        elif name in self.watches:
            self.watches[name].update(said)


def watch(pid: int, source: int = 0) -> int:
    """Waits for the end of that process, and tells of what it left open; the exit status."""
    watched, open_ = Watched(pid), Open()
    if not _wait(watched, open_, source) or not open_.watches:
        return 0
    ended = time.time()
    return _tell(open_, {**watched.evidence(), "ended": ended})


def _wait(watched: Watched, open_: Open, source: int) -> bool:
    """Listens until the process is gone: then True. False where it only cannot be heard any more."""
    handle = watched.fileno()
    inputs = [source] if handle is None else [source, handle]
    while True:
        ready = _ready(inputs, source)
        if source in ready:
            chunk = os.read(source, _CHUNK)
            if not chunk:
                return bool(open_.watches) and _is_over(watched, open_)
            open_.hear(chunk)
        elif ready or not watched.is_there():
            watched.is_gone_soon()
            _drain(open_, source)
            return True
        watched.look()


def _is_over(watched: Watched, open_: Open) -> bool:
    """Nothing more is heard: it is gone or about to go, which it may have said; else it closed what it did not know."""
    while open_.is_left and watched.is_there() and os.name == "posix":
        time.sleep(LOOK)
    return watched.is_gone_soon()


def _ready(inputs: list[int], source: int) -> list[int]:
    if os.name != "posix":
        return [source]  # there only sockets can be waited for; reading waits as well
    return select.select(inputs, [], [], LOOK)[0]


def _drain(open_: Open, source: int) -> None:
    """What it said last: a process that it has left behind may hold the other end for longer."""
    os.set_blocking(source, False)
    try:
        while chunk := os.read(source, _CHUNK):
            open_.hear(chunk)
    except BlockingIOError:
        pass


def _tell(open_: Open, evidence: dict[str, Any]) -> int:
    """Hands all of it to a Python that can write a message, and waits for that one."""
    told = json.dumps({"watches": open_.watches, "evidence": evidence}).encode()
    command = [sys.executable, "-P", "-c", _OBITUARY, *open_.python.get("path", [])]
    try:
        ran = subprocess.run(  # noqa: S603  our own program
            command, input=told, cwd=open_.python.get("cwd") or None, timeout=PATIENCE,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return 1
    return ran.returncode


def main() -> None:
    """Signals meant for the watched one end that, and not this: it outlives that one by what there is to tell."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    sys.exit(watch(int(sys.argv[1])))


if __name__ == "__main__":
    main()
