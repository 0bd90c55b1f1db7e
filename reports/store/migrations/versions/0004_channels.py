"""Messages on channels beside mail, threads of them, and what the other side calls each."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """All that was kept before went by mail, each message by itself."""
    for column in _MESSAGE:
        op.add_column("message", column)
    op.create_index("ix_message_thread", "message", ["thread"])
    op.add_column("delivery", sa.Column("reference", sa.Unicode(255), nullable=False, server_default=""))


_MESSAGE = (
    sa.Column("channel", sa.Unicode(128), nullable=False, server_default=""),
    sa.Column("thread", sa.String(64), nullable=False, server_default=""),
    sa.Column("follow", sa.String(12), nullable=False, server_default=""),
)
