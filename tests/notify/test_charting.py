"""Promises of the small chart of metrics: only where it says something, and no more than that."""

from __future__ import annotations

import math
from typing import Any

from reports.notify.charting import PANELS, POINTS, chart


def points(count: int, **metrics: Any) -> list[tuple[float, dict[str, Any]]]:
    """Points whose metrics are functions of the step."""
    return [(step, {name: value(step) for name, value in metrics.items()}) for step in range(1, count + 1)]


def test_validation_shares_the_panel_of_training() -> None:
    """However the two are named; one without the other has its own."""
    found = chart(points(9, train_loss=lambda n: 1 / n, val_loss=lambda n: 2 / n, val_f1=float))
    assert found is not None
    assert found.kind == "small_multiples"
    assert found.frame.groupby("metric")["Validation"].count().to_dict() == {"loss": 9, "val_f1": 0}
    assert [column.label for column in found.y] == ["Training", "Validation"]


def test_one_metric_is_one_line() -> None:
    """By its name."""
    found = chart(points(9, loss=lambda n: 1 / n), unit="epoch")
    assert found is not None
    assert (found.kind, found.title, found.x.label) == ("line", "loss by epoch", "Epoch")


def test_what_says_nothing_is_not_drawn() -> None:
    """Too few points, texts, what never changes, and what is no number."""
    assert chart([]) is None
    assert chart(points(4, loss=float)) is None
    assert (
        chart(points(50, note=lambda _: "warm", lr=lambda _: 0.1, ok=lambda n: n > 3, loss=lambda _: math.nan)) is None
    )


def test_a_long_course_is_thinned_and_keeps_its_last_point() -> None:
    """There are no more pixels."""
    found = chart(points(5000, loss=lambda n: 1 / n))
    assert found is not None
    assert len(found.frame) <= POINTS + 1
    assert found.frame["step"].iloc[-1] == 5000


def test_there_are_only_so_many_panels() -> None:
    """Those that were named first."""
    many = {f"metric {number}": lambda n, number=number: n * number for number in range(1, 20)}
    found = chart(points(9, **many))
    assert found is not None
    assert found.frame["metric"].unique().tolist() == list(many)[:PANELS]


def test_values_that_are_missing_here_and_there_are_no_harm() -> None:
    """As a metric that is measured each tenth step."""
    mixed = [(step, {"loss": 1 / step} | ({"val_loss": 2 / step} if step % 10 == 0 else {})) for step in range(1, 101)]
    found = chart(mixed)
    assert found is not None
    assert (found.frame["Training"].count(), found.frame["Validation"].count()) == (100, 10)
