"""Messages by SMTP: receipts, groups, sizes and checks, against a real server."""

import pytest
from mailserver import MailServer
from sending import PASSWORD, USER, WRONG, MakeMail, MakeMessage, MakeSmtp, failure

from reports.errors import TransportError
from reports.transports.account import resolve
from reports.transports.smtp import SmtpTransport

# -- what goes well ----------------------------------------------------------------------------------


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_message_arrives_whole_after_a_login_over_tls(security: str, smtp: MakeSmtp, message: MakeMessage) -> None:
    """With either kind of TLS the server gets the very bytes, dots at line starts included."""
    with MailServer(security=security, users={USER: PASSWORD}) as server:
        sent = message("a@example.com", "b@example.com")
        receipts = smtp(server, security=security, password=PASSWORD).send(sent)
        (received,) = server.messages
    assert [(one.recipient, one.state, one.code) for one in receipts] == [
        ("a@example.com", "accepted", 250),
        ("b@example.com", "accepted", 250),
    ]
    assert "4711" in receipts[0].text
    assert received.content == sent.content
    assert (received.user, received.sender, received.tls) == (USER, USER, True)


def test_line_ends_are_made_crlf_and_every_dot_survives(smtp: MakeSmtp, message: MakeMessage) -> None:
    """Bytes that were not written by us still arrive as lines, and a lone dot does not end them."""
    with MailServer() as server:
        smtp(server).send(message(content=b"a: b\n\n.\n..\r\nend"))
        assert server.messages[0].content == b"a: b\r\n\r\n.\r\n..\r\nend\r\n"


def test_many_recipients_go_in_groups_with_the_same_bytes(smtp: MakeSmtp, message: MakeMessage) -> None:
    """More than a hundred recipients are more than one envelope, in one connection."""
    everyone = [f"r{number}@example.com" for number in range(230)]
    with MailServer() as server:
        receipts = smtp(server).send(message(*everyone))
        assert [len(one.recipients) for one in server.messages] == [100, 100, 30]
        assert len({one.content for one in server.messages}) == 1
    assert [one.recipient for one in receipts] == everyone


def test_addresses_beyond_ascii_use_smtputf8_only_when_needed(smtp: MakeSmtp, message: MakeMessage) -> None:
    """The extension is asked for by such a message alone."""
    with MailServer() as server:
        sender = smtp(server)
        sender.send(message())
        assert sender.send(message("jürgen@example.com"))[0].state == "accepted"
        assert "SMTPUTF8" not in server.messages[0].options
        assert "SMTPUTF8" in server.messages[1].options


def test_a_server_without_smtputf8_gets_no_such_address(smtp: MakeSmtp, message: MakeMessage) -> None:
    """It is refused here, naming the address."""
    with MailServer(smtputf8=False) as server:
        error = failure(smtp(server), message("jürgen@example.com"))
        assert error.permanent
        assert "jürgen@example.com" in error.what
        assert server.commands == []


def test_a_forged_address_never_reaches_the_wire(mail: MakeMail, message: MakeMessage) -> None:
    """A line break in a recipient is refused before a connection is made."""
    account = resolve(mail(provider="custom", host="127.0.0.1", port=1, security="none"))
    error = failure(SmtpTransport(account), message("a@example.com>\r\nRCPT TO:<b@example.com"))
    assert error.permanent


# -- refusals ------------------------------------------------------------------------------------------


def test_each_refused_recipient_has_its_own_receipt(smtp: MakeSmtp, message: MakeMessage) -> None:
    """5xx is refused, 4xx deferred, and the others get the message."""
    replies = {"RCPT no@example.com": "550 5.1.1 no such user", "RCPT late@example.com": "450 4.2.1 busy"}
    with MailServer(replies=replies) as server:
        receipts = smtp(server).send(message("no@example.com", "yes@example.com", "late@example.com"))
        assert server.messages[0].recipients == ("yes@example.com",)
    assert [(one.state, one.code) for one in receipts] == [
        ("refused", 550),
        ("accepted", 250),
        ("deferred", 450),
    ]
    assert "typing error" in receipts[0].hint


def test_when_all_are_refused_no_content_is_sent(smtp: MakeSmtp, message: MakeMessage) -> None:
    """Each is told by a receipt, and nobody got it."""
    with MailServer(replies={"RCPT": "550 5.1.1 no"}) as server:
        receipts = smtp(server).send(message("a@example.com", "b@example.com"))
        assert server.messages == []
    assert {one.state for one in receipts} == {"refused"}


def test_421_at_a_recipient_means_that_nobody_got_it(smtp: MakeSmtp, message: MakeMessage) -> None:
    """Recipients accepted before it count for nothing: all may be tried again."""
    with MailServer(replies={"RCPT b@example.com": "421 4.3.2 going down"}) as server:
        error = failure(smtp(server), message("a@example.com", "b@example.com"))
        assert server.messages == []
    assert not error.permanent
    assert "421" in error.what


def test_a_later_failure_keeps_the_answers_given_before(smtp: MakeSmtp, message: MakeMessage) -> None:
    """Whoever was refused stays refused; the rest is deferred with the error's words."""
    replies = {"RCPT no@example.com": "550 5.1.1 no", "DATA": "451 4.3.0 disk trouble"}
    with MailServer(replies=replies) as server:
        receipts = smtp(server).send(message("no@example.com", "yes@example.com"))
    assert [one.state for one in receipts] == ["refused", "deferred"]
    assert "disk trouble" in receipts[1].text


def test_a_later_group_that_fails_leaves_the_first_accepted(smtp: MakeSmtp, message: MakeMessage) -> None:
    """What the first hundred got is never forgotten, so nobody gets it twice."""
    everyone = [f"r{number}@example.com" for number in range(101)]
    with MailServer(replies={"RCPT r100@example.com": "421 4.3.2 going down"}) as server:
        receipts = smtp(server).send(message(*everyone))
    assert [one.state for one in receipts] == ["accepted"] * 100 + ["deferred"]


@pytest.mark.parametrize(
    ("step", "reply", "permanent"),
    [
        ("MAIL", "552 5.3.4 too big", True),
        ("MAIL", "451 4.3.0 later", False),
        ("DATA", "554 5.7.1 spam", True),
        ("DATA", "451 4.3.0 later", False),
        ("DATA", "552 too many recipients", False),
    ],
)
def test_a_refused_message_says_whether_to_try_again(
    step: str, reply: str, *, permanent: bool, smtp: MakeSmtp, message: MakeMessage
) -> None:
    """The code decides, unless the meaning of the text is known better."""
    with MailServer(replies={step: reply}) as server:
        error = failure(smtp(server), message())
    assert error.permanent is permanent
    assert reply in error.what


def test_tencents_rate_limit_is_deferred_though_it_says_550(smtp: MakeSmtp, message: MakeMessage) -> None:
    """The provider's row wins over the reply code, and names the wait."""
    with MailServer(users={"me@qq.com": PASSWORD}, replies={"DATA": "550 Ip frequency limited"}) as server:
        values = {"provider": "qq", "from": "me@qq.com", "security": "starttls"}
        error = failure(smtp(server, password=PASSWORD, **values), message(sender="me@qq.com"))
    assert not error.permanent
    assert error.retry_after == 3600


# -- sizes -----------------------------------------------------------------------------------------------


def test_a_message_over_the_announced_size_is_not_begun(smtp: MakeSmtp, message: MakeMessage) -> None:
    """SIZE is read before MAIL, and both sizes are told."""
    with MailServer(size_limit=1_000_000) as server:
        error = failure(smtp(server), message(content=b"x: y\r\n\r\n" + b"z\r\n" * 700_000))
        assert server.commands == []
    assert error.permanent
    assert "2.1 MB" in error.what
    assert "1.0 MB" in error.what


def test_a_message_over_the_providers_limit_does_not_even_connect(mail: MakeMail, message: MakeMessage) -> None:
    """The limit of settings, else of the provider's row, is known without a server."""
    sender = SmtpTransport(resolve(mail(provider="custom", host="127.0.0.1", port=1, security="none", size_limit=1000)))
    error = failure(sender, message(content=b"x" * 1001))
    assert error.permanent
    assert "1,001 bytes" in error.what


# -- check ---------------------------------------------------------------------------------------------


def test_check_tells_tls_login_and_size_without_sending(smtp: MakeSmtp) -> None:
    """Everything a person wants to know before the first report, and no message."""
    with MailServer(users={USER: PASSWORD}) as server:
        lines = "\n".join(smtp(server, password=PASSWORD).check())
        assert (server.commands, server.messages) == ([], [])
    assert "TLSv1.3" in lines
    assert "certificate for localhost, 127.0.0.1, valid until 3000-01-01" in lines
    assert f"logged in with PLAIN as {USER}" in lines
    assert "30.0 MB" in lines
    assert PASSWORD not in lines


def test_check_fails_where_sending_would(smtp: MakeSmtp) -> None:
    """A wrong password is found by it."""
    with (
        MailServer(users={USER: PASSWORD}) as server,
        pytest.raises(TransportError, match="535"),
    ):
        smtp(server, password=WRONG).check()
