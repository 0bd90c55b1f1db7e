"""The store: the history of runs, the outbox with who got what, and the bytes of both."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select, union

from reports.settings import Store as Options
from reports.store import retention
from reports.store.artifacts import Artifacts, open_artifacts
from reports.store.engine import Database, exists, open_database
from reports.store.outbox import Outbox
from reports.store.plans import Plans
from reports.store.runs import Runs
from reports.store.schema import delivery, run
from reports.store.services import Services
from reports.store.troubles import Troubles
from reports.store.uploads import Reject, Upload, Uploads

Referred = tuple[str, str, str]
"""A run, the name of one of its files or the Message-ID of one of its messages, and the hash of its bytes."""


_OWNERS = union(
    select(run.c.owner).where(run.c.state == "running"), select(delivery.c.owner).where(delivery.c.state == "sending")
)


@dataclass(frozen=True, kw_only=True)
class Checked:
    """Bytes of no run, by hash, and files of runs whose bytes are missing or are no longer the same."""

    orphans: Sequence[str]
    missing: Sequence[Referred]
    altered: Sequence[Referred]


@dataclass(frozen=True, kw_only=True)
class Store:
    """All that is kept between runs. What a method promises has been committed when it returns."""

    runs: Runs
    plans: Plans
    services: Services
    outbox: Outbox
    troubles: Troubles
    uploads: Uploads
    artifacts: Artifacts
    database: Database

    @property
    def where(self) -> str:
        """The database's file or server, without a password."""
        return self.database.where

    @property
    def is_local(self) -> bool:
        """Whether all that use it are on this machine."""
        return self.database.is_sqlite

    def clock_skew(self, now: dt.datetime) -> float | None:
        """Seconds by which the database server's clock is ahead of `now`; None for a database without one."""
        return self.database.clock_skew(now)

    def check(self) -> Checked:
        """Reads all bytes that are kept, and compares them with what the runs refer to; a damaged database is told."""
        self.database.check()
        by_hash: dict[str, list[Referred]] = {}
        with self.database.reading() as connection:
            for one in retention.referred(connection):
                by_hash.setdefault(one[2], []).append(one)
        orphans, missing, altered = self.artifacts.faults(by_hash)
        return Checked(orphans=orphans, missing=_named(missing, by_hash), altered=_named(altered, by_hash))

    def owners(self) -> Sequence[str]:
        """Everybody who holds a lease, on a run or on deliveries."""
        with self.database.reading() as connection:
            return connection.scalars(_OWNERS).all()

    def close(self) -> None:
        """Lets go of the database; what was claimed stays leased until its lease is over."""
        self.database.close()


def _named(hashes: Sequence[str], by_hash: Mapping[str, Sequence[Referred]]) -> Sequence[Referred]:
    return [one for sha256 in hashes for one in by_hash[sha256]]


def open_store(options: Options, data_folder: Path) -> Store:
    """The store that [store] in settings.toml describes, made or brought up to date; a StoreError if it cannot be."""
    artifacts = open_artifacts(options.artifacts, options.root, data_folder)
    database = open_database(options, data_folder)
    return Store(
        runs=Runs(database, artifacts),
        plans=Plans(database),
        services=Services(database),
        outbox=Outbox(database),
        troubles=Troubles(database, artifacts),
        uploads=Uploads(database),
        artifacts=artifacts,
        database=database,
    )


__all__ = [
    "Artifacts",
    "Checked",
    "Outbox",
    "Plans",
    "Reject",
    "Runs",
    "Services",
    "Store",
    "Troubles",
    "Upload",
    "Uploads",
    "exists",
    "open_store",
]
