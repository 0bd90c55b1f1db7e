"""What a note becomes on Slack, whoever carries it: its blocks checked, its text, and receipts out of faults."""

from __future__ import annotations

from typing import Literal

from reports.errors import RenderError, TransportError
from reports.model import Message, Receipt
from reports.slack import blocks as block_kit
from reports.slack.faults import Fault
from reports.slack.mentions import cut, fallback
from reports.transports.notes import Note, unpack

WHOLE_TEXT = 30_000
"""Characters of a message that has no blocks; Slack cuts at 40,000 without a word."""


def receipt(recipient: str, fault: Fault) -> Receipt:
    """What a fault means for one recipient."""
    state: Literal["unknown", "refused", "deferred"] = "deferred"
    if fault.unknown or fault.permanent:
        state = "unknown" if fault.unknown else "refused"
    return Receipt(recipient=recipient, state=state, text=fault.what, hint=fault.hint, retry_after=fault.retry_after)


def checked(message: Message) -> Note:
    """The note, if Slack takes its blocks."""
    note = unpack(message.content)
    try:
        block_kit.check(note.blocks)
    except RenderError as error:
        raise TransportError(error.what, where=message.subject, hint=error.hint, permanent=True) from error
    return note


def words(note: Note, *, most: int) -> str:
    """The note as text, its title first: what notifications show, and all there is where it has no blocks."""
    title = cut(note.title, 300)
    body = note.text.strip()
    if body.startswith(note.title):
        return fallback(body, most)
    head = title if note.blocks else f"*{title}*"
    return f"{head}\n{fallback(body, most - len(head) - 1)}".strip()
