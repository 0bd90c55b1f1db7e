"""Whether the account of a service can reach what it has to."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reports.errors import ReportsError
from reports.units.site import Site


@dataclass(frozen=True)
class Access:
    """An account, as the file system knows it: by its number and those of its groups; number 0 may go anywhere."""

    name: str
    uid: int = 0
    groups: frozenset[int] = frozenset()

    def prepare(self, site: Site) -> Iterator[str]:
        """Make the folders the service writes to, for it may not do so itself; yields what stands in its way."""
        for folder in map(Path, site.writable):
            self._make(folder)
            if folder.stat().st_uid != self.uid != 0:
                yield f"{folder} is another account's; {self.name} has to be able to write there: chown -R {self.name}"
        for path in (site.program, site.project):
            if shut := self.barred(Path(path)):
                yield f"{self.name} may not enter {shut}, on the way to {path}: the service will not start"

    def barred(self, path: Path) -> Path | None:
        """The first folder on the way to `path` that this account may not enter, by its mode."""
        return next((folder for folder in reversed(path.parents) if not self._enters(folder)), None)

    def _enters(self, folder: Path) -> bool:
        if self.uid == 0:
            return True
        found = folder.stat()
        shift = 6 if found.st_uid == self.uid else 3 if found.st_gid in self.groups else 0
        return bool(found.st_mode >> shift & 0o1)

    def _make(self, folder: Path) -> None:
        new = [one for one in (folder, *folder.parents) if not one.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        if self.uid and os.getuid() == 0:
            for one in new:
                shutil.chown(one, self.uid)


def access_of(name: str) -> Access:
    """The account of that name; a ReportsError where there is none. Windows is left to say so itself."""
    if os.name == "nt":
        return Access(name)
    import pwd  # noqa: PLC0415  not on Windows

    try:
        entry = pwd.getpwnam(name)
    except KeyError as error:
        raise ReportsError(
            f"there is no account '{name}' on this machine",
            hint=f"make it (useradd --system --shell /usr/sbin/nologin {name}), or name another: --account NAME",
        ) from error
    return Access(name, entry.pw_uid, frozenset(os.getgrouplist(name, entry.pw_gid)))
