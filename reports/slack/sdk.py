"""slack_sdk set up: what it tries again and for how long, which it would not limit by itself."""

from __future__ import annotations

import logging

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackRequestError
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState
from slack_sdk.webhook import WebhookClient, WebhookResponse

__all__ = ["SlackApiError", "SlackRequestError", "WebhookResponse", "client", "webhook"]

RETRIES = 3
_log = logging.getLogger("reports.slack")
# Whatever it would log of a failure is in the answer; without anybody who listens it would go to stderr.
_log.addHandler(logging.NullHandler())
_log.propagate = False


class _Patient(RateLimitErrorRetryHandler):
    """Waits as long as Slack says, but no longer than `patience` seconds each time."""

    def __init__(self, patience: float) -> None:
        super().__init__(max_retry_count=RETRIES)
        self.patience = patience

    def _can_retry(  # what the library asks with
        self,
        *,
        state: RetryState,  # noqa: ARG002
        request: HttpRequest,  # noqa: ARG002
        response: HttpResponse | None = None,
        error: Exception | None = None,  # noqa: ARG002
    ) -> bool:
        if response is None or response.status_code != 429:
            return False
        asked = next((value for key, value in response.headers.items() if key.lower() == "retry-after"), ["1"])
        return asked[0].isdecimal() and int(asked[0]) + 1 <= self.patience


def client(token: str, *, api: str, timeout: float, patience: float) -> WebClient:
    """A client of the Web API; with no `patience` nothing is ever tried again."""
    made = WebClient(
        token=token,
        base_url=api,
        timeout=timeout,  # type: ignore[arg-type]  # a part of a second as well
        retry_handlers=[_Patient(patience)] if patience else [],
        logger=_log,
    )
    made.proxy = None  # that of the environment is used all the same, and NO_PROXY heeded besides
    return made


def webhook(url: str, *, timeout: float) -> WebhookClient:
    """A client of one webhook, which tries nothing again."""
    made = WebhookClient(url=url, timeout=timeout, retry_handlers=[], logger=_log)  # type: ignore[arg-type]
    made.proxy = None
    return made
