"""The thread that tells of all watches of this process: it makes their messages and puts them into the outbox.

    update --> noted --> [this thread: drawn, rendered, stored] --> [the postbox's thread: sent]

The work never waits for it, but for a few seconds where a signal is about to end the process. What cannot be told in
time is left to the watcher, which hears how far each watch is, and how it ends, before anything else is done.
"""

from __future__ import annotations

import concurrent.futures.thread  # noqa: F401  which cannot be imported any more while the interpreter ends
import contextlib
import datetime as dt
import functools
import logging
import os
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from reports.errors import ReportsError
from reports.notify import boxes
from reports.notify.course import Course
from reports.notify.guard import Guard
from reports.notify.moments import Ending, Moment, Options
from reports.notify.ranks import Rank
from reports.notify.signals import Signals
from reports.notify.standing import Origin, State
from reports.notify.stories import Story

if TYPE_CHECKING:
    from reports.notify.teller import Teller

_log = logging.getLogger("reports.notify")
BEAT = 1.0
"""Seconds between two words to the watcher."""
LINGER = 30.0
"""Seconds that thread and watcher are kept after the last watch, for the next one."""
BEFORE_A_SIGNAL = 5.0
"""Seconds that a signal which ends the process waits until that is told; then it is left to the watcher."""
AT_EXIT = 15.0
"""Seconds that the end of the program waits for messages that are being made."""


class Watched(Protocol):
    """What the voice asks of a watch."""

    title: str
    options: Options
    rank: Rank | None
    tail: Callable[[], str]

    def take(self) -> tuple[tuple[Moment, Course] | None, float | None]: ...
    def now(self) -> Moment: ...
    def course(self) -> Course: ...
    def ending(self, error: BaseException | None = None, *, state: State | None = None, said: str = "") -> Ending: ...
    def came(self, signal: str) -> None: ...
    def forked(self) -> None: ...


def stumbled(what: str, error: BaseException) -> None:
    """Logs that something could not be told; the work goes on."""
    ours = isinstance(error, ReportsError)
    told = str(error) if ours else f"{type(error).__name__}: {error}"
    _log.warning("%s of a watch could not be told: %s", what, told, exc_info=None if ours else error)


@dataclass
class Open:
    """A watch that is told of, and how it ends once that is known."""

    watch: Watched
    story: Story
    ending: Ending | None = None
    said: Moment | None = field(default=None, repr=False)

    @functools.cached_property
    def teller(self) -> Teller:
        """What makes its messages; asked in the background, where all that this takes is imported."""
        from reports.notify.teller import Teller  # noqa: PLC0415

        return Teller(self.story)


class Voice:
    """One a process, begun with the first watch. Any thread may call it."""

    def __init__(self) -> None:
        self.guard = Guard()
        self._signals = Signals(self._came)
        self._reset()

    def _reset(self) -> None:
        self._lock = threading.RLock()
        self._quiet = threading.Condition(self._lock)
        self._bell = threading.Event()
        self._thread: threading.Thread | None = None
        self._open: dict[int, Open] = {}
        self._todo: deque[Callable[[], None]] = deque()
        self._busy = self._waited_for = False
        self._told: dict[str, Teller] = {}
        self._idle_since = time.monotonic()

    # -- what the watches say --------------------------------------------------------------------------

    def begin(self, watch: Watched) -> None:
        """It is told of from now on, should it be killed as well."""
        origin = Origin.here(
            watch.title,
            rank=watch.rank.number if watch.rank else None,
            command=watch.options.get("command", ""),
            unit=watch.options.get("unit", "step"),
            started=dt.datetime.now(dt.UTC),
        )
        one = Open(watch, Story(origin=origin, options=watch.options, key=secrets.token_hex(8)))
        with self._lock:
            self._open[id(watch)] = one
        self.guard.open(one.story.key, one.story.told())
        self._signals.listen()
        self._wait_at_end()
        if one.story.speaks:
            self._do(lambda: one.teller.ready())  # noqa: PLW0108  it is imported there
        if watch.options.get("start") and one.story.speaks:
            begun = watch.now()
            self._do(lambda: one.teller.start(begun, unnoticed=self.guard.fault))
        self.wake()

    def _wait_at_end(self) -> None:
        with self._lock:
            waited_for, self._waited_for = self._waited_for, True
        if not waited_for:
            boxes.at_end(self.close)

    def end(self, watch: Watched, ending: Ending) -> None:
        """It is over: that is put on paper in the background, and the watcher knows until it is."""
        with self._lock:
            one = self._open.get(id(watch))
            if one is None or one.ending is not None:
                return
            one.ending = ending
            if all(other.ending for other in self._open.values()):
                self._signals.forget()
        if not one.story.tells(ending):
            self._over(one)
            return
        self.guard.state(one.story.key, one.story.end_told(ending))
        self._do(lambda: self._tell_end(one, ending))

    def beat(self, watch: Watched, moment: Moment) -> None:
        """The watcher hears how far it is, whatever the thread is busy with."""
        if (one := self._open.get(id(watch))) is not None and one.ending is None:
            self.guard.state(one.story.key, one.story.at_once(moment))

    def wake(self) -> None:
        """There is something to look at."""
        self._begin()
        self._bell.set()

    # -- the thread --------------------------------------------------------------------------------------

    def _do(self, what: Callable[[], None]) -> None:
        with self._lock:
            self._todo.append(what)
        self.wake()

    def _begin(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="watch", daemon=True)
                with contextlib.suppress(RuntimeError):  # the interpreter ends, and begins no thread any more
                    self._thread.start()

    def _work(self) -> None:
        while True:
            try:
                pause = self._turn()
            except Exception as error:  # noqa: BLE001  the thread goes on, whatever befalls one turn
                stumbled("something", error)
                pause = BEAT
            self._bell.wait(pause)
            self._bell.clear()

    def _turn(self) -> float:
        """All that is to be told now; the seconds until there may be more."""
        with self._lock:
            self._busy = True
        try:
            pauses = [self._look(one) for one in list(self._open.values())]
            while self._todo:
                self._done(self._todo.popleft())
        finally:
            with self._quiet:
                self._busy = False
                self._quiet.notify_all()
        return min([BEAT if self._open else LINGER, *pauses]) if self._stays() else LINGER

    def _done(self, what: Callable[[], None]) -> None:
        try:
            what()
        except Exception as error:  # noqa: BLE001  likewise
            stumbled("something", error)

    def _look(self, one: Open) -> float:
        """Tells the update of a watch that is due, and the watcher how far it is; seconds until there may be one."""
        if one.ending is not None:
            return BEAT
        taken, left = one.watch.take()
        if taken is not None:
            self._done(lambda: one.teller.progress(*taken, tail=one.watch.tail()))
        now = one.watch.now()
        if one.said is None or (now.step, now.metrics) != (one.said.step, one.said.metrics) or taken:
            self.guard.state(one.story.key, one.story.state(now, one.watch.course(), one.watch.tail()))
            one.said = now
        return BEAT if left is None else min(left, BEAT)

    def _tell_end(self, one: Open, ending: Ending) -> None:
        try:
            self._told[str(one.story.told()["options"])] = one.teller
            one.teller.end(ending, one.watch.course())
        except ReportsError:  # it would be the same to the watcher
            self._over(one)
            raise
        except Exception:
            self._over(one, close=False)
            raise
        self._over(one)

    def _over(self, one: Open, *, close: bool = True) -> None:
        """It is told, or else left to the watcher."""
        if close:
            self.guard.close(one.story.key)
        with self._lock:
            self._open.pop(id(one.watch), None)
            self._idle_since = time.monotonic()

    def _stays(self) -> bool:
        """Whether there is anything to stay for; the watcher is let go of where there is not."""
        if self._open or time.monotonic() - self._idle_since < LINGER:
            return True
        self.guard.rest()
        return False

    # -- signals, and the end ----------------------------------------------------------------------------

    def _came(self, name: str, ends: bool) -> None:  # noqa: FBT001  as signals tell it
        """A signal: what is open ends by it, or goes on and tells of it later."""
        going = [one for one in list(self._open.values()) if one.ending is None]
        if not ends:
            for one in going:
                one.watch.came(name)
                self.guard.state(one.story.key, {"signal": name})
            return
        said = f"{name} ended it: somebody, or the system, told it to end."
        for one in going:
            self.end(one.watch, one.watch.ending(state="interrupted", said=said))
        if self.wait(BEFORE_A_SIGNAL):
            boxes.flush(BEFORE_A_SIGNAL)
        self.guard.leave()

    def wait(self, seconds: float) -> bool:
        """Until all that was said is in the outbox; False if the seconds were not enough."""
        self._bell.set()
        if self._thread is None or not self._thread.is_alive():
            self._turn()
        with self._quiet:
            return self._quiet.wait_for(lambda: not (self._todo or self._busy), seconds)

    def close(self) -> None:
        """The program ends: what is still open is told of as that."""
        for one in [one for one in list(self._open.values()) if one.ending is None]:
            self.end(
                one.watch, one.watch.ending(state="interrupted", said="The program ended while this was not over.")
            )
        if self.wait(AT_EXIT) and self._told and not self._all_sent():
            for number, teller in enumerate(self._told.values()):
                self.guard.open(f"rest {number}", {**teller.story.told(), "rest": True})
        self.guard.leave()
        self.guard.forget_open()
        self._told.clear()

    def _all_sent(self) -> bool:
        """Whether nothing is left for another process, after as much time as there is."""
        boxes.flush(boxes.AT_EXIT)
        return not any(teller.waits for teller in self._told.values())

    def forked(self) -> None:
        """In a child: all that is open is the parent's."""
        for one in self._open.values():
            one.watch.forked()
        self.guard.forget()
        self._reset()


_voice = Voice()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_voice.forked)


def voice() -> Voice:
    """This process's."""
    return _voice


__all__: Sequence[Any] = ["Voice", "Watched", "stumbled", "voice"]
