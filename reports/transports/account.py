"""From `[mail]` to an account that can be used: provider, host, port, security, user and login settled."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, field

from reports.errors import DefinitionError, SettingsError
from reports.settings import Mail, Secret
from reports.transports.address import Address, parse
from reports.transports.providers import Endpoint, Provider, Security, find, guess

NOBODY = "reports@localhost"
"""The sender where nothing leaves the machine and settings name none."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """All that a connection needs; the secret itself is fetched by `credentials()` when it is used.

    `sender` is the From of every message, with its display name. `user` may hold {secret} for providers
    whose token is both. `mechanism` is in capitals, empty to choose from what the server offers. Seconds
    and bytes; `size_limit` is None where nobody knows it.
    """

    provider: Provider
    sender: str
    host: str = ""
    port: int = 0
    security: Security = "tls"
    user: str = ""
    secret: Secret | None = field(default=None, repr=False)
    mechanism: str = ""
    ca_file: str = ""
    timeout: float = 60
    size_limit: int | None = None

    @property
    def where(self) -> str:
        return f"{self.host}:{self.port}"

    def credentials(self) -> tuple[str, str] | None:
        """User and secret, or None where there is no login; a SettingsError where they cannot be sent."""
        if self.secret is None:
            return None
        secret = self.secret.reveal()
        user = self.user.replace("{secret}", secret)
        _ascii(secret, "the secret", where=f"mail.password = {self.secret}")
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
    host, end = _host(mail, provider, author), _endpoint(mail, provider)
    account = Account(
        provider=provider,
        sender=mail.sender or author.spec,
        host=host,
        port=end.port,
        security=end.security,
        user=_user(mail, provider, author),
        secret=mail.password if mail.auth != "none" else None,
        mechanism="" if mail.auth == "none" else mail.auth.upper(),
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


def _user(mail: Mail, provider: Provider, author: Address) -> str:
    form = mail.user or provider.user
    named = {"{address}": author.spec, "{local}": author.local, "{domain}": author.domain}
    if not mail.user:
        for name, value in named.items():
            form = form.replace(name, value)
    return form


# -- what must hold ---------------------------------------------------------------------------------


def _login_is_complete(mail: Mail, account: Account, _author: Address) -> None:
    row = account.provider
    if account.secret is None and "none" not in row.login and mail.auth != "none":
        raise SettingsError(
            f"{row.title} needs a login",
            where="mail.password",
            hint=f'add password = {{ env = "NAME" }}. {row.advice}',
        )
    if account.secret is not None and not account.user:
        raise SettingsError(f"{row.title} needs a user name", where="mail.user", hint=row.advice)


def _password_is_taken(mail: Mail, account: Account, _author: Address) -> None:
    if account.provider.login == ("oauth",) and mail.auth != "xoauth2":
        raise SettingsError(
            f"{account.provider.title} takes no password", where="mail.auth", hint=account.provider.advice
        )


def _nothing_in_the_clear(mail: Mail, account: Account, _author: Address) -> None:
    if account.security != "none" or is_loopback(account.host):
        return
    if account.secret is not None:
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
