"""The installed command, from the run to the last delivery: who got what, and how one knows."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
import json
import os
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from commands import REPORTS, command, reports, start
from mailserver import MailServer, Peer, ScriptedServer
from projects import JOB, SETTINGS, make_project
from restarting import MAIL

from reports.app import open_app

DELIVERY = {"message_id", "run", "job", "channel", "recipient", "state", "attempts", "last_reply", "next_attempt"}
RUN = {"id", "job", "occurrence", "as_of", "trigger", "state", "attempt", "error", "started", "finished"}
HOUR = dt.timedelta(hours=1)
ATTACHED = JOB + '[attach]\nexcel = ["by_region"]\n'


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer(security="none") as running:
        yield running


def project(folder: Path, server: MailServer, *, mail: str = "", job: str = ATTACHED, more: str = "") -> Path:
    sources = SETTINGS.partition("[mail]")[0]
    return make_project(folder, settings=sources + MAIL.format(port=server.port) + mail + more, job=job)


def told(folder: Path, *arguments: str) -> Any:
    ran = reports(folder, *arguments, "--json")
    assert ran.stdout, ran.stderr
    return json.loads(ran.stdout)


def parsed(content: bytes) -> EmailMessage:
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def text(content: bytes, kind: str = "plain") -> str:
    body = parsed(content).get_body((kind,))
    assert body is not None
    return str(body.get_content())


def test_runs_and_deliveries_have_the_promised_shape(tmp_path: Path, server: MailServer) -> None:
    """The keys that scripts rely on; that it ran and that it was delivered are two facts."""
    folder = project(tmp_path, server)
    assert reports(folder, "run", "daily").returncode == 0
    (run,) = told(folder, "runs")
    deliveries = told(folder, "outbox", "list", "--all")
    assert set(run) == RUN
    assert (run["job"], run["state"], run["trigger"], run["error"]) == ("daily", "succeeded", "manual", None)
    assert [set(one) for one in deliveries] == [DELIVERY, DELIVERY]
    assert {(one["recipient"], one["state"], one["attempts"]) for one in deliveries} == {
        ("you@example.com", "accepted", 1),
        ("they@example.com", "accepted", 1),
    }
    assert told(folder, "outbox", "list") == []


def test_send_again_only_to_those_who_did_not_get_it(tmp_path: Path, server: MailServer) -> None:
    """One command, the same bytes, and nobody gets a second copy."""
    folder = project(tmp_path, server)
    server.replies["RCPT they@example.com"] = "451 4.3.0 try later"
    ran = reports(folder, "run", "daily")
    assert ran.returncode == 1
    assert "accepted    you@example.com" in ran.stdout
    assert "pending     they@example.com" in ran.stdout
    (waiting,) = told(folder, "outbox", "list")
    assert (waiting["recipient"], waiting["state"], waiting["attempts"]) == ("they@example.com", "pending", 1)
    assert waiting["last_reply"].startswith("451")
    assert waiting["next_attempt"] > told(folder, "runs")[0]["finished"]
    server.replies.clear()
    again = reports(folder, "outbox", "retry", waiting["run"])
    assert again.returncode == 0, again.stdout
    first, second = server.messages
    assert (first.recipients, second.recipients) == (("you@example.com",), ("they@example.com",))
    assert first.content == second.content
    nothing = reports(folder, "outbox", "retry", waiting["run"])
    assert nothing.returncode == 0
    assert len(server.messages) == 2


def test_what_was_refused_is_sent_again_on_demand(tmp_path: Path, server: MailServer) -> None:
    """Never by itself; by its run once the reason is mended."""
    folder = project(tmp_path, server)
    for name in ("you", "they"):
        server.replies[f"RCPT {name}@example.com"] = "550 5.1.1 nobody here"
    assert reports(folder, "run", "daily").returncode == 1
    assert {one["state"] for one in told(folder, "outbox", "list", "--all")} == {"refused", "accepted"}
    server.replies.clear()
    reports(folder, "outbox", "retry")
    assert [one.recipients for one in server.messages] == [("admin@example.com",)]
    run = told(folder, "runs")[0]["id"]
    assert reports(folder, "outbox", "retry", run).returncode == 0
    assert server.messages[1].recipients == ("you@example.com", "they@example.com")
    assert server.messages[2].recipients == ("admin@example.com",), "it works again"


def test_hold_release_and_cancel(tmp_path: Path, server: MailServer) -> None:
    """A person decides about what waits."""
    folder = project(tmp_path, server)
    server.replies["RCPT"] = "451 4.3.0 try later"
    reports(folder, "run", "daily")
    server.replies.clear()
    assert {one["state"] for one in told(folder, "outbox", "hold", "daily")} == {"held"}
    assert reports(folder, "outbox", "retry").returncode == 0
    assert server.messages == []
    assert [one["recipient"] for one in told(folder, "outbox", "cancel", "they@example.com")] == ["they@example.com"]
    assert [one["state"] for one in told(folder, "outbox", "release", "you@example.com")] == ["pending"]
    assert reports(folder, "outbox", "retry").returncode == 0
    assert [one.recipients for one in server.messages] == [("you@example.com",)]
    assert told(folder, "outbox", "list") == []
    assert {one["recipient"]: one["state"] for one in told(folder, "outbox", "list", "--all")} == {
        "you@example.com": "accepted",
        "they@example.com": "cancelled",
    }


def test_an_unknown_name_says_what_it_may_be(tmp_path: Path, server: MailServer) -> None:
    """A run, a job, a recipient or a Message-ID; never "nothing to do" for a typing error."""
    folder = project(tmp_path, server)
    reports(folder, "run", "daily")
    for verb in ("retry", "hold", "release", "cancel"):
        ran = reports(folder, "outbox", verb, "dayly")
        assert ran.returncode == 1
        assert "dayly" in ran.stderr


def test_show_lists_and_gives_back_the_files_as_they_were_sent(tmp_path: Path, server: MailServer) -> None:
    """By the beginning of the run's id, byte for byte."""
    folder = project(tmp_path, server)
    reports(folder, "run", "daily")
    run = told(folder, "runs")[0]["id"]
    record = told(folder, "show", run[:6])
    assert set(record) >= RUN | {"log", "artifacts", "deliveries"}
    assert record["deliveries"][0]["history"][0]["code"] == 250
    assert any("fetched by_region" in line for line in record["log"])
    wrote = reports(folder, "show", run, "--out", str(tmp_path / "files"))
    assert wrote.returncode == 0, wrote.stderr
    (attached,) = list(parsed(server.messages[0].content).iter_attachments())
    kept = (tmp_path / "files" / str(attached.get_filename())).read_bytes()
    assert kept == attached.get_content()
    page = reports(folder, "show", run).stdout
    assert "accepted    you@example.com" in page
    assert "queued as 4711" in page
    assert reports(folder, "show", "zzzz").returncode == 1


# -- the owner ------------------------------------------------------------------------------------------


def test_the_owner_is_told_once_a_streak_and_once_when_it_works_again(tmp_path: Path, server: MailServer) -> None:
    """What failed, where, the end of the log, and what to do."""
    folder = project(tmp_path, server, job='owner = "owner@example.com"\n' + ATTACHED)
    (folder / "sales.csv").rename(folder / "away.csv")
    for _ in range(3):
        assert reports(folder, "run", "daily").returncode != 0
    (notice,) = server.messages
    assert notice.recipients == ("owner@example.com",)
    assert "Failed" in parsed(notice.content)["Subject"]
    assert "sales.csv" in text(notice.content)
    (folder / "away.csv").rename(folder / "sales.csv")
    assert reports(folder, "run", "daily").returncode == 0
    assert reports(folder, "run", "daily").returncode == 0
    to = [one.recipients for one in server.messages]
    assert to.count(("owner@example.com",)) == 2
    assert len(to) == 4
    states = [run["state"] for run in told(folder, "runs")]
    assert states == ["succeeded", "succeeded", "failed", "failed", "failed"]
    assert "sales.csv" in told(folder, "runs")[-1]["error"]


def test_a_job_that_cannot_be_read_is_told_to_the_admins(tmp_path: Path, server: MailServer) -> None:
    """It has no owner any more who could be read."""
    folder = project(tmp_path, server)
    (folder / "jobs/daily/job.toml").write_text("titel = 'Daily'\n", "utf-8")
    assert reports(folder, "run", "daily").returncode == 2
    (notice,) = server.messages
    assert notice.recipients == ("admin@example.com",)
    assert "titel" in text(notice.content)


def test_recipients_who_did_not_get_it_are_told_to_the_owner(tmp_path: Path, server: MailServer) -> None:
    """Once, with the server's words, and again when they are reached."""
    folder = project(tmp_path, server)
    server.replies["RCPT they@example.com"] = "550 5.1.1 nobody here"
    for _ in range(2):
        assert reports(folder, "run", "daily").returncode == 1
    notices = [one for one in server.messages if one.recipients == ("admin@example.com",)]
    assert len(notices) == 1
    assert "they@example.com" in text(notices[0].content)
    assert "550 5.1.1" in text(notices[0].content)
    server.replies.clear()
    assert reports(folder, "run", "daily").returncode == 0
    notices = [one for one in server.messages if one.recipients == ("admin@example.com",)]
    assert len(notices) == 2


def test_a_failure_to_tell_is_shown(tmp_path: Path, server: MailServer) -> None:
    """Nobody to tell, or nobody who takes it: either can be seen."""
    folder = project(tmp_path, server)
    (folder / "sales.csv").unlink()
    server.replies["RCPT admin@example.com"] = "550 5.1.1 nobody here"
    reports(folder, "run", "daily")
    run = told(folder, "runs")[0]["id"]
    (notice,) = told(folder, "show", run)["deliveries"]
    assert (notice["kind"], notice["state"], notice["recipient"]) == ("failure", "refused", "admin@example.com")
    settings = (folder / "settings.toml").read_text("utf-8").replace('admins = "admin@example.com"\n', "")
    (folder / "settings.toml").write_text(settings, "utf-8")
    (folder / "jobs/other").mkdir()
    for name in ("job.toml", "by_region.sql"):
        (folder / "jobs/other" / name).write_text((folder / "jobs/daily" / name).read_text("utf-8"), "utf-8")
    reports(folder, "run", "other")
    assert "nobody was told" in told(folder, "show", told(folder, "runs", "other")[0]["id"])["notice"]


# -- who may get it -------------------------------------------------------------------------------------


def test_cc_and_bcc(tmp_path: Path, server: MailServer) -> None:
    """All of them get it; who is in bcc stands in no header."""
    folder = project(
        tmp_path,
        server,
        job='cc = "boss@example.com"\nbcc = "archive@example.com"\nreply_to = "desk@example.com"\n' + ATTACHED,
    )
    assert reports(folder, "run", "daily").returncode == 0
    (received,) = server.messages
    assert set(received.recipients) == {
        "you@example.com",
        "they@example.com",
        "boss@example.com",
        "archive@example.com",
    }
    message = parsed(received.content)
    assert (message["Cc"], message["Reply-To"], message["Bcc"]) == ("boss@example.com", "desk@example.com", None)
    assert b"archive@example.com" not in received.content


def test_groups_are_named_in_settings(tmp_path: Path, server: MailServer) -> None:
    """A word without an @ is a group; one that does not exist names the nearest."""
    groups = '\n[groups]\nfinance = ["a@example.com", "b@example.com"]\n'
    folder = project(tmp_path, server, job='to = ["finance", "a@example.com"]\n' + ATTACHED, more=groups)
    assert reports(folder, "run", "daily").returncode == 0
    assert server.messages[0].recipients == ("a@example.com", "b@example.com")
    wrong = (folder / "jobs/daily/job.toml").read_text("utf-8").replace('"finance"', '"finanse"')
    (folder / "jobs/daily/job.toml").write_text(wrong, "utf-8")
    ran = reports(folder, "check")
    assert ran.returncode == 2
    assert "finance" in ran.stdout


def test_an_address_that_is_not_allowed_stops_the_run(tmp_path: Path, server: MailServer) -> None:
    """Before anything was computed, naming address and pattern."""
    folder = project(tmp_path, server, mail='allow = "*@example.com"\n', job='cc = "x@elsewhere.test"\n' + ATTACHED)
    ran = reports(folder, "run", "daily")
    assert ran.returncode == 2
    assert "x@elsewhere.test" in ran.stderr
    assert "*@example.com" in ran.stderr
    assert all(one.recipients == ("admin@example.com",) for one in server.messages)


def test_redirect_sends_everything_to_one_address_with_a_banner(tmp_path: Path, server: MailServer) -> None:
    """Reports and notices; the banner says who would have got it."""
    folder = project(tmp_path, server, mail='redirect = "dev@example.com"\n')
    assert reports(folder, "run", "daily").returncode == 0
    (folder / "sales.csv").unlink()
    reports(folder, "run", "daily")
    report, notice = server.messages
    assert report.recipients == notice.recipients == ("dev@example.com",)
    for body in (text(report.content), text(report.content, "html")):
        assert "they@example.com" in body
    assert "admin@example.com" in text(notice.content)
    assert parsed(report.content)["To"] == "dev@example.com"


def test_a_test_send_never_touches_the_list(tmp_path: Path, server: MailServer) -> None:
    """Only the named address; neither cc nor bcc; and a failure of a test is nobody's streak."""
    folder = project(tmp_path, server, job='cc = "boss@example.com"\n' + ATTACHED)
    ran = reports(folder, "run", "daily", "--to", "me@example.com")
    assert ran.returncode == 0, ran.stderr
    (received,) = server.messages
    assert received.recipients == ("me@example.com",)
    assert b"boss@example.com" not in received.content
    assert [run["trigger"] for run in told(folder, "runs")] == ["test"]
    assert told(folder, "list")[0]["last"] is None, "it says nothing about the job's own runs"


# -- too large ------------------------------------------------------------------------------------------

BIG = "day,region,revenue\n" + "".join(
    f"2026-10-30,R{n:05d}{n * 7919 % 99991:05d},{n * 31 % 977}.25\n" for n in range(4000)
)


@pytest.mark.parametrize(
    ("policy", "expected"), [('"leave_out"', "is not attached"), ('["zip", "leave_out"]', "is not attached")]
)
def test_a_file_over_the_limit_is_left_out_with_a_sentence(tmp_path: Path, policy: str, expected: str) -> None:
    """The server's own SIZE is asked before; the mail has its body and says what is missing."""
    with MailServer(security="none", size_limit=60_000) as small:
        folder = project(tmp_path, small, job=f"oversize = {policy}\n" + ATTACHED)
        (folder / "sales.csv").write_text(BIG, "utf-8")
        ran = reports(folder, "run", "daily")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    (received,) = small.messages
    assert len(received.content) <= 60_000
    assert not list(parsed(received.content).iter_attachments())
    assert expected in text(received.content)
    assert "R0000" in text(received.content)


def test_a_file_over_the_limit_is_linked_where_readers_can_fetch_it(tmp_path: Path) -> None:
    """The link's path holds the very file."""
    with MailServer(security="none", size_limit=60_000) as small:
        store = '\n[store]\nbase_url = "https://files.example.com/reports"\n'
        folder = project(tmp_path, small, job='oversize = ["zip", "link", "leave_out"]\n' + ATTACHED, more=store)
        (folder / "sales.csv").write_text(BIG, "utf-8")
        assert reports(folder, "run", "daily").returncode == 0
    body = text(small.messages[0].content)
    assert "https://files.example.com/reports/" in body
    (kept,) = list((folder / "var").rglob("*.xlsx"))
    assert kept.parent.name in body


def test_a_job_may_rather_fail_than_send_less(tmp_path: Path) -> None:
    """With the size, the limit and what to do; the admins are told."""
    with MailServer(security="none", size_limit=60_000) as small:
        folder = project(tmp_path, small, job='oversize = "fail"\n' + ATTACHED)
        (folder / "sales.csv").write_text(BIG, "utf-8")
        ran = reports(folder, "run", "daily")
    assert ran.returncode == 1
    assert "60 kB" in ran.stderr
    assert [one.recipients for one in small.messages] == [("admin@example.com",)]


def test_a_dry_run_keeps_nothing(tmp_path: Path, server: MailServer) -> None:
    """No history, no outbox, no database."""
    folder = project(tmp_path, server)
    assert reports(folder, "run", "daily", "--dry-run").returncode == 0
    assert not (folder / "var/reports.db").exists()
    assert told(folder, "runs") == []
    assert server.messages == []


# -- as people write and do it ------------------------------------------------------------------------------


def seen(folder: Path, *arguments: str) -> Any:
    """What a command prints as JSON, asked in this process."""
    ran = command(folder, *arguments, "--json")
    assert ran.stdout, ran.stderr
    return json.loads(ran.stdout)


def test_a_test_neither_opens_nor_ends_a_trouble(tmp_path: Path, server: MailServer) -> None:
    """Whether it fails or goes well: whoever asked for it sees that, and nobody else is told."""
    folder = project(tmp_path, server)
    (folder / "sales.csv").rename(folder / "away.csv")
    assert command(folder, "run", "daily", "--to", "me@example.com").exit_code == 2
    assert command(folder, "run", "daily", "--to", "not an address").exit_code == 2
    assert server.messages == []
    assert "it was a test" in seen(folder, "show", seen(folder, "runs")[0]["id"])["notice"]
    assert command(folder, "run", "daily").exit_code == 2
    (folder / "away.csv").rename(folder / "sales.csv")
    assert command(folder, "run", "daily", "--to", "me@example.com").exit_code == 0
    assert [one.recipients for one in server.messages] == [("admin@example.com",), ("me@example.com",)]
    assert command(folder, "run", "daily").exit_code == 0
    assert parsed(server.messages[-1].content)["Subject"].startswith("Works again")


def test_a_broken_job_that_was_only_tested_is_nobodys_trouble(tmp_path: Path, server: MailServer) -> None:
    """It is kept as a failed run all the same."""
    folder = project(tmp_path, server, job="titel = 'Daily'\n")
    assert command(folder, "run", "daily", "--to", "me@example.com").exit_code == 2
    assert server.messages == []
    assert [run["state"] for run in seen(folder, "runs")] == ["failed"]


def test_the_command_in_a_notice_works(tmp_path: Path, server: MailServer) -> None:
    """As it stands there, params included."""
    folder = project(tmp_path, server)
    (folder / "sales.csv").rename(folder / "away.csv")
    command(folder, "run", "daily", "-p", "day=2026-10-30")
    (folder / "away.csv").rename(folder / "sales.csv")
    lines = text(server.messages[0].content).splitlines()
    (words,) = [line.split()[1:] for line in lines if line.startswith("    reports run")]
    assert "day=2026-10-30" in words
    again = command(folder, *words)
    assert again.exit_code == 0, again.stderr


def test_an_address_is_one_however_it_is_written(tmp_path: Path, server: MailServer) -> None:
    """With a name, in any case, with a domain beyond ASCII: in lists, in redirect, in allow and on the command line."""
    zoe = "Zoë <z@bücher.example>"
    mail = 'allow = "bücher.example"\nredirect = "Dev Ö <Z@Bücher.example>"\n'
    folder = project(tmp_path, server, mail=mail, job=f'to = ["{zoe}", "z@xn--bcher-kva.example"]\n' + ATTACHED)
    assert command(folder, "run", "daily").exit_code == 0
    assert [one.recipients for one in server.messages] == [("Z@xn--bcher-kva.example",)]
    settings = (folder / "settings.toml").read_text("utf-8")
    (folder / "settings.toml").write_text(settings.partition("redirect")[0], "utf-8")
    server.replies["RCPT"] = "451 4.3.0 try later"
    command(folder, "run", "daily")
    for written in (zoe, "z@BÜCHER.example", "z@xn--bcher-kva.example", "Z@xn--bcher-kva.example"):
        assert [one["state"] for one in seen(folder, "outbox", "list", written)] == ["pending"]
        assert [one["state"] for one in seen(folder, "outbox", "hold", written)] == ["held"]
        assert [one["state"] for one in seen(folder, "outbox", "release", written)] == ["pending"]


def test_what_redirect_holds_back_names_the_command(tmp_path: Path, server: MailServer) -> None:
    """A mail that was addressed before redirect was set is held, and says how it is let go."""
    folder = project(tmp_path, server)
    server.replies["RCPT"] = "451 4.3.0 try later"
    command(folder, "run", "daily")
    server.replies.clear()
    settings = (folder / "settings.toml").read_text("utf-8")
    (folder / "settings.toml").write_text(settings + 'redirect = "dev@example.com"\n', "utf-8")
    ran = command(folder, "outbox", "retry")
    assert (ran.exit_code, server.messages) == (1, [])
    words = ran.stderr.rpartition("reports ")[2].split()
    (folder / "settings.toml").write_text(settings, "utf-8")
    released = command(folder, *words)
    assert released.exit_code == 0, released.stderr
    assert command(folder, "outbox", "retry").exit_code == 0
    assert [one.recipients for one in server.messages] == [("you@example.com", "they@example.com")]


def test_a_retry_that_sends_nothing_says_what_is_left(tmp_path: Path, server: MailServer) -> None:
    """Never that all is well while somebody has to decide."""
    folder = project(tmp_path, server)
    server.replies["RCPT"] = "451 4.3.0 try later"
    command(folder, "run", "daily")
    command(folder, "outbox", "hold", "daily")
    left = command(folder, "outbox", "retry")
    assert left.exit_code == 0
    assert "2 held" in left.stderr
    assert "release" in left.stderr


def test_a_retry_makes_no_stale_report_fresh(tmp_path: Path, server: MailServer) -> None:
    """What still waits expires when it would have; what has expired gets the time of [mail] anew."""
    folder = project(tmp_path, server, job='expires = "2h"\n' + ATTACHED)
    server.replies["RCPT"] = "451 4.3.0 try later"
    command(folder, "run", "daily")
    with closing(open_app(folder)) as app:
        before = {one.id: one.expires for one in app.outbox()}
        assert {one.id: one.expires for one in app.retry(["daily"])} == before
        late = next(iter(before.values())) + HOUR
        with closing(replace(app, clock=lambda: late)) as later:
            later.deliver()
            assert {one.state for one in later.outbox(["daily"], every=True) if one.kind == "report"} == {"expired"}
            again = [one for one in later.retry(["daily"]) if one.kind == "report"]
            assert {(one.state, one.expires) for one in again} == {("pending", late + 24 * HOUR)}


def test_looking_into_an_empty_project_makes_nothing(tmp_path: Path, server: MailServer) -> None:
    """Every command that only looks says so, as JSON too, and none of them makes a store."""
    folder = project(tmp_path, server)
    for words in (["runs"], ["runs", "daily"], ["outbox"], ["outbox", "list"], ["outbox", "retry"]):
        assert seen(folder, *words) == []
        assert command(folder, *words).stderr
    assert not (folder / "var").exists()


def test_runs_of_no_job_name_the_nearest(tmp_path: Path, server: MailServer) -> None:
    """Instead of "no runs yet" for a typing error."""
    ran = command(project(tmp_path, server), "runs", "dialy")
    assert ran.exit_code == 2
    assert "daily" in ran.stderr


def test_a_damaged_store_is_found_and_the_jobs_are_listed_all_the_same(tmp_path: Path, server: MailServer) -> None:
    """`check` reads the whole of it."""
    folder = project(tmp_path, server)
    command(folder, "run", "daily")
    with (folder / "var/reports.db").open("r+b") as database:
        database.seek(3 * 4096)
        database.write(b"\xff" * 4096 * 4)
    checked = command(folder, "check")
    assert checked.exit_code == 1
    assert "the database is damaged" in checked.stdout
    listed = command(folder, "list")
    assert listed.exit_code == 1
    assert "Daily sales" in listed.stdout
    assert "the database is damaged" in listed.stderr


@pytest.mark.skipif(os.name == "nt", reason="there Ctrl-C goes to every process of the console, these tests too")
def test_ctrl_c_ends_the_sending_after_the_message_in_hand(tmp_path: Path, server: MailServer) -> None:
    """That one is settled, the others wait, and nothing is unknown."""
    folder = project(tmp_path, server, mail="connections = 1\n")
    server.replies["RCPT"] = "451 4.3.0 try later"
    for _ in range(3):
        command(folder, "run", "daily")
    going = threading.Event()

    def script(peer: Peer) -> None:
        peer.greet()
        while True:
            peer.next_content()
            peer.take_content()
            going.set()
            time.sleep(0.5)
            peer.say("250 taken")

    with ScriptedServer(script) as slow:
        project(tmp_path, slow, mail="connections = 1\n")
        sending = start(folder, "outbox", "retry")
        assert going.wait(20)
        sending.send_signal(signal.SIGINT)
        assert sending.wait(20) == 130
    states = Counter(one["state"] for one in seen(folder, "outbox", "list", "--all"))
    assert states == {"accepted": 2, "pending": 4}


def test_who_got_it_is_told_even_where_the_files_cannot_be_written(tmp_path: Path, server: MailServer) -> None:
    """Or whoever asked for both would run it again, and mail everybody twice."""
    folder = project(tmp_path, server)
    ran = command(folder, "run", "daily", "--out", str(folder / "settings.toml"))
    assert ran.exit_code == 1
    assert "accepted    you@example.com" in ran.stdout
    assert "cannot be written" in ran.stderr


def test_a_reader_that_has_enough_is_no_fault(tmp_path: Path, server: MailServer) -> None:
    """`reports ... | head` ends without a word, and what was to be done is done."""
    folder = project(tmp_path, server)
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as closed:
        ran = subprocess.run(
            [str(REPORTS), "run", "daily"], cwd=folder, stdout=closed, stderr=subprocess.PIPE, text=True, check=False
        )
    assert ran.stderr == ""
    assert len(server.messages) == 1
