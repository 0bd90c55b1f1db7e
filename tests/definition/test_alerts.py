"""What [alerts] may say, what a job changes of it, and until when quiet hours hold something."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from reports import toml
from reports.definition import Alerts, Definition, Quiet
from reports.errors import JobError
from reports.settings import Settings

FRIDAY = dt.datetime(2026, 11, 6, 22, 30, tzinfo=dt.UTC)


def alerts(**given: Any) -> Alerts:
    return Alerts.model_validate(given)


def problem(folder: Path, text: str) -> JobError:
    """What is told of an [alerts] in a job."""
    path = folder / "job.toml"
    path.write_text(f'title = "x"\n[alerts]\n{text}\n')
    with pytest.raises(JobError) as caught:
        toml.validate(toml.read(path, error=JobError), Definition, error=JobError, root=folder)
    return caught.value


def test_mail_alone_is_told_of_failures_and_recoveries_by_default() -> None:
    """As before there were channels; nothing is quiet, and nobody is told later."""
    plain = alerts()
    assert [plain.of(one) for one in ("error", "warning", "info")] == [("mail",), (), ("mail",)]
    assert (plain.escalate, plain.quiet) == ((), ())


def test_a_job_changes_key_by_key() -> None:
    """What it does not name is the project's; an empty list is an answer."""
    project = alerts(error=["mail", "team"], info="team", escalate={"after": "1h", "channels": "push"})
    job = alerts(error=[], quiet={"from": "22:00", "to": "07:00"})
    held = job.under(project)
    assert (held.error, held.info, len(held.escalate), len(held.quiet)) == ((), ("team",), 1, 1)
    assert alerts().under(project) == project


def test_one_table_stands_for_several() -> None:
    """Without brackets; days as a range over the end of a week."""
    found = alerts(quiet={"from": "9:00", "to": "24:00", "days": "fri-mon", "timezone": "Asia/Shanghai"}).quiet
    assert [(one.start, one.end, one.days) for one in found] == [(dt.time(9), dt.time(), ("fri", "sat", "sun", "mon"))]
    assert Quiet.model_validate({"from": "22:00", "to": "07:00", "days": ["Sat", "mon-tue"]}).days == (
        "sat",
        "mon",
        "tue",
    )


@pytest.mark.parametrize(
    ("text", "what", "line"),
    [
        ('quiet = { from = "25:00", to = "07:00" }', 'a time of day is needed, such as "22:00"', 3),
        ('quiet = { from = "22:00", to = "07:00", days = "sut" }', "there is no day 'sut'", 3),
        ('quiet = { from = "22:00", until = "07:00" }', "unknown key 'until'", 3),
        ('escalate = [{ after = "soon", channels = ["push"] }]', "a duration is a number and a unit", 3),
        ('escalate = [{ after = "1h", channels = [] }]', "channels", 3),
        ('errors = ["push"]', "unknown key 'errors'", 3),
        ('quiet = [{ from = "00:00", to = "12:00" }, { from = "12:00", to = "24:00" }]', "never end", 2),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, what: str, line: int) -> None:
    """And the nearest word."""
    told = problem(tmp_path, text)
    assert what in told.what
    assert f"job.toml:{line}," in told.problems[0].where


def test_quiet_hours_that_meet_are_one() -> None:
    """The night before a weekend ends on Monday morning; what is not held goes at any time."""
    nights = {"from": "22:00", "to": "07:00"}
    weekend = {"from": "00:00", "to": "24:00", "days": "sat-sun", "holds": ["info"]}
    both = alerts(quiet=[nights, weekend])
    assert both.held_until("info", FRIDAY, "UTC") == dt.datetime(2026, 11, 9, 7, tzinfo=dt.UTC)
    assert both.held_until("warning", FRIDAY, "UTC") == dt.datetime(2026, 11, 7, 7, tzinfo=dt.UTC)
    assert both.held_until("error", FRIDAY, "UTC") is None
    assert both.held_until("info", dt.datetime(2026, 11, 6, 12, tzinfo=dt.UTC), "UTC") is None


def test_the_clock_is_the_project_s_or_their_own() -> None:
    """The same instant is night in one place and morning in the other."""
    quiet = {"from": "22:00", "to": "07:00"}
    assert alerts(quiet=quiet).held_until("info", FRIDAY, "America/New_York") is None
    there = alerts(quiet=quiet | {"timezone": "Asia/Shanghai"})
    assert there.held_until("info", FRIDAY, "America/New_York") == dt.datetime(2026, 11, 6, 23, tzinfo=dt.UTC)


def test_both_files_have_it_in_their_schema() -> None:
    """So that editors complete and check it."""
    for model in (Settings, Definition):
        schema = json.dumps(model.model_json_schema())
        assert '"escalate"' in schema
        assert '"holds"' in schema
