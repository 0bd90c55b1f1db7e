"""Metrics as training code has them: numbers, and scalars of NumPy, PyTorch and others, which are not kept alive."""

from __future__ import annotations

from typing import Any

LONGEST = 200


def kept(value: Any) -> Any:
    """What is kept of a metric at once: a number or a text, or, of what lies on a device, a copy that waits there.

    Nothing waits for the device, and no graph of gradients is held.
    """
    try:
        return _kept(value)
    except Exception:  # noqa: BLE001  a value's own code; the others are still told
        return f"({type(value).__name__})"


def _kept(value: Any) -> Any:
    if type(value) in {float, int, bool, str}:
        return value if type(value) is not str else value[:LONGEST]
    if hasattr(value, "detach"):  # a tensor of PyTorch
        value = value.detach()
        return value.item() if _is_here(value) and value.numel() == 1 else value.clone()
    if hasattr(value, "item") and getattr(value, "size", 0) == 1 and hasattr(value, "tobytes"):  # NumPy
        return value.item()
    return value if hasattr(value, "dtype") else str(value)[:LONGEST]


def plain(value: Any) -> float | int | bool | str:
    """The metric as a number or a text; this may wait for a device, and is asked where a message is made."""
    if isinstance(value, float | int | str):
        return value
    try:
        return float(value)
    except Exception:  # noqa: BLE001  likewise
        return text(value)


def text(value: Any) -> str:
    """The value as a short text in one line, whatever its own code does."""
    try:
        return " ".join(str(value).split())[:LONGEST]
    except Exception:  # noqa: BLE001  likewise
        return f"({type(value).__name__})"


def _is_here(tensor: Any) -> bool:
    return bool(getattr(getattr(tensor, "device", None), "type", "cpu") == "cpu")
