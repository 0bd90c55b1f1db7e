"""What is told of work whose process is gone without a word: run by the watcher, in a process of its own."""

from __future__ import annotations

import datetime as dt
import json
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from reports.notify import boxes
from reports.notify.course import Course
from reports.notify.crashes import Crash
from reports.notify.deaths import how
from reports.notify.moments import Ending, Extras, Moment
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


def _before(watch: Mapping[str, Any]) -> list[str]:
    return [f"{watch['signal']} had come before."] if watch.get("signal") else []
