"""A unit as a value: what is written where, and the platform's commands around it."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

Run = Callable[[Sequence[str]], subprocess.CompletedProcess[str]]


@dataclass(frozen=True)
class Step:
    """One command of the platform, and what a person can do where it fails.

    An `optional` one may fail. One with more `tries` than one is tried again each second.
    """

    argv: tuple[str, ...]
    hint: str = ""
    optional: bool = False
    tries: int = 1


@dataclass(frozen=True, kw_only=True)
class Unit:
    """What keeps one project's service running on one platform.

    `mark` is the part of `text` that names the project. `begin` puts the written file to work, also in place of an
    older one; `end` stops it before the file goes, `after` tells the platform that it is gone. `ask` prints the
    state, which `answer` finds in that. Where the platform keeps a copy of its own, `copy` prints it. `needs` is a
    folder that is there where `platform` is, none meaning that its `program` is proof enough.
    """

    name: str
    path: PurePath
    text: str
    encoding: str = "utf-8"
    mark: str
    platform: str
    program: str
    needs: Path | None = None
    begin: tuple[Step, ...]
    end: tuple[Step, ...]
    after: tuple[Step, ...] = ()
    ask: tuple[str, ...]
    answer: str
    copy: tuple[str, ...] = ()
    quote: Callable[[Sequence[str]], str] = shlex.join

    @property
    def content(self) -> bytes:
        """The file's bytes."""
        return self.text.encode(self.encoding)


def run(argv: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """The outcome of a command; 127, as a shell has it, where there is no such program."""
    try:
        return subprocess.run(list(argv), capture_output=True, text=True, errors="replace", check=False)  # noqa: S603  ours
    except FileNotFoundError:
        return subprocess.CompletedProcess(list(argv), 127, "", f"{argv[0]} is not on this machine")
