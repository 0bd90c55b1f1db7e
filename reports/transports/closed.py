"""A channel that cannot be used as settings stand: its messages wait, and say why, in nobody else's way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from reports.errors import ReportsError, TransportError
from reports.model import Message, Receipt
from reports.transports.base import HandingOver, nothing
from reports.transports.providers import Limits


@dataclass(frozen=True)
class ClosedTransport:
    """Carries nothing: what keeps the channel from being opened is the answer to every message.

    It may be mended at any time, with a library or a variable of the environment, so no message is given up for it.
    """

    error: ReportsError
    limits: Limits = field(default_factory=Limits)

    def size_limit(self) -> int | None:
        return None

    def send(self, message: Message, handing_over: HandingOver = nothing) -> Sequence[Receipt]:
        """A TransportError, always, which is about the channel and not the message."""
        del message, handing_over
        raise TransportError(self.error.what, where=self.error.where, hint=self.error.hint, account=True)

    def check(self) -> Iterator[tuple[str, str]]:
        raise self.error

    def close(self) -> None:
        pass
