"""PyTorch Lightning: `Trainer(callbacks=[LightningCallback("digits", to="me@example.com", every=5)])`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, Unpack

from reports.errors import MissingDependency
from reports.notify.training.monitor import Training
from reports.notify.training.names import parse
from reports.notify.training.options import Options
from reports.notify.training.watches import Watching

try:
    if "pytorch_lightning" in sys.modules and "lightning.pytorch" not in sys.modules:  # as the program has it
        from pytorch_lightning.callbacks import Callback
    else:
        from lightning.pytorch.callbacks import Callback
    from reports.notify.training.evaluating import evaluating
except ModuleNotFoundError as error:
    raise MissingDependency(str(error.name).partition(".")[0], extra="", purpose="LightningCallback") from error


class LightningCallback(Callback):
    """Tells of `trainer.fit`: what the module logs in an epoch, its end or error, and the best model of a checkpoint.

    It takes what `Training` takes; `predictions` gets the module, in evaluation mode and without gradients. In
    distributed training the first process speaks, and any other of an error alone.
    """

    def __init__(self, name: str, *, watch: Watching | None = None, **options: Unpack[Options]) -> None:
        super().__init__()
        if "predictions" in options:
            options["predictions"] = evaluating(options["predictions"])
        self.training = Training(name, watch=watch, **options)
        self._validated: set[str] = set()
        self._rates: dict[str, float] = {}

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        if trainer.is_global_zero:
            self.training.begin(pl_module, **_planned(trainer))

    def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:  # noqa: ARG002  Lightning gives it
        """The rates of the epoch that begins; at its end schedulers may have set those of the next."""
        self._validated = set()
        self._rates = dict(_rates(trainer.optimizers))

    def on_validation_epoch_end(self, trainer: Any, pl_module: Any) -> None:  # noqa: ARG002  Lightning gives it
        """Which metrics are of this epoch: the others of validation stay from an epoch before."""
        if not trainer.sanity_checking:
            self._validated |= set(trainer.callback_metrics)

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:  # noqa: ARG002  Lightning gives it
        if trainer.is_global_zero:
            measured = {name: value for name, value in trainer.callback_metrics.items() if self._fresh(name)}
            self.training.update(trainer.current_epoch + 1, {**self._rates, **_whole(measured)})

    def on_fit_end(self, trainer: Any, pl_module: Any) -> None:  # noqa: ARG002  Lightning gives it
        """After every other callback has ended its training: the checkpoint is written."""
        if trainer.is_global_zero:
            self.training.finish(saved=_checkpoint(trainer))
            self.training.end()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        if not trainer.is_global_zero:
            self.training.begin(pl_module)
        self.training.end(exception)

    def _fresh(self, name: str) -> bool:
        return name in self._validated or parse(name).split != "validation"


def _planned(trainer: Any) -> Options:
    """The epochs that are planned, unless there is no end to them."""
    return {"total": trainer.max_epochs} if (trainer.max_epochs or 0) > 0 else {}


def _whole(measured: dict[str, Any]) -> dict[str, Any]:
    """Without what is a step's alone, and the double of what has a name for the epoch."""
    return {
        name: value
        for name, value in measured.items()
        if not (name.endswith("_step") or f"{name}_epoch" in measured)
    }  # fmt: skip


def _rates(optimizers: list[Any]) -> Iterator[tuple[str, float]]:
    for place, optimizer in enumerate(optimizers):
        name = "learning_rate" if len(optimizers) == 1 else f"lr-{place + 1}"
        yield name, float(optimizer.param_groups[0]["lr"])


def _checkpoint(trainer: Any) -> object:
    """What has saved the model, if something has."""
    saver = getattr(trainer, "checkpoint_callback", None)
    return saver if saver is not None and (saver.best_model_path or getattr(saver, "last_model_path", "")) else None
