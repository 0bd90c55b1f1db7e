"""What every transport promises, held against each of them."""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from email import message_from_bytes
from pathlib import Path

import pytest
from mailserver import MailServer

from reports.errors import TransportError
from reports.model import Message, Report
from reports.settings import Mail
from reports.transports import mime, open_transport
from reports.transports.base import Transport

RECIPIENTS = ("a@example.com", "Zoë <b@bücher.example>", "c@example.com")
Carried = Callable[[], Sequence[bytes]]


def _report() -> Report:
    return Report(
        job="sales",
        title="Sales",
        as_of=dt.date(2026, 10, 31),
        subject="Umsätze",
        html="<p>12</p>\n",
        text=".\n12\n",
    )


@pytest.fixture
def message() -> Message:
    return mime.compose(
        _report(),
        sender="Me <me@example.com>",
        recipients=RECIPIENTS,
        run_id="1",
        date=dt.datetime(2026, 11, 2, 7, tzinfo=dt.UTC),
    )


@pytest.fixture(params=["folder", "smtp"])
def way(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Transport, Carried]]:
    """A transport that works, and a look at what it carried."""
    if request.param == "folder":
        yield (
            open_transport(Mail(), tmp_path),
            lambda: [path.read_bytes() for path in tmp_path.rglob("*.eml")],
        )
        return
    with MailServer() as server:
        mail = Mail(host=server.host, port=server.port, ca_file=server.ca_file, sender="me@example.com")
        yield open_transport(mail, tmp_path), lambda: [one.content for one in server.messages]


@pytest.fixture(params=["folder", "smtp"])
def broken(request: pytest.FixtureRequest, tmp_path: Path) -> Transport:
    """A transport that cannot work."""
    if request.param == "folder":
        (tmp_path / "mail").write_text("in the way")
        return open_transport(Mail(), tmp_path)
    with MailServer() as server:
        closed = server.port
    mail = Mail(host="127.0.0.1", port=closed, security="none", sender="me@example.com", timeout=2)
    return open_transport(mail, tmp_path)


def test_it_carries_the_bytes_as_they_are(way: tuple[Transport, Carried], message: Message) -> None:
    """Not a byte more, less or other, so that every attempt is the same mail."""
    transport, carried = way
    transport.send(message)
    assert list(carried()) == [message.content]
    assert message_from_bytes(carried()[0])["Message-ID"] == message.message_id


def test_there_is_one_receipt_a_recipient_in_order(way: tuple[Transport, Carried], message: Message) -> None:
    """Nobody is left without an answer."""
    receipts = way[0].send(message)
    assert [receipt.recipient for receipt in receipts] == list(message.recipients)
    assert {receipt.state for receipt in receipts} == {"accepted"}
    assert all(receipt.text for receipt in receipts)


def test_a_check_carries_nothing(way: tuple[Transport, Carried]) -> None:
    """It says what was found, in lines."""
    transport, carried = way
    lines = transport.check()
    assert lines
    assert all(isinstance(line, str) and line and "\n" not in line for line in lines)
    assert list(carried()) == []


def test_a_transport_can_be_used_again(way: tuple[Transport, Carried], message: Message) -> None:
    """A second attempt needs no new transport."""
    transport, _ = way
    assert list(transport.send(message)) != []
    assert {receipt.state for receipt in transport.send(message)} == {"accepted"}


def test_what_cannot_be_carried_is_a_transport_error(broken: Transport, message: Message) -> None:
    """For sending and for checking, with where and what to do."""
    for attempt in (broken.check, lambda: broken.send(message)):
        with pytest.raises(TransportError) as caught:
            attempt()
        assert caught.value.where
        assert caught.value.hint
        assert isinstance(caught.value.permanent, bool)
