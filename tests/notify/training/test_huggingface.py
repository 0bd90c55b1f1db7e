"""Hugging Face's Trainer, training a small BERT for real: on a CPU, in seconds, without a download."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any

import pytest
from frameworks import needs
from keeping import Keeping

needs("torch", "transformers", "accelerate")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of importing them, which is theirs
    from small_bert import Sentences, model, torch, transformers
pytestmark = [pytest.mark.training, pytest.mark.filterwarnings("ignore::Warning")]  # its hints are not ours


def right(said: Any) -> dict[str, float]:
    return {"accuracy": float((said.predictions.argmax(-1) == said.label_ids).mean())}


def train(folder: Path, watch: Keeping, *, resume: str | None = None, counts: Any = None, **options: Any) -> Any:
    """Two steps to the loss, four to the epoch, unless `options` say otherwise; `counts` are the callback's own."""
    from reports.notify.training.huggingface import HuggingFaceCallback  # noqa: PLC0415  its import needs Transformers

    logging.getLogger("transformers").setLevel(logging.ERROR)
    settings = {
        "num_train_epochs": 4, "per_device_train_batch_size": 12, "report_to": [], "logging_steps": 2, "seed": 7,
        "eval_strategy": "epoch", "save_strategy": "epoch", "disable_tqdm": True, "use_cpu": True, **options,
    }  # fmt: skip
    trainer = transformers.Trainer(
        model(), transformers.TrainingArguments(str(folder), **settings), train_dataset=Sentences(),
        eval_dataset=Sentences(), compute_metrics=right, callbacks=[HuggingFaceCallback("bert", watch=watch, **(counts or {}))],
    )  # fmt: skip
    trainer.train(resume_from_checkpoint=resume)
    return trainer


def test_train_tells_of_each_epoch_once_it_is_evaluated(tmp_path: Path) -> None:
    """The mean of its logged losses, the last rate, and the evaluation; nothing of how fast it is."""
    watch = Keeping(every=2)
    history = train(tmp_path, watch).state.log_history
    losses = [logs["loss"] for logs in history if "loss" in logs]
    assert [step for step, _ in watch.kept] == [1, 2, 3, 4]
    told = [metrics["Training loss"] for _, metrics in watch.kept]
    assert told == pytest.approx([(losses[at] + losses[at + 1]) / 2 for at in (0, 2, 4, 6)])
    evaluated = [f"{logs['eval_accuracy']:.1%}" for logs in history if "eval_accuracy" in logs]
    assert [metrics["Validation accuracy"] for _, metrics in watch.kept] == evaluated
    assert set(watch.kept[0][1]) == {"Training loss", "Learning rate", "Validation loss", "Validation accuracy"}
    assert [(message.step, message.total) for message in watch.messages] == [(2, 4), (4, 4)]


def test_what_the_trainer_judges_by_decides_and_the_best_checkpoint_is_told(tmp_path: Path) -> None:
    """As in its arguments; the last checkpoint where none is the best."""
    watch = Keeping()
    state = train(tmp_path / "best", watch, load_best_model_at_end=True, metric_for_best_model="accuracy").state
    assert f"The model lies at {state.best_model_checkpoint} (" in watch.last.text
    assert f"The best validation accuracy is {state.best_metric:.1%}, in epoch " in watch.last.text
    assert watch.last.tables["Model"]["Layer"].tolist() == ["bert", "dropout", "classifier"]
    train(tmp_path / "last", watch)
    assert f"The model lies at {tmp_path / 'last' / 'checkpoint-16'} (" in watch.last.text


def test_steps_are_counted_where_that_is_asked_for(tmp_path: Path) -> None:
    """As for one long epoch: a point at each log, and evaluation where it is."""
    watch = Keeping(every=4)
    counts = {"unit": "step"}
    train(tmp_path, watch, counts=counts, num_train_epochs=2, eval_strategy="steps", eval_steps=4, save_strategy="no")
    assert [step for step, _ in watch.kept] == [2, 4, 6, 8]
    assert ["Validation loss" in metrics for _, metrics in watch.kept] == [False, True, False, True]
    assert [(message.step, message.total) for message in watch.messages] == [(4, 8), (8, 8)]
    assert watch.last.text.startswith("8 steps in ")
    assert "went on" not in watch.last.text


def test_a_training_that_goes_on_knows_what_came_before(tmp_path: Path) -> None:
    """Out of the checkpoint's own log."""
    train(tmp_path, Keeping())
    watch = Keeping()
    train(tmp_path, watch, resume=str(tmp_path / "checkpoint-8"))
    assert [step for step, _ in watch.kept] == [3, 4]
    assert "2 epochs in " in watch.last.text
    assert "It went on from epoch 2." in watch.last.text
    assert "by epoch, 1 to 4." in watch.last.alts[0]


def test_an_end_within_an_epoch_is_told(tmp_path: Path) -> None:
    """By max_steps."""
    watch = Keeping()
    train(tmp_path, watch, max_steps=6, save_strategy="no")
    assert [step for step, _ in watch.kept] == [1, 2]


def test_predictions_get_the_model_and_the_tokenizer_if_they_take_it(tmp_path: Path) -> None:
    """In evaluation mode and without gradients."""
    seen: list[tuple[bool, bool]] = []

    def predictions(network: Any) -> list[tuple[str, str]]:
        seen.append((network.training, torch.is_grad_enabled()))
        return [("a b c", "large")]

    watch = Keeping(every=2)
    train(tmp_path, watch, counts={"predictions": predictions}, save_strategy="no")
    assert seen == [(False, False)] * 2
    assert watch.last.tables["Sample predictions"]["Predicted"].tolist() == ["large"]


def test_other_processes_are_silent(tmp_path: Path) -> None:
    """Driven by the Trainer's own callback handler, as in the second process."""
    from transformers.trainer_callback import CallbackHandler  # noqa: PLC0415

    from reports.notify.training.huggingface import HuggingFaceCallback  # noqa: PLC0415

    watch = Keeping(every=1)
    silent = HuggingFaceCallback("bert", watch=watch, log=tmp_path / "metrics.csv")
    handler = CallbackHandler([silent], model(), None, None, None)
    args = transformers.TrainingArguments(str(tmp_path), report_to=[], use_cpu=True)
    control = transformers.TrainerControl()
    state = transformers.TrainerState(epoch=1.0, num_train_epochs=2, is_world_process_zero=False)
    handler.on_train_begin(args, state, control)
    handler.on_log(args, state, control, {"loss": 0.5})
    handler.on_epoch_end(args, state, control)
    handler.on_epoch_begin(args, state, control)
    handler.on_train_end(args, state, control)
    assert (watch.kept, watch.closing) == ([], None)
    assert not (tmp_path / "metrics.csv").exists()
