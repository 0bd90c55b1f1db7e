"""A PyTorch module as it is used, while it is trained: for sample predictions on the way."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import torch


def evaluating(function: Callable[..., object]) -> Callable[..., object]:
    """The function, which finds the module it is given first in evaluation mode, and computes no gradients."""

    @wraps(function)
    def predictions(*given: Any) -> object:
        with _used(given[0]) if given else torch.no_grad():
            return function(*given)

    predictions.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]  # how many it takes
    return predictions


@contextmanager
def _used(module: Any) -> Iterator[None]:
    training = [one for one in module.modules() if one.training]
    module.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for one in training:
            one.training = True
