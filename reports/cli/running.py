"""`reports run` and `reports preview`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reports.cli import output
from reports.cli.common import AsJson, AsOf, Params, Verbose, cli, open_app, wanted

if TYPE_CHECKING:
    from reports.app import Sent

JobName = Annotated[str, typer.Argument(metavar="JOB", help="A folder in jobs/.")]


@cli.command()
def run(
    ctx: typer.Context,
    job: JobName,
    as_of: AsOf = "",
    param: Params = None,
    to: Annotated[
        list[str] | None, typer.Option(metavar="ADDR", help="Send to these instead of the job's list.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Make everything, send nothing.")] = False,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Also write all of it as files.")] = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Run a job now, send its report, and say for each recipient what came of it."""
    from reports import export

    app = open_app(ctx)
    execute = app.dry_run if dry_run else app.run
    sent: Sent = execute(job, wanted(as_of, param), to=to or (), tell=output.steps(verbose=verbose))
    if as_json:
        output.answer_json(export.record(sent))
    else:
        _tell(sent, dry_run=dry_run)
    if out:  # last: that this fails must not hide who has got the mail
        export.write(sent, out)
        output.say(f"wrote {out}")
    if not (dry_run or sent.delivered):
        raise typer.Exit(1)


def _tell(sent: Sent, *, dry_run: bool) -> None:
    from reports.model import size

    for letter in sent.letters or sent.posts[:1]:
        report = letter.produced.report
        files = ", ".join(f"{artifact.name} ({size(len(artifact.content))})" for artifact in report.attachments)
        output.answer(f"{report.subject}")
        output.answer(f"  as of       {report.as_of}")
        output.answer(f"  attachment  {files or 'none'}")
        for notice in letter.produced.page.notices:
            output.answer(f"  note        {notice}")
        if dry_run and not letter.channel:
            output.answer(f"  not sent    (dry run) to {', '.join(letter.message.recipients)}")
    for post in sent.posts if dry_run else ():
        output.answer(f"  not posted  (dry run) on {post.channel} to {', '.join(post.message.recipients)}")
    for delivery in sent.deliveries:
        output.answer(f"  {delivery.state:<11} {delivery.who}: {delivery.last_reply}".rstrip(": "))
        if delivery.hint:
            output.answer(f"              {delivery.hint}")
        if delivery.next_attempt:
            output.answer(f"              next attempt {delivery.next_attempt:%Y-%m-%d %H:%M:%SZ}, or: {_retry(sent)}")


def _retry(sent: Sent) -> str:
    return f"reports outbox retry {sent.run.id[:8]}"


@cli.command()
def preview(
    ctx: typer.Context,
    job: JobName,
    as_of: AsOf = "",
    param: Params = None,
    open_browser: Annotated[bool, typer.Option("--open/--no-open", help="Show it in the browser.")] = True,
    verbose: Verbose = False,
) -> None:
    """Show the finished mail in the browser; nothing is sent."""
    import webbrowser

    from reports import preview as page
    from reports.errors import JobError

    app = open_app(ctx)
    sent = app.dry_run(job, wanted(as_of, param), tell=output.steps(verbose=verbose))
    if not sent.letters:
        raise JobError(
            f"job '{job}' sends no mail that could be shown",
            hint=f"reports run {job} --dry-run --out DIR writes what it says on other channels",
        )
    paths = page.write(sent, app.verdicts(sent), app.settings.data_folder / "preview")
    if not (open_browser and webbrowser.open(paths[0].as_uri())):
        output.say("open this file in a browser:")
    for path in paths:
        output.answer(str(path))
