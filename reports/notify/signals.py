"""Signals that end a program: what is open is told of it, and then the signal does what it would have done anyway."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
"""SIGINT is none of them: it is a KeyboardInterrupt, which passes through whatever is open."""
Tell = Callable[[str, bool], None]
"""Told the signal's name, and whether this process ends by it."""


class Signals:
    """Listens from the first that is open to the last. Only the main thread can, and what is ignored stays ignored."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._before: dict[int, Any] = {}

    def listen(self) -> bool:
        """Whether signals are told from now on."""
        if threading.current_thread() is not threading.main_thread():
            return bool(self._before)
        for number in SIGNALS:
            before = signal.getsignal(number)
            # None was set by something that is not Python, and could not be set again.
            if number not in self._before and before not in (signal.SIG_IGN, None):
                self._before[number] = before
                signal.signal(number, self._came)
        return bool(self._before)

    def forget(self) -> None:
        """Signals do again what they did before, unless somebody has set something else meanwhile."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number, before in list(self._before.items()):
            if signal.getsignal(number) == self._came:
                signal.signal(number, before)
            del self._before[number]

    def _came(self, number: int, frame: FrameType | None) -> None:
        before = self._before.get(number, signal.SIG_DFL)
        try:
            # The first process of a container is ended by no signal that it has not asked for.
            self._tell(signal.Signals(number).name, before == signal.SIG_DFL and os.getpid() != 1)
        finally:
            _pass_on(number, before, frame)


def _pass_on(number: int, before: Any, frame: FrameType | None) -> None:
    if callable(before):
        before(number, frame)
    elif before == signal.SIG_DFL:
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
