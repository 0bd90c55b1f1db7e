"""A run as one file: a small project with its job, templates and settings, what was fetched, and what came of it.

    manifest.json     the run, what it was compared with, the versions of the libraries, hashes of all that was made
    project/          settings.toml, jobs/<name>/, templates/ as they were
    datasets/         each column of each frame
    made/<n>/         body.html and body.txt of each report

Settings have no secrets in them, so none are kept. Equal runs give equal bytes.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from reports import shipped
from reports.archive import frames, values
from reports.definition import Job
from reports.model import Artifact, Before, Dataset, Run, size
from reports.pipeline import Produced
from reports.render.packing import entry
from reports.settings import Settings

FORMAT = 1
MANIFEST = "manifest.json"
MEDIA_TYPE = "application/vnd.reports.archive+zip"
FIGURES_TYPE = "application/vnd.reports.figures+json"
INTERNAL = frozenset({MEDIA_TYPE, FIGURES_TYPE})
"""Kept for us and not for readers: no file that was sent."""
LARGEST = 1_000_000  # bytes of a file of the job's folder; what is larger is a source, not a definition
LIBRARIES = (
    "reports", "pandas", "numpy", "matplotlib", "pillow", "openpyxl", "jinja2", "css-inline", "babel", "duckdb",
)  # fmt: skip
_SAMPLE = 65_536


@dataclass
class _Pack:
    """A zip that grows: equal entries give equal bytes."""

    content: BytesIO = field(default_factory=BytesIO)
    zip: ZipFile = field(init=False)
    count: int = 0

    def __post_init__(self) -> None:
        self.zip = ZipFile(self.content, "w")

    def add(self, name: str, content: bytes) -> None:
        shrinks = len(zlib.compress(content[:_SAMPLE], 1)) < 0.85 * len(content[:_SAMPLE])
        self.zip.writestr(entry(name, stored=not shrinks), content, compresslevel=1)

    def put(self, content: bytes) -> str:
        """Keeps a column; gives the name of its entry."""
        self.count += 1
        name = f"datasets/{self.count}"
        self.add(name, content)
        return name

    def finished(self, manifest: Mapping[str, Any]) -> bytes:
        self.add(MANIFEST, json.dumps(manifest, indent=1).encode())
        self.zip.close()
        return self.content.getvalue()


@dataclass(frozen=True, kw_only=True)
class Packer:
    """What the archive of one run is made of, besides the reports that it made."""

    job: Job
    run: Run
    settings: Settings
    late: str = ""
    before: Before | None = None

    def pack(self, made: Sequence[Produced]) -> tuple[Artifact, list[str]]:
        """The archive, and sentences about what is not in it."""
        content, said = self._packed(made, "")
        if len(content) > (limit := self.settings.store.archive_limit):
            whole = size(len(content))
            why = f"with the datasets the archive would be {whole}, and [store] archive_limit is {size(limit)}"
            content, said = self._packed(made, why)
        return Artifact(name="archive.zip", media_type=MEDIA_TYPE, content=content), said

    def _packed(self, made: Sequence[Produced], lost: str) -> tuple[bytes, list[str]]:
        archive, said = _Pack(), [f"no datasets are archived: {lost}"] if lost else []
        for name, content in _definition(self.job, self.settings, said):
            archive.add(f"project/{name}", content)
        manifest = {
            "format": FORMAT,
            "run": _run(self.run),
            "late": self.late,
            "before": _before(self.before),
            "libraries": libraries(),
            "lost": lost,
            "datasets": [] if lost else [_dataset(one, archive, said) for one in made[0].datasets],
            "reports": [_report(number, one, archive) for number, one in enumerate(made, start=1)],
        }
        return archive.finished(manifest), said


def _before(before: Before | None) -> dict[str, Any] | None:
    if before is None:
        return None
    return {"as_of": before.as_of.isoformat(), "figures": values.written_all(before.figures)}


def libraries() -> dict[str, str]:
    """The versions of what the bytes of a report depend on, as they are installed."""
    found = {"zlib": zlib.ZLIB_RUNTIME_VERSION}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # run from a copy that nobody installed
            found[name] = ""
    return found


def _run(run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        "job": run.job,
        "as_of": run.as_of.isoformat(),
        "started": run.started.isoformat(),
        "occurrence": run.occurrence.isoformat() if run.occurrence else None,
        "params": values.written_all(run.params),
        "definition": run.definition,
    }


def _report(number: int, made: Produced, archive: _Pack) -> dict[str, Any]:
    folder = f"made/{number}"
    archive.add(f"{folder}/body.html", made.report.html.encode())
    archive.add(f"{folder}/body.txt", made.report.text.encode())
    return {
        "folder": folder,
        "language": made.page.language,
        "currency": made.page.currency,
        "subject": made.report.subject,
        "added": list(made.added),
        "attached": [one.name for one in made.report.attachments],
        "images": [_hashed(one) for one in made.report.images],
        "files": [_hashed(one) for one in made.files],
    }


def _hashed(artifact: Artifact) -> dict[str, str]:
    """The file's hash: of what is in it, where it is encrypted anew each time."""
    sealed = {"sealed": artifact.sha256} if artifact.plain_sha256 else {}
    return {"name": artifact.name, "sha256": artifact.plain_sha256 or artifact.sha256} | sealed


def _dataset(dataset: Dataset, archive: _Pack, said: list[str]) -> dict[str, Any]:
    try:
        kept = frames.encode(dataset.frame, archive.put)
        rejected = {table: frames.encode(rows, archive.put) for table, rows in dataset.rejected.items()}
    except values.Unkept as error:
        said.append(f"dataset {dataset.name} is not archived: its {error}, which cannot be kept exactly")
        return {"name": dataset.name, "lost": str(error)}
    return {"name": dataset.name, "frame": kept, "rejected": rejected}


# -- what the run was made by ----------------------------------------------------------------------


def _definition(job: Job, settings: Settings, said: list[str]) -> Iterator[tuple[str, bytes]]:
    """The files of a project that makes this job's report, by their places in it."""
    root = settings.root
    yield "settings.toml", _read(root / "settings.toml")
    for path in _files(job.folder):
        name = f"jobs/{job.name}/{path.relative_to(job.folder).as_posix()}"
        if path.stat().st_size > LARGEST:
            said.append(f"{name} is not archived: it is {size(path.stat().st_size)}")
        else:
            yield name, _read(path)
    yield from _templates(root)
    if (logo := settings.theme.logo) and (root / logo).resolve().is_relative_to(root.resolve()):
        yield logo, _read(root / logo)


def _templates(root: Path) -> Iterator[tuple[str, bytes]]:
    found: dict[str, Path] = {}
    for folder in reversed(shipped.template_folders(root)):  # the project's own take the place of shipped ones
        found |= {path.relative_to(folder).as_posix(): path for path in _files(folder)}
    for name in sorted(found):
        yield f"templates/{name}", _read(found[name])


def _files(folder: Path) -> list[Path]:
    found = folder.rglob("*") if folder.is_dir() else ()
    return sorted(path for path in found if path.is_file() and not _hidden(path.relative_to(folder)))


def _hidden(path: Path) -> bool:
    return path.suffix == ".pyc" or any(part.startswith((".", "__pycache__", "~$")) for part in path.parts)


def _read(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""
