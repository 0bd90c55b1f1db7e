"""Dead-man pings: in order, beside everything else, and never in anybody's way."""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import trustme

from reports import __version__
from reports.errors import ReportsError
from reports.pings import LONGEST_BODY, THREADS, Pings, address

LONG = 20.0
"""Seconds after which a test is called failed; nothing waits for so long."""


@dataclass
class Host:
    """A host of pings. `script` are the answers in order, the last one from then on: a status, a place, or a deed."""

    script: list[int | str | Callable[[BaseHTTPRequestHandler], None]] = field(default_factory=lambda: [200])
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    url: str = ""
    came: threading.Condition = field(default_factory=threading.Condition)

    @property
    def paths(self) -> list[str]:
        return [path for _, path, _ in self.asked]

    def wait(self, count: int) -> None:
        with self.came:
            assert self.came.wait_for(lambda: len(self.asked) >= count, LONG), f"only {self.asked} came"

    def take(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length", "0"))).decode()
        with self.came:
            self.asked.append((request.command, request.path, body))
            self.headers.append(dict(request.headers.items()))
            answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
            self.came.notify_all()
        _answer(request, answer)


def _answer(request: BaseHTTPRequestHandler, answer: int | str | Callable[[BaseHTTPRequestHandler], None]) -> None:
    with contextlib.suppress(OSError):
        if callable(answer):
            answer(request)
            return
        request.send_response(answer if isinstance(answer, int) else 307)
        if isinstance(answer, str):
            request.send_header("Location", answer)
        request.send_header("Content-Length", "2")
        request.end_headers()
        request.wfile.write(b"OK")


def after(over: threading.Event) -> Callable[[BaseHTTPRequestHandler], None]:
    """An answer that is not given before that."""

    def wait(request: BaseHTTPRequestHandler) -> None:
        over.wait(LONG)
        _answer(request, 200)

    return wait


@contextlib.contextmanager
def serving(host: Host, tls: ssl.SSLContext | None = None) -> Iterator[Host]:
    class Taker(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            host.take(self)

        do_GET = do_POST  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """Clients go away."""

    with Server(("127.0.0.1", 0), Taker) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        host.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}/secret-key"
        try:
            yield host
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def host() -> Iterator[Host]:
    with serving(Host()) as there:
        yield there


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def pings(waits: list[float]) -> Iterator[Pings]:
    """That do not wait between their tries."""
    made = Pings(pause=waits.append, timeout=LONG)
    yield made
    made.close(0)


@pytest.fixture(autouse=True)
def _logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "reports.pings")


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged, with its reason."""
    return [f"{record.getMessage()}: {record.__dict__['error']}" for record in caplog.records]


def test_each_kind_has_its_path_and_its_text(host: Host, pings: Pings, caplog: pytest.LogCaptureFixture) -> None:
    """As healthchecks.io has them, in the order they were sent, by POST."""
    pings.send(host.url, "start")
    pings.send(host.url, "fail", body="the database is away: ä")
    pings.send(host.url, "success")
    pings.close(LONG)
    assert host.asked == [
        ("POST", "/secret-key/start", ""),
        ("POST", "/secret-key/fail", "the database is away: ä"),
        ("POST", "/secret-key", ""),
    ]
    assert host.headers[0]["User-Agent"] == f"reports/{__version__}"
    assert host.headers[0]["Content-Type"] == "text/plain; charset=utf-8"
    assert caplog.records == []


def test_start_and_end_of_a_run_have_the_same_id() -> None:
    """So that overlapping runs are told apart; what the query had stays."""
    start, end = (address("https://hc.example/key/?a=1", kind, run="ab12") for kind in ("start", "fail"))
    assert urlsplit(start).path == "/key/start"
    assert parse_qs(urlsplit(start).query)["a"] == ["1"]
    (rid,) = parse_qs(urlsplit(start).query)["rid"]
    assert uuid.UUID(rid).version == 5
    assert end == start.replace("/start", "/fail")
    assert rid not in address("https://hc.example/key", "success", run="cd34")


def test_without_a_run_the_address_is_as_it_was_given() -> None:
    """For hosts that know no run."""
    assert address("https://hc.example/key/?a=1", "success") == "https://hc.example/key/?a=1"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hc.example/secret-key",
        "file:///etc/secret-key",
        "ftp://hc.example/secret-key",
        "https:///secret-key",
        "https://me:secret-key@hc.example/",
        "https://hc.example:secret-key/",
        "https://hc.example/secret-key\r\nX: y",
        "https://hc.example/a secret-key",
        "https://hc.example/secret-key/ü",
        "https://[hc.example/secret-key",
    ],
)
def test_what_is_no_address_is_told_without_it(url: str, pings: Pings, caplog: pytest.LogCaptureFixture) -> None:
    """Only http and https, for nothing else is a ping; and it is not tried again."""
    with pytest.raises(ReportsError) as error:
        address(url, "start")
    pings.send(url, "start")
    pings.close(LONG)
    assert told(caplog) == [f"ping failed: {error.value}"]
    assert "secret-key" not in str([record.__dict__ for record in caplog.records])


def test_a_long_text_is_cut_between_two_letters(host: Host, pings: Pings) -> None:
    """To 10 kB."""
    pings.send(host.url, "fail", body="x" + "ä" * LONGEST_BODY)
    pings.close(LONG)
    assert host.asked[0][2] == "x" + "ä" * (LONGEST_BODY // 2 - 1)


def test_it_is_tried_again_when_the_host_has_trouble(
    host: Host, pings: Pings, waits: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    """After a wait, and a longer one; what comes later waits for it."""
    host.script = [500, 429, 200]
    pings.send(host.url, "start")
    pings.send(host.url, "success")
    pings.close(LONG)
    assert host.paths == ["/secret-key/start"] * 3 + ["/secret-key"]
    assert waits == sorted(waits)
    assert len(waits) == 2
    assert told(caplog) == []


def test_it_is_given_up_after_a_few_tries(host: Host, pings: Pings, caplog: pytest.LogCaptureFixture) -> None:
    """That is told, with nothing of the address but the host."""
    host.script = [503]
    pings.send(f"{host.url}?token=secret-key", "start", run="ab12")
    pings.close(LONG)
    assert len(host.asked) == 3
    assert told(caplog) == ["ping failed: HTTP 503"]
    (record,) = caplog.records
    port = urlsplit(host.url).port
    assert record.__dict__["url"] == f"http://127.0.0.1:{port}/..."
    assert (record.__dict__["kind"], record.__dict__["run"]) == ("start", "ab12")
    assert "secret-key" not in str(record.__dict__)


def test_an_address_that_there_is_not_is_not_tried_again(
    host: Host, pings: Pings, caplog: pytest.LogCaptureFixture
) -> None:
    """It would not be there the next time either."""
    host.script = [404]
    pings.send(host.url, "success")
    pings.close(LONG)
    assert len(host.asked) == 1
    assert told(caplog) == ["ping failed: HTTP 404"]


def test_a_host_that_is_not_there_is_told(pings: Pings, waits: list[float], caplog: pytest.LogCaptureFixture) -> None:
    """After all tries."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    pings.send(f"http://127.0.0.1:{port}/secret-key", "success")
    pings.close(LONG)
    assert len(waits) == 2
    assert told(caplog)[0].startswith("ping failed: the connection failed: ")


def cut(request: BaseHTTPRequestHandler) -> None:
    """The connection is closed without an answer."""


def nonsense(request: BaseHTTPRequestHandler) -> None:
    request.wfile.write(b"what?\r\n\r\n")


@pytest.mark.parametrize("deed", [cut, nonsense])
def test_an_answer_that_is_none_is_a_failure(
    host: Host, pings: Pings, deed: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Tried again as a lost connection is."""
    host.script = [deed]
    pings.send(host.url, "success")
    pings.close(LONG)
    assert len(host.asked) == 3
    assert told(caplog)[0].startswith("ping failed: the connection failed: ")


def test_a_host_that_hangs_is_left(host: Host, caplog: pytest.LogCaptureFixture) -> None:
    """After the time limit, and it does not hold up the others or the sender."""
    over = threading.Event()
    host.script = [after(over)]
    pings = Pings(timeout=0.2, tries=1)
    with serving(Host()) as other:
        began = time.monotonic()
        pings.send(host.url, "success")
        pings.send(other.url, "success")
        assert time.monotonic() - began < 1
        other.wait(1)
        pings.close(LONG)
    over.set()
    assert told(caplog) == ["ping failed: no answer within 0.2 s"]


def test_a_host_that_answers_by_the_byte_is_left(host: Host, caplog: pytest.LogCaptureFixture) -> None:
    """The limit is for the whole answer."""
    over = threading.Event()

    def drip(request: BaseHTTPRequestHandler) -> None:
        for byte in b"HTTP/1.0 200 OK\r\nX-Slow: " + b"x" * 1000:
            request.wfile.write(bytes([byte]))
            if over.wait(0.02):
                break

    host.script = [drip]
    pings = Pings(timeout=0.4, tries=1)
    pings.send(host.url, "success")
    pings.close(LONG)
    over.set()
    assert told(caplog) == ["ping failed: no answer within 0.4 s"]


def test_an_endless_answer_is_not_read(host: Host, pings: Pings, caplog: pytest.LogCaptureFixture) -> None:
    """The status says all."""

    def endless(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        while True:
            request.wfile.write(b"x" * 65536)

    host.script = [endless]
    pings.send(host.url, "success")
    pings.close(LONG)
    assert len(host.asked) == 1
    assert told(caplog) == []


# -- redirects -------------------------------------------------------------------------------------


def test_a_redirect_is_followed_as_it_began(host: Host, pings: Pings, caplog: pytest.LogCaptureFixture) -> None:
    """By POST and with its text."""
    host.script = ["/elsewhere", 200]
    pings.send(host.url, "fail", body="why")
    pings.close(LONG)
    assert host.asked == [("POST", "/secret-key/fail", "why"), ("POST", "/elsewhere", "why")]
    assert told(caplog) == []


@pytest.mark.parametrize("place", ["file:///etc/hostname", "ftp://127.0.0.1/x", "http://me:pw@127.0.0.1/", ""])
def test_a_redirect_to_something_else_is_not_followed(
    host: Host, pings: Pings, place: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told."""
    host.script = [place]
    pings.send(host.url, "success")
    pings.close(LONG)
    assert len(host.asked) == 1
    assert len(told(caplog)) == 1


def test_redirects_in_a_circle_have_an_end(host: Host, pings: Pings, caplog: pytest.LogCaptureFixture) -> None:
    """After five."""
    host.script = ["/again"]
    pings.send(host.url, "success")
    pings.close(LONG)
    assert len(host.asked) == 5
    assert told(caplog) == ["ping failed: it is redirected again and again"]


# -- TLS -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def secure(authority: trustme.CA) -> Iterator[Host]:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    with serving(Host(), tls) as there:
        yield there


@pytest.fixture
def trusting(authority: trustme.CA) -> Iterator[Pings]:
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    made = Pings(timeout=LONG, tries=1, tls=trust)
    yield made
    made.close(0)


def test_a_host_with_a_certificate_is_reached(secure: Host, trusting: Pings, caplog: pytest.LogCaptureFixture) -> None:
    """With TLS as most have it."""
    trusting.send(secure.url, "success")
    trusting.close(LONG)
    assert secure.paths == ["/secret-key"]
    assert told(caplog) == []


def test_nothing_is_told_to_a_host_that_is_not_trusted(
    secure: Host, pings: Pings, caplog: pytest.LogCaptureFixture
) -> None:
    """Its certificate is the one of a stranger, the next time too."""
    pings.send(secure.url, "success")
    pings.close(LONG)
    assert secure.asked == []
    assert told(caplog) == ["ping failed: its certificate is not trusted: unable to get local issuer certificate"]


def test_no_redirect_leaves_tls(secure: Host, host: Host, trusting: Pings, caplog: pytest.LogCaptureFixture) -> None:
    """The address would be there for all to read."""
    secure.script = [host.url]
    trusting.send(secure.url, "success")
    trusting.close(LONG)
    assert host.asked == []
    assert told(caplog) == ["ping failed: it is redirected to where it must not go"]


# -- many of them ----------------------------------------------------------------------------------


def test_order_is_kept_however_many_there_are(host: Host, pings: Pings) -> None:
    """For one address."""
    for number in range(50):
        pings.send(host.url, "success", body=str(number))
    pings.close(LONG)
    assert [body for _, _, body in host.asked] == [str(number) for number in range(50)]


def test_one_address_has_one_ping_at_a_time(host: Host, pings: Pings) -> None:
    """An end does not overtake its start, even if there is a thread free for it."""
    over = threading.Event()
    host.script = [after(over), 200]
    pings.send(host.url, "start")
    host.wait(1)
    pings.send(host.url, "success")
    pings.send(f"{host.url}/other", "success")
    host.wait(2)
    over.set()
    pings.close(LONG)
    assert host.paths == ["/secret-key/start", "/secret-key/other", "/secret-key"]


def test_addresses_take_turns(host: Host) -> None:
    """One of which much is told does not keep the others waiting; two are asked at once, not more."""
    pings, over = Pings(timeout=LONG), threading.Event()
    host.script = [*[after(over)] * THREADS, 200]
    for name in "ab":
        pings.send(f"{host.url}/{name}", "success")
    host.wait(THREADS)
    for name in ("c", "c", "c", "d"):
        pings.send(f"{host.url}/{name}", "success")
    time.sleep(0.05)
    assert len(host.asked) == THREADS
    over.set()
    pings.close(LONG)
    rest = [path[-1] for path in host.paths if path[-1] in "cd"]
    assert sorted(rest) == ["c", "c", "c", "d"]
    assert rest.index("d") <= 2


def test_when_too_many_wait_the_oldest_of_the_same_address_goes(host: Host, caplog: pytest.LogCaptureFixture) -> None:
    """The newest is what counts, and each dropped one is told."""
    pings, over = Pings(timeout=LONG, most=3), threading.Event()
    host.script = [after(over), 200]
    pings.send(f"{host.url}/a", "success", body="first")
    host.wait(1)
    for number in range(5):
        pings.send(f"{host.url}/a", "success", body=str(number))
    over.set()
    pings.close(LONG)
    assert [body for _, _, body in host.asked if body.isdigit()] == ["2", "3", "4"]
    assert told(caplog).count("ping dropped: too many wait") == 2


def test_when_too_many_wait_another_address_still_has_its_place(host: Host) -> None:
    """The one of which most wait gives it up."""
    pings, over = Pings(timeout=LONG, most=3), threading.Event()
    host.script = [*[after(over)] * THREADS, 200]
    for name in "ab":
        pings.send(f"{host.url}/{name}", "success", body="first")
    host.wait(THREADS)
    for number in range(3):
        pings.send(f"{host.url}/a", "success", body=str(number))
    pings.send(f"{host.url}/c", "success", body="new")
    over.set()
    pings.close(LONG)
    bodies = [body for _, _, body in host.asked]
    assert "new" in bodies
    assert [body for body in bodies if body.isdigit()] == ["1", "2"]


# -- its end ---------------------------------------------------------------------------------------


def test_what_is_left_at_the_end_is_told(host: Host, caplog: pytest.LogCaptureFixture) -> None:
    """It does not take longer than it may."""
    over = threading.Event()
    host.script = [after(over)]
    pings = Pings(timeout=LONG)
    pings.send(host.url, "start")
    host.wait(1)
    pings.send(host.url, "success")
    began = time.monotonic()
    pings.close(0.1)
    assert time.monotonic() - began < LONG / 2
    over.set()
    assert "ping dropped: the service was stopped" in told(caplog)


def test_after_the_end_a_ping_is_only_told(host: Host, pings: Pings, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody waits for it, nothing fails."""
    pings.close(LONG)
    pings.send(host.url, "success")
    pings.close(LONG)
    assert host.asked == []
    assert told(caplog) == ["ping dropped: the service is being stopped"]


def test_a_wait_between_two_tries_ends_with_it(host: Host, caplog: pytest.LogCaptureFixture) -> None:
    """The service stops when it is to stop."""
    host.script = [500]
    pings = Pings(timeout=LONG)
    pings.send(host.url, "success")
    host.wait(1)
    pings.close(0)
    until = time.monotonic() + LONG
    while not told(caplog) and time.monotonic() < until:
        time.sleep(0.01)
    assert told(caplog) == ["ping failed: HTTP 500"]
    assert len(host.asked) <= 2


def test_a_fault_in_one_ping_does_not_end_the_others(host: Host, caplog: pytest.LogCaptureFixture) -> None:
    """The threads live on, and the fault is told."""

    def broken(_: float) -> None:
        raise RuntimeError

    host.script = [*[500] * THREADS * 2, 200]
    pings = Pings(pause=broken, timeout=LONG)
    for _ in range(THREADS * 2 + 1):
        pings.send(host.url, "success")
    pings.close(LONG)
    assert told(caplog) == ["ping failed: RuntimeError"] * THREADS * 2
    assert len(host.asked) == THREADS * 2 + 1


def test_without_pings_there_are_no_threads() -> None:
    """Most jobs have none."""
    before = threading.active_count()
    Pings().close()
    assert threading.active_count() == before
