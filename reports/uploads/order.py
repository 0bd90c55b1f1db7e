"""What is asked of an upload, by command or by script."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reports.errors import DefinitionError, SourceError
from reports.uploads.target import Target

MODES = ("append", "replace", "upsert")


class AlreadyThere(SourceError):
    """These very bytes are in the table, wholly or in part: not a row was tried."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is asked of an upload.

    `stop` ends it at the first bad row; else they are collected, and it ends at more than `most` of them. `again` lets
    the same bytes into the same table once more; `resume` goes on with what stopped, the upload of that id or the
    last one of the file.
    """

    target: Target
    mode: str = "append"
    keys: tuple[str, ...] = ()
    create: bool = False
    batch: int = 10_000
    stop: bool = False
    most: int = 10_000
    again: bool = False
    resume: bool = False
    upload: str = ""
    reading: str = ""

    @property
    def options(self) -> Mapping[str, Any]:
        """What is kept of it in the log."""
        return {
            "keys": list(self.keys), "create": self.create, "batch": self.batch,
            "on_error": "stop" if self.stop else "collect", "max_rejected": self.most, "source": self.reading,
            "schema": self.target.schema, "table": self.target.table,
        }  # fmt: skip


def check(order: Order) -> None:
    """A DefinitionError for an order that makes no sense."""
    if order.mode not in MODES:
        raise DefinitionError(f"there is no mode '{order.mode}'", where="--mode", hint=f"one of {', '.join(MODES)}")
    if order.mode == "upsert" and not order.keys:
        hint = "--key COLUMN names the column by which rows are found that are there already; several may be named"
        raise DefinitionError("an upsert needs a key", where="--key", hint=hint)
    if order.batch < 1:
        raise DefinitionError("a batch has at least one row", where="--batch")
