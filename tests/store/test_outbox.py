"""The outbox under any order of claims, answers, deaths and decisions."""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from storing import HOUR, MINUTE, NOW, a_run, opened, outcome, outgoing, sent

from reports.errors import Superseded
from reports.model import Delivery, Parcel

SENDERS = ("s1", "s2", "s3")
LEASE = 10 * MINUTE
ANSWERS = ("accepted", "refused", "pending", "unknown")


@dataclass
class Hand:
    """What one sender believes to hold: a parcel, whether it was handed over, and whether the lease ran out."""

    parcel: Parcel
    until: dt.datetime
    handed: bool = False
    lost: bool = False
    ids: list[int] = field(default_factory=list)


class Senders(RuleBasedStateMachine):
    """Three senders, one of whom may sleep through its lease and wake up, and a person, with one outbox."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.store = opened(self.folder)
        self.now = NOW
        self.runs = 0
        self.hands: dict[str, list[Hand]] = {name: [] for name in SENDERS}
        self.copies: dict[int, int] = {}  # how often a server has really taken it
        self.told: set[int] = set()  # the store was told of an acceptance
        self.all: set[int] = set()

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)

    @rule(recipients=st.integers(1, 4), on_unknown=st.sampled_from(["hold", "resend"]))
    def a_run_succeeds(self, recipients: int, on_unknown: Any) -> None:
        self.runs += 1
        names = [f"r{number}@example.com" for number in range(recipients)]
        message = outgoing(f"m{self.runs}", *names, on_unknown=on_unknown, expires=self.now + 3 * HOUR)
        run = sent(self.store, message, run=a_run(self.runs, started=self.now))
        self.all |= {one.id for one in self.store.outbox.deliveries(run=run.id, every=True)}

    @rule(minutes=st.sampled_from([1, 9, 30]))
    def time_passes(self, minutes: int) -> None:
        self.now += minutes * MINUTE

    @rule(sender=st.sampled_from(SENDERS), limit=st.integers(1, 5), most=st.integers(1, 3))
    def claim(self, sender: str, limit: int, most: int) -> None:
        until = self.now + LEASE
        parcels = self.store.outbox.claim(now=self.now, owner=sender, until=until, limit=limit, most_recipients=most)
        ids = [one.id for parcel in parcels for one in parcel.deliveries]
        assert len(ids) == len(set(ids)) <= limit
        assert not set(ids) & self.held(), "it was in other hands"
        assert not set(ids) & self.told, "it had been accepted"
        assert all(len(parcel.deliveries) <= most for parcel in parcels)
        for parcel in parcels:
            mine = [one.id for one in parcel.deliveries]
            self.hands[sender].append(Hand(parcel, until, ids=mine))

    def held(self) -> set[int]:
        return {number for sender in SENDERS for number in self.held_by(sender)}

    def held_by(self, sender: str) -> set[int]:
        return {number for hand in self.hands[sender] if not hand.lost for number in hand.ids}

    @rule(sender=st.sampled_from(SENDERS))
    def renew(self, sender: str) -> None:
        kept = [hand for hand in self.hands[sender] if not hand.lost]
        assert self.store.outbox.renew(owner=sender, until=self.now + LEASE) == sum(len(hand.ids) for hand in kept)
        for hand in kept:
            hand.until = self.now + LEASE

    @rule()
    def take_up(self) -> None:
        expected = {
            number
            for hands in self.hands.values()
            for hand in hands
            if not hand.lost and hand.until <= self.now
            for number in hand.ids
        }
        taken = self.store.outbox.take_up(self.now)
        assert {one.id for one in taken} == expected
        for hand in (hand for hands in self.hands.values() for hand in hands):
            hand.lost = hand.lost or hand.until <= self.now
            if hand.lost and hand.handed and hand.parcel.on_unknown == "hold":
                assert all(one.state == "unknown" for one in taken if one.id in hand.ids)

    @precondition(lambda self: any(self.hands.values()))
    @rule(data=st.data())
    def hand_over(self, data: Any) -> None:
        sender, hand = self.any_hand(data, handed=False)
        if hand is None:
            return
        try:
            self.store.outbox.record(owner=sender, now=self.now, handing_over=hand.ids)
        except Superseded:
            assert hand.lost, "the store took it away from a sender that held it"
            self.hands[sender].remove(hand)
            return
        # A sender that slept and then claimed the same again holds it after all.
        assert not hand.lost or set(hand.ids) <= self.held_by(sender)
        hand.handed = True
        for number in hand.ids:
            self.copies.setdefault(number, 0)

    @precondition(lambda self: any(self.hands.values()))
    @rule(data=st.data(), answer=st.sampled_from(ANSWERS))
    def answer(self, data: Any, answer: Any) -> None:
        sender, hand = self.any_hand(data, handed=True)
        if hand is None:
            return
        outcomes = [
            outcome(one, answer, next_attempt=self.now + HOUR if answer == "pending" else None)
            for one in hand.parcel.deliveries
        ]
        self.store.outbox.record(owner=sender, now=self.now, settled=outcomes)
        self.hands[sender].remove(hand)
        if answer == "accepted":
            self.told |= set(hand.ids)
            for number in hand.ids:
                self.copies[number] += 1

    def any_hand(self, data: Any, *, handed: bool) -> tuple[str, Hand | None]:
        sender = data.draw(st.sampled_from([name for name in SENDERS if self.hands[name]]))
        hands = [hand for hand in self.hands[sender] if hand.handed == handed]
        return sender, data.draw(st.sampled_from(hands)) if hands else None

    @rule(to=st.sampled_from(["pending", "held", "cancelled"]), data=st.data())
    def a_person_decides(self, to: Any, data: Any) -> None:
        states: Sequence[Any] = data.draw(st.sampled_from([["refused", "unknown", "expired"], ["held"], ["pending"]]))
        found = self.store.outbox.select([], states=states)
        ids = [one.id for one in found][: data.draw(st.integers(0, 3))]
        changed = self.store.outbox.change(
            ids, to=to, states=states, now=self.now, reason="so", expires=self.now + HOUR
        )
        assert [one.state for one in changed] == [to] * len(ids)

    @invariant()
    def nothing_is_lost_and_the_accepted_stay_accepted(self) -> None:
        now = {one.id: one for one in self.store.outbox.deliveries(every=True)}
        assert set(now) == self.all
        assert {number for number, one in now.items() if one.state == "accepted"} == self.told
        assert {number for number, one in now.items() if one.state == "sending"} == self.held() - self.told
        assert all(self.is_sound(one) for one in now.values())

    def is_sound(self, one: Delivery) -> bool:
        waits = one.state in {"pending", "sending"}
        return (one.next_attempt is not None or not waits) and (one.settled is None) == (
            one.state in {"pending", "sending", "held"}
        )

    @invariant()
    def every_copy_is_in_the_history(self) -> None:
        attempts = self.store.outbox.attempts(sorted(self.all))
        for number, copies in self.copies.items():
            assert sum(attempt.state == "accepted" for attempt in attempts[number]) == copies


TestSenders = Senders.TestCase
TestSenders.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
