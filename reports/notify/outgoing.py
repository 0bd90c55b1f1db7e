"""A script's outbox: what it says is stored first, then tried in the background until it is taken or stale.

    put --> stored --> [background thread] --> accepted | refused | unknown | pending, and tried again

One thread a process and outbox. What is left when the process ends is sent by whoever opens the same outbox next.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from reports import leases
from reports.dispatch import Dispatch, opened
from reports.errors import ReportsError
from reports.model import Artifact, Delivery, Outgoing, Receipt, Run
from reports.notify.notification import NAME
from reports.notify.results import Answer, Result, answer
from reports.settings import Settings
from reports.store import Store, open_store

THREAD = "reports-notify"
"""The name of the thread that sends."""
LONGEST = 60.0
_GLANCE, _LOOK, _DAY = 0.2, 5.0, 86_400.0
_log = logging.getLogger("reports.notify")


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@dataclass(frozen=True, kw_only=True)
class Packet:
    """One notification on its way into the outbox: a message for each channel, and the files to be kept with it.

    `job` is what `reports runs` calls it, `state` how what it tells of went.
    """

    letters: Sequence[Outgoing]
    job: str = NAME
    files: Sequence[Artifact] = ()
    log: str = ""


@dataclass
class Handle:
    """A notification that was handed over: what has become of it, now or after a wait."""

    box: Postbox = field(repr=False)
    run: str
    recipients: Sequence[tuple[str, str]] = field(repr=False)
    turn: int = field(default=0, repr=False)
    stored: bool = field(default=False, repr=False)
    direct: Sequence[Answer] = field(default=(), repr=False)

    @property
    def result(self) -> Result:
        """What is known at this moment."""
        return self.box.result(self)

    def wait(self, timeout: float | None = None) -> Result:
        """What is known once each recipient was tried, or the seconds have gone by."""
        self.box.wait(self, None if timeout is None else time.monotonic() + timeout)
        return self.result


@dataclass(kw_only=True)
class Postbox:
    """The outbox that settings name, and the thread that empties it. Any thread may put into it.

    `settings` are those of the newest who asked for it.
    """

    settings: Settings
    clock: Callable[[], dt.datetime] = _now
    new_id: Callable[[], str] = lambda: secrets.token_hex(8)
    _store: Store | None = field(default=None, init=False, repr=False)
    _opening: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)
    _state: threading.Condition = field(default_factory=threading.Condition, init=False, repr=False)
    _thread: threading.Thread | None = field(default=None, init=False, repr=False)
    _stop: threading.Event = field(default_factory=threading.Event, init=False, repr=False)
    _work: deque[Callable[[], None]] = field(default_factory=deque, init=False, repr=False)
    _new: deque[str] = field(default_factory=deque, init=False, repr=False)
    _asked: int = field(default=0, init=False, repr=False)
    _done: int = field(default=0, init=False, repr=False)
    _over: bool = field(default=False, init=False, repr=False)
    _trouble: str = field(default="", init=False, repr=False)

    # -- putting in -----------------------------------------------------------------------------------

    def put(self, packet: Packet) -> Handle:
        """Stored when this returns, and tried from then on. What cannot be stored is tried once, directly."""
        handle = self._handle(packet)
        self._keep(handle, packet)
        handle.turn = self.ring()
        return handle

    def put_later(self, packet: Packet) -> Handle:
        """The same, but even storing it is left to the background: this takes no time."""
        handle = self._handle(packet)
        self._work.append(lambda: self._keep(handle, packet))
        handle.turn = self.ring()
        return handle

    def _handle(self, packet: Packet) -> Handle:
        recipients = [(one.channel, whom) for one in packet.letters for whom in one.message.recipients]
        return Handle(self, self.new_id(), recipients)

    def _keep(self, handle: Handle, packet: Packet) -> None:
        """Into the store; or, where that cannot be written, once to those it is for."""
        try:
            self._stored_run(handle.run, packet)
            handle.stored = True
            self._new.append(handle.run)
        except (ReportsError, OSError) as error:
            told = error.what if isinstance(error, ReportsError) else f"{type(error).__name__}: {error}"
            _log.error("the outbox cannot be written, so this is tried once, directly: %s", told)
            handle.direct = _unsent(handle.recipients, told)
            self._work.append(lambda: self._send_directly(handle, packet.letters))

    def _stored_run(self, run: str, packet: Packet) -> None:
        store, now = self.store, self.clock()
        begun = Run(id=run, job=packet.job, as_of=self.settings.today(now), started=now)
        owner = leases.new_owner()
        store.runs.start(begun, owner=owner, until=now + leases.LENGTH)
        kept = [store.artifacts.keep(one) for one in packet.files]
        over = replace(begun, state="succeeded", finished=now, log=self.settings.mask(packet.log))
        store.runs.succeed(over, owner=owner, artifacts=kept, messages=packet.letters)

    @property
    def store(self) -> Store:
        """The store, opened when it is first needed."""
        with self._opening:
            if self._store is None:
                self._store = open_store(self.settings.store, self.settings.data_folder)
            return self._store

    # -- what became of it ------------------------------------------------------------------------------

    def result(self, handle: Handle) -> Result:
        """What is known of it now."""
        if handle.direct or not handle.stored:
            return Result(handle.run, tuple(handle.direct or _unsent(handle.recipients, "not stored yet")))
        return Result(handle.run, tuple(answer(one, self._trouble) for one in self._deliveries(handle.run)))

    def _deliveries(self, run: str) -> Sequence[Delivery]:
        return sorted(self.store.outbox.deliveries(run=run, every=True), key=lambda one: one.id)

    def wait(self, handle: Handle, until: float | None) -> None:
        """Until each of its recipients was tried, here or by another process, or an instant of the monotonic clock."""
        looked = time.monotonic()
        while not self._over and (until is None or time.monotonic() < until):
            with self._state:
                if not (over := self._done >= handle.turn):
                    self._state.wait(_GLANCE if until is None else min(_GLANCE, max(until - time.monotonic(), 0)))
            if handle.stored and self._was_tried(handle.run):
                return
            if over and not (handle.stored and self._is_going_out(handle.run)):
                return
            if over:
                time.sleep(_GLANCE / 4)
            if time.monotonic() - looked > _LOOK:  # whoever has it in hand may have died
                looked = time.monotonic()
                self.ring()

    def _is_going_out(self, run: str) -> bool:
        """Whether some sender, perhaps of another process, has it in hand."""
        return any(one.state == "sending" for one in self._deliveries(run))

    def _was_tried(self, run: str) -> bool:
        now = self.clock()
        going = (one for one in self._deliveries(run) if one.state in ("pending", "sending"))
        return all(one.state == "pending" and one.next_attempt and one.next_attempt > now for one in going)

    # -- the thread -------------------------------------------------------------------------------------

    def ring(self) -> int:
        """There is something to do; gives the number of the turn that will do it."""
        with self._state:
            self._asked += 1
            if self._thread is None and not self._over:
                self._thread = threading.Thread(target=self._run, name=THREAD, daemon=True)
                try:
                    self._thread.start()
                except RuntimeError:  # the interpreter ends, and begins no thread any more: the next script sends it
                    self._thread, self._over = None, True
            self._state.notify_all()
            return self._asked

    def _run(self) -> None:
        pause: float | None = 0
        while True:
            with self._state:
                self._state.wait_for(lambda: self._asked > self._done or self._over, pause)
                turn, over = self._asked, self._over
            pause = self._turn()
            with self._state:
                self._done = turn
                self._state.notify_all()
            if over:
                return

    def _turn(self) -> float | None:
        """All that is to be done now; the seconds until there is more, None where nothing waits."""
        try:
            while self._work:
                self._work.popleft()()
            return self._drain()
        except Exception as error:  # noqa: BLE001  the deliveries' boundary: what is not sent stays in the outbox
            words = error.what if isinstance(error, ReportsError) else f"{type(error).__name__}: {error}"
            if words != self._trouble:
                _log.error("the outbox stands still: %s", words)
            self._trouble = words
            return LONGEST

    def _drain(self) -> float | None:
        dispatch = Dispatch(settings=self.settings, store=self.store, clock=self.clock, pooled=False)
        dispatch.drain(stop=self._stop)
        self._trouble = ""
        if self._hurried():
            dispatch.drain(stop=self._stop)
        self._tidy()
        due = dispatch.next_due()
        return min(LONGEST, max(_GLANCE, (due - self.clock()).total_seconds())) if due else None

    def _tidy(self) -> None:
        """Once a day what is kept no longer goes."""
        mark, now = self.settings.data_folder / "tidied", time.time()
        with contextlib.suppress(OSError):
            if not mark.exists() or now - mark.stat().st_mtime > _DAY:
                mark.touch()
                options = self.settings.store
                self.store.runs.prune(self.clock(), keep=options.keep, keep_runs=options.keep_runs)

    def _hurried(self) -> bool:
        """Where a new message was taken, the other side is back: what waits for it goes as well."""
        runs = [self._new.popleft() for _ in range(len(self._new))]
        taken = {one.channel for run in runs for one in self._deliveries(run) if one.state == "accepted"}
        return sum(self.store.outbox.hurry(channel, self.clock()) for channel in taken) > 0

    def _send_directly(self, handle: Handle, letters: Sequence[Outgoing]) -> None:
        handle.direct = [one for letter in letters for one in self._tried(letter)]
        for one in handle.direct:
            if one.state != "accepted":
                _log.error("not sent, and it could not be stored either: %s", one)

    def _tried(self, letter: Outgoing) -> list[Answer]:
        """The answers to one try at a letter that nothing keeps."""
        try:
            transport = opened(letter.channel, self.settings)
            try:
                receipts = transport.send(letter.message)
            finally:
                transport.close()
        except ReportsError as error:
            recipients = [(letter.channel, whom) for whom in letter.message.recipients]
            return [replace(one, state="refused") for one in _unsent(recipients, error.what)]
        return [_answered(one, letter.channel) for one in receipts]

    # -- the end ----------------------------------------------------------------------------------------

    def flush(self, timeout: float | None = None) -> bool:
        """Waits until all that is due was tried; False if the seconds were not enough."""
        until = None if timeout is None else time.monotonic() + timeout
        with self._state:
            if self._thread is None:
                return True
        turn = self.ring()
        with self._state:
            return self._state.wait_for(
                lambda: self._done >= turn, None if until is None else max(until - time.monotonic(), 0)
            )

    def abandon(self) -> object:
        """In a child that was forked: nothing of the parent's is used; gives what must not be closed here."""
        inherited, self._store = self._store, None
        self._opening, self._state = threading.Lock(), threading.Condition()
        self._thread, self._done = None, self._asked
        self._work.clear()
        self._new.clear()
        return inherited

    def close(self, timeout: float) -> None:
        """The last turn, and the store is let go of; what is still on its way stays in the outbox."""
        self.flush(timeout)
        with self._state:
            self._over = True
            self._stop.set()
            self._state.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(timeout)
        if self._store is not None and not (thread and thread.is_alive()):
            self._store.close()
            self._store = None


def _answered(receipt: Receipt, channel: str) -> Answer:
    """What was answered to the one try that there is."""
    text = f"{receipt.code or ''} {receipt.text}".strip()
    state = "refused" if receipt.state == "deferred" else receipt.state
    return Answer(recipient=receipt.recipient, state=state, channel=channel, text=text, hint=receipt.hint)


def _unsent(recipients: Sequence[tuple[str, str]], words: str) -> list[Answer]:
    return [Answer(recipient=whom, state="pending", channel=channel, text=words) for channel, whom in recipients]
