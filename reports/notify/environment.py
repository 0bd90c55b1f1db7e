"""An account, and all else that a script needs, by variables of the environment: ours, or those of Flask-Mail.

Ours are REPORTS_ and the name of a key of settings.toml; lists are separated by commas. Flask-Mail's MAIL_* are read
as that extension reads them, where none of ours names an account.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reports.errors import SettingsError
from reports.settings import environment
from reports.toml import Document, Key

PREFIX = "REPORTS_"
VARIABLES: Mapping[str, Key] = {
    "PROVIDER": ("mail", "provider"),
    "HOST": ("mail", "host"),
    "PORT": ("mail", "port"),
    "SECURITY": ("mail", "security"),
    "USER": ("mail", "user"),
    "PASSWORD": ("mail", "password", "env"),
    "PASSWORD_FILE": ("mail", "password", "file"),
    "PASSWORD_KEYRING": ("mail", "password", "keyring"),
    "AUTH": ("mail", "auth"),
    "CA_FILE": ("mail", "ca_file"),
    "ALLOW_PLAINTEXT": ("mail", "allow_plaintext"),
    "TIMEOUT": ("mail", "timeout"),
    "FROM": ("mail", "from"),
    "REPLY_TO": ("mail", "reply_to"),
    "ALLOW": ("mail", "allow"),
    "REDIRECT": ("mail", "redirect"),
    "EXPIRES": ("mail", "expires"),
    "ON_UNKNOWN": ("mail", "on_unknown"),
    "ADMINS": ("notify", "admins"),
    "TO": ("notify", "to"),
    "VIA": ("notify", "via"),
    "SUBJECT_PREFIX": ("notify", "subject_prefix"),
    "BASE_URL": ("notify", "base_url"),
    "SLACK_TOKEN": ("channels", "slack", "token", "env"),
    "SLACK_TO": ("channels", "slack", "to"),
    "SLACK_WEBHOOK": ("channels", "slack", "webhook", "env"),
    "APPRISE_URL": ("channels", "apprise", "url", "env"),
    "TIMEZONE": ("timezone",),
    "LANGUAGE": ("language",),
    "CURRENCY": ("currency",),
    "DATA": ("data",),
}
"""What each variable is in settings.toml, by its name without REPORTS_."""
FLASK: Mapping[str, Key] = {
    "MAIL_SERVER": ("mail", "host"),
    "MAIL_PORT": ("mail", "port"),
    "MAIL_USERNAME": ("mail", "user"),
    "MAIL_PASSWORD": ("mail", "password", "env"),
    "MAIL_DEFAULT_SENDER": ("mail", "from"),
}
_LISTS = {("mail", "allow"), ("notify", "admins"), ("notify", "to"), ("notify", "via"), ("channels", "slack", "to")}
_OF_AN_ACCOUNT = ("PROVIDER", "HOST", "USER", "FROM")
_YES, _NO = {"true", "1", "yes", "on", "t", "y"}, {"false", "0", "no", "off", "f", "n", ""}


@dataclass(frozen=True)
class Environment(Document):
    """The variables as the tables of a settings.toml, which still know their names."""

    names: Mapping[Key, str] = field(default_factory=dict)

    def where(self, key: Sequence[str | int]) -> str:
        """The variable, or several of one table."""
        named = [
            name for path, name in self.names.items() if path[: len(key)] == tuple(key) or path == key[: len(path)]
        ]
        return f"environment variable {', '.join(named)}" if named else super().where(key)


def read() -> Environment:
    """All that the environment says."""
    names = {path: f"{PREFIX}{name}" for name, path in VARIABLES.items() if environment(f"{PREFIX}{name}")}
    if not any(environment(f"{PREFIX}{name}") for name in _OF_AN_ACCOUNT):
        names |= {path: name for name, path in FLASK.items() if environment(name)}
    tables: dict[str, Any] = {}
    for path, name in names.items():
        _put(tables, path, _value(path, name))
    if ("mail", "host") in names and names["mail", "host"] == "MAIL_SERVER":
        tables["mail"] |= _as_flask()
    return Environment(Path("environment"), tables, "", names)


def _value(path: Key, name: str) -> Any:
    value = environment(name)
    if path[-1] == "env":  # a secret: it stays where it is until it is used
        return name
    return _listed(value) if path in _LISTS else value


def _listed(text: str) -> list[str]:
    """What stands between commas, which may also be part of a name in quotes."""
    return [one.strip() for one in re.findall(r'(?:[^,"]|"[^"]*")+', text) if one.strip()]


def _put(tables: dict[str, Any], path: Key, value: Any) -> None:
    *above, last = map(str, path)
    for name in above:
        tables = tables.setdefault(name, {})
    tables[last] = value


def _as_flask() -> dict[str, Any]:
    """Port 25 and no encryption unless told so, and nothing sent where that is suppressed, as Flask-Mail has it."""
    tls, ssl = _switch("MAIL_USE_TLS"), _switch("MAIL_USE_SSL")
    security = "tls" if ssl else "starttls" if tls else "none"
    said = {"port": environment("MAIL_PORT") or 25, "security": security}
    return said | ({"provider": "folder"} if _switch("MAIL_SUPPRESS_SEND") else {})


def _switch(name: str) -> bool:
    value = environment(name).strip().lower()
    if value not in _YES | _NO:
        raise SettingsError(
            f"'{environment(name)}' is neither true nor false",
            where=f"environment variable {name}",
            hint="write true or false",
        )
    return value in _YES
