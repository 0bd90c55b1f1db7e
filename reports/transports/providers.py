"""Presets of mail providers: rows of data in providers.toml, what their replies mean in replies.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, Literal

from reports.errors import SettingsError, choices
from reports.model import Receipt

Security = Literal["tls", "starttls", "none"]
Login = Literal["password", "app_password", "code", "oauth", "key", "none"]
Flow = Literal["device", "browser", "client", "service_account"]

MOST_RECIPIENTS = 100
"""Recipients of one transaction that every server must take (RFC 5321, 4.5.3.1.8)."""
_HERE = Path(__file__).parent
_NEVER_TAKEN_OVER = ("title", "aliases", "domains")
# What may follow the dot in a pattern like "yahoo.*": a country, not somebody else's domain.
_ENDING = re.compile(r"[a-z]{2,3}|(com|co|net|org)\.[a-z]{2}")
_REGION = re.compile(r"[a-z0-9]+([.-][a-z0-9]+)*")


@dataclass(frozen=True)
class Endpoint:
    """A port and how it is secured: from the first byte (tls), after STARTTLS, or not at all."""

    port: int
    security: Security


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Most that a provider takes; None where that is not known."""

    messages_per_minute: int | None = None
    messages_per_day: int | None = None
    recipients_per_day: int | None = None
    recipients_per_message: int | None = None
    messages_per_connection: int | None = None
    connections: int | None = None

    @property
    def recipients(self) -> int:
        """Recipients of one transaction: where nothing is known, what every server must take."""
        return self.recipients_per_message or MOST_RECIPIENTS


@dataclass(frozen=True, kw_only=True)
class SignIn:
    """How one signs in by OAuth: whose tokens they are, and the flows there are, the usual one first.

    `scopes` are asked of a person, `own_scopes` for the program itself. `tenant` is the directory of
    Microsoft where settings name none.
    """

    family: Literal["microsoft", "google"]
    flows: tuple[Flow, ...]
    scopes: tuple[str, ...]
    own_scopes: tuple[str, ...] = ()
    tenant: str = ""


@dataclass(frozen=True, kw_only=True)
class Provider:
    """One row.

    `domains` are patterns of mail domains that imply it. `host` may hold {region} and {dashed_domain}; `user`
    is the form of the user name, with {address}, {local}, {domain} and {secret}, empty where it cannot be
    known. `size` is in bytes of the encoded message, None where unknown. `mechanisms` are the only ones to
    try, in that order; empty means any. `transport` is what carries its messages: where it is neither SMTP nor
    a folder, `host` is that of an API by HTTPS. `oauth` is None where nothing is known of it. `help` is what to
    read when the login fails, `help_en` its English.
    """

    key: str
    title: str
    kind: Literal["mailbox", "service", "development", "custom"] = "mailbox"
    aliases: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    host: str = ""
    port: int | None = None
    security: Security = "tls"
    alternatives: tuple[Endpoint, ...] = ()
    regions: tuple[str, ...] = ()
    login: tuple[Login, ...]
    user: str = "{address}"
    size: int | None = None
    limits: Limits = Limits()
    from_must_match_login: bool = False
    mechanisms: tuple[str, ...] = ()
    transport: Literal["smtp", "graph", "gmail", "folder"] = "smtp"
    oauth: SignIn | None = None
    help: str
    help_en: str = ""
    notes: tuple[str, ...] = ()

    @property
    def advice(self) -> str:
        """What to do when the login fails, in the provider's language and in English."""
        return f"{self.help} {self.help_en}".strip()

    @property
    def names(self) -> Sequence[str]:
        return (self.key, *self.aliases)


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """What a reply means and what to do; `permanent` is None where the reply code says it rightly.

    `account` says that it is about the account, so that no other message would fare better.
    """

    means: str
    do: str
    permanent: bool | None = None
    retry_after: float | None = None
    account: bool = False


@dataclass(frozen=True, kw_only=True)
class _Reply:
    meaning: Meaning
    code: re.Pattern[str]
    text: re.Pattern[str]
    providers: frozenset[str]

    def fits(self, provider: str, code: int, text: str) -> bool:
        at_home = not self.providers or provider in self.providers
        return at_home and bool(self.code.fullmatch(str(code)) and self.text.search(text))


def every() -> Mapping[str, Provider]:
    """All rows by key, in the order of the file."""
    return _rows()


def find(name: str) -> Provider:
    """The provider of that key or alias; `key:region` fills in the region of its host.

    A SettingsError names the nearest valid name.
    """
    key, _, region = name.partition(":")
    provider = _by_name().get(_plain(key))
    if provider is None:
        raise _unknown(name, _plain(key))
    return _in_region(provider, region.strip().lower()) if region else provider


def guess(address: str) -> Provider | None:
    """The provider that the domain of `address` implies, the more specific pattern first, or None."""
    domain = address.strip(" <>").rpartition("@")[2].lower()
    patterns = ((pattern, row) for row in every().values() for pattern in row.domains)
    fitting = [(pattern, row) for pattern, row in patterns if _fits(pattern, domain)]
    return min(fitting, key=lambda one: ("*" in one[0], -len(one[0])))[1] if fitting else None


def explain(provider: Provider) -> Mapping[str, Any]:
    """The row as plain values for JSON, with the replies known of it; what is not known is null."""
    replies = [reply for reply in _replies() if not reply.providers or provider.key in reply.providers]
    told = [
        {"code": reply.code.pattern, "text": reply.text.pattern, **asdict(reply.meaning)}
        for reply in replies
        if provider.host
    ]
    return asdict(provider) | {"replies": told}


def meaning(provider: Provider, code: int, text: str) -> Meaning | None:
    """What that reply means when this provider gives it, or None where nobody has written it down."""
    fitting = (reply for reply in _replies() if reply.fits(provider.key, code, text))
    return next((reply.meaning for reply in fitting), None)


def receipt(provider: Provider, recipient: str, code: int, text: str) -> Receipt:
    """The receipt for a recipient who got this reply: the provider's meaning wins over the code's."""
    if 200 <= code < 300:
        return Receipt(recipient=recipient, state="accepted", code=code, text=text)
    found = meaning(provider, code, text)
    permanent = code >= 500 if found is None or found.permanent is None else found.permanent
    state: Literal["refused", "deferred"] = "refused" if permanent else "deferred"
    hint = f"{found.means}: {found.do}" if found else ""
    wait = found.retry_after if found and not permanent else None
    return Receipt(recipient=recipient, state=state, code=code, text=text, hint=hint, retry_after=wait)


# -- reading the rows -----------------------------------------------------------------------------


@cache
def _rows() -> Mapping[str, Provider]:
    tables = tomllib.loads((_HERE / "providers.toml").read_text("utf-8"))
    return {key: _provider(key, _whole(table, tables)) for key, table in tables.items()}


def _whole(table: Mapping[str, Any], tables: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    other = tables[table["like"]] if "like" in table else {}
    taken = {key: value for key, value in other.items() if key not in _NEVER_TAKEN_OVER}
    return taken | {key: value for key, value in table.items() if key != "like"}


def _provider(key: str, row: dict[str, Any]) -> Provider:
    ends = tuple(_endpoint(text) for text in row.pop("alternatives", ()))
    limits = Limits(**row.pop("limits", {}))
    oauth = SignIn(**_tuples(row.pop("oauth"))) if "oauth" in row else None
    return Provider(key=key, alternatives=ends, limits=limits, oauth=oauth, **_tuples(row))


def _tuples(table: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in table.items()}


def _endpoint(text: str) -> Endpoint:
    port, security = text.split()
    return Endpoint(int(port), security)  # type: ignore[arg-type]  # a test holds rows to the three words


@cache
def _by_name() -> Mapping[str, Provider]:
    return {_plain(name): row for row in every().values() for name in row.names}


@cache
def _replies() -> Sequence[_Reply]:
    tables = tomllib.loads((_HERE / "replies.toml").read_text("utf-8"))["reply"]
    return tuple(_reply(table) for table in tables)


def _reply(table: Mapping[str, Any]) -> _Reply:
    known = {"means", "do", "permanent", "retry_after", "account"}
    return _Reply(
        meaning=Meaning(**{key: value for key, value in table.items() if key in known}),
        code=re.compile(table["code"]),
        text=re.compile(table["text"], re.IGNORECASE),
        providers=frozenset(table.get("providers", ())),
    )


# -- names ------------------------------------------------------------------------------------------


def _plain(name: str) -> str:
    return re.sub(r"[ .-]+", "_", name.strip().lower())


def _unknown(name: str, plain: str) -> SettingsError:
    hint = choices(plain, every(), what="your own server is 'custom' with host; the rows are")
    return SettingsError(f"there is no provider '{name}'", where="mail.provider", hint=hint)


def _in_region(provider: Provider, region: str) -> Provider:
    valid = not provider.regions or region in provider.regions
    if "{region}" not in provider.host or not valid or not _REGION.fullmatch(region):
        raise SettingsError(
            f"{provider.title} has no region '{region}'",
            where="mail.provider",
            hint=f"its regions are: {', '.join(provider.regions)}" if provider.regions else "",
        )
    return replace(provider, host=provider.host.replace("{region}", region))


def _fits(pattern: str, domain: str) -> bool:
    if pattern.endswith(".*"):
        stem = pattern.removesuffix("*")
        return domain.startswith(stem) and bool(_ENDING.fullmatch(domain.removeprefix(stem)))
    return fnmatchcase(domain, pattern)
