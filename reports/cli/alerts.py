"""`reports acknowledge`: somebody has taken note of what fails, so that nobody else need be told."""

from __future__ import annotations

import getpass
import socket
from typing import Annotated

import typer

from reports.cli import output
from reports.cli.common import AsJson, cli, open_app


@cli.command()
def acknowledge(
    ctx: typer.Context,
    which: Annotated[str, typer.Argument(metavar="RUN|JOB", help="A run that failed, or a job.")],
    note: Annotated[str, typer.Option(help="What is known of it; shown with the run.")] = "",
    by: Annotated[str, typer.Option(metavar="NAME", help="Who; else the account at work here.")] = "",
    as_json: AsJson = False,
) -> None:
    """Take note of a failure: who, when and the note are kept, and no escalation of it goes out any more."""
    from reports.export import acknowledgement_record

    who = by or _account()
    troubles, cancelled = open_app(ctx).acknowledge(which, who=who, note=note)
    if as_json:
        output.answer_json(acknowledgement_record(troubles, cancelled, who=who, note=note))
        return
    for one in troubles:
        about = f", of reports to {one.about}" if one.about else ""
        output.answer(f"acknowledged by {who}: {one.job} fails since {one.since:%Y-%m-%d %H:%M:%SZ}{about}")
    for delivery in cancelled:
        output.answer(f"  {delivery.state:<11} {delivery.who} ({delivery.kind})")
    if not cancelled:
        output.say("nothing waited to be told of it")


def _account() -> str:
    try:
        name = getpass.getuser()
    except (OSError, KeyError):  # an account without a name, as in a container
        name = "somebody"
    return f"{name}@{socket.gethostname()}"
