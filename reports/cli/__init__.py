"""The command line: each command parses, calls one method of the App, and prints.

What a command needs is imported inside it, so that `reports --help` imports none of it.
"""

from reports.cli import (
    alerts,
    history,
    login,
    notifying,
    outbox,
    project,
    providers,
    running,
    schedule,
    serve,
    service,
    slack,
    uploading,
    verifying,
)
from reports.cli.common import cli

__all__ = [
    "alerts",
    "cli",
    "history",
    "login",
    "main",
    "notifying",
    "outbox",
    "project",
    "providers",
    "running",
    "schedule",
    "serve",
    "service",
    "slack",
    "uploading",
    "verifying",
]


def main() -> None:
    """The `reports` command."""
    cli()
