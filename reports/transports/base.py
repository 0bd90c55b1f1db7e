"""What a transport is: something that carries a finished message and says what was answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from reports.model import Message, Receipt


class Transport(Protocol):
    """One channel out of the house."""

    def send(self, message: Message) -> Sequence[Receipt]:
        """Carry the message's bytes as they are; one receipt a recipient.

        A TransportError means that nobody got it and says whether trying again can help.
        """
        ...

    def check(self) -> Sequence[str]:
        """Lines that say what was found without sending anything; a TransportError where it would fail."""
        ...
