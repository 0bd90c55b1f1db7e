"""The log of uploads: what went into which table, how far it came, and each row that was not let in."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import Connection, Row, Select, delete, func, insert, or_, select, update

from reports.errors import StoreError, Superseded
from reports.store import rows
from reports.store.engine import Database
from reports.store.schema import upload, upload_reject

UploadState = Literal["running", "succeeded", "partial", "failed", "interrupted"]
UNFINISHED: tuple[UploadState, ...] = ("running", "failed", "interrupted")
"""States of an upload that may be taken up where it stopped."""


@dataclass(frozen=True, kw_only=True)
class Upload:
    """One file, or frame, on its way into one table, with what came of it so far. Instants are aware, in UTC.

    `file` is the path as it was given, `options` how it was asked for. Of a `partial` one some rows are in and
    the others are rejected.
    """

    id: str
    source: str
    target: str
    file: str
    name: str
    sha256: str
    size: int
    mode: str
    started: dt.datetime
    ended: dt.datetime | None = None
    state: UploadState = "running"
    rows_read: int = 0
    inserted: int = 0
    updated: int = 0
    rejected: int = 0
    batches: int = 0
    retries: int = 0
    error: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    login: str = ""


@dataclass(frozen=True, kw_only=True)
class Reject:
    """A row that is not in the table: which of the file's records, on which line, and why.

    `row` counts from 1; `content` is the row as it stands in the file.
    """

    row: int
    file: str
    line: int
    column: str
    value: str
    reason: str
    cause: str
    content: str


_UPLOAD = [one.name for one in dataclasses.fields(Upload)]
_REJECT = [one.name for one in dataclasses.fields(Reject)]


@dataclass(frozen=True)
class Uploads:
    """Every upload. What a method promises has been committed when it returns."""

    database: Database

    # -- one upload, from its start to its end ------------------------------------------------------------

    def start(self, started: Upload, *, owner: str, until: dt.datetime) -> None:
        """It begins, leased to `owner`."""
        values = {**_values(started), "state": "running", "owner": owner, "until": until}
        with self.database.writing() as connection:
            connection.execute(insert(upload).values(values))

    def take_over(self, again: Upload, *, owner: str, until: dt.datetime) -> None:
        """An upload that did not end well goes on, leased to `owner`; a StoreError if somebody else has it now."""
        held = or_(upload.c.state != "running", upload.c.until <= again.started)
        mine = (upload.c.id == again.id, upload.c.state.in_(UNFINISHED), held)
        kept = {name: getattr(again, name) for name in ("target", "file", "name", "sha256", "size", "options", "login")}
        values = kept | {"state": "running", "ended": None, "error": "", "owner": owner, "until": until}
        with self.database.writing() as connection:
            if not connection.execute(update(upload).where(*mine).values(values)).rowcount:
                raise StoreError(
                    f"the upload {again.id} is going on, or is done", hint=f"reports uploads {again.id} shows it"
                )

    def renew(self, upload_id: str, *, owner: str, until: dt.datetime) -> bool:
        """The lease lasts until then; False if the upload is not `owner`'s any more."""
        with self.database.writing(quick=True) as connection:
            held = update(upload).where(*_held(upload_id, owner)).values(until=until)
            return connection.execute(held).rowcount > 0

    def keep(self, now: Upload, *, owner: str) -> None:
        """How far it has come; Superseded if the upload is not `owner`'s any more."""
        with self.database.writing(quick=True) as connection:
            _change(connection, now, owner)

    def end(self, ended: Upload, *, owner: str) -> None:
        """What became of it; Superseded if the upload is not `owner`'s any more."""
        if ended.ended is None or ended.state == "running":
            raise ValueError(f"the upload {ended.id} has not ended")
        with self.database.writing() as connection:
            _change(connection, ended, owner)

    def reject(self, upload_id: str, rejects: Sequence[Reject]) -> None:
        """These rows are not let in; one that is on record already stays as it is."""
        with self.database.writing() as connection:
            for batch in rows.batches(rejects):
                known = set(connection.scalars(_rejected(upload_id, [one.row for one in batch])))
                new = [{**vars(one), "upload": upload_id} for one in batch if one.row not in known]
                for one in new:
                    one["column"] = one["column"][:128]
                if new:
                    connection.execute(insert(upload_reject), new)

    def forget(self, upload_id: str, *, after: int) -> None:
        """The rows beyond `after` are tried again."""
        beyond = (upload_reject.c.upload == upload_id, upload_reject.c.row > after)
        with self.database.writing() as connection:
            connection.execute(delete(upload_reject).where(*beyond))

    # -- looking -------------------------------------------------------------------------------------------

    def find(self, prefix: str) -> Upload:
        """The upload of that id, or of the only id that begins so; a StoreError says what there is otherwise."""
        alike = _uploads().where(upload.c.id.startswith(prefix, autoescape=True)).limit(6)
        with self.database.reading() as connection:
            found = connection.execute(alike).all()
        if len(found) == 1 and prefix:
            return _as_upload(found[0])
        newest = ", ".join(one.id[:8] for one in self.list(limit=5))
        what = f"'{prefix}' begins the ids of several uploads" if found and prefix else f"there is no upload '{prefix}'"
        hint = f"newest first: {newest}" if newest else "nothing has been uploaded yet"
        error = StoreError(what, where=self.database.where, hint=hint)
        error.temporary = False
        raise error

    def list(self, limit: int = 100) -> Sequence[Upload]:
        """The newest first."""
        return self._uploads(_uploads().order_by(*_NEWEST).limit(limit))

    def of_file(self, source: str, target: str, sha256: str) -> Sequence[Upload]:
        """The uploads of just these bytes into that table of a source, the newest first."""
        same = (upload.c.source == source, upload.c.target == target, upload.c.sha256 == sha256)
        return self._uploads(_uploads().where(*same).order_by(*_NEWEST))

    def unfinished(self, source: str, target: str) -> Sequence[Upload]:
        """The uploads into that table of a source that were not brought to an end, the newest first."""
        open_ = (upload.c.source == source, upload.c.target == target, upload.c.state.in_(UNFINISHED))
        return self._uploads(_uploads().where(*open_).order_by(*_NEWEST))

    def rejects(self, upload_id: str) -> Iterator[Reject]:
        """The rows that were not let in, in the order of the file; read in pieces."""
        last = 0
        columns = [upload_reject.c[name] for name in _REJECT]
        while True:
            beyond = (upload_reject.c.upload == upload_id, upload_reject.c.row > last)
            piece = select(*columns).where(*beyond).order_by(upload_reject.c.row).limit(5000)
            with self.database.reading() as connection:
                found = [Reject(**dict(zip(_REJECT, row, strict=True))) for row in connection.execute(piece)]
            if not found:
                return
            yield from found
            last = found[-1].row

    def causes(self, upload_id: str) -> Mapping[str, int]:
        """How many rows were not let in for which cause, the most frequent first."""
        many = func.count().label("many")
        counted = select(upload_reject.c.cause, many).where(upload_reject.c.upload == upload_id)
        with self.database.reading() as connection:
            found = connection.execute(counted.group_by(upload_reject.c.cause).order_by(many.desc()))
            return {row.cause: row.many for row in found}

    def count_rejects(self, upload_id: str) -> int:
        """How many rows were not let in."""
        counted = select(func.count()).where(upload_reject.c.upload == upload_id)
        with self.database.reading() as connection:
            return int(connection.execute(counted).scalar_one())

    def owners(self) -> Sequence[str]:
        """Everybody who has an upload in hand, as far as is known."""
        with self.database.reading() as connection:
            return connection.scalars(select(upload.c.owner).where(upload.c.state == "running")).all()

    def settle(self, now: dt.datetime, *, dead: Sequence[str] = ()) -> None:
        """Uploads whose process has died, or has let its lease run out, are interrupted."""
        left = or_(upload.c.until <= now, upload.c.owner.in_(dead))
        over = (upload.c.state == "running", left)
        with self.database.reading() as connection:
            if connection.execute(select(upload.c.id).where(*over).limit(1)).first() is None:
                return
        error = "the process that made it ended before it was done"
        with self.database.writing() as connection:
            connection.execute(update(upload).where(*over).values(state="interrupted", ended=now, error=error))

    def _uploads(self, statement: Select[Any]) -> Sequence[Upload]:
        with self.database.reading() as connection:
            return [_as_upload(row) for row in connection.execute(statement)]


_NEWEST = (upload.c.started.desc(), upload.c.id.desc())


def _uploads() -> Select[Any]:
    return select(*(upload.c[name] for name in _UPLOAD))


def _as_upload(row: Row[Any]) -> Upload:
    return Upload(**dict(zip(_UPLOAD, row, strict=True)))


def _values(value: Upload) -> dict[str, Any]:
    return {name: getattr(value, name) for name in _UPLOAD}


def _rejected(upload_id: str, numbers: Sequence[int]) -> Select[Any]:
    return select(upload_reject.c.row).where(upload_reject.c.upload == upload_id, upload_reject.c.row.in_(numbers))


def _held(upload_id: str, owner: str) -> tuple[Any, ...]:
    return upload.c.id == upload_id, upload.c.owner == owner, upload.c.state == "running"


def _change(connection: Connection, now: Upload, owner: str) -> None:
    names = ("rows_read", "inserted", "updated", "rejected", "batches", "retries", "state", "ended", "error")
    values = {name: getattr(now, name) for name in names}
    if not connection.execute(update(upload).where(*_held(now.id, owner)).values(values)).rowcount:
        raise Superseded(
            f"the upload {now.id} is not this process's any more: its lease ran out, and it was given up",
            hint=f"reports uploads {now.id} shows what became of it",
        )
