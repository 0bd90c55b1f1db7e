"""Somebody knows that nothing came: once when a job begins to be missed, once when it works again, and not while paused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from clockwork import ADMIN, DAILY, DAY, HOUR, OWNER, READER, SEVEN, Clockwork, mails, text_of
from commands import command
from mailserver import MailServer

NONE = 'catch_up = "none"\n' + DAILY


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer(security="none") as running:
        yield running


@pytest.fixture
def project(tmp_path: Path, server: MailServer) -> Clockwork:
    """A job that makes nothing up, known to a service since the hour before."""
    one = Clockwork(tmp_path, server.port, job=NONE)
    one.at(SEVEN - HOUR)
    return one


def told(project: Clockwork) -> list[str]:
    """What is noted on each run about who was told."""
    return [run.notice for run in project.rows()]


def test_the_owner_is_told_once_a_streak_and_once_when_it_works_again(project: Clockwork, server: MailServer) -> None:
    """Three mornings without a service are one mail; the fourth adds none; the first that works is told."""
    assert project.at(SEVEN + 2 * DAY + 2 * HOUR) == ["missed"] * 3
    assert mails(server) == [(OWNER, "Missed: Daily sales, 2026-11-25")]
    assert project.at(SEVEN + 3 * DAY + HOUR) == ["missed"]
    assert len(server.messages) == 1
    assert project.at(SEVEN + 4 * DAY) == ["queued"]
    assert sorted(mails(server)[1:]) == [
        (OWNER, "Works again: Daily sales, 2026-11-27"),
        (READER, "Daily sales, 2026-11-27"),
    ]
    assert told(project) == [*["told owner@example.com"] * 3, "told before: it has failed since then", ""]


def test_a_new_streak_is_told_of_anew(project: Clockwork, server: MailServer) -> None:
    """Silence after a mail that says it works is a good one, and stays so only while it does."""
    project.at(SEVEN + HOUR)
    project.at(SEVEN + DAY)
    project.at(SEVEN + 2 * DAY + HOUR)
    assert [subject for to, subject in mails(server) if to == OWNER] == [
        "Missed: Daily sales, 2026-11-23",
        "Works again: Daily sales, 2026-11-24",
        "Missed: Daily sales, 2026-11-25",
    ]


def test_the_mail_says_what_the_owner_needs(project: Clockwork, server: MailServer) -> None:
    """When it was due, why nothing came, and the command that makes the report of that day."""
    project.at(SEVEN + HOUR)
    text = text_of(server)
    assert "This report was due on Monday, 2026-11-23, at 07:00 and was not made." in text
    assert 'the job wants no catching up (catch_up = "none")' in text
    assert "reports run daily --as-of 2026-11-23" in text


def test_a_paused_job_tells_nobody(project: Clockwork, server: MailServer) -> None:
    """Somebody wanted it so. Its runs say why they are missing, and that nobody was told."""
    with project.app(SEVEN - HOUR / 2) as app:
        assert app.pause("daily", "audit")
    assert project.at(SEVEN + HOUR) == ["missed"]
    assert project.at(SEVEN + DAY) == ["missed"]
    assert server.messages == []
    assert told(project) == ["nobody was told: it is paused"] * 2
    shown = command(project.folder, "runs", "daily").stdout.splitlines()
    assert [line.rpartition("  ")[2] for line in shown[1:]] == ["paused since 2026-11-23 06:30:00Z: audit"] * 2


def test_what_a_later_one_stands_for_is_told_by_the_report_itself(tmp_path: Path, server: MailServer) -> None:
    """Nobody is told of the days that the latest makes up for: it comes, says that it is late, and for when."""
    project = Clockwork(tmp_path, server.port)
    project.at(SEVEN - HOUR)
    assert sorted(project.at(SEVEN + 2 * DAY + 2 * HOUR)) == ["missed", "missed", "queued"]
    assert mails(server) == [(READER, "LATE, for 2026-11-25 07:00: Daily sales, 2026-11-25")]
    assert "it was due at 2026-11-25 07:00, and begun at 2026-11-25 09:00 (UTC)" in text_of(server)
    assert told(project)[:2] == ["nobody was told: a later one is made in its place"] * 2


def test_a_broken_job_is_told_of_though_it_cannot_be_read(project: Clockwork, server: MailServer) -> None:
    """Whoever runs the project gets the mail, with the mistake; mended, the job goes on and says so."""
    project.write(NONE.replace("0 7 * * *", "61 7 * * *"))
    assert project.at(SEVEN - HOUR / 2) == []
    assert project.at(SEVEN) == ["missed"]
    assert mails(server) == [(ADMIN, "Missed: daily, 2026-11-23")]
    assert "the minute '61' cannot be" in text_of(server)
    project.write(NONE)
    assert project.at(SEVEN + HOUR) == []
    assert project.at(SEVEN + DAY) == ["queued"]
    assert sorted(mails(server)[1:]) == [
        (OWNER, "Works again: Daily sales, 2026-11-24"),
        (READER, "Daily sales, 2026-11-24"),
    ]


def test_who_looks_again_tells_nothing_twice(project: Clockwork, server: MailServer) -> None:
    """Whichever service looks first; the other finds it told."""
    project.at(SEVEN + HOUR)
    project.at(SEVEN + HOUR)
    assert len(server.messages) == 1


def test_where_nobody_can_be_told_the_run_says_so(tmp_path: Path, server: MailServer) -> None:
    """No owner and no admin: it stands in the history rather than nowhere."""
    project = Clockwork(tmp_path, server.port, job=NONE.replace(f'owner = "{OWNER}"\n', ""))
    settings = project.folder / "settings.toml"
    settings.write_text(settings.read_text("utf-8").replace(f'admins = "{ADMIN}"\n', ""), "utf-8")
    project.at(SEVEN - HOUR)
    project.at(SEVEN + HOUR)
    assert server.messages == []
    assert told(project) == ["nobody was told: neither the job's owner nor [mail] admins are set"]
