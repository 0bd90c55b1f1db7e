"""`reports next`, `pause` and `resume`: when jobs run."""

from __future__ import annotations

import datetime as dt
import heapq
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from reports.cli import output
from reports.cli.common import AsJson, cli, open_app

if TYPE_CHECKING:
    from reports.app import App
    from reports.definition import Job
    from reports.model import Occurrence

JobName = Annotated[str, typer.Argument(metavar="JOB", help="A folder in jobs/.")]
Named = tuple[str, "Occurrence"]


@cli.command("next")
def upcoming(
    ctx: typer.Context,
    job: Annotated[str, typer.Argument(metavar="JOB", help="One job; else all of them.")] = "",
    many: Annotated[int, typer.Option("-n", min=1, max=10_000, help="How many.")] = 10,
    since: Annotated[
        str, typer.Option("--from", metavar="DATETIME", help="From then on; without an offset on the job's clock.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """When jobs run next, and why it is not the usual time."""
    app: App = open_app(ctx)
    jobs = _jobs(app, job)
    streams = [_stream(app, name, one, since) for name, one in jobs.items()]
    found = list(islice(heapq.merge(*streams, key=lambda named: named[1].at), many))
    paused = app.paused()
    for name, plan in paused.items():
        if name == job or (not job and any(name == one for one, _ in found)):
            output.say(f"{name} is paused since {plan.paused:%Y-%m-%d %H:%M:%SZ}: reports resume {name}")
    _tell_alerts(app, job)
    if as_json:
        more = {name: {"paused": name in paused, "channels": list(one.channels)} for name, one in jobs.items()}
        output.answer_json([_record(name, one) | more[name] for name, one in found])
    elif found:
        beyond = any(tuple(jobs[name].channels) != ("mail",) for name, _ in found)
        heading = ("job", "occurrence (UTC)", "local time", *(("channels",) if beyond else ()), "why")
        rows = [_cells(name, one, jobs[name].channels if beyond else ()) for name, one in found]
        output.answer(output.table(rows, heading))
    else:
        output.say(_nothing(job, [name for name, one in jobs.items() if one.schedule]))


def _tell_alerts(app: App, job: str) -> None:
    """What fails, and whom that will be told to and when, unless somebody acknowledges it."""
    for trouble in app.troubles(job):
        about = f" for {trouble.about}" if trouble.about else ""
        output.say(f"{trouble.job} fails{about} since {trouble.since:%Y-%m-%d %H:%M:%SZ}: reports show {trouble.run}")
    for one in app.coming_alerts(job):
        due = f"{one.next_attempt:%Y-%m-%d %H:%M:%SZ}"
        unless = f", unless acknowledged: reports acknowledge {one.job}" if one.kind == "escalation" else ""
        output.say(f"{one.job}: '{one.subject}' goes to {one.who} at {due}{unless}")


def _nothing(job: str, scheduled: Sequence[str]) -> str:
    """Why nothing comes: no schedule, or one that is over."""
    if not scheduled:
        return f"{job} has no schedule: it runs by hand, reports run {job}" if job else "no job has a schedule"
    return f"nothing comes any more of the schedule of {', '.join(scheduled)}"


def _jobs(app: App, name: str) -> dict[str, Job]:
    """The job of that name, or all that are sound; a broken one is told of, and is an error if it was asked for."""
    from reports.definition import Job

    if name:
        app.known(name)
    found = {one: job for one, job in app.jobs().items() if one == name or not name}
    for one, job in found.items():
        if not isinstance(job, Job):
            if name:
                raise job
            output.say(f"{one} is broken: reports check {one}")
    return {one: job for one, job in found.items() if isinstance(job, Job)}


def _stream(app: App, name: str, job: Job, since: str) -> Iterator[Named]:
    after = _instant(since, app.zone(job)) - dt.timedelta(microseconds=1) if since else None
    return ((name, one) for one in app.upcoming(job, after=after))


def _instant(text: str, zone: ZoneInfo) -> dt.datetime:
    try:
        given = dt.datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"'{text}' is not like 2026-12-24 or 2026-12-24T07:00", param_hint="--from") from None
    return given if given.tzinfo else given.replace(tzinfo=zone)


def _cells(name: str, one: Occurrence, channels: Sequence[str]) -> list[str]:
    local = f"{one.local:%a %Y-%m-%d %H:%M:%S} {one.local.tzname()} ({one.local.tzinfo})"
    reason = f"skipped: {one.reason}" if one.skipped else one.reason
    return [name, f"{one.at:%Y-%m-%d %H:%M:%S}", local, *([", ".join(channels)] if channels else []), reason]


def _record(name: str, one: Occurrence) -> dict[str, Any]:
    return {
        "job": name,
        "occurrence": one.at.isoformat(),
        "local": one.local.isoformat(),
        "timezone": str(one.local.tzinfo),
        "skipped": one.skipped,
        "reason": one.reason,
    }


@cli.command()
def pause(
    ctx: typer.Context,
    job: JobName,
    note: Annotated[str, typer.Option(help="Why; shown with each run that is missed meanwhile.")] = "",
) -> None:
    """Start nothing of a job by its schedule until it is resumed; what falls due is shown as missed."""
    changed = open_app(ctx).pause(job, note)
    output.answer(f"{job} is paused; resume it with: reports resume {job}" if changed else f"{job} was paused already")


@cli.command()
def resume(ctx: typer.Context, job: JobName) -> None:
    """Run a job by its schedule again, from now on."""
    changed = open_app(ctx).resume(job)
    output.answer(f"{job} runs by its schedule again" if changed else f"{job} was not paused")
