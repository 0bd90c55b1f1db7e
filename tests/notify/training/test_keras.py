"""Keras 3, training a small network for real: on a CPU, in seconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from frameworks import needs
from keeping import Keeping

needs("keras")
from small_keras import LABELS, PICTURES, keras, network  # noqa: E402  it is there now

pytestmark = [pytest.mark.training, pytest.mark.filterwarnings("ignore::Warning")]  # its hints are not ours


def fit(model: Any, *callbacks: Any, **options: Any) -> Any:
    settings = {"validation_split": 0.25, "epochs": 6, "batch_size": 64, "verbose": 0, **options}
    return model.fit(PICTURES, LABELS, callbacks=list(callbacks), **settings)


def callback(watch: Keeping, **options: Any) -> Any:
    from reports.notify.training.keras import KerasCallback  # noqa: PLC0415  its import needs Keras

    return KerasCallback("bright", watch=watch, **options)


def test_fit_tells_of_training_and_validation() -> None:
    """What Keras' own history has, each so many epochs, with curves and the learning rate."""
    watch, model = Keeping(every=3), network(keras.optimizers.schedules.ExponentialDecay(0.02, 3, 0.5))
    history = fit(model, callback(watch)).history
    assert [step for step, _ in watch.kept] == [1, 2, 3, 4, 5, 6]
    for label, name in [("Training loss", "loss"), ("Validation loss", "val_loss")]:
        assert [metrics[label] for _, metrics in watch.kept] == pytest.approx(history[name])
    for label, name in [("Training accuracy", "accuracy"), ("Validation accuracy", "val_accuracy")]:
        assert [metrics[label] for _, metrics in watch.kept] == [f"{value:.1%}" for value in history[name]]
    rates = [metrics["Learning rate"] for _, metrics in watch.kept]
    assert rates == sorted(rates, reverse=True)
    assert rates[0] == pytest.approx(0.01)
    assert [(message.step, message.total) for message in watch.messages] == [(3, 6), (6, 6)]
    assert [alt.split(" by ")[0] for alt in watch.messages[1].alts] == [
        "Training loss and Validation loss", "Training accuracy and Validation accuracy", "Learning rate",
    ]  # fmt: skip
    assert watch.messages[1].tables["Best so far"]["Metric"].tolist()[:2] == ["Training loss", "Validation loss"]


def test_predictions_get_the_model_and_are_asked_for_when_due() -> None:
    """It may predict on the way, and training goes on as if it had not."""
    asked: list[list[int]] = []

    def predictions(model: Any) -> list[tuple[Any, str, bool]]:
        taken = model.predict(PICTURES[:4], verbose=0).argmax(axis=1)
        asked.append(taken.tolist())
        return [
            (one, f"taken for {said}", said == truth) for one, said, truth in zip(PICTURES, taken, LABELS, strict=False)
        ]

    watch = Keeping(every=3)
    told = fit(network(), callback(watch, predictions=predictions)).history
    assert len(asked) == 2
    said = "; ".join(f"taken for {one}" for one in asked[1])
    assert watch.last.alts[-1] == f"Sample predictions: 4 samples: {said}."
    assert told["loss"] == pytest.approx(fit(network()).history["loss"])


def test_an_early_stop_and_a_checkpoint_are_told(tmp_path: Path) -> None:
    """Where training ended, and where the best model lies."""
    saver = keras.callbacks.ModelCheckpoint(str(tmp_path / "bright.{epoch:02d}.keras"), save_best_only=True)
    stop = keras.callbacks.EarlyStopping("val_loss", min_delta=10, patience=2)
    watch = Keeping()
    fit(network(), saver, callback(watch, saved=saver), stop, epochs=50)
    best = max(tmp_path.glob("*.keras"), key=lambda one: one.stat().st_mtime)
    assert "3 epochs in " in watch.last.text
    assert "It ended at epoch 3 of 50." in watch.last.text
    assert f"The model lies at {best} (" in watch.last.text
    assert f"in epoch {int(best.name.split('.')[1])}." in watch.last.text


def test_the_model_is_summed_up() -> None:
    """As a table in the message, and in Keras' own words as a file."""
    watch = Keeping()
    fit(network(), callback(watch), epochs=1)
    assert "The model has 330 parameters." in watch.last.text
    assert watch.last.tables["Model"].to_dict("list") == {
        "Layer": ["look", "flat", "say"],
        "Kind": ["Conv2D", "Flatten", "Dense"],
        "Gives": ["any × 6 × 6 × 4", "any × 144", "any × 2"],
        "Parameters": [40, 0, 290],
    }
    files = dict(watch.last.attachments)
    assert "look (Conv2D)" in files["model.txt"].decode()
    assert (
        "Total params: 330" in files["model.txt"].decode().replace(" (1.29 KB)", "")
        or "330" in files["model.txt"].decode()
    )
    assert files["metrics.csv"]["epoch"].tolist() == [1]


def test_fit_that_goes_on_is_told_as_such_and_a_new_one_is_new() -> None:
    """By initial_epoch; the same callback may be used again."""
    watch, model = Keeping(), network()
    again = callback(watch)
    fit(model, again, initial_epoch=20, epochs=22)
    assert "It went on from epoch 20" in watch.last.text
    assert "2 epochs in " in watch.last.text
    fit(model, again, epochs=3)
    assert "went on" not in watch.last.text
    assert [step for step, _ in watch.kept] == [21, 22, 1, 2, 3]


def test_a_loss_that_is_no_number_is_told() -> None:
    """As soon as it comes."""
    watch = Keeping(every=1)
    fit(network(), callback(watch), epochs=2, validation_split=0.0, sample_weight=np.full(256, np.nan))
    assert "The training loss is nan in this epoch" in watch.messages[0].text


def test_the_log_feeds_the_job(tmp_path: Path) -> None:
    """Two lines an epoch."""
    fit(network(), callback(Keeping(), log=tmp_path / "metrics.csv"))
    log = pd.read_csv(tmp_path / "metrics.csv")
    assert log["epoch"].tolist() == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6]
    assert set(log["run"]) == {"bright"}
    assert log.notna().drop(columns="seconds").all(axis=None)


def test_nothing_that_fails_in_the_callback_ends_the_training() -> None:
    """Neither predictions nor a watch."""
    from keeping import Broken  # noqa: PLC0415

    def predictions(_: Any) -> None:
        raise RuntimeError("no")

    assert len(fit(network(), callback(Broken(), predictions=predictions)).history["loss"]) == 6
