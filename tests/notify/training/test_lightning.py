"""PyTorch Lightning, training a small module for real: on a CPU, in seconds."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from frameworks import needs
from keeping import Keeping

needs("torch", "lightning")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of importing them, which is theirs
    from small_lightning import VALUES, Module, lightning, rows, torch
pytestmark = [pytest.mark.training, pytest.mark.filterwarnings("ignore::Warning")]  # its hints are not ours


def fit(module: Module, *callbacks: Any, **options: Any) -> Any:
    settings = {"max_epochs": 4, "logger": False, "enable_checkpointing": False, **options}
    trainer = lightning.Trainer(
        accelerator="cpu", enable_progress_bar=False, enable_model_summary=False, callbacks=list(callbacks), **settings
    )
    trainer.fit(module, rows(), rows())
    return trainer


def callback(watch: Keeping, **options: Any) -> Any:
    from reports.notify.training.lightning import LightningCallback  # noqa: PLC0415  its import needs Lightning

    return LightningCallback("large", watch=watch, **options)


def test_fit_tells_what_the_module_logs_of_epochs() -> None:
    """Not of steps, nor of the sanity check; rates are those that the epoch was trained with."""
    watch = Keeping(every=2)
    trainer = fit(Module(), callback(watch))
    assert [step for step, _ in watch.kept] == [1, 2, 3, 4]
    assert [set(metrics) for _, metrics in watch.kept] == [
        {"Learning rate", "Training loss", "Validation loss", "Validation accuracy"}
    ] * 4
    assert [metrics["Learning rate"] for _, metrics in watch.kept] == pytest.approx([0.01, 0.01, 0.001, 0.001])
    last = watch.kept[-1][1]
    assert last["Training loss"] == pytest.approx(float(trainer.callback_metrics["train_loss_epoch"]))
    assert last["Validation accuracy"] == f"{float(trainer.callback_metrics['val_acc']):.1%}"
    assert [(message.step, message.total) for message in watch.messages] == [(2, 4), (4, 4)]
    assert watch.last.alts[0].startswith("Training loss and Validation loss by epoch, 1 to 4.")


def test_validation_of_an_epoch_before_is_not_said_again() -> None:
    """Where only every second epoch is validated."""
    watch = Keeping()
    fit(Module(), callback(watch), check_val_every_n_epoch=2)
    assert ["Validation loss" in metrics for _, metrics in watch.kept] == [False, True, False, True]


def test_predictions_find_the_module_as_it_is_used() -> None:
    """In evaluation mode and without gradients; it is trained on as it was."""
    seen: list[tuple[bool, bool]] = []

    def predictions(module: Any) -> str:
        seen.append((module.training or module.drop.training, torch.is_grad_enabled()))
        return f"{module(VALUES[:3]).argmax(dim=1).tolist()}"

    watch, module, modes = Keeping(every=2), Module(), list[bool]()
    module.drop.register_forward_hook(lambda drop, *_: modes.append(drop.training))
    fit(module, callback(watch, predictions=predictions), limit_val_batches=0)
    assert seen == [(False, False)] * 2
    assert modes == [*[True] * 8, False] * 2
    assert "[" in watch.messages[0].text


def test_the_best_checkpoint_and_the_module_are_told(tmp_path: Path) -> None:
    """Once everything is written."""
    watch = Keeping()
    saver = lightning.callbacks.ModelCheckpoint(tmp_path, monitor="val_loss")
    fit(Module(), callback(watch), saver, enable_checkpointing=True)
    assert f"The model lies at {saver.best_model_path} (" in watch.last.text
    assert "The model has 154 parameters." in watch.last.text
    assert watch.last.tables["Model"].to_dict("list") == {
        "Layer": ["body", "drop", "head"], "Kind": ["Linear", "Dropout", "Linear"], "Parameters": [136, 0, 18],
    }  # fmt: skip


def test_an_error_is_told_with_what_there_is() -> None:
    """And raised on."""
    watch = Keeping()
    with pytest.raises(FloatingPointError):
        fit(Module(fails_at=2), callback(watch))
    assert watch.last.text.startswith("2 epochs in ")
    assert "It ended at epoch 2 of 4." in watch.last.text


def test_other_processes_are_silent(tmp_path: Path) -> None:
    """Of several that train together, the first tells and writes the log."""

    class Second:
        """As a trainer is in the second process."""

        is_global_zero, max_epochs, current_epoch, optimizers = False, 4, 0, ()
        callback_metrics = {"train_loss": 1.0}  # noqa: RUF012
        sanity_checking = False

    watch = Keeping(every=1)
    silent = callback(watch, log=tmp_path / "metrics.csv")
    for hook in (
        "on_train_start",
        "on_train_epoch_start",
        "on_validation_epoch_end",
        "on_train_epoch_end",
        "on_fit_end",
    ):
        getattr(silent, hook)(Second(), Module())
    assert (watch.kept, watch.closing) == ([], None)
    assert not (tmp_path / "metrics.csv").exists()


def test_a_fit_that_goes_on_is_told_as_such(tmp_path: Path) -> None:
    """From a checkpoint, with the epochs before it out of the log."""
    path, log = tmp_path / "half.ckpt", tmp_path / "metrics.csv"
    fit(Module(), callback(Keeping(), log=log), max_epochs=2).save_checkpoint(path)
    watch = Keeping()
    trainer = lightning.Trainer(
        max_epochs=4, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, callbacks=[callback(watch, log=log)],
    )  # fmt: skip
    trainer.fit(Module(), rows(), rows(), ckpt_path=path)
    assert [step for step, _ in watch.kept] == [3, 4]
    assert "It went on from epoch 2." in watch.last.text
    assert "by epoch, 1 to 4." in watch.last.alts[0]
    assert pd.read_csv(log)["run"].unique().tolist() == ["large"]


def test_a_program_with_pytorch_lightning_gets_its_callback() -> None:
    """The package has two names, and a trainer of one knows nothing of the other's."""
    program = """
import pytorch_lightning
from reports.notify.training.lightning import LightningCallback
assert issubclass(LightningCallback, pytorch_lightning.Callback)
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=120)
    assert ran.returncode == 0, ran.stderr
