"""Runs that ended badly: which are begun again, when, how often, and who is told in the end."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from projects import JOB, SETTINGS, make_project
from storing import HOUR, MINUTE, NOW, opened

from reports import project
from reports.definition import Retry
from reports.errors import SourceError, Superseded
from reports.model import Accounting, Plan, Run
from reports.settings import Settings
from reports.settling import MOST_BEGUN, Settler, wait
from reports.store import Store

AWAY = SourceError("the database is away", temporary=True)
OWNED = 'owner = "me@example.com"\nretry = { attempts = 3, wait = "2m" }\n' + JOB


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return project.read_settings(make_project(tmp_path, settings=SETTINGS, job=OWNED))[0]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    one = opened(tmp_path)
    yield one
    one.close()


def begun(store: Store, *, scheduled: bool = True, attempt: int = 1, owner: str = "me") -> Run:
    """A run that `owner` has begun, of a schedule or by hand."""
    run = Run(id="r1", job="daily", as_of=NOW.date(), started=NOW, trigger="manual")
    if not scheduled:
        assert store.runs.start(run, owner=owner, until=NOW + HOUR)
        return run
    queued = replace(run, occurrence=NOW, trigger="schedule", state="queued", due=NOW, attempt=attempt)
    store.plans.keep([Plan(job="daily", definition="", accounted=NOW)])
    store.plans.account(["daily"], lambda *_: Accounting(accounted=NOW, runs=[queued]))
    ((taken, _),) = store.runs.take(now=NOW, until=NOW + HOUR, owners=[owner])
    return taken


def settler(settings: Settings, store: Store, now: dt.datetime = NOW) -> Settler:
    return Settler(settings=settings, store=store, clock=lambda: now)


def over(run: Run) -> Run:
    return replace(run, state="failed", finished=NOW, error="as told", log="a line")


def notices(store: Store) -> list[str]:
    return [one.kind for one in store.outbox.deliveries(every=True)]


def test_an_error_that_may_pass_is_tried_again_after_a_while(settings: Settings, store: Store) -> None:
    """The same row waits in the queue with its error and its log, and nobody is told yet."""
    run = begun(store)
    one = settler(settings, store)
    job = one.teller.job("daily")
    assert one.failed(over(run), owner="me", job=job, error=AWAY) == "queued"
    kept = store.runs.find("r1")
    assert (kept.state, kept.attempt, kept.due, kept.finished) == ("queued", 2, NOW + 2 * MINUTE, None)
    assert "the database is away" in kept.error
    assert kept.log.startswith("a line\n")
    assert notices(store) == []


def test_the_last_attempt_fails_and_its_owner_is_told_once(settings: Settings, store: Store) -> None:
    """After three there is no fourth."""
    run = begun(store, attempt=3)
    one = settler(settings, store)
    assert one.failed(over(run), owner="me", job=one.teller.job("daily"), error=AWAY) == "failed"
    assert store.runs.find("r1").state == "failed"
    assert notices(store) == ["failure"]


def test_an_error_that_does_not_pass_is_not_tried_again(settings: Settings, store: Store) -> None:
    """A column that is missing is missing tomorrow too."""
    run = begun(store)
    one = settler(settings, store)
    wrong = SourceError("there is no column 'x'")
    assert one.failed(over(run), owner="me", job=one.teller.job("daily"), error=wrong) == "failed"


def test_a_run_by_hand_is_not_tried_again(settings: Settings, store: Store) -> None:
    """Whoever asked for it is there, and sees the error."""
    run = begun(store, scheduled=False)
    one = settler(settings, store)
    assert one.failed(over(run), owner="me", job=one.teller.job("daily"), error=AWAY) == "failed"


def test_a_scheduled_run_whose_process_died_is_begun_again_at_once(settings: Settings, store: Store) -> None:
    """A killed service costs time and nothing else; nobody need be told."""
    begun(store)
    settler(settings, store, NOW + 2 * HOUR).interrupted()
    kept = store.runs.find("r1")
    assert (kept.state, kept.attempt, kept.due) == ("queued", 2, NOW + 2 * HOUR)
    assert notices(store) == []


def test_a_run_that_takes_its_process_with_it_every_time_is_given_up(settings: Settings, store: Store) -> None:
    """It is called interrupted in the end, and its owner is told."""
    begun(store, attempt=MOST_BEGUN)
    settler(settings, store, NOW + 2 * HOUR).interrupted()
    assert store.runs.find("r1").state == "interrupted"
    assert notices(store) == ["failure"]


def test_a_run_by_hand_whose_process_died_is_interrupted(settings: Settings, store: Store) -> None:
    """It is not begun behind anybody's back."""
    begun(store, scheduled=False)
    settler(settings, store, NOW + 2 * HOUR).interrupted()
    assert store.runs.find("r1").state == "interrupted"


def test_who_has_lost_the_run_settles_nothing(settings: Settings, store: Store) -> None:
    """Another process has it by now."""
    run = begun(store, owner="another")
    one = settler(settings, store)
    with pytest.raises(Superseded):
        one.failed(over(run), owner="me", job=one.teller.job("daily"), error=AWAY)
    assert store.runs.find("r1").state == "running"


def test_waits_double_up_to_an_hour_unless_the_job_wants_longer_ones() -> None:
    """Nobody is asked every minute for a day."""
    retry = Retry(attempts=20, wait=20 * MINUTE)
    assert [wait(retry, attempt) for attempt in (1, 2, 3, 10)] == [20 * MINUTE, 40 * MINUTE, HOUR, HOUR]
    assert wait(Retry(attempts=2, wait=3 * HOUR), 1) == 3 * HOUR
