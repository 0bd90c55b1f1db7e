"""Access tokens and where they are kept: a file that only its owner can read, or the system's keyring."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from reports.errors import MissingDependency, TransportError

EARLY = 300.0
"""Seconds before its end from which a token is renewed."""
_SERVICE = "reports"
_PART = 1000
"""Letters in one entry of a keyring; that of Windows takes 1,280."""
_LOCK_WAIT = 180.0


@dataclass(frozen=True, kw_only=True)
class Token:
    """An access token with its times in seconds since 1970, and what renews it without a person.

    `user` is who signed in, where the other side says so. `refused` is why nothing renews it any more.
    """

    access: str = field(default="", repr=False)
    obtained: float = 0
    expires: float = 0
    renewal: str = field(default="", repr=False)
    user: str = ""
    refused: str = ""

    def lasts(self, now: float, *, early: float = EARLY) -> bool:
        """Whether it can be used at `now`; not if the clock was set back since, for then nobody knows."""
        return bool(self.access) and self.obtained - 60 <= now <= self.expires - early


class Cache(Protocol):
    """A place for one token."""

    @property
    def place(self) -> str:
        """Where that is, for a person."""
        ...

    def read(self) -> Token | None:
        """The token, or None where there is none that can be read as one."""
        ...

    def write(self, token: Token) -> None:
        """Keep it, whole or not at all."""
        ...

    def forget(self) -> bool:
        """Let go of it; whether there was one."""
        ...


@dataclass(frozen=True)
class FileCache:
    """A file with the mode 0600 in a folder with the mode 0700."""

    path: Path

    @property
    def place(self) -> str:
        return str(self.path)

    def read(self) -> Token | None:
        try:
            return _token(self.path.read_text("utf-8"))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unusable(self.path, error) from error

    def write(self, token: Token) -> None:
        try:
            private(self.path.parent)
            handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=".", suffix=".part")  # 0600 from the start
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    file.write(_text(token))
                    file.flush()
                    os.fsync(file.fileno())
                Path(name).replace(self.path)
            finally:
                Path(name).unlink(missing_ok=True)
        except OSError as error:
            raise _unusable(self.path, error) from error

    def forget(self) -> bool:
        try:
            self.path.unlink()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise _unusable(self.path, error) from error
        return True


@dataclass(frozen=True)
class KeyringCache:
    """Entries of the system's keyring, in parts because some keyrings take only short ones."""

    name: str

    @property
    def place(self) -> str:
        return f"the keyring, as {_SERVICE}/{self.name}"

    def read(self) -> Token | None:
        with _keyring(self.place) as keyring:
            count = keyring.get_password(_SERVICE, self.name) or ""
            parts = [keyring.get_password(_SERVICE, name) or "" for name in self._parts(count)]
        return _token("".join(parts)) if parts else None

    def write(self, token: Token) -> None:
        text = _text(token)
        parts = [text[start : start + _PART] for start in range(0, len(text), _PART)]
        with _keyring(self.place) as keyring:
            for name, part in zip(self._parts(str(len(parts))), parts, strict=True):
                keyring.set_password(_SERVICE, name, part)
            keyring.set_password(_SERVICE, self.name, str(len(parts)))

    def forget(self) -> bool:
        with _keyring(self.place) as keyring:
            count = keyring.get_password(_SERVICE, self.name)
            for name in [*self._parts(count or ""), self.name] if count else ():
                with contextlib.suppress(keyring.errors.PasswordDeleteError):
                    keyring.delete_password(_SERVICE, name)
        return bool(count)

    def _parts(self, count: str) -> list[str]:
        return [f"{self.name}.{number}" for number in range(int(count))] if count.isdecimal() else []


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """For one process and one thread at a time; the others wait, so that one renews and all have the token."""
    try:
        import filelock  # noqa: PLC0415  an optional library, needed by logins that are renewed alone
    except ImportError as error:
        raise MissingDependency("filelock", extra="oauth", purpose="a login by OAuth") from error
    lock = filelock.FileLock(path, timeout=_LOCK_WAIT, mode=0o600)
    try:
        private(path.parent)
        lock.acquire()
    except filelock.Timeout as error:
        raise TransportError(
            "another process has been renewing the token for minutes",
            where=str(path),
            hint="it is tried again; look for a process of reports that hangs",
            account=True,
        ) from error
    except OSError as error:
        raise _unusable(path, error) from error
    try:
        yield
    finally:
        lock.release()


def private(folder: Path) -> None:
    """See that the folder is there and nobody else's."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if folder.stat().st_mode & 0o077:
        folder.chmod(0o700)


def _text(token: Token) -> str:
    return json.dumps(asdict(token))


def _token(text: str) -> Token | None:
    with contextlib.suppress(ValueError, TypeError):
        return Token(**json.loads(text))
    return None


def _unusable(path: Path, error: OSError) -> TransportError:
    return TransportError(
        f"the token cannot be kept or read: {error.strerror or error}",
        where=str(path),
        hint="see that the account that runs reports owns this folder, and that there is space",
        account=True,
    )


@contextlib.contextmanager
def _keyring(place: str) -> Iterator[Any]:
    try:
        import keyring  # noqa: PLC0415  an optional library, needed where tokens are kept there
    except ImportError as error:
        raise MissingDependency("keyring", extra="keyring", purpose='[mail.oauth] cache = "keyring"') from error
    try:
        yield keyring
    except keyring.errors.KeyringError as error:
        raise TransportError(
            f"the keyring cannot be used: {error}",
            where=place,
            hint='unlock it, or keep the token in a file: [mail.oauth] cache = "file"',
            permanent=True,
            account=True,
        ) from error
