"""The thread that empties the outbox beside the runs, so that a slow mail server delays none of them."""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from reports.dispatch import Dispatch
from reports.errors import ReportsError
from reports.settings import Settings
from reports.store import Store
from reports.timer import BUSY, LOOK, Every

SOON = 0.05
_log = logging.getLogger("reports.service")


@dataclass
class Post:
    """Sends what is due until it is told to end. `store` gives the store once that is open, `settings` those of now.

    `delivered` is when the outbox was last looked through.
    """

    store: Callable[[], Store | None]
    settings: Callable[[], Settings]
    clock: Callable[[], dt.datetime]
    delivered: dt.datetime | None = field(default=None, init=False)
    _thread: threading.Thread = field(init=False, repr=False)
    _bell: threading.Event = field(default_factory=threading.Event, init=False, repr=False)
    _over: threading.Event = field(default_factory=threading.Event, init=False, repr=False)
    _sending: threading.Event = field(default_factory=threading.Event, init=False, repr=False)
    _tidying: Every = field(default_factory=lambda: Every(3600), init=False, repr=False)
    _away: str = field(default="", init=False, repr=False)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._work, name="delivery", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """There is something new in the outbox."""
        self._bell.set()

    def end(self) -> None:
        """Between two messages; it is not waited for."""
        self._over.set()
        self._sending.set()
        self._bell.set()

    def wait(self, seconds: float, enough: threading.Event) -> None:
        """Until it has ended, it was long enough, or the seconds have gone by."""
        until = time.monotonic() + seconds
        while self.is_alive and time.monotonic() < until and not enough.is_set():
            self._thread.join(BUSY / 4)

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def _work(self) -> None:
        while True:
            self._sending = threading.Event()  # a drain that fails sets it, for those who help it
            if self._over.is_set():
                return
            self._bell.clear()
            self._bell.wait(self._sent())

    def _sent(self) -> float:
        """Sends what is due; the seconds until there may be more."""
        if (store := self.store()) is None:  # it is opened by the wheel, which also tells why it cannot be
            return BUSY
        dispatch = Dispatch(settings=self.settings(), store=store, clock=self.clock, alone=True)
        try:
            dispatch.deliver(stop=self._sending)
            self.delivered = self.clock()
            self._tidy(store)
            due = dispatch.next_due()
        except Exception as error:  # noqa: BLE001  the deliveries' boundary: what is not sent stays in the outbox
            self._stands_still(error)
            return LOOK
        self._away = ""
        return min(LOOK, max(SOON, (due - self.clock()).total_seconds())) if due else LOOK

    def _tidy(self, store: Store) -> None:
        """What is kept no longer goes; here, for it may take its time and must delay no run."""
        if self._tidying.due():
            options = self.settings().store
            store.runs.prune(self.clock(), keep=options.keep, keep_runs=options.keep_runs)

    def _stands_still(self, error: Exception) -> None:
        words = error.what if isinstance(error, ReportsError) else f"{type(error).__name__}: {error}"
        if words != self._away:
            _log.error("outbox stands still", extra={"error": words}, exc_info=error)
        self._away = words
