"""What every transport promises, held against each of them.

Another transport is added with a function in WAYS that opens it, works or is broken, and looks at what it carried.
"""

import contextlib
import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from email import message_from_bytes
from email.utils import getaddresses
from functools import partial
from pathlib import Path

import pytest
from chatserver import ChatServer
from mailserver import MailServer
from oauthserver import GmailServer, GraphServer
from slackserver import SlackServer

from reports.errors import Superseded, TransportError
from reports.model import Message, Report
from reports.secret import Secret
from reports.settings import AppriseChannel, Mail, SlackChannel, SlackWebhook
from reports.transports import mime, open_channel, open_transport, recipients
from reports.transports.account import resolve
from reports.transports.api import Api
from reports.transports.base import Transport
from reports.transports.chat import AppriseTransport
from reports.transports.gmail import GmailTransport
from reports.transports.graph import GraphTransport
from reports.transports.notes import Note, pack, unpack
from reports.transports.providers import Limits

RECIPIENTS = ("a@example.com", "Zoë <b@bücher.example>", "c@example.com")
DATE = dt.datetime(2026, 11, 2, 7, tzinfo=dt.UTC)


def _mail() -> Message:
    report = Report(
        job="sales",
        title="Sales",
        as_of=dt.date(2026, 10, 31),
        subject="Umsätze",
        html="<p>12</p>\n",
        text=".\n12\n",
    )
    return mime.compose(report, sender="Me <me@example.com>", to=RECIPIENTS, key="1", date=DATE)


def _note(*recipients: str) -> Message:
    note = Note(title="Umsätze", text="Umsätze\n12\n", html="<p>12</p>")
    return Message(message_id="1", date=DATE, sender="", recipients=recipients, subject=note.title, content=pack(note))


@dataclass(frozen=True)
class Way:
    """A transport that works, what it has carried, its steps of a check, and the same that cannot work.

    Without an envelope, who gets a message is said by its headers. `message` is one that it takes, for three
    recipients; `arrives` is what the other side has of it, in so many `copies`.
    """

    transport: Transport
    carried: Callable[[], Sequence[bytes]]
    steps: Sequence[str]
    broken: Transport
    envelope: bool = True
    message: Message = field(default_factory=_mail)
    arrives: Callable[[Message], bytes] = lambda message: message.content
    copies: int = 1


@contextlib.contextmanager
def _folder(path: Path) -> Iterator[Way]:
    (path / "broken").mkdir()
    (path / "broken" / "mail").write_text("in the way")
    yield Way(
        transport=open_transport(Mail(), path),
        carried=lambda: [file.read_bytes() for file in path.rglob("*.eml")],
        steps=["folder"],
        broken=open_transport(Mail(), path / "broken"),
    )


@contextlib.contextmanager
def _smtp(path: Path) -> Iterator[Way]:
    with MailServer() as closed:
        nothing_there = Mail(host=closed.host, port=closed.port, security="none", sender="me@example.com", timeout=2)
    with MailServer(size_limit=1_000_000) as server:
        mail = Mail(host=server.host, port=server.port, ca_file=server.ca_file, sender="me@example.com")
        yield Way(
            transport=open_transport(mail, path),
            carried=lambda: [one.content for one in server.messages],
            steps=["dns", "port", "tls", "greeting", "login", "sender", "size", "clock", "limits"],
            broken=open_transport(nothing_there, path),
        )


@contextlib.contextmanager
def _api(path: Path, provider: str, opened: type[Api], serving: type[GraphServer | GmailServer]) -> Iterator[Way]:
    (path / "token").write_text("token-1")
    with serving() as closed:
        pass  # and so nothing listens there any more
    with serving() as server:
        kept = Secret.model_validate({"file": str(path / "token")})
        mail = Mail(provider=provider, password=kept, ca_file=server.ca_file, sender="me@example.com", timeout=2)
        account = replace(resolve(mail), host="localhost")
        yield Way(
            transport=opened(replace(account, api=server.url, port=server.port)),
            carried=lambda: list(server.sent),
            steps=["dns", "port", "tls", "login", "clock", "size", "limits"],
            broken=opened(replace(account, api=closed.url, port=closed.port)),
            envelope=False,
        )


def _said(message: Message) -> bytes:
    return unpack(message.content).text.strip().encode()


@contextlib.contextmanager
def _slack(path: Path) -> Iterator[Way]:
    (path / "token").write_text("xoxb-1-bot")
    token = Secret.model_validate({"file": str(path / "token")})
    with SlackServer() as closed:
        pass
    with SlackServer() as server:
        yield Way(
            transport=open_channel("team", SlackChannel(token=token, api=server.api, timeout=30)),
            carried=lambda: [one["text"].encode() for place in server.world.channels for one in server.said(place)],
            steps=["team", "bot", "scopes"],
            broken=open_channel("team", SlackChannel(token=token, api=closed.api, timeout=5)),
            message=_note("#cash", "C00000001", "ada@example.com"),
            arrives=_said,
            copies=3,
        )


@contextlib.contextmanager
def _slack_webhook(path: Path) -> Iterator[Way]:
    with SlackServer() as closed:
        (path / "closed").write_text(closed.webhook)
    with SlackServer() as server:
        (path / "open").write_text(server.webhook)
        known, gone = (Secret.model_validate({"file": str(path / name)}) for name in ("open", "closed"))
        yield Way(
            transport=open_channel("hook", SlackWebhook(webhook=known, timeout=30)),
            carried=lambda: [one["text"].encode() for one in server.said("general")],
            steps=["webhook"],
            broken=open_channel("hook", SlackWebhook(webhook=gone, timeout=5)),
            message=_note("hook", "hook-2", "hook-3"),
            arrives=_said,
        )


def _as_json(message: Message) -> bytes:
    note = unpack(message.content)
    return f"{note.title}\n{note.text.strip()}".encode()


@contextlib.contextmanager
def _apprise(_: Path) -> Iterator[Way]:
    with ChatServer() as closed:
        pass
    with ChatServer() as server:
        urls = [f"json://{server.host}:{server.port}/{name}" for name in "abc"]
        gone = [f"json://{closed.host}:{closed.port}/{name}" for name in "abc"]
        channel, nowhere = (AppriseChannel(url=tuple(some), timeout=5) for some in (urls, gone))
        names, silent = recipients("push", channel), AppriseTransport.opened("push", nowhere).targets.values()
        yield Way(
            transport=open_channel("push", channel),
            carried=lambda: [f"{one.values['title']}\n{one.values['message']}".encode() for one in server.posts],
            steps=["url", "reach", "takes"],
            broken=AppriseTransport("push", nowhere, dict(zip(names, silent, strict=True))),
            message=_note(*names),
            arrives=_as_json,
            copies=3,
        )


WAYS: Mapping[str, Callable[[Path], AbstractContextManager[Way]]] = {
    "folder": _folder,
    "apprise": _apprise,
    "smtp": _smtp,
    "graph": partial(_api, provider="graph", opened=GraphTransport, serving=GraphServer),
    "slack": _slack,
    "slack_webhook": _slack_webhook,
    "gmail": partial(_api, provider="gmail_api", opened=GmailTransport, serving=GmailServer),
}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Way]:
    with WAYS[request.param](tmp_path) as opened:
        yield opened
        opened.transport.close()
        opened.broken.close()


@pytest.fixture
def message(way: Way) -> Message:
    """One that the transport takes, for three recipients."""
    return way.message


# -- carrying ----------------------------------------------------------------------------------------


def test_it_carries_the_bytes_as_they_are(way: Way, message: Message) -> None:
    """Not a byte more, less or other, so that every attempt is the same mail."""
    way.transport.send(message)
    assert list(way.carried()) == [way.arrives(message)] * way.copies
    if way.arrives(message) == message.content:
        assert message_from_bytes(way.carried()[0])["Message-ID"] == message.message_id


def test_there_is_one_receipt_a_recipient_in_order(way: Way, message: Message) -> None:
    """Nobody is left without an answer."""
    receipts = way.transport.send(message)
    assert [receipt.recipient for receipt in receipts] == list(message.recipients)
    assert {receipt.state for receipt in receipts} == {"accepted"}
    assert all(receipt.text for receipt in receipts)


def test_some_of_the_recipients_get_the_same_bytes(way: Way, message: Message) -> None:
    """A retry for some is the very mail of the first attempt; without an envelope it names only them."""
    some = replace(message, recipients=message.recipients[1:2])
    assert [receipt.recipient for receipt in way.transport.send(some)] == list(some.recipients)
    named = message_from_bytes(way.carried()[0])["To"]
    way.transport.send(message)
    assert {_unaddressed(content) for content in way.carried()} == {_unaddressed(way.arrives(message))}
    if way.envelope:
        assert set(way.carried()) == {way.arrives(message)}
    else:
        assert [spec for _, spec in getaddresses([named])] == list(some.recipients)


def test_a_transport_can_be_used_again_and_after_it_was_closed(way: Way, message: Message) -> None:
    """A second attempt needs no new transport, and closing twice is closing."""
    for _ in range(2):
        assert {receipt.state for receipt in way.transport.send(message)} == {"accepted"}
    way.transport.close()
    way.transport.close()
    assert {receipt.state for receipt in way.transport.send(message)} == {"accepted"}


def _unaddressed(content: bytes) -> bytes:
    return re.sub(rb"\r\nTo: .*?(?=\r\n\S)", b"", content, count=1, flags=re.DOTALL)


# -- handing over ------------------------------------------------------------------------------------


def test_handing_over_is_told_once_and_before_anything_is_carried(way: Way, message: Message) -> None:
    """Whoever keeps the ledger can write it before the step that cannot be taken back."""
    seen: list[int] = []
    way.transport.send(message, lambda: seen.append(len(way.carried())))
    assert seen == [0]
    assert len(way.carried()) == way.copies


def test_what_handing_over_raises_stops_the_message(way: Way, message: Message) -> None:
    """Unchanged it comes out, nothing is carried, and the transport still works."""

    def superseded() -> None:
        raise Superseded("another sender has taken it over")

    with pytest.raises(Superseded, match="another sender"):
        way.transport.send(message, superseded)
    assert list(way.carried()) == []
    way.transport.send(message)
    assert list(way.carried()) == [way.arrives(message)] * way.copies


def test_nothing_is_handed_over_where_nothing_can_be_carried(way: Way, message: Message) -> None:
    """An error before it means for certain that nobody has anything."""
    handed_over: list[int] = []
    with pytest.raises(TransportError):
        way.broken.send(message, lambda: handed_over.append(1))
    assert handed_over == []


# -- what is known before ------------------------------------------------------------------------------


def test_the_size_limit_is_asked_without_carrying_anything(way: Way, message: Message) -> None:
    """In bytes, or nobody knows; always the same answer, and no error where nobody can be asked."""
    limit = way.transport.size_limit()
    assert limit is None or limit > len(message.content)
    assert way.transport.size_limit() == limit
    assert list(way.carried()) == []
    unasked = way.broken.size_limit()
    assert unasked is None or unasked > 0


def test_limits_are_known_without_asking(way: Way) -> None:
    """And there is always a number of recipients that one message may have."""
    assert isinstance(way.broken.limits, Limits)
    assert way.transport.limits.recipients >= 1


def test_a_check_tells_its_steps_and_carries_nothing(way: Way) -> None:
    """Each once, in order, with what was found on one line."""
    found = list(way.transport.check())
    assert [step for step, _ in found] == list(way.steps)
    assert all(said and "\n" not in said for _, said in found)
    assert list(way.carried()) == []


# -- what cannot work ----------------------------------------------------------------------------------


def test_what_cannot_be_carried_is_a_transport_error(way: Way, message: Message) -> None:
    """With where and what to do; it is about the account, so no other message would have fared better."""
    with pytest.raises(TransportError) as caught:
        way.broken.send(message)
    assert caught.value.where
    assert caught.value.hint
    assert caught.value.account


def test_a_check_names_the_step_that_fails(way: Way) -> None:
    """The text begins with it, and nothing is told twice."""
    steps = way.broken.check()
    with pytest.raises(TransportError) as caught:
        list(steps)
    assert caught.value.what.split(":")[0] in way.steps
    assert caught.value.where
    assert caught.value.hint
