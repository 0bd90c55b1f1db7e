"""Logins by OAuth: a token that is always fresh where mail is sent, and the sign-in that it starts from."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType

from reports.errors import SettingsError, TransportError
from reports.settings import Mail, OAuth
from reports.transports import google, microsoft
from reports.transports.account import Account, resolve
from reports.transports.grant import LOGIN, Grant, Tell, settle
from reports.transports.providers import find
from reports.transports.tokens import Cache, FileCache, KeyringCache, Token, held

FOLDER = "tokens"
"""Where in the data folder tokens are kept."""
_USABLE = 30.0
"""Seconds that a token must still last to be used where renewing it early did not work out."""
_FAMILIES: dict[str, ModuleType] = {"microsoft": microsoft, "google": google}


@dataclass(frozen=True)
class Login:
    """A login that several processes share: its token is renewed early, once, by whoever comes first."""

    grant: Grant
    cache: Cache
    lock: Path
    clock: Callable[[], float] = field(default=time.time, repr=False)

    def reveal(self) -> str:
        """An access token that lasts five minutes at least.

        A permanent TransportError where somebody has to sign in; what was refused once is not asked again.
        """
        return self.token().access

    def token(self) -> Token:
        """As `reveal`, with all that is known of the token."""
        kept = self.cache.read()
        if kept is not None and kept.lasts(self.clock()):
            return kept
        with held(self.lock):
            kept = self.cache.read() or Token()
            if kept.lasts(self.clock()):
                return kept
            return self._renewed(kept)

    def sign_in(self, tell: Tell) -> Token:
        """A new token, kept for all who send; `tell` is told what a person has to do."""
        token: Token = _FAMILIES[self.grant.family].sign_in(self.grant, tell)
        with held(self.lock):
            self.cache.write(token)
        return token

    def _renewed(self, kept: Token) -> Token:
        if self.grant.by_person and not kept.renewal:
            raise self._nobody(kept)
        try:
            token: Token = _FAMILIES[self.grant.family].renew(self.grant, kept)
        except TransportError as error:
            if not error.permanent and kept.lasts(self.clock(), early=_USABLE):
                return kept
            raise
        self.cache.write(token)
        if token.refused:
            raise self._nobody(token)
        return token

    def _nobody(self, token: Token) -> TransportError:
        if token.refused:
            return self.grant.refused(token.refused, hint=f"{LOGIN}: somebody has to sign in again")
        return TransportError(
            f"nobody is signed in to {self.grant.title} as {self.grant.user}",
            where=self.cache.place,
            hint=LOGIN,
            permanent=True,
            account=True,
        )

    def __str__(self) -> str:
        return "[mail.oauth]"


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """Who is signed in where, until when the token lasts, and whether it is renewed without a person.

    `user` is the mailbox; `person` who signed in, where the other side says so.
    """

    provider: str
    title: str
    flow: str
    user: str
    person: str
    until: dt.datetime
    kept_in: str


def with_login(account: Account, oauth: OAuth, data_folder: Path) -> Account:
    """The account with the login of `[mail.oauth]` as its secret."""
    return replace(account, secret=_login(oauth, account, data_folder))


def sign_in(mail: Mail, data_folder: Path, *, provider: str = "", flow: str = "", tell: Tell) -> SignedIn:
    """Sign in for `[mail]` by the flow that settings name, or another of the same kind.

    `tell` is given what a person has to do, a sentence each. A SettingsError names the key that is
    missing; a TransportError says why the login was refused.
    """
    login = _wanted(mail, data_folder, provider=provider, flow=flow)
    token = login.sign_in(tell)
    grant = login.grant
    return SignedIn(
        provider=grant.provider,
        title=grant.title,
        flow=grant.flow,
        user=grant.user,
        person=token.user,
        until=dt.datetime.fromtimestamp(token.expires, dt.UTC),
        kept_in=login.cache.place,
    )


def forget(mail: Mail, data_folder: Path, *, provider: str = "", flow: str = "") -> tuple[bool, str]:
    """Delete the token that is kept for `[mail]`: whether there was one, and where."""
    login = _wanted(mail, data_folder, provider=provider, flow=flow)
    with held(login.lock):
        return login.cache.forget(), login.cache.place


def _wanted(mail: Mail, data_folder: Path, *, provider: str, flow: str) -> Login:
    mail = _of_provider(mail, provider)
    account = resolve(mail)
    if mail.oauth is None:
        raise SettingsError(
            f"there is nothing to sign in to: {account.provider.title} is used without [mail.oauth]",
            where="mail.oauth",
            hint=account.provider.advice,
        )
    login = _login(mail.oauth, account, data_folder, flow=flow)
    used = settle(mail.oauth, account)
    if login.grant.key != used.key:
        raise SettingsError(
            f"settings send by the flow '{used.flow}', which would not find what '{flow}' brings",
            where="mail.oauth.flow",
            hint=f'write flow = "{flow}" there',
        )
    return login


def _of_provider(mail: Mail, provider: str) -> Mail:
    if not provider:
        return mail
    asked = find(provider)
    used = resolve(mail.model_copy(update={"provider": mail.provider or provider})).provider
    if asked.key != used.key:
        raise SettingsError(
            f"mail goes through {used.title}, and a login at {asked.title} would not be used",
            where="mail.provider",
            hint=f'write provider = "{asked.key}" there',
        )
    return mail.model_copy(update={"provider": mail.provider or provider})


def _login(oauth: OAuth, account: Account, data_folder: Path, *, flow: str = "") -> Login:
    grant = settle(oauth, account, flow=flow)
    folder = data_folder / FOLDER
    cache = KeyringCache(grant.key) if oauth.cache == "keyring" else FileCache(folder / f"{grant.key}.json")
    return Login(grant, cache, folder / f"{grant.key}.lock")
