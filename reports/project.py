"""A new project laid out on disk, from the one that is shipped."""

from __future__ import annotations

import shutil
from pathlib import Path

from reports import shipped
from reports.errors import DefinitionError

_NOT_SHIPPED = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")


def lay_out(folder: Path) -> list[Path]:
    """Settings, jobs and templates in `folder`, which must be new or empty; the paths that were made."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DefinitionError(
            f"{folder} is not empty", where=str(folder), hint="name a new folder; nothing was written"
        )
    try:
        return [_copy(shipped.folder() / part, folder / part) for part in shipped.PARTS]
    except OSError as error:
        raise DefinitionError(f"{folder} cannot be written: {error.strerror}", where=str(folder)) from error


def _copy(part: Path, to: Path) -> Path:
    to.parent.mkdir(parents=True, exist_ok=True)
    if part.is_dir():
        shutil.copytree(part, to, ignore=_NOT_SHIPPED)
    else:
        shutil.copyfile(part, to)
    return to
