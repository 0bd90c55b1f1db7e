"""The values that cross a border: what is fetched, shown, rendered, addressed and answered.

All frozen. What a job.toml may say is in `definition.py`; what the machine needs is in `settings.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pandas as pd

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, kw_only=True)
class Query:
    """SQL against one source; its dataset has the file's name."""

    name: str
    sql: str
    source: str
    path: Path | None = None

    @property
    def hash(self) -> str:
        """The first 12 hex digits of the SQL text's SHA-256: the same query, the same hash."""
        return hashlib.sha256(self.sql.encode()).hexdigest()[:12]


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """The named result of a query, or of a job's hooks (then without source and query)."""

    name: str
    frame: pd.DataFrame
    query: Query | None = None
    # Rows set aside while reading, by table: columns file, line, column, value, reason, row.
    rejected: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return len(self.frame)


def size(count: int) -> str:
    """Bytes as people say them, in powers of ten: 812 bytes, 280 kB, 35.9 MB."""
    if count < 10_000:
        return f"{count:,} bytes"
    return f"{count / 1e3:,.0f} kB" if count < 1_000_000 else f"{count / 1e6:,.1f} MB"


# -- blocks: what a report shows, in reading order, still as values -------------------------------

Tone = Literal["", "info", "good", "warning", "bad"]
"""How something is meant: said in words and signs, and by colour besides."""


@dataclass(frozen=True, kw_only=True)
class Status:
    """What became of it in a few words, at the head of a report."""

    text: str
    tone: Tone = "info"


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One headline number with its format (see `definition.Format`) and an optional small note.

    `before` is its value in the last run that succeeded; `good` says which direction is good news, if one is.
    `key` is the label as the job says it, where `label` is in another language.
    """

    label: str
    value: Any
    format: str = "text"
    note: str = ""
    before: Any = None
    good: Literal["", "up", "down"] = ""
    key: str = ""


@dataclass(frozen=True, kw_only=True)
class Before:
    """The headline figures of the last run that succeeded, by "dataset/label", and the date it was about."""

    as_of: date
    figures: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a table: its key in the frame, its heading, its format, whether it is totalled, how it is drawn."""

    key: str
    label: str
    format: str = "text"
    total: bool = False
    look: Literal["", "bar", "heat", "change"] = ""
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """A row of headline figures, out of one dataset."""

    items: Sequence[Figure]
    title: str = ""
    dataset: str = ""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A frame with its columns in order; a mail shows the first `limit` rows; totals cover all.

    `whole_in` is the attached file that has all rows, if one has.
    """

    frame: pd.DataFrame
    columns: Sequence[Column]
    title: str = ""
    note: str = ""
    limit: int = 40
    empty: str = "No rows."
    whole_in: str = ""


ChartKind = Literal["line", "area", "bar", "small_multiples", "sparkline", "waterfall", "heatmap"]


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A frame to draw: `x` against each of `y`; `by` names the column that separates panels, or rows.

    With `own_scales` each panel has its own scale of values; else they share one and can be compared.
    `totals` are the names along x that a waterfall draws whole. At the foot stands the `credit`, or else the
    `source` that the frame came from, and of which day. `numbers` says whether a few of its
    numbers stand below the picture, as a table. One that is not `drawn` has them alone.
    """

    frame: pd.DataFrame
    kind: ChartKind
    x: Column
    y: Sequence[Column]
    by: str = ""
    own_scales: bool = False
    totals: Sequence[str] = ()
    unit: str = ""
    source: str = ""
    as_of: date | None = None
    credit: str = ""
    title: str = ""
    note: str = ""
    alt: str = ""
    numbers: bool = True
    drawn: bool = True


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A matplotlib Figure of the job's hooks; `width` in CSS pixels, or as wide as it was made."""

    figure: Any = field(repr=False)
    alt: str
    title: str = ""
    note: str = ""
    width: int | None = None
    drawn: bool = True


def is_figure(value: object) -> bool:
    """Whether it is a matplotlib Figure, told without importing matplotlib."""
    return hasattr(value, "savefig") and hasattr(value, "get_size_inches")


@dataclass(frozen=True, kw_only=True)
class Text:
    """Plain paragraphs, separated by blank lines; or, with `as_is`, lines as a machine wrote them.

    One with a `tone` is set apart from the rest, with a word and a sign for it.
    """

    text: str
    title: str = ""
    as_is: bool = False
    tone: Tone = ""


Block = Figures | Table | Chart | Picture | Text


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One worksheet: headline figures or a table, and perhaps native charts of its columns.

    `group` are columns whose runs of equal values are added up, each under its own rows.
    """

    name: str
    content: Figures | Table
    charts: Sequence[Chart] = ()
    group: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """Produced bytes with a name and a media type; `cid` and `alt` where it is an inline image.

    `plain_sha256` is of what is in an encrypted one, whose own bytes are others each time it is made.
    """

    name: str
    media_type: str
    content: bytes = field(repr=False)
    cid: str = ""
    alt: str = ""
    width: int = 0  # CSS pixels, of an image
    plain_sha256: str = ""

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Theme:
    """The project's look in plain colours, #RRGGBB, each with enough contrast where it is used.

    `on_accent` is the ink on the accent, `link` the accent as ink on white, `soft` a tint of it for grounds;
    `second` stands against the accent, as below zero against above. `footer` is said below every report.
    """

    accent: str = "#1F5A92"
    on_accent: str = "#FFFFFF"
    link: str = "#1F5A92"
    soft: str = "#F4F6F8"
    second: str = "#E08E2B"
    logo: Artifact | None = None
    footer: str = ""

    @property
    def images(self) -> list[Artifact]:
        """What goes with every mail: the logo, if there is one."""
        return [self.logo] if self.logo else []


@dataclass(frozen=True, kw_only=True)
class Book:
    """A workbook to write: its file name, its sheets in order, its look, and what it says about itself."""

    file: str
    sheets: Sequence[Sheet]
    title: str = ""
    as_of: date | None = None
    theme: Theme = Theme()
    about: About | None = None


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where a dataset came from: nothing in it changes from run to run on equal input."""

    dataset: str
    source: str
    query_hash: str
    rows: int
    sql: str = ""
    set_aside: int = 0


@dataclass(frozen=True, kw_only=True)
class About:
    """What a workbook says of its own making: nothing in it changes from run to run on equal input."""

    job: str
    datasets: Sequence[Provenance] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    notices: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Page:
    """All that the body of a report says, before it is rendered as HTML or as text.

    `notices` are sentences the reader must not miss, such as rows set aside. `compared` is the date of the run that
    figures are compared with, if there was one. Without a `status` it is whether there are notices.
    """

    title: str
    subject: str
    as_of: date
    blocks: Sequence[Block]
    notices: Sequence[str] = ()
    provenance: Sequence[Provenance] = ()
    language: str = "en"
    currency: str = "USD"
    status: Status | None = None
    compared: date | None = None
    theme: Theme = Theme()


# -- what leaves the house -----------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Report:
    """A rendered report: the same subject, html, text and attachments whoever receives it."""

    job: str
    title: str
    as_of: date
    subject: str
    html: str = field(repr=False)
    text: str = field(repr=False)
    images: Sequence[Artifact] = ()
    attachments: Sequence[Artifact] = ()


@dataclass(frozen=True, kw_only=True)
class Message:
    """A report addressed on one channel: serialised once, every attempt sends these bytes."""

    message_id: str
    date: datetime
    sender: str
    recipients: Sequence[str]
    subject: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What a transport answered about one recipient.

    accepted: the next server took it · refused: it never will · deferred: it may, later, after
    `retry_after` seconds at the least where it said so · unknown: the connection was lost after the
    whole message had gone.
    """

    recipient: str
    state: Literal["accepted", "refused", "deferred", "unknown"]
    code: int = 0
    text: str = ""
    hint: str = ""
    retry_after: float | None = None


# -- what is kept: runs, and who got what ----------------------------------------------------------

Trigger = Literal["schedule", "manual", "backfill", "retry", "test"]
RunState = Literal["queued", "running", "succeeded", "failed", "skipped", "missed", "interrupted"]
DeliveryState = Literal["pending", "sending", "accepted", "refused", "unknown", "expired", "held", "cancelled"]
MessageKind = Literal["report", "test", "failure", "recovery"]
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
    """A message on its way into the outbox, with what holds for all its deliveries."""

    message: Message
    kind: MessageKind
    expires: datetime
    on_unknown: Literal["hold", "resend"] = "hold"


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One message to one recipient, as the ledger has it.

    `attempts` counts the times it was tried; `last_reply` is the server's words with their code;
    `next_attempt` is None once nothing more will be tried by itself.
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

    The bytes of the message are found by `content`, their SHA-256.
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
