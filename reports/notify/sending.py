"""One call that tells somebody: stored first, then tried, and never an error of the network unless asked for."""

from __future__ import annotations

from typing import Unpack

from reports.errors import TransportError
from reports.notify.accounts import Account, Project
from reports.notify.notification import Notification, message
from reports.notify.outlets import Several, outlet
from reports.notify.results import Result

WAIT = 10.0
"""Seconds that a call waits for the first answers, if it says nothing of its own."""


def send(  # noqa: PLR0913  as many as there are things to say
    said: Notification | str,
    *,
    to: Several = (),
    via: Several = (),
    subject: str = "",
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
        sender: who is shown as the sender, the account's own by default.
        project: the project's folder; else the nearest settings.toml upwards; False for none.
        strict: raise a TransportError where not everybody has accepted in time.
        wait: seconds to wait for the first answers; 0 leaves it to the background.
        account: provider, user, password, host and so on, as in [mail], instead of those of settings.

    Raises:
        ReportsError: a recipient, a channel, a part of the message or the account is wrong.
    """
    told = message(said, subject=subject) if isinstance(said, str) else said
    result = outlet(to=to, via=via, project=project, sender=sender, account=account).post(told).wait(wait)
    if strict and not result:
        missing = [one for one in result if one.state != "accepted"]
        hint = next((one.hint for one in missing if one.hint), "") or "what is pending is tried again by itself"
        raise TransportError("; ".join(map(str, missing)), hint=hint, permanent=not result.waits)
    return result
