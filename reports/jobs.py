"""Folders in `jobs/` into `Job`s, read without being run: no user code is imported here."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from reports import shipped, sql, toml
from reports.definition import Definition, Job, kind
from reports.errors import JobError, choices
from reports.model import Query
from reports.settings import Settings

FILE = "job.toml"
LONGEST_NAME = 100


def load_all(settings: Settings) -> dict[str, Job | JobError]:
    """Every job of the project by name; a broken one is its error and stops no other."""
    return {name: load_or_error(name, settings) for name in names(settings)}


def names(settings: Settings) -> list[str]:
    """The folders in `jobs/` that are jobs, or look like one that lacks its job.toml, sorted."""
    folder = settings.root / "jobs"
    return sorted({path.parent.name for pattern in (f"*/{FILE}", "*/*.sql") for path in folder.glob(pattern)})


def load_or_error(name: str, settings: Settings) -> Job | JobError:
    """The job, or why it cannot be read."""
    try:
        return load(name, settings)
    except JobError as error:
        return error


def is_name(folder: str) -> bool:
    """Whether every database can keep it, and every log and mail show it."""
    return len(folder) <= LONGEST_NAME and folder.isprintable()


def _files(folder: Path) -> list[str]:
    """The names of what a job is made of; none if it is no job, which is told without a look at all the others."""
    try:
        found = sorted(os.listdir(folder))  # noqa: PTH208  of thousands of folders
    except OSError:
        return []
    return found if folder.parent.name == "jobs" and any(one == FILE or one.endswith(".sql") for one in found) else []


def load(name: str, settings: Settings) -> Job:
    """The job `name`; one JobError with every mistake found in its folder."""
    folder = settings.root / "jobs" / name
    if not (files := _files(folder)):
        raise _unknown("job", name, names(settings), where=str(settings.root / "jobs"))
    if not is_name(name):
        raise JobError(
            f"the name of this folder cannot be that of a job: {name[:LONGEST_NAME]!a}",
            where=ascii(str(folder)),
            hint=f"give it a name of at most {LONGEST_NAME} characters that can be shown",
        )
    document = toml.read(folder / FILE, error=JobError)
    definition = toml.validate(document, Definition, error=JobError, root=settings.root)
    job = _job(folder, files, definition)
    if problems := list(_problems(job, document, settings)):
        raise JobError.join(problems)
    return job


def _job(folder: Path, files: Sequence[str], definition: Definition) -> Job:
    queries = tuple(_query(folder / name, definition) for name in files if name.endswith(".sql"))
    hooks = folder / "hooks.py" if "hooks.py" in files else None
    return Job.model_construct(**dict(definition), name=folder.name, folder=folder, queries=queries, hooks=hooks)


def _query(path: Path, definition: Definition) -> Query:
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise JobError(f"{path.name} cannot be read: {error}", where=str(path)) from error
    options = definition.query.get(path.stem)
    return Query(name=path.stem, sql=text, source=options.source if options else definition.source, path=path)


def _problems(job: Job, document: toml.Document, settings: Settings) -> Iterator[JobError]:
    for query in job.queries:
        yield from _source_problems(job, query, document, settings)
        yield from _parameter_problems(job, query)
    for name in job.query:
        if name not in (known := [query.name for query in job.queries]):
            yield _unknown("query", name, known, where=_at(document, "query", name))
    if not (job.show or job.attach.anything):
        yield JobError("the job shows and attaches nothing", where=str(document.path), hint="add a [[show]]")
    yield from _dataset_problems(job, document)
    yield from _template_problems(job, document, settings)
    yield from _workbook_problems(job, document, settings)
    yield from _oversize_problems(job, document, settings)
    yield from _schedule_problems(job, document, settings)


def unsaid(job: Job) -> list[tuple[str, str]]:
    """The texts in the job's [words] that nothing in its folder says, by language: mistyped, or said no more."""
    said = set(_texts(job.model_dump(exclude={"words", "spoken", "audience"})))
    files = "\n".join(path.read_text("utf-8", "replace") for path in _tellers(job))
    return [
        (language, text)
        for language, words in job.words.items()
        for text in words
        if not (text in said or text in files or any(_column(text) == one for one in said) or _column(text) in files)
    ]


def _tellers(job: Job) -> list[Path]:
    """The files whose texts readers may see."""
    return [path for query in job.queries if (path := query.path)] + ([job.hooks] if job.hooks else [])


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for pair in value.items() for one in pair for text in _texts(one))
    elif isinstance(value, list | tuple):
        yield from (text for one in value for text in _texts(one))


def _column(label: str) -> str:
    """The column that has this label by itself."""
    return label.lower().replace(" ", "_")


def _source_problems(job: Job, query: Query, document: toml.Document, settings: Settings) -> Iterator[JobError]:
    if not query.source:
        yield JobError(
            f"no source for {query.name}.sql",
            where=str(document.path),
            hint=f'add source = "NAME"; sources in settings.toml: {", ".join(settings.sources) or "none"}',
        )
    elif query.source not in settings.sources:
        key = ("query", query.name, "source") if query.name in job.query else ("source",)
        yield _unknown("source", query.source, settings.sources, where=_at(document, *key))


def _parameter_problems(job: Job, query: Query) -> Iterator[JobError]:
    known = {*job.params, "as_of"}
    if not query.sql.strip():
        yield JobError(f"{query.name}.sql is empty", where=str(query.path), hint="write a SELECT, or delete it")
    for name, line in sql.parameters(query.sql).items():
        if name not in known:
            yield _unknown("param", name, known, where=f"{query.path}:{line}, parameter :{name}")


def _dataset_problems(job: Job, document: toml.Document) -> Iterator[JobError]:
    """Names that no query gives; with hooks, or for rejected rows, only a run can tell."""
    if job.hooks:
        return
    known = [query.name for query in job.queries]
    for key, name in _shown(job):
        if key[-1] == "picture":
            hint = "write a hooks.py whose datasets() returns a matplotlib Figure under this name"
            yield JobError(f"no hooks draw the picture '{name}'", where=_at(document, *key), hint=hint)
        elif name not in known and not name.endswith("_rejected"):
            yield _unknown("dataset", name, known, where=_at(document, *key))


def _shown(job: Job) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for number, show in enumerate(job.show):
        if (key := kind(show)) != "text":
            yield ("show", number, key), getattr(show, key)
    for kind_of, files in (("csv", job.attach.csv), ("parquet", job.attach.parquet)):
        for number, file in enumerate(files):
            yield ("attach", kind_of, number, "dataset"), file.dataset
    if job.status:
        yield ("status",), job.status
    for number, sheet in enumerate(job.attach.excel.sheets if job.attach.excel else ()):
        key = "dataset" if sheet.dataset else "figures"
        yield ("attach", "excel", "sheets", number, key), sheet.dataset or sheet.figures or ""


def _template_problems(job: Job, document: toml.Document, settings: Settings) -> Iterator[JobError]:
    folders = shipped.template_folders(settings.root)
    if not any(os.path.isfile(f"{folder}/{job.template}") for folder in folders):  # noqa: PTH113  as above
        known = sorted({path.name for folder in folders for path in folder.glob("*.html.j2")})
        yield _unknown("template", job.template, known, where=_at(document, "template"))


def workbook_template(job: Job, root: Path) -> Path:
    """The workbook that the job fills: in its own folder, or else in the project's. A JobError where there is none."""
    name = job.attach.excel.template if job.attach.excel else ""
    where = f"{job.folder / FILE}, key attach.excel.template"
    for folder in (job.folder, root):
        path = folder / name
        if not path.resolve().is_relative_to(root.resolve()):
            raise JobError(f"the template '{name}' is not in the project's folder", where=where)
        if path.is_file():
            return path
    raise JobError(f"there is no template '{name}'", where=where, hint=f"put it into {root / 'templates'}")


def _workbook_problems(job: Job, document: toml.Document, settings: Settings) -> Iterator[JobError]:
    if not (job.attach.excel and job.attach.excel.template):
        return
    try:
        workbook_template(job, settings.root)
    except JobError as error:
        yield JobError(error.what, where=_at(document, "attach", "excel", "template"), hint=error.hint)


def _oversize_problems(job: Job, document: toml.Document, settings: Settings) -> Iterator[JobError]:
    """Steps that would never be taken; who gets the report is looked at in `addressing`."""
    if (steps := job.oversize) == Definition.model_fields["oversize"].default:
        return
    where = _at(document, "oversize")
    if twice := [step for step in dict.fromkeys(steps) if steps.count(step) > 1]:
        yield JobError(f"the step '{twice[0]}' stands in oversize twice", where=where, hint="each step once, in order")
    if "fail" in steps[:-1]:
        yield JobError("nothing comes after the step 'fail'", where=where, hint="let 'fail' be the last step")
    if {*steps} - {"zip", "fail"} == {"link"} and not settings.store.base_url:
        yield JobError(
            "the step 'link' has no address to link to",
            where=where,
            hint='set base_url in [store] of settings.toml, or add the step "leave_out"',
        )


def _schedule_problems(job: Job, document: toml.Document, settings: Settings) -> Iterator[JobError]:
    """A rule for holidays that nobody names."""
    for number, schedule in enumerate(job.schedule):
        has_rule = schedule.on_holiday not in {None, "run"}
        if has_rule and not (schedule.calendar or settings.calendar or schedule.business_days):
            key = ("schedule", number, "on_holiday") if len(job.schedule) > 1 else ("schedule", "on_holiday")
            hint = 'add calendar = "DE", or set calendar in settings.toml'
            yield JobError("on_holiday needs to know whose holidays", where=_at(document, *key), hint=hint)


def _unknown(what: str, name: str, known: Iterable[str], *, where: str) -> JobError:
    hint = choices(name, sorted(known), what=f"{what}s here")
    return JobError(f"there is no {what} '{name}'", where=where, hint=hint)


def _at(document: toml.Document, *key: str | int) -> str:
    return f"{document.path}:{document.line(key)}, key {toml.dotted(key)}"
