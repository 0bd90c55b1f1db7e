"""Messages kept as .eml files: what the house does when no mail account is configured."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reports.errors import TransportError
from reports.model import Message, Receipt

_PASSING = {errno.ENOSPC, errno.EDQUOT, errno.EINTR, errno.EAGAIN, errno.EIO}


@dataclass(frozen=True)
class FolderTransport:
    """Writes each message whole into `folder`; opening the file in a mail program shows the mail."""

    folder: Path

    def send(self, message: Message) -> Sequence[Receipt]:
        """One receipt a recipient with the file's path; a TransportError when the file cannot be written."""
        path = self.folder / _file_name(message)
        try:
            self._write(path, message.content)
        except OSError as error:
            raise _failure(path, error) from error
        return [Receipt(recipient=one, state="accepted", text=str(path)) for one in message.recipients]

    def check(self) -> Sequence[str]:
        """Where messages are kept, after trying that a file can be made there."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.folder):
                pass
        except OSError as error:
            raise _failure(self.folder, error) from error
        return [f"no mail account: messages are kept as .eml files in {self.folder}"]

    def _write(self, path: Path, content: bytes) -> None:
        """The whole file or none: written beside its place, then moved there."""
        self.folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self.folder, prefix=".", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise


def _file_name(message: Message) -> str:
    # Named by its own bytes, so only the very same message can be written over itself.
    own = hashlib.sha256(message.content).hexdigest()[:12]
    slug = re.sub(r"[\W_]+", "-", message.subject).strip("-").lower()
    return (
        "-".join(filter(None, [f"{message.date:%Y-%m-%d}", slug.encode()[:80].decode(errors="ignore"), own])) + ".eml"
    )


def _failure(path: Path, error: OSError) -> TransportError:
    return TransportError(
        f"the message cannot be kept as a file: {error.strerror or error}",
        where=str(path),
        hint="free some space there" if error.errno == errno.ENOSPC else "see that this folder can be written to",
        permanent=error.errno not in _PASSING,
    )
