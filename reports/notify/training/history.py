"""What a training has said of its epochs so far, and the best of it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from reports.notify.training.names import Direction, Split, direction, parse, rate

_MOST = 4000
_RECENT = 10  # epochs that the pace is taken from
_PARTS: Mapping[Split, int] = {"training": 0, "validation": 1, "test": 2, "": 3}


@dataclass(frozen=True)
class Epoch:
    """One epoch, or whatever the training counts: its number, its metrics as named, when it ended and how long it took.

    `ended` and `took` are seconds, the first since the training began in this process.
    """

    number: float
    metrics: Mapping[str, float]
    ended: float
    took: float


@dataclass(frozen=True)
class Best:
    """The best value of a metric, and where it was."""

    name: str
    value: float
    number: float


class History:
    """The epochs in their order. What was kept is never changed, so that another thread may read a copy.

    Of very many, as of a training that counts steps, every second of the older ones is let go now and then; what was
    best is known all the same.
    """

    def __init__(
        self, *, better: Mapping[str, Direction] | None = None, monitor: str = "", after: float | None = None
    ) -> None:
        self.better, self.monitor = dict(better or {}), monitor
        self.epochs: list[Epoch] = []
        self.after = after  # the epoch that this process went on from; None is to be told by its first one
        self.ended = 0.0  # when something was said last
        self._bests: dict[str, Best] = {}
        self._ways: dict[str, Direction | None] = {}
        self._arranged: dict[tuple[str, ...], Sequence[str]] = {}

    def earlier(self, number: float, metrics: Mapping[str, float]) -> None:
        """An epoch of another process, which this one goes on from: it is in the curves, and took no time here."""
        self.epochs.append(Epoch(number, dict(metrics), 0.0, 0.0))
        self._judge(self.epochs[-1])

    def add(self, number: float, metrics: Mapping[str, float], *, at: float) -> float:
        """An epoch, or more of the last one; how long it took since what was said last.

        One that comes again, as after a fall back, replaces what came of it.
        """
        if self.epochs and self.epochs[-1].number > number:
            self._fall_back(number)
        if self.after is None:
            self.after = max(number - 1, 0.0)
        took, self.ended = at - self.ended, at
        before = self.epochs[-1] if self.epochs else None
        if before and before.number == number:
            self.epochs[-1] = Epoch(number, {**before.metrics, **metrics}, at, before.took + took)
        else:
            self.epochs.append(Epoch(number, dict(metrics), at, took))
        self._judge(self.epochs[-1])
        if len(self.epochs) > _MOST:
            del self.epochs[1 : _MOST // 2 : 2]
        return took

    def copy(self) -> History:
        """As it is now: it costs no more than a list."""
        copied = History(better=self.better, monitor=self.monitor, after=self.after)
        copied.epochs, copied.ended, copied._bests = self.epochs.copy(), self.ended, self._bests.copy()
        return copied

    def _fall_back(self, number: float) -> None:
        self.epochs = [one for one in self.epochs if one.number <= number]
        self._bests = {}
        for one in self.epochs:
            self._judge(one)

    def _judge(self, epoch: Epoch) -> None:
        for name, value in epoch.metrics.items():
            if name not in self._ways:
                self._ways[name] = self.direction(name)
            way, best = self._ways[name], self._bests.get(name)
            if way and math.isfinite(value) and (best is None or _above(value, best.value, way)):
                self._bests[name] = Best(name, value, epoch.number)

    # -- what there is ----------------------------------------------------------------------------

    @property
    def last(self) -> Epoch | None:
        return self.epochs[-1] if self.epochs else None

    @property
    def names(self) -> list[str]:
        """The metrics as named, arranged."""
        return list(self.arranged(dict.fromkeys(name for epoch in self.epochs for name in epoch.metrics)))

    def arranged(self, names: Iterable[str]) -> Sequence[str]:
        """Names of metrics in the order in which they are read: what decides first, the learning rate last."""
        there = tuple(names)
        if there not in self._arranged:
            metrics = list(dict.fromkeys(parse(name).metric for name in (self._watched(there), *there)))
            parts = {name: (rate(name), metrics.index(parse(name).metric), _PARTS[parse(name).split]) for name in there}
            self._arranged[there] = sorted(there, key=parts.__getitem__)
        return self._arranged[there]

    def series(self, name: str) -> list[tuple[float, float]]:
        """Number and value of each epoch that says this metric."""
        return [(one.number, one.metrics[name]) for one in self.epochs if name in one.metrics]

    @property
    def usual(self) -> float | None:
        """Seconds from one number to the next, of late; the first epoch of several is left out, as it compiles."""
        own = [one for one in self.epochs if one.took]
        starts = [self.after or 0.0, *(one.number for one in own)]
        paces = [one.took / max(one.number - before, 1e-9) for before, one in zip(starts, own, strict=False)]
        return median((paces[1:] or paces)[-_RECENT:]) if paces else None

    @property
    def resumed(self) -> float:
        """The epoch that it went on from, 0 where it began at the first."""
        return self.after if self.after is not None and self.after >= 1 else 0.0

    @property
    def whole(self) -> bool:
        """Whether what came before a resumption is known as well."""
        return not self.resumed or self.epochs[0].number <= 1

    # -- the best of it ---------------------------------------------------------------------------

    def direction(self, name: str) -> Direction | None:
        """Which way a metric is better: as was said, or as its name tells."""
        parsed = parse(name)
        if not parsed.split:
            return self.better.get(name)
        return self.better.get(name) or self.better.get(parsed.metric) or direction(parsed.metric)

    def best(self, name: str) -> Best | None:
        """The best value that is a number; None where there is none, or nobody knows which way is better."""
        return self._bests.get(name)

    @property
    def watched(self) -> str:
        """The metric that decides: what was asked for, else the first of validation loss, loss, any that has a way."""
        return self._watched(self.names)

    def _watched(self, names: Sequence[str]) -> str:
        if self.monitor in names:
            return self.monitor
        known = [name for name in names if self.direction(name)]
        return min(known, key=_rank, default="")

    @property
    def broken(self) -> Epoch | None:
        """The first of the epochs up to now whose loss is no number; None if the last one's is a number."""
        first = None
        for one in reversed(self.epochs):
            if not lost(one.metrics):
                break
            first = one
        return first


def _above(value: float, best: float, way: Direction) -> bool:
    return value < best if way == "down" else value > best


def lost(values: Mapping[str, float]) -> list[str]:
    """The losses among them that are no numbers."""
    return [name for name, value in values.items() if not math.isfinite(value) and "loss" in name.lower()]


def _rank(name: str) -> tuple[bool, bool]:
    parsed = parse(name)
    return parsed.metric != "loss", parsed.split != "validation"


def numbers(values: Mapping[str, object]) -> tuple[dict[str, float], Sequence[str]]:
    """The values as floats, tensors of one number included, and the names of those that are none."""
    kept: dict[str, float] = {}
    left: list[str] = []
    for name, value in values.items():
        try:
            kept[name] = float(value)  # type: ignore[arg-type]  # what has no float is told
        except (TypeError, ValueError, RuntimeError):
            left.append(name)
    return kept, left
