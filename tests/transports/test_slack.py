"""Slack as a way out: posted first, then the files; changed in place or answered; and what is known when it fails."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from slackserver import LOST, TAKEN, Fault, SlackServer, limited
from slackworld import BOT_SCOPES, Token

from reports.errors import TransportError
from reports.model import Artifact, Message, Receipt
from reports.secret import Secret
from reports.settings import SlackChannel, SlackWebhook
from reports.transports.notes import Note, pack
from reports.transports.slack import SlackTransport
from reports.transports.slack_webhook import SlackWebhookTransport

BLOCKS = [{"type": "section", "text": {"type": "mrkdwn", "text": "*12* loans"}}]
CHART = Artifact(name="chart-1.png", media_type="image/png", content=b"png", cid="chart-1", alt="Balances fall")
BOOK = Artifact(name="Loans.xlsx", media_type="application/x", content=b"x" * 12_345)
NOTE = Note(title="Loans & more", text="Loans & more\n\n12 loans < 13", blocks=BLOCKS, files=[CHART, BOOK])


@pytest.fixture
def server() -> Iterator[SlackServer]:
    """A workspace of the test's own."""
    with SlackServer() as running:
        yield running


@pytest.fixture
def slack(server: SlackServer, tmp_path: Path) -> Callable[..., SlackTransport]:
    """Makes a transport of the bot's, with whatever settings."""

    def make(*, token: str = "", **values: Any) -> SlackTransport:
        (tmp_path / "token").write_text(token or server.bot)
        kept = Secret.model_validate({"file": str(tmp_path / "token")})
        return SlackTransport(SlackChannel.model_validate({"token": kept, "api": server.api, "timeout": 30, **values}))

    return make


@pytest.fixture
def hook(server: SlackServer, tmp_path: Path) -> SlackWebhookTransport:
    """A transport of the webhook's."""
    (tmp_path / "hook").write_text(server.webhook)
    return SlackWebhookTransport(SlackWebhook(webhook=Secret.model_validate({"file": str(tmp_path / "hook")})))


def message(*recipients: str, note: Note = NOTE, follow: Any = "", earlier: Mapping[str, str] | None = None) -> Message:
    return Message(
        message_id="1",
        date=dt.datetime(2026, 11, 2, 7, tzinfo=dt.UTC),
        sender="",
        recipients=recipients or ("#cash",),
        subject=note.title,
        content=pack(note),
        follow=follow,
        earlier=earlier or {},
    )


def plain(text: str) -> Note:
    return Note(title="Loans", text=text)


def only(receipts: Any) -> Receipt:
    (receipt,) = receipts
    assert isinstance(receipt, Receipt)
    return receipt


# -- posting ---------------------------------------------------------------------------------------------


def test_a_report_is_posted_and_its_files_follow_in_its_thread(
    slack: Callable[..., SlackTransport], server: SlackServer
) -> None:
    """To the channel's id out of the reply: no list of channels is ever asked for."""
    receipt = only(slack().send(message()))
    posted, files = server.said("cash")
    assert receipt.state == "accepted"
    assert receipt.reference == f"C00000002/{posted['ts']}"
    assert posted["blocks"] == BLOCKS
    assert posted["text"] == "Loans &amp; more\n\n12 loans &lt; 13"
    assert files["thread_ts"] == posted["ts"]
    assert [one["name"] for one in files["files"]] == ["chart-1.png", "Loans.xlsx"]
    assert [one.alt for one in server.world.files.values()] == ["Balances fall", ""]
    assert "conversations.list" not in server.calls()


@pytest.mark.parametrize("place", ["#cash", "cash", "C00000002", "#lobby"])
def test_channels_are_named_as_people_do(slack: Callable[..., SlackTransport], server: SlackServer, place: str) -> None:
    """Or by their id; a public one needs no invitation to post."""
    assert only(slack().send(message(place, note=plain("12")))).state == "accepted"


def test_people_are_found_by_mail_address_and_by_id(slack: Callable[..., SlackTransport], server: SlackServer) -> None:
    """And by name; they get it in direct messages, the files too."""
    receipts = slack().send(message("ada@example.com", "U00000002", "@zoe"))
    assert [one.state for one in receipts] == ["accepted"] * 3
    places = {one.reference.partition("/")[0] for one in receipts}
    assert all(place.startswith("D") for place in places)
    assert {one.channels[0] for one in server.world.files.values()} == places


def test_the_bot_posts_under_another_name(slack: Callable[..., SlackTransport], server: SlackServer) -> None:
    """As settings say."""
    slack(name="Cash report", icon=":chart:").send(message(note=plain("12")))
    assert server.said("cash")[0]["username"] == "Cash report"
    assert server.said("cash")[0]["icon_emoji"] == ":chart:"


def test_a_message_without_blocks_shows_its_title(slack: Callable[..., SlackTransport], server: SlackServer) -> None:
    """In bold, and the whole of its text."""
    slack().send(message(note=plain("Epoch 3 of 10\n" * 400)))
    assert server.said("cash")[0]["text"].startswith("*Loans*\nEpoch 3 of 10\nEpoch")
    assert len(server.said("cash")[0]["text"]) > 5000


def test_the_text_beside_blocks_is_short(slack: Callable[..., SlackTransport], server: SlackServer) -> None:
    """It is for notifications; an ellipsis says that there is more."""
    slack().send(message(note=Note(title="Loans", text="a line & more\n" * 900, blocks=BLOCKS)))
    text = server.said("cash")[0]["text"]
    assert len(text) <= 4000
    assert text.endswith("a line &amp; more\n…")


# -- threads ---------------------------------------------------------------------------------------------


def test_progress_changes_the_first_message_in_place(slack: Callable[..., SlackTransport], server: SlackServer) -> None:
    """So a channel has one message, however long it takes."""
    transport = slack()
    first = only(transport.send(message(note=plain("1 of 3"))))
    for step in ("2 of 3", "3 of 3"):
        later = message(note=plain(step), follow="edit", earlier={"#cash": first.reference})
        assert only(transport.send(later)).reference == first.reference
    (said,) = server.said("cash")
    assert said["text"] == "*Loans*\n3 of 3"
    assert len(server.world.edits) == 2


def test_a_reply_stands_below_with_its_files(slack: Callable[..., SlackTransport], server: SlackServer) -> None:
    """All in the thread of the first message."""
    transport = slack()
    first = only(transport.send(message(note=plain("begun"))))
    reply = only(transport.send(message(follow="reply", earlier={"#cash": first.reference})))
    root, answer, files = server.said("cash")
    assert reply.reference.endswith(answer["ts"])
    assert answer["reply_broadcast"], "an end that only who follows the thread hears of is not told"
    assert answer["thread_ts"] == files["thread_ts"] == root["ts"]


def test_what_cannot_be_changed_is_posted_anew(slack: Callable[..., SlackTransport], server: SlackServer) -> None:
    """And the receipt says so."""
    earlier = {"#cash": "C00000002/1600000000.000001"}
    receipt = only(slack().send(message(note=plain("2 of 3"), follow="edit", earlier=earlier)))
    assert receipt.state == "accepted"
    assert "message_not_found" in receipt.text
    assert len(server.said("cash")) == 1


def test_a_change_whose_answer_was_lost_is_made_again(
    slack: Callable[..., SlackTransport], server: SlackServer
) -> None:
    """Twice the same is the same: nobody need wonder."""
    transport = slack()
    first = only(transport.send(message(note=plain("1 of 3"))))
    server.faults["chat.update"] = [TAKEN]
    later = message(note=plain("2 of 3"), follow="edit", earlier={"#cash": first.reference})
    assert only(transport.send(later)).state == "deferred"


def test_without_an_earlier_message_a_change_is_a_new_one(
    slack: Callable[..., SlackTransport], server: SlackServer
) -> None:
    """The first may have failed."""
    assert only(slack().send(message(follow="edit"))).state == "accepted"


# -- files -----------------------------------------------------------------------------------------------


def test_files_that_fail_are_told_in_the_thread_and_in_the_receipt(
    slack: Callable[..., SlackTransport], server: SlackServer
) -> None:
    """The report itself has arrived."""
    receipt = only(slack().send(message("#lobby")))  # where a bot may post, but not upload
    posted, told = server.said("lobby")
    assert receipt.state == "accepted"
    assert "not_in_channel" in receipt.text
    assert told["thread_ts"] == posted["ts"]
    assert "Loans.xlsx (12 kB)" in told["text"]
    assert "/invite" in told["text"]


def test_an_upload_that_fails_for_a_moment_is_made_again(
    slack: Callable[..., SlackTransport], server: SlackServer
) -> None:
    """Once, before anything of it was shown."""
    server.faults["upload"] = [Fault(status=503, body="busy")]
    receipt = only(slack().send(message()))
    assert receipt.text == "posted in C00000002"
    assert len(server.said("cash")) == 2


def test_an_upload_whose_answer_was_lost_is_not_made_again(
    slack: Callable[..., SlackTransport], server: SlackServer
) -> None:
    """It may be there; that is said."""
    server.faults["files.completeUploadExternal"] = [TAKEN]
    receipt = only(slack().send(message()))
    assert "may not have been uploaded" in receipt.text
    assert server.calls().count("files.completeUploadExternal") == 1


def test_an_empty_file_is_named(slack: Callable[..., SlackTransport], server: SlackServer) -> None:
    """Slack takes none; the others go."""
    empty = Artifact(name="rejected.csv", media_type="text/csv", content=b"")
    receipt = only(slack().send(message(note=Note(title="Loans", text="12", files=[empty, BOOK]))))
    assert "rejected.csv: empty" in receipt.text
    assert [one.name for one in server.world.files.values()] == ["Loans.xlsx"]


# -- when it does not work ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "said", "hint"),
    [
        ("#nowhere", "channel_not_found", "/invite"),
        ("#board", "channel_not_found", "/invite"),
        ("#past", "is_archived", "unarchive"),
        ("nobody@example.com", "users_not_found", "reports slack users"),
        ("@zoo", "nobody is called '@zoo'", "did you mean 'zoe'?"),
    ],
)
def test_a_place_that_cannot_be_reached_is_refused_alone(
    slack: Callable[..., SlackTransport], server: SlackServer, place: str, said: str, hint: str
) -> None:
    """With what to do; others get it all the same."""
    refused, accepted = slack().send(message(place, "#cash", note=plain("12")))
    assert (refused.state, accepted.state) == ("refused", "accepted")
    assert said in refused.text
    assert hint in refused.hint


def test_too_much_at_once_is_deferred_for_as_long_as_slack_says(
    slack: Callable[..., SlackTransport], server: SlackServer
) -> None:
    """The outbox waits, not the sender."""
    server.faults["chat.postMessage"] = [limited(37)]
    receipt = only(slack().send(message(note=plain("12"))))
    assert (receipt.state, receipt.retry_after) == ("deferred", 37)
    assert server.calls().count("chat.postMessage") == 1


@pytest.mark.parametrize("error", ["invalid_auth", "account_inactive", "token_revoked"])
def test_a_token_that_is_not_taken_stops_before_anything_is_handed_over(
    slack: Callable[..., SlackTransport], server: SlackServer, error: str
) -> None:
    """No other message would fare better."""
    server.faults["auth.test"] = [Fault(error=error)]
    handed_over: list[int] = []
    with pytest.raises(TransportError, match=error) as caught:
        slack().send(message(), lambda: handed_over.append(1))
    assert caught.value.account
    assert caught.value.permanent
    assert handed_over == []


@pytest.mark.parametrize("fault", [LOST, TAKEN, Fault(error="internal_error"), Fault(status=502, body="<html>")])
def test_a_lost_answer_is_unknown(slack: Callable[..., SlackTransport], server: SlackServer, fault: Fault) -> None:
    """It may have been posted: a person decides."""
    server.faults["chat.postMessage"] = [fault]
    receipt = only(slack().send(message(note=plain("12"))))
    assert receipt.state == "unknown"
    assert "look into Slack" in receipt.hint
    assert server.calls().count("chat.postMessage") == 1


def test_an_answer_that_does_not_come_is_unknown(slack: Callable[..., SlackTransport], server: SlackServer) -> None:
    """After the time that settings give."""
    server.faults["chat.postMessage"] = [Fault(pause=12)]
    receipt = only(slack(timeout=3).send(message(note=plain("12"))))
    assert receipt.state == "unknown"
    assert "nothing within 3 s" in receipt.text


def test_slack_being_away_is_deferred(slack: Callable[..., SlackTransport], server: SlackServer) -> None:
    """It said so itself."""
    server.faults["chat.postMessage"] = [Fault(status=503, body="")]
    assert only(slack().send(message(note=plain("12")))).state == "deferred"


def test_blocks_that_slack_refuses_after_all_become_text(
    slack: Callable[..., SlackTransport], server: SlackServer
) -> None:
    """Whatever its documentation says: the report arrives, and the receipt tells."""
    server.faults["chat.postMessage"] = [Fault(error="invalid_blocks")]
    receipt = only(slack().send(message()))
    assert receipt.state == "accepted"
    assert "as plain text" in receipt.text
    assert server.said("cash")[0]["text"] == "*Loans &amp; more*\n```\nLoans &amp; more\n\n12 loans &lt; 13\n```"


def test_blocks_beyond_the_limits_are_never_sent(slack: Callable[..., SlackTransport], server: SlackServer) -> None:
    """They are looked at first."""
    long = [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}]
    with pytest.raises(TransportError, match="3,001 characters") as caught:
        slack().send(message(note=Note(title="x", text="x", blocks=long)))
    assert caught.value.permanent
    assert server.asked == []


def test_a_missing_scope_is_named(slack: Callable[..., SlackTransport], server: SlackServer) -> None:
    """In the receipt of whoever needs it."""
    server.world.tokens["xoxb-2"] = Token("bot", "U0000000B", BOT_SCOPES - {"users:read.email"})
    receipt = only(slack(token="xoxb-2").send(message("ada@example.com", note=plain("12"))))
    assert receipt.state == "refused"
    assert "the scope users:read.email" in receipt.text


# -- a check ---------------------------------------------------------------------------------------------


def test_a_check_tells_team_bot_and_scopes(slack: Callable[..., SlackTransport], server: SlackServer) -> None:
    """And what is lacking for what settings want."""
    server.world.tokens["xoxb-2"] = Token("bot", "U0000000B", frozenset({"chat:write"}))
    found = dict(slack(token="xoxb-2", to=["ada@example.com"], name="Cash").check())
    assert found["team"] == "Example Bank (https://example.slack.com/)"
    assert found["bot"] == "posts as Cash (U0000000B)"
    for scope in ("files:write", "users:read.email", "chat:write.customize"):
        assert f"WARNING it lacks {scope}" in found["scopes"]
    assert server.calls() == ["auth.test"]


@pytest.mark.parametrize(
    ("token", "named"), [("xoxb-1-bot", "scopes: the bot may not post"), ("xoxp-1-ada", "bot: the token is a person's")]
)
def test_a_check_names_what_stands_in_the_way(
    slack: Callable[..., SlackTransport], server: SlackServer, token: str, named: str
) -> None:
    """A token without the right, or of somebody."""
    server.world.tokens["xoxb-1-bot"] = Token("bot", "U0000000B", frozenset({"files:write"}))
    with pytest.raises(TransportError, match=named):
        list(slack(token=token).check())


# -- a webhook -------------------------------------------------------------------------------------------


def test_a_webhook_posts_once_and_names_what_it_does_not_carry(
    hook: SlackWebhookTransport, server: SlackServer
) -> None:
    """Whoever the recipients are: it has one channel."""
    receipts = hook.send(message("team", "others"))
    assert [one.state for one in receipts] == ["accepted"] * 2
    (said,) = server.said("general")
    assert said["blocks"][:-1] == BLOCKS
    assert "2 files do not go by this channel: chart-1.png (3 bytes), Loans.xlsx (12 kB)." in str(said["blocks"][-1])


def test_a_webhook_says_the_same_as_text(hook: SlackWebhookTransport, server: SlackServer) -> None:
    """Where there are no blocks."""
    hook.send(message("team", note=Note(title="Loans", text="12", files=[BOOK])))
    assert server.said("general")[0]["text"] == "*Loans*\n12\n\n1 file does not go by this channel: Loans.xlsx (12 kB)."


def test_a_webhook_links_to_files_or_says_where_all_is(hook: SlackWebhookTransport, server: SlackServer) -> None:
    """As the note knows it."""
    links = {"Loans.xlsx": "https://files.example.com/1/Loans.xlsx"}
    note = Note(
        title="Loans", text="12", blocks=BLOCKS, files=[CHART, BOOK], links=links, whole="All of it is in the mail."
    )
    hook.send(message("team", note=note))
    (told,) = server.said("general")[0]["blocks"][-1]["elements"]
    assert "Loans.xlsx (12 kB): https://files.example.com/1/Loans.xlsx" in told["text"]
    assert "1 file does not go by this channel: chart-1.png (3 bytes). All of it is in the mail." in told["text"]


def test_a_webhook_that_must_not_leave_files_out_posts_nothing(server: SlackServer, tmp_path: Path) -> None:
    """Where settings say so."""
    (tmp_path / "hook").write_text(server.webhook)
    kept = Secret.model_validate({"file": str(tmp_path / "hook")})
    strict = SlackWebhookTransport(SlackWebhook(webhook=kept, on_unsupported="fail"))
    with pytest.raises(TransportError, match="takes no files"):
        strict.send(message("team"))
    assert server.asked == []


def test_a_webhook_cannot_change_a_message_and_says_so(hook: SlackWebhookTransport, server: SlackServer) -> None:
    """It posts another one."""
    later = message("team", note=plain("2 of 3"), follow="edit", earlier={"team": "x"})
    assert "cannot change" in only(hook.send(later)).text
    assert len(server.said("general")) == 1


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        (limited(9), "deferred"),
        (Fault(status=503, body="x"), "deferred"),
        (Fault(status=410, body="channel_is_archived"), "refused"),
        (Fault(status=400, body="invalid_blocks"), "refused"),
        (Fault(status=500, body="rollup_error"), "unknown"),
        (TAKEN, "unknown"),
    ],
)
def test_what_a_webhook_answers_settles_it(
    hook: SlackWebhookTransport, server: SlackServer, fault: Fault, state: str
) -> None:
    """As documented."""
    server.faults["webhook"] = [fault]
    assert only(hook.send(message("team"))).state == state


def test_a_webhook_that_is_gone_is_about_the_account_and_stays_secret(
    hook: SlackWebhookTransport, server: SlackServer
) -> None:
    """No other message would fare better; its address is in no text."""
    server.faults["webhook"] = [Fault(status=404, body=f"no_service {server.webhook}")]
    with pytest.raises(TransportError, match="no_service") as caught:
        hook.send(message("team"))
    assert caught.value.account
    assert server.world.webhook_key not in f"{caught.value} {hook!r}"


def test_a_check_of_a_webhook_posts_nothing(hook: SlackWebhookTransport, server: SlackServer) -> None:
    """A message without anything in it shows that the address is known."""
    assert [step for step, _ in hook.check()] == ["webhook"]
    assert server.said("general") == []
    server.world.webhook_key = "another"
    with pytest.raises(TransportError, match="invalid_token"):
        list(hook.check())
