"""Promises about how a message is written: in the looks of the project, in threads, small enough, and with sound headers."""

from __future__ import annotations

import os
import string
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import hypothesis
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from notifying import ENVELOPE, PNG, attached, body, mailed, opened, pictures, writer

from reports import lint
from reports.addressing import Envelope
from reports.errors import ReportsError
from reports.model import Figure, Figures, Status, Text
from reports.notify import Notification, message
from reports.notify.writing import Post
from reports.settings import SlackWebhook
from reports.transports.notes import unpack

SERVER = {"provider": "custom", "host": "127.0.0.1", "security": "none"}


def test_mails_of_one_thread_refer_to_its_first(tmp_path: Path) -> None:
    """Whatever each says: the mailbox shows them as one conversation."""
    written = writer(tmp_path)
    first, second, third = (
        opened(written.mail(message(f"no. {n}"), ENVELOPE, Post(thread="train 1", follow=follow)).message.content)
        for n, follow in enumerate(("", "edit", "reply"))
    )
    assert first["In-Reply-To"] is None
    assert second["In-Reply-To"] == third["In-Reply-To"] == second["References"] == first["Message-ID"]
    assert len({one["Message-ID"] for one in (first, second, third)}) == 3
    other = mailed(message("x"), tmp_path, Post(thread="train 2", follow="reply"))
    assert other["In-Reply-To"] not in {None, first["Message-ID"]}


def test_no_two_messages_have_one_identity(tmp_path: Path) -> None:
    """Also where they say the same: mailboxes show one of two that have."""
    written = writer(tmp_path)
    ids = {written.mail(message("x"), ENVELOPE, Post()).message.message_id for _ in range(3)}
    assert len(ids) == 3


def test_what_is_larger_than_the_provider_takes_is_zipped_or_left_out_and_named(tmp_path: Path) -> None:
    """The message arrives, and says what it lacks."""
    text, noise = b"a,b\n" * 100_000, bytes(range(256)) * 3
    said = message("Done", attachments=[("long.csv", text), ("noise.bin", noise)])
    mail = mailed(said, tmp_path, mail={**SERVER, "size_limit": 60_000})
    assert set(attached(mail)) == {"long.csv.zip", "noise.bin"}
    random = message("Done", attachments=("big.bin", os.urandom(90_000)))
    mail = mailed(random, tmp_path, mail={**SERVER, "size_limit": 60_000})
    assert attached(mail) == {}
    assert "big.bin" in body(mail, "plain")
    assert "big.bin" in body(mail, "html")


def test_a_mail_that_cannot_be_made_small_enough_is_an_error(tmp_path: Path) -> None:
    """It would be refused."""
    with pytest.raises(ReportsError, match="at most 20 kB can be sent"):
        mailed(message("x" * 100_000), tmp_path, mail={**SERVER, "size_limit": 20_000})


def test_the_projects_templates_and_theme_are_used(tmp_path: Path) -> None:
    """As for reports."""
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "notify.html.j2").write_text("<p>ours: {{ page.title }}</p>", "utf-8")
    assert "<p>ours: Done</p>" in body(mailed(message("Done"), tmp_path), "html")
    (folder / "notify.html.j2").unlink()
    (tmp_path / "logo.png").write_bytes(PNG)
    theme = {"accent": "#7A1F3D", "logo": "logo.png", "logo_alt": "Shop", "footer": "The shop"}
    mail = mailed(message("Done"), tmp_path, theme=theme)
    assert "#7A1F3D" in body(mail, "html")
    assert "The shop" in body(mail, "html")
    assert "The shop" in body(mail, "plain")
    assert set(pictures(mail)) == {"logo"}
    own = mailed(message(html="<p>mine</p>", tables=pd.DataFrame({"n": [1]})), tmp_path, theme=theme)
    assert pictures(own) == {}


def test_a_template_that_is_broken_keeps_no_message_back(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The shipped one is used instead, and the log says why."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "notify.html.j2").write_text("{% if %}", "utf-8")
    assert "Done" in body(mailed(message("Done"), tmp_path), "html")
    assert "the project's template is not used" in caplog.text


def test_a_status_and_figures_stand_at_the_head(tmp_path: Path) -> None:
    """Of messages that are put together by hand; no date, for the mail has one."""
    said = Notification(
        subject="Training on host-1",
        title="Training",
        status=Status(text="Running", tone="info"),
        blocks=[Figures(items=[Figure(label="Loss", value=0.25, format="number")]), Text(text="as it goes")],
    )
    mail = mailed(said, tmp_path)
    for kind in ("plain", "html"):
        assert "Running" in body(mail, kind)
        assert "0.25" in body(mail, kind)
        assert "As of" not in body(mail, kind)
    assert body(mail, "plain").startswith("Training\n========\n")


def test_the_banner_of_a_redirect_is_in_every_form(tmp_path: Path) -> None:
    """In HTML of one's own as well."""
    envelope = Envelope(to=("test@example.com",), banner="This is not production.")
    for said in (message("Done"), message(html="<html><body><p>Done</p></body></html>")):
        mail = opened(writer(tmp_path).mail(said, envelope, Post()).message.content)
        assert "This is not production." in body(mail, "plain")
        assert "This is not production." in body(mail, "html")


def test_a_note_has_the_whole_text_and_the_files(tmp_path: Path) -> None:
    """Slack's blocks besides, of HTML by its text."""
    written = writer(tmp_path, channels={"team": {"webhook": {"env": "X"}}, "push": {"url": "ntfy://h/t"}})
    assert isinstance(written.settings.channels["team"], SlackWebhook)
    said = message(html="<h1>Done</h1><p>3 rows</p>", img=(PNG, "Two dots"), attachments=("a.bin", b"1"))
    team, push = (unpack(written.note(said, name, ["x"], Post()).message.content) for name in ("team", "push"))
    for note in (team, push):
        assert "3 rows" in note.text
        assert "Two dots" in note.text
        assert [one.name for one in note.files] == ["picture-1.png", "a.bin"]
    assert "3 rows" in str(team.blocks)
    assert push.blocks == []


@pytest.mark.parametrize("markup", ["", "<p>Some words of my own, which say what there is to see in this mail.</p>"])
def test_the_linter_finds_no_error_in_it(tmp_path: Path, markup: str) -> None:
    """As in the mails of jobs: no client loses anything of it."""
    text = "The load has ended.\n\n3,112 rows went in, and 4 did not; see https://example.com/x for all of them."
    said = message(
        text,
        markup,
        tables=("Rows left out", pd.DataFrame({"line": [1], "reason": ["no date"]})),
        img=(PNG, "Two dots"),
    )
    verdict = lint.check(writer(tmp_path).mail(said, ENVELOPE, Post()).message.content, [])
    assert [one for one in verdict.findings if one.severity == "error"] == []


anything = st.text(st.characters(codec="utf-8"), max_size=60)
hostile = st.one_of(
    anything,
    st.builds(
        "{}{}Bcc: eve@example.com".format, anything, st.sampled_from(["\n", "\r", "\r\n", "\x0b", "\x85", "\u2028"])
    ),
    st.builds("=?utf-8?q?=0D=0ABcc:{}?=".format, st.text(string.ascii_letters)),
)


@hypothesis.settings(deadline=None, max_examples=60)
@given(subject=hostile, name=hostile, alt=hostile)
def test_no_header_can_be_injected(tmp_path_factory: pytest.TempPathFactory, subject: str, name: str, alt: str) -> None:
    """By a subject, a file's name or a picture's text: it is refused, or it is what it says."""
    parts: dict[str, Any] = {"subject": subject, "attachments": (name, b"1"), "img": (PNG, alt)}
    try:
        mail = mailed(message("x", **parts), tmp_path_factory.getbasetemp())
    except ReportsError:
        return
    assert isinstance(mail, EmailMessage)
    allowed = {
        "date", "from", "to", "subject", "message-id", "auto-submitted", "x-auto-response-suppress", "mime-version",
        "content-type", "content-transfer-encoding", "content-disposition", "content-id",
    }  # fmt: skip
    for part in mail.walk():
        assert {key.lower() for key in part.keys()} <= allowed  # noqa: SIM118  a mail is no dict
    assert mail["To"] == "ann@example.com"


@hypothesis.settings(deadline=None, max_examples=60)
@given(text=hostile)
def test_the_first_line_of_any_text_is_a_sound_subject(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """Whatever a program has printed."""
    if not text.strip():
        return
    mail = mailed(message(text), tmp_path_factory.getbasetemp())
    assert mail["Bcc"] is None
    assert len(str(mail["Subject"])) <= 80
    assert mail["Subject"]
