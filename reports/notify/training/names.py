"""What the names of metrics say: of which part of the data, how they are called, and which way is better.

Keras says `val_accuracy`, Lightning `train/loss` or `train_loss_epoch`, Transformers `eval_loss`, people `loss_val`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Direction = Literal["up", "down"]
Split = Literal["", "training", "validation", "test"]

_SPLITS: Mapping[str, Split] = {
    "train": "training",
    "training": "training",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "eval": "validation",
    "dev": "validation",
    "test": "test",
}
_RATES = frozenset({"lr", "learning_rate"})
_NEITHER = frozenset({"grad_norm"})  # measured in training, and no measure of the model
_DOWN = frozenset(
    {"loss", "error", "err", "perplexity", "ppl", "mae", "mse", "rmse", "mape", "wer", "cer", "nll", "kl", "fid"}
    | {"ter", "bce", "crossentropy", "entropy", "divergence", "hinge", "hamming"}
)
_UP = frozenset(
    {"accuracy", "acc", "f1", "auc", "auroc", "precision", "recall", "bleu", "rouge", "rouge1", "rouge2", "rougel"}
    | {
        "rougelsum",
        "chrf",
        "meteor",
        "iou",
        "map",
        "dice",
        "r2",
        "psnr",
        "ssim",
        "top1",
        "top5",
        "sensitivity",
        "specificity",
        "mcc",
    }
)
_SHARES = frozenset({"accuracy", "acc", "top1", "top5"})
_WHOLE: Mapping[str, str] = {
    "acc": "Accuracy",
    "lr": "Learning rate",
    "map": "mAP",
    "iou": "IoU",
    "r2": "R²",
    "chrf": "chrF",
}
_CAPITAL = frozenset(
    {"f1", "auc", "auroc", "mae", "mse", "rmse", "mape", "wer", "cer", "nll", "kl", "fid", "bce", "psnr", "ssim", "mcc"}
    | {"bleu", "rouge", "ppl", "ter"}
)


@dataclass(frozen=True)
class Name:
    """A metric and the part of the data that it was measured on; `split` is empty for what is of no part."""

    metric: str
    split: Split

    @property
    def label(self) -> str:
        """The metric as people write it: Loss, Sparse categorical accuracy, F1."""
        words = re.split(r"[_\s/.-]+", self.metric)
        if len(words) == 1 and words[0].lower() in _WHOLE:
            return _WHOLE[words[0].lower()]
        said = " ".join(word.upper() if word.lower() in _CAPITAL else word for word in words)
        return said[:1].upper() + said[1:]

    @property
    def whole(self) -> str:
        """The metric with its part, as in a sentence: validation loss, training F1."""
        first, *others = self.label.split()
        plain = first[1:].islower()
        return " ".join([*([self.split] if self.split else []), first.lower() if plain else first, *others])

    @property
    def heading(self) -> str:
        """The same at the head of something: Validation loss."""
        return self.whole[:1].upper() + self.whole[1:]


@lru_cache(maxsize=1000)
def parse(name: str) -> Name:
    """A metric's name as a framework writes it, taken apart."""
    if rate(name) or name in _NEITHER:
        return Name("lr" if rate(name) else name, "")
    kept = name.removesuffix("_epoch") or name
    words = re.split(r"([_/.\s-]+)", kept)
    if len(words) > 2 and words[0].lower() in _SPLITS:
        return Name("".join(words[2:]), _SPLITS[words[0].lower()])
    if len(words) > 2 and words[-1].lower() in _SPLITS:
        return Name("".join(words[:-2]), _SPLITS[words[-1].lower()])
    return Name(kept, "training")


def rate(name: str) -> bool:
    """Whether it is a learning rate; Lightning's monitor calls them lr-Adam, lr-SGD/pg1."""
    return name.lower() in _RATES or name.startswith("lr-")


def direction(metric: str) -> Direction | None:
    """Which way is better; None where the name does not tell."""
    words = [word.lower() for word in re.split(r"[_\s/.@-]+", metric)]
    for word in reversed(words):  # what it is stands at the end: mean_squared_error, top_5_accuracy
        if word in _DOWN or word in _UP:
            return "down" if word in _DOWN else "up"
    return None


def share(metric: str, *values: float) -> bool:
    """Whether the values are parts of one that people read as percent."""
    words = {word.lower() for word in re.split(r"[_\s/.@-]+", metric)}
    return bool(words & _SHARES) and all(0 <= value <= 1 for value in values if math.isfinite(value))


def say(metric: str, value: float) -> str:
    """A value in few characters: 91.2%, 0.3120, 3e-04, nan."""
    if not math.isfinite(value):
        return str(value)
    if share(metric, value):
        return f"{value:.1%}"
    if rate(metric):
        return f"{value:.3g}"
    size = abs(value)
    if size and not 1e-4 <= size < 1e6:
        return f"{value:.3e}"
    return f"{value:,.{decimals(size)}f}"


def decimals(largest: float) -> int:
    """How many decimals numbers up to this size are shown with: about four digits."""
    return 4 if largest < 1 else 3 if largest < 10 else 2 if largest < 100 else 1 if largest < 1000 else 0
