"""Messages by Microsoft Graph, against a server that answers as its documentation says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import replace
from email.utils import format_datetime
from pathlib import Path

import pytest
from oauthserver import HANG_UP, Answer, GraphServer, SignInServer, graph_error

from reports.errors import SettingsError, TransportError
from reports.model import Artifact, Message, Receipt, Report
from reports.settings import Mail
from reports.transports import api, https, mime, open_transport
from reports.transports.graph import CHUNK, ONE_REQUEST, GraphTransport
from reports.transports.oauth import sign_in

MakeMail = Callable[..., Mail]
MakeMessage = Callable[..., Message]
Send = Callable[..., list[Receipt]]
Open = Callable[..., GraphTransport]
GOOD = "token-1"


@pytest.fixture
def server() -> Iterator[GraphServer]:
    with GraphServer(takes=GOOD) as running:
        yield running


@pytest.fixture
def graph(mail: MakeMail, server: GraphServer, tmp_path: Path) -> Iterator[Open]:
    """Opens a transport to the server of the test with a token as its secret."""
    opened: list[GraphTransport] = []

    def make(token: str = GOOD, **values: object) -> GraphTransport:
        given = {"provider": "graph", "ca_file": server.ca_file, "timeout": 5, **values}
        transport = open_transport(mail(token, **given), tmp_path)
        assert isinstance(transport, GraphTransport)
        opened.append(at(server, transport))
        return opened[-1]

    yield make
    for transport in opened:
        transport.close()


def at(server: GraphServer, transport: GraphTransport) -> GraphTransport:
    """The same at the server's address, which settings name only together with [mail.oauth]."""
    return GraphTransport(replace(transport.account, api=server.url, host="localhost", port=server.port), final_wait=5)


def big(*sizes: int, to: tuple[str, ...] = ("Ann <a@example.com>", "b@example.com")) -> Message:
    """A report with files of those sizes, an inline picture and words beyond ASCII."""
    report = Report(
        job="sales",
        title="Sales",
        as_of=dt.date(2026, 10, 31),
        subject="Umsätze",
        html='<p>zwölf <img src="cid:chart"></p>',
        text="zwölf\n",
        images=[Artifact(name="chart.png", media_type="image/png", content=b"\x89PNG picture", cid="chart")],
        attachments=[
            Artifact(name=f"Blatt {n} ü.bin", media_type="application/octet-stream", content=bytes([n]) * size)
            for n, size in enumerate(sizes)
        ],
    )
    date = dt.datetime(2026, 11, 2, 7, tzinfo=dt.UTC)
    return mime.compose(report, sender="Mé <me@example.com>", to=to, reply_to="r@example.com", key="1", date=date)


def failed(transport: GraphTransport, message: Message) -> TransportError:
    with pytest.raises(TransportError) as caught:
        transport.send(message)
    return caught.value


# -- in one request --------------------------------------------------------------------------------------


def test_the_same_bytes_as_by_smtp_are_accepted_without_a_body(
    graph: Open, server: GraphServer, message: MakeMessage
) -> None:
    """202 says that Graph took it, not that it arrived; whoever is in no header is in a Bcc."""
    content = b"From: me@example.com\r\nTo: you@example.com\r\n\r\nx\r\n"
    receipts = graph().send(message("you@example.com", content=content))
    assert receipts == [Receipt(recipient="you@example.com", state="accepted", code=202, text="202 accepted by Graph")]
    assert server.sent == [content]
    assert server.paths() == ["/v1.0/me/sendMail"]


def test_the_step_that_cannot_be_taken_back_is_announced_once(
    graph: Open, server: GraphServer, message: MakeMessage
) -> None:
    """Right before it, and what that raises stops the sending."""
    asked: list[int] = []
    graph().send(message(), lambda: asked.append(len(server.asked)))
    assert asked == [0]

    def stop() -> None:
        raise KeyError("superseded")

    with pytest.raises(KeyError):
        graph().send(message(), stop)
    assert len(server.sent) == 1


def test_more_recipients_than_one_message_may_have_are_several(
    graph: Open, server: GraphServer, message: MakeMessage
) -> None:
    """Each goes to its own, announced once; what fails later leaves the first accepted."""
    everyone = [f"r{number}@example.com" for number in range(501)]
    called: list[int] = []
    server.replies["/sendMail"] = [(202, ""), graph_error(429, "TooManyRequests", "slow down")]
    server.headers = {"Retry-After": "30"}
    receipts = graph().send(message(*everyone), lambda: called.append(1))
    assert [one.state for one in receipts] == ["accepted"] * 500 + ["deferred"]
    assert (receipts[-1].recipient, receipts[-1].retry_after, called) == ("r500@example.com", 30, [1])


def test_the_program_itself_sends_from_the_named_mailbox(
    mail: MakeMail, server: GraphServer, tmp_path: Path, message: MakeMessage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Client credentials open no `me`; the token is asked for with the API's own scope."""
    monkeypatch.setenv("APP", "app-secret")
    with SignInServer() as signing:
        server.takes = "access-1"
        oauth = {"client_id": "app-1", "client_secret": {"env": "APP"}, "tenant": "example.com"}
        oauth |= {"authority": signing.url, "endpoint": server.url}
        transport = open_transport(mail(provider="m365_graph", ca_file=server.ca_file, oauth=oauth), tmp_path)
        transport.send(message())
        transport.close()
        assert signing.asked[-1].form["scope"] == f"{server.url}/.default"
    assert server.paths() == ["/v1.0/users/me%40example.com/sendMail"]


def test_whoever_signed_in_sends_as_me(
    mail: MakeMail, server: GraphServer, tmp_path: Path, message: MakeMessage
) -> None:
    """With the token of the sign-in."""
    with SignInServer() as signing:
        oauth = {"client_id": "app-1", "authority": signing.url, "endpoint": server.url}
        settings = mail(provider="graph", ca_file=server.ca_file, oauth=oauth)
        sign_in(settings, tmp_path, tell=lambda _: None)
        server.takes = "access-1"
        transport = open_transport(settings, tmp_path)
        assert [one.state for one in transport.send(message())] == ["accepted"]
        transport.close()
    assert server.paths() == ["/v1.0/me/sendMail"]


# -- in a draft ------------------------------------------------------------------------------------------


def test_a_large_message_is_a_draft_with_all_its_files(graph: Open, server: GraphServer) -> None:
    """Small files in one piece, large ones in ranges that the server checks; the Message-ID stays."""
    sent = big(100, ONE_REQUEST - 1, ONE_REQUEST, 2 * CHUNK, 2 * CHUNK + 1)
    called: list[list[str]] = []
    receipts = graph().send(sent, lambda: called.append(server.paths()[-1:]))
    (draft,) = server.drafts.values()
    assert [(one.recipient, one.state, one.code) for one in receipts] == [
        ("a@example.com", "accepted", 202),
        ("b@example.com", "accepted", 202),
    ]
    assert draft["sent"]
    assert (draft["subject"], draft["internetMessageId"]) == ("Umsätze", sent.message_id)
    assert draft["body"]["contentType"] == "html"
    assert "zwölf" in draft["body"]["content"]
    assert draft["from"] == {"emailAddress": {"name": "Mé", "address": "me@example.com"}}
    assert [one["emailAddress"]["address"] for one in draft["toRecipients"]] == ["a@example.com", "b@example.com"]
    assert draft["replyTo"][0]["emailAddress"]["address"] == "r@example.com"
    assert draft["internetMessageHeaders"] == [{"name": "X-Auto-Response-Suppress", "value": "All"}]
    assert {name: len(content) for name, (content, _) in draft["files"].items()} == {
        "chart.png": 12,
        "Blatt 0 ü.bin": 100,
        "Blatt 1 ü.bin": ONE_REQUEST - 1,
        "Blatt 2 ü.bin": ONE_REQUEST,
        "Blatt 3 ü.bin": 2 * CHUNK,
        "Blatt 4 ü.bin": 2 * CHUNK + 1,
    }
    assert all(
        content == bytes([n]) * len(content) for n in range(5) for content, _ in [draft["files"][f"Blatt {n} ü.bin"]]
    )
    picture = draft["files"]["chart.png"][1]
    assert (picture["isInline"], picture["contentId"], picture["contentType"]) == (True, "chart", "image/png")
    assert server.ranges == [
        f"bytes 0-{ONE_REQUEST - 1}/{ONE_REQUEST}",
        f"bytes 0-{CHUNK - 1}/{2 * CHUNK}",
        f"bytes {CHUNK}-{2 * CHUNK - 1}/{2 * CHUNK}",
        f"bytes 0-{CHUNK - 1}/{2 * CHUNK + 1}",
        f"bytes {CHUNK}-{2 * CHUNK - 1}/{2 * CHUNK + 1}",
        f"bytes {2 * CHUNK}-{2 * CHUNK}/{2 * CHUNK + 1}",
    ]
    assert called == [["/upload/u3"]]
    assert server.paths()[-1] == "/v1.0/me/messages/draft-1/send"


def test_a_retry_of_a_large_message_names_only_those_who_lack_it(graph: Open, server: GraphServer) -> None:
    """Whoever was accepted before is in no list of the draft, and a hidden recipient in the hidden one."""
    graph().send(replace(big(ONE_REQUEST), recipients=("b@example.com", "hidden@example.com")))
    (draft,) = server.drafts.values()
    people = {
        key: [one["emailAddress"]["address"] for one in draft.get(key, [])] for key in ("toRecipients", "bccRecipients")
    }
    assert people == {"toRecipients": ["b@example.com"], "bccRecipients": ["hidden@example.com"]}


@pytest.mark.parametrize("step", ["/attachments", "/createUploadSession", "/upload/u1", "/send"])
@pytest.mark.parametrize("reply", [graph_error(503, "ServiceUnavailable", "later"), graph_error(400, "Bad", "no")])
def test_a_draft_that_cannot_be_finished_is_taken_away(
    step: str, reply: Answer, graph: Open, server: GraphServer
) -> None:
    """Nobody got it, and no leftover lies in the mailbox."""
    server.replies[step] = reply
    error = failed(graph(), big(ONE_REQUEST))
    assert error.permanent is (reply[0] == 400)
    assert server.drafts == {}
    assert "s3cr3t" not in str(error)


def test_a_draft_whose_sending_stays_without_an_answer_is_unknown(graph: Open, server: GraphServer) -> None:
    """It may have gone, so it is left alone."""
    server.replies["/send"] = HANG_UP
    assert {one.state for one in graph().send(big(ONE_REQUEST))} == {"unknown"}
    assert list(server.drafts) == ["draft-1"]


def test_whoever_lost_the_lease_leaves_no_draft(graph: Open, server: GraphServer) -> None:
    """What the announcement raises stops it before the step."""

    def stop() -> None:
        raise KeyError("superseded")

    with pytest.raises(KeyError):
        graph().send(big(ONE_REQUEST), stop)
    assert server.drafts == {}


def test_an_upload_goes_nowhere_unsafe(graph: Open, server: GraphServer) -> None:
    """A file is not sent in the clear because an answer says so."""
    server.replies["/createUploadSession"] = (201, {"uploadUrl": "http://upload.example.com/?authtoken=s3cr3t"})
    assert "no safe address" in failed(graph(), big(ONE_REQUEST)).what


def test_an_upload_that_does_not_go_on_is_given_up(graph: Open, server: GraphServer) -> None:
    """Never the same piece for ever."""
    server.replies["/upload/u1"] = (200, {"nextExpectedRanges": ["0-"]})
    error = failed(graph(), big(ONE_REQUEST))
    assert not error.permanent
    assert len(server.paths("PUT")) == 1


# -- what answers mean -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "permanent", "account", "said"),
    [
        (graph_error(401, "InvalidAuthenticationToken", "expired"), True, True, "reports login"),
        (graph_error(403, "ErrorAccessDenied", "denied"), True, True, "Mail.Send"),
        (graph_error(404, "ErrorInvalidUser", "gone"), True, True, "mailbox me@example.com"),
        (graph_error(413, "RequestBodyTooLarge", "large"), True, False, "size_limit"),
        (graph_error(429, "TooManyRequests", "slow"), False, True, "tried again"),
        (graph_error(503, "ServiceUnavailable", "busy"), False, True, "tried again"),
        (graph_error(500, "InternalServerError", "oops"), False, False, "tried again"),
        ((502, "<html>gateway"), False, False, "tried again"),
        (graph_error(400, "ErrorInvalidRecipients", "bad"), True, False, ""),
        ((302, ""), True, False, ""),
    ],
)
def test_an_answer_says_whether_to_try_again_and_what_to_do(
    reply: Answer, *, permanent: bool, account: bool, said: str, graph: Open, server: GraphServer,
    message: MakeMessage,
) -> None:  # fmt: skip
    """Once each: a refused login is never tried twice."""
    server.replies["/sendMail"] = reply
    error = failed(graph(), message())
    assert (error.permanent, error.account) == (permanent, account)
    assert said in error.hint
    assert str(reply[0]) in error.what
    assert GOOD not in str(error)
    assert len(server.asked) == 1


def test_throttling_names_the_wait(graph: Open, server: GraphServer, message: MakeMessage) -> None:
    """In seconds, or as a date against the server's own clock."""
    server.replies["/sendMail"] = graph_error(429, "TooManyRequests", "slow")
    server.headers = {"Retry-After": "17"}
    assert failed(graph(), message()).retry_after == 17
    now = dt.datetime(2026, 11, 2, 7, tzinfo=dt.UTC)
    server.headers = {"Retry-After": format_datetime(now + dt.timedelta(seconds=90)), "Date": format_datetime(now)}
    assert failed(graph(), message()).retry_after == 90


def test_no_answer_after_the_message_had_gone_is_unknown(
    graph: Open, server: GraphServer, message: MakeMessage
) -> None:
    """A lost connection and a silence alike, for every recipient."""
    server.replies["/sendMail"] = HANG_UP
    receipts = graph().send(message("a@example.com", "b@example.com"))
    assert [(one.recipient, one.state) for one in receipts] == [
        ("a@example.com", "unknown"),
        ("b@example.com", "unknown"),
    ]
    assert "sent mail" in receipts[0].hint
    server.replies.clear()
    server.pause = 1.0
    slow = graph()
    slow.final_wait = 0.2
    assert [one.state for one in slow.send(message())] == ["unknown"]


def test_a_connection_lost_before_the_message_had_gone_can_be_tried_again(graph: Open, server: GraphServer) -> None:
    """The server hangs up while it is still being told: nobody has it."""
    server.hang_up_early = True
    error = failed(graph(size_limit=40_000_000), big(2_000_000))
    assert not error.permanent


def test_a_server_that_is_not_there_can_be_tried_again(graph: Open, server: GraphServer, message: MakeMessage) -> None:
    """And the step was announced, which does no harm: it is known that nobody got it."""
    with GraphServer() as gone:
        transport = at(gone, graph())
    error = failed(transport, message())
    assert (error.permanent, error.account) == (False, True)


def test_a_message_over_the_limit_is_not_begun(graph: Open, server: GraphServer, message: MakeMessage) -> None:
    """Both sizes are told."""
    error = failed(graph(size_limit=1000), message(content=b"x" * 1001))
    assert error.permanent
    assert "1,001 bytes" in error.what
    assert server.asked == []


# -- check and settings ------------------------------------------------------------------------------------


def test_a_check_tells_the_steps_and_sends_nothing(graph: Open, server: GraphServer) -> None:
    """That the mailbox may not be read is no fault: sending needs less."""
    steps = dict(graph().check())
    assert list(steps) == ["dns", "port", "tls", "login", "clock", "size", "limits"]
    assert "TLSv1.3, certificate for localhost" in steps["tls"]
    assert steps["login"] == "Graph takes the token of me@example.com"
    assert "30 messages a minute" in steps["limits"]
    assert server.paths() == ["/v1.0/me"]


def test_a_check_stops_at_the_step_that_fails(graph: Open, server: GraphServer) -> None:
    """And names it: a wrong token, a wrong clock, a certificate nobody vouches for, nothing there."""
    with GraphServer() as gone:
        absent = at(gone, graph())
    for transport, step in ((absent, "port"), (graph(ca_file=""), "tls"), (graph("stale"), "login")):
        with pytest.raises(TransportError, match=f"^{step}: "):
            list(transport.check())


def test_a_clock_that_is_off_is_told() -> None:
    """Tokens are refused by clocks that are wrong."""
    past = format_datetime(dt.datetime.now(dt.UTC) - dt.timedelta(hours=1), usegmt=True)
    with pytest.raises(TransportError, match=r"3,\d{3} s ahead"):
        api._clock(https.Answer(200, headers={"Date": past}))
    assert "does not tell" in api._clock(https.Answer(200))


@pytest.mark.parametrize("key", ["host", "port", "security", "auth"])
def test_keys_of_smtp_do_not_go_with_an_api(key: str, mail: MakeMail, tmp_path: Path) -> None:
    """They would be ignored in silence."""
    value = {"host": "mail.example.com", "port": 587, "security": "tls", "auth": "xoauth2"}[key]
    with pytest.raises(SettingsError) as caught:
        open_transport(mail(GOOD, provider="graph", **{key: value}), tmp_path)
    assert caught.value.where == f"mail.{key}"


def test_graph_without_a_login_says_what_to_add(mail: MakeMail, tmp_path: Path) -> None:
    """The section and the command."""
    with pytest.raises(SettingsError, match="needs a login") as caught:
        open_transport(mail(provider="graph"), tmp_path)
    assert caught.value.where == "mail.oauth"
    assert "reports login" in caught.value.hint


def test_no_repr_shows_the_token(graph: Open, message: MakeMessage) -> None:
    """Not even after it was used."""
    transport = graph()
    transport.send(message())
    assert GOOD not in repr(transport) + repr(transport.web)
