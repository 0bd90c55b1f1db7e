"""The tables, and how instants and parameters are kept in them. What changes here needs a migration."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    TypeDecorator,
    Unicode,
    UnicodeText,
    text,
)
from sqlalchemy.dialects.mssql import DATETIME2
from sqlalchemy.types import TypeEngine

HEAD = "0005"
"""The revision that these tables are; the newest one in migrations/versions."""


class Instant(TypeDecorator[dt.datetime]):
    """An aware instant, exact to the microsecond; it comes back in UTC from every database."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "mssql":
            return dialect.type_descriptor(DATETIME2(6))  # type: ignore[no-untyped-call]
        return dialect.type_descriptor(DateTime(timezone=dialect.name == "postgresql"))

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone, so it is no instant")
        there = value.astimezone(dt.UTC)
        return there if dialect.name == "postgresql" else there.replace(tzinfo=None)

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        del dialect
        if value is None:
            return None
        return value.astimezone(dt.UTC) if value.tzinfo else value.replace(tzinfo=dt.UTC)


class Words(TypeDecorator[str]):
    """A text of people and programs, without what no database takes everywhere: NUL, and halves of characters."""

    impl = UnicodeText
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        del dialect
        return value and value.replace("\0", "\u2400").encode("utf-8", "replace").decode("utf-8")


class Params(TypeDecorator[dict[str, Any]]):
    """A run's parameters as JSON; dates come back as dates."""

    impl = UnicodeText
    cache_ok = True

    def process_bind_param(self, value: dict[str, Any] | None, dialect: Dialect) -> str:
        del dialect
        return json.dumps(dict(value or {}), default=_as_json, ensure_ascii=False)

    def process_result_value(self, value: str | None, dialect: Dialect) -> dict[str, Any]:
        del dialect
        params: dict[str, Any] = json.loads(value or "{}", object_hook=_from_json)
        return params


def _as_json(value: object) -> object:
    return {"$date": value.isoformat()} if type(value) is dt.date else str(value)


def _from_json(value: dict[str, Any]) -> object:
    return dt.date.fromisoformat(value["$date"]) if value.keys() == {"$date"} else value


# Lengths are such that SQL Server can keep every index: 900 bytes of a primary key, 1,700 of another.
ID = String(64)
JOB = Unicode(128)
ADDRESS = Unicode(320)
STATE = String(12)
CHANNEL = Unicode(128)
OWNER = Unicode(200)
HASH = String(64)
NUMBER = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData()

run = Table(
    "run",
    metadata,
    Column("id", ID, primary_key=True),
    Column("job", JOB, nullable=False),
    Column("occurrence", Instant),
    Column("as_of", Date, nullable=False),
    Column("params", Params, nullable=False),
    Column("trigger", STATE, nullable=False),
    Column("state", STATE, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("definition", ID, nullable=False),
    Column("started", Instant, nullable=False),
    Column("finished", Instant),
    Column("error", Words, nullable=False),
    Column("notice", Words, nullable=False),
    Column("owner", OWNER, nullable=False),
    Column("until", Instant, nullable=False),
    # When a queued run may begin, and why one that is running is asked to end.
    Column("due", Instant),
    Column("stop", Words, nullable=False, server_default=""),
    # Last, so that a list of runs need not read past it.
    Column("log", Words, nullable=False, server_default=""),
)


def _only(condition: str, *, mssql: str = "") -> dict[str, Any]:
    """An index of just these rows. Values are written out, not bound, so a database sees that it has what is wanted."""
    each = {"sqlite": condition, "postgresql": condition, "mssql": mssql or condition}
    return {f"{name}_where": text(wanted) for name, wanted in each.items()}


# Runs by hand have no occurrence; SQL Server would take only one of them into a plain unique index.
Index("run_occurrence", run.c.job, run.c.occurrence, unique=True, **_only("occurrence IS NOT NULL"))
Index("run_job", run.c.job, run.c.started)
Index("run_started", run.c.started)
Index("run_lease", run.c.state, run.c.until)
_QUEUED, _ACTIVE, _MISSED = "{0}state = 'queued'", "{0}state IN ('queued', 'running')", "{0}state = 'missed'"
_SILENT = _MISSED + " AND {0}notice = ''"
QUEUED, ACTIVE, MISSED = (text(condition.format("run.")) for condition in (_QUEUED, _ACTIVE, _SILENT))
"""Conditions: runs that wait, runs that wait or go on, and missed ones that nobody was told of."""
Index("run_due", run.c.state, run.c.due, run.c.occurrence, run.c.id, **_only(_QUEUED.format("")))
Index("run_active", run.c.job, run.c.state, **_only(_ACTIVE.format("")))
# SQL Server takes no long text into the condition of an index.
Index("run_untold", run.c.state, run.c.job, run.c.occurrence, **_only(_SILENT.format(""), mssql=_MISSED.format("")))

# What is expected of a job, and up to when that has been accounted for (see `accounting`).
plan = Table(
    "plan",
    metadata,
    Column("job", JOB, primary_key=True),
    Column("definition", Words, nullable=False),
    Column("accounted", Instant, nullable=False),
    Column("paused", Instant),
    Column("pause_note", Words, nullable=False),
    Column("broken", Words, nullable=False),
    Column("gone", Instant),
)

# Services at work, and those that were.
service = Table(
    "service",
    metadata,
    Column("owner", OWNER, primary_key=True),
    Column("host", Unicode(255), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("version", ID, nullable=False),
    Column("started", Instant, nullable=False),
    Column("beat", Instant, nullable=False),
    Column("stopped", Instant),
)

artifact = Table(
    "artifact",
    metadata,
    Column("id", NUMBER, primary_key=True),
    Column("run", ID, ForeignKey("run.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", Unicode(255), nullable=False),
    Column("media_type", String(255), nullable=False),
    Column("sha256", HASH, nullable=False, index=True),
    Column("size", BigInteger, nullable=False),
)

message = Table(
    "message",
    metadata,
    Column("id", NUMBER, primary_key=True),
    Column("message_id", Unicode(400), nullable=False, unique=True),
    Column("run", ID, ForeignKey("run.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("kind", STATE, nullable=False),
    Column("date", Instant, nullable=False),
    Column("sender", ADDRESS, nullable=False),
    Column("subject", Words, nullable=False),
    Column("content", HASH, nullable=False, index=True),
    Column("size", BigInteger, nullable=False),
    Column("on_unknown", STATE, nullable=False),
    # Empty for mail; else its name in settings. A thread holds messages together, each of which follows in its way.
    Column("channel", CHANNEL, nullable=False, server_default=""),
    Column("thread", ID, nullable=False, server_default="", index=True),
    Column("follow", STATE, nullable=False, server_default=""),
)

# `owner` stays after a delivery is settled: it says whose answer that was (see `ledger`).
# `claimed` and `handed` are the instants of the present attempt; `told` is when its failure was told.
delivery = Table(
    "delivery",
    metadata,
    Column("id", NUMBER, primary_key=True),
    Column("message", NUMBER, ForeignKey("message.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("recipient", ADDRESS, nullable=False, index=True),
    Column("state", STATE, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("expires", Instant, nullable=False),
    Column("next_attempt", Instant),
    Column("settled", Instant),
    Column("owner", OWNER),
    Column("until", Instant),
    Column("claimed", Instant),
    Column("handed", Instant),
    Column("told", Instant),
    Column("last_reply", Words, nullable=False),
    Column("hint", Words, nullable=False),
    Column("reference", Unicode(255), nullable=False, server_default=""),
)
# What is due is found by it, however much is settled.
Index("delivery_due", delivery.c.state, delivery.c.next_attempt, delivery.c.id)
_UNTOLD = "{0}state IN ('refused', 'expired', 'unknown') AND {0}told IS NULL"
FAILED = text(_UNTOLD.format("delivery."))
"""A condition: deliveries that failed and were not told of."""
Index("delivery_untold", delivery.c.state, delivery.c.settled, **_only(_UNTOLD.format("")))

attempt = Table(
    "attempt",
    metadata,
    Column("id", NUMBER, primary_key=True),
    Column("delivery", NUMBER, ForeignKey("delivery.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("number", Integer, nullable=False),
    Column("started", Instant, nullable=False),
    Column("finished", Instant, nullable=False),
    Column("state", STATE, nullable=False),
    Column("code", Integer, nullable=False),
    Column("text", Words, nullable=False),
)

# A failure streak that is open: of the job itself where `about` is empty, else of that recipient.
trouble = Table(
    "trouble",
    metadata,
    Column("job", JOB, primary_key=True),
    Column("about", ADDRESS, primary_key=True),
    Column("since", Instant, nullable=False),
    Column("latest", Instant, nullable=False),
    Column("run", ID, nullable=False),
    Column("message_id", Unicode(400), nullable=False),
    Column("times", Integer, nullable=False),
    # The channels that were told of it, with blanks between them.
    Column("told", Words, nullable=False, server_default="mail"),
)

# That somebody has taken note of a failure: who, when, and what they said, with the run that was told of.
acknowledgement = Table(
    "acknowledgement",
    metadata,
    Column("id", NUMBER, primary_key=True),
    Column("run", ID, ForeignKey("run.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("at", Instant, nullable=False),
    Column("who", Unicode(200), nullable=False),
    Column("note", Words, nullable=False),
)

pace = Table(
    "pace",
    metadata,
    Column("account", Unicode(400), primary_key=True),
    Column("next_at", Instant, nullable=False),
)

# Uploads: one file into one table each, and the rows of it that are not there (see `uploads`).
upload = Table(
    "upload",
    metadata,
    Column("id", ID, primary_key=True),
    Column("source", JOB, nullable=False),
    Column("target", Unicode(400), nullable=False),
    Column("file", Words, nullable=False),
    Column("name", Unicode(255), nullable=False),
    Column("sha256", HASH, nullable=False, index=True),
    Column("size", BigInteger, nullable=False),
    Column("mode", STATE, nullable=False),
    Column("started", Instant, nullable=False),
    Column("ended", Instant),
    Column("state", STATE, nullable=False),
    Column("rows_read", BigInteger, nullable=False),
    Column("inserted", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Column("rejected", BigInteger, nullable=False),
    Column("batches", BigInteger, nullable=False),
    Column("retries", BigInteger, nullable=False),
    Column("error", Words, nullable=False),
    Column("options", Params, nullable=False),
    Column("owner", OWNER, nullable=False),
    Column("until", Instant, nullable=False),
    Column("login", Unicode(255), nullable=False),
)
Index("upload_started", upload.c.started)
Index("upload_target", upload.c.target, upload.c.sha256)
Index("upload_lease", upload.c.state, upload.c.until)

# `row` counts the records of the file from 1.
upload_reject = Table(
    "upload_reject",
    metadata,
    Column("id", NUMBER, primary_key=True),
    Column("upload", ID, ForeignKey("upload.id", ondelete="CASCADE"), nullable=False),
    Column("row", NUMBER, nullable=False),
    Column("file", Words, nullable=False),
    Column("line", BigInteger, nullable=False),
    Column("column", Unicode(128), nullable=False),
    Column("value", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("cause", Unicode(40), nullable=False),
    Column("content", Words, nullable=False),
)
Index("upload_reject_row", upload_reject.c.upload, upload_reject.c.row, unique=True)
