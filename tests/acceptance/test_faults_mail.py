"""What a mail server can do wrong: who is in which state then, what is said, and that a later retry delivers once."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from commands import command
from mailserver import MailServer, Peer, ScriptedServer
from projects import JOB
from restarting import READERS, app, ledger, project, readers
from sink import Faults, Sink

from reports import leases
from reports.delivery import Sender
from reports.transports.account import resolve
from reports.transports.smtp import SmtpTransport

YOU, THEY = "you@example.com", "they@example.com"
TRY_AGAIN = "it can be tried again"

# What goes wrong once, who is in which state then, the words of the server and the next step that are told.
DEFERRED = [
    ("421 connect", "421 4.3.2 too busy", ""),
    ("drop connect", "the connection failed", "host, port"),
    ("drop EHLO", "the connection was lost during the greeting", TRY_AGAIN),
    ("4xx MAIL", "the server refused the sender me@example.com: 451 4.3.0 not now", ""),
    ("drop MAIL", "the connection was lost at MAIL", TRY_AGAIN),
    ("452 RCPT", "452 4.5.3 too many recipients", ""),
    ("drop RCPT", "the connection was lost at RCPT", TRY_AGAIN),
    ("4xx DATA", "the server refused the message: 451 4.3.0 not now", ""),
    ("drop DATA", "the connection was lost at DATA", TRY_AGAIN),
    ("4xx dot", "the server refused the message: 451 4.3.0 not now", ""),
]
REFUSED = [
    ("5xx MAIL", "the server refused the sender me@example.com: 550 5.7.1 not ever", "may send as me@example.com"),
    ("5xx DATA", "the server refused the message: 550 5.7.1 not ever", ""),
    ("5xx dot", "the server refused the message: 550 5.7.1 not ever", ""),
]
UNKNOWN = [("drop content", 0), ("drop dot", 0), ("drop taken", 1)]
HARMLESS = [
    "4xx EHLO",
    "odd QUIT",
    "drop QUIT",
    "slow connect",
    "slow EHLO",
    "slow MAIL",
    "slow RCPT",
    "slow DATA",
    "slow dot",
]


def lay_out(folder: Path, port: int, *, mail: str = "") -> Path:
    """A job without a file, so that nobody asks a server for its size beforehand."""
    project(folder, port, mail=mail)
    (folder / "jobs/daily/job.toml").write_text(JOB, "utf-8")
    return folder


def once(kind: str) -> Sink:
    """A server at which that happens the first time that it can."""
    return Sink(faults=Faults(rate=1, kinds=[kind], most=1))


def each(state: str) -> dict[str, str]:
    return dict.fromkeys(READERS, state)


def copies(sink: Sink) -> list[str]:
    """The readers whom the server has told that it took a report for them."""
    return sorted(taken.recipient for taken in sink.log if taken.recipient in READERS and taken.state == "accepted")


def run_of(folder: Path) -> str:
    return next(one.run for one in ledger(folder) if one.kind == "report")


@pytest.mark.parametrize(("kind", "words", "hint"), DEFERRED)
def test_what_may_pass_waits_and_is_sent_once(tmp_path: Path, kind: str, words: str, hint: str) -> None:
    """Status 1, everybody is pending with the server's words and the time of the next attempt; a retry reaches them."""
    with once(kind) as sink:
        ran = command(lay_out(tmp_path, sink.port), "run", "daily")
        assert (ran.exit_code, readers(tmp_path)) == (1, each("pending"))
        assert words in ran.stdout
        assert hint in ran.stdout
        assert "next attempt" in ran.stdout
        assert sink.log == []
        assert command(tmp_path, "outbox", "retry").exit_code == 0
        assert (readers(tmp_path), copies(sink)) == (each("accepted"), sorted(READERS))
        command(tmp_path, "outbox", "retry")
        assert copies(sink) == sorted(READERS)


@pytest.mark.parametrize(("kind", "words", "hint"), REFUSED)
def test_what_never_passes_is_refused_until_somebody_says_so(tmp_path: Path, kind: str, words: str, hint: str) -> None:
    """Not tried again by itself, but by the name of its run, when the reason is mended."""
    with once(kind) as sink:
        ran = command(lay_out(tmp_path, sink.port), "run", "daily")
        assert (ran.exit_code, readers(tmp_path)) == (1, each("refused"))
        assert words in ran.stdout
        assert hint in ran.stdout
        command(tmp_path, "outbox", "retry")
        assert copies(sink) == []
        assert command(tmp_path, "outbox", "retry", run_of(tmp_path)).exit_code == 0
        assert (readers(tmp_path), copies(sink)) == (each("accepted"), sorted(READERS))


@pytest.mark.parametrize(("kind", "state"), [("4xx RCPT", "pending"), ("5xx RCPT", "refused")])
def test_a_refusal_of_one_is_no_refusal_of_the_other(tmp_path: Path, kind: str, state: str) -> None:
    """Only who was refused is in that state, and only that one gets it later."""
    with once(kind) as sink:
        ran = command(lay_out(tmp_path, sink.port), "run", "daily")
        assert (ran.exit_code, readers(tmp_path)) == (1, {YOU: state, THEY: "accepted"})
        assert copies(sink) == [THEY]
        assert command(tmp_path, "outbox", "retry", run_of(tmp_path)).exit_code == 0
        assert (readers(tmp_path), copies(sink)) == (each("accepted"), [THEY, YOU])
        assert len({taken.sha256 for taken in sink.log if taken.recipient in READERS}) == 1


@pytest.mark.parametrize(("kind", "taken"), UNKNOWN)
def test_what_nobody_can_know_is_left_to_a_person(tmp_path: Path, kind: str, taken: int) -> None:
    """The server took it or did not; it is unknown, said so, and sent again only on demand."""
    with once(kind) as sink:
        ran = command(lay_out(tmp_path, sink.port), "run", "daily")
        assert (ran.exit_code, readers(tmp_path)) == (1, each("unknown"))
        assert "no answer after the whole message had gone" in ran.stdout
        assert "ask the recipient" in ran.stdout
        command(tmp_path, "outbox", "retry")
        assert copies(sink) == []
        assert len([one for one in sink.log if one.state == "taken_unanswered"]) == taken * len(READERS)
        assert command(tmp_path, "outbox", "retry", "--unknown").exit_code == 0
        assert (readers(tmp_path), copies(sink)) == (each("accepted"), sorted(READERS))


@pytest.mark.parametrize("kind", HARMLESS)
def test_what_does_no_harm_changes_nothing(tmp_path: Path, kind: str) -> None:
    """Accepted at once, and once."""
    with once(kind) as sink:
        ran = command(lay_out(tmp_path, sink.port), "run", "daily")
        assert (ran.exit_code, readers(tmp_path)) == (0, each("accepted"))
        command(tmp_path, "outbox", "retry")
        assert copies(sink) == sorted(READERS)
        assert sink.failed.total() == 1


# -- TLS ----------------------------------------------------------------------------------------------------


def test_a_server_that_refuses_starttls_gets_nothing(tmp_path: Path) -> None:
    """No word of the message goes in the clear; it is tried again later."""

    def script(peer: Peer) -> None:
        peer.greet("STARTTLS")
        heard.append(peer.hear())
        peer.say("454 4.7.0 TLS not available")
        heard.append(peer.hear())

    heard: list[str] = []
    with ScriptedServer(script) as server:
        lay_out(tmp_path, server.port)
        _secured(tmp_path)
        ran = command(tmp_path, "run", "daily")
    assert (ran.exit_code, readers(tmp_path)) == (1, each("pending"))
    assert "454 4.7.0 TLS not available" in ran.stdout
    assert heard == ["STARTTLS", "QUIT"]


def test_a_certificate_nobody_vouches_for_stops_it_until_it_is_named(tmp_path: Path) -> None:
    """The server sees nothing; with the authority in settings the same message goes out."""
    with MailServer(security="starttls") as server:
        lay_out(tmp_path, server.port)
        _secured(tmp_path)
        ran = command(tmp_path, "run", "daily")
        assert (ran.exit_code, readers(tmp_path)) == (1, each("refused"))
        assert "certificate is not trusted" in ran.stdout
        assert "ca_file" in ran.stdout
        assert server.commands == []
        _secured(tmp_path, f'ca_file = "{server.ca_file}"\n')
        assert command(tmp_path, "outbox", "retry", run_of(tmp_path)).exit_code == 0
        assert readers(tmp_path) == each("accepted")
        assert [set(one.recipients) for one in server.messages if set(one.recipients) <= READERS] == [READERS]
        assert all(one.tls for one in server.messages)


def _secured(folder: Path, more: str = "") -> None:
    settings = (folder / "settings.toml").read_text("utf-8")
    mended = re.sub("security = .*\n", f'security = "starttls"\n{more}', settings)
    (folder / "settings.toml").write_text(mended, "utf-8")


# -- slow, or silent ----------------------------------------------------------------------------------------


def test_an_answer_a_byte_at_a_time_is_waited_for(tmp_path: Path) -> None:
    """Each line takes longer than the timeout, which is about silence; the message is accepted."""

    def script(peer: Peer) -> None:
        peer.say("220 " + "slow " * 30, pause=0.01)
        peer.hear()
        peer.say("250 slow", pause=0.01)
        peer.next_content()
        taken.append(peer.take_content())
        peer.say("250 2.0.0 " + "taken " * 25, pause=0.01)
        peer.hear()

    taken: list[bytes] = []
    with ScriptedServer(script) as server:
        began = time.monotonic()
        ran = command(_impatient(lay_out(tmp_path, server.port), 1), "run", "daily")
        assert time.monotonic() - began > 2
    assert (ran.exit_code, readers(tmp_path)) == (0, each("accepted"))
    assert len(taken) == 1


@pytest.mark.parametrize("greets", [False, True])
def test_a_server_that_never_answers_is_given_up_and_tried_later(tmp_path: Path, *, greets: bool) -> None:
    """Before the message nobody has it: it waits."""

    def script(peer: Peer) -> None:
        if greets:
            peer.greet()
        peer.sleep()

    with ScriptedServer(script) as server:
        ran = command(_impatient(lay_out(tmp_path, server.port), 0.3), "run", "daily")
    assert (ran.exit_code, readers(tmp_path)) == (1, each("pending"))
    assert ("timed out" if greets else "did not answer within 0.3 s") in ran.stdout
    _served_later(tmp_path, server.port)


def test_a_server_that_takes_it_and_never_answers_leaves_it_unknown(tmp_path: Path) -> None:
    """After ten minutes by the standard, here sooner: it may have arrived."""

    def script(peer: Peer) -> None:
        peer.until_content()
        taken.append(peer.take_content())
        peer.sleep()

    taken: list[bytes] = []
    with ScriptedServer(lambda peer: peer.say("421 later")) as away:
        command(lay_out(tmp_path, away.port), "run", "daily")
    with ScriptedServer(script) as server, app(_moved(tmp_path, away.port, server.port)) as one:
        ids = [delivery.id for delivery in one.outbox()]
        one.store.outbox.change(ids, to="pending", states=("pending",), now=one.clock(), reason="now")
        transport = SmtpTransport(resolve(one.settings.mail), final_wait=0.3)
        owner = leases.new_owner()
        Sender(store=one.store, transport=transport, mail=one.settings.mail, owner=owner, clock=one.clock).drain()
    assert readers(tmp_path) == each("unknown")
    assert all("timed out" in delivery.last_reply for delivery in ledger(tmp_path))
    assert len(taken) == 1


def _impatient(folder: Path, timeout: float) -> Path:
    settings = (folder / "settings.toml").read_text("utf-8")
    (folder / "settings.toml").write_text(settings.replace("timeout = 5", f"timeout = {timeout}"), "utf-8")
    return folder


def _moved(folder: Path, port: int, to: int) -> Path:
    settings = (folder / "settings.toml").read_text("utf-8")
    (folder / "settings.toml").write_text(settings.replace(f"port = {port}", f"port = {to}"), "utf-8")
    return folder


def _served_later(folder: Path, port: int) -> None:
    with Sink() as sink:
        _impatient(_moved(folder, port, sink.port), 5)
        assert command(folder, "outbox", "retry").exit_code == 0
        assert (readers(folder), copies(sink)) == (each("accepted"), sorted(READERS))
