"""What becomes of an occurrence: on time, caught up, skipped or missed, each with the reason a person would give."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from reports.definition import Definition, Job
from reports.model import Accounting, Plan, Run
from reports.planning import AT_ONCE, Expectation, Planner
from reports.settings import Settings

SEVEN = dt.datetime(2026, 11, 24, 7, tzinfo=dt.UTC)
SECOND, MINUTE, HOUR, DAY = (dt.timedelta(seconds=n) for n in (1, 60, 3600, 86_400))


def expected(**definition: Any) -> Expectation:
    options = Definition.model_validate({"title": "T", "schedule": "0 7 * * *"} | definition)
    return Expectation.of(Job.model_construct(**dict(options), name="daily"), Settings())


def account(
    now: dt.datetime,
    since: dt.datetime,
    *,
    active: Sequence[Run] = (),
    off_since: dt.datetime | None = None,
    plan: dict[str, Any] | None = None,
    **definition: Any,
) -> Accounting:
    kept = replace(Plan(job="daily", definition="", accounted=since), **(plan or {}))
    ids = (f"run-{number}" for number in itertools.count(1))
    return Planner(now=now, new_id=lambda: next(ids), off_since=off_since).account(kept, expected(**definition), active)


def rows(made: Accounting) -> list[tuple[str, str]]:
    return [(f"{run.occurrence:%d %H:%M:%S}", run.state) for run in made.runs]


def going(at: dt.datetime, **changes: Any) -> Run:
    run = Run(id="before", job="daily", as_of=at.date(), started=at, occurrence=at, trigger="schedule")
    return replace(run, **changes)


def test_what_is_due_now_is_queued_about_its_own_day() -> None:
    """The row has the occurrence, the date on the job's clock, and from when it may begin."""
    made = account(SEVEN + SECOND, SEVEN - DAY)
    (run,) = made.runs
    assert (run.occurrence, run.state, run.trigger, run.due) == (SEVEN, "queued", "schedule", SEVEN)
    assert run.as_of == dt.date(2026, 11, 24)
    assert made.accounted == SEVEN + SECOND


def test_the_as_of_date_is_that_of_the_jobs_own_clock() -> None:
    """At eight in the evening in New York it is not tomorrow yet."""
    (run,) = account(
        dt.datetime(2026, 11, 25, 1, 0, 1, tzinfo=dt.UTC),
        SEVEN,
        schedule={"cron": "0 20 * * *", "timezone": "America/New_York"},
    ).runs
    assert run.as_of == dt.date(2026, 11, 24)


def test_nothing_due_gives_no_row() -> None:
    """And that is on record too."""
    made = account(SEVEN - SECOND, SEVEN - DAY)
    assert (rows(made), made.accounted) == ([], SEVEN - SECOND)


def test_asked_again_nothing_is_due_twice() -> None:
    """What has been accounted for is over."""
    made = account(SEVEN + SECOND, SEVEN - DAY)
    assert rows(account(SEVEN + MINUTE, made.accounted)) == []


def test_a_clock_set_back_an_hour_makes_nothing_due_again() -> None:
    """The plan remembers, whatever the clock says."""
    made = account(SEVEN + SECOND, SEVEN - DAY)
    assert rows(account(SEVEN - HOUR, made.accounted)) == []
    assert rows(account(SEVEN + 2 * SECOND, made.accounted)) == []


# -- late --------------------------------------------------------------------------------------------


def test_the_latest_is_made_up_for_and_the_others_are_missed_with_the_reason() -> None:
    """After three days off there is one report, not three."""
    made = account(SEVEN + 2 * HOUR, SEVEN - 3 * DAY, off_since=SEVEN - 3 * DAY + HOUR)
    assert rows(made) == [("22 07:00:00", "missed"), ("23 07:00:00", "missed"), ("24 07:00:00", "queued")]
    assert made.runs[-1].trigger == "backfill"
    assert "no service was running from 2026-11-21 08:00:00Z to 2026-11-24 09:00:00Z" in made.runs[0].error
    assert "a later one is made in its place" in made.runs[0].error
    assert made.runs[0].notice  # its own report tells of it


def test_all_are_made_up_for_where_the_job_wants_that_within_its_window() -> None:
    """What is older is missed."""
    made = account(SEVEN + HOUR, SEVEN - 3 * DAY, catch_up="all", catch_up_within="2d")
    assert rows(made) == [("22 07:00:00", "missed"), ("23 07:00:00", "queued"), ("24 07:00:00", "queued")]
    assert "older than catch_up_within" in made.runs[0].error
    assert not made.runs[0].notice  # its owner has to be told


def test_none_is_made_up_for_where_the_job_wants_none() -> None:
    """Each is missed, and says why."""
    made = account(SEVEN + HOUR, SEVEN - DAY, catch_up="none")
    assert rows(made) == [("24 07:00:00", "missed")]
    assert "no catching up" in made.runs[0].error


def test_a_late_one_out_of_the_window_is_missed() -> None:
    """A report of last week helps nobody."""
    assert rows(account(SEVEN + 8 * HOUR, SEVEN - DAY, catch_up_within="7h")) == [("24 07:00:00", "missed")]


def test_a_late_one_gives_way_to_one_that_is_on_time() -> None:
    """The newest is made, and it is not late."""
    made = account(SEVEN + SECOND, SEVEN - 2 * DAY)
    assert rows(made) == [("23 07:00:00", "missed"), ("24 07:00:00", "queued")]
    assert made.runs[-1].trigger == "schedule"


def test_a_minute_is_not_late() -> None:
    """A busy morning needs no catching up."""
    assert account(SEVEN + MINUTE, SEVEN - DAY, catch_up="none").runs[0].state == "queued"


def test_a_clock_set_forward_a_day_makes_up_for_the_latest() -> None:
    """As a machine that slept."""
    made = account(SEVEN + DAY + HOUR, SEVEN + SECOND)
    assert rows(made) == [("25 07:00:00", "queued")]


def test_very_many_are_accounted_for_in_steps_and_none_is_left_out() -> None:
    """A job of every second, after an hour off."""
    since, now, seen = SEVEN, SEVEN + HOUR, []
    while since < now:
        made = account(now, since, schedule={"every": "1s"})
        assert len(made.runs) <= AT_ONCE
        seen += [run.occurrence for run in made.runs]
        since = made.accounted
    assert seen == [SEVEN + n * SECOND for n in range(1, 3601)]


# -- overlap -----------------------------------------------------------------------------------------


def test_what_comes_due_while_one_goes_on_is_skipped_and_says_of_which() -> None:
    """Two at once would ask the same tables twice."""
    made = account(SEVEN + SECOND, SEVEN - MINUTE, active=[going(SEVEN - DAY)])
    assert rows(made) == [("24 07:00:00", "skipped")]
    assert made.runs[0].error == "the run for 2026-11-23 07:00:00Z was still running"


@pytest.mark.parametrize(("overlap", "state"), [("queue", "queued"), ("allow", "queued"), ("replace", "queued")])
def test_or_it_stands_in_the_queue_or_takes_its_place(overlap: str, state: str) -> None:
    """As the job wants."""
    made = account(SEVEN + SECOND, SEVEN - MINUTE, active=[going(SEVEN - DAY)], overlap=overlap)
    assert rows(made) == [("24 07:00:00", state)]
    stopped = {"before": "replaced by the run for 2026-11-24 07:00:00Z"} if overlap == "replace" else {}
    assert dict(made.stop) == stopped


def test_a_run_that_is_made_up_for_stands_in_nobodys_way() -> None:
    """Today's report waits for yesterday's late one, and is not skipped for it."""
    made = account(SEVEN + SECOND, SEVEN - MINUTE, active=[going(SEVEN - DAY, trigger="backfill")])
    assert rows(made) == [("24 07:00:00", "queued")]


def test_of_several_due_at_once_the_newest_is_run_and_stands_for_the_others() -> None:
    """A service that was busy for three seconds."""
    made = account(SEVEN + 3 * SECOND, SEVEN, schedule={"every": "1s"})
    assert [run.state for run in made.runs] == ["missed", "missed", "queued"]
    assert "a later one is made in its place" in made.runs[0].error


@pytest.mark.parametrize(("overlap", "states"), [("queue", ["queued"] * 3), ("skip", ["queued", "skipped", "skipped"])])
def test_or_each_is_run_where_the_job_wants_all(overlap: str, states: list[str]) -> None:
    """One after the other if they may stand in the queue."""
    made = account(SEVEN + 3 * SECOND, SEVEN, schedule={"every": "1s"}, catch_up="all", overlap=overlap)
    assert [run.state for run in made.runs] == states


# -- not to be run --------------------------------------------------------------------------------------


def test_while_paused_all_is_missed_and_nobody_is_told() -> None:
    """A person wanted that, and their note says why."""
    made = account(SEVEN + SECOND, SEVEN - DAY, plan={"paused": SEVEN - HOUR, "pause_note": "audit"})
    assert rows(made) == [("24 07:00:00", "missed")]
    assert made.runs[0].error == "paused since 2026-11-24 06:00:00Z: audit"
    assert made.runs[0].notice


def test_a_broken_job_is_missed_with_its_error() -> None:
    """Its owner will be told."""
    made = account(SEVEN + SECOND, SEVEN - DAY, plan={"broken": "job.toml is not TOML"})
    assert [(run.state, run.error, run.notice) for run in made.runs] == [
        ("missed", "the job is broken: job.toml is not TOML", "")
    ]


def test_a_job_that_is_gone_has_nothing_due() -> None:
    """Its folder was removed; nobody waits for it."""
    assert rows(account(SEVEN + DAY, SEVEN - DAY, plan={"gone": SEVEN - HOUR})) == []


def test_a_holiday_is_skipped_by_name() -> None:
    """The row says which."""
    christmas = dt.datetime(2026, 12, 25, 7, 0, 1, tzinfo=dt.UTC)
    made = account(christmas, christmas - MINUTE, schedule={"cron": "0 7 * * *", "calendar": "US"})
    assert [(run.state, "Christmas" in run.error) for run in made.runs] == [("skipped", True)]


# -- spread ------------------------------------------------------------------------------------------------


def test_jitter_is_always_the_same_for_one_occurrence_and_spreads_jobs() -> None:
    """Two services agree on it, and a hundred jobs of seven o'clock do not begin at once."""
    (first,), (second,) = (account(SEVEN + SECOND, SEVEN - DAY, jitter="10m").runs for _ in range(2))
    assert first.due == second.due
    assert first.due is not None
    assert SEVEN <= first.due < SEVEN + 10 * MINUTE
    later = account(SEVEN + DAY + SECOND, SEVEN + MINUTE, jitter="10m").runs[0].due
    assert later is not None
    assert later - DAY != first.due


def test_a_moved_occurrence_says_so_in_its_log() -> None:
    """Out of a gap of the clock."""
    gap = dt.datetime(2026, 3, 8, 7, 0, 1, tzinfo=dt.UTC)
    made = account(gap, gap - MINUTE, schedule={"cron": "30 2 * * *", "timezone": "America/New_York"})
    assert [(run.state, "02:30" in run.log) for run in made.runs] == [("queued", True)]


def test_an_expectation_comes_back_from_its_kept_text() -> None:
    """What was expected is known after a restart, even if the job cannot be read any more."""
    first = expected(
        schedule=[
            {"every": "1d", "at": ["09:00"], "start": dt.date(2026, 1, 1)},
            "@daily",
            {"once": "2026-12-01T09:00"},
        ],
        jitter="90s",
        catch_up_within="36h",
        overlap="queue",
    )
    kept = first.model_dump_json(exclude_defaults=True)
    assert Expectation.model_validate_json(kept) == first
    assert Expectation.model_validate_json(kept).model_dump_json(exclude_defaults=True) == kept
