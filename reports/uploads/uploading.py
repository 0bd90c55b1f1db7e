"""One upload from the command to its end: checked before anything is written, logged, leased, and told of truly."""

from __future__ import annotations

import datetime as dt
import getpass
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from reports import leases
from reports.errors import DefinitionError, ReportsError, SettingsError, SourceError, Superseded, choices
from reports.settings import Connected, DatabaseSource, FileSource, Settings, SqlServerSource
from reports.sources.database import Database
from reports.sources.stream import Stream
from reports.sources.wording import listed, nearest
from reports.store import Store, Upload
from reports.uploads.columns import Column, matched
from reports.uploads.inferring import guesses
from reports.uploads.loading import Loading, Progress
from reports.uploads.order import AlreadyThere, Order, check
from reports.uploads.postgresql import PostgreSQL
from reports.uploads.server import Server
from reports.uploads.session import Plan, Session
from reports.uploads.sqlite import SQLite
from reports.uploads.sqlserver import PyMSSQL, SQLServer
from reports.uploads.values import Writing

KEPT_EVERY = 2.0
"""Seconds between two notes in the log of how far an upload has come."""


@dataclass(frozen=True, kw_only=True)
class Uploading:
    """Makes uploads. What stands in the way of the first row is raised; what comes later is logged and returned."""

    settings: Settings
    store: Store
    clock: Callable[[], dt.datetime]
    new_id: Callable[[], str]
    owner: str
    tell: Callable[[str], None] = lambda _: None
    told: Callable[[Progress], None] = lambda _: None
    ended: Callable[[Upload], object] = lambda _: None
    sleep: Callable[[float], None] = time.sleep

    def upload(self, stream: Stream, order: Order, reading: FileSource) -> Upload:
        """The upload as it ended: succeeded, partial or failed. A ReportsError where not a row was tried."""
        check(order)
        with self._session(order) as session:
            there = session.columns()
            order = replace(order, target=replace(order.target, schema=session.server.schema))
            columns = there or self._created(session, stream, order, reading)
            plan, pairs = self._planned(session, stream, order, reading, columns)
            # What was in a table that is not there any more does not count.
            logged = self._logged(stream, order if there else replace(order, again=True))
            session.upload = logged.id
            with self._leased(logged):
                return _Under(self, session, logged).load(plan, self._loading(session, stream, order, pairs, reading))

    def failed(self, place: str, name: str, order: Order, error: ReportsError) -> Upload:
        """On record: a file of which not a row was tried, and why."""
        now = self.clock()
        made = Upload(
            id=self.new_id(), source=order.target.source, target=str(order.target), file=place, name=name[-255:],
            sha256="", size=0, mode=order.mode, started=now, options=order.options, login=_login(),
        )  # fmt: skip
        self.store.uploads.start(made, owner=self.owner, until=now + leases.LENGTH)
        over = replace(made, state="failed", ended=now, error=self.settings.mask(str(error)))
        self.store.uploads.end(over, owner=self.owner)
        self.ended(over)
        return over

    # -- before the first row --------------------------------------------------------------------------

    @contextmanager
    def _session(self, order: Order) -> Iterator[Session]:
        settings = self._source(order.target.source)
        database = Database(order.target.source, settings)
        server = _server(database)(order.target.schema, order.target.table)
        engine = database.writer
        session = Session(
            database=database, server=server, upload="", attempts=settings.attempts, tell=self.tell, sleep=self.sleep
        )
        try:
            yield session
        finally:
            session.close()
            engine.dispose()

    def _source(self, name: str) -> Connected:
        found = self.settings.sources.get(name)
        if found is None:
            known = [one for one, source in self.settings.sources.items() if isinstance(source, Connected)]
            hint = choices(name, known, what="databases in settings.toml")
            raise SettingsError(f"there is no source '{name}'", where="--to", hint=hint)
        if not isinstance(found, DatabaseSource | SqlServerSource):
            raise SettingsError(f"the source '{name}' is no database that rows can be put into", where="--to")
        return found

    def _planned(
        self, session: Session, stream: Stream, order: Order, reading: FileSource, columns: Sequence[Column]
    ) -> tuple[Plan, Sequence[tuple[int, Column]]]:
        table = f"{session.server.schema}.{session.server.table}"
        header = reading.header or not hasattr(stream, "cut")
        pairs = matched(stream.names, columns, header=header, file=stream.place, table=table)
        keys = [_key(name, [column for _, column in pairs], table) for name in order.keys]
        return Plan(mode=order.mode, columns=[column for _, column in pairs], keys=keys), pairs

    def _created(self, session: Session, stream: Stream, order: Order, reading: FileSource) -> list[Column]:
        server = session.server
        if not order.create:
            tables = session.look(server.tables)
            near = nearest(tables, server.table)[:1]
            meant = f"did you mean '{near[0]}'? " if near else ""
            raise SourceError(
                f"there is no table {server.schema}.{server.table}",
                where=session.database.where,
                hint=f"{meant}tables: {listed(tables, server.table)}; --create makes it, with types from the file",
            )
        self.tell(f"looking at the values of {stream.name} for the types of {server.table}")
        keys = {key.casefold() for key in order.keys}
        found = guesses(stream, reading.types, self._writing(stream, reading), size=order.batch)
        lines = []
        for guess in found:
            (digits, scale), key = guess.size, guess.name.casefold() in keys
            declared = server.declared(guess.kind, digits=digits, scale=scale, length=guess.length, key=key)
            lines.append(f"{server.quoted(guess.name)} {declared}{' NOT NULL' if key else ''}")
        if key_names := [guess.name for guess in found if guess.name.casefold() in keys]:
            lines.append(f"PRIMARY KEY ({', '.join(map(server.quoted, key_names))})")
        statement = f"CREATE TABLE {server.target} ({', '.join(lines)})"
        session.make(statement)
        self.tell(f"made the table: {statement}")
        return session.columns()

    def _writing(self, stream: Stream, reading: FileSource) -> Writing:
        plain = not hasattr(stream, "cut") or bool(stream.errors)
        return Writing(
            decimal="." if plain else reading.decimal,
            thousands="" if plain else reading.thousands,
            date_format=reading.date_format,
            null_words=frozenset(reading.null_words),
            errors=frozenset(stream.errors),
            zone=self.settings.timezone,
        )

    def _logged(self, stream: Stream, order: Order) -> Upload:
        """The upload's row in the log: a new one, or that of the one that is to go on."""
        now, sha256 = self.clock(), stream.fingerprint()
        owners = self.store.uploads.owners()
        self.store.uploads.settle(now, dead=leases.dead(owners, here=self.store.is_local))
        new = Upload(
            id=self.new_id(), source=order.target.source, target=str(order.target), file=stream.place,
            name=stream.name[-255:], sha256=sha256, size=stream.size, mode=order.mode, started=now,
            options=order.options, login=_login(),
        )  # fmt: skip
        until = now + leases.LENGTH
        if order.resume:
            found = self._unfinished(new, order)
            again = replace(new, id=found.id, mode=found.mode)
            self.store.uploads.take_over(again, owner=self.owner, until=until)
            kept = {name: getattr(found, name) for name in ("started", "rows_read", "retries", "batches")}
            return replace(again, **kept)
        if order.mode == "append" and not order.again:
            self._check_new(new)
        self.store.uploads.start(new, owner=self.owner, until=until)
        return new

    def _unfinished(self, new: Upload, order: Order) -> Upload:
        if order.upload:
            found = self.store.uploads.find(order.upload)
        else:
            open_ = self.store.uploads.unfinished(new.source, new.target)
            same = [one for one in open_ if one.sha256 == new.sha256] or [one for one in open_ if one.name == new.name]
            if not same:
                hint = "leave --resume out; reports uploads shows what there is"
                raise SourceError(f"no upload of {new.name} into {new.target} was left unfinished", hint=hint)
            found = same[0]
        if found.mode != order.mode:
            raise DefinitionError(
                f"the upload {found.id} is one to {found.mode}, not to {order.mode}",
                where="--mode",
                hint=f"--mode {found.mode} goes on with it",
            )
        return found

    def _check_new(self, new: Upload) -> None:
        """AlreadyThere if these very bytes are in the table, or partly so."""
        for one in self.store.uploads.of_file(new.source, new.target, new.sha256):
            if one.state in ("succeeded", "partial"):
                when = one.ended or one.started
                raise AlreadyThere(
                    f"this very file was uploaded into {new.target} before: {_rows(one.inserted)} at "
                    f"{when:%Y-%m-%d %H:%M:%S}Z, by {one.login}, upload {one.id[:8]} of {one.name}",
                    where=new.file,
                    hint="nothing was written; --again uploads it once more",
                )
            if one.rows_read or one.state == "running":
                how = "is going on" if one.state == "running" else f"stopped after {one.rows_read:,} rows"
                raise AlreadyThere(
                    f"an upload of this very file into {new.target} {how}: upload {one.id[:8]}",
                    where=new.file,
                    hint="nothing was written; --resume goes on with it, --again begins another one",
                )

    @contextmanager
    def _leased(self, logged: Upload) -> Iterator[None]:
        def renew() -> bool:
            return self.store.uploads.renew(logged.id, owner=self.owner, until=self.clock() + leases.LENGTH)

        with leases.held(renew):
            yield

    def _loading(
        self, session: Session, stream: Stream, order: Order, pairs: Sequence[tuple[int, Column]], reading: FileSource
    ) -> Loading:
        upload = session.upload
        return Loading(
            session=session,
            plan=Plan(mode=order.mode, columns=()),
            stream=stream,
            pairs=pairs,
            writing=self._writing(stream, reading),
            batch=order.batch,
            stop=order.stop,
            most=order.most,
            record=lambda rejects: self.store.uploads.reject(upload, rejects),
            told=self.told,
        )


@dataclass
class _Under:
    """An upload under way: its rows go in, and its log says how far they are."""

    by: Uploading
    session: Session
    log: Upload
    _kept: float = field(default_factory=time.monotonic)

    def load(self, plan: Plan, loading: Loading) -> Upload:
        """The upload as it ended; what ended it before the end is in its error."""
        error: ReportsError | None = None
        try:
            self._load(plan, loading)
        except Superseded:
            raise
        except ReportsError as told:
            error = told
        except BaseException as broken:
            ended = self._ended(loading, "interrupted" if _by_hand(broken) else "failed", _words(broken))
            self.by.tell(f"stopped after {_rows(ended.rows_read)}; reports upload --resume {ended.id[:8]} goes on")
            raise
        state = "failed" if error else "partial" if loading.rejected else "succeeded"
        ended = self._ended(loading, state, self.by.settings.mask(str(error)) if error else "")
        if error is None:
            self._tidy()
        return ended

    def _load(self, plan: Plan, loading: Loading) -> None:
        session, uploads = self.session, self.by.store.uploads
        before, mark = self.log.rows_read, session.begin()
        if mark.loaded == 0 and before:
            raise SourceError(
                "the database knows nothing of this upload any more: a later one has replaced the table, or the "
                "database was brought back from a copy",
                where=session.database.where,
                hint="look what is in the table, then upload anew, without --resume",
            )
        if plan.mode == "replace":
            plan = replace(plan, staging=_staging(self.log.id))
            if not mark.done:
                session.stage(plan)
        loading.plan, loading.mark = plan, mark
        uploads.forget(self.log.id, after=mark.loaded)
        loading.rejected = uploads.count_rejects(self.log.id)
        told, loading.told = loading.told, lambda progress: self._told(loading, progress, told)
        if not mark.done:
            loading.run()
            if plan.staging:
                loading.mark = session.swap(plan, loading.mark)

    def _told(self, loading: Loading, progress: Progress, told: Callable[[Progress], None]) -> None:
        told(progress)
        if time.monotonic() - self._kept > KEPT_EVERY:
            self._kept = time.monotonic()
            self.by.store.uploads.keep(self._now(loading), owner=self.by.owner)

    def _now(self, loading: Loading) -> Upload:
        mark = loading.mark
        waiting = loading.plan.mode == "replace" and not mark.done  # beside the table, which is as it was
        return replace(
            self.log, rows_read=mark.loaded, inserted=0 if waiting else mark.inserted, updated=mark.updated,
            rejected=loading.rejected, batches=self.log.batches + loading.batches,
            retries=self.log.retries + self.session.retries,
        )  # fmt: skip

    def _ended(self, loading: Loading, state: Any, error: str) -> Upload:
        ended = replace(self._now(loading), state=state, ended=self.by.clock(), error=error)
        self.by.store.uploads.end(ended, owner=self.by.owner)
        self.by.ended(ended)
        return ended

    def _tidy(self) -> None:
        """What was there to go on by is needed no more; that it stays would do no harm."""
        try:
            self.session.end(self.log.id)
            if self.log.mode == "replace":
                for one in self.by.store.uploads.unfinished(self.log.source, self.log.target):
                    if one.mode == "replace" and one.state != "running" and one.started < self.log.started:
                        self.session.end(one.id, _staging(one.id))
        except ReportsError as error:
            self.by.tell(f"what is needed no more is left behind in the database: {error.what}")


def _server(database: Database) -> type[Server]:
    if database.kind == "mssql":
        return PyMSSQL if database.driver == "pymssql" else SQLServer
    known: dict[str, type[Server]] = {"sqlite": SQLite, "postgresql": PostgreSQL}
    if database.kind not in known:
        raise SourceError(
            f"nothing can be uploaded into a database of the kind {database.kind}",
            where=database.where,
            hint="SQL Server, PostgreSQL and SQLite can be",
        )
    return known[database.kind]


def _staging(upload: str) -> str:
    """The table that the rows of an upload stand in until they replace those of the target."""
    return f"reports_new_{upload}"


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


def _key(name: str, columns: Sequence[Column], table: str) -> Column:
    for column in columns:
        if column.name.casefold() == name.casefold():
            return column
    names = [column.name for column in columns]
    raise DefinitionError(
        f"the key '{name}' is no column of both the file and {table}", where="--key", hint=listed(names, name)
    )


def _login() -> str:
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):
        user = "somebody"
    return f"{user}@{socket.gethostname()}"[:255]


def _by_hand(error: BaseException) -> bool:
    return isinstance(error, KeyboardInterrupt | SystemExit)


def _words(error: BaseException) -> str:
    return "stopped by hand" if _by_hand(error) else f"{type(error).__name__}: {error}"
