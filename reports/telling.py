"""Telling the owner: once when something stops working, once when it works again, and on record either way."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from operator import itemgetter

from reports import jobs, notices
from reports.alerting import Notice, Writer, Written
from reports.definition import Job, Severity
from reports.errors import ReportsError
from reports.model import Delivery, MessageKind, Outgoing, Report, Run
from reports.settings import Settings
from reports.store import Store

_log = logging.getLogger("reports.delivery")


@dataclass(frozen=True, kw_only=True)
class Teller:
    """Writes notices into the outbox. What keeps it from telling is noted on the run, and shown with it."""

    settings: Settings
    store: Store
    clock: Callable[[], dt.datetime]

    def failed(self, run: Run, *, owner: str, job: Job | None, error: ReportsError) -> None:
        """Settles the run as it says, failed or interrupted, with one notice a streak; of a test nobody is told."""
        if run.trigger == "test":
            self.store.runs.fail(run, owner=owner)
            self.store.runs.note(run.id, "nobody was told: it was a test, asked for with --to")
            return
        make = notices.interrupted if run.state == "interrupted" else notices.failure
        made = partial(make, run, title=_title(run, job), error=error, log=run.log)
        written = self._written(run, job, "failure", made, what=[error.what])
        told = self.store.runs.fail(run, owner=owner, notices=written.messages)
        self.store.runs.note(run.id, written.note(told))

    def missed(self) -> Sequence[str]:
        """Tells of occurrences that went by with no run, once a streak of the job; the jobs told of."""
        untold = sorted(self.store.runs.untold(), key=lambda run: (run.job, run.occurrence or run.started))
        return [name for name, runs in groupby(untold, key=lambda run: run.job) if self._missed(list(runs))]

    def _missed(self, runs: Sequence[Run]) -> bool:
        last = runs[-1]
        job = self.job(last.job)
        zone = job.zone(self.settings.timezone) if job else self.settings.timezone
        make = partial(notices.missed, last, runs=runs, title=_title(last, job), zone=zone)
        written = self._written(last, job, "failure", make, what=[last.error.partition("\n")[0]])
        ids, now = [run.id for run in runs], self.clock()
        return bool(self.store.runs.miss(ids, job=last.job, at=now, notices=written.messages, note=written.note))

    def recoveries(self, run: Run, job: Job) -> Sequence[Outgoing]:
        """The notices that the job's runs work again, if they did not, to those too whom an escalation has reached."""
        since = self.store.troubles.open(run.job).get("")
        if since is None:
            return ()
        make = partial(notices.recovery, run, title=job.title, since=since)
        besides = self.store.troubles.told_later(run.job, [""])
        return self._written(run, job, "recovery", make, besides=besides).messages

    def of_deliveries(self) -> Sequence[str]:
        """Tells of recipients who did not get a report, and of those who get them again; the runs that have notices."""
        told = [self._undelivered(deliveries) for deliveries in self.store.troubles.failing()]
        for deliveries in self.store.troubles.unheard():
            self._unheard(deliveries)
        recovered = sorted(self.store.troubles.recovered(), key=itemgetter(0))
        for _, group in groupby(recovered, key=itemgetter(0)):
            told.append(self._delivered_again([delivery for _, _, delivery in group]))
        return list(dict.fromkeys(filter(None, told)))

    def _undelivered(self, deliveries: Sequence[Delivery]) -> str:
        for one in deliveries:
            if one.state == "expired":  # which no sender has seen happen
                about = {"job": one.job, "run": one.run, "message_id": one.message_id, "recipient": one.recipient}
                _log.warning("delivery expired", extra=about | {"reply": one.last_reply})
        run = self.store.runs.find(deliveries[0].run)
        job = self.job(run.job)
        make = partial(notices.undelivered, run, title=_title(run, job), deliveries=deliveries)
        written = self._written(run, job, "failure", make, what=[_did_not_get_it(deliveries)])
        told = self.store.troubles.tell(deliveries, now=self.clock(), notices=written.messages, run_id=run.id)
        if told or not written.messages:
            self.store.runs.note(run.id, written.note(told))
        return run.id if told else ""

    def _unheard(self, deliveries: Sequence[Delivery]) -> None:
        """Of a notice that did not reach somebody no other notice tells: it stands with the run, and in the log."""
        said = [f"{one.who} ({one.state}: {one.last_reply})" for one in deliveries]
        words = self.settings.mask(f"could not be told: {'; '.join(said)}")
        if self.store.troubles.note_unheard(deliveries, words=words, now=self.clock()):
            _log.warning("notice unheard", extra={"job": deliveries[0].job, "run": deliveries[0].run, "why": words})

    def _delivered_again(self, deliveries: Sequence[Delivery]) -> str:
        run = self.store.runs.find(deliveries[-1].run)
        job = self.job(run.job)
        troubles = self.store.troubles.open(run.job)
        about = sorted({one.who for one in deliveries} & set(troubles))
        if not about:
            return ""
        since = min(troubles[recipient] for recipient in about)
        make = partial(notices.recovery, run, title=_title(run, job), since=since, about=about)
        besides = self.store.troubles.told_later(run.job, about)
        recoveries = self._written(run, job, "recovery", make, besides=besides).messages
        told = self.store.troubles.settle(run.job, about, run_id=run.id, recoveries=recoveries, now=self.clock())
        return run.id if told else ""

    def job(self, name: str) -> Job | None:
        """The job, or None where it cannot be read any more."""
        try:
            return jobs.load(name, self.settings)
        except ReportsError:
            return None

    def _written(
        self,
        run: Run,
        job: Job | None,
        kind: MessageKind,
        make: Callable[..., Report],
        *,
        what: Sequence[str] = (),
        besides: Mapping[str, Sequence[str]] | None = None,
    ) -> Written:
        """The notice on its way to all whom the alerts of the job name; what keeps somebody from it is in there."""
        severity: Severity = "info" if kind == "recovery" else "error"
        notice = Notice(run=run, job=job, kind=kind, severity=severity, make=make, what=what, besides=besides or {})
        return Writer(settings=self.settings, now=self.clock()).write(notice)


def _did_not_get_it(deliveries: Sequence[Delivery]) -> str:
    if len(deliveries) > 1:
        return f"{len(deliveries):,} recipients did not get it"
    (one,) = deliveries
    return f"{one.who} did not get it: {one.last_reply or one.state}"


def _title(run: Run, job: Job | None) -> str:
    return job.title if job else run.job
