"""How a child may end, and what that is called in plain words."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Killed = Literal["", "time", "memory", "asked"]
AGAIN = 75
"""The exit code with which a child asks to be begun again later (EX_TEMPFAIL)."""
NOT_BEGUN = 71
"""The code of a child that could not be begun (EX_OSERR)."""
_CRASHES = {"SIGSEGV", "SIGBUS", "SIGABRT", "SIGFPE", "SIGILL", "SIGSYS", "SIGTRAP"}
_FROM_OUTSIDE = {
    "SIGKILL": "by the system if that ran out of memory, or by somebody",
    "SIGTERM": "by somebody, or by the system as it was shut down",
    "SIGINT": "by somebody",
    "SIGHUP": "by somebody",
}


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a child may use: seconds from its start, and bytes that are resident in it and all processes below it.

    A forked child begins with the pages of the fork server, and they count.
    """

    time: float | None = None
    memory: int | None = None


@dataclass(frozen=True, kw_only=True)
class Exit:
    """What the system says: the exit code or the negative signal, the most bytes it had, and what it left behind.

    `fault` is set where nobody can say more than that it is gone.
    """

    code: int
    peak: int = 0
    left: Sequence[str] = ()
    fault: str = ""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A child that is no more. `reason` is empty if it ended well or asks to be begun again.

    code: its exit code, or the negative number of a signal · killed: by which limit, or by `Child.kill` ·
    temporary: it may fare better the next time · seconds it took · peak: the most bytes that were seen resident ·
    lost: what had begun it was gone, or could not begin it, which is no doing of its own.
    """

    code: int
    reason: str
    killed: Killed
    temporary: bool
    seconds: float
    peak: int
    lost: bool = False


@dataclass(frozen=True)
class Sentence:
    """That a child must end, and why."""

    killed: Killed
    reason: str


def ending(end: Exit, sentence: Sentence | None, *, seconds: float, peak: int) -> Ended:
    """The whole of it. Who ended by itself before it could be killed has ended by itself."""
    reason, temporary = _told(end)
    killed: Killed = ""
    if sentence and end.code == _by_force(end.code):
        killed, reason, temporary = sentence.killed, sentence.reason, False
    return Ended(
        code=end.code,
        reason=reason,
        killed=killed,
        temporary=temporary,
        seconds=seconds,
        peak=max(peak, end.peak),
        lost=bool(end.fault) and not killed,
    )


def too_long(limit: float) -> Sentence:
    return Sentence("time", f"it took longer than its time limit of {limit:g} s and was ended")


def too_much(limit: int, had: int) -> Sentence:
    megabytes = f"{limit / 1e6:,.0f} MB (it had {had / 1e6:,.0f} MB)"
    return Sentence("memory", f"it needed more than its memory limit of {megabytes} and was ended")


def left_behind(names: Sequence[str]) -> str:
    """A line about processes that had to be ended after the one that had begun them."""
    if not names:
        return ""
    which = f"{', '.join(names[:10])}{' ...' if len(names) > 10 else ''}"
    return f"{len(names)} process{'es' * (len(names) > 1)} that it had left behind ended with it: {which}"


def _by_force(code: int) -> int:
    """The code of a killed process; Windows gives one that is like any other."""
    return -signal.SIGKILL if hasattr(signal, "SIGKILL") else code or -1


def _told(end: Exit) -> tuple[str, bool]:
    """The reason, and whether it is temporary, of one that nobody here has killed."""
    if end.fault:
        return end.fault, True
    if end.code in {0, AGAIN}:
        return "", end.code == AGAIN
    if end.code > 255:  # Windows tells of a crash so
        return f"it crashed: status 0x{end.code:08X}", False
    return _by_signal(-end.code) if end.code < 0 else (f"it ended itself with exit code {end.code}", False)


def _by_signal(number: int) -> tuple[str, bool]:
    name = signal.Signals(number).name if number in set(signal.Signals) else "unknown"
    which = f"signal {number} ({name})"
    if name in _CRASHES:
        return f"it crashed: {which}", False
    if who := _FROM_OUTSIDE.get(name):
        return f"it was killed by {which}: {who}", True
    return f"it was ended by {which}", False
