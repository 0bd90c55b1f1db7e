"""A file's bytes as UTF-8 text with one kind of line end: the file itself where it is so, else a copy.

DuckDB reads UTF-8, plain or gzipped. Every other encoding, and a file whose lines end in two ways, is
streamed into a copy in the source's temporary folder, which goes when the source is closed.
"""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from reports.errors import SourceError

HEAD = 1 << 18
TAIL = 1 << 16
BLOCK = 1 << 22
DIRECT = ("utf-8", "utf-8-sig", "ascii")
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """The file's bytes, unpacked where it is gzipped; what goes wrong while reading is a SourceError."""
    try:
        with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as file:
            yield cast("IO[bytes]", file)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise SourceError(f"the file is not a whole gzip file: {error}", where=str(path)) from error
    except OSError as error:
        raise SourceError(f"the file cannot be read: {error.strerror or error}", where=str(path)) from error


def head(path: Path) -> bytes:
    """The first 256 KB."""
    with opened(path) as file:
        return file.read(HEAD)


def readable(path: Path, encoding: str, folder: Path, *, tolerant: bool) -> Path:
    """`path`, or a copy of it in `folder` that DuckDB can read; a SourceError names byte and line.

    `tolerant` lets bytes through that do not fit the encoding, for DuckDB to set their rows aside.
    """
    start = head(path)
    codec = codec_of(path, start, encoding)
    if codec in DIRECT and not tolerant:
        _check_utf8(path, start)
    mixed = _mixed(start + _tail(path))
    if codec in DIRECT and not mixed:
        return path
    copy = folder / f"{len(list(folder.iterdir()))}-{path.name.removesuffix('.gz')}"
    _copy(path, copy, codec, tolerant=tolerant, unify=mixed)
    return copy


def beginning(path: Path, encoding: str, folder: Path) -> Path:
    """The first 256 KB of `path` as a file in `folder`, whatever does not fit the encoding replaced."""
    start = head(path)
    copy = folder / f"{len(list(folder.iterdir()))}-{path.name.removesuffix('.gz')}"
    copy.write_bytes(start.decode(codec_of(path, start, encoding), "replace").encode())
    return copy


def codec_of(path: Path, start: bytes, encoding: str) -> str:
    """Python's name of the encoding that the settings say, or that the first bytes show."""
    if encoding == "auto":
        return "utf-16" if start.startswith(_UTF16_MARKS) else "utf-8"
    try:
        return codecs.lookup(encoding).name
    except LookupError as error:
        raise SourceError(
            f"there is no encoding called '{encoding}'",
            where=str(path),
            hint='write encoding = "auto", "utf-8", "utf-16", "gbk", "cp1252" or "latin-1"',
        ) from error


def _tail(path: Path) -> bytes:
    if path.suffix.lower() == ".gz":
        return b""
    with opened(path) as file:
        size = file.seek(0, 2)
        file.seek(max(HEAD, size - TAIL) if size > HEAD else size)
        return file.read()


def _mixed(sample: bytes) -> bool:
    """Whether some lines end in CR LF and others in LF, between which DuckDB cannot change."""
    both = sample.count(b"\r\n")
    return 0 < both < sample.count(b"\n") and b"\x00" not in sample[:4]


def _check_utf8(path: Path, start: bytes) -> None:
    """Both ends of the file; DuckDB checks the rest as it reads."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    end = _tail(path)
    while end and end[0] & 0xC0 == 0x80:
        end = end[1:]
    try:
        decoder.decode(start, final=len(start) < HEAD)
        end.decode()
    except UnicodeDecodeError:
        refuse_encoding(path, "utf-8")


def refuse_encoding(path: Path, codec: str) -> None:
    """Raise the SourceError that names the first byte of `path` that is not `codec`; return if there is none."""
    decoder = codecs.getincrementaldecoder(codec)()
    lines, offset = 1, 0
    with opened(path) as file:
        while True:
            block = file.read(BLOCK)
            pending = len(decoder.getstate()[0])
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                before = max(error.start - pending, 0)
                line = lines + block.count(b"\n", 0, before)
                raise SourceError(
                    f"line {line} is not {codec.upper()}: "
                    f"byte {offset + before + 1} is 0x{error.object[error.start]:02X}",
                    where=str(path),
                    hint='say which encoding it is: encoding = "gbk", "cp1252" or "latin-1"',
                ) from error
            if not block:
                return
            lines, offset = lines + block.count(b"\n"), offset + len(block)


def _copy(path: Path, copy: Path, codec: str, *, tolerant: bool, unify: bool) -> None:
    # What surrogateescape lets in as half a character it writes back as the byte it was.
    errors = "surrogateescape" if tolerant or codec in DIRECT else "strict"
    decoder = codecs.getincrementaldecoder(codec)(errors)
    held = ""
    try:
        with opened(path) as source, copy.open("wb") as target:
            while block := source.read(BLOCK):
                piece = held + decoder.decode(block)
                held = "\r" if unify and piece.endswith("\r") else ""
                piece = piece.removesuffix(held) if held else piece
                piece = piece.replace("\r\n", "\n") if unify else piece
                target.write(piece.encode("utf-8", errors))
            target.write((held + decoder.decode(b"", final=True)).encode("utf-8", errors))
    except UnicodeError as error:
        refuse_encoding(path, codec)
        raise SourceError(f"the file is not {codec}: {error}", where=str(path)) from error
