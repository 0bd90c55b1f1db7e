"""Turns of channels: each sends something, makes way only for others, and ends with the whole."""

from __future__ import annotations

import threading

from reports.turns import Turn


def test_a_turn_ends_when_others_wait_and_its_time_is_over() -> None:
    """Not before it has sent something, which takes two looks; then it stays ended."""
    waiting = [False]
    turn = Turn(threading.Event(), lambda: waiting[0], length=0)
    assert [turn.is_set() for _ in range(4)] == [False] * 4
    waiting[0] = True
    assert turn.is_set()
    waiting[0] = False
    assert (turn.is_set(), turn.made_way) == (True, True)
    early = Turn(threading.Event(), lambda: True, length=0)
    assert [early.is_set() for _ in range(3)] == [False, False, True]


def test_a_turn_that_is_not_over_asks_nobody() -> None:
    """To look whether others wait costs a question to the store."""
    asked: list[int] = []
    turn = Turn(threading.Event(), lambda: bool(asked.append(1)), length=1000)
    assert not any(turn.is_set() for _ in range(5))
    assert asked == []


def test_what_stops_all_stops_a_turn() -> None:
    """At once, and it has not made way; what it is told itself it tells all."""
    stop = threading.Event()
    turn = Turn(stop, lambda: True, length=0)
    stop.set()
    assert (turn.is_set(), turn.wait(5), turn.made_way) == (True, True, False)
    other = threading.Event()
    Turn(other, lambda: False).set()
    assert other.is_set()
