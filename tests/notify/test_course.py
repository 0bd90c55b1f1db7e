"""Promises of the course: bounded memory, the newest point always, and what is left as near as can be told."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.notify.course import Course, Point


def course(*points: tuple[float, float], most: int = 1000) -> Course:
    made = Course(most=most)
    for step, seconds in points:
        made.add(Point(step, seconds, {"loss": 1 / (1 + step)}))
    return made


@given(count=st.integers(0, 3000), most=st.integers(2, 64))
def test_memory_is_bounded_and_the_ends_are_kept(count: int, most: int) -> None:
    """However many points there were, first and last are there, in order, and evenly thinned between."""
    made = course(*[(step, step) for step in range(count)], most=most)
    steps = [point.step for point in made.whole()]
    assert len(steps) <= most
    assert steps == sorted(set(steps))
    assert steps[:1] + steps[-1:] == ([0, count - 1] if count else [])
    distances = {right - left for left, right in pairwise(steps[:-1])}
    assert len(distances) <= 1


def test_what_is_left_follows_from_the_pace() -> None:
    """A hundred steps in a hundred seconds, nine hundred to go."""
    assert course((1, 10), (101, 110)).left(1001, now=110) == pytest.approx(900)
    assert course((1, 10), (101, 110)).left(1001, now=130) == pytest.approx(880)


def test_a_course_taken_up_again_is_judged_by_what_it_did_since() -> None:
    """A resumed training at step 5,000 has not done these in a minute."""
    assert course((5000, 60), (5010, 70)).left(6010, now=70) == pytest.approx(1000)


def test_the_first_epoch_tells_already() -> None:
    """It began with the watch."""
    assert course((1, 60)).left(10, now=60) == pytest.approx(540)


@pytest.mark.parametrize(("points", "total"), [([], 10), ([(0, 5)], 10), ([(500, 5)], 1000), ([(1, 5), (2, 6)], 0)])
def test_where_nobody_can_say_nothing_is_said(points: list[tuple[float, float]], total: float) -> None:
    """Rather than a number that means nothing."""
    assert course(*points).left(total, now=10) is None


def test_steps_counted_from_zero_end_at_a_hundred_percent() -> None:
    """As `range` counts them."""
    assert course(*[(step, step) for step in range(10)]).share(10) == 1
    assert course(*[(step, step) for step in range(1, 6)]).share(10) == 0.5
