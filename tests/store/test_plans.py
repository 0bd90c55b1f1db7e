"""What is expected of jobs, kept for all services; and occurrences that become rows once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from itertools import count

import pytest
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
    taken,
)

from reports.errors import StoreError
from reports.model import Accounting, Beat, Plan, Run
from reports.store import Store


def plan(store: Store, job: str = "cashflow") -> Plan:
    return store.plans.every()[job]


# -- plans ---------------------------------------------------------------------------------------------


def test_a_plan_comes_back_as_it_was_kept(store: Store) -> None:
    """Every field of a new one; instants in UTC, text in any script."""
    new = a_plan("bargeldströme", definition='{"cron": "现金"}', paused=NOW, pause_note="why", broken="x", gone=NOW)
    store.plans.keep([new, a_plan("other")])
    assert store.plans.every() == {"bargeldströme": new, "other": a_plan("other")}


def test_what_a_definition_says_is_kept_and_nothing_else_is_touched(store: Store) -> None:
    """Neither a pause nor up to when the job has been accounted for."""
    store.plans.keep([a_plan()])
    store.plans.pause("cashflow", now=NOW, note="year end")
    later = a_plan(definition="{2}", broken="line 3", accounted=NOW + DAY)
    store.plans.keep([later])
    assert plan(store) == replace(later, accounted=NOW, paused=NOW, pause_note="year end")
    store.plans.keep([replace(later, gone=NOW + HOUR)])
    assert (plan(store).gone, plan(store).accounted) == (NOW + HOUR, NOW)


def test_a_job_that_is_back_is_expected_from_now_on(store: Store) -> None:
    """What it would have done while it was gone is nobody's loss."""
    store.plans.keep([a_plan(gone=NOW)])
    store.plans.keep([a_plan(gone=NOW + HOUR, accounted=NOW + HOUR)])
    assert plan(store).accounted == NOW
    store.plans.keep([a_plan(accounted=NOW + DAY)])
    assert plan(store) == a_plan(accounted=NOW + DAY)


def test_two_services_may_learn_of_the_same_jobs_at_once(open_one: Open) -> None:
    """In whatever order each has them."""
    stores = open_one(), open_one()
    some = [a_plan(f"Job-{number}") for number in range(900)]
    both(lambda: stores[0].plans.keep(some), lambda: stores[1].plans.keep(some[::-1]))
    assert stores[0].plans.every() == {one.job: one for one in some}
    changed = [replace(one, definition="{2}") for one in some]
    both(lambda: stores[0].plans.keep(changed), lambda: stores[1].plans.keep(changed[::-1]))
    assert stores[1].plans.every() == {one.job: one for one in changed}


def test_a_job_is_paused_and_resumed_once(store: Store) -> None:
    """Also one that no service has seen yet."""
    assert not store.plans.resume("cashflow", now=NOW)
    assert store.plans.pause("cashflow", now=NOW, note="why")
    assert plan(store) == a_plan(definition="", paused=NOW, pause_note="why")
    assert not store.plans.pause("cashflow", now=NOW + HOUR, note="again")
    assert plan(store).pause_note == "why"
    assert store.plans.resume("cashflow", now=NOW + HOUR)
    assert plan(store) == a_plan(definition="")
    assert not store.plans.resume("cashflow", now=NOW + HOUR)
    store.plans.keep([a_plan()])
    assert store.plans.pause("cashflow", now=NOW + DAY, note="")
    assert plan(store) == a_plan(paused=NOW + DAY)


# -- accounting ----------------------------------------------------------------------------------------


def test_occurrences_become_rows_and_the_plan_moves_on(store: Store) -> None:
    """As they are given, those that wait and those that are settled; nobody holds them."""
    some = [a_due(1, log="late"), ended(a_due(2), "skipped", error="overlap"), ended(a_due(3), "missed")]
    assert accounted(store, *some) == ["run-1", "run-2", "run-3"]
    assert [store.runs.find(one.id) for one in some] == some
    assert plan(store).accounted == NOW + HOUR
    assert (store.owners(), store.runs.overdue(NOW + DAY)) == ([], [])


def test_an_occurrence_that_has_a_row_keeps_it(store: Store) -> None:
    """Whoever made it; and an account of the past moves nothing back."""
    store.runs.start(a_run(7, occurrence=NOW + dt.timedelta(seconds=2)), owner="by hand", until=NOW)
    assert accounted(store, a_due(1)) == ["run-1"]
    again = [a_due(1, id="other"), a_due(2), a_due(3), a_due(3, id="twice")]
    assert accounted(store, *again, at=NOW + MINUTE) == ["run-3"]
    assert {one.id for one in store.runs.list()} == {"run-1", "run-3", "run-7"}
    assert plan(store).accounted == NOW + HOUR


def test_what_is_decided_on_is_the_plan_and_what_is_active(store: Store) -> None:
    """Fresh, oldest occurrence first, without logs; runs by hand are no part of it, nor jobs without a plan."""
    accounted(store, a_due(3, log="x"), a_due(2), ended(a_due(1)), a_due(4, job="other"))
    taken(store, "me", now=NOW + MINUTE)
    store.runs.start(a_run(9), owner="by hand", until=NOW)
    store.plans.pause("cashflow", now=NOW, note="")
    seen: dict[str, tuple[Plan, list[tuple[str, str, str]]]] = {}

    def decide(plan: Plan, active: Sequence[Run]) -> Accounting:
        seen[plan.job] = plan, [(one.id, one.state, one.log) for one in active]
        return Accounting(accounted=plan.accounted)

    assert store.plans.account(["other", "cashflow", "unknown", "cashflow"], decide) == []
    assert seen == {
        "cashflow": (plan(store), [("run-2", "running", ""), ("run-3", "queued", "")]),
        "other": (plan(store, "other"), [("run-4", "queued", "")]),
    }
    assert seen["cashflow"][0].paused == NOW


def test_runs_that_make_way_are_skipped_or_asked_to_end(store: Store) -> None:
    """By whether they have begun; those that are over stay as they are."""
    accounted(store, *(a_due(number) for number in range(3)))
    taken(store, "me", now=NOW)
    store.runs.give_up(ended(a_due(1), "missed"))
    stop = {f"run-{number}": f"replaced {number}" for number in range(3)}
    accounted(store, a_due(9), at=NOW + DAY, stop=stop)
    assert store.runs.asked(["me"]) == {"run-0": "replaced 0"}
    assert store.runs.find("run-1") == ended(a_due(1), "missed")
    assert store.runs.find("run-2") == a_due(2, state="skipped", error="replaced 2", finished=NOW + DAY)
    assert [one.id for one in store.runs.active()] == ["run-0", "run-9"]


def test_a_decision_that_fails_leaves_nothing_of_its_jobs(store: Store) -> None:
    """It is all due again."""
    store.plans.keep([a_plan("a"), a_plan("b")])

    def decide(plan: Plan, active: Sequence[Run]) -> Accounting:
        if plan.job == "b":
            raise RuntimeError("no")
        return Accounting(accounted=NOW + HOUR, runs=[a_due(1, job=plan.job)])

    with pytest.raises(RuntimeError):
        store.plans.account(["a", "b"], decide)
    assert store.runs.list() == []
    assert plan(store, "a").accounted == NOW


def test_a_row_that_is_in_the_way_is_looked_at_again(store: Store) -> None:
    """Whatever was decided before that counts for nothing; one that stays in the way is told."""
    store.plans.keep([a_plan()])
    store.runs.start(a_run(1), owner="me", until=NOW)
    ids = count(1)
    found = store.plans.account(
        ["cashflow"], lambda *_: Accounting(accounted=NOW + HOUR, runs=[a_due(5, id=f"run-{next(ids)}")])
    )
    assert [one.id for one in found] == ["run-2"]
    with pytest.raises(StoreError, match="did not do as asked"):
        store.plans.account(["cashflow"], lambda *_: Accounting(accounted=NOW + DAY, runs=[a_due(6, id="run-1")]))
    assert (len(store.runs.list()), plan(store).accounted) == (2, NOW + HOUR)


def test_two_services_account_for_each_occurrence_once(open_one: Open) -> None:
    """For hundreds of jobs at once, again and again; each row comes back to the one who made it."""
    stores = open_one(), open_one()
    jobs = [f"Job-{number}" for number in range(700)]
    stores[0].plans.keep([a_plan(job) for job in jobs])
    ids = count()

    def account(store: Store, names: Sequence[str]) -> list[str]:
        made: list[str] = []
        for minute in range(1, 4):
            at = NOW + minute * MINUTE

            def decide(plan: Plan, active: Sequence[Run], at: dt.datetime = at) -> Accounting:
                assert len(active) == len({one.occurrence for one in active})
                new = [] if plan.accounted >= at else [a_due(next(ids), job=plan.job, occurrence=at)]
                # Also one that is known to be there: as a service whose clock was set back.
                return Accounting(accounted=at, runs=[*new, a_due(next(ids), job=plan.job, occurrence=NOW + MINUTE)])

            made += [one.id for one in store.plans.account(names, decide)]
        return made

    one, two = both(lambda: account(stores[0], jobs), lambda: account(stores[1], jobs[::-1]))
    kept = stores[0].runs.list(limit=5000)
    assert len({(run.job, run.occurrence) for run in kept}) == len(kept) == 2100
    assert sorted([*one, *two]) == sorted(run.id for run in kept)
    assert {each.accounted for each in stores[0].plans.every().values()} == {NOW + 3 * MINUTE}


def test_a_run_that_makes_way_while_it_is_taken_is_skipped_or_asked(open_one: Open) -> None:
    """Taken and accounted for at the same moment, it is never both, nor goes on without a word."""
    stores = open_one(), open_one()
    for number in range(15):
        owner, this = f"owner-{number}", f"run-{number}"
        accounted(stores[0], a_due(number))

        def replace_it(plan: Plan, active: Sequence[Run]) -> Accounting:
            return Accounting(accounted=NOW + DAY, stop={one.id: "replaced" for one in active})

        got, _ = both(
            lambda owner=owner: taken(stores[0], owner),
            lambda decide=replace_it: stores[1].plans.account(["cashflow"], decide),
        )
        left = stores[0].runs.find(this)
        assert (left.state, stores[0].runs.asked([owner])) in (("running", {this: "replaced"}), ("skipped", {}))
        assert got == ([this] if left.state == "running" else [])
        if got:
            stores[0].runs.fail(ended(left, "interrupted"), owner=owner)


# -- services ------------------------------------------------------------------------------------------


def a_beat(number: int, **changes: object) -> Beat:
    at = NOW + number * MINUTE
    return replace(Beat(owner=f"s{number}", host="büro", pid=7, version="1.0", started=at, beat=at), **changes)


def test_services_are_known_by_their_last_beat(store: Store) -> None:
    """One row each, the newest first."""
    assert store.services.every() == []
    store.services.beat(a_beat(1))
    store.services.beat(a_beat(2))
    store.services.beat(a_beat(1, beat=NOW + HOUR))
    assert store.services.every() == [a_beat(1, beat=NOW + HOUR), a_beat(2)]
    store.services.beat(a_beat(1, beat=NOW + HOUR, stopped=NOW + DAY))
    assert store.services.every()[0].stopped == NOW + DAY


def test_since_when_no_service_was_there_is_known(store: Store) -> None:
    """By the last beat or the last stop before that instant, of whichever."""
    assert store.services.last_before(NOW) is None
    store.services.beat(a_beat(1, stopped=NOW + 3 * MINUTE))
    store.services.beat(a_beat(2))
    assert store.services.last_before(NOW + MINUTE) is None
    assert store.services.last_before(NOW + 3 * MINUTE) == NOW + 2 * MINUTE
    assert store.services.last_before(NOW + DAY) == NOW + 3 * MINUTE


def test_services_of_long_ago_are_forgotten_with_the_old_runs(store: Store) -> None:
    """Not those that were heard of since, be it by their stop."""
    store.services.beat(a_beat(1))
    store.services.beat(a_beat(2, stopped=NOW + HOUR))
    store.services.beat(a_beat(90))
    store.runs.prune(NOW + DAY, keep=DAY - 30 * MINUTE, keep_runs=1)
    assert [one.owner for one in store.services.every()] == ["s90", "s2"]
    store.services.prune(NOW + DAY)
    assert store.services.every() == []
