"""What users of other schedulers complain of in public, and what is known to go wrong, each as a promise that is kept here.

A citation is `repository#number` of an issue or pull request. Those that are tests elsewhere already are in COVERED, with
these tests; what goes wrong with the usual scheduler library is in FACTS, row by row; the others are tests here.
"""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from importlib import resources
from pathlib import Path

import pytest
from apscheduler.jobstores.memory import MemoryJobStore
from clockwork import ADMIN, DAILY, DAY, HOUR, MINUTE, OWNER, READER, SECOND, SEVEN, Clockwork, mails
from commands import command, reports
from mailserver import MailServer
from projects import JOB, SALES, make_project

from reports.agenda import Agenda
from reports.app import open_app
from reports.definitions import Definitions
from reports.errors import StoreError
from reports.service import Service
from reports.timer import Timer

COVERED = {
    # -- in time -------------------------------------------------------------------------------------
    "superset#29797, #29798 (every schedule beside UTC was off)": (
        "schedules/test_facts.py::test_every_day_at_nine_stays_at_nine",
        "acceptance/test_schedule_cli.py::test_a_time_without_an_offset_is_on_the_jobs_own_clock",
    ),
    "superset#17338 (an invalid zone was UTC in silence)": (
        "schedules/test_facts.py::test_zones_are_names_and_never_utc_in_silence",
        "acceptance/test_schedule_cli.py::test_a_zone_that_does_not_exist_is_an_error_and_never_utc",
        "acceptance/test_schedule_cli.py::test_a_zone_of_the_project_that_does_not_exist_is_an_error_too",
    ),
    "superset#25944, #27952 (half an hour late, twelve hours late, and nobody said so)": (
        "acceptance/test_missed.py::test_what_a_later_one_stands_for_is_told_by_the_report_itself",
        "acceptance/test_schedule_cli.py::test_show_tells_how_late_it_was_and_for_which_day",
        "test_planning.py::test_a_late_one_out_of_the_window_is_missed",
    ),
    "metabase#31928, #69496 (a zone of its own, and shown)": (
        "test_planning.py::test_the_as_of_date_is_that_of_the_jobs_own_clock",
        "acceptance/test_schedule_cli.py::test_next_is_a_table_with_both_clocks",
        "acceptance/test_schedule_cli.py::test_jobs_come_in_the_order_of_time",
    ),
    "metabase#47833, PostHog/posthog#42016, matomo#7658, apscheduler#372 (off by an hour when clocks change)": (
        "schedules/test_facts.py::test_every_day_at_nine_stays_at_nine",
        "acceptance/test_schedule_cli.py::test_a_time_that_does_not_exist_runs_once_and_says_so",
        "acceptance/test_schedule_cli.py::test_a_time_that_comes_twice_runs_once_and_says_so",
    ),
    "apscheduler#1021, #1036, #980, #1059, #120 (it hangs, stops or repeats in the hour that comes twice)": (
        "schedules/test_facts.py::test_fold_never_hangs_nor_repeats_from_within_it",
        "schedules/test_facts.py::test_fold_daily_half_past_one_runs_once",
        "schedules/test_properties.py::test_nothing_is_missing_and_nothing_comes_twice",
    ),
    "apscheduler#1103, #529 (jobs of every second stall)": (
        "schedules/test_occurrences.py::test_every_second_is_every_second",
        "acceptance/test_service_killed.py::test_kills_at_random_lose_nothing_and_double_nothing",
    ),
    "metabase#50502 (business hours)": (
        "schedules/test_occurrences.py::test_business_days_only",
        "acceptance/test_schedule_cli.py::test_a_holiday_is_skipped_by_its_name",
        "acceptance/test_schedule_cli.py::test_a_holiday_moves_a_run_and_both_days_are_told",
    ),
    "apscheduler#286, #455, #495, #1102, #381 (1-5 is Tuesday to Saturday, 7, L, @daily and 1#2 are errors)": (
        "schedules/test_facts.py::test_weekdays_are_numbered_as_crontab_has_them",
        "schedules/test_occurrences.py::test_cron_means_what_crontab_says",
    ),
    # -- once ----------------------------------------------------------------------------------------
    "superset#22664, #32524, metabase#69577, #70474, apscheduler#160, #655, #766, #481, #218 (two schedulers)": (
        "test_agenda.py::test_a_second_service_finds_it_done",
        "store/test_plans.py::test_two_services_account_for_each_occurrence_once",
        "store/test_queue.py::test_two_services_never_run_a_job_twice_at_once",
        "acceptance/test_complaints.py::test_an_occurrence_is_mailed_once_however_many_want_to_run_it",
        "acceptance/test_two_services.py::test_two_services_of_which_one_is_killed_again_and_again",
    ),
    "metabase#9961 (all that was missed comes at once)": (
        "test_planning.py::test_the_latest_is_made_up_for_and_the_others_are_missed_with_the_reason",
    ),
    # -- nothing lost ----------------------------------------------------------------------------------
    "superset#39779 (out of memory, and the next try is tomorrow; or it goes on for ever and nobody is told)": (
        "acceptance/test_service_runs.py::test_a_run_that_eats_memory_is_ended",
        "test_settling.py::test_a_scheduled_run_whose_process_died_is_begun_again_at_once",
        "test_settling.py::test_a_run_that_takes_its_process_with_it_every_time_is_given_up",
    ),
    "apscheduler#341, #99, Significant-Gravitas/AutoGPT#14218 (code moved, and its schedules were deleted)": (
        "test_agenda.py::test_a_broken_job_is_missed_with_its_error_and_comes_back_when_mended",
        "test_agenda.py::test_a_job_broken_since_before_the_start_is_expected_all_the_same",
        "test_definitions.py::test_a_job_that_lost_its_definition_is_broken_not_gone",
    ),
    "Seal Report, which removes the schedules of reports on a share that is offline": (
        "test_definitions.py::test_a_folder_of_jobs_that_cannot_be_read_removes_no_job",
        "test_agenda.py::test_a_removed_job_stops_and_one_that_returns_starts_afresh",
    ),
    "SSRS (a broken subscription is noticed at its next run)": (
        "acceptance/test_missed.py::test_a_broken_job_is_told_of_though_it_cannot_be_read",
        "acceptance/test_schedule_cli.py::test_a_broken_job_hides_no_other",
    ),
    "metabase#10088 (the whole scheduler stands still because of one)": (
        "acceptance/test_service_runs.py::test_others_run_on_time_while_one_hangs",
        "store/test_queue.py::test_a_job_with_much_to_do_keeps_no_other_waiting",
    ),
    "metabase#63189, #54478, #45622 (after an upgrade the old and the new one ran)": (
        "store/test_migrating.py::test_what_was_kept_before_the_queue_is_kept",
        "store/test_migrating.py::test_a_database_of_a_newer_version_is_left_alone",
    ),
    # -- everybody at nine -----------------------------------------------------------------------------
    "grafana#130837, lightdash#16182 (half of them fail at the top of the hour)": (
        "acceptance/test_service_runs.py::test_many_at_once_stand_in_a_queue",
        "test_planning.py::test_jitter_is_always_the_same_for_one_occurrence_and_spreads_jobs",
        "store/test_queue.py::test_what_is_due_longest_begins_first",
    ),
    # -- and somebody knows ----------------------------------------------------------------------------
    "metabase#59185, grafana#130837, redash#2593 (the reader who got no mail was the first to know)": (
        "acceptance/test_missed.py::test_the_owner_is_told_once_a_streak_and_once_when_it_works_again",
        "acceptance/test_schedule_cli.py::test_runs_tells_of_every_occurrence",
        "acceptance/test_service_runs.py::test_a_real_server_is_pinged",
    ),
    "superset#24096, #41336 (told of a failure, and made by hand)": (
        "test_settling.py::test_the_last_attempt_fails_and_its_owner_is_told_once",
        "acceptance/test_schedule_cli.py::test_a_run_by_hand_is_no_occurrence",
    ),
    "cron, of which nobody can say when it runs next, and why not then": (
        "acceptance/test_schedule_cli.py::test_next_as_json_has_the_promised_keys",
        "acceptance/test_schedule_cli.py::test_check_says_when_a_sound_job_runs_next",
        "acceptance/test_schedule_cli.py::test_check_warns_of_a_schedule_that_never_runs_again",
        "acceptance/test_schedule_cli.py::test_list_has_the_schedule_in_words_and_the_next_run",
    ),
}
FACTS = {
    "misfire grace": (
        "test_planning.py::test_a_minute_is_not_late",
        "test_planning.py::test_a_late_one_out_of_the_window_is_missed",
    ),
    "coalesce": (
        "test_planning.py::test_the_latest_is_made_up_for_and_the_others_are_missed_with_the_reason",
        "test_planning.py::test_all_are_made_up_for_where_the_job_wants_that_within_its_window",
        "test_planning.py::test_none_is_made_up_for_where_the_job_wants_none",
    ),
    "the job is told its scheduled time": (
        "test_planning.py::test_what_is_due_now_is_queued_about_its_own_day",
        "acceptance/test_schedule_cli.py::test_show_tells_how_late_it_was_and_for_which_day",
    ),
    "boot pattern": ("test_agenda.py::test_a_start_after_days_off_makes_up_for_the_latest",),
    "overlap": (
        "test_planning.py::test_what_comes_due_while_one_goes_on_is_skipped_and_says_of_which",
        "test_planning.py::test_or_it_stands_in_the_queue_or_takes_its_place",
        "acceptance/test_service_runs.py::test_skipped_where_the_one_before_goes_on",
        "acceptance/test_service_runs.py::test_queued_behind_the_one_before",
        "acceptance/test_service_runs.py::test_replaced_by_the_next_one",
        "acceptance/test_service_runs.py::test_allowed_beside_each_other",
    ),
    "wall clock set back": (
        "test_planning.py::test_a_clock_set_back_an_hour_makes_nothing_due_again",
        "test_agenda.py::test_a_clock_set_back_makes_nothing_due_again",
        "schedules/test_facts.py::test_a_preview_from_an_occurrence_never_gives_it_again",
        "acceptance/test_service_faults.py::test_a_clock_set_back_an_hour_runs_nothing_twice",
    ),
    "wall clock jumps forward": (
        "test_planning.py::test_a_clock_set_forward_a_day_makes_up_for_the_latest",
        "acceptance/test_service_faults.py::test_a_clock_set_forward_a_day_makes_up_for_the_latest_and_says_late",
    ),
    "restart during a run": (
        "test_settling.py::test_a_scheduled_run_whose_process_died_is_begun_again_at_once",
        "acceptance/test_service_killed.py::test_a_run_dies_with_its_service_and_is_begun_again_by_the_next",
    ),
    "two schedulers, one store": (
        "store/test_plans.py::test_two_services_account_for_each_occurrence_once",
        "acceptance/test_two_services.py::test_two_services_of_which_one_is_killed_again_and_again",
    ),
    "code moved or renamed": (
        "test_agenda.py::test_a_broken_job_is_missed_with_its_error_and_comes_back_when_mended",
        "test_definitions.py::test_a_job_that_lost_its_definition_is_broken_not_gone",
    ),
    "store outage": ("acceptance/test_service_faults.py::test_a_database_that_is_away_for_a_while",),
    "zones": ("schedules/test_facts.py::test_zones_are_names_and_never_utc_in_silence",),
}


@pytest.mark.parametrize(
    ("what", "where"), [(what, one) for table in (COVERED, FACTS) for what, several in table.items() for one in several]
)
def test_what_goes_wrong_elsewhere_is_a_test(root: Path, what: str, where: str) -> None:
    """Each test that the tables name is there."""
    file, _, name = where.partition("::")
    assert f"\ndef {name}(" in (root / "tests" / file).read_text("utf-8"), what


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer(security="none") as running:
        yield running


@pytest.fixture
def daily(tmp_path: Path, server: MailServer) -> Clockwork:
    """A job of every morning at seven, known to a service since the hour before."""
    one = Clockwork(tmp_path, server.port)
    one.at(SEVEN - HOUR)
    return one


# -- nothing lost, nothing twice, whenever it is started ---------------------------------------------------


@pytest.mark.parametrize("back", [SECOND, 20 * SECOND, 59 * SECOND])
def test_what_falls_due_while_the_service_is_restarted_is_made(
    daily: Clockwork, server: MailServer, back: dt.timedelta
) -> None:
    """Stopped before seven and back after it: the run of seven is one as any other, not even late.

    metabase#58004; apscheduler#985, #285, #918, #1025; graceful stop, boot pattern and misfire grace of the facts.
    """
    daily.at(SEVEN - 10 * SECOND)
    assert daily.at(SEVEN + back) == ["queued"]
    assert [(run.occurrence, run.trigger, run.state) for run in daily.rows()] == [(SEVEN, "schedule", "succeeded")]
    assert mails(server) == [(READER, "Daily sales, 2026-11-23")]


def test_a_machine_that_boots_late_sends_once_and_then_at_its_time(daily: Clockwork, server: MailServer) -> None:
    """At its boot, and not again at the next full hour, nor at the boots after it. metabase#47949."""
    for hours in (2, 3, 3.5, 9):
        daily.at(SEVEN + hours * HOUR)
    daily.at(SEVEN + DAY)
    assert mails(server) == [
        (READER, "LATE, for 2026-11-23 07:00: Daily sales, 2026-11-23"),
        (READER, "Daily sales, 2026-11-24"),
    ]


def test_two_days_off_are_one_mail(tmp_path: Path, server: MailServer) -> None:
    """An hourly report after a weekend: the newest, and for each of the others a row that says why not. metabase#9961."""
    hourly = Clockwork(tmp_path, server.port, job='schedule = "@hourly"\n' + JOB)
    hourly.at(SEVEN - MINUTE)
    hourly.at(SEVEN + 2 * DAY + 30 * MINUTE)
    rows = hourly.rows()
    assert [run.state for run in rows] == ["missed"] * 48 + ["succeeded"]
    assert all("a later one is made in its place" in run.error for run in rows[:-1])
    assert [to for to, _ in mails(server)] == [READER]


def test_nothing_runs_because_of_a_restart(daily: Clockwork, server: MailServer) -> None:
    """However often it is started between two mornings. redash#7448 (once per restart)."""
    daily.at(SEVEN)
    for minutes in range(0, 600, 60):
        assert daily.at(SEVEN + MINUTE + minutes * MINUTE) == []
    assert len(server.messages) == 1


def test_what_was_queued_is_begun_by_whoever_comes_next(daily: Clockwork, server: MailServer) -> None:
    """Its service died before it could begin it; the next one does, and the row is still one. redash#6369, #3901."""
    assert daily.at(SEVEN, runs=False) == ["queued"]
    assert server.messages == []
    assert daily.at(SEVEN + 5 * MINUTE) == []
    (run,) = daily.rows()
    assert (run.state, run.late, run.attempt) == ("succeeded", 5 * MINUTE, 1)
    assert mails(server) == [(READER, "Daily sales, 2026-11-23")]


def test_a_job_that_failed_runs_at_its_next_time_and_only_then(daily: Clockwork, server: MailServer) -> None:
    """An error is told and stops nothing; mended, no heap of what had failed comes. metabase#55723."""
    (daily.folder / "sales.csv").unlink()
    for day in range(3):
        daily.at(SEVEN + day * DAY)
    (daily.folder / "sales.csv").write_text(SALES, "utf-8")
    assert daily.at(SEVEN + 2 * DAY + HOUR) == []
    daily.at(SEVEN + 3 * DAY)
    assert [run.state for run in daily.rows()] == ["failed", "failed", "failed", "succeeded"]
    assert sorted(mails(server)) == [
        (OWNER, "Failed: Daily sales, 2026-11-23"),
        (OWNER, "Works again: Daily sales, 2026-11-26"),
        (READER, "Daily sales, 2026-11-26"),
    ]


def test_a_job_whose_code_is_gone_keeps_its_schedule_and_its_history(daily: Clockwork, server: MailServer) -> None:
    """A query was renamed: what is due is missed because of it, told, and goes on by itself once it is back.

    apscheduler#341, #99; Significant-Gravitas/AutoGPT#14218; code moved or renamed, of the facts.
    """
    daily.at(SEVEN)
    query = daily.folder / "jobs" / "daily" / "by_region.sql"
    moved = query.rename(query.with_name("by_area.sql"))
    daily.at(SEVEN + HOUR)
    daily.at(SEVEN + DAY)
    moved.rename(query)
    daily.at(SEVEN + DAY + HOUR)
    daily.at(SEVEN + 2 * DAY)
    rows = daily.rows()
    assert [run.state for run in rows] == ["succeeded", "missed", "succeeded"]
    assert rows[1].error.startswith("the job is broken: there is no dataset 'by_region'")
    assert sorted(to for to, _ in mails(server)) == sorted([READER, ADMIN, OWNER, READER])


# -- when something under it gives way -----------------------------------------------------------------------


def test_a_store_that_is_away_costs_no_occurrence(tmp_path: Path) -> None:
    """Neither in the service that met it, which asks again, nor twice. apscheduler#1083, #109, #1132; store outage."""
    one = Clockwork(tmp_path, more="\n[store]\ntimeout = 0.2\n")
    with one.app(SEVEN - HOUR) as app:
        ids = iter("abc")
        agenda = Agenda(settings=app.settings, store=app.store, new_id=lambda: next(ids))
        agenda.learn(Definitions(app.settings).look(), SEVEN - HOUR)
        with closing(sqlite3.connect(tmp_path / "var" / "reports.db", isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            for _ in range(2):
                with pytest.raises(StoreError):
                    agenda.tick(SEVEN)
            other.execute("ROLLBACK")
        assert [run.occurrence for run in agenda.tick(SEVEN + SECOND)] == [SEVEN]
        assert agenda.tick(SEVEN + 2 * SECOND) == ()


class Unwritable(MemoryJobStore):  # type: ignore[misc]
    """A job store that cannot keep what it is told, as one whose database is away."""

    def remove_job(self, job_id: str) -> None:
        raise OSError(f"{job_id} cannot be removed")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_timer_whose_thread_died_does_not_look_alive() -> None:
    """Though the library says that it is running. apscheduler#1083; metabase#55723 (never again, and no log)."""
    timer = Timer(lambda: None)
    timer._scheduler.remove_jobstore("default")
    timer._scheduler.add_jobstore(Unwritable(), "default")
    timer.start()
    assert timer.is_alive
    timer.arm(dt.datetime.now(dt.UTC))
    until = time.monotonic() + 60
    while timer.is_alive and time.monotonic() < until:
        time.sleep(0.01)
    assert timer._scheduler.running
    assert not timer.is_alive


def test_a_service_whose_timer_died_ends_so_that_it_is_started_anew(tmp_path: Path) -> None:
    """With a status that every service manager takes for a failure, and its store in order."""
    one = Clockwork(tmp_path, more='\n[service]\nhealth = ""\n')
    settings = open_app(one.folder).settings
    service = Service(settings=settings, reread=lambda: settings)
    status: list[int] = []
    running = threading.Thread(target=lambda: status.append(service.run()))
    running.start()
    until = time.monotonic() + 60
    while not service.store.services.every() and time.monotonic() < until:
        time.sleep(0.05)
    assert running.is_alive()
    service._timer.close()
    service.wake.set()
    running.join(60)
    assert status == [1]


# -- zones that change -----------------------------------------------------------------------------------------


def upcoming(folder: Path, zones: str) -> str:
    """The next local time and its instant, by a process that has its time zones from there."""
    ran = reports(folder, "next", "daily", "-n", "1", "--from", "2026-07-01", "--json", PYTHONTZPATH=zones)
    (one,) = json.loads(ran.stdout)
    return f"{one['local']} = {one['occurrence']}"


def test_a_country_that_changes_its_clocks_changes_what_is_due(tmp_path: Path) -> None:
    """No instant to come is kept: a new table of zones counts from the next start on. Zones, of the facts."""
    job = 'schedule = { cron = "0 9 * * *", timezone = "Europe/Berlin" }\n' + JOB
    one = Clockwork(tmp_path / "project", job=job)
    one.at(SEVEN)
    assert upcoming(one.folder, "") == "2026-07-01T09:00:00+02:00 = 2026-07-01T07:00:00+00:00"
    (tmp_path / "zones" / "Europe").mkdir(parents=True)
    winter = resources.files("tzdata") / "zoneinfo" / "Etc" / "GMT-1"
    (tmp_path / "zones" / "Europe" / "Berlin").write_bytes(winter.read_bytes())
    changed = upcoming(one.folder, str(tmp_path / "zones"))
    assert changed == "2026-07-01T09:00:00+01:00 = 2026-07-01T08:00:00+00:00"


def test_zones_are_there_where_the_system_has_none(tmp_path: Path) -> None:
    """As on Windows and in slim containers."""
    job = 'schedule = { cron = "0 9 * * *", timezone = "America/New_York" }\n' + JOB
    folder = make_project(tmp_path, job=job)
    assert upcoming(folder, "") == "2026-07-01T09:00:00-04:00 = 2026-07-01T13:00:00+00:00"


# -- and somebody knows ------------------------------------------------------------------------------------------


def test_a_project_without_a_service_says_so_wherever_one_looks(tmp_path: Path) -> None:
    """Deployed, and the service forgotten: nobody waits for the first mail to find out. metabase#59185."""
    folder = make_project(tmp_path, job=DAILY)
    assert "no service is at work, so nothing runs by itself: reports serve" in command(folder, "list").stderr
    assert command(folder, "service", "status").exit_code == 1
