"""Promises of the pace: an update at most as often as asked for, by steps, by minutes, or both."""

from __future__ import annotations

import pytest

from reports.notify.pace import Pace


def sent(pace: Pace, moments: list[tuple[float, float]]) -> list[float]:
    """The steps at which updates go out, of (step, seconds)."""
    found = []
    for step, now in moments:
        if pace.due(step, now):
            pace.mark(step, now)
            found.append(step)
        pace.seen(step)
    return found


def test_each_so_many_steps() -> None:
    """At the multiples, or at the first step after one that was passed over."""
    assert sent(Pace(every=10, apart=0), [(step, step) for step in (0, 1, 9, 10, 11, 19, 23, 29, 30)]) == [10, 23, 30]


def test_every_epoch_is_sent_where_each_is_asked_for() -> None:
    """The first one too."""
    assert sent(Pace(every=1, apart=0), [(epoch, epoch) for epoch in (1, 2, 3)]) == [1, 2, 3]


def test_each_so_many_minutes() -> None:
    """Counted from the start, then from the last one that went out."""
    assert sent(Pace(minutes=1, apart=0, began=100), [(1, 110), (2, 159), (3, 161), (4, 200), (5, 222)]) == [3, 5]


def test_both_are_no_sooner_than_either() -> None:
    """Every ten steps, but never within a minute of the last one."""
    moments = [(10, 30.0), (20, 70.0), (25, 131.0), (30, 132.0)]
    assert sent(Pace(every=10, minutes=1, apart=0), moments) == [20, 30]


def test_without_either_none_is_sent() -> None:
    """Only the end is told then."""
    assert sent(Pace(), [(step, step * 1000.0) for step in range(100)]) == []


def test_a_counter_that_begins_anew_counts_anew() -> None:
    """As batches of each epoch do."""
    moments = [(step, at * 100.0) for at, step in enumerate([50, 100, 150, 0, 50, 100, 150])]
    assert sent(Pace(every=100), moments) == [100, 100]


def test_there_is_a_least_distance() -> None:
    """A loop of many steps a second floods nobody."""
    quick = [(step, step / 100) for step in range(1, 2501)]
    assert sent(Pace(every=1), quick) == [1, 1001, 2001]


@pytest.mark.parametrize("step", [10, 10.0, 10.5])
def test_asking_changes_nothing(step: float) -> None:
    """It can be asked any number of times."""
    pace = Pace(every=10)
    assert [pace.due(step, 5.0) for _ in range(3)] == [True] * 3
