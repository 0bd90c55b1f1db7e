"""A Slack webhook as a way out: it posts into its one channel, carries no files, and takes nothing back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from reports.errors import TransportError, Unsupported
from reports.model import Message, Receipt
from reports.settings import SlackWebhook
from reports.slack import blocks as block_kit
from reports.slack.mentions import escape
from reports.slack.webhook import EMPTY, Webhook
from reports.transports.base import HandingOver, nothing, step
from reports.transports.notes import Note, without_files
from reports.transports.providers import Limits
from reports.transports.slack_notes import WHOLE_TEXT, checked, receipt, words


@dataclass
class SlackWebhookTransport:
    """Posts text and blocks by a webhook, whoever the recipients are: it has one channel, no files, and no way back."""

    channel: SlackWebhook
    _hook: Webhook | None = field(default=None, init=False, repr=False)

    @property
    def limits(self) -> Limits:
        """One message at a time; how many a minute is not known."""
        return Limits()

    def size_limit(self) -> int | None:
        """None: a message is made to fit."""
        return None

    def send(self, message: Message, handing_over: HandingOver = nothing) -> Sequence[Receipt]:
        """One receipt a recipient, all the same: there is one message for all of them."""
        note, hook = self._without_files(checked(message)), self._opened()
        if fault := hook.unreachable():
            raise fault.error(hook.where)
        handing_over()
        answer = hook.say(words(note, most=block_kit.FALLBACK if note.blocks else WHOLE_TEXT), note.blocks)
        if answer.fault and answer.fault.account:
            raise answer.fault.error(hook.where)
        said = "posted by the webhook"
        if message.follow == "edit":
            said += "; a new message, for a webhook cannot change one"
        if answer.fault:
            return [receipt(one, answer.fault) for one in message.recipients]
        return [Receipt(recipient=one, state="accepted", code=200, text=said) for one in message.recipients]

    def check(self) -> Iterator[tuple[str, str]]:
        """Whether Slack knows the address: a message with nothing in it is refused, and not posted."""
        hook = self._opened()
        with step("webhook"):
            fault = hook.say("").fault
            if fault is not None and fault.code not in EMPTY:
                raise fault.error(hook.where)
        yield "webhook", f"known at {hook.where}; it posts text and tables into its one channel, and no files"

    def close(self) -> None:
        """Nothing is open between two messages."""

    def _without_files(self, note: Note) -> Note:
        """The note with a line that names its files, or links to them: what the channel's settings want."""
        try:
            left = without_files(note, taker="a Slack webhook", policy=self.channel.on_unsupported)
        except Unsupported as error:
            raise TransportError(error.what, hint=error.hint, permanent=True) from error
        said = left.text[len(note.text.rstrip()) :].strip()
        told: list[Mapping[str, Any]] = [{"type": "context", "elements": [{"type": "mrkdwn", "text": escape(said)}]}]
        return replace(left, blocks=[*note.blocks, *(told if said else [])]) if note.blocks else left

    def _opened(self) -> Webhook:
        if self._hook is None:
            self._hook = Webhook(self.channel.webhook.reveal(), self.channel.timeout)
        return self._hook
