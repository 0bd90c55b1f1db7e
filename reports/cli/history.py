"""`reports runs` and `reports show`: what ran, and all that is kept of one run."""

from __future__ import annotations

import datetime as dt
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reports.cli import output
from reports.cli.common import AsJson, cli, open_outbox

if TYPE_CHECKING:
    from reports.app import App, History
    from reports.model import Run


@cli.command()
def runs(
    ctx: typer.Context,
    job: Annotated[str, typer.Argument(metavar="JOB", help="One job; else all of them.")] = "",
    limit: Annotated[int, typer.Option("-n", min=1, help="How many, the newest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """What ran and how it ended; who got it is another fact, in the column beside."""
    from reports.export import run_row

    app = open_outbox(ctx)
    found = app.runs(job, limit)
    if not found and job:
        app.known(job)
    if as_json:
        output.answer_json([run_row(run) for run in found])
    elif not found:
        output.say(f"no runs of {job} yet" if job else "no runs yet")
    else:
        totals = app.totals(found)
        rows = [_cells(run, totals.get(run.id, {})) for run in found]
        heading = ("run", "job", "as of", "due", "started", "late", "took", "state", "deliveries", "why")
        output.answer(output.table(rows, heading))


def _cells(run: Run, totals: Mapping[Any, int]) -> list[str]:
    error = run.error.partition("\n")[0]
    began = run.state not in {"queued", "skipped", "missed"}
    return [
        run.id[:8],
        run.job,
        str(run.as_of),
        f"{run.occurrence:%Y-%m-%d %H:%M:%SZ}" if run.occurrence else "by hand",
        f"{run.started:%Y-%m-%d %H:%M:%SZ}" if began else "",
        _length(run.late) if began and run.occurrence else "",
        _length(run.finished - run.started) if began and run.finished else "",
        run.state,
        ", ".join(f"{many} {state}" for state, many in totals.items()),
        error if len(error) <= 80 else error[:79] + "…",
    ]


def _length(time: dt.timedelta) -> str:
    """Seconds for a while, then as a clock has it."""
    seconds = time.total_seconds()
    return f"{seconds:.1f} s" if seconds < 600 else str(dt.timedelta(seconds=round(seconds)))


@cli.command()
def show(
    ctx: typer.Context,
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's id, or its beginning.")],
    open_file: Annotated[
        str, typer.Option("--open", metavar="NAME", help="Open one of its files as it was sent.")
    ] = "",
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Write its files there.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Print its log as it grows, until it ends.")] = False,
    as_json: AsJson = False,
) -> None:
    """One run: how it went, its files, and who got it with each attempt and the server's words."""
    from reports.export import history_record

    app = open_outbox(ctx)
    if follow:
        _follow(app, run)
    history: History = app.show(run)
    if open_file:
        _open(app, history, open_file)
    elif out:
        for artifact in history.artifacts:
            output.answer(str(_write(app, history, artifact.name, out)))
    elif as_json:
        output.answer_json(history_record(history))
    else:
        _tell(history)


def _follow(app: App, run: str) -> None:
    """The log as it grows; where its middle was left out, what is new at its end."""
    told, before = "", None
    while True:
        one = app.show(run).run
        if one.state == "running" or one == before or not one.occurrence:
            output.said(new_part(told, one.log))
            told = one.log
            if one.state not in {"queued", "running"}:
                return
        before = one
        # Right after its end the service writes its whole log, in the place of what the run itself has kept.
        time.sleep(0.5 if one.state == "running" else 1)


def new_part(told: str, log: str) -> str:
    """What of the log was not told yet."""
    if log.startswith(told):
        return log[len(told) :].lstrip("\n") if told else log
    last = told.rpartition("\n")[2]
    return log.rpartition(last)[2].lstrip("\n") if last and last in log else log


def _open(app: App, history: History, name: str) -> None:
    path = _write(app, history, name, Path(tempfile.mkdtemp(prefix="reports-")))
    output.answer(str(path))
    if typer.launch(str(path)):
        output.say("nothing here opens such a file: it is written there")


def _write(app: App, history: History, name: str, folder: Path) -> Path:
    from reports.saving import save

    return save(folder / Path(name).name, app.artifact(history, name))


def _tell(history: History) -> None:
    from reports.model import size

    run = history.run
    output.answer(f"run {run.id} of {run.job}: {run.state}")
    output.answer(f"  as of       {run.as_of}")
    _tell_times(run)
    for name, value in run.params.items():
        output.answer(f"  param       {name} = {value}")
    for text, label in ((run.error, "error"), (run.notice, "notice"), (run.log, "log")):
        for number, line in enumerate(text.splitlines()):
            output.answer(f"  {'' if number else label:<11} {line}")
    for one in history.acknowledgements:
        said = f": {one.note}" if one.note else ""
        output.answer(f"  acknowledged {one.at:%Y-%m-%d %H:%M:%SZ} by {one.who}{said}")
    for artifact in history.artifacts:
        output.answer(f"  file        {artifact.name} ({size(artifact.size)}, sha256 {artifact.sha256[:12]})")
    _tell_deliveries(history)


def _tell_times(run: Run) -> None:
    took = f", took {(run.finished - run.started).total_seconds():.1f} s" if run.finished else ""
    if run.occurrence:
        output.answer(f"  occurrence  {run.occurrence:%Y-%m-%d %H:%M:%SZ}")
    if run.state == "queued":
        output.answer(f"  queued      attempt {run.attempt}, may begin {run.due or run.started:%Y-%m-%d %H:%M:%SZ}")
    elif run.state not in {"skipped", "missed"}:
        again = f", attempt {run.attempt}" if run.attempt > 1 else ""
        output.answer(f"  started     {run.started:%Y-%m-%d %H:%M:%SZ} ({run.trigger}{again}{took})")
        if run.occurrence:
            output.answer(f"  late by     {_length(run.late)}, of which {_length(run.waited)} in the queue")


def _tell_deliveries(history: History) -> None:
    for delivery in history.deliveries:
        kind = "" if delivery.kind == "report" else f" ({delivery.kind})"
        due = f", next {delivery.next_attempt:%Y-%m-%d %H:%M:%SZ}" if delivery.next_attempt else ""
        output.answer(f"  {delivery.state:<11} {delivery.who}{kind}{due}")
        for attempt in history.attempts.get(delivery.id, ()):
            words = f"{attempt.code or ''} {attempt.text}".strip()
            output.answer(f"              {attempt.number}. {attempt.finished:%H:%M:%SZ} {attempt.state}: {words}")
        if delivery.hint and delivery.state != "accepted":
            output.answer(f"              do: {delivery.hint}")
