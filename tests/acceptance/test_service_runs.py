"""What becomes of runs that misbehave, are late, stand in each other's way or fail for a while, in a real service."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
import socket
import subprocess
import threading
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil
import pytest
from commands import REPORTS, reports
from prometheus_client.parser import text_string_to_metric_families
from serving import ENDED, SECOND, Serving, app, at_work_in, eventually, mailing, project, runs
from sink import Sink

from reports.model import Run

SECRET = "correct-horse-battery"  # noqa: S105  what must not be seen
LIMIT = 500_000_000
"""Bytes: the libraries that every run begins with, and as much again."""
MORE_SETTINGS = """
concurrency = 12
ping = "{ping}/service"

[sources.late]
files = {{ orders = "late.csv" }}

[sources.never]
files = {{ orders = "never.csv" }}

[sources.sales]
files = "sales.csv"
"""
QUIET = 'title = "{name}"\nowner = "{name}@owners.example.com"\n{schedule}\n{more}\n'
NOTHING_TO_SEE = '[[show]]\ntext = "Nothing to see."\n'
TABLE = '[[show]]\ntable = "rows"\n'
ALL = 'catch_up = "all"'  # on a busy machine two may come due at once
ORDERS = "SELECT * FROM orders"
BEGINNING = (
    "import ctypes, logging, os, pathlib, subprocess, sys, time, warnings\n\n\ndef datasets(frames, params):\n"
    "    here = pathlib.Path(__file__).parent\n"
)

HANGS = """
    subprocess.Popen(["sleep", "3604"], start_new_session=True)
    time.sleep(3600)
"""
EATS = """
    held = []
    for _ in range(100):
        held.append(bytearray(b"x") * 20_000_000)
        time.sleep(0.02)
"""
FORKS = """
    subprocess.Popen(["sleep", "3601"])
    subprocess.Popen(["sleep", "3602"], start_new_session=True)
    subprocess.run(["setsid", "sh", "-c", "sleep 3603 & exit"], check=True)
    time.sleep(0.2)
    children = subprocess.run(["ps", "-e", "-o", "args"], capture_output=True, text=True, check=True).stdout
    here.joinpath("seen").write_text(children)
"""
EXITS = """
    print("about to go", flush=True)
    os._exit(3)
"""
LEAVES = """
    raise SystemExit("enough for today")
"""
CRASHES = """
    ctypes.string_at(0)
"""
FLOODS = """
    print("the first line")
    for _ in range(100):
        print("x" * 999_999)
    print("the last line")
"""
TELLS = """
    secret = os.environ["MAIL_PASSWORD"]
    print("printed", secret)
    warnings.warn(f"warned {secret}")
    logging.getLogger("finance").warning("logged %s", secret)
    raise RuntimeError(f"raised {secret}")
"""
CHATTERS = """
    print("printed")
    print("printed as an error", file=sys.stderr)
    subprocess.run(["echo", "said by a child"], check=True)
    warnings.warn("the rates are of yesterday")
    logging.getLogger("finance").info("12 loans read")
"""
TALKS = """
    print("the first line", flush=True)
    while not here.joinpath("go").exists():
        time.sleep(0.05)
    print("the last line")
"""
LASTS = """
    time.sleep(3)
"""


@dataclass
class Host:
    """A server that is pinged: what was asked of it, path and body."""

    asked: list[tuple[str, str]] = field(default_factory=list)
    url: str = ""

    @property
    def paths(self) -> list[str]:
        return [path.partition("?")[0] for path, _ in self.asked]


@contextlib.contextmanager
def pinged() -> Iterator[Host]:
    host = Host()

    class Taker(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
            host.asked.append((self.path, body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Taker) as server:
        host.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield host
        server.shutdown()
        thread.join()


@dataclass
class Scene:
    """A service at work on jobs that were added when it ran; `first` is when the first of them are due."""

    service: Serving
    sink: Sink
    host: Host
    first: dt.datetime
    resident: int

    @property
    def folder(self) -> Path:
        return self.service.folder

    def rows(self, job: str, count: int = 1) -> Sequence[Run]:
        """The job's runs, once there are so many and all have ended."""

        def look() -> Sequence[Run]:
            found = runs(self.folder, job)
            over = len(found) >= count and all(run.state in ENDED for run in found)
            return found if over else ()

        return eventually(look, f"{count} runs of {job} have ended")

    def run(self, job: str) -> Run:
        """The job's one run with its log, once it has ended and the service has settled it."""
        (run,) = self.rows(job)
        return self.settled(run)

    def settled(self, run: Run) -> Run:
        events = {"succeeded": "run succeeded", "failed": "run failed", "interrupted": "run interrupted"}

        def look() -> bool:
            return run.id in {one["run"] for one in self.service.log(events[run.state])}

        eventually(look, f"the service has logged the end of {run.job}")
        with app(self.folder) as one:
            return one.store.runs.find(run.id)

    def told(self, job: str) -> int:
        """How many mails the owner of that job has got."""
        return sum(1 for taken in self.sink.log if taken.recipient == f"{job}@owners.example.com")

    def told_once(self, job: str) -> None:
        eventually(lambda: self.told(job), f"the owner of {job} is told")
        assert self.told(job) == 1


def when(*instants: dt.datetime) -> str:
    """A schedule of just these instants."""
    single = [f'{{ once = "{at:%Y-%m-%d %H:%M:%S}" }}' for at in instants]
    return f"schedule = [{', '.join(single)}]"


def hooked(name: str, body: str, schedule: str, more: str = "") -> dict[str, str]:
    """A job that does what `body` says."""
    said = QUIET.format(name=name, schedule=schedule, more=more) + NOTHING_TO_SEE
    return {f"{name}/hooks.py": f"{BEGINNING}{body}    return {{}}\n", name: said}


def reading(name: str, source: str, sql: str, schedule: str, more: str) -> dict[str, str]:
    """A job that reads from a source."""
    said = QUIET.format(name=name, schedule=schedule, more=f'{more}\nsource = "{source}"') + TABLE
    return {f"{name}/rows.sql": sql, name: said}


def the_jobs(first: dt.datetime, host: str, dead: str) -> dict[str, str]:
    """All jobs of the scene; what takes much of the machine does so one after the other."""
    seconds = [first + number * SECOND for number in range(5)]
    every = when(*(one + 4 * SECOND for one in seconds))
    retried = "retry = { attempts = %d, wait = '1s' }"
    return {
        **hooked("hangs", HANGS, when(first, first + SECOND), 'time_limit = "2s"\noverlap = "queue"'),
        **hooked("talks", TALKS, when(first)),
        **hooked("exits", EXITS, when(first), f'ping = "{host}/exits"'),
        **hooked("leaves", LEAVES, when(first)),
        **hooked("tells", TELLS, when(first)),
        **reading("comes", "late", ORDERS, when(first), retried % 6),
        **reading("lacks", "never", ORDERS, when(first), retried % 3),
        **reading("wrong", "sales", "SELECT amount FROM sales", when(first), retried % 3),
        **hooked("forks", FORKS, when(seconds[1])),
        **hooked("crashes", CRASHES, when(seconds[1])),
        **hooked("chatters", CHATTERS, when(seconds[1]), f'ping = "{host}/chatters"'),
        **hooked("eats", EATS, when(seconds[2]), f"memory_limit = {LIMIT}"),
        **hooked("floods", FLOODS, when(seconds[3])),
        **hooked("pinging", "", when(*seconds), f'ping = "{dead}/"'),
        **{
            file: text
            for policy in ("skip", "queue", "replace", "allow")
            for file, text in hooked(policy, LASTS, every, f'overlap = "{policy}"\n{ALL}').items()
        },
    }


def add(folder: Path, jobs: dict[str, str]) -> None:
    """These jobs, with what they are made of before their job.toml."""
    for name, text in jobs.items():
        path = folder / "jobs" / (name if "/" in name else f"{name}/job.toml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """One service for all these jobs. Beside them one is due every second, so that it looks at files as often."""
    folder = tmp_path_factory.mktemp("scene")
    with Sink() as sink, pinged() as host, socket.create_server(("127.0.0.1", 0), backlog=64) as dead:
        settings = mailing(sink.port).replace('health = ""', 'health = "127.0.0.1:0"')
        settings = settings.replace("timeout = 5", 'timeout = 5\nauth = "none"\npassword = { env = "MAIL_PASSWORD" }')
        settings += MORE_SETTINGS.format(ping=host.url)
        steady = QUIET.format(name="steady", schedule='schedule = "* * * * * *"', more="") + NOTHING_TO_SEE
        project(folder, {"steady": steady}, settings=settings)
        (folder / "sales.csv").write_text("region,revenue\nNorth,12\n", "utf-8")
        with Serving(folder, MAIL_PASSWORD=SECRET) as service:
            resident = psutil.Process(service.pid).memory_info().rss
            first = dt.datetime.now(dt.UTC).replace(microsecond=0) + 6 * SECOND
            add(folder, the_jobs(first, host.url, f"http://127.0.0.1:{dead.getsockname()[1]}"))
            yield Scene(service, sink, host, first, resident)


# -- what a run may do to itself -------------------------------------------------------------------------


def test_a_run_is_followed_while_it_talks(scene: Scene) -> None:
    """`reports show RUN --follow` prints a line before the run ends, ends when it does, and leaves nothing out."""
    run = eventually(lambda: next(iter(runs(scene.folder, "talks")), None), "the run has begun")
    follow = [str(REPORTS), "show", run.id, "--follow"]
    with subprocess.Popen(follow, cwd=scene.folder, stdout=subprocess.PIPE, text=True) as following:
        assert following.stdout is not None
        heard = next(line for line in following.stdout if "the first line" in line)
        assert [one.state for one in runs(scene.folder, "talks")] == ["running"]
        (scene.folder / "jobs/talks/go").touch()
        rest = following.stdout.read()
    assert following.returncode == 0
    assert heard == "the first line\n"
    assert rest.count("the last line\n") == 2  # as it came, and in the log that is shown with the run
    assert f"run {run.id} of talks: succeeded" in rest


def test_a_run_that_hangs_is_ended_with_all_that_it_began(scene: Scene) -> None:
    """It fails with that reason, twice; its owner is told of it once; what it had begun is gone."""
    rows = scene.rows("hangs", 2)
    assert [run.state for run in rows] == ["failed", "failed"]
    assert all("longer than its time limit of 2 s" in run.error for run in rows)
    eventually(lambda: len(scene.service.log("run failed")) >= 2, "both are settled")
    scene.told_once("hangs")
    assert "told before" in scene.settled(rows[1]).notice
    no_process(scene, "sleep 3604")


def test_others_run_on_time_while_one_hangs(scene: Scene) -> None:
    """What is due every second begins while the other one hangs, and is made."""
    rows = scene.rows("hangs", 2)
    until = max(run.finished for run in rows if run.finished)
    beside = [run for run in runs(scene.folder, "steady") if rows[0].started < run.started < until]
    assert beside
    assert all(run.state in {"succeeded", "skipped"} for run in beside)
    assert [run for run in beside if run.state == "succeeded"]


def test_a_run_that_eats_memory_is_ended(scene: Scene) -> None:
    """It fails with its limit and what it had, and its owner is told."""
    run = scene.run("eats")
    assert run.state == "failed"
    assert "needed more than its memory limit of 500 MB (it had " in run.error
    scene.told_once("eats")


def test_nothing_outlives_the_run_that_began_it(scene: Scene) -> None:
    """Its own children end with it, those in sessions of their own and those it has lost; its log names them."""
    run = scene.run("forks")
    assert run.state == "succeeded"
    seen = (scene.folder / "jobs/forks/seen").read_text("utf-8")
    for number in ("3601", "3602", "3603"):
        assert f"sleep {number}" in seen
        no_process(scene, f"sleep {number}")
    assert "that it had left behind ended with it: " in run.log


@pytest.mark.parametrize(
    ("job", "reason"),
    [
        ("exits", "it ended itself with exit code 3; its last line was: about to go"),
        ("leaves", "SystemExit: enough for today"),
        ("crashes", "SIGSEGV"),
    ],
)
def test_a_run_that_ends_itself_is_a_failed_one(scene: Scene, job: str, reason: str) -> None:
    """Whatever way it takes, the run failed with that reason, and its owner is told once."""
    run = scene.run(job)
    assert run.state == "failed"
    assert reason in run.error
    scene.told_once(job)


def test_a_flood_costs_nothing(scene: Scene) -> None:
    """100 MB of output: the run succeeds, the log is short and says what is left out, the service stays small."""
    run = scene.run("floods")
    assert run.state == "succeeded"
    assert len(run.log) < 150_000
    assert re.search(r"\.\.\. 9\d,\d{3},\d{3} bytes are left out here \.\.\.", run.log)
    assert "the first line" in run.log
    assert "the last line" in run.log
    grown = psutil.Process(scene.service.pid).memory_info().rss - scene.resident
    assert grown < 60_000_000, f"it has grown by {grown:,} bytes"


def test_secrets_are_masked_wherever_a_run_tells_them(scene: Scene) -> None:
    """What is printed, warned of, logged and raised is shown without them, even where they are not known."""
    run = scene.run("tells")
    shown = reports(scene.folder, "show", run.id)
    assert shown.returncode == 0
    for told in ("printed ***", "warned ***", "logged ***", "raised ***"):
        assert told in shown.stdout
    kept = [path for path in [scene.service.log_file, *(scene.folder / "var").rglob("*")] if path.is_file()]
    assert [path.name for path in kept if SECRET.encode() in path.read_bytes()] == []


def test_all_that_a_run_says_is_in_its_log(scene: Scene) -> None:
    """Print, warnings, logging and its children's output; what is logged with its time."""
    log = scene.run("chatters").log
    for said in ("printed", "printed as an error", "said by a child"):
        assert said in log.splitlines()
    at = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
    assert re.search(rf"{at} WARNING py.warnings: .*the rates are of yesterday", log, re.MULTILINE)
    assert re.search(rf"{at} INFO finance: 12 loans read$", log, re.MULTILINE)


# -- trying again ----------------------------------------------------------------------------------------


def test_a_file_that_comes_later_is_waited_for(scene: Scene) -> None:
    """One row whose attempts count up, a log that has them all, and one mail with the report."""
    eventually(lambda: [run for run in runs(scene.folder, "comes") if run.attempt > 2], "it was tried twice")
    (scene.folder / "late.csv").write_text("order,amount\n1,10\n", "utf-8")
    run = scene.run("comes")
    assert run.state == "succeeded"
    assert run.attempt > 2
    for number in range(1, run.attempt):
        assert run.log.count(f"attempt {number} failed: the file does not exist: ") == 1, run.log
    assert run.error == ""
    assert reported(scene, "comes") == {"you@example.com": 1, "they@example.com": 1}
    assert scene.told("comes") == 0


def test_a_file_that_never_comes_is_told_of_once(scene: Scene) -> None:
    """After three attempts the one row has failed, and its owner gets one mail."""
    run = scene.run("lacks")
    assert (run.state, run.attempt) == ("failed", 3)
    assert "never.csv" in run.error
    for number in (1, 2, 3):
        assert run.log.count(f"attempt {number} failed: the file does not exist: ") == 1, run.log
    retried = [(one["attempt"], one["level"]) for one in scene.service.log("run retried") if one["run"] == run.id]
    assert retried == [(2, "warning"), (3, "warning")]
    scene.told_once("lacks")


def test_what_does_not_pass_is_not_tried_again(scene: Scene) -> None:
    """A column that is not there will not be there in a second either."""
    run = scene.run("wrong")
    assert (run.state, run.attempt) == ("failed", 1)
    assert "amount" in run.error
    scene.told_once("wrong")


# -- in each other's way ---------------------------------------------------------------------------------


def test_skipped_where_the_one_before_goes_on(scene: Scene) -> None:
    """Every second a run of three: some are made, the others are skipped and say which one was in the way."""
    rows = scene.rows("skip", 5)
    assert {run.state for run in rows} == {"succeeded", "skipped"}
    assert all(re.search(r"the run for .*Z was still", run.error) for run in rows if run.state == "skipped")
    never_two_at_once(rows)


def test_queued_behind_the_one_before(scene: Scene) -> None:
    """All five are made, one after the other, in order."""
    rows = scene.rows("queue", 5)
    assert [run.state for run in rows] == ["succeeded"] * 5
    assert sorted(rows, key=lambda run: run.started) == sorted(rows, key=occurrence)
    never_two_at_once(rows)
    assert rows[-1].waited > 2 * SECOND


def test_replaced_by_the_next_one(scene: Scene) -> None:
    """The last one is made; those before made way for it soon, interrupted or before they had begun, and say so."""
    *before, last = sorted(scene.rows("replace", 5), key=occurrence)
    assert last.state == "succeeded"
    assert {run.state for run in before} <= {"interrupted", "skipped"}
    assert [run for run in before if run.state == "interrupted"]
    assert all("replaced by the run for " in run.error for run in before)
    never_two_at_once([run for run in (*before, last) if run.state != "skipped"])
    assert scene.told("replace") == 0


def test_allowed_beside_each_other(scene: Scene) -> None:
    """All five are made, and at some time there were several."""
    rows = sorted(scene.rows("allow", 5), key=lambda run: run.started)
    assert [run.state for run in rows] == ["succeeded"] * 5
    assert any(after.started < ended(before) for before, after in pairwise(rows))


# -- how it is, and who hears of it ----------------------------------------------------------------------


def test_health_and_figures_are_answered_meanwhile(scene: Scene) -> None:
    """/healthz is 200 while it works; /metrics is Prometheus' format, and counts the runs."""
    scene.rows("exits")
    eventually(lambda: 'job="exits"' in asked(scene, "/metrics"), "the failed run is counted")
    assert '"status": "ok"' in asked(scene, "/healthz")
    families = {family.name: family for family in text_string_to_metric_families(asked(scene, "/metrics"))}
    counted = {
        (one.labels["job"], one.labels["state"]): one.value
        for one in families["reports_runs"].samples
        if one.name.endswith("_total")
    }
    assert counted["exits", "failed"] == 1
    assert counted["steady", "succeeded"] >= 1
    assert {
        "reports_run_lateness_seconds",
        "reports_deliveries",
        "reports_scheduler_heartbeat_timestamp_seconds",
    } <= set(families)


def test_a_real_server_is_pinged(scene: Scene) -> None:
    """At the start, the success and the failure of a run, with its reason; and for the service itself."""
    scene.run("chatters")
    scene.run("exits")
    eventually(lambda: {"/chatters", "/exits/fail"} <= set(scene.host.paths), "both ends were pinged")
    assert [path for path in scene.host.paths if path.startswith("/chatters")] == ["/chatters/start", "/chatters"]
    assert [path for path in scene.host.paths if path.startswith("/exits")] == ["/exits/start", "/exits/fail"]
    (body,) = (body for path, body in scene.host.asked if path.startswith("/exits/fail"))
    assert "exit code 3" in body
    assert "/service" in scene.host.paths


def test_a_dead_ping_server_is_in_nobodys_way(scene: Scene) -> None:
    """All five runs are made, and begun before the first ping could have been given up."""
    rows = scene.rows("pinging", 5)
    assert {run.state for run in rows} <= {"succeeded", "skipped"}
    assert max(run.started for run in rows) < scene.first + 30 * SECOND


def test_nothing_of_all_that_is_a_fault_of_the_service(scene: Scene) -> None:
    """After all that it has met no error of its own, is stopped in order, and leaves no process behind."""
    for job, count in (("queue", 5), ("lacks", 1), ("hangs", 2)):
        scene.rows(job, count)
    assert scene.service.stop() == 0
    events = [one for one in scene.service.log() if one["event"]]
    assert [one for one in events if one["level"] in {"error", "critical"}] == []
    assert "Traceback" not in scene.service.log_file.read_text("utf-8")
    assert at_work_in(scene.folder) == []


# -- many at once ----------------------------------------------------------------------------------------


def test_many_at_once_stand_in_a_queue(tmp_path: Path) -> None:
    """Six runs of one instant, two at a time: all are made, how long each waited is kept and shown; jitter spreads."""
    settings = mailing(1).partition("[mail]")[0] + '[mail]\nprovider = "folder"\nto = "a@example.com"\n'
    settings += '[service]\nhealth = ""\nconcurrency = 2\n'
    at = dt.datetime.now(dt.UTC).replace(microsecond=0) + 8 * SECOND
    jobs = [hooked(f"one_{number}", "    time.sleep(0.7)\n", when(at)) for number in range(6)]
    jobs += [hooked(f"spread_{number}", "", when(at), 'jitter = "4s"') for number in range(4)]
    project(tmp_path, {}, settings=settings)
    add(tmp_path, {name: text for one in jobs for name, text in one.items()})
    with Serving(tmp_path):
        eventually(lambda: over(tmp_path, 10), "all ten have ended")
    rows = runs(tmp_path)
    assert {run.state for run in rows} == {"succeeded"}
    at_once = [run for run in rows if run.job.startswith("one")]
    assert {run.due for run in at_once} == {at}
    longest = max(at_once, key=lambda run: run.waited)
    assert longest.waited > SECOND
    assert most_at_once(rows) == 2
    shown = reports(tmp_path, "show", longest.id).stdout
    assert f"of which {longest.waited.total_seconds():.1f} s in the queue" in shown
    spread = {run.due for run in rows if run.job.startswith("spread") and run.due}
    assert len(spread) == 4
    assert all(at <= due <= at + 4 * SECOND for due in spread)


# -- what they have in common ----------------------------------------------------------------------------


def no_process(scene: Scene, command: str) -> None:
    def lives() -> bool:
        return any(" ".join(one.info["cmdline"] or ()) == command for one in psutil.process_iter(["cmdline"]))

    eventually(lambda: not lives(), f"{command} has ended")


def over(folder: Path, count: int) -> bool:
    rows = runs(folder)
    return len(rows) == count and all(run.state in ENDED for run in rows)


def asked(scene: Scene, path: str) -> str:
    """The body of the service's answer, which is 200."""
    (opened,) = scene.service.log("health opened")
    with urllib.request.urlopen(f"http://127.0.0.1:{opened['address'].rpartition(' ')[2]}{path}") as answer:
        assert answer.status == 200
        body: bytes = answer.read()
    return body.decode()


def reported(scene: Scene, job: str) -> dict[str, int]:
    """How many copies of a job's reports each recipient was given by the mail server, once there is one."""

    def look() -> dict[str, int]:
        with app(scene.folder) as one:
            ids = {
                each.message_id for each in one.store.outbox.deliveries(job=job, every=True) if each.kind == "report"
            }
        return Counter(taken.recipient for taken in scene.sink.log if taken.message_id in ids)

    return eventually(look, f"the report of {job} has arrived")


def occurrence(run: Run) -> dt.datetime:
    assert run.occurrence is not None
    return run.occurrence


def ended(run: Run) -> dt.datetime:
    assert run.finished is not None
    return run.finished


def never_two_at_once(rows: Sequence[Run]) -> None:
    began = sorted((run for run in rows if run.state != "skipped"), key=lambda run: run.started)
    # A run begins at the time when it was asked for, which may be just before the one that it waited for is done.
    asked = dt.timedelta(seconds=0.3)
    assert all(ended(before) <= after.started + asked for before, after in pairwise(began))


def most_at_once(rows: Sequence[Run]) -> int:
    return max(sum(1 for other in rows if other.started <= run.started < ended(other)) for run in rows)
