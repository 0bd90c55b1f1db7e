"""The one thread that watches all children: whether they have ended, how long they take, how much memory they have."""

from __future__ import annotations

import logging
import selectors
import socket
import threading
import time
from collections.abc import Callable, Sequence

from reports.children import trees
from reports.children.child import Child

TICK, MEMORY_TICK = 0.2, 0.05
"""Seconds between two looks at children, and at those with a memory limit."""
NEW_TREES, SHARE = 0.2, 30
"""Seconds between two looks at which processes there are; or so many times what a look took, where that is more."""
PATIENCE = 5.0
_log = logging.getLogger("reports.children")


class Watch:
    """Its thread lives from the first child on, and waits at no cost while there is none.

    `root` is the process below which all children are; `on_start` is called soon after a child was added, `on_end`
    soon after one has ended.
    """

    def __init__(
        self, *, root: Callable[[], int], on_start: Callable[[], object], on_end: Callable[[], object]
    ) -> None:
        self._root, self._on_start, self._on_end = root, on_start, on_end
        self._lock = threading.Lock()
        self._children: list[Child] = []
        self._registered: dict[Child, int] = {}
        self._selector = selectors.DefaultSelector()
        self._wake, self._woken = socket.socketpair()
        self._woken.setblocking(False)
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._thread: threading.Thread | None = None
        self._closing = False
        self._look_for_trees = 0.0

    def add(self, child: Child) -> None:
        with self._lock:
            self._children.append(child)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="children", daemon=True)
                self._thread.start()
        self.wake()

    def wake(self) -> None:
        self._wake.send(b"+")

    def close(self, reason: str) -> None:
        """All children are killed; it returns when they have ended, or cannot be ended."""
        with self._lock:
            self._closing = True
            for child in self._children:
                child.kill(reason)
        if self._thread:
            self.wake()
            self._thread.join(PATIENCE)
        if not (self._thread and self._thread.is_alive()):
            for one in (self._selector, self._wake, self._woken):
                one.close()

    def _work(self) -> None:
        while True:
            with self._lock:
                children = list(self._children)
                if self._closing and not children:
                    return
            try:
                self._turn(children)
            except Exception:  # noqa: BLE001  the thread goes on, whatever befalls one turn: without it nothing ends
                _log.exception("children could not be watched")
                time.sleep(TICK)

    def _turn(self, children: Sequence[Child]) -> None:
        self._listen(children)
        if any(key.fileobj is self._woken for key, _ in self._selector.select(_pause(children))):
            self._woken.recv(4096)
            self._on_start()
        ended = [child for child in children if child.look()]
        if ended:
            self._forget(ended)
            self._on_end()
        self._weigh([child for child in children if child not in ended and child.known_pid])

    def _listen(self, children: Sequence[Child]) -> None:
        for child in children:
            if child.sentinel is not None and child not in self._registered:
                self._selector.register(child.sentinel, selectors.EVENT_READ)
                self._registered[child] = child.sentinel

    def _forget(self, ended: Sequence[Child]) -> None:
        for child in ended:
            if child in self._registered:
                self._selector.unregister(self._registered.pop(child))
        with self._lock:
            self._children = [child for child in self._children if child not in ended]

    def _weigh(self, children: Sequence[Child]) -> None:
        began = time.monotonic()
        if not children:
            return
        if began < self._look_for_trees:
            for child in children:
                child.weigh(None)
            return
        found = trees.below(self._root(), [child.known_pid for child in children])
        now = time.monotonic()
        self._look_for_trees = now + max(NEW_TREES, SHARE * (now - began))
        for child in children:
            child.weigh(found[child.known_pid])


def _pause(children: Sequence[Child]) -> float | None:
    if not children:
        return None
    quick = any(child.limits.memory or child.sentinel is None for child in children)
    left = [child.left for child in children if child.left is not None and child.left > 0]
    return min([MEMORY_TICK if quick else TICK, *left])
