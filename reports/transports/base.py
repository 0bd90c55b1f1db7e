"""What a transport is: something that carries a finished message and says what was answered."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from reports.errors import TransportError
from reports.model import Message, Receipt
from reports.transports.providers import Limits

HandingOver = Callable[[], None]
"""Called once, right before the step that cannot be taken back. What it raises stops the sending."""


def nothing() -> None:
    """For a message that nobody keeps account of."""


@dataclass
class Once:
    """Calls what it was given the first time only."""

    call: HandingOver
    done: bool = False

    def __call__(self) -> None:
        if not self.done:
            self.call()
        self.done = True


@contextlib.contextmanager
def step(name: str) -> Iterator[None]:
    """For a check: an error inside it begins with the step's name, and says what to do."""
    try:
        yield
    except TransportError as error:
        raise TransportError(
            f"{name}: {error.what}",
            where=error.where,
            hint=error.hint or "try again later; if it stays, show this text to the mail provider",
            permanent=error.permanent,
            retry_after=error.retry_after,
            account=error.account,
        ) from error


class Transport(Protocol):
    """One channel out of the house. It may keep a connection from one message to the next."""

    @property
    def limits(self) -> Limits:
        """What the other side takes, where that is known."""
        ...

    def size_limit(self) -> int | None:
        """The largest message in bytes that will be taken, the server asked if need be; None if nobody knows."""
        ...

    def send(self, message: Message, handing_over: HandingOver = nothing) -> Sequence[Receipt]:
        """Carry the message's bytes as they are to `message.recipients`; one receipt a recipient, in order.

        A TransportError means that nobody got it; with `account` no other message would have fared
        better. Whatever happens after `handing_over` was called, is either known or `unknown`.
        """
        ...

    def check(self) -> Iterator[tuple[str, str]]:
        """What is looked at and what was found, step by step, without sending anything.

        A TransportError at the first step that fails; its message names the step.
        """
        ...

    def close(self) -> None:
        """Let go of a connection, if there is one; the transport may be used again."""
        ...
