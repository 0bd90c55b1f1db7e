"""The file that a child writes to."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reports.children.output import KEPT, MOST, Output, clear, harmless


@pytest.fixture
def output(tmp_path: Path) -> Iterator[Output]:
    one = Output(tmp_path)
    yield one
    one.close()


def write(output: Output, *pieces: bytes) -> None:
    pipe = output.open()
    for piece in pieces:
        os.write(pipe, piece)
    os.close(pipe)


def test_what_is_written_can_be_read_at_once(output: Output) -> None:
    """Also more than once, and by more than one writer."""
    write(output, b"one\n")
    assert output.text() == output.text() == "one\n"
    write(output, b"two\n")
    assert output.text() == "one\ntwo\n"


def test_all_of_it_is_there_up_to_the_cap(output: Output) -> None:
    """Not a byte less."""
    write(output, b"a" * KEPT, b"b" * KEPT)
    assert output.text() == "a" * KEPT + "b" * KEPT
    write(output, b"c")
    assert output.text() == "a" * KEPT + "\n... 1 bytes are left out here ...\n" + "b" * (KEPT - 1) + "c"


@pytest.mark.parametrize("holes", [True, False])
def test_a_file_that_grows_is_cut_down_while_it_is_written(tmp_path: Path, *, holes: bool) -> None:
    """The beginning, the end and the count are those of all that was ever written, whichever way it is done."""
    if holes and sys.platform != "linux":
        pytest.skip("only Linux takes back the middle of a file")
    output = Output(tmp_path, holes=holes)
    pipe = output.open()
    os.write(pipe, b"beginning")
    for _ in range(3):
        os.write(pipe, b"x" * (MOST + 2 * KEPT))
        output.trim()
        assert os.fstat(pipe).st_blocks * 512 < 4 * KEPT
        assert (os.fstat(pipe).st_size > MOST) == holes
    assert output.text().endswith("x" * KEPT)
    os.write(pipe, b"end")
    os.close(pipe)
    text = output.text()
    assert text.startswith("beginningxxx")
    assert text.endswith("x" * (KEPT - 3) + "end")
    assert f"... {3 * (MOST + 2 * KEPT) + 12 - 2 * KEPT:,} bytes are left out here ..." in text
    assert len(text) < 2 * KEPT + 100
    output.close()


def test_a_file_that_is_short_is_left_alone(output: Output) -> None:
    """Nothing is emptied without need."""
    write(output, b"x" * MOST)
    output.trim()
    assert output.text().endswith("x")
    assert f"{MOST - 2 * KEPT:,} bytes" in output.text()


def test_the_file_is_gone_in_the_end_and_the_text_is_not(output: Output, tmp_path: Path) -> None:
    """A last line may be added, on a line of its own."""
    write(output, b"half a line")
    output.close("the note")
    output.close("another one")
    output.trim()
    assert output.text() == "half a line\nthe note\n"
    assert list(tmp_path.iterdir()) == []


def test_a_note_alone_is_the_whole_text(output: Output) -> None:
    """Without an empty line before it."""
    output.close("the note")
    assert output.text() == "the note\n"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_nobody_else_can_read_it(output: Output, tmp_path: Path) -> None:
    """A run may print what is not for everybody."""
    assert [path.stat().st_mode & 0o777 for path in tmp_path.iterdir()] == [0o600]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("Grüße, 世界\t1\n".encode(), "Grüße, 世界\t1\n"),
        (b"caf\xe9\n", "caf\ufffd\n"),
        (b"10 %\r20 %\r\n30 %\n", "10 %\n20 %\n30 %\n"),
        (b"\x1b[1;31mred\x1b[0m \x1b]0;title\x07\x1b[2J.", "red ."),
        (b"a\x00b\x07c\x7f\x1b", "a\u2400b\u2407c\u2421\u241b"),
        ("a\x9b31mb \u202egnp.exe".encode(), "a\ufffd31mb \ufffdgnp.exe"),
    ],
)
def test_text_is_harmless(written: bytes, text: str) -> None:
    """It may be shown in a terminal, in a page, and kept by any database."""
    assert harmless(written) == text


def test_files_of_dead_services_are_removed_after_a_day(tmp_path: Path) -> None:
    """Those of others that live, and files that are none of ours, stay."""
    old, new, other = (tmp_path / name for name in ("old.out", "new.out", "old.txt"))
    for path in (old, new, other):
        path.write_text("x")
    for path in (old, other):
        os.utime(path, (time.time() - 90_000, time.time() - 90_000))
    clear(tmp_path)
    assert set(tmp_path.iterdir()) == {new, other}
    clear(tmp_path / "not there")
