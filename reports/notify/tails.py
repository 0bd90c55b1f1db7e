"""The end of what a program prints, in little memory, as a person would read it on a screen."""

from __future__ import annotations

import threading
from collections import deque

from reports.children.output import harmless

KEPT, LINES, LONGEST = 64 * 1024, 40, 300
"""Bytes that are kept, lines that are told of them, and characters of a line."""


class Tail:
    """Takes bytes as they come, from any thread."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept, self._size = kept, 0
        self._chunks: deque[bytes] = deque()
        self._lock = threading.Lock()

    def add(self, chunk: bytes) -> None:
        with self._lock:
            self._chunks.append(chunk)
            self._size += len(chunk)
            while self._size - len(self._chunks[0]) >= self._kept:
                self._size -= len(self._chunks.popleft())

    def text(self, lines: int = LINES) -> str:
        """The last lines that say something; of a line that was written over and over its last state."""
        with self._lock:
            content = b"".join(self._chunks)[-self._kept :]
        shown = [_written_over(line) for line in content.split(b"\n")]
        said = [one for one in (harmless(line).rstrip() for line in shown) if one.strip()]
        return "\n".join(one if len(one) <= LONGEST else f"{one[: LONGEST - 1]}…" for one in said[-lines:])


def _written_over(line: bytes) -> bytes:
    """What stands there after each carriage return began the line anew."""
    return next((part for part in reversed(line.rstrip(b"\r").split(b"\r")) if part.strip()), b"")
