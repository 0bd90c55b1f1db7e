"""What one does in Slack from a terminal, from the first check to the last status: the walk-through, command by command."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import command, reports
from projects import SETTINGS, make_project
from slackserver import SlackServer

CHANNELS = """
[channels.team]
token = {{ file = "token" }}
user_token = {{ file = "user" }}
api = "{api}"

[channels.hook]
webhook = {{ file = "token" }}
"""
Say = Callable[..., Any]


@pytest.fixture
def server() -> Iterator[SlackServer]:
    """A workspace of the test's own."""
    with SlackServer(page=2) as running:
        yield running


@pytest.fixture
def project(tmp_path: Path, server: SlackServer) -> Path:
    """A project with a channel of Slack."""
    make_project(tmp_path, settings=SETTINGS + CHANNELS.format(api=server.api))
    (tmp_path / "token").write_text(server.bot)
    (tmp_path / "user").write_text(server.user)
    return tmp_path


@pytest.fixture
def slack(project: Path) -> Say:
    """Runs `reports slack ...`; what it answers, as JSON where that is asked for."""

    def run(*arguments: str, status: int = 0) -> Any:
        ran = command(project, "slack", *arguments)
        assert ran.exit_code == status, ran.output
        return json.loads(ran.stdout) if "--json" in arguments else ran.stdout.strip() or ran.stderr

    return run


# -- the walk-through ---------------------------------------------------------------------------------------


def test_the_connection_and_the_team_are_checked(slack: Say) -> None:
    """Before anything else."""
    told = slack("check")
    assert told.startswith("Example Bank (https://example.slack.com/)")
    assert "the bot reports (U0000000B)" in told
    assert "chat:write" in told
    assert slack("check", "--json")["team_id"] == "T1"


def test_channels_are_listed_with_their_purpose(slack: Say) -> None:
    """All pages."""
    assert "#cash" in slack("channels")
    assert "Cash & flows" in slack("channels")
    assert [one["name"] for one in slack("channels", "--archived", "--json")] == ["general", "cash", "lobby", "past"]


def test_people_are_listed_with_name_time_zone_and_status(slack: Say) -> None:
    """And without those who are gone."""
    slack("status", "in a meeting", "--emoji", "spiral_calendar_pad")
    told = slack("users")
    assert "Zoë Müller" in told
    assert "Europe/London" in told
    assert ":spiral_calendar_pad: in a meeting" in told
    assert "Bob Gone" not in told
    assert "bob" in {one["name"] for one in slack("users", "--deleted", "--json")}


def test_a_channel_is_made_described_filled_and_written_to(slack: Say, server: SlackServer) -> None:
    """From its name to its first message with everybody told."""
    made = slack("create", "new-flows", "--topic", "Flows", "--purpose", "All new flows", "--json")
    assert (made["topic"], made["purpose"]) == ("Flows", "All new flows")
    assert slack("topic", "#new-flows", "Cash") == "the topic of #new-flows is set"
    assert slack("purpose", "#new-flows", "All cash") == "the purpose of #new-flows is set"
    assert slack("invite", "#new-flows", "ada@example.com", "@zoe") == "invited 2 into #new-flows"
    assert len(server.world.found("new-flows").members) == 3
    assert slack("join", "#lobby") == "the bot is in #lobby"
    mentions = ("--mention", "channel", "--mention", "zoe@example.com")
    slack("post", "#new-flows", "*Ready*", "--name", "Cash", "--icon", "moneybag", *mentions)
    (said,) = server.said("new-flows")
    assert said["text"] == "<!channel> <@U00000002> *Ready*"
    assert (said["username"], said["icon_emoji"]) == ("Cash", ":moneybag:")


def test_a_direct_message_is_opened_and_written(slack: Say, server: SlackServer) -> None:
    """By mail address."""
    place = slack("open", "zoe@example.com")
    slack("post", place, "hello")
    assert [one["text"] for one in server.said(place)] == ["hello"]


def test_blocks_and_attachments_are_posted_from_files(slack: Say, server: SlackServer, tmp_path: Path) -> None:
    """As Slack's builder gives them; what Slack would refuse is told before."""
    blocks = [{"type": "header", "text": {"type": "plain_text", "text": "Flows"}}]
    (tmp_path / "blocks.json").write_text(json.dumps({"blocks": blocks}))
    (tmp_path / "attached.json").write_text(json.dumps([{"color": "#1F5A92", "text": "12"}]))
    (tmp_path / "long.json").write_text(
        json.dumps([{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}])
    )
    given = ("--blocks", str(tmp_path / "blocks.json"), "--attachments", str(tmp_path / "attached.json"))
    slack("post", "#cash", "Flows", *given)
    assert server.said("cash")[0]["blocks"] == blocks
    assert server.said("cash")[0]["attachments"][0]["text"] == "12"
    assert "text of 151 characters" in slack("post", "#cash", "x", "--blocks", str(tmp_path / "long.json"), status=1)
    assert "cannot be read as JSON" in slack("post", "#cash", "x", "--blocks", str(tmp_path / "token"), status=2)


def test_a_message_is_changed_commented_found_and_deleted(slack: Say, server: SlackServer) -> None:
    """By the name that posting tells."""
    message = slack("post", "#cash", "Prepayments rose")
    assert slack("update", message, "Prepayments fell") == message
    comment = slack("comment", message, "why?", "--json")["message"]
    assert "U0000000B: Prepayments fell" in slack("history", "#cash")
    assert slack("history", "#cash", "--since", "2100-01-01", "--json") == []
    assert "why?" in slack("search", "why", "-n", "5")
    assert slack("delete", comment) == f"deleted {comment}"
    slack("delete", message)
    assert server.said("cash") == []
    assert "is not CHANNEL/TS" in slack("comment", "C00000002", "why?", status=2)


def test_a_file_is_uploaded_with_title_and_comment_and_deleted(slack: Say, server: SlackServer, tmp_path: Path) -> None:
    """In the thread of a message."""
    (tmp_path / "flows.csv").write_text("month,amount\n1,12\n")
    message = slack("post", "#cash", "Flows")
    given = ("--title", "All flows", "--comment", "as of today", "--thread", message, "--alt", "Twelve")
    made = slack("upload", "#cash", str(tmp_path / "flows.csv"), *given, "--json")
    file = server.world.files[made["id"]]
    assert (file.title, file.comment, file.thread, file.alt) == (
        "All flows",
        "as of today",
        message.split("/")[1],
        "Twelve",
    )
    slack("delete", made["id"])
    assert file.deleted


def test_a_reminder_a_snooze_and_a_status_are_ones_own(slack: Say, server: SlackServer) -> None:
    """By the user's token."""
    assert slack("remind", "look at the flows", "in 20 minutes").startswith("reminder Rm")
    assert slack("snooze", "1h").startswith("no notifications until ")
    assert server.world.snoozed == {"U00000001": 60}
    assert slack("snooze", "--end") == "notifications are on"
    assert slack("status", "away", "--emoji", ":palm_tree:", "--for", "2h") == "the status is set"
    assert server.world.people["U00000001"].status["status_expiration"] > 1_700_000_000
    assert slack("status") == "the status is gone"
    assert server.world.people["U00000001"].status["status_text"] == ""
    assert "say for how long" in slack("snooze", status=2)
    assert "a duration is" in slack("snooze", "soon", status=2)


# -- whose tokens ------------------------------------------------------------------------------------------


def test_without_a_project_the_tokens_are_those_of_the_environment(tmp_path: Path, server: SlackServer) -> None:
    """As in scripts and containers."""
    given = {"SLACK_BOT_TOKEN": server.bot, "SLACK_API_URL": server.api}
    ran = reports(tmp_path, "slack", "post", "#cash", "hello", **given)
    assert ran.returncode == 0, ran.stderr
    searched = reports(tmp_path, "slack", "search", "hello", **given)
    assert searched.returncode == 1
    assert "needs a user token with the scope search:read" in searched.stderr
    assert "SLACK_USER_TOKEN" in searched.stderr
    found = reports(tmp_path, "slack", "search", "hello", **given, SLACK_USER_TOKEN=server.user)
    assert "hello" in found.stdout
    assert server.bot not in found.stdout + searched.stderr


def test_without_any_token_it_is_told_where_one_comes_from(tmp_path: Path) -> None:
    """With nothing asked."""
    names = {name: "" for name in os.environ if name.startswith("SLACK_")}
    ran = reports(tmp_path, "slack", "check", **names)
    assert ran.returncode == 1
    assert "SLACK_BOT_TOKEN" in ran.stderr


def test_the_channel_whose_tokens_are_used_can_be_named(slack: Say) -> None:
    """One that has none is told with those that have."""
    assert "Example Bank" in slack("check", "--by", "team")
    told = slack("check", "--by", "hook", status=2)
    assert "no channel 'hook' with a token of Slack" in told
    assert "channels of Slack: team" in told


def test_a_token_that_is_not_there_is_told(project: Path, slack: Say) -> None:
    """By the place where it should be."""
    (project / "token").unlink()
    assert "the secret file" in slack("check", status=2)
