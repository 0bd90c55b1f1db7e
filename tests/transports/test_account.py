"""From [mail] to an account: what is settled, and what is refused before anything is sent."""

from collections.abc import Callable
from pathlib import Path

import pytest

from reports.errors import SettingsError
from reports.settings import Mail
from reports.transports import open_transport
from reports.transports.account import is_loopback, resolve
from reports.transports.folder import FolderTransport
from reports.transports.smtp import SmtpTransport

MakeMail = Callable[..., Mail]


def refused(mail: Mail) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        resolve(mail)
    return caught.value


# -- which provider ---------------------------------------------------------------------------------


def test_without_an_account_the_provider_is_folder() -> None:
    """An empty [mail] works, and so does one with a sender of an unknown domain."""
    account = resolve(Mail())
    assert account.provider.key == "folder"
    assert account.sender == "reports@localhost"
    assert resolve(Mail(sender="Me <me@example.com>")).sender == "Me <me@example.com>"


def test_the_provider_is_guessed_from_the_sender(mail: MakeMail) -> None:
    """Host, port and security come from the row, the user from the address."""
    account = resolve(mail("x", **{"from": "Me <me@gmail.com>"}))
    assert (account.where, account.security, account.user) == ("smtp.gmail.com:465", "tls", "me@gmail.com")
    assert account.size_limit == 35_882_577


def test_the_provider_is_guessed_from_the_user_as_well() -> None:
    """And the user's address is the sender then."""
    account = resolve(Mail.model_validate({"user": "me@163.com", "password": {"env": "X"}}))
    assert (account.provider.key, account.sender) == ("netease163", "me@163.com")


def test_a_host_alone_is_ones_own_server(mail: MakeMail) -> None:
    """With STARTTLS on 587 unless said otherwise."""
    account = resolve(mail("x", host="mail.example.com"))
    assert (account.provider.key, account.where) == ("custom", "mail.example.com:587")
    assert account.security == "starttls"


def test_a_password_without_a_known_domain_asks_for_the_provider(mail: MakeMail) -> None:
    """A secret is given to nobody by guesswork."""
    assert refused(mail("x")).where == "mail.provider"


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"provider": "custom"}, "mail.host"),
        ({"provider": "gmail", "from": ""}, "mail.from"),
        ({"provider": "gmail", "from": "nobody"}, "mail.from"),
        ({"provider": "nonsense"}, "mail.provider"),
        ({"provider": "ses"}, "mail.provider"),
        ({"provider": "mailjet"}, "mail.user"),
        ({"provider": "outlook", "from": "me@outlook.com"}, "mail.auth"),
        ({"provider": "qq", "user": "other@qq.com"}, "mail.from"),
        ({"provider": "custom", "host": "bücher.example"}, "mail.host"),
        ({"provider": "custom", "host": "m.example.com", "user": "jürgen"}, "mail.user"),
    ],
)
def test_what_is_missing_or_wrong_is_named_by_its_key(values: dict[str, object], key: str, mail: MakeMail) -> None:
    """With something to do about it."""
    error = refused(mail("x", **values))
    assert error.where == key
    assert error.hint


def test_a_provider_that_wants_a_login_asks_for_the_password(mail: MakeMail) -> None:
    """With the provider's own sentence."""
    error = refused(mail(provider="qq", **{"from": "me@qq.com"}))
    assert error.where == "mail.password"
    assert "授权码" in error.hint


# -- host, port, user ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "where", "security"),
    [
        ({"provider": "gmail"}, "smtp.gmail.com:465", "tls"),
        ({"provider": "gmail", "port": 587}, "smtp.gmail.com:587", "starttls"),
        ({"provider": "gmail", "security": "starttls"}, "smtp.gmail.com:587", "starttls"),
        ({"provider": "custom", "host": "h", "port": 465}, "h:465", "tls"),
        ({"provider": "custom", "host": "h", "security": "tls"}, "h:465", "tls"),
        ({"provider": "custom", "host": "h", "port": 2500}, "h:2500", "starttls"),
        ({"provider": "ses:eu-west-1", "user": "AKIA"}, "email-smtp.eu-west-1.amazonaws.com:465", "tls"),
        ({"provider": "exmail", "host": "hwsmtp.exmail.qq.com"}, "hwsmtp.exmail.qq.com:465", "tls"),
    ],
)
def test_port_and_security_follow_each_other(
    values: dict[str, object], where: str, security: str, mail: MakeMail
) -> None:
    """Whichever is given, the other one fits; what is given wins."""
    account = resolve(mail("x", **values))
    assert (account.where, account.security) == (where, security)


@pytest.mark.parametrize(
    ("provider", "user"),
    [
        ("gmail", "me@example.com"),
        ("web_de", "me"),
        ("sendgrid", "apikey"),
        ("mailgun_eu", "postmaster@example.com"),
        ("postmark", "token-1"),
    ],
)
def test_the_user_name_has_the_providers_form(provider: str, user: str, mail: MakeMail) -> None:
    """Address, local part, a word, or the token itself."""
    credentials = resolve(mail("token-1", provider=provider)).credentials()
    assert credentials == (user, "token-1")


def test_a_given_user_wins(mail: MakeMail) -> None:
    """Settings know better than the row."""
    assert resolve(mail("x", provider="gmail", user="me.too@gmail.com")).user == "me.too@gmail.com"


def test_direct_send_has_its_host_from_the_domain_and_no_login() -> None:
    """The domain's dots become hyphens."""
    account = resolve(Mail.model_validate({"provider": "m365_direct_send", "from": "me@a.example.com"}))
    assert account.host == "a-example-com.mail.protection.outlook.com"
    assert account.credentials() is None


def test_a_token_is_taken_where_only_oauth_is(mail: MakeMail) -> None:
    """With auth = "xoauth2" the secret is an access token."""
    account = resolve(mail("token", provider="outlook", auth="xoauth2"))
    assert account.mechanism == "XOAUTH2"


def test_a_size_limit_in_settings_wins(mail: MakeMail) -> None:
    """A tenant may allow more than a row knows."""
    assert resolve(mail("x", provider="m365", size_limit=157_286_400)).size_limit == 157_286_400


# -- what must hold -----------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "::1", "[::1]"])
def test_this_machine_may_be_spoken_to_in_the_clear(host: str, mail: MakeMail) -> None:
    """Nothing crosses the network."""
    assert is_loopback(host)
    assert resolve(mail("x", provider="custom", host=host, security="none")).security == "none"


@pytest.mark.parametrize("host", ["mail.example.com", "10.0.0.1", "localhost.example.com"])
def test_no_login_crosses_the_network_in_the_clear(host: str, mail: MakeMail) -> None:
    """Not even where plain text is allowed for mail without a login."""
    assert not is_loopback(host)
    values = {"provider": "custom", "host": host, "security": "none"}
    assert refused(mail("x", allow_plaintext=True, **values)).where == "mail.security"
    assert "allow_plaintext" in refused(mail(**values)).hint
    assert resolve(mail(allow_plaintext=True, **values)).secret is None


def test_from_has_to_be_the_login_where_the_provider_says_so(mail: MakeMail) -> None:
    """Said before sending, with the address to write; letters' case makes no difference."""
    error = refused(mail("x", provider="163", user="me@163.com", **{"from": "boss@163.com"}))
    assert 'from = "me@163.com"' in error.hint
    assert resolve(mail("x", provider="163", user="ME@163.com", **{"from": "me@163.com"}))


@pytest.mark.parametrize("secret", ["pässword", "pass\u00a0word", "“quoted”", "line\nbreak"])
def test_a_secret_that_no_server_takes_is_told_without_showing_it(secret: str, mail: MakeMail) -> None:
    """The error names its place."""
    account = resolve(mail(secret, provider="gmail"))
    with pytest.raises(SettingsError) as caught:
        account.credentials()
    assert "MAIL_PASSWORD" in caught.value.where
    assert secret not in str(caught.value)


def test_no_repr_shows_a_secret(mail: MakeMail) -> None:
    """Not of the account and not of the transport."""
    account = resolve(mail("s3cr3t", provider="gmail"))
    assert "s3cr3t" not in repr(account) + repr(SmtpTransport(account))


# -- signing in -----------------------------------------------------------------------------------------


def test_a_sign_in_takes_the_place_of_the_password(mail: MakeMail) -> None:
    """XOAUTH2 is implied; the login itself is put there by open_transport, never left out in silence."""
    account = resolve(mail(provider="m365", oauth={"client_id": "app-1"}))
    assert (account.signs_in, account.mechanism, account.user) == (True, "XOAUTH2", "me@example.com")
    with pytest.raises(SettingsError, match="login was not opened"):
        account.credentials()


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({"provider": "fastmail"}, "mail.oauth"),
        ({"provider": "custom", "host": "mail.example.com"}, "mail.oauth"),
        ({"provider": "gmail", "auth": "plain"}, "mail.auth"),
        ({"provider": "gmail", "password": {"env": "X"}}, "mail.password"),
        ({"provider": "gmail", "security": "none"}, "mail.security"),
        ({"provider": "graph", "oauth": {"endpoint": "https://"}}, "mail.oauth.endpoint"),
    ],
)
def test_what_does_not_go_with_a_sign_in_is_refused(values: dict[str, object], where: str, mail: MakeMail) -> None:
    """By the key to change."""
    assert refused(mail(**{"oauth": {"client_id": "app-1"}, **values})).where == where


def test_xoauth2_without_a_token_is_refused(mail: MakeMail) -> None:
    """Also at one's own server, where no login at all would be fine."""
    assert refused(mail(host="mail.example.com", auth="xoauth2")).where == "mail.password"


def test_an_api_is_at_the_address_of_its_row_or_of_settings(mail: MakeMail) -> None:
    """Sovereign clouds have their own; plain http is for this machine alone."""
    oauth = {"client_id": "app-1"}
    assert resolve(mail(provider="graph", oauth=oauth)).api == "https://graph.microsoft.com"
    assert resolve(mail(provider="gmail_api", oauth=oauth)).where == "gmail.googleapis.com:443"
    account = resolve(mail(provider="graph", oauth=oauth | {"endpoint": "http://127.0.0.1:8080/"}))
    assert (account.api, account.where, account.security) == ("http://127.0.0.1:8080", "127.0.0.1:8080", "none")
    assert refused(mail(provider="graph", oauth=oauth | {"endpoint": "http://graph.example.com"}))


# -- opening a transport -----------------------------------------------------------------------------


def test_open_transport_keeps_files_or_sends(tmp_path: Path, mail: MakeMail) -> None:
    """By what [mail] says."""
    assert open_transport(Mail(), tmp_path) == FolderTransport(tmp_path / "mail")
    sender = open_transport(mail("x", provider="gmail"), tmp_path)
    assert isinstance(sender, SmtpTransport)
