"""Real mail servers in a thread, for tests: aiosmtpd with TLS, logins and refusals, and a scripted one.

with MailServer(users={"me@example.com": "secret"}) as server:
    mail = Mail(provider="custom", host=server.host, port=server.port, ca_file=server.ca_file, ...)
    ...
    server.messages[0].recipients
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
import ssl
import struct
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import MISSING, SMTP, AuthResult

HOST = "127.0.0.1"


@functools.cache
def authority() -> trustme.CA:
    return trustme.CA()


@functools.cache
def server_context() -> ssl.SSLContext:
    """What a server shows: a certificate for this machine by `authority()`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert("localhost", HOST).configure_cert(context)
    return context


@dataclass(frozen=True)
class Received:
    """A message as the server took it."""

    sender: str
    recipients: Sequence[str]
    content: bytes
    options: Sequence[str]
    user: str
    tls: bool


class MailServer:
    """An SMTP server on a free port of this machine, or on the `port` that another one had.

    What it saw is in `messages`, `logins`, `commands` and the number of `connections`.
    `users` are passwords by user; without any, no login is asked for. `tokens` are XOAUTH2 tokens by user.
    `replies` override what is answered at "MAIL", "RCPT", "RCPT <address>", "DATA" (after the final dot) or
    "AUTH". `mechanisms` are the logins it offers. `explains` is what it says in its 334 of a wrong token. `pause`
    are the seconds that it takes to think after the final dot.
    """

    host = HOST

    def __init__(
        self,
        *,
        security: Literal["tls", "starttls", "none"] = "starttls",
        users: Mapping[str, str] | None = None,
        tokens: Mapping[str, str] | None = None,
        replies: Mapping[str, str] | None = None,
        mechanisms: Sequence[str] = ("PLAIN", "LOGIN", "XOAUTH2"),
        size_limit: int = 30_000_000,
        smtputf8: bool = True,
        port: int = 0,
        pause: float = 0,
        explains: str = '{"status":"401","schemes":"bearer mac","scope":"https://mail.google.com/"}',
    ) -> None:
        self.security, self.explains, self.connections = security, explains, 0
        self._is_up = False
        self.pause = pause
        self.messages: list[Received] = []
        self.logins: list[str] = []
        self.commands: list[str] = []
        self.users, self.tokens = dict(users or {}), dict(tokens or {})
        self.replies, self.mechanisms = dict(replies or {}), mechanisms
        self._folder = tempfile.TemporaryDirectory(prefix="mailserver-")
        self.ca_file = str(Path(self._folder.name) / "ca.pem")
        authority().cert_pem.write_to_path(self.ca_file)
        self._listener = socket.create_server((HOST, port))
        self.port: int = self._listener.getsockname()[1]
        self._controller = _Controller(
            _Hooks(self),
            listener=self._listener,
            server_hostname="mail.example.test",
            ssl_context=server_context() if security == "tls" else None,
            tls_context=server_context() if security == "starttls" else None,
            require_starttls=security == "starttls",
            auth_require_tls=False,
            auth_exclude_mechanism=[one for one in ("PLAIN", "LOGIN", "XOAUTH2") if one not in mechanisms],
            authenticator=self._authenticate,
            data_size_limit=size_limit,
            enable_SMTPUTF8=smtputf8,
        )

    def __enter__(self) -> Self:
        self._controller.start()
        self._is_up = True
        self.connections = 0  # the controller has tried its own
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._folder.cleanup()

    def stop(self) -> None:
        """It is away from now on, its port free for another one; what it saw can still be looked at."""
        if self._is_up:
            self._is_up = False
            self._controller.hang_up()
            self._controller.stop()
            self._listener.close()

    def _authenticate(self, _server: Any, _session: Any, _envelope: Any, mechanism: str, pair: Any) -> Any:
        self.logins.append(mechanism)
        user, password = pair.login.decode(), pair.password.decode()
        known = self.users.get(user) == password and "AUTH" not in self.replies
        return AuthResult(success=known, auth_data=pair, handled=False, message=self.replies.get("AUTH"))


class _Controller(Controller):
    """On a socket that is bound already, so that no two tests ever want the same port."""

    def __init__(self, handler: Any, *, listener: socket.socket, **values: Any) -> None:
        host, port = listener.getsockname()
        super().__init__(handler, hostname=host, port=port, **values)
        self._listener, self._hooks = listener, handler
        self._sides: list[SMTP] = []

    def factory(self) -> SMTP:
        self._hooks.count()
        self._sides.append(super().factory())
        return self._sides[-1]

    def hang_up(self) -> None:
        """Close every connection that a client has kept."""

        async def close() -> None:
            for side in self._sides:
                if side.transport is not None:
                    side.transport.abort()
            await asyncio.sleep(0.01)

        asyncio.run_coroutine_threadsafe(close(), self.loop).result(10)

    def _create_server(self) -> Any:
        return self.loop.create_server(self._factory_invoker, sock=self._listener, ssl=self.ssl_context)


class _Hooks:
    """What aiosmtpd asks; an override wins, and without a login nothing is taken where users exist."""

    def __init__(self, server: MailServer) -> None:
        self._of = server

    def count(self) -> None:
        self._of.connections += 1

    async def handle_EHLO(  # noqa: N802
        self, _server: SMTP, session: Any, _envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        wanted = bool(self._of.users or self._of.tokens)
        return [line for line in responses if wanted or "AUTH" not in line]

    async def handle_MAIL(  # noqa: N802
        self, _server: SMTP, session: Any, _envelope: Any, _address: str, _options: list[str]
    ) -> Any:
        self._of.commands.append("MAIL")
        if (self._of.users or self._of.tokens) and not session.authenticated:
            return "530 5.7.0 Authentication required"
        return self._of.replies.get("MAIL", MISSING)

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Any, _envelope: Any, address: str, _options: list[str]
    ) -> Any:
        self._of.commands.append("RCPT")
        return self._of.replies.get(f"RCPT {address}", self._of.replies.get("RCPT", MISSING))

    async def handle_RSET(self, _server: SMTP, _session: Any, _envelope: Any) -> str:  # noqa: N802
        self._of.commands.append("RSET")
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802
        await asyncio.sleep(self._of.pause)
        if "DATA" in self._of.replies:
            return self._of.replies["DATA"]
        user = getattr(session.auth_data, "login", b"") or b""
        self._of.messages.append(
            Received(
                sender=envelope.mail_from,
                recipients=tuple(envelope.rcpt_tos),
                content=envelope.original_content,
                options=tuple(envelope.mail_options),
                user=user.decode(),
                tls=self._of.security == "tls" or session.ssl is not None,
            )
        )
        return "250 2.0.0 queued as 4711"

    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> Any:  # noqa: N802
        self._of.logins.append("XOAUTH2")
        text = _decoded(args[1])
        user, _, rest = text.removeprefix("user=").partition("\x01auth=Bearer ")
        if self._of.tokens.get(user) == rest.rstrip("\x01"):
            return AuthResult(success=True, auth_data=None)
        if self._of.explains:
            await server.challenge_auth(self._of.explains)
        return AuthResult(success=False, handled=False, message=self._of.replies.get("AUTH"))


class ScriptedServer:
    """A server that does exactly what its script says, for what a proper one never does.

    The script is called with a Peer for each connection; the connection is closed when it returns.
    """

    host = HOST
    _peer: Peer | None = None

    def __init__(self, script: Script, *, context: ssl.SSLContext | None = None) -> None:
        self._script, self._context, self.connections = script, context, 0
        self._listener = socket.create_server((HOST, 0))
        self._listener.settimeout(0.05)
        self.port: int = self._listener.getsockname()[1]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._peer is not None:
            self._peer.hang_up()
        self._thread.join(10)
        self._listener.close()

    def _serve(self) -> None:
        while not self._over.is_set():
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            connection.settimeout(10)
            with contextlib.suppress(OSError), connection:
                self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        if self._context is not None:
            connection = self._context.wrap_socket(connection, server_side=True)
        self._peer = peer = Peer(connection, self._over)
        self.connections += 1
        try:
            self._script(peer)
        finally:
            peer.close()


Script = Callable[["Peer"], None]
"""What a scripted server does with a connection."""


class Peer:
    """The server's side of one connection."""

    def __init__(self, connection: socket.socket, over: threading.Event) -> None:
        self._connection, self._over = connection, over
        self._file = connection.makefile("rb")

    def say(self, text: str | bytes, *, pause: float = 0) -> None:
        """A line, or bytes as they are; with a `pause` one byte at a time."""
        said = text if isinstance(text, bytes) else text.encode() + b"\r\n"
        for part in (said[at : at + 1] for at in range(len(said))) if pause else (said,):
            self._connection.sendall(part)
            self._over.wait(pause)

    def hear(self) -> str:
        return self._file.readline().decode().rstrip("\r\n")

    def greet(self, *extensions: str) -> None:
        """The banner and the answer to EHLO."""
        self.say("220 scripted")
        self.hear()
        lines = ["scripted", *extensions]
        for line in lines[:-1]:
            self.say(f"250-{line}")
        self.say(f"250 {lines[-1]}")

    def until_content(self, *extensions: str) -> None:
        """Everything is accepted up to the 354 after DATA."""
        self.greet(*extensions)
        self.next_content()

    def next_content(self) -> None:
        """The same for another message of the connection."""
        while not (line := self.hear()).upper().startswith("DATA"):
            if not line:
                raise ConnectionError("the client has gone")
            self.say("250 ok")
        self.say("354 go on")

    def take_content(self) -> bytes:
        """The bytes up to the final dot."""
        lines: list[bytes] = []
        while (line := self._file.readline()) not in {b".\r\n", b""}:
            lines.append(line)
        return b"".join(lines)

    def start_tls(self) -> None:
        """TLS from here on, after whatever was said in the clear."""
        self._file.close()
        self._connection = server_context().wrap_socket(self._connection, server_side=True)
        self._file = self._connection.makefile("rb")

    def reset(self) -> None:
        """Break the connection at once, what was sent and not read included."""
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self) -> None:
        self._file.close()
        self._connection.close()

    def hang_up(self) -> None:
        """Wake a script that still waits for the client."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def sleep(self) -> None:
        """Say nothing until the test is over."""
        self._over.wait(10)


def _decoded(text: str) -> str:
    import base64  # noqa: PLC0415

    return base64.b64decode(text).decode()
