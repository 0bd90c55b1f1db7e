"""Hugging Face's Trainer: `Trainer(..., callbacks=[HuggingFaceCallback("bert", to="me@example.com")])`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import Any, Unpack

from reports.errors import MissingDependency
from reports.notify.training.monitor import Training
from reports.notify.training.options import Options
from reports.notify.training.watches import Watching

try:
    from transformers import TrainerCallback

    from reports.notify.training.evaluating import evaluating
except ModuleNotFoundError as error:
    raise MissingDependency(str(error.name).partition(".")[0], extra="", purpose="HuggingFaceCallback") from error

_ENDINGS = ("_runtime", "_per_second", "_compilation_time", "_mem_gpu", "_mem_cpu")
_ASIDE = frozenset({"epoch", "step", "total_flos", "num_input_tokens_seen", "num_tokens", "grad_norm"})


class HuggingFaceCallback(TrainerCallback):
    """Tells of `trainer.train`: what it logs and evaluates in an epoch, its end, and its best checkpoint.

    It takes what `Training` takes, and counts epochs, or steps with `unit="step"`; `predictions` gets the model, and
    the tokenizer where it takes two. In distributed training only the first process speaks.
    """

    def __init__(self, name: str, *, watch: Watching | None = None, **options: Unpack[Options]) -> None:
        if "predictions" in options:
            options["predictions"] = evaluating(options["predictions"])
        self.training = Training(name, watch=watch, **options)
        self._losses: list[float] = []
        self._seen: dict[str, Any] = {}
        self._whole: float | None = None  # what has ended, and is told once it is evaluated

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """A training that goes on brings the log of what came before."""
        self._losses, self._seen, self._whole = [], {}, None
        if state.is_world_process_zero:
            given = [kwargs[name] for name in ("model", "processing_class") if kwargs.get(name) is not None]
            self.training.begin(*given, **_planned(args, state, steps=self._steps))
            self.training.earlier(_earlier(state.log_history, steps=self._steps))

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:  # noqa: ARG002
        """Losses of training, whose mean is an epoch's, and what an evaluation measured."""
        if not logs or "train_runtime" in logs:  # the sums of the whole training, at its end
            return
        if "loss" in logs:
            self._losses.append(float(logs["loss"]))
        self._seen.update(_measured(logs))
        if self._steps:
            self._whole = state.global_step

    def on_evaluate(self, args: Any, state: Any, control: Any, metrics: Any = None, **kwargs: Any) -> None:  # noqa: ARG002
        self.on_log(args, state, control, logs=metrics)

    def on_epoch_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """The Trainer logs and evaluates an epoch after it has said that it ends."""
        if not self._steps:
            self._whole = _epoch(state.epoch)

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        self._tell(state)

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        if self._whole is not None:
            self._tell(state)

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        self._tell(state)
        if state.is_world_process_zero:
            self.training.finish(saved=_checkpoint(args, state))
            self.training.end()

    @property
    def _steps(self) -> bool:
        return self.training.unit == "step"

    def _tell(self, state: Any) -> None:
        if self._whole is not None and state.is_world_process_zero:
            loss = {"loss": fmean(self._losses)} if self._losses else {}
            self.training.update(self._whole, {**self._seen, **loss})
        if self._whole is not None:
            self._losses, self._seen, self._whole = [], {}, None


def _measured(logs: Mapping[str, Any]) -> dict[str, Any]:
    """What is measured of the model, and the learning rate."""
    return {name: value for name, value in logs.items() if not (name in _ASIDE or name.endswith(_ENDINGS))}


def _epoch(at: float | None) -> float:
    """The epoch in which a place lies: 1.0 is the end of the first."""
    return max(math.ceil(round(at or 0, 6)), 1)


def _planned(args: Any, state: Any, *, steps: bool) -> Options:
    """How many are planned, and what the Trainer itself judges by."""
    planned: Options = {
        "total": state.max_steps if steps else math.ceil(state.num_train_epochs),
        "after": state.global_step if steps else math.floor(round(state.epoch or 0, 6)),
    }
    if judged := args.metric_for_best_model:
        name = judged if judged.startswith("eval_") else f"eval_{judged}"
        planned["monitor"], planned["better"] = name, {name: "up" if args.greater_is_better else "down"}
    return planned


def _earlier(history: list[dict[str, Any]], *, steps: bool) -> list[tuple[float, dict[str, Any]]]:
    """What the log of a training that goes on has of each epoch or step."""
    found: dict[float, dict[str, Any]] = {}
    losses: dict[float, list[float]] = {}
    for logs in history:
        at = logs.get("step", 0) if steps else _epoch(logs.get("epoch"))
        if "train_runtime" not in logs:
            losses.setdefault(at, []).extend([float(logs["loss"])] if "loss" in logs else [])
            found.setdefault(at, {}).update(_measured(logs))
    for at, own in losses.items():
        found[at].update({"loss": fmean(own)} if own else {})
    return sorted(found.items())


def _checkpoint(args: Any, state: Any) -> Path | None:
    """The best checkpoint, or the newest one; None if nothing was saved."""
    if state.best_model_checkpoint:
        return Path(state.best_model_checkpoint)
    folder = Path(args.output_dir)
    saved = [one for one in folder.glob("checkpoint-*") if one.name.rpartition("-")[2].isdigit()]
    return max(saved, key=lambda one: int(one.name.rpartition("-")[2]), default=None)
