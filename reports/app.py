"""The composition root: settings in, an App out, one method for each thing a person can ask for."""

from __future__ import annotations

import datetime as dt
import logging
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from reports import jobs, leases, params, project, shipped, toml
from reports.archive import figures
from reports.archive.packing import INTERNAL
from reports.checking import Checker, Finding
from reports.definition import Job
from reports.dispatch import Dispatch, silent
from reports.errors import DefinitionError, JobError, StoreError
from reports.execution import Execution, Letter, Made, Maker
from reports.model import (
    UNSETTLED,
    Acknowledgement,
    Attempt,
    Beat,
    Before,
    Delivery,
    DeliveryState,
    Message,
    Occurrence,
    Plan,
    Run,
    StoredArtifact,
    Trigger,
    Trouble,
)
from reports.pipeline import Produced, Tell
from reports.planning import Expectation, Planner
from reports.render import html
from reports.schedules.coming import next_run
from reports.settings import Settings, StoreSource
from reports.settling import Settler
from reports.store import Reject, Store, Upload, exists, open_store
from reports.transports import address
from reports.verifying import Verification, Verifier

if TYPE_CHECKING:
    from reports.lint import Verdict
    from reports.uploads.desk import Desk, Outcome
    from reports.uploads.loading import Progress
    from reports.uploads.order import Order

MOST = 1000
"""How many deliveries are listed where none are named, the newest first."""
ALIVE = dt.timedelta(minutes=1)
"""How long after its last beat a service is taken to be at work."""
FAILED: tuple[DeliveryState, ...] = ("refused", "expired")


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@dataclass(frozen=True)
class Wanted:
    """What a person asked of a run: the as-of date, in words or digits, and values for params."""

    as_of: str = ""
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Sent:
    """A run, the messages it became, and what came of them for each recipient; none of that in a dry run."""

    run: Run
    letters: Sequence[Letter]
    deliveries: Sequence[Delivery] = ()
    posts: Sequence[Letter] = ()

    @property
    def every(self) -> Sequence[Letter]:
        """The mails, and then what is said on other channels."""
        return (*self.letters, *self.posts)

    @property
    def produced(self) -> Produced:
        """The first report: that of the job's own lists, or of its first audience."""
        return self.every[0].produced

    @property
    def message(self) -> Message:
        return self.every[0].message

    @property
    def delivered(self) -> bool:
        return bool(self.deliveries) and all(delivery.state == "accepted" for delivery in self.deliveries)


@dataclass(frozen=True)
class History:
    """One run with all that is kept of it."""

    run: Run
    artifacts: Sequence[StoredArtifact]
    deliveries: Sequence[Delivery]
    attempts: Mapping[int, Sequence[Attempt]]
    acknowledgements: Sequence[Acknowledgement] = ()


def open_app(root: Path) -> App:
    """The App of the project in `root`; a SettingsError tells every mistake in its settings."""
    return App(*project.read_settings(root))


@dataclass(frozen=True)
class App:
    """A project at work. The clock and the ids are arguments, so that a run can be repeated exactly.

    The store is opened when it is first needed; `close()` lets go of it.
    """

    settings: Settings
    document: toml.Document | None = None
    clock: Callable[[], dt.datetime] = _now
    new_id: Callable[[], str] = lambda: secrets.token_hex(8)

    @cached_property
    def store(self) -> Store:
        return open_store(self.settings.store, self.settings.data_folder)

    def close(self) -> None:
        if "store" in vars(self):
            self.store.close()
            del vars(self)["store"]

    # -- what there is --------------------------------------------------------------------------------

    def jobs(self) -> Mapping[str, Job | JobError]:
        """Every job by name, a broken one as its error."""
        return jobs.load_all(self.settings)

    def known(self, name: str) -> None:
        """A JobError with the nearest name if there is no such job; one that is broken is one."""
        if name not in jobs.names(self.settings):
            jobs.load(name, self.settings)

    def check(self, name: str = "", *, connect: bool = False) -> Iterator[Finding]:
        """What holds and what does not: jobs, sources, store and mail, and with `connect` the other sides."""
        return self._checker.check(name, connect=connect)

    @property
    def _checker(self) -> Checker:
        return Checker(settings=self.settings, document=self.document, history=self._history, clock=self.clock)

    def _history(self) -> Store | None:
        """The store, unless there is none yet: to look at it does not make one."""
        return self.store if exists(self.settings.store, self.settings.data_folder) else None

    # -- the left half --------------------------------------------------------------------------------

    def dry_run(self, name: str, wanted: Wanted, *, to: Sequence[str] = (), tell: Tell = silent) -> Sent:
        """The finished message as `run` would send it; nothing is kept and nothing sent."""
        job = jobs.load(name, self.settings)
        run = self._run(job, wanted)
        self._ready(job)
        before = self._before(run, tell)
        return _sent(Maker(job=job, run=run, settings=self.settings, tell=tell, only=to, before=before).make())

    def _before(self, run: Run, tell: Tell) -> Before | None:
        """What the figures are compared with; a store that cannot be reached stands in nobody's way here."""
        try:
            return figures.before(self._history(), run)
        except StoreError as error:
            tell(f"the figures are compared with nothing: {error.what}")
            return None

    def lint(self, name: str, wanted: Wanted, *, tell: Tell = silent) -> Mapping[str, Verdict]:
        """What each mail client makes of the mails that `run` would send, by audience; nothing is kept or sent."""
        return self.verdicts(self.dry_run(name, wanted, tell=tell))

    def verdicts(self, sent: Sent) -> Mapping[str, Verdict]:
        """What each mail client makes of these messages, by audience; the job's own lists have the name ''."""
        from reports import lint  # noqa: PLC0415  a parser of CSS, which other commands do without

        root = self.settings.root
        job = jobs.load(sent.run.job, self.settings)
        texts = html.read_templates(job.template, shipped.template_folders(root))
        named = {
            Path(name).relative_to(root) if Path(name).is_relative_to(root) else name: texts[name] for name in texts
        }
        templates = [lint.Template(str(name), text) for name, text in named.items()]
        return {letter.name: lint.check(letter.message.content, templates) for letter in sent.letters}

    def run(self, name: str, wanted: Wanted, *, to: Sequence[str] = (), tell: Tell = silent) -> Sent:
        """Run the job, keep it, deliver its message at once and say what came of it for each recipient.

        What was not taken stays in the outbox. An error of the run is kept with it and told to its owner.
        """
        trigger: Trigger = "test" if to else "manual"
        job = self._load(name, trigger)
        run = self._run(job, wanted, trigger)
        execution = self._execution(tell)
        self._settler.interrupted()
        try:
            made = execution.execute(job, run, ready=lambda: self._ready(job), only=to)
        except Exception:
            self._dispatch.deliver_quietly(run.id, *self._dispatch.untold())
            raise
        self.deliver(run.id, tell=tell)
        self._dispatch.deliver_quietly(*self._dispatch.untold())
        self._prune()
        return _sent(made, self.store.outbox.select([one.message.message_id for one in made.every], states=()))

    @property
    def _settler(self) -> Settler:
        return Settler(settings=self.settings, store=self.store, clock=self.clock)

    def _execution(self, tell: Tell) -> Execution:
        return Execution(
            settings=self.settings, store=self.store, clock=self.clock, owner=leases.new_owner(), tell=tell
        )

    def carry_out(self, run: Run, *, owner: str) -> bool:
        """A run that `owner` took from the queue, made and settled; False if the store could not be told the end.

        Its steps are logged; its messages are left to whoever delivers.
        """
        log = logging.getLogger("reports.run")
        execution = Execution(settings=self.settings, store=self.store, clock=self.clock, owner=owner, tell=log.info)
        return execution.carry_out(run, ready=self._ready)

    def _load(self, name: str, trigger: Trigger) -> Job:
        """The job; one that is broken is kept as a failed run, and whoever runs this project is told."""
        try:
            return jobs.load(name, self.settings)
        except JobError as error:
            if name in jobs.names(self.settings):
                now = self.clock()
                run = Run(id=self.new_id(), job=name, as_of=self.settings.today(now), started=now, trigger=trigger)
                self._execution(silent).broken(run, error)
                self._dispatch.deliver_quietly(run.id)
            raise

    def _run(self, job: Job, wanted: Wanted, trigger: Trigger = "manual") -> Run:
        started = self.clock()
        today = self.settings.today(started)
        as_of = params.to_date(wanted.as_of, today, name="--as-of") if wanted.as_of else today
        values = params.resolve(job, wanted.params, as_of)
        return Run(id=self.new_id(), job=job.name, as_of=as_of, started=started, params=values, trigger=trigger)

    def _ready(self, job: Job) -> None:
        """An error for what would stop the job before it has read a row."""
        read: dict[str, str | None] = {}
        if any(isinstance(self.settings.sources[query.source], StoreSource) for query in job.queries):
            _ = self.store  # made, if nothing was kept yet: its tables are then there to be read
        for query in job.queries:
            read[query.source] = f"{read.get(query.source, '')}\n{query.sql}"
        self._checker.files_are_there(read)

    # -- the right half -------------------------------------------------------------------------------

    def deliver(self, run: str = "", *, stop: threading.Event | None = None, tell: Tell = silent) -> None:
        """Try all that is due, of one run or of all, and tell owners of what nobody will get."""
        self._dispatch.deliver(run, stop=stop, tell=tell)

    @property
    def _dispatch(self) -> Dispatch:
        return Dispatch(settings=self.settings, store=self.store, clock=self.clock)

    def _prune(self) -> None:
        options = self.settings.store
        self.store.runs.prune(self.clock(), keep=options.keep, keep_runs=options.keep_runs)

    # -- when ---------------------------------------------------------------------------------------------

    def upcoming(self, job: Job, *, after: dt.datetime | None = None) -> Iterator[Occurrence]:
        """The occurrences of the job from now on, or after that instant, with the reason for each that is not plain."""
        return Expectation.of(job, self.settings).after(after or self.clock())

    def next_run(self, job: Job) -> Occurrence | None:
        """The next occurrence that is not skipped; None if there is none, or never will be."""
        settings = self.settings
        return next_run(job.schedule, timezone=settings.timezone, calendar=settings.calendar, after=self.clock())

    def zone(self, job: Job) -> ZoneInfo:
        """The job's time zone: that of the first of its schedules that names one, else the project's."""
        return ZoneInfo(job.zone(self.settings.timezone))

    def paused(self) -> Mapping[str, Plan]:
        """The jobs that are paused, with since when and why."""
        plans = store.plans.every() if (store := self._history()) else {}
        return {name: plan for name, plan in plans.items() if plan.paused}

    def pause(self, name: str, note: str = "") -> bool:
        """Nothing of the job starts by its schedule from now on; False if that was so already."""
        self.known(name)
        return self.store.plans.pause(name, now=self.clock(), note=note)

    def resume(self, name: str) -> bool:
        """Its schedule counts again from now on; False if it did all the time."""
        self.known(name)
        now = self.clock()
        planner = Planner(now=now, new_id=self.new_id)
        while self.store.plans.account([name], planner.account_as_kept):
            pass  # what fell due meanwhile is missed because of it, in as many steps as that takes
        return self.store.plans.resume(name, now=now)

    def services(self) -> Sequence[Beat]:
        """Services of this store that are at work, as far as they were heard of lately."""
        beats = store.services.every() if (store := self._history()) else ()
        now = self.clock()
        return [one for one in beats if not one.stopped and now - one.beat < ALIVE]

    # -- uploads --------------------------------------------------------------------------------------

    def upload(
        self,
        items: Sequence[Any],
        order: Order,
        *,
        notify: Sequence[str] = (),
        tell: Tell = silent,
        told: Callable[[Progress], None] = lambda _: None,
    ) -> Sequence[Outcome]:
        """Files, or frames, into a table: what became of each. Whoever is in `notify` is told at the end."""
        return self._desk(tell, told).take(items, order, notify=notify)

    def resume_upload(
        self,
        upload_id: str,
        order: Order,
        *,
        notify: Sequence[str] = (),
        tell: Tell = silent,
        told: Callable[[Progress], None] = lambda _: None,
    ) -> Sequence[Outcome]:
        """An upload that stopped goes on, with the file and the table that it had."""
        desk = self._desk(tell, told)
        file, again = desk.order_of(upload_id, order)
        return desk.take([file], again, notify=notify)

    def uploads(self, limit: int = 100) -> Sequence[Upload]:
        """The newest uploads; those whose process has died are shown as interrupted."""
        if (store := self._history()) is None:
            return ()
        self._settle_uploads(store)
        return store.uploads.list(limit)

    def show_upload(self, upload_id: str) -> tuple[Upload, Mapping[str, int], Iterator[Reject]]:
        """An upload by its id, or the beginning of it, with the causes of its rejected rows, and these."""
        if (store := self._history()) is None:
            raise StoreError("nothing has been uploaded here yet", hint="reports upload FILE --to SOURCE.TABLE")
        self._settle_uploads(store)
        found = store.uploads.find(upload_id)
        return found, store.uploads.causes(found.id), store.uploads.rejects(found.id)

    def _settle_uploads(self, store: Store) -> None:
        dead = leases.dead(store.uploads.owners(), here=store.is_local)
        store.uploads.settle(self.clock(), dead=dead)

    def _desk(self, tell: Tell, told: Callable[[Progress], None]) -> Desk:
        from reports.uploads.desk import Desk  # noqa: PLC0415  DuckDB and openpyxl, which other commands do without

        return Desk(
            settings=self.settings,
            store=self.store,
            clock=self.clock,
            new_id=self.new_id,
            deliver=lambda run: self.deliver(run, tell=tell),
            tell=tell,
            told=told,
        )

    # -- what fails -----------------------------------------------------------------------------------

    def troubles(self, job: str = "") -> Sequence[Trouble]:
        """What is failing now, of one job or of all."""
        return store.troubles.every(job) if (store := self._history()) else ()

    def coming_alerts(self, job: str = "") -> Sequence[Delivery]:
        """What is to be told later: escalations, and messages that quiet hours hold, the next first."""
        if (store := self._history()) is None:
            return ()
        now = self.clock()
        found = [one for one in store.outbox.deliveries(job=job) if one.state == "pending" and _is_to_come(one, now)]
        return sorted(found, key=lambda one: (one.next_attempt or now, one.id))

    def acknowledge(self, which: str, *, who: str, note: str = "") -> tuple[Sequence[Trouble], Sequence[Delivery]]:
        """Somebody has taken note of what fails: of a job, or of what a run began or was one more time of.

        Gives these troubles, and what waited to be told of them and is cancelled by it. A StoreError where nothing
        of that fails.
        """
        store = self._history()
        every = store.troubles.every() if store else ()
        is_job = which in jobs.names(self.settings) or which in {one.job for one in every}
        named = None if is_job or store is None else store.runs.find(which)
        job = named.job if named else which
        open_now = [one for one in every if one.job == job]
        begun = [one for one in open_now if named and one.run == named.id]
        troubles = begun or [one for one in open_now if not named or named.started >= one.since]
        if store is None or not troubles:
            raise StoreError(f"nothing of {job} fails now", hint=f"reports runs {job} shows how it went")
        said = Acknowledgement(at=self.clock(), who=who, note=note)
        return troubles, store.troubles.acknowledge(troubles, said, also=[named.id] if named else ())

    # -- history and outbox ---------------------------------------------------------------------------

    def runs(self, job: str = "", limit: int = 100) -> Sequence[Run]:
        """The newest runs, of one job or of all; those whose process has died are settled first."""
        if (store := self._history()) is None:
            return ()
        self._settle_dead()
        return store.runs.list(job=job, limit=limit)

    def _settle_dead(self) -> None:
        """What a process that has died left running or sending is shown as what became of it."""
        self._settler.interrupted()
        self._dispatch.take_up()

    def last_runs(self) -> Mapping[str, Run]:
        """The newest run of each job that has one."""
        if store := self._history():
            self._settle_dead()
        return store.runs.lasts() if store else {}

    def totals(self, runs: Sequence[Run]) -> Mapping[str, Mapping[DeliveryState, int]]:
        """How many deliveries of the reports of each run are in which state."""
        store = self._history()
        return store.outbox.totals([run.id for run in runs]) if store and runs else {}

    def show(self, run_id: str) -> History:
        """A run by its id, or the beginning of it, with artifacts, deliveries and each attempt."""
        if (store := self._history()) is None:
            raise StoreError("no run is kept here yet", hint="reports run JOB makes one")
        self._settle_dead()
        run = store.runs.find(run_id)
        deliveries = self._of_run(run.id)
        attempts = store.outbox.attempts([delivery.id for delivery in deliveries])
        files = [one for one in store.runs.artifacts(run.id) if one.media_type not in INTERNAL]
        return History(run, files, deliveries, attempts, store.troubles.acknowledgements(run.id))

    def verify(self, run_id: str, *, current: bool = False, tell: Tell = silent) -> Verification:
        """A run by its id, made again from what it fetched then and compared with what it made then."""
        verifier = self._verifier(current, tell)
        return verifier.verify(verifier.store.runs.find(run_id))

    def verify_newest(
        self, job: str = "", limit: int = 10, *, current: bool = False, tell: Tell = silent
    ) -> Iterator[Verification]:
        """The same of the newest runs, of one job or of all, that succeeded and were no tests."""
        good = (run for run in self.runs(job, MOST) if run.state == "succeeded" and run.trigger != "test")
        return map(self._verifier(current, tell).tried, islice(good, limit))

    def _verifier(self, current: bool, tell: Tell) -> Verifier:  # noqa: FBT001  handed on from two methods
        if (store := self._history()) is None:
            raise StoreError("no run is kept here yet", hint="reports run JOB makes one")
        return Verifier(settings=self.settings, store=store, tell=tell, current=current)

    def artifact(self, history: History, name: str) -> bytes:
        """The bytes of a file of that run, as they were sent."""
        found = next((one for one in history.artifacts if one.name == name), None)
        if found is None:
            names = ", ".join(one.name for one in history.artifacts) or "no files"
            raise StoreError(f"run {history.run.id} has no file '{name}'", hint=f"it has: {names}")
        return self.store.artifacts.get(found.sha256)

    def outbox(self, which: Sequence[str] = (), *, every: bool = False) -> Sequence[Delivery]:
        """Deliveries that are not settled, or every one; `which` are runs, messages, jobs or recipients.

        With none named, the newest MOST of them.
        """
        if (store := self._history()) is None:
            return ()
        self._dispatch.take_up()
        if which:
            return store.outbox.select([_as_kept(name) for name in which], states=() if every else UNSETTLED)
        return store.outbox.deliveries(every=every, limit=MOST)

    def retry(self, which: Sequence[str] = (), *, unknown: bool = False, tell: Tell = silent) -> Sequence[Delivery]:
        """Send again, now, to those who did not get it; with names also what was refused or has expired.

        What may have arrived is only sent again with `unknown`.
        """
        if self._history() is None:
            return ()
        self._dispatch.take_up()
        states: tuple[DeliveryState, ...] = ("pending", *(FAILED if which else ()), *(("unknown",) if unknown else ()))
        chosen = self._change(which, to="pending", states=states, reason="retried by hand")
        # Without a name it is all that waits, and owners are told of what nobody knows the end of.
        for run in dict.fromkeys(delivery.run for delivery in chosen) if which else [""]:
            self.deliver(run, tell=tell)
        after = {one.id: one for run in {one.run for one in chosen} for one in self._of_run(run)}
        return [after[delivery.id] for delivery in chosen if delivery.id in after]

    def hold(self, which: Sequence[str]) -> Sequence[Delivery]:
        """Keep pending deliveries from being sent until they are released."""
        return self._change(which, to="held", states=("pending",), reason="held by hand")

    def release(self, which: Sequence[str]) -> Sequence[Delivery]:
        """Let held deliveries go, and named ones whose outcome is unknown: somebody has decided."""
        states: tuple[DeliveryState, ...] = ("held", *(("unknown",) if which else ()))
        return self._change(which, to="pending", states=states, reason="released by hand")

    def cancel(self, which: Sequence[str]) -> Sequence[Delivery]:
        """Settle deliveries that nobody will send any more."""
        return self._change(which, to="cancelled", states=("pending", "held", "unknown"), reason="cancelled by hand")

    def _of_run(self, run: str) -> Sequence[Delivery]:
        return self.store.outbox.select([run], states=())

    def _change(
        self, which: Sequence[str], *, to: DeliveryState, states: Sequence[DeliveryState], reason: str
    ) -> Sequence[Delivery]:
        if (store := self._history()) is None:
            return ()
        now = self.clock()
        chosen = store.outbox.select([_as_kept(name) for name in which], states=states)
        if to == "pending":  # what is told later, if at all, is not hurried by sending again what failed
            chosen = [one for one in chosen if not _is_to_come(one, now)]
        stale = {one.id for one in chosen if to == "pending" and one.expires <= now}
        again = now + self.settings.mail.expires
        ids, late = [one.id for one in chosen if one.id not in stale], list(stale)
        changed = store.outbox.change(ids, to=to, states=states, now=now, reason=reason)
        return [*changed, *store.outbox.change(late, to=to, states=states, now=now, reason=reason, expires=again)]


def _as_kept(name: str) -> str:
    """A recipient as the ledger has it, however a person writes it; any other name as it is."""
    if name.isascii() and "<" not in name[1:]:
        return name
    try:
        return address.parse(name).spec
    except DefinitionError:
        return name


def _is_to_come(one: Delivery, now: dt.datetime) -> bool:
    """Whether its time has not come yet: not one that was tried and waits for its next attempt."""
    return one.state == "pending" and one.attempts == 0 and one.next_attempt is not None and one.next_attempt > now


def _sent(made: Made, deliveries: Sequence[Delivery] = ()) -> Sent:
    return Sent(made.run, made.letters, deliveries, made.posts)
