"""A fast SMTP server of the tests' own: it writes down what it took, and fails as a seeded plan says.

with Sink(faults=Faults(seed=1, rate=0.02)) as sink:
    ...                      send to sink.host, sink.port, without TLS
    sink.log                 what it took, recipient by recipient, in order

python tests/sink.py PORT    the same for benchmarks, in a process of its own, until it is ended
"""

from __future__ import annotations

import collections
import contextlib
import hashlib
import random
import re
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Self

HOST = "127.0.0.1"
STEPS = ("connect", "EHLO", "MAIL", "RCPT", "DATA", "content", "dot", "reply", "QUIT")
"""Where something may happen, in order; `reply` is when the answer to the final dot has gone out."""
OnStep = Callable[[str, int], None]
_BLOCK = 262_144
_ADDRESS = re.compile(rb":\s*<([^>]*)>")
_MESSAGE_ID = re.compile(rb"^message-id:\s*(<[^>\r\n]*>)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class Fault:
    """What goes wrong at a step: another answer, a slow one, or none because the connection goes."""

    step: str
    answer: str = ""
    drops: bool = False
    takes: bool = False  # the message is taken all the same
    lasts: bool = False  # until the end of the transaction
    slow: bool = False


KINDS: Mapping[str, Fault] = {
    "421 connect": Fault("connect", "421 4.3.2 too busy", drops=True),
    "452 RCPT": Fault("RCPT", "452 4.5.3 too many recipients", lasts=True),
    "drop taken": Fault("dot", drops=True, takes=True),
    "odd QUIT": Fault("QUIT", "500 5.5.1 what was that"),
    **{f"drop {step}": Fault(step, drops=True) for step in STEPS if step != "reply"},
    **{f"4xx {step}": Fault(step, "451 4.3.0 not now") for step in ("EHLO", "MAIL", "RCPT", "DATA", "dot")},
    **{f"5xx {step}": Fault(step, "550 5.7.1 not ever") for step in ("MAIL", "RCPT", "DATA", "dot")},
    **{f"slow {step}": Fault(step, slow=True) for step in ("connect", "EHLO", "MAIL", "RCPT", "DATA", "dot")},
}


@dataclass(frozen=True)
class Faults:
    """At each step, with the probability `rate`, one of the `kinds` that happen there; `most` in all.

    What happens on the n-th connection depends on the seed and on what is said there, on nothing else.
    """

    seed: int = 0
    rate: float = 0.0
    kinds: Sequence[str] = tuple(KINDS)
    most: int = sys.maxsize

    def by_step(self) -> dict[str, list[Fault]]:
        """The kinds of fault, step by step."""
        chosen = [KINDS[kind] for kind in self.kinds]
        return {step: [fault for fault in chosen if fault.step == step] for step in STEPS}


@dataclass(frozen=True)
class Taken:
    """A message that the server has taken for one recipient.

    accepted: 250 was sent after the final dot · taken_unanswered: the connection was gone before that.
    """

    number: int
    message_id: str
    sha256: str
    recipient: str
    state: Literal["accepted", "taken_unanswered"] = "accepted"


class Sink:
    """An SMTP server on a free port of this machine, a thread a connection.

    `on_step` is called with the step and how many of its kind there have been, this one included, when a
    command has been heard and nothing is answered yet; at `content` the first bytes of it are there.
    """

    host = HOST

    def __init__(
        self,
        *,
        faults: Faults | None = None,
        on_step: OnStep | None = None,
        size_limit: int = 50_000_000,
        pipelining: bool = True,
        port: int = 0,
    ) -> None:
        self.faults, self.size_limit, self.pipelining = faults or Faults(), size_limit, pipelining
        self.failed: collections.Counter[str] = collections.Counter()
        self.steps: collections.Counter[str] = collections.Counter()
        self._on_step, self._by_step = on_step, self.faults.by_step()
        self._log: list[Taken] = []
        self._lock = threading.Lock()
        self._open: dict[socket.socket, threading.Thread] = {}
        self._listener = socket.create_server((HOST, port), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):  # wakes the accept
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)
        for connection, thread in list(self._open.items()):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            thread.join(10)

    @property
    def log(self) -> list[Taken]:
        """What was taken so far, in order."""
        with self._lock:
            return list(self._log)

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            for number in range(sys.maxsize):
                connection, _ = self._listener.accept()
                thread = threading.Thread(target=self._talk, args=(connection, number), daemon=True)
                self._open[connection] = thread
                thread.start()

    def _talk(self, connection: socket.socket, number: int) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        chance = random.Random(f"{self.faults.seed} {number}")  # noqa: S311  a plan, no secret
        with contextlib.suppress(OSError, _Gone), connection:
            _Conversation(self, connection, chance).hold()
        self._open.pop(connection, None)

    def step(self, step: str, chance: random.Random) -> Fault | None:
        """Count a step, tell it to whoever listens, and say what goes wrong at it."""
        if self._on_step is not None:
            with self._lock:
                self.steps[step] += 1
                ordinal = self.steps[step]
            self._on_step(step, ordinal)
        kinds = self._by_step[step]
        if not kinds or chance.random() >= self.faults.rate:
            return None
        with self._lock:
            if self.failed.total() >= self.faults.most:
                return None
            self.failed[step] += 1
        return chance.choice(kinds)

    def take(self, content: bytes, recipients: Sequence[str], *, answered: bool) -> list[int]:
        """Write down a message for each recipient; the numbers of the entries."""
        found = _MESSAGE_ID.search(content[: content.find(b"\r\n\r\n") + 2])
        message_id, digest = found[1].decode() if found else "", hashlib.sha256(content).hexdigest()
        state: Literal["accepted", "taken_unanswered"] = "accepted" if answered else "taken_unanswered"
        with self._lock:
            start = len(self._log)
            entries = [Taken(start + n, message_id, digest, one, state) for n, one in enumerate(recipients)]
            self._log += entries
        return [entry.number for entry in entries]

    def not_answered(self, numbers: Sequence[int]) -> None:
        """The answer about these entries could not be sent after all."""
        with self._lock:
            for number in numbers:
                self._log[number] = replace(self._log[number], state="taken_unanswered")


class _Gone(Exception):
    """The connection is over."""


@dataclass
class _Conversation:
    """One connection: lines are read as they come, answers to lines that came together go together."""

    sink: Sink
    connection: socket.socket
    chance: random.Random
    unread: bytearray = field(default_factory=bytearray)
    unsent: bytearray = field(default_factory=bytearray)
    sender: str | None = None
    recipients: list[str] = field(default_factory=list)
    lasting: Fault | None = None

    def hold(self) -> None:
        self.answer("connect", "220 sink.example.test ESMTP")
        known = {
            b"EHLO": self.ehlo, b"HELO": self.ehlo, b"MAIL": self.mail, b"RCPT": self.rcpt,
            b"DATA": self.data, b"RSET": self.reset, b"NOOP": self.noop, b"QUIT": self.quit,
        }  # fmt: skip
        for line in self.lines():
            known.get(bytes(line[:4]).upper(), self.unknown)(line)

    # -- commands ------------------------------------------------------------------------------------

    def ehlo(self, line: bytes) -> None:
        self.forget()
        extensions = ["PIPELINING"] * self.sink.pipelining + ["8BITMIME", "SMTPUTF8", f"SIZE {self.sink.size_limit}"]
        lines = ["sink.example.test", *(extensions if line[:1] in b"Ee" else [])]
        self.answer("EHLO", "\r\n".join([f"250-{one}" for one in lines[:-1]] + [f"250 {lines[-1]}"]))

    def mail(self, line: bytes) -> None:
        self.forget()
        if self.answer("MAIL", "250 2.1.0 ok"):
            self.sender = _address(line)

    def rcpt(self, line: bytes) -> None:
        if self.sender is None:
            self.say("503 5.5.1 MAIL first")
        elif self.answer("RCPT", "250 2.1.5 ok"):
            self.recipients.append(_address(line))

    def data(self, _: bytes) -> None:
        if not self.recipients:
            self.say("554 5.5.1 no valid recipients")
        elif self.answer("DATA", "354 go on"):
            self.settle(self.content())
            self.forget()

    def reset(self, _: bytes) -> None:
        self.forget()
        self.say("250 2.0.0 ok")

    def noop(self, _: bytes) -> None:
        self.say("250 2.0.0 ok")

    def unknown(self, _: bytes) -> None:
        self.say("500 5.5.2 not known")

    def quit(self, _: bytes) -> None:
        self.answer("QUIT", "221 2.0.0 bye")
        self.flush()
        raise _Gone

    def forget(self) -> None:
        self.sender, self.recipients, self.lasting = None, [], None

    # -- the message -----------------------------------------------------------------------------------

    def content(self) -> bytes:
        """The bytes between the 354 and the final dot, as they were before dots were doubled."""
        self.flush()
        self.hear()
        if self.sink.step("content", self.chance):
            self.drop()
        buffer, seen = bytearray(b"\r\n") + self.unread, 0
        while (end := buffer.find(b"\r\n.\r\n", seen)) < 0:
            seen = max(len(buffer) - 4, 0)
            buffer += self.received()
        self.unread = buffer[end + 5 :]
        return bytes(buffer[: end + 2]).replace(b"\r\n.", b"\r\n")[2:]

    def settle(self, content: bytes) -> None:
        fault = self.sink.step("dot", self.chance)
        if fault and fault.drops:
            if fault.takes:
                self.sink.take(content, self.recipients, answered=False)
            self.drop()
        elif fault and fault.answer:
            self.say(fault.answer)
        else:
            self.accept(content, slow=bool(fault))

    def accept(self, content: bytes, *, slow: bool) -> None:
        # Written down first: whoever has the answer finds the entry.
        numbers = self.sink.take(content, self.recipients, answered=True)
        try:
            self.say("250 2.0.0 taken", slow=slow)
            self.flush()
        except OSError:
            self.sink.not_answered(numbers)
            raise
        self.sink.step("reply", self.chance)

    # -- the wire --------------------------------------------------------------------------------------

    def answer(self, step: str, right: str) -> bool:
        """Say what is right, or what the plan says instead; whether it was right."""
        self.lasting = fault = self.lasting or self.sink.step(step, self.chance)
        if fault is None or not fault.lasts:
            self.lasting = None
        if fault and fault.answer:
            self.say(fault.answer)
        if fault and fault.drops:
            self.drop()
        if fault and fault.answer:
            return False
        self.say(right, slow=bool(fault))
        return True

    def say(self, text: str, *, slow: bool = False) -> None:
        self.unsent += text.encode() + b"\r\n"
        while slow and self.unsent:
            self.connection.sendall(self.unsent[:1])
            del self.unsent[:1]
            time.sleep(0.001)

    def flush(self) -> None:
        if self.unsent:
            self.connection.sendall(self.unsent)
            self.unsent.clear()

    def drop(self) -> None:
        """Hang up, now and then by a reset; not after last words, which it would take back."""
        spoke = bool(self.unsent)
        self.flush()
        if self.chance.random() < 0.5 and not spoke:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise _Gone

    def lines(self) -> Iterator[bytes]:
        while True:
            while (end := self.unread.find(b"\n")) < 0:
                self.flush()
                self.unread += self.received()
            line = bytes(self.unread[:end])
            del self.unread[: end + 1]
            yield line

    def hear(self) -> None:
        """At least one byte to read."""
        if not self.unread:
            self.unread += self.received()

    def received(self) -> bytes:
        if not (block := self.connection.recv(_BLOCK)):
            raise _Gone
        return block


def _address(line: bytes) -> str:
    found = _ADDRESS.search(line)
    return found[1].decode() if found else ""


if __name__ == "__main__":
    with Sink(port=int(sys.argv[1])):
        threading.Event().wait()
