"""Slack's Web API: what people and scripts do there, each call with the scopes and the kind of token it needs."""

from reports.slack.blocks import check
from reports.slack.client import Slack
from reports.slack.mentions import escape, everybody, link
from reports.slack.methods import METHODS, Method
from reports.slack.values import Channel, Posted, Said, Uploaded, User, Workspace

__all__ = [
    "METHODS",
    "Channel",
    "Method",
    "Posted",
    "Said",
    "Slack",
    "Uploaded",
    "User",
    "Workspace",
    "check",
    "escape",
    "everybody",
    "link",
]
