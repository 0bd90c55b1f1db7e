"""One child at work, as whoever has begun it sees it."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import psutil

from reports.children import trees
from reports.children.cradles import Cradle
from reports.children.endings import Ended, Exit, Limits, Sentence, ending, left_behind, too_long, too_much

AGAIN = 0.5
"""Seconds after which what did not die is killed again."""


class Child:
    """A process that carries out one order. Any thread may ask it; `done` is set when it has ended.

    `look` and `weigh` are for the one thread that watches it.
    """

    def __init__(self, cradle: Cradle, limits: Limits, *, name: str) -> None:
        self.name, self.limits, self.sentinel = name, limits, cradle.sentinel
        self.done = threading.Event()
        self._cradle, self._began = cradle, time.monotonic()
        self._born = threading.Event()
        self._ended: Ended | None = None
        self._sentence: Sentence | None = None
        self._killed, self._peak = float("-inf"), 0
        self._tree: Sequence[psutil.Process] = ()

    def __repr__(self) -> str:
        return f"<Child {self.name!r}>"

    @property
    def pid(self) -> int:
        """Its number, which may have to be waited for; 0 if it could not be begun."""
        self._born.wait()
        return self._cradle.pid

    def poll(self) -> Ended | None:
        """How it ended; None while it goes on."""
        return self._ended

    def kill(self, reason: str) -> None:
        """It and all below it are ended, soon and for sure; the first reason counts."""
        self._condemn(Sentence("asked", reason))

    def output(self) -> str:
        """What it has written so far: 64 KiB of the beginning and 64 KiB of the end."""
        return self._cradle.output.text()

    # -- for the watch ---------------------------------------------------------------------------------

    @property
    def known_pid(self) -> int:
        """Its number; 0 before it is born."""
        return self._cradle.pid

    @property
    def left(self) -> float | None:
        """The seconds that it still has."""
        return self.limits.time and self._began + self.limits.time - time.monotonic()

    def look(self) -> bool:
        """Whether it has ended. One that is to end is seen to."""
        end = self._cradle.look(self._tree)
        if self._cradle.pid or end:
            self._born.set()
        if end:
            self._bury(end)
            return True
        if (left := self.left) is not None and left <= 0 and self.limits.time:
            self._condemn(too_long(self.limits.time))
        self._carry_out_sentence()
        self._cradle.output.trim()
        return False

    def weigh(self, tree: Sequence[psutil.Process] | None) -> None:
        """Looks at its memory; `tree` is all of it, where somebody has just looked for it."""
        self._tree = self._tree if tree is None else tree
        had = trees.resident(self._tree)
        self._peak = max(self._peak, had)
        if self.limits.memory and had > self.limits.memory:
            self._condemn(too_much(self.limits.memory, had))
            self._carry_out_sentence()

    def _condemn(self, sentence: Sentence) -> None:
        if self._ended is None and self._sentence is None:
            self._sentence = sentence

    def _carry_out_sentence(self) -> None:
        now = time.monotonic()
        if self._sentence and self._cradle.pid and now - self._killed > AGAIN:
            self._killed = now
            trees.kill(self._cradle.pid, self._tree)

    def _bury(self, end: Exit) -> None:
        self._cradle.output.close(left_behind(end.left))
        self._cradle.close()
        seconds = time.monotonic() - self._began
        self._ended = ending(end, self._sentence, seconds=seconds, peak=self._peak)
        self._tree = ()
        self.done.set()
