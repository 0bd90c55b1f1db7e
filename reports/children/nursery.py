"""Children that are ready before they are needed."""

from __future__ import annotations

import contextlib
import pickle
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from reports.children.child import Child
from reports.children.cradles import CAN_FORK, Cradle, Forks, Source, Spawns
from reports.children.endings import Limits
from reports.children.output import clear
from reports.children.watch import Watch
from reports.errors import ReportsError

_TRIES = 5
CLOSED = "the service was ended"


def _nobody() -> None:
    pass


class Nursery:
    """Begins child processes within milliseconds, watches them, and lets none of them survive it.

    target: "package.module:function", called in each child with its order; the number that it returns is the exit
    code · preload: modules that a child has from the start · spares: children that wait for orders · folder: where
    their output is while they go on · on_end: called in a thread whenever a child has ended · fork: from a fork server
    that has imported everything, the default where the system allows it; else each spare imports for itself. Orders
    are pickled, so their types are importable. When this process dies, however it dies, all children do.
    """

    def __init__(
        self,
        *,
        target: str,
        preload: Sequence[str] = (),
        spares: int = 1,
        folder: Path,
        on_end: Callable[[], object] = _nobody,
        fork: bool = CAN_FORK,
    ) -> None:
        self._target, self._preload, self._wanted, self._folder, self._fork = target, preload, spares, folder, fork
        self._lock = threading.Lock()
        self._source: Source | None = None
        self._spares: list[Cradle] = []
        self._closed = False
        self._watch = Watch(root=lambda: self._root, on_start=self._replace_spares, on_end=on_end)

    def warm(self) -> None:
        """Begins the fork server and the spares, and does not wait for them; what dead services left is removed."""
        clear(self._folder)
        self._top_up()

    def start(self, order: object, limits: Limits, *, name: str) -> Child:
        """Hands the order to a spare, and has another one made. A temporary ReportsError if no process can be had."""
        pickled = pickle.dumps(order, pickle.HIGHEST_PROTOCOL)
        with self._lock:
            if self._closed:
                raise ReportsError(CLOSED, temporary=True)
            child = Child(self._given(pickled), limits, name=name)
            self._watch.add(child)
        return child

    def close(self) -> None:
        """Kills what goes on, ends the spares and the fork server; nothing is left when it returns."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._watch.close(CLOSED)
        for spare in self._spares:
            _let_go(spare)
        if self._source:
            self._source.close()

    @property
    def _root(self) -> int:
        return self._source.root if self._source else 0

    def _replace_spares(self) -> None:
        with contextlib.suppress(ReportsError):  # the next start tries again, and tells
            self._top_up()

    def _top_up(self) -> None:
        """As many spares as there are to be."""
        with self._lock:
            while not self._closed and len(self._spares) < self._wanted:
                self._spares.append(self._new())

    def _given(self, order: bytes) -> Cradle:
        """A process that has the order; spares that died meanwhile are passed over."""
        for _ in range(_TRIES + len(self._spares)):
            cradle = self._spares.pop(0) if self._spares else self._new()
            try:
                if cradle.look(()) is None:
                    cradle.give(order)
                    return cradle
            except OSError:  # it has died since
                pass
            _let_go(cradle)
        raise self._none("they die as they begin")

    def _new(self) -> Cradle:
        """A new process; with a new fork server if the one there was has died."""
        for _ in range(2):
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                self._source = self._source or (Forks if self._fork else Spawns)(self._target, self._preload)
                return self._source.new(self._folder)
            except ConnectionError:
                self._renew()
            except OSError as error:
                raise self._none(error.strerror or str(error)) from error
        raise self._none("they cannot be begun")

    def _renew(self) -> None:
        if self._source:
            self._source.close()
        self._source = None

    def _none(self, why: str) -> ReportsError:
        hint = f"look at the memory and the processes of this machine, and whether {self._folder} can be written"
        return ReportsError(f"no child process could be started: {why}", hint=hint, temporary=True)


def _let_go(spare: Cradle) -> None:
    spare.close()
    spare.output.close()
