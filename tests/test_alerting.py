"""A notice as messages: whom each reaches, when, and what is said with the run of those who could not be reached."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from reports import notices
from reports.alerting import Notice, Writer, Written, alerts_of, in_words, is_warning, key_of, unusable
from reports.definition import Alerts, Job
from reports.errors import JobError, SettingsError
from reports.model import Outgoing, Page, Run, Status, Tone
from reports.settings import Settings
from reports.transports.notes import unpack

NOW = dt.datetime(2026, 11, 2, 20, 30, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
TEAM = {"token": {"env": "SLACK_BOT_TOKEN"}, "to": ["#ops"]}
HOOK = {"webhook": {"env": "SLACK_HOOK"}}
RUN = Run(id="3f2a", job="daily", as_of=NOW.date(), started=NOW, finished=NOW, state="failed")


def project(mail: Mapping[str, Any] | None = None, **alerts: Any) -> Settings:
    given = {"mail": {"admins": "ann@example.com", "from": "me@example.com"} | dict(mail or {}), "alerts": alerts}
    channels = {"team": TEAM, "hook": HOOK}
    return Settings.model_validate({**given, "channels": channels}, context={"root": Path("here")})


def job(**alerts: Any) -> Job:
    folder = Path("here/jobs/daily")
    return Job(title="Daily", name="daily", folder=folder, alerts=Alerts.model_validate(alerts))


def write(settings: Settings, *, of: Job | None = None, besides: Mapping[str, Sequence[str]] | None = None) -> Written:
    make = partial(notices.failure, RUN, title="Daily", error="the disk is full", log="one\ntwo")
    notice = Notice(
        run=RUN, job=of, kind="failure", severity="error", make=make, what=["the disk is full"], besides=besides or {}
    )
    return Writer(settings=settings, now=NOW).write(notice)


def shape(messages: Sequence[Outgoing]) -> list[tuple[str, str, Sequence[str], float]]:
    """Channel, kind, recipients, and after how many hours."""
    return [(one.channel, one.kind, list(one.message.recipients), ((one.due or NOW) - NOW) / HOUR) for one in messages]


def test_each_channel_has_a_message_of_its_own() -> None:
    """Mail with all of it; elsewhere what is short, with the sentence where the rest is."""
    made = write(project(error=["mail", "team", "hook"]))
    assert shape(made.messages) == [
        ("", "failure", ["ann@example.com"], 0), ("team", "failure", ["#ops"], 0), ("hook", "failure", ["hook"], 0),
    ]  # fmt: skip
    note = unpack(made.messages[1].message.content)
    assert (note.title, note.tone, note.whole) == ("Failed: Daily, 2026-11-02", "bad", "All of it is in the mail.")
    assert note.text.splitlines()[0] == "The disk is full"
    alone = unpack(write(project(error="team")).messages[0].message.content)
    assert alone.whole == "All of it: reports show 3f2a"


def test_messages_are_the_same_when_they_are_made_again() -> None:
    """Message-IDs too, and no two are alike, however often a channel is told later."""
    escalate = [{"after": "1h", "channels": ["mail", "team"]}, {"after": "2h", "channels": ["mail", "team"]}]
    first, again = (write(project(error=["mail", "team"], escalate=escalate)) for _ in range(2))
    assert first.messages == again.messages
    assert len({one.message.message_id for one in first.messages}) == len(first.messages) == 6
    assert shape(first.messages)[2:] == [
        ("", "escalation", ["ann@example.com"], 1), ("team", "escalation", ["#ops"], 1),
        ("", "escalation", ["ann@example.com"], 2), ("team", "escalation", ["#ops"], 2),
    ]  # fmt: skip


def test_a_message_that_waits_expires_later() -> None:
    """As long after it is due as any other after it was written."""
    quiet = {"from": "20:00", "to": "23:30", "holds": ["error"]}
    made = write(project(error=["team"], escalate={"after": "1h", "channels": "mail"}, quiet=quiet))
    assert [(one[1], one[3]) for one in shape(made.messages)] == [("failure", 3), ("escalation", 4)]
    assert [one.expires - NOW for one in made.messages] == [27 * HOUR, 28 * HOUR]


def test_who_has_heard_of_it_hears_of_its_end_once() -> None:
    """Whatever the settings say; not twice where they say it as well."""
    made = write(project(error=["team"]), besides={"team": ["#ops", "#night"], "": ["ann@example.com"]})
    assert shape(made.messages) == [
        ("team", "failure", ["#ops"], 0), ("team", "failure", ["#night"], 0), ("", "failure", ["ann@example.com"], 0),
    ]  # fmt: skip


def test_the_note_says_who_was_told_who_will_be_and_who_was_not() -> None:
    """Of what really went into the outbox."""
    settings = project(error=["mail", "tem"], escalate={"after": "1h", "channels": "team"})
    made = write(settings)
    both = "told ann@example.com; #ops on team at 2026-11-02 21:30, unless acknowledged; not told: there is no channel 'tem'"
    assert made.note(made.messages) == both
    assert made.note([]) == "told before: it has failed since then; not told: there is no channel 'tem'"
    nobody = write(project({"admins": []}))
    assert nobody.note([]) == "nobody was told: neither the job's owner nor [mail] admins are set"
    mute = write(project(error=[]))
    assert mute.note([]) == "nobody was told: [alerts] error is empty"


def test_a_job_s_keys_are_told_with_its_file_and_the_project_s_with_theirs() -> None:
    """Each of what is wrong, where it is written."""
    own, settings = job(info="tem"), project(error="pusch", escalate={"after": "1h", "channels": "hok"})
    assert key_of(own, settings, "info").where == f"{Path('here/jobs/daily/job.toml')}, key alerts.info"
    assert key_of(own, settings, "error").where == f"{Path('here/settings.toml')}, key alerts.error"
    assert [type(one) for one in unusable(own, settings)] == [JobError]
    found = list(unusable(None, settings))
    assert [type(one) for one in found] == [SettingsError, SettingsError]
    assert [one.what for one in found] == ["there is no channel 'pusch'", "there is no channel 'hok'"]
    assert alerts_of(own, settings).error == ("pusch",)


@pytest.mark.parametrize(
    ("tone", "notices_", "worth"),
    [("good", [], False), ("info", [], False), ("warning", [], True), ("bad", [], True), ("good", ["3 rows"], True)],
)
def test_a_report_is_a_warning_by_status_or_notices(tone: Tone, notices_: list[str], *, worth: bool) -> None:
    """One that says nothing of itself is well."""
    page = Page(
        title="x", subject="x", as_of=NOW.date(), blocks=(), notices=notices_, status=Status(text="s", tone=tone)
    )
    assert is_warning(page) == worth
    assert not is_warning(Page(title="x", subject="x", as_of=NOW.date(), blocks=()))


def test_alerts_in_words_are_one_line() -> None:
    """As `reports check` shows them."""
    settings = project(error=["mail", "team"], warning=[], info=[], escalate={"after": "90m", "channels": "hook"})
    assert in_words(settings.alerts) == "error to mail, team; after 1 h 30 min to hook"
    assert in_words(project(error=[]).alerts) == "error to nobody; info to mail"


def test_the_examples_of_the_documentation_name_channels_that_are_there(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The settings and the job of the section on alerts, as one project."""
    monkeypatch.setenv("NTFY_URL", "ntfys://tk_abcdefghij@ntfy.example.com/finance")
    section = (root / "docs" / "channels.md").read_text("utf-8").partition("## Alerts")[2].partition("### ")[0]
    first, second = (tomllib.loads(text) for text in re.findall(r"```toml\n(.*?)```", section, re.DOTALL))
    settings = Settings.model_validate(first, context={"root": tmp_path})
    own = Job.model_validate({**second, "name": "cashflow", "folder": tmp_path})
    assert list(unusable(None, settings)) == list(unusable(own, settings)) == []
    assert in_words(alerts_of(own, settings)) == (
        "error to mail, push; warning to team; info to mail, team; after 1 h 0 min to push; after 4 h 0 min to push, mail; "
        "quiet from 20:00 to 08:00 on mon, tue, wed, thu, fri; quiet from 00:00 to 24:00 on sat, sun"
    )
