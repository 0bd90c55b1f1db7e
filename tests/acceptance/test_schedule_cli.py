"""What the command says of when jobs run: `next`, `pause`, `resume`, and schedules in `list`, `check`, `runs`, `show`."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import re
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from clockwork import standing_at
from commands import command, reports
from projects import JOB, QUERY, SETTINGS, make_project

from reports import leases
from reports.agenda import Agenda
from reports.app import open_app
from reports.definitions import Definitions

SEVEN = dt.datetime(2026, 3, 2, 7, tzinfo=dt.UTC)
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
NEW_YORK = 'schedule = {{ every = "1d", at = "{at}", timezone = "America/New_York" }}\n'


def scheduled(folder: Path, text: str = 'schedule = "0 7 * * *"', **others: str) -> Path:
    """A project with the job `daily` and these others, each with its lines about the schedule."""
    files = {f"jobs/{name}/job.toml": f"{lines}\n{JOB}" for name, lines in others.items()}
    files |= {f"jobs/{name}/by_region.sql": QUERY for name in others}
    return make_project(folder, job=f"{text}\n{JOB}", files=files)


def upcoming(folder: Path, *arguments: str) -> list[dict[str, Any]]:
    """What `reports next --json` has."""
    found = command(folder, "next", "--json", *arguments)
    assert found.exit_code == 0, found.output
    rows: list[dict[str, Any]] = json.loads(found.stdout)
    return rows


def locals_of(folder: Path, *arguments: str) -> list[tuple[str, str]]:
    return [(one["local"], one["reason"]) for one in upcoming(folder, *arguments)]


# -- next ------------------------------------------------------------------------------------------------


def test_next_is_a_table_with_both_clocks(tmp_path: Path) -> None:
    """UTC to compare, the job's own clock to read, and a column for why."""
    folder = scheduled(tmp_path, NEW_YORK.format(at="02:30"))
    shown = reports(folder, "next", "daily", "-n", "2", "--from", "2026-03-07")
    assert (shown.returncode, shown.stderr) == (0, "")
    heading, first, second = shown.stdout.splitlines()
    assert [part.strip() for part in heading.split("  ") if part.strip()] == [
        "job", "occurrence (UTC)", "local time", "why",
    ]  # fmt: skip
    assert first == "daily  2026-03-07 07:30:00  Sat 2026-03-07 02:30:00 EST (America/New_York)"
    assert second.startswith(
        "daily  2026-03-08 07:00:00  Sun 2026-03-08 03:00:00 EDT (America/New_York)  02:30 does not"
    )


def test_next_as_json_has_the_promised_keys(tmp_path: Path) -> None:
    """The instant in UTC, the same one on the job's clock, the zone, and why."""
    (one,) = upcoming(scheduled(tmp_path, NEW_YORK.format(at="09:00")), "daily", "-n", "1", "--from", "2026-07-01")
    assert one == {
        "job": "daily",
        "occurrence": "2026-07-01T13:00:00+00:00",
        "local": "2026-07-01T09:00:00-04:00",
        "timezone": "America/New_York",
        "skipped": False,
        "reason": "",
        "paused": False,
        "channels": ["mail"],
    }


def test_the_json_of_next_is_documented(root: Path, tmp_path: Path) -> None:
    """Key by key, in the order they come."""
    (one,) = upcoming(scheduled(tmp_path), "-n", "1")
    assert "`{" + ", ".join(one) + "}`" in (root / "docs" / "commands.md").read_text("utf-8")


def test_a_time_without_an_offset_is_on_the_jobs_own_clock(tmp_path: Path) -> None:
    """Nine in New York is not nine in UTC; with an offset it is an instant."""
    folder = scheduled(tmp_path, NEW_YORK.format(at="09:00"))
    assert locals_of(folder, "-n", "1", "--from", "2026-07-01T09:00")[0][0] == "2026-07-01T09:00:00-04:00"
    assert locals_of(folder, "-n", "1", "--from", "2026-07-01T09:00-04:00")[0][0] == "2026-07-01T09:00:00-04:00"
    assert locals_of(folder, "-n", "1", "--from", "2026-07-01T13:00Z")[0][0] == "2026-07-01T09:00:00-04:00"
    assert locals_of(folder, "-n", "1", "--from", "2026-07-01T09:00Z")[0][0] == "2026-07-01T09:00:00-04:00"
    assert locals_of(folder, "-n", "1", "--from", "2026-07-01T09:00:01")[0][0] == "2026-07-02T09:00:00-04:00"


def test_without_from_it_begins_now(tmp_path: Path) -> None:
    """And gives ten, an hour apart, where nothing else is asked for."""
    before = dt.datetime.now(dt.UTC)
    found = [
        dt.datetime.fromisoformat(one["occurrence"]) for one in upcoming(scheduled(tmp_path, 'schedule = "@hourly"'))
    ]
    assert before < found[0] <= before + 2 * HOUR
    assert [later - one for one, later in itertools.pairwise(found)] == [HOUR] * 9


def test_jobs_come_in_the_order_of_time(tmp_path: Path) -> None:
    """Whatever their zones are called and their names."""
    folder = scheduled(
        tmp_path,
        'schedule = { cron = "0 9 * * *", timezone = "Europe/Berlin" }',
        asia='schedule = { cron = "0 9 * * *", timezone = "Asia/Tokyo" }',
        zulu='schedule = { every = "12h" }',
        byhand="",
    )
    found = upcoming(folder, "-n", "6", "--from", "2026-03-02T00:00Z")
    assert [(one["job"], one["occurrence"][:16]) for one in found] == [
        ("asia", "2026-03-02T00:00"),
        ("zulu", "2026-03-02T00:00"),
        ("daily", "2026-03-02T08:00"),
        ("zulu", "2026-03-02T12:00"),
        ("asia", "2026-03-03T00:00"),
        ("zulu", "2026-03-03T00:00"),
    ]


def test_a_broken_job_hides_no_other(tmp_path: Path) -> None:
    """It is named, with the command that tells what is wrong; asked for by name it is the error itself."""
    folder = scheduled(tmp_path, ugly='schedule = "0 9 * * 8"')
    every = command(folder, "next", "-n", "1", "--json")
    assert (every.exit_code, [one["job"] for one in json.loads(every.stdout)]) == (0, ["daily"])
    assert every.stderr == "ugly is broken: reports check ugly\n"
    named = command(folder, "next", "ugly")
    assert (named.exit_code, named.stdout) == (2, "")
    assert "the day of the week '8' cannot be" in named.stderr


def test_an_unknown_job_is_told_with_the_nearest_one(tmp_path: Path) -> None:
    """By each of the commands, and nothing is changed."""
    folder = scheduled(tmp_path)
    for name in ("next", "pause", "resume", "runs"):
        asked = command(folder, name, "dayly")
        assert (asked.exit_code, asked.stdout) == (2, ""), name
        assert "there is no job 'dayly'" in asked.stderr, name
        assert "did you mean 'daily'?" in asked.stderr, name


def test_why_nothing_comes_is_said(tmp_path: Path) -> None:
    """No schedule at all is something else than one that is over."""
    folder = scheduled(tmp_path, "")
    assert command(folder, "next").stderr == "no job has a schedule\n"
    assert command(folder, "next", "daily").stderr == "daily has no schedule: it runs by hand, reports run daily\n"
    assert command(folder, "next", "--json").stdout == "[]\n"
    over = scheduled(tmp_path / "over", "schedule = { once = 2020-01-01T09:00:00 }")
    assert command(over, "next").stderr == "nothing comes any more of the schedule of daily\n"
    assert command(over, "next", "daily", "--from", "2019-12-31", "--json").stdout != "[]\n"


@pytest.mark.parametrize("given", [["--from", "tomorrow"], ["--from", "2026-02-30"], ["-n", "0"], ["-n", "many"]])
def test_what_cannot_be_asked_is_misuse(tmp_path: Path, given: Sequence[str]) -> None:
    """Status 2, with what would be right."""
    asked = command(scheduled(tmp_path), "next", *given)
    assert (asked.exit_code, asked.stdout) == (2, "")
    assert given[0] in asked.stderr


# -- clocks that change, and holidays ----------------------------------------------------------------------


def test_a_time_that_does_not_exist_runs_once_and_says_so(tmp_path: Path) -> None:
    """The morning on which New York loses an hour."""
    folder = scheduled(tmp_path, NEW_YORK.format(at="02:30"))
    assert locals_of(folder, "-n", "3", "--from", "2026-03-07") == [
        ("2026-03-07T02:30:00-05:00", ""),
        ("2026-03-08T03:00:00-04:00", "02:30 does not exist that day: the clock goes from 02:00 to 03:00"),
        ("2026-03-09T02:30:00-04:00", ""),
    ]


def test_a_time_that_comes_twice_runs_once_and_says_so(tmp_path: Path) -> None:
    """And the morning on which it gets that hour back."""
    folder = scheduled(tmp_path, NEW_YORK.format(at="01:30"))
    assert locals_of(folder, "-n", "3", "--from", "2026-10-31") == [
        ("2026-10-31T01:30:00-04:00", ""),
        ("2026-11-01T01:30:00-04:00", "01:30 comes twice that day: the first of the two"),
        ("2026-11-02T01:30:00-05:00", ""),
    ]


def test_a_holiday_is_skipped_by_its_name(tmp_path: Path) -> None:
    """It is there, and told as what it is, in the table as in JSON."""
    folder = scheduled(tmp_path, 'schedule = { cron = "0 7 * * *", calendar = "US" }')
    asked = ("next", "daily", "-n", "2", "--from", "2026-07-03")
    first, second = json.loads(command(folder, *asked, "--json").stdout)
    assert (first["skipped"], first["reason"]) == (True, "holiday: Independence Day (observed)")
    assert (second["skipped"], second["reason"]) == (True, "holiday: Independence Day")
    assert "skipped: holiday: Independence Day" in command(folder, *asked).stdout


def test_a_holiday_moves_a_run_and_both_days_are_told(tmp_path: Path) -> None:
    """With the name of the day that it was moved from."""
    text = 'schedule = { monthly = 25, at = "07:00", calendar = "DE", on_holiday = "before" }'
    (found,) = upcoming(scheduled(tmp_path, text), "-n", "1", "--from", "2026-12-01")
    assert (found["local"][:10], found["skipped"]) == ("2026-12-24", False)
    assert found["reason"] == "moved from 2026-12-25 (Christmas Day) to 2026-12-24"


# -- zones -------------------------------------------------------------------------------------------------


def test_a_zone_that_does_not_exist_is_an_error_and_never_utc(tmp_path: Path) -> None:
    """In a job with its file, line and key, and the zone that was meant; nothing comes of it."""
    folder = scheduled(tmp_path, '\nschedule = { cron = "0 9 * * *", timezone = "Berlin" }')
    asked = command(folder, "next", "daily")
    assert (asked.exit_code, asked.stdout) == (2, "")
    assert asked.stderr.splitlines()[0] == "error: schedule.timezone: 'Berlin' is not a time zone"
    assert f"{Path('jobs/daily/job.toml')}:2, key schedule.timezone" in asked.stderr
    assert "did you mean 'Europe/Berlin'?" in asked.stderr
    (row,) = json.loads(command(folder, "list", "--json").stdout)
    assert (row["error"].partition(":")[0], "next" in row and row["next"]) == ("broken", None)


def test_a_zone_of_the_project_that_does_not_exist_is_an_error_too(tmp_path: Path) -> None:
    """In settings.toml, with its line."""
    folder = scheduled(tmp_path)
    (folder / "settings.toml").write_text(SETTINGS.replace('"UTC"', '"Europe/Berln"'), "utf-8")
    asked = command(folder, "next")
    assert (asked.exit_code, asked.stdout) == (2, "")
    assert "settings.toml:1, key timezone" in asked.stderr
    assert "did you mean 'Europe/Berlin'?" in asked.stderr


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Berlin", "'Europe/Berlin'"),
        ("new york", "'America/New_York'"),
        ("America/New York", "'America/New_York'"),
        ("europe/berlin", "'Europe/Berlin'"),
        ("Louisville", "'America/Kentucky/Louisville' or 'America/Louisville'"),
    ],
)
def test_the_zone_that_was_meant_is_named(tmp_path: Path, name: str, meant: str) -> None:
    """People write the city alone, or with a blank, or small."""
    folder = scheduled(tmp_path, f'schedule = {{ cron = "@daily", timezone = "{name}" }}')
    assert f"did you mean {meant}?" in command(folder, "check", "daily").stdout


# -- pause and resume ----------------------------------------------------------------------------------------


def test_a_job_is_paused_and_resumed(tmp_path: Path) -> None:
    """It says what it did, or that it was so already, and how to undo it; everybody who looks is told."""
    folder = scheduled(tmp_path, other='schedule = "@hourly"')
    assert command(folder, "pause", "daily", "--note", "audit").stdout == (
        "daily is paused; resume it with: reports resume daily\n"
    )
    assert command(folder, "pause", "daily").stdout == "daily was paused already\n"
    shown = command(folder, "next", "daily", "-n", "1", "--json")
    assert json.loads(shown.stdout)[0]["paused"]
    assert shown.stderr.startswith("daily is paused since ")
    assert shown.stderr.endswith("Z: reports resume daily\n")
    assert not upcoming(folder, "other", "-n", "1")[0]["paused"]
    assert [(one["job"], one["paused"]) for one in listed(folder)] == [("daily", True), ("other", False)]
    assert "paused since" in command(folder, "check", "daily").stdout
    assert command(folder, "resume", "daily").stdout == "daily runs by its schedule again\n"
    assert command(folder, "resume", "daily").stdout == "daily was not paused\n"
    assert [one["paused"] for one in listed(folder)] == [False, False]


def listed(folder: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(command(folder, "list", "--json").stdout)
    return rows


def test_a_paused_job_is_named_where_all_are_asked_for(tmp_path: Path) -> None:
    """If any of what is shown is its; nobody takes its times for granted."""
    folder = scheduled(tmp_path, 'schedule = "@yearly"', often='schedule = "@hourly"')
    command(folder, "pause", "often")
    assert command(folder, "next", "-n", "3").stderr.startswith("often is paused since ")
    assert command(folder, "next", "daily", "-n", "3").stderr == ""


# -- list ------------------------------------------------------------------------------------------------------


def test_list_has_the_schedule_in_words_and_the_next_run(tmp_path: Path) -> None:
    """And says so while there is nobody to run it."""
    folder = scheduled(
        tmp_path,
        'schedule = ["0 7 * * 1-5", { business_day = -1, at = "18:00", timezone = "Europe/Berlin" }]',
        hand="",
        over="schedule = { once = 2020-01-01T09:00:00 }",
    )
    by_job = {one["job"]: one for one in listed(folder)}
    assert by_job["daily"]["schedule"] == [
        "at 07:00 on Monday through Friday (UTC)",
        "on the last business day of the month at 18:00 (Europe/Berlin)",
    ]
    (first,) = upcoming(folder, "daily", "-n", "1")
    assert by_job["daily"]["next"] == first["occurrence"]
    assert (by_job["hand"]["schedule"], by_job["hand"]["next"]) == ([], None)
    assert by_job["over"]["next"] is None
    shown = command(folder, "list")
    assert "at 07:00 on Monday through Friday (UTC); on the last business day" in shown.stdout
    assert f"{first['occurrence'][:16].replace('T', ' ')}Z" in shown.stdout
    assert re.search(
        r"over .*on 1 January 2020 at 09:00 \(UTC\) +never +finance@example.com +never$", shown.stdout, re.MULTILINE
    )
    assert shown.stderr == "no service is at work, so nothing runs by itself: reports serve\n"


def test_the_next_run_is_one_that_is_not_skipped(tmp_path: Path) -> None:
    """However many are skipped before it, and at once even if all of them are."""
    folder = scheduled(
        tmp_path,
        'schedule = { every = "1s", business_days = true }',
        weekend='schedule = { cron = "* * * * 6", business_days = true }',
    )
    daily, weekend = listed(folder)
    assert dt.datetime.fromisoformat(daily["next"]).weekday() < 5
    assert weekend["next"] is None


# -- runs and show -----------------------------------------------------------------------------------------------


def served(folder: Path, *instants: dt.datetime, carry_out: bool = True) -> None:
    """A service at these instants, the first being its start; what it queues is run at once."""
    ids = itertools.count(1)
    with closing(open_app(folder)) as app:
        agenda = Agenda(settings=app.settings, store=app.store, new_id=lambda: f"{next(ids):04d}")
        for number, now in enumerate(instants):
            rows = agenda.tick(now) if number else agenda.learn(Definitions(app.settings).look(), now)
            owner = leases.new_owner()
            then = replace(app, clock=standing_at(now))
            for run, _ in app.store.runs.take(now=now, until=now + HOUR, owners=[owner]) if carry_out else ():
                assert then.carry_out(run, owner=owner)
            assert number == 0 or rows


def test_runs_tells_of_every_occurrence(tmp_path: Path) -> None:
    """When it was due, when it began, how late that was, and why what did not run did not."""
    folder = scheduled(
        tmp_path, 'schedule = { cron = "0 7 * * *", calendar = "US", on_holiday = "skip" }\n' + 'catch_up = "none"'
    )
    start = dt.datetime(2026, 7, 2, tzinfo=dt.UTC)
    served(folder, start, start + 7 * HOUR, start + DAY + 7 * HOUR, start + 3 * DAY + 9 * HOUR)
    rows = json.loads(command(folder, "runs", "--json").stdout)
    assert [(row["occurrence"][:10], row["state"]) for row in rows] == [
        ("2026-07-05", "missed"), ("2026-07-04", "skipped"), ("2026-07-03", "skipped"), ("2026-07-02", "succeeded"),
    ]  # fmt: skip
    lines = command(folder, "runs").stdout.splitlines()
    assert lines[0].split()[:4] == ["run", "job", "as", "of"]
    assert "2026-07-05 07:00:00Z" in lines[1]
    assert (
        'no service took it up before 2026-07-05 09:00:00Z; the job wants no catching up (catch_up = "none")'[:79]
        in lines[1]
    )
    assert lines[2].endswith("holiday: Independence Day")
    assert "2026-07-02 07:00:00Z  2026-07-02 07:00:00Z  0.0 s" in lines[4]


def test_show_tells_how_late_it_was_and_for_which_day(tmp_path: Path) -> None:
    """What is made up for is about its own day, and says how long it stood in the queue."""
    folder = scheduled(tmp_path)
    served(folder, SEVEN - HOUR, SEVEN + 3 * HOUR)
    (row,) = json.loads(command(folder, "runs", "daily", "--json").stdout)
    assert (row["trigger"], row["state"], row["as_of"]) == ("backfill", "succeeded", "2026-03-02")
    shown = command(folder, "show", row["id"]).stdout
    assert "occurrence  2026-03-02 07:00:00Z" in shown
    assert "late by     3:00:00, of which 0.0 s in the queue" in shown


def test_show_tells_of_what_waits_and_of_what_never_ran(tmp_path: Path) -> None:
    """A queued one has no start, and neither has a skipped one."""
    folder = scheduled(tmp_path)
    served(folder, SEVEN - HOUR, SEVEN, SEVEN + DAY + HOUR, carry_out=False)
    shown = command(folder, "show", "0001").stdout
    assert shown.startswith("run 0001 of daily: queued\n")
    assert "queued      attempt 1, may begin 2026-03-02 07:00:00Z" in shown
    assert "started" not in shown
    late = command(folder, "show", "0002").stdout
    assert "log         no service took it up before 2026-03-03 08:00:00Z" in late
    assert "2026-03-02 07:00:00Z" in command(folder, "runs").stdout


def test_a_run_by_hand_is_no_occurrence(tmp_path: Path) -> None:
    """It is told as one, and the schedule goes on as if it had not been."""
    folder = scheduled(tmp_path)
    before = upcoming(folder, "-n", "1")
    assert command(folder, "run", "daily").exit_code == 0
    assert "by hand" in command(folder, "runs").stdout
    assert upcoming(folder, "-n", "1") == before


# -- check -------------------------------------------------------------------------------------------------------

MISTAKES = [
    ('schedule = "61 * * * *"', "schedule", "the minute '61' cannot be", "0 to 59"),
    ('schedule = "0 9 * * 8"', "schedule", "the day of the week '8' cannot be", "0 to 7 (1 = Monday"),
    ('schedule = "0 25 * * *"', "schedule", "the hour '25' cannot be", "0 to 23"),
    ('schedule = "30 2 * *"', "schedule", "has five fields, or six with the seconds first (found 4)", "0 7 * * 1-5"),
    ('schedule = "0 9 * * 1 2026 x"', "schedule", "has five fields, or six with the seconds first (found 7)", "such as"),
    ('schedule = "@dayly"', "schedule", "'@dayly' is not known", "did you mean '@daily'?"),
    ('schedule = "0 9 31 2 *"', "schedule", "never comes: there is no such day", "mend the day of the month"),
    ('schedule = "0 9 * * 5-1"', "schedule", "the day of the week '5-1' cannot be", "a range goes upwards"),
    ('schedule = "09:00"', "schedule", "'09:00' does not say on which days", 'every = "1d", at = "09:00"'),
    ('schedule = ""', "schedule", "exactly one of cron, every", 'schedule = "0 9 * * 1-5"'),
    ("schedule = 9", "schedule", "as crontab has it, or a table (found 9)", 'schedule = "0 9 * * 1-5"'),
    ('schedule = { at = "09:00" }', "schedule", "exactly one of cron, every", 'every = "1d", at = "09:00"'),
    ('schedule = { cron = "@daily", timezone = "Berlin" }', "schedule.timezone", "not a time zone", "'Europe/Berlin'"),
    ('schedule = { cron = "@daily", time_zone = "UTC" }', "schedule.time_zone", "unknown key", "'timezone'"),
    ('schedule = { cron = "@daily", on_holiday = "skip" }', "schedule.on_holiday", "whose holidays", 'calendar = "DE"'),
    ('schedule = { cron = "@daily", on_holiday = "next" }', "schedule.on_holiday", "'before' or 'after'", ""),
    ('schedule = { cron = "@daily", calendar = "Bayern" }', "schedule.calendar", "no calendar 'Bayern'", "a part of one"),
    ('schedule = { cron = "@daily", every = "1d" }', "schedule", "(found cron and every)", "a [[schedule]] of its own"),
    ('schedule = { cron = "@daily", at = "09:00" }', "schedule.at", "cannot stand beside 'cron'", ""),
    ('schedule = { every = "0m" }', "schedule.every", 'such as "90m"', ""),
    ('schedule = { every = "daily" }', "schedule.every", 'such as "90m", "8h" or "2d" (found \'daily\')', ""),
    ('schedule = { every = "1d", at = "9am" }', "schedule.at", 'such as "09:00"', ""),
    ('schedule = { every = "1d", start = "1.1.2026" }', "schedule.start", "such as 2026-12-31", ""),
    ('schedule = { every = "1d", start = 2026-12-31, end = 2026-01-01 }', "schedule.end", "is before 'start'", ""),
    ("schedule = { monthly = 32 }", "schedule.monthly", "'32' of a month cannot be", ""),
    ("schedule = { once = 2026-12-01 }", "schedule.once", "one date with its time of day", ""),
    ('schedule = ["@daily", "0 18 * * 8"]', "schedule[1]", "'8' cannot be", "0 to 7"),
    ('timezone = "Europe/Berlin"', "timezone", "'timezone' is a key of schedule", 'timezone = "Europe/Berlin" }'),
    ('cron = "0 9 * * *"', "cron", "'cron' is a key of schedule", "write it in the table"),
    ('overlap = "wait"', "overlap", "'skip', 'queue', 'replace' or 'allow' (found 'wait')", ""),
    ('catch_up = "yes"', "catch_up", "'latest', 'all' or 'none' (found 'yes')", ""),
    ('catch_up_within = "1 month"', "catch_up_within", 'such as "90m"', ""),
    ("retry = 0", "retry", "at least one attempt", "leave the key out"),
    ("retry = true", "retry", "a number of attempts is needed", "retry = 3"),
    ("retry = { attempts = 3, wait = 60 }", "retry.wait", "(found 60)", ""),
    ("jitter = 30", "jitter", 'such as "90m"', ""),
    ('memory_limit = "2G"', "memory_limit", '"512MB" or "2GB" (found \'2G\')', ""),
    ('ping = "hc-ping.com/x"', "ping", "begins with https://", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "key", "what", "hint"), MISTAKES)
def test_check_tells_every_mistake_about_when(tmp_path: Path, text: str, key: str, what: str, hint: str) -> None:
    """What, where (file, line, key) and what to do, in words of the one who wrote it; once."""
    checked = command(scheduled(tmp_path, f"\n{text}"), "check", "daily", "--json")
    assert checked.exit_code == 2
    (problem,) = json.loads(checked.stdout)[0]["problems"]
    assert what in problem["what"]
    assert problem["where"].endswith(f"{Path('jobs/daily/job.toml')}:2, key {key}")
    assert hint in problem["hint"]
    said = problem["what"] + problem["hint"]
    assert "Input should be a valid" not in said
    assert "pattern" not in said
    assert "instance of" not in said


def test_check_says_when_a_sound_job_runs_next(tmp_path: Path) -> None:
    """In its one line, on its own clock; one without a schedule says nothing of it."""
    folder = scheduled(tmp_path, 'schedule = { cron = "0 9 * * *", timezone = "Asia/Tokyo" }', hand="")
    (coming,) = upcoming(folder, "-n", "1")
    when = dt.datetime.fromisoformat(coming["local"])
    checked = command(folder, "check")
    assert checked.exit_code == 0
    daily, hand = checked.stdout.splitlines()[:2]
    assert daily == f"job daily: ok: queries 1, blocks 1, recipients 1; next run {when:%a %Y-%m-%d} 09:00 (Asia/Tokyo)"
    assert hand == "job hand: ok: queries 1, blocks 1, recipients 1"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("schedule = { once = 2020-01-01T09:00:00 }", "on 1 January 2020 at 09:00 (UTC)"),
        ('schedule = { every = "1h", end = 2020-01-01 }', "every hour (UTC), until 1 January 2020"),
        (
            'schedule = { cron = "0 9 * * 6", business_days = true }',
            "at 09:00 on Saturday (UTC), not on weekends and holidays",
        ),
    ],
)
def test_check_warns_of_a_schedule_that_never_runs_again(tmp_path: Path, text: str, words: str) -> None:
    """It is no error: a date goes by without anybody's doing. But nobody waits for it in vain."""
    checked = command(scheduled(tmp_path, text), "check", "daily")
    assert checked.exit_code == 0
    assert f"WARNING this schedule never runs again: {words}\n" in checked.stdout


def test_of_several_schedules_the_dead_one_is_named(tmp_path: Path) -> None:
    """The others say when it runs."""
    text = 'schedule = ["0 7 * * *", { every = "1d", end = 2020-01-01 }]'
    line = command(scheduled(tmp_path, text), "check", "daily").stdout.splitlines()[0]
    assert "; next run " in line
    assert line.endswith("never runs again: every day at 00:00 (UTC), until 1 January 2020")
