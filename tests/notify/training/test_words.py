"""How far a training is and how good, in words."""

from __future__ import annotations

import math

import pytest

from reports.notify.training import words
from reports.notify.training.history import History


def told(*losses: float, first: int = 1, minutes: float = 60) -> History:
    history = History()
    for place, loss in enumerate(losses, start=1):
        history.add(first + place - 1, {"loss": 1.0, "val_loss": loss}, at=place * minutes * 60)
    return history


def so_far(history: History) -> str:
    return " ".join([*words.warnings(history, unit="epoch"), *words.best(history, unit="epoch")])


def test_the_best_so_far_is_told_with_its_epoch() -> None:
    """Of the metric that decides; and nothing before there is one."""
    assert so_far(told(0.5, 0.3, 0.4)) == "The best validation loss is 0.3000, in epoch 2."
    assert so_far(History()) == ""


def test_a_loss_that_is_no_number_is_told_at_once_and_since_when() -> None:
    """By name, and as what it is."""
    assert "The validation loss is nan in this epoch: nothing more will be learnt." in so_far(told(0.5, math.nan))
    later = so_far(told(0.5, math.nan, math.inf))
    assert "The validation loss is inf since epoch 2: nothing more will be learnt." in later
    assert "The best validation loss is 0.5000, in epoch 1." in later


def test_a_training_that_goes_on_says_so() -> None:
    """And that its figures begin there."""
    said = so_far(told(0.5, 0.4, first=31))
    assert said.startswith("It went on from epoch 30: what came before is not in these figures.")


def test_the_end_says_how_many_how_long_and_the_best() -> None:
    """Of this process's own epochs."""
    assert list(words.ended(told(0.5, 0.3, first=31, minutes=1), unit="epoch", total=40)) == [
        "2 epochs in 2 min, 60 s each.",
        "It ended at epoch 32 of 40.",
    ]
    assert list(words.ended(told(0.5), unit="epoch", total=1)) == ["1 epoch in 1 h 00 min."]
    assert list(words.ended(History(), unit="step", total=40)) == ["It ended before the first step did."]


def test_the_table_of_the_best_has_each_metric_with_a_way() -> None:
    """And where it was; what decides comes first."""
    history = told(0.5, 0.3)
    history.add(3, {"loss": 0.9, "acc": 0.75, "lr": 0.001, "temperature": 2.0}, at=9)
    assert words.best_table(history, unit="epoch").to_dict("records") == [
        {"Metric": "Training loss", "Best": "0.9000", "Epoch": "3"},
        {"Metric": "Validation loss", "Best": "0.3000", "Epoch": "2"},
        {"Metric": "Training accuracy", "Best": "75.0%", "Epoch": "3"},
    ]


def test_the_file_has_every_epoch() -> None:
    """Whole numbers as such, and what took how long."""
    frame = words.epochs_table(told(0.5, 0.3).epochs, unit="epoch")
    assert frame.to_dict("list") == {
        "epoch": [1, 2],
        "seconds": [3600.0, 3600.0],
        "loss": [1.0, 1.0],
        "val_loss": [0.5, 0.3],
    }


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""), (0.0123, "12 ms"), (0.97, "1.0 s"), (9.97, "10 s"), (41.3, "41 s"), (89.6, "90 s"), (90, "2 min"),
        (720, "12 min"), (3569, "59 min"), (3599, "1 h 00 min"), (11_100, "3 h 05 min"), (187_300, "2 d 4 h"),
    ],
)  # fmt: skip
def test_a_length_of_time_in_its_units(seconds: float | None, text: str) -> None:
    """Never 60 seconds to the hour nor 60 minutes beside it."""
    assert words.duration(seconds) == text
