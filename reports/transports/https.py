"""HTTPS to the addresses of a provider: certificates verified, every wait limited, no secret in an error.

`requests` speaks HTTP here and decides nothing: no redirect is followed, nothing is tried twice, and no
password is taken from a .netrc. Proxies are those of the environment.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from reports.errors import MissingDependency, TransportError
from reports.transports.account import Account
from reports.transports.base import HandingOver, nothing
from reports.transports.wire import trusted

MASK = "***"
_DISTRUST = "certificate verify failed"
_MOST = 4_000_000
"""Bytes of an answer that are read; what is said in earnest is far shorter."""


@dataclass(frozen=True)
class Answer:
    """What came back, as it is; the code is 0 where nothing came after the whole request had gone."""

    code: int
    text: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def values(self) -> Mapping[str, Any]:
        """The JSON object it is, or an empty one."""
        try:
            found = json.loads(self.text)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def date(self) -> dt.datetime | None:
        """The other side's clock."""
        with contextlib.suppress(ValueError, TypeError):
            return parsedate_to_datetime(self.headers.get("Date", "")).astimezone(dt.UTC)
        return None

    @property
    def retry_after(self) -> float | None:
        """The wait in seconds that was asked for."""
        asked = self.headers.get("Retry-After", "")
        if asked.strip().isdecimal():
            return float(asked)
        with contextlib.suppress(ValueError, TypeError):
            until = parsedate_to_datetime(asked)
            return max(0.0, (until - (self.date or dt.datetime.now(dt.UTC))).total_seconds())
        return None


class Body(io.BytesIO):
    """A body that says when its first byte is about to go, and knows when the last of it had gone."""

    gone = False

    def __init__(self, content: bytes, going: HandingOver) -> None:
        super().__init__(content)
        self._going: HandingOver | None = going

    def read(self, size: int | None = -1) -> bytes:
        going, self._going = self._going, None
        if going is not None:
            going()
        block = super().read(size)
        self.gone = self.gone or not block
        return block


@dataclass
class Web:
    """Talks by HTTPS for one account, over connections that are kept; what is in `hidden` no text shows."""

    account: Account
    hidden: set[str] = field(default_factory=set, repr=False)
    _session: Any = field(default=None, init=False, repr=False)

    def ask(
        self,
        method: str,
        url: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        final_wait: float | None = None,
        handing_over: HandingOver = nothing,
    ) -> Answer:
        """What is answered; a TransportError where nothing is.

        `handing_over` is called when a connection is there and the first byte of the body is about to go.

        With `final_wait` in seconds, the request is one that cannot be taken back: when the connection is
        lost after all of it had gone, nobody can know what came of it, which is an answer with the code 0.
        """
        requests = library()
        sent = Body(body, handing_over)
        try:
            response = self._open().request(
                method,
                url,
                data=sent if body else None,
                headers=dict(headers or {}),
                timeout=(self.account.timeout, final_wait or self.account.timeout),
                allow_redirects=False,
                stream=True,
                auth=no_netrc,
            )
        except requests.RequestException as error:
            if final_wait is not None and (sent.gone if body else not before(error)):
                return Answer(0, self.masked(f"no answer after the whole message had gone: {last_words(error)}"))
            # The cause is left out on purpose: its text has the whole address, in which there may be a secret.
            raise self.unreachable(url, error) from None
        return Answer(response.status_code, _text(response), response.headers)

    def unreachable(self, url: str, error: Exception) -> TransportError:
        """The error for a side that could not be reached, or not safely."""
        requests, place = library(), urlsplit(url)
        what, hint = f"the connection failed: {last_words(error)}", "check the network of this machine"
        permanent = False
        match error:
            case requests.exceptions.SSLError():
                what = f"the server's certificate is not trusted, or no TLS could be agreed on: {last_words(error)}"
                hint = "a company's own authority is named with ca_file"
                permanent = _DISTRUST in str(error)
            case requests.exceptions.Timeout():
                what = f"the server did not answer within {self.account.timeout:g} s"
            case requests.exceptions.ProxyError():
                what = f"the proxy failed: {last_words(error)}"
                hint = "check HTTPS_PROXY and NO_PROXY in the environment"
        return TransportError(self.masked(what), where=place.netloc, hint=hint, permanent=permanent, account=True)

    def trouble(self, url: str, answer: Answer) -> TransportError:
        """The error for a side that says it cannot answer now."""
        return TransportError(
            self.masked(f"the server cannot answer now: {answer.code} {answer.text[:200]}".strip()),
            where=urlsplit(url).netloc,
            hint="it is tried again",
            retry_after=answer.retry_after,
            account=True,
        )

    def masked(self, text: str) -> str:
        for secret in self.hidden:
            text = text.replace(secret, MASK)
        return text

    def close(self) -> None:
        """Let go of the connections; new ones are made where they are needed."""
        if self._session is not None:
            self._session.close()
        self._session = None

    def _open(self) -> Any:
        if self._session is None:
            self._session = library().Session()
            self._session.mount("https://", _adapter(trusted(self.account)))
        return self._session


def library() -> Any:
    """The library `requests`; a MissingDependency says how to get it."""
    try:
        import requests  # noqa: PLC0415  an optional library, needed where something is asked by HTTPS
    except ImportError as error:
        raise MissingDependency("requests", extra="oauth", purpose="a login by OAuth") from error
    return requests


def _adapter(context: ssl.SSLContext) -> Any:
    base = library().adapters.HTTPAdapter

    class Adapter(base):  # type: ignore[misc, valid-type]
        def init_poolmanager(self, *values: Any, **named: Any) -> None:
            super().init_poolmanager(*values, ssl_context=context, **named)

        def proxy_manager_for(self, proxy: str, **named: Any) -> Any:
            return super().proxy_manager_for(proxy, ssl_context=context, **named)

    return Adapter()


def no_netrc(request: Any) -> Any:
    return request


def _text(response: Any) -> str:
    """As much of the body as comes: the code says what was decided, with or without it."""
    import urllib3  # noqa: PLC0415  comes with requests

    content = b""
    with contextlib.suppress(urllib3.exceptions.HTTPError, OSError):
        content = response.raw.read(_MOST, decode_content=True)
    return content.decode("utf-8", "replace")


def before(error: Exception) -> bool:
    """Whether it certainly failed before the first byte of the request."""
    import urllib3  # noqa: PLC0415

    early = library().exceptions
    if isinstance(error, early.ConnectTimeout | early.ProxyError | ValueError):
        return True
    return isinstance(_reason(error), urllib3.exceptions.NewConnectionError) or _DISTRUST in str(error)


def _reason(error: Exception) -> Any:
    first = error.args[0] if error.args else error
    return getattr(first, "reason", None) or first


def last_words(error: Exception) -> str:
    reason = _reason(error)
    inner = reason.args[-1] if isinstance(reason, Exception) and reason.args else reason
    return " ".join(str(inner).rpartition(": ")[2].split())[:200] or type(error).__name__
