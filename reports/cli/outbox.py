"""`reports outbox`: who has not got what yet, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from reports.cli import output
from reports.cli.common import AsJson, Verbose, cli, open_outbox

if TYPE_CHECKING:
    from reports.model import Delivery

outbox = typer.Typer(help="Deliveries: who has not got what, why, and what to do about it.", rich_markup_mode=None)
cli.add_typer(outbox, name="outbox")

Which = Annotated[
    list[str] | None, typer.Argument(metavar="WHICH", help="Runs, jobs, recipients or Message-IDs; else all.")
]
Named = Annotated[list[str], typer.Argument(metavar="WHICH", help="Runs, jobs, recipients or Message-IDs.")]
SETTLED = "nothing is waiting; reports outbox list --all shows what was refused or has expired, too"
HEADING = ("state", "recipient", "job", "run", "tries", "next", "last reply")


@outbox.callback(invoke_without_command=True)
def _listed(ctx: typer.Context, as_json: AsJson = False) -> None:
    if ctx.invoked_subcommand is None:
        _show(open_outbox(ctx).outbox(), as_json=as_json, empty=SETTLED)


@outbox.command("list")
def list_deliveries(
    ctx: typer.Context,
    which: Which = None,
    every: Annotated[bool, typer.Option("--all", help="Every delivery, the settled ones as well.")] = False,
    as_json: AsJson = False,
) -> None:
    """What is not settled: waiting, being sent, held, or unknown."""
    from reports.app import MOST

    found = open_outbox(ctx).outbox(which or (), every=every)
    _show(found, as_json=as_json, empty="nothing was ever sent" if every else SETTLED)
    if not which and len(found) == MOST:
        output.say(f"these are the newest {MOST:,}; name a run, a job or a recipient to see all of its deliveries")


@outbox.command()
def retry(
    ctx: typer.Context,
    which: Which = None,
    unknown: Annotated[bool, typer.Option("--unknown", help="Also what may have arrived.")] = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Send now, only to those who did not get it; with WHICH also what was refused or has expired."""
    app = open_outbox(ctx)
    found = app.retry(which or (), unknown=unknown, tell=output.steps(verbose=verbose))
    _show(found, as_json=as_json, empty=f"nothing to send: {_left(app.outbox(which or ()))}")
    if any(delivery.state != "accepted" for delivery in found):
        raise typer.Exit(1)


@outbox.command()
def hold(ctx: typer.Context, which: Named, as_json: AsJson = False) -> None:
    """Keep what is waiting from being sent, until it is released."""
    _show(open_outbox(ctx).hold(which), as_json=as_json, empty="nothing of that is waiting")


@outbox.command()
def release(ctx: typer.Context, which: Named, as_json: AsJson = False) -> None:
    """Let go of what is held, or send again what is unknown; the service sends it, or `reports outbox retry`."""
    _show(open_outbox(ctx).release(which), as_json=as_json, empty="nothing of that is held or unknown")


@outbox.command()
def cancel(ctx: typer.Context, which: Named, as_json: AsJson = False) -> None:
    """Settle what nobody shall get any more: waiting, held or unknown."""
    _show(open_outbox(ctx).cancel(which), as_json=as_json, empty="nothing of that is waiting, held or unknown")


def _left(unsettled: Sequence[Delivery]) -> str:
    """What a retry does not touch, and the command that does."""
    commands = {"unknown": "retry --unknown sends it again", "held": "release lets it go"}
    states = [delivery.state for delivery in unsettled]
    said = [f"{states.count(one)} {one} ({commands[one]})" for one in ("unknown", "held") if one in states]
    return " and ".join(said) or "nothing waits; name a run to send again what was refused or has expired"


def _show(deliveries: Sequence[Delivery], *, as_json: bool, empty: str) -> None:
    from reports.export import delivery_row

    if as_json:
        output.answer_json([delivery_row(delivery) for delivery in deliveries])
    elif not deliveries:
        output.say(empty)
    else:
        output.answer(output.table([_cells(delivery) for delivery in deliveries], HEADING))
        for hint in dict.fromkeys(delivery.hint for delivery in deliveries if delivery.hint):
            output.say(f"  do: {hint}")


def _cells(delivery: Delivery) -> list[str]:
    due = f"{delivery.next_attempt:%Y-%m-%d %H:%M:%SZ}" if delivery.next_attempt else ""
    reply = delivery.last_reply if len(delivery.last_reply) <= 80 else delivery.last_reply[:79] + "…"
    who = delivery.who + (" (escalation)" if delivery.kind == "escalation" else "")
    return [delivery.state, who, delivery.job, delivery.run[:8], str(delivery.attempts), due, reply]
