"""The curves of a training, as values and as pictures."""

from __future__ import annotations

import io
import math

import pytest
from PIL import Image

from reports.model import Chart
from reports.notify.training.curves import draw, frame_of, sketches
from reports.notify.training.history import History


def told(**series: list[float | None]) -> History:
    """Metrics by name, an epoch each; None is not measured."""
    history = History()
    for place in range(max(map(len, series.values()))):
        metrics = {name: values[place] for name, values in series.items() if place < len(values)}
        history.add(place + 1, {name: one for name, one in metrics.items() if one is not None}, at=place + 1.0)
    return history


def shown(chart: Chart) -> tuple[str, str, list[str]]:
    return chart.title, chart.kind, [column.label for column in chart.y]


def test_training_and_validation_of_a_metric_are_in_one_panel() -> None:
    """Each metric has its own; what decides comes first; percents where they are."""
    history = told(accuracy=[0.5, 0.6], val_accuracy=[0.4, 0.5], loss=[2.0, 1.0], val_loss=[2.1, 1.2])
    charts = sketches(history)
    assert [shown(chart) for chart in charts] == [
        ("Loss by epoch", "line", ["Training loss", "Validation loss"]),
        ("Accuracy by epoch", "line", ["Training accuracy", "Validation accuracy"]),
    ]
    assert [column.format for chart in charts for column in chart.y] == ["number.3"] * 2 + ["percent.1"] * 2
    assert charts[0].frame.to_dict("list") == {"epoch": [1, 2], "loss": [2.0, 1.0], "val_loss": [2.1, 1.2]}


def test_many_metrics_share_one_picture() -> None:
    """Three have their own; from five on the others are panels of one."""
    metrics = {name: [0.5, 0.6] for name in ("loss", "accuracy", "f1", "auc", "precision", "recall")}
    charts = sketches(told(**metrics))
    assert [chart.kind for chart in charts] == ["line"] * 3 + ["small_multiples"]
    assert list(charts[-1].frame["metric"].unique()) == ["AUC", "Precision", "Recall"]
    four = {name: values for name, values in metrics.items() if name not in {"precision", "recall"}}
    assert [chart.kind for chart in sketches(told(**four))] == ["line"] * 4


def test_the_learning_rate_is_drawn_when_it_changes() -> None:
    """In a power of ten where its digits would be lost."""
    assert len(sketches(told(loss=[1.0, 0.9], lr=[1e-3, 1e-3]))) == 1
    small = sketches(told(loss=[1.0, 0.9], lr=[6e-4, 3e-4]))[-1]
    assert (small.title, small.unit) == ("Learning rate by epoch", "× 10⁻⁴")
    assert small.frame["lr"].tolist() == pytest.approx([6, 3])
    large = sketches(told(loss=[1.0, 0.9], lr=[0.1, 0.01]))[-1]
    assert (large.unit, large.frame["lr"].tolist()) == ("", [0.1, 0.01])
    several = sketches(told(**{"loss": [1.0, 0.9], "lr-Adam": [0.1, 0.01], "lr-SGD": [0.1, 0.1]}))
    assert [chart.title for chart in several] == ["Loss by epoch", "Learning rate of Adam by epoch"]
    assert sketches(told(loss=[1.0, 0.9], lr=[0.01, 0.0]))[-1].frame["lr"].tolist() == [0.01, 0.0]


def test_a_gap_is_where_a_value_is_no_number_and_nowhere_else() -> None:
    """Validation of every second epoch is joined; before its first and after its last there is nothing."""
    history = told(loss=[5, 4, math.nan, 2, 1], val_loss=[None, 4, None, 2, None])
    frame = frame_of(history, ["loss", "val_loss"], "epoch")
    assert str(frame["loss"].tolist()) == "[5.0, 4.0, nan, 2.0, 1.0]"
    assert str(frame["val_loss"].tolist()) == "[nan, 4.0, 3.0, 2.0, nan]"
    broken = frame_of(told(loss=[1, 1, 1], val_loss=[math.nan, None, 2]), ["loss", "val_loss"], "epoch")
    assert str(broken["val_loss"].tolist()) == "[nan, nan, 2.0]"


def test_uneven_steps_are_joined_by_their_distance() -> None:
    """Half of the way is half of the way along the axis."""
    history = History(after=0)
    for number, metrics in [(100, {"eval_loss": 4.0}), (150, {"loss": 1.0}), (300, {"eval_loss": 2.0})]:
        history.add(number, metrics, at=number)
    frame = frame_of(history, ["loss", "eval_loss"], "step")
    assert frame["step"].tolist() == [100, 150, 300]
    assert frame["eval_loss"].tolist() == [4.0, 3.5, 2.0]


def test_pictures_come_with_what_they_show_in_words() -> None:
    """A PNG each, twice as dense as it is shown."""
    first, second = draw(told(loss=[2.0, 1.0, 0.5], val_loss=[2.1, 1.2, 0.8], accuracy=[0.1, 0.2, 0.3]))
    assert first.alt.startswith(
        "Training loss and Validation loss by epoch, 1 to 3. Training loss from 2.000 to 0.500;"
    )
    assert second.alt.startswith("Training accuracy by epoch, 1 to 3. From 10.0% to 30.0%;")
    with Image.open(io.BytesIO(first.content)) as picture:
        assert (picture.format, picture.width) == ("PNG", 1100)


def test_one_point_makes_no_curve() -> None:
    """Nor does none."""
    assert draw(told(loss=[2.0])) == []
    assert draw(History()) == []


def test_losses_that_are_no_numbers_from_the_first_on_are_no_fault() -> None:
    """The picture says that there is nothing."""
    (picture,) = draw(told(loss=[math.nan, math.inf]))
    assert picture.alt.startswith("No data")
