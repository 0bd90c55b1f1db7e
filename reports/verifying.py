"""`reports verify`: a run that was kept, made again from what it fetched, and compared with what was sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from reports import execution, jobs
from reports.archive.comparing import Compared, compare
from reports.archive.packing import MEDIA_TYPE, libraries
from reports.archive.remaking import Archive, remake
from reports.errors import JobError, ReportsError, StoreError
from reports.model import Run, StoredArtifact
from reports.pipeline import Tell
from reports.settings import Settings
from reports.store import Store


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What came of one run: each thing that it made, and what is another now than it was then.

    `error` says why it could not be made again.
    """

    run: Run
    compared: Sequence[Compared] = ()
    changed: Sequence[str] = ()
    error: str = ""

    @property
    def same(self) -> bool:
        return not self.error and all(one.same for one in self.compared)


@dataclass(frozen=True, kw_only=True)
class Verifier:
    """Makes runs again. With `current` by the job, the templates and the settings of now, else by those of then."""

    settings: Settings
    store: Store
    tell: Tell
    current: bool = False
    _versions: Mapping[str, str] = field(default_factory=libraries)

    def verify(self, run: Run) -> Verification:
        """A StoreError says why a run cannot be made again."""
        files = self.store.runs.artifacts(run.id)
        archive = Archive(self._archived(run, files))
        kept = {one.name: one.sha256 for one in files}
        with TemporaryDirectory(prefix="reports-") as folder:
            current = self.settings if self.current else None
            made = remake(archive, Path(folder), tell=self.tell, current=current)
            compared = list(compare(archive, made, kept, self.store.artifacts.get))
        return Verification(run=run, compared=compared, changed=list(self._changed(run, archive)))

    def tried(self, run: Run) -> Verification:
        """The same, for one of many: that it cannot be made again does not stand in the way of the next."""
        try:
            return self.verify(run)
        except ReportsError as error:
            return Verification(run=run, error=str(error))

    def _archived(self, run: Run, files: Sequence[StoredArtifact]) -> bytes:
        found = next((one for one in files if one.media_type == MEDIA_TYPE), None)
        if found is None:
            raise StoreError(f"run {run.id} has no archive", hint=_why_not(run))
        return self.store.artifacts.get(found.sha256)

    def _changed(self, run: Run, archive: Archive) -> Sequence[str]:
        then = archive.manifest["libraries"]
        changed = [
            f"{name} was {then.get(name) or 'not there'}, and is {version or 'not there'}"
            for name, version in self._versions.items()
            if then.get(name) != version
        ]
        return [*changed, *self._definition(run)]

    def _definition(self, run: Run) -> list[str]:
        try:
            now = execution.fingerprint(jobs.load(run.job, self.settings))
        except JobError:
            return [f"the job {run.job} cannot be read now"]
        if now == run.definition:
            return []
        used = "as it is now" if self.current else "as it was then"
        return [f"the job's definition was {run.definition}, and is {now}; the run was made again with it {used}"]


def _why_not(run: Run) -> str:
    if run.state != "succeeded":
        return f"it is {run.state}; only a run that succeeded has one"
    if run.trigger == "test":
        return "tests, made with --to, are not archived"
    return "it was made by an older version, or with archive = false in [store]"
