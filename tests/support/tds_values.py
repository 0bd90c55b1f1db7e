"""SQL Server's types on the wire, read: parameters of a call and rows of a bulk load become Python values."""

from __future__ import annotations

import datetime as dt
import decimal
import struct
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from support.tds_types import EXACT, YEAR_1, YEAR_1900
from support.tds_wire import Reader

Decode = Callable[[Reader], Any]
CODECS = {0x0804: "gbk", 0x0404: "cp950", 0x0411: "cp932", 0x0412: "cp949"}


@dataclass(frozen=True)
class Read:
    """A type as a client declared it, in T-SQL's words, with its TYPE_INFO and how a value is taken."""

    declared: str
    info: bytes
    decode: Decode


class _Noted:
    """A reader that keeps what was taken: TYPE_INFO is given back with output parameters."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.taken = b""

    def take(self, size: int) -> bytes:
        part = self._reader.take(size)
        self.taken += part
        return part

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")


FIXED: dict[int, tuple[str, int]] = {
    0x30: ("tinyint", 1),
    0x32: ("bit", 1),
    0x34: ("smallint", 2),
    0x38: ("int", 4),
    0x3A: ("smalldatetime", 4),
    0x3B: ("real", 4),
    0x3C: ("money", 8),
    0x3D: ("datetime", 8),
    0x3E: ("float", 8),
    0x7A: ("smallmoney", 4),
    0x7F: ("bigint", 8),
}
SIZED: dict[int, dict[int, str]] = {
    0x26: {1: "tinyint", 2: "smallint", 4: "int", 8: "bigint"},
    0x68: {1: "bit"},
    0x6D: {4: "real", 8: "float"},
    0x6E: {4: "smallmoney", 8: "money"},
    0x6F: {4: "smalldatetime", 8: "datetime"},
    0x24: {16: "uniqueidentifier"},
}
DECIMALS = {0x37: "decimal", 0x3F: "numeric", 0x6A: "decimal", 0x6C: "numeric"}
TIMED = {0x29: "time", 0x2A: "datetime2", 0x2B: "datetimeoffset"}
TEXTS = {0xE7: "nvarchar", 0xEF: "nchar", 0xA7: "varchar", 0xAF: "char"}
OLD_TEXTS = {0x27: "varchar", 0x2F: "char"}
BINARIES = {0xA5: "varbinary", 0xAD: "binary"}
OLD_BINARIES = {0x25: "varbinary", 0x2D: "binary"}
LONG = {0x22: "image", 0x23: "text", 0x63: "ntext"}


def read_type(reader: Reader, *, column: bool = False) -> Read:
    """TYPE_INFO from here on; a `column` of a bulk load says more of the old long types than a parameter does."""
    noted = _Noted(reader)
    code = noted.number(1)
    declared, decode = _type(code, noted, column=column)
    return Read(declared, noted.taken, decode)


def _type(code: int, noted: _Noted, *, column: bool) -> tuple[str, Decode]:
    if code in FIXED:
        name, size = FIXED[code]
        return name, lambda reader: _number(name, reader.take(size))
    if code in SIZED:
        return _sized_number(SIZED[code], noted.number(1))
    if code in DECIMALS:
        _, precision, scale = noted.take(3)
        return f"{DECIMALS[code]}({precision},{scale})", lambda reader: _decimal(reader, scale)
    if code == 0x28:
        return "date", lambda reader: _date(reader.take(reader.byte()))
    if code in TIMED:
        name, scale = TIMED[code], noted.number(1)
        return f"{name}({scale})", lambda reader: _timed(name, reader.take(reader.byte()), scale)
    return _longer(code, noted, column=column)


def _longer(code: int, noted: _Noted, *, column: bool) -> tuple[str, Decode]:
    if code in LONG:
        return LONG[code], _long(code, noted, column=column)
    if code == 0xF1:
        if noted.number(1):
            raise ValueError("this server reads no xml with a schema")
        return "xml", lambda reader: _text(_chunks(reader), "utf-16-le")
    if code == 0x1F:
        return "sql_variant", lambda _: None
    return _string(code, noted)


def _sized_number(names: dict[int, str], size: int) -> tuple[str, Decode]:
    def decode(reader: Reader) -> Any:
        length = reader.byte()
        return _number(names[length], reader.take(length)) if length else None

    return names[size], decode


def _string(code: int, noted: _Noted) -> tuple[str, Decode]:
    old = code in OLD_TEXTS or code in OLD_BINARIES
    name = (TEXTS | BINARIES | OLD_TEXTS | OLD_BINARIES).get(code)
    if name is None:
        raise ValueError(f"this server knows no type 0x{code:02X}")
    size = noted.number(1 if old else 2)
    codec = None
    if "char" in name:
        codec = _codec(name, noted.take(5))
    limit = "max" if size == 0xFFFF else size // 2 if name.startswith("n") else size

    def decode(reader: Reader) -> Any:
        content = _chunks(reader) if limit == "max" else _counted(reader, 1 if old else 2)
        return _text(content, codec) if codec else content

    return f"{name}({limit})", decode


def _codec(name: str, collation: bytes) -> str:
    if name.startswith("n"):
        return "utf-16-le"
    if collation[3] & 0x04:  # fUTF8
        return "utf-8"
    return CODECS.get(int.from_bytes(collation[:3], "little") & 0xFFFF, "cp1252")


def _counted(reader: Reader, width: int) -> bytes | None:
    length = reader.number(width)
    return None if length == (1 << 8 * width) - 1 else reader.take(length)


def _chunks(reader: Reader) -> bytes | None:
    if reader.number(8) == (1 << 64) - 1:
        return None
    parts = []
    while length := reader.number(4):
        parts.append(reader.take(length))
    return b"".join(parts)


def _text(content: bytes | None, codec: str) -> str | None:
    return None if content is None else content.decode(codec, "surrogatepass" if codec == "utf-16-le" else "replace")


def _long(code: int, noted: _Noted, *, column: bool) -> Decode:
    noted.take(4)
    codec = None if code == 0x22 else _codec("ntext" if code == 0x63 else "text", noted.take(5))
    if column:
        for _ in range(noted.number(1)):
            noted.take(2 * noted.number(2))

    def decode(reader: Reader) -> Any:
        if column:
            pointer = reader.byte()
            if not pointer:
                return None
            reader.take(pointer + 8)
        content = _counted(reader, 4)
        return _text(content, codec) if codec else content

    return decode


def _number(name: str, content: bytes) -> Any:
    return NUMBERS[name](content)


def _signed(content: bytes) -> int:
    return int.from_bytes(content, "little", signed=True)


def _money(content: bytes) -> decimal.Decimal:
    high, low = struct.unpack("<iI", content)
    return decimal.Decimal((high << 32) + low).scaleb(-4, EXACT)


def _datetime(content: bytes) -> dt.datetime:
    days, ticks = struct.unpack("<iI", content)
    return YEAR_1900 + dt.timedelta(days=days, milliseconds=round(ticks * 10 / 3))


def _smalldatetime(content: bytes) -> dt.datetime:
    days, minutes = struct.unpack("<HH", content)
    return YEAR_1900 + dt.timedelta(days=days, minutes=minutes)


NUMBERS: dict[str, Callable[[bytes], Any]] = {
    "tinyint": lambda content: content[0],
    "smallint": _signed,
    "int": _signed,
    "bigint": _signed,
    "bit": lambda content: content != b"\0",
    "real": lambda content: struct.unpack("<f", content)[0],
    "float": lambda content: struct.unpack("<d", content)[0],
    "smallmoney": lambda content: decimal.Decimal(_signed(content)).scaleb(-4, EXACT),
    "money": _money,
    "datetime": _datetime,
    "smalldatetime": _smalldatetime,
    "uniqueidentifier": lambda content: uuid.UUID(bytes_le=content),
}


def _decimal(reader: Reader, scale: int) -> decimal.Decimal | None:
    length = reader.byte()
    if not length:
        return None
    positive = reader.byte()
    units = decimal.Decimal(int.from_bytes(reader.take(length - 1), "little"))
    return (units if positive else -units).scaleb(-scale, EXACT)


def _date(content: bytes) -> dt.date | None:
    return YEAR_1 + dt.timedelta(days=int.from_bytes(content, "little")) if content else None


def _timed(name: str, content: bytes, scale: int) -> Any:
    if not content:
        return None
    size = 3 if scale <= 2 else 4 if scale <= 4 else 5
    micros = int.from_bytes(content[:size], "little") * 1_000_000 // 10**scale
    since = dt.timedelta(microseconds=micros)
    if name == "time":
        return (dt.datetime.combine(YEAR_1, dt.time()) + since).time()
    moment = dt.datetime.combine(_date(content[size : size + 3]) or YEAR_1, dt.time()) + since
    if name == "datetime2":
        return moment
    offset = dt.timedelta(minutes=struct.unpack("<h", content[size + 3 :])[0])
    return moment.replace(tzinfo=dt.UTC).astimezone(dt.timezone(offset))


# Rows of a bulk load


def bulk_rows(message: Reader) -> tuple[list[tuple[str, str]], Iterator[list[Any]]]:
    """The columns (name and type) of a bulk load, and its rows as they come."""
    if message.byte() != 0x81:
        raise ValueError("a bulk load without COLMETADATA")
    count = message.number(2)
    columns = []
    for _ in range(count):
        message.take(6)  # user type and flags
        kind = read_type(message, column=True)
        columns.append((message.text(message.byte()), kind))
    return [(name, kind.declared) for name, kind in columns], _rows(message, [kind.decode for _, kind in columns])


def _rows(message: Reader, decoders: list[Decode]) -> Iterator[list[Any]]:
    while message.more():
        token = message.byte()
        if token == 0xD1:
            yield [decode(message) for decode in decoders]
        elif token == 0xD2:
            nulls = message.take((len(decoders) + 7) // 8)
            yield [
                None if nulls[index // 8] >> index % 8 & 1 else decode(message) for index, decode in enumerate(decoders)
            ]
        else:
            message.rest()
