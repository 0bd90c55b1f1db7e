"""What tests of the store have in common: runs, messages and instants, and an outbox with something in it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from reports.model import Delivery, DeliveryState, Message, Outcome, Outgoing, Run
from reports.settings import Store as Options
from reports.store import Store, open_store

NOW = dt.datetime(2026, 11, 21, 7, 0, 0, 123456, tzinfo=dt.UTC)
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)


def opened(folder: Path, **options: Any) -> Store:
    """The store that these options describe, in a project at `folder`."""
    return open_store(Options.model_validate(options, context={"root": folder}), folder / "var")


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
