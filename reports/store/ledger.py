"""Who got what: the answers written down, by the sender who holds a delivery and by one who came late.

Most answers come from the sender that holds the delivery, and replace its state. The others come from a
sender whose lease ran out while it was sending, or whose delivery a person has changed meanwhile. Theirs
are never lost: the attempt is always written, and

* `accepted` always counts. It is a fact that nothing later undoes: neither a person's decision nor the
  answer to another sender. If that other one has handed the message over meanwhile, it can no longer be
  stopped; an attempt that says so is written, and the second copy is seen in the history instead of guessed.
  If it has not, its handing over fails with Superseded, and nothing goes twice.
* any other answer counts while nobody has done anything with the delivery since this sender lost it:
  it is `unknown` or `pending` as `take_up` left it. `unknown` says no more than is known already.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Update, bindparam, case, func, insert, select, update

from reports.errors import Superseded
from reports.model import Outcome
from reports.store.engine import Database
from reports.store.rows import SETTLED
from reports.store.schema import Instant, attempt, delivery

SECOND = "another sender had handed the message over when an earlier one reported that it was accepted"

_next = bindparam("next", type_=Instant)
_this = delivery.c.id == bindparam("number")
_mine = delivery.c.owner == bindparam("me")
_ANSWER = (
    update(delivery)
    .where(_this)
    .values(
        state=bindparam("to"),
        attempts=delivery.c.attempts + bindparam("tried"),
        last_reply=func.coalesce(bindparam("reply"), delivery.c.last_reply),
        hint=bindparam("do"),
        reference=func.coalesce(bindparam("called"), delivery.c.reference),
        # A wait beyond the expiry ends there, when the delivery is settled as expired.
        next_attempt=case((_next > delivery.c.expires, delivery.c.expires), else_=_next),
        settled=bindparam("done"),
    )
)
_HELD = _ANSWER.where(_mine, delivery.c.state == "sending")
_LATE = _ANSWER.where(_mine, delivery.c.state.in_(["unknown", "pending"]))
_ACCEPTED = _ANSWER.where(delivery.c.state != "accepted")
_HAND = update(delivery).where(_this, _mine, delivery.c.state == "sending").values(handed=bindparam("at"))
_ELSEWHERE = select(delivery.c.claimed).where(
    _this, delivery.c.owner != bindparam("me"), delivery.c.state == "sending", delivery.c.handed.is_not(None)
)
# An attempt with the number that the delivery has come to; none if the delivery is there no more.
ATTEMPT = insert(attempt).from_select(
    ["delivery", "number", "started", "finished", "state", "code", "text"],
    select(
        delivery.c.id,
        delivery.c.attempts,
        bindparam("began", type_=Instant),
        bindparam("ended", type_=Instant),
        bindparam("became", type_=attempt.c.state.type),
        bindparam("answered", type_=attempt.c.code.type),
        bindparam("words", type_=attempt.c.text.type),
    ).where(delivery.c.id == bindparam("of")),
)


Values = dict[str, Any]


class _Missed(Exception):
    """Not every row was there to be changed; which one, the driver does not say."""


def record(
    database: Database, *, owner: str, now: dt.datetime, settled: Sequence[Outcome], handing_over: Sequence[int]
) -> None:
    """The answers in `settled`, then the mark on what is about to be handed over, in one commit."""
    answers = [_Answer(outcome, owner, now) for outcome in sorted(settled, key=lambda one: one.delivery)]
    hands = [{"number": number, "me": owner, "at": now} for number in sorted(handing_over)]
    # Quick: the claim before it waited for the disk, and what a machine that goes down forgets of this
    # is found in the hands of a sender that went down with it, and is unknown (see `claiming.fallen`).
    try:
        with database.writing(quick=True) as connection:
            _all_at_once(connection, answers, hands)
    except _Missed:
        with database.writing() as connection:
            for answer in answers:
                _one(connection, answer)
            handed = _hand_over(connection, hands)
        if not handed:
            raise Superseded(
                "another sender has taken this over, or somebody has changed it; it is not sent from here",
                where=database.where,
                hint="reports outbox list shows where it is now",
            ) from None


def _all_at_once(connection: Connection, answers: Sequence[_Answer], hands: Sequence[Values]) -> None:
    """The usual case, in three statements; _Missed, and so nothing, if a row was not as it should be."""
    _every(connection, _HELD, [answer.held() for answer in answers])
    if tried := [answer.attempt() for answer in answers if answer.outcome.tried]:
        connection.execute(ATTEMPT, tried)
    _every(connection, _HAND, hands)


def _every(connection: Connection, statement: Update, values: Sequence[Values]) -> None:
    if not values:
        return
    if len(values) > 1 and not connection.dialect.supports_sane_multi_rowcount:
        raise _Missed
    if connection.execute(statement, values).rowcount != len(values):
        raise _Missed


def explain(connection: Connection, ids: Sequence[int], *, to: str, now: dt.datetime, reason: str) -> None:
    """A decision that was no attempt stands among the attempts, with its reason."""
    said = [{"of": number, "began": now, "ended": now, "became": to, "answered": 0, "words": reason} for number in ids]
    if said:
        connection.execute(ATTEMPT, said)


# -- one by one ------------------------------------------------------------------------------------


def _one(connection: Connection, answer: _Answer) -> None:
    if not connection.execute(_HELD, answer.held()).rowcount:
        _late(connection, answer)
    if answer.outcome.tried:
        connection.execute(ATTEMPT, answer.attempt())


def _late(connection: Connection, answer: _Answer) -> None:
    """The answer of a sender that holds the delivery no more; its attempt was counted when it lost it."""
    if answer.outcome.state == "accepted":
        _second_copy(connection, answer)
        connection.execute(_ACCEPTED, answer.changes(tried=0))
    elif answer.outcome.state != "unknown" and answer.outcome.tried:
        connection.execute(_LATE, {**answer.changes(tried=0), "me": answer.owner})


def _second_copy(connection: Connection, answer: _Answer) -> None:
    asked = {"number": answer.outcome.delivery, "me": answer.owner}
    if other := connection.execute(_ELSEWHERE, asked).one_or_none():
        began = other.claimed or answer.now
        values = {**answer.attempt(), "began": began, "became": "unknown", "answered": 0, "words": SECOND}
        connection.execute(ATTEMPT, values)


def _hand_over(connection: Connection, hands: Sequence[Values]) -> bool:
    """All of them or none: what is not sent must not look as if it had been."""
    marked = [connection.execute(_HAND, hand).rowcount for hand in hands]
    if all(marked):
        return True
    for hand in hands:
        connection.execute(_HAND, {**hand, "at": None})
    return False


# -- the values ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Answer:
    """One outcome, as the statements above want it."""

    outcome: Outcome
    owner: str
    now: dt.datetime

    def __post_init__(self) -> None:
        if self.outcome.state == "pending" and self.outcome.next_attempt is None:
            raise ValueError(f"delivery {self.outcome.delivery} is to be tried again, but nobody says when")

    def held(self) -> Values:
        return {**self.changes(tried=int(self.outcome.tried)), "me": self.owner}

    def changes(self, *, tried: int) -> Values:
        one = self.outcome
        return {
            "number": one.delivery,
            "to": one.state,
            "tried": tried,
            # What the server said before stays where it said nothing.
            "reply": " ".join(filter(None, (str(one.code or ""), one.text))) or None,
            "do": one.hint,
            "called": one.reference or None,
            "next": one.next_attempt if one.state == "pending" else None,
            "done": self.now if one.state in SETTLED else None,
        }

    def attempt(self) -> Values:
        one = self.outcome
        return {
            "of": one.delivery,
            "began": one.started,
            "ended": self.now,
            "became": "unknown" if one.unknown else one.state,
            "answered": one.code,
            "words": one.text,
        }
