"""Dead-man pings in the style of healthchecks.io: somebody else notices when a job, or the service, falls silent.

They go out beside everything else: nothing waits for them and nothing fails by them. A ping's address is a secret, so
that of it only the host is ever logged.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import logging
import socket
import ssl
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, Literal
from urllib.error import URLError
from urllib.parse import SplitResult, urlencode, urljoin, urlsplit, urlunsplit
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, ProxyHandler, Request

from reports import __version__
from reports.errors import ReportsError

Kind = Literal["start", "success", "fail"]
ENDING: dict[Kind, str] = {"start": "/start", "success": "", "fail": "/fail"}
MOST = 1000
"""Pings that wait; one more, and the oldest to the same address is dropped."""
THREADS = 2
LONGEST_BODY = 10_000
MOST_REDIRECTS = 5
_WAITS = (1.0, 3.0)
_RUNS = uuid.UUID("5b3d6b0e-3a53-5b0e-9c3e-6f1f2d0c8a11")
_log = logging.getLogger("reports.pings")


@dataclass(frozen=True, kw_only=True)
class _Ping:
    url: str = field(repr=False)
    kind: Kind
    body: str
    run: str


class Pings:
    """Sends pings one after the other for each address, two addresses at once.

    `timeout` is for one try, in seconds; after `tries` of them a ping is given up and that is logged. `pause` waits for
    seconds between two tries, `most` pings wait. `tls` says whom to trust, by default whom the system trusts. It has no
    threads before the first ping.
    """

    def __init__(
        self,
        *,
        timeout: float = 10.0,
        tries: int = 3,
        pause: Callable[[float], object] | None = None,
        most: int = MOST,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._timeout, self._tries, self._most, self._tls = timeout, tries, most, tls
        self._over = threading.Event()
        self._pause = pause or self._over.wait
        self._changed = threading.Condition()
        self._lanes: dict[str, deque[_Ping]] = {}
        self._busy: set[str] = set()
        self._threads: list[threading.Thread] = []
        self._closing = False

    def send(self, url: str, kind: Kind, *, body: str = "", run: str = "") -> None:
        """Returns at once and never fails; the order of pings to one address is kept.

        `body` is shown by the host, 10 kB of it. With `run` the host can tell overlapping runs apart: `rid` in the
        query is the same for its start and its end.
        """
        ping = _Ping(url=url, kind=kind, body=body, run=run)
        with self._changed:
            dropped = ping if self._closing else self._make_room(url)
            if not self._closing:
                self._lanes.setdefault(url, deque()).append(ping)
                self._start_threads()
            self._changed.notify()
        if dropped:
            _tell_dropped(dropped, "the service is being stopped" if dropped is ping else "too many wait")

    def close(self, timeout: float = 5.0) -> None:
        """Takes no more; what waits is sent within the seconds given, and what is left then is logged."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._lanes and not self._busy, timeout)
            self._over.set()
            left = [ping for lane in self._lanes.values() for ping in lane]
            self._lanes.clear()
            self._changed.notify_all()
        for ping in left:
            _tell_dropped(ping, "the service was stopped")

    # -- what waits ------------------------------------------------------------------------------------

    def _make_room(self, url: str) -> _Ping | None:
        """The oldest to the same address goes, or where none waits, of the address for which most wait."""
        if sum(map(len, self._lanes.values())) < self._most:
            return None
        fullest = url if url in self._lanes else max(self._lanes, key=lambda one: len(self._lanes[one]))
        dropped = self._lanes[fullest].popleft()
        if not self._lanes[fullest]:
            del self._lanes[fullest]
        return dropped

    def _start_threads(self) -> None:
        while len(self._threads) < THREADS:
            thread = threading.Thread(target=self._work, name=f"pings-{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _work(self) -> None:
        while ping := self._next():
            try:
                self._deliver(ping)
            except Exception as error:  # noqa: BLE001  the thread goes on, whatever a ping meets
                _tell(ping, type(error).__name__)
            finally:
                with self._changed:
                    self._busy.discard(ping.url)
                    self._changed.notify_all()

    def _next(self) -> _Ping | None:
        """The next one to an address to which none is on its way; None when there will be no more."""
        with self._changed:
            while not self._over.is_set():
                if free := [url for url in self._lanes if url not in self._busy]:
                    return self._taken(free[0])
                if self._closing and not self._lanes:
                    return None
                self._changed.wait()
        return None

    def _taken(self, url: str) -> _Ping:
        """The address goes to the end of the line, so that each has its turn."""
        lane = self._lanes.pop(url)
        ping = lane.popleft()
        if lane:
            self._lanes[url] = lane
        self._busy.add(url)
        return ping

    # -- on the wire -----------------------------------------------------------------------------------

    def _deliver(self, ping: _Ping) -> None:
        for number in range(1, self._tries + 1):
            try:
                return self._post(ping)
            except ReportsError as error:
                if not error.temporary or number == self._tries or self._over.is_set():
                    return _tell(ping, error.what)
            self._pause(_WAITS[min(number, len(_WAITS)) - 1])
        return None

    def _post(self, ping: _Ping) -> None:
        """One try, redirects and all within the time limit; it ends as it began: as a POST, and not without TLS."""
        url, until = address(ping.url, ping.kind, run=ping.run), time.monotonic() + self._timeout
        for _ in range(MOST_REDIRECTS):
            status, location = self._ask(url, ping.body, until - time.monotonic())
            if status not in {301, 302, 303, 307, 308}:
                return _judge(status)
            url = _followed(url, location)
        raise ReportsError("it is redirected again and again")

    def _ask(self, url: str, body: str, seconds: float) -> tuple[int, str]:
        """The status and where it points to; the rest of the answer is not read."""
        text = body.encode("utf-8", "replace")[:LONGEST_BODY].decode("utf-8", "ignore").encode()
        headers = {"User-Agent": f"reports/{__version__}", "Content-Type": "text/plain; charset=utf-8"}
        try:
            request = Request(url, data=text, headers=headers, method="POST")  # noqa: S310  see `address`
            with self._opener.open(request, timeout=max(seconds, 0.01)) as answer:
                return answer.status, answer.headers.get("Location", "")
        except OSError as error:
            raise _unanswered(error.reason if isinstance(error, URLError) else error, self._timeout) from None
        except http.client.HTTPException as error:
            raise _unanswered(error, self._timeout) from None

    @cached_property
    def _opener(self) -> OpenerDirector:
        """Of urllib's only HTTP: no files, no FTP, no redirects and no errors of its own."""
        opener = OpenerDirector()
        for part in (ProxyHandler(), _Http(), _Https(self._tls or ssl.create_default_context())):
            opener.add_handler(part)
        return opener


def address(url: str, kind: Kind, *, run: str = "") -> str:
    """Where a ping of that kind goes: /start or /fail at the end of the path, `rid` added to the query.

    A ReportsError where it is none for pings; it does not say which.
    """
    parts = _checked(url)
    rid = urlencode({"rid": uuid.uuid5(_RUNS, run)}) if run else ""
    query = "&".join(filter(None, [parts.query, rid]))
    path = f"{parts.path.rstrip('/')}{ENDING[kind]}" if ENDING[kind] else parts.path
    return urlunsplit((parts.scheme, parts.netloc, path, query, ""))


def _checked(url: str) -> SplitResult:
    """The address in its parts; errors of what is below would have the secret in their words."""
    with contextlib.suppress(ValueError):
        parts = urlsplit(url)
        fits = parts.scheme in {"http", "https"} and parts.hostname and "@" not in parts.netloc and parts.port != 0
        if fits and url.isascii() and url.isprintable() and " " not in url:
            return parts
    raise ReportsError("the address cannot be used: it is http:// or https:// with a host, without user and password")


def _followed(url: str, location: str) -> str:
    there = urljoin(url, location)
    if not location or (url.startswith("https:") and not there.startswith("https:")):
        raise ReportsError("it is redirected to where it must not go")
    _checked(there)
    return there


def _judge(status: int) -> None:
    if status >= 300:
        raise ReportsError(f"HTTP {status}", temporary=status >= 500 or status in {408, 429})


def _unanswered(error: object, timeout: float) -> ReportsError:
    if isinstance(error, TimeoutError):
        return ReportsError(f"no answer within {timeout:g} s", temporary=True)
    if isinstance(error, ssl.SSLCertVerificationError):
        return ReportsError(f"its certificate is not trusted: {error.verify_message}")
    reason = getattr(error, "strerror", None) or type(error).__name__
    return ReportsError(f"the connection failed: {reason}", temporary=True)


def _tell(ping: _Ping, why: str) -> None:
    _log.warning("ping failed", extra=_about(ping) | {"error": why})


def _tell_dropped(ping: _Ping, why: str) -> None:
    _log.warning("ping dropped", extra=_about(ping) | {"error": why})


def _about(ping: _Ping) -> dict[str, object]:
    return {"url": _host(ping.url), "kind": ping.kind, "run": ping.run or None}


def _host(url: str) -> str:
    """What may be shown of an address: no path, no query, no password."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "?"
    return f"{parts.scheme}://{parts.hostname}{port}/..." if parts.scheme and parts.hostname else "?"


# -- a time limit for the whole answer, where the standard library has one for each of its bytes -----


class _Until(io.RawIOBase):
    def __init__(self, connection: socket.socket, until: float) -> None:
        self._connection, self._until = connection, until
        self._bytes = connection.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if (left := self._until - time.monotonic()) <= 0:
            raise TimeoutError
        self._connection.settimeout(left)
        return self._bytes.readinto(buffer)

    def close(self) -> None:
        self._bytes.close()
        super().close()


class _Answer(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, until: float, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp.close()
        self.fp = io.BufferedReader(_Until(sock, until))


class _Plain(http.client.HTTPConnection):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        until = time.monotonic() + (self.timeout or 0)
        self.response_class = partial(_Answer, until=until)  # type: ignore[assignment]


class _Secure(_Plain, http.client.HTTPSConnection):
    pass


class _Http(HTTPHandler):
    def http_open(self, req: Request) -> http.client.HTTPResponse:
        return self.do_open(_Plain, req)


class _Https(HTTPSHandler):
    def __init__(self, tls: ssl.SSLContext) -> None:
        super().__init__(context=tls)
        self._tls = tls

    def https_open(self, req: Request) -> http.client.HTTPResponse:
        return self.do_open(_Secure, req, context=self._tls)
