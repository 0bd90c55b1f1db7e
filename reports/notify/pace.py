"""When an update is due: each so many steps, each so many minutes, or both at once; and never too close together."""

from __future__ import annotations

from dataclasses import dataclass, field

APART = 10.0
"""Seconds between two updates at the least, however often they were asked for: more of them help nobody."""


@dataclass
class Pace:
    """What was asked for, and when an update last was due. Without `every` and `minutes` none ever is.

    `every` counts steps, and `minutes` the time since the last one; where both are given both must have gone by.
    `now` is any clock in seconds. A step below the last one, as of a counter that begins anew each epoch, counts anew.
    """

    every: float = 0
    minutes: float = 0
    apart: float = APART
    began: float = 0
    _step: float = field(default=0, init=False)
    _seen: float = field(default=0, init=False)
    _at: float | None = field(default=None, init=False)

    def due(self, step: float, now: float) -> bool:
        """Whether an update at this step would go out; nothing changes by asking."""
        if not (self.every or self.minutes):
            return False
        if self._at is not None and now - self._at < self.apart:
            return False
        return self._steps(step) and self._minutes(now)

    def seen(self, step: float) -> None:
        """There was this step."""
        if step < self._seen:
            self._step = 0
        self._seen = step

    def mark(self, step: float, now: float) -> None:
        """An update at this step goes out."""
        self._step, self._at = step, now

    def _steps(self, step: float) -> bool:
        if not self.every:
            return True
        last = self._step if step >= self._seen else 0
        return step // self.every > last // self.every

    def _minutes(self, now: float) -> bool:
        since = self.began if self._at is None else self._at
        return not self.minutes or now - since >= self.minutes * 60
