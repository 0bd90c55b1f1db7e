"""Promises of a crash as it is told: what and where first, the end of the traceback, and all of it."""

from __future__ import annotations

import json

import pytest

from reports.notify.crashes import LAST, MOST, Crash, crash


class Mute(Exception):
    """One whose own words cannot be had."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


def raised(error: BaseException, depth: int = 0) -> None:
    if depth:
        return raised(error, depth - 1)
    raise error


def caught(error: BaseException, depth: int = 0) -> Crash:
    try:
        raised(error, depth)
    except BaseException as it:  # noqa: BLE001  of any kind
        return crash(it)
    raise AssertionError


def test_it_says_what_and_where() -> None:
    """The kind as Python writes it, the error's own words, and the line of the work's own code."""
    told = caught(KeyError("b"))
    assert told.head == "KeyError: 'b'"
    assert told.where.startswith(__file__)
    assert told.where.endswith(", in raised")
    assert told.trace.endswith("KeyError: 'b'\n")


def test_the_place_is_in_the_work_and_not_in_a_library() -> None:
    """Where json was called, not where it raised."""
    with pytest.raises(json.JSONDecodeError) as found:
        json.loads("{")
    trace = found.value.__traceback__
    assert trace is not None
    assert crash(found.value).kind == "json.decoder.JSONDecodeError"


def test_the_last_lines_begin_with_a_whole_frame() -> None:
    """However deep it was."""
    told = caught(ValueError("deep"), depth=50)
    lines = told.last_lines.splitlines()
    assert lines[0].startswith("  File ")
    assert lines[-1] == "ValueError: deep"
    assert len(lines) <= LAST


def test_causes_are_told_with_it() -> None:
    """What was raised from what."""
    try:
        try:
            raised(KeyError("first"))
        except KeyError as first:
            raise RuntimeError("second") from first
    except RuntimeError as error:
        told = crash(error)
    assert "KeyError: 'first'" in told.trace
    assert "direct cause" in told.trace


def test_a_long_one_is_cut_in_its_middle() -> None:
    """The mail has room for both ends; the whole is attached."""
    told = caught(ValueError("x" * 3 * MOST))
    assert len(told.body) < MOST + 100
    assert "characters are left out here" in told.body
    assert len(told.head) < 1100
    assert "x" * 2 * MOST in told.trace


def test_an_error_without_words_is_told_all_the_same() -> None:
    """Whatever its own code does."""
    told = caught(Mute())
    assert told.kind.endswith("Mute")
    assert told.head == told.kind
    assert "Mute" in told.trace
