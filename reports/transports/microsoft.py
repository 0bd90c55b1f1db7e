"""Tokens of Microsoft's sign-in by `msal`: with a code, in the browser, or for the program itself."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from reports.errors import MissingDependency, TransportError
from reports.transports.grant import Grant, Tell
from reports.transports.https import Answer, Web
from reports.transports.loopback import Loopback
from reports.transports.tokens import Token

_PUBLIC = "https://login.microsoftonline.com"
_SIGN_IN_AGAIN = {"invalid_grant", "interaction_required", "consent_required", "login_required"}
_MEANS = {
    "7000218": "in the app's registration, Authentication, switch on 'Allow public client flows'",
    "7000215": "the client_secret is not the app's: it is the secret's value, not its id",
    "7000222": "the app's client_secret has run out: make a new one in the app's registration",
    "700016": "the app's client_id is not known in this tenant: check client_id and tenant",
    "90002": "the tenant is not known: check tenant",
    "65001": "nobody has consented to the app's permissions: the admin grants them, or sign in with `reports login`",
    "53003": "a rule of Conditional Access forbids this: ask the admin, or try `reports login --flow browser`",
    "530036": "a rule of Conditional Access forbids codes: `reports login --flow browser`",
    "50194": "the app belongs to one tenant: add tenant",
    "9002346": "the app is for personal accounts only: provider is outlook_com",
}
_CODE = re.compile(r"AADSTS(\d+)")


def sign_in(grant: Grant, tell: Tell) -> Token:
    """A token that somebody has signed in for just now, or that the program got for itself."""
    if grant.flow == "client":
        return renew(grant, Token())
    with _told(grant):
        app = _person(grant)
        answer = _with_code(grant, app, tell) if grant.flow == "device" else _in_browser(grant, app, tell)
    return _token(grant, answer)


def renew(grant: Grant, token: Token) -> Token:
    """A fresh token without a person; one that says `refused` where a person has to sign in again."""
    with _told(grant):
        if grant.flow == "client":
            return _token(grant, _program(grant).acquire_token_for_client(scopes=[*grant.scopes]))
        grant.web.hidden.add(token.renewal)
        answer = _person(grant).acquire_token_by_refresh_token(token.renewal, scopes=[*grant.scopes])
    if answer.get("error") in _SIGN_IN_AGAIN:
        return replace(token, access="", renewal="", refused=grant.web.masked(_words(answer)))
    fresh = _token(grant, answer)
    return replace(fresh, renewal=fresh.renewal or token.renewal, user=fresh.user or token.user)


def _with_code(grant: Grant, app: Any, tell: Tell) -> Mapping[str, Any]:
    flow = app.initiate_device_flow(scopes=[*grant.scopes])
    if "user_code" not in flow:
        return dict(flow)
    tell(f"open {flow['verification_uri']} in any browser and enter the code {flow['user_code']}")
    return dict(app.acquire_token_by_device_flow(flow))


def _in_browser(grant: Grant, app: Any, tell: Tell) -> Mapping[str, Any]:
    with Loopback() as page:
        flow = app.initiate_auth_code_flow(
            [*grant.scopes], redirect_uri=page.address, login_hint=grant.user, response_mode="form_post"
        )
        brought = page.visit(flow["auth_uri"], flow["state"], tell)
        return dict(app.acquire_token_by_auth_code_flow(flow, dict(brought)))


def _token(grant: Grant, answer: Mapping[str, Any]) -> Token:
    if "access_token" not in answer:
        code = _CODE.search(str(answer.get("error_description", "")))
        raise grant.refused(_words(answer), hint=_MEANS.get(code[1], "") if code else "")
    now = time.time()
    return Token(
        access=answer["access_token"],
        obtained=now,
        expires=now + float(answer.get("expires_in", 0)),
        renewal=answer.get("refresh_token", ""),
        user=(answer.get("id_token_claims") or {}).get("preferred_username", ""),
    )


def _words(answer: Mapping[str, Any]) -> str:
    lines = str(answer.get("error_description") or "").splitlines()
    return f"{answer.get('error', 'no token')}: {lines[0] if lines else 'without a reason'}"[:400]


# -- msal --------------------------------------------------------------------------------------------


def _person(grant: Grant) -> Any:
    return _msal().PublicClientApplication(grant.client_id, **_place(grant))


def _program(grant: Grant) -> Any:
    return _msal().ConfidentialClientApplication(grant.client_id, client_credential=grant.secret(), **_place(grant))


def _place(grant: Grant) -> dict[str, Any]:
    # Looking the authority up elsewhere first would only forbid one that settings name.
    authority = f"{grant.authority or _PUBLIC}/{grant.tenant}"
    return {"authority": authority, "http_client": _Client(grant.web), "instance_discovery": False}


def _msal() -> Any:
    try:
        import msal  # noqa: PLC0415  an optional library, needed by this provider's logins alone
    except ImportError as error:
        raise MissingDependency("msal", extra="oauth", purpose="a login at Microsoft") from error
    return msal


@contextmanager
def _told(grant: Grant) -> Iterator[None]:
    """What msal raises is about the address that was asked, or an answer that does not fit the question."""
    try:
        yield
    except (ValueError, KeyError, RuntimeError) as error:
        words = " ".join(str(error).split())
        # The cause is left out on purpose: its text may repeat what was sent.
        raise grant.refused(words, hint="check tenant, client_id and authority in [mail.oauth]") from None


@dataclass(frozen=True)
class _Client:
    """What msal asks for things with: trouble on the other side is an error of ours, and never cached."""

    web: Web

    def post(self, url: str, **named: Any) -> _Response:
        data = named.get("data") or {}
        body = data if isinstance(data, str) else urlencode({key: value for key, value in data.items() if value})
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._ask("POST", url, body.encode(), kind | dict(named.get("headers") or {}))

    def get(self, url: str, **named: Any) -> _Response:
        query = urlencode(named.get("params") or {})
        return self._ask("GET", f"{url}?{query}" if query else url, b"", dict(named.get("headers") or {}))

    def close(self) -> None:
        self.web.close()

    def _ask(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> _Response:
        answer = self.web.ask(method, url, body=body, headers={k: v for k, v in headers.items() if v is not None})
        if answer.code == 429 or answer.code >= 500:
            raise self.web.trouble(url, answer)
        if answer.code == 200 and not answer.values:
            raise TransportError(
                "the answer to the login is none: something between here and there answers instead",
                where=url.partition("?")[0],
                hint="look for a proxy or a page that asks for a network login",
                account=True,
            )
        return _Response(answer)


class _Response:
    """An answer as msal wants it."""

    def __init__(self, answer: Answer) -> None:
        self.status_code, self.text, self.headers = answer.code, answer.text, dict(answer.headers)

    def json(self) -> Any:
        return json.loads(self.text)

    def raise_for_status(self) -> None:
        if self.status_code >= 400:
            raise ValueError(f"HTTP {self.status_code}")
