"""Promises of a tail: the end of what was printed, as a person would have seen it, in little memory."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reports.notify.tails import Tail


def told(*chunks: bytes, kept: int = 1000, lines: int = 40) -> str:
    tail = Tail(kept)
    for one in chunks:
        tail.add(one)
    return tail.text(lines)


def test_it_has_the_last_lines() -> None:
    """Empty ones say nothing."""
    assert told(b"one\ntwo\n\n", b"thr", b"ee\n", lines=2) == "two\nthree"


def test_a_bar_that_grows_is_shown_as_it_was_at_last() -> None:
    """As progress bars write a line over and over."""
    assert told(b"start\n", b"\r 10%", b"\r 55%", b"\r100%\r\n", b"done\r\n") == "start\n100%\ndone"


def test_colours_and_what_moves_a_cursor_are_left_out() -> None:
    """A mail shows words."""
    assert told(b"\x1b[31mred\x1b[0m\x1b]0;title\x07 alert\n") == "red alert"


@given(st.lists(st.binary(max_size=50)), st.integers(1, 200))
def test_memory_is_bounded(chunks: list[bytes], kept: int) -> None:
    """Whatever is written."""
    tail = Tail(kept)
    for one in chunks:
        tail.add(one)
        assert tail._size < kept + 51
    assert b"".join(chunks).endswith(b"".join(tail._chunks))
    assert isinstance(tail.text(), str)
