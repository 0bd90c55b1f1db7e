"""A project on disk: found, its settings read, or laid out anew from the one that is shipped."""

from __future__ import annotations

import shutil
from pathlib import Path

from reports import shipped, toml
from reports.errors import DefinitionError, SettingsError
from reports.settings import Settings, environment

FILE = "settings.toml"

_NOT_SHIPPED = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")


def find_root(named: Path | None = None) -> Path:
    """The nearest folder upwards that has a settings.toml: from `named`, else REPORTS_PROJECT, else from here."""
    if found := nearest(named):
        return found
    raise SettingsError(
        f"there is no {FILE} in {_start(named)} or above it",
        hint="change into a project's folder, or lay one out: reports init DIR",
    )


def nearest(named: Path | None = None) -> Path | None:
    """The same folder, or None where there is none."""
    start = _start(named)
    return next((folder for folder in (start, *start.parents) if (folder / FILE).is_file()), None)


def _start(named: Path | None) -> Path:
    return (named or Path(environment("REPORTS_PROJECT"))).absolute()


def read_settings(root: Path) -> tuple[Settings, toml.Document]:
    """The settings of the project in `root`, and where each stands; a SettingsError tells every mistake."""
    document = toml.read(root / FILE, error=SettingsError)
    return toml.validate(document, Settings, error=SettingsError, root=root), document


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
