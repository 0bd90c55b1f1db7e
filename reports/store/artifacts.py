"""Produced bytes by their SHA-256: in a folder, or anywhere fsspec can reach."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from reports.errors import LostBytes, StoreError
from reports.model import Artifact, StoredArtifact
from reports.store.folder import Folder
from reports.store.remote import Remote

_HEX = frozenset("0123456789abcdef")


class Shelf(Protocol):
    """Where bytes are kept by relative path. FileNotFoundError for what is not there."""

    @property
    def where(self) -> str: ...

    def keep(self, path: str, content: bytes) -> None:
        """The whole file or none; what is there and equal counts as new again."""
        ...

    def read(self, path: str) -> bytes: ...

    def exists(self, path: str) -> bool: ...

    def remove(self, path: str, *, before: dt.datetime | None) -> bool:
        """True if it was there and is gone; with `before`, only if it was kept before that instant."""
        ...

    def remove_folder(self, path: str) -> None: ...

    def every(self) -> Iterator[tuple[str, dt.datetime]]:
        """Each file's path with the instant when it was last kept."""
        ...

    def tidy(self, before: dt.datetime) -> None:
        """Clears what processes that were killed left half done before that instant."""
        ...


@dataclass(frozen=True)
class Artifacts:
    """Bytes that are found by their hash, and are known to be the same ones when they come back."""

    shelf: Shelf

    @property
    def where(self) -> str:
        return self.shelf.where

    def put(self, content: bytes) -> str:
        """Keeps the bytes, on disk for good when this returns; gives their SHA-256."""
        sha256 = hashlib.sha256(content).hexdigest()
        self.shelf.keep(_path(sha256), content)
        return sha256

    def keep(self, artifact: Artifact) -> StoredArtifact:
        """The file's bytes, kept as by `put`; gives how they are found again."""
        digest, count = self.put(artifact.content), len(artifact.content)
        return StoredArtifact(name=artifact.name, media_type=artifact.media_type, sha256=digest, size=count)

    def get(self, sha256: str) -> bytes:
        """The very bytes; LostBytes where they are missing or are no longer the same."""
        where = f"{self.where}/{_path(sha256)}"
        try:
            content = self.shelf.read(_path(sha256))
        except FileNotFoundError as error:
            hint = "bring the file back from a copy, or run the job again"
            raise LostBytes("stored bytes are missing", where=where, hint=hint) from error
        if hashlib.sha256(content).hexdigest() != sha256:
            hint = "bring the file back from a copy, or run the job again; find out who writes there"
            raise LostBytes("stored bytes were altered: their hash is another", where=where, hint=hint)
        return content

    def link(self, sha256: str, name: str) -> str:
        """Keeps a copy that readers can fetch under its own name; gives its path, relative and not quoted."""
        if not name or name in {".", ".."} or any(sign in "/\\" or not sign.isprintable() for sign in name):
            raise StoreError(f"{name!r} is no name for a file", where=self.where)
        path = f"linked/{sha256}/{name}"
        self.shelf.keep(path, self.get(sha256))
        return path

    def exists(self, sha256: str) -> bool:
        return self.shelf.exists(_path(sha256))

    def delete(self, sha256: str, *, before: dt.datetime | None = None) -> bool:
        """Removes the bytes and their linked copies; with `before`, only if they were kept before that instant."""
        if not self.shelf.remove(_path(sha256), before=before):
            return False
        self.shelf.remove_folder(f"linked/{sha256}")
        return True

    def every(self) -> Iterator[tuple[str, dt.datetime]]:
        """The hash of all that is kept, and when it was last put."""
        for path, modified in self.shelf.every():
            sha256 = path.rpartition("/")[2]
            if path == _path(sha256) and len(sha256) == 64 and _HEX.issuperset(sha256):
                yield sha256, modified

    def tidy(self, before: dt.datetime) -> None:
        self.shelf.tidy(before)

    def faults(self, referred: Iterable[str]) -> tuple[list[str], list[str], list[str]]:
        """Hashes kept that nothing refers to, then of those referred to the missing and the altered ones."""
        wanted, kept = set(referred), {sha256 for sha256, _ in self.every()}
        altered = [sha256 for sha256 in sorted(wanted & kept) if not self._sound(sha256)]
        return sorted(kept - wanted), sorted(wanted - kept), altered

    def _sound(self, sha256: str) -> bool:
        return hashlib.sha256(self.shelf.read(_path(sha256))).hexdigest() == sha256


def open_artifacts(artifacts: str, root: Path, data_folder: Path) -> Artifacts:
    """The place that [store] names: a folder or an fsspec URL; `artifacts` in the data folder by default."""
    if "://" in artifacts:
        return Artifacts(Remote(artifacts))
    return Artifacts(Folder(root / artifacts if artifacts else data_folder / "artifacts"))


def _path(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256}"
