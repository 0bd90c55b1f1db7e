"""What happens inside a child: it waits for its order, carries it out, and dies with whoever gave it."""

from __future__ import annotations

import atexit
import contextlib
import faulthandler
import importlib
import logging
import os
import pickle
import signal
import struct
import sys
import threading
import time
import traceback
from typing import NoReturn

from reports.children import trees
from reports.children.endings import left_behind

LENGTH = struct.Struct("<Q")
"""What stands before an order in its pipe: how many bytes it has."""
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGCHLD")


def spawned(target: str) -> NoReturn:
    """A child that was begun as a program of its own, with its order on standard input."""
    orders = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    importlib.import_module(target.partition(":")[0])
    live(orders, target, alone=True)


def live(orders: int, target: str, *, alone: bool = False) -> NoReturn:
    """Waits for the order, which comes through the pipe `orders`, and does what it says; output is where 1 and 2 go.

    One that is `alone` has no fork server to see to what it leaves behind.
    """
    trees.adopt_orphans()
    _reset_signals()
    order = _read(orders)
    if order is None:  # nobody will ever ask for it
        os._exit(0)
    _die_with_parent(orders)
    _open_streams()
    code = _carry_out(target, order)
    _finish()
    if alone and (left := left_behind(trees.kill_below())):
        sys.stderr.write(f"{left}\n")
    os._exit(code)


def _reset_signals() -> None:
    for name in _SIGNALS:
        if number := getattr(signal, name, None):
            signal.signal(number, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _read(orders: int) -> bytes | None:
    """The order, or None where the pipe ends before it has come."""
    head = _exactly(orders, LENGTH.size)
    return _exactly(orders, LENGTH.unpack(head)[0]) if head else None


def _exactly(pipe: int, count: int) -> bytes | None:
    pieces: list[bytes] = []
    while count:
        piece = os.read(pipe, min(count, 1 << 20))
        if not piece:
            return None
        pieces.append(piece)
        count -= len(piece)
    return b"".join(pieces)


def _die_with_parent(orders: int) -> None:
    """Its end of the pipe is closed when the parent dies, however it dies."""

    def wait() -> None:
        with contextlib.suppress(OSError):
            while os.read(orders, 1):
                pass
        trees.kill_below()
        if hasattr(os, "getpgrp"):
            trees.kill_group(os.getpgrp())
        os._exit(1)

    threading.Thread(target=wait, name="parent", daemon=True).start()


def _open_streams() -> None:
    """Lines are written as they end; log, warnings and crashes are told where everything is told."""
    sys.stdout = os.fdopen(1, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)
    sys.stderr = os.fdopen(2, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)
    faulthandler.enable(sys.stderr)
    formatter = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%SZ")
    formatter.converter = time.gmtime
    screen = logging.StreamHandler(sys.stderr)
    screen.setFormatter(formatter)
    logging.basicConfig(level=logging.INFO, handlers=[screen], force=True)
    logging.captureWarnings(True)


def _carry_out(target: str, order: bytes) -> int:
    module, _, name = target.partition(":")
    try:
        function = getattr(importlib.import_module(module), name)
        return _code(function(pickle.loads(order)))  # noqa: S301  from the parent alone
    except SystemExit as end:
        return _code(end.code)
    except BaseException:  # noqa: BLE001  the boundary: whatever it is, it is told in the output and ends the child
        traceback.print_exc()
        return 1


def _code(given: object) -> int:
    """An exit code as the system can tell it; what is none is shown, as `sys.exit` does."""
    if isinstance(given, int):
        return int(given) if 0 <= given <= 255 else 255
    if given is not None:
        sys.stderr.write(f"{given}\n")
    return 1 if given else 0


def _finish() -> None:
    """As a program ends: its threads have ended, what it registered is done; without taking everything apart."""
    threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001  as the interpreter itself
    atexit._run_exitfuncs()  # noqa: SLF001  likewise
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # the disk is full, or it was closed
            stream.flush()
