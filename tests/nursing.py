"""What children are told to do in tests, and how tests look after them."""

# ruff: noqa: T201  what is printed is what is tested
from __future__ import annotations

import atexit
import ctypes
import importlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import psutil

LONG = 30.0
"""Seconds after which a test is called failed; nothing waits for so long."""
SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


def do(order: tuple[Callable[..., Any], Any]) -> Any:
    """The target: an order is a function of this module, or of any other, with its arguments."""
    function, *arguments = order
    return function(*arguments)


@atexit.register
def _is_mine(pid: int = os.getpid()) -> None:
    """What a fork server has registered is not for its children to do."""
    if os.getpid() != pid:
        print("it is done in another process")


# -- in the child ----------------------------------------------------------------------------------


def give(value: object) -> object:
    return value


def fail() -> None:
    raise ValueError("the figures do not add up")


def crash() -> None:
    ctypes.string_at(0)


def signal_oneself(number: int) -> None:
    os.kill(os.getpid(), number)
    time.sleep(LONG)


def hang(path: Path | None = None, *, in_c: bool = False) -> None:
    """With `in_c` no other thread gets a turn either."""
    if path:
        path.write_text(f"{os.getpid()}\n")
    if in_c:
        ctypes.PyDLL(None).sleep(600)
    time.sleep(600)


def hang_in_c(path: Path | None = None) -> None:
    hang(path, in_c=True)


def talk() -> None:
    print("by Python")
    os.write(1, b"by the system\n")
    libc = ctypes.CDLL(None)
    libc.puts(b"by C")
    libc.fflush(None)
    subprocess.run([sys.executable, "-c", "print('by another program')"], check=True)
    logging.getLogger("bank").info("by the log")
    warnings.warn("by a warning", stacklevel=1)
    print("by Python, as an error", file=sys.stderr)


def tell_itself() -> None:
    names = ["SIGINT", "SIGTERM", "SIGHUP"]
    print(all(signal.getsignal(getattr(signal, name)) is signal.SIG_DFL for name in names), end=" ")
    print(os.getsid(0) == os.getpgid(0) == os.getpid(), end=" ")
    print(signal.pthread_sigmask(signal.SIG_BLOCK, ()), repr(sys.stdin.read()))


def draw() -> None:
    for name in ("numpy.random", "random"):
        print(importlib.import_module(name).random())


def end_late() -> None:
    atexit.register(print, "registered")
    threading.Timer(0.05, print, ["in a thread"]).start()
    print("first")


def flood(megabytes: int) -> None:
    os.write(1, b"the beginning\n")
    line = b"x" * 1023 + b"\n"
    for _ in range(megabytes):
        os.write(1, line * 1024)
    os.write(1, b"the end\n")


def eat(megabytes: int, *, in_another: bool = False) -> None:
    """Takes that much memory as fast as it can, and ends."""
    if in_another:
        code = f"import nursing; nursing.eat({megabytes})"
        subprocess.run([sys.executable, "-c", code], check=True, env=with_tests())
        return
    held = [b"x" * 10_000_000 for _ in range(megabytes // 10)]
    time.sleep(0.001 * len(held))


def eat_in_another(megabytes: int) -> None:
    eat(megabytes, in_another=True)


def breed(path: Path, then: Callable[[], Any]) -> Any:
    """Begins a process in its group, one in a session of its own, and a daemon; their numbers are in the file."""
    plain, own = subprocess.Popen(SLEEP), subprocess.Popen(SLEEP, start_new_session=True)
    read, write = os.pipe()
    if not (between := os.fork()):
        os.setsid()
        if daemon := os.fork():
            os.write(write, str(daemon).encode())
            os._exit(0)
        time.sleep(600)
        os._exit(0)
    os.waitpid(between, 0)
    daemon = int(os.read(read, 20))
    path.write_text(f"{os.getpid()} {plain.pid} {own.pid} {daemon}\n")
    return then()


# -- beside it -------------------------------------------------------------------------------------


def with_tests() -> dict[str, str]:
    """The environment of a program that may import this module."""
    places = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, places))}


def numbers(path: Path) -> list[int]:
    """The numbers in a file, once its line is whole."""
    wait_until(lambda: path.exists() and path.read_text().endswith("\n"))
    return [int(word) for word in path.read_text().split()]


def wait_until(holds: Callable[[], object]) -> None:
    until = time.monotonic() + LONG
    while not holds():
        assert time.monotonic() < until, "it does not come to hold"
        time.sleep(0.005)


def alive(pids: Iterable[int]) -> list[int]:
    """Those that still run; one that has ended and that nobody has fetched does not."""
    return [pid for pid in pids if _is_alive(pid)]


def _is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
