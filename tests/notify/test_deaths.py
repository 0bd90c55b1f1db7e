"""Promises of what is told of a process that said nothing itself."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from reports.notify.deaths import how

MUCH = {"memory": 14_000_000, "peak": 15_000_000, "free": 90_000}


@pytest.mark.parametrize(
    ("evidence", "state", "said"),
    [
        ({"status": None}, "killed", ["gone without a word"]),
        ({"status": 3 << 8}, "failed", ["exit code 3"]),
        ({"status": 0}, "interrupted", ["exit code 0"]),
        ({"status": signal.SIGKILL}, "killed", ["signal 9 (SIGKILL)"]),
        ({"status": signal.SIGSEGV | 0x80}, "killed", ["crashed: signal 11 (SIGSEGV)"]),
        ({"status": signal.SIGKILL, "out_of_memory": {"group": 1, "machine": 1}}, "killed", ["most likely this one"]),
        ({"status": signal.SIGKILL, "out_of_memory": {"machine": 1}}, "killed", ["perhaps this one"]),
        (
            {"status": signal.SIGKILL, **MUCH},
            "killed",
            ["it had 14.3 GB of memory (15.4 GB at the most)", "92 MB left"],
        ),
        ({"status": signal.SIGKILL, "peak": 200_000}, "killed", ["It had 205 MB of memory at the most."]),
    ],
)
def test_the_end_is_told_as_far_as_it_is_known(evidence: dict[str, Any], state: str, said: list[str]) -> None:
    """By status, and by what the kernel counts of processes killed for want of memory."""
    found, sentences = how(evidence)
    assert found == state
    text = " ".join(sentences)
    assert [one for one in said if one not in text] == []


def test_no_want_of_memory_is_suspected_where_nothing_was_counted() -> None:
    """Numbers alone accuse nobody."""
    assert "for want of memory" not in " ".join(how({"status": signal.SIGKILL, "out_of_memory": {}, **MUCH})[1])
