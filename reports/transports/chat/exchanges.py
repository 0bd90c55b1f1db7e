"""What a plugin of Apprise says to the network, seen: each request, whether all of it had gone, and the answer.

Apprise tells no more of a message than whether a plugin was content with it. A plugin speaks through a module of the
name `requests`; here it gets a copy of its own module in which that name is an `Exchanges`. Nothing of Apprise's own is
changed, and two threads may send at once.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from reports.transports.base import HandingOver
from reports.transports.https import Answer, Body, before, last_words, library

MOST = 20_000
"""Characters of an answer that are looked at."""


@dataclass(frozen=True)
class Exchange:
    """One request and what came of it: an answer, or why there is none, and whether all of the request had gone."""

    place: str
    answer: Answer | None = None
    error: str = ""
    gone: bool = True

    @property
    def good(self) -> bool:
        return self.answer is not None and 200 <= self.answer.code < 300


@dataclass
class Exchanges:
    """In the place of the library `requests`: the same, with waits that end, and no redirect followed with a body.

    `handing_over` is called when the first byte of a request's body is about to go. What it raises is in `stopped`,
    whatever a plugin makes of it.
    """

    timeout: float
    handing_over: HandingOver
    seen: list[Exchange] = field(default_factory=list)
    stopped: BaseException | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(library(), name)

    def get(self, url: str, params: Any = None, **options: Any) -> Any:
        return self.request("GET", url, params=params, **options)

    def post(self, url: str, data: Any = None, json: Any = None, **options: Any) -> Any:
        return self.request("POST", url, data=data, json=json, **options)

    def put(self, url: str, data: Any = None, **options: Any) -> Any:
        return self.request("PUT", url, data=data, **options)

    def patch(self, url: str, data: Any = None, **options: Any) -> Any:
        return self.request("PATCH", url, data=data, **options)

    def delete(self, url: str, **options: Any) -> Any:
        return self.request("DELETE", url, **options)

    def request(self, method: str, url: str, **options: Any) -> Any:
        """The response, or the error that `requests` raises; either is noted."""
        place, going = urlsplit(url).netloc.rpartition("@")[2], _Going(self._hand_over, options.pop("auth", None))
        options |= {"timeout": self.timeout, "auth": going}
        if not (options.get("data") or options.get("json") or options.get("files")):
            self._hand_over()
        elif method != "GET":
            options["allow_redirects"] = False
        try:
            with library().Session() as session:
                response = session.request(method, url, **options)
        except library().RequestException as error:
            gone = going.body.gone if going.body else not before(error)
            self.seen.append(Exchange(place, error=last_words(error), gone=gone))
            raise
        self.seen.append(Exchange(place, Answer(response.status_code, response.text[:MOST], response.headers)))
        return response

    def _hand_over(self) -> None:
        try:
            self.handing_over()
        except BaseException as error:
            self.stopped = error
            raise


@dataclass
class _Going:
    """The last step of preparing a request: the login that was asked for, and a body that says when it goes.

    As there is a login of this kind always, none is taken from a .netrc.
    """

    handing_over: HandingOver
    login: Any
    body: Body | None = None

    def __call__(self, request: Any) -> Any:
        login = library().auth.HTTPBasicAuth(*self.login) if isinstance(self.login, tuple) else self.login
        request = login(request) if login else request
        if request.body is not None:
            content = request.body.read() if hasattr(request.body, "read") else request.body
            self.body = Body(content.encode() if isinstance(content, str) else content, self.handing_over)
            request.body = self.body
        return request


def overheard(plugin: type, exchanges: Exchanges, more: Mapping[str, Any]) -> tuple[type, bool]:
    """The plugin's class as it stands in a copy of its module that speaks through `exchanges`, with `more` in it.

    And whether it does: one that speaks no HTTP has nothing to be overheard.
    """
    module: Any = sys.modules[plugin.__module__]
    speaks = hasattr(module, "requests")
    if speaks:
        copy: Any = types.ModuleType(module.__name__)
        copy.__package__, copy.__spec__, copy.__file__ = module.__package__, module.__spec__, module.__file__
        module.__spec__.loader.exec_module(copy)
        copy.requests = exchanges
        plugin = getattr(copy, plugin.__name__)
    return type(plugin.__name__, (plugin,), dict(more)), speaks
