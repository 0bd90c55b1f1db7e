"""What the owner of a job says in another language: its titles, labels and notes, looked up in its [words]."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

_TEXTS = frozenset({"title", "note", "label", "empty", "alt", "text", "unit", "credit", "name"})
Said = TypeVar("Said")


def nearest(words: Mapping[str, Mapping[str, str]], language: str) -> Mapping[str, str]:
    """The words of a language, or of the one that it is a kind of: those of de for de-AT."""
    spelled = {name.replace("_", "-").lower(): found for name, found in words.items()}
    parts = language.replace("_", "-").lower().split("-")
    names = ("-".join(parts[:count]) for count in range(len(parts), 0, -1))
    return next((spelled[name] for name in names if name in spelled), {})


def reworded(value: Said, words: Mapping[str, str]) -> Said:
    """A block, a sheet or a book with its texts in those words; what they do not have stays as it is."""
    if not words or not is_dataclass(value):
        return value
    changed = {one.name: _reworded(one.name, getattr(value, one.name), words) for one in fields(value)}
    return replace(value, **changed)  # type: ignore[type-var]


def _reworded(name: str, value: Any, words: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return words.get(value, value) if name in _TEXTS else value
    if isinstance(value, list | tuple):
        return [reworded(one, words) for one in value]
    return reworded(value, words) if is_dataclass(value) else value
