"""What the client promises beyond the calls themselves: names become ids, pages are followed, and errors help."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from slackserver import LOST, TAKEN, Fault, SlackServer, limited

from reports.errors import RenderError, TransportError
from reports.slack import Posted, Slack


@pytest.fixture
def server() -> Iterator[SlackServer]:
    """A workspace of the test's own, with small pages."""
    with SlackServer(page=2) as running:
        yield running


@pytest.fixture
def slack(server: SlackServer) -> Slack:
    """A client with both tokens."""
    return Slack(server.bot, server.user, api=server.api, timeout=30, patience=3)


def refused(slack: Slack, method: str, *values: object) -> TransportError:
    """The error of a call that fails."""
    with pytest.raises(TransportError) as caught:
        getattr(slack, method)(*values)
    return caught.value


# -- looking -------------------------------------------------------------------------------------------


def test_the_workspace_is_told_with_the_scopes(slack: Slack) -> None:
    """So that what is missing is seen before it is needed."""
    found = slack.check()
    assert (found.team, found.user, found.bot) == ("Example Bank", "reports", True)
    assert "chat:write" in found.scopes


def test_channels_come_from_all_pages(slack: Slack, server: SlackServer) -> None:
    """With their purposes; archived and private ones only if asked for."""
    server.world.channels["C00000004"].members.add("U0000000B")
    assert [(one.name, one.purpose) for one in slack.channels()] == [
        ("general", "Everything"),
        ("cash", "Cash & flows"),
        ("lobby", ""),
    ]
    assert {one.name for one in slack.channels(private=True, archived=True)} >= {"board", "past"}


def test_people_come_with_time_zone_and_status(slack: Slack) -> None:
    """Those who are gone only if asked for."""
    slack.status("at lunch", "pizza")
    ada = next(one for one in slack.users() if one.name == "ada")
    assert (ada.real_name, ada.timezone, ada.status, ada.emoji) == (
        "Ada Lovelace",
        "Europe/London",
        "at lunch",
        ":pizza:",
    )
    assert "bob" not in {one.name for one in slack.users()}
    assert "bob" in {one.name for one in slack.users(deleted=True)}


def test_history_is_the_newest_first_and_as_much_as_asked(slack: Slack) -> None:
    """Over several pages, by the channel's name."""
    for number in range(5):
        slack.post("#cash", f"message {number}")
    assert [one.text for one in slack.history("#cash", most=3)] == ["message 4", "message 3", "message 2"]
    assert len(slack.history("cash")) == 5
    assert slack.history("cash", since=dt.datetime(2100, 1, 1, tzinfo=dt.UTC)) == []


def test_search_finds_messages_by_the_users_token(slack: Slack, server: SlackServer) -> None:
    """Which is taken by itself, for no bot may search."""
    for number in range(3):
        slack.post("#cash", f"Prepayments rose by {number}")
    assert [one.text for one in slack.search("prepayments", most=2)] == [
        "Prepayments rose by 2",
        "Prepayments rose by 1",
    ]
    assert server.asked[-1].token == server.user


# -- people, channels ------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["U00000002", "zoe@example.com", "@zoe", "Zoë Müller", "ZOE"])
def test_a_person_is_found_by_id_address_or_name(slack: Slack, who: str) -> None:
    """Whatever they are called by."""
    assert slack.user(who).id == "U00000002"


def test_nobody_of_that_name_is_told_with_the_nearest(slack: Slack) -> None:
    """And one of two of the same name is not guessed."""
    assert "did you mean 'zoe'" in refused(slack, "user", "zoo").hint
    assert "users_not_found" in refused(slack, "user", "nobody@example.com").what


def test_two_of_one_name_are_not_guessed(slack: Slack, server: SlackServer) -> None:
    """A report for one of them must not reach the other."""
    server.world.people["U00000001"].name = "zoe"
    assert "several people" in refused(slack, "user", "zoe").what


def test_a_channel_is_made_with_topic_and_purpose_and_people(slack: Slack, server: SlackServer) -> None:
    """And known by its name from then on."""
    made = slack.create("#new-flows", topic="Flows", purpose="All new flows")
    assert (made.name, made.topic, made.purpose) == ("new-flows", "Flows", "All new flows")
    slack.topic("new-flows", "Others")
    assert slack.invite("#new-flows", "ada@example.com", "@zoe").members == 3
    assert server.world.channels[made.id].topic == "Others"
    assert "conversations.list" not in server.calls()


def test_a_private_channel_is_made(slack: Slack, server: SlackServer) -> None:
    """By its own scope."""
    made = slack.create("inner", private=True)
    assert server.world.channels[made.id].kind == "private"


def test_the_bot_joins_a_public_channel(slack: Slack, server: SlackServer) -> None:
    """So that it may read and upload there."""
    slack.join("lobby")
    assert "U0000000B" in server.world.channels["C00000003"].members


def test_direct_messages_are_opened_with_one_or_several(slack: Slack, server: SlackServer) -> None:
    """And the same ones again."""
    assert slack.open("@ada") == slack.open("ada@example.com")
    assert server.world.channels[slack.open("@ada", "@zoe")].kind == "mpim"


# -- messages --------------------------------------------------------------------------------------------


def test_a_message_is_posted_with_name_and_icon(slack: Slack, server: SlackServer) -> None:
    """An emoji with or without its colons, or the address of a picture."""
    for icon in ("chart", ":chart:", "https://example.com/i.png"):
        slack.post("#cash", "hello", name="Cash", icon=icon)
    said = server.said("cash")
    assert [one.get("icon_emoji") for one in said] == [":chart:", ":chart:", None]
    assert [one["username"] for one in said] == ["Cash"] * 3
    assert said[2]["icon_url"] == "https://example.com/i.png"


def test_a_message_reaches_a_person_by_address(slack: Slack, server: SlackServer) -> None:
    """Where it came is told, so that it can be changed there."""
    posted = slack.post("zoe@example.com", "hello")
    assert posted.channel.startswith("D")
    assert slack.update(posted, "changed") == posted
    assert server.said(posted.channel)[0]["text"] == "changed"


def test_people_and_everybody_are_mentioned(slack: Slack) -> None:
    """By the signs that Slack understands."""
    assert slack.mention("zoe@example.com", "@channel", "here", "everyone") == (
        "<@U00000002> <!channel> <!here> <!everyone>"
    )


def test_blocks_are_checked_before_they_are_sent(slack: Slack, server: SlackServer) -> None:
    """Slack itself would only say invalid_blocks."""
    long = [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}]
    with pytest.raises(RenderError, match=r"block 1 \(section\): text of 3,001 characters"):
        slack.post("#cash", "hello", blocks=long)
    assert server.asked == []


def test_a_comment_stands_in_the_thread_and_goes_away(slack: Slack, server: SlackServer) -> None:
    """As does the message itself."""
    posted = slack.post("#cash", "hello")
    comment = slack.comment(posted, "and more")
    assert server.said("cash")[1]["thread_ts"] == posted.ts
    for one in (comment, posted):
        slack.delete(one)
    assert server.said("cash") == []


def test_a_message_is_named_by_its_reference(slack: Slack) -> None:
    """There and back."""
    posted = slack.post("#cash", "hello")
    assert Posted.named(posted.reference) == posted


# -- files -----------------------------------------------------------------------------------------------


def test_a_file_is_uploaded_from_disk(slack: Slack, server: SlackServer, tmp_path: Path) -> None:
    """In the three steps, by the channel's id, with title, comment and what a picture shows."""
    path = tmp_path / "pools.png"
    path.write_bytes(b"png")
    made = slack.upload("#cash", path, title="Pools", comment="as of today", alt="Balances fall")
    file = server.world.files[made.id]
    assert (file.content, file.title, file.comment, file.alt) == (b"png", "Pools", "as of today", "Balances fall")
    assert file.channels == ["C00000002"]
    assert server.calls("conversations.list") == [
        "files.getUploadURLExternal",
        "upload",
        "files.completeUploadExternal",
    ]
    slack.delete_file(made.id)
    assert file.deleted


def test_a_file_reaches_a_person(slack: Slack, server: SlackServer) -> None:
    """In the direct messages with them."""
    made = slack.upload("@ada", b"12", name="a.csv")
    assert server.world.files[made.id].channels[0].startswith("D")


def test_an_empty_file_is_refused_before_it_is_sent(slack: Slack, server: SlackServer, tmp_path: Path) -> None:
    """Slack takes none; nor can one be read that is not there."""
    assert "empty" in refused(slack, "upload", "#cash", b"").what
    assert "cannot be read" in refused(slack, "upload", "#cash", tmp_path / "no.csv").what
    assert server.asked == []


def test_bytes_that_are_not_taken_are_told(slack: Slack, server: SlackServer) -> None:
    """Of the second of three steps."""
    server.faults["upload"] = [Fault(status=413, body="too large")]
    wrong = refused(slack, "upload", "C00000002", b"12")
    assert "413 too large" in wrong.what
    assert wrong.permanent


def test_a_channel_without_the_bot_is_explained_for_files(slack: Slack) -> None:
    """A bot must be in it to upload, though it may post there."""
    slack.post("#lobby", "hello")
    wrong = refused(slack, "upload", "#lobby", b"12")
    assert "files.completeUploadExternal" in wrong.what
    assert "/invite" in wrong.hint


# -- oneself ---------------------------------------------------------------------------------------------


def test_a_reminder_a_status_and_a_snooze_are_the_users_own(slack: Slack, server: SlackServer) -> None:
    """All by the user's token."""
    until = dt.datetime(2026, 11, 2, 12, tzinfo=dt.UTC)
    assert slack.remind("look at the report", dt.timedelta(minutes=20))
    slack.remind("and again", until)
    slack.remind("tomorrow", "tomorrow at 9am")
    assert [one["time"] for one in server.world.reminders] == ["in 20 minutes", "1793620800", "tomorrow at 9am"]
    assert slack.snooze(dt.timedelta(hours=1)) > dt.datetime(2023, 1, 1, tzinfo=dt.UTC)
    assert server.world.snoozed == {"U00000001": 60}
    slack.end_snooze()
    slack.status("working", ":computer:", until=until)
    assert server.world.people["U00000001"].status["status_expiration"] == int(until.timestamp())
    slack.status("")
    assert server.world.people["U00000001"].status["status_emoji"] == ""
    assert {one.token for one in server.asked} == {server.user}


# -- tokens and scopes -------------------------------------------------------------------------------------


def test_a_missing_scope_is_named_with_what_to_do(server: SlackServer) -> None:
    """And with what the token has instead."""
    server.world.tokens["xoxb-2"] = type(server.world.tokens[server.bot])("bot", "U0000000B", frozenset({"chat:write"}))
    wrong = refused(Slack("xoxb-2", api=server.api), "users")
    assert "the scope users:read, which the bot token does not have (it has chat:write)" in wrong.what
    assert "Bot Token Scopes at api.slack.com/apps, OAuth & Permissions" in wrong.hint
    assert "reinstall" in wrong.hint


def test_the_wrong_kind_of_token_is_explained(server: SlackServer) -> None:
    """What no bot may do says which user's token it needs, without asking Slack."""
    wrong = refused(Slack(server.bot, api=server.api), "search", "cash")
    assert "search.messages needs a user token with the scope search:read" in wrong.what
    assert "SLACK_USER_TOKEN" in wrong.hint
    assert server.asked == []


def test_a_token_of_no_known_kind_is_told(server: SlackServer) -> None:
    """Such as an app-level one, which only Slack can tell."""
    server.faults["chat.postMessage"] = [Fault(error="not_allowed_token_type")]
    wrong = refused(Slack("xapp-1", api=server.api), "post", "#cash", "hello")
    assert "needs a bot token with the scope chat:write; this token is of another kind" in wrong.what


def test_a_users_token_alone_does_what_it_may(server: SlackServer) -> None:
    """In the bot's place."""
    slack = Slack(server.user, api=server.api)
    slack.post("#cash", "hello")
    assert slack.search("hello")


def test_no_token_at_all_is_told() -> None:
    """Before anything is asked."""
    assert "SLACK_BOT_TOKEN" in refused(Slack(), "check").hint


@pytest.mark.parametrize("error", ["invalid_auth", "account_inactive", "token_revoked"])
def test_a_token_that_is_not_taken_is_about_the_account(slack: Slack, server: SlackServer, error: str) -> None:
    """So that no other message is tried with it."""
    server.faults["auth.test"] = [Fault(error=error)]
    wrong = refused(slack, "check")
    assert wrong.account
    assert wrong.permanent


def test_no_text_and_no_repr_shows_a_token(slack: Slack, server: SlackServer) -> None:
    """Not even where Slack says it back."""
    server.faults["auth.test"] = [Fault(error=f"strange: {server.bot}")]
    told = f"{slack!r} {slack} {slack._lines} {refused(slack, 'check')}"
    assert "strange: ***" in told
    assert server.bot not in told
    assert server.user not in told


def test_a_token_never_goes_where_it_could_be_read() -> None:
    """Plain HTTP is for this machine alone."""
    assert "https://" in refused(Slack("xoxb-1", api="http://slack.example.com/api/"), "check").what


# -- when it does not work ---------------------------------------------------------------------------------


def test_too_much_at_once_is_waited_for(slack: Slack, server: SlackServer) -> None:
    """As long as Slack asks, which is not long."""
    server.faults["chat.postMessage"] = [limited(0), limited(0)]
    slack.post("#cash", "hello")
    assert server.calls() == ["chat.postMessage"] * 3
    assert len(server.said("cash")) == 1


def test_a_long_wait_is_told_instead(slack: Slack, server: SlackServer) -> None:
    """Nobody sits before a command for an hour."""
    server.faults["chat.postMessage"] = [limited(3600)]
    wrong = refused(slack, "post", "#cash", "hello")
    assert wrong.retry_after == 3600
    assert not wrong.permanent


@pytest.mark.parametrize("fault", [LOST, TAKEN, Fault(error="fatal_error"), Fault(status=500, body="oops")])
def test_a_lost_answer_is_never_asked_for_twice(slack: Slack, server: SlackServer, fault: Fault) -> None:
    """It may have been posted: only a person can tell."""
    server.faults["chat.postMessage"] = [fault]
    wrong = refused(slack, "post", "#cash", "hello")
    assert "look into Slack" in wrong.hint
    assert server.calls() == ["chat.postMessage"]


def test_an_address_that_is_not_slacks_is_told(slack: Slack, server: SlackServer) -> None:
    """A proxy, or another server, answers in its own way."""
    server.faults["auth.test"] = [Fault(status=404, body="<html>nothing here</html>")]
    wrong = refused(slack, "check")
    assert "HTTP 404" in wrong.what
    assert "`api`" in wrong.hint
    assert wrong.permanent


def test_a_slow_answer_is_not_waited_for_forever(server: SlackServer) -> None:
    """Every call has its timeout."""
    slack = Slack(server.bot, api=server.api, timeout=2)
    server.faults["auth.test"] = [Fault(pause=8)]
    assert "nothing within 2 s" in refused(slack, "check").what


def test_nobody_there_is_about_the_network() -> None:
    """And may pass."""
    with SlackServer() as server:
        slack = Slack("xoxb-1", api=server.api)
    wrong = refused(slack, "check")
    assert "cannot be reached" in wrong.what
    assert not wrong.permanent
