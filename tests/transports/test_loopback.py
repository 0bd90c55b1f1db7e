"""The page on this machine to which a browser brings the answer of a sign-in."""

from __future__ import annotations

import urllib.error
import urllib.parse
import urllib.request
import webbrowser
from collections.abc import Callable, Iterator

import pytest

from reports.errors import TransportError
from reports.transports.loopback import Loopback

Act = Callable[[str], None]


@pytest.fixture
def browser() -> Iterator[Callable[[Act], None]]:
    """Makes the browser of this machine do something with the address it is sent to."""
    acts: list[Act] = []

    class Browser(webbrowser.BaseBrowser):
        def open(self, url: str, *_: object) -> bool:
            acts[-1](url)
            return True

    webbrowser.register("acting", None, Browser(), preferred=True)
    yield acts.append
    webbrowser._tryorder.remove("acting")


def bring(address: str, *, post: bool = False, **answer: str) -> int:
    form = urllib.parse.urlencode(answer)
    request = urllib.request.Request(address, form.encode()) if post else f"{address}/?{form}"  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=5) as page:  # noqa: S310
            return int(page.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.mark.parametrize("post", [False, True])
def test_the_answer_with_the_right_state_is_taken(post: bool, browser: Callable[[Act], None]) -> None:  # noqa: FBT001
    """Whether the browser brings it in the address or as a form; anything else is not, and does not disturb."""
    codes: list[int] = []
    with Loopback(wait=5) as page:

        def act(url: str) -> None:
            assert url == "https://login.example.com/"
            codes.extend(
                [
                    bring(page.address, post=post, code="stolen", state="another"),
                    bring(page.address, post=post, state="s-1"),
                    bring(page.address + "/favicon.ico"),
                    bring(page.address, post=post, code="c-1", state="s-1"),
                ]
            )

        browser(act)
        told: list[str] = []
        assert page.visit("https://login.example.com/", "s-1", told.append) == {"code": "c-1", "state": "s-1"}
    assert codes == [404, 404, 404, 200]
    assert "https://login.example.com/" in told[0]


def test_a_refusal_is_an_answer_too(browser: Callable[[Act], None]) -> None:
    """The provider says it with the same state."""
    codes: list[int] = []
    with Loopback(wait=5) as page:
        browser(lambda _: codes.append(bring(page.address, error="access_denied", state="s")))
        assert page.visit("https://login.example.com/", "s", str)["error"] == "access_denied"
    assert codes == [200]


def test_nobody_there_ends_it(browser: Callable[[Act], None]) -> None:
    """After the wait, with the other way to sign in."""
    browser(lambda _: None)
    with Loopback(wait=0.05) as page, pytest.raises(TransportError, match="nobody signed in") as caught:
        page.visit("https://login.example.com/", "s", str)
    assert "--flow device" in caught.value.hint


def test_it_listens_on_this_machine_alone() -> None:
    """On a port that is free, and no longer than it is needed."""
    with Loopback() as page:
        assert page._server.server_address[0] == "127.0.0.1"
        address = page.address
    with pytest.raises(urllib.error.URLError):
        bring(address)
