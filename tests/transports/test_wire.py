"""Bytes on the wire: what goes out for a message, and how long an answer is waited for."""

import re
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.transports.wire import Wire, blocks


def _mended(content: bytes) -> bytes:
    return re.sub(rb"\r\n|\r|\n", b"\r\n", content)


def _as_told(content: bytes) -> bytes:
    """What RFC 5321 wants to see for these bytes, said as simply as can be."""
    lines = _mended(content)
    lines = lines if lines.endswith(b"\r\n") else lines + b"\r\n"
    return (
        b"".join(b"." + line if line.startswith(b".") else line for line in lines.splitlines(keepends=True)) + b".\r\n"
    )


PIECES = st.lists(
    st.sampled_from([b"\r\n", b"\n", b".", b"a", b"ab", b"abc\r\n", b"..\r\n", b"ab\r\n" * 9]), max_size=60
)


@given(pieces=PIECES, about=st.integers(1, 40))
def test_whatever_the_blocks_the_lines_are_right(pieces: list[bytes], about: int) -> None:
    """Dots at their start are doubled, and one lone dot ends it; a message's own line ends are CRLF."""
    content = b"".join(pieces)
    sent = b"".join(block for block, _ in blocks(_mended(content), about=about))
    assert sent == _as_told(content)
    # Where there are other line ends, a block without dots may keep them: nothing in it can end the message.
    odd = b"".join(block for block, _ in blocks(content, about=about))
    mended = _mended(odd)
    assert mended.count(b"\r\n.\r\n") + mended.startswith(b".\r\n") == 1
    assert mended.removesuffix(b".\r\n").rstrip(b"\r\n") == _as_told(content).removesuffix(b".\r\n").rstrip(b"\r\n")


@given(pieces=PIECES, about=st.integers(1, 40))
def test_only_the_last_block_has_the_final_dot(pieces: list[bytes], about: int) -> None:
    """So a loss before it is a loss of the message, for certain."""
    made = list(blocks(b"".join(pieces), about=about))
    assert [last for _, last in made] == [False] * (len(made) - 1) + [True]
    assert not any(re.search(rb"(^|\n)\.\r\n", block) for block, last in made if not last)


@pytest.mark.parametrize("ends", [b"\r.\r", b"\n.\n", b"\r\n.\r", b"\n.\r\n", b"\r.\r\n"])
def test_no_bytes_of_a_message_end_it_early(ends: bytes) -> None:
    """Not even where a server takes other signs for the end of a line: nobody smuggles a second message in."""
    sent = b"".join(block for block, _ in blocks(b"a" + ends + b"MAIL FROM:<x@example.com>\r\n"))
    assert sent.count(b"\r\n.\r\n") == 1
    assert re.search(rb"[^\r]\n|\r[^\n]", sent) is None


def test_a_long_message_goes_out_in_blocks() -> None:
    """Of whole lines, each of about the size that a timeout is about."""
    made = [block for block, _ in blocks(b"x" * 76 + b"\r\n" + (b"y" * 76 + b"\r\n") * 3000)]
    assert len(made) > 2
    assert all(block.endswith(b"\r\n") and len(block) < 70_000 for block in made)


@pytest.fixture
def pair() -> Iterator[tuple[Wire, socket.socket]]:
    """Our side of a connection, and the other."""
    ours, theirs = socket.socketpair()
    wire = Wire(ours, timeout=0.5)
    with theirs:
        yield wire, theirs
    wire.close()


def test_a_reply_of_several_lines_is_one(pair: tuple[Wire, socket.socket]) -> None:
    """And what comes after it is kept for later."""
    wire, server = pair
    server.sendall(b"250-one\r\n250-two\r\n250 three\r\n354 go")
    assert wire.getreply() == (250, b"one\ntwo\nthree")
    assert wire.out_of_turn
    server.sendall(b" on\r\n")
    assert wire.getreply() == (354, b"go on")
    assert not wire.out_of_turn


def test_a_reply_that_never_ends_is_given_up(pair: tuple[Wire, socket.socket]) -> None:
    """A byte now and then does not keep us for ever."""
    wire, server = pair
    over = threading.Event()

    def drip() -> None:
        while not over.wait(0.02):
            server.sendall(b"2")

    dripping = threading.Thread(target=drip)
    dripping.start()
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        wire.reply(0.5, 0.3)
    assert time.monotonic() - began < 0.5
    over.set()
    dripping.join()


def test_each_way_to_fail_is_told_apart(pair: tuple[Wire, socket.socket]) -> None:
    """Silence, a hang-up, and a socket that is closed on our side."""
    wire, server = pair
    with pytest.raises(TimeoutError):
        wire.reply(0.05, 5)
    server.close()
    with pytest.raises(ConnectionError, match="hung up"):
        wire.getreply()
    wire.close()
    with pytest.raises(ConnectionError, match="closed"):
        wire.send("NOOP\r\n")
