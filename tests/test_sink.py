"""The server that the fault tests believe: its log, its faults, and its steps."""

import collections
import contextlib
import hashlib
import os
import signal
import smtplib
import socket
import subprocess
import sys
import threading

import pytest
from sink import KINDS, STEPS, Faults, Sink, Taken

CONTENT = b"Subject: x\r\nMessage-ID:\r\n <1@example.com>\r\n\r\n.dot\r\n..two\r\nend\r\n"
CLIENT = (
    "import smtplib, sys; smtplib.SMTP('127.0.0.1', int(sys.argv[1])).sendmail('a@b.c', ['x@y.z'], 'x' * 20_000_000)"
)


class Client:
    """One connection, made when it is needed, and what it was told: recipients by message and answer."""

    def __init__(self, sink: Sink) -> None:
        self.sink, self.session = sink, smtplib.SMTP(timeout=10)
        self.told: dict[tuple[str, str], str] = {}

    def send(self, message_id: str, *recipients: str) -> list[str]:
        """Each recipient's answer: accepted, a code, lost, or unknown where it was lost after the dot."""
        told = dict.fromkeys(recipients, "lost")
        try:
            self._send(message_id, told)
        except (OSError, smtplib.SMTPException) as error:
            self.session.close()
            if isinstance(error, smtplib.SMTPResponseException):
                told |= {one: str(error.smtp_code) for one, state in told.items() if state == "lost"}
        self.told |= {(message_id, one): state for one, state in told.items()}
        return list(told.values())

    def _send(self, message_id: str, told: dict[str, str]) -> None:
        self._open()
        if (code := self.session.docmd("MAIL FROM:<a@b.c>")[0]) >= 300:
            told |= dict.fromkeys(told, str(code))
            return
        codes = {one: self.session.docmd(f"RCPT TO:<{one}>")[0] for one in told}
        told |= {one: str(code) for one, code in codes.items() if code >= 300}
        taken = [one for one, code in codes.items() if code < 300]
        code = self.session.docmd("DATA")[0]
        if code == 354:
            self._socket.sendall(f"Message-ID: {message_id}\r\n\r\nx\r\n".encode())
            told |= dict.fromkeys(taken, "unknown")
            self._socket.sendall(b".\r\n")
            code = self.session.getreply()[0]
        if taken:
            told |= dict.fromkeys(taken, "accepted" if code == 250 else str(code))

    def _open(self) -> None:
        if self.session.sock is None:
            if (code := self.session.connect(self.sink.host, self.sink.port)[0]) != 220:
                raise smtplib.SMTPConnectError(code, "refused")
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # the dot goes out by itself
            self.session.ehlo_or_helo_if_needed()

    @property
    def _socket(self) -> socket.socket:
        assert self.session.sock is not None
        return self.session.sock

    def quit(self) -> int:
        code = -1
        with contextlib.suppress(OSError, smtplib.SMTPException):
            code = self.session.docmd("QUIT")[0]
        self.session.close()
        return code


def test_the_log_has_each_recipient_of_what_was_taken() -> None:
    """With the bytes as they were before dots were doubled, in the order they came."""
    with Sink() as sink, smtplib.SMTP(sink.host, sink.port) as client:
        client.sendmail("a@b.c", ["x@y.z", "v@y.z"], CONTENT)
        client.sendmail("a@b.c", ["x@y.z"], b"no id")
    digest = hashlib.sha256(CONTENT).hexdigest()
    assert sink.log == [
        Taken(0, "<1@example.com>", digest, "x@y.z"),
        Taken(1, "<1@example.com>", digest, "v@y.z"),
        Taken(2, "", hashlib.sha256(b"no id\r\n").hexdigest(), "x@y.z"),
    ]


def test_commands_that_come_together_are_answered_in_order() -> None:
    """Pipelining, as it is announced; a message may follow the last one's dot at once."""
    envelope = b"MAIL FROM:<a@b.c>\r\nRCPT TO:<x@y.z>\r\nDATA\r\n"
    with Sink() as sink, socket.create_connection((sink.host, sink.port)) as client:
        client.sendall(b"EHLO me\r\n" + envelope)
        client.sendall(b"one\r\n.\r\n" + envelope + b"two\r\n.\r\nQUIT\r\n")
        answers = client.makefile().read().splitlines()
    assert "250-PIPELINING" in answers
    assert [line[:3] for line in answers if line[3] == " "] == ["220", "250", *["250", "250", "354", "250"] * 2, "221"]
    assert [entry.sha256 for entry in sink.log] == [hashlib.sha256(one).hexdigest() for one in (b"one\r\n", b"two\r\n")]


def test_a_message_without_its_dot_is_not_taken() -> None:
    """Whatever came of it."""
    with Sink() as sink, socket.create_connection((sink.host, sink.port)) as client:
        client.sendall(b"HELO me\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<x@y.z>\r\nDATA\r\nhalf of i")
        client.shutdown(socket.SHUT_WR)
        client.makefile().read()
    assert sink.log == []


@pytest.mark.parametrize("kind", KINDS)
def test_each_fault_happens_and_the_log_says_what_was_taken(kind: str) -> None:
    """Once, as asked; the message after it goes through."""
    what = kind.partition(" ")[0]
    with Sink(faults=Faults(rate=1, kinds=[kind], most=1)) as sink:
        client = Client(sink)
        told = client.send("<1@b.c>", "x@y.z", "v@y.z")
        states = {entry.state for entry in sink.log}
        assert client.send("<2@b.c>", "x@y.z") == ["accepted"]
        left = client.quit()
    expected = {
        "421": ["421"] * 2,
        "452": ["452"] * 2,
        "4xx": ["451"] * 2,
        "5xx": ["550"] * 2,
        "drop": ["lost"] * 2,
        "slow": ["accepted"] * 2,
        "odd": ["accepted"] * 2,
    }[what]
    special = {
        "drop taken": ["unknown"] * 2,
        "drop dot": ["unknown"] * 2,
        "drop content": ["unknown"] * 2,
        "drop QUIT": ["accepted"] * 2,
        "4xx RCPT": ["451", "accepted"],
        "5xx RCPT": ["550", "accepted"],
        "4xx EHLO": ["accepted"] * 2,
    }
    assert told == special.get(kind, expected)
    assert states == ({"taken_unanswered"} if kind == "drop taken" else {"accepted"} if "accepted" in told else set())
    assert left == {"odd QUIT": 500, "drop QUIT": -1}.get(kind, 221)
    assert sink.failed.total() == 1


def deliver(client: Client, name: str, count: int) -> None:
    for number in range(count):
        client.send(f"<{name}.{number}@b.c>", f"{number}@y.z", "v@y.z")
    client.quit()


def test_what_senders_are_told_agrees_with_the_log() -> None:
    """Under all faults and with two senders at once: accepted there is accepted here, and only unknown is open."""
    with Sink(faults=Faults(seed=3, rate=0.05)) as sink:
        clients = [Client(sink), Client(sink)]
        threads = [
            threading.Thread(target=deliver, args=(client, name, 1000))
            for client, name in zip(clients, "ab", strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    told = clients[0].told | clients[1].told
    log = {(entry.message_id, entry.recipient): entry.state for entry in sink.log}
    assert len(log) == len(sink.log)
    by_state = collections.defaultdict(set)
    for key, state in told.items():
        by_state[state].add(key)
    assert by_state.keys() >= {"accepted", "unknown", "lost", "421", "451", "452", "550"}
    assert {key for key, state in log.items() if state == "accepted"} >= by_state["accepted"]
    assert by_state["accepted"] | by_state["unknown"] >= log.keys()
    assert {key for key in by_state["unknown"] if log.get(key) == "taken_unanswered"}


def test_the_same_seed_gives_the_same_faults() -> None:
    """So that a failure can be had again."""

    def told(seed: int) -> dict[tuple[str, str], str]:
        with Sink(faults=Faults(seed=seed, rate=0.1)) as sink:
            client = Client(sink)
            deliver(client, "a", 60)
        return client.told

    assert told(5) == told(5) != told(6)


@pytest.mark.parametrize("step", [step for step in STEPS if step != "QUIT"])
def test_a_client_can_be_killed_at_every_step(step: str) -> None:
    """The server tells of the step before it answers; after the dot the message stays taken."""
    started = threading.Event()
    victims: list[subprocess.Popen[bytes]] = []

    def kill(at: str, ordinal: int) -> None:
        if (at, ordinal) == (step, 1):
            started.wait(10)
            os.kill(victims[0].pid, signal.SIGKILL)
            victims[0].wait(10)

    with Sink(on_step=kill) as sink:
        victims.append(subprocess.Popen([sys.executable, "-c", CLIENT, str(sink.port)]))
        started.set()
        assert victims[0].wait(20) == -signal.SIGKILL
    assert len(sink.log) == (1 if step in {"dot", "reply"} else 0)
