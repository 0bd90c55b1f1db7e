"""The right half at work: all that is due goes out, and owners are told of what nobody will get."""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from reports import leases
from reports.delivery import Sender
from reports.errors import ReportsError, StoreError
from reports.model import MessageKind
from reports.settings import Settings
from reports.store import Store
from reports.transports import open_channel, open_transport
from reports.transports.account import resolve
from reports.transports.base import Transport
from reports.transports.closed import ClosedTransport
from reports.turns import TURN, Turn

Tell = Callable[[str], None]
NOTICES: tuple[MessageKind, ...] = ("failure", "recovery", "escalation")


def silent(_: str) -> None:
    """Tells nobody."""


def opened(channel: str, settings: Settings) -> Transport:
    """What carries messages on that channel, mail where it is empty; a channel that cannot be used is closed.

    A SettingsError where mail cannot be used as it stands.
    """
    if not channel:
        return open_transport(settings.mail, settings.data_folder)
    try:
        return open_channel(channel, settings.channels[channel])
    except ReportsError as error:
        return ClosedTransport(error)


@dataclass(frozen=True, kw_only=True)
class Dispatch:
    """The outbox and those who empty it; any number of processes may have one on the same store.

    Where it is `alone` in its process, what that one seems to be sending when it begins is sent by nobody. One that is
    not `pooled` sends in the thread that calls, by one connection: so it can do also while the interpreter ends.
    """

    settings: Settings
    store: Store
    clock: Callable[[], dt.datetime]
    alone: bool = False
    pooled: bool = True
    turn: float = TURN

    def deliver(self, run: str = "", *, stop: threading.Event | None = None, tell: Tell = silent) -> None:
        """Try all that is due, of one run or of all, and tell owners of what nobody will get.

        `stop` ends it between two messages; an error sets it, so that others who send end as well.
        """
        from reports.telling import Teller  # noqa: PLC0415  all that renders notices, which who only sends does without

        stop = stop or threading.Event()
        self.take_up()
        failed = self._drained(run, stop, tell)
        told = Teller(settings=self.settings, store=self.store, clock=self.clock).of_deliveries()
        for one in told if run else [""] * bool(told):
            failed = self._drained(one, stop, tell) or failed
        if failed:
            raise failed

    def _drained(self, run: str, stop: threading.Event, tell: Tell) -> ReportsError | None:
        """What kept mail or a channel from being drained: owners are told of what nobody got all the same."""
        try:
            self._drain(run, stop, tell)
        except StoreError:
            raise
        except ReportsError as error:
            return error
        return None

    def drain(self, run: str = "", *, stop: threading.Event | None = None, tell: Tell = silent) -> None:
        """Try all that is due, of one run or of all; owners are told by whoever delivers."""
        self.take_up()
        self._drain(run, stop or threading.Event(), tell)

    def next_due(self) -> dt.datetime | None:
        """When there is something to send again."""
        return self.store.outbox.next_due()

    def take_up(self) -> None:
        """What a process that has died was sending is pending again, or unknown."""
        owners = self.store.owners()
        dead = leases.dead(owners, here=self.store.is_local)
        dead += [owner for owner in owners if self.alone and leases.is_own(owner)]
        fallen = [owner for owner in dead if leases.went_down(owner, here=self.store.is_local)]
        self.store.outbox.take_up(self.clock(), dead=dead, fallen=fallen)

    def deliver_quietly(self, *runs: str) -> None:
        """Sends the notices of runs that failed; their own errors are the ones to be told."""
        for run in runs:
            try:
                self.deliver(run)
            except ReportsError as error:
                with contextlib.suppress(StoreError):
                    self.store.runs.note(run, f"the notice is in the outbox and could not be sent yet: {error.what}")

    def untold(self) -> Sequence[str]:
        """Runs with a notice that is due: of a process that died, or of what a look at the history found."""
        now = self.clock()
        notices = (one for one in self.store.outbox.deliveries() if one.kind in NOTICES)
        return list(dict.fromkeys(one.run for one in notices if one.next_attempt and one.next_attempt <= now))

    def _drain(self, run: str, stop: threading.Event, tell: Tell) -> None:
        """All that is due on each channel; one that cannot be used, or is slow, stands in no other's way."""
        failed: dict[str, ReportsError] = {}
        again = True
        while again and (channels := self._due(failed)):
            tell("sending")
            again = False
            for channel in channels:
                try:
                    again = self._drain_one(channel, run, stop, failed) or again
                except ReportsError as error:
                    failed[channel] = error
        if failed:
            raise next(iter(failed.values()))

    def _due(self, failed: Collection[str], *, but: str | None = None) -> Sequence[str]:
        """The channels on which something is due, mail first, without those that failed just now and `but`."""
        found = self.store.outbox.channels(self.clock())
        return [one for one in found if one not in failed and one != but]

    def _drain_one(self, channel: str, run: str, stop: threading.Event, failed: Collection[str]) -> bool:
        """Whether it has made way for others before it was done; those of one run are sent in one go."""
        if reason := self._closed(channel):
            self._hold(channel, reason)
        elif channel:
            turn = Turn(stop, lambda: not run and bool(self._due(failed, but=channel)), length=self.turn)
            self._through(channel, turn).drain(run)
            return turn.made_way and not stop.is_set()
        else:
            self._mail(run, stop)
        return False

    def _mail(self, run: str, stop: threading.Event) -> None:
        if not self.pooled:
            self._sender(stop).drain(run)
            return
        senders = [self._sender(stop) for _ in range(self._connections())]
        with ThreadPoolExecutor(len(senders)) as pool:
            try:
                for done in [pool.submit(sender.drain, run) for sender in senders]:
                    done.result()
            except BaseException:  # the others end after the message that they have in hand
                stop.set()
                raise

    def _closed(self, channel: str) -> str:
        """Why nothing may go out on that channel as settings are now; empty if it may."""
        if channel and channel not in self.settings.channels:
            return f"settings.toml has no [channels.{channel}] any more; add it, then: reports outbox release"
        if channel and self.settings.mail.redirect:
            return "[mail] redirect is set: this is not production, and nothing goes out on a channel beside mail"
        return ""

    def _hold(self, channel: str, reason: str) -> None:
        """What waits on that channel waits for a person's decision from now on."""
        now = self.clock()
        waiting = self.store.outbox.waiting(channel, now)
        self.store.outbox.change(waiting, to="held", states=("pending",), now=now, reason=reason)

    def _through(self, channel: str, stop: threading.Event) -> Sender:
        return Sender(
            store=self.store,
            transport=opened(channel, self.settings),
            mail=self.settings.mail,
            owner=leases.new_owner(),
            clock=self.clock,
            stop=stop,
            account=f"channel {channel}",
            channel=channel,
        )

    def _connections(self) -> int:
        most = resolve(self.settings.mail).provider.limits.connections
        return min(self.settings.mail.connections, most or self.settings.mail.connections)

    def _sender(self, stop: threading.Event) -> Sender:
        account = resolve(self.settings.mail)
        return Sender(
            store=self.store,
            transport=opened("", self.settings),
            mail=self.settings.mail,
            owner=leases.new_owner(),
            clock=self.clock,
            stop=stop,
            account=f"{account.provider.key} {account.user or account.sender}",
        )
