"""A report as it is said on channels beside mail: all of it where that can be, and where it is else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from render.pages import chart, image, page, table

from reports.announcing import Announcer
from reports.model import Artifact, Report, Run, Status, Theme
from reports.pipeline import Produced
from reports.routes import Route
from reports.secret import Secret
from reports.settings import AppriseChannel, SlackChannel, SlackWebhook
from reports.slack import blocks as block_kit
from reports.transports.notes import unpack

BOOK = Artifact(name="Loans.xlsx", media_type="application/x", content=b"x" * 12_345)
LOGO = Artifact(name="logo.png", media_type="image/png", content=b"logo", cid="logo", alt="Example Bank")
SECRET = Secret(env="ANY")
SLACK, HOOK = SlackChannel(token=SECRET), SlackWebhook(webhook=SECRET)
RUN = Run(id="0123", job="loans", as_of=dt.date(2026, 10, 31), started=dt.datetime(2026, 11, 2, 7, tzinfo=dt.UTC))


@pytest.fixture
def announcer() -> Callable[..., Announcer]:
    """Makes one for a report with a chart, a table, a workbook and the theme's logo."""

    def make(*, mailed: bool = True, link: Any = None, **changes: Any) -> Announcer:
        shown = page(chart(), table(), theme=Theme(logo=LOGO), **changes)
        report = Report(
            job="loans",
            title=shown.title,
            as_of=shown.as_of,
            subject=shown.subject,
            html="<p>12</p>",
            text="Loans\n12\n",
            images=[image(), LOGO],
            attachments=[BOOK],
        )
        return Announcer(produced=Produced(report, shown, [], RUN, [BOOK]), mailed=mailed, link=link)

    return make


def said(announcer: Announcer, channel: Any) -> str:
    return "\n".join(block_kit.texts(announcer.note(channel).blocks))


def test_slack_gets_blocks_and_the_pictures_before_the_files(announcer: Callable[..., Announcer]) -> None:
    """The logo is no picture of the report; where the files are is said."""
    note = announcer().note(SLACK)
    assert [one.name for one in note.files] == ["chart1.png", "Loans.xlsx"]
    assert "In the thread below: 1 chart, Loans.xlsx (12 kB)." in said(announcer(), SLACK)
    assert (note.title, note.text, note.html) == ("Loans, 2026-10-31", "Loans\n12\n", "<p>12</p>")


def test_a_webhook_shows_a_charts_numbers(announcer: Callable[..., Announcer]) -> None:
    """For it shows no picture; where all is, is known to whoever leaves the files out."""
    assert "```" in said(announcer(), HOOK)
    assert "thread" not in said(announcer(), HOOK)
    assert announcer().note(HOOK).whole == "All of it is in the mail."
    assert announcer(mailed=False).note(HOOK).whole == "All of it: reports show 0123"


def test_other_services_get_text_and_html(announcer: Callable[..., Announcer]) -> None:
    """And choose between them."""
    note = announcer().note(AppriseChannel(url=("ntfy://topic",)))
    assert note.blocks == ()
    assert note.html


def test_links_are_made_only_where_they_are_wanted(announcer: Callable[..., Announcer]) -> None:
    """A channel that carries files needs none."""
    made: list[str] = []

    def link(file: Artifact) -> str:
        made.append(file.name)
        return f"https://files.example.com/{file.name}"

    for channel in (SLACK, HOOK):
        assert announcer(link=link).note(channel).links == {}
    linked = announcer(link=link).note(HOOK.model_copy(update={"on_unsupported": "link"}))
    assert linked.links == {"Loans.xlsx": "https://files.example.com/Loans.xlsx"}
    assert made == ["Loans.xlsx"]


@pytest.mark.parametrize(
    ("changes", "tone"),
    [
        ({}, "good"),
        ({"notices": ["3 rows are missing."]}, "warning"),
        ({"status": Status(text="x", tone="bad")}, "bad"),
    ],
)
def test_its_tone_is_that_of_its_status(announcer: Callable[..., Announcer], changes: Any, tone: str) -> None:
    """For services that show one."""
    assert announcer(**changes).note(SLACK).tone == tone


def test_equal_reports_make_equal_messages(announcer: Callable[..., Announcer]) -> None:
    """And each place, channel and occurrence has a name of its own."""
    route = Route("team", ("#cash",))
    first = announcer().message(route, SLACK, key="1")
    assert announcer().message(route, SLACK, key="1") == first
    others = [
        announcer().message(replace(route, recipients=("#other",)), SLACK, key="1"),
        announcer().message(Route("others", ("#cash",)), SLACK, key="1"),
        announcer().message(route, SLACK, key="2"),
    ]
    assert len({one.message_id for one in (first, *others)}) == 4
    assert (first.recipients, first.date, first.sender) == (("#cash",), RUN.started, "")
    assert unpack(first.content).title == "Loans, 2026-10-31"


def test_the_sentences_are_in_the_reports_language(announcer: Callable[..., Announcer]) -> None:
    """As all the rest of it."""
    assert "Im Thread darunter: 1 Diagramm, Loans.xlsx (12 kB)." in said(announcer(language="de"), SLACK)
