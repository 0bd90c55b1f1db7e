"""`reports serve`: the service, in the foreground."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import Annotated, Literal

import typer

from reports.cli.common import cli

RARELY = 100_000
"""New objects between two looks for garbage: reading thousands of jobs makes many that stay."""


@cli.command()
def serve(
    ctx: typer.Context,
    log: Annotated[str, typer.Option(metavar="console|json", help="How it logs; else as settings say.")] = "",
    log_file: Annotated[Path | None, typer.Option(metavar="PATH", help="Log there as well, in files of 10 MB.")] = None,
) -> None:
    """Run jobs by their schedules and deliver what they make, until it is stopped."""
    if log not in {"", "console", "json"}:
        raise typer.BadParameter("it is console or json", param_hint="--log")
    gc.disable()  # as in `open_app`
    from reports import logs, project
    from reports.service import Service

    gc.freeze()
    gc.set_threshold(RARELY)
    gc.enable()
    root = project.find_root(ctx.obj)
    settings, _ = project.read_settings(root)
    ctx.meta["mask"] = settings.mask
    service = Service(settings=settings, reread=lambda: project.read_settings(root)[0])
    kind: Literal["console", "json"] = "json" if (log or settings.service.log) == "json" else "console"
    logs.configure(kind, file=log_file, mask=lambda text: service.settings.mask(text))  # noqa: PLW0108  the settings of then
    service.listen_to_signals()
    status = service.run()
    if service.still_sending:  # to a server that does not answer, for which the interpreter would wait
        os._exit(status)
    ctx.exit(status)
