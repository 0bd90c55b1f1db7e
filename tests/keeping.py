"""A watch that keeps what it is told: what a training says, without a message being made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd


def given(value: Any) -> Any:
    """What stands there, or what the function gives that stands for it."""
    return value() if callable(value) else value


@dataclass
class Told:
    """One message: its text, its pictures with their alt texts, its tables, its files and its metrics."""

    step: Any
    total: Any
    text: str
    images: Sequence[tuple[Any, str]]
    tables: dict[str, pd.DataFrame]
    attachments: Sequence[Any]
    metrics: dict[str, Any]

    @property
    def alts(self) -> list[str]:
        return [alt for _, alt in self.images]


@dataclass
class Keeping:
    """Of updates it keeps the numbers, and the messages of those that are due: each `every`-th number."""

    every: int = 5
    kept: list[tuple[Any, dict[str, Any]]] = field(default_factory=list)
    messages: list[Told] = field(default_factory=list)
    closing: Told | None = None

    def due(self, step: Any = None) -> bool:
        return bool(step % self.every == 0)

    def update(self, step: Any = None, /, *, total: Any = None, **told: Any) -> None:
        text, images, tables, files, metrics = _taken(told)
        self.kept.append((step, metrics))
        if self.due(step):
            self.messages.append(Told(step, total, text, given(images), tables, files, metrics))

    def finish(self, **told: Any) -> None:
        text, images, tables, files, metrics = _taken(told)
        self.closing = Told(None, None, text, given(images), tables, files, metrics)

    @property
    def last(self) -> Told:
        """The closing message."""
        assert self.closing is not None
        return self.closing


def _taken(told: dict[str, Any]) -> tuple[str, Any, dict[str, pd.DataFrame], Sequence[Any], dict[str, Any]]:
    tables = given(told.pop("tables", None)) or {}
    return told.pop("text", ""), told.pop("images", ()), tables, given(told.pop("attachments", ())), told


class Broken(Keeping):
    """One whose every call fails, as none should."""

    def due(self, *_: Any) -> bool:
        raise RuntimeError("not asked")

    def update(self, *_: Any, **__: Any) -> None:
        raise RuntimeError("not told")

    def finish(self, **__: Any) -> None:
        raise RuntimeError("not told")
