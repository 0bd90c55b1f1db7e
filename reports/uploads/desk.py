"""Uploads as they are asked for, by command or by script: made one after the other, kept, and told of at the end."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from reports import leases
from reports.errors import DefinitionError, ReportsError, SettingsError, SourceError, choices
from reports.model import Artifact
from reports.settings import FileSource, Settings
from reports.sources import tables
from reports.sources.stream import Stream, open_stream
from reports.store import Store, Upload
from reports.uploads import rejected, telling
from reports.uploads.loading import Progress
from reports.uploads.order import AlreadyThere, Order
from reports.uploads.result import SHOWN, Uploaded
from reports.uploads.target import Target
from reports.uploads.uploading import Uploading

Deliver = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one file: an upload, however it ended; or the error that stood in the way of its first row."""

    name: str
    uploaded: Uploaded | None = None
    error: ReportsError | None = None
    run: str = ""


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Takes orders. Mistakes in an order are raised; what becomes of a file is an outcome."""

    settings: Settings
    store: Store
    clock: Callable[[], dt.datetime]
    new_id: Callable[[], str]
    deliver: Deliver
    tell: Callable[[str], None]
    told: Callable[[Progress], None]

    def take(self, items: Sequence[Any], order: Order, *, notify: Sequence[str] = ()) -> Sequence[Outcome]:
        """The files, or frames, in their order; whoever is to be told is told once, at the end, well or badly."""
        envelope, reading = telling.check(notify, self.settings), self._reading(order.reading)
        done: list[Outcome] = []
        ended: list[Upload] = []
        try:
            done.extend(self._one(item, order, reading, ended) for item in items)
        except (KeyboardInterrupt, SystemExit):
            self._inform(done, ended, envelope)
            raise
        run = self._inform(done, ended, envelope)
        return [replace(one, run=run) for one in done]

    def order_of(self, upload_id: str, order: Order) -> tuple[Path, Order]:
        """The file of an upload that stopped, and the order to go on with it."""
        found = self.store.uploads.find(upload_id)
        kept = found.options
        target = Target(source=found.source, schema=kept.get("schema", ""), table=kept.get("table", found.target))
        return Path(found.file), replace(
            order, target=target, mode=found.mode, keys=tuple(kept.get("keys", ())), reading=kept.get("source", ""),
            resume=True, upload=found.id,
        )  # fmt: skip

    # -- one file ---------------------------------------------------------------------------------------

    def _one(self, item: Any, order: Order, reading: FileSource, ended: list[Upload]) -> Outcome:
        uploading = Uploading(
            settings=self.settings, store=self.store, clock=self.clock, new_id=self.new_id, owner=leases.new_owner(),
            tell=self.tell, told=self.told, ended=ended.append,
        )  # fmt: skip
        name = item.name if isinstance(item, Path) else "(frame)"
        with tempfile.TemporaryDirectory(prefix="reports-", ignore_cleanup_errors=True) as folder:
            try:
                stream = _stream(item, reading, Path(folder).resolve())
                upload = uploading.upload(stream, order, reading)
            except DefinitionError:
                raise
            except AlreadyThere as error:
                return Outcome(name=name, error=error)
            except ReportsError as error:
                place = str(item) if isinstance(item, Path) else name
                if not (order.resume or any(one.file == place for one in ended)):
                    uploading.failed(place, name, order, error)
                return Outcome(name=name, error=error)
        return Outcome(name=name, uploaded=self.result(upload))

    def result(self, upload: Upload) -> Uploaded:
        """An upload with its rejected rows."""
        uploads = self.store.uploads
        return Uploaded(
            upload=upload, causes=uploads.causes(upload.id), errors=list(islice(uploads.rejects(upload.id), SHOWN))
        )

    def _reading(self, name: str) -> FileSource:
        """How files are read: as that source of files says, else as they are."""
        if not name:
            return FileSource(files="")
        found = self.settings.sources.get(name)
        if not isinstance(found, FileSource):
            known = [one for one, source in self.settings.sources.items() if isinstance(source, FileSource)]
            hint = choices(name, known, what="sources of files in settings.toml")
            raise SettingsError(f"there is no source of files '{name}'", where="--source", hint=hint)
        return found

    # -- at the end -------------------------------------------------------------------------------------

    def _inform(self, done: list[Outcome], ended: Sequence[Upload], envelope: Any) -> str:
        """The files of the rejected rows, and the mail; that one of them fails changes nothing of the uploads."""
        try:
            files = self._files(done, ended)
        except ReportsError as error:
            files = []
            self.tell(f"the rejected rows could not be written: {error.what}")
        if not ended or not (files or envelope):
            return ""
        try:
            informer = telling.Informer(settings=self.settings, store=self.store, clock=self.clock)
            run = informer.tell(ended, files, self.new_id(), envelope)
            self.deliver(run.id)
        except ReportsError as error:
            self.tell(f"nobody could be told yet: {self.settings.mask(error.what)}")
            return ""
        return run.id

    def _files(self, done: list[Outcome], ended: Sequence[Upload]) -> list[Artifact]:
        found: list[Artifact] = []
        for upload in ended:
            if not upload.rejected:
                continue
            made = rejected.files(upload, self.store.uploads, self.tell)
            paths = rejected.write(made, self.settings.data_folder / "uploads")
            found += made
            for place, one in enumerate(done):
                if one.uploaded and one.uploaded.id == upload.id:
                    done[place] = replace(one, uploaded=replace(one.uploaded, files=paths))
        return found


def expanded(names: Sequence[str], folder: Path) -> list[Path]:
    """The files that these names and patterns mean, as seen from `folder`; a SourceError for one that means none."""
    found: list[Path] = []
    for name in names:
        matches = tables.found(name, folder)
        if not matches and any(sign in name for sign in "*?["):
            raise tables.none_found(name, folder)
        found += matches or [folder / name]
    return list(dict.fromkeys(found))


def _stream(item: Any, reading: FileSource, folder: Path) -> Stream:
    if isinstance(item, str | Path):
        return open_stream(Path(item), reading, folder)
    from reports.sources.framed import framed  # noqa: PLC0415  pandas, for frames alone

    return framed(item)


def one_of(outcomes: Sequence[Outcome]) -> Uploaded:
    """The upload of a single order; its error raised where there is none."""
    (outcome,) = outcomes
    if outcome.error:
        raise outcome.error
    if outcome.uploaded is None:
        raise SourceError("nothing was uploaded")
    return outcome.uploaded
