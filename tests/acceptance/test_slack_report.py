"""A job's report on its way to Slack beside the mail: the installed command, and a workspace on this machine."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import slackblocks
from commands import reports, start
from projects import JOB, SETTINGS, make_project
from slackserver import Fault, SlackServer, limited

CHANNEL = '\n[channels.team]\ntoken = {{ file = "token" }}\napi = "{api}"\nto = ["#cash"]\n'
HOOK = '\n[channels.hook]\nwebhook = {{ file = "hook" }}\n'
ON_BOTH = JOB.replace("params", 'channels = ["mail", "team"]\nparams')


@pytest.fixture
def server() -> Iterator[SlackServer]:
    """A workspace of the test's own."""
    with SlackServer() as running:
        yield running


@pytest.fixture
def project(tmp_path: Path, server: SlackServer) -> Path:
    """A project whose job goes to mail and to Slack, with a workbook."""
    make_project(
        tmp_path, settings=SETTINGS + CHANNEL.format(api=server.api), job=ON_BOTH + '[attach]\nexcel = ["by_region"]\n'
    )
    (tmp_path / "token").write_text(server.bot)
    return tmp_path


def mails(folder: Path) -> list[Path]:
    return list((folder / "var" / "mail").glob("*.eml"))


def deliveries(folder: Path, *arguments: str) -> list[dict[str, Any]]:
    """All of the outbox."""
    found: list[dict[str, Any]] = json.loads(reports(folder, "outbox", "list", "--all", "--json", *arguments).stdout)
    return found


def states(folder: Path) -> dict[str, str]:
    """By channel and recipient, how each delivery stands."""
    return {f"{one['channel']} {one['recipient']}": one["state"] for one in deliveries(folder)}


# -- the sample project ------------------------------------------------------------------------------------


def test_the_sample_report_reaches_slack_with_charts_and_workbook(
    root: Path, tmp_path: Path, server: SlackServer
) -> None:
    """Beside its mail, out of one run and one outbox."""
    for part in ("jobs", "templates"):
        shutil.copytree(root / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    settings = (root / "settings.toml").read_text("utf-8") + CHANNEL.format(api=server.api)
    (tmp_path / "settings.toml").write_text(settings, "utf-8")
    (tmp_path / "token").write_text(server.bot)
    job = tmp_path / "jobs" / "cashflow" / "job.toml"
    job.write_text('channels = ["mail", "team"]\n' + job.read_text("utf-8"), "utf-8")
    ran = reports(tmp_path, "run", "cashflow", "--as-of", "2026-10-31")
    assert ran.returncode == 0, ran.stderr
    assert "#cash on team: 200 posted in C00000002" in ran.stdout
    posted, files = server.said("cash")
    assert slackblocks.problems(posted["blocks"]) == []
    assert posted["blocks"][0]["text"]["text"] == "Loan cash flows as of 2026-10-31"
    said = json.dumps(posted["blocks"], ensure_ascii=False)
    for text in ("By product", "In the thread below: 3 charts, Loan cash flows 2026-10-31.xlsx", ":bar_chart:"):
        assert text in said
    assert files["thread_ts"] == posted["ts"]
    assert [one["name"] for one in files["files"]][-1] == "Loan cash flows 2026-10-31.xlsx"
    assert all(one.alt for one in server.world.files.values() if one.name.endswith(".png"))
    assert len(mails(tmp_path)) == 1
    assert states(tmp_path) == {"mail finance@example.com": "accepted", "team #cash": "accepted"}
    assert "conversations.list" not in server.calls()
    verified = reports(tmp_path, "verify", json.loads(reports(tmp_path, "runs", "--json").stdout)[0]["id"])
    assert verified.returncode == 0, verified.stdout + verified.stderr


# -- the outbox --------------------------------------------------------------------------------------------


def test_too_much_for_slack_waits_in_the_outbox_and_goes_once(project: Path, server: SlackServer) -> None:
    """The mail is out meanwhile; what is tried again is the very same message."""
    server.faults["chat.postMessage"] = [limited(60)]
    assert reports(project, "run", "daily").returncode == 1
    assert states(project) == {"mail finance@example.com": "accepted", "team #cash": "pending"}
    assert "429" in json.dumps(deliveries(project)) or "too many requests" in json.dumps(deliveries(project))
    assert reports(project, "outbox", "retry").returncode == 0
    assert states(project) == {"mail finance@example.com": "accepted", "team #cash": "accepted"}
    assert len(server.said("cash")) == 2
    assert len(mails(project)) == 1


def test_a_channel_that_refuses_is_told_and_stands_in_no_mails_way(project: Path, server: SlackServer) -> None:
    """With what to do."""
    server.faults["chat.postMessage"] = [Fault(error="not_in_channel")]
    ran = reports(project, "run", "daily")
    assert ran.returncode == 1
    assert "refused     #cash on team: Slack said not_in_channel" in ran.stdout
    assert "/invite @BOT" in ran.stdout
    assert states(project)["mail finance@example.com"] == "accepted"
    run = json.loads(reports(project, "runs", "--json").stdout)[0]["id"]
    assert "refused     #cash on team" in reports(project, "show", run).stdout


@pytest.mark.parametrize(
    ("method", "done", "state"),
    [
        ("auth.test", False, "accepted"),
        ("chat.postMessage", False, "unknown"),
        ("chat.postMessage", True, "unknown"),
        ("files.completeUploadExternal", True, "unknown"),
    ],
)
def test_killed_in_between_nothing_goes_twice(
    project: Path,
    server: SlackServer,
    method: str,
    done: bool,  # noqa: FBT001
    state: str,
) -> None:
    """What was not handed over yet is sent by whoever comes next; of the rest a person decides."""
    killed = []

    def kill(called: str, carried_out: bool) -> None:  # noqa: FBT001
        if (called, carried_out) == (method, done) and not killed:
            running.kill()
            running.wait()
            killed.append(called)

    server.watch = kill
    running = start(project, "run", "daily")
    assert running.wait() == -signal.SIGKILL
    for _ in range(2):
        reports(project, "outbox", "retry")
    assert states(project) == {"mail finance@example.com": "accepted", "team #cash": state}
    assert len([one for one in server.said("cash") if "thread_ts" not in one]) == 1
    assert len(mails(project)) == 1


# -- looking at it -----------------------------------------------------------------------------------------


def test_a_dry_run_writes_what_would_be_said(project: Path, server: SlackServer) -> None:
    """Beside the mail, and asks nobody."""
    ran = reports(project, "run", "daily", "--as-of", "2026-10-31", "--dry-run", "--out", "out")
    assert ran.returncode == 0, ran.stderr
    assert "not posted  (dry run) on team to #cash" in ran.stdout
    names = {path.name for path in (project / "out").iterdir()}
    assert names == {
        "message.eml",
        "body.html",
        "body.txt",
        "run.json",
        "channel-team.json",
        "Daily sales 2026-10-31.xlsx",
    }
    said = json.loads((project / "out" / "channel-team.json").read_text("utf-8"))
    assert said["recipients"] == ["#cash"]
    assert slackblocks.problems(said["blocks"]) == []
    assert [one["name"] for one in said["files"]] == ["Daily sales 2026-10-31.xlsx"]
    assert json.loads((project / "out" / "run.json").read_text("utf-8"))["channels"][0]["name"] == "team"
    assert server.asked == []


def test_a_check_shows_channels_and_with_connect_asks_them(project: Path, server: SlackServer) -> None:
    """Team, bot and scopes."""
    ran = reports(project, "check")
    assert "channel team" in ran.stdout
    assert "a Slack bot, to #cash" in ran.stdout
    assert "channels team (#cash)" in ran.stdout
    assert server.asked == []
    told = reports(project, "check", "--connect").stdout
    for said in ("Example Bank", "posts as reports", "chat:write"):
        assert said in told
    assert server.calls() == ["auth.test"]
    server.world.tokens.clear()
    refused = reports(project, "check", "--connect")
    assert refused.returncode != 0
    assert "invalid_auth" in refused.stdout + refused.stderr


def test_a_channel_that_is_not_there_is_told_before_the_run(project: Path) -> None:
    """By the line of the job."""
    job = project / "jobs" / "daily" / "job.toml"
    job.write_text(job.read_text("utf-8").replace('"team"', '"taem:#cash"'), "utf-8")
    ran = reports(project, "run", "daily")
    assert ran.returncode == 2
    assert "did you mean 'team'?" in ran.stderr
    assert "job.toml:3" in ran.stderr


# -- whom it goes to ---------------------------------------------------------------------------------------


def test_a_job_may_go_to_slack_alone(project: Path, server: SlackServer) -> None:
    """To several places, and nobody need have a mail address."""
    job = project / "jobs" / "daily" / "job.toml"
    job.write_text(job.read_text("utf-8").replace('["mail", "team"]', '["team", "team:ada@example.com"]'), "utf-8")
    settings = project / "settings.toml"
    settings.write_text(settings.read_text("utf-8").replace('to = "finance@example.com"\n', ""), "utf-8")
    assert reports(project, "run", "daily").returncode == 0
    assert states(project) == {"team #cash": "accepted", "team ada@example.com": "accepted"}
    assert mails(project) == []
    assert "team, team:ada@example.com" in reports(project, "list").stdout
    shown = reports(project, "preview", "daily", "--no-open")
    assert shown.returncode == 2
    assert "sends no mail that could be shown" in shown.stderr


def test_a_test_goes_to_the_place_that_is_named_alone(project: Path, server: SlackServer) -> None:
    """And says that it is one; a test by mail posts nothing."""
    assert reports(project, "run", "daily", "--to", "team:#general").returncode == 0
    assert states(project) == {"team #general": "accepted"}
    assert "Test: this report was asked for by hand." in json.dumps(server.said("general")[0]["blocks"])
    assert reports(project, "run", "daily", "--to", "me@example.com").returncode == 0
    assert server.said("cash") == []


def test_a_webhook_names_the_files_and_the_mail_that_has_them(project: Path, server: SlackServer) -> None:
    """It carries none."""
    settings = project / "settings.toml"
    settings.write_text(settings.read_text("utf-8") + HOOK.format(), "utf-8")
    (project / "hook").write_text(server.webhook)
    job = project / "jobs" / "daily" / "job.toml"
    job.write_text(job.read_text("utf-8").replace('"team"', '"hook"'), "utf-8")
    assert reports(project, "run", "daily", "--as-of", "2026-10-31").returncode == 0
    assert states(project) == {"mail finance@example.com": "accepted", "hook hook": "accepted"}
    (said,) = server.said("general")
    assert "does not go by this channel: Daily sales 2026-10-31.xlsx" in json.dumps(said["blocks"])
    assert "All of it is in the mail." in json.dumps(said["blocks"])


def test_what_must_not_lose_its_files_is_an_error_before_the_run(project: Path, server: SlackServer) -> None:
    """Of a channel that takes none, where settings say so."""
    settings = project / "settings.toml"
    settings.write_text(settings.read_text("utf-8") + HOOK.format() + 'on_unsupported = "fail"\n', "utf-8")
    (project / "hook").write_text(server.webhook)
    job = project / "jobs" / "daily" / "job.toml"
    job.write_text(job.read_text("utf-8").replace('"team"', '"hook"'), "utf-8")
    for arguments in (("run", "daily"), ("check",)):
        ran = reports(project, *arguments)
        assert ran.returncode == 2
        assert "'hook' takes no files, and this report has some" in ran.stdout + ran.stderr
    assert mails(project) == []
    job.write_text(job.read_text("utf-8").partition("[attach]")[0], "utf-8")
    assert reports(project, "run", "daily").returncode == 0
