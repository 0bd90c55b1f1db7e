"""Files that people look at, saved where they asked for them."""

from __future__ import annotations

from pathlib import Path

from reports.errors import ReportsError


def save(path: Path, content: bytes) -> Path:
    """The file, in a folder that is made if need be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise ReportsError(f"{path.parent} cannot be written: {error.strerror}", where=str(path)) from error
    return path
