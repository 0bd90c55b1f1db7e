"""Runs that wait their turn, what is expected of jobs, and the services at work."""

from __future__ import annotations

import sqlite3

import sqlalchemy as sa
from alembic import op

from reports.store.schema import Instant

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """From runs that begin at once."""
    op.add_column("run", sa.Column("due", Instant))
    op.add_column("run", sa.Column("stop", sa.UnicodeText, nullable=False, server_default=""))
    if op.get_bind().dialect.name == "sqlite" and sqlite3.sqlite_version_info >= (3, 35):
        _put_the_log_last()
    _index("run_due", ["state", "due", "occurrence", "id"], "state = 'queued'")
    _index("run_active", ["job", "state"], "state IN ('queued', 'running')")
    missed = "state = 'missed'"
    _index("run_untold", ["state", "job", "occurrence"], f"{missed} AND notice = ''", mssql=missed)
    _plans()
    _services()


def _put_the_log_last() -> None:
    """There what follows a long text is found only by reading past it.

    Not by making the table anew: what hangs on the runs would go with the old one.
    """
    op.add_column("run", sa.Column("moved", sa.UnicodeText, nullable=False, server_default=""))
    op.execute("UPDATE run SET moved = log WHERE log <> ''")
    op.drop_column("run", "log")
    op.execute("ALTER TABLE run RENAME COLUMN moved TO log")


def _index(name: str, columns: list[str], condition: str, *, mssql: str = "") -> None:
    op.create_index(
        name,
        "run",
        columns,
        sqlite_where=sa.text(condition),
        postgresql_where=sa.text(condition),
        mssql_where=sa.text(mssql or condition),
    )


def _plans() -> None:
    op.create_table(
        "plan",
        sa.Column("job", sa.Unicode(128), primary_key=True),
        sa.Column("definition", sa.UnicodeText, nullable=False),
        sa.Column("accounted", Instant, nullable=False),
        sa.Column("paused", Instant),
        sa.Column("pause_note", sa.UnicodeText, nullable=False),
        sa.Column("broken", sa.UnicodeText, nullable=False),
        sa.Column("gone", Instant),
    )


def _services() -> None:
    op.create_table(
        "service",
        sa.Column("owner", sa.Unicode(200), primary_key=True),
        sa.Column("host", sa.Unicode(255), nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("started", Instant, nullable=False),
        sa.Column("beat", Instant, nullable=False),
        sa.Column("stopped", Instant),
    )
