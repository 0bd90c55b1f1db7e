"""A real HTTP server in a thread that answers as chat services do, and a proxy that leads their addresses to it.

with ChatServer() as server:
    channel = AppriseChannel(url=f"ntfy://{server.host}:{server.port}/alerts")
    ...
    server.posts[0].path, server.posts[0].values

`answers` override what is said to paths that begin with a word: (status, body, headers), or one of HANG, CUT and SLOW.
Through `proxied()` the servers of Telegram, WeCom and others are this one: TLS ends here, with our own authority.
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import pytest
from mailserver import authority

HOST = "127.0.0.1"
CUT, HANG = "cut", "hang"
"""In the place of an answer: the connection is closed after the request was read; nothing is said for a while."""
Answer = tuple[int, str, Mapping[str, str]]
GOOD: Mapping[str, str] = {
    "/cgi-bin/webhook/send": '{"errcode":0,"errmsg":"ok"}',  # WeCom
    "/robot/send": '{"errcode":0,"errmsg":"ok"}',  # DingTalk
    "/open-apis/bot": '{"code":0,"data":{},"msg":"success"}',  # Feishu and Lark
    "/bot": '{"ok":true,"result":{"message_id":7}}',  # Telegram
    "/workflows": "",  # Teams answers 202 without a body
    "/_matrix/client/v3/login": '{"access_token":"t","home_server":"localhost","user_id":"@u:localhost"}',
    "/_matrix/client/v3/join": '{"room_id":"!r:localhost"}',
    "/_matrix": '{"event_id":"$1","joined_rooms":[]}',
    "/api/v1/login": '{"status":"success","data":{"authToken":"t","userId":"u"}}',
    "/api/v1": '{"success":true,"status":"success"}',
}


@dataclass(frozen=True)
class Post:
    """One request as it came."""

    method: str
    host: str
    path: str
    headers: Mapping[str, str]
    content: bytes = field(repr=False)

    @property
    def values(self) -> Any:
        return json.loads(self.content or b"null")

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")


class ChatServer:
    """On a free port of this machine; what it got is in `posts`."""

    host = HOST

    def __init__(self, answers: Mapping[str, Answer | str] | None = None) -> None:
        self.posts: list[Post] = []
        self.answers: dict[str, Answer | str] = dict(answers or {})
        self._released = threading.Event()
        self._server = ThreadingHTTPServer((HOST, 0), self._made())
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()

    def answer(self, post: Post) -> Answer | str:
        """What is said: what a test wants, else what the service says of a message that it took."""
        for start in sorted(self.answers, key=len, reverse=True):
            if post.path.startswith(start):
                return self.answers[start]
        good = next((text for start, text in GOOD.items() if post.path.startswith(start)), '{"id":"1"}')
        return (202 if post.path.startswith("/workflows") else 200), good, {}

    def _made(server) -> type[BaseHTTPRequestHandler]:  # noqa: N805  its own name is the class's below
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                with contextlib.suppress(ConnectionError, ssl.SSLError):
                    super().handle_one_request()

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                content = self.rfile.read(length)
                if len(content) < length:  # whoever sent it thought better of it
                    self.close_connection = True
                    return
                post = Post(self.command, self.headers.get("Host", ""), self.path, dict(self.headers), content)
                server.posts.append(post)
                said = server.answer(post)
                if said == HANG:
                    server._released.wait(30)
                if isinstance(said, str):
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                code, text, headers = said
                self.send_response(code)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            do_GET = do_PUT = do_POST  # noqa: N815  names that the library asks for

            def do_CONNECT(self) -> None:
                """As a proxy: TLS for the host that is wanted ends here."""
                self.send_response(200)
                self.end_headers()
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                authority().issue_cert(self.path.rpartition(":")[0]).configure_cert(context)
                self.connection = context.wrap_socket(self.connection, server_side=True)
                self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
                self.close_connection = False

            def finish(self) -> None:
                with contextlib.suppress(OSError):
                    super().finish()
                self.connection.close()

            def log_message(self, *_: object) -> None:
                pass

        return Handler


@contextlib.contextmanager
def proxied(server: ChatServer, monkeypatch: pytest.MonkeyPatch, folder: Any) -> Iterator[None]:
    """Every address but this machine's own is reached through the server, as a company's proxy would have it."""
    authority().cert_pem.write_to_path(str(folder / "authority.pem"))
    with monkeypatch.context() as environment:
        environment.setenv("HTTPS_PROXY", f"http://{server.host}:{server.port}")
        environment.setenv("REQUESTS_CA_BUNDLE", str(folder / "authority.pem"))
        environment.setenv("NO_PROXY", "127.0.0.1,localhost")
        yield


def waited(server: ChatServer, count: int, seconds: float = 20) -> None:
    """Until so many requests have come."""
    until = time.monotonic() + seconds
    while len(server.posts) < count and time.monotonic() < until:
        time.sleep(0.01)
