"""How the service is, over HTTP: /healthz for whoever restarts it, /metrics for Prometheus.

It listens on loopback. `0.0.0.0:PORT` and `[::]:PORT` are taken where they are written down, for in a container nobody
reaches anything else; any other address is refused, as there is neither TLS nor a login. What is shown are counts,
times and the names of jobs, nothing of what is in reports. The Host header is used for nothing.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import ipaddress
import json
import logging
import os
import selectors
import socket
import socketserver
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry, Histogram, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.registry import Collector

from reports import __version__
from reports.errors import ReportsError, SettingsError
from reports.model import DeliveryState, Run

STALE = dt.timedelta(seconds=60)
"""A scheduler that has not turned for so long hangs; it turns every few seconds."""
CLIENT_TIME = 5.0
MOST_CLIENTS = 32
LONGEST_HEAD = 16_384
LATENESS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 900, 3600, 14400, 86400)
DURATION = (0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200)
_TEXT = "text/plain; charset=utf-8"
_METRICS = "text/plain; version=0.0.4; charset=utf-8"
_log = logging.getLogger("reports.health")


@dataclass(frozen=True, kw_only=True)
class Wellness:
    """What the service knows of itself: it is well if it turns, its threads live and its store answers.

    `turned` is when the scheduler's wheel went round last, `beat` when the store last took its sign of life,
    `delivered` when the outbox was last looked through; None before the first time. A slow mail server may hold up
    deliveries for long, and a broken job is its owner's to mend: both are shown, and no reason to start it anew.
    """

    now: dt.datetime
    turned: dt.datetime | None
    timer_alive: bool
    delivery_alive: bool
    store_up: bool
    beat: dt.datetime | None = None
    delivered: dt.datetime | None = None
    broken: int = 0

    def checks(self) -> Mapping[str, Mapping[str, object]]:
        """Each check with `ok`, and what it goes by; ages are in seconds."""
        turning = self.turned is not None and self.now - self.turned <= STALE
        return {
            "scheduler": {"ok": turning, "age": self._age(self.turned)},
            "timer": {"ok": self.timer_alive},
            "store": {"ok": self.store_up, "beat_age": self._age(self.beat)},
            "delivery": {"ok": self.delivery_alive, "age": self._age(self.delivered)},
            "jobs": {"ok": True, "broken": self.broken},
        }

    def _age(self, since: dt.datetime | None) -> float | None:
        return round((self.now - since).total_seconds(), 3) if since else None


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What there is at one instant; None is what cannot be got, because the store is away."""

    heartbeat: dt.datetime | None = None
    next_occurrence: dt.datetime | None = None
    jobs: Mapping[Literal["ok", "broken", "paused"], int] | None = None
    active: Mapping[Literal["queued", "running"], int] | None = None
    deliveries: Mapping[DeliveryState, int] | None = None

    @property
    def store_up(self) -> bool:
        return self.active is not None and self.deliveries is not None


class Meter:
    """What this process has seen of runs since it started; any thread may tell it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ended: Counter[tuple[str, str]] = Counter()
        self._late = _histogram("lateness", "How long after its occurrence a scheduled run was begun", LATENESS)
        self._waited = _histogram("queue_wait", "How long a run that could begin waited for room", LATENESS)
        self._took = _histogram("duration", "How long a run took, from its beginning to its end", DURATION)

    def started(self, run: Run) -> None:
        """A run was begun: its lateness, if it is for an occurrence and was not tried before, and its wait."""
        if run.occurrence and run.attempt == 1:
            self._late.observe(run.late.total_seconds())
        self._waited.observe(run.waited.total_seconds())

    def ended(self, run: Run) -> None:
        """A run is settled; one that is queued or running, as one that is tried again, is not counted."""
        if run.state in {"queued", "running"}:
            return
        with self._lock:
            self._ended[run.job, run.state] += 1
        if run.finished and run.state not in {"skipped", "missed"}:
            self._took.observe(max((run.finished - run.started).total_seconds(), 0))

    def collect(self) -> Iterator[Metric]:
        """The figures as Prometheus has them."""
        runs = CounterMetricFamily("reports_runs", "Runs that were settled by this process", labels=("job", "state"))
        with self._lock:
            ended = dict(self._ended)
        for labels, count in ended.items():
            runs.add_metric(labels, count)
        yield runs
        for histogram in (self._late, self._waited, self._took):
            yield from histogram.collect()


def _histogram(name: str, about: str, buckets: tuple[float, ...]) -> Histogram:
    return Histogram(f"reports_run_{name}_seconds", f"{about}, in seconds", buckets=buckets, registry=None)


@dataclass(frozen=True)
class _Collector(Collector):
    """One look at all figures, for one scrape."""

    figures: Callable[[], Figures]
    meter: Meter

    def collect(self) -> Iterator[Metric]:
        try:
            known = self.figures()
        except ReportsError as error:
            _log.warning("health failed", extra={"path": "/metrics", "error": error})
            known = Figures()
        yield InfoMetricFamily("reports_service", "The service", value={"version": __version__})
        yield _gauge("reports_store_up", "Whether the store answers", int(known.store_up))
        yield from _instants(known)
        yield from _counts(known)
        yield from self.meter.collect()


def _gauge(name: str, about: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, about, value=value)


def _instants(known: Figures) -> Iterator[Metric]:
    said = {
        ("heartbeat", "When the scheduler went round last"): known.heartbeat,
        ("next_occurrence", "When the next occurrence is due"): known.next_occurrence,
    }
    for (name, about), at in said.items():
        if at:
            yield _gauge(f"reports_scheduler_{name}_timestamp_seconds", about, at.timestamp())


def _counts(known: Figures) -> Iterator[Metric]:
    """Every state has its line, for a series that comes and goes cannot be watched."""
    said: tuple[tuple[str, str, tuple[str, ...], Mapping[Any, int] | None], ...] = (
        ("reports_jobs", "Jobs", ("ok", "broken", "paused"), known.jobs),
        ("reports_runs_active", "Runs that wait or go on, of all services", ("queued", "running"), known.active),
        ("reports_deliveries", "Deliveries in the store", get_args(DeliveryState), known.deliveries),
    )
    for name, about, states, counts in said:
        if counts is not None:
            family = GaugeMetricFamily(name, about, labels=("state",))
            for state in states:
                family.add_metric((state,), counts.get(state, 0))
            yield family


# -- over HTTP -------------------------------------------------------------------------------------


class Health:
    """Answers GET /healthz (200, or 503 where it is not well) and GET /metrics, beside the service.

    `well` and `collect` are asked for each answer, in a thread of its own. A client has `patience` seconds to ask, and
    again to take its answer. A SettingsError where the address may not be used.
    """

    def __init__(
        self,
        address: str,
        *,
        well: Callable[[], Wellness],
        collect: Callable[[], Figures],
        meter: Meter | None = None,
        patience: float = CLIENT_TIME,
    ) -> None:
        self.address, self._well, self._patience = address, well, patience
        self._place = _place(address)
        self._registry = CollectorRegistry()
        self._registry.register(_Collector(collect, meter or Meter()))
        self._server: _Server | None = None

    @property
    def port(self) -> int:
        """The port it listens on, which is its own choice where the address says 0."""
        return int(self._server.server_address[1]) if self._server else self._place[1]

    def start(self) -> None:
        """From now on it answers. A ReportsError where it cannot listen there."""
        try:
            answers = {"/healthz": self._healthz, "/metrics": self._metrics}
            self._server = _Server(self._place, answers, self._patience)
        except OSError as error:
            raise _cannot_listen(self.address, error) from error
        self._server.start()
        _log.info("health opened", extra={"address": f"{self._place[0]} port {self.port}"})

    def close(self) -> None:
        """The port is free again; answers under way are not waited for."""
        if self._server:
            self._server.stop()
            self._server = None

    def _healthz(self) -> _Reply:
        checks = self._well().checks()
        well = all(check["ok"] for check in checks.values())
        body = json.dumps({"status": "ok" if well else "failing", "checks": checks}).encode()
        return _Reply(200 if well else 503, "application/json", body)

    def _metrics(self) -> _Reply:
        return _Reply(200, _METRICS, generate_latest(self._registry))


def _place(address: str) -> tuple[str, int]:
    """Host and port, if the host is one that may be listened on."""
    host, _, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    try:
        number, ip = int(port), ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        raise _wrong(address, "is not an address with a port") from None
    if not 0 <= number <= 65535:
        raise _wrong(address, "has a port that there is not")
    if not (ip.is_loopback or ip.is_unspecified):
        raise _wrong(address, "can be reached from other machines, and has neither TLS nor a login")
    return str(ip), number


def _wrong(address: str, why: str) -> SettingsError:
    return SettingsError(
        f"the address {address} {why}",
        where="settings.toml: service.health",
        hint='write health = "127.0.0.1:8710" and put a reverse proxy before it; '
        'in a container write health = "0.0.0.0:8710" and say with its ports who reaches it',
    )


def _cannot_listen(address: str, error: OSError) -> ReportsError:
    used = error.errno in {errno.EADDRINUSE, errno.EACCES} and "is used by another program or kept by the system"
    return ReportsError(
        f"the address {address} {used or f'cannot be listened on: {error.strerror}'}",
        where="settings.toml: service.health",
        hint='end the other program (another `reports serve`?), write another port, or health = "" for none',
    )


@dataclass(frozen=True)
class _Reply:
    status: int
    media_type: str
    body: bytes


class _Server(ThreadingHTTPServer):
    """A thread for each client, of which there are not too many; while there is none, nothing ever wakes up."""

    allow_reuse_address = os.name != "nt"  # there it would let two programs listen on one port
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, place: tuple[str, int], answers: Mapping[str, Callable[[], _Reply]], patience: float) -> None:
        self.address_family = socket.AF_INET6 if ":" in place[0] else socket.AF_INET
        self.answers, self.patience = answers, patience
        self._room = threading.BoundedSemaphore(MOST_CLIENTS)
        super().__init__(place, _Request)
        self.socket.setblocking(False)  # a client may be gone before it is taken
        self._bell, self._ring = socket.socketpair()
        self._thread = threading.Thread(target=self._serve, name="health", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ring.send(b"!")
        self._thread.join()
        self.server_close()
        self._bell.close()
        self._ring.close()

    def _serve(self) -> None:
        with selectors.DefaultSelector() as waiting:
            waiting.register(self, selectors.EVENT_READ)
            waiting.register(self._bell, selectors.EVENT_READ)
            while self._bell not in [key.fileobj for key, _ in waiting.select()]:
                self.handle_request()

    def server_bind(self) -> None:
        """Without asking for the name of the machine, which may take long."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._room.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002  socketserver's
        """A client that went away is nobody's fault."""
        if isinstance(sys.exception(), OSError):
            _log.debug("health asked", extra={"client": client_address[0], "answer": "none, it went away"})
        else:
            _log.exception("health failed", extra={"client": client_address[0]})


class _Request(BaseHTTPRequestHandler):
    """One request, one answer, and the connection is closed."""

    server: _Server

    def handle(self) -> None:
        if head := self._head():
            self.rfile = BytesIO(head)
            self.handle_one_request()
            self._let_go()

    def _head(self) -> bytes:
        """What is asked, if all of it has come in time; else nothing."""
        head, until = b"", time.monotonic() + self.server.patience
        while b"\r\n\r\n" not in head and b"\n\n" not in head:
            self.connection.settimeout(max(until - time.monotonic(), 0.001))
            try:
                more = self.connection.recv(4096)
            except TimeoutError:
                more = b""
            if not more or len(head) > LONGEST_HEAD:
                return b""
            head += more
        self.connection.settimeout(self.server.patience)
        return head

    def _let_go(self) -> None:
        """What the client still sends is taken for a moment; closed upon it, it might not read its answer."""
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(0.2)
            self.connection.recv(65536)

    def do_GET(self) -> None:
        self._send(self._reply(urlsplit(self.path).path))

    do_HEAD = do_GET  # noqa: N815  http.server's name

    def _reply(self, path: str) -> _Reply:
        answer = self.server.answers.get(path)
        if answer is None:
            return _Reply(404, _TEXT, b"there are /healthz and /metrics\n")
        try:
            return answer()
        except Exception as error:  # noqa: BLE001  the boundary: whoever asks has an answer, and the log the fault
            _log.exception("health failed", extra={"path": path, "error": error})
            return _Reply(503, _TEXT, b"it cannot be told; the log says why\n")

    def _send(self, reply: _Reply) -> None:
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.media_type)
        self.send_header("Content-Length", str(len(reply.body)))
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        if reply.status == 405:
            self.send_header("Allow", "GET, HEAD")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """As plain text, without a word of what was asked; a method that there is not is not allowed."""
        status = 405 if code == 501 else code
        self._send(_Reply(status, _TEXT, b"only GET is answered\n" if status == 405 else b"not understood\n"))

    def version_string(self) -> str:
        return "reports"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  http.server's name
        _log.debug("health asked", extra={"client": self.client_address[0], "answer": format % args})


_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
