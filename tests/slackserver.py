"""Slack on this machine, as its documentation describes it: the Web API, uploads and a webhook, in a thread.

with SlackServer() as server:
    client = WebClient(token=server.bot, base_url=server.api)
    client.chat_postMessage(channel="#cash", text="hello")
    assert server.said("cash")[0]["text"] == "hello"

What is in it: `slackworld.World`. What goes wrong on purpose is put in `faults`.
"""

from __future__ import annotations

import http.server
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

import slackblocks
from slackworld import METHODS, RETIRED, Refused, Token, World

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one call: an answer in place of the real one, or none at all.

    With `done` the call has had its effect all the same; with `hang_up` the connection is closed without an answer;
    `pause` are the seconds before whatever is answered.
    """

    status: int = 0
    error: str = ""
    retry_after: int | None = None
    body: str = ""
    done: bool = False
    hang_up: bool = False
    pause: float = 0


def limited(seconds: int) -> Fault:
    """Too many requests: it may be asked again after so many seconds."""
    return Fault(status=429, error="ratelimited", retry_after=seconds)


LOST = Fault(hang_up=True)
"""The request is read and thrown away, and the connection closed."""
TAKEN = Fault(hang_up=True, done=True)
"""The request is carried out, and the connection closed without a word."""


@dataclass(frozen=True)
class Asked:
    """A call as it came: its method, or `upload` or `webhook`, and what it was given."""

    method: str
    values: Mapping[str, Any] = field(repr=False)
    token: str = field(default="", repr=False)


@dataclass(frozen=True)
class Reply:
    """An answer by HTTP."""

    status: int
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)


class SlackServer:
    """A workspace with a bot and one person who gave the app a token. All calls are in `asked`, in order.

    `faults` has a list for each method, or for `upload` and `webhook`, of which each call takes the first. `watch` is
    told the method when a call has come, and, with True, when it was carried out and before it is answered.
    """

    def __init__(self, **world: Any) -> None:
        self.world = World(**world)
        self.asked: list[Asked] = []
        self.faults: dict[str, list[Fault]] = {}
        self.watch: Callable[[str, bool], None] = lambda _, __: None
        self._lock = threading.RLock()
        self._server = _Quiet((HOST, 0), _Handler)
        self._server.of = self
        self.url = f"http://{HOST}:{self._server.server_address[1]}"
        self.world.upload_url = f"{self.url}/upload/v1"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def api(self) -> str:
        """The address of the Web API: slack_sdk's base_url."""
        return f"{self.url}/api/"

    @property
    def webhook(self) -> str:
        """The address of the webhook, which is a secret."""
        return f"{self.url}/services/T1/B1/{self.world.webhook_key}"

    @property
    def bot(self) -> str:
        """The bot's token."""
        return next(token for token, one in self.world.tokens.items() if one.kind == "bot")

    @property
    def user(self) -> str:
        """The token of the person who gave the app one."""
        return next(token for token, one in self.world.tokens.items() if one.kind == "user")

    def said(self, channel: str) -> list[dict[str, Any]]:
        """The messages of a channel, by its name or id, the first one first."""
        with self._lock:
            return [dict(one) for one in self.world.found(channel).messages]

    def calls(self, *but: str) -> list[str]:
        """The methods that were called, in order, but those."""
        return [one.method for one in self.asked if one.method not in but]

    # -- one request -----------------------------------------------------------------------------------

    def reply(self, path: str, values: Mapping[str, Any], content: bytes, token: str) -> Reply | None:
        """The answer to a request; None where the connection is closed without one."""
        method = _method(path)
        self.watch(method, False)
        with self._lock:
            self.asked.append(Asked(method, {"bytes": content} if method == "upload" else values, token))
            fault = (self.faults.get(method) or [None]).pop(0)
            real = self._real(method, path, values, content, token) if fault is None or fault.done else None
        self.watch(method, True)
        if fault is None:
            return real
        time.sleep(fault.pause)
        if fault.hang_up:
            return None
        if not (fault.status or fault.error or fault.body):
            return real or self._real(method, path, values, content, token)
        return _faulty(method, fault)

    def _real(self, method: str, path: str, values: Mapping[str, Any], content: bytes, token: str) -> Reply:
        if method == "upload":
            return self._uploaded(path, content)
        if method == "webhook":
            return self._hooked(path, values)
        given = token or str(values.get("token", ""))
        who = self.world.tokens.get(given)
        headers = {"X-OAuth-Scopes": ",".join(sorted(who.scopes))} if who else {}
        try:
            answer = {"ok": True, **self._called(method, values, given)}
        except Refused as refused:
            answer = {"ok": False, "error": refused.error, **refused.more}
        return Reply(200, json.dumps(answer), headers)

    def _called(self, method: str, values: Mapping[str, Any], token: str) -> dict[str, Any]:
        if method in RETIRED:
            raise Refused("method_deprecated")
        if method not in METHODS:
            raise Refused("unknown_method", req_method=method)
        who = self._allowed(token)
        named = {key: value for key, value in values.items() if key != "token"}
        return METHODS[method](self.world, who, named)

    def _allowed(self, token: str) -> Token:
        if not token:
            raise Refused("not_authed")
        if (who := self.world.tokens.get(token)) is None:
            raise Refused("invalid_auth")
        if not who.alive:
            raise Refused("account_inactive")
        return who

    def _uploaded(self, path: str, content: bytes) -> Reply:
        if (file := self.world.tickets.get(path.rpartition("/")[2])) is None:
            return Reply(404, "no such upload")
        if len(content) != file.length:
            return Reply(400, "the length is another one")
        file.content = content
        return Reply(200, f"OK - {len(content)}")

    def _hooked(self, path: str, values: Mapping[str, Any]) -> Reply:
        if not path.endswith(f"/{self.world.webhook_key}"):
            return Reply(403, "invalid_token")
        channel = self.world.channels[self.world.webhook_channel]
        if channel.archived:
            return Reply(410, "channel_is_archived")
        if not (values.get("text") or values.get("blocks")):
            return Reply(400, "no_text")
        if slackblocks.problems(values.get("blocks") or []):
            return Reply(400, "invalid_blocks")
        self.world.add(channel, {"text": values.get("text", ""), "blocks": values.get("blocks") or [], "bot_id": "B9"})
        return Reply(200, "ok")


def _method(path: str) -> str:
    kinds = {"upload": "upload", "services": "webhook"}
    first, _, rest = path.strip("/").partition("/")
    return kinds.get(first, rest)


def _faulty(method: str, fault: Fault) -> Reply:
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    body = fault.body or json.dumps({"ok": False, "error": fault.error})
    if method in {"upload", "webhook"}:
        body = fault.body or fault.error
    return Reply(fault.status or 200, body, headers)


class _Handler(http.server.BaseHTTPRequestHandler):
    """One connection to a SlackServer."""

    protocol_version = "HTTP/1.1"
    timeout = 30
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        of: SlackServer = self.server.of  # type: ignore[attr-defined]
        length = int(self.headers.get("Content-Length", 0))
        content = self.rfile.read(length)
        if len(content) < length:  # the client has gone in the middle, so this is no request
            self.close_connection = True
            return
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        parts = urlsplit(self.path)
        reply = of.reply(parts.path, self._values(content), content, token)
        if reply is None:
            self._hang_up()
        else:
            self._send(reply)

    do_GET = do_POST  # noqa: N815  named by the protocol

    def _values(self, content: bytes) -> Mapping[str, Any]:
        kind = self.headers.get("Content-Type", "")
        if kind.startswith("application/json"):
            found: Mapping[str, Any] = json.loads(content or b"{}")
            return found
        return dict(parse_qsl(content.decode("utf-8", "replace"), keep_blank_values=True)) if "form" in kind else {}

    def _send(self, reply: Reply) -> None:
        content = reply.body.encode()
        self.send_response_only(reply.status)
        kind = "application/json" if reply.body.startswith("{") else "text/plain"
        for name, value in {"Content-Type": f"{kind}; charset=utf-8", **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _hang_up(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


class _Quiet(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    of: SlackServer

    def handle_error(self, *_: object) -> None:
        """Nothing: a client that goes away is what a test is about."""
