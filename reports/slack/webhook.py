"""A webhook of Slack: text and blocks into its one channel, and nothing else. Its address is a secret."""

from __future__ import annotations

import contextlib
import socket
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from reports.slack import faults
from reports.slack.faults import Fault
from reports.slack.line import TIMEOUT, Answer, library, secure

EMPTY = frozenset({"no_text", "invalid_payload", "missing_text_or_fallback_or_attachments"})
"""What a webhook that works says to a message without anything in it, which it does not post."""
_PORTS = {"http": 80, "https": 443}


@dataclass
class Webhook:
    """One address, which no text shows."""

    url: str = field(repr=False)
    timeout: float = TIMEOUT

    @property
    def where(self) -> str:
        """Where it goes, for people, without what is secret of it."""
        return urlsplit(self.url).netloc

    def unreachable(self) -> Fault | None:
        """Why no connection can be made; None where one can, or where a proxy makes it."""
        parts = urlsplit(self.url)
        host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 443)
        with contextlib.suppress(OSError):
            if urllib.request.getproxies().get(parts.scheme) and not urllib.request.proxy_bypass(host):
                return None
        try:
            socket.create_connection((host, port), self.timeout).close()
        except OSError as error:
            return faults.unreached(urllib.error.URLError(error))
        return None

    def say(self, text: str, blocks: Sequence[Mapping[str, Any]] = ()) -> Answer:
        """One message; what it is called there is not told."""
        sdk = library()
        secure(self.url)
        try:
            hook = sdk.webhook(self.url, timeout=self.timeout)
            response = hook.send(text=text or None, blocks=list(blocks) or None)
        except urllib.error.URLError as error:
            return self._failed(faults.unreached(error))
        except (OSError, HTTPException, ValueError) as error:
            return self._failed(faults.unanswered(error, writes=True, timeout=self.timeout))
        if response.status_code == 200:
            return Answer({"said": response.body})
        wait = next((value for key, value in response.headers.items() if key.lower() == "retry-after"), "")
        seconds = float(wait) if str(wait).isdecimal() else None
        return self._failed(faults.hook_refused(response.status_code, response.body, wait=seconds))

    def _failed(self, fault: Fault) -> Answer:
        path = urlsplit(self.url).path
        what = fault.what.replace(self.url, "***").replace(path, "/***") if len(path) > 1 else fault.what
        return Answer(fault=replace(fault, what=what))
