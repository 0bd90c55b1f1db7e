"""The conversation with a server: logins, TLS, and connections that break where they hurt."""

import base64
import hmac
import socket
import ssl
import time

import pytest
import trustme
from mailserver import MailServer, Peer, ScriptedServer, authority
from sending import PASSWORD, STALE, TOKEN, USER, WRONG, MakeMail, MakeMessage, MakeSmtp, failure

from reports.transports.account import resolve
from reports.transports.smtp import SmtpTransport

# -- logins ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_the_login_uses_what_the_server_offers(mechanism: str, smtp: MakeSmtp, message: MakeMessage) -> None:
    """A server with one mechanism gets that one."""
    with MailServer(users={USER: PASSWORD}, mechanisms=[mechanism]) as server:
        smtp(server, password=PASSWORD).send(message())
        assert server.logins == [mechanism]
        assert server.messages[0].user == USER


def test_an_access_token_logs_in_with_xoauth2(smtp: MakeSmtp, message: MakeMessage) -> None:
    """With auth = "xoauth2" the secret is the token."""
    with MailServer(tokens={USER: TOKEN}) as server:
        receipts = smtp(server, password=TOKEN, auth="xoauth2").send(message())
        assert receipts[0].state == "accepted"
        assert server.logins == ["XOAUTH2"]


def test_cram_md5_answers_the_challenge(smtp: MakeSmtp, message: MakeMessage) -> None:
    """The password itself is never sent with it."""
    heard: list[str] = []

    def script(peer: Peer) -> None:
        peer.greet("AUTH CRAM-MD5")
        heard.append(peer.hear())
        peer.say("334 " + base64.b64encode(b"<17.4@scripted>").decode())
        heard.append(base64.b64decode(peer.hear()).decode())
        peer.say("235 welcome")
        peer.hear()

    with ScriptedServer(script) as server:
        failure(smtp(server, password=PASSWORD), message())
    digest = hmac.new(PASSWORD.encode(), b"<17.4@scripted>", "md5").hexdigest()
    assert heard == ["AUTH CRAM-MD5", f"{USER} {digest}"]


def test_a_provider_with_one_mechanism_is_given_that_one(smtp: MakeSmtp, message: MakeMessage) -> None:
    """SparkPost takes LOGIN alone, whatever else is offered."""
    with MailServer(users={"SMTP_Injection": PASSWORD}) as server:
        values = {"provider": "sparkpost", "security": "starttls", "password": PASSWORD}
        smtp(server, **values).send(message())
        assert server.logins == ["LOGIN"]


def test_what_comes_in_the_clear_after_starttls_is_forgotten(smtp: MakeSmtp) -> None:
    """Nobody between can put words into the server's mouth before TLS begins."""
    heard: list[str] = []

    def script(peer: Peer) -> None:
        peer.greet("STARTTLS")
        peer.hear()
        peer.say(b"220 go on\r\n250-forged\r\n250 SIZE 5242880\r\n")
        peer.start_tls()
        heard.append(peer.hear())
        peer.say("250-real\r\n250 SIZE 1048576")
        peer.hear()

    with ScriptedServer(script) as server, authority().cert_pem.tempfile() as ca_file:
        assert smtp(server, security="starttls", ca_file=ca_file).size_limit() == 1_048_576
    assert heard[0].upper().startswith("EHLO")


# -- logins that fail ------------------------------------------------------------------------------


def test_a_wrong_password_is_tried_once_and_never_shown(smtp: MakeSmtp, message: MakeMessage) -> None:
    """One attempt, permanent, and neither the password nor its base64 form is in any text."""
    echo = base64.b64encode(f"\0{USER}\0wrong horse".encode()).decode()
    with MailServer(users={USER: PASSWORD}, replies={"AUTH": f"535 5.7.8 no: wrong horse {echo}"}) as server:
        error = failure(smtp(server, password=WRONG), message())
        assert len(server.logins) == 1
    assert error.permanent
    assert "535" in error.what
    assert "wrong horse" not in f"{error} {error!r} {error.__cause__!r}"
    assert echo not in str(error)


def test_the_providers_sentence_tells_what_to_do(smtp: MakeSmtp, message: MakeMessage) -> None:
    """A refusal that is known is explained in the provider's own words."""
    text = "535 Login Fail. Please enter your authorization code to login."
    with MailServer(users={"me@qq.com": PASSWORD}, replies={"AUTH": text}) as server:
        values = {"provider": "qq", "from": "me@qq.com", "security": "starttls"}
        error = failure(smtp(server, password=WRONG, **values), message(sender="me@qq.com"))
    assert "授权码" in error.hint
    assert error.permanent


def test_a_temporary_login_failure_may_be_tried_again(smtp: MakeSmtp, message: MakeMessage) -> None:
    """454 is about the server, not about the password."""
    with MailServer(users={USER: PASSWORD}, replies={"AUTH": "454 4.7.0 later"}) as server:
        assert not failure(smtp(server, password=PASSWORD), message()).permanent


def test_a_refused_token_is_explained(smtp: MakeSmtp, message: MakeMessage) -> None:
    """What the server says in its 334 is decoded and told in words, with the command that mends it."""
    with MailServer(tokens={USER: TOKEN}) as server:
        error = failure(smtp(server, password=STALE, auth="xoauth2"), message())
        assert server.logins == ["XOAUTH2"]
    assert "535" in error.what
    assert "(status 401, schemes bearer mac, scope https://mail.google.com/)" in error.what
    assert "reports login" in error.hint
    assert (error.permanent, error.account) == (True, True)
    assert STALE not in str(error)


@pytest.mark.parametrize("explains", ["", "no JSON at all", '"a word"'])
def test_a_token_refused_without_a_reason_is_told_too(explains: str, smtp: MakeSmtp, message: MakeMessage) -> None:
    """Microsoft says a bare 535, and somebody else may say anything."""
    with MailServer(tokens={USER: TOKEN}, explains=explains) as server:
        error = failure(smtp(server, password=STALE, auth="xoauth2"), message())
    assert "535" in error.what
    assert explains in error.what
    assert "reports login" in error.hint


@pytest.mark.parametrize("provider", ["gmail", "m365"])
def test_an_expired_token_is_no_wrong_password(provider: str, smtp: MakeSmtp, message: MakeMessage) -> None:
    """The hint is to sign in again, not to fetch an app password."""
    replies = {"AUTH": "535 5.7.3 Authentication unsuccessful" if provider == "m365" else "535 5.7.8 BadCredentials"}
    explains = "" if provider == "m365" else '{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}'
    with MailServer(tokens={USER: TOKEN}, replies=replies, explains=explains) as server:
        values = {"provider": provider, "security": "starttls", "auth": "xoauth2"}
        error = failure(smtp(server, password=STALE, **values), message())
    assert "reports login" in error.hint
    assert "app password" not in error.hint


def test_a_login_that_fails_is_about_the_account(smtp: MakeSmtp, message: MakeMessage) -> None:
    """No other message would fare better, whether it may be tried again or not."""
    for reply, permanent in (("535 5.7.8 no", True), ("454 4.7.0 later", False), ("421 4.7.0 busy", False)):
        with MailServer(users={USER: PASSWORD}, replies={"AUTH": reply}) as server:
            error = failure(smtp(server, password=PASSWORD), message())
        assert (error.permanent, error.account) == (permanent, True)


def test_a_mechanism_that_is_not_offered_is_not_tried(smtp: MakeSmtp, message: MakeMessage) -> None:
    """The error names what the server has."""
    with MailServer(users={USER: PASSWORD}, mechanisms=["LOGIN"]) as server:
        error = failure(smtp(server, password=PASSWORD, auth="cram-md5"), message())
        assert server.logins == []
    assert "LOGIN" in error.what


def test_a_missing_secret_is_named_by_its_place(smtp: MakeSmtp, message: MakeMessage) -> None:
    """Nothing is sent and the error says which variable is not set."""
    with MailServer(users={USER: PASSWORD}) as server:
        sender = smtp(server, password={"env": "NOT_SET_ANYWHERE"})
        error = failure(sender, message())
    assert (error.permanent, error.account) == (True, True)
    assert "NOT_SET_ANYWHERE" in str(error)


# -- TLS that is not safe -----------------------------------------------------------------------------


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_nobody_vouches_for_is_refused(security: str, smtp: MakeSmtp, message: MakeMessage) -> None:
    """Self-signed means no login and no message, and the hint names ca_file."""
    with MailServer(security=security, users={USER: PASSWORD}) as server:
        sender = smtp(server, security=security, password=PASSWORD, ca_file="")
        error = failure(sender, message())
        assert server.logins == []
    assert error.permanent
    assert "ca_file" in error.hint


def test_a_certificate_for_another_host_is_refused(smtp: MakeSmtp, message: MakeMessage, tmp_path: object) -> None:
    """The name in the certificate is compared with the host."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("other.example.com").configure_cert(context)
    with (
        authority.cert_pem.tempfile() as ca_file,
        ScriptedServer(lambda peer: peer.greet(), context=context) as server,
    ):
        error = failure(smtp(server, security="tls", ca_file=ca_file), message())
    assert error.permanent
    assert "certificate" in error.what


def test_without_starttls_nothing_is_said(smtp: MakeSmtp, message: MakeMessage) -> None:
    """A server, or somebody between, that hides STARTTLS gets neither login nor message."""
    with MailServer(security="none", users={USER: PASSWORD}) as server:
        error = failure(smtp(server, security="starttls", password=PASSWORD), message())
        assert (server.logins, server.commands) == ([], [])
    assert (error.permanent, error.account) == (True, True)
    assert "STARTTLS" in error.what


def test_tls_on_a_port_that_starts_in_the_clear_names_the_setting(smtp: MakeSmtp, message: MakeMessage) -> None:
    """The usual mix-up of 465 and 587 is recognised."""
    with MailServer() as server:
        error = failure(smtp(server, security="tls"), message())
    assert "starttls" in error.hint


def test_a_file_of_certificates_that_is_none_is_named(smtp: MakeSmtp, message: MakeMessage) -> None:
    """ca_file has to exist and to hold certificates."""
    with MailServer() as server:
        error = failure(smtp(server, ca_file="/nowhere/ca.pem"), message())
    assert "ca_file" in error.where


# -- connections that break ------------------------------------------------------------------------------


def test_lost_before_the_message_may_be_tried_again(smtp: MakeSmtp, message: MakeMessage) -> None:
    """Hanging up at DATA leaves nobody with the message."""

    def script(peer: Peer) -> None:
        peer.greet()
        for _ in range(2):
            peer.hear()
            peer.say("250 ok")
        peer.hear()

    with ScriptedServer(script) as server:
        error = failure(smtp(server), message())
    assert (error.permanent, error.account) == (False, False)
    assert "DATA" in error.what


def test_lost_in_the_middle_of_the_message_may_be_tried_again(smtp: MakeSmtp, message: MakeMessage) -> None:
    """Half a message is no message."""

    def script(peer: Peer) -> None:
        peer.until_content()
        peer.hear()
        peer.reset()

    with ScriptedServer(script) as server:
        error = failure(smtp(server), message(content=b"a line\r\n" * 4_000_000))
    assert (error.permanent, error.account) == (False, False)
    assert "before the message had gone out" in error.what


def test_never_a_word_after_half_a_message(smtp: MakeSmtp, message: MakeMessage) -> None:
    """A goodbye would be a line of it, or a dot its end: the connection is dropped."""
    heard: list[bytes] = []

    def script(peer: Peer) -> None:
        peer.until_content()
        time.sleep(0.6)
        heard.append(peer.take_content())

    with ScriptedServer(script) as server:
        error = failure(smtp(server, timeout=0.2), message(content=b"a line\r\n" * 4_000_000))
        time.sleep(0.6)
    assert "timed out" in error.what
    assert not heard[0].endswith(b"QUIT\r\n")
    assert b"a line" in heard[0]


def test_a_drop_at_any_command_may_be_tried_again(smtp: MakeSmtp, message: MakeMessage) -> None:
    """Before the content nobody has anything."""
    for commands in range(3):

        def script(peer: Peer, commands: int = commands) -> None:
            peer.greet()
            for _ in range(commands):
                peer.hear()
                peer.say("250 ok")
            peer.hear()
            peer.reset()

        with ScriptedServer(script) as server:
            error = failure(smtp(server), message())
        assert (error.permanent, error.account) == (False, False)
        assert ("MAIL", "RCPT", "DATA")[commands] in error.what


def test_an_answer_of_one_byte_at_a_time_is_waited_for(smtp: MakeSmtp, message: MakeMessage) -> None:
    """Slow is not silent: the timeout is about silence."""

    def script(peer: Peer) -> None:
        peer.greet()
        for answer in ("250 ok", "250 ok", "354 go on"):
            peer.hear()
            peer.say(answer, pause=0.04)
        peer.take_content()
        peer.say("250 taken", pause=0.04)
        peer.hear()

    with ScriptedServer(script) as server:
        assert smtp(server, timeout=0.3).send(message())[0].state == "accepted"


def test_no_answer_to_a_command_may_be_tried_again(smtp: MakeSmtp, message: MakeMessage) -> None:
    """A server that takes the connection and then is silent."""

    def script(peer: Peer) -> None:
        peer.greet()
        peer.hear()
        peer.sleep()

    with ScriptedServer(script) as server:
        error = failure(smtp(server, timeout=0.2), message())
    assert not error.permanent
    assert "at MAIL: timed out" in error.what


def test_a_server_that_answers_before_it_was_asked_gets_no_content(smtp: MakeSmtp, message: MakeMessage) -> None:
    """Else an early 250 would be taken for the answer to the final dot."""

    def script(peer: Peer) -> None:
        peer.greet()
        for answer in ("250 ok", "250 ok", "354 go on\r\n250 taken"):
            peer.hear()
            peer.say(answer)
        peer.hear()

    with ScriptedServer(script) as server:
        error = failure(smtp(server), message())
    assert "more than it was asked" in error.what
    assert not error.permanent


def test_lost_after_the_final_dot_is_unknown(smtp: MakeSmtp, message: MakeMessage) -> None:
    """Nobody can know whether it was taken, and the receipts say so."""

    def script(peer: Peer) -> None:
        peer.until_content()
        peer.take_content()

    with ScriptedServer(script) as server:
        receipts = smtp(server).send(message("a@example.com", "b@example.com"))
    assert [one.state for one in receipts] == ["unknown", "unknown"]
    assert receipts[0].hint


def test_no_answer_after_the_final_dot_is_unknown_too(smtp: MakeSmtp, message: MakeMessage) -> None:
    """The wait after the dot has its own length, apart from the timeout of the connection."""

    def script(peer: Peer) -> None:
        peer.until_content()
        peer.take_content()
        peer.sleep()

    with ScriptedServer(script) as server:
        began = time.monotonic()
        receipts = smtp(server, final_wait=0.3).send(message())
        assert time.monotonic() - began < 4
    assert receipts[0].state == "unknown"


def test_a_slow_answer_after_the_final_dot_outlives_the_timeout(smtp: MakeSmtp, message: MakeMessage) -> None:
    """A server that scans the attachments for a while is waited for."""

    def script(peer: Peer) -> None:
        peer.until_content()
        peer.take_content()
        time.sleep(0.8)
        peer.say("250 ok at last")
        peer.hear()

    with ScriptedServer(script) as server:
        receipts = smtp(server, timeout=0.4).send(message())
    assert receipts[0].state == "accepted"


def test_a_server_that_says_nothing_is_given_up(smtp: MakeSmtp, message: MakeMessage) -> None:
    """The timeout holds from the first byte on."""
    with ScriptedServer(Peer.sleep) as server:
        error = failure(smtp(server, timeout=0.2), message())
    assert not error.permanent
    assert "0.2 s" in error.what


@pytest.mark.parametrize("goodbye", [b"\0\0\0\r\n", b"500 what?\r\n", b""])
def test_an_odd_goodbye_changes_nothing(goodbye: bytes, smtp: MakeSmtp, message: MakeMessage) -> None:
    """What comes after the 250 undoes no success: another attempt would be a second mail."""

    def script(peer: Peer) -> None:
        peer.until_content()
        peer.take_content()
        peer.say("250 taken")
        peer.hear()
        peer.say(goodbye)

    with ScriptedServer(script) as server:
        sender = smtp(server)
        assert sender.send(message())[0].state == "accepted"
        sender.close()
        assert sender.send(message())[0].state == "accepted"


def test_a_server_may_hang_up_right_after_it_took_the_message(smtp: MakeSmtp, message: MakeMessage) -> None:
    """The 250 counts, and closing says goodbye to nobody."""

    def script(peer: Peer) -> None:
        peer.until_content()
        peer.take_content()
        peer.say("250 taken")
        peer.reset()

    with ScriptedServer(script) as server:
        sender = smtp(server)
        assert sender.send(message())[0].state == "accepted"
        sender.close()


@pytest.mark.parametrize("answer", ["what?", "354 go on", "20x taken", "x" * 70_000])
def test_an_answer_that_means_nothing_after_the_dot_is_unknown(
    answer: str, smtp: MakeSmtp, message: MakeMessage
) -> None:
    """Garbage is no yes and no no."""

    def script(peer: Peer) -> None:
        peer.until_content()
        peer.take_content()
        peer.say(answer)

    with ScriptedServer(script) as server:
        assert smtp(server).send(message())[0].state == "unknown"


def test_nothing_listening_is_told_with_host_and_port(mail: MakeMail, message: MakeMessage) -> None:
    """Not permanent: the server may be on its way up."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    account = resolve(mail(provider="custom", host="127.0.0.1", port=port, security="none"))
    error = failure(SmtpTransport(account), message())
    assert (error.permanent, error.account) == (False, True)
    assert str(port) in error.where


def test_a_banner_that_refuses_is_told(smtp: MakeSmtp, message: MakeMessage) -> None:
    """554 instead of a greeting is permanent, with the server's words."""
    with ScriptedServer(lambda peer: peer.say("554 5.7.1 you are blocked")) as server:
        error = failure(smtp(server), message())
    assert (error.permanent, error.account) == (True, True)
    assert "you are blocked" in error.what


def test_a_banner_of_421_may_be_tried_again(smtp: MakeSmtp, message: MakeMessage) -> None:
    """The server is busy, for every message alike."""
    with ScriptedServer(lambda peer: peer.say("421 4.3.2 too busy")) as server:
        error = failure(smtp(server), message())
    assert (error.permanent, error.account) == (False, True)
    assert "too busy" in error.what
