"""Telling the owner: once when something stops working, once when it works again, and on record either way."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from operator import itemgetter

from reports import addressing, jobs, notices
from reports.definition import Job
from reports.errors import ReportsError
from reports.model import Delivery, MessageKind, Outgoing, Report, Run
from reports.settings import Settings
from reports.store import Store
from reports.transports import mime
from reports.transports.account import resolve

_log = logging.getLogger("reports.delivery")
NOBODY = "nobody was told: neither the job's owner nor [mail] admins are set"


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
        notice, note = self._message(
            run,
            job,
            "failure",
            partial(make, run, title=_title(run, job), error=error, log=run.log),
        )
        told = self.store.runs.fail(run, owner=owner, notice=notice)
        self.store.runs.note(run.id, note if told or not notice else "told before: it has failed since then")

    def missed(self) -> Sequence[str]:
        """Tells of occurrences that went by with no run, once a streak of the job; the jobs told of."""
        untold = sorted(self.store.runs.untold(), key=lambda run: (run.job, run.occurrence or run.started))
        return [name for name, runs in groupby(untold, key=lambda run: run.job) if self._missed(list(runs))]

    def _missed(self, runs: Sequence[Run]) -> bool:
        last = runs[-1]
        job = self.job(last.job)
        zone = job.zone(self.settings.timezone) if job else self.settings.timezone
        make = partial(notices.missed, last, runs=runs, title=_title(last, job), zone=zone)
        notice, note = self._message(last, job, "failure", make)
        return self.store.runs.miss(
            [run.id for run in runs],
            job=last.job,
            at=self.clock(),
            notice=notice,
            note=note,
            told_before="told before: it has failed since then",
        )

    def recovery(self, run: Run, job: Job) -> Outgoing | None:
        """The notice that the job's runs work again, if they did not."""
        since = self.store.troubles.open(run.job).get("")
        if since is None:
            return None
        return self._message(run, job, "recovery", partial(notices.recovery, run, title=job.title, since=since))[0]

    def of_deliveries(self) -> Sequence[str]:
        """Tells of recipients who did not get a report, and of those who get them again; the runs that have notices."""
        told = [self._undelivered(deliveries) for deliveries in self.store.troubles.failing()]
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
        notice, note = self._message(
            run,
            job,
            "failure",
            partial(notices.undelivered, run, title=_title(run, job), deliveries=deliveries),
        )
        told = self.store.troubles.tell(deliveries, now=self.clock(), notice=notice, run_id=run.id)
        if told or not notice:
            self.store.runs.note(run.id, note)
        return run.id if told else ""

    def _delivered_again(self, deliveries: Sequence[Delivery]) -> str:
        run = self.store.runs.find(deliveries[-1].run)
        job = self.job(run.job)
        troubles = self.store.troubles.open(run.job)
        about = sorted({delivery.recipient for delivery in deliveries} & set(troubles))
        if not about:
            return ""
        since = min(troubles[recipient] for recipient in about)
        notice, _ = self._message(
            run,
            job,
            "recovery",
            partial(notices.recovery, run, title=_title(run, job), since=since, about=about),
        )
        told = self.store.troubles.settle(run.job, about, run_id=run.id, recovery=notice)
        return run.id if told else ""

    def job(self, name: str) -> Job | None:
        """The job, or None where it cannot be read any more."""
        try:
            return jobs.load(name, self.settings)
        except ReportsError:
            return None

    def _message(
        self, run: Run, job: Job | None, kind: MessageKind, make: Callable[..., Report]
    ) -> tuple[Outgoing | None, str]:
        """The notice on its way to those who own the job, and who they are; or None and why not."""
        try:
            owners = addressing.owners(job, self.settings)
            if not owners:
                return None, NOBODY
            envelope = addressing.redirected(addressing.Envelope(to=owners, kind=kind), self.settings)
            report = make(settings=self.settings, banner=envelope.banner)
            return self._outgoing(run, envelope, report), f"told {', '.join(envelope.to)}"
        except ReportsError as error:
            return None, f"nobody was told: {self.settings.mask(error.what)}"

    def _outgoing(self, run: Run, envelope: addressing.Envelope, report: Report) -> Outgoing:
        mail, now = self.settings.mail, self.clock()
        message = mime.compose(
            report,
            sender=resolve(mail).sender,
            to=envelope.to,
            reply_to=mail.reply_to,
            key=f"{run.key} {envelope.kind} {now.isoformat()}",
            date=now,
        )
        return Outgoing(message=message, kind=envelope.kind, expires=now + mail.expires, on_unknown=mail.on_unknown)


def _title(run: Run, job: Job | None) -> str:
    return job.title if job else run.job
