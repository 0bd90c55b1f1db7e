"""Every reply that is known, driven through a real session: its hint arrives at whoever has to act."""

import pytest
from mailserver import MailServer
from sending import PASSWORD, TOKEN, USER, MakeMessage, MakeSmtp

from reports.errors import TransportError
from reports.transports import providers

# Provider, where the server says it, what it says, and a word of the hint. DATA is after the final dot.
KNOWN = [
    ("m365", "AUTH", "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.",
     "admin enables"),
    ("m365", "AUTH", "535 5.7.139 Authentication unsuccessful, basic authentication is disabled.", "OAuth"),
    ("m365", "MAIL", "550 5.7.30 Basic authentication is not supported for Client Submission", "High Volume"),
    ("m365_hve", "AUTH", "535 5.7.3 Authentication unsuccessful", "SMTP.Send"),
    ("outlook_com", "AUTH", "501 5.5.124 Invalid XOAUTH2 auth data", "without quotes"),
    ("m365_direct_send", "DATA", "550 5.7.68 TenantInboundAttribution; Direct Send not allowed", "connector"),
    ("custom", "DATA", "550 5.7.515 Access denied, sending domain does not meet the required level", "DKIM"),
    ("gmail", "AUTH", "534 5.7.9 Application-specific password required", "apppasswords"),
    ("gmail", "AUTH", "535 5.7.8 Username and Password not accepted. BadCredentials", "apppasswords"),
    ("google_workspace", "DATA", "550 5.4.5 Daily user sending limit exceeded.", "24 hours"),
    ("google_relay", "MAIL", "450 4.2.1 Peak SMTP relay limit exceeded for customer.", "later"),
    ("qq", "AUTH", "535 Login Fail. Please enter your authorization code to login.", "授权码"),
    ("qq", "MAIL", "501 Mail from address must be same as authorization user", "set from in [mail]"),
    ("qq", "DATA", '550 The "From" header is missing or invalid.', "Name <address>"),
    ("qq", "MAIL", "550 Connection frequency limited", "fewer messages"),
    ("exmail", "RCPT", "550 Domain frequency limited", "fewer messages"),
    ("exmail", "RCPT", "550 Sender frequency limited", "fewer messages"),
    ("exmail", "DATA", "550 Ip frequency limited", "fewer messages"),
    ("netease163", "MAIL", "553 Mail from must equal authorized user", "set from in [mail]"),
    ("netease126", "RCPT", "553 Local user only", "set from in [mail]"),
    ("netease163", "DATA", "451 DT:SPM 163 smtp8 please try again", "two minutes"),
    ("yeah", "DATA", "554 DT:SPM 163 smtp8", "fewer links"),
    ("netease163", "MAIL", "421 HL:REP 163 smtp9", "fewer messages"),
    ("netease163", "RCPT", "450 MI:SFQ 163 smtp10", "fewer messages"),
    ("netease_qiye", "DATA", "451 RP:CEL 163 smtp11", "fewer messages"),
    ("aliyun", "AUTH", "526 Authentication failure[0]", "third-party clients"),
    ("aliyun_qiye", "AUTH", "526 Authentication failure[1]", "stop trying"),
    ("aliyun", "DATA", "510 message size exceeds limit", "size_limit"),
    ("custom", "RCPT", "452 4.5.3 too many recipients", "later"),
    ("custom", "MAIL", "552 5.3.4 Message size exceeds fixed limit", "attach less"),
    ("custom", "DATA", "552 exceeded", "attach less"),
    ("custom", "RCPT", "552 5.2.2 mailbox full", "makes room"),
    ("custom", "RCPT", "550 5.1.1 no such user here", "typing error"),
    ("custom", "MAIL", "530 5.7.0 Authentication required", "user and password"),
    ("custom", "MAIL", "530 5.7.0 Must issue a STARTTLS command first", "starttls"),
]  # fmt: skip


def _settings(provider: str) -> dict[str, object]:
    """A `[mail]` of that provider: with a password, a token or nothing, as its row has it."""
    row = providers.find(provider)
    sender = f"me@{row.domains[0]}" if row.from_must_match_login and row.domains else USER
    values: dict[str, object] = {"provider": provider, "security": "starttls", "from": sender}
    if row.login == ("oauth",):
        return values | {"password": TOKEN, "auth": "xoauth2"}
    return values | ({} if "none" in row.login else {"password": PASSWORD})


@pytest.mark.parametrize(("provider", "step", "reply", "word"), KNOWN)
def test_a_known_reply_is_explained(
    provider: str, step: str, reply: str, word: str, smtp: MakeSmtp, message: MakeMessage
) -> None:
    """What it means and what to do next is read, in the error or in the receipt, wherever the server says it."""
    settings = _settings(provider)
    user = str(settings["from"])
    logins = {user: PASSWORD} if "password" in settings else {}
    with MailServer(users=logins, replies={step: reply}, explains="") as server:
        sender = smtp(server, **settings)
        try:
            hint = sender.send(message(sender=user))[0].hint
        except TransportError as error:
            hint = error.hint
    code, _, text = reply.partition(" ")
    known = providers.meaning(sender.account.provider, int(code), text)
    assert known is not None
    assert hint == f"{known.means}: {known.do}"
    assert word in hint


def test_every_row_is_reached() -> None:
    """None stands behind another that always fits first, and none is untried."""
    said = [(provider, *reply.split(" ", 1)) for provider, _, reply, _ in KNOWN]
    said.append(("gmail", "535", "5.7.8 BadCredentials (status 401, schemes bearer mac)"))
    reached = [providers.meaning(providers.find(provider), int(code), text) for provider, code, text in said]
    assert [row.meaning.means for row in providers._replies() if row.meaning not in reached] == []
