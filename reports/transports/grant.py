"""What is asked of whom before mail may be sent: one login by OAuth, settled from settings and the provider's row."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from reports.errors import SettingsError, TransportError
from reports.secret import Secret
from reports.settings import OAuth
from reports.transports.account import Account, secure
from reports.transports.https import Web
from reports.transports.providers import Flow, SignIn

LOGIN = "run `reports login`"
_IN_WORDS: dict[Flow, str] = {
    "device": "a code typed elsewhere",
    "browser": "the browser on this machine",
    "client": "the program's own secret",
    "service_account": "a service account",
}
Tell = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Grant:
    """One login: who this program is, which way it goes, and what it asks for.

    `user` is the mailbox. `authority` is the address to sign in at, empty for the provider's own.
    """

    provider: str
    title: str
    family: str
    flow: Flow
    user: str
    scopes: tuple[str, ...]
    client_id: str = ""
    client_secret: Secret | None = None
    tenant: str = ""
    key_file: Path | None = None
    authority: str = ""
    web: Web = field(repr=False, compare=False)

    @property
    def by_person(self) -> bool:
        """Whether somebody signs in, and not the program as itself."""
        return self.flow in {"device", "browser"}

    @property
    def how(self) -> str:
        """The flow in words."""
        return _IN_WORDS[self.flow]

    @property
    def key(self) -> str:
        """A name for its token: the same however a person signs in, another for anything else."""
        way = "person" if self.by_person else self.flow
        parts = [self.family, way, self.user, *self.scopes, self.client_id, self.tenant, self.authority]
        digest = hashlib.sha256(json.dumps([*parts, str(self.key_file or "")]).encode()).hexdigest()
        return f"{self.provider}-{digest[:16]}"

    def secret(self) -> str:
        """The program's own secret, hidden from every text from here on; empty where it has none."""
        secret = self.client_secret.reveal() if self.client_secret else ""
        self.web.hidden |= {secret} - {""}
        return secret

    def refused(self, words: str, *, hint: str = "") -> TransportError:
        """The error for a login that was said no to, which is never tried again by itself."""
        return TransportError(
            self.web.masked(f"{self.title} refused the login: {words}"),
            where=f"mail.oauth, {self.user}",
            hint=hint or LOGIN,
            permanent=True,
            account=True,
        )


def settle(oauth: OAuth, account: Account, *, flow: str = "") -> Grant:
    """The login that `[mail.oauth]` describes; a SettingsError names the key that is missing or wrong."""
    row = account.provider.oauth
    if row is None:
        raise SettingsError(f"nothing is known of how one signs in to {account.provider.title}", where="mail.oauth")
    chosen = _flow(oauth, account, row, flow)
    own = chosen in {"client", "service_account"}
    grant = Grant(
        provider=account.provider.key,
        title=account.provider.title,
        family=row.family,
        flow=chosen,
        user=account.user,
        scopes=_scopes(oauth, (own and row.own_scopes) or row.scopes, row),
        client_id=oauth.client_id,
        client_secret=oauth.client_secret,
        tenant=oauth.tenant or row.tenant,
        key_file=oauth.root / oauth.key_file if oauth.key_file and chosen == "service_account" else None,
        authority=secure(oauth.authority, where="mail.oauth.authority") if oauth.authority else "",
        web=Web(account),
    )
    _is_complete(oauth, grant)
    return grant


def _flow(oauth: OAuth, account: Account, row: SignIn, flow: str) -> Flow:
    """As asked for, else as settings say, else what the keys given are for, else the provider's usual one."""
    implied = {"client": row.family == "microsoft" and oauth.client_secret, "service_account": oauth.key_file}
    guessed = next((name for name in row.flows if implied.get(name)), row.flows[0])
    wanted = flow or oauth.flow or guessed
    if found := next((name for name in row.flows if name == wanted), None):
        return found
    why = "Google gives no access to mail by it" if (row.family, wanted) == ("google", "device") else ""
    raise SettingsError(
        f"{account.provider.title} has no flow '{wanted}'" + (f": {why}" if why else ""),
        where="mail.oauth.flow",
        hint="; ".join(f'"{name}": {_IN_WORDS[name]}' for name in row.flows),
    )


def _scopes(oauth: OAuth, scopes: tuple[str, ...], row: SignIn) -> tuple[str, ...]:
    """With another address of Microsoft's API, that is what the token is for."""
    if not oauth.endpoint or row.family != "microsoft":
        return scopes
    place = secure(oauth.endpoint, where="mail.oauth.endpoint")
    return tuple(place + urlsplit(scope).path for scope in scopes)


def _is_complete(oauth: OAuth, grant: Grant) -> None:
    needed = {
        "key_file": (grant.flow == "service_account", 'the key file of the service account: key_file = "key.json"'),
        "client_id": (grant.flow != "service_account", "the id of the app that is registered with the provider"),
        "client_secret": (
            grant.flow == "client" or (grant.family, grant.flow) == ("google", "browser"),
            'the app\'s secret: client_secret = { env = "NAME" }',
        ),
        "tenant": (grant.flow == "client", "the directory's id or domain: the program signs in to one tenant"),
    }
    for key, (wanted, hint) in needed.items():
        if wanted and not getattr(oauth, key):
            raise SettingsError(
                f"a login by {grant.how} needs {key}", where=f"mail.oauth.{key}", hint=f"add {hint}; see docs, Logins"
            )
