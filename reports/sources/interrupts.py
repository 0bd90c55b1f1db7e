"""A wait that a person can end: a driver inside its own C code does not look whether somebody pressed Ctrl-C."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
_LOOK = 0.2  # seconds; where the system wakes nobody for a signal, it is seen that late
_GRACE = 2.0


def interruptible(work: Callable[[], T], *, cancel: Callable[[], None] | None) -> T:
    """What `work` gives or raises; an interrupt calls `cancel`, and does not wait for work that goes on all the same.

    Without a way to cancel, the work is done right here, by a driver that can be interrupted by itself.
    """
    if cancel is None:
        return work()
    done: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(work())
        except BaseException as error:  # noqa: BLE001  raised again where it belongs
            failed.append(error)

    worker = threading.Thread(target=run, name="query", daemon=True)
    worker.start()
    try:
        while worker.is_alive():
            worker.join(_LOOK)
    except BaseException:
        cancel()
        worker.join(_GRACE)
        raise
    if failed:
        raise failed[0]
    return done[0]
