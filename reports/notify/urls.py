"""Channels that a call names by their address, a Slack webhook or an Apprise URL, which settings do not have."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from urllib.parse import urlsplit

from reports.errors import DefinitionError
from reports.secret import Given
from reports.settings import AppriseChannel, Settings, SlackWebhook, Store
from reports.transports.account import is_loopback

FOLDER = "given"
"""Where in a data folder the outboxes lie of what goes to such addresses: nobody else knows where it goes."""


def with_given(settings: Settings, ways: Sequence[str]) -> tuple[Settings, Sequence[str]]:
    """The settings with the addresses in `ways` as channels and an outbox of their own, and the names of all ways."""
    given = [way for way in ways if "://" in way]
    if not given:
        return settings, ways
    named = {_named(way): _channel(way) for way in given}
    folder = settings.data_folder / FOLDER / _digest("\n".join(sorted(given)))
    changes = {"channels": {**settings.channels, **named}, "data": str(folder.absolute()), "store": Store()}
    return settings.model_copy(update=changes), [_named(way) if "://" in way else way for way in ways]


def _named(url: str) -> str:
    """A name in which there is no secret."""
    return f"{url.partition('://')[0].replace('+', '_')}_{_digest(url)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _channel(url: str) -> SlackWebhook | AppriseChannel:
    kept = Given.of(url)
    if _is_webhook(url):
        return SlackWebhook.model_construct(webhook=kept)
    return AppriseChannel.model_construct(url=(kept,))


def _is_webhook(url: str) -> bool:
    """Whether it is one of Slack's, or of what stands in for Slack on this machine."""
    try:
        place = urlsplit(url)
        host = place.hostname or ""
    except ValueError as error:
        raise DefinitionError(
            "an address in via cannot be read", where="via", hint="look for brackets in it"
        ) from error
    if place.scheme not in {"http", "https"} or not place.path.startswith(("/services/", "/triggers/", "/workflows/")):
        return False
    return host in {"hooks.slack.com", "hooks.slack-gov.com"} or is_loopback(host)
