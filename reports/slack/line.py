"""One token's line to Slack: slack_sdk carries each call, and what comes back is an answer or a fault, never a riddle.

Only what was refused for being too much is asked again by itself, within `patience`: a call whose answer was lost may
have had its effect, and a second one would have it twice.
"""

from __future__ import annotations

import importlib.util
import urllib.error
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from http.client import HTTPException
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from reports.errors import MissingDependency, TransportError
from reports.slack import faults
from reports.slack.faults import Fault
from reports.slack.methods import METHODS, Kind

API = "https://slack.com/api/"
TIMEOUT = 30.0
PATIENCE = 30.0
"""Seconds that are waited at the most where Slack says that it is too much for now."""
_HERE = {"localhost", "127.0.0.1", "::1"}
_UPLOAD = "files.completeUploadExternal"


@dataclass(frozen=True)
class Answer:
    """What came back of one call; with a `fault` nothing did. `scopes` are the token's, where Slack named them."""

    values: Mapping[str, Any] = field(default_factory=dict)
    scopes: Sequence[str] = ()
    fault: Fault | None = None


@dataclass
class Line:
    """Slack's Web API for one token, which no text shows."""

    token: str = field(repr=False)
    api: str = API
    timeout: float = TIMEOUT
    patience: float = PATIENCE
    _client: Any = field(default=None, init=False, repr=False)

    @property
    def kind(self) -> Kind:
        """Whose the token is, by its form."""
        return "user" if self.token.removeprefix("xoxe.").startswith("xoxp-") else "bot"

    @property
    def where(self) -> str:
        """Where calls go, for people."""
        return urlsplit(self.api).netloc

    def ask(self, method: str, /, **values: Any) -> Answer:
        """One call; values that are None are left out."""
        if not METHODS[method].allows(self.kind):
            return Answer(fault=faults.wrong_kind(method, self.kind))
        given = {name: value for name, value in values.items() if value is not None}
        return self._carried(METHODS[method].attribute, method, given)

    def upload(
        self, files: Sequence[Mapping[str, Any]], *, channel: str = "", thread: str = "", comment: str = ""
    ) -> Answer:
        """Files, each with filename, content, title and alt_txt, shown in the channel of that id in one message."""
        place = {"channel": channel, "thread_ts": thread, "initial_comment": comment}
        given = {name: value for name, value in place.items() if value}
        return self._carried("files_upload_v2", _UPLOAD, {"file_uploads": [dict(one) for one in files], **given})

    def _carried(self, attribute: str, method: str, given: Mapping[str, Any]) -> Answer:
        sdk = library()
        try:
            response = getattr(self._opened(sdk), attribute)(**given)
        except sdk.SlackApiError as error:
            return self._failed(_refused(error, self.kind))
        except sdk.SlackRequestError as error:
            return self._failed(faults.upload_refused(0, str(error)))
        except urllib.error.HTTPError as error:  # of a file's bytes: of all others slack_sdk makes its own error
            with error:
                return self._failed(faults.upload_refused(error.code, _words(error.read())))
        except urllib.error.URLError as error:
            return self._failed(faults.unreached(error))
        except (OSError, HTTPException, ValueError) as error:
            return self._failed(faults.unanswered(error, writes=METHODS[method].writes, timeout=self.timeout))
        scopes = _header(response.headers, "x-oauth-scopes")
        return Answer(response.data, [one.strip() for one in scopes.split(",") if one.strip()])

    def _failed(self, fault: Fault) -> Answer:
        masked = fault.what.replace(self.token, "***") if self.token else fault.what
        return Answer(fault=replace(fault, what=masked))

    def _opened(self, sdk: ModuleType) -> Any:
        if self._client is None:
            secure(self.api)
            self._client = sdk.client(self.token, api=self.api, timeout=self.timeout, patience=self.patience)
        return self._client


def needed() -> None:
    """A MissingDependency where slack_sdk is not installed, told without importing it."""
    if importlib.util.find_spec("slack_sdk") is None:
        raise MissingDependency("slack_sdk", extra="slack", purpose="Slack")


def library() -> ModuleType:
    """What speaks to Slack; a MissingDependency says how to get it."""
    needed()
    from reports.slack import sdk  # noqa: PLC0415  an optional library

    return sdk


def secure(url: str) -> None:
    """A TransportError where what is sent to `url` could be read on the way."""
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in _HERE:
        raise TransportError(
            "an address of Slack must begin with https://: a token would be read on the way",
            where=parts.netloc,
            hint=f"leave api out, or write {API}",
            permanent=True,
            account=True,
        )


def _refused(error: Any, kind: Kind) -> Fault:
    """The fault of an answer; of which method is told by its address, for an upload is several."""
    response = error.response
    method = urlsplit(response.api_url).path.rpartition("/")[2]
    values = response.data if isinstance(response.data, dict) else {}
    wait = _header(response.headers, "retry-after")
    seconds = float(wait) if wait.isdecimal() else None
    return faults.refused(method, kind, values, status=response.status_code, wait=seconds)


def _header(headers: Mapping[str, Any], name: str) -> str:
    found = next((value for key, value in headers.items() if key.lower() == name), "")
    return str(found[0] if isinstance(found, list) else found)


def _words(content: bytes) -> str:
    return " ".join(content.decode("utf-8", "replace").split())[:200]
