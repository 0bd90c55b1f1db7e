"""A notice becomes messages: by mail to who owns the job, to the channels of its severity, and later to others.

A channel that cannot be used keeps none of the others from being told; what kept it is said with who was told.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

from reports import addressing, notices
from reports.definition import Alerts, Job, Severity
from reports.errors import JobError, ReportsError, SettingsError
from reports.model import Message, MessageKind, Outgoing, Page, Report, Run, Tone
from reports.project import FILE
from reports.routes import Route, each
from reports.settings import Settings
from reports.transports import mime
from reports.transports.account import resolve
from reports.transports.notes import Note, pack
from reports.written import Key

NOBODY = "neither the job's owner nor [mail] admins are set"
_SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")
_TONES: Mapping[MessageKind, Tone] = {"recovery": "good"}


def alerts_of(job: Job | None, settings: Settings) -> Alerts:
    """What holds for the job; of one that cannot be read what the project says."""
    return job.alerts.under(settings.alerts) if job else settings.alerts


def key_of(job: Job | None, settings: Settings, name: str) -> Key:
    """Where that key of [alerts] is written: in the job, or else in the settings."""
    if job and name in job.alerts.model_fields_set:
        return Key(("alerts", name), job.folder / "job.toml", JobError)
    return Key(("alerts", name), settings.root / FILE, SettingsError)


def is_warning(page: Page) -> bool:
    """Whether a report is worth a warning: by its status, or by notices that readers must not miss."""
    return bool(page.notices) or (page.status is not None and page.status.tone in {"warning", "bad"})


def held_back(written: dt.datetime, due: dt.datetime, zone: str) -> str:
    """What readers are told of a message that quiet hours have held back."""
    place = ZoneInfo(zone)
    start, end = written.astimezone(place), due.astimezone(place)
    return f"Quiet hours held this back from {start:%H:%M} until {end:%Y-%m-%d %H:%M} ({zone})."


@dataclass(frozen=True, kw_only=True)
class Notice:
    """What is to be told of a run: `make` makes the report of it, `what` says in sentences what happened.

    `besides` are recipients by channel who hear of it whatever the settings say, for they have heard of it before.
    """

    run: Run
    job: Job | None
    kind: MessageKind
    severity: Severity
    make: Callable[..., Report]
    what: Sequence[str] = ()
    besides: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Written:
    """The messages of a notice, with whom each reaches, in words, by its Message-ID; and what kept others from it."""

    messages: Sequence[Outgoing]
    reached: Mapping[str, str]
    problems: Sequence[str]

    def note(self, told: Sequence[Outgoing]) -> str:
        """What is said with the run, where `told` is what of it went into the outbox."""
        kept = [f"not told: {one}" for one in self.problems]
        if not self.messages:
            return "; ".join([f"nobody was told: {self.problems[0]}", *kept[1:]]) if self.problems else ""
        now = [self.reached[one.message.message_id] for one in told if one.kind != "escalation"]
        later = [self.reached[one.message.message_id] for one in told if one.kind == "escalation"]
        first = [f"told {', '.join(now)}"] if now else [] if later else ["told before: it has failed since then"]
        return "; ".join([*first, *later, *kept])


@dataclass(frozen=True, kw_only=True)
class Writer:
    """Writes notices for all whom the job's alerts name, at the instant `now`."""

    settings: Settings
    now: dt.datetime

    def write(self, notice: Notice) -> Written:
        """The messages, due at once or after quiet hours; of a failure also those that follow if it is let be."""
        alerts = alerts_of(notice.job, self.settings)
        made = _Making(self, notice, alerts)
        made.add(alerts.of(notice.severity), key_of(notice.job, self.settings, notice.severity))
        for channel, recipients in notice.besides.items():
            made.reach(Route(channel, recipients))
        if notice.severity == "error":
            made.escalate(key_of(notice.job, self.settings, "escalate"))
        return Written(messages=made.messages, reached=made.reached, problems=list(dict.fromkeys(made.problems)))


@dataclass(frozen=True)
class _Letter:
    """One message to be written: to whom, of which kind, by whom it is made, and when it is due, if not at once."""

    route: Route
    kind: MessageKind
    make: Callable[..., Report]
    due: dt.datetime | None
    step: int = 0


@dataclass
class _Making:
    """One notice on its way to several channels; each is reached once."""

    writer: Writer
    notice: Notice
    alerts: Alerts
    messages: list[Outgoing] = field(default_factory=list)
    reached: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        return self.writer.settings

    @property
    def _due(self) -> dt.datetime | None:
        """When quiet hours are over that hold it, if they do."""
        return self._held(self.notice.severity, self.writer.now)

    def _held(self, severity: Severity, instant: dt.datetime) -> dt.datetime | None:
        return self.alerts.held_until(severity, instant, self.settings.timezone)

    def add(self, names: Sequence[str], key: Key) -> None:
        """The notice to each channel that is named."""
        for one in each(names, self.settings, key):
            if isinstance(one, Route):
                self.reach(one)
            else:
                self.problems.append(self.settings.mask(one.what))
        if not names:
            self.problems.append(f"[alerts] {self.notice.severity} is empty")

    def reach(self, route: Route) -> None:
        """The notice to one channel, as far as it is not reached yet."""
        messages = [one.message for one in self.messages if one.channel == route.channel]
        there = {recipient for message in messages for recipient in message.recipients}
        left = tuple(one for one in route.recipients if one not in there)
        if left if route.channel else not there:
            self._write(_Letter(replace(route, recipients=left), self.notice.kind, self.notice.make, self._due))

    def escalate(self, key: Key) -> None:
        """The messages that follow one another if nobody acknowledges it, counted from when it was told first."""
        first, told, said = self._due or self.writer.now, ", ".join(self.reached.values()), self._said()
        for step, escalation in enumerate(self.alerts.escalate):
            due = first + escalation.after
            due = self._held("error", due) or due
            make = self._unacknowledged(said, escalation.after, told)
            for one in each(escalation.channels, self.settings, key):
                if isinstance(one, Route):
                    self._write(_Letter(one, "escalation", make, due, step))
                else:
                    self.problems.append(f"{self.settings.mask(one.what)} (escalate)")

    def _unacknowledged(self, said: str, after: dt.timedelta, told: str) -> Callable[..., Report]:
        def make(*, settings: Settings, banner: str = "") -> Report:
            run, job, what = self.notice.run, self.notice.job, self.notice.what
            title = job.title if job else run.job
            about = notices.Told(said=said, what=what, to=told, ago=after)
            return notices.unacknowledged(run, title=title, about=about, settings=settings, banner=banner)

        return make

    def _said(self) -> str:
        """The subject of the first message, or of the one that could not be written."""
        if self.messages:
            return self.messages[0].message.subject
        try:
            return self.notice.make(settings=self.settings, banner="").subject
        except ReportsError:
            return ""

    # -- one message -----------------------------------------------------------------------------------

    def _write(self, letter: _Letter) -> None:
        try:
            outgoing, who = self._post(letter) if letter.route.channel else self._mail(letter)
        except ReportsError as error:
            self.problems.append(self.settings.mask(error.what))
            return
        self.messages.append(outgoing)
        self.reached[outgoing.message.message_id] = f"{who}{self._when(letter)}"

    def _when(self, letter: _Letter) -> str:
        if letter.due is None:
            return ""
        words = f"{letter.due.astimezone(ZoneInfo(self.settings.timezone)):%Y-%m-%d %H:%M}"
        return f" at {words}, {'unless acknowledged' if letter.kind == 'escalation' else 'after quiet hours'}"

    def _mail(self, letter: _Letter) -> tuple[Outgoing, str]:
        settings, mail = self.settings, self.settings.mail
        owners = addressing.owners(self.notice.job, settings)
        if not owners:
            raise ReportsError(NOBODY)
        envelope = addressing.redirected(addressing.Envelope(to=owners, kind=letter.kind), settings)
        banner = " ".join(filter(None, [envelope.banner, self._held_back(letter)]))
        message = mime.compose(
            letter.make(settings=settings, banner=banner),
            sender=resolve(mail).sender,
            to=envelope.to,
            reply_to=mail.reply_to,
            key=self._key(letter),
            date=self.writer.now,
        )
        return self._outgoing(message, letter, mail.expires), ", ".join(envelope.to)

    def _post(self, letter: _Letter) -> tuple[Outgoing, str]:
        route, run = letter.route, self.notice.run
        report = letter.make(settings=self.settings, banner=self._held_back(letter))
        mailed = any(not one.channel for one in self.messages)
        whole = "All of it is in the mail." if mailed else f"All of it: reports show {run.id}"
        tone = _TONES.get(letter.kind, "bad")
        note = Note(title=report.subject, text=report.brief or report.text, tone=tone, whole=whole)
        message = Message(
            message_id=f"<{_digest(self._key(letter), route.channel, *route.recipients)}@{route.channel}>",
            date=self.writer.now,
            sender="",
            recipients=tuple(route.recipients),
            subject=report.subject,
            content=pack(note),
            follow="reply" if letter.kind == "recovery" else "",
        )
        held = " (held: [mail] redirect is set)" if self.settings.mail.redirect else ""
        expires = self.settings.channels[route.channel].expires
        return self._outgoing(message, letter, expires), f"{', '.join(route.recipients)} on {route.channel}{held}"

    def _key(self, letter: _Letter) -> str:
        return f"{self.notice.run.key} {letter.kind}{letter.step or ''} {self.writer.now.isoformat()}"

    def _outgoing(self, message: Message, letter: _Letter, lasting: dt.timedelta) -> Outgoing:
        return Outgoing(
            message=message,
            kind=letter.kind,
            expires=(letter.due or self.writer.now) + lasting,
            on_unknown=self.settings.mail.on_unknown,
            channel=letter.route.channel,
            due=letter.due,
        )

    def _held_back(self, letter: _Letter) -> str:
        """What readers are told of a message that quiet hours have held back."""
        if letter.due is None or letter.kind == "escalation":
            return ""
        return held_back(self.writer.now, letter.due, self.settings.timezone)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:40]


def in_words(alerts: Alerts) -> str:
    """Who is told of what, in a line: errors to mail, push; after 1h to push; quiet from 22:00 to 07:00."""
    said = [f"{name} to {', '.join(alerts.of(name)) or 'nobody'}" for name in _said(alerts)]
    said += [f"after {notices.length(one.after)} to {', '.join(one.channels)}" for one in alerts.escalate]
    said += [f"quiet {one}" for one in alerts.quiet]
    return "; ".join(said)


def _said(alerts: Alerts) -> Sequence[Severity]:
    """Errors always, the others where somebody hears of them."""
    return [name for name in _SEVERITIES if name == "error" or alerts.of(name)]


def unusable(job: Job | None, settings: Settings) -> Iterator[ReportsError]:
    """What is wrong with the channels that the alerts of a job, or of the project, name."""
    alerts = alerts_of(job, settings)
    lists: list[tuple[str, Sequence[str]]] = [(name, alerts.of(name)) for name in _SEVERITIES]
    lists += [("escalate", one.channels) for one in alerts.escalate]
    for name, names in lists:
        if job is None or name in job.alerts.model_fields_set:
            found = each(names, settings, key_of(job, settings, name))
            yield from (one for one in found if isinstance(one, ReportsError))
