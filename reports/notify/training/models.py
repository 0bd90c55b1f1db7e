"""A trained model in words: its layers and parameters, and where on disk it lies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from reports.model import size

_MOST = 30  # layers that a message shows; the text has all of them


@dataclass(frozen=True)
class Summary:
    """What a model is made of: a table of its parts, one sentence, and the framework's own text of it."""

    table: pd.DataFrame | None = None
    sentence: str = ""
    text: str = ""


def summary(model: object) -> Summary:
    """Of a Keras or PyTorch model, or of a text or table that says it; empty for anything else."""
    if isinstance(model, str):
        return Summary(text=model)
    if isinstance(model, pd.DataFrame):
        return Summary(table=model)
    if hasattr(model, "count_params") and hasattr(model, "layers"):
        return _keras(model)
    if hasattr(model, "named_children") and hasattr(model, "parameters"):
        return _torch(model)
    return Summary()


def _keras(model: Any) -> Summary:
    lines: list[str] = []
    model.summary(print_fn=lambda line, *_, **__: lines.append(str(line)))
    rows = [(one.name, type(one).__name__, _shape(one), one.count_params()) for one in model.layers]
    trained = sum(_count(one.shape) for one in model.trainable_weights)
    return _summary(rows, model.count_params(), trained, text="\n".join(lines))


def _shape(layer: Any) -> str:
    try:
        given = layer.output.shape
    except (AttributeError, ValueError):  # one that was never called, or gives several
        return ""
    return " × ".join("any" if side is None else str(side) for side in given)


def _count(shape: Any) -> int:
    count = 1
    for side in shape:
        count *= int(side)
    return count


def _torch(model: Any) -> Summary:
    rows = [(name, type(one).__name__, "", _parameters(one)) for name, one in model.named_children()]
    trained = sum(one.numel() for one in model.parameters() if one.requires_grad)
    return _summary(rows, _parameters(model), trained, text=str(model))


def _parameters(module: Any) -> int:
    return sum(int(one.numel()) for one in module.parameters())


def _summary(rows: list[tuple[str, str, str, int]], count: int, trained: int, *, text: str) -> Summary:
    frame = pd.DataFrame(rows, columns=["Layer", "Kind", "Gives", "Parameters"])
    if not frame["Gives"].any():
        frame = frame.drop(columns="Gives")
    fixed = "" if trained == count else f", {trained:,} of them trained"
    more = f" The first {_MOST} of its {len(rows)} layers are shown." if len(rows) > _MOST else ""
    return Summary(frame.head(_MOST), f"The model has {count:,} parameters{fixed}.{more}", text)


# -- where it lies --------------------------------------------------------------------------------


def lies(saved: object) -> str:
    """Where the model lies and how large it is, in a sentence; or that nothing is where it should be.

    `saved` is a path, one with places to fill in ({epoch:02d}), or a ModelCheckpoint of Keras or Lightning.
    """
    where = _path(saved)
    if not where:
        return ""
    found = _newest(where)
    if found is None:
        return f"The model was to lie at {Path(where).absolute()}, but nothing is there."
    return f"The model lies at {found.absolute()} ({size(_bytes(found))})."


def _path(saved: Any) -> str:
    for name in ("best_model_path", "last_model_path", "filepath"):  # Lightning's, Lightning's, Keras'
        if found := getattr(saved, name, ""):
            return str(found)
    return str(saved) if isinstance(saved, str | Path) else ""


def _newest(where: str) -> Path | None:
    """The file or folder there; of several that fit a pattern the one written last."""
    if not re.search(r"\{[^}]*\}", where):
        return Path(where) if Path(where).exists() else None
    path = Path(re.sub(r"\{[^}]*\}", "*", where))
    fixed = next(one for one in path.parents if "*" not in str(one))
    found = sorted(fixed.glob(str(path.relative_to(fixed))), key=lambda one: one.stat().st_mtime)
    return found[-1] if found else None


def _bytes(path: Path) -> int:
    return sum(one.stat().st_size for one in _files(path))


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    else:
        yield from (one for one in path.rglob("*") if one.is_file())
