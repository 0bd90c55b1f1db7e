"""One run, from its first row in the history to the commit of its success with its messages.

Nothing is sent here. A run that was killed on the way leaves a lease that runs out, and is then told of.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import PurePath
from urllib.parse import quote
from zoneinfo import ZoneInfo

from reports import addressing, jobs, leases, oversize, params, routes
from reports.addressing import Envelope
from reports.alerting import alerts_of, held_back, is_warning, key_of
from reports.announcing import Announcer
from reports.archive import figures
from reports.archive.packing import Packer
from reports.definition import Job
from reports.errors import JobError, ReportsError, StoreError, Superseded
from reports.model import Artifact, Before, Message, Outgoing, Report, Run
from reports.pipeline import Pipeline, Produced, Tell
from reports.routes import Route
from reports.settings import Settings
from reports.settling import Settler
from reports.store import Store
from reports.transports import mime
from reports.transports.account import resolve
from reports.transports.address import parse
from reports.written import Key


@dataclass(frozen=True)
class Letter:
    """One message of a run with the report that it is; `name` tells it from the others, the job's own has none.

    `channel` is empty for a mail. It goes out at `due`, where quiet hours hold it till then.
    """

    name: str
    produced: Produced
    message: Message
    channel: str = ""
    due: dt.datetime | None = None


@dataclass(frozen=True)
class Made:
    """A run and its messages: mails, one for the job's own lists and one for each audience, and what is on channels."""

    run: Run
    letters: Sequence[Letter]
    posts: Sequence[Letter] = ()

    @property
    def every(self) -> Sequence[Letter]:
        """The mails and then the rest."""
        return (*self.letters, *self.posts)


@dataclass(frozen=True, kw_only=True)
class Maker:
    """The left half for one run: the report is produced, addressed and made to fit; nothing is kept."""

    job: Job
    run: Run
    settings: Settings
    tell: Tell
    only: Sequence[str] = ()
    link: Callable[[Artifact], str] | None = None
    before: Before | None = None

    def make(self) -> Made:
        """The finished messages; a ReportsError where there cannot be one."""
        found, mails = self._routes()
        envelopes = addressing.envelopes(self.job, self.settings, only=mails) if mails is not None else ()
        late = lateness(self.job, self.run, self.settings)
        pipeline = Pipeline(
            job=self.job, run=self.run, settings=self.settings, tell=self.tell, late=late, before=self.before
        )
        wanted = () if self.only else alerts_of(self.job, self.settings).of("warning")
        own = addressing.locale_of(self.job, self.settings)
        locales = [*(one.locale for one in envelopes), *([own] if found or wanted else [])]
        renderings = pipeline.renderings(pipeline.fetch(), locales)
        letters = [self._letter(one, *renderings[one.locale]) for one in envelopes]
        posts = self._posts(found, *renderings[own], mailed=bool(letters)) if found else []
        if wanted and is_warning(renderings[own][1].page):
            more = list(self._besides(wanted, found, letters))
            letters += [self._letter(one, *renderings[own]) for one in more if isinstance(one, Envelope)]
            besides = [one for one in more if isinstance(one, Route)]
            posts += self._warnings(besides, *renderings[own], mailed=bool(letters))
        return Made(self.run, letters, posts)

    def _besides(
        self, wanted: Sequence[str], found: Sequence[Route], letters: Sequence[Letter]
    ) -> Iterator[Route | Envelope]:
        """Who gets a report that is a warning and would not have got it; one that cannot be reached is told of."""
        reached = {(one.channel, recipient) for one in found for recipient in one.recipients}
        mailed = {address for letter in letters for address in letter.message.recipients}
        for one in routes.each(wanted, self.settings, key_of(self.job, self.settings, "warning")):
            if not isinstance(one, Route):
                self.tell(f"not warned: {one.what}")
            elif one.channel:
                left = [each for each in one.recipients if (one.channel, each) not in reached]
                yield from [replace(one, recipients=tuple(left))] if left else []
            else:
                owners = [each for each in addressing.owners(self.job, self.settings) if parse(each).spec not in mailed]
                own = addressing.locale_of(self.job, self.settings)
                envelope = Envelope(to=owners, name="owner", locale=own)
                yield from [addressing.redirected(envelope, self.settings)] if owners else []

    def _warnings(
        self, found: Sequence[Route], pipeline: Pipeline, produced: Produced, *, mailed: bool
    ) -> list[Letter]:
        """The same report on other channels, when quiet hours are over that hold warnings."""
        now, zone = self.run.started, self.settings.timezone
        due = alerts_of(self.job, self.settings).held_until("warning", now, zone)
        if due:
            produced = pipeline.restated(produced, notices=[held_back(now, due, zone)])
        posts = self._posts(found, pipeline, produced, mailed=mailed)
        return [replace(one, name=f"{one.channel}-warning", due=due) for one in posts]

    def _routes(self) -> tuple[Sequence[Route], Sequence[str] | None]:
        """The channels beside mail, and who alone gets mails, if only some; None where there are none."""
        if not self.only:
            key = Key(("channels",), self.job.folder / "job.toml", JobError)
            found = routes.routes(self.job.channels, self.settings, key)
            if self.job.has_files:
                routes.fit_for_files(found, self.settings, key)
            return [one for one in found if one.channel], () if any(not one.channel for one in found) else None
        posted = [one for one in self.only if routes.leads(one, self.settings)]
        mails = [one for one in self.only if one not in posted]
        return routes.routes(posted, self.settings, Key(("--to",))), mails or None

    def _posts(self, found: Sequence[Route], pipeline: Pipeline, produced: Produced, *, mailed: bool) -> list[Letter]:
        """The report as it is said on each channel."""
        if self.only:
            banner = pipeline.locale.word("Test: this report was asked for by hand.")
            produced = pipeline.restated(produced, notices=[banner])
        announcer = Announcer(produced=produced, mailed=mailed, link=self.link)
        return [
            Letter(
                one.channel,
                produced,
                announcer.message(one, self.settings.channels[one.channel], key=f"{self.run.key} {one.channel}"),
                one.channel,
            )
            for one in found
        ]

    def _letter(self, envelope: Envelope, pipeline: Pipeline, produced: Produced) -> Letter:
        if envelope.banner:
            produced = pipeline.restated(produced, notices=[envelope.banner])
        produced, message = oversize.fit(
            produced,
            restated=pipeline.restated,
            compose=partial(self._composed, envelope),
            limit=oversize.limit_of(produced.report.attachments, self.settings),
            policy=self.job.oversize,
            link=self.link,
        )
        return Letter(envelope.name, produced, message)

    def _composed(self, envelope: Envelope, report: Report) -> Message:
        return mime.compose(
            report,
            sender=resolve(self.settings.mail).sender,
            to=envelope.to,
            cc=envelope.cc,
            bcc=envelope.bcc,
            reply_to=envelope.reply_to,
            key=f"{self.run.key} {envelope.name}".strip(),
            date=self.run.started,
        )


@dataclass(frozen=True, kw_only=True)
class Execution:
    """Runs that are kept: leased while they go on, and settled in one commit."""

    settings: Settings
    store: Store
    clock: Callable[[], dt.datetime]
    owner: str
    tell: Tell
    _log: list[str] = field(default_factory=list, init=False, repr=False)

    @property
    def _settler(self) -> Settler:
        return Settler(settings=self.settings, store=self.store, clock=self.clock)

    def execute(self, job: Job, run: Run, *, ready: Callable[[], None], only: Sequence[str] = ()) -> Made:
        """The run, made and committed with its messages; an error is kept with it and told to its owner.

        `ready` is the first thing done, and may raise what stands in the way of the run.
        """
        run = replace(run, definition=fingerprint(job))
        with self._leased(run):
            try:
                return self._made(job, run, ready, only)
            except BaseException as error:
                self._failed(job, run, error)
                raise

    def carry_out(self, run: Run, *, ready: Callable[[Job], None]) -> bool:
        """A run that was taken from the queue, made and settled; False if the store could not be told how it ended.

        Its lease is somebody else's to renew.
        """
        job: Job | None = None
        self._log.extend(filter(None, [run.log]))
        try:
            job = jobs.load(run.job, self.settings)
            values = params.resolve(job, {}, run.as_of)
            run = replace(run, params=values, definition=fingerprint(job))
            self._made(job, run, partial(ready, job), ())
        except Superseded as error:
            self._told(error.what)
        except StoreError as error:
            self._told(error.what)
            return False
        except Exception as error:  # noqa: BLE001  the run's boundary: whatever it was is kept with it
            words = error.what if isinstance(error, ReportsError) else _words(error)
            self.tell(f"attempt {run.attempt} failed: {words.splitlines()[0]}")
            return self._failed(job, run, error)
        return True

    def broken(self, run: Run, error: ReportsError) -> None:
        """Keeps the run of a job that cannot even be read."""
        with self._leased(run):
            self._failed(None, run, error)

    def _made(self, job: Job, run: Run, ready: Callable[[], None], only: Sequence[str]) -> Made:
        ready()
        link = self._link if self.settings.store.base_url else None
        before = figures.before(self.store, run)
        maker = Maker(job=job, run=run, settings=self.settings, tell=self._told, only=only, link=link, before=before)
        made = maker.make()
        kept = [] if made.run.trigger == "test" else self._for_later(job, made, before)
        made = replace(made, run=self._commit(job, made, kept))
        self._told(f"stored for {sum(len(one.message.recipients) for one in made.every)} recipients")
        return made

    def _leased(self, run: Run) -> AbstractContextManager[None]:
        if not self.store.runs.start(run, owner=self.owner, until=self.clock() + leases.LENGTH):
            raise StoreError(
                f"job '{run.job}' has a run for {run.occurrence} already",
                hint=f"reports runs {run.job} shows it; reports run {run.job} makes another one, by hand",
            )
        return leases.held(lambda: self.store.runs.renew(run.id, owner=self.owner, until=self.clock() + leases.LENGTH))

    # -- how it ends --------------------------------------------------------------------------------

    def _for_later(self, job: Job, made: Made, before: Before | None) -> list[Artifact]:
        """What is not sent but kept: the figures for the next run, and all it takes to make this one again."""
        kept = [found] if (found := figures.kept(made.every[0].produced)) else []
        if self.settings.store.archive:
            late = lateness(job, made.run, self.settings)
            packer = Packer(job=job, run=made.run, settings=self.settings, late=late, before=before)
            archive, said = packer.pack(list({id(one.produced): one.produced for one in made.every}.values()))
            for sentence in said:
                self._told(sentence)
            kept.append(archive)
        return kept

    def _commit(self, job: Job, made: Made, for_later: Sequence[Artifact]) -> Run:
        """The one commit: success, artifacts and messages; the bytes are there before it. The run as it ended."""
        test = made.run.trigger == "test"
        outgoing = [self._outgoing(job, letter, made.run) for letter in made.every]
        done = replace(made.run, state="succeeded", finished=self.clock(), error="", log=self._log_text())
        kept = [self.store.artifacts.keep(one) for one in (*files(made.every), *for_later)]
        glad = () if test else self._settler.teller.recoveries(done, job)
        self.store.runs.succeed(done, owner=self.owner, artifacts=kept, messages=outgoing, recoveries=glad)
        return done

    def _outgoing(self, job: Job, letter: Letter, run: Run) -> Outgoing:
        mail, now = self.settings.mail, self.clock()
        lasting = self.settings.channels[letter.channel].expires if letter.channel else mail.expires
        due = letter.due
        if run.occurrence and not due:
            due = alerts_of(job, self.settings).held_until("report", now, self.settings.timezone)
        return Outgoing(
            message=letter.message,
            kind="test" if run.trigger == "test" else "report",
            expires=(due or now) + (job.expires or lasting),
            on_unknown=mail.on_unknown,
            channel=letter.channel,
            due=due,
        )

    def _failed(self, job: Job | None, run: Run, error: BaseException) -> bool:
        """Keeps the error; False where the store cannot even do that: the run is found interrupted later."""
        by_hand = isinstance(error, KeyboardInterrupt | SystemExit)
        told = error if isinstance(error, ReportsError) else ReportsError(_words(error))
        self._log.append(f"{self._time()} {'' if by_hand else 'failed: '}{told.what.splitlines()[0]}")
        over = replace(
            run,
            state="interrupted" if by_hand else "failed",
            finished=self.clock(),
            error=self.settings.mask(str(told)),
            log=self._log_text(),
        )
        try:
            if by_hand:
                self.store.runs.fail(over, owner=self.owner)
            else:
                self._settler.failed(over, owner=self.owner, job=job, error=told)
        except StoreError as second:
            self.tell(f"this could not be kept: {second.what}")
            return isinstance(second, Superseded)
        return True

    def _told(self, step: str) -> None:
        self._log.append(f"{self._time()} {step}")
        self.tell(step)

    def _time(self) -> str:
        return f"{self.clock().astimezone(ZoneInfo(self.settings.timezone)):%H:%M:%S}"

    def _log_text(self) -> str:
        return self.settings.mask("\n".join(self._log))

    def _link(self, artifact: Artifact) -> str:
        place = self.store.artifacts.link(self.store.artifacts.put(artifact.content), artifact.name)
        return f"{self.settings.store.base_url.rstrip('/')}/{quote(place.removeprefix('linked/'))}"


def files(letters: Sequence[Letter]) -> list[Artifact]:
    """What was made for the letters, each file once, with the letter's name in it where another's has it already."""
    found: dict[str, Artifact] = {}
    for letter in letters:
        for one in (*letter.produced.files, *letter.produced.report.images):
            if one not in found.values():
                name = one.name if one.name not in found else named(one.name, letter.name)
                found[name] = replace(one, name=name)
    return list(found.values())


def named(file: str, letter: str) -> str:
    """The file's name with the letter's in it: message-de.eml."""
    path = PurePath(file)
    return f"{path.stem}-{letter}{path.suffix}" if letter else file


def lateness(job: Job, run: Run, settings: Settings) -> str:
    """When the run was due, on its job's own clock, if it began so late that readers should know; else empty."""
    if run.occurrence is None or run.late < settings.service.late_after:
        return ""
    return f"{run.occurrence.astimezone(ZoneInfo(job.zone(settings.timezone))):%Y-%m-%d %H:%M}"


def fingerprint(job: Job) -> str:
    """12 hex digits that change with anything in the job's folder that it is made of."""
    digest = hashlib.sha256()
    files: Mapping[str, bytes] = {
        path.name: path.read_bytes() for path in job.folder.glob("*") if path.suffix in {".toml", ".sql", ".py"}
    }
    for name in sorted(files):
        digest.update(f"{name}\0{len(files[name])}\0".encode() + files[name])
    return digest.hexdigest()[:12]


def _words(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt | SystemExit):
        return "stopped by hand before it was done; nothing of it was sent"
    return f"{type(error).__name__}: {error}".rstrip(": ")
