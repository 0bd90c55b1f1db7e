"""From `[mail]` to an account that can be used: provider, host, port, security, user and login settled."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

from reports.errors import DefinitionError, SettingsError
from reports.settings import Mail
from reports.transports.address import Address, parse
from reports.transports.providers import Endpoint, Provider, Security, find, guess

NOBODY = "reports@localhost"
"""The sender where nothing leaves the machine and settings name none."""


class Credential(Protocol):
    """What gives the secret when it is used: where one is kept, or a login that has tokens."""

    def reveal(self) -> str:
        """A password, or an access token that lasts for minutes at least."""
        ...


@dataclass(frozen=True, kw_only=True)
class Account:
    """All that a connection needs; the secret itself is fetched by `credentials()` when it is used.

    `sender` is the From of every message, with its display name. `user` may hold {secret} for providers
    whose token is both. `mechanism` is in capitals, empty to choose from what the server offers. `api` is
    the address of an API by HTTPS, empty for SMTP. With `signs_in` the secret is a token: `open_transport`
    puts the login there. Seconds and bytes; `size_limit` is None where nobody knows it.
    """

    provider: Provider
    sender: str
    host: str = ""
    port: int = 0
    security: Security = "tls"
    user: str = ""
    secret: Credential | None = field(default=None, repr=False)
    signs_in: bool = False
    mechanism: str = ""
    api: str = ""
    ca_file: str = ""
    timeout: float = 60
    size_limit: int | None = None

    @property
    def where(self) -> str:
        return f"{self.host}:{self.port}"

    def credentials(self) -> tuple[str, str] | None:
        """User and secret, or None where there is no login; a SettingsError where they cannot be sent."""
        if self.secret is None:
            if self.signs_in:
                raise SettingsError("this account signs in, and its login was not opened", where="mail.oauth")
            return None
        secret = self.secret.reveal()
        user = self.user.replace("{secret}", secret)
        _ascii(secret, "the secret", where="mail.oauth" if self.signs_in else f"mail.password = {self.secret}")
        _ascii(user, "the user name", where="mail.user")
        return user, secret


def resolve(mail: Mail) -> Account:
    """The account that `[mail]` describes; without any of one, the provider `folder`.

    A SettingsError names the key to change and what to write there.
    """
    provider = _provider(mail)
    author = _author(mail, provider)
    if provider.key == "folder":
        return Account(provider=provider, sender=mail.sender or NOBODY)
    api = _api(mail, provider)
    host, end = _api_place(api) if api else (_host(mail, provider, author), _endpoint(mail, provider))
    account = Account(
        provider=provider,
        sender=mail.sender or author.spec,
        host=host,
        port=end.port,
        security=end.security,
        user=_user(mail, provider, author),
        secret=mail.password if mail.auth != "none" else None,
        signs_in=mail.oauth is not None,
        mechanism=_mechanism(mail, provider),
        api=api,
        ca_file=mail.ca_file,
        timeout=mail.timeout,
        size_limit=mail.size_limit or provider.size,
    )
    for rule in _RULES:
        rule(mail, account, author)
    return account


def is_loopback(host: str) -> bool:
    """Whether that host is this machine itself."""
    try:
        return host.lower() == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def secure(url: str, *, where: str) -> str:
    """The address without a slash at its end; a SettingsError unless it is HTTPS, or this machine itself."""
    try:
        place = urlsplit(url)
        usable = place.scheme == "https" or (place.scheme == "http" and is_loopback(place.hostname or ""))
        usable = usable and bool(place.hostname) and (place.port or 1) > 0 and not place.query and url.isascii()
    except ValueError:
        usable = False
    if not usable:
        raise SettingsError(
            f"'{url}' is not an address to log in at",
            where=where,
            hint="write https:// and the host; plain http is only for this machine itself",
        )
    return url.rstrip("/")


# -- each part of an account ----------------------------------------------------------------------


def _provider(mail: Mail) -> Provider:
    if mail.provider:
        return find(mail.provider)
    if mail.host:
        return find("custom")
    address = _written_sender(mail)
    if address and (found := guess(_parsed(address).spec)):
        return found
    if mail.user or mail.password:
        raise SettingsError(
            f"'{address}' does not tell the mail provider" if address else "no mail provider is named",
            where="mail.provider",
            hint='add provider = "..." (`reports providers` lists them), or host of your own server',
        )
    return find("folder")


def _author(mail: Mail, provider: Provider) -> Address:
    stays_here = provider.kind == "development"
    if sender := _written_sender(mail) or (NOBODY if stays_here else ""):
        return _parsed(sender)
    raise SettingsError("nobody is named as the sender", where="mail.from", hint='add from = "Name <name@example.com>"')


def _written_sender(mail: Mail) -> str:
    return mail.sender or (mail.user if "@" in mail.user else "")


def _parsed(sender: str) -> Address:
    try:
        return parse(sender, where="mail.from")
    except DefinitionError as error:
        raise SettingsError(error.what, where=error.where, hint=error.hint) from error


def _host(mail: Mail, provider: Provider, author: Address) -> str:
    host = mail.host or provider.host.replace("{dashed_domain}", author.domain.replace(".", "-"))
    if not host:
        raise SettingsError("your own server has no host", where="mail.host", hint='add host = "mail.example.com"')
    if "{region}" in host:
        example = provider.regions[0] if provider.regions else "eu-central-1"
        raise SettingsError(
            f"{provider.title} has a server in each region",
            where="mail.provider",
            hint=f'name yours: provider = "{provider.key}:{example}", or write its host',
        )
    return host


def _endpoint(mail: Mail, provider: Provider) -> Endpoint:
    """Port and security as given; where one is missing, as the provider's row pairs it."""
    known = (Endpoint(provider.port or 0, provider.security), *provider.alternatives)
    usual = {465: "tls", 25: "starttls", 587: "starttls"}
    if mail.port is None:
        if not mail.security:
            return known[0]
        port = next((end.port for end in known if end.security == mail.security), None)
        return Endpoint(port or (465 if mail.security == "tls" else 587), mail.security)
    paired = next((end.security for end in known if end.port == mail.port), None)
    security = mail.security or (usual.get(mail.port) if paired is None else paired) or provider.security
    return Endpoint(mail.port, security)  # type: ignore[arg-type]


def _api(mail: Mail, provider: Provider) -> str:
    if provider.transport == "smtp":
        return ""
    given = mail.oauth.endpoint if mail.oauth else ""
    return secure(given or f"https://{provider.host}", where="mail.oauth.endpoint")


def _api_place(api: str) -> tuple[str, Endpoint]:
    place = urlsplit(api)
    plain = place.scheme == "http"
    return place.hostname or "", Endpoint(place.port or (80 if plain else 443), "none" if plain else "tls")


def _mechanism(mail: Mail, provider: Provider) -> str:
    if mail.oauth is not None and provider.transport == "smtp":
        return "XOAUTH2"
    return "" if mail.auth == "none" else mail.auth.upper()


def _user(mail: Mail, provider: Provider, author: Address) -> str:
    form = mail.user or provider.user
    named = {"{address}": author.spec, "{local}": author.local, "{domain}": author.domain}
    if not mail.user:
        for name, value in named.items():
            form = form.replace(name, value)
    return form


# -- what must hold ---------------------------------------------------------------------------------


def _one_login(mail: Mail, account: Account, _author: Address) -> None:
    if mail.oauth is None:
        return
    if mail.password is not None:
        raise SettingsError("there are two logins: a password and [mail.oauth]", where="mail.password", hint="keep one")
    if account.provider.oauth is None:
        raise SettingsError(
            f"nothing is known of how one signs in to {account.provider.title}",
            where="mail.oauth",
            hint='name the provider whose accounts these are, or give a token as password, with auth = "xoauth2"',
        )
    if mail.auth not in {"", "xoauth2"}:
        raise SettingsError(
            f'auth = "{mail.auth}" does not go with [mail.oauth]', where="mail.auth", hint="leave auth out"
        )


def _an_api_has_its_own_address(mail: Mail, account: Account, _author: Address) -> None:
    given = {"host": mail.host, "port": mail.port, "security": mail.security, "auth": mail.auth}
    for key in (key for key, value in given.items() if value and account.api):
        raise SettingsError(
            f"{account.provider.title} does not speak SMTP, and {key} is about that",
            where=f"mail.{key}",
            hint="leave it out; another cloud's address is written as endpoint in [mail.oauth]",
        )


def _login_is_complete(mail: Mail, account: Account, _author: Address) -> None:
    row, there = account.provider, account.secret is not None or account.signs_in
    wanted = "none" not in row.login or mail.auth not in {"", "none"}
    if wanted and not there and mail.auth != "none":
        signs_in = row.login == ("oauth",)
        raise SettingsError(
            f"{row.title} needs a login",
            where="mail.oauth" if signs_in else "mail.password",
            hint=row.advice if signs_in else f'add password = {{ env = "NAME" }}. {row.advice}',
        )
    if there and not account.user:
        raise SettingsError(f"{row.title} needs a user name", where="mail.user", hint=row.advice)


def _password_is_taken(mail: Mail, account: Account, _author: Address) -> None:
    token = account.signs_in or account.api or mail.auth == "xoauth2"
    if account.provider.login == ("oauth",) and mail.password is not None and not token:
        raise SettingsError(
            f"{account.provider.title} takes no password", where="mail.auth", hint=account.provider.advice
        )


def _nothing_in_the_clear(mail: Mail, account: Account, _author: Address) -> None:
    if account.security != "none" or is_loopback(account.host):
        return
    if account.secret is not None or account.signs_in:
        raise SettingsError(
            f"a login at {account.where} without TLS would show the password to the network",
            where="mail.security",
            hint='use security = "starttls" or "tls", or leave password out',
        )
    if not mail.allow_plaintext:
        raise SettingsError(
            f"mail to {account.where} would cross the network unencrypted",
            where="mail.security",
            hint='use security = "starttls" or "tls", or say allow_plaintext = true',
        )


def _from_is_the_login(_mail: Mail, account: Account, author: Address) -> None:
    if not account.provider.from_must_match_login or "@" not in account.user:
        return
    if account.user.casefold() != author.spec.casefold():
        raise SettingsError(
            f"{account.provider.title} takes mail only from the address that logs in: "
            f"from is {author.spec}, user is {account.user}",
            where="mail.from",
            hint=f'set from = "{account.user}"; replies may go elsewhere with reply_to',
        )


def _sendable(mail: Mail, account: Account, _author: Address) -> None:
    _ascii(account.user, "the user name", where="mail.user")
    _ascii(mail.host, "the host", where="mail.host")


_RULES: tuple[Callable[[Mail, Account, Address], None], ...] = (
    _one_login,
    _an_api_has_its_own_address,
    _password_is_taken,
    _login_is_complete,
    _nothing_in_the_clear,
    _from_is_the_login,
    _sendable,
)


def _ascii(text: str, what: str, *, where: str) -> None:
    if not text.isascii() or not text.isprintable():
        raise SettingsError(
            f"{what} has letters or signs that a mail server cannot take",
            where=where,
            hint="only ASCII is possible; a pasted password may hold a typographic quote or space",
        )
