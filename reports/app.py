"""The composition root: settings in, an App out, one method for each thing a person can ask for."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from reports import jobs, params, shipped, toml
from reports.definition import Job
from reports.errors import JobError, ReportsError, SettingsError
from reports.model import Message, Receipt, Run
from reports.pipeline import Pipeline, Produced, Tell
from reports.render import html, text
from reports.settings import FileSource, Settings, environment
from reports.sources import missing_files, open_source
from reports.transports import mime, open_transport
from reports.transports.account import resolve
from reports.transports.address import parse_all

FILE = "settings.toml"


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _silent(_: str) -> None: ...


@dataclass(frozen=True)
class Wanted:
    """What a person asked of a run: the as-of date, in words or digits, and values for params."""

    as_of: str = ""
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """One thing that was checked: what was found, or the error."""

    about: str
    said: str = ""
    error: ReportsError | None = None


@dataclass(frozen=True)
class Sent:
    """A run, the message it became, and what was answered for each recipient."""

    run: Run
    produced: Produced
    message: Message
    receipts: Sequence[Receipt] = ()

    @property
    def delivered(self) -> bool:
        return bool(self.receipts) and all(receipt.state == "accepted" for receipt in self.receipts)


def _finding(about: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(about, said=look())
    except ReportsError as error:
        return Finding(about, error=error)


def find_root(named: Path | None = None) -> Path:
    """The nearest folder upwards that has a settings.toml: from `named`, else REPORTS_PROJECT, else from here."""
    start = (named or Path(environment("REPORTS_PROJECT"))).absolute()
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return folder
    raise SettingsError(
        f"there is no {FILE} in {start} or above it",
        hint="change into a project's folder, or lay one out: reports init DIR",
    )


def open_app(root: Path) -> App:
    """The App of the project in `root`; a SettingsError tells every mistake in its settings."""
    document = toml.read(root / FILE, error=SettingsError)
    return App(toml.validate(document, Settings, error=SettingsError, root=root), document)


@dataclass(frozen=True)
class App:
    """A project at work. The clock and the ids are arguments, so that a run can be repeated exactly."""

    settings: Settings
    document: toml.Document | None = None
    clock: Callable[[], dt.datetime] = _now
    new_id: Callable[[], str] = lambda: secrets.token_hex(8)

    def jobs(self) -> Mapping[str, Job | JobError]:
        """Every job by name, a broken one as its error."""
        return jobs.load_all(self.settings)

    def run(
        self, name: str, wanted: Wanted, *, to: Sequence[str] = (), send: bool = True, tell: Tell = _silent
    ) -> Sent:
        """Produce the job's report and, unless told not to, send it; what was not taken is an error."""
        job = jobs.load(name, self.settings)
        recipients = self._recipients(job, to)
        account = resolve(self.settings.mail)
        run, produced = self._produce(job, wanted, tell)
        message = mime.compose(
            produced.report,
            sender=account.sender,
            recipients=recipients,
            reply_to=self.settings.mail.reply_to,
            run_id=run.id,
            date=run.started,
        )
        transport = open_transport(self.settings.mail, self.settings.data_folder)
        return Sent(run, produced, message, transport.send(message) if send else ())

    def preview(self, name: str, wanted: Wanted, *, tell: Tell = _silent) -> Produced:
        """The job's report, addressed to nobody."""
        return self._produce(jobs.load(name, self.settings), wanted, tell)[1]

    def check(self, name: str = "", *, connect: bool = False) -> Iterator[Finding]:
        """What holds and what does not: each job and its template, and with `connect` sources and mail."""
        for job_name in [name] if name else jobs.names(self.settings):
            yield _finding(f"job {job_name}", partial(self._check_job, job_name))
        for source in self.settings.sources:
            yield _finding(f"source {source}", partial(self._check_source, source, connect=connect))
        yield _finding("mail", self._check_account)
        if connect:
            yield _finding("mail server", self._check_mail)

    def _check_job(self, name: str) -> str:
        job = jobs.load(name, self.settings)
        folders = shipped.template_folders(self.settings.root)
        html.check_template(job.template, folders)
        text.check_template(folders)
        self._recipients(job, ())
        return f"queries {len(job.queries)}, blocks {len(job.show)}"

    def _check_source(self, name: str, *, connect: bool) -> str:
        self._files_are_there({name: None})
        if not connect:
            return "its files are there" if isinstance(self.settings.sources[name], FileSource) else "not tried"
        with closing(open_source(name, self.settings.sources[name])) as source:
            return source.check()

    def _files_are_there(self, read: Mapping[str, str | None]) -> None:
        """A SettingsError with the line of every source whose files are not; of tables that SQL names, if given."""
        problems = []
        for name, sql in read.items():
            options = self.settings.sources[name]
            for error in missing_files(name, options, sql) if isinstance(options, FileSource) else ():
                key = ("sources", name, "files")
                line = f":{self.document.line(key)}" if self.document else ""
                where = f"{self.settings.root / FILE}{line}, key {toml.dotted(key)}"
                problems.append(SettingsError(f"{error.what}: {error.where}", where=where, hint=error.hint))
        if problems:
            raise SettingsError.join(problems)

    def _check_account(self) -> str:
        account = resolve(self.settings.mail)
        if not account.host:
            return f"saved as files in {self.settings.data_folder / 'mail'}"
        return f"{account.provider.title} at {account.where}, {account.security}, from {account.sender}"

    def _check_mail(self) -> str:
        return "; ".join(open_transport(self.settings.mail, self.settings.data_folder).check())

    def _produce(self, job: Job, wanted: Wanted, tell: Tell) -> tuple[Run, Produced]:
        started = self.clock()
        today = self.settings.today(started)
        as_of = params.to_date(wanted.as_of, today, name="--as-of") if wanted.as_of else today
        values = params.resolve(job, wanted.params, as_of)
        read: dict[str, str | None] = {}
        for query in job.queries:
            read[query.source] = f"{read.get(query.source, '')}\n{query.sql}"
        self._files_are_there(read)
        run = Run(id=self.new_id(), job=job.name, as_of=as_of, started=started, params=values)
        return run, Pipeline(job=job, run=run, settings=self.settings, tell=tell).produce()

    def _recipients(self, job: Job, to: Sequence[str]) -> Sequence[str]:
        if recipients := tuple(to) or job.to or self.settings.mail.to:
            parse_all(recipients, where="--to" if to else f"{job.folder / jobs.FILE}, key to, or [mail] to")
            return recipients
        raise JobError(
            f"job '{job.name}' has nobody to send to",
            where=str(job.folder / jobs.FILE),
            hint='add to = ["name@example.com"] to the job, or to [mail] in settings.toml',
        )
