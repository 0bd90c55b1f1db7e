"""A handler of `logging` that tells people of records: the first at once, then no more than one message in a while.

    logging.getLogger().addHandler(NotifyHandler(to="admins"))

What is logged meanwhile is gathered, equal records are counted, and the next message has them all. The code that logs
never waits, and no error of telling reaches it. What our own loggers and threads say is left out, or it would go round.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Unpack
from zoneinfo import ZoneInfo

from reports.errors import ReportsError
from reports.notify import boxes
from reports.notify.outgoing import THREAD
from reports.notify.outlets import Outlet, Several, outlet
from reports.notify.records import Gathered

if TYPE_CHECKING:
    from reports.notify.accounts import Account, Project

EVERY = 300.0
"""Seconds between two messages, at the least."""
GATHER = 0.5
"""Seconds that the first record waits for others of the same moment."""
_OURS = "reports"
_THREADS = {THREAD, f"{THREAD}-logs"}
_log = logging.getLogger("reports.notify")


class NotifyHandler(logging.Handler):
    """Tells of records at `level` and above. Any number of threads may log; each process counts by itself.

    Args:
        level: the least serious records that are told of.
        to: mail addresses, groups of settings, or "admins", who are told by default, or else oneself.
        via: "mail", or channels as in `send`.
        every: seconds between two messages, at the least.
        project: the project's folder; else the nearest settings.toml upwards; False for none.
        sender: who is shown as the sender, the account's own by default.
        account: provider, user, password, host and so on, as in `send`.

    Raises:
        ReportsError: a recipient, a channel or the account is wrong; from then on nothing is raised.
    """

    def __init__(  # noqa: PLR0913  as many as there are things to say
        self,
        level: int | str = logging.ERROR,
        *,
        to: Several = (),
        via: Several = (),
        every: float = EVERY,
        project: Project = None,
        sender: str = "",
        clock: Callable[[], float] = time.monotonic,
        **account: Unpack[Account],
    ) -> None:
        super().__init__(level)
        self.every, self._clock = every, clock
        self.outlet = _outlet(to, via, project, sender, account)
        self._reset()
        _forget_when_forked(self)

    def _reset(self) -> None:
        self._state = threading.Condition(threading.Lock())
        self._gathered = Gathered()
        self._thread: threading.Thread | None = None
        self._next = self._clock()
        self._over = False

    def emit(self, record: logging.LogRecord) -> None:
        """Counts the record; a message of it is made and sent in the background."""
        if record.name.partition(".")[0] == _OURS or record.threadName in _THREADS:
            return
        try:
            with self._state:
                self._gathered.add(record)
                self._begin()
                self._state.notify_all()
        except Exception:  # noqa: BLE001  as every handler of logging has it
            self.handleError(record)

    def flush(self) -> None:
        """What was gathered is put into the outbox now, however short ago the last message was."""
        self._tell(self._taken())

    def close(self) -> None:
        """The last of it is put into the outbox, and nothing is told any more."""
        self.flush()
        with self._state:
            self._over = True
            self._state.notify_all()
        super().close()

    # -- in the background --------------------------------------------------------------------------------

    def _begin(self) -> None:
        if self._thread is None and not self._over:
            self._thread = threading.Thread(target=self._work, name=f"{THREAD}-logs", daemon=True)
            boxes.at_end(self.flush)
            with contextlib.suppress(RuntimeError):  # the interpreter ends: logging's own end has it told
                self._thread.start()

    def _work(self) -> None:
        while True:
            with self._state:
                self._state.wait_for(lambda: self._gathered or self._over)
                if self._over:
                    return
                self._state.wait_for(lambda: self._over, max(self._next - self._clock(), GATHER))
            self._tell(self._taken())

    def _taken(self) -> Gathered:
        with self._state:
            gathered, self._gathered = self._gathered, Gathered()
            if gathered:
                self._next = self._clock() + self.every
        return gathered

    def _tell(self, gathered: Gathered) -> None:
        if not gathered:
            return
        try:
            settings = self.outlet.settings
            self.outlet.post(gathered.message(ZoneInfo(settings.timezone), mask=settings.mask))
        except Exception as error:  # noqa: BLE001  the work's boundary: what cannot be told is logged elsewhere
            words = error.what if isinstance(error, ReportsError) else f"{type(error).__name__}: {error}"
            _log.error("what was logged cannot be told: %s", words, exc_info=error)

    def _forked(self) -> None:
        """In a child: what was gathered is the parent's to tell."""
        self._reset()


def _outlet(to: Several, via: Several, project: Project, sender: str, account: Account) -> Outlet:
    """To the admins, if there are any and nobody is named; a channel alone needs nobody."""
    made = outlet(to=to, via=via, project=project, sender=sender, account=account)
    settings = made.settings
    if made.mail and not to and (settings.notify.admins or settings.mail.admins):
        return outlet(to="admins", via=via, project=project, sender=sender, account=account)
    return made


def _forget_when_forked(handler: NotifyHandler) -> None:
    if not hasattr(os, "register_at_fork"):
        return
    known = weakref.ref(handler)

    def forget() -> None:
        if found := known():
            found._forked()  # noqa: SLF001  its own

    os.register_at_fork(after_in_child=forget)
