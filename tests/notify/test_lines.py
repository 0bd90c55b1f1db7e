"""Promises of lines that tell how far a program is."""

from __future__ import annotations

import re

import pytest

from reports.notify.lines import Lines, Progress

PATTERN = r"epoch (?P<step>\d+)/(?P<total>\d+)(?:.*loss[=:] ?(?P<loss>[-\d.e]+))?"


def told(pattern: str, *chunks: bytes) -> list[Progress]:
    lines = Lines(re.compile(pattern))
    return [one for chunk in chunks for one in lines.add(chunk)]


def test_groups_are_step_total_and_metrics() -> None:
    """Numbers alone; other lines say nothing."""
    found = told(PATTERN, b"loading\nepoch 1/40 loss=0.5\nepoch 2/40 loss: 4e-1\nsaved\n")
    assert found == [Progress(1, 40, {"loss": 0.5}), Progress(2, 40, {"loss": 0.4})]


def test_half_a_line_waits_for_the_other_half() -> None:
    """However the program writes."""
    assert told(PATTERN, b"epo", b"ch 1/4", b"0 loss=0.25", b"\n") == [Progress(1, 40, {"loss": 0.25})]


def test_a_line_that_is_written_over_counts_each_time() -> None:
    """As progress bars do."""
    assert [one.step for one in told(r"(?P<step>\d+)%", b"\r10%\r20%\r\x1b[32m30%\x1b[0m\r")] == [10, 20, 30]


@pytest.mark.parametrize(("said", "expected"), [("1,200", 1200), ("99.5%", 99.5), ("1.0", 1.0), ("many", None)])
def test_numbers_are_read_as_people_write_them(said: str, expected: float | None) -> None:
    """What is no number is left out."""
    (found,) = told(r"rows (?P<rows>\S+)", f"rows {said}\n".encode())
    assert found.metrics.get("rows") == expected


def test_a_pattern_without_groups_counts_lines() -> None:
    """The update has no step of its own then."""
    assert told("^done", b"done a\nskipped b\ndone c\n") == [Progress(None, None, {})] * 2


def test_what_never_ends_a_line_is_let_go() -> None:
    """In bounded memory."""
    lines = Lines(re.compile("x"))
    for _ in range(100):
        assert list(lines.add(b"y" * 10_000)) == []
    assert len(lines._rest) < 80_000
