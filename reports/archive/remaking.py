"""An archived run made again: in a project of its own, from what was fetched then, without asking any source."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

from reports import jobs, project
from reports.archive import frames, values
from reports.archive.packing import FORMAT, MANIFEST
from reports.definition import Job
from reports.errors import StoreError
from reports.model import Artifact, Before, Dataset, Run
from reports.pipeline import Pipeline, Produced, Tell
from reports.render.locales import Locale
from reports.settings import Settings


@dataclass(frozen=True)
class Archive:
    """The archive of a run, opened; a StoreError where it cannot be read."""

    content: bytes

    @cached_property
    def zip(self) -> ZipFile:
        try:
            return ZipFile(BytesIO(self.content))
        except BadZipFile as error:
            raise StoreError("the archive of the run cannot be read", hint="its bytes were altered") from error

    @cached_property
    def manifest(self) -> dict[str, Any]:
        manifest: dict[str, Any] = json.loads(self.zip.read(MANIFEST))
        if manifest["format"] > FORMAT:
            raise StoreError("the archive was written by a newer version of reports", hint="bring reports up to date")
        return manifest

    @property
    def reports(self) -> Sequence[dict[str, Any]]:
        found: Sequence[dict[str, Any]] = self.manifest["reports"]
        return found

    def text(self, report: Mapping[str, Any], name: str) -> str:
        """The body of a report as it was sent: body.html or body.txt."""
        return self.zip.read(f"{report['folder']}/{name}").decode()

    def lost(self) -> str:
        """Why it cannot be made again; empty if it can."""
        if why := self.manifest.get("lost"):
            return str(why)
        gone = [f"dataset {one['name']}: its {one['lost']}" for one in self.manifest["datasets"] if "lost" in one]
        return "; ".join(gone)

    def unpack(self, folder: Path) -> None:
        """The project as it was then."""
        for name in self.zip.namelist():
            if name.startswith("project/"):
                self.zip.extract(name, folder)

    def datasets(self, job: Job) -> Iterator[Dataset]:
        queries = {query.name: query for query in job.queries}
        for kept in self.manifest["datasets"]:
            yield Dataset(
                name=kept["name"],
                frame=frames.decode(kept["frame"], self.zip.read),
                query=queries.get(kept["name"]),
                rejected={table: frames.decode(rows, self.zip.read) for table, rows in kept["rejected"].items()},
            )

    @property
    def before(self) -> Before | None:
        kept = self.manifest["before"]
        as_of = kept and dt.date.fromisoformat(kept["as_of"])
        return Before(as_of=as_of, figures=values.read_all(kept["figures"])) if kept else None

    @property
    def run(self) -> Run:
        kept = self.manifest["run"]
        occurrence = kept["occurrence"] and dt.datetime.fromisoformat(kept["occurrence"])
        return Run(
            id=kept["id"],
            job=kept["job"],
            as_of=dt.date.fromisoformat(kept["as_of"]),
            started=dt.datetime.fromisoformat(kept["started"]),
            occurrence=occurrence or None,
            params=values.read_all(kept["params"]),
            definition=kept["definition"],
        )


def remake(archive: Archive, folder: Path, *, tell: Tell, current: Settings | None = None) -> list[Produced]:
    """The run's reports once more, in their order; with `current` by that project's job, templates and settings.

    `folder` is an empty one, for the project as it was. A StoreError says why it cannot be made again.
    """
    if why := archive.lost():
        raise StoreError(f"run {archive.run.id} cannot be made again: {why}", hint="what was sent is still kept")
    archive.unpack(folder)
    settings = current or project.read_settings(folder / "project")[0]
    job = _unlocked(jobs.load(archive.run.job, settings))
    pipeline = Pipeline(
        job=job, run=archive.run, settings=settings, tell=tell, late=archive.manifest["late"], before=archive.before
    )
    locales = [Locale(report["language"], report["currency"]) for report in archive.reports]
    made = pipeline.renderings(list(archive.datasets(job)), locales)
    return [_as_sent(*made[locale], report) for locale, report in zip(locales, archive.reports, strict=True)]


def _unlocked(job: Job) -> Job:
    """The job without a workbook's password, which may be gone by now: what is compared is what is in the workbook."""
    if (excel := job.attach.excel) is None or excel.password is None:
        return job
    attach = job.attach.model_copy(update={"excel": excel.model_copy(update={"password": None})})
    return job.model_copy(update={"attach": attach})


def _as_sent(pipeline: Pipeline, made: Produced, report: Mapping[str, Any]) -> Produced:
    """The report with what was said of its recipients and attachments once those were known."""
    there = {file.name for file in made.report.attachments}
    if not report["added"] and there == set(report["attached"]):
        return made
    named = [Artifact(name=name, media_type="", content=b"") for name in report["attached"]]
    return pipeline.restated(made, notices=report["added"], attachments=named)
