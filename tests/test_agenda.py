"""Occurrences of real jobs into rows of a real store: at starts, changes, pauses, breaks, and with a second service."""

from __future__ import annotations

import datetime as dt
import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from projects import JOB, make_project
from storing import opened

from reports import project
from reports.agenda import Agenda
from reports.definitions import Definitions
from reports.store import Store

SEVEN = dt.datetime(2026, 11, 24, 7, tzinfo=dt.UTC)
SECOND, MINUTE, HOUR, DAY = (dt.timedelta(seconds=n) for n in (1, 60, 3600, 86_400))
DAILY = 'schedule = "0 7 * * *"\n' + JOB
IDS = itertools.count(1)


class One:
    """A service's agenda with the definitions it reads, as one process has them."""

    def __init__(self, folder: Path, store: Store, now: dt.datetime) -> None:
        settings = project.read_settings(folder)[0]
        self.definitions, self.store = Definitions(settings), store
        self.agenda = Agenda(
            settings=settings,
            store=store,
            new_id=lambda: f"run-{next(IDS)}",
            off_since=store.services.last_before(now),
        )
        self.learn(now)

    def learn(self, now: dt.datetime) -> None:
        if changes := self.definitions.look():
            self.agenda.learn(changes, now)

    def tick(self, now: dt.datetime) -> list[tuple[str, str]]:
        return [(f"{run.occurrence:%d %H:%M}", run.state) for run in self.agenda.tick(now)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_project(tmp_path, job=DAILY)


@pytest.fixture
def open_one(folder: Path) -> Iterator[Callable[[dt.datetime], One]]:
    stores: list[Store] = []

    def make(now: dt.datetime) -> One:
        stores.append(opened(folder))
        return One(folder, stores[-1], now)

    yield make
    for store in stores:
        store.close()


Open = Callable[[dt.datetime], One]


def write(folder: Path, text: str) -> None:
    path = folder / "jobs" / "daily" / "job.toml"
    before = path.stat().st_mtime_ns
    path.write_text(text, "utf-8")
    os.utime(path, ns=(before + 1_000_000_000, before + 1_000_000_000))


def rows(one: One) -> list[tuple[str, str]]:
    found = [(f"{run.occurrence:%d %H:%M}", run.state) for run in one.store.runs.list() if run.occurrence]
    return sorted(found)


def test_a_new_job_is_expected_from_now_on(open_one: Open) -> None:
    """Deployed at nine, its seven o'clock of today was never expected."""
    one = open_one(SEVEN + 2 * HOUR)
    assert rows(one) == []
    assert one.agenda.next_at() == SEVEN + DAY


def test_what_comes_due_becomes_a_row_once(open_one: Open) -> None:
    """Asked again there is nothing; the next one is a day later."""
    one = open_one(SEVEN - HOUR)
    assert one.tick(SEVEN - SECOND) == []
    assert one.tick(SEVEN) == [("24 07:00", "queued")]
    assert one.tick(SEVEN + SECOND) == []
    assert one.agenda.next_at() == SEVEN + DAY


def test_a_start_after_days_off_makes_up_for_the_latest(open_one: Open) -> None:
    """The others are missed, and all is there at once, before anything comes due."""
    open_one(SEVEN - 3 * DAY)
    again = open_one(SEVEN + HOUR)
    assert rows(again) == [("22 07:00", "missed"), ("23 07:00", "missed"), ("24 07:00", "queued")]


def test_a_second_service_finds_it_done(open_one: Open) -> None:
    """Both tick; there is one row."""
    one, other = open_one(SEVEN - HOUR), open_one(SEVEN - HOUR)
    assert one.tick(SEVEN) == [("24 07:00", "queued")]
    assert other.tick(SEVEN + SECOND) == []
    assert rows(one) == [("24 07:00", "queued")]
    assert other.agenda.next_at() == SEVEN + DAY


def test_a_changed_schedule_holds_without_a_restart(open_one: Open, folder: Path) -> None:
    """From the next look on."""
    one = open_one(SEVEN - HOUR)
    write(folder, DAILY.replace("0 7", "30 8"))
    one.learn(SEVEN - HOUR + MINUTE)
    assert one.agenda.next_at() == SEVEN + HOUR + 30 * MINUTE
    assert one.tick(SEVEN + SECOND) == []


def test_a_schedule_changed_to_an_earlier_hour_is_not_due_at_once(open_one: Open, folder: Path) -> None:
    """What it would have named before it was written is nobody's expectation."""
    one = open_one(SEVEN + HOUR)
    write(folder, DAILY.replace("0 7", "0 6"))
    one.learn(SEVEN + 2 * HOUR)
    assert rows(one) == []
    assert one.agenda.next_at() == SEVEN + DAY - HOUR


def test_what_was_due_before_a_change_counts_by_what_was_written_before(open_one: Open, folder: Path) -> None:
    """The service was off at seven, and at eight the schedule was changed: seven is made up for."""
    open_one(SEVEN - HOUR)
    write(folder, DAILY.replace("0 7", "30 6"))
    again = open_one(SEVEN + HOUR)
    assert rows(again) == [("24 07:00", "queued")]
    assert again.agenda.next_at() == SEVEN + DAY - 30 * MINUTE


def test_a_broken_job_is_missed_with_its_error_and_comes_back_when_mended(open_one: Open, folder: Path) -> None:
    """Quarantined: its plan and its history stay."""
    one = open_one(SEVEN - HOUR)
    write(folder, "title = ")
    one.learn(SEVEN - MINUTE)
    assert set(one.agenda.broken) == {"daily"}
    assert one.tick(SEVEN) == [("24 07:00", "missed")]
    assert "broken" in one.store.runs.list()[0].error
    write(folder, DAILY)
    one.learn(SEVEN + MINUTE)
    assert one.agenda.broken == {}
    assert one.tick(SEVEN + DAY) == [("25 07:00", "queued")]


def test_a_job_broken_since_before_the_start_is_expected_all_the_same(open_one: Open, folder: Path) -> None:
    """By what could be read of it last."""
    open_one(SEVEN - HOUR)
    write(folder, "title = ")
    again = open_one(SEVEN - MINUTE)
    assert again.tick(SEVEN) == [("24 07:00", "missed")]


def test_a_removed_job_stops_and_one_that_returns_starts_afresh(open_one: Open, folder: Path) -> None:
    """Nothing is missed in between, for nobody expected it."""
    one = open_one(SEVEN - HOUR)
    shutil.move(folder / "jobs" / "daily", folder / "aside")
    one.learn(SEVEN - MINUTE)
    assert one.agenda.next_at() is None
    shutil.move(folder / "aside", folder / "jobs" / "daily")
    one.learn(SEVEN + 3 * DAY + HOUR)
    assert rows(one) == []
    assert one.agenda.next_at() == SEVEN + 4 * DAY


def test_a_paused_job_is_missed_until_it_is_resumed(open_one: Open) -> None:
    """In this service and in any other."""
    one, other = open_one(SEVEN - HOUR), open_one(SEVEN - HOUR)
    assert one.store.plans.pause("daily", now=SEVEN - MINUTE, note="audit")
    assert other.tick(SEVEN) == [("24 07:00", "missed")]
    assert one.store.plans.resume("daily", now=SEVEN + HOUR)
    assert one.tick(SEVEN + DAY) == [("25 07:00", "queued")]


def test_a_clock_set_back_makes_nothing_due_again(open_one: Open) -> None:
    """Not in this process, nor after a restart by the wrong clock."""
    one = open_one(SEVEN - HOUR)
    assert one.tick(SEVEN) == [("24 07:00", "queued")]
    assert one.tick(SEVEN - HOUR) == []
    again = open_one(SEVEN - HOUR)
    assert again.tick(SEVEN) == []
    assert rows(again) == [("24 07:00", "queued")]


def test_a_clock_far_behind_what_was_accounted_for_is_told(open_one: Open, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing runs until then, which must not be a secret."""
    one = open_one(SEVEN - HOUR)
    one.tick(SEVEN + 9 * DAY)
    assert "clock behind" not in caplog.text
    open_one(SEVEN)
    assert "clock behind" in caplog.text


def test_a_clock_set_forward_a_day_makes_up_for_the_latest(open_one: Open) -> None:
    """A machine that slept over a night."""
    one = open_one(SEVEN - HOUR)
    assert one.tick(SEVEN + DAY + HOUR) == [("24 07:00", "missed"), ("25 07:00", "queued")]


def test_what_stood_in_the_queue_for_days_is_missed(open_one: Open) -> None:
    """It was written down, then nobody had time for it, then everything was off."""
    one = open_one(SEVEN - HOUR)
    one.tick(SEVEN)
    one.agenda.give_up_stale(SEVEN + HOUR)
    assert rows(one) == [("24 07:00", "queued")]
    one.agenda.give_up_stale(SEVEN + DAY + HOUR)
    assert rows(one) == [("24 07:00", "missed")]


def test_several_schedules_of_one_job_are_one_row_for_one_instant(open_one: Open, folder: Path) -> None:
    """Every day at seven, and on the 24th at seven."""
    write(folder, 'schedule = ["0 7 * * *", "0 7 24 * *", "0 9 * * *"]\n' + JOB)
    one = open_one(SEVEN - HOUR)
    assert one.tick(SEVEN) == [("24 07:00", "queued")]
    assert one.agenda.next_at() == SEVEN + 2 * HOUR


def test_a_job_without_a_schedule_has_no_plan(open_one: Open, folder: Path) -> None:
    """It is run by hand."""
    write(folder, JOB)
    one = open_one(SEVEN)
    assert one.agenda.next_at() is None
    assert one.store.plans.every() == {}
