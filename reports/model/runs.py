"""Runs, their messages and what came of these, as the store keeps them and services share them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal


@dataclass(frozen=True, kw_only=True)
class Message:
    """A report addressed on one channel: serialised once, every attempt sends these bytes.

    `follow` says how it belongs to the earlier ones of its thread: "edit" takes the place of the first, "reply"
    stands below it. `earlier` is what the transport called that first one, by recipient, as far as there is one.
    """

    message_id: str
    date: datetime
    sender: str
    recipients: Sequence[str]
    subject: str
    content: bytes = field(repr=False)
    follow: Follow = ""
    earlier: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What a transport answered about one recipient.

    accepted: the next server took it · refused: it never will · deferred: it may, later, after
    `retry_after` seconds at the least where it said so · unknown: the connection was lost after the
    whole message had gone. `reference` is what the other side calls the message there, if later ones can refer to it.
    """

    recipient: str
    state: Literal["accepted", "refused", "deferred", "unknown"]
    code: int = 0
    text: str = ""
    hint: str = ""
    retry_after: float | None = None
    reference: str = ""


Trigger = Literal["schedule", "manual", "backfill", "retry", "test"]

RunState = Literal["queued", "running", "succeeded", "failed", "skipped", "missed", "interrupted"]

DeliveryState = Literal["pending", "sending", "accepted", "refused", "unknown", "expired", "held", "cancelled"]

MessageKind = Literal["report", "test", "failure", "recovery", "progress", "escalation"]

Follow = Literal["", "edit", "reply"]

UNSETTLED: tuple[DeliveryState, ...] = ("pending", "sending", "unknown", "held")
"""Deliveries that still need somebody: a sender, or a person's decision."""

UNKNOWN_WAIT = timedelta(minutes=15)
"""How long before a message is sent again that may have arrived, where settings want that."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One execution of a job, by hand or for an occurrence, about one business date.

    Instants are aware, in UTC. `definition` is a hash of the job's folder as it was run. `notice` says
    who was told of a failure, or why nobody could be. A `test` was asked for with --to: it says nothing
    about the job's own runs. A scheduled run is one row for its occurrence: `attempt` counts the times it was
    begun, `due` is when it may begin next; until it does, `started` is when it was queued.
    """

    id: str
    job: str
    as_of: date
    started: datetime
    params: Mapping[str, Any] = field(default_factory=dict)
    occurrence: datetime | None = None
    trigger: Trigger = "manual"
    state: RunState = "running"
    attempt: int = 1
    definition: str = ""
    due: datetime | None = None
    finished: datetime | None = None
    error: str = ""
    notice: str = ""
    log: str = field(default="", repr=False)

    @property
    def waited(self) -> timedelta:
        """How long it stood in the queue, from when it could have started."""
        return max(self.started - self.due, timedelta()) if self.due else timedelta()

    @property
    def late(self) -> timedelta:
        """How long after its occurrence it started."""
        return max(self.started - self.occurrence, timedelta()) if self.occurrence else timedelta()

    @property
    def key(self) -> str:
        """What the run is for: its occurrence, or itself where it was asked for by hand."""
        return self.occurrence.isoformat() if self.occurrence else self.id


@dataclass(frozen=True, kw_only=True)
class Occurrence:
    """One instant that a schedule names: `at` in UTC and `local` on the clock of the schedule's zone.

    `reason` says why it is not the plain one: moved out of a gap of the clock or off a holiday, the first of two.
    One that is `skipped` is expected not to run, because of its reason.
    """

    at: datetime
    local: datetime
    reason: str = ""
    skipped: bool = False


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is expected of a job, as the store has it, and up to when that has been accounted for.

    `definition` is the JSON of the last definition that could be read (see `planning`). Every occurrence up to and with
    `accounted` has its row. `paused` is since when nothing starts; `broken` why the job cannot be read now; `gone`
    since when its folder is not there.
    """

    job: str
    definition: str
    accounted: datetime
    paused: datetime | None = None
    pause_note: str = ""
    broken: str = ""
    gone: datetime | None = None

    @property
    def why_paused(self) -> str:
        """Since when it is paused, with the note; empty if it is not."""
        if self.paused is None:
            return ""
        return f"paused since {self.paused:%Y-%m-%d %H:%M:%S}Z" + (f": {self.pause_note}" if self.pause_note else "")


@dataclass(frozen=True, kw_only=True)
class Accounting:
    """What became of the occurrences of one job that came due: rows to add, and runs to be stopped, with the reason."""

    accounted: datetime
    runs: Sequence[Run] = ()
    stop: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Beat:
    """A service at work: who it is, since when, and when it was last heard of; `stopped` if it ended in order."""

    owner: str
    host: str
    pid: int
    version: str
    started: datetime
    beat: datetime
    stopped: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """A message on its way into the outbox, with what holds for all its deliveries.

    `channel` is its name in settings, empty for mail. It goes out at `due`, or at once. Messages of one `thread`
    belong together (see `Message.follow`); a "progress" that waits is cancelled by a newer one of its thread.
    """

    message: Message
    kind: MessageKind
    expires: datetime
    on_unknown: Literal["hold", "resend"] = "hold"
    channel: str = ""
    thread: str = ""
    due: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One message to one recipient, as the ledger has it.

    `attempts` counts the times it was tried; `last_reply` is the server's words with their code;
    `next_attempt` is None once nothing more will be tried by itself. `channel` is empty for mail; `reference`
    is what the other side calls the message, where it said so.
    """

    id: int
    message_id: str
    run: str
    job: str
    kind: MessageKind
    subject: str
    recipient: str
    state: DeliveryState
    attempts: int = 0
    last_reply: str = ""
    hint: str = ""
    next_attempt: datetime | None = None
    expires: datetime
    settled: datetime | None = None
    channel: str = ""
    reference: str = ""

    @property
    def who(self) -> str:
        """Who gets it, and on which channel where it is no mail: "#cash on team"."""
        return f"{self.recipient} on {self.channel}" if self.channel else self.recipient


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """A failure streak that is open: of a job, or of its reports to the recipient `about`.

    `run` is the one that it began with; `told` are the channels that were told of it, mail among them by that name.
    """

    job: str
    about: str
    since: datetime
    latest: datetime
    times: int
    run: str
    told: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Acknowledgement:
    """That somebody has taken note of a failure: when, who, and what they said."""

    at: datetime
    who: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One try at one delivery."""

    number: int
    started: datetime
    finished: datetime
    state: str
    code: int = 0
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class StoredArtifact:
    """A produced file of a run, as it can be found again: bytes by their SHA-256."""

    name: str
    media_type: str
    sha256: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """Deliveries of one message that one sender has claimed, to go out in one step.

    The bytes of the message are found by `content`, their SHA-256. `earlier` are the references of the first message
    of its thread, by recipient.
    """

    message_id: str
    run: str
    job: str
    kind: MessageKind
    date: datetime
    sender: str
    subject: str
    content: str
    size: int
    expires: datetime
    on_unknown: Literal["hold", "resend"]
    deliveries: Sequence[Delivery]
    channel: str = ""
    follow: Follow = ""
    earlier: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of one claimed delivery; `tried` is false where no attempt was made at it.

    `unknown` is true where nobody knows whether it arrived, though it is to be sent again.
    """

    delivery: int
    state: DeliveryState
    started: datetime
    code: int = 0
    text: str = ""
    hint: str = ""
    next_attempt: datetime | None = None
    tried: bool = True
    unknown: bool = False
    reference: str = ""
