"""What is told of work whose process is gone without a word: run by the watcher, in a process of its own."""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from reports.children.endings import Exit, ending
from reports.notify import boxes
from reports.notify.course import Course
from reports.notify.crashes import Crash
from reports.notify.moments import Ending, Extras, Moment
from reports.notify.standing import State
from reports.notify.stories import Story
from reports.notify.teller import Teller

PATIENCE, LOOK = 850.0, 1.0
"""Seconds that sending may take, as where the network is away; the message stays in the outbox after that."""


def main() -> None:
    """Reads what the watcher knows, tells of each watch that was open, and sends what a process had to leave behind."""
    said = json.loads(sys.stdin.buffer.read())
    waiting = [told_of(one, said["evidence"]) for one in said["watches"].values()]
    until = time.monotonic() + PATIENCE
    while boxes.flush(PATIENCE) and any(waits() for waits in waiting) and time.monotonic() < until:
        time.sleep(LOOK)


def told_of(watch: Mapping[str, Any], evidence: Mapping[str, Any]) -> Callable[[], bool]:
    """Tells of one watch, or sends what it had to leave behind; gives whether some of that is still to be sent."""
    teller = Teller(Story.of(watch))
    if watch.get("rest"):
        return teller.send_rest()
    tell(teller, watch, evidence)
    return lambda: teller.waits


def tell(teller: Teller, watch: Mapping[str, Any], evidence: Mapping[str, Any]) -> None:
    """How one watch ended, as far as known: as it said itself at the last, or as its process was seen to end."""
    story = teller.story
    own, standing = watch.get("ending"), watch.get("standing") or {}
    state, said = (own["state"], own["said"]) if own else how(evidence)
    since = dt.datetime.fromtimestamp(evidence["ended"], dt.UTC) - story.origin.started
    told = Ending(
        state=state,
        moment=Moment(
            seconds=standing.get("seconds", 0) if own else since.total_seconds(),
            step=standing.get("step"),
            total=standing.get("total"),
            metrics=standing.get("metrics", {}),
            extras=Extras(text=standing.get("text", "")),
        ),
        crash=Crash(**own["crash"]) if own and own["crash"] else None,
        said=[*said, *_before(watch), *([_WITHOUT] if own else [])],
        tail=own["tail"] if own else watch.get("tail", ""),
    )
    if story.tells(told):
        teller.take_up()
        teller.end(told, Course())


_WITHOUT = "Its process was gone before it could tell this itself, so pictures and files that it had are not here."


def how(evidence: Mapping[str, Any]) -> tuple[State, list[str]]:
    """What can be said of the end of a process that said nothing."""
    status = evidence.get("status")
    if status is None:
        return "killed", ["Its process is gone without a word: killed, crashed, or out of memory.", *_memory(evidence)]
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        said = f"Its process ended with exit code {code} before this was over, without a word, as os._exit does."
        return ("failed" if code else "interrupted"), [said]
    reason = ending(Exit(code=code), None, seconds=0, peak=0).reason
    return "killed", [f"{reason[:1].upper()}{reason[1:]}.", *_memory(evidence)]


def _memory(evidence: Mapping[str, Any]) -> Iterator[str]:
    """Whether it was for want of memory, as far as anybody can tell."""
    kills = evidence.get("out_of_memory") or {}
    if kills.get("group"):
        yield "Just then the system killed a process of its group for want of memory: most likely this one."
    elif kills.get("machine"):
        yield "Meanwhile the system killed a process of this machine for want of memory: perhaps this one."
    if had := evidence.get("memory"):
        peak = evidence.get("peak") or had
        left = f", and the machine had {_size(evidence['free'])} left" if evidence.get("free") else ""
        yield f"When last seen it had {_size(had)} of memory ({_size(peak)} at the most){left}."


def _before(watch: Mapping[str, Any]) -> list[str]:
    return [f"{watch['signal']} had come before."] if watch.get("signal") else []


def _size(kilobytes: int) -> str:
    size = kilobytes * 1024
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.0f} MB"
