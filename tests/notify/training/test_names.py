"""What the names of metrics say, as frameworks and people write them."""

from __future__ import annotations

import math

import pytest

from reports.notify.training.names import Name, direction, parse, rate, say, share


@pytest.mark.parametrize(
    ("name", "metric", "split"),
    [
        ("loss", "loss", "training"),
        ("val_loss", "loss", "validation"),  # Keras
        ("val_sparse_categorical_accuracy", "sparse_categorical_accuracy", "validation"),
        ("train_loss_epoch", "loss", "training"),  # Lightning
        ("train/loss", "loss", "training"),
        ("val/acc", "acc", "validation"),
        ("eval_loss", "loss", "validation"),  # Transformers
        ("loss_val", "loss", "validation"),  # people
        ("Validation.f1", "f1", "validation"),
        ("test_acc", "acc", "test"),
        ("val", "val", "training"),  # a metric that is called so
        ("learning_rate", "lr", ""),
        ("lr-Adam", "lr", ""),
        ("grad_norm", "grad_norm", ""),
    ],
)
def test_a_name_says_the_metric_and_its_part_of_the_data(name: str, metric: str, split: str) -> None:
    """Whichever way it is written."""
    assert parse(name) == Name(metric, split)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("metric", "way"),
    [
        ("loss", "down"), ("mean_squared_error", "down"), ("perplexity", "down"), ("wer", "down"),
        ("accuracy", "up"), ("sparse_top_k_categorical_accuracy", "up"), ("acc", "up"), ("f1", "up"), ("mAP@50", "up"),
        ("auc", "up"), ("rougeL", "up"),
        ("temperature", None), ("", None),
    ],
)  # fmt: skip
def test_the_better_way_is_known_of_what_is_well_known(metric: str, way: str | None) -> None:
    """And of nothing else."""
    assert direction(metric) == way


def test_labels_are_words() -> None:
    """With the short names as people write them."""
    labels = {name: parse(name).heading for name in ("val_loss", "acc", "val_f1", "eval_rmse", "lr", "top5_map")}
    assert labels == {
        "val_loss": "Validation loss",
        "acc": "Training accuracy",
        "val_f1": "Validation F1",
        "eval_rmse": "Validation RMSE",
        "lr": "Learning rate",
        "top5_map": "Training top5 map",
    }
    assert parse("val_f1").whole == "validation F1"


@pytest.mark.parametrize(
    ("metric", "value", "text"),
    [
        ("accuracy", 0.9118, "91.2%"),
        ("accuracy", 91.18, "91.18"),  # in percent already
        ("loss", 0.31204, "0.3120"),
        ("loss", 12.3456, "12.35"),
        ("loss", 4321.5, "4,322"),
        ("loss", 0.00000123, "1.230e-06"),
        ("lr", 0.0003, "0.0003"),
        ("lr", 1e-5, "1e-05"),
        ("loss", math.nan, "nan"),
        ("loss", math.inf, "inf"),
        ("loss", 0.0, "0.0000"),
    ],
)
def test_values_are_short(metric: str, value: float, text: str) -> None:
    """About four digits, parts as percent, and what is no number as it is."""
    assert say(metric, value) == text


def test_only_accuracies_are_read_as_percent() -> None:
    """And those alone that lie between 0 and 1."""
    assert share("val_accuracy", 0.5, 1.0, math.nan)
    assert not share("f1", 0.5)
    assert not share("accuracy", 0.5, 50.0)
    assert rate("lr") and not rate("loss")  # noqa: PT018
