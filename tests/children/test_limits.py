"""Time and memory that children may use."""

from __future__ import annotations

import re
from collections.abc import Callable

import nursing
import pytest

from reports.children import Ended, Limits, Nursery

Do = Callable[..., tuple[Ended, str]]
MB = 1_000_000


@pytest.mark.parametrize("way", [nursing.hang, nursing.hang_in_c])
def test_who_takes_too_long_is_ended(do: Do, way: Callable[[], None]) -> None:
    """Also where no other thread of it gets a turn."""
    end, _ = do(way, time=0.25)
    assert (end.killed, end.temporary, end.code) == ("time", False, -9)
    assert end.reason == "it took longer than its time limit of 0.25 s and was ended"
    assert 0.25 <= end.seconds < nursing.LONG / 2


def test_who_is_in_time_is_left_alone(do: Do) -> None:
    """Limits cost nothing to whoever keeps to them."""
    end, _ = do(nursing.eat, 50, time=60, memory=2000 * MB)
    assert (end.code, end.killed, end.reason) == (0, "", "")


@pytest.mark.parametrize("way", [nursing.eat, nursing.eat_in_another])
def test_who_eats_memory_is_ended_before_the_machine_suffers(do: Do, way: Callable[[int], None]) -> None:
    """However fast it eats, and whether itself or what it has begun."""
    end, _ = do(way, 3000, memory=200 * MB)
    assert (end.killed, end.temporary) == ("memory", False)
    told = r"it needed more than its memory limit of 200 MB \(it had [\d,]+ MB\) and was ended"
    assert re.fullmatch(told, end.reason)
    assert end.peak >= 200 * MB


def test_the_peak_of_a_short_child_is_known(forked: Nursery) -> None:
    """The system has seen it, though nobody has looked."""
    child = forked.start((nursing.eat, 150), Limits(), name="test")
    assert child.done.wait(nursing.LONG)
    end = child.poll()
    assert end
    assert 150 * MB <= end.peak < 400 * MB
