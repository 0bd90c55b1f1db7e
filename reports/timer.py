"""The clock that wakes the service, and the line to the system that watches it."""

from __future__ import annotations

import contextlib
import datetime as dt
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

from apscheduler.executors.debug import DebugExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler

from reports.settings import environment

LOOK, BUSY = 5.0, 1.0
"""Seconds between two turns with nothing to do, and while runs go on."""
SET = 5.0
"""Seconds by which a clock jumps that somebody has set; what is less is put right by degrees."""


class Bell:
    """Wakes the one thread that waits for it; unlike an Event also out of a signal that has interrupted that thread."""

    def __init__(self) -> None:
        self._rung: SimpleQueue[None] = SimpleQueue()

    def set(self) -> None:
        self._rung.put(None)

    def wait(self, seconds: float) -> None:
        """Until it is rung, or was since it was cleared; or for so many seconds."""
        with contextlib.suppress(Empty):
            self._rung.get(timeout=seconds)

    def clear(self) -> None:
        with contextlib.suppress(Empty):
            while True:
                self._rung.get_nowait()


class Timer:
    """APScheduler with one date: at that instant of the machine's clock it wakes whoever waits."""

    def __init__(self, wake: Callable[[], object]) -> None:
        self._wake = wake
        self._at: dt.datetime | None = None
        self._scheduler = BackgroundScheduler(
            timezone=dt.UTC,
            daemon=True,
            jobstores={"default": MemoryJobStore()},
            executors={"default": DebugExecutor()},  # in its own thread: waking takes no time
            job_defaults={"misfire_grace_time": None, "coalesce": True},
        )

    def start(self) -> None:
        self._scheduler.start()

    def arm(self, at: dt.datetime | None) -> None:
        """The next time to wake, in the place of the one before; none if there is nothing to wake for."""
        if at == self._at:
            return
        self._at = at
        if at is None:
            self._scheduler.remove_all_jobs()
        else:
            self._scheduler.add_job(self._wake, "date", run_date=at, id="next", replace_existing=True)

    @property
    def is_alive(self) -> bool:
        """Whether its thread still is: the scheduler calls itself running even when that has died."""
        thread: threading.Thread | None = self._scheduler._thread  # noqa: SLF001  nothing public tells
        return thread is not None and thread.is_alive()

    def close(self) -> None:
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)


@dataclass
class Every:
    """Whether so many seconds have gone by, whatever was done to the clock."""

    seconds: float
    _last: float = field(default=float("-inf"), init=False, repr=False)

    def due(self) -> bool:
        """True at once, and then again each time the seconds have gone by."""
        now = time.monotonic()
        if now - self._last < self.seconds:
            return False
        self._last = now
        return True

    def now(self) -> None:
        """It is due the next time it is asked."""
        self._last = float("-inf")


@dataclass
class Steady:
    """Whether leases of others can be believed: for so many seconds the clock was not set, nor anything else disturbed.

    Those who were disturbed as well need that time to renew what they hold.
    """

    seconds: float
    _ahead: float | None = field(default=None, init=False, repr=False)
    _disturbed: float = field(default=float("-inf"), init=False, repr=False)

    def was_set(self, now: dt.datetime) -> bool:
        """Whether the clock, which says `now`, has gone otherwise than time since it was looked at last."""
        before, self._ahead = self._ahead, now.timestamp() - time.monotonic()
        moved = before is not None and abs(self._ahead - before) > SET
        if moved:
            self.disturb()
        return moved

    def disturb(self) -> None:
        """It has to be waited from now on."""
        self._disturbed = time.monotonic()

    def holds(self) -> bool:
        return time.monotonic() - self._disturbed >= self.seconds


def tell_system(state: str) -> None:
    """A line to systemd, where it started this process and listens (sd_notify); else nothing."""
    if address := environment("NOTIFY_SOCKET"):
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
            line.setblocking(False)  # a listener that does not read must not hold up the service
            line.sendto(state.encode(), f"\0{address[1:]}" if address.startswith("@") else address)
