"""What holds and what does not, looked at without sending anything."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property, partial

from reports import addressing, alerting, blocks, jobs, params, routes, shipped, toml
from reports.definition import Job
from reports.errors import DefinitionError, JobError, ReportsError, SettingsError, StoreError
from reports.model import Plan, Query, size
from reports.project import FILE
from reports.render import html, text, themes
from reports.schedules.coming import next_run
from reports.schedules.words import words
from reports.settings import AppriseChannel, FileSource, Settings, SlackChannel, SlackWebhook, StoreSource
from reports.sources import Source, missing_files, open_source
from reports.store import Store
from reports.transports import open_channel, open_transport, recipients, without_files
from reports.transports.account import resolve
from reports.written import Key

MOST_COLUMNS = 12
NOT_YET = "nothing kept yet"
MOST_SKEW = 60.0
"""Seconds that two clocks may differ before it is worth a word."""


@dataclass(frozen=True)
class Finding:
    """One thing that was checked: what was found, or the error."""

    about: str
    said: str = ""
    error: ReportsError | None = None


def _finding(about: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(about, said=look())
    except ReportsError as error:
        return Finding(about, error=error)


def _shown(job: Job, columns: Mapping[str, Sequence[str]]) -> str:
    blocks.check(job, columns)
    return "all that the job shows is there"


@dataclass(frozen=True, kw_only=True)
class Checker:
    """Looks at a project. `history` opens its store, or gives None while it has none."""

    settings: Settings
    document: toml.Document | None
    history: Callable[[], Store | None]
    clock: Callable[[], dt.datetime]

    def check(self, name: str = "", *, connect: bool = False) -> Iterator[Finding]:
        """Each job and its template, sources, store and mail; with `connect` what is on the other side."""
        for job_name in [name] if name else jobs.names(self.settings):
            yield _finding(f"job {job_name}", partial(self._job, job_name))
        for source in self.settings.sources:
            yield _finding(f"source {source}", partial(self._source, source, connect=connect))
        if connect:
            yield from self._queries([name] if name else jobs.names(self.settings))
        if self.settings.theme.logo:
            yield _finding("theme", self._theme)
        yield _finding("store", self._store)
        yield _finding("mail", self._account)
        if connect:
            yield from self._server()
        if self.settings.alerts.model_fields_set:
            yield _finding("alerts", self._alerts)
        if self.settings.notify.model_fields_set:
            yield _finding("notify", self._notify)
        for channel in self.settings.channels:
            yield _finding(f"channel {channel}", partial(self._channel, channel))
            if connect:
                yield from self._beyond(channel)

    def files_are_there(self, read: Mapping[str, str | None]) -> None:
        """A SettingsError with the line of every source whose files are not; of tables that SQL names, if given."""
        problems = []
        for name, sql in read.items():
            options = self.settings.sources[name]
            for error in missing_files(name, options, sql) if isinstance(options, FileSource) else ():
                key = ("sources", name, "files")
                line = f":{self.document.line(key)}" if self.document else ""
                where = f"{self.settings.root / FILE}{line}, key {toml.dotted(key)}"
                what, may_come = f"{error.what}: {error.where}", error.temporary
                problems.append(SettingsError(what, where=where, hint=error.hint, temporary=may_come))
        if problems:
            raise SettingsError.join(problems)

    def _job(self, name: str) -> str:
        job = jobs.load(name, self.settings)
        folders = shipped.template_folders(self.settings.root)
        html.check_template(job.template, folders)
        text.check_template(folders)
        addressing.owners(job, self.settings)
        told = f"; {self._alerts(job)}" if job.alerts.model_fields_set else ""
        return f"queries {len(job.queries)}, blocks {len(job.show)}, {self._reached(job)}{told}{self._when(job)}"

    def _alerts(self, job: Job | None = None) -> str:
        """Who is told of what, by the job's [alerts] or the project's; a name that leads nowhere is an error."""
        wrong = list(alerting.unusable(job, self.settings))
        if definitions := [one for one in wrong if isinstance(one, DefinitionError)]:
            raise DefinitionError.join(definitions)
        if wrong:
            raise wrong[0]
        return alerting.in_words(alerting.alerts_of(job, self.settings))

    def _notify(self) -> str:
        """Whom scripts tell by default, and by which channels; a name that leads nowhere is an error."""
        notify, admins = self.settings.notify, "admins"
        keys = {name: Key(("notify", name), self.settings.root / FILE, SettingsError) for name in ("to", admins, "via")}
        of_groups = [name for name in notify.to if name != admins or name in self.settings.groups]
        to = addressing.reached(of_groups, self.settings, keys["to"])
        addressing.reached(notify.admins, self.settings, keys[admins])
        by = ", ".join(map(str, routes.routes(notify.via, self.settings, keys["via"])))
        whom = ", ".join([*to, *([admins] if len(of_groups) < len(notify.to) else [])])
        return f"scripts tell {whom or 'the sender'} by {by}"

    def _reached(self, job: Job) -> str:
        """Who gets it by mail, and which channels it goes to besides."""
        key = Key(("channels",), job.folder / "job.toml", JobError)
        found = routes.routes(job.channels, self.settings, key)
        if job.has_files:
            routes.fit_for_files(found, self.settings, key)
        beside = [str(one) for one in found if one.channel]
        mails = [self._recipients(job)] if any(not one.channel for one in found) else []
        return ", ".join([*mails, *([f"channels {', '.join(beside)}"] if beside else [])])

    def _recipients(self, job: Job) -> str:
        """How many get it in how many mails, who would get several of them, and which of its words nothing says."""
        envelopes = addressing.envelopes(job, self.settings)
        many = len({address for one in envelopes for address in one.everyone})
        notes = [f" in {len(envelopes)} mails"] if len(envelopes) > 1 else []
        notes += [
            f"; WARNING in several lists, gets the first mail alone: {one}"
            for one in addressing.repeated(job, self.settings)
        ]
        notes += [
            f"; WARNING [words.{language}] has a text that the job nowhere says: {text}"
            for language, text in jobs.unsaid(job)
        ]
        return f"recipients {many}{''.join(notes)}"

    def _when(self, job: Job) -> str:
        """When it runs next, and which of its schedules never will."""
        zone, calendar, now = self.settings.timezone, self.settings.calendar, self.clock()
        coming = [next_run([one], timezone=zone, calendar=calendar, after=now) for one in job.schedule]
        notes = [
            f"; WARNING this schedule never runs again: {words(one, timezone=zone)}"
            for one, first in zip(job.schedule, coming, strict=True)
            if first is None
        ]
        if first := min(filter(None, coming), key=lambda one: one.at, default=None):
            notes.insert(0, f"; next run {first.local:%a %Y-%m-%d %H:%M} ({first.local.tzinfo})")
        if (plan := self._plans.get(job.name)) and plan.paused:
            notes.append(f"; WARNING paused since {plan.paused:%Y-%m-%d %H:%M}Z: reports resume {job.name}")
        return "".join(notes)

    @cached_property
    def _plans(self) -> Mapping[str, Plan]:
        """What is kept of the jobs; a store that cannot be asked is told of by itself."""
        try:
            store = self.history()
            return store.plans.every() if store else {}
        except StoreError:
            return {}

    def _source(self, name: str, *, connect: bool) -> str:
        self.files_are_there({name: None})
        if not connect:
            return "its files are there" if isinstance(self.settings.sources[name], FileSource) else "not tried"
        if self._is_not_yet(name):
            return NOT_YET
        with closing(open_source(name, self.settings.source(name))) as source:
            return f"{self._clock_of(source)}{source.check()}"

    def _is_not_yet(self, source: str) -> bool:
        """Whether it is the project's store, in which nothing is kept: to look at that would make it."""
        return isinstance(self.settings.sources[source], StoreSource) and self.history() is None

    def _clock_of(self, source: Source) -> str:
        there = source.clock()
        skew = (there - self.clock()).total_seconds() if there else 0.0
        return f"WARNING its clock differs by {skew:.0f} s from this machine's; " if abs(skew) > MOST_SKEW else ""

    def _queries(self, names: Sequence[str]) -> Iterator[Finding]:
        """Every query of the jobs asked for its columns alone, and what a job shows looked for among them."""
        for job in (jobs.load_or_error(name, self.settings) for name in names):
            if isinstance(job, JobError):
                continue  # which is told already
            columns: dict[str, Sequence[str]] = {}
            for query in job.queries:
                yield _finding(f"query {job.name}/{query.name}", partial(self._described, job, query, columns))
            if columns and not job.hooks:
                yield _finding(f"columns of {job.name}", partial(_shown, job, columns))

    def _described(self, job: Job, query: Query, columns: dict[str, Sequence[str]]) -> str:
        values = params.resolve(job, {}, self.settings.today(self.clock()))
        if self._is_not_yet(query.source):
            return NOT_YET
        with closing(open_source(query.source, self.settings.source(query.source))) as source:
            names = source.describe(query, values)
        if names is None:
            return "only running it could tell its columns"
        columns[query.name] = names
        return f"{len(names)} columns: {', '.join(names[:MOST_COLUMNS])}{', …' if len(names) > MOST_COLUMNS else ''}"

    def _theme(self) -> str:
        theme = self.settings.theme
        return f"logo {theme.logo}, {'; '.join(f'{one.width} pixels wide' for one in themes.resolve(theme).images)}"

    def _store(self) -> str:
        store = self.history()
        if store is None:
            return NOT_YET
        found = store.check()
        faults = (("missing", found.missing), ("altered", found.altered))
        if lost := [f"{what}: {name} of run {run}" for what, rows in faults for run, name, _ in rows]:
            raise ReportsError(
                f"stored bytes are not what they were: {'; '.join(lost[:10])}",
                where=store.where,
                hint="bring them back from a backup; what lacks its bytes is never sent",
            )
        orphans = f"; {len(found.orphans)} files of no run, which go in time" if found.orphans else ""
        return f"{store.where}{self._skew(store)}{orphans}"

    def _skew(self, store: Store) -> str:
        skew = store.clock_skew(self.clock())
        far = skew is not None and abs(skew) > MOST_SKEW
        return f"; WARNING its clock differs by {skew:.0f} s from this machine's" if far else ""

    def _account(self) -> str:
        mail, account = self.settings.mail, resolve(self.settings.mail)
        open_transport(mail, self.settings.data_folder).close()  # no connection yet: only whether settings suffice
        notes = [f"; everything goes to {mail.redirect}"] if mail.redirect else []
        notes += [f"; only to {', '.join(mail.allow)}"] if mail.allow else []
        if not account.host:
            return f"saved as files in {self.settings.data_folder / 'mail'}{''.join(notes)}"
        limit = f", up to {size(account.size_limit)}" if account.size_limit else ""
        place = f"{account.provider.title} at {account.where}, {account.security}{limit}, from {account.sender}"
        return place + "".join(notes)

    def _channel(self, name: str) -> str:
        """What the channel is, and whom it reaches where a job names no place; nothing is asked yet."""
        channel = self.settings.channels[name]
        open_channel(name, channel).close()
        kinds = {SlackChannel: "a Slack bot", SlackWebhook: "a Slack webhook", AppriseChannel: "Apprise"}
        reached = recipients(name, channel) if isinstance(channel, AppriseChannel) else channel.to
        to = f", to {', '.join(reached)}" if reached else ""
        if bare := without_files(name, channel, reached):
            to += f"; no files to {', '.join(bare)}"
        held = "; held, for [mail] redirect is set" if self.settings.mail.redirect else ""
        return f"{kinds[type(channel)]}{to}{held}"

    def _beyond(self, name: str) -> Iterator[Finding]:
        """What is on the other side of a channel, step by step."""
        try:
            with closing(open_channel(name, self.settings.channels[name])) as transport:
                for step, said in transport.check():
                    yield Finding(f"channel {name} {step}", said)
        except ReportsError as error:
            yield Finding(f"channel {name}", error=error)

    def _server(self) -> Iterator[Finding]:
        try:
            with closing(open_transport(self.settings.mail, self.settings.data_folder)) as transport:
                for step, said in transport.check():
                    yield Finding(f"mail {step}", said)
        except ReportsError as error:
            yield Finding("mail server", error=error)
