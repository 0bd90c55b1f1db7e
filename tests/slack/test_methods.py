"""The table of methods says what Slack's documentation says, as the server of tests has it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import slack_sdk
import slackworld

from reports.slack import METHODS, calls, client
from reports.slack.methods import MORE, Method


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_slack_sdk_has_the_method(method: Method) -> None:
    """By the name that is made of its own."""
    assert callable(getattr(slack_sdk.WebClient, method.attribute))


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_scopes_and_tokens_are_as_documented(method: Method) -> None:
    """Every scope of the table is one that will do, and a kind of token that may not call it has none."""
    for kind in ("bot", "user"):
        documented = {
            scope for of in ("public", "private", "im", "mpim") for scope in slackworld.needed(method.name, kind, of)
        }
        assert set(method.scopes(kind)) <= documented | {""}
        assert method.allows(kind) == bool(documented)


def test_everything_the_client_calls_is_in_the_table() -> None:
    """So that an error can name its scope."""
    code = "".join(Path(module.__file__).read_text("utf-8") for module in (client, calls))
    called = set(re.findall(r'"([a-z]+(?:\.[a-zA-Z]+)+)"', code))
    assert called - {"slack.com"} <= set(METHODS)


def test_scopes_are_written_as_slack_does() -> None:
    """A word, a colon, and what it may."""
    every = {scope for one in METHODS.values() for scope in (*one.bot, *one.user)} | set(MORE)
    assert all(re.fullmatch(r"[a-z.]+:[a-z.]+", scope) for scope in every)
