"""Runs with their artifacts, messages with their deliveries and attempts, troubles, and the pace of accounts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from reports.store.schema import NUMBER, Instant, Params

revision = "0001"
down_revision = None


def upgrade() -> None:
    """From nothing."""
    _runs()
    _messages()
    _deliveries()
    op.create_table(
        "trouble",
        sa.Column("job", sa.Unicode(128), primary_key=True),
        sa.Column("about", sa.Unicode(320), primary_key=True),
        sa.Column("since", Instant, nullable=False),
        sa.Column("latest", Instant, nullable=False),
        sa.Column("run", sa.String(64), nullable=False),
        sa.Column("message_id", sa.Unicode(400), nullable=False),
        sa.Column("times", sa.Integer, nullable=False),
    )
    op.create_table(
        "pace",
        sa.Column("account", sa.Unicode(400), primary_key=True),
        sa.Column("next_at", Instant, nullable=False),
    )


def _runs() -> None:
    op.create_table(
        "run",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("job", sa.Unicode(128), nullable=False),
        sa.Column("occurrence", Instant),
        sa.Column("as_of", sa.Date, nullable=False),
        sa.Column("params", Params, nullable=False),
        sa.Column("trigger", sa.String(12), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("definition", sa.String(64), nullable=False),
        sa.Column("started", Instant, nullable=False),
        sa.Column("finished", Instant),
        sa.Column("error", sa.UnicodeText, nullable=False),
        sa.Column("notice", sa.UnicodeText, nullable=False),
        sa.Column("owner", sa.Unicode(200), nullable=False),
        sa.Column("until", Instant, nullable=False),
        sa.Column("log", sa.UnicodeText, nullable=False),
    )
    named = sa.text("occurrence IS NOT NULL")
    op.create_index(
        "run_occurrence",
        "run",
        ["job", "occurrence"],
        unique=True,
        sqlite_where=named,
        postgresql_where=named,
        mssql_where=named,
    )
    op.create_index("run_job", "run", ["job", "started"])
    op.create_index("run_started", "run", ["started"])
    op.create_index("run_lease", "run", ["state", "until"])
    op.create_table(
        "artifact",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("run", sa.String(64), sa.ForeignKey("run.id", ondelete="CASCADE"), nullable=False, index=True),
        sa.Column("name", sa.Unicode(255), nullable=False),
        sa.Column("media_type", sa.String(255), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False, index=True),
        sa.Column("size", sa.BigInteger, nullable=False),
    )


def _messages() -> None:
    op.create_table(
        "message",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("message_id", sa.Unicode(400), nullable=False, unique=True),
        sa.Column("run", sa.String(64), sa.ForeignKey("run.id", ondelete="CASCADE"), nullable=False, index=True),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("date", Instant, nullable=False),
        sa.Column("sender", sa.Unicode(320), nullable=False),
        sa.Column("subject", sa.UnicodeText, nullable=False),
        sa.Column("content", sa.String(64), nullable=False, index=True),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("on_unknown", sa.String(12), nullable=False),
    )


def _deliveries() -> None:
    op.create_table(
        "delivery",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("message", NUMBER, sa.ForeignKey("message.id", ondelete="CASCADE"), nullable=False, index=True),
        sa.Column("recipient", sa.Unicode(320), nullable=False, index=True),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("expires", Instant, nullable=False),
        sa.Column("next_attempt", Instant),
        sa.Column("settled", Instant),
        sa.Column("owner", sa.Unicode(200)),
        sa.Column("until", Instant),
        sa.Column("claimed", Instant),
        sa.Column("handed", Instant),
        sa.Column("told", Instant),
        sa.Column("last_reply", sa.UnicodeText, nullable=False),
        sa.Column("hint", sa.UnicodeText, nullable=False),
    )
    op.create_index("delivery_due", "delivery", ["state", "next_attempt", "id"])
    untold = sa.text("state IN ('refused', 'expired', 'unknown') AND told IS NULL")
    op.create_index(
        "delivery_untold",
        "delivery",
        ["state", "settled"],
        sqlite_where=untold,
        postgresql_where=untold,
        mssql_where=untold,
    )
    op.create_table(
        "attempt",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("delivery", NUMBER, sa.ForeignKey("delivery.id", ondelete="CASCADE"), nullable=False, index=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("started", Instant, nullable=False),
        sa.Column("finished", Instant, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("code", sa.Integer, nullable=False),
        sa.Column("text", sa.UnicodeText, nullable=False),
    )
