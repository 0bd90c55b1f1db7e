"""By which settings a script sends: those of its project, else the environment, with whatever the call names itself.

    a project's settings.toml, the nearest upwards  ->  its [mail], [channels], [notify] and its outbox
    no project, or one without an account           ->  REPORTS_*, else Flask-Mail's MAIL_*
    arguments of the call                           ->  before either

What goes by another account than the project's has an outbox of its own, since all that waits in one is sent by one
account: in the project's data folder, or else in the user's.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TypedDict, TypeVar

import platformdirs
from pydantic import BaseModel

from reports import project as projects
from reports import toml
from reports.errors import SettingsError
from reports.notify import environment
from reports.notify.environment import Environment
from reports.secret import Given
from reports.settings import Mail, Settings, Store
from reports.transports.account import resolve

Project = str | Path | Literal[False] | None
FOLDER = "notify"
"""Where in a project's data folder the outboxes of accounts lie that are not the project's own."""
_Model = TypeVar("_Model", bound=BaseModel)


class Account(TypedDict, total=False):
    """An account that a call names itself, by the keys of [mail]."""

    provider: str
    host: str
    port: int
    security: Literal["tls", "starttls", "none"]
    user: str
    password: str
    auth: Literal["plain", "login", "cram-md5", "xoauth2", "none"]
    ca_file: str
    allow_plaintext: bool
    timeout: float


_KEYS = (*Account.__annotations__, "from", "oauth")


def settings_for(project: Project = None, *, sender: str = "", account: Account | None = None) -> Settings:
    """The settings to send by; `project` is a folder, None the nearest upwards, False none at all.

    A SettingsError names the key, the variable or the argument to change.
    """
    found, around = _of_project(project), environment.read()
    own = found is not None and _has_account(found)
    settings = found if found is not None and own else _by_environment(found, around)
    if account:
        settings, own = _by_arguments(settings, account, sender, around), False
    elif sender:
        settings = _with_mail(settings, _arguments({"from": sender}))
    return settings if own else _elsewhere(settings, found)


def _of_project(project: Project) -> Settings | None:
    if project is False:
        return None
    if project:
        return projects.read_settings(projects.find_root(Path(project)))[0]
    if (root := projects.nearest()) is None:
        return None
    try:
        return projects.read_settings(root)[0]
    except SettingsError as error:
        found = SettingsError(
            "this is the nearest settings.toml upwards, so it is read",
            where=str(root / projects.FILE),
            hint="if it is another program's, say project=False, or set REPORTS_PROJECT to the folder of yours",
        )
        raise SettingsError.join([*error.problems, found]) from error


def _has_account(settings: Settings) -> bool:
    mail = settings.mail
    return bool(mail.provider or mail.host or mail.user or mail.sender)


def _by_environment(found: Settings | None, around: Environment) -> Settings:
    """The account that the environment names, or none; a project keeps all else that it says."""
    if found is not None:
        ours = {key: value for key, value in around.tables.get("mail", {}).items() if key in _KEYS}
        return _with_mail(found, replace(around, tables={"mail": ours}))
    data = around.tables.get("data") or str(platformdirs.user_data_path("reports", appauthor=False))
    tables = {**around.tables, "data": data}
    return _validated(replace(around, tables=tables), Settings, root=Path(data))


def _by_arguments(settings: Settings, account: Account, sender: str, around: Environment) -> Settings:
    """The account that the call names; whom mail may reach is still the project's to say.

    A provider or a host makes it another account, of which the environment may have user and password.
    """
    given: dict[str, Any] = {key: value for key, value in account.items() if value not in (None, "")}
    password = given.pop("password", None)
    if unknown := sorted(given.keys() - Account.__annotations__.keys()):
        raise TypeError(f"send() takes no argument '{unknown[0]}'")
    if "provider" in given or "host" in given:
        login = {key: value for key, value in around.tables.get("mail", {}).items() if key in ("user", "password")}
        fresh = settings.mail.model_copy(update={name: Mail.model_fields[name].default for name in _fields()})
        settings = settings.model_copy(update={"mail": fresh})
        given = login | given
    settings = _with_mail(settings, _arguments(given | ({"from": sender} if sender else {})))
    if password is not None:
        mail = settings.mail.model_copy(update={"password": Given.of(str(password)), "oauth": None})
        settings = settings.model_copy(update={"mail": mail})
    return settings


def _fields() -> list[str]:
    """The fields of [mail] that make an account."""
    return [name for name, field in Mail.model_fields.items() if (field.alias or name) in _KEYS]


def _arguments(given: Mapping[str, Any]) -> Environment:
    names: Mapping[toml.Key, str] = {("mail", key): key for key in given}
    return Arguments(Path("arguments"), {"mail": dict(given)}, "", names)


class Arguments(Environment):
    """What a call says, as the tables of a settings.toml."""

    def where(self, key: Sequence[str | int]) -> str:
        """The argument."""
        return super().where(key).replace("environment variable", "argument")


def _with_mail(settings: Settings, said: Environment) -> Settings:
    """The settings with these keys of [mail] in place of theirs."""
    kept = {field.alias or name: getattr(settings.mail, name) for name, field in Mail.model_fields.items()}
    tables = {"mail": kept | said.tables["mail"]}
    made = _validated(replace(said, tables=tables), Settings, root=settings.root)
    return settings.model_copy(update={"mail": made.mail})


def _validated(document: toml.Document, model: type[_Model], *, root: Path) -> _Model:
    return toml.validate(document, model, error=SettingsError, root=root)


def _elsewhere(settings: Settings, found: Settings | None) -> Settings:
    """The same with an outbox of its own, named after the account."""
    folder = found.data_folder / FOLDER if found else settings.data_folder
    return settings.model_copy(update={"data": str((folder / _name(settings)).absolute()), "store": Store()})


def _name(settings: Settings) -> str:
    account = resolve(settings.mail)
    if account.provider.key == "folder":
        return "folder"
    whose = account.user or account.sender
    said = re.sub(r"[^a-z0-9]+", "-", f"{whose}-{account.host}".lower()).strip("-")[:60]
    facts = (account.provider.key, account.host, str(account.port), whose)
    return f"{said}-{hashlib.sha256(chr(0).join(facts).encode()).hexdigest()[:8]}"
