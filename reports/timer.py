"""The clock that wakes the service, and the line to the system that watches it."""

from __future__ import annotations

import contextlib
import datetime as dt
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from apscheduler.executors.debug import DebugExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler

from reports.settings import environment


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


def tell_system(state: str) -> None:
    """A line to systemd, where it started this process and listens (sd_notify); else nothing."""
    if address := environment("NOTIFY_SOCKET"):
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
            line.sendto(state.encode(), f"\0{address[1:]}" if address.startswith("@") else address)
