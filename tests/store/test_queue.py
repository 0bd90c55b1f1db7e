"""Runs that wait their turn: begun once, one of a job at a time, and never lost."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from sqlalchemy import event, update
from storing import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    Open,
    a_due,
    a_plan,
    a_run,
    accounted,
    both,
    ended,
    outgoing,
    states,
    taken,
)

from reports.errors import StoreError, Superseded
from reports.model import Accounting, Outgoing, Plan, Run
from reports.store import Store
from reports.store.schema import run

SECOND = dt.timedelta(seconds=1)

# -- taking --------------------------------------------------------------------------------------------


def test_what_is_due_longest_begins_first(store: Store) -> None:
    """One for each owner, leased to that one, with its log; what is not due yet waits."""
    late, first, last = a_due(2, job="late"), a_due(3, job="a", due=NOW, log="backfill"), a_due(9, job="z")
    accounted(store, last, late, first)
    assert store.runs.take(now=NOW - SECOND, until=NOW, owners=["me"]) == []
    now, until = NOW + 5 * SECOND, NOW + MINUTE
    (one, two) = store.runs.take(now=now, until=until, owners=["o1", "o2", "o3"])
    assert one == (replace(first, state="running", started=now), "o1")
    assert two == (replace(late, state="running", started=now), "o2")
    assert store.runs.find(first.id) == one[0]
    assert one[0].waited == 5 * SECOND
    assert set(store.owners()) == {"o1", "o2"}
    assert [(each.id, owner) for each, owner in store.runs.overdue(until)] == [(first.id, "o1"), (late.id, "o2")]
    assert store.runs.take(now=NOW + HOUR, until=until, owners=[]) == []
    assert taken(store, "o4", "o5") == [last.id]


def test_runs_of_a_job_go_on_one_after_the_other(store: Store) -> None:
    """Unless the job allows more; a run by hand is in nobody's way, and does not wait."""
    accounted(store, *(a_due(number) for number in range(4)), a_due(9, job="other"))
    store.runs.start(a_run(20), owner="by hand", until=NOW + DAY)
    assert taken(store, "a", "b", "c") == ["run-0", "run-9"]
    assert taken(store, "d") == []
    store.runs.succeed(ended(store.runs.find("run-0")), owner="a", artifacts=[], messages=[])
    assert taken(store, "e") == ["run-1"]
    assert taken(store, "f", "g", overlapping=["cashflow"]) == ["run-2", "run-3"]


def test_a_job_with_much_to_do_keeps_no_other_waiting(store: Store) -> None:
    """Hundreds of its runs are due before the first of another."""
    accounted(store, *(a_due(number) for number in range(300)), a_due(500, job="other"))
    assert taken(store, "a", "b", "c") == ["run-0", "run-500"]


def test_a_job_that_overlaps_takes_all_hands_that_are_left(store: Store) -> None:
    """Also where it comes after much that has to wait."""
    free = [a_due(number, job="free") for number in range(52, 60)]
    accounted(store, *(a_due(number) for number in range(52)), *free)
    assert taken(store, "a", "b", "c", "d", overlapping=["free"]) == ["run-0", "run-52", "run-53", "run-54"]


def test_a_paused_job_begins_nothing(store: Store) -> None:
    """What waits goes on when it is resumed."""
    accounted(store, a_due(1), a_due(2, job="other"))
    store.plans.pause("cashflow", now=NOW, note="year end")
    assert store.runs.next_due() == NOW + 2 * SECOND
    assert taken(store, "a", "b") == ["run-2"]
    assert (store.runs.next_due(), store.runs.counts()) == (None, {"queued": 1, "running": 1})
    store.plans.resume("cashflow", now=NOW)
    assert store.runs.next_due() == NOW + SECOND
    assert taken(store, "c") == ["run-1"]


def test_two_services_never_run_a_job_twice_at_once(open_one: Open) -> None:
    """They empty a queue of thousands between them; each run begins once, and no two of a job overlap."""
    stores = open_one(), open_one()
    queue = [a_due(number, job=f"job-{number % 150}") for number in range(3000)]
    accounted(stores[0], *queue)
    going: set[str] = set()
    begun: list[str] = []
    lock = threading.Lock()

    def serve(store: Store, name: str) -> int:
        count, over = 0, time.monotonic() + 60
        while store.runs.counts().get("queued") and time.monotonic() < over:
            owners = [f"{name}-{count + number}" for number in range(40)]
            mine = [one for one, _ in store.runs.take(now=NOW + HOUR, until=NOW + DAY, owners=owners)]
            count += len(mine)
            with lock:
                jobs = [one.job for one in mine]
                assert len(set(jobs)) == len(jobs)
                assert going.isdisjoint(jobs)
                going.update(jobs)
                begun.extend(one.id for one in mine)
                going.difference_update(jobs[::2])
            end(store, mine[::2])
            with lock:
                going.difference_update(jobs)
            end(store, mine[1::2])
        return count

    counts = both(lambda: serve(stores[0], "a"), lambda: serve(stores[1], "b"))
    assert sum(counts) == len(begun) == len(set(begun)) == 3000
    # Oldest first within each job, whoever had it.
    of_one = [one for one in begun if int(one.removeprefix("run-")) % 150 == 7]
    assert of_one == sorted(of_one, key=lambda one: int(one.removeprefix("run-")))


def end(store: Store, runs: list[Run]) -> None:
    """These runs are over, without waiting for the disk."""
    with store.database.writing(quick=True) as connection:
        over = update(run).where(run.c.id.in_([one.id for one in runs]))
        connection.execute(over.values(state="succeeded", finished=NOW + HOUR))


def test_two_that_reach_for_the_only_job_get_one_run_of_it(open_one: Open) -> None:
    """Whoever comes second sees what the first has begun."""
    stores = open_one(), open_one()
    accounted(stores[0], *(a_due(number) for number in range(40)))
    for round_ in range(20):
        calls = [
            lambda store=store, owner=f"{round_} {number}": taken(store, owner) for number, store in enumerate(stores)
        ]
        got = [one for part in both(*calls) for one in part]
        assert got == [f"run-{round_}"]
        end(stores[0], [stores[0].runs.find(got[0])])


def between(store: Store, words: str, call: Callable[[], object]) -> None:
    """Once, just before the store's next statement with these words, somebody else does something."""
    left = [call]

    def before(connection: object, cursor: object, statement: str, *rest: object) -> None:
        if words in statement and left:
            left.pop()()

    event.listen(store.database.writer, "before_cursor_execute", before)


@pytest.mark.parametrize("open_one", ["postgresql"], indirect=True)
def test_what_another_service_began_between_two_looks_is_seen(open_one: Open) -> None:
    """The second run of the job does not begin beside the first."""
    quick, slow = open_one(), open_one()
    accounted(quick, a_due(1), a_due(2), a_due(3, job="other"))
    between(slow, "SKIP LOCKED", lambda: taken(quick, "quick"))
    assert taken(slow, "slow") == ["run-3"]
    assert set(quick.owners()) == {"quick", "slow"}


@pytest.mark.parametrize("open_one", ["postgresql"], indirect=True)
def test_what_was_put_off_between_two_looks_waits(open_one: Open) -> None:
    """Another service had begun it, and it is to be tried again later."""
    quick, slow = open_one(), open_one()
    accounted(quick, a_due(1))

    def try_it() -> None:
        ((begun, owner),) = quick.runs.take(now=NOW + HOUR, until=NOW + DAY, owners=["quick"])
        quick.runs.requeue(replace(begun, due=NOW + 2 * HOUR, attempt=2), owner=owner)

    between(slow, "SKIP LOCKED", try_it)
    assert taken(slow, "slow", now=NOW + HOUR) == []
    assert taken(slow, "slow", now=NOW + 2 * HOUR) == ["run-1"]


@pytest.mark.parametrize("open_one", ["postgresql"], indirect=True)
def test_no_run_begins_of_a_job_that_is_being_decided_on(open_one: Open) -> None:
    """Those of other jobs do, meanwhile."""
    one, two = open_one(), open_one()
    accounted(one, a_due(1), a_due(2, job="other"))

    def decide(plan: Plan, active: Sequence[Run]) -> Accounting:
        assert taken(two, "a", "b") == ["run-2"]
        return Accounting(accounted=NOW + DAY, stop={each.id: "replaced" for each in active})

    one.plans.account(["cashflow"], decide)
    assert one.runs.find("run-1").state == "skipped"


# -- what becomes of them ------------------------------------------------------------------------------


def test_a_run_that_failed_for_now_waits_again(store: Store) -> None:
    """With its attempt, error and log, for nobody in particular; what it was asked before is forgotten."""
    accounted(store, a_due(1))
    ((begun, owner),) = store.runs.take(now=NOW + MINUTE, until=NOW + HOUR, owners=["me"])
    accounted(store, a_due(1), stop={begun.id: "stop"})
    assert store.runs.asked(["me"]) == {begun.id: "stop"}
    again = replace(begun, state="queued", attempt=2, due=NOW + HOUR, error="no network", log="tried\n")
    with pytest.raises(Superseded):
        store.runs.requeue(again, owner="somebody else")
    store.runs.requeue(again, owner=owner)
    assert store.runs.find(begun.id) == again
    assert (store.owners(), store.runs.overdue(NOW + DAY, dead=["me", ""])) == ([], [])
    with pytest.raises(Superseded):
        store.runs.succeed(ended(begun), owner=owner, artifacts=[], messages=[outgoing()])
    assert taken(store, "you", now=NOW + 59 * MINUTE) == []
    assert taken(store, "you") == [begun.id]
    assert store.runs.asked(["me", "you"]) == {}
    with pytest.raises(ValueError, match="may begin again"):
        store.runs.requeue(replace(again, due=None), owner="you")


def test_a_run_that_waits_can_be_given_up(store: Store) -> None:
    """Settled with its reason; not once it has begun."""
    accounted(store, a_due(1), a_due(2))
    missed = replace(a_due(1), state="missed", error="too late", finished=NOW + HOUR)
    assert store.runs.give_up(missed)
    assert store.runs.find("run-1") == missed
    assert not store.runs.give_up(missed)
    assert taken(store, "me") == ["run-2"]
    assert not store.runs.give_up(replace(missed, id="run-2"))
    assert store.runs.find("run-2").state == "running"
    with pytest.raises(ValueError, match="not settled"):
        store.runs.give_up(a_due(2))


def test_all_leases_of_a_service_are_renewed_at_once(store: Store) -> None:
    """Those of others are not."""
    accounted(store, *(a_due(number, job=f"job-{number}") for number in range(3)))
    taken(store, "a", "b", "c")
    store.runs.renew_all(["a", "b"], until=NOW + DAY)
    assert [owner for _, owner in store.runs.overdue(NOW + 2 * HOUR)] == ["c"]


def test_a_run_is_asked_to_end(store: Store) -> None:
    """Its owner hears why; what is not there is passed over."""
    some = [a_due(number, job=f"job-{number}") for number in range(3)]
    accounted(store, *some)
    taken(store, "a", "b")
    assert accounted(store, *some, stop={"run-0": "another is due", "run-9": "is not there"}) == []
    assert store.runs.asked(["a", "b"]) == {"run-0": "another is due"}
    assert store.runs.asked(["b"]) == store.runs.asked([]) == {}
    store.runs.fail(ended(store.runs.find("run-0"), "interrupted"), owner="a")
    assert store.runs.asked(["a"]) == {}


def test_a_log_is_kept_by_whoever_had_the_run_last(store: Store) -> None:
    """While it goes on and after its end; a word from one who lost it changes nothing."""
    accounted(store, a_due(1))
    ((begun, _),) = store.runs.take(now=NOW + MINUTE, until=NOW + HOUR, owners=["a"])
    store.runs.keep_log(begun.id, owner="a", log="line 1\n")
    assert store.runs.find(begun.id).log == "line 1\n"
    store.runs.requeue(replace(begun, state="queued", log="of the first\n"), owner="a")
    taken(store, "b")
    store.runs.keep_log(begun.id, owner="a", log="late")
    assert store.runs.find(begun.id).log == "of the first\n"
    store.runs.fail(ended(begun, "failed"), owner="b")
    store.runs.keep_log(begun.id, owner="b", log="all of it\n")
    assert (store.runs.find(begun.id).log, store.runs.find(begun.id).state) == ("all of it\n", "failed")


# -- missed ones ---------------------------------------------------------------------------------------


def missed(number: int, **changes: object) -> Run:
    return replace(ended(a_due(number), "missed", due=None, error="no service"), **changes)


def said(told: Sequence[Outgoing]) -> str:
    """What stands with the runs: who was told."""
    return f"told {', '.join(told[0].message.recipients)}" if told else "told before"


def test_missed_runs_are_told_once_a_streak(store: Store) -> None:
    """One notice, with the last of them; each says who was told, or that it was told before."""
    accounted(store, missed(2), missed(1), missed(3, job="other"), a_due(4))
    first, second, other = store.runs.untold()
    assert (first.id, second.id, other.id) == ("run-1", "run-2", "run-3")
    assert [one.id for one in store.runs.untold(limit=1)] == ["run-1"]

    def miss(*ids: str, name: str, job: str = "cashflow") -> bool:
        notice = outgoing(name, "owner@example.com", kind="failure")
        return bool(store.runs.miss(ids, job=job, at=NOW + HOUR, notices=[notice], note=said))

    assert miss("run-1", "run-2", name="n1")
    assert [store.runs.find(one).notice for one in ("run-1", "run-2")] == ["told owner@example.com"] * 2
    assert dict(store.troubles.open("cashflow")) == {"": NOW + HOUR}
    (delivery,) = store.outbox.deliveries()
    assert (delivery.run, delivery.kind, delivery.next_attempt) == ("run-2", "failure", NOW + HOUR)
    assert [one.id for one in store.runs.untold()] == ["run-3"]
    accounted(store, missed(5), at=NOW + 2 * HOUR)
    assert not miss("run-5", name="n2")
    assert store.runs.find("run-5").notice == "told before"
    assert store.runs.untold() == [other]
    assert states(store) == {"owner@example.com": "pending"}


def test_missed_runs_that_nobody_can_be_told_of_say_so(store: Store) -> None:
    """And are no trouble; those told of meanwhile stay as they are."""
    accounted(store, missed(1), missed(2))
    assert not store.runs.miss(["run-1"], job="cashflow", at=NOW, note=lambda _: "nobody to tell")
    assert store.troubles.open("cashflow") == {}
    assert store.runs.miss(["run-2", "run-1"], job="cashflow", at=NOW, notices=[outgoing("n")], note=said)
    assert [store.runs.find(one).notice for one in ("run-1", "run-2")] == ["nobody to tell", "told a@example.com"]
    assert [one.run for one in store.outbox.deliveries()] == ["run-2"]
    assert not store.runs.miss(["run-1"], job="cashflow", at=NOW, notices=[outgoing("late")], note=said)


def test_two_services_tell_of_the_same_missed_runs_once(open_one: Open) -> None:
    """And count the streak once."""
    stores = open_one(), open_one()
    for round_ in range(5):
        job = f"job-{round_}"
        some = [missed(10 * round_ + number, job=job) for number in range(3)]
        accounted(stores[0], *some)
        calls = [
            lambda store=store, some=some, job=job, number=number: store.runs.miss(
                [one.id for one in some],
                job=job,
                at=NOW,
                notices=[outgoing(f"{job}-{number}", kind="failure")],
                note=said,
            )
            for number, store in enumerate(stores)
        ]
        assert sorted(map(len, both(*calls))) == [0, 1]
        assert {stores[0].runs.find(one.id).notice for one in some} == {"told a@example.com"}
    assert len(stores[0].outbox.deliveries()) == 5


# -- what there is -------------------------------------------------------------------------------------


def test_runs_are_counted_by_state(store: Store) -> None:
    """And those that wait or go on are at hand, of a job or of all."""
    assert (store.runs.counts(), store.runs.next_due()) == ({}, None)
    some = [a_due(1), a_due(2, job="b"), a_due(3, job="b"), missed(4), ended(a_due(5), "skipped")]
    accounted(store, *some)
    assert store.runs.next_due() == NOW + SECOND
    assert taken(store, "me", now=NOW + SECOND) == ["run-1"]
    assert store.runs.counts() == {"queued": 2, "running": 1, "missed": 1, "skipped": 1}
    assert [one.id for one in store.runs.active()] == ["run-2", "run-3", "run-1"]
    assert [one.id for one in store.runs.active("b")] == ["run-2", "run-3"]
    assert store.runs.active("c") == []


def test_how_a_job_went_is_not_what_waits_was_skipped_or_was_a_test(store: Store) -> None:
    """Of one job, and of each; a list has them all, newest first."""
    later = [replace(a_due(number), started=NOW + number * MINUTE) for number in range(1, 6)]
    accounted(
        store,
        ended(later[0], "failed"),
        ended(later[1], "missed"),
        ended(later[2], "skipped"),
        ended(later[3], trigger="test"),
        later[4],
        a_due(9, job="waits"),
        ended(a_due(10, job="other")),
    )
    assert {job: one.id for job, one in store.runs.lasts().items()} == {"cashflow": "run-2", "other": "run-10"}
    assert store.runs.lasts()["cashflow"] == replace(later[1], state="missed", finished=later[1].started + MINUTE)
    assert [one.id for one in store.runs.list("cashflow")] == ["run-5", "run-4", "run-3", "run-2", "run-1"]


def test_what_never_ran_pushes_nothing_that_ran_out_of_history(store: Store) -> None:
    """The newest of both are kept; what waits or goes on always is."""
    old = [ended(replace(a_due(number), started=NOW + number * SECOND)) for number in range(4)]
    never = [
        ended(replace(a_due(number), started=NOW + number * SECOND), "missed" if number % 2 else "skipped")
        for number in range(10, 20)
    ]
    accounted(store, *old, *never, a_due(30), a_due(31), a_due(40, job="waits"))
    taken(store, "me")
    now = NOW + DAY
    assert store.runs.prune(now, keep=DAY, keep_runs=3) == 1 + 7
    left = {one.id for one in store.runs.list()}
    assert left == {f"run-{number}" for number in (1, 2, 3, 17, 18, 19, 30, 31, 40)}
    assert store.runs.prune(now + DAY, keep=HOUR, keep_runs=3) == 6
    assert {one.state for one in store.runs.list()} == {"queued", "running"}


def test_a_run_without_an_occurrence_is_not_queued(store: Store) -> None:
    """Nor one of which nobody says when it may begin: it would wait for ever."""
    for wrong in (a_due(1, occurrence=None), a_due(1, due=None)):
        with pytest.raises(ValueError, match="run-1"):
            accounted(store, wrong)
    assert store.runs.list() == []
    with pytest.raises(StoreError, match="no run"):
        store.runs.find("run-1")
    assert store.plans.every() == {"cashflow": a_plan()}
