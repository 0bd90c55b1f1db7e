"""SQL Server's types on the wire, written: a column's type as T-SQL names it gives its bytes and how values become bytes."""

from __future__ import annotations

import datetime as dt
import decimal
import re
import struct
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from support.tds_tokens import LATIN, Collation

Encode = Callable[[Any], bytes]
EXACT = decimal.Context(prec=80, rounding=decimal.ROUND_HALF_UP)
YEAR_1, YEAR_1900 = dt.date(1, 1, 1), dt.datetime(1900, 1, 1)  # noqa: DTZ001  SQL Server's has no zone
LONGEST = 1 << 16  # of a chunk of a max value
MAX = -1


@dataclass(frozen=True)
class Written:
    """A type: TYPE_INFO, and a value in full, its length included."""

    info: bytes
    encode: Encode


def written(declared: str, collation: Collation = LATIN, *, nullable: bool = True) -> Written:
    """The type as declared: "int", "decimal(19,4)", "nvarchar(max)", "datetime2(7)" ..."""
    match = re.fullmatch(r"(\w+)(?:\((max|\d+)(?:,(\d+))?\))?", declared.replace(" ", "").lower())
    if match is None:
        raise ValueError(f"{declared!r} is not a type")
    name, first, second = match.groups()
    size = None if first is None else MAX if first == "max" else int(first)
    if name in FIXED:
        return _fixed(name, nullable=nullable)
    if name in TEXTS:
        return _text(name, 1 if size is None else size, collation)
    if name in BINARIES:
        return _binary(name, 1 if size is None else size)
    if name in {"decimal", "numeric"}:
        return _decimal(size or 18, int(second or 0))
    if name in {"time", "datetime2", "datetimeoffset"}:
        return _timed(name, 7 if size is None else size)
    if name in OTHERS:
        return OTHERS[name]
    raise ValueError(f"{declared!r} is not a type this server writes")


# Numbers, and the older times


def _money(value: Any) -> bytes:
    units = _units(value, 4)
    return struct.pack("<iI", units >> 32, units & 0xFFFFFFFF)


def _datetime(value: dt.datetime) -> bytes:
    since = value - YEAR_1900
    # Whole milliseconds first: 997 is 299 ticks of 1/300 s, which SQL Server counts as .9966
    ticks = (since.seconds * 1_000_000 + since.microseconds) * 3 / 10_000
    return struct.pack("<iI", since.days, round(ticks))


def _smalldatetime(value: dt.datetime) -> bytes:
    since = value - YEAR_1900
    return struct.pack("<HH", since.days, since.seconds // 60)


def _packed(form: str) -> Encode:
    return struct.Struct(form).pack


# By name: the code where NULL cannot be, the code where it can, the size, and the bytes of a value.
FIXED: dict[str, tuple[int, int, int, Encode]] = {
    "bit": (0x32, 0x68, 1, lambda value: b"\1" if value else b"\0"),
    "tinyint": (0x30, 0x26, 1, _packed("<B")),
    "smallint": (0x34, 0x26, 2, _packed("<h")),
    "int": (0x38, 0x26, 4, _packed("<i")),
    "bigint": (0x7F, 0x26, 8, _packed("<q")),
    "real": (0x3B, 0x6D, 4, _packed("<f")),
    "float": (0x3E, 0x6D, 8, _packed("<d")),
    "smallmoney": (0x7A, 0x6E, 4, lambda value: struct.pack("<i", _units(value, 4))),
    "money": (0x3C, 0x6E, 8, _money),
    "datetime": (0x3D, 0x6F, 8, _datetime),
    "smalldatetime": (0x3A, 0x6F, 4, _smalldatetime),
}


def _fixed(name: str, *, nullable: bool) -> Written:
    never, maybe, size, encode = FIXED[name]
    if not nullable:
        return Written(bytes([never]), encode)
    prefix = bytes([size])
    return Written(bytes([maybe, size]), _or_null(b"\0", lambda value: prefix + encode(value)))


def _or_null(null: bytes, encode: Encode) -> Encode:
    return lambda value: null if value is None else encode(value)


def _units(value: Any, scale: int) -> int:
    exact = decimal.Decimal(value if not isinstance(value, float) else repr(value))
    return int(EXACT.to_integral_value(exact.scaleb(scale, EXACT)))


def _decimal(precision: int, scale: int) -> Written:
    size = 4 if precision <= 9 else 8 if precision <= 19 else 12 if precision <= 28 else 16
    prefix = bytes([size + 1])

    def encode(value: Any) -> bytes:
        units = _units(value, scale)
        return prefix + (b"\1" if units >= 0 else b"\0") + abs(units).to_bytes(size, "little")

    return Written(bytes([0x6C, size + 1, precision, scale]), _or_null(b"\0", encode))


# Texts and bytes

TEXTS = {"nvarchar": 0xE7, "nchar": 0xEF, "varchar": 0xA7, "char": 0xAF}
BINARIES = {"varbinary": 0xA5, "binary": 0xAD}


def _text(name: str, size: int, collation: Collation) -> Written:
    wide = name.startswith("n")
    codec = "utf-16-le" if wide else collation.codec
    padding = size if name in {"nchar", "char"} else 0

    def bare(value: Any) -> bytes:
        return str(value).ljust(padding).encode(codec, "surrogatepass" if wide else "replace")

    limit = 0xFFFF if size == MAX else size * (2 if wide else 1)
    return Written(bytes([TEXTS[name]]) + struct.pack("<H", limit) + collation.code, _sized(bare, size))


def _binary(name: str, size: int) -> Written:
    padding = size if name == "binary" else 0
    limit = 0xFFFF if size == MAX else size
    return Written(
        bytes([BINARIES[name]]) + struct.pack("<H", limit),
        _sized(lambda value: bytes(value).ljust(padding, b"\0"), size),
    )


def _sized(bare: Encode, size: int) -> Encode:
    if size == MAX:
        return _or_null(b"\xff" * 8, lambda value: chunked(bare(value)))

    def encode(value: Any) -> bytes:
        content = bare(value)
        return len(content).to_bytes(2, "little") + content

    return _or_null(b"\xff\xff", encode)


def chunked(content: bytes) -> bytes:
    """A max value: its length, chunks, an empty chunk."""
    parts = (content[at : at + LONGEST] for at in range(0, len(content), LONGEST))
    listed = b"".join(len(part).to_bytes(4, "little") + part for part in parts)
    return len(content).to_bytes(8, "little") + listed + bytes(4)


# Dates, times and the rest


def _days(value: dt.date) -> bytes:
    return (value - YEAR_1).days.to_bytes(3, "little")


def _time(value: dt.time | int, scale: int) -> bytes:
    size = 3 if scale <= 2 else 4 if scale <= 4 else 5
    if not isinstance(value, int):  # an int is the number of units as it is, for a seventh digit
        micros = ((value.hour * 60 + value.minute) * 60 + value.second) * 1_000_000 + value.microsecond
        value = micros * 10 ** (scale - 6) if scale >= 6 else micros // 10 ** (6 - scale)
    return value.to_bytes(size, "little")


def _moment(value: dt.datetime, scale: int) -> bytes:
    return _time(value.time(), scale) + _days(value.date())


def _moment_with_offset(value: dt.datetime, scale: int) -> bytes:
    offset = value.utcoffset()
    if offset is None:
        raise ValueError(f"{value} has no offset")
    universal = (value - offset).replace(tzinfo=None)
    return _moment(universal, scale) + struct.pack("<h", int(offset.total_seconds()) // 60)


TIMED: dict[str, tuple[int, Callable[[Any, int], bytes]]] = {
    "time": (0x29, _time),
    "datetime2": (0x2A, _moment),
    "datetimeoffset": (0x2B, _moment_with_offset),
}


def _timed(name: str, scale: int) -> Written:
    code, bare = TIMED[name]

    def encode(value: Any) -> bytes:
        content = bare(value, scale)
        return bytes([len(content)]) + content

    return Written(bytes([code, scale]), _or_null(b"\0", encode))


OTHERS = {
    "date": Written(b"\x28", _or_null(b"\0", lambda value: b"\3" + _days(value))),
    "uniqueidentifier": Written(b"\x24\x10", _or_null(b"\0", lambda value: b"\x10" + uuid.UUID(str(value)).bytes_le)),
    "xml": Written(b"\xf1\0", _or_null(b"\xff" * 8, lambda value: chunked(str(value).encode("utf-16-le")))),
}
