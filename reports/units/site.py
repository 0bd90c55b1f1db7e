"""What a unit has to know of a project, and of the installation that serves it."""

from __future__ import annotations

import hashlib
import math
import os
import re
import sys
import sysconfig
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from reports.errors import ReportsError
from reports.settings import DatabaseSource, FileSource, Settings, environment

SPARE = 30
"""Seconds a platform waits beyond `stop_timeout` before it kills: the delivery in hand is settled in them."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


@dataclass(frozen=True, kw_only=True)
class Site:
    """A project and its installation; every path is absolute.

    `writable` are folders the service writes to, the data folder first; `reads` are places it must be able to see.
    `grace` is seconds from the request to stop until it may be killed. `health` is an address or empty.
    """

    name: str
    project: PurePath
    program: PurePath
    account: str
    writable: tuple[PurePath, ...]
    reads: tuple[PurePath, ...] = ()
    grace: int = 60
    health: str = ""

    @property
    def data_folder(self) -> PurePath:
        return self.writable[0]

    @property
    def command(self) -> tuple[str, ...]:
        """What the platform runs, in the foreground."""
        return (str(self.program), "--project", str(self.project), "serve")

    @property
    def variables(self) -> dict[str, str]:
        """The environment of the service: nothing is written beside the jobs or into a home."""
        return {"PYTHONDONTWRITEBYTECODE": "1", "MPLCONFIGDIR": str(self.data_folder / "matplotlib")}


def site_of(settings: Settings, *, account: str, name: str = "") -> Site:
    """The site of these settings; a ReportsError where a path or a name fits no unit."""
    service = settings.service
    project = settings.root.absolute()
    writable, program = tuple(dict.fromkeys(_written(settings))), _program()
    site = Site(
        name=f"reports-{_checked(name) or _slug(project.name)}",
        project=project,
        program=program,
        account=account,
        writable=writable,
        reads=(project, program, Path(sys.prefix), Path(sys.base_prefix), *_read(settings)),
        grace=math.ceil(service.stop_timeout.total_seconds()) + SPARE,
        health=service.health,
    )
    for path in (site.project, site.program, *site.writable):
        _on_one_line(path)
    return site


def account_of(project: Path, *, wanted: str = "", own: bool = False) -> str:
    """The account that is to run the service: the one that is wanted, else the owner of the project's folder.

    With `own` it is the one that asks. Never root, unless root is what is wanted.
    """
    if os.name == "nt":
        return wanted or "\\".join(filter(None, (environment("USERDOMAIN"), environment("USERNAME"))))
    owner = _own(wanted) if own else wanted or _owner(project)
    if owner == "root" != wanted:
        raise ReportsError(
            "the service would run as root, and reports need not",
            where=str(project),
            hint="name an account that may read the project and write its data folder: --account NAME; "
            "if it has to be root, --account root",
        )
    return owner


def _own(wanted: str) -> str:
    import pwd  # noqa: PLC0415  not on Windows

    own = pwd.getpwuid(os.getuid()).pw_name
    if wanted not in {"", own}:
        raise ReportsError(
            f"with --user it is a service of {own}, not of {wanted}", hint=f"log in as {wanted}, or leave --user out"
        )
    return own


def _owner(project: Path) -> str:
    try:
        return project.owner()
    except KeyError as error:
        raise ReportsError(
            "the owner of the project's folder has no account on this machine",
            where=str(project),
            hint="name the account that shall run the service: --account NAME",
        ) from error


def _program() -> Path:
    """The installed `reports` command: beside the interpreter, or where this Python keeps its scripts."""
    file = "reports.exe" if os.name == "nt" else "reports"
    places = [Path(sys.executable).parent, Path(sysconfig.get_path("scripts"))]
    for place in places:
        if (place / file).is_file():
            return (place / file).absolute()
    raise ReportsError(
        "the reports command is not installed beside this Python",
        where=" or ".join(map(str, places)),
        hint="install reports into an environment of its own, and run the command from there",
    )


def _written(settings: Settings) -> Iterator[Path]:
    yield Path(os.path.normpath(settings.data_folder.absolute()))
    store = settings.store
    yield from (file.parent for file in _sqlite(store.url, settings.root))
    if store.artifacts and "://" not in store.artifacts:
        yield Path(os.path.normpath((settings.root / store.artifacts).absolute()))


def _read(settings: Settings) -> Iterator[Path]:
    """Where the sources' files lie: the part of their paths before the first sign of a glob."""
    for source in settings.sources.values():
        if isinstance(source, FileSource):
            given = source.files
            texts = (given,) if isinstance(given, str) else given.values() if isinstance(given, dict) else given
            yield from ((source.root / re.split(r"[*?\[]", text)[0]).absolute() for text in texts)
        elif isinstance(source, DatabaseSource):
            yield from _sqlite(source.url, settings.root)


def _sqlite(url: object, root: Path) -> Iterator[Path]:
    """The file of a SQLite URL that is no secret, if it is one."""
    found = re.fullmatch(r"sqlite[+a-z0-9]*:///([^?:]+).*", url) if isinstance(url, str) else None
    if found:
        yield Path(os.path.normpath((root / found.group(1)).absolute()))


def _checked(name: str) -> str:
    if name and not _NAME.fullmatch(name):
        raise ReportsError(
            f"'{name}' cannot name a service", hint="letters, digits, and -, _ or . between them: --name NAME"
        )
    return name


def _slug(text: str) -> str:
    """A folder's name in the signs every platform takes, or a short hash where none of them is left."""
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss")).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^A-Za-z0-9_.]+", "-", plain).strip("-.")
    return slug[:100] or hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:8]


def _on_one_line(path: PurePath) -> None:
    text = str(path)
    if (
        text != text.strip()
        or text.endswith("\\")
        or any(ord(sign) < 32 or "\ud800" <= sign <= "\udfff" for sign in text)
    ):
        raise ReportsError(
            "this path cannot be written in a unit: blanks at an end, a control character, or no text",
            where=repr(text),
            hint="rename the folder",
        )
