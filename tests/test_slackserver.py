"""The server that stands for Slack behaves as Slack's documentation says, or tests against it would prove nothing."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slackserver import SlackServer, limited
from slackworld import Token


@pytest.fixture
def server() -> Iterator[SlackServer]:
    """A workspace of the test's own."""
    with SlackServer() as running:
        yield running


def client(server: SlackServer, token: str) -> WebClient:
    return WebClient(token=token, base_url=server.api, timeout=30, retry_handlers=[])


def error(server: SlackServer, token: str, method: str, **values: object) -> dict[str, object]:
    """What Slack answers to a call that it refuses."""
    with pytest.raises(SlackApiError) as caught:
        client(server, token).api_call(method, json=values)
    answer: dict[str, object] = caught.value.response.data
    return answer


def test_tokens_are_told_apart(server: SlackServer) -> None:
    """None, a wrong one, one that is gone, and a bot's where a person's is needed."""
    server.world.tokens["xoxb-gone"] = Token("bot", "U0000000B", frozenset(), alive=False)
    assert error(server, "", "auth.test")["error"] == "not_authed"
    assert error(server, "xoxb-wrong", "auth.test")["error"] == "invalid_auth"
    assert error(server, "xoxb-gone", "auth.test")["error"] == "account_inactive"
    assert error(server, server.bot, "search.messages", query="x")["error"] == "not_allowed_token_type"


def test_a_missing_scope_says_which(server: SlackServer) -> None:
    """And what there is."""
    server.world.tokens["xoxb-2"] = Token("bot", "U0000000B", frozenset({"chat:write"}))
    assert error(server, "xoxb-2", "users.list") == {
        "ok": False,
        "error": "missing_scope",
        "needed": "users:read",
        "provided": "chat:write",
    }


@pytest.mark.filterwarnings("ignore:.*deprecated:UserWarning")
def test_retired_and_unknown_methods_are_refused(server: SlackServer) -> None:
    """As since 2021 and 2025."""
    assert error(server, server.bot, "channels.list")["error"] == "method_deprecated"
    assert error(server, server.bot, "files.upload")["error"] == "method_deprecated"
    assert error(server, server.bot, "chat.shout")["error"] == "unknown_method"


def test_blocks_are_refused_with_their_place(server: SlackServer) -> None:
    """Also as a JSON text, which forms have."""
    blocks = [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}]
    for given in (blocks, json.dumps(blocks)):
        answer = error(server, server.bot, "chat.postMessage", channel="C00000002", blocks=given)
        assert answer["error"] == "invalid_blocks"
        assert "/blocks/0" in json.dumps(answer["response_metadata"])
    long = [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3000}}] * 5
    assert (
        error(server, server.bot, "chat.postMessage", channel="C00000002", blocks=long)["error"]
        == "msg_blocks_too_long"
    )


def test_channels_are_private_archived_and_not_joined(server: SlackServer) -> None:
    """Each with its own word."""
    server.world.tokens["xoxb-2"] = Token("bot", "U0000000B", frozenset({"chat:write"}))
    for channel, said in (("#board", "channel_not_found"), ("#past", "is_archived"), ("#lobby", "not_in_channel")):
        assert error(server, "xoxb-2", "chat.postMessage", channel=channel, text="x")["error"] == said


def test_pages_have_a_cursor(server: SlackServer) -> None:
    """And slack_sdk follows it."""
    server.world.page = 2
    pages = [len(page["members"]) for page in client(server, server.bot).users_list(limit=2)]
    assert pages == [2, 2]


def test_too_much_is_429_with_how_long(server: SlackServer) -> None:
    """In seconds."""
    server.faults["auth.test"] = [limited(7)]
    with pytest.raises(SlackApiError) as caught:
        client(server, server.bot).auth_test()
    assert caught.value.response.status_code == 429
    assert caught.value.response.headers["Retry-After"] == "7"


def test_a_file_of_no_length_is_refused(server: SlackServer) -> None:
    """As documented: an argument is missing."""
    given = {"filename": "a.csv", "length": 0}
    assert error(server, server.bot, "files.getUploadURLExternal", **given)["error"] == "missing_argument"


def test_a_changed_message_may_be_no_longer_than_documented(server: SlackServer) -> None:
    """4,000 characters."""
    posted = client(server, server.bot).chat_postMessage(channel="C00000002", text="x")
    given = {"channel": posted["channel"], "ts": posted["ts"]}
    assert error(server, server.bot, "chat.update", **given, text="x" * 4001)["error"] == "msg_too_long"
    assert error(server, server.user, "chat.update", **given, text="x")["error"] == "cant_update_message"


def test_the_webhook_takes_text_and_blocks_alone(server: SlackServer) -> None:
    """By its secret address."""

    def hooked(url: str, said: object) -> str:
        request = urllib.request.Request(url, json.dumps(said).encode(), {"Content-Type": "application/json"})  # noqa: S310
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return str(answer.read().decode())

    assert hooked(server.webhook, {"text": "hello"}) == "ok"
    with pytest.raises(urllib.error.HTTPError, match="403") as caught:
        hooked(server.webhook + "x", {"text": "hello"})
    caught.value.close()
    assert [one["text"] for one in server.said("general")] == ["hello"]
