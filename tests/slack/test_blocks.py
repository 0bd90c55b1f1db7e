"""What Slack takes of blocks is known before they are sent, and what is let through our server takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import slackblocks
from hypothesis import given
from hypothesis import strategies as st

from reports.errors import RenderError
from reports.slack import blocks, check


def plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def table(rows: int, columns: int = 2, text: str = "x") -> dict[str, Any]:
    return {"type": "table", "rows": [[{"type": "raw_text", "text": text}] * columns] * rows}


def section(length: int) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": "x" * length}}


WRONG: Mapping[str, tuple[list[dict[str, Any]], str]] = {
    "too many blocks": ([{"type": "divider"}] * 51, "51 blocks"),
    "a long header": ([{"type": "header", "text": plain("x" * 151)}], "block 1 (header): text of 151 characters"),
    "a header in mrkdwn": ([{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}], "plain_text"),
    "a long section": ([section(3001)], "text of 3,001 characters"),
    "an empty section": ([section(0)], "without characters"),
    "a bare section": ([{"type": "section"}], "neither text nor fields"),
    "many fields": ([{"type": "section", "fields": [plain("x")] * 11}], "11 fields"),
    "a long field": ([{"type": "section", "fields": [plain("x" * 2001)]}], "field of 2,001 characters"),
    "a long context": ([{"type": "context", "elements": [plain("x")] * 11}], "11 elements"),
    "an empty context": ([{"type": "context", "elements": []}], "0 elements"),
    "two tables": ([table(2), table(2)], "2 tables"),
    "many rows": ([table(101)], "101 rows"),
    "many columns": ([table(2, 21)], "from 1 to 20 cells"),
    "long cells": ([table(100, 2, "x" * 51)], "10,200 characters in cells"),
    "an empty cell": ([table(2, 2, "")], "a cell without text"),
    "a picture without words": ([{"type": "image", "image_url": "https://x", "alt_text": ""}], "alt_text"),
    "a picture of nothing": ([{"type": "image", "alt_text": "x"}], "either image_url or slack_file"),
    "a long whole": ([section(3000)] * 5, "15,000 characters"),
    "no type": ([{}], "block 1 has no type"),
}


@pytest.mark.parametrize(("given", "said"), WRONG.values(), ids=WRONG)
def test_what_slack_would_refuse_is_told_with_its_place(given: list[dict[str, Any]], said: str) -> None:
    """Before it is sent, and in words."""
    with pytest.raises(RenderError) as caught:
        check(given)
    assert said in caught.value.what
    assert caught.value.hint


@pytest.mark.parametrize("given", [given for given, _ in WRONG.values()], ids=WRONG)
def test_the_server_refuses_the_same(given: list[dict[str, Any]]) -> None:
    """Or the check would be stricter than the documentation, but for the whole length."""
    assert slackblocks.problems(given) or slackblocks.size(given) > slackblocks.MOST_TEXT


def test_the_limits_themselves_are_taken() -> None:
    """Not one less."""
    fine = [
        {"type": "header", "text": plain("x" * 150)},
        section(3000),
        {"type": "section", "fields": [plain("x")] * 10},
        table(100, 20, "x"),
        {"type": "image", "slack_file": {"id": "F1"}, "alt_text": "x" * 2000},
        {"type": "video", "whatever": "is not ours"},
    ]
    check(fine)
    check([{"type": "divider"}] * 50)
    check([])


texts = st.text(min_size=0, max_size=40)
cells = st.one_of(
    st.fixed_dictionaries({"type": st.just("raw_text"), "text": texts}),
    texts.map(
        lambda text: {
            "type": "rich_text",
            "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}],
        }
    ),
)
some_blocks = st.one_of(
    st.fixed_dictionaries({"type": st.just("header"), "text": texts.map(plain)}),
    st.fixed_dictionaries({"type": st.just("section"), "text": texts.map(plain)}),
    st.fixed_dictionaries({"type": st.just("table"), "rows": st.lists(st.lists(cells, max_size=3), max_size=3)}),
)


@given(st.lists(some_blocks, max_size=4))
def test_what_passes_here_passes_there(given: list[dict[str, Any]]) -> None:
    """Whatever the blocks."""
    if not list(blocks.problems(given)):
        assert slackblocks.problems(given) == []
