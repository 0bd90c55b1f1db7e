"""Runs that did not end well: begun again where their job says so, else settled, and their owner told."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from reports import leases
from reports.definition import Job, Retry
from reports.errors import ReportsError, Superseded
from reports.model import Run
from reports.settings import Settings
from reports.store import Store
from reports.telling import Teller

MOST_BEGUN = 5
"""How often a run is begun whose process dies under it, before that is called its own doing."""
AT_ONCE = dt.timedelta()
LONGEST_WAIT = dt.timedelta(hours=1)
_log = logging.getLogger("reports.runs")


def wait(retry: Retry, attempt: int) -> dt.timedelta:
    """The wait after that attempt: the job's own, doubled each time, up to an hour unless the job's is longer."""
    doubled: dt.timedelta = retry.wait * 2 ** (attempt - 1)
    return min(doubled, max(retry.wait, LONGEST_WAIT))


@dataclass(frozen=True, kw_only=True)
class Settler:
    """What becomes of a run that ended badly, written down in one place whoever found it out."""

    settings: Settings
    store: Store
    clock: Callable[[], dt.datetime]

    def failed(self, run: Run, *, owner: str, job: Job | None, error: ReportsError) -> str:
        """Begun again after a wait if the error may pass and the job wants that; else failed, and told.

        Gives the state that the run has now.
        """
        retry = job.retry if job and run.occurrence else Retry()
        if error.temporary and run.attempt < retry.attempts:
            return self._again(run, owner=owner, error=error, after=wait(retry, run.attempt))
        self.teller.failed(run, owner=owner, job=job, error=error)
        _log.warning("run failed", extra={"job": run.job, "run": run.id, "attempt": run.attempt, "error": error.what})
        return "failed"

    def interrupted(self, *, mine: Collection[str] | None = None, by_lease: bool = True) -> None:
        """Settles the runs whose process has died: scheduled ones begin again, of others their owners are told.

        `mine` are the owners of the runs that go on in this process: they live, whatever their leases say, and all
        others of this process do not. Without `by_lease` only those count as dead who can be seen to be. Without `mine`
        it is a look in passing, which takes nothing from a process that can be seen to live.
        """
        now, owners = self.clock(), self.store.owners()
        dead = leases.dead(owners, here=self.store.is_local)
        dead += [one for one in owners if mine is not None and leases.is_own(one) and one not in mine]
        for run, owner in self.store.runs.overdue(now, dead=dead):
            if owner in (mine or ()) or not (by_lease or owner in dead):
                continue
            if mine is None and leases.is_alive(owner):  # a machine that slept: it will renew its leases in a moment
                continue
            died = ReportsError(
                "the process that ran it ended before it was done",
                hint="nothing of it was sent; run it again",
                temporary=True,
            )
            with contextlib.suppress(Superseded):  # another process was quicker
                self.cut_short(replace(run, finished=now), owner=owner, error=died)

    def cut_short(self, run: Run, *, owner: str, error: ReportsError, after: dt.timedelta = AT_ONCE) -> str:
        """A run whose process was taken from under it; it did nothing wrong, so it is begun again, a few times.

        Gives the state that the run has now.
        """
        job = self.teller.job(run.job)
        if run.occurrence and run.attempt < max(MOST_BEGUN, job.retry.attempts if job else 0):
            return self._again(run, owner=owner, error=error, after=after)
        over = replace(run, state="interrupted", finished=run.finished or self.clock(), error=str(error))
        self.teller.failed(over, owner=owner, job=job, error=error)
        _log.warning("run interrupted", extra={"job": run.job, "run": run.id, "error": error.what})
        return "interrupted"

    def _again(self, run: Run, *, owner: str, error: ReportsError, after: dt.timedelta) -> str:
        due = self.clock() + after
        told = f"attempt {run.attempt} did not end well: {self.settings.mask(error.what)}"
        self.store.runs.requeue(
            replace(
                run,
                state="queued",
                attempt=run.attempt + 1,
                due=due,
                finished=None,
                error=self.settings.mask(str(error)),
                log="\n".join(filter(None, [run.log, told])),
            ),
            owner=owner,
        )
        about = {"job": run.job, "run": run.id, "attempt": run.attempt + 1, "due": due, "error": error.what}
        _log.warning("run retried", extra=about)
        return "queued"

    @property
    def teller(self) -> Teller:
        return Teller(settings=self.settings, store=self.store, clock=self.clock)
