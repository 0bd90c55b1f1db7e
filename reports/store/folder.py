"""Bytes in a local folder: written whole and flushed to the disk, or not at all."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from reports.store import faults

_GOING, _PART = ".going", ".part"


@dataclass(frozen=True)
class Folder:
    """Keeps files below `folder`, which is made when first needed."""

    folder: Path

    @property
    def where(self) -> str:
        return str(self.folder)

    def keep(self, path: str, content: bytes) -> None:
        """The whole file or none, on the disk when this returns; an equal one only gets a new time."""
        target = self.folder / path
        with faults.of_files(target):
            if not _renewed(target, content):
                _write(target, content)

    def read(self, path: str) -> bytes:
        with faults.of_files(self.folder / path, absent=False):
            return (self.folder / path).read_bytes()

    def exists(self, path: str) -> bool:
        return (self.folder / path).is_file()

    def remove(self, path: str, *, before: dt.datetime | None) -> bool:
        """True if it was there and is gone; with `before`, not what was kept since, by whomever."""
        target = self.folder / path
        aside = target.with_name(target.name + _GOING)
        with suppress(FileNotFoundError), faults.of_files(target, absent=False):
            # Aside first: whoever keeps the same bytes from now on finds none and writes them.
            target.replace(aside)
            if before is None or _modified(aside) < before:
                aside.unlink()
                return True
            aside.replace(target)
        return False

    def remove_folder(self, path: str) -> None:
        with suppress(FileNotFoundError), faults.of_files(self.folder / path, absent=False):
            shutil.rmtree(self.folder / path)

    def every(self) -> Iterator[tuple[str, dt.datetime]]:
        for path in self.folder.glob("??/*"):
            with suppress(FileNotFoundError), faults.of_files(path, absent=False):
                yield path.relative_to(self.folder).as_posix(), _modified(path)

    def tidy(self, before: dt.datetime) -> None:
        """Clears what processes that were killed left half done before that instant."""
        for path, modified in self.every():
            left = self.folder / path
            if modified >= before:
                continue
            with suppress(FileNotFoundError), faults.of_files(left, absent=False):
                if left.suffix == _PART:
                    left.unlink()
                elif left.suffix == _GOING:
                    left.replace(left.with_suffix(""))


def _modified(path: Path) -> dt.datetime:
    return dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC)


def _renewed(target: Path, content: bytes) -> bool:
    """Whether these very bytes were there; they are now as new as any, so that nobody clears them away."""
    try:
        if target.stat().st_size != len(content) or target.read_bytes() != content:
            return False
        os.utime(target)
    except FileNotFoundError:
        return False
    return True


def _write(target: Path, content: bytes) -> None:
    if not target.parent.is_dir():
        target.parent.mkdir(parents=True, exist_ok=True)
        _flush(target.parent.parent)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".", suffix=_PART)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
    _flush(target.parent)


def _flush(folder: Path) -> None:
    """The new name on the disk too, where the system lets a folder be flushed."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
