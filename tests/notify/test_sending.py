"""Promises of `send`: stored first, then tried, and what became of it for each recipient."""

from __future__ import annotations

import pytest
from mailserver import MailServer
from sending import USER

from reports.errors import TransportError
from reports.notify import send


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
