"""What a check finds at a mail server, step by step."""

import datetime as dt
import itertools
import ssl
from email.utils import format_datetime

import pytest
import trustme
from mailserver import MailServer, Peer, Script, ScriptedServer
from sending import PASSWORD, STALE, TOKEN, USER, WRONG, MakeMail, MakeSmtp

from reports.errors import TransportError
from reports.transports import checks
from reports.transports.account import resolve
from reports.transports.smtp import SmtpTransport

STEPS = ["dns", "port", "tls", "greeting", "login", "sender", "size", "clock", "limits"]


def failed(sender: SmtpTransport) -> tuple[list[str], TransportError]:
    """The steps that went well, and the error of the one that did not."""
    done: list[str] = []
    with pytest.raises(TransportError) as caught:
        done.extend(step for step, _ in sender.check())
    return done, caught.value


def _polite(greeting: str = "220 scripted", *extensions: str) -> Script:
    """A server without TLS and login, with that greeting, that agrees to everything."""

    def script(peer: Peer) -> None:
        peer.say(greeting)
        peer.hear()
        lines = ["scripted", *extensions]
        peer.say("\r\n".join(f"250{'-' if line is not lines[-1] else ' '}{line}" for line in lines))
        while peer.hear():
            peer.say("250 ok")

    return script


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_everything_is_told_in_order_and_nothing_is_sent(security: str, smtp: MakeSmtp) -> None:
    """All that a person wants to know before the first report."""
    with MailServer(security=security, users={USER: PASSWORD}) as server:
        found = list(smtp(server, security=security, password=PASSWORD).check())
        assert (server.commands, server.messages, server.connections) == (["MAIL", "RSET"], [], 1)
    assert [step for step, _ in found] == STEPS
    told = dict(found)
    assert told["dns"] == "127.0.0.1 is 127.0.0.1"
    assert f"127.0.0.1:{server.port}" in told["port"]
    assert "TLSv1.3, certificate for localhost, 127.0.0.1, issued by trustme" in told["tls"]
    assert "valid until 3000-01-01" in told["tls"]
    assert "days left" in told["tls"]
    assert "mail.example.test" in told["greeting"]
    assert "PLAIN" in told["greeting"]
    assert told["login"] == f"logged in with PLAIN as {USER}"
    assert told["sender"] == f"{USER} may send"
    assert told["size"] == "messages up to 30.0 MB"
    assert told["limits"] == "none known"
    assert all("\n" not in line for line in told.values())


def test_a_secret_is_never_told(smtp: MakeSmtp) -> None:
    """Not even where the token is the user's name as well."""
    with MailServer(users={"token-1": "token-1"}) as server:
        found = dict(smtp(server, provider="postmark", security="starttls", password="token-1").check())
    assert found["login"] == "logged in with PLAIN as ***"
    assert "token-1" not in str(found)
    assert found["limits"] == "at most 50 recipients a message"


def test_a_server_without_login_or_tls_is_told_as_such(smtp: MakeSmtp) -> None:
    """As settings say."""
    with ScriptedServer(_polite()) as server:
        found = dict(smtp(server).check())
    assert found["tls"] == "not encrypted, as settings allow"
    assert found["login"] == "none, as settings say"
    assert found["size"] == "no size limit announced"
    assert found["greeting"] == "scripted; logins offered: none"


# -- steps that fail ----------------------------------------------------------------------------------


def test_a_host_that_is_not_known_fails_at_dns(mail: MakeMail) -> None:
    """Before anything is dialled."""
    account = resolve(mail(provider="custom", host="no-such-host.invalid", security="starttls"))
    done, error = failed(SmtpTransport(account))
    assert done == []
    assert error.what.startswith("dns: the host 'no-such-host.invalid' is not known")


def test_a_closed_port_fails_at_port(smtp: MakeSmtp) -> None:
    """With the host and the port."""
    with ScriptedServer(_polite()) as server:
        sender = smtp(server)
    done, error = failed(sender)
    assert done == ["dns"]
    assert error.what == "port: nothing listens there"
    assert str(server.port) in error.where
    assert error.hint


@pytest.mark.parametrize(
    ("values", "step", "word"),
    [
        ({"ca_file": ""}, "tls", "ca_file"),
        ({"security": "tls"}, "tls", "starttls"),
        ({"password": WRONG}, "login", "535"),
        ({"password": {"env": "NOT_SET_ANYWHERE"}}, "login", "NOT_SET_ANYWHERE"),
    ],
)
def test_the_error_names_the_step_and_what_to_do(
    values: dict[str, object], step: str, word: str, smtp: MakeSmtp
) -> None:
    """The steps before it went well."""
    with MailServer(users={USER: PASSWORD}) as server:
        done, error = failed(smtp(server, **{"password": PASSWORD, **values}))
    assert error.what.startswith(f"{step}: ")
    assert set(STEPS[: STEPS.index(step)]) >= set(done) >= {"dns", "port"}
    assert error.hint
    assert error.account
    assert word in str(error)


def test_a_refused_token_fails_at_login(smtp: MakeSmtp) -> None:
    """With the server's reason and the command that mends it."""
    with MailServer(tokens={USER: TOKEN}) as server:
        _, error = failed(smtp(server, password=STALE, auth="xoauth2"))
    assert error.what.startswith("login: ")
    assert "status 401" in error.what
    assert "reports login" in error.hint


def test_a_sender_who_is_not_allowed_fails_at_sender(smtp: MakeSmtp) -> None:
    """With the reply's meaning, or what to look at where nobody has written it down."""
    with MailServer(
        users={"me@163.com": PASSWORD}, replies={"MAIL": "553 Mail from must equal authorized user"}
    ) as server:
        values = {"provider": "163", "from": "Me <me@163.com>", "security": "starttls", "password": PASSWORD}
        done, error = failed(smtp(server, **values))
    assert done[-1] == "login"
    assert error.what.startswith("sender: the server refused the sender me@163.com: 553")
    assert "From address is not the address that logged in" in error.hint
    assert error.permanent
    with MailServer(replies={"MAIL": "550 5.7.1 no"}) as server:
        assert USER in failed(smtp(server))[1].hint


# -- clocks and certificates ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ahead", "word"),
    [(0, "within 60 s"), (-7200, "ahead of the server's"), (7200, "behind the server's"), (30, "within")],
)
def test_the_clock_is_held_against_the_greeting(ahead: int, word: str, smtp: MakeSmtp) -> None:
    """Exchange tells its time there; a skew of more than a minute is a warning."""
    told = format_datetime(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=ahead))
    greeting = f"220 AM0PR01.outlook.com Microsoft ESMTP MAIL Service ready at {told}"
    with ScriptedServer(_polite(greeting)) as server:
        line = dict(smtp(server).check())["clock"]
    assert word in line
    assert line.startswith("warning") is (abs(ahead) > 60)


@pytest.mark.parametrize(
    ("greeting", "line"),
    [
        ("220 mail.example.com", "the server's greeting does not tell its time"),
        ("220 ready at Sat, 99 Nov 2026 00:42:40 +0000", "the server's greeting does not tell its time"),
        ("220 ready at 1 Nov 2006 10:00:00 GMT", "warning"),
        ("220 ready at 1 Nov 2006 10:00:00 -0000", "warning"),
    ],
)
def test_a_greeting_may_tell_no_time_or_an_odd_one(greeting: str, line: str, smtp: MakeSmtp) -> None:
    """Nothing is invented."""
    with ScriptedServer(_polite(greeting)) as server:
        assert dict(smtp(server).check())["clock"].startswith(line)


def _server_of(authority: trustme.CA, *, starts: int, ends: int) -> ScriptedServer:
    """A server whose certificate is valid from and until so many days from now."""
    now = dt.datetime.now(dt.UTC)
    certificate = authority.issue_cert(
        "localhost", "127.0.0.1", not_before=now + dt.timedelta(starts), not_after=now + dt.timedelta(ends, 60)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return ScriptedServer(_polite(), context=context)


@pytest.mark.parametrize(("ends", "warns"), [(13, True), (14, False), (90, False)])
def test_a_certificate_that_ends_soon_is_a_warning(ends: int, *, warns: bool, smtp: MakeSmtp) -> None:
    """Two weeks before it does, with the days that are left."""
    authority = trustme.CA(organization_name="Example Trust")
    with authority.cert_pem.tempfile() as ca_file, _server_of(authority, starts=-1, ends=ends) as server:
        line = dict(smtp(server, security="tls", ca_file=ca_file).check())["tls"]
    assert f"{ends} days left" in line
    assert "issued by Example Trust" in line
    assert ("warning" in line) is warns


@pytest.mark.parametrize(("starts", "ends", "word"), [(2, 9, "not valid yet"), (-9, -2, "expired")])
def test_a_certificate_of_another_time_hints_at_the_clock(starts: int, ends: int, word: str, smtp: MakeSmtp) -> None:
    """It is this machine's more often than the server's that is wrong."""
    authority = trustme.CA()
    with authority.cert_pem.tempfile() as ca_file, _server_of(authority, starts=starts, ends=ends) as server:
        done, error = failed(smtp(server, security="tls", ca_file=ca_file))
    assert done == ["dns", "port"]
    assert error.what.startswith("tls: ")
    assert word in error.what
    assert "this machine's clock" in error.hint


def test_a_check_leaves_no_connection_open(smtp: MakeSmtp) -> None:
    """Nor where nobody reads it to its end, nor does it touch the one that sends."""
    with ScriptedServer(_polite()) as server:
        sender = smtp(server)
        steps = checks.steps(sender.account)
        assert [step for step, _ in itertools.islice(steps, 4)] == STEPS[:4]
        steps.close()  # type: ignore[attr-defined]
        assert len(list(sender.check())) == len(STEPS)
        assert server.connections == 2
