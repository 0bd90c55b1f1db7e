"""One call that tells somebody: stored first, then tried, and never an error of the network unless asked for."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Unpack

from reports.errors import TransportError
from reports.notify.accounts import Account, Project
from reports.notify.notification import Notification, message
from reports.notify.outlets import Several, outlet
from reports.notify.results import Result
from reports.notify.writing import Post
from reports.transports.address import clean

WAIT = 10.0
"""Seconds that a call waits for the first answers, if it says nothing of its own."""


def send(  # noqa: PLR0913  as many as there are things to say
    said: Notification | str,
    *,
    to: Several = (),
    via: Several = (),
    subject: str = "",
    thread: str = "",
    sender: str = "",
    project: Project = None,
    strict: bool = False,
    wait: float = WAIT,
    **account: Unpack[Account],
) -> Result:
    """Sends a message, or a text; gives what became of it for each recipient, true where all have accepted.

    Args:
        said: what `message` made, or a text.
        to: mail addresses, groups of settings, or "admins"; the sender itself by default.
        via: "mail", channels of settings as NAME or NAME:PLACE, a Slack webhook or an Apprise URL; mail by default.
        subject: instead of the message's own.
        thread: a name that messages have in common which belong together: mailboxes and Slack hold them together.
        sender: who is shown as the sender, the account's own by default.
        project: the project's folder; else the nearest settings.toml upwards; False for none.
        strict: raise a TransportError where not everybody has accepted in time.
        wait: seconds to wait for the first answers; 0 leaves it to the background.
        account: provider, user, password, host and so on, as in [mail], instead of those of settings.

    Raises:
        ReportsError: a recipient, a channel, a part of the message or the account is wrong.
    """
    told = message(said, subject=subject) if isinstance(said, str) else said
    if subject and told is said:
        told = replace(told, subject=clean(subject, what="the subject", where="subject"))
    where = outlet(to=to, via=via, project=project, sender=sender, account=account)
    result = where.post(told, _post(thread)).wait(wait)
    if strict and not result:
        missing = [one for one in result if one.state != "accepted"]
        hint = next((one.hint for one in missing if one.hint), "") or "what is pending is tried again by itself"
        raise TransportError("; ".join(map(str, missing)), hint=hint, permanent=not result.waits)
    return result


def _post(thread: str) -> Post:
    """Below the first of its thread, which is whichever comes first; the name as a key that can be kept."""
    if not thread:
        return Post()
    return Post(thread=f"script {hashlib.sha256(thread.encode()).hexdigest()[:32]}", follow="reply")
