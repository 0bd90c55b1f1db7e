"""Draining the outbox against smtp-source, smtplib, Flask-Mail and Red Mail, and claiming from a long history.

    python benchmarks/delivery.py [--messages 2000] [--rounds 3]

All send to Postfix's smtp-sink, or where that is absent to the tests' own server, over one connection and
without TLS: messages of a 14 KB body alone, and with a file of 200 KB. smtp-source sends one message's bytes
over and over; the loops compose each message as users write them. Ours are in the outbox of a store in
SQLite, as runs have left them, and are drained by the app with all its bookkeeping. Composing is not in that
figure, for it is done once, whatever happens to the message then; in the line below it, it is, and so is
storing each message with its run.

Each contender runs in a process of its own, in turn, several times; the medians count, imports aside.
Claiming is timed for 50 deliveries at a time, behind so many that are settled. The machine should have
nothing else to do: what waits for the disk and for the other side suffers most from company.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
if TYPE_CHECKING:
    from reports.app import App
    from reports.model import Message
    from reports.store import Store

SENDER, RECIPIENT, SUBJECT = "reports@example.com", "finance@example.com", "Loan cash flows, 2026-10-31"
TEXT = "".join(f"Month {month:3}: interest 1,234,567.89, scheduled 987,654.32\n" for month in range(50))
CELLS = "<td style='padding:4px'>{}</td><td>1,234,567.89</td><td>987,654.32</td><td>55.5 %</td>"
ROWS = "".join(f"<tr>{CELLS.format(month)}</tr>\n" for month in range(118))
HTML = f"<html><body><table>{ROWS}</table></body></html>"
FILE, CONTENT = "Loan cash flows.xlsx", random.Random(1).randbytes(200_000)
XLSX = ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet")
HISTORY = (1_000, 100_000, 1_000_000)
AT_ONCE, CLAIMS = 50, 40
SETTINGS = """\
[mail]
from = "{sender}"
provider = "custom"
host = "127.0.0.1"
port = {port}
security = "none"
"""


@dataclass(frozen=True)
class Load:
    """What is sent: how many messages, to which port, with the file or without."""

    port: int
    count: int
    attached: bool


class NotThere(Exception):
    """A program that is not on this machine."""


def seconds(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


# -- contenders: each sends the load and says how many seconds it took ---------------------------------


def ours(load: Load) -> float:
    with project(load.port) as app:
        fill(app.store, load)
        took = seconds(app.deliver)
        all_accepted(app.store, load)
    return took


def ours_composing(load: Load) -> float:
    with project(load.port) as app:
        took = seconds(lambda: (fill(app.store, load), app.deliver()))
        all_accepted(app.store, load)
    return took


def smtp_source(load: Load) -> float:
    with tempfile.NamedTemporaryFile(suffix=".eml") as file:
        file.write(composed("1", attached=load.attached).content.replace(b"\r\n", b"\n"))
        file.flush()
        command = [program("smtp-source"), "-d", "-s", "1", "-m", str(load.count), "-f", SENDER, "-t", RECIPIENT]
        command += ["-F", file.name, f"127.0.0.1:{load.port}"]
        return seconds(lambda: subprocess.run(command, check=True))


def smtplib_loop(load: Load) -> float:
    import smtplib
    from email.message import EmailMessage

    def loop() -> None:
        with smtplib.SMTP("127.0.0.1", load.port) as connection:
            for _ in range(load.count):
                message = EmailMessage()
                message["Subject"], message["From"], message["To"] = SUBJECT, SENDER, RECIPIENT
                message.set_content(TEXT)
                message.add_alternative(HTML, subtype="html")
                if load.attached:
                    message.add_attachment(CONTENT, maintype=XLSX[0], subtype=XLSX[1], filename=FILE)
                connection.send_message(message)

    return seconds(loop)


def flask_mail(load: Load) -> float:
    import flask_mail as library
    from flask import Flask

    app = Flask(__name__)
    app.config |= {"MAIL_SERVER": "127.0.0.1", "MAIL_PORT": load.port, "MAIL_DEFAULT_SENDER": SENDER}
    mail = library.Mail(app)

    def loop() -> None:
        with app.app_context(), mail.connect() as connection:
            for _ in range(load.count):
                message = library.Message(SUBJECT, recipients=[RECIPIENT], body=TEXT, html=HTML)
                if load.attached:
                    message.attach(FILE, "/".join(XLSX), CONTENT)
                connection.send(message)

    return seconds(loop)


def red_mail(load: Load) -> float:
    from redmail import EmailSender

    sender = EmailSender(host="127.0.0.1", port=load.port, use_starttls=False)
    files = {FILE: CONTENT} if load.attached else None

    def loop() -> None:
        with sender:
            for _ in range(load.count):
                sender.send(
                    subject=SUBJECT, sender=SENDER, receivers=[RECIPIENT], text=TEXT, html=HTML, attachments=files
                )

    return seconds(loop)


CONTENDERS: dict[str, Callable[[Load], float]] = {
    "ours, draining the outbox": ours,
    "ours, composing and storing too": ours_composing,
    "smtp-source, one session": smtp_source,
    "smtplib, send_message": smtplib_loop,
    "Flask-Mail": flask_mail,
    "Red Mail": red_mail,
}
OURS = next(iter(CONTENDERS))
# How many times what they send in a second ours have to be: without the file, and with it.
WANTED = {smtp_source: (1 / 3, 0.9), smtplib_loop: (1, 3), flask_mail: (1, 3), red_mail: (1, 3)}


# -- our side ------------------------------------------------------------------------------------------


@contextlib.contextmanager
def project(port: int) -> Iterator[App]:
    """The app of an empty project that sends to that port."""
    from reports.app import open_app

    with tempfile.TemporaryDirectory(prefix="delivery-") as name:
        Path(name, "settings.toml").write_text(SETTINGS.format(sender=SENDER, port=port), "utf-8")
        with closing(open_app(Path(name))) as app:
            _ = app.store  # made and brought up to date
            yield app


def composed(key: str, *, attached: bool) -> Message:
    """The message as a run would make it."""
    from reports.model import Artifact, Report
    from reports.transports.mime import compose

    files = [Artifact(name=FILE, media_type="/".join(XLSX), content=CONTENT)] if attached else []
    report = Report(
        job="cashflow", title="Loan cash flows", as_of=dt.date(2026, 10, 31), subject=SUBJECT,
        html=HTML, text=TEXT, attachments=files,
    )  # fmt: skip
    return compose(report, sender=SENDER, to=[RECIPIENT], key=key, date=dt.datetime.now(dt.UTC))


def fill(store: Store, load: Load) -> None:
    """As many runs that have succeeded, each with one message in the outbox."""
    from reports.leases import LENGTH, new_owner
    from reports.model import Outgoing, Run

    owner = new_owner()
    for number in range(load.count):
        now = dt.datetime.now(dt.UTC)
        run = Run(id=f"{number:016x}", job="cashflow", as_of=now.date(), started=now)
        store.runs.start(run, owner=owner, until=now + LENGTH)
        message = composed(run.id, attached=load.attached)
        out = Outgoing(message=message, kind="report", expires=now + dt.timedelta(days=1))
        done = replace(run, state="succeeded", finished=now)
        store.runs.succeed(done, owner=owner, artifacts=[], messages=[out])


def all_accepted(store: Store, load: Load) -> None:
    states = [delivery.state for delivery in store.outbox.deliveries(every=True, limit=load.count + 1)]
    if states != ["accepted"] * load.count:
        sys.exit(f"not all was accepted: {load.count} messages, {sorted(set(states))}")


# -- claiming --------------------------------------------------------------------------------------------


def claim(rows: int) -> float:
    """Median milliseconds of claiming deliveries that are due, behind so many settled ones."""
    from reports.leases import LENGTH, new_owner
    from reports.settings import Store as Options
    from reports.store import open_store

    with tempfile.TemporaryDirectory(prefix="delivery-") as name, closing(open_store(Options(), Path(name))) as store:
        fill(store, Load(port=9, count=1, attached=False))
        multiply(store, settled=rows, due=AT_ONCE * CLAIMS)
        times = []
        for _ in range(CLAIMS):
            now = dt.datetime.now(dt.UTC)
            until, began = now + LENGTH, time.perf_counter()
            parcels = store.outbox.claim(now=now, owner=new_owner(), until=until, limit=AT_ONCE)
            times.append(time.perf_counter() - began)
            if sum(len(parcel.deliveries) for parcel in parcels) != AT_ONCE:
                sys.exit("not as many were claimed as there are")
    return statistics.median(times) * 1000


def multiply(store: Store, *, settled: int, due: int) -> None:
    """The one run of the store, its message and its delivery, as often as wanted, written straight into the tables."""
    from sqlalchemy import String, case, cast, insert, literal, null, select, true

    from reports.store import schema

    now = dt.datetime.now(dt.UTC)
    for base, count, over in ((10, settled, True), (10 + settled, due, False)):
        numbers = select(literal(base).label("n")).cte("numbers", recursive=True)
        n = numbers.union_all(select(numbers.c.n + 1).where(numbers.c.n < base + count - 1))
        name, at = cast(n.c.n, String), literal(now, schema.Instant)
        state = case((n.c.n % 50 == 0, "refused"), (n.c.n % 50 == 1, "unknown"), else_="accepted")
        told = {"state": state, "attempts": literal(1), "settled": at, "told": at, "next_attempt": null()}
        fresh = {
            schema.run: {"id": name},
            schema.message: {"id": n.c.n, "message_id": name, "run": name},
            schema.delivery: {"id": n.c.n, "message": n.c.n, **(told if over else {})},
        }
        with store.database.writing() as connection:
            for table, values in fresh.items():
                columns = [values.get(column.name, column) for column in table.columns]
                first = select(*columns).where(table.c.id.in_(select(table.c.id).order_by(table.c.id).limit(1)))
                connection.execute(
                    insert(table).from_select(list(table.columns), first.select_from(table.join(n, true())))
                )


# -- the table ---------------------------------------------------------------------------------------------


@contextlib.contextmanager
def sink() -> Iterator[tuple[str, int]]:
    """A server in a process of its own that takes everything: its name and its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    try:
        user = ["-u", "postfix"] if os.geteuid() == 0 else []  # it does not run as root
        name, command = "Postfix's smtp-sink", [program("smtp-sink"), *user, f"127.0.0.1:{port}", "100"]
    except NotThere:
        name, command = "the tests' own server", [sys.executable, str(ROOT / "tests" / "sink.py"), str(port)]
    server = subprocess.Popen(command)
    try:
        until_it_answers(port)
        yield name, port
    finally:
        server.terminate()
        server.wait()


def program(name: str) -> str:
    """Where a program of Postfix is; many people's PATH does not have its folder."""
    if found := shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin"):
        return found
    raise NotThere(name)


def until_it_answers(port: int) -> None:
    for _ in range(100):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    sys.exit("the server does not start")


def rates(port: int, count: int, rounds: int, *, attached: bool) -> dict[str, float]:
    """Messages a second by contender, the median of so many rounds; without those that are not installed."""
    found: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    for _ in range(rounds):
        for name, times in found.items():
            if took := child("--one", name, str(port), str(count), str(int(attached))):
                times.append(count / took)
    return {name: statistics.median(times) for name, times in found.items() if times}


def child(*arguments: str) -> float | None:
    """What this script prints in a process of its own; None where something is not installed."""
    ran = subprocess.run([sys.executable, __file__, *arguments], stdout=subprocess.PIPE, text=True, check=True)
    return float(ran.stdout) if ran.stdout.strip() else None


def print_rates(found: dict[str, float], *, attached: bool) -> None:
    title = "14 KB body, file of 200 KB" if attached else "14 KB body"
    print(f"\n{title:34} {'messages/s':>10} {'ours / it':>10}")
    for name, action in CONTENDERS.items():
        if name not in found:
            print(f"{name:34} {'not installed':>21}")
            continue
        wanted = f"   (at least {WANTED[action][attached]:.2g})" if action in WANTED else ""
        print(f"{name:34} {found[name]:10,.0f} {found[OURS] / found[name]:10.2f}{wanted}")


def print_claims() -> None:
    print(f"\n{'deliveries in the history':34} {f'ms to claim {AT_ONCE}':>14} {'ratio':>6}")
    first = 0.0
    for rows in HISTORY:
        took = child("--claim", str(rows)) or 0.0
        first = first or took
        print(f"{rows:<34,} {took:14.2f} {took / first:6.2f}")


def measure(name: str, port: str, count: str, attached: str) -> None:
    """The process of one contender."""
    try:
        print(CONTENDERS[name](Load(int(port), int(count), attached == "1")))
    except NotThere:
        return
    except ModuleNotFoundError as error:
        if error.name not in {"flask", "flask_mail", "redmail"}:
            raise


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=2000, help="messages a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--skip-sending", action="store_true", help="only claiming")
    parser.add_argument("--skip-claims", action="store_true", help="only sending")
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    parser.add_argument("--claim", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        measure(*options.one)
    elif options.claim:
        print(claim(options.claim))
    else:
        compare(options)


def compare(options: argparse.Namespace) -> None:
    if not options.skip_sending:
        with sink() as (name, port):
            print(f"{options.messages:,} messages a round to {name}, median of {options.rounds}")
            for attached in (False, True):
                print_rates(rates(port, options.messages, options.rounds, attached=attached), attached=attached)
    if not options.skip_claims:
        print_claims()


if __name__ == "__main__":
    main()
