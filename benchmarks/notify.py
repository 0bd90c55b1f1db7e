"""What an update costs a training loop: `watch`, and what one would write by hand, whatever the network does.

    python benchmarks/notify.py

The loop computes in plain Python for about a millisecond a step, and says how far it is at each; every 50th is due.
Each contender is a process of its own, against the same servers in this one: fine, slow (2 s until a message is taken),
away (nobody answers at the port), and refusing (550). By hand nothing happens at the other steps, so that only those
that are due are compared; of `watch` all are measured as well, for there the worst may be any.
"""

from __future__ import annotations

import argparse
import contextlib
import http.server
import json
import os
import socket
import socketserver
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path

NETWORKS = ("fine", "slow", "away", "refusing")
SLOW = 2.0
EVERY = 50
WANTED = 1000  # microseconds, of the median
Loop = Callable[[Callable[[int, float], None]], list[float]]


# -- the loop ------------------------------------------------------------------------------------------


def work() -> float:
    """About a millisecond of a computation that lets no other thread run while it can."""
    total = 0.0
    for number in range(12_000):
        total += number * 0.5
    return total


def loop(steps: int, tell: Callable[[int, float], None]) -> list[float]:
    """Seconds that each step's word took."""
    times = []
    for step in range(1, steps + 1):
        loss = work() / step
        began = time.perf_counter()
        tell(step, loss)
        times.append(time.perf_counter() - began)
    return times


def due(times: list[float]) -> list[float]:
    return times[EVERY - 1 :: EVERY]


# -- contenders: each gives the seconds of all its words ------------------------------------------------------


def ours(steps: int, port: int) -> list[float]:
    from reports.notify import watch

    os.environ |= {"REPORTS_HOST": "127.0.0.1", "REPORTS_PORT": str(port), "REPORTS_SECURITY": "none"}
    os.environ |= {"REPORTS_FROM": "me@example.com", "REPORTS_ALLOW_PLAINTEXT": "true"}
    with watch("train", every=EVERY, apart=0, to="me@example.com") as watching:
        return loop(steps, lambda step, loss: watching.update(step, total=steps, loss=loss, accuracy=0.9))


def by_hand(steps: int, port: int) -> list[float]:
    """One connection that is kept, and opened again where it is lost."""
    import smtplib

    kept: list[smtplib.SMTP] = []

    def send(step: int, loss: float) -> None:
        with contextlib.suppress(smtplib.SMTPException, OSError):
            if not kept:
                kept.append(smtplib.SMTP("127.0.0.1", port, timeout=10))
            try:
                kept[0].send_message(mail(step, loss))
            except (smtplib.SMTPServerDisconnected, OSError):
                kept.clear()

    return loop(steps, lambda step, loss: send(step, loss) if step % EVERY == 0 else None)


def knocking(steps: int, port: int) -> list[float]:
    """As knockknock sends: a connection for each mail."""
    import smtplib

    def send(step: int, loss: float) -> None:
        with contextlib.suppress(smtplib.SMTPException, OSError), smtplib.SMTP("127.0.0.1", port, timeout=10) as server:
            server.send_message(mail(step, loss))

    return loop(steps, lambda step, loss: send(step, loss) if step % EVERY == 0 else None)


def slack_by_requests(steps: int, port: int) -> list[float]:
    import requests

    def send(step: int, loss: float) -> None:
        with contextlib.suppress(requests.RequestException):
            said = {"text": f"step {step}: loss {loss:.3f}"}
            requests.post(f"http://127.0.0.1:{port}/services/T/B/x", json=said, timeout=10)

    return loop(steps, lambda step, loss: send(step, loss) if step % EVERY == 0 else None)


def mail(step: int, loss: float) -> EmailMessage:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = f"step {step}", "me@example.com", "me@example.com"
    message.set_content(f"loss {loss:.3f}")
    return message


CONTENDERS: dict[str, Callable[[int, int], list[float]]] = {
    "watch": ours,
    "smtplib, one connection": by_hand,
    "smtplib, one each time": knocking,
    "Slack by requests": slack_by_requests,
}
OURS = next(iter(CONTENDERS))


# -- networks -----------------------------------------------------------------------------------------------


class Mailbox(socketserver.StreamRequestHandler):
    """As much of SMTP as it takes."""

    network = "fine"

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            self._say("220 here")
            while line := self.rfile.readline():
                self._answer(line.strip().upper())

    def _answer(self, line: bytes) -> None:
        if line == b"DATA":
            self._say("354 go on")
            while self.rfile.readline() not in (b".\r\n", b""):
                pass
            time.sleep(SLOW if self.network == "slow" else 0)
        self._say("550 5.7.1 not you" if line.startswith(b"MAIL") and self.network == "refusing" else "250 fine")

    def _say(self, words: str) -> None:
        self.wfile.write(f"{words}\r\n".encode())


class Hook(http.server.BaseHTTPRequestHandler):
    """A Slack webhook."""

    network = "fine"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(SLOW if self.network == "slow" else 0)
        self.send_response(403 if self.network == "refusing" else 200)
        self.end_headers()

    def log_message(self, *_: object) -> None:  # type: ignore[override]
        pass


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


@contextlib.contextmanager
def network(kind: str, handler: type[Mailbox | Hook]) -> Iterator[int]:
    """A port where it is like that."""
    if kind == "away":
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        yield port
        return
    server = Server(("127.0.0.1", 0), type(handler.__name__, (handler,), {"network": kind}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


# -- the table ------------------------------------------------------------------------------------------------


def measured(name: str, kind: str, steps: int) -> list[float]:
    """Microseconds of each word, in a process of its own."""
    handler = Hook if "Slack" in name else Mailbox
    with network(kind, handler) as port, tempfile.TemporaryDirectory(prefix="notify-") as folder:
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("REPORTS_", "MAIL_"))}
        root = str(Path(__file__).parents[1])
        path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))
        ran = subprocess.run(
            [sys.executable, __file__, "--one", name, str(port), str(steps)],
            cwd=folder, env={**clean, "REPORTS_DATA": f"{folder}/data", "PYTHONPATH": path},
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True,
        )  # fmt: skip
    return [seconds * 1e6 for seconds in json.loads(ran.stdout)]


def shown(times: list[float]) -> str:
    worst = sorted(times)[min(len(times) - 1, round(len(times) * 0.99))]
    return f"{statistics.median(times):12,.0f} {worst:12,.0f}"


def compare(steps: int) -> None:
    """One row a contender; the networks beside each other, in one run."""
    print(f"microseconds, median and 99th percentile; {steps:,} steps, every {EVERY}th due")
    print(f"\n{'':26}" + "".join(f"{kind:>26}" for kind in NETWORKS))
    found = {name: {kind: measured(name, kind, steps) for kind in NETWORKS} for name in CONTENDERS}
    rows = {f"{OURS}, every update": found[OURS]}
    rows |= {f"{name}, due": {kind: due(times) for kind, times in by.items()} for name, by in found.items()}
    for name, by in rows.items():
        print(f"{name:26}" + "".join(f" {shown(by[kind])}" for kind in NETWORKS))
    print("\nthe median of those by hand, as times that of watch, due updates")
    base = {kind: statistics.median(due(found[OURS][kind])) for kind in NETWORKS}
    for name in list(CONTENDERS)[1:]:
        ratios = (statistics.median(due(found[name][kind])) / base[kind] for kind in NETWORKS)
        print(f"{name:26}" + "".join(f"{ratio:26,.1f}" for ratio in ratios))
    worst = max(statistics.median(times) for by in (found[OURS], rows[f"{OURS}, due"]) for times in by.values())
    print(f"\nthe greatest median of watch: {worst:,.0f} microseconds (at most {WANTED:,})")


def end() -> None:
    """What is still to be sent is no part of it, nor the process that would see to that."""
    import psutil

    for one in psutil.Process().children(recursive=True):
        one.kill()
    os._exit(0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--one", nargs=3, metavar=("NAME", "PORT", "STEPS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        name, port, steps = options.one
        times = CONTENDERS[name](int(steps), int(port))
        print(json.dumps(times), flush=True)
        end()
    compare(options.steps)


if __name__ == "__main__":
    main()
