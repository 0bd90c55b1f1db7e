"""A sender that works in rounds: python tests/rounds.py FOLDER, and an instant a line on its standard input.

Each instant is the time at which a round begins: all that is due then is sent, owners are told, and `done`
is said. So the waits between attempts cost no time, and all senders have the same clock.
"""

from __future__ import annotations

import datetime as dt
import sys
import time
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from reports.app import open_app


@dataclass
class Clock:
    """Goes on from the instant it was set to."""

    set_to: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))
    since: float = field(default_factory=time.monotonic)

    def __call__(self) -> dt.datetime:
        return self.set_to + dt.timedelta(seconds=time.monotonic() - self.since)

    def set(self, instant: dt.datetime) -> None:
        self.set_to, self.since = instant, time.monotonic()


def work(folder: Path) -> None:
    clock = Clock()
    with closing(replace(open_app(folder), clock=clock)) as app:
        for line in sys.stdin:
            clock.set(dt.datetime.fromisoformat(line.strip()))
            app.deliver()
            sys.stdout.write("done\n")
            sys.stdout.flush()


if __name__ == "__main__":
    work(Path(sys.argv[1]))
