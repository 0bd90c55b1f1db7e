"""A training that tells how it goes: when it tells what, and that it never disturbs the training."""

from __future__ import annotations

import logging
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from keeping import Broken, Keeping

from reports.notify.training import Training


def train(training: Training, epochs: int, *, first: int = 1) -> None:
    """A plain loop whose loss falls."""
    for number in range(first, first + epochs):
        training.update(number, loss=2 / number, val_loss=2.1 / number, accuracy=0.5, val_accuracy=0.4, lr=0.1 / number)


def test_an_update_has_curves_the_best_and_sample_predictions() -> None:
    """Each time one is due, and not between."""
    watch, asked = Keeping(every=5), []

    def predictions() -> list[Any]:
        asked.append(len(watch.kept))
        return [(np.eye(8), "7 taken for 1", False), "The cat sat."]

    with Training("resnet", watch=watch, total=40, predictions=predictions) as training:
        train(training, 11)
        assert asked == [4, 9]
    first, second = watch.messages
    assert (second.step, second.total) == (10, 40)
    assert "The best validation loss is 0.2100, in epoch 10." in second.text
    assert "The cat sat." in second.text
    assert [alt.split(" by ")[0] for alt in second.alts] == [
        "Training loss and Validation loss",
        "Training accuracy and Validation accuracy",
        "Learning rate",
        "Sample predictions: 1 sample: 7 taken for 1.",
    ]
    assert "1 to 5" in first.alts[0]
    assert "1 to 10" in second.alts[0]
    assert second.tables["Best so far"]["Best"].tolist() == ["0.2000", "0.2100", "50.0%", "40.0%"]
    assert second.metrics == {
        "Training loss": 0.2,
        "Validation loss": pytest.approx(0.21),
        "Training accuracy": "50.0%",
        "Validation accuracy": "40.0%",
        "Learning rate": 0.01,
    }
    assert [step for step, _ in watch.kept] == list(range(1, 12))


def test_the_end_has_the_model_and_where_it_lies(tmp_path: Path) -> None:
    """Curves, predictions, how long, a summary, and every epoch in a file."""
    (tmp_path / "net.pt").write_bytes(b"." * 50_000)
    watch = Keeping()
    with Training("resnet", watch=watch, total=12, predictions=lambda: ("2 + 2", "4")) as training:
        train(training, 12)
        training.finish(model="a net of 3 layers", saved=tmp_path / "net.pt", text="Data of November.")
    said = watch.last
    assert said.text.startswith("12 epochs in ")
    assert f"The model lies at {tmp_path / 'net.pt'} (50 kB). Data of November." in said.text
    assert said.alts[0].startswith("Training loss and Validation loss by epoch, 1 to 12.")
    assert list(said.tables) == ["Best", "Sample predictions"]
    (_, epochs), (_, text) = said.attachments
    assert epochs["epoch"].tolist() == list(range(1, 13))
    assert text == b"a net of 3 layers"


def test_a_table_may_describe_the_model() -> None:
    """It is shown as one."""
    watch = Keeping()
    with Training("forest", watch=watch) as training:
        train(training, 1)
        training.finish(model=pd.DataFrame({"Part": ["tree"], "Count": [400]}))
    assert watch.last.tables["Model"].to_dict("list") == {"Part": ["tree"], "Count": [400]}


def test_the_end_comes_by_itself() -> None:
    """Without a call of finish, and after an error with what there is."""
    watch = Keeping()

    def fail() -> None:
        with Training("resnet", watch=watch) as training:
            train(training, 3)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert watch.last.text.startswith("3 epochs in ")
    assert len(watch.last.images) == 3


def test_an_epoch_said_in_two_updates_is_told_once_and_whole() -> None:
    """From the second epoch on it is known that validation comes later; where it does not come, nothing is lost."""
    watch, asked = Keeping(every=2), list[int]()
    with Training("resnet", watch=watch, predictions=lambda: asked.append(1)) as training:
        for number in range(1, 7):
            training.update(number, loss=1 / number)
            if number != 4:
                training.update(number, val_loss=1.1 / number)
        training.update(7, loss=0.1)
    assert [message.step for message in watch.messages] == [2, 4, 6]
    assert [list(message.metrics) for message in watch.messages] == [
        ["Training loss", "Validation loss"],
        ["Training loss"],
        ["Training loss", "Validation loss"],
    ]
    assert [step for step, _ in watch.kept] == [1, 1, 2, 3, 4, 5, 6, 7]
    assert len(asked) == 4


def test_epochs_counted_from_0_are_said_from_1() -> None:
    """As soon as the first is 0, or where it was said; one without a number is the next."""
    watch = Keeping(every=100)
    with Training("resnet", watch=watch) as training:
        for number in range(3):
            training.update(number, loss=1.0)
        training.update(loss=1.0)
    with Training("resnet", watch=watch, counted_from=0) as training:
        training.update(30, loss=1.0)
    assert [step for step, _ in watch.kept] == [1, 2, 3, 4, 31]


def test_a_training_that_goes_on_is_told_as_such() -> None:
    """Its epochs begin later, and so do its curves."""
    watch = Keeping()
    with Training("resnet", watch=watch, total=40) as training:
        train(training, 6, first=31)
    assert "It went on from epoch 30: what came before is not in these figures." in watch.messages[0].text
    assert "31 to 35" in watch.messages[0].alts[0]
    assert "It ended at epoch 36 of 40." in watch.last.text


def test_with_a_log_a_training_that_goes_on_has_its_whole_curves(tmp_path: Path) -> None:
    """By the names that it uses itself."""
    for first, epochs in ((1, 8), (7, 4)):
        watch = Keeping()
        with Training("resnet", watch=watch, total=40, log=tmp_path / "metrics.csv") as training:
            train(training, epochs, first=first)
    assert "It went on from epoch 6.\n\nThe best validation loss" in watch.messages[0].text
    assert watch.messages[0].alts[0].startswith("Training loss and Validation loss by epoch, 1 to 10.")
    assert watch.messages[0].alts[1].startswith("Training accuracy and Validation accuracy by epoch, 1 to 10.")
    assert set(pd.read_csv(tmp_path / "metrics.csv")["run"]) == {"resnet"}


def test_steps_are_no_epochs() -> None:
    """A first number of 100 is no resumption where steps are counted, unless it is said."""
    watch = Keeping(every=200)
    with Training("bert", watch=watch, unit="step", total=1000) as training:
        for number in (100, 200, 300):
            training.update(number, loss=1 / number)
    assert watch.last.text.startswith("300 steps in ")
    assert "went on" not in watch.last.text
    assert "by step, 100 to 300" in watch.last.alts[0]
    with Training("bert", watch=watch, unit="step", after=400) as training:
        training.update(500, loss=0.1)
    assert "It went on from step 400" in watch.last.text


def test_a_loss_that_is_no_number_is_said(tmp_path: Path) -> None:
    """In text and log, and the curves have a gap."""
    watch = Keeping()
    with Training("resnet", watch=watch, log=tmp_path / "metrics.csv") as training:
        for number in range(1, 6):
            training.update(number, loss=math.nan if number > 3 else 1 / number)
    assert "The training loss is nan since epoch 4" in watch.messages[0].text
    assert pd.read_csv(tmp_path / "metrics.csv", keep_default_na=False)["loss"].tolist()[3:] == ["nan", "nan"]


def test_predictions_that_fail_are_told_and_nothing_else_is_lost(caplog: pytest.LogCaptureFixture) -> None:
    """The curves come all the same, and the next time they are asked for again."""
    calls: list[int] = []

    def predictions() -> str:
        calls.append(1)
        if len(calls) == 1:
            raise ValueError("no such layer")
        return "The cat sat."

    watch = Keeping()
    with caplog.at_level(logging.WARNING), Training("resnet", watch=watch, predictions=predictions) as training:
        train(training, 10)
    assert "Not shown, for sample predictions: ValueError: no such layer." in watch.messages[0].text
    assert len(watch.messages[0].images) == 3
    assert "The cat sat." in watch.messages[1].text
    assert "Not shown" not in watch.messages[1].text
    assert "no such layer" in caplog.text


def test_predictions_with_their_truth_go_into_the_log(tmp_path: Path) -> None:
    """Where there is one: the job shows them."""
    frame = pd.DataFrame({"line": ["RENT 4B"], "truth": ["Rent"], "predicted": ["Fees"]})
    with Training("a", watch=Keeping(), log=tmp_path / "metrics.csv", predictions=lambda: frame) as training:
        train(training, 5)
    assert (tmp_path / "predictions.csv").read_text("utf-8").splitlines()[1:] == ["a,5,1,RENT 4B,Rent,Fees,"]


@pytest.mark.parametrize("metrics", [{"loss": "high"}, {"loss": [1, 2]}, {"loss": None}, {"text": 1.0, "total": 2.0}])
def test_odd_metrics_disturb_nothing(metrics: dict[str, Any]) -> None:
    """What is no number is told; what has the name of something else keeps one."""
    watch = Keeping(every=1)
    with Training("resnet", watch=watch) as training:
        training.update(1, **metrics)
    if "loss" in metrics:
        assert "loss is no number, and is not shown." in watch.messages[0].text
    else:
        assert set(watch.messages[0].metrics) == {"Training text", "Training total"}


def test_a_watch_that_fails_disturbs_nothing(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    """Nothing is raised into the training, and its log goes on."""
    with caplog.at_level(logging.WARNING), Training("a", watch=Broken(), log=tmp_path / "metrics.csv") as training:
        train(training, 3)
        training.finish(saved=tmp_path)
    assert len((tmp_path / "metrics.csv").read_text("utf-8").splitlines()) == 7
    assert [one.getMessage() for one in caplog.records] == [
        "update of the monitor: RuntimeError: not asked, of training a",
        "finish of the monitor: RuntimeError: not told, of training a",
    ]


def test_a_log_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """And the curves come all the same."""
    (tmp_path / "taken").write_text("", "utf-8")
    watch = Keeping()
    with Training("a", watch=watch, log=tmp_path / "taken" / "metrics.csv") as training:
        train(training, 5)
    assert "Not shown, for the log:" in watch.messages[0].text
    assert len(watch.messages[0].images) == 3


def test_wrong_arguments_are_told_before_the_training() -> None:
    """By name; what a given watch decides is not said twice."""
    with pytest.raises(TypeError, match="takes no evry; it takes to, via"):
        Training("a", evry=5)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="says every itself"):
        Training("a", watch=Keeping(), every=5)


def test_between_two_messages_an_update_costs_microseconds() -> None:
    """Far under a millisecond at the median, on any machine."""
    costs = []
    with Training("a", watch=Keeping(every=10**9), total=10_000) as training:
        for number in range(1, 5001):
            begun = time.perf_counter()
            training.update(number, loss=0.1, val_loss=0.2, accuracy=0.9, val_accuracy=0.8, lr=0.001)
            costs.append(time.perf_counter() - begun)
    assert sorted(costs)[len(costs) // 2] < 0.001
