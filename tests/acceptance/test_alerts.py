"""A job that fails at night: who is told, by what, when; what an acknowledgement changes; and a channel that is dead."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from chatserver import ChatServer
from commands import command, reports
from mailserver import MailServer
from projects import JOB, SALES, SETTINGS, make_project
from restarting import MAIL
from serving import Serving, eventually
from slackserver import SlackServer

from reports.app import App, Wanted, open_app
from reports.errors import ReportsError
from reports.execution import Execution
from reports.model import Delivery, Run

EVENING = dt.datetime(2026, 11, 2, 20, 30, tzinfo=dt.UTC)  # 21:30 in Berlin
HOUR, MINUTE = dt.timedelta(hours=1), dt.timedelta(minutes=1)
OWNER = "admin@example.com"
PUSH = """
[channels.push]
url = {{ env = "REPORTS_TEST_PUSH" }}
{more}
[alerts]
{alerts}
"""
ESCALATE = 'escalate = { after = "1h", channels = ["push"] }\n'
WARNED = "\nstatus = 'state'\n"


@dataclass
class Clock:
    """Moved by hand, and a moment further each time it is asked."""

    now: dt.datetime = EVENING

    def __call__(self) -> dt.datetime:
        self.now += dt.timedelta(milliseconds=1)
        return self.now


@dataclass
class World:
    """A project with a mail server and a phone, and an App whose clock is moved by hand."""

    folder: Path
    mails: MailServer
    phone: ChatServer
    clock: Clock
    app: App

    def breaks(self) -> None:
        """The job's file is gone."""
        (self.folder / "sales.csv").unlink()

    def mended(self) -> None:
        (self.folder / "sales.csv").write_text(SALES)

    def run(self, **wanted: Any) -> str:
        """The job by hand; the id of its run."""
        try:
            return self.app.run("daily", Wanted(), **wanted).run.id
        except ReportsError:
            return self.app.runs("daily", 1)[0].id

    def after(self, time: dt.timedelta) -> None:
        """So much later, all that is due goes out."""
        self.clock.now += time
        self.app.deliver()

    def mailed(self) -> list[tuple[str, str]]:
        """Whom each mail went to, and its subject."""
        parsed = [(one, message_from_bytes(one.content, policy=default)) for one in self.mails.messages]
        return [(one.recipients[0], str(mail["Subject"])) for one, mail in parsed]

    def pushed(self) -> list[str]:
        return [str(one.values["title"]) for one in self.phone.posts]

    def waiting(self) -> list[Delivery]:
        return [one for one in self.app.outbox() if one.state == "pending"]

    def notice(self, run: str) -> str:
        return self.app.show(run).run.notice


@pytest.fixture
def phone() -> Iterator[ChatServer]:
    with ChatServer() as running:
        yield running


@pytest.fixture
def mails() -> Iterator[MailServer]:
    with MailServer(security="none") as running:
        yield running


@pytest.fixture
def world(tmp_path: Path, mails: MailServer, phone: ChatServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Makes one whose settings say these alerts; `job` is what its job says besides."""
    monkeypatch.setenv("REPORTS_TEST_PUSH", f"json://{phone.host}:{phone.port}/phone")
    apps: list[App] = []

    def make(alerts: str, *, job: str = "", more: str = "", files: dict[str, str] | None = None) -> World:
        head = SETTINGS.partition("[mail]")[0].replace('"UTC"', '"Europe/Berlin"')
        settings = head + MAIL.format(port=mails.port) + PUSH.format(alerts=alerts, more=more)
        folder = make_project(tmp_path, settings=settings, job=job + JOB, files=files)
        clock = Clock()
        apps.append(replace(open_app(folder), clock=clock))
        return World(folder, mails, phone, clock, apps[-1])

    yield make
    for app in apps:
        app.close()


# -- a failure, an hour, and its end -----------------------------------------------------------------------


def test_mail_at_once_and_the_phone_after_an_hour(world: Any) -> None:
    """If nobody acknowledges it; those who were told are told that it works again."""
    here = world(ESCALATE)
    here.breaks()
    run = here.run()
    assert here.mailed() == [(OWNER, "Failed: Daily sales, 2026-11-02")]
    assert here.pushed() == []
    assert here.notice(run) == (
        f"told {OWNER}; json {here.phone.host}:{here.phone.port} on push at 2026-11-02 22:30, unless acknowledged"
    )
    here.after(59 * MINUTE)
    assert here.pushed() == []
    here.run()
    here.after(2 * MINUTE)
    assert here.pushed() == ["Not acknowledged: Daily sales, 2026-11-02"]
    said = here.phone.posts[0].values["message"]
    assert "Failed: Daily sales, 2026-11-02" in said
    assert f"It was told to {OWNER}. Nobody has acknowledged it within 1 h 0 min, and it does not work yet." in said
    assert f"reports acknowledge {run}" in said
    here.after(5 * HOUR)
    assert len(here.pushed()) == len(here.mailed()) == 1
    here.mended()
    here.run()
    assert (OWNER, "Works again: Daily sales, 2026-11-03") in here.mailed()
    assert here.pushed()[1:] == ["Works again: Daily sales, 2026-11-03"]
    assert here.phone.posts[1].values["type"] == "success"


def test_an_acknowledgement_keeps_the_phone_silent(world: Any) -> None:
    """Who, when and why is kept and shown; that it works again is told by mail alone, for the phone knows nothing."""
    here = world(ESCALATE)
    here.clock.now = dt.datetime.now(dt.UTC).replace(minute=30, second=0)  # that of the commands, or nearly
    since, due = (f"{here.clock.now + time:%Y-%m-%d %H:30}" for time in (0 * HOUR, HOUR))
    here.breaks()
    run = here.run()
    shown = command(here.folder, "next")
    assert f"daily fails since {since}" in shown.output
    assert f"on push at {due}" in shown.output
    assert "unless acknowledged: reports acknowledge daily" in shown.output
    listed = command(here.folder, "outbox")
    assert "on push (escalation)" in listed.stdout
    done = command(here.folder, "acknowledge", run[:6], "--note", "disk is full", "--by", "ann")
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[0].startswith(f"acknowledged by ann: daily fails since {since}")
    assert "cancelled" in done.stdout
    again = command(here.folder, "acknowledge", "daily", "--json")
    assert json.loads(again.stdout)["cancelled"] == []
    assert "@" in json.loads(again.stdout)["who"], "the account at work, where nobody says who"
    kept = command(here.folder, "show", run)
    assert "by ann: disk is full" in kept.stdout
    assert "cancelled: not sent: acknowledged by ann: disk is full" in kept.stdout
    record = json.loads(command(here.folder, "show", run, "--json").stdout)
    assert record["acknowledgements"][0]["who"] == "ann"
    here.after(3 * HOUR)
    assert here.pushed() == []
    here.mended()
    here.run()
    assert here.pushed() == []
    assert here.mailed()[-1][1].startswith(("Works again", "Daily sales"))
    nothing = command(here.folder, "acknowledge", "daily")
    assert (nothing.exit_code, "nothing of daily fails now" in nothing.output) == (1, True)


def test_what_works_again_within_the_hour_wakes_nobody(world: Any) -> None:
    """The reason stands in the outbox; a second failure has an hour of its own."""
    here = world(ESCALATE)
    here.breaks()
    run = here.run()
    here.after(30 * MINUTE)
    here.mended()
    here.run()
    cancelled = [one for one in here.app.show(run).deliveries if one.state == "cancelled"]
    assert [one.kind for one in cancelled] == ["escalation"]
    assert here.app.show(run).attempts[cancelled[0].id][0].text == "not sent: it works again"
    here.breaks()
    here.run()
    here.after(45 * MINUTE)
    assert here.pushed() == []
    here.after(16 * MINUTE)
    assert len(here.pushed()) == 1


def test_a_retry_by_hand_hurries_no_escalation(world: Any) -> None:
    """All that waits is sent again, but not what is to be told later; held and released, it goes."""
    here = world(ESCALATE)
    here.breaks()
    run = here.run()
    here.app.retry()
    here.app.retry([run])
    assert here.pushed() == []
    (waiting,) = here.waiting()
    here.app.hold([waiting.recipient])
    here.app.release([waiting.recipient])
    here.app.deliver()
    assert len(here.pushed()) == 1


# -- several channels --------------------------------------------------------------------------------------


def test_each_severity_has_its_channels_and_a_job_its_own(world: Any) -> None:
    """What the job says stands before what the project says, key by key."""
    here = world('error = ["push"]\ninfo = ["push"]\n', job='alerts = { info = ["mail"] }\n')
    here.breaks()
    run = here.run()
    assert (here.mailed(), here.pushed()) == ([], ["Failed: Daily sales, 2026-11-02"])
    assert here.notice(run) == f"told json {here.phone.host}:{here.phone.port} on push"
    here.run()
    assert len(here.pushed()) == 1
    here.mended()
    here.run()
    assert [subject for _, subject in here.mailed() if subject.startswith("Works")] == [
        "Works again: Daily sales, 2026-11-02"
    ]
    assert len(here.pushed()) == 1


def test_what_the_phone_reads_is_short(world: Any) -> None:
    """What, where, what to do and the commands; the log is in the mail, and the message says so."""
    here = world('error = ["mail", "push"]\n')
    here.breaks()
    run = here.run()
    said = here.phone.posts[0].values["message"]
    assert "sales.csv" in said
    assert f"reports show {run}" in said
    assert "The end of the log" not in said
    assert "No further mail" not in said
    assert here.phone.posts[0].values["type"] == "failure"


def test_a_report_that_is_a_warning_goes_to_others_besides(world: Any) -> None:
    """To the owner too, who is none of its readers; one that is well goes to its readers alone."""
    state = {"jobs/daily/state.sql": "SELECT 'Revenue is down' AS status, 'bad' AS tone"}
    here = world('warning = ["mail", "push"]\n', job="status = 'state'\n", files=state)
    here.run()
    assert [who for who, _ in here.mailed()] == ["you@example.com", OWNER]
    assert here.pushed() == ["Daily sales, 2026-11-02"]
    assert "Revenue is down" in here.phone.posts[0].values["message"]
    (here.folder / "jobs/daily/state.sql").write_text("SELECT 'All is well' AS status, 'good' AS tone")
    here.run()
    assert [who for who, _ in here.mailed()[2:]] == ["you@example.com"]
    assert len(here.pushed()) == 1


def test_slack_answers_a_failure_with_its_end(world: Any, tmp_path: Path) -> None:
    """In the thread of what was told there, and as a new message where nothing was."""
    with SlackServer() as slack:
        (tmp_path / "token").write_text(slack.bot)
        team = f'[channels.team]\ntoken = {{ file = "token" }}\napi = "{slack.api}"\nto = ["#cash"]\n'
        here = world('error = ["mail", "team"]\ninfo = ["team"]\n', more=team)
        here.breaks()
        here.run()
        here.mended()
        here.run()
        first, last = slack.said("cash")
    assert "Failed: Daily sales, 2026-11-02" in first["text"]
    assert "Works again: Daily sales, 2026-11-02" in last["text"]
    assert last["thread_ts"] == first["ts"]


def test_a_reader_on_a_channel_who_did_not_get_it_is_told_of(world: Any) -> None:
    """By name and channel; the mails of the same report were taken. When it reaches there again, that is told."""
    here = world('error = ["mail"]\n', job='channels = ["mail", "push"]\n')
    here.phone.answers["/"] = (403, "", {})
    run = here.run()
    name = f"json {here.phone.host}:{here.phone.port} on push"
    assert here.mailed()[-1] == (OWNER, "Not delivered: Daily sales, 2026-11-02")
    text = message_from_bytes(here.mails.messages[-1].content, policy=default).get_body(("plain",))
    assert text is not None
    assert name in " ".join(text.get_content().split())
    assert [one.about for one in here.app.troubles("daily")] == [name]
    here.phone.answers.clear()
    here.app.retry([run])
    assert here.pushed()[-1] == "Daily sales, 2026-11-02"
    assert here.mailed()[-1] == (OWNER, "Works again: Daily sales, 2026-11-02")
    assert not here.app.troubles("daily")


def test_a_warning_can_be_made_again(world: Any) -> None:
    """`reports verify` finds what was sent, whoever it went to besides."""
    state = {"jobs/daily/state.sql": "SELECT 'Revenue is down' AS status, 'bad' AS tone"}
    here = world('warning = ["mail", "push"]\n', job="status = 'state'\n", files=state)
    run = here.run()
    assert here.app.verify(run).same


# -- quiet hours ---------------------------------------------------------------------------------------------

QUIET = 'quiet = { from = "21:00", to = "07:00" }\n'


def test_a_quiet_night_lets_errors_through_and_holds_the_rest(world: Any) -> None:
    """A recovery waits for the morning and says so; the report itself is mailed."""
    here = world(QUIET)
    here.breaks()
    here.run()
    assert here.mailed() == [(OWNER, "Failed: Daily sales, 2026-11-02")]
    here.clock.now += HOUR
    here.mended()
    here.run()
    assert [subject for _, subject in here.mailed()[1:]] == ["Daily sales, 2026-11-02"]
    (held,) = here.waiting()
    assert (held.kind, held.next_attempt) == ("recovery", dt.datetime(2026, 11, 3, 6, 0, tzinfo=dt.UTC))
    here.after(7 * HOUR)
    assert len(here.mailed()) == 2
    here.after(HOUR + 30 * MINUTE)
    assert here.mailed()[2][1] == "Works again: Daily sales, 2026-11-02"
    text = message_from_bytes(here.mails.messages[2].content, policy=default).get_body(("plain",))
    assert text is not None
    said = " ".join(text.get_content().split())
    assert "Quiet hours held this back from 22:30 until 2026-11-03 07:00 (Europe/Berlin)." in said


def test_errors_that_are_held_count_their_escalations_from_the_morning(world: Any) -> None:
    """The first message goes when the quiet hours are over, the phone an hour after that."""
    quiet = 'quiet = { from = "21:00", to = "07:00", holds = ["error"] }\n'
    here = world(ESCALATE + quiet)
    here.breaks()
    run = here.run()
    assert "at 2026-11-03 07:00, after quiet hours" in here.notice(run)
    assert "at 2026-11-03 08:00, unless acknowledged" in here.notice(run)
    here.after(9 * HOUR)
    assert (here.mailed(), here.pushed()) == ([], [])
    here.after(31 * MINUTE)
    assert (len(here.mailed()), here.pushed()) == (1, [])
    here.after(HOUR)
    assert len(here.pushed()) == 1


def test_a_failure_that_ends_before_the_morning_is_told_once(world: Any) -> None:
    """By the message that it works again, which says since when it had not."""
    here = world('quiet = { from = "21:00", to = "07:00", holds = ["info", "error"] }\n')
    here.breaks()
    here.run()
    here.clock.now += HOUR
    here.mended()
    here.run()
    here.after(9 * HOUR)
    assert [subject for _, subject in here.mailed()] == [
        "Daily sales, 2026-11-02", "Works again: Daily sales, 2026-11-02",
    ]  # fmt: skip


def test_an_escalation_that_falls_into_quiet_hours_waits_if_they_hold_errors(world: Any) -> None:
    """It failed before them, so that the mail went at once."""
    here = world(ESCALATE + 'quiet = { from = "22:00", to = "07:00", holds = ["error"] }\n')
    here.breaks()
    here.run()
    assert len(here.mailed()) == 1
    (waiting,) = here.waiting()
    assert waiting.next_attempt == dt.datetime(2026, 11, 3, 6, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(("holds", "waits"), [('["info", "warning"]', False), ('["report"]', True)])
def test_the_report_of_a_schedule_waits_only_if_it_is_named(world: Any, holds: str, *, waits: bool) -> None:
    """One that is due at night is mailed at night; a run by hand never waits."""
    here = world(f'quiet = {{ from = "21:00", to = "07:00", holds = {holds} }}\n')
    app, at = here.app, here.clock.now
    run = Run(id="scheduled", job="daily", as_of=at.date(), started=at, occurrence=at, trigger="schedule")
    run = replace(run, params={"day": at.date()})
    given = {"settings": app.settings, "store": app.store, "clock": here.clock, "owner": "me", "tell": str}
    Execution(**given).execute(app.jobs()["daily"], run, ready=lambda: None)
    here.after(MINUTE)
    assert bool(here.mailed()) is not waits
    here.run()
    assert len(here.mailed()) == (1 if waits else 2)
    here.after(9 * HOUR + 30 * MINUTE)
    assert len(here.mailed()) == 2


# -- channels that are dead --------------------------------------------------------------------------------


def test_a_channel_that_cannot_be_used_keeps_nobody_from_being_told(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is noted with the run, and told when it can be used again, once."""
    here = world('error = ["tem", "push", "mail"]\n')
    monkeypatch.delenv("REPORTS_TEST_PUSH")
    here.breaks()
    run = here.run()
    assert here.mailed() == [(OWNER, "Failed: Daily sales, 2026-11-02")]
    assert here.notice(run) == (
        f"told {OWNER}; not told: there is no channel 'tem'; "
        "not told: the environment variable REPORTS_TEST_PUSH is not set"
    )
    monkeypatch.setenv("REPORTS_TEST_PUSH", f"json://{here.phone.host}:{here.phone.port}/phone")
    second = here.run()
    assert (len(here.mailed()), here.pushed()) == (1, ["Failed: Daily sales, 2026-11-02"])
    assert here.notice(second).startswith(f"told json {here.phone.host}:{here.phone.port} on push")
    third = here.run()
    assert (len(here.mailed()), len(here.pushed())) == (1, 1)
    assert here.notice(third).startswith("told before: it has failed since then")


def test_a_channel_that_refuses_is_noted_beside_who_was_told(world: Any) -> None:
    """It causes no other notice, and mail is not delayed by it."""
    here = world('error = ["push", "mail"]\n')
    here.phone.answers["/"] = (403, "", {})
    here.breaks()
    run = here.run()
    assert len(here.mailed()) == 1
    name = f"json {here.phone.host}:{here.phone.port} on push"
    assert here.notice(run).startswith(f"told {name}, {OWNER}; could not be told: {name} (refused: 403")
    here.after(HOUR)
    assert len(here.mailed()) == 1


def test_a_channel_that_is_away_is_tried_again(world: Any) -> None:
    """As a mail is, until it is back."""
    here = world('error = ["push", "mail"]\n')
    here.phone.answers["/"] = (503, "", {})
    here.breaks()
    here.run()
    (waiting,) = here.waiting()
    assert (waiting.channel, waiting.attempts) == ("push", 1)
    here.phone.answers.clear()
    here.after(5 * MINUTE)
    assert here.waiting() == []
    assert here.pushed() == ["Failed: Daily sales, 2026-11-02"] * 2


def test_mail_that_is_away_does_not_silence_the_phone(world: Any) -> None:
    """The escalation comes at its time, whoever could not be told before."""
    here = world(ESCALATE)
    here.mails.replies["RCPT"] = "451 4.3.0 try later"
    here.breaks()
    here.run()
    here.after(HOUR + MINUTE)
    assert here.mailed() == []
    assert here.pushed() == ["Not acknowledged: Daily sales, 2026-11-02"]


def test_a_job_without_an_owner_can_be_told_of_all_the_same(world: Any) -> None:
    """By the channels that alerts name; the note says that no mail went."""
    here = world('error = ["mail", "push"]\n')
    text = (here.folder / "settings.toml").read_text()
    (here.folder / "settings.toml").write_text(text.replace(f'admins = "{OWNER}"', ""))
    with closing(replace(open_app(here.folder), clock=here.clock)) as app:
        here.app = app
        here.breaks()
        run = here.run()
        assert here.pushed() == ["Failed: Daily sales, 2026-11-02"]
        assert "not told: neither the job's owner nor [mail] admins are set" in here.notice(run)


def test_nothing_leaves_by_a_channel_outside_production(world: Any) -> None:
    """It is held with its reason, and the note says so; the mail goes to the one address."""
    here = world('error = ["mail", "push"]\n')
    text = (here.folder / "settings.toml").read_text()
    (here.folder / "settings.toml").write_text(text.replace("[mail]", '[mail]\nredirect = "me@example.com"'))
    with closing(replace(open_app(here.folder), clock=here.clock)) as app:
        here.app = app
        here.breaks()
        run = here.run()
        assert [who for who, _ in here.mailed()] == ["me@example.com"]
        assert here.pushed() == []
        assert "on push (held: [mail] redirect is set)" in here.notice(run)
        assert [one.state for one in app.outbox() if one.channel == "push"] == ["held"]


# -- what is told before -----------------------------------------------------------------------------------


def test_check_tells_of_a_channel_that_nobody_knows(world: Any) -> None:
    """With the nearest name, the file and the line; of the project's alerts and of a job's own."""
    here = world(
        'error = ["pusch"]\nescalate = { after = "1h", channels = ["mial"] }\n', job='alerts = { info = "psuh" }\n'
    )
    told = command(here.folder, "check")
    assert told.exit_code != 0
    settings, job = here.folder / "settings.toml", here.folder / "jobs/daily/job.toml"
    lines = settings.read_text().splitlines()
    error = next(number for number, line in enumerate(lines, 1) if line.startswith("error"))
    assert f"{settings}:{error}, key alerts.error" in told.output
    assert f"{settings}:{error + 1}, key alerts.escalate" in told.output
    assert f"{job}:1, key alerts.info" in told.output
    assert told.output.count("did you mean 'push'?") == 2
    assert "did you mean 'mail'?" in told.output


def test_check_says_who_is_told(world: Any) -> None:
    """In a line, for the project, and for a job that says something of its own; and what each channel is."""
    here = world(ESCALATE + QUIET, job='alerts = { error = ["push"] }\n')
    told = command(here.folder, "check").output
    assert "error to mail; info to mail; after 1 h 0 min to push; quiet from 21:00 to 07:00" in told
    assert "error to push; info to mail; after 1 h 0 min to push; quiet from 21:00 to 07:00" in told
    assert f"to json {here.phone.host}:{here.phone.port}" in told


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ("fail", "'bare' takes no files, and this report has some: gotify 127.0.0.1:1"),
        ("link", "'bare' takes no files, and there is no address to link to: gotify 127.0.0.1:1"),
    ],
)
def test_files_that_could_not_go_are_told_before_the_run(
    world: Any, monkeypatch: pytest.MonkeyPatch, policy: str, says: str
) -> None:
    """By `reports check`, and by a run before it reads a row; nothing goes out."""
    monkeypatch.setenv("REPORTS_TEST_BARE", "gotify://127.0.0.1:1/AbCdEfGhIjKlMnO")
    bare = f'[channels.bare]\nurl = {{ env = "REPORTS_TEST_BARE" }}\non_unsupported = "{policy}"\n'
    here = world(
        'error = ["mail"]\n', job='channels = ["mail", "bare"]\nattach = { excel = ["by_region"] }\n', more=bare
    )
    told = command(here.folder, "check")
    assert told.exit_code != 0
    assert says in told.output
    run = here.run()
    assert here.app.show(run).run.error.startswith(says)
    assert here.mailed() == [(OWNER, "Failed: Daily sales, 2026-11-02")]


# -- with the service ----------------------------------------------------------------------------------------


def test_the_service_escalates_in_time_whoever_ran_the_job(
    tmp_path: Path, mails: MailServer, phone: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run by hand fails; the phone is told by the service, which knows of it by the outbox alone."""
    url = f"json://{phone.host}:{phone.port}/phone"
    monkeypatch.setenv("REPORTS_TEST_PUSH", url)
    later = 'escalate = { after = "2s", channels = ["push"] }\n'
    service = '\n[service]\nhealth = ""\n'
    head = SETTINGS.partition("[mail]")[0] + MAIL.format(port=mails.port)
    folder = make_project(tmp_path, settings=head + service + PUSH.format(alerts=later, more=""))
    (folder / "sales.csv").unlink()
    with Serving(folder, REPORTS_TEST_PUSH=url) as running:
        assert reports(folder, "run", "daily", REPORTS_TEST_PUSH=url).returncode == 2
        eventually(lambda: phone.posts, "the phone is told")
        assert running.stop() == 0
    assert phone.posts[0].values["title"].startswith("Not acknowledged: Daily sales")
    assert [one.recipients for one in mails.messages] == [(OWNER,)]
