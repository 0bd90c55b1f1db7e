"""The tokens of TDS that are not data: DONE, ERROR, INFO, ENVCHANGE and those of a login."""

from __future__ import annotations

import struct
from typing import NamedTuple

MORE, ERRED, IN_TRANSACTION, COUNTED, ATTENDED, IN_BATCH = 0x01, 0x02, 0x04, 0x10, 0x20, 0x80
DONE, DONE_PROCEDURE, DONE_IN_PROCEDURE = 0xFD, 0xFE, 0xFF
SERVER_NAME = "standin"


class Collation(NamedTuple):
    """How varchar is written; the code is the five bytes of the wire."""

    code: bytes
    codec: str


LATIN = Collation(bytes([0x09, 0x04, 0xD0, 0x00, 0x34]), "cp1252")  # SQL_Latin1_General_CP1_CI_AS
CHINESE = Collation(bytes([0x04, 0x08, 0xD0, 0x00, 0x00]), "gbk")  # Chinese_PRC_CI_AS


def short_text(text: str) -> bytes:
    """B_VARCHAR."""
    return bytes([len(text.encode("utf-16-le")) // 2]) + text.encode("utf-16-le")


def long_text(text: str) -> bytes:
    """US_VARCHAR."""
    content = text.encode("utf-16-le")
    return struct.pack("<H", len(content) // 2) + content


def done(status: int, count: int = 0, *, kind: int = DONE, command: int = 0xC1) -> bytes:
    return struct.pack("<BHHQ", kind, status, command, count)


def told(*, number: int, message: str, severity: int, state: int, line: int, procedure: str = "") -> bytes:
    """ERROR, or INFO below severity 11."""
    content = struct.pack("<IBB", number, state, severity)
    content += long_text(message) + short_text(SERVER_NAME) + short_text(procedure) + struct.pack("<I", line)
    return struct.pack("<BH", 0xAA if severity > 10 else 0xAB, len(content)) + content


def changed(what: int, new: str | bytes, old: str | bytes) -> bytes:
    """ENVCHANGE."""
    content = bytes([what]) + b"".join(
        short_text(one) if isinstance(one, str) else bytes([len(one)]) + one for one in (new, old)
    )
    return struct.pack("<BH", 0xE3, len(content)) + content


def login_accepted(version: int) -> bytes:
    """LOGINACK, in the client's version up to 7.4."""
    spoken = struct.pack(">I", min(version, 0x74000004))
    content = b"\1" + spoken + short_text("Microsoft SQL Server") + bytes([16, 0, 0x10, 0x00])
    return struct.pack("<BH", 0xAD, len(content)) + content


def features_accepted(features: dict[int, bytes]) -> bytes:
    """FEATUREEXTACK, or nothing."""
    if not features:
        return b""
    listed = b"".join(struct.pack("<BI", number, len(value)) + value for number, value in features.items())
    return b"\xae" + listed + b"\xff"


def return_status(value: int) -> bytes:
    return struct.pack("<Bi", 0x79, value)


def return_value(ordinal: int, name: str, type_and_value: bytes) -> bytes:
    """An output parameter."""
    return struct.pack("<BH", 0xAC, ordinal) + short_text(name) + struct.pack("<BIH", 1, 0, 0) + type_and_value
