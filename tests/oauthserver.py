"""Sign-ins and mail APIs on this machine, as Microsoft and Google document theirs, by HTTPS in a thread.

with SignInServer() as server:
    mail = Mail(provider="m365", ..., oauth=OAuth(authority=server.url, ...), ca_file=server.ca_file)

with GraphServer() as server: ...   /   with GmailServer() as server: ...
"""

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import re
import socket
import struct
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

from mailserver import HOST, authority, server_context

Answer = tuple[int, Mapping[str, Any] | str]
HANG_UP: Answer = (0, "")


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode()))

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.path).query))

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def token(self) -> str:
        return self.headers.get("Authorization", "").removeprefix("Bearer ")


class HttpsServer:
    """Answers by `answer`; what came is in `asked`. An override in `replies` by path's end wins, each once or for ever.

    `headers` go with every answer. A code of 0 hangs up after the whole request was read.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.replies: dict[str, Answer | list[Answer]] = {}
        self.headers: dict[str, str] = {}
        self.hang_up_early = False
        self.pause = 0.0
        self._folder = tempfile.TemporaryDirectory(prefix="https-")
        self.ca_file = str(Path(self._folder.name) / "ca.pem")
        authority().cert_pem.write_to_path(self.ca_file)
        self.faults: list[str] = []
        self._server = _Quiet((HOST, 0), _Handler)
        self._server.of = self
        context = server_context()
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port: int = self._server.server_address[1]
        self.url = f"https://localhost:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._folder.cleanup()
        assert self.faults == [], "a request was not what the documentation asks for"

    def answer(self, asked: Asked) -> Answer:
        raise NotImplementedError

    def paths(self, method: str = "") -> list[str]:
        return [urlsplit(one.path).path for one in self.asked if method in {"", one.method}]

    def told(self, asked: Asked) -> Answer:
        """The answer to a request; one that is not as documented is remembered, and fails the test in the end."""
        self.asked.append(asked)
        time.sleep(self.pause)
        try:
            return self._overridden(asked) or self.answer(asked)
        except AssertionError as error:
            self.faults.append(f"{asked}: {error}")
            return 400, "not as documented"

    def _overridden(self, asked: Asked) -> Answer | None:
        path = urlsplit(asked.path).path
        found = next((self.replies[end] for end in self.replies if path.endswith(end)), None)
        if isinstance(found, list):
            return found.pop(0) if found else None
        return found


class _Handler(http.server.BaseHTTPRequestHandler):
    """One connection to an HttpsServer."""

    protocol_version = "HTTP/1.1"
    timeout = 10
    disable_nagle_algorithm = True  # else every answer waits for a packet of the client

    def do_GET(self) -> None:
        of = self.server.of  # type: ignore[attr-defined]
        if of.hang_up_early and self.command != "GET":
            self._hang_up()
            return
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        if len(body) < length:  # the client has gone in the middle, so this is no request
            self.close_connection = True
            return
        code, told = of.told(Asked(self.command, self.path, dict(self.headers.items()), body))
        if code:
            self._reply(code, told, {"Date": self.date_time_string()} | of.headers)
        else:
            self._hang_up()

    do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815  named by the protocol

    def _reply(self, code: int, told: Mapping[str, Any] | str, headers: Mapping[str, str]) -> None:
        content = (told if isinstance(told, str) else json.dumps(told)).encode()
        self.send_response_only(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _hang_up(self) -> None:
        """At once, and with what was not read thrown away."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


class _Quiet(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    of: HttpsServer

    def handle_error(self, *_: object) -> None:
        """Nothing: a client that goes away, or trusts nobody, is what a test is about."""


def _id_token(user: str, nonce: str) -> str:
    def part(values: Mapping[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")

    now = int(time.time())
    claims = {"aud": "app-1", "iss": "x", "iat": now, "exp": now + 3600, "sub": "1", "preferred_username": user}
    claims |= {"nonce": nonce} if nonce else {}
    return f"{part({'alg': 'none'})}.{part(claims)}."


class SignInServer(HttpsServer):
    """Microsoft's and Google's sign-in in one: codes, the browser, the program itself, and renewals that rotate.

    `pending` is how often a code is not typed in yet; `lasts` is what a token lasts, in seconds. `granted`
    are the access tokens in order; only the newest `renewal` is good.
    """

    def __init__(self, *, user: str = "me@example.com", pending: int = 0, lasts: int = 3600) -> None:
        super().__init__()
        self.user, self.pending, self.lasts = user, pending, lasts
        self.granted: list[str] = []
        self.renewal = ""
        self._challenges: dict[str, str] = {}
        self._nonces: dict[str, str] = {}

    @property
    def grants(self) -> list[str]:
        """What was asked for at the token's address, in order."""
        return [one.form["grant_type"].rpartition(":")[2] for one in self.asked if one.path.endswith("/token")]

    def grant(self) -> tuple[str, str]:
        """A token and what renews it, as if somebody had signed in."""
        self.granted.append(f"access-{len(self.granted) + 1}")
        self.renewal = f"renewal-{len(self.granted)}"
        return self.granted[-1], self.renewal

    def answer(self, asked: Asked) -> Answer:
        path = urlsplit(asked.path).path
        if path.endswith("/.well-known/openid-configuration"):
            return self._places(path)
        if path.endswith("/devicecode"):
            told = {"user_code": "ABCD-EFGH", "device_code": "d-1", "verification_uri": f"{self.url}/device"}
            return 200, told | {"expires_in": 60, "interval": 1, "message": "go there"}
        if path.endswith(("/authorize", "/v2/auth")):
            return self._consent(asked.query)
        if path.endswith("/token"):
            return self._token(asked.form)
        return 404, {"error": "not_found"}

    def _places(self, path: str) -> Answer:
        tenant = path.split("/")[1]
        if tenant == "nowhere":
            return 400, {"error": "invalid_tenant", "error_description": "AADSTS90002: Tenant 'nowhere' not found."}
        base = f"{self.url}/{tenant}/oauth2/v2.0"
        names = {"authorization": "authorize", "token": "token", "device_authorization": "devicecode"}
        return 200, {f"{name}_endpoint": f"{base}/{end}" for name, end in names.items()} | {"issuer": self.url}

    def _consent(self, query: Mapping[str, str]) -> Answer:
        """Somebody says yes at once: the page sends the browser on, with a code that is bound to the challenge."""
        assert query["code_challenge_method"] == "S256"
        code = f"code-{len(self._challenges) + 1}"
        self._challenges[code], self._nonces[code] = query["code_challenge"], query.get("nonce", "")
        back = {"code": code, "state": query["state"]}
        return 200, json.dumps({"to": query["redirect_uri"], "mode": query.get("response_mode", "query"), "form": back})

    def _token(self, form: Mapping[str, str]) -> Answer:
        kind = form["grant_type"].rpartition(":")[2]
        if kind == "device_code" and self.pending:
            self.pending -= 1
            return 400, {"error": "authorization_pending", "error_description": "AADSTS70016: pending"}
        if kind == "refresh_token" and form["refresh_token"] != self.renewal:
            return 400, {"error": "invalid_grant", "error_description": "AADSTS700082: The refresh token has expired."}
        if kind == "authorization_code" and not self._proves(form):
            return 400, {"error": "invalid_grant", "error_description": "the verifier does not fit"}
        access, renewal = self.grant()
        own = kind in {"client_credentials", "jwt-bearer"}
        told = {"access_token": access, "expires_in": self.lasts, "token_type": "Bearer"}
        who = _id_token(self.user, self._nonces.get(form.get("code", ""), ""))
        return 200, told | ({} if own else {"refresh_token": renewal, "id_token": who})

    def _proves(self, form: Mapping[str, str]) -> bool:
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        return self._challenges.pop(form["code"], "") == base64.urlsafe_b64encode(digest).decode().rstrip("=")


def consenting(url: str) -> None:
    """What a browser does in which somebody is signed in already: visit, and bring the answer back."""
    import ssl  # noqa: PLC0415

    context = ssl.create_default_context()
    context.load_verify_locations(cadata=authority().cert_pem.bytes().decode())
    with urllib.request.urlopen(url, timeout=5, context=context) as page:  # noqa: S310
        told = json.loads(page.read())
    form = urlencode(told["form"])
    post = told["mode"] == "form_post"
    back = urllib.request.Request(told["to"] if post else f"{told['to']}/?{form}", form.encode() if post else None)  # noqa: S310
    urllib.request.urlopen(back, timeout=5).close()  # noqa: S310


class GraphServer(HttpsServer):
    """Graph's mail: 202 without a body, drafts, files in one piece or by upload in ranges that must fit.

    `sent` are the bytes of messages that came as MIME; `drafts` what was laid out, with its files and whether
    it was sent. Only the token `takes` is taken. `most` is the largest request.
    """

    def __init__(self, *, takes: str = "token-1", most: int = 4_194_304) -> None:
        super().__init__()
        self.takes, self.most = takes, most
        self.sent: list[bytes] = []
        self.drafts: dict[str, dict[str, Any]] = {}
        self.uploads: dict[str, dict[str, Any]] = {}
        self.ranges: list[str] = []

    def answer(self, asked: Asked) -> Answer:
        path = urlsplit(asked.path).path
        if path.startswith("/upload/"):
            return self._piece(path.rpartition("/")[2], asked)
        if asked.token != self.takes:
            return 401, _graph_error("InvalidAuthenticationToken", "Access token is empty or wrong.")
        if len(asked.body) > self.most:
            return 413, _graph_error("RequestBodyTooLarge", "The request is too large.")
        own = re.fullmatch(r"/v1\.0/(me|users/[^/]+)(/.*)?", path)
        if own is None:
            return 404, _graph_error("ResourceNotFound", path)
        return self._mailbox(asked, own[2] or "")

    def _mailbox(self, asked: Asked, rest: str) -> Answer:
        if (asked.method, rest) == ("GET", ""):
            return 403, _graph_error("Authorization_RequestDenied", "Insufficient privileges")
        if (asked.method, rest) == ("POST", "/sendMail"):
            assert asked.headers["Content-Type"] == "text/plain"
            self.sent.append(base64.b64decode(asked.body, validate=True))
            return 202, ""
        if (asked.method, rest) == ("POST", "/messages"):
            name = f"draft-{len(self.drafts) + 1}"
            self.drafts[name] = asked.json | {"files": {}, "sent": False}
            return 201, {"id": name, "internetMessageId": asked.json.get("internetMessageId")}
        _, _, name, *more = rest.split("/")
        return self._draft(asked, name, "/".join(more))

    def _draft(self, asked: Asked, name: str, rest: str) -> Answer:
        draft = self.drafts[name]
        if asked.method == "DELETE":
            del self.drafts[name]
            return 204, ""
        if rest == "send":
            assert asked.headers.get("Content-Length") == "0"
            draft["sent"] = True
            return 202, ""
        if rest == "attachments":
            assert asked.json["@odata.type"] == "#microsoft.graph.fileAttachment"
            content = base64.b64decode(asked.json["contentBytes"])
            assert len(content) < 3_145_728
            draft["files"][asked.json["name"]] = (content, asked.json)
            return 201, {"id": "a"}
        item = asked.json["AttachmentItem"]
        key = f"u{len(self.uploads) + 1}"
        self.uploads[key] = {"draft": name, "item": item, "content": b""}
        return 201, {"uploadUrl": f"{self.url}/upload/{key}?authtoken=s3cr3t", "nextExpectedRanges": ["0-"]}

    def _piece(self, key: str, asked: Asked) -> Answer:
        upload = self.uploads[key]
        assert "Authorization" not in asked.headers
        assert asked.query == {"authtoken": "s3cr3t"}
        self.ranges.append(asked.headers["Content-Range"])
        first, last, total = map(int, re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", self.ranges[-1]).groups())  # type: ignore[union-attr]
        assert first == len(upload["content"])
        assert last - first + 1 == len(asked.body) <= 4_000_000
        assert total == upload["item"]["size"]
        assert last + 1 == total or len(asked.body) % 327_680 == 0
        upload["content"] += asked.body
        if last + 1 < total:
            return 200, {"nextExpectedRanges": [f"{last + 1}-"]}
        item = upload["item"]
        self.drafts[upload["draft"]]["files"][item["name"]] = (upload["content"], item)
        return 201, ""


def _graph_error(code: str, message: str) -> Mapping[str, Any]:
    return {"error": {"code": code, "message": message}}


class GmailServer(HttpsServer):
    """Gmail's upload: the bytes of the message as they are, at most 35 MiB."""

    def __init__(self, *, takes: str = "token-1") -> None:
        super().__init__()
        self.takes = takes
        self.sent: list[bytes] = []

    def answer(self, asked: Asked) -> Answer:
        if asked.token != self.takes:
            return 401, {"error": {"code": 401, "message": "Invalid Credentials", "status": "UNAUTHENTICATED"}}
        if asked.path == "/gmail/v1/users/me/profile":
            return 403, {"error": {"code": 403, "message": "Insufficient scopes", "status": "PERMISSION_DENIED"}}
        if asked.path != "/upload/gmail/v1/users/me/messages/send?uploadType=media":
            return 404, {"error": {"code": 404, "message": "Not Found"}}
        assert asked.headers["Content-Type"] == "message/rfc822"
        self.sent.append(asked.body)
        return 200, {"id": f"g-{len(self.sent)}", "threadId": "t", "labelIds": ["SENT"]}


def gmail_error(code: int, reason: str, message: str) -> Answer:
    return code, {"error": {"code": code, "message": message, "errors": [{"reason": reason, "message": message}]}}


def graph_error(code: int, name: str, message: str) -> Answer:
    return code, _graph_error(name, message)


def in_threads(count: int, call: Callable[[], Any]) -> list[Any]:
    """What each of several calls at once gave, or raised."""
    gate, found = threading.Barrier(count), []

    def run() -> None:
        gate.wait()
        try:
            found.append(call())
        except Exception as error:  # noqa: BLE001  it is what the test looks at
            found.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return found
