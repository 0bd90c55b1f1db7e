"""Promises of metrics: numbers stay numbers, nothing waits for a device, and no graph is held."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pytest

from reports.notify.measures import kept, plain


class Tensor:
    """What PyTorch's tensors do, as far as it matters: a device, a graph, and a wait for the value."""

    def __init__(self, value: float, device: str, graph: object = "graph") -> None:
        self.value, self.device, self.graph = value, type("Device", (), {"type": device})(), graph
        self.waited = 0

    def detach(self) -> Self:
        return type(self)(self.value, self.device.type, None)

    def clone(self) -> Self:
        return type(self)(self.value, self.device.type, self.graph)

    def numel(self) -> int:
        return 1

    def item(self) -> float:
        self.waited += 1
        return self.value

    def __float__(self) -> float:
        return self.item()


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.5, 0.5), (3, 3), (True, True), ("warm", "warm"), (np.float32(0.5), 0.5), (np.int64(3), 3), (np.array(0.25), 0.25),
     (None, "None"), ([1, 2], "[1, 2]")],
)  # fmt: skip
def test_plain_values_are_kept_as_they_are(value: Any, expected: Any) -> None:
    """NumPy's scalars as Python's."""
    assert kept(value) == expected
    assert type(plain(kept(value))) is type(expected)


def test_a_tensor_on_a_device_is_not_waited_for() -> None:
    """Until its message is made; its graph of gradients is let go."""
    tensor = Tensor(0.5, "cuda")
    held = kept(tensor)
    assert (held.graph, held.waited, tensor.waited) == (None, 0, 0)
    assert plain(held) == 0.5


def test_a_tensor_here_is_a_number_at_once() -> None:
    """So that adding to it in place afterwards does not change what was said."""
    tensor = Tensor(0.5, "cpu")
    held = kept(tensor)
    tensor.value += 1
    assert held == 0.5


def test_what_is_no_number_is_a_short_text() -> None:
    """However large it is."""
    assert len(plain(kept(np.zeros(100_000)))) <= 200
    assert len(kept("x" * 10_000)) == 200
