"""Messages by SMTP: receipts, sizes, and one connection for many, against a real server."""

import pytest
from mailserver import MailServer, Peer, Script, ScriptedServer
from sending import PASSWORD, USER, WRONG, MakeMail, MakeMessage, MakeSmtp, failure

from reports.errors import Superseded, TransportError
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


def test_addresses_beyond_ascii_use_smtputf8_only_when_needed(smtp: MakeSmtp, message: MakeMessage) -> None:
    """The extension is asked for by such a message alone."""
    with MailServer() as server:
        sender = smtp(server)
        sender.send(message())
        assert sender.send(message("jürgen@example.com"))[0].state == "accepted"
        sender.send(message())
        assert ["SMTPUTF8" in one.options for one in server.messages] == [False, True, False]


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
    assert error.account
    assert "421" in error.what


def test_a_later_failure_keeps_the_answers_given_before(smtp: MakeSmtp, message: MakeMessage) -> None:
    """Whoever was refused stays refused; the rest is deferred with the error's words."""
    replies = {"RCPT no@example.com": "550 5.1.1 no", "DATA": "451 4.3.0 disk trouble"}
    with MailServer(replies=replies) as server:
        receipts = smtp(server).send(message("no@example.com", "yes@example.com"))
    assert [one.state for one in receipts] == ["refused", "deferred"]
    assert "disk trouble" in receipts[1].text


def test_a_lost_connection_keeps_the_refusals_given_before(smtp: MakeSmtp, message: MakeMessage) -> None:
    """Half of the message went out: nobody has it, and the one who was refused stays refused."""

    def script(peer: Peer) -> None:
        peer.greet()
        for answer in ("250 ok", "550 5.1.1 no", "250 ok", "354 go on"):
            peer.hear()
            peer.say(answer)
        peer.hear()
        peer.reset()

    with ScriptedServer(script) as server:
        receipts = smtp(server).send(message("no@example.com", "yes@example.com", content=b"a line\r\n" * 4_000_000))
    assert [one.state for one in receipts] == ["refused", "deferred"]


@pytest.mark.parametrize("reply", ["452 4.5.3 too many recipients", "452 4.3.1 full", "552 enough", "452 no more"])
def test_a_server_that_has_enough_recipients_gets_the_others_at_once(
    reply: str, smtp: MakeSmtp, message: MakeMessage
) -> None:
    """452, or 552 of old, after others were accepted is about the transaction and not about this recipient."""
    with MailServer(replies={"RCPT b@example.com": reply}) as server:
        receipts = smtp(server).send(message("a@example.com", "b@example.com"))
    assert [(one.state, one.retry_after) for one in receipts] == [("accepted", None), ("deferred", 1)]


@pytest.mark.parametrize(
    ("reply", "state"),
    [("552 5.2.2 mailbox full", "refused"), ("452 4.2.2 mailbox full", "deferred"), ("552 5.3.4 too big", "refused")],
)
def test_a_full_mailbox_is_the_recipients_own(reply: str, state: str, smtp: MakeSmtp, message: MakeMessage) -> None:
    """The same codes with a status of the mailbox or the size: another transaction would not help at once."""
    with MailServer(replies={"RCPT b@example.com": reply}) as server:
        receipts = smtp(server).send(message("a@example.com", "b@example.com"))
    assert [one.state for one in receipts] == ["accepted", state]
    assert receipts[1].retry_after is None


def test_a_first_recipient_can_not_be_one_too_many(smtp: MakeSmtp, message: MakeMessage) -> None:
    """So nothing is tried again and again without a wait."""
    with MailServer(replies={"RCPT": "552 enough"}) as server:
        receipts = smtp(server).send(message("a@example.com", "b@example.com"))
    assert [(one.state, one.retry_after) for one in receipts] == [("refused", None)] * 2


def test_the_wait_that_a_provider_wants_is_in_the_receipt(smtp: MakeSmtp, message: MakeMessage) -> None:
    """Tencent's limits come as 550 at a recipient as well."""
    replies = {"RCPT b@example.com": "550 Sender frequency limited"}
    with MailServer(users={"me@qq.com": PASSWORD}, replies=replies) as server:
        values = {"provider": "qq", "from": "me@qq.com", "security": "starttls", "password": PASSWORD}
        sent = message("a@example.com", "b@example.com", sender="me@qq.com")
        receipts = smtp(server, **values).send(sent)
    assert [(one.state, one.retry_after) for one in receipts] == [("accepted", None), ("deferred", 3600)]


@pytest.mark.parametrize(
    ("replies", "account"),
    [
        ({"MAIL": "550 5.1.8 no such sender"}, False),
        ({"MAIL": "451 4.3.0 later"}, False),
        ({"MAIL": "421 4.3.2 going down"}, True),
        ({"MAIL": "530 5.7.0 Authentication required"}, True),
        ({"DATA": "554 5.7.1 spam"}, False),
        ({"DATA": "421 4.3.2 going down"}, True),
    ],
)
def test_an_error_says_whether_another_message_would_fare_better(
    replies: dict[str, str], *, account: bool, smtp: MakeSmtp, message: MakeMessage
) -> None:
    """A refused sender or text is about this message, 421 and a missing login are about the account."""
    with MailServer(replies=replies) as server:
        assert failure(smtp(server), message()).account is account


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


def test_the_size_limit_is_the_smaller_of_settings_and_server(smtp: MakeSmtp) -> None:
    """Asked without a login, and once: the answer is remembered."""
    with MailServer(size_limit=1_000_000, users={USER: PASSWORD}) as server:
        sender = smtp(server, password=WRONG)
        assert [sender.size_limit(), sender.size_limit()] == [1_000_000, 1_000_000]
        assert smtp(server, size_limit=5000).size_limit() == 5000
        assert (server.connections, server.logins) == (2, [])


def test_an_open_connection_is_not_opened_again_for_the_size(smtp: MakeSmtp, message: MakeMessage) -> None:
    """What was announced to it is known."""
    with MailServer(size_limit=1_000_000) as server:
        sender = smtp(server)
        sender.send(message())
        assert sender.size_limit() == 1_000_000
        assert server.connections == 1


def test_a_server_that_cannot_be_asked_leaves_what_settings_say(mail: MakeMail) -> None:
    """It is no error here: nobody knows, or settings do. A server that is up again is asked again."""
    with MailServer() as server:
        port, values = server.port, {"provider": "custom", "host": "127.0.0.1", "security": "none"}
    assert SmtpTransport(resolve(mail(port=port, **values))).size_limit() is None
    assert SmtpTransport(resolve(mail(port=port, size_limit=1000, **values))).size_limit() == 1000


# -- one connection for many messages ---------------------------------------------------------------------


def test_one_connection_and_one_login_carry_many_messages(smtp: MakeSmtp, message: MakeMessage) -> None:
    """Until it is closed; then the next message opens another."""
    with MailServer(users={USER: PASSWORD}) as server:
        sender = smtp(server, password=PASSWORD)
        for _ in range(3):
            sender.send(message())
        assert (server.connections, len(server.logins), len(server.messages)) == (1, 1, 3)
        assert "RSET" not in server.commands
        sender.close()
        sender.close()
        assert sender.send(message())[0].state == "accepted"
        assert server.connections == 2


def test_no_more_messages_go_over_a_connection_than_the_provider_takes(smtp: MakeSmtp, message: MakeMessage) -> None:
    """Yahoo takes 20."""
    with MailServer(users={"me@yahoo.com": PASSWORD}) as server:
        values = {"provider": "yahoo", "from": "me@yahoo.com", "security": "starttls", "password": PASSWORD}
        sender = smtp(server, **values)
        assert sender.limits.messages_per_connection == 20
        for _ in range(21):
            sender.send(message(sender="me@yahoo.com"))
        assert (server.connections, len(server.messages)) == (2, 21)


def test_a_transaction_without_recipients_is_reset_and_the_connection_kept(
    smtp: MakeSmtp, message: MakeMessage
) -> None:
    """The next message is not mixed with the one before."""
    with MailServer(replies={"RCPT no@example.com": "550 5.1.1 no"}) as server:
        sender = smtp(server)
        sender.send(message("no@example.com"))
        sender.send(message("yes@example.com"))
        assert server.commands == ["MAIL", "RCPT", "RSET", "MAIL", "RCPT"]
        assert server.messages[0].recipients == ("yes@example.com",)
        assert server.connections == 1


def test_after_an_error_the_connection_is_not_used_again(smtp: MakeSmtp, message: MakeMessage) -> None:
    """Whatever the server thinks of the message that was refused."""
    with MailServer(replies={"DATA": "554 5.7.1 spam"}) as server:
        sender = smtp(server)
        failure(sender, message())
        server.replies.clear()
        assert sender.send(message())[0].state == "accepted"
        assert server.connections == 2


def _hangs_up_after(messages: int, *, last_words: str = "") -> Script:
    def script(peer: Peer) -> None:
        peer.until_content()
        for number in range(messages):
            peer.take_content()
            peer.say("250 taken")
            if number < messages - 1:
                peer.next_content()
        if last_words:
            peer.say(last_words)

    return script


@pytest.mark.parametrize("last_words", ["", "421 4.4.2 idle for too long"])
def test_a_connection_that_the_server_let_go_is_replaced_at_once(
    last_words: str, smtp: MakeSmtp, message: MakeMessage
) -> None:
    """Nothing was handed over on it, so this is no failed attempt."""
    with ScriptedServer(_hangs_up_after(2, last_words=last_words)) as server:
        sender = smtp(server)
        assert [sender.send(message())[0].state for _ in range(5)] == ["accepted"] * 5
        assert server.connections == 3


def test_a_connection_that_is_replaced_in_vain_is_an_error(smtp: MakeSmtp, message: MakeMessage) -> None:
    """The server has gone altogether."""
    with ScriptedServer(_hangs_up_after(1)) as server:
        sender = smtp(server, timeout=1)
        sender.send(message())
    error = failure(sender, message())
    assert error.account
    assert not error.permanent


def test_a_new_connection_that_is_lost_is_not_replaced(smtp: MakeSmtp, message: MakeMessage) -> None:
    """A server that hangs up at every MAIL is not asked in a circle."""

    def script(peer: Peer) -> None:
        peer.greet()
        peer.hear()

    with ScriptedServer(script) as server:
        error = failure(smtp(server), message())
        assert server.connections == 1
    assert (error.permanent, error.account) == (False, False)
    assert "MAIL" in error.what


# -- handing over ------------------------------------------------------------------------------------------


def test_handing_over_is_told_after_the_recipients_and_before_the_content(smtp: MakeSmtp, message: MakeMessage) -> None:
    """Once, when somebody will get it."""
    seen: list[tuple[list[str], int]] = []
    with MailServer(replies={"RCPT no@example.com": "550 5.1.1 no"}) as server:
        sender = smtp(server)
        sender.send(
            message("no@example.com", "yes@example.com"),
            lambda: seen.append((list(server.commands), len(server.messages))),
        )
        sender.send(message("no@example.com"), lambda: seen.append(([], 0)))
    assert seen == [(["MAIL", "RCPT", "RCPT"], 0)]


def test_what_handing_over_raises_stops_the_message_and_comes_out(smtp: MakeSmtp, message: MakeMessage) -> None:
    """Unchanged; the server has no content, and the next message goes."""

    def superseded() -> None:
        raise Superseded("another sender has it")

    with MailServer() as server:
        sender = smtp(server)
        with pytest.raises(Superseded, match="another sender"):
            sender.send(message("a@example.com"), superseded)
        assert server.messages == []
        sender.send(message("b@example.com"))
        assert [one.recipients for one in server.messages] == [("b@example.com",)]


def test_a_failure_at_data_comes_after_handing_over(smtp: MakeSmtp, message: MakeMessage) -> None:
    """It is known then that nobody got it."""
    told: list[int] = []

    def script(peer: Peer) -> None:
        peer.greet()
        for answer in ("250 ok", "250 ok", "451 4.3.0 later"):
            peer.hear()
            peer.say(answer)
        peer.hear()

    with ScriptedServer(script) as server, pytest.raises(TransportError, match="later"):
        smtp(server).send(message(), lambda: told.append(1))
    assert told == [1]
