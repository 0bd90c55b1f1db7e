"""`reports verify`: whether a run that was kept gives the same report once more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reports.cli import output
from reports.cli.common import AsJson, cli, open_app

if TYPE_CHECKING:
    from reports.app import App
    from reports.model import Run
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
    if bool(run) == every or (job and not every):
        raise typer.BadParameter("name a run, or say --all")
    app = open_app(ctx)
    if job:
        app.known(job)
    outcomes = list(_outcomes(app, app.verifiable(job, limit), current=current) if every else [_one(app, run, current)])
    if as_json:
        output.answer_json([_record(*one) for one in outcomes] if every else _record(*outcomes[0]))
    for found, verification, error in outcomes:
        if not as_json:
            _tell(found, verification, error)
        if out and verification:
            _write(out / found, verification)
    if not all(verification and verification.same for _, verification, _ in outcomes):
        raise typer.Exit(1)


_Outcome = tuple[str, "Verification | None", str]


def _one(app: App, run: str, current: bool) -> _Outcome:
    found = app.verify(run, current=current)
    return found.run.id, found, ""


def _outcomes(app: App, runs: Sequence[Run], *, current: bool) -> Iterator[_Outcome]:
    """Each run; one that cannot be made again does not stand in the way of the next."""
    from reports.errors import ReportsError

    for run in runs:
        try:
            yield run.id, app.verify(run.id, current=current), ""
        except ReportsError as error:
            yield run.id, None, str(error)


def _tell(run: str, verification: Verification | None, error: str) -> None:
    if verification is None:
        output.answer(f"{run[:8]}  not verified: {error}")
        return
    one = verification.run
    verdict = "the same, byte for byte" if verification.same else "DIFFERENT"
    output.answer(f"{run[:8]}  {one.job}, as of {one.as_of}: {verdict}")
    for compared in verification.compared:
        output.answer(f"  {'same     ' if compared.same else 'different'}  {compared.name}")
        for line in compared.differences:
            output.answer(f"             {line}")
    for change in verification.changed if not verification.same else ():
        output.answer(f"  since then: {change}")


def _record(run: str, verification: Verification | None, error: str) -> dict[str, Any]:
    if verification is None:
        return {"run": run, "same": None, "error": error}
    return {
        "run": run,
        "job": verification.run.job,
        "as_of": verification.run.as_of.isoformat(),
        "same": verification.same,
        "compared": [
            {"name": one.name, "same": one.same, "differences": list(one.differences)} for one in verification.compared
        ],
        "changed": list(verification.changed),
    }


def _write(folder: Path, verification: Verification) -> None:
    """What differs, in folders `then` and `now`."""
    from reports.export import write_file

    for one in verification.compared:
        for when, content in (("then", one.then), ("now", one.now)):
            if content is not None:
                write_file(folder / when / one.name, content)
    output.say(f"what differs is in {folder}")
