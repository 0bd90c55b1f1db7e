"""How the service is, over HTTP, on a real socket."""

from __future__ import annotations

import datetime as dt
import http.client
import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from typing import Any, get_args

import pytest
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from reports import __version__
from reports.errors import ReportsError, SettingsError, StoreError
from reports.health import CLIENT_TIME, MOST_CLIENTS, STALE, Figures, Health, Meter, Wellness
from reports.model import DeliveryState, Run, RunState

SEVEN = dt.datetime(2026, 11, 24, 7, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)
WELL = Wellness(now=SEVEN, turned=SEVEN - SECOND, timer_alive=True, delivery_alive=True, store_up=True)
FIGURES = Figures(
    heartbeat=SEVEN,
    next_occurrence=SEVEN + SECOND,
    jobs={"ok": 3, "broken": 1},
    active={"queued": 2},
    deliveries={"accepted": 7, "held": 1},
)
RUN = Run(
    id="ab12", job="cashflow", as_of=SEVEN.date(), started=SEVEN, occurrence=SEVEN - 2 * SECOND, due=SEVEN - SECOND
)
LONG = 20.0


@contextmanager
def serving(
    *,
    address: str = "127.0.0.1:0",
    well: Callable[[], Wellness] = lambda: WELL,
    collect: Callable[[], Figures] = lambda: FIGURES,
    meter: Meter | None = None,
    patience: float = CLIENT_TIME,
) -> Iterator[Health]:
    health = Health(address, well=well, collect=collect, meter=meter, patience=patience)
    health.start()
    try:
        yield health
    finally:
        health.close()


@pytest.fixture(scope="module")
def health() -> Iterator[Health]:
    """One that is well."""
    with serving() as there:
        yield there


class Answer:
    def __init__(self, health: Health, path: str, method: str = "GET", **options: Any) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", health.port, timeout=LONG)
        try:
            connection.request(method, path, **options)
            answer = connection.getresponse()
            self.status, self.headers, self.text = answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def figures(self) -> dict[tuple[str, ...], float]:
        """The value of each line by its name and its labels."""
        families = text_string_to_metric_families(self.text)
        return {
            (sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples
        }


def raw(health: Health, asked: bytes) -> bytes:
    """What is said to bytes."""
    with socket.create_connection(("127.0.0.1", health.port), timeout=LONG) as line:
        line.sendall(asked)
        said = b""
        while more := line.recv(65536):
            said += more
    return said


# -- /healthz --------------------------------------------------------------------------------------


def test_who_is_well_says_so(health: Health) -> None:
    """With each check and what it goes by."""
    answer = Answer(health, "/healthz")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json == {
        "status": "ok",
        "checks": {
            "scheduler": {"ok": True, "age": 1.0},
            "timer": {"ok": True},
            "store": {"ok": True, "beat_age": None},
            "delivery": {"ok": True, "age": None},
            "jobs": {"ok": True, "broken": 0},
        },
    }


@pytest.mark.parametrize(
    ("ill", "check"),
    [
        ({"turned": SEVEN - STALE - SECOND}, "scheduler"),
        ({"turned": None}, "scheduler"),
        ({"timer_alive": False}, "timer"),
        ({"delivery_alive": False}, "delivery"),
        ({"store_up": False}, "store"),
    ],
)
def test_who_is_not_well_answers_503_and_says_why(ill: dict[str, Any], check: str) -> None:
    """So that whoever watches it starts it anew, or looks at its store."""
    with serving(well=lambda: replace(WELL, **ill)) as health:
        answer = Answer(health, "/healthz")
    assert (answer.status, answer.json["status"]) == (503, "failing")
    assert [name for name, one in answer.json["checks"].items() if not one["ok"]] == [check]


def test_what_is_not_its_fault_is_told_and_no_reason_to_start_anew() -> None:
    """A broken job, an outbox that takes its time, a beat a while ago."""
    long_ago = SEVEN - dt.timedelta(hours=1)
    checks = replace(WELL, broken=2, delivered=long_ago, beat=SEVEN - 20 * SECOND).checks()
    assert all(check["ok"] for check in checks.values())
    assert checks["jobs"]["broken"] == 2
    assert checks["delivery"]["age"] == 3600
    assert checks["store"]["beat_age"] == 20


def test_a_clock_that_was_set_back_makes_nobody_ill() -> None:
    """It turned in the future, which is not long ago."""
    assert replace(WELL, turned=SEVEN + dt.timedelta(hours=1)).checks()["scheduler"]["ok"]


def test_a_fault_in_the_check_is_an_answer_too(caplog: pytest.LogCaptureFixture) -> None:
    """503, and the log has the fault; the reader has not."""

    def fails() -> Wellness:
        raise ZeroDivisionError("inside")

    with serving(well=fails) as health:
        answer = Answer(health, "/healthz")
    assert answer.status == 503
    assert "inside" not in answer.text
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == ["health failed"]


# -- /metrics --------------------------------------------------------------------------------------


def test_the_figures_are_as_prometheus_reads_them(health: Health) -> None:
    """Each state has its line, also that of which there is none."""
    answer = Answer(health, "/metrics")
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    figures = answer.figures
    assert figures["reports_service_info", __version__] == 1
    assert figures["reports_store_up",] == 1
    assert figures["reports_scheduler_heartbeat_timestamp_seconds",] == SEVEN.timestamp()
    assert figures["reports_scheduler_next_occurrence_timestamp_seconds",] == SEVEN.timestamp() + 1
    assert {key[1]: value for key, value in figures.items() if key[0] == "reports_jobs"} == {
        "ok": 3,
        "broken": 1,
        "paused": 0,
    }
    assert (figures["reports_runs_active", "queued"], figures["reports_runs_active", "running"]) == (2, 0)
    states = {key[1]: value for key, value in figures.items() if key[0] == "reports_deliveries"}
    assert set(states) == set(get_args(DeliveryState))
    assert (states["accepted"], states["held"], states["pending"]) == (7, 1, 0)


def test_without_its_store_it_tells_what_it_knows() -> None:
    """The heartbeat and its own runs, and that the store is away."""
    meter = Meter()
    meter.ended(replace(RUN, state="succeeded", finished=SEVEN + SECOND))
    with serving(collect=lambda: Figures(heartbeat=SEVEN, jobs={"ok": 1}), meter=meter) as health:
        figures = Answer(health, "/metrics").figures
    assert figures["reports_store_up",] == 0
    assert figures["reports_scheduler_heartbeat_timestamp_seconds",] == SEVEN.timestamp()
    assert figures["reports_runs_total", "cashflow", "succeeded"] == 1
    assert not [key for key in figures if key[0] in {"reports_deliveries", "reports_runs_active"}]


def test_a_store_that_fails_when_it_is_asked_is_away(caplog: pytest.LogCaptureFixture) -> None:
    """The scrape has an answer still."""

    def fails() -> Figures:
        raise StoreError("the database is away")

    with serving(collect=fails) as health:
        answer = Answer(health, "/metrics")
    assert (answer.status, answer.figures["reports_store_up",]) == (200, 0)
    assert [str(record.__dict__["error"]) for record in caplog.records if record.levelno >= logging.WARNING] == [
        "the database is away"
    ]


def measured(meter: Meter) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *sample.labels.values()): sample.value for family in meter.collect() for sample in family.samples
    }


def test_a_run_that_begins_has_its_lateness_and_its_wait() -> None:
    """In seconds, in cumulated buckets."""
    meter = Meter()
    meter.started(RUN)
    figures = measured(meter)
    assert figures["reports_run_lateness_seconds_sum",] == 2
    assert figures["reports_run_lateness_seconds_bucket", "1.0"] == 0
    assert figures["reports_run_lateness_seconds_bucket", "2.5"] == 1
    assert figures["reports_run_queue_wait_seconds_sum",] == 1
    assert figures["reports_run_duration_seconds_count",] == 0


@pytest.mark.parametrize("other", [{"occurrence": None}, {"attempt": 2}])
def test_lateness_is_of_occurrences_and_counted_once(other: dict[str, Any]) -> None:
    """A run by hand is never late, and one that is tried again was late or not before."""
    meter = Meter()
    meter.started(replace(RUN, **other))
    assert measured(meter)["reports_run_lateness_seconds_count",] == 0
    assert measured(meter)["reports_run_queue_wait_seconds_count",] == 1


@pytest.mark.parametrize(
    ("state", "counted", "timed"),
    [
        ("succeeded", 1, 1),
        ("failed", 1, 1),
        ("interrupted", 1, 1),
        ("skipped", 1, 0),
        ("missed", 1, 0),
        ("queued", 0, 0),
        ("running", 0, 0),
    ],
)
def test_a_run_that_ended_is_counted_by_its_state(state: RunState, counted: int, timed: int) -> None:
    """Its duration only if it was begun; one that is to be tried again has not ended."""
    meter = Meter()
    meter.ended(replace(RUN, state=state, finished=SEVEN + 3 * SECOND))
    figures = measured(meter)
    assert figures.get(("reports_runs_total", "cashflow", state), 0) == counted
    assert figures["reports_run_duration_seconds_count",] == timed
    assert figures["reports_run_duration_seconds_sum",] == 3 * timed


def test_threads_may_tell_at_once_and_none_is_lost() -> None:
    """Also while it is read."""
    meter = Meter()

    def tell() -> None:
        for number in range(500):
            meter.ended(replace(RUN, job=f"job{number % 7}", state="failed"))
            if number % 50 == 0:
                measured(meter)

    threads = [threading.Thread(target=tell) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(value for key, value in measured(meter).items() if key[0] == "reports_runs_total") == 2000


def test_odd_names_of_jobs_are_read_as_they_are() -> None:
    """Nobody can add a line by the name of a job."""
    meter, odd = Meter(), 'a"b\\c\nreports_store_up 9'
    meter.ended(replace(RUN, job=odd, state="failed"))
    with serving(meter=meter) as health:
        figures = Answer(health, "/metrics").figures
    assert figures["reports_runs_total", odd, "failed"] == 1
    assert figures["reports_store_up",] == 1


def test_the_registry_of_the_process_is_left_alone(health: Health) -> None:
    """Two services in one process do not get in each other's way."""
    Answer(health, "/metrics")
    assert not [family.name for family in REGISTRY.collect() if family.name.startswith("reports")]


# -- over HTTP -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/health", "/healthz/", "/metrics/../etc/passwd", "/%68ealthz"])
def test_there_is_nothing_else(health: Health, path: str) -> None:
    """No folder, and the answer does not repeat what was asked."""
    answer = Answer(health, path)
    assert (answer.status, answer.text) == (404, "there are /healthz and /metrics\n")


@pytest.mark.parametrize("path", ["/healthz?verbose=1", "http://elsewhere.example/healthz"])
def test_what_is_round_the_path_changes_nothing(health: Health, path: str) -> None:
    """Neither a query nor a host before it."""
    assert Answer(health, path).json["status"] == "ok"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "FROB"])
def test_only_get_is_answered(health: Health, method: str) -> None:
    """405, also where there is a body; nothing can be changed here."""
    answer = Answer(health, "/healthz", method, body=b"x" * 1000)
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_head_has_the_headers_alone(health: Health) -> None:
    """As GET would have them."""
    answer = Answer(health, "/healthz", "HEAD")
    assert (answer.status, answer.text) == (200, "")
    assert int(answer.headers["Content-Length"]) == len(Answer(health, "/healthz").text)


@pytest.mark.parametrize("path", ["/healthz", "/metrics", "/nothing"])
def test_headers_keep_browsers_from_making_use_of_it(health: Health, path: str) -> None:
    """And do not say which software it is."""
    headers = Answer(health, path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Server"] == "reports"
    assert "Access-Control-Allow-Origin" not in headers


def test_the_host_header_is_used_for_nothing(health: Health) -> None:
    """It is not told back."""
    said = raw(health, b"GET /nothing HTTP/1.1\r\nHost: evil.example\r\n\r\n")
    assert said.startswith(b"HTTP/1.0 404 ")
    assert b"evil" not in said


@pytest.mark.parametrize("asked", [b"GET\r\n\r\n", b"\x16\x03\x01 \r\n\r\n", b"GET /<b> HTTP/9.9\r\n\r\n"])
def test_nonsense_is_refused_in_plain_words(health: Health, asked: bytes) -> None:
    """No page with what was asked in it."""
    said = raw(health, asked)
    assert b"not understood" in said
    assert b"<" not in said


def test_an_endless_question_is_not_listened_to(health: Health) -> None:
    """The line is closed."""
    with suppress(ConnectionError):
        assert raw(health, b"GET /healthz HTTP/1.1\r\n" + b"X: y\r\n" * 10_000) == b""
    assert Answer(health, "/healthz").status == 200


def test_slow_clients_do_not_hang_it(health: Health) -> None:
    """Some that say nothing, some that say a word and wait, and the next one is answered at once."""
    with ExitStack() as lines:
        for number in range(MOST_CLIENTS // 2):
            line = lines.enter_context(socket.create_connection(("127.0.0.1", health.port), timeout=LONG))
            line.sendall(b"GET /hea" * (number % 2))
        assert Answer(health, "/healthz").status == 200


def test_a_client_that_asks_by_the_byte_is_left_in_time() -> None:
    """The time is for the whole question."""
    with serving(patience=0.3) as health, socket.create_connection(("127.0.0.1", health.port), timeout=0.1) as line:
        began, said = time.monotonic(), b"x"
        while said and time.monotonic() - began < LONG:
            with suppress(TimeoutError):
                said = asked_by_the_byte(line)
    assert said == b""


def asked_by_the_byte(line: socket.socket) -> bytes:
    try:
        line.sendall(b"X")
        return line.recv(1)
    except ConnectionError:
        return b""


def test_a_client_that_does_not_take_its_answer_is_left_in_time(caplog: pytest.LogCaptureFixture) -> None:
    """Its thread goes on to its end."""
    caplog.set_level(logging.DEBUG, "reports.health")
    meter = Meter()
    for number in range(2000):
        meter.ended(replace(RUN, job=f"{'x' * 5000}{number}", state="failed"))
    with serving(meter=meter, patience=0.3) as health, socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.connect(("127.0.0.1", health.port))
        line.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        until = time.monotonic() + LONG
        while not (left := "timed out" in str([one.__dict__ for one in caplog.records])) and time.monotonic() < until:
            time.sleep(0.02)
    assert left


def test_more_clients_than_there_is_room_for_are_sent_away(health: Health) -> None:
    """And there is room again when the others are gone."""
    with ExitStack() as lines:
        for _ in range(MOST_CLIENTS):
            lines.enter_context(socket.create_connection(("127.0.0.1", health.port), timeout=LONG))
        with (
            suppress(ConnectionError),
            socket.create_connection(("127.0.0.1", health.port), timeout=CLIENT_TIME / 2) as line,
        ):
            assert line.recv(1) == b""
    assert answered_in_the_end(health)


def answered_in_the_end(health: Health) -> bool:
    until = time.monotonic() + LONG
    while time.monotonic() < until:
        with suppress(ConnectionError, http.client.HTTPException):
            return Answer(health, "/healthz").status == 200
        time.sleep(0.02)
    return False


# -- where it listens ------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["localhost:0", "127.0.0.2:0", "0.0.0.0:0"])
def test_it_listens_on_this_machine_or_where_a_container_needs_it(address: str) -> None:
    """Where that is written down."""
    with serving(address=address) as health:
        host = "127.0.0.2" if "127.0.0.2" in address else "127.0.0.1"
        socket.create_connection((host, health.port), timeout=LONG).close()


@pytest.mark.parametrize("address", ["[::1]:0", "[::]:0"])
def test_it_listens_by_ipv6(address: str) -> None:
    """In brackets, as addresses are written."""
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    with serving(address=address) as health:
        socket.create_connection(("::1", health.port), timeout=LONG).close()


@pytest.mark.parametrize("address", ["192.168.1.5:8710", "10.0.0.1:8710", "[2001:db8::1]:8710", "8.8.8.8:80"])
def test_it_is_not_shown_to_others(address: str) -> None:
    """The key is named, and what to do instead."""
    with pytest.raises(SettingsError, match="can be reached from other machines") as told:
        Health(address, well=lambda: WELL, collect=lambda: FIGURES)
    assert "service.health" in told.value.where
    assert "reverse proxy" in told.value.hint


@pytest.mark.parametrize("address", ["example.com:8710", "127.0.0.1", "127.0.0.1:x", ":8710", "", "127.0.0.1:70000"])
def test_what_is_no_address_is_told(address: str) -> None:
    """Names are not looked up, for they may point anywhere."""
    with pytest.raises(SettingsError) as told:
        Health(address, well=lambda: WELL, collect=lambda: FIGURES)
    assert address in told.value.what


def test_a_port_in_use_is_told_with_what_to_do(health: Health) -> None:
    """Two services, or another program."""
    second = Health(f"127.0.0.1:{health.port}", well=lambda: WELL, collect=lambda: FIGURES)
    with pytest.raises(ReportsError, match="is used by another program") as told:
        second.start()
    assert "write another port" in told.value.hint
    second.close()
    assert Answer(health, "/healthz").status == 200


def test_closed_its_port_is_free_for_the_next_one() -> None:
    """At once, although a client was there a moment ago."""
    with serving() as first:
        port = first.port
        Answer(first, "/healthz")
    first.close()
    with serving(address=f"127.0.0.1:{port}") as second:
        assert Answer(second, "/healthz").status == 200
