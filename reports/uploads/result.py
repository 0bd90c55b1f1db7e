"""What came of an upload."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reports.store import Reject, Upload

SHOWN = 1000
"""Rejected rows that a result has; all of them are in its files."""


@dataclass(frozen=True, kw_only=True)
class Uploaded:
    """An upload that has ended: succeeded, partial (some rows are rejected), or failed, and then `error` says why.

    `errors` are the first rejected rows, `causes` counts all of them, `files` have them all. What failed can be taken
    up where it stopped.
    """

    upload: Upload
    errors: Sequence[Reject] = ()
    causes: Mapping[str, int]
    files: Sequence[Path] = ()

    @property
    def id(self) -> str:
        return self.upload.id

    @property
    def state(self) -> str:
        return self.upload.state

    @property
    def target(self) -> str:
        return f"{self.upload.source}.{self.upload.target}"

    @property
    def file(self) -> str:
        return self.upload.file

    @property
    def rows_read(self) -> int:
        return self.upload.rows_read

    @property
    def inserted(self) -> int:
        return self.upload.inserted

    @property
    def updated(self) -> int:
        return self.upload.updated

    @property
    def rejected(self) -> int:
        return self.upload.rejected

    @property
    def retries(self) -> int:
        return self.upload.retries

    @property
    def error(self) -> str:
        return self.upload.error

    @property
    def seconds(self) -> float:
        """From its start to its end; of one that was taken up again with what lay between."""
        return (self.upload.ended - self.upload.started).total_seconds() if self.upload.ended else 0.0

    @property
    def rate(self) -> float:
        """Rows read a second."""
        return self.rows_read / self.seconds if self.seconds > 0 else 0.0

    @property
    def ok(self) -> bool:
        """Whether every row is in."""
        return self.state == "succeeded"
