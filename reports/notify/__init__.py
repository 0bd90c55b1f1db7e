"""Telling people about long work, from anyone's script: the outbox carries it, whatever the network does.

    from reports.notify import message, send
    send("upload done", to="me@example.com")

Importing it costs little: what a call needs is imported by the call.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reports.notify.boxes import flush
    from reports.notify.collecting import Errors, collect
    from reports.notify.emails import send_email
    from reports.notify.logs import NotifyHandler
    from reports.notify.notification import Notification, message
    from reports.notify.outgoing import Handle
    from reports.notify.outlets import Outlet, outlet
    from reports.notify.results import Answer, Result
    from reports.notify.sending import send
    from reports.notify.watching import Watch, current, watch

_HOMES = {
    "Answer": "results",
    "Errors": "collecting",
    "Handle": "outgoing",
    "Notification": "notification",
    "NotifyHandler": "logs",
    "Result": "results",
    "Outlet": "outlets",
    "Watch": "watching",
    "current": "watching",
    "collect": "collecting",
    "flush": "boxes",
    "message": "notification",
    "outlet": "outlets",
    "send": "sending",
    "send_email": "emails",
    "watch": "watching",
}

__all__ = [
    "Answer",
    "Errors",
    "Handle",
    "Notification",
    "NotifyHandler",
    "Outlet",
    "Result",
    "Watch",
    "collect",
    "current",
    "flush",
    "message",
    "outlet",
    "send",
    "send_email",
    "watch",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
