"""Channels that send by turns: one whose server is slow keeps none of the others waiting for long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

TURN = 5.0
"""Seconds after which a channel makes way between two messages, if another one has something due."""
_CHECKS = 2  # that a sender makes before its first message: each turn sends something, or they would go round for ever


class Turn(threading.Event):
    """What stops a sender: `stop` itself, or the end of its turn when `others` wait for theirs."""

    def __init__(self, stop: threading.Event, others: Callable[[], bool], *, length: float = TURN) -> None:
        super().__init__()
        self._stop, self._others = stop, others
        self._over, self._checks, self.made_way = time.monotonic() + length, 0, False

    def is_set(self) -> bool:
        self._checks += 1
        if self._stop.is_set():
            return True
        if self._checks > _CHECKS and time.monotonic() >= self._over and not self.made_way:
            self.made_way = self._others()
        return self.made_way

    def wait(self, timeout: float | None = None) -> bool:
        return self._stop.wait(timeout)

    def set(self) -> None:
        self._stop.set()
