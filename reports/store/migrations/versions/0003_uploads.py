"""The log of uploads, and the rows that were not let in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from reports.store.schema import Instant

revision = "0003"
down_revision = "0002"

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """From reports alone."""
    op.create_table(
        "upload",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("source", sa.Unicode(128), nullable=False),
        sa.Column("target", sa.Unicode(400), nullable=False),
        sa.Column("file", sa.UnicodeText, nullable=False),
        sa.Column("name", sa.Unicode(255), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("mode", sa.String(12), nullable=False),
        sa.Column("started", Instant, nullable=False),
        sa.Column("ended", Instant),
        sa.Column("state", sa.String(12), nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in _COUNTS),
        sa.Column("error", sa.UnicodeText, nullable=False),
        sa.Column("options", sa.UnicodeText, nullable=False),
        sa.Column("owner", sa.Unicode(200), nullable=False),
        sa.Column("until", Instant, nullable=False),
        sa.Column("login", sa.Unicode(255), nullable=False),
    )
    op.create_index("ix_upload_sha256", "upload", ["sha256"])
    op.create_index("upload_started", "upload", ["started"])
    op.create_index("upload_target", "upload", ["target", "sha256"])
    op.create_index("upload_lease", "upload", ["state", "until"])
    _rejects()


_COUNTS = ("rows_read", "inserted", "updated", "rejected", "batches", "retries")


def _rejects() -> None:
    op.create_table(
        "upload_reject",
        sa.Column("id", _NUMBER, primary_key=True),
        sa.Column("upload", sa.String(64), sa.ForeignKey("upload.id", ondelete="CASCADE"), nullable=False),
        sa.Column("row", _NUMBER, nullable=False),
        sa.Column("file", sa.UnicodeText, nullable=False),
        sa.Column("line", sa.BigInteger, nullable=False),
        sa.Column("column", sa.Unicode(128), nullable=False),
        sa.Column("value", sa.UnicodeText, nullable=False),
        sa.Column("reason", sa.UnicodeText, nullable=False),
        sa.Column("cause", sa.Unicode(40), nullable=False),
        sa.Column("content", sa.UnicodeText, nullable=False),
    )
    op.create_index("upload_reject_row", "upload_reject", ["upload", "row"], unique=True)
