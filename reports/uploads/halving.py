"""A batch that a server refuses is cut in two, and again, until the rows that it refuses stand alone."""

from __future__ import annotations

from collections.abc import Callable


class Refused(Exception):
    """The server took nothing of a batch, because of its rows; `at` is which of them, where it says so."""

    def __init__(self, message: str, at: int | None = None) -> None:
        super().__init__(message)
        self.message, self.at = message, at


def halved(count: int, put: Callable[[int, int], None], refuse: Callable[[int, str], None]) -> None:
    """Puts the rows from 0 to `count`, those that can be put, in their order; tells each of the others.

    `put` takes the rows from its first argument to before its second, all of them or, with Refused, none. One row in
    a thousand costs some twenty puts, and three where the server says which row it was.
    """
    waiting = [(0, count)]
    while waiting:
        first, end = waiting.pop()
        try:
            put(first, end)
        except Refused as refused:
            if end - first == 1:
                refuse(first, refused.message)
            else:
                waiting.extend(reversed(_parts(first, end, refused.at)))


def _parts(first: int, end: int, at: int | None) -> list[tuple[int, int]]:
    if at is None or not 0 <= at < end - first:
        middle = (first + end) // 2
        return [(first, middle), (middle, end)]
    bad = first + at
    return [part for part in ((first, bad), (bad, bad + 1), (bad + 1, end)) if part[0] < part[1]]
