"""How far some work was at some time, and how it ended: what its own thread hands to the one that tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

from reports.notify.crashes import Crash, crash
from reports.notify.standing import State


class Options(TypedDict, total=False):
    """What may be said of a watch besides its title.

    every, minutes: an update each so many steps, each so many minutes, or where both are given no sooner than either;
        without them only the end is told
    to, via, project: as of `send`: oneself by mail, unless settings or the environment say otherwise
    start: whether the start is told as well
    total: how many steps there will be
    unit: what is counted, in one word: "step", "epoch", "row"; where it is empty steps are not shown
    chart: whether the metrics are drawn, where an update brings no pictures of its own
    apart: seconds between two updates at the least
    command: what is shown as the command, instead of this program's own
    quiet: whether an end without an error is not told
    """

    every: float
    minutes: float
    to: str | Sequence[str]
    via: str | Sequence[str]
    project: Any
    start: bool
    total: float
    unit: str
    chart: bool
    apart: float
    command: str
    quiet: bool


@dataclass(frozen=True, kw_only=True)
class Extras:
    """What an update or an end says besides numbers; all but `text` may be functions that give it."""

    text: str = ""
    images: Any = ()
    attachments: Any = ()
    tables: Any = None

    def __bool__(self) -> bool:
        return bool(self.text) or any(map(_is_given, (self.images, self.attachments, self.tables)))

    def amended(self, newer: Extras) -> Extras:
        """These, with what a newer saying of the same has instead."""
        return Extras(
            text=newer.text or self.text,
            images=newer.images if _is_given(newer.images) else self.images,
            attachments=newer.attachments if _is_given(newer.attachments) else self.attachments,
            tables=newer.tables if _is_given(newer.tables) else self.tables,
        )


@dataclass(frozen=True, kw_only=True)
class Moment:
    """How far it was, so many `seconds` after its start."""

    seconds: float
    step: float | None = None
    total: float | None = None
    metrics: Mapping[str, Any] = field(default_factory=dict)
    extras: Extras = Extras()


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How it ended; `said` are sentences about it, `returned` is what a function gave, `tail` the end of its output."""

    state: State
    moment: Moment
    crash: Crash | None = None
    said: Sequence[str] = ()
    returned: Any = None
    values: Mapping[str, Any] = field(default_factory=dict)
    tail: str = ""


def ended(error: BaseException | None, *, signals: Sequence[str] = ()) -> tuple[State, list[str], Crash | None]:
    """The state that an error leaves, or none; sentences about it, and the error where it is one.

    `signals` are sentences about those that came before, which the program dealt with itself.
    """
    if error is None:
        return "finished", list(signals), None
    if isinstance(error, SystemExit):
        return _left(error.code, signals)
    if isinstance(error, KeyboardInterrupt):
        return "interrupted", ["It was interrupted by hand (KeyboardInterrupt).", *signals], None
    if type(error).__name__ == "CancelledError" or isinstance(error, GeneratorExit):
        return "interrupted", [f"The program gave it up ({type(error).__name__}).", *signals], None
    return "failed", list(signals), crash(error)


def _left(code: object, signals: Sequence[str]) -> tuple[State, list[str], Crash | None]:
    if signals:
        return "interrupted", [f"The program ended itself (sys.exit, {str(code)[:200]}).", *signals], None
    if code in (None, 0):
        return "finished", [], None
    return "failed", [f"The program ended itself by sys.exit({str(code)[:200]})."], None


def _is_given(value: Any) -> bool:
    return value is not None and not (isinstance(value, list | tuple | dict) and not value)
