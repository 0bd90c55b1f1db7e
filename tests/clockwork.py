"""A project with a service at chosen instants: the clock is an argument; store, runs and mail are real.

one = Clockwork(folder, port=server.port, job=DAILY)
one.at(SEVEN - HOUR)              a service began: what is expected counts from here
one.at(SEVEN)                     another one, later: the rows of what came due, run, told of and mailed
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path

from mailserver import MailServer
from projects import JOB, SETTINGS, make_project

from reports import leases
from reports.agenda import Agenda
from reports.app import App, open_app
from reports.definitions import Definitions
from reports.model import Run
from reports.telling import Teller

SEVEN = dt.datetime(2026, 11, 23, 7, tzinfo=dt.UTC)
SECOND, MINUTE, HOUR, DAY = (dt.timedelta(seconds=n) for n in (1, 60, 3600, 86_400))
DAILY = 'schedule = "0 7 * * *"\nowner = "owner@example.com"\n' + JOB
READER, OWNER, ADMIN = "reader@example.com", "owner@example.com", "admin@example.com"
ACCOUNT = """
[mail]
host = "127.0.0.1"
port = {port}
security = "none"
from = "Reports <me@example.com>"
to = "reader@example.com"
admins = "admin@example.com"
"""
_ids = itertools.count(1)


class Clockwork:
    """A project whose service is there at some instants and away at others; each is a service that just began."""

    def __init__(
        self, folder: Path, port: int = 0, *, job: str = DAILY, more: str = "", files: Mapping[str, str] | None = None
    ) -> None:
        account = ACCOUNT.format(port=port) if port else '\n[mail]\nprovider = "folder"\nfrom = "me@example.com"\n'
        settings = SETTINGS.partition("[mail]")[0] + account + more
        self.folder = make_project(folder, settings=settings, job=job, files=dict(files or {}))

    @contextmanager
    def app(self, now: dt.datetime) -> Iterator[App]:
        """The project's App, whose clock stands still at that instant."""
        with closing(replace(open_app(self.folder), clock=standing_at(now))) as one:
            yield one

    def at(self, now: dt.datetime, *, runs: bool = True) -> list[str]:
        """A service at that instant: what is due gets its rows, runs, is told of and mailed. The states of new rows.

        Without `runs` it is gone before it could begin one.
        """
        with self.app(now) as app:
            agenda = Agenda(settings=app.settings, store=app.store, new_id=lambda: f"{next(_ids):04d}")
            rows = [*agenda.learn(Definitions(app.settings).look(), now), *agenda.tick(now)]
            while runs and self._begun(app, now):
                pass
            Teller(settings=app.settings, store=app.store, clock=app.clock).missed()
            app.deliver()
            return [run.state for run in rows]

    def _begun(self, app: App, now: dt.datetime) -> int:
        """Takes one run from the queue and carries it out; how many that were."""
        owner = leases.new_owner()
        taken = app.store.runs.take(now=now, until=now + HOUR, owners=[owner])
        for run, _ in taken:
            assert app.carry_out(run, owner=owner)
        return len(taken)

    def write(self, text: str) -> None:
        """Another job.toml."""
        (self.folder / "jobs" / "daily" / "job.toml").write_text(text, "utf-8")

    def rows(self) -> Sequence[Run]:
        """All that became of the occurrences, the oldest first."""
        with closing(open_app(self.folder)) as app:
            return sorted(app.store.runs.list(limit=10_000), key=lambda run: run.occurrence or run.started)


def standing_at(now: dt.datetime) -> Callable[[], dt.datetime]:
    return lambda: now


def mails(server: MailServer) -> list[tuple[str, str]]:
    """To whom and about what, in the order they came."""
    parsed = [(one.recipients, message_from_bytes(one.content, policy=policy.default)) for one in server.messages]
    return [(to, str(message["Subject"])) for recipients, message in parsed for to in recipients]


def text_of(server: MailServer, number: int = -1) -> str:
    """The plain text of a mail, in one line."""
    body = message_from_bytes(server.messages[number].content, policy=policy.default).get_body(("plain",))
    assert body is not None
    return " ".join(str(body.get_content()).split())
