"""A small TDS 7.4 server in a thread, for tests: the real drivers of SQL Server connect to it, a function answers.

def answer(session, statement):
    if "FROM loans" in statement.sql:
        return [Rows([Column("id", "int"), Column("paid", "decimal(19,4)")], [(1, "12.50"), (2, None)])]
    return courtesies(session, statement)

with TdsServer(answer) as server:
    connection = pymssql.connect(server="127.0.0.1", port=server.port, user="me", password="secret")
    ...
    server.statements[-1].sql
"""

from __future__ import annotations

import contextlib
import functools
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Self

import trustme
from support.tds_answers import (
    Answer,
    Column,
    Count,
    Cut,
    Database,
    Failure,
    Info,
    Part,
    Refusal,
    Returned,
    Rows,
    Session,
    Statement,
    Transaction,
    Wait,
)
from support.tds_courtesies import courtesies, destination
from support.tds_login import Login
from support.tds_talk import Talk
from support.tds_tokens import CHINESE, LATIN
from support.tds_wire import Wire

__all__ = [
    "CHINESE",
    "LATIN",
    "Answer",
    "Column",
    "Count",
    "Cut",
    "Database",
    "Failure",
    "Info",
    "Login",
    "Part",
    "Returned",
    "Rows",
    "Session",
    "Statement",
    "TdsServer",
    "Transaction",
    "Wait",
    "authority",
    "courtesies",
    "destination",
]
HOST = "127.0.0.1"


@functools.cache
def authority() -> trustme.CA:
    return trustme.CA()


def context(*names: str) -> ssl.SSLContext:
    """A certificate for these names by `authority()`; TLS 1.2 at most, as TDS 7.4 has it."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.maximum_version = ssl.TLSVersion.TLSv1_2
    authority().issue_cert(*names).configure_cert(made)
    return made


class TdsServer:
    """A server on a free port of this machine, a thread for each connection.

    What it saw is in `logins`, `statements`, the numbers of `attentions`, of `connections` and of answers that were
    `abandoned` by a client that went in their middle. With `tls` it can encrypt, or insists;
    its certificate is for `names` and by the authority in `ca_file`. `refuse_login` is a Failure, Cut or Wait for
    everybody, or a function of the Login. What the answering function raised comes out when the server is left.
    """

    host = HOST

    def __init__(
        self,
        answer: Answer = courtesies,
        *,
        tls: Literal["offered", "required"] | None = None,
        names: tuple[str, ...] = ("localhost", HOST),
        refuse_login: Refusal | Callable[[Login], Refusal | None] | None = None,
    ) -> None:
        self.answer, self.tls, self._refuse = answer, tls, refuse_login
        self.context = context(*names) if tls else None
        self.logins: list[Login] = []
        self.statements: list[Statement] = []
        self.troubles: list[Exception] = []
        self.attentions = self.abandoned = 0
        # Kept until the end: were one collected in a thread of this server, its driver would wait there for itself.
        self.clients: list[Any] = []
        self._folder = tempfile.TemporaryDirectory(prefix="tds-")
        self.ca_file = str(Path(self._folder.name) / "ca.pem")
        authority().cert_pem.write_to_path(self.ca_file)
        self._listener = socket.create_server((HOST, 0), backlog=100)
        self.port: int = self._listener.getsockname()[1]
        self._open: list[tuple[socket.socket, threading.Thread]] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: object, error: object, _: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)
        self.cut()
        for client in self.clients:
            with contextlib.suppress(Exception):  # most of them have been left without a server
                client.close()
        self._folder.cleanup()
        if self.troubles and error is None:
            raise self.troubles[0]

    @property
    def connections(self) -> int:
        """How many there have been."""
        return len(self._open)

    @property
    def open(self) -> int:
        """How many there are now."""
        return sum(thread.is_alive() for _, thread in self._open)

    def cut(self) -> None:
        """End all connections, as a server does that is shut down."""
        for connection, thread in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            thread.join(10)

    def refusal(self, login: Login) -> Refusal | None:
        return self._refuse(login) if callable(self._refuse) else self._refuse

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            talk = Talk(self, Wire(connection), 50 + len(self._open))
            thread = threading.Thread(target=talk.run, daemon=True)
            self._open.append((connection, thread))
            thread.start()
