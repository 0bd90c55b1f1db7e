"""What a training needs of a watch, and how it opens one of its own."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from reports.notify.watching import watch

EVERY = 5
"""Epochs from one update to the next, where nothing is said."""
_SAID = ("to", "via", "project", "every", "minutes", "start", "apart", "total")


class Watching(Protocol):
    """Keeps what it is told, and sends it when that is due; `reports.notify.watching.Watch` is one."""

    def update(
        self,
        step: Any = None,
        /,
        *,
        total: Any = None,
        text: str = "",
        images: Any = (),
        attachments: Any = (),
        tables: Any = None,
        **metrics: Any,
    ) -> Any: ...

    def due(self, step: Any = None) -> bool: ...

    def finish(
        self, *, text: str = "", images: Any = (), attachments: Any = (), tables: Any = None, **values: Any
    ) -> Any: ...


def opened(name: str, plan: Mapping[str, Any]) -> AbstractContextManager[Watching]:
    """A watch of the training's own: it sends every so many epochs or minutes, to whom the plan says."""
    said = {key: plan[key] for key in _SAID if plan.get(key) is not None}
    if not {"every", "minutes"} & set(said):
        said["every"] = EVERY
    return watch(name, unit=plan.get("unit", "epoch"), **said)
