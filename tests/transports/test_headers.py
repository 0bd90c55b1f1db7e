"""Bytes for an API without an envelope: who receives is in the headers, and all else as it was."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from email import message_from_bytes
from email.utils import getaddresses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.model import Message
from reports.transports.headers import addressed

MakeMessage = Callable[..., Message]
HEAD = b"From: me@example.com\r\n%sSubject: Figures\r\nMessage-ID: <1@example.com>\r\n\r\n"
BODY = b"To: not.a.header@example.com\r\n\r\nBcc: nor.this@example.com\r\n"
TO = b'To: "Doe, Ann" <a@example.com>,\r\n =?utf-8?b?Wm/Dqw==?=\r\n <B@xn--bcher-kva.example>\r\nCc: c@example.com\r\n'


def content(lists: bytes) -> bytes:
    return HEAD % lists + BODY


def test_the_same_bytes_where_headers_and_recipients_agree(message: MakeMessage) -> None:
    """However the letters are written."""
    sent = message("A@example.com", "b@xn--bcher-kva.example", "c@example.com", content=content(TO))
    assert addressed(sent, sent.recipients) == sent.content


def test_whoever_is_in_no_header_is_in_a_bcc(message: MakeMessage) -> None:
    """As a last header; everything before and after stays byte for byte."""
    sent = message("a@example.com", "b@xn--bcher-kva.example", "c@example.com", "d@example.com", content=content(TO))
    assert addressed(sent, sent.recipients) == (HEAD % TO)[:-2] + b"Bcc: d@example.com\r\n\r\n" + BODY


@pytest.mark.parametrize(
    ("recipients", "lists"),
    [
        (["c@example.com"], b"Cc: c@example.com\r\n"),
        (["a@example.com"], b'To: "Doe, Ann" <a@example.com>\r\n'),
        (["b@xn--bcher-kva.example"], b"To: =?utf-8?b?Wm/Dqw==?=\r\n <B@xn--bcher-kva.example>\r\n"),
    ],
)
def test_whoever_is_not_to_get_it_is_taken_out(recipients: list[str], lists: bytes, message: MakeMessage) -> None:
    """A retry for some is not a second mail for all; names stay as they were written."""
    assert addressed(message(*recipients, content=content(TO)), recipients) == content(lists)


def test_a_bcc_that_was_there_is_replaced(message: MakeMessage) -> None:
    """Only those who are asked for get it."""
    sent = message("a@example.com", content=content(b"Bcc: x@example.com,\r\n y@example.com\r\nTo: a@example.com\r\n"))
    assert addressed(sent, sent.recipients) == content(b"To: a@example.com\r\n")


def test_a_list_that_names_nobody_stays(message: MakeMessage) -> None:
    """Undisclosed recipients are all in the Bcc."""
    lists = b"To: undisclosed-recipients:;\r\n"
    told = addressed(message("d@example.com", content=content(lists)), ["d@example.com"])
    assert told.startswith(b"From: me@example.com\r\n" + lists)
    assert b"\r\nBcc: d@example.com\r\n\r\nTo: not" in told


NAMES = st.sampled_from(["", '"Doe, Ann" ', "Ann ", "=?utf-8?b?Wm/Dqw==?= "])
SPECS = st.lists(st.sampled_from([f"r{n}@example.com" for n in range(8)]), unique=True)


@given(to=SPECS, cc=SPECS, wanted=SPECS.filter(bool), name=NAMES)
def test_exactly_those_wanted_are_in_the_headers(to: list[str], cc: list[str], wanted: list[str], name: str) -> None:
    """For every mixture of lists, nobody is left out and nobody gets it besides."""
    lists = [(key, [f"{name}<{one}>" for one in ones]) for key, ones in (("To", to), ("Cc", cc)) if ones]
    head = "".join(key + ": " + ",\r\n ".join(ones) + "\r\n" for key, ones in lists)
    sent = Message(
        message_id="<1@example.com>", date=dt.datetime(2026, 1, 1, tzinfo=dt.UTC), sender="me@example.com",
        recipients=wanted, subject="x", content=content(head.encode()),
    )  # fmt: skip
    told = message_from_bytes(addressed(sent, wanted))
    found = getaddresses([str(value) for key in ("To", "Cc", "Bcc") for value in told.get_all(key, [])])
    assert sorted({spec for _, spec in found}) == sorted(wanted)
    assert told.get_payload() == BODY.decode()
