"""A process that forks while it has connections to SQLite: none is open, and none in use, at that moment.

SQLite counts its locks in the memory of the process, and a child has a copy of that: it would take the parent's locks
for its own, and wait for ever for transactions that only the parent ends. So a fork waits for the transactions of other
threads, and all connections are closed before it; each side opens its own again when it needs one.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

PATIENCE = 5.0
"""Seconds that a fork waits for a transaction, and a transaction for a fork."""


class Connected(Protocol):
    """What has connections."""

    def let_go(self) -> None:
        """Closes those that are open; the next one is opened when it is needed."""
        ...


class _Gate:
    """How many transactions each thread is in, and whether a fork is about to happen."""

    def __init__(self) -> None:
        self.state = threading.Condition()
        self.inside: dict[int, int] = {}
        self.forking = False

    def others(self) -> bool:
        """Whether another thread is in a transaction."""
        return any(count for thread, count in self.inside.items() if thread != threading.get_ident())


_gate = _Gate()
_connected: weakref.WeakSet[Connected] = weakref.WeakSet()


def watched(one: Connected) -> None:
    """Its connections are closed before the process is forked."""
    _connected.add(one)


@contextmanager
def in_use() -> Iterator[None]:
    """A transaction: the process is not forked before it has ended."""
    gate, thread = _gate, threading.get_ident()
    with gate.state:
        gate.state.wait_for(lambda: not gate.forking or gate.inside.get(thread), PATIENCE)
        gate.inside[thread] = gate.inside.get(thread, 0) + 1
    try:
        yield
    finally:
        with gate.state:
            gate.inside[thread] -= 1
            if not gate.inside[thread]:
                del gate.inside[thread]
            gate.state.notify_all()


def _before() -> None:
    with _gate.state:
        _gate.forking = True
        _gate.state.wait_for(lambda: not _gate.others(), PATIENCE)
    for one in list(_connected):
        one.let_go()


def _in_parent() -> None:
    with _gate.state:
        _gate.forking = False
        _gate.state.notify_all()


def _in_child() -> None:
    global _gate  # noqa: PLW0603  its lock may be held by a thread that there is not here
    _gate = _Gate()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
