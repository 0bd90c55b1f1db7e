"""Where a secret is kept, for settings and jobs alike: never in the file, fetched when used, shown nowhere."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Self

from pydantic import PrivateAttr, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from reports.errors import MissingDependency, SettingsError
from reports.parts import Part


class Rooted(Part):
    """A part with relative paths; they start from the project's folder, `root`."""

    _root: Path = PrivateAttr(default=Path())

    @model_validator(mode="after")
    def _at(self, info: ValidationInfo) -> Self:
        self._root = (info.context or {}).get("root", Path())
        return self

    @property
    def root(self) -> Path:
        return self._root


class Secret(Rooted):
    """Where a secret is kept; `reveal()` fetches it, nothing else shows it."""

    env: str = ""
    file: str = ""
    keyring: str = ""

    @model_validator(mode="before")
    @classmethod
    def _never_in_the_file(cls, given: object) -> object:
        if not isinstance(given, dict | Secret):
            raise PydanticCustomError(
                "plain_secret",
                'a secret is never written here; write { env = "NAME" }, { file = "PATH" } '
                'or { keyring = "SERVICE/USER" }',
            )
        return given

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if sum(map(bool, (self.env, self.file, self.keyring))) != 1:
            raise PydanticCustomError("secret", "a secret needs exactly one of env, file and keyring")
        return self

    def reveal(self) -> str:
        """The secret itself; a SettingsError that names the place, never the value, when it is not there."""
        if self.env:
            return self._from_environment()
        return self._from_file() if self.file else self._from_keyring()

    def _from_environment(self) -> str:
        if not (value := os.environ.get(self.env, "")):
            raise SettingsError(
                f"the environment variable {self.env} is not set",
                where=str(self),
                hint=f"set {self.env} for the account that runs reports, then try again",
            )
        return value

    def _from_file(self) -> str:
        path = self._root / self.file
        try:
            value = path.read_text("utf-8").strip()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it is no text in UTF-8"
            raise SettingsError(f"the secret file {path} cannot be read: {reason}", where=str(self)) from error
        if not value:
            raise SettingsError(f"the secret file {path} is empty", where=str(self))
        return value

    def _from_keyring(self) -> str:
        try:
            import keyring  # noqa: PLC0415  an optional library, needed by this kind of secret alone
        except ImportError as error:
            raise MissingDependency("keyring", extra="keyring", purpose="a secret in the keyring") from error
        service, _, user = self.keyring.rpartition("/")
        try:
            value = keyring.get_password(service, user)
        except keyring.errors.KeyringError as error:
            raise SettingsError(f"the keyring cannot be asked: {error}", where=str(self)) from error
        if not value:
            raise SettingsError(
                f"the keyring holds nothing for {self.keyring}",
                where=str(self),
                hint=f"keyring set {service} {user}",
            )
        return str(value)

    def __str__(self) -> str:
        kind, place = next((k, v) for k, v in self if v)
        return f'{{ {kind} = "{place}" }}'

    __repr__ = __str__


class Given(Secret):
    """A secret that a program hands over: it is kept in memory alone, and shown nowhere."""

    _value: str = PrivateAttr(default="")

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        return self

    @classmethod
    def of(cls, value: str) -> Self:
        """The value as a secret."""
        given = cls()
        given._value = value
        return given

    def reveal(self) -> str:
        return self._value

    def __str__(self) -> str:
        return "(given by the program)"

    __repr__ = __str__
