"""Pictures, files and tables of a watch, kept as they were said: what may change later is drawn or copied at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from reports.model import is_figure
from reports.notify import pieces
from reports.notify.moments import Extras


def held(extras: Extras, *, draw: bool) -> Extras:
    """The extras, safe from what is done to figures and frames from now on; without `draw` only as lists of their own.

    Functions stay what they are: they are called where a message is made.
    """
    images, tables = extras.images, extras.tables
    if not callable(images):
        images = [_safe(one, _image, draw=draw) for one in pieces.several(images, pairs=True)]
    if isinstance(tables, Mapping):
        tables = {title: _safe(frame, _frame, draw=draw) for title, frame in tables.items()}
    return replace(extras, images=images, tables=tables)


def _safe(given: Any, made: Callable[..., Any], **how: bool) -> Any:
    """What is made of it, or itself, so that the message can say what is wrong with it."""
    try:
        return made(given, **how)
    except Exception:  # noqa: BLE001  the work's own values
        return given


def _image(given: Any, *, draw: bool) -> Any:
    shown = given[0] if isinstance(given, tuple) and given else given
    if draw and (is_figure(shown) or is_figure(getattr(shown, "figure", None))):
        return pieces.picture(given)
    if draw and hasattr(shown, "save") and hasattr(shown, "copy"):
        return (shown.copy(), *given[1:]) if isinstance(given, tuple) else shown.copy()
    return given


def _frame(given: Any, *, draw: bool) -> Any:
    """A frame that later writes to it do not reach; pandas copies it only where there are any."""
    return given.copy(deep=False) if draw and hasattr(given, "columns") and hasattr(given, "copy") else given
