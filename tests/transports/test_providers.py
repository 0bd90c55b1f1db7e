"""The rows of providers, the names they go by, and what their replies mean."""

import json
import re
from fnmatch import fnmatchcase

import pytest

from reports.errors import SettingsError
from reports.transports import providers
from reports.transports.providers import Provider

ROWS = list(providers.every().values())
PROMISED = [
    "outlook_com",
    "m365",
    "m365_hve",
    "m365_direct_send",
    "gmail",
    "google_workspace",
    "google_relay",
    "graph",
    "gmail_api",
    "yahoo",
    "yahoo_jp",
    "aol",
    "icloud",
    "qq",
    "exmail",
    "netease163",
    "netease126",
    "yeah",
    "netease_qiye",
    "sina",
    "sina_vip",
    "sohu",
    "aliyun",
    "aliyun_qiye",
    "mail139",
    "mail189",
    "wo",
    "feishu",
    "zoho_com",
    "zoho_eu",
    "zoho_in",
    "zoho_com_au",
    "zoho_jp",
    "zoho_ca",
    "zoho_pro",
    "fastmail",
    "proton_smtp",
    "proton_bridge",
    "gmx_com",
    "gmx_net",
    "web_de",
    "mail_ru",
    "yandex",
    "naver",
    "daum",
    "posteo",
    "mailbox_org",
    "ses",
    "sendgrid",
    "mailgun_us",
    "mailgun_eu",
    "postmark",
    "mailjet",
    "brevo",
    "sparkpost_us",
    "sparkpost_eu",
    "resend",
    "mailtrap_live",
    "mailtrap_sandbox",
    "tencent_ses",
    "mailpit",
    "mailhog",
    "folder",
    "custom",
]


FLOWS = {"microsoft": {"device", "browser", "client"}, "google": {"browser", "service_account"}}


def test_every_provider_that_is_promised_is_there() -> None:
    """At least sixty rows; none goes missing unnoticed."""
    assert [row.key for row in ROWS if row.key not in PROMISED] == []
    assert [key for key in PROMISED if key not in providers.every()] == []
    assert len(ROWS) >= 60


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.key)
def test_a_row_says_only_what_can_be(row: Provider) -> None:
    """Ports are ports, words are of their lists, limits are positive, and there is a sentence to read."""
    ends = [(end.port, end.security) for end in row.alternatives]
    if row.key != "folder":
        ends.append((row.port, row.security))
        assert isinstance(row.port, int)
    assert all(type(port) is int and 0 < port < 65536 for port, _ in ends)
    assert {security for _, security in ends} <= {"tls", "starttls", "none"}
    assert len(set(ends)) == len(ends)
    assert row.login
    assert set(row.login) <= {"password", "app_password", "code", "oauth", "key", "none"}
    assert row.kind in {"mailbox", "service", "development", "custom"}
    assert all(value is None or value > 0 for value in (row.size, *vars(row.limits).values()))
    assert row.help.endswith((".", "。", "）", "요."))
    assert row.title
    assert (row.oauth is None) <= ("oauth" not in row.login or row.key in {"fastmail", "custom"})
    assert row.oauth is None or (set(row.oauth.flows) <= FLOWS[row.oauth.family] and row.oauth.scopes)
    assert row.help.isascii() or row.help_en or "пароль" in row.help
    assert set(row.mechanisms) <= {"PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2"}
    assert set(re.findall(r"{\w+}", row.user)) <= {"{address}", "{local}", "{domain}", "{secret}"}
    assert set(re.findall(r"{\w+}", row.host)) <= {"{region}", "{dashed_domain}"}


def test_only_loopback_rows_are_without_tls() -> None:
    """And port 25 is a default only where the service has no other."""
    assert {row.host for row in ROWS if row.security == "none"} == {"localhost"}
    assert {row.key for row in ROWS if row.port == 25} == {"m365_direct_send"}


def test_ports_and_security_go_together() -> None:
    """465 and 2465 speak TLS from the first byte, the others of the submission ports after STARTTLS."""
    ends = [(end.port, end.security) for row in ROWS for end in row.alternatives]
    ends += [(row.port, row.security) for row in ROWS if row.key != "folder"]
    usual = {465: "tls", 994: "tls", 2465: "tls", 25: "starttls", 587: "starttls", 2525: "starttls",
             2587: "starttls"}  # fmt: skip
    assert [end for end in ends if usual.get(end[0], end[1]) != end[1]] == []


def test_names_and_domains_are_unique() -> None:
    """No two rows answer to the same name or claim the same domain."""
    names = [name for row in ROWS for name in row.names]
    domains = [domain for row in ROWS for domain in row.domains]
    assert len(set(names)) == len(names)
    assert len(set(domains)) == len(domains)


def test_every_reply_belongs_to_rows_that_exist() -> None:
    """Patterns compile, and a misspelt provider is found here."""
    replies = providers._replies()
    assert len(replies) >= 20
    assert {name for reply in replies for name in reply.providers} <= set(providers.every())
    assert all(reply.meaning.means and reply.meaning.do for reply in replies)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("gmail", "gmail"), ("outlook", "outlook_com"), ("Microsoft365", "m365"), ("office365", "m365"),
        ("163", "netease163"), ("126", "netease126"), ("workspace", "google_workspace"), ("foxmail", "qq"),
        ("Mail.ru", "mail_ru"), ("sparkpost-eu", "sparkpost_eu"), ("smtp", "custom"), ("139", "mail139"),
    ],
)  # fmt: skip
def test_names_and_aliases_are_found(name: str, key: str) -> None:
    """Small or capital letters, dots, hyphens and spaces make no difference."""
    assert providers.find(name).key == key


def test_an_unknown_name_tells_the_nearest() -> None:
    """A typing error is answered with what was meant."""
    with pytest.raises(SettingsError) as caught:
        providers.find("gmial")
    assert "did you mean 'gmail'?" in caught.value.hint
    assert caught.value.where == "mail.provider"


def test_a_region_completes_the_host() -> None:
    """`ses:eu-west-1`, and only regions that exist where they are known."""
    assert providers.find("ses:eu-west-1").host == "email-smtp.eu-west-1.amazonaws.com"
    assert providers.find("zoho_pro:com.au").host == "smtppro.zoho.com.au"
    for wrong in ("zoho_pro:mars", "gmail:eu", "ses:evil.com/x"):
        with pytest.raises(SettingsError):
            providers.find(wrong)


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("a@gmail.com", "gmail"), ("a@outlook.de", "outlook_com"), ("a@hotmail.co.uk", "outlook_com"),
        ("a@yahoo.co.jp", "yahoo_jp"), ("a@yahoo.fr", "yahoo"), ("a@VIP.QQ.com", "qq"), ("a@188.com", "netease163"),
        ("a@contoso.onmicrosoft.com", "m365"), ("Me <a@gmx.de>", "gmx_net"), ("a@zohomail.eu", "zoho_eu"),
        ("a@proton.me", "proton_bridge"),
    ],
)  # fmt: skip
def test_the_domain_of_an_address_implies_the_provider(address: str, key: str) -> None:
    """The more specific pattern first."""
    found = providers.guess(address)
    assert found is not None
    assert found.key == key


@pytest.mark.parametrize("address", ["a@example.com", "a@live.example.com", "a@outlook.evil.com", "", "gmail.com"])
def test_other_domains_imply_nothing(address: str) -> None:
    """A pattern ends in a country, not in somebody else's domain."""
    found = providers.guess(address)
    assert found is None or address == "gmail.com"


def test_every_domain_leads_back_to_its_row() -> None:
    """What a row claims is what is guessed."""
    for row in ROWS:
        for pattern in row.domains:
            address = "a@" + pattern.removesuffix("*").replace("*.", "x.") + ("de" if pattern.endswith("*") else "")
            assert fnmatchcase(address, f"a@{pattern}")
            assert providers.guess(address) == row


def test_a_row_can_be_told_as_json() -> None:
    """What is not known is null, never zero."""
    told = json.loads(json.dumps(providers.explain(providers.find("sohu"))))
    assert told["size"] is None
    assert told["limits"]["messages_per_day"] is None
    assert told["host"] == "smtp.sohu.com"


def test_a_row_takes_over_another_but_not_its_names() -> None:
    """`like` saves repeating; domains stay with their owner."""
    ours, theirs = providers.find("netease126"), providers.find("netease163")
    assert (ours.port, ours.help, ours.login) == (theirs.port, theirs.help, theirs.login)
    assert ours.domains == ("126.com",)
    assert providers.find("google_workspace").domains == ()


@pytest.mark.parametrize(
    ("key", "code", "text", "permanent", "word"),
    [
        ("m365", 535, "5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant",
         True, "admin"),
        ("m365", 550, "5.7.30 Basic authentication is not supported for Client Submission", True, "OAuth"),
        ("m365", 535, "5.7.3 Authentication unsuccessful", True, "SMTP.Send"),
        ("outlook_com", 501, "5.5.124 Invalid XOAUTH2 auth data", True, "token"),
        ("m365_direct_send", 550, "5.7.68 TenantInboundAttribution", True, "connector"),
        ("gmail", 534, "5.7.9 Application-specific password required", True, "app password"),
        ("google_workspace", 535, "5.7.8 Username and Password not accepted. BadCredentials", True, "app password"),
        ("gmail", 550, "5.4.5 Daily user sending limit exceeded", False, "24 hours"),
        ("gmail", 450, "4.2.1 Peak SMTP relay limit exceeded", False, "later"),
        ("qq", 535, "Login Fail. Please enter your authorization code to login.", True, "授权码"),
        ("qq", 501, "Mail from address must be same as authorization user", True, "from"),
        ("qq", 550, 'The "From" header is missing or invalid.', True, "from"),
        ("exmail", 550, "Connection frequency limited", False, "later"),
        ("netease163", 553, "Mail from must equal authorized user", True, "from"),
        ("netease126", 553, "Local user only", True, "from"),
        ("netease163", 451, "DT:SPM please try again", False, "two minutes"),
        ("netease163", 554, "DT:SPM 163 smtp8", True, "subject"),
        ("yeah", 450, "MI:SFQ", False, "later"),
        ("aliyun", 526, "Authentication failure[0]", True, "password"),
        ("aliyun", 526, "Authentication failure[1]", True, "stop"),
        ("custom", 552, "too many recipients", False, "later"),
        ("custom", 552, "5.3.4 Message size exceeds fixed limit", True, "less"),
        ("custom", 550, "5.7.515 Access denied", True, "SPF"),
    ],
)  # fmt: skip
def test_known_replies_have_a_meaning(key: str, code: int, text: str, word: str, *, permanent: bool) -> None:
    """What to do is said, and whether trying again helps is known better than by the code."""
    found = providers.meaning(providers.find(key), code, text)
    assert found is not None
    assert found.permanent is permanent
    assert word in found.do


def test_an_unknown_reply_has_no_meaning() -> None:
    """Nothing is invented, and one provider's words are not another's."""
    assert providers.meaning(providers.find("gmail"), 550, "no") is None
    assert providers.meaning(providers.find("gmail"), 550, "Ip frequency limited") is None


@pytest.mark.parametrize(
    ("key", "code", "text", "state"),
    [
        ("custom", 250, "ok", "accepted"),
        ("custom", 251, "will forward", "accepted"),
        ("custom", 450, "busy", "deferred"),
        ("custom", 550, "no", "refused"),
        ("qq", 550, "Sender frequency limited", "deferred"),
        ("custom", 550, "Sender frequency limited", "refused"),
        ("custom", 552, "5.5.3 too many recipients", "deferred"),
        ("custom", 354, "go on", "deferred"),
    ],
)
def test_a_recipients_state_follows_the_meaning_then_the_code(key: str, code: int, text: str, state: str) -> None:
    """What a provider is known to mean wins over the digit it says."""
    found = providers.receipt(providers.find(key), "a@example.com", code, text)
    assert (found.recipient, found.state, found.code, found.text) == ("a@example.com", state, code, text)


def test_a_full_mailbox_follows_the_code() -> None:
    """4xx is later, 5xx is refused, both with the same advice."""
    row = providers.find("custom")
    later = providers.receipt(row, "a@example.com", 452, "4.2.2 mailbox full")
    never = providers.receipt(row, "a@example.com", 552, "5.2.2 mailbox full")
    assert (later.state, never.state) == ("deferred", "refused")
    assert later.hint == never.hint != ""
