"""Who holds what, and for how long: names of owners, their pulse, and whether one of them is dead.

A lease protects against a process that dies: it runs out by itself. On the machine that held it nobody need
wait for that, for there it can be seen that the process is gone.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import secrets
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import psutil

from reports.errors import StoreError

LENGTH = dt.timedelta(minutes=2)
PULSE = 30.0
"""Seconds between two renewals of a lease."""
_PROC = Path("/proc")
_BOOT = _PROC / "sys/kernel/random/boot_id"


def new_owner() -> str:
    """A name that no other sender or run has: machine, process, when that began, and a random word."""
    pid = psutil.Process().pid
    return f"{_machine()}/{pid}/{_birth(pid)}/{secrets.token_hex(4)}"


def is_dead(owner: str, *, here: bool = False) -> bool:
    """Whether that owner was a process of this machine that exists no more; of others nobody can say.

    With `here` all owners are known to be of this machine, though perhaps in containers of their own.
    """
    machine, pid, birth = _parts(owner)
    ended = machine == _machine() and pid.isdecimal() and _birth(int(pid)) != birth
    return ended or went_down(owner, here=here)


def is_alive(owner: str) -> bool:
    """Whether that owner can be seen to be a process of this machine that still exists."""
    machine, pid, birth = _parts(owner)
    return machine == _machine() and pid.isdecimal() and birth != "" and _birth(int(pid)) == birth


def is_own(owner: str) -> bool:
    """Whether it is a name that this very process has made."""
    pid = psutil.Process().pid
    return owner.startswith(f"{_machine()}/{pid}/{_birth(pid)}/")


def dead(owners: Iterable[str], *, here: bool = False) -> list[str]:
    """Those of the owners who exist no more, as far as this machine can say."""
    return [owner for owner in owners if is_dead(owner, here=here)]


def went_down(owner: str, *, here: bool = False) -> bool:
    """Whether that owner's machine is this one, and has been started anew since: its last words may be lost."""
    machine, pid, birth = _parts(owner)
    if not pid.isdecimal() or not (here or machine == _machine()):
        return False
    return not birth.startswith(f"{_boot()}.") if _BOOT.exists() else float(birth or 0) < psutil.boot_time() - 60


def _parts(owner: str) -> tuple[str, str, str]:
    machine, pid, birth, *_ = [*owner.split("/"), "", "", ""]
    return machine, pid, birth


@functools.cache
def _machine() -> str:
    """The host, and on Linux the space in which its process numbers are counted: a container has its own."""
    space = _PROC / "self/ns/pid"
    return socket.gethostname()[:60] + (f"+{space.stat().st_ino}" if space.exists() else "")


def _birth(pid: int) -> str:
    """When the process began; empty if there is no such process.

    On Linux counted from a start of the machine, which is named, for its clock may be set meanwhile;
    elsewhere the instant that the system wrote down.
    """
    try:
        if not _BOOT.exists():
            return f"{psutil.Process(pid).create_time():.2f}"
        state, *_, began = (_PROC / f"{pid}/stat").read_text().rpartition(")")[2].split()[:20]
        return "" if state == "Z" else f"{_boot()}.{began}"
    except (OSError, psutil.Error):
        return ""


@functools.cache
def _boot() -> str:
    return _BOOT.read_text()[:8]


@contextlib.contextmanager
def held(renew: Callable[[], object], *, every: float = PULSE) -> Iterator[None]:
    """Renews a lease while the block runs. One that could not be renewed is noticed where it is next needed."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(every):
            with contextlib.suppress(StoreError):
                renew()

    pulse = threading.Thread(target=beat, name="lease", daemon=True)
    # While the interpreter ends no thread begins any more, and what is done then is over before any lease is.
    with contextlib.suppress(RuntimeError):
        pulse.start()
    try:
        yield
    finally:
        over.set()
        if pulse.ident is not None:
            pulse.join()
