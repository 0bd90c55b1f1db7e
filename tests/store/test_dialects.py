"""SQL as each database gets it: what SQL Server would be told, and which indexes are used."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, text
from sqlalchemy.dialects import mssql, postgresql
from sqlalchemy.schema import CreateIndex, CreateTable
from storing import DAY, MINUTE, NOW, claimed, opened, outgoing, sent

from reports.store import Store, claiming, rows
from reports.store.schema import FAILED, Instant, delivery, message, metadata, run

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
    found = plan(store, claiming.DUE.limit(5), now=NOW)
    assert found == "SEARCH delivery USING INDEX delivery_due (state=? AND next_attempt<?)"
    assert "SEARCH delivery USING COVERING INDEX delivery_due" in plan(store, claiming.next_due())


def test_failures_to_tell_of_are_found_without_reading_those_told(store: Store) -> None:
    """An index has just these."""
    assert "USING INDEX delivery_untold" in plan(store, rows.deliveries().where(FAILED, message.c.kind == "report"))


def test_a_claim_takes_as_many_steps_whatever_is_settled(store: Store) -> None:
    """SQLite's own count of steps, with no history and with 20,000 deliveries of it."""
    sent(store, *(outgoing(f"m{number}") for number in range(3)))
    bare = steps(store)
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
    assert steps(store) <= bare + 20


def steps(store: Store) -> int:
    """How many of SQLite's steps one claim of one delivery, and the questions of each tick, take."""
    count = 0

    def step() -> None:
        nonlocal count
        count += 1

    with store.database.writing() as connection:
        driver: Any = connection.connection.dbapi_connection
        driver.set_progress_handler(step, 1)
        claim = claiming.Claim(now=NOW, owner="s", until=NOW + MINUTE, limit=1)
        ids, _ = claiming.take(connection, claim)
        claiming.parcels(connection, ids, 100)
        claiming.take_up(connection, NOW, ["dead"])
        connection.execute(claiming.next_due())
        connection.execute(rows.deliveries().where(FAILED)).all()
        driver.set_progress_handler(None, 0)
    assert len(ids) == 1
    return count


def test_a_claim_where_rows_cannot_be_locked_takes_only_what_it_changed(store: Store) -> None:
    """Ids read before another sender took them do not come with the claim."""
    sent(store, outgoing("m", "a@example.com", "b@example.com"))
    first, second = claimed(store, "s1")
    store.outbox.change([second.id], to="pending", states=["sending"], now=NOW, reason="test")
    claim = claiming.Claim(now=NOW, owner="s2", until=NOW + MINUTE, limit=5)
    with store.database.writing() as connection:
        assert claiming.take_these(connection, [first.id, second.id], claim) == [second.id]
