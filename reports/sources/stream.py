"""The records of a file in their order, some at a time, each with its place: what an upload reads.

Every value is text, as it stands in the file; what it is worth is for whoever takes it. A record that cannot be
cut into the file's columns is broken, and the others count on. However long the file is, no more than some
thousand records are in memory.
"""

# ruff: noqa: S608  the SQL is made of quoted names and literals only

from __future__ import annotations

import csv
import gzip
import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from reports.errors import SourceError
from reports.settings import FileSource
from reports.sources import engine as duck
from reports.sources import sheets, tables, text
from reports.sources.engine import Engine, array, literal, quoted
from reports.sources.layout import layout
from reports.sources.records import FOREIGN, Cut, Cutter, Records

Values = Sequence[str | None]


@dataclass(frozen=True, kw_only=True)
class Broken:
    """A record that is no row: which of the records it is, where it stands, and why."""

    row: int
    line: int
    column: str
    reason: str
    content: str


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Some records that follow each other: the first is number `first`, counted from 1, and there are `count`.

    `rows` are those that could be cut, and `numbers` say which they are.
    """

    first: int
    count: int
    rows: Sequence[Values]
    numbers: Sequence[int]
    broken: Sequence[Broken]
    lines: Sequence[int] = field(repr=False)
    contents: Sequence[str] = field(repr=False)
    before: Any = field(repr=False)
    # How much of all there is has been read, from 0 to 1; less than 0 where nobody can tell.
    share: float = -1.0

    @property
    def last(self) -> int:
        """The number of the last record."""
        return self.first + self.count - 1

    def line(self, number: int) -> int:
        """The line, or the row of the sheet, that the record begins on."""
        return self.lines[number - self.first]

    def content(self, number: int) -> str:
        """The record as it stands."""
        return self.contents[number - self.first].rstrip("\r\n")

    def hash(self, number: int) -> str:
        """SHA-256 of all records up to and with that one."""
        digest = self.before.copy()
        digest.update(_bytes(self.contents[: number - self.first + 1]))
        return str(digest.hexdigest())


class Stream(Protocol):
    """Records to be taken in order, as often as need be."""

    @property
    def name(self) -> str:
        """The file's name, as the log has it."""
        ...

    @property
    def place(self) -> str:
        """Where it is, for people."""
        ...

    @property
    def names(self) -> Sequence[str]:
        """The columns."""
        ...

    @property
    def kinds(self) -> Mapping[str, str]:
        """What is known of columns without a look at their values: `text` where digits are no number."""
        ...

    @property
    def errors(self) -> Sequence[str]:
        """What stands in the error cells of a sheet."""
        ...

    @property
    def size(self) -> int:
        """Bytes, as near as they can be told."""
        ...

    def pieces(self, size: int, *, after: int = 0) -> Iterator[Piece]:
        """The records, `size` at a time; one piece ends with record number `after`, if there are so many."""
        ...

    def fingerprint(self) -> str:
        """SHA-256 of all that there is to be read, other in any other content."""
        ...


def open_stream(file: Path, settings: FileSource, folder: Path) -> Stream:
    """The records of `file`, read as `settings` say; copies that are needed on the way go into `folder`."""
    if not file.is_file():
        raise tables.none_found(str(file), file.parent)
    kind = tables.format_of(file, settings)
    if kind == "parquet":
        return _parquet(file, folder)
    if kind == "excel":
        return _sheet(file, settings, folder)
    codec = text.codec_of(file, text.head(file), settings.encoding)
    found = layout(file, text.beginning(file, settings.encoding, folder), settings)
    shape = Cut(delimiter=found.delimiter, width=len(found.names), skipped=found.skipped, header=settings.header)
    codec = "utf-8-sig" if codec in text.DIRECT else codec
    return Text(file=file, readable=file, names=found.names, cut=shape, codec=codec)


def _sheet(file: Path, settings: FileSource, folder: Path) -> Text:
    copy, first_row, errors = sheets.as_csv(file, settings.sheet, folder)
    found = layout(file, copy, settings.model_copy(update={"delimiter": ","}))
    shape = Cut(delimiter=",", width=len(found.names), header=settings.header)
    wrong = tuple(sorted(set(errors) - set(settings.null_words)))
    return Text(file=file, readable=copy, names=found.names, cut=shape, first_row=first_row, errors=wrong)


def _bytes(parts: Sequence[str]) -> bytes:
    return "".join(parts).encode("utf-8", "surrogateescape")


def file_hash(file: Path) -> str:
    """SHA-256 of the file's bytes."""
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise SourceError(f"the file cannot be read: {error.strerror or error}", where=str(file)) from error


@dataclass(frozen=True, kw_only=True)
class _File:
    """What all files have."""

    file: Path
    names: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.file.name

    @property
    def place(self) -> str:
        return str(self.file)

    @property
    def size(self) -> int:
        return self.file.stat().st_size

    def fingerprint(self) -> str:
        return file_hash(self.file)


@dataclass(frozen=True, kw_only=True)
class Text(_File):
    """A CSV file, or a sheet copied out as one, cut by Python's own reader, which knows the lines it read."""

    readable: Path
    cut: Cut
    codec: str = "utf-8-sig"
    # The row of a sheet that its first record is; 0 where lines count.
    first_row: int = 0
    errors: tuple[str, ...] = ()
    kinds: Mapping[str, str] = field(default_factory=dict)

    def pieces(self, size: int, *, after: int = 0) -> Iterator[Piece]:
        digest, last = hashlib.sha256(), 0
        with text.opened(self.readable) as raw:
            file = io.TextIOWrapper(raw, self.codec, errors="surrogateescape", newline="")
            try:
                cutter = Cutter(file, self.cut)
                while (records := cutter.take(_wanted(size, last, after))).contents:
                    yield self._piece(records, last, digest.copy(), self._share(raw))
                    digest.update(_bytes(records.contents))
                    last += len(records.contents)
            except UnicodeError as error:
                raise SourceError(f"the file is not {self.codec}: {error}", where=self.place) from error

    def _share(self, raw: Any) -> float:
        try:
            packed: Any = raw.fileobj if isinstance(raw, gzip.GzipFile) else raw
            at = packed.tell()
            return min(1.0, float(at) / max(1, self.readable.stat().st_size))
        except (OSError, AttributeError):
            return -1.0

    def _piece(self, records: Records, last: int, digest: Any, share: float) -> Piece:
        count, lines = len(records.contents), records.lines
        if self.first_row:
            first = self.first_row + self.cut.header + last
            lines = range(first, first + count)
        broken = {place: ("", reason) for place, reason in records.wrong.items()}
        broken |= self._foreign(records)
        good = [place for place in range(count) if place not in broken] if broken else range(count)
        return Piece(
            first=last + 1, count=count, lines=lines, contents=records.contents, before=digest, share=share,
            rows=[records.fields[place] for place in good] if broken else records.fields,
            numbers=[last + 1 + place for place in good] if broken else range(last + 1, last + 1 + count),
            broken=[
                Broken(row=last + 1 + place, line=lines[place], column=column, reason=reason,
                       content=records.contents[place].rstrip("\r\n"))
                for place, (column, reason) in sorted(broken.items())
            ],
        )  # fmt: skip

    def _foreign(self, records: Records) -> Mapping[int, tuple[str, str]]:
        """The records with bytes that are not of the encoding, which came in as halves of characters."""
        whole = "".join(records.contents)
        if whole.isascii() or _whole(whole):
            return {}
        found: dict[int, tuple[str, str]] = {}
        for place, fields in enumerate(records.fields):
            column = next((n for n, value in enumerate(fields) if not _whole(value)), -1)
            if column >= 0 and place not in records.wrong:
                found[place] = (self.names[column], FOREIGN)
        return found


def _whole(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _wanted(size: int, last: int, after: int) -> int:
    return min(size, after - last) if last < after else size


def _parquet(file: Path, folder: Path) -> Parquet:
    try:
        with closing(Engine([file], folder)) as engine:
            columns = engine.describe(f"SELECT * FROM read_parquet({array([file])})")
    except duck.Error as error:
        raise SourceError("the file is not a Parquet file, or is damaged", where=str(file)) from error
    types = dict(columns)
    return Parquet(file=file, names=tuple(types), types=types, folder=folder)


@dataclass(frozen=True, kw_only=True)
class Parquet(_File):
    """A Parquet file; its values as text have every digit that they have."""

    types: Mapping[str, str]
    folder: Path
    errors: tuple[str, ...] = ()

    @property
    def kinds(self) -> Mapping[str, str]:
        return {name: "text" for name, kind in self.types.items() if kind in ("VARCHAR", "UUID")}

    def pieces(self, size: int, *, after: int = 0) -> Iterator[Piece]:
        digest, last = hashlib.sha256(), 0
        columns = ", ".join(_as_text(name, kind) for name, kind in self.types.items())
        try:
            # With one thread no row waits in memory for those before it.
            with closing(Engine([self.file], self.folder, threads=1)) as engine:
                sql = f"SELECT {columns} FROM read_parquet({array([self.file])})"
                count = engine.run(f"SELECT count(*) FROM read_parquet({array([self.file])})")[0][0]
                for rows in resized(engine.stream(sql, size), size, after):
                    piece = typed_piece(rows, last, digest)
                    yield replace(piece, share=piece.last / count)
                    digest.update(_bytes(piece.contents))
                    last = piece.last
        except duck.Error as error:
            raise SourceError("the file is not a Parquet file, or is damaged", where=str(self.file)) from error


def _as_text(name: str, kind: str) -> str:
    if kind == "BLOB":
        return f"{literal('0x')} || hex({quoted(name)})"
    return f"CAST({quoted(name)} AS VARCHAR)"


def typed_piece(rows: Sequence[Values], last: int, digest: Any) -> Piece:
    """Rows that come from no text, each a record whose line is its number."""
    numbers = range(last + 1, last + 1 + len(rows))
    return Piece(
        first=last + 1, count=len(rows), rows=rows, numbers=numbers, broken=(),
        lines=numbers, contents=[_written(row) for row in rows], before=digest.copy(),
    )  # fmt: skip


def _written(row: Values) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(row)
    return line.getvalue()


def resized(pieces: Iterator[list[Any]], size: int, after: int) -> Iterator[list[Any]]:
    """The rows in lists of `size`, of which one ends with row number `after`."""
    last = 0
    for rows in pieces:
        held = rows
        while held:
            taken = held[: _wanted(size, last, after)]
            held = held[len(taken) :]
            last += len(taken)
            yield taken
