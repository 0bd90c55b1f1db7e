"""Promises of `send`: stored first, then tried, and what became of it for each recipient."""

from __future__ import annotations

from pathlib import Path

import pytest
from mailserver import MailServer
from notifying import attached, opened
from sending import USER
from slackserver import SlackServer

from reports.errors import TransportError
from reports.notify import flush, message, send


def test_a_text_reaches_whom_it_is_for(account: MailServer) -> None:
    """By the account of the environment; the result is true, and has the server's words."""
    result = send("upload done", to=["ann@example.com", "Bob <bob@example.com>"])
    assert result
    assert [one.recipient for one in result] == ["ann@example.com", "bob@example.com"]
    assert all("queued as 4711" in one.text for one in result)
    assert account.messages[0].recipients == ("ann@example.com", "bob@example.com")


def test_it_goes_to_oneself_by_default(account: MailServer) -> None:
    """To the address that logs in."""
    assert send("upload done")
    assert account.messages[0].recipients == (USER,)


def test_a_refusal_is_told_and_raises_nothing(account: MailServer) -> None:
    """Who was refused, with the server's words; the others have it."""
    account.replies["RCPT bob@example.com"] = "550 5.1.1 no such user"
    result = send("upload done", to=["ann@example.com", "bob@example.com"])
    assert not result
    assert {one.recipient: one.state for one in result} == {"ann@example.com": "accepted", "bob@example.com": "refused"}
    assert "no such user" in str(result)


def test_strict_raises_what_became_of_it(account: MailServer) -> None:
    """Only where it is asked for."""
    account.replies["RCPT"] = "550 5.1.1 no such user"
    with pytest.raises(TransportError, match="no such user") as caught:
        send("upload done", to="bob@example.com", strict=True)
    assert caught.value.permanent


def test_a_wrong_password_is_told_with_what_to_do(account: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """And is tried once, not once a recipient."""
    monkeypatch.setenv("REPORTS_PASSWORD", "wrong horse")
    result = send("upload done", to=["ann@example.com", "bob@example.com"])
    assert [one.state for one in result] == ["refused", "refused"]
    assert all("535" in one.text for one in result)
    assert result.answers[0].hint
    assert len(account.logins) == 1
    assert "wrong horse" not in str(result)


def test_who_is_asked_to_come_later_waits(account: MailServer) -> None:
    """Strict or not, it is tried again by itself; strict says so."""
    account.replies["RCPT"] = "450 4.2.0 greylisted"
    result = send("upload done", to="bob@example.com")
    assert (result.waits, [one.state for one in result]) == (True, ["pending"])
    with pytest.raises(TransportError, match="greylisted") as caught:
        send("upload done", to="bob@example.com", strict=True)
    assert not caught.value.permanent


def test_a_message_goes_to_many_as_often_as_wanted(account: MailServer) -> None:
    """It belongs to nobody; the subject of the call comes before its own."""
    said = message("upload done", attachments=("a.bin", b"1"))
    assert send(said, to="ann@example.com")
    assert send(said, to="bob@example.com", subject="Once more")
    first, second = (opened(one.content) for one in account.messages)
    assert (first["To"], second["To"]) == ("ann@example.com", "bob@example.com")
    assert (first["Subject"], second["Subject"]) == ("upload done", "Once more")
    assert first["Message-ID"] != second["Message-ID"]
    assert attached(second) == {"a.bin": b"1"}


def test_messages_of_a_thread_are_one_conversation(account: MailServer) -> None:
    """All of them refer to one and the same, whichever script they come from; others do not."""
    for n in range(3):
        assert send(f"epoch {n}", thread="train resnet")
    assert send("another", thread="train vgg")
    *same, other = (opened(one.content)["References"] for one in account.messages)
    assert len(set(same)) == 1
    assert other not in {None, same[0]}


def test_messages_of_a_thread_are_answers_in_slack(alone: Path) -> None:
    """Below the first of them."""
    with SlackServer() as slack:
        settings = f'[channels.team]\ntoken = {{ file = "token" }}\nto = ["#cash"]\napi = "{slack.api}"\n'
        (alone / "settings.toml").write_text(settings, "utf-8")
        (alone / "token").write_text(slack.bot, "utf-8")
        for n in range(3):
            assert send(f"epoch {n}", via="team", thread="train resnet")
        first, *rest = slack.said("cash")
        assert {one.get("thread_ts") for one in rest} == {first["ts"]}


def test_nobody_waits_where_nobody_wants_to(account: MailServer) -> None:
    """With wait=0 it is stored when the call returns, and the rest is left to the background."""
    account.pause = 2
    result = send("upload done", wait=0)
    assert (account.messages, result.waits) == ([], True)
    assert flush(30)
    assert len(account.messages) == 1
