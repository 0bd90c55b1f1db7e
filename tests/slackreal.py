"""Slack for tests that can be held against a real workspace as well: its address and tokens, out of the environment.

REPORTS_TEST_SLACK_TOKEN, a bot's, with REPORTS_TEST_SLACK_CHANNEL, the id of a channel that it is in; and
REPORTS_TEST_SLACK_USER_TOKEN of a person in that workspace, for what no bot may do. REPORTS_TEST_SLACK_API is another
address of the Web API. Without a token it is a server of ours.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass

from slackserver import SlackServer

from reports.slack import Slack
from reports.slack.line import API


@dataclass(frozen=True)
class Place:
    """A workspace to try things in: the id of a channel that the bot is in, and the server if it is ours."""

    slack: Slack
    channel: str
    server: SlackServer | None = None


def real() -> Place | None:
    """The real workspace that the environment names, if it does."""
    token = os.environ.get("REPORTS_TEST_SLACK_TOKEN", "")
    channel = os.environ.get("REPORTS_TEST_SLACK_CHANNEL", "")
    if not (token and channel):
        return None
    api = os.environ.get("REPORTS_TEST_SLACK_API", API)
    return Place(Slack(token, os.environ.get("REPORTS_TEST_SLACK_USER_TOKEN", ""), api=api), channel)


@contextlib.contextmanager
def place() -> Iterator[Place]:
    """A real workspace, or a server of ours."""
    if found := real():
        yield found
        return
    with SlackServer() as server:
        slack = Slack(server.bot, server.user, api=server.api, timeout=30, patience=5)
        yield Place(slack, "C00000002", server)
