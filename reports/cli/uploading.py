"""`reports upload` and `reports uploads`: files into tables, and the log of it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import typer

from reports.cli import output
from reports.cli.common import AsJson, Verbose, cli, open_app

if TYPE_CHECKING:
    from reports.store import Reject, Upload
    from reports.uploads.desk import Outcome
    from reports.uploads.loading import Progress

EVERY = 10.0
"""Seconds between two lines of progress where there is no terminal."""
REDRAWN = 0.2
SAMPLES = 3
HEADING = ("upload", "file", "into", "started", "took", "state", "read", "inserted", "updated", "rejected", "why")


@cli.command()
def upload(
    ctx: typer.Context,
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Files, or patterns like 'in/*.csv'.")],
    to: Annotated[str, typer.Option(metavar="SOURCE.SCHEMA.TABLE", help="Or SOURCE.TABLE.")] = "",
    create: Annotated[bool, typer.Option("--create", help="Make the table if it is not there.")] = False,
    mode: Annotated[
        Literal["append", "replace", "upsert"], typer.Option(help="What becomes of the rows that are there.")
    ] = "append",
    key: Annotated[
        list[str] | None, typer.Option(metavar="COL", help="The column that tells rows apart; several times for more.")
    ] = None,
    batch: Annotated[int, typer.Option(min=1, help="Rows of one transaction.")] = 10_000,
    on_error: Annotated[
        Literal["collect", "stop"], typer.Option(help="Collect bad rows, or stop at the first.")
    ] = "collect",
    max_rejected: Annotated[int, typer.Option(min=0, metavar="N", help="Stop at more bad rows than that.")] = 10_000,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where it stopped; without --to, FILE is the upload's id.")
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="Even if this very file is in the table already.")] = False,
    notify: Annotated[
        list[str] | None, typer.Option(metavar="WHO", help="Tell this address or group when it ends.")
    ] = None,
    source: Annotated[
        str, typer.Option(metavar="FILESOURCE", help="Read the files as this source of settings.toml says.")
    ] = "",
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Put files into a table of a database, each row once, with a log of those that did not go in."""
    from reports.uploads.desk import expanded
    from reports.uploads.order import Order
    from reports.uploads.target import Target, parse

    if not (to or resume):
        raise typer.BadParameter("say which table: --to SOURCE.TABLE", param_hint="--to")
    app = open_app(ctx)
    order = Order(
        target=parse(to) if to else Target(source="", schema="", table=""), mode=mode, keys=tuple(key or ()),
        create=create, batch=batch, stop=on_error == "stop", most=max_rejected, again=again, resume=resume,
        reading=source,
    )  # fmt: skip
    outcomes: list[Outcome] = []
    with Meter() as meter:
        given: dict[str, Any] = {"notify": notify or (), "tell": meter.say(verbose=verbose), "told": meter.show}
        if to:
            outcomes += app.upload(expanded(files, Path.cwd()), order, **given)
        else:
            for one in files:
                outcomes += app.resume_upload(one, order, **given)
    _tell_outcomes(app, outcomes, as_json=as_json)
    if not all(one.uploaded and one.uploaded.ok for one in outcomes):
        raise typer.Exit(1)


class Meter:
    """How far it is, on stderr: redrawn in place on a terminal, else a line every ten seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._terminal = sys.stderr.isatty()
        self._last = clock()
        self._drawn = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._clear()

    def show(self, progress: Progress) -> None:
        now = self._clock()
        if now - self._last < (REDRAWN if self._terminal else EVERY):
            return
        self._last = now
        line = described(progress)
        if self._terminal:
            sys.stderr.write(f"\r{line.ljust(self._drawn)}")
            sys.stderr.flush()
            self._drawn = len(line)
        else:
            output.say(line)

    def say(self, *, verbose: bool) -> Callable[[str], None]:
        """Tells each step, above the line that is redrawn."""
        tell = output.steps(verbose=verbose or not self._terminal)

        def steps(step: str) -> None:
            self._clear()
            tell(step)

        return steps

    def _clear(self) -> None:
        if self._drawn:
            sys.stderr.write(f"\r{' ' * self._drawn}\r")
            sys.stderr.flush()
            self._drawn = 0


def described(progress: Progress) -> str:
    """Rows, rate, and the time that is left, as near as the file's size tells it."""
    here = progress.rows - progress.begun_at
    rate = here / progress.seconds if progress.seconds > 0 else 0.0
    parts = [f"{progress.rows:,} rows", f"{rate:,.0f} a second"]
    if progress.share > 0:
        parts.append(f"{progress.share:.0%}")
    if 0 < progress.share < 1 and rate > 0:
        whole = progress.rows / progress.share
        parts.append(f"about {_clock((whole - progress.rows) / rate)} left")
    parts += [f"{progress.rejected:,} rejected"] if progress.rejected else []
    return "  ".join(parts)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"


# -- what came of it --------------------------------------------------------------------------------------


def _tell_outcomes(app: Any, outcomes: Sequence[Outcome], *, as_json: bool) -> None:
    if as_json:
        output.answer_json([_outcome_row(one) for one in outcomes])
    for one in outcomes:
        if one.error:
            output.say(app.settings.mask(f"error: {one.error}"))
        elif one.uploaded and not as_json:
            _tell_upload(one.uploaded.upload, one.uploaded.causes, islice(one.uploaded.errors, SAMPLES))
            for path in one.uploaded.files:
                output.answer(f"  rejected    {path}")
    if outcomes and outcomes[-1].run and not as_json:
        output.answer(f"  run         {outcomes[-1].run[:8]} (reports show {outcomes[-1].run[:8]})")


def _outcome_row(one: Outcome) -> dict[str, Any]:
    if one.uploaded is None:
        return {"name": one.name, "state": "failed", "error": str(one.error)}
    row = upload_row(one.uploaded.upload)
    return row | {
        "causes": dict(one.uploaded.causes), "errors": [vars(reject) for reject in one.uploaded.errors],
        "files": [str(path) for path in one.uploaded.files], "run": one.run,
    }  # fmt: skip


def upload_row(one: Upload) -> dict[str, Any]:
    """An upload in plain values."""
    return {key: value.isoformat() if hasattr(value, "isoformat") else value for key, value in vars(one).items()}


def _tell_upload(one: Upload, causes: Any, samples: Iterator[Reject]) -> None:
    from reports.uploads.notice import length, resume, seconds

    output.answer(f"upload {one.id[:8]} of {one.name} into {one.source}.{one.target}: {one.state}")
    took = seconds(one)
    rate = f", {one.rows_read / took:,.0f} rows a second" if took > 0 and one.rows_read else ""
    output.answer(f"  rows        {one.rows_read:,} read, {one.inserted:,} inserted, {one.updated:,} updated, "
                  f"{one.rejected:,} rejected")  # fmt: skip
    output.answer(f"  took        {length(took)}{rate}" + (f", {one.retries:,} retries" if one.retries else ""))
    for cause, many in causes.items():
        output.answer(f"  {cause:<22} {many:,}")
    for reject in samples:
        named = f", column {reject.column}" if reject.column else ""
        value = f", '{reject.value[:60]}'" if reject.value else ""
        output.answer(f"    line {reject.line}{named}{value}: {reject.reason[:200]}")
    for number, line in enumerate(one.error.splitlines()):
        output.answer(f"  {'' if number else 'error':<11} {line}")
    if one.state in ("failed", "interrupted"):
        output.answer(f"  go on       {resume(one)}")


@cli.command()
def uploads(
    ctx: typer.Context,
    which: Annotated[str, typer.Argument(metavar="UPLOAD", help="An upload's id, or its beginning; else all.")] = "",
    limit: Annotated[int, typer.Option("-n", min=1, help="How many, the newest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """The log of uploads, or one of them with the rows that did not go in, by cause."""
    app = open_app(ctx)
    if which:
        _show(app, which, as_json=as_json)
        return
    found = app.uploads(limit)
    if as_json:
        output.answer_json([upload_row(one) for one in found])
    elif not found:
        output.say("nothing has been uploaded yet")
    else:
        output.answer(output.table([_cells(one) for one in found], HEADING))


def _show(app: Any, which: str, *, as_json: bool) -> None:
    one, causes, rejects = app.show_upload(which)
    if as_json:
        output.answer_json(upload_row(one) | {"causes": dict(causes), "rejects": [vars(reject) for reject in rejects]})
        return
    _tell_upload(one, causes, islice(rejects, 20))
    output.answer(f"  file        {one.file} ({one.size:,} bytes, sha256 {one.sha256[:12]})")
    output.answer(f"  asked       {one.mode} by {one.login}, {one.started:%Y-%m-%d %H:%M:%SZ}")


def _cells(one: Upload) -> list[str]:
    from reports.uploads.notice import length, seconds

    error = one.error.partition("\n")[0]
    return [
        one.id[:8], one.name, f"{one.source}.{one.target}", f"{one.started:%Y-%m-%d %H:%M:%SZ}",
        length(seconds(one)) if one.ended else "", one.state, f"{one.rows_read:,}", f"{one.inserted:,}",
        f"{one.updated:,}", f"{one.rejected:,}", error if len(error) <= 80 else error[:79] + "…",
    ]  # fmt: skip
