"""Runs from the queue into child processes, and their ends into the store, whatever kind of end it was."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from reports import leases
from reports.agenda import Manner
from reports.children import AGAIN, Child, Ended, Limits, Nursery
from reports.errors import NoSuchRun, ReportsError, StoreError, Superseded
from reports.health import Meter
from reports.model import Run
from reports.pings import Pings
from reports.settings import Settings
from reports.settling import AT_ONCE, Settler
from reports.store import Store

_log = logging.getLogger("reports.runs")
NO_PROCESS = dt.timedelta(seconds=30)
"""The wait where this machine has no process to give."""
NO_STORE = dt.timedelta(seconds=2)
"""The first wait where a run could not be stored; it doubles."""
BEGUN_AGAIN = "it is begun again by itself"
STOPPED = "the service was stopped"


@dataclass(frozen=True, kw_only=True)
class Order:
    """A run that is handed to a child process: with which settings, by whom it was claimed, and by which clock.

    The settings are the service's own, for the file may be broken by now; `ahead` is by how much that clock is ahead
    of the machine's.
    """

    settings: Settings
    run: Run
    owner: str
    ahead: dt.timedelta = dt.timedelta()


@dataclass
class _Going:
    """A run in its child; `told` is as much of its log as the store has."""

    run: Run
    child: Child
    ping: str = ""
    told: str = ""
    replaced: str = ""


@dataclass
class Runner:
    """As many runs at once as the settings allow. What cannot be written down now is kept for the next look."""

    settings: Settings
    store: Store
    clock: Callable[[], dt.datetime]
    nursery: Nursery
    pings: Pings
    meter: Meter
    manners: Mapping[str, Manner] = field(default_factory=dict)
    _going: dict[str, _Going] = field(default_factory=dict, init=False, repr=False)

    @property
    def going(self) -> int:
        return len(self._going)

    @property
    def owners(self) -> Sequence[str]:
        """The names under which its runs are leased."""
        return list(self._going)

    @property
    def _settler(self) -> Settler:
        return Settler(settings=self.settings, store=self.store, clock=self.clock)

    # -- from the queue --------------------------------------------------------------------------------

    def take(self, overlapping: Sequence[str]) -> int:
        """Begins as many of the queued runs as there is room for; how many that were."""
        now, room = self.clock(), self.settings.service.concurrency - len(self._going)
        if room <= 0:
            return 0
        owners = [leases.new_owner() for _ in range(room)]
        taken = self.store.runs.take(now=now, until=now + leases.LENGTH, owners=owners, overlapping=overlapping)
        for run, owner in taken:
            self._begin(run, owner)
        return len(taken)

    def _begin(self, run: Run, owner: str) -> None:
        manner = self.manners.get(run.job, Manner())
        ahead = self.clock() - dt.datetime.now(dt.UTC)
        order = Order(settings=self.settings, run=run, owner=owner, ahead=ahead)
        try:
            child = self.nursery.start(order, self._limits(manner), name=f"{run.job} {run.id}")
        except ReportsError as error:  # this machine has no process left to give
            self._settler.cut_short(run, owner=owner, error=error, after=NO_PROCESS)
            return
        self._going[owner] = _Going(run, child, manner.ping)
        _log.info(
            "run started",
            extra=_about(run) | {"late": _seconds(run.late), "waited": _seconds(run.waited), "attempt": run.attempt},
        )
        self.meter.started(run)
        if manner.ping:
            self.pings.send(manner.ping, "start", run=run.id)

    def _limits(self, manner: Manner) -> Limits:
        service = self.settings.service
        time = manner.time_limit or service.time_limit
        return Limits(time=time.total_seconds(), memory=manner.memory_limit or service.memory_limit)

    # -- while they go on ------------------------------------------------------------------------------

    def renew(self) -> None:
        """The leases of all that go on last for another while."""
        if self._going:
            self.store.runs.renew_all(list(self._going), until=self.clock() + leases.LENGTH)

    def stop_the_replaced(self) -> None:
        """Runs that somebody asked to end are ended."""
        if not self._going:
            return
        asked = self.store.runs.asked(list(self._going))
        for one in self._going.values():
            if (reason := asked.get(one.run.id)) and not one.replaced:
                one.replaced = reason
                one.child.kill(reason)

    def keep_logs(self) -> None:
        """What the runs have said so far can be read by everybody."""
        for owner, one in self._going.items():
            if (log := self._log_of(one, one.child.output())) != one.told:
                self.store.runs.keep_log(one.run.id, owner=owner, log=log)
                one.told = log

    def _log_of(self, one: _Going, output: str) -> str:
        return self.settings.mask("\n".join(filter(None, [one.run.log, output.rstrip("\n")])))

    # -- how they end ----------------------------------------------------------------------------------

    def look(self) -> int:
        """Settles the runs whose child has ended; how many. Those that meet a StoreError are left for the next look."""
        over = [(owner, ended) for owner, one in self._going.items() if (ended := one.child.poll()) is not None]
        away: StoreError | None = None
        for owner, ended in over:
            try:
                self._settle(owner, self._going[owner], ended)
            except NoSuchRun as error:  # nothing is left to be settled
                _log.error("run lost", extra=_about(self._going[owner].run) | {"error": error.what})
            except StoreError as error:  # what it met may be of this run alone
                away = error
                continue
            del self._going[owner]
        if away:
            raise away
        return len(over)

    def _settle(self, owner: str, one: _Going, ended: Ended) -> None:
        kept = self.store.runs.find(one.run.id)
        log = self._log_of(one, one.child.output())
        if kept.state == "running" and self.store.runs.renew(kept.id, owner=owner, until=self.clock() + leases.LENGTH):
            try:
                self._cut_off(replace(kept, finished=self.clock(), log=log), owner, one, ended)
            except Superseded:  # it was taken for dead, and another process has settled it
                _log.warning("run taken over", extra=_about(kept))
        else:
            waits = kept.state == "queued"  # its child has put it back, for another attempt; nobody's until then
            self.store.runs.keep_log(kept.id, owner="" if waits else owner, log=log)
            if not ended.code:
                _tell_of_failure(kept)
        self._tell(self.store.runs.find(kept.id), one)

    def _cut_off(self, run: Run, owner: str, one: _Going, ended: Ended) -> None:
        """The child has ended and the run has not: what that means."""
        settler = self._settler
        if one.replaced:
            over = replace(
                run, state="interrupted", error=one.replaced, notice="nobody was told: another run replaced it"
            )
            self.store.runs.fail(over, owner=owner)
            _log.warning("run interrupted", extra={"job": run.job, "run": run.id, "error": one.replaced})
        elif ended.killed == "asked":
            settler.cut_short(run, owner=owner, error=ReportsError(ended.reason, hint=BEGUN_AGAIN, temporary=True))
        elif ended.code == AGAIN:
            error = ReportsError("the store could not be told how it ended", hint=BEGUN_AGAIN, temporary=True)
            settler.cut_short(run, owner=owner, error=error, after=NO_STORE * 2 ** (run.attempt - 1))
        elif ended.lost:
            error = ReportsError(ended.reason, hint=BEGUN_AGAIN, temporary=True)
            after = (
                NO_PROCESS if ended.code > 0 else AT_ONCE
            )  # one that never began, as against one that was taken along
            settler.cut_short(run, owner=owner, error=error, after=after)
        else:
            error = _error(ended, one.child.output())
            over = replace(run, state="failed", error=self.settings.mask(str(error)))
            settler.failed(over, owner=owner, job=settler.teller.job(run.job), error=error)

    def _tell(self, run: Run, one: _Going) -> None:
        if run.state in {"queued", "running"}:
            return
        about = _about(run) | {"took": _seconds((run.finished or self.clock()) - run.started)}
        if run.state == "succeeded":
            _log.info("run succeeded", extra=about)
        self.meter.ended(run)
        if one.ping:
            body = "" if run.state == "succeeded" else self.settings.mask(run.error)
            self.pings.send(one.ping, "success" if run.state == "succeeded" else "fail", body=body, run=run.id)

    def stop(self) -> None:
        """Ends what still goes on; it is begun again by the next service."""
        for one in self._going.values():
            one.child.kill(STOPPED)


def _error(ended: Ended, output: str) -> ReportsError:
    """Why the child died, with its last words."""
    last = output.strip().rpartition("\n")[2]
    words = f"; its last line was: {last[:300]}" if last and not ended.killed else ""
    hint = "the end of its log says how far it came; time_limit and memory_limit are keys of job.toml"
    reason = ended.reason or f"it ended itself with exit code {ended.code}"
    return ReportsError(f"{reason}{words}", hint=hint, temporary=ended.temporary)


def _tell_of_failure(run: Run) -> None:
    """A child's own settling of its run, if it did not succeed, as the service tells of those that it settles."""
    about = {"job": run.job, "run": run.id, "error": run.error.partition("\n")[0]}
    if run.state == "failed":
        _log.warning("run failed", extra=about | {"attempt": run.attempt})
    elif run.state == "queued":
        _log.warning("run retried", extra=about | {"attempt": run.attempt, "due": run.due})


def _about(run: Run) -> dict[str, object]:
    return {"job": run.job, "run": run.id, "occurrence": run.occurrence}


def _seconds(length: dt.timedelta) -> float:
    return round(length.total_seconds(), 3)
