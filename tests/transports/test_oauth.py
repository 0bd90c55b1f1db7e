"""Logins by OAuth: the sign-in, the token that is kept, and who renews it, against a sign-in on this machine."""

from __future__ import annotations

import base64
import datetime as dt
import json
import stat
import subprocess
import sys
import time
import webbrowser
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import keyring
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from keyring.backend import KeyringBackend
from mailserver import MailServer
from oauthserver import HANG_UP, SignInServer, consenting, in_threads
from sending import MakeMail

from reports.errors import MissingDependency, SettingsError, TransportError
from reports.model import Message
from reports.settings import Mail
from reports.transports import open_transport
from reports.transports.account import resolve
from reports.transports.oauth import Login, SignedIn, forget, sign_in, with_login
from reports.transports.smtp import SmtpTransport
from reports.transports.tokens import FileCache, KeyringCache, Token, held

MakeMessage = Callable[..., Message]
Sign = Callable[..., SignedIn]


@pytest.fixture
def server() -> Iterator[SignInServer]:
    with SignInServer() as running:
        yield running


@pytest.fixture
def signed(mail: MakeMail, server: SignInServer) -> Callable[..., Mail]:
    """Makes a `[mail]` that signs in at the server of the test, at Microsoft unless said otherwise."""

    def make(provider: str = "m365", *, timeout: float = 5, **oauth: object) -> Mail:
        given = {"client_id": "app-1", "authority": server.url, **oauth}
        return mail(provider=provider, ca_file=server.ca_file, timeout=timeout, oauth=given)

    return make


def login(mail: Mail, folder: Path) -> Login:
    assert mail.oauth is not None
    account = with_login(resolve(mail), mail.oauth, folder)
    assert isinstance(account.secret, Login)
    return account.secret


def expire(login: Login, *, left: float = 200) -> None:
    """Let only `left` seconds of the token that is kept be left."""
    token = login.cache.read()
    assert token is not None
    login.cache.write(replace(token, expires=login.clock() + left))


def quiet(_: str) -> None:
    """For what nobody has to be told."""


class Told(list[str]):
    def __call__(self, text: str) -> None:
        self.append(text)


# -- signing in with Microsoft -------------------------------------------------------------------------


def test_a_code_is_told_and_the_token_is_kept_for_its_owner_alone(
    signed: Callable[..., Mail], server: SignInServer, tmp_path: Path
) -> None:
    """The address and the code are for a person; the file has the mode 0600 in a folder with 0700."""
    server.pending, told = 1, Told()
    done = sign_in(signed(), tmp_path, tell=told)
    assert told == [f"open {server.url}/device in any browser and enter the code ABCD-EFGH"]
    assert (done.provider, done.flow, done.user, done.person) == ("m365", "device", "me@example.com", server.user)
    assert 3500 < (done.until - dt.datetime.now(dt.UTC)).total_seconds() <= 3600
    assert stat.S_IMODE(Path(done.kept_in).stat().st_mode) == 0o600
    assert stat.S_IMODE(Path(done.kept_in).parent.stat().st_mode) == 0o700
    assert login(signed(), tmp_path).reveal() == "access-1"


def test_the_scopes_are_those_of_the_providers_row(
    signed: Callable[..., Mail], server: SignInServer, tmp_path: Path
) -> None:
    """SMTP.Send for SMTP, Mail.Send for Graph, and with an endpoint of another cloud that cloud's."""
    sign_in(signed(), tmp_path, tell=quiet)
    sign_in(signed("graph", endpoint="https://graph.example.us/"), tmp_path, tell=quiet)
    scopes = [one.form["scope"].split() for one in server.asked if one.path.endswith("/devicecode")]
    assert "https://outlook.office.com/SMTP.Send" in scopes[0]
    assert {"https://graph.example.us/Mail.Send", "https://graph.example.us/Mail.ReadWrite"} <= set(scopes[1])
    assert {path.split("/")[1] for path in server.paths()} == {"organizations"}


def test_a_personal_account_signs_in_as_a_consumer(
    signed: Callable[..., Mail], server: SignInServer, tmp_path: Path
) -> None:
    """Outlook.com has a directory of its own."""
    sign_in(signed("outlook_com"), tmp_path, tell=quiet)
    assert {path.split("/")[1] for path in server.paths()} == {"consumers"}


@pytest.mark.parametrize("provider", ["m365", "gmail"])
def test_the_browser_brings_a_code_that_only_this_program_can_use(
    provider: str, signed: Callable[..., Mail], server: SignInServer, tmp_path: Path, browser: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """By loopback and PKCE: the server refuses a code whose verifier does not fit."""
    monkeypatch.setenv("APP", "app-secret")
    mail = signed(provider, flow="browser", **({"client_secret": {"env": "APP"}} if provider == "gmail" else {}))
    done = sign_in(mail, tmp_path, tell=quiet)
    assert done.flow == "browser"
    assert server.grants == ["authorization_code"]
    assert "code_challenge=" in browser[0]
    assert login(mail, tmp_path).reveal() == server.granted[-1]


def test_a_person_finds_the_same_token_by_either_way(signed: Callable[..., Mail], tmp_path: Path) -> None:
    """Signed in with a code, sent with settings that say browser."""
    sign_in(signed(flow="browser"), tmp_path, flow="device", tell=quiet)
    assert login(signed(flow="browser"), tmp_path).reveal() == "access-1"


def test_the_program_itself_needs_nobody(
    signed: Callable[..., Mail], server: SignInServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Client credentials are the flow where a secret is given, and ask for all that was granted to the app."""
    monkeypatch.setenv("APP", "app-secret")
    mail = signed(tenant="example.com", client_secret={"env": "APP"})
    assert login(mail, tmp_path).reveal() == "access-1"
    assert login(mail, tmp_path).reveal() == "access-1"
    assert server.grants == ["client_credentials"]
    asked = {"scope": "https://outlook.office365.com/.default", "client_secret": "app-secret"}
    assert asked.items() <= server.asked[-1].form.items()


# -- signing in with Google ----------------------------------------------------------------------------


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path / "key.json"
    known = {
        "client_email": "robot@project.example",
        "token_uri": "https://elsewhere.example/",
        "type": "service_account",
    }
    path.write_text(json.dumps(known | {"private_key": key.decode(), "private_key_id": "k1", "project_id": "p"}))
    return path


def test_a_service_account_stands_for_the_sender(
    signed: Callable[..., Mail], server: SignInServer, tmp_path: Path, key_file: Path
) -> None:
    """The assertion names the mailbox as its subject, and the scope of SMTP."""
    mail = signed("google_workspace", key_file=str(key_file))
    assert login(mail, tmp_path).reveal() == "access-1"
    assert server.grants == ["jwt-bearer"]
    _, claims, _ = server.asked[-1].form["assertion"].split(".")
    told = json.loads(base64.urlsafe_b64decode(claims + "=="))
    assert (told["iss"], told["sub"]) == ("robot@project.example", "me@example.com")
    assert told["scope"] == "https://mail.google.com/"


def test_a_service_account_that_may_not_says_where_to_allow_it(
    signed: Callable[..., Mail], server: SignInServer, tmp_path: Path, key_file: Path
) -> None:
    """Domain-wide delegation is the usual reason; the key is in no text."""
    server.replies["/token"] = (401, {"error": "unauthorized_client", "error_description": "Client is unauthorized"})
    with pytest.raises(TransportError, match="unauthorized_client") as caught:
        login(signed("google_workspace", key_file=str(key_file)), tmp_path).reveal()
    assert "Domain-wide delegation" in caught.value.hint
    assert (caught.value.permanent, caught.value.account) == (True, True)
    assert len(server.asked) == 1


@pytest.mark.parametrize(("content", "why"), [("{", "no JSON"), ("[]", "no JSON object"), ("{}", "missing fields")])
def test_a_key_file_that_is_none_is_named(content: str, why: str, signed: Callable[..., Mail], tmp_path: Path) -> None:
    """With its path, and not with what stands in it."""
    (tmp_path / "key.json").write_text(content)
    with pytest.raises(SettingsError, match=why) as caught:
        login(signed("google_workspace", key_file=str(tmp_path / "key.json")), tmp_path).reveal()
    assert "key.json" in caught.value.where


# -- what settings must say ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("provider", "oauth", "key"),
    [
        ("m365", {"client_id": ""}, "client_id"),
        ("m365", {"flow": "client", "tenant": "t"}, "client_secret"),
        ("gmail", {}, "client_secret"),
        ("google_workspace", {"flow": "service_account"}, "key_file"),
        ("m365", {"flow": "service_account"}, "flow"),
        ("gmail", {"flow": "service_account"}, "flow"),
        ("outlook_com", {"flow": "client"}, "flow"),
        ("m365", {"authority": "http://login.example.com"}, "authority"),
        ("graph", {"endpoint": "ftp://graph.example.com"}, "endpoint"),
    ],
)
def test_a_key_that_is_missing_or_wrong_is_named(
    provider: str, oauth: dict[str, str], key: str, signed: Callable[..., Mail], tmp_path: Path
) -> None:
    """Before anything is asked of anybody."""
    with pytest.raises(SettingsError) as caught:
        open_transport(signed(provider, **oauth), tmp_path)
    assert caught.value.where == f"mail.oauth.{key}"
    assert caught.value.hint


def test_client_credentials_need_a_tenant_of_their_own(
    signed: Callable[..., Mail], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program belongs to one directory."""
    monkeypatch.setenv("APP", "s")
    with pytest.raises(SettingsError) as caught:
        open_transport(signed(client_secret={"env": "APP"}), tmp_path)
    assert caught.value.where == "mail.oauth.tenant"


def test_google_has_no_codes_for_mail(signed: Callable[..., Mail], tmp_path: Path) -> None:
    """It is refused with the reason and what there is instead."""
    with pytest.raises(SettingsError, match="Google gives no access to mail by it") as caught:
        sign_in(signed("gmail"), tmp_path, flow="device", tell=quiet)
    assert '"browser"' in caught.value.hint


def test_a_sign_in_that_sending_would_not_find_is_refused(signed: Callable[..., Mail], tmp_path: Path) -> None:
    """Another kind of flow, or another provider than settings have."""
    with pytest.raises(SettingsError) as caught:
        sign_in(signed(tenant="t", flow="device"), tmp_path, flow="client", tell=quiet)
    assert caught.value.where in {"mail.oauth.flow", "mail.oauth.client_secret"}
    with pytest.raises(SettingsError, match="mail goes through Microsoft 365"):
        sign_in(signed(), tmp_path, provider="gmail", tell=quiet)
    assert sign_in(signed(), tmp_path, provider="office365", tell=quiet).provider == "m365"


def test_without_oauth_there_is_nothing_to_sign_in_to(mail: MakeMail, tmp_path: Path) -> None:
    """And the sentence says how that provider is used."""
    with pytest.raises(SettingsError, match="nothing to sign in to") as caught:
        sign_in(mail("x", provider="gmail"), tmp_path, tell=quiet)
    assert "app password" in caught.value.hint


# -- the token ---------------------------------------------------------------------------------------


def test_a_token_is_used_until_five_minutes_before_its_end(
    signed: Callable[..., Mail], server: SignInServer, tmp_path: Path
) -> None:
    """Then it is renewed without anybody, and what renews it rotates."""
    sign_in(signed(), tmp_path, tell=quiet)
    held_login = login(signed(), tmp_path)
    expire(held_login, left=310)
    assert held_login.reveal() == "access-1"
    expire(held_login, left=290)
    assert held_login.reveal() == "access-2"
    expire(held_login)
    assert held_login.reveal() == "access-3"
    assert server.grants == ["device_code", "refresh_token", "refresh_token"]


def test_google_renews_with_what_it_gave_once(
    signed: Callable[..., Mail], server: SignInServer, tmp_path: Path, browser: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """A renewal that brings no new one keeps the old one, even if the answer is the same again."""
    monkeypatch.setenv("APP", "app-secret")
    mail = signed("gmail", client_secret={"env": "APP"})
    sign_in(mail, tmp_path, tell=quiet)
    server.replies["/token"] = [
        (200, {"access_token": "a-2", "expires_in": 3600}),
        (200, {"access_token": "a-3", "expires_in": 3600, "refresh_token": "renewal-1"}),
    ]
    mine = login(mail, tmp_path)
    for expected in ("a-2", "a-3"):
        expire(mine)
        assert mine.reveal() == expected
        assert [one.form["refresh_token"] for one in server.asked if "refresh_token" in one.form][-1] == "renewal-1"


def test_a_clock_set_back_makes_a_token_doubtful(
    signed: Callable[..., Mail], server: SignInServer, tmp_path: Path
) -> None:
    """Nobody knows then when it ends, so it is renewed."""
    sign_in(signed(), tmp_path, tell=quiet)
    mine = login(signed(), tmp_path)
    assert replace(mine, clock=lambda: dt.datetime.now(dt.UTC).timestamp() - 7200).reveal() == "access-2"


def test_threads_that_need_a_token_at_once_ask_once(
    signed: Callable[..., Mail], server: SignInServer, tmp_path: Path
) -> None:
    """The others wait for the one, and have its token."""
    sign_in(signed(), tmp_path, tell=quiet)
    expire(login(signed(), tmp_path))
    server.pause = 0.1
    assert in_threads(4, lambda: login(signed(), tmp_path).reveal()) == ["access-2"] * 4
    assert server.grants.count("refresh_token") == 1


_PROCESS = """
import sys
from pathlib import Path
from reports.settings import Mail
from reports.transports import open_transport
mail = Mail.model_validate_json(sys.argv[1])
print(open_transport(mail, Path(sys.argv[2])).account.credentials()[1])
"""


def test_processes_that_need_a_token_at_once_ask_once(
    signed: Callable[..., Mail], server: SignInServer, tmp_path: Path
) -> None:
    """A lock in the data folder is between them."""
    sign_in(signed(), tmp_path, tell=quiet)
    expire(login(signed(), tmp_path))
    server.pause = 0.2
    command = [
        sys.executable,
        "-c",
        _PROCESS,
        signed().model_dump_json(by_alias=True, exclude_defaults=True),
        str(tmp_path),
    ]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.communicate(timeout=30)[0].strip() for process in running] == ["access-2", "access-2"]
    assert server.grants.count("refresh_token") == 1


# -- when it goes wrong ----------------------------------------------------------------------------------


def test_nobody_signed_in_says_what_to_do(signed: Callable[..., Mail], server: SignInServer, tmp_path: Path) -> None:
    """Without asking anybody."""
    with pytest.raises(TransportError, match="nobody is signed in to Microsoft 365") as caught:
        login(signed(), tmp_path).reveal()
    assert "reports login" in caught.value.hint
    assert (caught.value.permanent, caught.value.account) == (True, True)
    assert server.asked == []


def test_a_refused_renewal_is_never_tried_again(
    signed: Callable[..., Mail], server: SignInServer, tmp_path: Path
) -> None:
    """Not by this process, not by the next: only `reports login` opens it again."""
    sign_in(signed(), tmp_path, tell=quiet)
    mine = login(signed(), tmp_path)
    expire(mine)
    server.renewal = "revoked"
    for _ in range(2):
        with pytest.raises(TransportError, match="AADSTS700082") as caught:
            login(signed(), tmp_path).reveal()
        assert "reports login" in caught.value.hint
        assert (caught.value.permanent, caught.value.account) == (True, True)
    assert server.grants.count("refresh_token") == 1
    sign_in(signed(), tmp_path, tell=quiet)
    assert login(signed(), tmp_path).reveal() == server.granted[-1]


@pytest.mark.parametrize("reply", [(500, "oops"), (429, "slow down"), (200, "<html>log in to the hotel"), HANG_UP])
@pytest.mark.parametrize("provider", ["m365", "gmail"])
def test_trouble_at_the_sign_in_is_passing(
    reply: tuple[int, str], provider: str, signed: Callable[..., Mail], server: SignInServer, tmp_path: Path,
    browser: list[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """It is tried again with the next message, one request each time, and the renewal stays good."""
    monkeypatch.setenv("APP", "app-secret")
    mail = signed(provider, flow="browser", client_secret={"env": "APP"})
    sign_in(mail, tmp_path, tell=quiet)
    mine = login(mail, tmp_path)
    expire(mine, left=0)
    server.replies["/token"], server.headers = reply, {"Retry-After": "7"}
    before = len(server.grants)
    with pytest.raises(TransportError) as caught:
        mine.reveal()
    assert (caught.value.permanent, caught.value.account) == (False, True)
    assert caught.value.retry_after == (7 if reply[0] >= 429 else None)
    assert "renewal-" not in str(caught.value)
    assert len(server.grants) == before + 1
    server.replies.clear()
    assert mine.reveal() == server.granted[-1]


def test_a_token_that_still_lasts_is_used_when_it_cannot_be_renewed_early(
    signed: Callable[..., Mail], server: SignInServer, tmp_path: Path
) -> None:
    """The report goes out; a sign-in that is away for minutes harms nobody."""
    sign_in(signed(), tmp_path, tell=quiet)
    mine = login(signed(), tmp_path)
    expire(mine, left=200)
    server.replies["/token"] = (503, "later")
    assert mine.reveal() == "access-1"


def test_a_sign_in_that_is_away_is_passing(signed: Callable[..., Mail], server: SignInServer, tmp_path: Path) -> None:
    """And one that is slow as well, within the timeout of settings."""
    sign_in(signed(), tmp_path, tell=quiet)
    expire(login(signed(), tmp_path), left=0)
    server.pause = 1.0
    with pytest.raises(TransportError, match=r"did not answer within 0\.2 s") as caught:
        login(signed(timeout=0.2), tmp_path).reveal()
    assert not caught.value.permanent
    with SignInServer() as other:
        url = other.url
    mail = signed(authority=url)
    login(mail, tmp_path).cache.write(Token(access="a", renewal="renewal-1"))
    with pytest.raises(TransportError, match="Connection refused") as caught:
        login(mail, tmp_path).reveal()
    assert not caught.value.permanent


def test_a_tenant_or_app_that_is_not_known_is_told(
    signed: Callable[..., Mail], server: SignInServer, tmp_path: Path
) -> None:
    """With the key to look at."""
    with pytest.raises(TransportError, match="refused the login") as caught:
        sign_in(signed(tenant="nowhere"), tmp_path, tell=quiet)
    assert "tenant" in caught.value.hint
    server.replies["/devicecode"] = (400, {"error": "invalid_client", "error_description": "AADSTS7000218: secret"})
    with pytest.raises(TransportError, match="AADSTS7000218") as caught:
        sign_in(signed(), tmp_path, tell=quiet)
    assert "Allow public client flows" in caught.value.hint


def test_a_certificate_nobody_vouches_for_is_not_trusted(mail: MakeMail, server: SignInServer, tmp_path: Path) -> None:
    """Nothing is told to it, and ca_file is named."""
    oauth = {"client_id": "app-1", "authority": server.url}
    with pytest.raises(TransportError, match="certificate") as caught:
        sign_in(mail(provider="m365", oauth=oauth), tmp_path, tell=quiet)
    assert caught.value.permanent
    assert "ca_file" in caught.value.hint
    assert server.asked == []


def test_a_broken_cache_is_as_if_nobody_had_signed_in(signed: Callable[..., Mail], tmp_path: Path) -> None:
    """Half a file, or one of another kind, is no crash."""
    done = sign_in(signed(), tmp_path, tell=quiet)
    for content in ("{", '{"other": 1}', "[]"):
        Path(done.kept_in).write_text(content)
        with pytest.raises(TransportError, match="nobody is signed in"):
            login(signed(), tmp_path).reveal()


# -- where tokens are kept ---------------------------------------------------------------------------------


def test_forgetting_deletes_the_token(signed: Callable[..., Mail], tmp_path: Path) -> None:
    """And says whether there was one."""
    done = sign_in(signed(), tmp_path, tell=quiet)
    assert forget(signed(), tmp_path) == (True, done.kept_in)
    assert forget(signed(), tmp_path)[0] is False
    assert not Path(done.kept_in).exists()


def test_every_login_has_a_token_of_its_own(signed: Callable[..., Mail], tmp_path: Path) -> None:
    """Another app, tenant or mailbox never gets this one's."""
    sign_in(signed(), tmp_path, tell=quiet)
    other = signed().model_copy(update={"user": "shared@example.com"})
    for mail in (signed(client_id="app-2"), signed(tenant="t"), signed("graph"), other):
        with pytest.raises(TransportError, match="nobody is signed in"):
            login(mail, tmp_path).reveal()


class Ring(KeyringBackend):
    """A keyring in memory that takes entries no longer than that of Windows."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.entries: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        assert len(password.encode("utf-16-le")) <= 2560
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.entries[service, username]


@pytest.fixture
def ring() -> Iterator[Ring]:
    before, made = keyring.get_keyring(), Ring()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


def test_the_keyring_keeps_a_token_however_long(ring: Ring) -> None:
    """In parts, none of which is left behind."""
    cache = KeyringCache("m365-1")
    assert cache.read() is None
    token = Token(access="a" * 3000, renewal="r" * 1500, expires=1.5, user="me@example.com")
    cache.write(token)
    assert cache.read() == token
    assert cache.forget()
    assert ring.entries == {}
    assert not cache.forget()


def test_a_token_in_the_keyring_is_in_no_file(signed: Callable[..., Mail], tmp_path: Path, ring: Ring) -> None:
    """Only the lock is in the data folder."""
    done = sign_in(signed(cache="keyring"), tmp_path, tell=quiet)
    assert "keyring" in done.kept_in
    assert login(signed(cache="keyring"), tmp_path).reveal() == "access-1"
    assert not any(b"access-1" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_a_token_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    """The folder gets nothing but the file, and a folder that cannot be made is told."""
    cache = FileCache(tmp_path / "tokens" / "a.json")
    cache.write(Token(access="1"))
    cache.write(Token(access="2"))
    assert [path.name for path in cache.path.parent.iterdir()] == ["a.json"]
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(TransportError, match="cannot be kept") as caught:
        FileCache(tmp_path / "file" / "a.json").write(Token())
    assert caught.value.account


def test_one_holds_the_lock_at_a_time(tmp_path: Path) -> None:
    """Threads too, with a lock each."""
    inside, most = [0], [0]

    def work() -> None:
        with held(tmp_path / "tokens" / "a.lock"):
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            time.sleep(0.005)
            inside[0] -= 1

    assert in_threads(8, work) == [None] * 8
    assert most == [1]


def test_no_repr_shows_a_token(signed: Callable[..., Mail], tmp_path: Path) -> None:
    """Not of the token, the login, the account or the transport."""
    sign_in(signed(), tmp_path, tell=quiet)
    transport = open_transport(signed(), tmp_path)
    assert isinstance(transport, SmtpTransport)
    transport.account.credentials()
    shown = repr(transport) + repr(transport.account.secret) + repr(login(signed(), tmp_path).cache.read())
    assert "access-1" not in shown
    assert "renewal-1" not in shown


def test_a_missing_library_names_the_command(tmp_path: Path) -> None:
    """In a process in which it cannot be imported."""
    code = (
        "import sys; sys.modules['msal'] = None\n"
        "from pathlib import Path\n"
        "from reports.settings import Mail\n"
        "from reports.transports.oauth import sign_in\n"
        "mail = Mail.model_validate({'from': 'me@example.com', 'provider': 'm365', 'oauth': {'client_id': 'a'}})\n"
        "sign_in(mail, Path(sys.argv[1]), tell=print)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
    assert "reports.errors.MissingDependency" in ran.stderr
    assert 'pip install "reports[oauth]"' in str(MissingDependency("msal", extra="oauth", purpose="x"))


# -- to the mailbox ------------------------------------------------------------------------------------------


def test_mail_goes_by_smtp_with_the_token_and_is_renewed_on_the_way(
    signed: Callable[..., Mail], server: SignInServer, tmp_path: Path, message: MakeMessage
) -> None:
    """XOAUTH2, one login a connection, the token that is fresh."""
    sign_in(signed(), tmp_path, tell=quiet)
    with MailServer(tokens={"me@example.com": "access-2"}) as mailbox:
        mail = signed().model_copy(update={"host": mailbox.host, "port": mailbox.port})
        expire(login(mail, tmp_path))
        transport = open_transport(mail, tmp_path)
        receipts = transport.send(message())
        transport.close()
        assert mailbox.logins == ["XOAUTH2"]
        assert len(mailbox.messages) == 1
    assert [one.state for one in receipts] == ["accepted"]


def test_a_mailbox_that_refuses_the_token_is_asked_once(
    signed: Callable[..., Mail], tmp_path: Path, message: MakeMessage
) -> None:
    """An error about the account, without the token in it."""
    sign_in(signed(), tmp_path, tell=quiet)
    with MailServer(tokens={"me@example.com": "another"}) as mailbox:
        mail = signed().model_copy(update={"host": mailbox.host, "port": mailbox.port})
        with pytest.raises(TransportError) as caught:
            open_transport(mail, tmp_path).send(message())
        assert mailbox.logins == ["XOAUTH2"]
    assert (caught.value.permanent, caught.value.account) == (True, True)
    assert "access-1" not in str(caught.value)


def test_nobody_signed_in_stops_the_mail_and_the_check(
    signed: Callable[..., Mail], tmp_path: Path, message: MakeMessage
) -> None:
    """With the same sentence."""
    with MailServer(tokens={"me@example.com": "x"}) as mailbox:
        transport = open_transport(signed().model_copy(update={"host": mailbox.host, "port": mailbox.port}), tmp_path)
        for attempt in (lambda: transport.send(message()), lambda: list(transport.check())):
            with pytest.raises(TransportError, match="nobody is signed in") as caught:
                attempt()
            assert "reports login" in caught.value.hint
        assert mailbox.logins == []


@pytest.fixture
def browser() -> Iterator[list[str]]:
    """A browser in which somebody is signed in and says yes; what it was sent to."""
    visited: list[str] = []

    class Browser(webbrowser.BaseBrowser):
        def open(self, url: str, *_: object) -> bool:
            visited.append(url)
            consenting(url)
            return True

    webbrowser.register("yes", None, Browser(), preferred=True)
    yield visited
    webbrowser._tryorder.remove("yes")
