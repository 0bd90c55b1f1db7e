"""A project that was disturbed is started again, and then its ledger is held against the server's own log."""

from __future__ import annotations

import collections
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from projects import JOB, SETTINGS, make_project
from sink import Sink

from reports.app import App, Wanted
from reports.app import open_app as opened
from reports.model import Delivery, Run

MAIL = """
[mail]
host = "127.0.0.1"
port = {port}
security = "none"
from = "Reports <me@example.com>"
to = ["you@example.com", "they@example.com"]
admins = "admin@example.com"
timeout = 5
"""
READERS = {"you@example.com", "they@example.com"}
ADMIN = "admin@example.com"


def project(folder: Path, port: int, *, mail: str = "", more: str = "") -> Path:
    """A job `daily` with an attached file, two readers and an admin."""
    settings = SETTINGS.partition("[mail]")[0] + MAIL.format(port=port) + mail + more
    return make_project(folder, settings=settings, job=JOB + '[attach]\nexcel = ["by_region"]\n')


@contextmanager
def app(folder: Path) -> Iterator[App]:
    with closing(opened(folder)) as one:
        yield one


def restart(folder: Path) -> None:
    """What a person does after a crash: look, send what waits, and run again if no run succeeded."""
    with app(folder) as one:
        states = {run.state for run in one.runs()}
        one.retry()
        if "succeeded" not in states:
            assert one.run("daily", Wanted()).delivered
            one.retry()


def the_runs(folder: Path) -> Sequence[Run]:
    with app(folder) as one:
        return one.runs()


def ledger(folder: Path) -> Sequence[Delivery]:
    with app(folder) as one:
        return one.outbox(every=True)


def readers(folder: Path) -> Mapping[str, str]:
    """The state of each reader's delivery of the newest report."""
    with app(folder) as one:
        run = next(run for run in one.runs() if run.state == "succeeded")
        return {each.recipient: each.state for each in one.show(run.id).deliveries if each.kind == "report"}


def notices(folder: Path, kind: str) -> list[tuple[str, str]]:
    return [(one.recipient, one.state) for one in ledger(folder) if one.kind == kind]


def nothing_lost_nothing_twice(folder: Path, sink: Sink) -> None:
    """Every reader of a run that succeeded has it or is shown as unknown; nobody has a second copy; bytes are whole."""
    deliveries, log = ledger(folder), sink.log
    _nobody_is_forgotten(the_runs(folder), deliveries)
    copies = collections.Counter((taken.message_id, taken.recipient) for taken in log)
    answered = {(taken.message_id, taken.recipient) for taken in log if taken.state == "accepted"}
    known = {(one.message_id, one.recipient): one.state for one in deliveries}
    assert set(copies) <= set(known), "the server took what the ledger does not know"
    assert max(copies.values(), default=1) == 1, "somebody got a second copy"
    for key, state in known.items():
        assert state in {"accepted", "unknown"}, (key, state)
        assert state == "unknown" or key in answered, f"{key} is accepted in the ledger and nowhere else"
    _the_bytes_are_whole(folder, {taken.sha256 for taken in log})


def _nobody_is_forgotten(runs: Sequence[Run], deliveries: Sequence[Delivery]) -> None:
    assert {run.state for run in runs} <= {"succeeded", "interrupted"}
    for run in runs:
        reached = {one.recipient for one in deliveries if one.run == run.id and one.kind == "report"}
        assert reached == (READERS if run.state == "succeeded" else set()), run.state


def _the_bytes_are_whole(folder: Path, sent: set[str]) -> None:
    with app(folder) as one:
        assert [finding.error for finding in one.check() if finding.error] == []
        assert all(one.store.artifacts.exists(sha256) for sha256 in sent), "what was sent is not what was stored"
