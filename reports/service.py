"""`reports serve`: the long-lived process in which occurrences become runs, and runs become mail.

One thread turns the wheel: definitions, occurrences, children, leases. Another one empties the outbox, so that a slow
mail server delays no run. The timer wakes the wheel at the next occurrence; it also turns by itself every few seconds,
for the work of others, for a clock that was set and a machine that slept.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from reports import __version__, leases
from reports.agenda import Agenda, Manner
from reports.children import Nursery
from reports.definitions import Changes, Definitions
from reports.errors import DefinitionError, JobError, ReportsError, SettingsError, StoreError
from reports.health import Figures, Health, Meter, Wellness
from reports.model import Beat, Run
from reports.pings import Pings
from reports.post import Post
from reports.project import FILE
from reports.runner import Runner
from reports.secret import Secret
from reports.settings import Settings
from reports.settling import Settler
from reports.store import Store, open_store
from reports.telling import Teller
from reports.timer import BUSY, LOOK, Bell, Every, Steady, Timer, tell_system

LEAST_LOOK, MOST_LOOK, SHARE = 2.0, 60.0, 500
"""Seconds between two looks at the files of the jobs: so many times what a look took, within these."""
LAST_MAIL = 20.0
"""Seconds that the message in hand has at the end; then what became of it is unknown."""
SAME = dt.timedelta(seconds=0.01)
PRELOAD = ("reports.sources.files", "reports.sources.database", "reports.cashflow")
"""What a run imports only where it needs it, and most runs do."""
_log = logging.getLogger("reports.service")


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@dataclass
class Service:
    """The service of one project. The clock and the ids are arguments; `reread` gives the settings as they are now."""

    settings: Settings
    reread: Callable[[], Settings]
    clock: Callable[[], dt.datetime] = _now
    new_id: Callable[[], str] = lambda: secrets.token_hex(8)
    wake: Bell = field(default_factory=Bell, init=False)
    stopping: threading.Event = field(default_factory=threading.Event, init=False)
    at_once: threading.Event = field(default_factory=threading.Event, init=False)
    _looking: Every = field(default_factory=lambda: Every(LEAST_LOOK), init=False)
    _renewing: Every = field(default_factory=lambda: Every(leases.PULSE), init=False)
    _following: Every = field(default_factory=lambda: Every(BUSY), init=False)
    _watched: Every = field(default_factory=lambda: Every(15), init=False)
    _steady: Steady = field(default_factory=lambda: Steady(2 * leases.PULSE), init=False)
    _beating: Every = field(default_factory=lambda: Every(15), init=False)
    _settling: Every = field(default_factory=lambda: Every(10), init=False)
    _telling: Every = field(default_factory=lambda: Every(60), init=False)
    _giving_up: Every = field(default_factory=lambda: Every(60), init=False)
    _calling: Every = field(default_factory=lambda: Every(60), init=False)
    _beaten: dt.datetime | None = field(default=None, init=False)
    _seen: float = field(default=0.0, init=False)

    _turned: dt.datetime | None = field(default=None, init=False)
    _coming: dt.datetime | None = field(default=None, init=False)
    _jobs_away: bool = field(default=False, init=False)
    _ready: bool = field(default=False, init=False)
    _away: str = field(default="", init=False)

    def __post_init__(self) -> None:
        self._seen = _stamp(self.settings)

    # -- its parts -------------------------------------------------------------------------------------

    @cached_property
    def store(self) -> Store:
        return open_store(self.settings.store, self.settings.data_folder)

    @cached_property
    def agenda(self) -> Agenda:
        off_since = self.store.services.last_before(self.clock())
        return Agenda(settings=self.settings, store=self.store, new_id=self.new_id, off_since=off_since)

    @cached_property
    def runner(self) -> Runner:
        return Runner(
            settings=self.settings,
            store=self.store,
            clock=self.clock,
            nursery=self._nursery,
            pings=self._pings,
            meter=self._meter,
            manners=self.agenda.manners,
        )

    @cached_property
    def _nursery(self) -> Nursery:
        folder = self.settings.data_folder / "running"
        return Nursery(target="reports.child:main", preload=PRELOAD, folder=folder, on_end=self.wake.set)

    @cached_property
    def _definitions(self) -> Definitions:
        return Definitions(self.settings)

    @cached_property
    def _timer(self) -> Timer:
        return Timer(self.wake.set)

    @cached_property
    def _pings(self) -> Pings:
        return Pings()

    @cached_property
    def _post(self) -> Post:
        return Post(store=lambda: vars(self).get("store"), settings=lambda: self.settings, clock=self.clock)

    @cached_property
    def _meter(self) -> Meter:
        return Meter()

    @cached_property
    def _beat(self) -> Beat:
        now = self.clock()
        host, pid = socket.gethostname(), os.getpid()
        return Beat(owner=leases.new_owner(), host=host, pid=pid, version=__version__, started=now, beat=now)

    # -- from start to end -----------------------------------------------------------------------------

    def listen_to_signals(self) -> None:
        """SIGTERM and Ctrl-C stop it in order; the second one at once."""
        for name in ("SIGTERM", "SIGINT", "SIGBREAK"):
            if number := getattr(signal, name, None):
                signal.signal(number, lambda *_: self.stop())

    def stop(self) -> None:
        """Begin nothing new, let what runs end, deliver no more; asked again, end what runs at once."""
        if self.stopping.is_set():
            self.at_once.set()
        self.stopping.set()
        self.wake.set()

    def run(self) -> int:
        """Until it is stopped; the exit status, which is not 0 if the timer died."""
        _log.info("service started", extra={"project": str(self.settings.root), "version": __version__})
        health = self._health()
        self._timer.start()
        self._post.start()
        try:
            while not self.stopping.is_set() and self._timer.is_alive and self._post.is_alive:
                self.turn()
                self._say_ready()
                self._wait()
            return self._end()
        finally:
            self._post.end()  # else what the wheel died of would leave a process that only sends
            if health:
                health.close()

    def _say_ready(self) -> None:
        """After the first turn: all jobs are known, or it is told why not; now there is time to warm up."""
        if not self._ready:
            self._nursery.warm()
            tell_system("READY=1")
            self._ready = True

    def _wait(self) -> None:
        """Until somebody wakes it, or it has waited for long enough."""
        self.wake.wait(self._pause())
        self.wake.clear()

    def _end(self) -> int:
        status = 0 if self.stopping.is_set() else 1
        if status:
            which = "delivery" if self._timer.is_alive else "timer"
            _log.critical(
                f"{which} died", extra={"hint": "the service ends, so that whoever started it starts it anew"}
            )
        tell_system("STOPPING=1")
        self._post.end()
        _log.info("service stopping", extra={"running": self._going})
        self._timer.close()
        self._let_end()
        self._post.wait(LAST_MAIL, self.at_once)
        self._say_goodbye()
        _log.info("service stopped", extra={"status": status})
        return status

    def _let_end(self) -> None:
        """What runs may end by itself for a while; then it is ended, and begun again by the next service."""
        self._run_out(self.settings.service.stop_timeout.total_seconds(), self.at_once)
        if self._going:
            self.runner.stop()
            self._run_out(LOOK, threading.Event())

    def _run_out(self, seconds: float, enough: threading.Event) -> None:
        until = time.monotonic() + seconds
        while self._going and time.monotonic() < until and not enough.is_set():
            self._kept(self._look_after_runs)
            self.wake.wait(BUSY / 4)
            self.wake.clear()

    @property
    def _going(self) -> int:
        """How many runs go on; none while the store was never there."""
        return self.runner.going if "runner" in vars(self) else 0

    def _say_goodbye(self) -> None:
        now = self.clock()
        self._kept(lambda: self.store.services.beat(replace(self._beat, beat=now, stopped=now)))
        self._nursery.close()
        self._pings.close(LOOK)
        if "store" in vars(self):
            self.store.close()

    @property
    def still_sending(self) -> bool:
        """Whether a message is still in hand after the end, to a server that does not answer."""
        return self._post.is_alive

    # -- a turn of the wheel ---------------------------------------------------------------------------

    def turn(self) -> None:
        """All that is to be done now: what came due first, then what can wait a moment."""
        if self._steady.was_set(self.clock()):
            self._renewing.now()
            self._beating.now()
            self._giving_up.now()
        if self._watched.due():
            tell_system("WATCHDOG=1")  # it turns, whatever the store does
        if self._kept(self._begin_what_is_due):
            if all([self._kept(self._look_after_runs), self._kept(self._look_around)]):
                self._tell_back()
            self._coming = self.agenda.next_at()
            self._timer.arm(self._machine_time(self._coming))
            self._turned = self.clock()

    def _begin_what_is_due(self) -> None:
        now, runner = self.clock(), self.runner  # nothing is looked at before the store is open
        if self._looking.due():
            self._look_at_definitions(now)
        rows = self.agenda.tick(now)
        self._tell_of(rows)
        if self._giving_up.due():
            self.agenda.give_up_stale(now)
        while not self.stopping.is_set() and runner.take(self.agenda.overlapping):
            pass

    def _look_after_runs(self) -> None:
        if self._renewing.due():
            self.runner.renew()
        if self.runner.look():
            self._post.wake()
            self.wake.set()  # there is room for another one
        if self.runner.going and self._following.due():
            self.runner.stop_the_replaced()
            self.runner.keep_logs()

    def _look_around(self) -> None:
        """What other services left, whether anybody has to be told, and the sign of life."""
        now = self.clock()
        if self._beating.due():
            self.store.services.beat(replace(self._beat, beat=now))
            self._beaten = now
        if self._settling.due():
            settler = Settler(settings=self.settings, store=self.store, clock=self.clock)
            settler.interrupted(mine=self.runner.owners, by_lease=self._steady.holds())
        if self._telling.due() and Teller(settings=self.settings, store=self.store, clock=self.clock).missed():
            self._post.wake()
        if self._calling.due() and (url := self._ping_url()):
            self._pings.send(url, "success")

    def _look_at_definitions(self, now: dt.datetime) -> None:
        began = time.monotonic()
        self._reread_settings()
        try:
            changes = self._definitions.look()
            self._jobs_away = False
        except JobError as error:
            if not self._jobs_away:
                _log.error("jobs away", extra={"error": error.what, "where": error.where})
            self._jobs_away = True
            changes = Changes()
        if changes:
            self._learn(changes, now)
        if not changes:
            self._looking.seconds = min(max(LEAST_LOOK, SHARE * (time.monotonic() - began)), MOST_LOOK)

    def _learn(self, changes: Changes, now: dt.datetime) -> None:
        try:
            self._tell_of(self.agenda.learn(changes, now))
        except StoreError:
            self._definitions.again()
            raise

    def _reread_settings(self) -> None:
        """Settings that changed hold from now on, save for where the store is."""
        stamp = _stamp(self.settings)
        if stamp == self._seen:
            return
        self._seen = stamp
        try:
            settings = self.reread()
        except DefinitionError as error:
            _log.error("settings broken", extra={"error": error.what, "where": error.where})
            return
        if (settings.store, settings.data) != (self.settings.store, self.settings.data):
            _log.warning("settings changed", extra={"hint": "another store is used from the next start on"})
            settings = settings.model_copy(update={"store": self.settings.store, "data": self.settings.data})
        self.settings = self.agenda.settings = self.runner.settings = self._definitions.settings = settings
        self._definitions.forget()
        _log.info("settings read")

    def _tell_of(self, rows: Sequence[Run]) -> None:
        for run in rows:
            about = {"job": run.job, "run": run.id, "occurrence": run.occurrence, "why": run.error or run.log}
            _log.info(f"run {run.state}", extra=about)
            self._meter.ended(run)
            if run.state == "missed" and (url := self.agenda.manners.get(run.job, Manner()).ping):
                self._pings.send(url, "fail", body=self.settings.mask(run.error), run=run.id)
        if any(run.state == "missed" for run in rows):
            self._telling.now()

    def _kept(self, step: Callable[[], object]) -> bool:
        """Whether the step could be done; a store that is away is told once, and the step is left for the next turn."""
        try:
            step()
        except StoreError as error:
            if not self._away:
                _log.error("store away", extra={"error": error.what, "where": error.where})
            self._away = error.what
            self._renewing.now()
            self._steady.disturb()  # others were without it, too, and need a while to renew what they hold
            return False
        return True

    def _tell_back(self) -> None:
        if self._away:
            _log.info("store back")
            self._away = ""

    def _pause(self) -> float:
        if self._away or self.runner.going:
            return BUSY
        if (due := self._next_in_queue()) is None:
            return LOOK
        wait = (due - self.clock()).total_seconds()
        return min(LOOK, wait) if wait > 0 else BUSY  # what is due and was not taken waits for another's run to end

    def _next_in_queue(self) -> dt.datetime | None:
        try:
            return self.store.runs.next_due()
        except StoreError:
            return None

    def _machine_time(self, at: dt.datetime | None) -> dt.datetime | None:
        """An instant of this service's clock as one of the machine's, to the hundredth of a second."""
        ahead = self.clock() - _now()
        return at and (at if abs(ahead) < SAME else at - ahead)

    # -- how it is -------------------------------------------------------------------------------------

    def _health(self) -> Health | None:
        """The place where it answers how it is; without one it works all the same."""
        if not (address := self.settings.service.health):
            return None
        health = Health(address, well=self._wellness, collect=self._figures, meter=self._meter)
        try:
            health.start()
        except SettingsError:
            raise
        except ReportsError as error:
            _log.error("health closed", extra={"error": error.what, "hint": error.hint})
            return None
        return health

    def _wellness(self) -> Wellness:
        return Wellness(
            now=self.clock(),
            turned=self._turned,
            timer_alive=self._timer.is_alive,
            delivery_alive=self._post.is_alive,
            store_up=not self._away,
            beat=self._beaten,
            delivered=self._post.delivered,
            broken=len(self.agenda.broken) if "agenda" in vars(self) else 0,
        )

    def _figures(self) -> Figures:
        """What is known while the store is away is known without it."""
        known = Figures(heartbeat=self._turned)
        try:
            runs = self.store.runs.counts()
            paused = sum(1 for plan in self.store.plans.every().values() if plan.paused)
            broken, every = len(self.agenda.broken), len(self.agenda.manners)
            return replace(
                known,
                next_occurrence=self._coming,
                jobs={"ok": every - paused, "broken": broken, "paused": paused},
                active={"queued": runs.get("queued", 0), "running": runs.get("running", 0)},
                deliveries=self.store.outbox.counts(),
            )
        except StoreError:
            return known

    def _ping_url(self) -> str:
        ping = self.settings.service.ping
        return ping.reveal() if isinstance(ping, Secret) else ping


def _stamp(settings: Settings) -> float:
    """When settings.toml was written last; 0 while it is not there."""
    try:
        return (settings.root / FILE).stat().st_mtime
    except OSError:
        return 0.0
