"""A log of uploads made from a seed: a month of a dozen files, with rejects, failures and retries, as the store has it."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import insert

from reports.store import Store
from reports.store.schema import upload, upload_reject

DAY = dt.timedelta(days=1)
UPLOAD = (
    "id", "source", "target", "file", "name", "sha256", "size", "mode", "started", "ended", "state", "rows_read",
    "inserted", "updated", "rejected", "batches", "retries", "error", "options", "owner", "until", "login",
)  # fmt: skip
REJECT = ("upload", "row", "file", "line", "column", "value", "reason", "cause", "content")
# File, table, rows, hour (UTC), days of the week (0 is Monday).
FILES = (
    ("loans_{day:%Y%m%d}.csv", "dbo.loans", 48_000, 5.2, range(5)),
    ("payments_{day:%Y-%m-%d}.csv.gz", "dbo.payments", 210_000, 5.6, range(5)),
    ("balances_{day:%Y%m%d}.csv", "dbo.balances", 96_000, 5.9, range(5)),
    ("fx_rates_{day:%d%b%Y}.csv", "dbo.fx_rates", 168, 6.0, range(5)),
    ("positions.{day:%Y.%m.%d}.parquet", "risk.positions", 320_000, 6.4, range(5)),
    ("prices_{day:%Y%m%d}.csv", "risk.prices", 12_500, 6.6, range(5)),
    ("counterparties.xlsx", "dbo.counterparties", 1_240, 7.1, range(5)),
    ("ledger_{day:%Y%m%d}.csv", "gl.entries", 74_000, 7.5, range(5)),
    ("cards_{day:%Y%m%d}.csv", "dbo.cards", 132_000, 4.1, range(7)),
    ("limits_{day:%G-W%V}.csv", "risk.limits", 860, 8.0, (0,)),
    ("collateral_{day:%Y%m%d}.csv", "risk.collateral", 5_400, 8.2, (4,)),
    ("客户_{day:%Y%m%d}.csv", "dbo.customers", 3_300, 8.4, range(5)),
)
CAUSES = (
    ("wrong type", "amount", "12.3.4", "'12.3.4' is no decimal(18,2)"),
    ("duplicate key", "loan_id", "0000137", "Violation of PRIMARY KEY constraint 'PK_loans'"),
    ("missing value", "currency", "", "the table requires a value"),
    ("too long", "name", "Kowalski-Lindqvist und Söhne Vermögensverwaltung", "48 characters; the column takes 40"),
    ("unknown reference", "branch", "9901", "no such branch: FOREIGN KEY constraint 'FK_branch'"),
    ("broken row", "", "", "7 values for 12 columns"),
)


@dataclass
class Log:
    """The rows of both tables, as dictionaries; `add` appends an upload with its rejected rows."""

    uploads: list[dict[str, Any]] = field(default_factory=list)
    rejects: list[dict[str, Any]] = field(default_factory=list)

    def add(
        self,
        name: str,
        target: str,
        started: dt.datetime,
        *,
        state: str = "succeeded",
        rows: int = 0,
        seconds: float | None = 1.0,
        rejects: Sequence[tuple[int, tuple[str, str, str, str]]] = (),
        error: str = "",
        retries: int = 0,
        until: dt.datetime | None = None,
    ) -> str:
        """`rejects` are lines with cause, column, value and reason; the id of the upload comes back."""
        identity = f"u{len(self.uploads) + 1:06d}"
        loaded = rows - len(rejects) if state in {"succeeded", "partial"} else 0
        ended = None if seconds is None else started + dt.timedelta(seconds=seconds)
        values = (
            identity, "warehouse", target, f"incoming/{name}", name, f"{len(self.uploads):064x}", rows * 120, "append",
            started, ended, state, rows, loaded, 0, len(rejects), rows // 10_000 + 1, retries, error, {},
            "server:1", until or started + dt.timedelta(minutes=5), "loader@server",
        )  # fmt: skip
        self.uploads.append(dict(zip(UPLOAD, values, strict=True)))
        for line, (cause, column, value, reason) in rejects:
            content = f"{line:07d},{value or 'x'},2026-11-27"
            reject = (identity, line - 1, f"incoming/{name}", line, column, value, reason, cause, content)
            self.rejects.append(dict(zip(REJECT, reject, strict=True)))
        return identity

    def on(self, day: dt.date) -> list[dict[str, Any]]:
        """The uploads that began on that day of UTC."""
        return [one for one in self.uploads if one["started"].date() == day]

    def keep(self, store: Store) -> None:
        """All of it in the store, which is left open."""
        with store.database.writing() as connection:
            for table, rows in ((upload, self.uploads), (upload_reject, self.rejects)):
                if rows:
                    connection.execute(insert(table), rows)


def month(last: dt.date, *, days: int = 30, seed: int = 20261127) -> Log:
    """The days up to `last`, which goes badly; the same for the same seed."""
    chance, log = random.Random(seed), Log()  # noqa: S311  nothing secret
    for number in range(days, 0, -1):
        day = last - number * DAY
        for arrival in arrivals(chance, day):
            ordinary(chance, log, *arrival)
    bad_day(chance, log, last)
    return log


def arrivals(chance: random.Random, day: dt.date) -> Iterator[tuple[str, str, int, dt.datetime]]:
    """The files of an ordinary day: name, table, rows and when."""
    for name, target, rows, hour, weekdays in FILES:
        if day.weekday() in weekdays:
            midnight = dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC)
            at = midnight + dt.timedelta(hours=hour + chance.uniform(-0.2, 0.2))
            yield name.format(day=day), target, round(rows * chance.uniform(0.9, 1.1)), at


def ordinary(chance: random.Random, log: Log, name: str, target: str, rows: int, at: dt.datetime) -> None:
    """Mostly whole; sometimes with a few rejected rows, and seldom lost and loaded again."""
    seconds = 0.4 + rows / chance.uniform(22_000, 34_000)
    if chance.random() < 0.02:
        log.add(name, target, at, state="failed", rows=0, seconds=15, error="connection reset by peer")
        at += dt.timedelta(minutes=20)
    count = chance.randrange(1, 30) if chance.random() < 0.08 else 0
    rejects = [(line, chance.choice(CAUSES)) for line in sorted(chance.sample(range(2, 160), count))]
    state, retries = ("partial" if rejects else "succeeded"), int(chance.random() < 0.03)
    log.add(name, target, at, state=state, rows=rows, seconds=seconds, rejects=rejects, retries=retries)


def bad_day(chance: random.Random, log: Log, day: dt.date) -> None:
    """One file fails, one fails and goes in later, two lose rows, one does not come, one takes long."""
    for name, target, rows, at in arrivals(chance, day):
        if name.startswith("prices"):
            continue
        seconds = 0.4 + rows / 28_000
        if name.startswith("balances"):
            error = (
                "'utf-8' codec can't decode byte 0xc9 in position 759: invalid continuation byte\n"
                "  where: incoming/balances.csv, line 12"
            )
            log.add(name, target, at, state="failed", rows=0, seconds=0.3, error=error)
        elif name.startswith("ledger"):
            lost = "the server closed the connection; tried 4 times"
            log.add(name, target, at, state="failed", rows=30_000, seconds=95, error=lost, retries=3)
            log.add(name, target, at + dt.timedelta(minutes=40), rows=rows, seconds=seconds)
        elif name.startswith("loans"):
            rejects = [(line, CAUSES[(line % 5) // 2]) for line in range(11, 11 + 37 * 13, 13)]
            log.add(name, target, at, state="partial", rows=rows, seconds=seconds, rejects=rejects)
        elif name.startswith("客户"):
            log.add(name, target, at, state="partial", rows=rows, seconds=seconds, rejects=[(18, CAUSES[3])])
        elif name.startswith("positions"):
            log.add(name, target, at, rows=rows, seconds=213.4, retries=2)
        else:
            log.add(name, target, at, rows=rows, seconds=seconds)
