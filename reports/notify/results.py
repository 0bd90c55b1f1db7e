"""What became of a notification, for each recipient, in words that a script can print."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reports.model import Delivery, DeliveryState

_WAITS: tuple[DeliveryState, ...] = ("pending", "sending")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One recipient on one channel (empty for mail), the state of the delivery, and what the other side said.

    accepted: the next server took it · pending: it waits, and is tried again by itself · refused: it never will be
    taken · unknown: the connection was lost after the whole of it had gone · held: settings do not let it go ·
    expired and cancelled: given up.
    """

    recipient: str
    state: DeliveryState
    channel: str = ""
    text: str = ""
    hint: str = ""

    def __str__(self) -> str:
        whom = f"{self.channel}:{self.recipient}" if self.channel else self.recipient
        return f"{whom}: {self.state}" + (f" ({self.text})" if self.text else "")


@dataclass(frozen=True)
class Result:
    """The answers so far, of the run that `reports show` knows by its id; true where every recipient accepted."""

    run: str
    answers: Sequence[Answer]

    def __bool__(self) -> bool:
        return bool(self.answers) and all(one.state == "accepted" for one in self.answers)

    def __iter__(self) -> Iterator[Answer]:
        return iter(self.answers)

    def __str__(self) -> str:
        return "\n".join(map(str, self.answers))

    def only(self, *states: DeliveryState) -> Sequence[Answer]:
        """Those that are in one of these states."""
        return [one for one in self.answers if one.state in states]

    @property
    def waits(self) -> bool:
        """Whether somebody may still get it without anybody doing anything."""
        return any(one.state in _WAITS for one in self.answers)


def answer(delivery: Delivery, trouble: str = "") -> Answer:
    """What the ledger has of a delivery; `trouble` is what kept it from being tried at all."""
    said = delivery.last_reply or (trouble if delivery.state in _WAITS else "")
    return Answer(
        recipient=delivery.recipient, state=delivery.state, channel=delivery.channel, text=said, hint=delivery.hint
    )
