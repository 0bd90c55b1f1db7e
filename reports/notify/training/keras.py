"""Keras 3: `model.fit(..., callbacks=[KerasCallback("digits", to="me@example.com", every=5)])`."""

from __future__ import annotations

from typing import Any, Unpack

from reports.errors import MissingDependency
from reports.notify.training.monitor import Training
from reports.notify.training.options import Options
from reports.notify.training.watches import Watching

try:
    from keras.callbacks import Callback
except ModuleNotFoundError as error:
    raise MissingDependency(str(error.name).partition(".")[0], extra="", purpose="KerasCallback") from error


class KerasCallback(Callback):
    """Tells of `model.fit`: its metrics and those of validation, its end, and where a ModelCheckpoint saved the model.

    It takes what `Training` takes; `predictions` gets the model. `fit` that fails is told at the end of the program, or
    at once where it runs inside of a `watch` that is given.
    """

    def __init__(self, name: str, *, watch: Watching | None = None, **options: Unpack[Options]) -> None:
        super().__init__()
        self.training = Training(name, watch=watch, **options)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002  Keras gives it
        planned = (self.params or {}).get("epochs")
        self.training.begin(self.model, **({"total": planned} if planned else {}))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Counted from 0 by Keras, and from there on where `initial_epoch` says so."""
        self.training.update(epoch + 1, _rated(self.model, logs or {}))

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002  Keras gives it
        self.training.end()


def _rated(model: Any, logs: dict[str, Any]) -> dict[str, Any]:
    """The metrics with the learning rate, where no callback has put it among them."""
    rate = getattr(getattr(model, "optimizer", None), "learning_rate", None)
    return logs if rate is None or "learning_rate" in logs else {**logs, "learning_rate": rate}
