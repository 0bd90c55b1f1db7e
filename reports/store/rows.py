"""Values to rows and back, and the SELECTs that several parts share."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import Row, Select, select

from reports.model import Attempt, Beat, Delivery, DeliveryState, Plan, Run, StoredArtifact
from reports.store.schema import artifact, delivery, message, plan, run, service

Any_ = TypeVar("Any_")
SETTLED: frozenset[DeliveryState] = frozenset({"accepted", "refused", "unknown", "expired", "cancelled"})
"""States in which nothing more happens by itself; `unknown` still wants a person's decision."""
MOST_VALUES = 500
"""Values in one IN list: every database takes these."""
_RUN = [field.name for field in dataclasses.fields(Run)]


def batches(values: Sequence[Any_], size: int = MOST_VALUES) -> Iterator[Sequence[Any_]]:
    """The values in order, some at a time."""
    return (values[start : start + size] for start in range(0, len(values), size))


def of_run(value: Run) -> dict[str, Any]:
    """A run's own columns."""
    return {name: getattr(value, name) for name in _RUN}


def runs(*, log: bool) -> Select[Any]:
    """Runs as `as_run` reads them; a list of them does without the logs."""
    return select(*(run.c[name] for name in _RUN if log or name != "log"))


def as_run(row: Row[Any]) -> Run:
    return Run(**{name: value for name, value in row._mapping.items() if name in _RUN})  # noqa: SLF001  its public name


_PLAN = [field.name for field in dataclasses.fields(Plan)]
_BEAT = [field.name for field in dataclasses.fields(Beat)]


def plans() -> Select[Any]:
    """Plans as `as_plan` reads them."""
    return select(*(plan.c[name] for name in _PLAN))


def as_plan(row: Row[Any]) -> Plan:
    return Plan(**dict(zip(_PLAN, row, strict=True)))


def beats() -> Select[Any]:
    """Services as `as_beat` reads them."""
    return select(*(service.c[name] for name in _BEAT))


def as_beat(row: Row[Any]) -> Beat:
    return Beat(**dict(zip(_BEAT, row, strict=True)))


ARTIFACT = (artifact.c.name, artifact.c.media_type, artifact.c.sha256, artifact.c.size)
"""The columns that `as_artifact` reads."""


def artifacts_of(run_id: str) -> Select[Any]:
    return select(*ARTIFACT).where(artifact.c.run == run_id).order_by(artifact.c.id)


def as_artifact(row: Row[Any]) -> StoredArtifact:
    return StoredArtifact(name=row.name, media_type=row.media_type, sha256=row.sha256, size=row.size)


def deliveries(*more: Any) -> Select[Any]:
    """Deliveries as `as_delivery` reads them, with `more` columns of their message or run."""
    return select(
        delivery.c.id,
        message.c.message_id,
        message.c.run,
        run.c.job,
        message.c.kind,
        message.c.subject,
        delivery.c.recipient,
        delivery.c.state,
        delivery.c.attempts,
        delivery.c.last_reply,
        delivery.c.hint,
        delivery.c.next_attempt,
        delivery.c.expires,
        delivery.c.settled,
        message.c.channel,
        delivery.c.reference,
        *more,
    ).select_from(delivery.join(message, delivery.c.message == message.c.id).join(run, message.c.run == run.c.id))


_DELIVERY = [field.name for field in dataclasses.fields(Delivery)]


def as_delivery(row: Row[Any]) -> Delivery:
    return Delivery(**{name: getattr(row, name) for name in _DELIVERY})


def as_attempt(row: Row[Any]) -> Attempt:
    return Attempt(
        number=row.number,
        started=row.started,
        finished=row.finished,
        state=row.state,
        code=row.code,
        text=row.text,
    )
