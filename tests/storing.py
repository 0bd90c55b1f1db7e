"""What tests of the store have in common: runs, messages and instants, and an outbox with something in it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from typing import Any

from reports.model import Accounting, Delivery, DeliveryState, Message, Outcome, Outgoing, Plan, Run
from reports.settings import Store as Options
from reports.store import Store, open_store
from reports.store.schema import metadata

Open = Callable[[], Store]

NOW = dt.datetime(2026, 11, 21, 7, 0, 0, 123456, tzinfo=dt.UTC)
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)


def opened(folder: Path, **options: Any) -> Store:
    """The store that these options describe, in a project at `folder`."""
    return open_store(Options.model_validate(options, context={"root": folder}), folder / "var")


def shared(folder: Path, **options: Any) -> Iterator[Open]:
    """Opens one and the same empty store, as each process would."""
    stores: list[Store] = []

    def make() -> Store:
        stores.append(opened(folder, **options))
        return stores[-1]

    with make().database.writing() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
    yield make
    for store in stores:
        store.close()


def both(first: Callable[[], Any], second: Callable[[], Any]) -> tuple[Any, Any]:
    """The results of two calls that begin at the same moment, in two threads."""
    barrier = Barrier(2)

    def after(call: Callable[[], Any]) -> Any:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(after, (first, second))
    return one, two


def a_run(number: int = 1, **changes: Any) -> Run:
    return replace(Run(id=f"run-{number}", job="cashflow", as_of=NOW.date(), started=NOW), **changes)


def ended(run: Run, state: str = "succeeded", **changes: Any) -> Run:
    return replace(run, **{"state": state, "finished": run.started + MINUTE, **changes})


def outgoing(name: str = "m", *recipients: str, **changes: Any) -> Outgoing:
    """A message to these recipients, or to one, whose bytes are its own."""
    message = Message(
        message_id=f"<{name}@example.com>",
        date=NOW,
        sender="me@example.com",
        recipients=recipients or ("a@example.com",),
        subject=f"Subject {name}",
        content=f"bytes of {name}".encode(),
    )
    return replace(Outgoing(message=message, kind="report", expires=NOW + DAY), **changes)


def sent(store: Store, *messages: Outgoing, run: Run | None = None) -> Run:
    """A run that succeeded with these messages in the outbox, due since it finished."""
    run = run or a_run()
    assert store.runs.start(run, owner="me", until=run.started + HOUR)
    done = ended(run, finished=run.started)
    store.runs.succeed(done, owner="me", artifacts=[], messages=messages)
    return done


def claimed(store: Store, owner: str = "s1", now: dt.datetime = NOW, limit: int = 100) -> Sequence[Delivery]:
    """What one claim gives, as single deliveries."""
    parcels = store.outbox.claim(now=now, owner=owner, until=now + MINUTE, limit=limit)
    return [delivery for parcel in parcels for delivery in parcel.deliveries]


def outcome(delivery: Delivery, state: DeliveryState = "accepted", **changes: Any) -> Outcome:
    next_attempt = NOW + HOUR if state == "pending" else None
    made = Outcome(delivery=delivery.id, state=state, started=NOW, code=250, text="2.0.0 ok", next_attempt=next_attempt)
    return replace(made, **changes)


def states(store: Store) -> dict[str, str]:
    """The state of every delivery, by recipient."""
    return {one.recipient: one.state for one in store.outbox.deliveries(every=True)}


def a_plan(job: str = "cashflow", **changes: Any) -> Plan:
    return replace(Plan(job=job, definition="{}", accounted=NOW), **changes)


def a_due(number: int, **changes: Any) -> Run:
    """A run that waits, for an occurrence and due so many seconds after NOW."""
    at = NOW + number * dt.timedelta(seconds=1)
    return replace(a_run(number, occurrence=at, due=at, state="queued", trigger="schedule"), **changes)


def accounted(store: Store, *runs: Run, at: dt.datetime = NOW + HOUR, stop: dict[str, str] | None = None) -> list[str]:
    """These rows of some jobs, of which the service came to know by them; the ids of those that were new."""
    by_job: dict[str, list[Run]] = {}
    for run in runs:
        by_job.setdefault(run.job, []).append(run)
    known = store.plans.every()
    store.plans.keep([a_plan(job) for job in by_job if job not in known])
    new = store.plans.account(
        list(by_job), lambda plan, _: Accounting(accounted=at, runs=by_job[plan.job], stop=stop or {})
    )
    return [run.id for run in new]


def taken(store: Store, *owners: str, now: dt.datetime = NOW + HOUR, overlapping: Sequence[str] = ()) -> list[str]:
    """The ids of the runs that these owners get, in their order."""
    mine = store.runs.take(now=now, until=now + MINUTE, owners=owners, overlapping=overlapping)
    assert [owner for _, owner in mine] == list(owners[: len(mine)])
    return [run.id for run, _ in mine]
