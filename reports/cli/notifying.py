"""`reports notify` and `reports watch`: telling people, from a shell."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reports.cli import output
from reports.cli.common import AsJson, cli

if TYPE_CHECKING:
    from reports.notify import Notification, Result

To = Annotated[
    list[str] | None, typer.Option("--to", metavar="WHO", help="An address or a group; several times for more.")
]
Via = Annotated[
    list[str] | None,
    typer.Option("--via", metavar="CHANNEL", help="mail, a channel of settings as NAME or NAME:PLACE, or a URL."),
]


@cli.command()
def notify(
    ctx: typer.Context,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What is said.")] = "",
    to: To = None,
    via: Via = None,
    subject: Annotated[str, typer.Option(help="Else the first line of the text.")] = "",
    image: Annotated[list[Path] | None, typer.Option(metavar="FILE", help="A picture, shown in the message.")] = None,
    attach: Annotated[list[Path] | None, typer.Option(metavar="FILE", help="A file that goes with it.")] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="HTML in place of the text.")] = None,
    stdin: Annotated[bool, typer.Option("--stdin", help="What comes in is shown below the text, as it is.")] = False,
    wait: Annotated[float, typer.Option(min=0, metavar="SECONDS", help="For the first answers, at the most.")] = 30,
    as_json: AsJson = False,
) -> None:
    """Tell somebody something, with pictures and files; kept and sent later where the network is away."""
    from reports.notify import send

    said = _said(text, subject=subject, images=image or (), files=attach or (), html=html, stdin=stdin)
    result = send(said, to=tuple(to or ()), via=tuple(via or ()), project=ctx.obj, wait=wait)
    _tell(result, as_json=as_json)
    if not result:
        raise typer.Exit(1)


def _said(text: str, *, subject: str, images: Any, files: Any, html: Path | None, stdin: bool) -> Notification:
    from dataclasses import replace

    from reports.children.output import harmless
    from reports.model import Text
    from reports.notify import message

    printed = harmless(sys.stdin.buffer.read()).strip("\n") if stdin else ""
    if not (text or html or printed or images or files):
        raise typer.BadParameter("say something: a TEXT, --html, --stdin, --image or --attach")
    markup = _read(html) if html else ""
    said = message(
        text or (printed.partition("\n")[0] if not markup else ""), markup, subject=subject, img=list(images),
        attachments=list(files),
    )  # fmt: skip
    shown = [Text(text=printed, as_is=True)] if printed else []
    return replace(said, blocks=[*shown, *said.blocks])


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no text in UTF-8"
        raise typer.BadParameter(f"{path} cannot be read: {reason}", param_hint="--html") from error


def _tell(result: Result, *, as_json: bool) -> None:
    if as_json:
        output.answer_json({"run": result.run, "answers": [vars(one) for one in result]})
        return
    for one in result:
        output.answer(str(one))
        if one.hint:
            output.say(f"  do: {one.hint}")
    if result.waits:
        output.say("it is kept, and tried again by whatever sends from here next")


@cli.command(context_settings={"allow_interspersed_args": False, "ignore_unknown_options": False})
def watch(
    ctx: typer.Context,
    command: Annotated[list[str], typer.Argument(metavar="-- COMMAND...", help="The program and its arguments.")],
    to: To = None,
    via: Via = None,
    name: Annotated[str, typer.Option(help="What it is called; else the program with its first words.")] = "",
    minutes: Annotated[
        float, typer.Option(min=0, metavar="N", help="An update each so many minutes: the end of its output.")
    ] = 0,
    progress: Annotated[
        str, typer.Option(metavar="REGEX", help="Lines of its output that say how far it is, by groups with names.")
    ] = "",
    every: Annotated[
        float, typer.Option(min=0, metavar="N", help="With --progress: an update each so many steps.")
    ] = 0,
    start: Annotated[bool, typer.Option("--start", help="The start is told as well.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="An end without an error is not told.")] = False,
) -> None:
    """Run a program, and tell how it ended; its output and its exit status stay what they are."""
    import re

    from reports.notify.programs import Program

    try:
        re.compile(progress)
    except re.error as error:
        raise typer.BadParameter(f"it is no pattern: {error}", param_hint="--progress") from error
    if every and not progress:
        raise typer.BadParameter("steps are counted by lines: say which, by --progress", param_hint="--every")
    program = Program(
        command,
        {
            "to": to or (), "via": via or (), "project": ctx.obj, "minutes": minutes, "every": every, "start": start,
            "quiet": quiet,
        },
        name=name,
        progress=progress,
    )  # fmt: skip
    status = program.run()
    if program.fault:
        output.say(f"error: {program.fault}")
    raise typer.Exit(status)
