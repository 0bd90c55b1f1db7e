"""What the store promises, asked of each kind of database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from postgres import server
from storing import DAY, HOUR, MINUTE, NOW, Open, a_run, both, claimed, ended, outcome, outgoing, sent, shared, states

from reports.errors import StoreError, Superseded
from reports.model import UNKNOWN_WAIT, Acknowledgement, Outgoing, StoredArtifact
from reports.store import Store


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of these tests' own."""
    yield from server(tmp_path_factory.mktemp("postgresql"))


@pytest.fixture(params=["sqlite", "postgresql"])
def open_one(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens one and the same empty store, as each process would."""
    options = {} if request.param == "sqlite" else {"url": request.getfixturevalue("postgresql")}
    yield from shared(tmp_path, **options)


@pytest.fixture
def store(open_one: Open) -> Store:
    return open_one()


# -- runs ----------------------------------------------------------------------------------------------


def test_a_run_comes_back_as_it_was_kept(store: Store) -> None:
    """Every field: instants to the microsecond and in UTC, dates in parameters as dates, text in any script."""
    berlin = NOW.astimezone(ZoneInfo("Europe/Berlin"))
    run = a_run(
        job="bargeldströme",
        occurrence=berlin,
        params={"day": NOW.date(), "n": 3, "rate": 0.1, "all": True, "what": "现金"},
        trigger="schedule",
        attempt=2,
        definition="abc",
    )
    store.runs.start(run, owner="me", until=NOW + MINUTE)
    done = ended(run, log="first line\nlast – line\n", notice="told a@example.com")
    store.runs.succeed(done, owner="me", artifacts=[], messages=[])
    found = store.runs.find(run.id)
    assert found == done
    assert found.occurrence is not None
    assert found.occurrence.utcoffset() == dt.timedelta()


def test_an_occurrence_is_run_once(open_one: Open) -> None:
    """Two processes that start it at the same moment: one of them does, whatever their run is called."""
    stores = open_one(), open_one()
    for hour in range(5):
        runs = [a_run(10 * hour + n, occurrence=NOW + hour * HOUR) for n in range(2)]
        calls = [
            lambda store=store, run=run: store.runs.start(run, owner="me", until=NOW + HOUR)
            for store, run in zip(stores, runs, strict=True)
        ]
        assert sorted(both(*calls)) == [False, True]
    assert len(stores[0].runs.list()) == 5


def test_runs_by_hand_have_no_occurrence_and_may_be_many(store: Store) -> None:
    """Nothing is unique about nothing; but an id is used once."""
    assert all(store.runs.start(a_run(number), owner="me", until=NOW) for number in range(3))
    with pytest.raises(StoreError, match="did not do as asked"):
        store.runs.start(a_run(1), owner="me", until=NOW)


def test_success_files_and_messages_are_one_commit(store: Store) -> None:
    """All of it is there, or none: a second message with the same Message-ID takes everything back."""
    run = a_run()
    store.runs.start(run, owner="me", until=NOW + MINUTE)
    file = StoredArtifact(name="a.xlsx", media_type="x/y", sha256="0" * 64, size=3)
    same = [outgoing("m"), outgoing("m", "b@example.com")]
    with pytest.raises(StoreError):
        store.runs.succeed(ended(run), owner="me", artifacts=[file], messages=same)
    assert (store.runs.find(run.id).state, store.outbox.deliveries(every=True)) == ("running", [])
    assert store.runs.artifacts(run.id) == []
    store.runs.succeed(ended(run), owner="me", artifacts=[file], messages=same[:1])
    (delivery,) = store.outbox.deliveries()
    assert (delivery.state, delivery.next_attempt) == ("pending", NOW + MINUTE)
    assert store.runs.artifacts(run.id) == [file]


def test_a_run_that_lost_its_lease_sends_nothing(store: Store) -> None:
    """Whoever was given up may come back: its success is Superseded, and so is its failure."""
    run = a_run()
    store.runs.start(run, owner="me", until=NOW + MINUTE)
    assert store.runs.overdue(NOW) == []
    assert store.runs.renew(run.id, owner="me", until=NOW + HOUR)
    assert store.runs.overdue(NOW + 2 * MINUTE) == []
    assert [run.id for run, _ in store.runs.overdue(NOW, dead=["me", "you"])] == [run.id]
    ((dead, owner),) = store.runs.overdue(NOW + HOUR)
    assert (dead, owner) == (run, "me")
    store.runs.fail(ended(dead, "interrupted", error="it was killed"), owner=owner)
    assert not store.runs.renew(run.id, owner="me", until=NOW + DAY)
    with pytest.raises(Superseded):
        store.runs.succeed(ended(run), owner="me", artifacts=[], messages=[outgoing()])
    with pytest.raises(Superseded):
        store.runs.fail(ended(run, "failed"), owner="me", notices=[outgoing(kind="failure")])
    assert store.outbox.deliveries(every=True) == []
    assert store.runs.find(run.id).error == "it was killed"


def test_a_streak_of_failures_is_told_once_and_so_is_its_end(store: Store) -> None:
    """The first failure sends the notice, the next ones do not, the first success sends the recovery."""
    told = []
    for number, state in enumerate(["failed", "failed", "succeeded", "succeeded", "failed"]):
        run = a_run(number)
        store.runs.start(run, owner="me", until=NOW + MINUTE)
        notice = outgoing(f"n{number}", kind="failure" if state == "failed" else "recovery")
        if state == "failed":
            told.append(bool(store.runs.fail(ended(run, state), owner="me", notices=[notice])))
            assert dict(store.troubles.open("cashflow")) == {"": NOW + MINUTE}
        else:
            done = ended(run, state)
            told.append(store.runs.succeed(done, owner="me", artifacts=[], messages=[], recoveries=[notice]))
    assert told == [True, False, True, False, True]
    assert [one.message_id[1:3] for one in store.outbox.deliveries()] == ["n4", "n2", "n0"]


def test_a_failure_that_nobody_is_told_of_is_no_trouble(store: Store) -> None:
    """So nobody hears of its end either; why nobody was told stands with the run."""
    run, later = a_run(1), a_run(2)
    store.runs.start(run, owner="me", until=NOW + MINUTE)
    assert not store.runs.fail(ended(run, "failed"), owner="me")
    store.runs.note(run.id, "nobody to tell")
    assert store.runs.find(run.id) == ended(run, "failed", notice="nobody to tell")
    with pytest.raises(StoreError, match="no run run-9"):
        store.runs.note("run-9", "x")
    assert store.troubles.open("cashflow") == {}
    store.runs.start(later, owner="me", until=NOW + MINUTE)
    assert not store.runs.succeed(ended(later), owner="me", artifacts=[], messages=[], recoveries=[outgoing("ok")])
    assert store.outbox.deliveries(every=True) == []


def test_runs_are_found_by_the_beginning_of_their_id(store: Store) -> None:
    """A beginning that several have, or none, is an error that says what there is."""
    with pytest.raises(StoreError, match="nothing has been run yet"):
        store.runs.find("x")
    for number in (1, 10, 11, 2):
        store.runs.start(a_run(number, started=NOW + number * MINUTE), owner="me", until=NOW)
    assert (store.runs.find("run-2").id, store.runs.find("run-1").id) == ("run-2", "run-1")
    with pytest.raises(StoreError, match="several runs") as several:
        store.runs.find("run-")
    assert several.value.hint == "newest first: run-11, run-10, run-2, run-1"
    with pytest.raises(StoreError, match="no run '%'"):
        store.runs.find("%")


def test_runs_are_listed_newest_first_without_logs(store: Store) -> None:
    """Of a job, or of all."""
    for number, job in enumerate(["a", "b", "a"]):
        run = a_run(number, job=job, started=NOW + number * MINUTE)
        store.runs.start(run, owner="me", until=NOW)
        store.runs.fail(ended(run, "failed", log="x" * 1000), owner="me")
    assert [run.id for run in store.runs.list()] == ["run-2", "run-1", "run-0"]
    assert [run.id for run in store.runs.list("a", limit=1)] == ["run-2"]
    lasts = store.runs.lasts()
    assert (lasts["b"].id, lasts["b"].log) == ("run-1", "")
    assert "c" not in lasts


# -- claiming ------------------------------------------------------------------------------------------


def test_a_claim_gives_whole_messages_oldest_first(store: Store) -> None:
    """A limit never cuts a message that can wait for the next claim, and parcels are as full as allowed."""
    everyone = [f"r{number}@example.com" for number in range(5)]
    sent(store, outgoing("new", *everyone), run=a_run(2, started=NOW + MINUTE))
    run = sent(store, outgoing("old", *everyone, expires=NOW + HOUR), run=a_run(1))
    later = NOW + HOUR - MINUTE
    parcels = store.outbox.claim(now=later, owner="s", until=later + MINUTE, limit=7, most_recipients=3)
    assert [(one.message_id, len(one.deliveries)) for one in parcels] == [
        ("<old@example.com>", 3),
        ("<old@example.com>", 2),
    ]
    assert [one.recipient for parcel in parcels for one in parcel.deliveries] == everyone
    first = parcels[0]
    assert store.artifacts.get(first.content) == b"bytes of old"
    assert (first.run, first.job, first.size, first.expires) == (run.id, "cashflow", 12, NOW + HOUR)
    assert {one.state for one in first.deliveries} == {"sending"}
    assert len(claimed(store, now=later, limit=3)) == 3
    assert len(claimed(store, now=later)) == 2
    assert claimed(store, now=later) == []


def test_nothing_is_claimed_before_its_time(store: Store) -> None:
    """And what is claimed for one run is of that run."""
    sent(store, outgoing("a"), run=a_run(1))
    sent(store, outgoing("b"), run=a_run(2, started=NOW + MINUTE))
    assert store.outbox.next_due() == NOW
    assert claimed(store, now=NOW - MINUTE) == []
    later = NOW + HOUR
    (parcel,) = store.outbox.claim(now=later, owner="s", until=later, limit=9, run="run-2")
    assert parcel.message_id == "<b@example.com>"
    assert [one.run for one in claimed(store)] == ["run-1"]
    assert store.outbox.next_due() is None


def test_what_has_expired_is_settled_and_not_sent(store: Store) -> None:
    """Also where a claim finds nothing else for a while."""
    stale = [outgoing(f"m{number}", expires=NOW + MINUTE) for number in range(5)]
    sent(store, *stale, outgoing("fresh", "b@example.com"))
    assert [one.recipient for one in claimed(store, now=NOW + MINUTE, limit=1)] == ["b@example.com"]
    (expired,) = {
        (one.state, one.settled, one.next_attempt)
        for one in store.outbox.deliveries(every=True)
        if one.state != "sending"
    }
    assert expired == ("expired", NOW + MINUTE, None)


def test_two_senders_never_get_the_same_delivery(open_one: Open) -> None:
    """They claim at the same moment from the same outbox, again and again; together they get everything."""
    stores = open_one(), open_one()
    sent(stores[0], *(outgoing(f"m{number}", *(f"{n}@example.com" for n in range(3))) for number in range(20)))

    def drain(store: Store, owner: str) -> list[int]:
        mine: list[int] = []
        while some := claimed(store, owner, limit=4):
            mine += [one.id for one in some]
        return mine

    first, second = both(lambda: drain(stores[0], "s1"), lambda: drain(stores[1], "s2"))
    while rest := drain(stores[0], "s3"):  # what another had locked is passed over, and still there
        first += rest
    assert len(first) + len(second) == len({*first, *second}) == 60


# -- answers -------------------------------------------------------------------------------------------


def test_an_answer_is_written_down_with_its_attempt(store: Store) -> None:
    """The state, the server's words with their code, and every attempt by its number."""
    sent(store, outgoing())
    (one,) = claimed(store)
    later = outcome(one, "pending", code=451, text="4.3.0 later", hint="wait", next_attempt=NOW + HOUR)
    store.outbox.record(owner="s1", now=NOW, settled=[later])
    (pending,) = store.outbox.deliveries()
    assert (pending.state, pending.attempts, pending.last_reply, pending.hint) == (
        "pending",
        1,
        "451 4.3.0 later",
        "wait",
    )
    assert (pending.next_attempt, pending.settled) == (NOW + HOUR, None)
    assert claimed(store, now=NOW + MINUTE) == []
    (again,) = claimed(store, now=NOW + HOUR)
    store.outbox.record(owner="s1", now=NOW + HOUR, settled=[outcome(again, started=NOW + HOUR)])
    (done,) = store.outbox.deliveries(every=True)
    assert (done.state, done.attempts, done.settled, done.next_attempt) == ("accepted", 2, NOW + HOUR, None)
    assert store.outbox.deliveries() == []
    attempts = store.outbox.attempts([one.id])[one.id]
    assert [(one.number, one.state, one.code, one.text) for one in attempts] == [
        (1, "pending", 451, "4.3.0 later"),
        (2, "accepted", 250, "2.0.0 ok"),
    ]
    assert (attempts[1].started, attempts[1].finished) == (NOW + HOUR, NOW + HOUR)


def test_what_was_not_tried_is_no_attempt(store: Store) -> None:
    """Held back by a rule, it keeps the words it had."""
    sent(store, outgoing())
    (one,) = claimed(store)
    held = outcome(one, "held", tried=False, code=0, text="", hint="not in [mail] allow")
    store.outbox.record(owner="s1", now=NOW, settled=[held])
    (now,) = store.outbox.deliveries()
    assert (now.state, now.attempts, now.last_reply, now.hint, now.settled) == (
        "held",
        0,
        "",
        "not in [mail] allow",
        None,
    )
    assert store.outbox.attempts([one.id]) == {one.id: []}


def test_a_wait_beyond_the_expiry_ends_there(store: Store) -> None:
    """So that it is settled as expired in time."""
    sent(store, outgoing(expires=NOW + MINUTE))
    (one,) = claimed(store)
    store.outbox.record(owner="s1", now=NOW, settled=[outcome(one, "pending", next_attempt=NOW + DAY)])
    assert store.outbox.next_due() == NOW + MINUTE


def test_nothing_is_handed_over_by_a_sender_that_lost_it(store: Store) -> None:
    """Superseded; none of the others is marked either, and the answers given with it are kept."""
    sent(store, outgoing("m", "a@example.com", "b@example.com", "c@example.com"))
    a, b, c = claimed(store)
    store.outbox.change([c.id], to="cancelled", states=["sending"], now=NOW, reason="stop")
    with pytest.raises(Superseded):
        store.outbox.record(owner="s1", now=NOW, settled=[outcome(a)], handing_over=[b.id, c.id])
    assert states(store) == {"a@example.com": "accepted", "b@example.com": "sending", "c@example.com": "cancelled"}
    assert [one.state for one in store.outbox.take_up(NOW + HOUR)] == ["pending"]


def test_many_answers_and_marks_are_one_commit(store: Store) -> None:
    """A message to many is settled at once while the next one is handed over."""
    sent(store, outgoing("m", *(f"{number}@example.com" for number in range(30))))
    found = claimed(store)
    settled, rest = found[:20], found[20:]
    store.outbox.record(
        owner="s1", now=NOW, settled=[outcome(one) for one in settled], handing_over=[one.id for one in rest]
    )
    assert store.outbox.totals(["run-1", "run-2"]) == {"run-1": {"accepted": 20, "sending": 10}, "run-2": {}}
    assert {one.state for one in store.outbox.take_up(NOW + HOUR)} == {"unknown"}


# -- senders that died ---------------------------------------------------------------------------------


def test_what_was_held_when_the_machine_went_down_is_unknown(store: Store) -> None:
    """The mark on what was handed over may be lost with it, so nothing of it is sent again unasked."""
    sent(store, outgoing("m", "a@example.com", "b@example.com"))
    a, _ = claimed(store)
    store.outbox.record(owner="s1", now=NOW, settled=[outcome(a)])
    store.outbox.take_up(NOW, dead=["s1"], fallen=["s1"])
    assert states(store) == {"a@example.com": "accepted", "b@example.com": "unknown"}


@pytest.mark.parametrize(
    ("handed", "on_unknown", "state"),
    [(False, "hold", "pending"), (True, "hold", "unknown"), (True, "resend", "pending")],
)
def test_what_a_dead_sender_held_is_taken_up(store: Store, *, handed: bool, on_unknown: Any, state: str) -> None:
    """Not before its lease is over, and never guessed: what was handed over may have arrived."""
    sent(store, outgoing(on_unknown=on_unknown))
    (one,) = claimed(store)
    store.outbox.record(owner="s1", now=NOW, handing_over=[one.id] if handed else [])
    assert store.outbox.renew(owner="s1", until=NOW + HOUR) == 1
    assert store.outbox.take_up(NOW + HOUR - MINUTE) == []
    (taken,) = store.outbox.take_up(NOW + HOUR)
    assert (taken.state, taken.attempts) == (state, 1)
    again = NOW + HOUR + (UNKNOWN_WAIT if handed else 0 * MINUTE)
    assert (taken.settled, taken.next_attempt) == ((NOW + HOUR, None) if state == "unknown" else (None, again))
    (attempt,) = store.outbox.attempts([one.id])[one.id]
    assert "the sender stopped" in attempt.text
    assert attempt.state == ("unknown" if handed else "pending")
    assert (attempt.started, attempt.finished) == (NOW, NOW + HOUR)
    assert store.outbox.renew(owner="s1", until=NOW + HOUR) == 0


def test_a_dead_sender_is_not_waited_for(store: Store) -> None:
    """Who is known to be dead loses what it held at once, and nobody else does."""
    sent(store, outgoing("m", "a@example.com", "b@example.com"))
    store.runs.start(a_run(2), owner="a runner", until=NOW + HOUR)
    first, second = claimed(store, "s1"), claimed(store, "s2")
    assert (len(first), len(second)) == (2, 0)
    assert set(store.owners()) == {"s1", "a runner"}
    assert store.outbox.take_up(NOW, dead=["s2"]) == []
    assert [one.state for one in store.outbox.take_up(NOW, dead=["s2", "s1"])] == ["pending", "pending"]
    assert store.owners() == ["a runner"]


def test_what_was_handed_over_once_is_not_so_for_ever(store: Store) -> None:
    """Deferred, claimed again, and the sender dies before it hands over: it is pending, not unknown."""
    sent(store, outgoing())
    (one,) = claimed(store, "s1")
    store.outbox.record(owner="s1", now=NOW, handing_over=[one.id])
    store.outbox.record(owner="s1", now=NOW, settled=[outcome(one, "pending", code=451)])
    assert claimed(store, "s2", now=NOW + HOUR)
    assert [one.state for one in store.outbox.take_up(NOW + DAY)] == ["pending"]


def test_who_lost_a_delivery_may_not_hand_it_over_for_its_new_owner(store: Store) -> None:
    """Superseded, and the new owner's delivery is as it was."""
    sent(store, outgoing())
    (one,) = claimed(store, "s1")
    store.outbox.take_up(NOW + HOUR)
    assert claimed(store, "s2", now=NOW + HOUR)
    with pytest.raises(Superseded):
        store.outbox.record(owner="s1", now=NOW + HOUR, handing_over=[one.id])
    store.outbox.record(owner="s2", now=NOW + HOUR, handing_over=[one.id])


@pytest.mark.parametrize("now", ["unknown", "pending", "claimed", "cancelled"])
def test_a_late_acceptance_is_never_lost(store: Store, now: str) -> None:
    """Whatever happened since: who got it has it, and whoever was about to send it again may not."""
    sent(store, outgoing(on_unknown="hold" if now == "unknown" else "resend"))
    (one,) = claimed(store, "s1")
    store.outbox.record(owner="s1", now=NOW, handing_over=[one.id])
    store.outbox.take_up(NOW + HOUR)
    if now == "claimed":
        assert claimed(store, "s2", now=NOW + HOUR + UNKNOWN_WAIT)
    if now == "cancelled":
        store.outbox.change([one.id], to="cancelled", states=["pending"], now=NOW, reason="no")
    store.outbox.record(owner="s1", now=NOW + HOUR, settled=[outcome(one)])
    assert states(store) == {"a@example.com": "accepted"}
    assert store.outbox.attempts([one.id])[one.id][-1].state == "accepted"
    assert store.outbox.deliveries(every=True)[0].attempts == 1
    with pytest.raises(Superseded):
        store.outbox.record(owner="s2", now=NOW + HOUR, handing_over=[one.id])


@pytest.mark.parametrize("second", ["accepted", "refused", "pending"])
def test_a_second_copy_that_could_not_be_stopped_is_seen(store: Store, second: Any) -> None:
    """Handed over again before the first acceptance came: it stays accepted, with both attempts in the history."""
    sent(store, outgoing(on_unknown="resend"))
    (one,) = claimed(store, "s1")
    store.outbox.record(owner="s1", now=NOW, handing_over=[one.id])
    store.outbox.take_up(NOW + HOUR)
    assert claimed(store, "s2", now=NOW + HOUR + UNKNOWN_WAIT)
    store.outbox.record(owner="s2", now=NOW + HOUR, handing_over=[one.id])
    store.outbox.record(owner="s1", now=NOW + HOUR, settled=[outcome(one)])
    assert "another sender had handed the message over" in store.outbox.attempts([one.id])[one.id][1].text
    store.outbox.record(owner="s2", now=NOW + HOUR, settled=[outcome(one, second)])
    assert states(store) == {"a@example.com": "accepted"}
    history = [attempt.state for attempt in store.outbox.attempts([one.id])[one.id]]
    assert history == ["unknown", "unknown", "accepted", second]


@pytest.mark.parametrize(("answer", "state"), [("refused", "refused"), ("pending", "pending"), ("unknown", "unknown")])
def test_a_late_answer_counts_while_nobody_else_had_the_delivery(store: Store, answer: Any, state: str) -> None:
    """It is known better than the guess made when the lease ran out; an unknown one says nothing new."""
    sent(store, outgoing())
    (one,) = claimed(store)
    store.outbox.record(owner="s1", now=NOW, handing_over=[one.id])
    store.outbox.take_up(NOW + HOUR)
    store.outbox.record(owner="s1", now=NOW + HOUR, settled=[outcome(one, answer, next_attempt=NOW + 2 * HOUR)])
    (now,) = store.outbox.deliveries(every=True)
    assert (now.state, now.attempts) == (state, 1)
    assert now.next_attempt == (NOW + 2 * HOUR if answer == "pending" else None)


def test_a_late_refusal_changes_nothing_that_somebody_else_decided(store: Store) -> None:
    """A person asked for it again: it is sent again, and the refusal is in the history."""
    sent(store, outgoing())
    (one,) = claimed(store)
    store.outbox.record(owner="s1", now=NOW, handing_over=[one.id])
    store.outbox.take_up(NOW + HOUR)
    store.outbox.change([one.id], to="pending", states=["unknown"], now=NOW + HOUR, reason="retry")
    store.outbox.record(owner="s1", now=NOW + HOUR, settled=[outcome(one, "refused")])
    assert states(store) == {"a@example.com": "pending"}
    history = [attempt.state for attempt in store.outbox.attempts([one.id])[one.id]]
    assert history == ["unknown", "pending", "refused"]


# -- what people do --------------------------------------------------------------------------------------


def test_a_persons_decision_is_kept_with_its_reason(store: Store) -> None:
    """Only where the state is still the one decided about; retried, it has a new expiry and is due at once."""
    sent(store, outgoing("m", "a@example.com", "b@example.com"))
    a, b = claimed(store)
    store.outbox.record(owner="s1", now=NOW, settled=[outcome(a, "refused", code=550), outcome(b)])
    later = NOW + 2 * DAY
    (changed,) = store.outbox.change(
        [a.id, b.id], to="pending", states=["refused"], now=later, reason="retried by kim", expires=later + DAY
    )
    assert (changed.id, changed.state, changed.next_attempt, changed.expires) == (a.id, "pending", later, later + DAY)
    assert changed.settled is None
    last = store.outbox.attempts([a.id])[a.id][-1]
    assert (last.number, last.state, last.text) == (1, "pending", "retried by kim")
    assert [one.id for one in claimed(store, now=later)] == [a.id]
    assert store.outbox.change([a.id], to="held", states=["pending"], now=later, reason="wait") == []


def test_deliveries_are_named_by_run_message_job_or_recipient(store: Store) -> None:
    """Any of them, or the beginning of a run's id; nothing named is everything."""
    sent(store, outgoing("m1", "a@example.com", "b@example.com"), run=a_run(1))
    sent(store, outgoing("m2", "B@example.com"), run=a_run(2, job="training"))
    found = {
        name: {(one.run, one.recipient) for one in store.outbox.select([name], states=["pending"])}
        for name in ("run-1", "run-2", "<m1@example.com>", "m2@example.com", "training", "b@example.com")
    }
    first, second = {("run-1", "a@example.com"), ("run-1", "b@example.com")}, {("run-2", "B@example.com")}
    assert found["run-1"] == found["<m1@example.com>"] == first
    assert found["run-2"] == found["m2@example.com"] == found["training"] == second
    assert found["b@example.com"] == {("run-1", "b@example.com"), *second}
    everything = store.outbox.select([], states=["pending"])
    assert len(everything) == len(store.outbox.select(["training", "run-1"], states=["pending"])) == 3
    assert store.outbox.select(["training"], states=["refused"]) == []
    assert len(store.outbox.select([], states=[])) == 3
    with pytest.raises(StoreError, match="nothing was ever sent under 'nobody@"):
        store.outbox.select(["training", "nobody@example.com"], states=["pending"])
    with pytest.raises(StoreError, match="several runs: run-"):
        store.outbox.select(["run-"], states=["pending"])


def test_deliveries_are_listed_newest_message_first(store: Store) -> None:
    """What is not settled, or everything; of a run, a job or a message."""
    sent(store, outgoing("m1", "a@example.com", "b@example.com"), run=a_run(1))
    sent(store, outgoing("m2"), run=a_run(2, job="training", started=NOW + MINUTE))
    a, _ = claimed(store)
    store.outbox.record(owner="s1", now=NOW, settled=[outcome(a)])
    listed = store.outbox.deliveries()
    assert [(one.run, one.recipient, one.state) for one in listed] == [
        ("run-2", "a@example.com", "pending"),
        ("run-1", "b@example.com", "sending"),
    ]
    assert len(store.outbox.deliveries(every=True)) == 3
    assert len(store.outbox.deliveries(every=True, limit=1)) == 1
    assert [one.recipient for one in store.outbox.deliveries(run="run-1")] == ["b@example.com"]
    assert [one.run for one in store.outbox.deliveries(job="training")] == ["run-2"]
    assert len(store.outbox.deliveries(message_id="<m1@example.com>", every=True)) == 2


# -- pace ------------------------------------------------------------------------------------------------


def test_senders_share_an_accounts_pace(open_one: Open) -> None:
    """Each slot is given once, one interval after the other, and never in the past."""
    stores = open_one(), open_one()
    second = dt.timedelta(seconds=1)

    def slots(store: Store) -> list[dt.datetime]:
        return [store.outbox.reserve("smtp me@example.com", interval=second, now=NOW) for _ in range(10)]

    one, two = both(lambda: slots(stores[0]), lambda: slots(stores[1]))
    assert sorted(one + two) == [NOW + number * second for number in range(20)]
    assert stores[0].outbox.reserve("another", interval=second, now=NOW) == NOW
    assert stores[0].outbox.reserve("smtp me@example.com", interval=second, now=NOW + HOUR) == NOW + HOUR


def test_a_clock_set_back_does_not_stop_the_mail(store: Store) -> None:
    """A slot days away was reserved by a clock that was wrong."""
    store.outbox.reserve("me", interval=MINUTE, now=NOW + 30 * DAY)
    assert store.outbox.reserve("me", interval=MINUTE, now=NOW) == NOW
    assert store.outbox.reserve("me", interval=MINUTE, now=NOW) == NOW + MINUTE


# -- troubles ------------------------------------------------------------------------------------------


def failed(store: Store, number: int, *recipients: str, state: Any = "refused", kind: Any = "report") -> None:
    """A run whose message to these recipients ended so, an hour after the one before."""
    at = NOW + number * HOUR
    everyone = recipients or ("a@example.com",)
    message = outgoing(f"m{number}", *everyone, kind=kind, expires=at + DAY)
    sent(store, message, run=a_run(number, started=at))
    outcomes = [outcome(one, state, started=at) for one in claimed(store, now=at)]
    store.outbox.record(owner="s1", now=at, settled=outcomes)


def test_failing_deliveries_are_told_once_per_streak(store: Store) -> None:
    """The first one is; the next only count. Who else fails later is told of."""
    failed(store, 1, "a@example.com", "b@example.com")
    (group,) = store.troubles.failing()
    assert [one.recipient for one in group] == ["a@example.com", "b@example.com"]
    notice = outgoing("n1", "owner@example.com", kind="failure")
    assert store.troubles.tell(group, now=NOW + HOUR, notices=[notice], run_id="run-1")
    assert not store.troubles.tell(group, now=NOW + HOUR, notices=[outgoing("n1b")], run_id="run-1")
    assert store.troubles.failing() == []
    assert set(store.troubles.open("cashflow")) == {"a@example.com", "b@example.com"}
    failed(store, 2, "a@example.com", state="unknown")
    assert not store.troubles.tell(*store.troubles.failing(), now=NOW, notices=[outgoing("n2")], run_id="run-2")
    failed(store, 3, "a@example.com", "c@example.com", state="expired")
    assert store.troubles.tell(
        *store.troubles.failing(), now=NOW, notices=[outgoing("n3", kind="failure")], run_id="run-3"
    )
    notices = [one.message_id for one in store.outbox.deliveries(every=True) if one.kind == "failure"]
    assert notices == ["<n3@example.com>", "<n1@example.com>"]


def test_what_a_person_retried_is_told_again_when_it_fails_again(store: Store) -> None:
    """As one more time of the same streak."""
    failed(store, 1)
    store.troubles.tell(*store.troubles.failing(), now=NOW + HOUR, notices=[outgoing("n1")], run_id="run-1")
    (one,) = store.outbox.select([], states=["refused"])
    later = NOW + 2 * HOUR
    store.outbox.change([one.id], to="pending", states=["refused"], now=later, reason="retry")
    again = next(each for each in claimed(store, now=later) if each.id == one.id)
    store.outbox.record(owner="s1", now=later, settled=[outcome(again, "refused")])
    assert not store.troubles.tell(*store.troubles.failing(), now=later, notices=[outgoing("n2")], run_id="run-1")
    assert store.troubles.failing() == []


def test_a_notice_that_fails_causes_no_notice(store: Store) -> None:
    """Nor does a message sent as a test."""
    failed(store, 1, kind="failure")
    failed(store, 2, kind="recovery")
    failed(store, 3, kind="test")
    assert store.troubles.failing() == []


def test_the_end_of_a_streak_is_an_acceptance_after_its_last_failure(store: Store) -> None:
    """One before it is none; the recovery goes out once."""
    failed(store, 1)
    store.troubles.tell(*store.troubles.failing(), now=NOW + 5 * HOUR, run_id="run-1")
    assert store.troubles.recovered() == []
    failed(store, 2, state="accepted")
    failed(store, 3)
    store.troubles.tell(*store.troubles.failing(), now=NOW + 5 * HOUR, run_id="run-3")
    assert store.troubles.recovered() == []
    failed(store, 4, state="accepted")
    ((job, recipient, delivery),) = store.troubles.recovered()
    assert (job, recipient, delivery.run) == ("cashflow", "a@example.com", "run-4")
    recovery = outgoing("ok", "owner@example.com", kind="recovery")
    assert store.troubles.settle(job, [recipient], run_id="run-4", recoveries=[recovery], now=NOW + 6 * HOUR)
    assert not store.troubles.settle(job, [recipient], run_id="run-4", recoveries=[outgoing("ok2")], now=NOW + 6 * HOUR)
    assert (store.troubles.recovered(), store.troubles.open("cashflow")) == ([], {})
    assert [one.message_id for one in store.outbox.deliveries() if one.state == "pending"] == ["<ok@example.com>"]


def test_a_streak_is_told_by_one_of_two_processes(open_one: Open) -> None:
    """Both see the failures of their own run at the same moment; one notice goes out."""
    stores = open_one(), open_one()
    for round_ in range(3):
        who = f"r{round_}@example.com"
        failed(stores[0], 2 * round_, who)
        failed(stores[0], 2 * round_ + 1, who)
        first, second = stores[0].troubles.failing()
        calls = [
            lambda store=store, group=group: store.troubles.tell(
                group, now=NOW, notices=[outgoing(f"n{group[0].id}", kind="failure")], run_id=group[0].run
            )
            for store, group in zip(stores, (first, second), strict=True)
        ]
        assert sorted(map(len, both(*calls))) == [0, 1]


# -- channels --------------------------------------------------------------------------------------------


def push(name: str, *recipients: str, **changes: Any) -> Outgoing:
    """A message on the channel `push`."""
    return outgoing(name, *(recipients or ("phone",)), channel="push", **changes)


def followed(made: Outgoing, follow: Any) -> Outgoing:
    return replace(made, message=replace(made.message, follow=follow))


def test_a_claim_keeps_to_its_channel(store: Store) -> None:
    """Mail is the empty one; which have something due is known without claiming."""
    sent(store, outgoing("m"), push("p"), push("later", due=NOW + HOUR))
    assert store.outbox.channels(NOW - MINUTE) == []
    assert store.outbox.channels(NOW) == ["", "push"]
    assert [one.recipient for one in claimed(store)] == ["a@example.com"]
    assert store.outbox.channels(NOW) == ["push"]
    assert len(store.outbox.waiting("push", NOW)) == 1
    (parcel,) = store.outbox.claim(now=NOW, owner="s2", until=NOW + MINUTE, limit=9, channel="push")
    assert (parcel.channel, parcel.message_id, parcel.deliveries[0].channel) == ("push", "<p@example.com>", "push")
    assert store.outbox.claim(now=NOW, owner="s3", until=NOW + MINUTE, limit=9, channel="push") == []


def test_what_is_due_later_waits_for_its_time(store: Store) -> None:
    """Not earlier than its run's end, whatever was asked for; its expiry is its own."""
    sent(store, push("later", due=NOW + HOUR), push("past", "tablet", due=NOW - HOUR))
    assert {one.recipient: one.next_attempt for one in store.outbox.deliveries()} == {
        "phone": NOW + HOUR,
        "tablet": NOW,
    }
    assert store.outbox.next_due() == NOW
    found = store.outbox.claim(now=NOW + HOUR, owner="s", until=NOW + DAY, limit=9, channel="push")
    assert [one.message_id for one in found] == ["<past@example.com>", "<later@example.com>"]


def test_what_waits_for_a_side_that_was_away_can_be_hurried(store: Store) -> None:
    """Not what the other side has put off itself, nor what is not to go before its time, nor what is on another channel."""
    sent(
        store, outgoing("away", "a@example.com"), outgoing("asked", "b@example.com"), outgoing("busy", "c@example.com"),
        outgoing("later", "d@example.com", due=NOW + HOUR), outgoing("other", "e", channel="team"),
    )  # fmt: skip
    said = {"a@example.com": (0, "nothing listens there"), "b@example.com": (450, "4.2.0 greylisted"),
            "c@example.com": (550, "rate limited"), "e": (0, "nothing listens there")}  # fmt: skip
    for channel in ("", "team"):
        parcels = store.outbox.claim(now=NOW, owner="s1", until=NOW + MINUTE, limit=100, channel=channel)
        for one in (one for parcel in parcels for one in parcel.deliveries):
            code, text = said[one.recipient]
            settled = [outcome(one, "pending", code=code, text=text)]
            store.outbox.record(owner="s1", now=NOW, settled=settled)
    assert store.outbox.hurry("", NOW + MINUTE) == 1
    due = {one.recipient: one.next_attempt for one in store.outbox.deliveries()}
    assert due == {
        "a@example.com": NOW + MINUTE, "b@example.com": NOW + HOUR, "c@example.com": NOW + HOUR,
        "d@example.com": NOW + HOUR, "e": NOW + HOUR,
    }  # fmt: skip


def test_newer_progress_takes_the_place_of_what_waits(store: Store) -> None:
    """Of its thread and channel alone; what is not progress is never cancelled, nor what is under way."""
    news: dict[str, Any] = {"kind": "progress", "thread": "t"}
    sent(store, push("p1", **news), push("other", "tablet", kind="progress", thread="u"), push("start", thread="t"))
    sent(store, push("p2", **news), outgoing("mail", **news), run=a_run(2))
    found = {one.message_id[1:-13]: (one.state, one.hint) for one in store.outbox.deliveries(every=True)}
    assert found["p1"] == ("cancelled", "not sent: a newer message of its thread took its place")
    assert {name for name, (state, _) in found.items() if state == "pending"} == {"p2", "other", "start", "mail"}
    store.outbox.claim(now=NOW, owner="s", until=NOW + HOUR, limit=9, channel="push")
    sent(store, push("p3", **news), run=a_run(3))
    assert {one.message_id: one.state for one in store.outbox.deliveries()}["<p2@example.com>"] == "sending"


def test_a_message_that_follows_knows_the_first_of_its_thread(store: Store) -> None:
    """What the other side called it, by recipient; of its own channel, and not of itself."""
    thread: dict[str, Any] = {"thread": "t", "kind": "progress"}
    sent(store, push("first", "phone", "tablet", **thread))
    (parcel,) = store.outbox.claim(now=NOW, owner="s", until=NOW + HOUR, limit=9, channel="push")
    assert parcel.earlier == {}
    named = [outcome(one, reference=f"{one.recipient}/1") for one in parcel.deliveries]
    store.outbox.record(owner="s", now=NOW, settled=named)
    assert store.outbox.deliveries(every=True)[0].reference == "phone/1"
    sent(store, followed(push("second", "phone", "watch", **thread), "edit"), run=a_run(2))
    (second,) = store.outbox.claim(now=NOW, owner="s", until=NOW + HOUR, limit=9, channel="push")
    assert (second.follow, second.earlier) == ("edit", {"phone": "phone/1", "tablet": "tablet/1"})
    store.outbox.record(owner="s", now=NOW, settled=[outcome(one, reference="new/2") for one in second.deliveries])
    end = {"thread": "t", "kind": "report"}
    sent(store, followed(push("third", "phone", **end), "reply"), push("apart", "phone", **end), run=a_run(3))
    third, apart = store.outbox.claim(now=NOW, owner="s", until=NOW + HOUR, limit=9, channel="push")
    assert (third.earlier["phone"], apart.earlier) == ("phone/1", {})
    elsewhere = replace(followed(push("mail", **thread), "reply"), channel="")
    sent(store, elsewhere, run=a_run(4))
    assert store.outbox.claim(now=NOW, owner="s", until=NOW + HOUR, limit=9)[0].earlier == {}


# -- alerts ----------------------------------------------------------------------------------------------


def fails(store: Store, number: int, *notices: Outgoing) -> list[str]:
    """A run that fails an hour after the one before; the Message-IDs of what goes out about it."""
    run = a_run(number, started=NOW + number * HOUR)
    store.runs.start(run, owner="me", until=NOW + DAY)
    told = store.runs.fail(ended(run, "failed"), owner="me", notices=notices)
    return [one.message.message_id[1:-13] for one in told]


def works(store: Store, number: int, *recoveries: Outgoing) -> bool:
    run = a_run(number, started=NOW + number * HOUR)
    store.runs.start(run, owner="me", until=NOW + DAY)
    return store.runs.succeed(ended(run), owner="me", artifacts=[], messages=[], recoveries=recoveries)


def later(name: str, hours: int, **changes: Any) -> Outgoing:
    """What is told on the channel `push` so many hours after NOW, unless somebody acknowledges it."""
    return push(name, kind="escalation", due=NOW + hours * HOUR, expires=NOW + 9 * DAY, **changes)


def test_each_channel_is_told_once_a_streak(store: Store) -> None:
    """One that could not be used at its beginning is told when it can; escalations belong to its beginning."""
    mail, phone = outgoing("n1", kind="failure"), push("p3", kind="failure")
    assert fails(store, 1, mail, later("e1", 2)) == ["n1", "e1"]
    assert fails(store, 2, outgoing("n2", kind="failure"), later("e2", 3)) == []
    assert fails(store, 3, outgoing("n3", kind="failure"), phone, later("e3", 4)) == ["p3"]
    assert fails(store, 4, outgoing("n4", kind="failure"), push("p4", kind="failure")) == []
    (trouble,) = store.troubles.every("cashflow")
    assert (trouble.run, trouble.times, set(trouble.told)) == ("run-1", 4, {"mail", "push"})
    assert store.troubles.every() == [trouble]
    assert store.troubles.every("training") == []


def test_a_failure_that_is_told_later_alone_opens_the_streak_too(store: Store) -> None:
    """Nobody could be told at once, and somebody will be."""
    assert fails(store, 1, later("e1", 2)) == ["e1"]
    assert fails(store, 2, outgoing("n2", kind="failure"), later("e2", 3)) == ["n2"]


def test_what_waits_to_be_told_is_cancelled_when_it_works_again(store: Store) -> None:
    """With the reason; the recovery answers below what was told."""
    fails(store, 1, outgoing("n1", kind="failure"), later("e1", 5), later("e2", 9))
    store.outbox.record(owner="s1", now=NOW, settled=[outcome(one) for one in claimed(store, now=NOW + 2 * HOUR)])
    assert works(store, 2, outgoing("ok", kind="recovery"), followed(push("fine", kind="recovery"), "reply"))
    found = {one.message_id[1:-13]: one for one in store.outbox.deliveries(every=True)}
    assert [found[name].state for name in ("n1", "e1", "e2", "ok")] == ["accepted", "cancelled", "cancelled", "pending"]
    (said,) = store.outbox.attempts([found["e1"].id])[found["e1"].id]
    assert (said.state, said.text) == ("cancelled", "not sent: it works again")
    assert not works(store, 3, outgoing("ok2", kind="recovery"))
    assert fails(store, 4, outgoing("n4", kind="failure"), later("e4", 6)) == ["n4", "e4"]


def test_a_notice_that_was_held_back_gives_way_to_the_recovery(store: Store) -> None:
    """Not one that was tried already: its channel is away, and it is told when that is back."""
    held = outgoing("night", kind="failure", due=NOW + 6 * HOUR, expires=NOW + DAY)
    tried = push("tried", kind="failure", expires=NOW + DAY)
    fails(store, 1, held, tried)
    (parcel,) = store.outbox.claim(now=NOW + 2 * HOUR, owner="s", until=NOW + DAY, limit=9, channel="push")
    again = outcome(parcel.deliveries[0], "pending", next_attempt=NOW + 5 * HOUR)
    store.outbox.record(owner="s", now=NOW + 2 * HOUR, settled=[again])
    works(store, 3, outgoing("ok", kind="recovery"))
    found = {one.message_id[1:-13]: one.state for one in store.outbox.deliveries(every=True)}
    assert found == {"night": "cancelled", "tried": "pending", "ok": "pending"}


def test_an_acknowledgement_is_kept_and_ends_what_waits(store: Store) -> None:
    """Who, when and what they said, with the run that was told of and the one that was named; what works stays told."""
    fails(store, 1, outgoing("n1", kind="failure"), later("e1", 5))
    fails(store, 2, outgoing("n2", kind="failure"))
    said = Acknowledgement(at=NOW + 3 * HOUR, who="ann@desk", note="disk is full – 现金")
    cancelled = store.troubles.acknowledge(store.troubles.every("cashflow"), said, also=["run-2"])
    assert [(one.recipient, one.state) for one in cancelled] == [("phone", "cancelled")]
    assert [store.troubles.acknowledgements(run) for run in ("run-1", "run-2", "run-3")] == [[said], [said], []]
    (why,) = store.outbox.attempts([cancelled[0].id])[cancelled[0].id]
    assert why.text == "not sent: acknowledged by ann@desk: disk is full – 现金"
    assert store.troubles.acknowledge(store.troubles.every("cashflow"), said) == []
    assert store.troubles.open("cashflow") == {"": NOW + HOUR + MINUTE}


def test_whom_an_escalation_has_reached_is_known_by_channel(store: Store) -> None:
    """So that they hear of its end; whoever is still to be told need not."""
    fails(store, 1, outgoing("n1", kind="failure"), later("e1", 2), later("e2", 9))
    assert store.troubles.told_later("cashflow", [""]) == {}
    (parcel,) = store.outbox.claim(now=NOW + 2 * HOUR, owner="s", until=NOW + DAY, limit=9, channel="push")
    store.outbox.record(owner="s", now=NOW + 2 * HOUR, settled=[outcome(one) for one in parcel.deliveries])
    assert store.troubles.told_later("cashflow", [""]) == {"push": ["phone"]}
    assert store.troubles.told_later("cashflow", ["a@example.com"]) == {}


def test_recipients_of_two_channels_are_two_troubles(store: Store) -> None:
    """One of them may get it again while the other does not; what waits ends with the last of a notice."""
    run = a_run(1, started=NOW + HOUR)
    sent(store, push("p1", "same"), outgoing("m1", "same"), run=run)
    for channel in ("", "push"):
        parcels = store.outbox.claim(now=run.started, owner="s", until=NOW + DAY, limit=9, channel=channel)
        refused = [outcome(one, "refused", started=run.started) for one in parcels[0].deliveries]
        store.outbox.record(owner="s", now=run.started, settled=refused)
    for group in store.troubles.failing():
        store.troubles.tell(group, now=NOW + HOUR, notices=[outgoing(f"n{group[0].id}", kind="failure")], run_id=run.id)
    assert set(store.troubles.open("cashflow")) == {"same", "same on push"}
    good = a_run(2, started=NOW + 2 * HOUR)
    sent(store, push("p2", "same"), run=good)
    (parcel,) = store.outbox.claim(now=good.started, owner="s", until=NOW + DAY, limit=9, channel="push")
    store.outbox.record(owner="s", now=good.started, settled=[outcome(one) for one in parcel.deliveries])
    ((job, about, _),) = store.troubles.recovered()
    assert (job, about) == ("cashflow", "same on push")


def test_a_notice_that_reached_nobody_is_noted_once(store: Store) -> None:
    """Beside who was told; it causes no other notice."""
    fails(store, 1, outgoing("n1", kind="failure"), push("p1", kind="failure"))
    store.runs.note("run-1", "told a@example.com")
    (parcel,) = store.outbox.claim(now=NOW + 2 * HOUR, owner="s", until=NOW + DAY, limit=9, channel="push")
    store.outbox.record(owner="s", now=NOW, settled=[outcome(one, "refused") for one in parcel.deliveries])
    assert store.troubles.failing() == []
    (unheard,) = store.troubles.unheard()
    assert store.troubles.note_unheard(unheard, words="could not be told: phone", now=NOW)
    assert not store.troubles.note_unheard(unheard, words="could not be told: phone", now=NOW)
    assert store.troubles.unheard() == []
    assert store.runs.find("run-1").notice == "told a@example.com; could not be told: phone"


# -- retention -------------------------------------------------------------------------------------------


def test_old_runs_go_but_none_that_is_waited_for(store: Store) -> None:
    """By age and by count, with all that hangs on them; a delivery that is not settled keeps its run."""
    for number in range(6):
        sent(store, outgoing(f"m{number}"), run=a_run(number, started=NOW + number * DAY))
    everything = [one for one in claimed(store, now=NOW) if one.run == "run-0"]
    store.outbox.record(owner="s1", now=NOW, settled=[outcome(one) for one in everything])
    later = NOW + 6 * DAY
    rest = store.outbox.select([], states=["pending"])
    for one in rest:
        if one.run != "run-1":
            store.outbox.change([one.id], to="cancelled", states=["pending"], now=later, reason="enough")
    store.runs.start(a_run(9, started=NOW), owner="me", until=NOW)  # still running, however old
    assert store.runs.prune(later, keep=4 * DAY + HOUR, keep_runs=3) == 2
    assert [run.id for run in store.runs.list()] == ["run-5", "run-4", "run-3", "run-1", "run-9"]
    assert {one.run for one in store.outbox.deliveries(every=True)} == {"run-1", "run-3", "run-4", "run-5"}
    assert store.runs.prune(later, keep=4 * DAY + HOUR, keep_runs=3) == 0


def test_bytes_go_with_the_last_run_that_refers_to_them(store: Store) -> None:
    """Not while another has the same ones, and not before a day has passed since they were put."""
    shared, own = store.artifacts.put(b"shared"), store.artifacts.put(b"own")
    for number, hashes in ((1, [shared, own]), (2, [shared])):
        run = a_run(number, started=NOW + number * DAY)
        store.runs.start(run, owner="me", until=NOW)
        files = [StoredArtifact(name=f"{one[:4]}.txt", media_type="text/plain", sha256=one, size=1) for one in hashes]
        store.runs.succeed(ended(run), owner="me", artifacts=files, messages=[])
    today = dt.datetime.now(dt.UTC)
    keep = today - (NOW + 2 * DAY)
    assert store.runs.prune(today, keep=keep, keep_runs=9) == 1
    assert store.artifacts.exists(own)
    store.runs.prune(today + DAY + MINUTE, keep=keep + 9 * DAY, keep_runs=9)
    assert (store.artifacts.exists(own), store.artifacts.exists(shared)) == (False, True)


def test_check_names_what_is_missing_altered_or_of_no_run(store: Store, tmp_path: Path) -> None:
    """Files by their run and name, the bytes of messages by their Message-ID."""
    gone, changed = store.artifacts.put(b"gone"), store.artifacts.put(b"changed")
    orphan = store.artifacts.put(b"orphan")
    run = a_run()
    store.runs.start(run, owner="me", until=NOW)
    files = [StoredArtifact(name=n, media_type="x/y", sha256=h, size=1) for n, h in (("a", gone), ("b", changed))]
    store.runs.succeed(ended(run), owner="me", artifacts=files, messages=[outgoing()])
    assert (store.check().missing, store.check().altered, store.check().orphans) == ([], [], [orphan])
    content = claimed_content(store)
    store.artifacts.delete(gone)
    store.artifacts.delete(content)
    (tmp_path / "var" / "artifacts" / changed[:2] / changed).write_bytes(b"other")
    checked = store.check()
    assert set(checked.missing) == {(run.id, "a", gone), (run.id, "<m@example.com>", content)}
    assert checked.altered == [(run.id, "b", changed)]


def claimed_content(store: Store) -> str:
    (parcel,) = store.outbox.claim(now=NOW + HOUR, owner="s", until=NOW + DAY, limit=1)
    return parcel.content


# -- the database itself -----------------------------------------------------------------------------


def test_where_it_is_and_what_time_it_is_there(store: Store) -> None:
    """A place for people; a server's clock is compared, a file has none."""
    skew = store.clock_skew(dt.datetime.now(dt.UTC) - MINUTE)
    if store.database.is_sqlite:
        assert skew is None
        assert store.where.endswith("reports.db")
    else:
        assert skew == pytest.approx(60, abs=5)
        assert store.where.startswith("postgresql+psycopg://postgres@")


def test_an_instant_without_a_zone_is_refused(store: Store) -> None:
    """It would be somebody's local time."""
    with pytest.raises(StoreError, match="no time zone"):
        store.runs.start(replace(a_run(), started=NOW.replace(tzinfo=None)), owner="me", until=NOW)


def test_a_process_that_opens_a_current_store_loses_nothing(open_one: Open) -> None:
    """Opening again changes nothing."""
    sent(open_one(), outgoing())
    assert states(open_one()) == {"a@example.com": "pending"}
