"""The postboxes of this process, one for each outbox, and what becomes of them when it ends or is forked."""

from __future__ import annotations

import atexit
import contextlib
import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing import util
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reports.notify.outgoing import Postbox
    from reports.settings import Settings

AT_EXIT = 10.0
"""Seconds that the end of a process waits for what is on its way, at the most."""
_boxes: dict[str, Postbox] = {}
_lock = threading.Lock()
_last_words: list[Callable[[], None]] = []
_inherited: list[object] = []
_ends: list[int] = []


def postbox(settings: Settings) -> Postbox:
    """This process's postbox of the outbox that the settings name."""
    from reports.notify.outgoing import Postbox  # noqa: PLC0415  a database, which who only waits for the end does without

    place = str(settings.store.url or settings.data_folder.absolute())
    with _lock:
        _wait_at_end()
        box = _boxes.setdefault(place, Postbox(settings=settings))
        box.settings = settings
        return box


def at_end(say: Callable[[], None]) -> None:
    """Called when the process ends, while something can still be put into an outbox."""
    with _lock:
        _wait_at_end()
        _last_words.append(say)


def flush(timeout: float | None = None) -> bool:
    """Waits until all that this process has put into outboxes was tried; False if the seconds were not enough."""
    until = None if timeout is None else time.monotonic() + timeout
    done = [box.flush(None if until is None else max(until - time.monotonic(), 0)) for box in list(_boxes.values())]
    return all(done)


def close_all() -> None:
    """The last words, the last turn of each postbox, and their stores are let go of."""
    for say in _last_words:
        say()
    until = time.monotonic() + AT_EXIT
    while _boxes:
        _boxes.popitem()[1].close(max(until - time.monotonic(), 0.1))
    _as_interrupted()


def _as_interrupted() -> None:
    """A program that ends by Ctrl-C ends by that signal, which Python forgets as soon as it compiles something more."""
    by_hand = getattr(sys, "last_type", None) is KeyboardInterrupt
    if by_hand and not (hasattr(sys, "ps1") or sys.flags.interactive or "IPython" in sys.modules):
        with contextlib.suppress(KeyboardInterrupt):
            exec("raise KeyboardInterrupt")  # noqa: S102  which is how Python notes it


def _wait_at_end() -> None:
    """At the end of this very process; one that multiprocessing made does not run what atexit has."""
    if os.getpid() in _ends:
        return
    _ends[:] = [os.getpid()]
    atexit.register(close_all)
    if multiprocessing.parent_process() is not None:
        util.Finalize(None, close_all, exitpriority=0)


def _forked() -> None:
    """A child has none of its parent's threads, and leaves the parent's work and connections to the parent."""
    global _lock  # noqa: PLW0603  it may have been held when the process was forked
    _lock = threading.Lock()
    _last_words.clear()
    _inherited.extend(box.abandon() for box in _boxes.values())
    _boxes.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
