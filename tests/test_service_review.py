"""What must not stop the service, nor lose an occurrence in silence: odd folders, odd names, wide gaps, rows that are gone."""

from __future__ import annotations

import datetime as dt
import itertools
import os
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from nursing import fail
from projects import JOB, QUERY, SETTINGS, make_project
from sqlalchemy import text
from storing import opened
from test_planning import account, rows

from reports import leases, project
from reports.agenda import Agenda
from reports.app import open_app
from reports.children import Limits, Nursery
from reports.definitions import Definitions
from reports.errors import SettingsError
from reports.health import Meter
from reports.model import Accounting, Plan, Run
from reports.pings import Pings
from reports.planning import AT_ONCE
from reports.runner import Runner, _Going
from reports.service import Service
from reports.store import Store

SEVEN = dt.datetime(2026, 11, 24, 7, tzinfo=dt.UTC)
SECOND, MINUTE, HOUR, DAY = (dt.timedelta(seconds=n) for n in (1, 60, 3600, 86_400))
DAILY = 'schedule = "0 7 * * *"\n' + JOB
IDS = itertools.count(1)


class Wheel:
    """A service in this process, turned by hand; `now` is what its clock says."""

    def __init__(self, folder: Path, now: dt.datetime) -> None:
        self.now = now
        settings = project.read_settings(folder)[0]
        self.service = Service(
            settings=settings, reread=lambda: project.read_settings(folder)[0], clock=lambda: self.now
        )
        self.service._timer.start()

    def turn(self, now: dt.datetime) -> None:
        self.now = now
        self.service.turn()

    def rows(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for run in self.service.store.runs.list(limit=10_000):
            found.setdefault(run.job, []).append(run.state)
        return found

    def close(self) -> None:
        self.service._timer.close()
        self.service._say_goodbye()


def job(folder: Path, name: str, definition: str = DAILY) -> None:
    path = folder / "jobs" / name
    path.mkdir(parents=True, exist_ok=True)
    (path / "job.toml").write_text(definition, "utf-8")
    (path / "by_region.sql").write_text(QUERY, "utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_project(tmp_path, job=DAILY)


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    with closing(opened(folder)) as one:
        yield one


def agenda(folder: Path, store: Store, now: dt.datetime) -> Agenda:
    """The agenda of a service that begins now."""
    one = Agenda(settings=project.read_settings(folder)[0], store=store, new_id=lambda: f"run-{next(IDS)}")
    one.learn(Definitions(one.settings).look(), now)
    return one


# -- what lies in jobs/ --------------------------------------------------------------------------------


def test_a_file_nested_beyond_measure_is_one_broken_job(folder: Path) -> None:
    """The reader of TOML gives up in a way of its own; the others run."""
    job(folder, "deep", "x = " + "[" * 100_000)
    with closing(Wheel(folder, SEVEN - HOUR)) as wheel:
        wheel.turn(SEVEN - HOUR)
        assert set(wheel.service.agenda.broken) == {"deep"}
        assert wheel.service.agenda.next_at() == SEVEN


@pytest.mark.skipif(os.name == "nt", reason="links need a right there")
def test_a_link_in_a_circle_hides_no_job(folder: Path) -> None:
    """It is no folder, and that is all there is to it."""
    (folder / "jobs" / "circle").symlink_to("circle")
    changes = Definitions(project.read_settings(folder)[0]).look()
    assert set(changes.read) == {"daily"}


@pytest.mark.parametrize("name", [b"caf\xe9", b"x" * 200, b"two\nlines"])
@pytest.mark.skipif(os.name == "nt", reason="no such names there")
def test_a_folder_whose_name_cannot_be_kept_is_one_broken_job(folder: Path, name: bytes) -> None:
    """It has no plan, for no database takes it everywhere; the others run, and it is told which it is."""
    path = os.path.join(os.fsencode(folder / "jobs"), name)  # noqa: PTH118  bytes
    os.mkdir(path)  # noqa: PTH102
    Path(os.fsdecode(path), "job.toml").write_text(DAILY, "utf-8")
    Path(os.fsdecode(path), "by_region.sql").write_text(QUERY, "utf-8")
    with closing(Wheel(folder, SEVEN - HOUR)) as wheel:
        wheel.turn(SEVEN - HOUR)
        assert set(wheel.service.store.plans.every()) == {"daily"}
        (why,) = wheel.service.agenda.broken.values()
        assert "name" in why
        assert why.isprintable()


def test_names_that_people_give_are_jobs(folder: Path) -> None:
    """Umlauts, another script, a space, and two that differ in case only."""
    names = {"Umsätze", "売上", "two words", "Daily2", "daily2"}
    for name in names:
        job(folder, name)
    with closing(Wheel(folder, SEVEN - HOUR)) as wheel:
        wheel.turn(SEVEN - HOUR)
        assert set(wheel.service.store.plans.every()) >= names - {"daily2"}
        assert not wheel.service.agenda.broken


def test_a_length_of_time_beyond_all_calendars_is_a_mistake(tmp_path: Path) -> None:
    """It would end the service when it is added to a date, or taken from one."""
    settings = SETTINGS + '\n[store]\nkeep = "999999w"\n'
    with pytest.raises(SettingsError, match="keep"):
        project.read_settings(make_project(tmp_path, settings=settings))
    assert project.read_settings(make_project(tmp_path, settings=settings.replace("999999w", "36500d")))


def test_words_that_a_database_does_not_take_are_kept_all_the_same(folder: Path, store: Store) -> None:
    """A key with a NUL in it, and half a character: the plan, the error and the log are there, in signs that can be."""
    del folder
    odd, even = "a\0b \ud83d \u20ac", "a\u2400b ? \u20ac"
    store.plans.keep([Plan(job="daily", definition="", accounted=SEVEN, broken=odd)])
    assert store.plans.every()["daily"].broken == even
    run = Run(id="r1", job="daily", as_of=SEVEN.date(), started=SEVEN)
    assert store.runs.start(run, owner="me", until=SEVEN + HOUR)
    store.runs.fail(replace(run, state="failed", finished=SEVEN, error=odd, log=odd), owner="me")
    assert (store.runs.find("r1").error, store.runs.find("r1").log) == (even, even)


# -- what is missed, and what stands for it --------------------------------------------------------------


def test_nothing_stands_for_what_is_missed_where_the_last_one_is_too_old_as_well() -> None:
    """Each says so itself, and its owner is told of each."""
    made = account(SEVEN + 2 * HOUR, SEVEN - 3 * DAY, catch_up_within="1h")
    assert rows(made) == [("22 07:00:00", "missed"), ("23 07:00:00", "missed"), ("24 07:00:00", "missed")]
    assert all(run.error.endswith("it is older than catch_up_within") for run in made.runs)
    assert not any(run.notice for run in made.runs)


def test_the_latest_is_made_even_if_more_than_a_step_of_skipped_ones_follows() -> None:
    """Friday's last minute is made up for on Saturday night, for all of Saturday's are skipped."""
    friday = dt.datetime(2026, 11, 20, 23, 0, tzinfo=dt.UTC)
    now, since, seen = friday + 23 * HOUR, friday, []
    while since < now:
        made = account(now, since, schedule={"every": "1m", "business_days": True})
        assert made.accounted > since
        seen += made.runs
        since = made.accounted
    assert [run.occurrence for run in seen] == [friday + n * MINUTE for n in range(1, 23 * 60 + 1)]
    assert [run.occurrence for run in seen if run.state == "queued"] == [friday + 59 * MINUTE]


def test_one_queued_run_stands_for_very_many_that_were_missed() -> None:
    """In whichever step it is."""
    now, since, states = SEVEN + AT_ONCE * 3 * SECOND, SEVEN, []
    while since < now:
        made = account(now, since, schedule={"every": "1s"})
        states += [run.state for run in made.runs]
        since = made.accounted
    assert states == ["missed"] * (AT_ONCE * 3 - 1) + ["queued"]


def test_a_job_with_very_much_to_catch_up_does_not_keep_the_others_waiting(folder: Path, store: Store) -> None:
    """The first step at the start, the others beside the rest of the work; none is left out."""
    job(folder, "busy", DAILY.replace('"0 7 * * *"', '{ every = "1s" }'))
    agenda(folder, store, SEVEN - HOUR)
    now, many = SEVEN + MINUTE, 3660
    settings, off_since = project.read_settings(folder)[0], SEVEN - HOUR
    one = Agenda(settings=settings, store=store, new_id=lambda: f"run-{next(IDS)}", off_since=off_since)
    first = one.learn(Definitions(one.settings).look(), now)
    assert ("daily", "queued") in {(run.job, run.state) for run in first}
    assert len(first) <= AT_ONCE + 1
    steps = list(iter(lambda: len(one.tick(now)), 0))
    assert len(first) - 1 + sum(steps) == many
    assert max(steps) <= AT_ONCE
    missed = [run.error for run in store.runs.list("busy", limit=many) if run.state == "missed"]
    assert len(missed) == many - 1
    assert all(why.startswith("no service was running from 2026-11-24 06:00:00Z") for why in missed)


def test_what_a_resumed_job_missed_is_missed_however_much_it_is(folder: Path) -> None:
    """No service was there while it was paused; nothing of that time is made up for."""
    (folder / "jobs" / "daily" / "job.toml").write_text(DAILY.replace('"0 7 * * *"', '{ every = "1s" }'), "utf-8")
    with closing(replace(open_app(folder), clock=lambda: SEVEN)) as app:
        agenda(folder, app.store, SEVEN)
        assert app.pause("daily", "audit")
    later = SEVEN + (AT_ONCE + 500) * SECOND
    with closing(replace(open_app(folder), clock=lambda: later)) as app:
        assert app.resume("daily")
        assert app.store.plans.every()["daily"].accounted == later
        assert app.store.runs.counts() == {"missed": AT_ONCE + 500}


# -- what stands in the queue ------------------------------------------------------------------------------


def queued(one: Agenda, now: dt.datetime) -> Run:
    (run,) = one.tick(now)
    assert run.state == "queued"
    return run


def test_a_second_attempt_that_is_yet_to_come_is_not_given_up(folder: Path, store: Store) -> None:
    """Its wait is longer than catch_up_within, as its job wants it."""
    (folder / "jobs" / "daily" / "job.toml").write_text('catch_up_within = "1h"\n' + DAILY, "utf-8")
    one = agenda(folder, store, SEVEN - HOUR)
    run = queued(one, SEVEN)
    ((taken, owner),) = store.runs.take(now=SEVEN, until=SEVEN + HOUR, owners=["me"])
    store.runs.requeue(replace(taken, attempt=2, due=SEVEN + 3 * HOUR, error="away"), owner=owner)
    one.give_up_stale(SEVEN + 2 * HOUR)
    assert store.runs.find(run.id).state == "queued"
    one.give_up_stale(SEVEN + 5 * HOUR)
    assert store.runs.find(run.id).state == "missed"


def test_of_a_run_that_waited_because_its_job_is_paused_nobody_is_told(folder: Path, store: Store) -> None:
    """A person wanted that; the row has their note."""
    one = agenda(folder, store, SEVEN - HOUR)
    run = queued(one, SEVEN)
    store.plans.pause("daily", now=SEVEN + SECOND, note="audit")
    one.give_up_stale(SEVEN + 2 * DAY)
    kept = store.runs.find(run.id)
    assert (kept.state, kept.notice) == ("missed", "nobody was told: it is paused")
    assert "paused since 2026-11-24 07:00:01Z: audit" in kept.error
    assert store.runs.untold() == []


def test_a_look_at_the_history_takes_no_run_from_a_service_that_lives(folder: Path, store: Store) -> None:
    """The machine slept, its lease is over, and somebody asks before the service has renewed it."""
    run = queued(agenda(folder, store, SEVEN - HOUR), SEVEN)
    store.runs.take(now=SEVEN, until=SEVEN + MINUTE, owners=[leases.new_owner()])
    with closing(replace(open_app(folder), clock=lambda: SEVEN + HOUR)) as app:
        assert [(one.id, one.state) for one in app.runs()] == [(run.id, "running")]


def test_what_waited_over_days_off_is_not_begun_by_the_next_service(folder: Path, store: Store) -> None:
    """It is older than the job catches up; the first turn says so, and begins what is wanted."""
    queued(agenda(folder, store, SEVEN - HOUR), SEVEN)
    with closing(Wheel(folder, SEVEN + 3 * DAY + 20 * HOUR)) as wheel:
        wheel.turn(wheel.now)
        states = sorted((f"{run.occurrence:%d}", run.state) for run in wheel.service.store.runs.list())
    assert states[0] == ("24", "missed")
    assert [day for day, state in states if state == "running"] == ["27"]


# -- the wheel ----------------------------------------------------------------------------------------------


def test_a_job_that_is_saved_often_comes_due_once(folder: Path, store: Store) -> None:
    """And does not fill the memory."""
    one = agenda(folder, store, SEVEN - HOUR)
    for _ in range(50):
        one.learn(Definitions(one.settings).look(), SEVEN - HOUR)
    assert len(one._next) == 1
    assert len(one.tick(SEVEN)) == 1
    assert (len(one._next), one.next_at()) == (1, SEVEN + DAY)


def test_asking_how_it_is_changes_nothing(folder: Path) -> None:
    """Another thread asks, at any moment."""
    with closing(Wheel(folder, SEVEN - HOUR)) as wheel:
        wheel.turn(SEVEN - HOUR)
        ahead = wheel.service.agenda
        ahead._at["daily"] = None  # as while a definition is learnt
        before = list(ahead._next)
        assert wheel.service._figures().next_occurrence == SEVEN
        assert ahead._next == before


def test_a_definition_that_another_version_kept_stops_nothing(folder: Path, store: Store) -> None:
    """Two services while one of them is brought up to date: this one goes by what it reads itself."""
    one = agenda(folder, store, SEVEN - HOUR)
    newer = store.plans.every()["daily"].definition.replace("{", '{"of_tomorrow": 1, ', 1)
    store.plans.keep([Plan(job="daily", definition=newer, accounted=SEVEN - HOUR)])
    assert [run.state for run in one.tick(SEVEN)] == ["queued"]
    store.plans.keep([Plan(job="daily", definition=newer, accounted=SEVEN)])
    assert agenda(folder, store, SEVEN + HOUR).next_at() == SEVEN + DAY
    with closing(replace(open_app(folder), clock=lambda: SEVEN + HOUR)) as app:
        app.pause("daily")
        assert app.resume("daily")


def test_what_the_wheel_dies_of_ends_the_deliveries_too(folder: Path) -> None:
    """Else it would be a process that sends what is left, runs nothing, and is not started anew."""
    settings = project.read_settings(folder)[0]
    settings = settings.model_copy(update={"service": settings.service.model_copy(update={"health": ""})})

    def broken() -> dt.datetime:
        raise RuntimeError("no clock")

    service = Service(settings=settings, reread=lambda: settings, clock=broken)
    with closing(service._nursery), pytest.raises(RuntimeError, match="no clock"):
        service.run()
    service._timer.close()
    left = [thread for thread in threading.enumerate() if thread.name == "delivery"]
    for thread in left:
        thread.join(60)
    assert not any(thread.is_alive() for thread in left)


def test_a_run_whose_row_is_gone_keeps_no_other_from_being_settled(folder: Path, store: Store) -> None:
    """Somebody deleted it, or brought back an older database: it is let go, and the other one is settled."""
    settings = project.read_settings(folder)[0]
    job(folder, "other")
    with closing(Nursery(target="nursing:do", folder=folder / "running")) as nursery:
        runner = Runner(
            settings=settings, store=store, clock=lambda: SEVEN, nursery=nursery, pings=Pings(), meter=Meter()
        )
        for name in ("daily", "other"):
            run = Run(id=name, job=name, as_of=SEVEN.date(), started=SEVEN, occurrence=SEVEN, trigger="schedule")
            store.plans.keep([Plan(job=name, definition="", accounted=SEVEN)])
            waits = replace(run, state="queued", due=SEVEN)
            store.plans.account([name], lambda *_, waits=waits: Accounting(accounted=SEVEN, runs=[waits]))
            ((taken, owner),) = store.runs.take(now=SEVEN, until=SEVEN + HOUR, owners=[f"owner of {name}"])
            child = nursery.start((fail,), Limits(time=60, memory=None), name=name)
            runner._going[owner] = _Going(taken, child)
        for one in runner._going.values():
            assert one.child.done.wait(60)
        with store.database.writing() as connection:
            connection.execute(text("DELETE FROM run WHERE id = 'daily'"))
        assert runner.look() == 2
        assert runner.going == 0
    assert store.runs.find("other").state == "failed"
