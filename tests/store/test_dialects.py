"""SQL as each database gets it: what SQL Server would be told, and which indexes are used."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, text
from sqlalchemy.dialects import mssql, postgresql
from sqlalchemy.schema import CreateIndex, CreateTable
from storing import DAY, MINUTE, NOW, a_due, accounted, claimed, opened, outgoing, sent

from reports.model import Accounting
from reports.store import Store, accounting, claiming, queueing, rows
from reports.store.engine import locked
from reports.store.schema import FAILED, MISSED, Instant, acknowledgement, delivery, message, metadata, run, trouble

SQL_SERVER = mssql.dialect()


def sql(statement: Any, dialect: Any = SQL_SERVER) -> str:
    return " ".join(str(statement.compile(dialect=dialect)).split())


def test_sql_server_takes_the_tables() -> None:
    """Exact instants, text in any script, keys no longer than it allows."""
    tables = " ".join(sql(CreateTable(table)) for table in metadata.sorted_tables)
    assert "started DATETIME2(6) NOT NULL" in tables
    assert "recipient NVARCHAR(320) NOT NULL" in tables
    assert "id BIGINT NOT NULL IDENTITY" in tables
    for table in metadata.sorted_tables:
        assert sum(2 * (getattr(column.type, "length", None) or 4) for column in table.primary_key) <= 900
        for index in table.indexes:
            assert sum(2 * (getattr(column.type, "length", None) or 4) for column in index.columns) <= 1700


def test_sql_server_takes_what_alerts_keep() -> None:
    """The channels told of a trouble, and acknowledgements that go with their run; a streak is locked while it changes."""
    assert "NOT NULL DEFAULT 'mail'" in sql(CreateTable(trouble))
    table = sql(CreateTable(acknowledgement))
    assert "at DATETIME2(6) NOT NULL" in table.replace("[at]", "at")
    assert "REFERENCES run (id) ON DELETE CASCADE" in table
    there = sql(locked(select(trouble.c.told).where(trouble.c.job == "daily"), trouble))
    assert "FROM trouble WITH (UPDLOCK, ROWLOCK) WHERE" in there


def test_sql_server_takes_any_number_of_runs_without_an_occurrence() -> None:
    """A plain unique index there would take one."""
    (index,) = (one for one in run.indexes if one.unique)
    assert sql(CreateIndex(index)).endswith("(job, occurrence) WHERE occurrence IS NOT NULL")


def test_each_database_locks_what_it_claims() -> None:
    """And passes over what another sender has locked."""
    for statement in (claiming.DUE, claiming.DUE_OF_RUN):
        there = sql(statement.limit(5))
        assert "FROM delivery WITH (UPDLOCK, ROWLOCK, READPAST) WHERE" in there
        assert there.startswith("SELECT TOP ")
        assert sql(statement.limit(5), postgresql.dialect()).endswith("FOR UPDATE OF delivery SKIP LOCKED")


def test_each_database_locks_the_plans_it_decides_on() -> None:
    """In one order, so that two services wait in line; a taker passes over those in other hands."""
    there = sql(accounting.PLANS)
    assert "FROM [plan] WITH (UPDLOCK, ROWLOCK) WHERE" in there
    assert there.endswith("ORDER BY [plan].job")
    assert sql(accounting.PLANS, postgresql.dialect()).endswith("ORDER BY plan.job FOR UPDATE OF plan")
    assert "FROM [plan] WITH (UPDLOCK, ROWLOCK, READPAST) WHERE" in sql(queueing.FREE)
    assert sql(queueing.FREE, postgresql.dialect()).endswith("FOR UPDATE OF plan SKIP LOCKED")


def test_sql_server_is_told_the_same_of_the_queue() -> None:
    """What is due, oldest first; and indexes whose conditions it allows: values, and no long text."""
    there = sql(queueing.DUE.limit(5))
    assert there.startswith("SELECT TOP ")
    assert there.endswith("ORDER BY run.due, run.occurrence, run.id")
    made = {str(index.name): sql(CreateIndex(index)) for index in run.indexes}
    assert made["run_due"].endswith("ON run (state, due, occurrence, id) WHERE state = 'queued'")
    assert made["run_active"].endswith("ON run (job, state) WHERE state IN ('queued', 'running')")
    assert made["run_untold"].endswith("ON run (state, job, occurrence) WHERE state = 'missed'")


@pytest.mark.parametrize("dialect", [SQL_SERVER, postgresql.dialect()])
def test_an_instant_is_utc_in_every_database(dialect: Any) -> None:
    """To the microsecond, there and back."""
    here = NOW.astimezone(dt.timezone(dt.timedelta(hours=5, minutes=45)))
    there = Instant().process_bind_param(here, dialect)
    assert Instant().process_result_value(there, dialect) == NOW


# -- SQLite's plans --------------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = opened(tmp_path)
    yield made
    made.close()


def plan(store: Store, statement: Any, **values: Any) -> str:
    with store.database.reading() as connection:
        compiled = statement.params(values).compile(connection, compile_kwargs={"literal_binds": True})
        return " / ".join(row[3] for row in connection.execute(text(f"EXPLAIN QUERY PLAN {compiled}")))


def test_a_claim_reads_only_what_is_due(store: Store) -> None:
    """By the index, in its order, without sorting."""
    found = plan(store, claiming.DUE.limit(5), now=NOW, through="")
    assert found.startswith("SEARCH delivery USING INDEX delivery_due (state=? AND next_attempt<?)")
    assert "SEARCH message USING INTEGER PRIMARY KEY" in found
    assert "SORT" not in found
    assert "SEARCH delivery USING COVERING INDEX delivery_due" in plan(store, claiming.next_due())


def test_failures_to_tell_of_are_found_without_reading_those_told(store: Store) -> None:
    """An index has just these."""
    assert "USING INDEX delivery_untold" in plan(store, rows.deliveries().where(FAILED, message.c.kind == "report"))


def test_runs_that_wait_are_found_in_their_order_without_sorting(store: Store) -> None:
    """However many are settled; those of a job without reading what else it had."""
    due = plan(store, queueing.DUE.limit(5), now=NOW, passed=["a", "b"])
    assert due.startswith("SEARCH run USING INDEX run_due (state=? AND due<?) / CORRELATED")
    assert "SORT" not in due + plan(store, queueing.NEXT_DUE)
    assert "USING INDEX run_due (state=?)" in plan(store, queueing.NEXT_DUE)
    for statement in (accounting.GOING, queueing.BUSY.where(run.c.job.in_(["a", "b"]))):
        assert plan(store, statement, jobs=["a", "b"]) == "SEARCH run USING INDEX run_active (job=? AND state=?)"
    silent = rows.runs(log=False).where(MISSED).order_by(run.c.job, run.c.occurrence)
    assert plan(store, silent) == "SEARCH run USING INDEX run_untold (state=?)"


def test_taking_a_run_takes_as_many_steps_whatever_is_settled(store: Store) -> None:
    """SQLite's own count of steps, with no history and with 20,000 runs of it."""
    accounted(store, *(a_due(number, job=f"job-{number % 2}") for number in range(40)))
    bare = steps(store, take_one)
    settled = {**rows.of_run(a_due(1)), "owner": "o", "until": NOW, "state": "succeeded"}
    with store.database.writing() as connection:
        old = [
            {**settled, "id": f"old-{n}", "job": f"job-{n % 2}", "occurrence": NOW - n * MINUTE}
            for n in range(1, 20_001)
        ]
        connection.execute(insert(run), old)
    assert steps(store, take_one) <= bare + 20


def take_one(connection: Connection) -> None:
    call = queueing.Call(now=NOW + DAY, until=NOW + DAY, owners=["a"], overlapping={"job-0"})
    assert len(queueing.take(connection, call)) == 1
    accounting.account(connection, ["job-1"], lambda *_: Accounting(accounted=NOW))
    connection.execute(queueing.NEXT_DUE).all()


def test_a_claim_takes_as_many_steps_whatever_is_settled(store: Store) -> None:
    """SQLite's own count of steps, with no history and with 20,000 deliveries of it."""
    sent(store, *(outgoing(f"m{number}") for number in range(3)))
    bare = steps(store, claim_one)
    with store.database.writing() as connection:
        number = connection.execute(text("SELECT max(id) FROM message")).scalar()
        settled = {
            "message": number,
            "recipient": "old@example.com",
            "attempts": 1,
            "expires": NOW + DAY,
            "settled": NOW,
            "told": NOW,
            "last_reply": "250 ok",
            "hint": "",
        }
        states = ["accepted", "refused", "expired", "cancelled"]
        connection.execute(insert(delivery), [{**settled, "state": states[n % 4]} for n in range(20_000)])
    assert steps(store, claim_one) <= bare + 20


def claim_one(connection: Connection) -> None:
    """One delivery, and the questions of each tick."""
    claim = claiming.Claim(now=NOW, owner="s", until=NOW + MINUTE, limit=1)
    ids, _ = claiming.take(connection, claim)
    assert len(ids) == 1
    claiming.parcels(connection, ids, 100)
    claiming.take_up(connection, NOW, ["dead"])
    connection.execute(claiming.next_due())
    connection.execute(rows.deliveries().where(FAILED)).all()


def steps(store: Store, work: Callable[[Connection], object]) -> int:
    """How many of SQLite's steps that takes."""
    count = 0

    def step() -> None:
        nonlocal count
        count += 1

    with store.database.writing() as connection:
        driver: Any = connection.connection.dbapi_connection
        driver.set_progress_handler(step, 1)
        work(connection)
        driver.set_progress_handler(None, 0)
    return count


def test_a_claim_where_rows_cannot_be_locked_takes_only_what_it_changed(store: Store) -> None:
    """Ids read before another sender took them do not come with the claim."""
    sent(store, outgoing("m", "a@example.com", "b@example.com"))
    first, second = claimed(store, "s1")
    store.outbox.change([second.id], to="pending", states=["sending"], now=NOW, reason="test")
    claim = claiming.Claim(now=NOW, owner="s2", until=NOW + MINUTE, limit=5)
    with store.database.writing() as connection:
        assert claiming.take_these(connection, [first.id, second.id], claim) == [second.id]
