"""Where something is written, so that what is wrong with it can be told with its file, line and key."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from reports import toml
from reports.errors import DefinitionError


@dataclass(frozen=True)
class Key:
    """A key of a TOML file, or of none, such as an option of a command; and the error that is told of it."""

    name: tuple[str | int, ...]
    file: Path | None = None
    error: type[DefinitionError] = DefinitionError

    def wrong(self, what: str, *, hint: str = "") -> DefinitionError:
        """The error that says so of this place."""
        return self.error(what, where=self.where, hint=hint)

    @property
    def where(self) -> str:
        if self.file is None:
            return toml.dotted(self.name)
        line = f":{toml.read(self.file, error=self.error).line(self.name)}" if self.file.is_file() else ""
        return f"{self.file}{line}, key {toml.dotted(self.name)}"
