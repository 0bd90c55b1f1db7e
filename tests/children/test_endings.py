"""What the end of a child is called."""

from __future__ import annotations

import signal

import pytest

from reports.children.endings import Exit, Sentence, ending, left_behind, too_long, too_much

ASKED = Sentence("asked", "another run replaced it")


@pytest.mark.parametrize(
    ("code", "reason", "temporary"),
    [
        (0, "", False),
        (75, "", True),
        (1, "it ended itself with exit code 1", False),
        (3, "it ended itself with exit code 3", False),
        (-signal.SIGSEGV, "it crashed: signal 11 (SIGSEGV)", False),
        (-signal.SIGABRT, "it crashed: signal 6 (SIGABRT)", False),
        (-signal.SIGPIPE, "it was ended by signal 13 (SIGPIPE)", False),
        (-signal.SIGTERM, "it was killed by signal 15 (SIGTERM): by somebody, or by the system as it was shut down", True),
        (-signal.SIGKILL, "it was killed by signal 9 (SIGKILL): by the system if that ran out of memory, or by somebody", True),
        (-63, "it was ended by signal 63 (unknown)", False),
        (0xC0000005, "it crashed: status 0xC0000005", False),
    ],
)  # fmt: skip
def test_an_end_has_its_reason(code: int, reason: str, *, temporary: bool) -> None:
    """Plain words, and whether trying again may help."""
    ended = ending(Exit(code=code), None, seconds=1.5, peak=7)
    assert (ended.code, ended.reason, ended.temporary, ended.killed) == (code, reason, temporary, "")
    assert (ended.seconds, ended.peak) == (1.5, 7)


def test_who_was_killed_here_was_not_killed_from_outside() -> None:
    """The reason is the one that it was killed for."""
    ended = ending(Exit(code=-signal.SIGKILL), ASKED, seconds=1, peak=0)
    assert (ended.reason, ended.killed, ended.temporary) == ("another run replaced it", "asked", False)


@pytest.mark.parametrize("code", [0, 3, 75, -signal.SIGSEGV])
def test_who_ended_before_it_could_be_killed_ended_by_itself(code: int) -> None:
    """A run that came to its end a moment before its limit has come to its end."""
    assert ending(Exit(code=code), ASKED, seconds=1, peak=0) == ending(Exit(code=code), None, seconds=1, peak=0)


def test_limits_are_told_with_their_figures() -> None:
    """Whoever reads it knows which key to change, and to what."""
    assert too_long(30.0).reason == "it took longer than its time limit of 30 s and was ended"
    memory = "it needed more than its memory limit of 200 MB (it had 214 MB) and was ended"
    assert too_much(200_000_000, 214_400_000).reason == memory


def test_the_greater_of_two_peaks_counts() -> None:
    """What the system saw between two looks, or what several processes had together."""
    assert ending(Exit(code=0, peak=5), None, seconds=1, peak=3).peak == 5
    assert ending(Exit(code=0, peak=5), None, seconds=1, peak=9).peak == 9


def test_what_was_left_behind_is_one_line() -> None:
    """However many there were."""
    assert left_behind([]) == ""
    assert left_behind(["sleep"]) == "1 process that it had left behind ended with it: sleep"
    assert left_behind(["a"] * 11) == f"11 processes that it had left behind ended with it: {', '.join(['a'] * 10)} ..."
