"""`reports verify`: whether a run that was kept gives the same report once more."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reports.cli import output
from reports.cli.common import AsJson, cli, open_app

if TYPE_CHECKING:
    from reports.verifying import Verification


@cli.command()
def verify(
    ctx: typer.Context,
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's id, or its beginning.")] = "",
    every: Annotated[bool, typer.Option("--all", help="The newest runs that succeeded.")] = False,
    job: Annotated[str, typer.Option(metavar="JOB", help="With --all: of this job only.")] = "",
    limit: Annotated[int, typer.Option("-n", min=1, max=1000, help="With --all: how many.")] = 10,
    current: Annotated[bool, typer.Option(help="By the job, templates and settings of now.")] = False,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Write both versions of what differs there.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a run again from what it fetched then, and compare every byte with what was sent."""
    from reports.export import verification_record

    if bool(run) == every or (job and not every):
        raise typer.BadParameter("name a run, or say --all")
    app = open_app(ctx)
    if job:
        app.known(job)
    found = list(app.verify_newest(job, limit, current=current) if every else [app.verify(run, current=current)])
    if as_json:
        rows = [verification_record(one) for one in found]
        output.answer_json(rows if every else rows[0])
    for one in found:
        if not as_json:
            _tell(one)
        if out and not one.error:
            _write(out / one.run.id, one)
    if not all(one.same for one in found):
        raise typer.Exit(1)


def _tell(verification: Verification) -> None:
    run = verification.run
    if verification.error:
        output.answer(f"{run.id[:8]}  not verified: {verification.error}")
        return
    verdict = "the same, byte for byte" if verification.same else "DIFFERENT"
    output.answer(f"{run.id[:8]}  {run.job}, as of {run.as_of}: {verdict}")
    for compared in verification.compared:
        output.answer(f"  {'same     ' if compared.same else 'different'}  {compared.name}")
        for line in compared.differences:
            output.answer(f"             {line}")
    for change in verification.changed if not verification.same else ():
        output.answer(f"  since then: {change}")


def _write(folder: Path, verification: Verification) -> None:
    """What differs, in folders `then` and `now`."""
    from reports.saving import save

    for one in verification.compared:
        for when, content in (("then", one.then), ("now", one.now)):
            if content is not None:
                save(folder / when / one.name, content)
    output.say(f"what differs is in {folder}")
