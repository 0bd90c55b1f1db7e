"""HTTPS with every wait limited and no secret in an error."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from email.utils import format_datetime
from pathlib import Path

import pytest
from mailserver import Peer, ScriptedServer
from oauthserver import HANG_UP, Asked, HttpsServer
from oauthserver import Answer as Told

from reports.errors import TransportError
from reports.settings import Mail
from reports.transports.account import Account, resolve
from reports.transports.https import Answer, Web

SECRET = "s3cr3t-value"  # noqa: S105  what a test looks for


class Echo(HttpsServer):
    def answer(self, asked: Asked) -> Told:
        return 200, asked.body.decode() or "{}"


@pytest.fixture
def server() -> Iterator[Echo]:
    with Echo() as running:
        yield running


@pytest.fixture
def account(mail: Callable[..., Mail], server: Echo) -> Account:
    return resolve(mail("x", provider="graph", ca_file=server.ca_file, timeout=2))


def failure(web: Web, method: str, url: str, **named: object) -> TransportError:
    with pytest.raises(TransportError) as caught:
        web.ask(method, url, **named)  # type: ignore[arg-type]
    web.close()
    return caught.value


def test_an_answer_comes_back_as_it_is(account: Account, server: Echo) -> None:
    """Whatever is hidden, an answer is not changed: what is in it may be needed."""
    web = Web(account, hidden={SECRET})
    answer = web.ask("POST", server.url, body=SECRET.encode())
    web.close()
    assert (answer.code, answer.text, answer.values) == (200, SECRET, {})
    assert SECRET not in repr(answer) + repr(web)


def test_no_password_of_a_netrc_goes_along(
    account: Account, server: Echo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would take the place of the token."""
    (tmp_path / "netrc").write_text("default login me password hunter2\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    web = Web(account)
    web.ask("GET", server.url, headers={"Authorization": "Bearer t"})
    web.ask("GET", server.url)
    web.close()
    assert [one.headers.get("Authorization") for one in server.asked] == ["Bearer t", None]


def test_no_redirect_is_followed(account: Account, server: Echo) -> None:
    """A token goes nowhere else."""
    server.replies["/moved"], server.headers = (307, ""), {"Location": f"{server.url}/there"}
    web = Web(account)
    assert web.ask("GET", f"{server.url}/moved").code == 307
    web.close()
    assert server.paths() == ["/moved"]


def test_an_error_shows_neither_the_address_nor_a_secret(account: Account, server: Echo) -> None:
    """An upload's address is itself a permission."""
    server.replies["/upload"] = HANG_UP
    error = failure(Web(account), "PUT", f"{server.url}/upload?authtoken={SECRET}", body=b"x")
    assert SECRET not in str(error) + repr(error.__cause__)
    assert error.where == f"localhost:{server.port}"
    assert not error.permanent


def test_only_a_request_that_cannot_be_taken_back_may_stay_unknown(account: Account, server: Echo) -> None:
    """With a body and without one, after all of it had gone."""
    server.replies["/final"] = HANG_UP
    web = Web(account)
    for body in (b"x" * 100_000, b""):
        assert web.ask("POST", f"{server.url}/final", body=body, final_wait=2).code == 0
        assert "connection failed" in failure(web, "POST", f"{server.url}/final", body=body).what


def test_a_server_that_takes_half_has_nothing(account: Account) -> None:
    """The connection breaks while the body is on its way, with TLS or, on this machine, without."""

    def script(peer: Peer) -> None:
        peer.hear()
        peer.reset()

    with ScriptedServer(script) as half:
        error = failure(Web(account), "POST", f"http://127.0.0.1:{half.port}/", body=b"x" * 20_000_000, final_wait=2)
    assert (error.permanent, error.account) == (False, True)


def test_handing_over_is_told_when_a_connection_is_there(account: Account, server: Echo) -> None:
    """Never where nothing listens."""
    called: list[int] = []
    web = Web(account)
    web.ask("POST", server.url, body=b"x", handing_over=lambda: called.append(1))
    with Echo() as gone:
        url = gone.url
    failure(web, "POST", url, body=b"x", final_wait=1, handing_over=lambda: called.append(2))
    assert called == [1]


def test_a_host_nobody_knows_is_told(account: Account) -> None:
    """And can be tried again: networks come back."""
    error = failure(Web(account), "GET", "https://nobody.invalid/", final_wait=1)
    assert not error.permanent
    assert error.where == "nobody.invalid"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("17", 17.0), ("", None), ("soon", None), ("-3", None), ("Mon, 02 Nov 2026 07:01:30 GMT", 90.0)],
)
def test_a_wait_is_in_seconds_or_a_date(header: str, seconds: float | None) -> None:
    """The date counts by the other side's clock."""
    date = format_datetime(dt.datetime(2026, 11, 2, 7, tzinfo=dt.UTC), usegmt=True)
    assert Answer(429, headers={"Retry-After": header, "Date": date}).retry_after == seconds
