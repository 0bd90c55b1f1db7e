"""A job's own hooks.py: plain functions from frames to frames, loaded only when a run needs them."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.errors import HookError, ReportsError
from reports.model import is_figure

if TYPE_CHECKING:
    from types import ModuleType

    import pandas as pd


def apply(hooks: Path, frames: Mapping[str, pd.DataFrame], params: Mapping[str, Any]) -> dict[str, Any]:
    """`frames` with what the file's `datasets(frames, params)` returns added or put in their place.

    That is frames, and matplotlib Figures to be shown as pictures.
    """
    module = _load(hooks)
    if not callable(function := getattr(module, "datasets", None)):
        raise HookError("hooks.py has no function datasets", where=str(hooks), hint="def datasets(frames, params): ...")
    returned = _call(hooks, function, dict(frames), dict(params))
    return {**frames, **_checked(hooks, returned)}


def _load(hooks: Path) -> ModuleType:
    name = f"reports_job_{hooks.parent.name}"
    spec = importlib.util.spec_from_file_location(name, hooks)
    if spec is None or spec.loader is None:
        raise HookError("hooks.py cannot be loaded", where=str(hooks))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    _call(hooks, spec.loader.exec_module, module)
    return module


def _call(hooks: Path, function: Any, *values: Any) -> Any:
    try:
        return function(*values)
    except ReportsError:
        raise
    except (
        Exception,
        SystemExit,
    ) as error:  # a job's own code may raise anything; the run is what fails, with its line
        lines = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == str(hooks)]
        line = lines[-1].lineno if lines else getattr(error, "lineno", None)
        raise HookError(
            f"{type(error).__name__}: {error}",
            where=f"{hooks}:{line}" if line else str(hooks),
            hint="mend the line, then run again; -v shows the whole traceback",
        ) from error


def _checked(hooks: Path, returned: object) -> dict[str, Any]:
    if not isinstance(returned, dict):
        raise HookError(f"datasets() returned {type(returned).__name__}, not a dict of frames", where=str(hooks))
    for name, frame in returned.items():
        if not isinstance(name, str):
            raise HookError(f"datasets() returned a frame under {name!r}; names are texts", where=str(hooks))
        if not (is_figure(frame) or (hasattr(frame, "columns") and hasattr(frame, "iloc"))):
            raise HookError(
                f"datasets() returned {type(frame).__name__} under '{name}', not a frame or a matplotlib Figure",
                where=str(hooks),
                hint="return figure, not what draws on it" if hasattr(frame, "figure") else "",
            )
    return {name: one if is_figure(one) else _named(hooks, name, one) for name, one in returned.items()}


def _named(hooks: Path, name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with its columns' names as texts, each once."""
    if frame.columns.nlevels > 1:
        raise HookError(f"the frame '{name}' has columns of several levels", where=str(hooks), hint="join their names")
    names = [str(column) for column in frame.columns]
    if twice := [column for column in names if names.count(column) > 1]:
        raise HookError(f"the frame '{name}' has the column '{twice[0]}' more than once", where=str(hooks))
    return frame.set_axis(names, axis=1)
