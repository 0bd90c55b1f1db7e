"""Messages by the Gmail API, against a server that answers as its documentation says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from oauthserver import HANG_UP, Answer, GmailServer, gmail_error

from reports.errors import TransportError
from reports.model import Message, Receipt
from reports.settings import Mail
from reports.transports import open_transport
from reports.transports.gmail import GmailTransport

MakeMessage = Callable[..., Message]
GOOD = "token-1"


@pytest.fixture
def server() -> Iterator[GmailServer]:
    with GmailServer(takes=GOOD) as running:
        yield running


@pytest.fixture
def gmail(mail: Callable[..., Mail], server: GmailServer, tmp_path: Path) -> Iterator[GmailTransport]:
    """A transport to the server of the test with a token as its secret."""
    opened = open_transport(mail(GOOD, provider="gmail_api", ca_file=server.ca_file, timeout=5), tmp_path)
    assert isinstance(opened, GmailTransport)
    account = replace(opened.account, api=server.url, host="localhost", port=server.port)
    transport = GmailTransport(account, final_wait=5)
    yield transport
    transport.close()


def test_the_bytes_go_as_they_are(gmail: GmailTransport, server: GmailServer, message: MakeMessage) -> None:
    """And the receipt has Gmail's own id."""
    content = b"From: me@example.com\r\nTo: you@example.com\r\n\r\n.x\r\n" + b"y" * 100_000
    called: list[int] = []
    receipts = gmail.send(message("you@example.com", content=content), lambda: called.append(len(server.asked)))
    assert server.sent == [content]
    assert called == [0]
    text = "200 accepted by Gmail as g-1"
    assert receipts == [Receipt(recipient="you@example.com", state="accepted", code=200, text=text)]


def test_a_hundred_recipients_are_one_message(gmail: GmailTransport, server: GmailServer, message: MakeMessage) -> None:
    """More are several, each addressed to its own."""
    everyone = [f"r{number}@example.com" for number in range(150)]
    assert {one.state for one in gmail.send(message(*everyone))} == {"accepted"}
    assert [sent.count(b"@example.com,") + 1 for sent in server.sent] == [100, 50]


def test_a_message_over_35_megabytes_is_not_begun(
    gmail: GmailTransport, server: GmailServer, message: MakeMessage
) -> None:
    """The limit is that of the upload."""
    assert gmail.size_limit() == 36_700_160
    with pytest.raises(TransportError, match=r"36\.7 MB") as caught:
        gmail.send(message(content=b"x" * 36_700_161))
    assert caught.value.permanent
    assert server.asked == []


@pytest.mark.parametrize(
    ("reply", "permanent", "account", "said"),
    [
        (gmail_error(401, "authError", "Invalid Credentials"), True, True, "reports login"),
        (gmail_error(403, "insufficientPermissions", "Insufficient Permission"), True, True, "gmail.send"),
        (gmail_error(403, "userRateLimitExceeded", "User-rate limit exceeded"), False, True, "tried again"),
        (gmail_error(403, "dailyLimitExceeded", "Daily limit exceeded"), False, True, "tried again"),
        (gmail_error(429, "rateLimitExceeded", "Too many concurrent requests"), False, True, "tried again"),
        (gmail_error(413, "uploadTooLarge", "too large"), True, False, "size_limit"),
        (gmail_error(500, "backendError", "Backend Error"), False, False, "tried again"),
        (gmail_error(400, "invalidArgument", "Invalid To header"), True, False, ""),
    ],
)
def test_an_answer_says_whether_to_try_again(
    reply: Answer, *, permanent: bool, account: bool, said: str, gmail: GmailTransport, server: GmailServer,
    message: MakeMessage,
) -> None:  # fmt: skip
    """A rate limit that says 403 is no refusal."""
    server.replies["/send"] = reply
    with pytest.raises(TransportError, match=str(reply[0])) as caught:
        gmail.send(message())
    assert (caught.value.permanent, caught.value.account) == (permanent, account)
    assert said in caught.value.hint
    assert len(server.asked) == 1


def test_no_answer_after_the_message_had_gone_is_unknown(
    gmail: GmailTransport, server: GmailServer, message: MakeMessage
) -> None:
    """Never a second mail by guesswork."""
    server.replies["/send"] = HANG_UP
    assert [one.state for one in gmail.send(message())] == ["unknown"]


def test_a_check_needs_no_right_to_read(gmail: GmailTransport, server: GmailServer) -> None:
    """It looks at the profile, which gmail.send does not open, and sends nothing."""
    steps = dict(gmail.check())
    assert steps["login"] == "Gmail takes the token of me@example.com"
    assert server.sent == []
