"""The definitions of a project as they are now: read when their files change, each broken one by itself."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from reports import jobs
from reports.definition import Job
from reports.errors import JobError
from reports.settings import Settings

Fingerprint = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What is other than at the last look: jobs read anew, a broken one as its error, and those that are gone."""

    read: Mapping[str, Job | JobError] = field(default_factory=dict)
    gone: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.read or self.gone)


@dataclass
class Definitions:
    """Looks at the folder of jobs, and reads only what has changed since it looked last."""

    settings: Settings
    _seen: dict[str, Fingerprint] = field(default_factory=dict, init=False, repr=False)
    _place: tuple[int, int] | None = field(default=None, init=False, repr=False)
    _before: dict[str, Fingerprint] = field(default_factory=dict, init=False, repr=False)

    def look(self) -> Changes:
        """What changed. A JobError if the folder itself cannot be read: then nothing is known to be gone."""
        there = self._there()
        self._is_the_same(there)
        changed = [name for name, prints in there.items() if self._seen.get(name) != prints]
        gone = frozenset(self._seen.keys() - there.keys())
        self._before, self._seen = self._seen, there
        return Changes(read={name: jobs.load_or_error(name, self.settings) for name in changed}, gone=gone)

    def again(self) -> None:
        """What the last look gave could not be used: the next one gives it once more."""
        self._seen = self._before

    def _is_the_same(self, there: Mapping[str, Fingerprint]) -> None:
        """An empty folder in the place of the one before is a share that is offline, and removes no job."""
        stat = (self.settings.root / "jobs").stat()
        place = (stat.st_dev, stat.st_ino)
        if self._seen and not there and self._place not in {None, place}:
            raise JobError(
                "another folder, an empty one, stands in the place of that of the jobs",
                where=str(self.settings.root / "jobs"),
                hint="is its disk or share there? its jobs are kept, and run again once it is",
            )
        self._place = place

    def forget(self) -> None:
        """All is read anew at the next look, as after a change of the settings."""
        self._seen = dict.fromkeys(self._seen, ())

    def _there(self) -> dict[str, Fingerprint]:
        folder = self.settings.root / "jobs"
        try:
            with os.scandir(folder) as entries:
                found = {entry.name: _fingerprint(entry) for entry in entries if _is_folder(entry)}
        except OSError as error:
            raise JobError(
                f"the folder of jobs cannot be read: {error.strerror}",
                where=str(folder),
                hint="is its disk or share there? its jobs are kept, and run again once it is",
            ) from error
        return {name: prints for name, prints in sorted(found.items()) if prints}


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return not entry.name.startswith((".", "__")) and entry.is_dir()
    except OSError:  # a link in a circle, or to where one may not look
        return False


def _fingerprint(folder: os.DirEntry[str]) -> Fingerprint:
    """Name, size and time of what a job is made of; empty for a folder that is none."""
    try:
        with os.scandir(folder) as entries:
            files = sorted(
                (entry.name, (stat := entry.stat()).st_mtime_ns, stat.st_size)
                for entry in entries
                if entry.name.endswith((".toml", ".sql", ".py"))
            )
    except OSError:
        return (("unreadable", 0, 0),)
    return tuple(files) if any(name == jobs.FILE or name.endswith(".sql") for name, _, _ in files) else ()
