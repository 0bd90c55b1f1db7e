"""Figures against the last run."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

import pytest

from reports.model import Figure
from reports.render.changes import change
from reports.render.locales import ENGLISH


@pytest.mark.parametrize(
    ("value", "before", "form", "said"),
    [
        (Decimal("99766214.49"), Decimal(97700000), "currency.0", "▲ +2.1%"),
        (90, 100, "currency", "▼ −10.0%"),
        (-1_024_171, -1_000_000, "compact", "▼ −24.2k"),
        (612, 600, "integer", "▲ +12"),
        (61_200, 60_000, "integer", "▲ +2.0%"),
        (6.35, 6.40, "number.2", "▼ −0.05"),
        (0.0513, 0.0521, "percent.2", "▼ −0.08 points"),
        (0.25, 0.20, "percent", "▲ +5.0 points"),
        (5_000, 0, "currency.0", "▲ +$5,000"),
        (50, -100, "currency.0", "▲ +$150"),
        (5_000_000, 20, "currency.0", "▲ +$4,999,980"),
        (10_000_100, 10_000_000, "currency.0", "▲ +$100"),
        (5, 5, "integer", " unchanged"),
        (5.0, Decimal(5), "number", " unchanged"),
        (1.001, 1.002, "number.2", " unchanged"),
    ],
)
def test_a_change_is_said_in_the_words_that_say_most(value: Any, before: Any, form: str, said: str) -> None:
    """Percent of amounts, points of percentages, differences of what is small, was nothing, or is many times more."""
    found = change(Figure(label="x", value=value, before=before, format=form), ENGLISH)
    assert found
    assert f"{found.arrow} {found.text}" == said


@pytest.mark.parametrize(
    ("value", "before", "form"),
    [(5, None, "integer"), (None, 5, "integer"), (5, float("nan"), "number"), (5, float("inf"), "number"),
     ("a", "b", "text"), ("a", 5, "integer"), (5, "a", "integer")],
)  # fmt: skip
def test_what_cannot_be_compared_has_no_change(value: Any, before: Any, form: str) -> None:
    """No value on one of the sides, or one that is no number."""
    assert change(Figure(label="x", value=value, before=before, format=form), ENGLISH) is None


@pytest.mark.parametrize(
    ("good", "value", "tone"),
    [("up", 2, "good"), ("up", 0, "bad"), ("down", 2, "bad"), ("down", 0, "good"), ("", 2, "")],
)
def test_a_change_is_good_or_bad_news_only_where_that_is_said(
    good: Literal["", "up", "down"], value: int, tone: str
) -> None:
    """More losses are no good news."""
    found = change(Figure(label="x", value=value, before=1, format="integer", good=good), ENGLISH)
    assert found
    assert found.tone == tone
