"""How a process ended that said nothing of it, in sentences: by which signal, and whether it was for want of memory."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from reports.children.endings import Exit, ending
from reports.notify.standing import State


def how(evidence: Mapping[str, Any]) -> tuple[State, list[str]]:
    """What can be said of the end of a process that said nothing."""
    status = evidence.get("status")
    if status is None:
        return "killed", ["Its process is gone without a word: killed, crashed, or out of memory.", *_memory(evidence)]
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        said = f"Its process ended with exit code {code} before this was over, without a word, as os._exit does."
        return ("failed" if code else "interrupted"), [said]
    return "killed", killed(code, evidence)


def killed(code: int, evidence: Mapping[str, Any]) -> list[str]:
    """By which signal, the negative `code`, and what may have been the reason."""
    reason = ending(Exit(code=code), None, seconds=0, peak=0).reason
    return [f"{reason[:1].upper()}{reason[1:]}.", *_memory(evidence)]


def _memory(evidence: Mapping[str, Any]) -> Iterator[str]:
    """Whether it was for want of memory, as far as anybody can tell."""
    kills = evidence.get("out_of_memory") or {}
    if kills.get("group"):
        yield "Just then the system killed a process of its group for want of memory: most likely this one."
    elif kills.get("machine"):
        yield "Meanwhile the system killed a process of this machine for want of memory: perhaps this one."
    had, peak = evidence.get("memory"), evidence.get("peak")
    left = f", and the machine had {_size(evidence['free'])} left" if evidence.get("free") else ""
    if had:
        yield f"When last seen it had {_size(had)} of memory ({_size(peak or had)} at the most){left}."
    elif peak:
        yield f"It had {_size(peak)} of memory at the most{left}."


def _size(kilobytes: int) -> str:
    size = kilobytes * 1024
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.0f} MB"
