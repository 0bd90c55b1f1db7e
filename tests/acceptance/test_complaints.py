"""What users of other programs complain of in public, each as a promise that is kept here.

A citation is `repository#number` of an issue or pull request. Complaints that are a test elsewhere already are
in COVERED, with that test; the others are tests here. Those about schedules, looks and chat are not in this file.
"""

from __future__ import annotations

import datetime as dt
import io
import threading
import zipfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from email import message_from_bytes, policy
from functools import partial
from pathlib import Path

import pytest
from commands import reports
from mailserver import MailServer, Peer, ScriptedServer
from projects import JOB, QUERY, SETTINGS, make_project

from reports import leases
from reports.app import App, Wanted, open_app
from reports.errors import ReportsError, StoreError
from reports.execution import Execution
from reports.model import Run

COVERED = {
    # -- who is told ---------------------------------------------------------------------------------
    "superset#39779 (a worker that was killed)": "acceptance/test_killed.py::test_the_next_run_tells_of_the_one_that_died",
    "superset#24096, redash#2593": "acceptance/test_outbox.py"
    "::test_the_owner_is_told_once_a_streak_and_once_when_it_works_again",
    "superset#43031, #42273, grafana-image-renderer#253 (a picture that is not there)": "transports/test_mime.py"
    "::test_an_image_that_is_shown_but_missing_is_an_error",
    "grafana#21018, #17380 (the alarm that needed the picture)": "test_notices.py"
    "::test_a_notice_goes_out_where_the_templates_are_what_is_broken",
    "grafana#130837 (no status that a script can read)": "acceptance/test_outbox.py"
    "::test_runs_and_deliveries_have_the_promised_shape",
    # -- once ----------------------------------------------------------------------------------------
    "metabase#47961, lightdash#4595": "test_delivery.py::test_only_those_who_failed_are_tried_again",
    "superset#44336 (the process that was taken for dead)": "contracts/test_store.py"
    "::test_a_run_that_lost_its_lease_sends_nothing",
    "lightdash#26814 (sent, and the books not written)": "acceptance/test_killed.py"
    "::test_before_the_answer_is_written_down_it_is_unknown",
    # -- with all that belongs to it -----------------------------------------------------------------
    "metabase#71371 (an attachment over the limit)": "acceptance/test_outbox.py"
    "::test_a_file_over_the_limit_is_left_out_with_a_sentence",
    "Miksus/red-mail#23, #53": "transports/test_mime.py::test_the_tree_has_no_level_without_need",
    "rstudio/blastula#314": "transports/test_mime.py::test_texts_and_bytes_come_back_as_they_were",
    "liiight/notifiers#91": "transports/test_mime.py::test_file_names_of_any_script_come_back",
    # -- to whom it should go ------------------------------------------------------------------------
    "superset#39642": "acceptance/test_outbox.py::test_an_address_that_is_not_allowed_stops_the_run",
    "rstudio/blastula#113, #300": "acceptance/test_outbox.py::test_cc_and_bcc",
    "vnpy#2360": "acceptance/test_outbox.py::test_a_test_send_never_touches_the_list",
    # -- connections ---------------------------------------------------------------------------------
    "rstudio/blastula#270, flask-mail#38": "transports/test_smtp.py"
    "::test_one_connection_and_one_login_carry_many_messages",
    "rstudio/blastula#129, yagmail#43, #48": "transports/test_smtp.py"
    "::test_a_connection_that_the_server_let_go_is_replaced_at_once",
    "flask-mail#114": "transports/test_session.py::test_a_server_that_says_nothing_is_given_up",
    # -- logins --------------------------------------------------------------------------------------
    "rstudio/blastula#280, #222, #228, #143, #127, #57": "transports/test_session.py"
    "::test_the_providers_sentence_tells_what_to_do",
    "apprise#1217, #1478, #225, seerr#2854 (535 5.7.139)": "transports/test_replies.py"
    "::test_a_known_reply_is_explained",
    "rstudio/blastula#317, yagmail#16 (asked for a password where nobody is)": "acceptance/test_sending.py"
    "::test_a_missing_password_is_said_by_its_name",
    "knockknock#83, #79": "acceptance/test_login.py::test_forgetting_is_told_and_asks_nobody",
    "vnpy#2253": "transports/test_account.py::test_port_and_security_follow_each_other",
}
ACCOUNT = """
[mail]
host = "127.0.0.1"
port = {port}
security = "none"
from = "Reports <me@example.com>"
to = ["you@example.com", "they@example.com"]
admins = "admin@example.com"
"""
ATTACHED = JOB + '[attach]\nexcel = ["by_region"]\n'
READERS, ADMIN = ("you@example.com", "they@example.com"), ("admin@example.com",)
NOW = dt.datetime(2026, 11, 2, 7, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
Open = Callable[..., App]


@pytest.mark.parametrize(("complaint", "where"), COVERED.items())
def test_what_others_suffer_from_is_a_test(root: Path, complaint: str, where: str) -> None:
    """Each test that COVERED names is there."""
    file, _, name = where.partition("::")
    assert f"\ndef {name}(" in (root / "tests" / file).read_text("utf-8"), complaint


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer(security="none") as running:
        yield running


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """Opens the project of the test once more, as another process would: its server, job, settings and clock."""
    apps: list[App] = []

    def make(
        server: MailServer | ScriptedServer,
        *,
        job: str = ATTACHED,
        more: str = "",
        now: dt.datetime = NOW,
        **files: str,
    ) -> App:
        settings = SETTINGS.partition("[mail]")[0] + ACCOUNT.format(port=server.port) + more
        make_project(tmp_path, settings=settings, job=job, files=files)
        apps.append(replace(open_app(tmp_path), clock=lambda: now))
        return apps[-1]

    yield make
    for app in apps:
        app.close()


def execute(app: App, run: Run | None = None) -> Run:
    """The run of `daily` up to its commit, with nothing sent yet."""
    job = app.jobs()["daily"]
    assert not isinstance(job, ReportsError)
    run = run or Run(id=app.new_id(), job="daily", as_of=NOW.date(), started=app.clock(), params={"day": NOW.date()})
    execution = Execution(
        settings=app.settings, store=app.store, clock=app.clock, owner=leases.new_owner(), tell=lambda _: None
    )
    return execution.execute(job, run, ready=lambda: None).run


def states(app: App) -> dict[str, str]:
    return {one.recipient: one.state for one in app.outbox(every=True)}


def to(server: MailServer) -> list[Sequence[str]]:
    return [one.recipients for one in server.messages]


def both(*work: Callable[[], object]) -> list[object]:
    """What came of each, done at the same moment."""
    start = threading.Barrier(len(work))

    def one(job: Callable[[], object]) -> object:
        start.wait(10)
        try:
            return job()
        except ReportsError as error:
            return error

    with ThreadPoolExecutor(len(work)) as pool:
        return list(pool.map(one, work))


# -- once ------------------------------------------------------------------------------------------------


def test_an_occurrence_is_mailed_once_however_many_want_to_run_it(opened: Open, server: MailServer) -> None:
    """Two schedulers, a message delivered again, an old and a new installation.

    superset#22664, #32524, #17404; metabase#69577, #70474, #63189, #54478, #45622.
    """
    apps = [opened(server) for _ in range(3)]
    runs = [
        Run(id=f"run-{number}", job="daily", as_of=NOW.date(), started=NOW, occurrence=NOW, trigger="schedule",
            params={"day": NOW.date()})
        for number in range(len(apps))
    ]  # fmt: skip
    ended = both(*(partial(execute, app, run) for app, run in zip(apps, runs, strict=True)))
    assert [isinstance(one, StoreError) for one in ended].count(True) == 2
    assert all("has a run for" in one.what for one in ended if isinstance(one, StoreError))
    both(*(app.deliver for app in apps))
    assert to(server) == [READERS]


def test_an_odd_goodbye_makes_no_second_mail(opened: Open) -> None:
    """It was accepted, whatever comes after that. flask-mail#98, #139."""
    taken: list[bytes] = []

    def script(peer: Peer) -> None:
        peer.until_content()
        taken.append(peer.take_content())
        peer.say("250 taken")
        peer.hear()
        peer.say("554 no goodbye here")

    with ScriptedServer(script) as server:
        app = opened(server)
        assert app.run("daily", Wanted()).delivered
        assert app.retry() == []
        later = opened(server, now=NOW + 2 * HOUR)
        later.deliver()
        assert later.retry(["daily"], unknown=True) == []
    assert len(taken) == 1


def test_every_run_has_a_message_id_of_its_own_and_every_attempt_the_same(opened: Open, server: MailServer) -> None:
    """Or mail programs fold the days into one, and nobody can tell a second copy. yagmail#173."""
    server.replies["RCPT they@example.com"] = "451 4.3.0 try later"
    for day in range(2):
        opened(server, now=NOW + day * dt.timedelta(days=1)).run("daily", Wanted())
    server.replies.clear()
    opened(server, now=NOW + dt.timedelta(days=1, hours=2)).retry(["daily"])
    messages = [message_from_bytes(one.content, policy=policy.default) for one in server.messages]
    by_recipient: dict[Sequence[str], list[str]] = {}
    for one, message in zip(server.messages, messages, strict=True):
        by_recipient.setdefault(one.recipients, []).append(message["Message-ID"])
    assert len(set(by_recipient["you@example.com",])) == 2
    assert sorted(by_recipient["they@example.com",]) == sorted(by_recipient["you@example.com",])


# -- nothing stuck, nothing lost ---------------------------------------------------------------------------


def test_nothing_stays_in_sending(opened: Open, server: MailServer) -> None:
    """The lease of a sender that died runs out, the mail goes, and the history says what happened. superset#40047."""
    app = opened(server)
    run = execute(app)
    held = app.store.outbox.claim(
        now=NOW, owner="elsewhere/" + leases.new_owner().partition("/")[2], until=NOW + leases.LENGTH, limit=10
    )
    assert [len(parcel.deliveries) for parcel in held] == [2]
    app.deliver()
    assert (server.messages, set(states(app).values())) == ([], {"sending"})
    later = opened(server, now=NOW + leases.LENGTH)
    later.deliver()
    assert to(server) == [READERS]
    history = later.show(run.id)
    said = [[attempt.text for attempt in tried] for tried in history.attempts.values()]
    assert said == [["the sender stopped before anything was handed over", "2.0.0 queued as 4711"]] * 2


def test_a_hiccup_of_the_mail_server_loses_nothing(opened: Open, server: MailServer) -> None:
    """The runs have succeeded, and all that waits goes by itself when the server is back, once.

    redash's alert that is marked before it is sent; metabase#62790; knockknock#14, #66, #78; anymail#79;
    yagmail's `send_unsent`, which stops at the second.
    """
    server.replies["MAIL"] = "421 4.3.2 shutting down"
    runs = [opened(server).run("daily", Wanted()) for _ in range(3)]
    assert [(sent.run.state, sent.delivered) for sent in runs] == [("succeeded", False)] * 3
    assert server.messages == []
    server.replies.clear()
    later = opened(server, now=NOW + 2 * HOUR)
    later.deliver()
    later.deliver()
    assert to(server) == [READERS] * 3
    assert {one.content for one in server.messages} == {sent.message.content for sent in runs}


def test_one_message_that_fails_stops_no_other(opened: Open) -> None:
    """Each is settled on its own, in one and the same round. vnpy#3580."""
    answers = ["554 5.6.0 not this one", "250 taken", "250 taken"]

    def script(peer: Peer) -> None:
        peer.greet()
        while answers:
            peer.next_content()
            peer.take_content()
            peer.say(answers.pop(0))

    with ScriptedServer(script) as server:
        app = opened(server)
        first, second = execute(app), execute(app)
        app.deliver()
    assert app.totals([first, second]) == {first.id: {"refused": 2}, second.id: {"accepted": 2}}
    assert answers == [], "the owner is told"


def test_what_is_too_old_is_deleted_for_good(opened: Open, server: MailServer) -> None:
    """Also for the next process that looks, and what they made goes with them.

    superset#27554 (the deletes were never committed); rocketry#142 (a log without end).
    """
    for number in range(3):
        run = opened(server, more="\n[store]\nkeep_runs = 2\n", now=NOW + number * HOUR).run("daily", Wanted()).run
    after = opened(server)
    assert [one.started for one in after.runs()] == [NOW + 2 * HOUR, NOW + HOUR]
    assert {one.run for one in after.outbox(every=True)} == {one.id for one in after.runs()}
    assert after.show(run.id).artifacts


# -- ran, and was delivered ----------------------------------------------------------------------------------


def test_ran_and_delivered_are_two_facts(opened: Open, server: MailServer) -> None:
    """A run that nobody got is not shown as if they had; they are found, and it is sent again to them.

    metabase#76853, #56379, #65003; OpenMetadata#32447; knockknock, which calls a finished training crashed.
    """
    server.replies["RCPT you@example.com"] = server.replies["RCPT they@example.com"] = "550 5.1.1 nobody here"
    app = opened(server)
    sent = app.run("daily", Wanted())
    assert (sent.run.state, sent.delivered) == ("succeeded", False)
    assert app.totals([sent.run]) == {sent.run.id: {"refused": 2}}
    history = app.show(sent.run.id)
    assert app.artifact(history, history.artifacts[0].name)
    server.replies.clear()
    failed = [one for one in app.outbox(every=True) if one.state == "refused"]
    again = app.retry([sent.run.id])
    assert {one.id for one in again} == {one.id for one in failed}
    assert app.totals([sent.run]) == {sent.run.id: {"accepted": 2}}


def test_each_recipient_has_an_answer_of_its_own(opened: Open, server: MailServer) -> None:
    """Which one failed, and why, in the words of the server. apprise#538, #1611."""
    server.replies["RCPT b@example.com"] = "550 5.1.1 nobody here"
    server.replies["RCPT c@example.com"] = "451 4.7.1 greylisted"
    sent = opened(server, job='to = ["a@example.com", "b@example.com", "c@example.com"]\n' + ATTACHED).run(
        "daily", Wanted()
    )
    assert [(one.recipient, one.state, one.last_reply) for one in sent.deliveries] == [
        ("a@example.com", "accepted", "250 2.0.0 queued as 4711"),
        ("b@example.com", "refused", "550 5.1.1 nobody here"),
        ("c@example.com", "pending", "451 4.7.1 greylisted"),
    ]


def test_a_job_that_never_ran_does_not_look_well(tmp_path: Path) -> None:
    """It says "never". superset#29622 (a green tick)."""
    assert reports(make_project(tmp_path), "list").stdout.splitlines()[1].split()[-1] == "never"


# -- with all that belongs to it, to those whom it is for ------------------------------------------------------


@pytest.mark.parametrize(
    "sql", ["SELECT nothing FROM sales", "SELECT 1 / (count(*) - 3)::INT AS x, error('no file') AS y FROM sales"]
)
def test_no_mail_arrives_without_its_file_in_silence(opened: Open, server: MailServer, sql: str) -> None:
    """What cannot be made fails the run: its readers get nothing rather than half of it, and the owner is told.

    superset#28495, #28595, #23309, #33083; lightdash#17966; metabase#71696, #18724.
    """
    both_files = JOB + '[attach]\nexcel = ["by_region", "details"]\n'
    broken = opened(server, job=both_files, **{"jobs/daily/details.sql": sql})
    with pytest.raises(ReportsError):
        broken.run("daily", Wanted())
    assert to(server) == [ADMIN]
    mended = opened(server, job=both_files, **{"jobs/daily/details.sql": "SELECT * FROM sales"})
    mended.run("daily", Wanted())
    report = next(one for one in server.messages if one.recipients == READERS)
    (file,) = message_from_bytes(report.content, policy=policy.default).iter_attachments()
    sheets = zipfile.ZipFile(io.BytesIO(file.get_content())).read("xl/workbook.xml").decode()
    assert "by_region" in sheets.lower().replace(" ", "_")
    assert "details" in sheets.lower()


def test_a_report_with_nothing_to_show_is_sent(opened: Open, server: MailServer) -> None:
    """It waits for no chart and for no row. superset#29629, #17245."""
    nothing = QUERY.replace("WHERE day <= :day", "WHERE day > :day + INTERVAL 99 YEAR")
    app = opened(server, job=JOB, **{"jobs/daily/by_region.sql": nothing})
    sent = app.run("daily", Wanted())
    assert sent.delivered
    assert sent.produced.datasets[0].rows == 0


def test_jobs_that_run_at_the_same_moment_never_mix(opened: Open, server: MailServer) -> None:
    """Each of them has its own rows, its own file and its own readers. metabase#18019; lightdash#8267."""
    regions = ["North", "South"]
    files = {
        f"jobs/{region.lower()}/{name}": content
        for region in regions
        for name, content in {
            "job.toml": f'to = "{region.lower()}@example.com"\n' + ATTACHED,
            "by_region.sql": QUERY.replace("WHERE", f"WHERE region = '{region}' AND"),
        }.items()
    }
    apps = [opened(server, **files) for _ in range(4)]
    both(*(partial(app.run, name, Wanted()) for app, name in zip(apps, ["north", "south"] * 2, strict=True)))
    assert sorted(to(server)) == [("north@example.com",)] * 2 + [("south@example.com",)] * 2
    for received in server.messages:
        body = message_from_bytes(received.content, policy=policy.default).get_body(("plain",))
        assert body is not None
        named = [region for region in regions if region in str(body.get_content())]
        assert [f"{region.lower()}@example.com" for region in named] == list(received.recipients)


def test_an_empty_list_is_as_good_as_none(opened: Open, server: MailServer) -> None:
    """Nobody in cc and bcc breaks nothing, and leaves no empty header. notifiers#472."""
    sent = opened(server, job="cc = []\nbcc = []\n" + ATTACHED).run("daily", Wanted())
    assert sent.delivered
    assert to(server) == [READERS]
    message = message_from_bytes(server.messages[0].content, policy=policy.default)
    assert (message["Cc"], message["Bcc"]) == (None, None)
