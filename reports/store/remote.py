"""Bytes anywhere that fsspec can reach: S3, Azure, Google Cloud, SFTP and the like, by URL."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from reports.errors import MissingDependency, StoreError
from reports.settings import MASK

# Places like these have no way to say "still wanted"; a file older than this is written again.
_FRESH = dt.timedelta(hours=12)


class Remote:
    """Keeps files below a URL."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    @property
    def where(self) -> str:
        """The URL, without a password."""
        return _masked(self.url)

    def keep(self, path: str, content: bytes) -> None:
        """Written beside its place, then moved there; what is equal and new already is left alone."""
        target, beside = self._full(path), self._full(f"beside/{uuid.uuid4().hex}")
        with self._faults(path):
            if self._is_fresh(target, content):
                return
            self._files.makedirs(target.rpartition("/")[0], exist_ok=True)
            self._files.makedirs(beside.rpartition("/")[0], exist_ok=True)
            self._files.pipe_file(beside, content)
            self._files.mv(beside, target)

    def read(self, path: str) -> bytes:
        with self._faults(path):
            content: bytes = self._files.cat_file(self._full(path))
        return content

    def exists(self, path: str) -> bool:
        with self._faults(path):
            return bool(self._files.isfile(self._full(path)))

    def remove(self, path: str, *, before: dt.datetime | None) -> bool:
        target = self._full(path)
        with self._faults(path):
            if not self._files.isfile(target) or (before is not None and self._modified(target) >= before):
                return False
            self._files.rm_file(target)
        return True

    def remove_folder(self, path: str) -> None:
        with self._faults(path):
            if self._files.exists(self._full(path)):
                self._files.rm(self._full(path), recursive=True)

    def every(self) -> Iterator[tuple[str, dt.datetime]]:
        for path in self._found(""):
            with self._faults(path):
                yield path, self._modified(self._full(path))

    def tidy(self, before: dt.datetime) -> None:
        for path in self._found("beside"):
            self.remove(path, before=before)

    def _found(self, folder: str) -> list[str]:
        within = self._full(folder).rstrip("/")
        with self._faults(folder):
            self._files.invalidate_cache()
            found = self._files.find(within) if self._files.exists(within) else []
        return [full.removeprefix(self._root).lstrip("/") for full in found]

    def _is_fresh(self, target: str, content: bytes) -> bool:
        if not self._files.isfile(target) or self._modified(target) < dt.datetime.now(dt.UTC) - _FRESH:
            return False
        return bool(self._files.cat_file(target) == content)

    def _modified(self, full: str) -> dt.datetime:
        """When the file was written; now where the place does not know, so that it is never cleared away."""
        try:
            found: dt.datetime = self._files.modified(full)
        except NotImplementedError:
            return dt.datetime.now(dt.UTC)
        return found if found.tzinfo else found.replace(tzinfo=dt.UTC)

    def _full(self, path: str) -> str:
        return f"{self._root}/{path}"

    @property
    def _files(self) -> Any:
        return self._opened[0]

    @property
    def _root(self) -> str:
        return self._opened[1].rstrip("/")

    @cached_property
    def _opened(self) -> tuple[Any, str]:
        try:
            import fsspec  # noqa: PLC0415  an optional library, needed for URLs alone
        except ImportError as error:
            raise MissingDependency("fsspec", extra="remote", purpose="a store of files by URL") from error
        with self._faults(""):
            files, root = fsspec.url_to_fs(self.url, use_listings_cache=False)
        return files, str(root)

    @contextmanager
    def _faults(self, path: str) -> Iterator[None]:
        """Whatever a library of its own says about a place, as our error; a missing file stays what it is."""
        try:
            yield
        except (StoreError, MissingDependency, FileNotFoundError):
            raise
        except Exception as error:  # each place has errors of its own
            hint = "is the URL in [store] artifacts right, and is its library installed?"
            where = "/".join(filter(None, (self.where, path)))
            what = f"the place for files does not do as asked: {_masked(str(error))}"
            raise StoreError(what, where=where, hint=hint) from error


def _masked(text: str) -> str:
    return re.sub(r"(://[^/@:\s]*):[^/@\s]*@", rf"\1:{MASK}@", text)
