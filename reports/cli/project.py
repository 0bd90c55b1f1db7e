"""`reports list`, `check`, `init` and `schema`: a project as it is written down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from reports.cli import output
from reports.cli.common import AsJson, AsOf, Params, Verbose, cli, open_app, wanted
from reports.errors import DefinitionError, ReportsError, StoreError


@cli.command("list")
def list_jobs(ctx: typer.Context, as_json: AsJson = False) -> None:
    """The jobs of this project; a broken one is one line with its error."""
    app = open_app(ctx)
    last, totals, lost = _history(app)
    paused = {} if lost else app.paused()
    rows = [
        _job_row(name, job, app.settings.mail.to) | _when(app, job, name in paused) | _last(last.get(name), totals)
        for name, job in app.jobs().items()
    ]
    if as_json:
        output.answer_json(rows)
    elif not rows:
        output.say("no jobs yet: a folder in jobs/ with a job.toml is one")
    else:
        cells = [
            [
                row["job"],
                row["title"],
                "; ".join(row["schedule"]),
                _next_words(row),
                ", ".join([*row["to"], *(one for one in row["channels"] if one != "mail")]),
                _last_words(row["last"]) if not lost else "?",
                row["error"],
            ]
            for row in rows
        ]
        output.answer(output.table(cells, ("job", "title", "schedule", "next run", "to", "last run", "")))
        if any(row["schedule"] for row in rows) and not lost and not app.services():
            output.say("no service is at work, so nothing runs by itself: reports serve")
    if lost:
        raise lost


def _when(app: Any, job: Any, paused: bool) -> dict[str, Any]:
    """Its schedules in words, and the next instant at which it runs."""
    if isinstance(job, ReportsError):
        return {"schedule": [], "next": None, "paused": paused}
    from reports.schedules.words import words

    coming = app.next_run(job)
    said = [words(one, timezone=app.settings.timezone) for one in job.schedule]
    return {"schedule": said, "next": coming.at.isoformat() if coming else None, "paused": paused}


def _next_words(row: dict[str, Any]) -> str:
    if row["paused"]:
        return "paused"
    if row["next"]:
        return f"{row['next'][:16].replace('T', ' ')}Z"
    return "never" if row["schedule"] else ""


def _history(app: Any) -> tuple[Any, Any, ReportsError | None]:
    """Each job's newest run and its deliveries, or why nobody can say: the jobs are there all the same."""
    try:
        last = app.last_runs()
        return last, app.totals(list(last.values())), None
    except StoreError as error:
        return {}, {}, error


def _last(run: Any, totals: Mapping[str, Mapping[Any, int]]) -> dict[str, Any]:
    """The newest run and, which is another fact, what became of its deliveries."""
    if run is None:
        return {"last": None}
    states = {str(state): many for state, many in totals.get(run.id, {}).items()}
    return {"last": {"run": run.id, "state": run.state, "started": run.started.isoformat(), "deliveries": states}}


def _last_words(last: dict[str, Any] | None) -> str:
    if last is None:
        return "never"
    counted = ", ".join(f"{many} {state}" for state, many in last["deliveries"].items())
    return f"{last['state']} {last['started'][:10]}" + (f" ({counted})" if counted else "")


def _job_row(name: str, job: Any, to: Sequence[str]) -> dict[str, Any]:
    if isinstance(job, ReportsError):
        said = f"broken: {str(job).splitlines()[0]} (reports check {name})"
        return {"job": name, "title": "", "source": "", "to": [], "channels": [], "error": said}
    sources = sorted({query.source for query in job.queries})
    mails = list(job.to or to) if "mail" in job.channels else []
    told = {"job": name, "title": job.title, "source": ", ".join(sources), "to": mails}
    return {**told, "channels": list(job.channels), "error": ""}


@cli.command()
def check(
    ctx: typer.Context,
    job: Annotated[str, typer.Argument(metavar="JOB", help="One job; else all of them.")] = "",
    connect: Annotated[
        bool, typer.Option("--connect", help="Also reach every source and log in to the mail server.")
    ] = False,
    mail: Annotated[
        bool, typer.Option("--mail", help="Make the mail, or read JOB.eml, and say what mail clients make of it.")
    ] = False,
    as_of: AsOf = "",
    param: Params = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Settings, jobs, templates and SQL parameters, without sending anything."""
    if mail:
        return _check_mail(ctx, job, wanted(as_of, param), as_json=as_json, verbose=verbose)
    app = open_app(ctx)
    findings = list(app.check(job, connect=connect))
    mask = app.settings.mask
    if as_json:
        output.answer_json([_finding_row(finding, mask) for finding in findings])
    for finding in () if as_json else findings:
        said = f"failed\n{finding.error}" if finding.error else f"ok: {finding.said}"
        output.answer(mask(f"{finding.about}: {said}"))
    if errors := [finding.error for finding in findings if finding.error]:
        wrong = any(isinstance(error, DefinitionError) for error in errors)
        raise typer.Exit(2 if wrong else 1)
    return None


def _check_mail(ctx: typer.Context, job: str, asked: Any, *, as_json: bool, verbose: bool) -> None:
    """The mail of one job, of each, or of a file: what its clients make of it."""
    from reports.cli import linting
    from reports.lint import check_file

    if job.endswith(".eml"):
        verdicts = {job: check_file(Path(job))}
    else:
        app = open_app(ctx)
        names = [job] if job else list(app.jobs())
        tell = output.steps(verbose=verbose)
        verdicts = {
            f"{name} to {audience}" if audience else name: verdict
            for name in names
            for audience, verdict in app.lint(name, asked, tell=tell).items()
        }
    if as_json:
        output.answer_json([row for name, verdict in verdicts.items() for row in linting.rows(name, verdict)])
    for name, verdict in () if as_json else verdicts.items():
        output.answer(linting.words(name, verdict, notes=verbose))
    if any(verdict.count("error") for verdict in verdicts.values()):
        raise typer.Exit(1)


def _finding_row(finding: Any, mask: Any) -> dict[str, Any]:
    error = finding.error
    return {
        "about": finding.about,
        "ok": error is None,
        "said": mask(finding.said),
        "problems": [
            {"what": mask(one.what), "where": mask(one.where), "hint": mask(one.hint)}
            for one in getattr(error, "problems", [error] if error else [])
        ],
    }


@cli.command()
def init(folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")]) -> None:
    """Lay out a new project in which `reports run cashflow` works at once."""
    from reports.project import lay_out

    for path in lay_out(folder):
        output.say(f"  {path}")
    output.answer(f"a project is in {folder}; now: cd {folder} && reports run cashflow")


class What(StrEnum):
    job = "job"
    settings = "settings"


@cli.command()
def schema(what: What) -> None:
    """JSON Schema of job.toml or settings.toml, for an editor that completes and checks them."""
    from reports.definition import Definition
    from reports.settings import Settings

    model = Definition if what is What.job else Settings
    output.answer_json(model.model_json_schema(by_alias=True))
