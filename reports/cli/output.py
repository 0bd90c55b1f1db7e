"""How the command line talks: data to stdout, everything else to stderr."""

from __future__ import annotations

import json
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from typing import Any

import typer


def answer(text: str) -> None:
    """A line of what was asked for."""
    typer.echo(text)


def said(text: str) -> None:
    """Lines of what was asked for, as soon as they are there; nothing for no text."""
    if text:
        typer.echo(text)


def answer_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def say(text: str) -> None:
    """A line about how it goes."""
    typer.echo(text, err=True)


def steps(*, verbose: bool) -> Callable[[str], None]:
    """Tells each step with the seconds since the start, to a terminal or when asked to be verbose."""
    began = time.monotonic()
    shown = verbose or sys.stderr.isatty()

    def tell(step: str) -> None:
        if shown:
            say(f"{time.monotonic() - began:6.1f} s  {step}")

    return tell


def fail(error: BaseException, *, verbose: bool, mask: Callable[[str], str]) -> None:
    """The error as sentences a person can act on, its causes below; the traceback only when verbose."""
    say(mask(f"error: {error}"))
    if verbose:
        say(mask("".join(traceback.format_exception(error))))


def table(rows: Sequence[Sequence[str]], heading: Sequence[str]) -> str:
    """Left-aligned columns as wide as their widest cell."""
    everything = [heading, *rows]
    widths = [max(len(row[column]) for row in everything) for column in range(len(heading))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in everything)
    return "\n".join(line.rstrip() for line in lines)
