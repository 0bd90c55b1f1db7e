"""The schema brought up to date with Alembic, by one process at a time and in one transaction."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from reports.errors import StoreError

MIGRATIONS = Path(__file__).parent / "migrations"
# A number of our own, for the lock that two processes opening one database at once contend for.
_LOCK = 7_365_737
_LOCKS = {
    "postgresql": f"SELECT pg_advisory_xact_lock({_LOCK})",
    "mssql": f"EXEC sp_getapplock @Resource = 'reports {_LOCK}', @LockMode = 'Exclusive'",
}


def upgrade(connection: Connection, where: str) -> None:
    """Applies what is missing, within the caller's transaction; a StoreError for a schema that is not known."""
    if lock := _LOCKS.get(connection.dialect.name):  # SQLite's transaction is a lock already
        connection.execute(text(lock))
    scripts = directory()
    # Read again: another process may have done it while this one waited for the lock.
    revision = MigrationContext.configure(connection).get_current_revision()
    if revision and revision not in {script.revision for script in scripts.walk_revisions()}:
        raise StoreError(
            f"the database was written by a newer version of reports (its schema is {revision})",
            where=where,
            hint="pip install --upgrade reports, on this machine as well",
        )
    _apply(connection, scripts)


def directory() -> ScriptDirectory:
    """The migrations shipped with the package."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config)


def _apply(connection: Connection, scripts: ScriptDirectory) -> None:
    def steps(revision: Any, context: Any) -> Any:
        del context
        return scripts._upgrade_revs("head", revision)  # noqa: SLF001  as Alembic's own documentation does

    with EnvironmentContext(Config(), scripts, fn=steps) as environment:
        environment.configure(connection=connection, render_as_batch=True)
        environment.run_migrations()
