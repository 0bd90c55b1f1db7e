"""Messages kept as .eml files: what the house does when no mail account is configured."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from reports.errors import TransportError
from reports.model import Message, Receipt
from reports.transports.base import HandingOver, nothing
from reports.transports.providers import Limits

_PASSING = {errno.ENOSPC, errno.EDQUOT, errno.EINTR, errno.EAGAIN, errno.EIO}


@dataclass(frozen=True)
class FolderTransport:
    """Writes each message whole into `folder`; opening the file in a mail program shows the mail."""

    folder: Path

    @property
    def limits(self) -> Limits:
        """A folder has none."""
        return Limits()

    def size_limit(self) -> int | None:
        """None: a file may have any size."""
        return None

    def send(self, message: Message, handing_over: HandingOver = nothing) -> Sequence[Receipt]:
        """One receipt a recipient with the file's path; a TransportError when the file cannot be written."""
        path = self.folder / _file_name(message)
        try:
            beside = self._written(message.content)
        except OSError as error:
            raise _failure(path, error) from error
        try:
            handing_over()
            _moved(beside, path)
        finally:
            beside.unlink(missing_ok=True)
        return [Receipt(recipient=one, state="accepted", text=str(path)) for one in message.recipients]

    def check(self) -> Iterator[tuple[str, str]]:
        """Where messages are kept, after trying that a file can be made there."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.folder):
                pass
        except OSError as error:
            raise _failure(self.folder, error, step="folder: ") from error
        yield "folder", f"no mail account: messages are kept as .eml files in {self.folder}"

    def close(self) -> None:
        """Nothing is open between two messages."""

    def _written(self, content: bytes) -> Path:
        """A file beside its place, whole and on the disk, so that it can be moved there in one step."""
        self.folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self.folder, prefix=".", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        return Path(name)


def _moved(beside: Path, path: Path) -> None:
    try:
        beside.replace(path)
    except OSError as error:
        raise _failure(path, error) from error


def _file_name(message: Message) -> str:
    # Named by its own bytes and by whom it is for, so only the very same message can be written over itself.
    own = hashlib.sha256(message.content)
    own.update("\n".join(sorted(message.recipients)).encode())
    slug = re.sub(r"[\W_]+", "-", message.subject).strip("-").lower()
    parts = [f"{message.date:%Y-%m-%d}", slug.encode()[:80].decode(errors="ignore"), own.hexdigest()[:12]]
    return "-".join(filter(None, parts)) + ".eml"


def _failure(path: Path, error: OSError, *, step: str = "") -> TransportError:
    return TransportError(
        f"{step}the message cannot be kept as a file: {error.strerror or error}",
        where=str(path),
        hint="free some space there" if error.errno == errno.ENOSPC else "see that this folder can be written to",
        permanent=error.errno not in _PASSING,
        account=True,
    )
