"""Tokens of Google's sign-in: in the browser with PKCE, or of a service account by `google-auth`."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from reports.errors import MissingDependency, SettingsError, TransportError
from reports.transports.grant import Grant, Tell
from reports.transports.https import Answer
from reports.transports.loopback import Loopback
from reports.transports.tokens import Token

_SIGN_IN = "https://accounts.google.com"
_TOKENS = "https://oauth2.googleapis.com"
_MEANS = {
    "invalid_client": "client_id and client_secret do not belong together: copy both from the same OAuth client",
    "unauthorized_client": "the Workspace admin must allow the service account's client id this scope: "
    "Admin console, Security, API controls, Domain-wide delegation",
    "access_denied": "the sign-in was broken off, or the account is no test user of the app",
}


def sign_in(grant: Grant, tell: Tell) -> Token:
    """A token that somebody has signed in for just now, or that the service account got for itself."""
    if grant.flow == "service_account":
        return renew(grant, Token())
    verifier, state = secrets.token_urlsafe(64), secrets.token_urlsafe(24)
    with Loopback() as page:
        brought = page.visit(_address(grant, page.address, verifier, state), state, tell)
        if "code" not in brought:
            raise _refusal(grant, brought)
        return _token(grant, _post(grant, _exchange(page.address, verifier, brought["code"])))


def renew(grant: Grant, token: Token) -> Token:
    """A fresh token without a person; one that says `refused` where a person has to sign in again."""
    if grant.flow == "service_account":
        return _of_service_account(grant)
    grant.web.hidden.add(token.renewal)
    answer = _post(grant, {"grant_type": "refresh_token", "refresh_token": token.renewal})
    if answer.get("error") == "invalid_grant":
        return replace(token, access="", renewal="", refused=grant.web.masked(_words(answer)))
    fresh = _token(grant, answer)
    return replace(fresh, renewal=fresh.renewal or token.renewal)


# -- a person ----------------------------------------------------------------------------------------


def _address(grant: Grant, back: str, verifier: str, state: str) -> str:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "client_id": grant.client_id,
        "redirect_uri": back,
        "response_type": "code",
        "scope": " ".join(grant.scopes),
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        "access_type": "offline",
        "prompt": "consent",  # else no second sign-in brings what renews the token
        "login_hint": grant.user,
    }
    return f"{grant.authority or _SIGN_IN}/o/oauth2/v2/auth?{urlencode(query)}"


def _exchange(back: str, verifier: str, code: str) -> dict[str, str]:
    return {"grant_type": "authorization_code", "code": code, "redirect_uri": back, "code_verifier": verifier}


def _post(grant: Grant, form: Mapping[str, str]) -> Mapping[str, Any]:
    secret = grant.secret()
    whole = {**form, "client_id": grant.client_id, "client_secret": secret}
    return _asked(grant, _token_address(grant), urlencode(whole).encode()).values


def _token_address(grant: Grant) -> str:
    return f"{grant.authority or _TOKENS}/token"


def _asked(grant: Grant, url: str, body: bytes) -> Answer:
    answer = grant.web.ask("POST", url, body=body, headers={"Content-Type": "application/x-www-form-urlencoded"})
    if answer.code == 429 or answer.code >= 500:
        raise grant.web.trouble(url, answer)
    if not answer.values:
        raise TransportError(
            grant.web.masked(f"the answer to the login is none: {answer.code} {answer.text[:100]}".strip()),
            where=url,
            hint="look for a proxy or a page that asks for a network login",
            account=True,
        )
    return answer


def _token(grant: Grant, answer: Mapping[str, Any]) -> Token:
    if "access_token" not in answer:
        raise _refusal(grant, answer)
    now = time.time()
    return Token(
        access=answer["access_token"],
        obtained=now,
        expires=now + float(answer.get("expires_in", 0)),
        renewal=answer.get("refresh_token", ""),
    )


def _refusal(grant: Grant, answer: Mapping[str, Any]) -> TransportError:
    return grant.refused(_words(answer), hint=_MEANS.get(str(answer.get("error")), ""))


def _words(answer: Mapping[str, Any]) -> str:
    return f"{answer.get('error', 'no token')}: {answer.get('error_description') or 'without a reason'}"[:400]


# -- a service account -------------------------------------------------------------------------------


def _of_service_account(grant: Grant) -> Token:
    try:
        from google.auth import exceptions  # noqa: PLC0415  an optional library, needed by service accounts alone
        from google.oauth2 import service_account  # noqa: PLC0415
    except ImportError as error:
        raise MissingDependency("google-auth", extra="oauth", purpose="a service account of Google") from error
    known = _key(grant)
    try:
        login = service_account.Credentials.from_service_account_info(  # type: ignore[no-untyped-call]
            known, scopes=[*grant.scopes], subject=grant.user
        )
    except ValueError as error:
        raise _no_key(grant, " ".join(str(error).split())) from None  # the cause may repeat the key
    try:
        login.refresh(_Asking(grant))
    except exceptions.RefreshError as error:
        told = error.args[1] if len(error.args) > 1 and isinstance(error.args[1], dict) else {"error": str(error)}
        raise _refusal(grant, told) from None
    expires = login.expiry.replace(tzinfo=dt.UTC).timestamp() if login.expiry else 0
    return Token(access=login.token, obtained=time.time(), expires=expires, user=known["client_email"])


def _key(grant: Grant) -> dict[str, Any]:
    try:
        known = json.loads(grant.key_file.read_text("utf-8")) if grant.key_file else None
    except (OSError, ValueError) as error:
        raise _no_key(grant, getattr(error, "strerror", None) or "it is no JSON") from None
    if not isinstance(known, dict):
        raise _no_key(grant, "it is no JSON object")
    return known | {"token_uri": _token_address(grant)}


def _no_key(grant: Grant, why: str) -> SettingsError:
    return SettingsError(
        f"the key file of the service account cannot be used: {why}",
        where=f"mail.oauth.key_file = {grant.key_file}",
        hint="make a key of the type JSON for the service account and save it there, readable for nobody else",
    )


@dataclass(frozen=True)
class _Asking:
    """How google-auth asks: through the same door as everything else."""

    grant: Grant

    def __call__(self, url: str, body: bytes | None = None, **_post: Any) -> _Response:
        answer = _asked(self.grant, url, body or b"")
        return _Response(status=answer.code, headers=answer.headers, data=answer.text.encode())


@dataclass(frozen=True)
class _Response:
    status: int
    headers: Mapping[str, str]
    data: bytes
