"""What some work is, where it runs, and how far it is: plain values that also travel to another process."""

from __future__ import annotations

import datetime as dt
import getpass
import os
import platform
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

State = Literal["started", "running", "finished", "partial", "failed", "interrupted", "killed"]
"""What is told of: `partial` where some rows failed, `interrupted` by a person or the system; `killed` says nothing."""
_COMMAND = 200  # characters


@dataclass(frozen=True, kw_only=True)
class Origin:
    """The work by name, what it counts, and its process; `started` is an instant on the clock of its machine."""

    title: str
    started: dt.datetime
    host: str
    user: str
    pid: int
    command: str
    folder: str
    python: str
    rank: int | None = None
    unit: str = "step"

    @classmethod
    def here(
        cls, title: str, *, rank: int | None = None, command: str = "", unit: str = "step", started: dt.datetime
    ) -> Self:
        """This process, from now on."""
        return cls(
            title=_short(_line(title)) or "work", started=started.astimezone(), unit=unit, rank=rank,
            host=socket.gethostname(), user=_user(), pid=os.getpid(), folder=_folder(),
            python=platform.python_version(), command=_short(_line(command or " ".join(sys.argv)) or "python"),
        )  # fmt: skip

    @property
    def place(self) -> str:
        """The machine, and which of several processes it is."""
        return self.host if self.rank is None else f"{self.host}, rank {self.rank}"

    def told(self) -> dict[str, Any]:
        """As plain values."""
        return {**asdict(self), "started": self.started.isoformat()}

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """The same again, out of plain values."""
        return cls(**{**told, "started": dt.datetime.fromisoformat(told["started"])})


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How far it is after so many `seconds`: the step, of how many, the metrics, and what was said of it last.

    `left` are the seconds to the end, and `share` how much is done, where that can be told.
    """

    seconds: float
    step: float | None = None
    total: float | None = None
    share: float | None = None
    left: float | None = None
    metrics: Mapping[str, float | int | bool | str] = field(default_factory=dict)
    text: str = ""
    points: Sequence[tuple[float, Mapping[str, float | int | bool | str]]] = ()

    def told(self) -> dict[str, Any]:
        """As plain values, without the points that a chart is drawn of."""
        return {key: value for key, value in vars(self).items() if key != "points"}


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container's user may have no name
        return ""


def _folder() -> str:
    try:
        return str(Path.cwd())
    except OSError:  # it was removed
        return ""


def _line(text: str) -> str:
    """One line of characters that can be printed."""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())


def _short(text: str) -> str:
    return text if len(text) <= _COMMAND else f"{text[: _COMMAND - 1]}…"
