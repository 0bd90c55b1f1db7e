"""The short-lived page on this machine to which a browser brings the answer of a sign-in."""

from __future__ import annotations

import http.server
import queue
import threading
import webbrowser
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from reports.errors import TransportError

WAIT = 300.0
"""Seconds that a person has for signing in."""
_MOST = 64_000
_PAGE = b"<!doctype html><title>reports</title><p>That is all: this page may be closed."


@dataclass
class Loopback:
    """Listens on a free port of this machine alone, for one answer that knows the `state`."""

    wait: float = WAIT

    def __enter__(self) -> Self:
        self._answers: queue.Queue[Mapping[str, str]] = queue.Queue()
        self._state = ""
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._page())
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def address(self) -> str:
        """Where the browser is to be sent in the end."""
        return f"http://localhost:{self._server.server_address[1]}"

    def visit(self, url: str, state: str, tell: Callable[[str], None]) -> Mapping[str, str]:
        """Open `url` in a browser and give back what it brings; a TransportError when nothing comes."""
        self._state = state
        tell(f"sign in with the browser on this machine; if none opens, visit: {url}")
        webbrowser.open(url)
        try:
            return self._answers.get(timeout=self.wait)
        except queue.Empty:
            raise TransportError(
                f"nobody signed in within {self.wait:.0f} s",
                where=self.address,
                hint="run `reports login` again; on a machine without a browser use --flow device",
                permanent=True,
                account=True,
            ) from None

    def _take(self, text: str) -> bool:
        answer = dict(parse_qsl(text))
        ours = bool(self._state) and answer.get("state") == self._state and bool({"code", "error"} & set(answer))
        if ours:
            self._answers.put(answer)
        return ours

    def _page(self) -> type[http.server.BaseHTTPRequestHandler]:
        take = self._take

        class Page(http.server.BaseHTTPRequestHandler):
            timeout = 5

            def do_GET(self) -> None:
                self._reply(urlsplit(self.path).query)

            def do_POST(self) -> None:
                length = self.headers.get("Content-Length", "")
                self._reply(self.rfile.read(min(int(length), _MOST)).decode("latin-1") if length.isdecimal() else "")

            def _reply(self, text: str) -> None:
                self.send_response(200 if take(text) else 404)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(_PAGE)))
                self.end_headers()
                self.wfile.write(_PAGE)

            def log_message(self, *_: Any) -> None:
                """Nothing: what is asked for here is a secret."""

        return Page
