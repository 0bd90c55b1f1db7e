"""What a child and its own children write: kept short, whatever they write, and harmless to look at."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import secrets
import sys
import threading
import time
from pathlib import Path

KEPT = 64 * 1024
"""Bytes that are kept of the beginning, and as many of the end."""
MOST = 16 * 1024 * 1024
"""Bytes the file may take of the disk before it has to give them back."""
OLD = 86_400.0
_KEEP_SIZE, _PUNCH_HOLE = 1, 2
_SUFFIX = ".out"
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])")
_HARMLESS = (
    {code: chr(0x2400 + code) for code in range(32) if chr(code) not in "\n\t"}
    | {127: "\u2421"}
    | dict.fromkeys([*range(0x80, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)], "\ufffd")
)


class Output:
    """A file that is only appended to. Of one that grows too long, beginning and end are kept and the rest is let go.

    With `holes` the disk gets back what lies between them, and nothing else changes for whoever writes. Where that
    cannot be done the file is emptied, and what is written in that very moment is lost.
    """

    def __init__(self, folder: Path, *, holes: bool = sys.platform == "linux" and sys.maxsize > 1 << 32) -> None:
        self._path = folder / f"{secrets.token_hex(8)}{_SUFFIX}"
        self._lock = threading.Lock()
        self._head = self._tail = b""
        self._emptied, self._freed, self._holes = 0, KEPT, holes
        self._whole: str | None = None
        os.close(self.open())
        self._file = self._path.open("r+b", buffering=0)

    def open(self) -> int:
        """A file descriptor to write to; whoever asks closes it."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
        return os.open(self._path, flags, 0o600)

    def trim(self) -> None:
        """Gives back what the file has too much of, if it has grown too long."""
        with self._lock:
            if self._whole is None and (length := self._length()) - self._freed > MOST:
                self._holes = self._holes and _free(self._file.fileno(), self._freed, length - KEPT)
                self._freed = length - KEPT
                if not self._holes:
                    self._empty(length)

    def _empty(self, length: int) -> None:
        self._head, self._tail = self._beginning(length), self._end(length)
        self._emptied += self._length()
        self._file.truncate(0)
        self._freed = 0

    def text(self) -> str:
        """What there is so far: the beginning, how much is left out, and the end."""
        with self._lock:
            return self._text() if self._whole is None else self._whole

    def close(self, note: str = "") -> None:
        """The text is kept, with a last line, and the file is removed."""
        with self._lock:
            if self._whole is None:
                text = self._text()
                new_line = "\n" if text and not text.endswith("\n") else ""
                self._whole = f"{text}{new_line}{note}\n" if note else text
                self._file.close()
                with contextlib.suppress(OSError):  # it may be open elsewhere, and is old one day
                    self._path.unlink()

    def _text(self) -> str:
        length = self._length()
        total = self._emptied + length
        if total <= 2 * KEPT:
            return harmless(self._read(0, length))
        gap = f"\n... {total - 2 * KEPT:,} bytes are left out here ...\n"
        return harmless(self._beginning(length)) + gap + harmless(self._end(length))

    def _length(self) -> int:
        return os.fstat(self._file.fileno()).st_size

    def _beginning(self, length: int) -> bytes:
        return self._head or self._read(0, min(KEPT, length))

    def _end(self, length: int) -> bytes:
        new = self._read(max(0, length - KEPT), KEPT)
        return (self._tail + new)[-KEPT:]

    def _read(self, start: int, count: int) -> bytes:
        self._file.seek(start)
        return self._file.read(count)


def _free(file: int, start: int, end: int) -> bool:
    """Whether the disk took back those bytes of a file, which are read as zeros from now on."""
    fallocate = ctypes.CDLL(None).fallocate
    return not fallocate(file, _PUNCH_HOLE | _KEEP_SIZE, ctypes.c_int64(start), ctypes.c_int64(end - start))


def harmless(written: bytes) -> str:
    """Text in UTF-8 with what is none replaced; lines end in newlines, and nothing in it moves a cursor."""
    text = written.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    return _ESCAPES.sub("", text).translate(_HARMLESS)


def clear(folder: Path) -> None:
    """Removes what services left that died more than a day ago."""
    before = time.time() - OLD
    for path in folder.glob(f"*{_SUFFIX}"):
        with contextlib.suppress(OSError):  # another one may have been faster, or has it open
            if path.stat().st_mtime < before:
                path.unlink()
