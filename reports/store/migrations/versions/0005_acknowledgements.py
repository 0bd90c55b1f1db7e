"""Which channels were told of a failure, and who has taken note of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from reports.store.schema import NUMBER, Instant

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """All that was told before was told by mail."""
    op.add_column("trouble", sa.Column("told", sa.UnicodeText, nullable=False, server_default="mail"))
    op.create_table(
        "acknowledgement",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("run", sa.String(64), sa.ForeignKey("run.id", ondelete="CASCADE"), nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("who", sa.Unicode(200), nullable=False),
        sa.Column("note", sa.UnicodeText, nullable=False),
    )
    op.create_index("ix_acknowledgement_run", "acknowledgement", ["run"])
