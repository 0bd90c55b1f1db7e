"""The schema: made, brought up to date, and never taken for what it is not."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from sqlalchemy import column, create_engine, insert, inspect, table, text
from storing import DAY, NOW, a_due, a_run, accounted, ended, opened, outgoing, sent, states, taken

from reports.errors import StoreError
from reports.model import Acknowledgement
from reports.store import Store, rows
from reports.store.migrating import directory
from reports.store.schema import HEAD, artifact, metadata, run


@pytest.fixture(params=["sqlite", "postgresql"])
def nowhere(request: pytest.FixtureRequest) -> dict[str, str]:
    """Options for a database that has no tables yet."""
    if request.param == "sqlite":
        return {}
    url: str = request.getfixturevalue("postgresql")
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return {"url": url}


def test_the_migrations_lead_to_the_tables(tmp_path: Path, nowhere: dict[str, str]) -> None:
    """On an empty database they make just what the code expects, indexes included."""
    store = opened(tmp_path, **nowhere)
    with store.database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert context.get_current_revision() == HEAD
        assert compare_metadata(context, metadata) == []
        made = {index["name"] for table in metadata.tables for index in inspect(connection).get_indexes(table)}
    wanted = {index.name for table in metadata.sorted_tables for index in table.indexes}
    assert wanted <= made
    store.close()


def test_what_was_kept_before_the_queue_is_kept(tmp_path: Path, nowhere: dict[str, str]) -> None:
    """Runs with logs, files and deliveries come through, and the new parts can be used."""
    url = nowhere.get("url", f"sqlite:///{tmp_path}/var/reports.db")
    (tmp_path / "var").mkdir()
    before, file = (
        a_run(log="line 1\nline 2 – 现金\n", occurrence=NOW),
        {"name": "a.xlsx", "media_type": "x/y", "size": 3, "sha256": "0" * 64},
    )
    made(url, "0001", {**rows.of_run(before), "owner": "me", "until": NOW}, {**file, "run": before.id})
    store = opened(tmp_path, **nowhere)
    assert store.runs.find(before.id) == before
    assert [one.name for one in store.runs.artifacts(before.id)] == ["a.xlsx"]
    store.runs.succeed(ended(before), owner="me", artifacts=[], messages=[outgoing()])
    assert accounted(store, a_due(2), a_due(0, occurrence=NOW)) == ["run-2"]
    assert taken(store, "you") == ["run-2"]
    with store.database.reading() as connection:
        columns = [one["name"] for one in inspect(connection).get_columns("run")]
    assert columns[-1] == "log" or not store.database.is_sqlite
    store.close()


def test_what_was_kept_before_the_channels_went_by_mail(tmp_path: Path, nowhere: dict[str, str]) -> None:
    """Messages, deliveries that wait, and troubles that are open come through; and each new part can be used."""
    url = nowhere.get("url", f"sqlite:///{tmp_path}/var/reports.db")
    (tmp_path / "var").mkdir()
    before = a_run(state="failed", finished=NOW)
    file = {"name": "a.xlsx", "media_type": "x/y", "size": 3, "sha256": "0" * 64, "run": before.id}
    made(url, "0003", {**rows.of_run(before), "owner": "me", "until": NOW}, file, more=mail_before(before.id))
    store = opened(tmp_path, **nowhere)
    (waiting,) = store.outbox.deliveries()
    assert (waiting.channel, waiting.reference, waiting.recipient) == ("", "", "a@example.com")
    assert store.outbox.channels(NOW) == [""]
    (parcel,) = store.outbox.claim(now=NOW, owner="s", until=NOW, limit=9)
    assert (parcel.follow, parcel.earlier, parcel.channel) == ("", {}, "")
    (trouble,) = store.troubles.every()
    assert (trouble.job, trouble.run, trouble.told) == ("cashflow", before.id, ("mail",))
    again = a_run(2)
    store.runs.start(again, owner="me", until=NOW)
    notices = [outgoing("mail", kind="failure"), outgoing("push", kind="failure", channel="push")]
    told = store.runs.fail(ended(again, "failed"), owner="me", notices=notices)
    assert [one.channel for one in told] == ["push"]
    said = Acknowledgement(at=NOW, who="ann")
    store.troubles.acknowledge(store.troubles.every(), said)
    assert store.troubles.acknowledgements(before.id) == [said]
    store.close()


def mail_before(run_id: str) -> dict[str, dict[str, Any]]:
    """Rows as they were: a mail that waits, and a trouble that it told of."""
    return {
        "message": {
            "message_id": "<n@example.com>", "run": run_id, "kind": "failure", "date": NOW, "sender": "me",
            "subject": "Failed", "content": "0" * 64, "size": 3, "on_unknown": "hold",
        },
        "delivery": {
            "message": text("(SELECT max(id) FROM message)"), "recipient": "a@example.com", "state": "pending", "attempts": 0, "expires": NOW + DAY,
            "next_attempt": NOW, "last_reply": "", "hint": "",
        },
        "trouble": {
            "job": "cashflow", "about": "", "since": NOW, "latest": NOW, "run": run_id,
            "message_id": "<n@example.com>", "times": 1,
        },
    }  # fmt: skip


def made(
    url: str, revision: str, one: dict[str, Any], file: dict[str, Any], *, more: Mapping[str, dict[str, Any]] = {}
) -> None:
    """A database as it was at that revision, with one run and one file of it, and `more` rows by their table."""
    engine, scripts = create_engine(url), directory()
    with (
        engine.begin() as connection,
        EnvironmentContext(Config(), scripts, fn=lambda now, _: scripts._upgrade_revs(revision, now)) as environment,
    ):
        environment.configure(connection=connection)
        environment.run_migrations()
        there = {column["name"] for column in inspect(connection).get_columns("run")}
        connection.execute(insert(run).values({name: value for name, value in one.items() if name in there}))
        connection.execute(insert(artifact).values(file))
        for name, row in more.items():
            columns = [column(each, metadata.tables[name].c[each].type) for each in row]
            connection.execute(insert(table(name, *columns)).values(row))
    engine.dispose()


def test_head_is_the_newest_migration() -> None:
    """The constant that is compared at every start, and the files."""
    assert directory().get_current_head() == HEAD


def test_many_may_open_a_new_database_at_once(tmp_path: Path, nowhere: dict[str, str]) -> None:
    """One makes it, the others wait, and all can use it."""
    barrier = Barrier(6)

    def open_one(_: int) -> Store:
        barrier.wait()
        return opened(tmp_path, **nowhere)

    with ThreadPoolExecutor(6) as pool:
        stores = list(pool.map(open_one, range(6)))
    sent(stores[0], outgoing())
    assert [states(store) for store in stores] == [{"a@example.com": "pending"}] * 6
    for store in stores:
        store.close()


def test_a_current_database_is_opened_without_alembic(tmp_path: Path) -> None:
    """It would take as long to import as all the rest."""
    opened(tmp_path).close()
    code = (
        "import sys; from pathlib import Path; from reports.settings import Store; from reports.store import open_store\n"
        "open_store(Store(), Path(sys.argv[1])).close(); print('alembic' in sys.modules, 'fsspec' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "var")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.split() == ["False", "False"]


def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    """The error says what to do."""
    opened(tmp_path).close()
    path = tmp_path / "var" / "reports.db"
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(StoreError, match=r"newer version of reports \(its schema is 9999\)") as caught:
        opened(tmp_path)
    assert (caught.value.where, "upgrade" in caught.value.hint) == (str(path), True)


def test_a_migration_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    """A table of somebody else is in the way: the error names it, and no other table was made."""
    (tmp_path / "var").mkdir()
    path = tmp_path / "var" / "reports.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE pace (x)")
    connection.close()
    with pytest.raises(StoreError, match="table pace already exists"):
        opened(tmp_path)
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("pace",)]
    connection.close()
