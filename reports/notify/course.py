"""How it went so far, in bounded memory: metrics by step, thinned evenly, and how long what is left will take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

MOST = 1000
"""Points that are kept at the most; half of them just after some were let go."""


@dataclass(frozen=True)
class Point:
    """The metrics at a step, so many seconds after the start."""

    step: float
    seconds: float
    metrics: Mapping[str, Any]


@dataclass
class Course:
    """Every so many points in order, and the newest always. Adding one costs the same however many there were."""

    most: int = MOST
    points: list[Point] = field(default_factory=list)
    last: Point | None = None
    first: Point | None = None
    _stride: int = 1
    _seen: int = 0

    def add(self, point: Point) -> None:
        if self.first is None or point.step < self.first.step:
            self.first = point
        self.last = point
        if self._seen % self._stride == 0:
            self.points.append(point)
            if len(self.points) >= self.most:
                del self.points[1::2]
                self._stride *= 2
        self._seen += 1

    def copy(self) -> Course:
        """One that goes on by itself."""
        return replace(self, points=list(self.points))

    def whole(self) -> list[Point]:
        """The points that are kept, the newest among them."""
        ending = [] if self.last is None or (self.points and self.points[-1] is self.last) else [self.last]
        return [*self.points, *ending]

    def share(self, total: float) -> float:
        """How much of `total` is done, from 0 to 1; where steps count from 0, the first one done is one of them."""
        if self.last is None or self.first is None or total <= 0:
            return 0.0
        return min(max((self.last.step + (self.first.step == 0)) / total, 0.0), 1.0)

    def left(self, total: float, now: float) -> float | None:
        """Seconds from `now` to the end at the pace so far; None where nobody can say.

        A course that was taken up again, from a step on that it had come to before, is judged by what it did since.
        """
        if self.last is None or self.first is None or total <= 0:
            return None
        done, took = self.last.step - self.first.step, self.last.seconds - self.first.seconds
        if done <= 0 and self.last.step == 1:  # the one step there was began with the watch
            done, took = 1, self.last.seconds
        if done <= 0 or took <= 0:
            return None
        ahead = total - self.last.step - (self.first.step == 0)
        return max(0.0, ahead * took / done - (now - self.last.seconds))
