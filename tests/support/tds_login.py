"""The opening of a TDS connection: PRELOGIN and LOGIN7 as the client says them, and what it is told back."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum

from support.tds_tokens import LATIN, changed, features_accepted, login_accepted
from support.tds_wire import Reader

UTF8_SUPPORT = 0x0A


class Encryption(IntEnum):
    """The byte of PRELOGIN."""

    OFF = 0  # the login alone
    ON = 1
    NOT_SUPPORTED = 2
    REQUIRED = 3


@dataclass(frozen=True)
class Login:
    """Who came, as LOGIN7 says it; `encrypted` is what TLS covers: nothing, the login, or all."""

    user: str
    password: str = field(repr=False)
    host: str
    application: str
    server: str
    library: str
    language: str
    database: str
    read_only: bool
    packet_size: int
    version: int
    features: dict[int, bytes]
    encrypted: str


def prelogin(message: Reader) -> dict[int, bytes]:
    """The client's options by their numbers."""
    content = message.rest()
    return {number: content[offset : offset + length] for number, offset, length in _options(content)}


def _options(content: bytes) -> Iterator[tuple[int, int, int]]:
    at = 0
    while content[at] != 0xFF:
        yield struct.unpack_from(">BHH", content, at)
        at += 5


def prelogin_answer(asked: dict[int, bytes], encryption: Encryption) -> bytes:
    """Version 16, no instance, no MARS; and that no federated login is wanted, where that is asked."""
    told = {0: bytes([16, 0, 0x10, 0x00, 0, 0]), 1: bytes([encryption]), 2: b"\0", 3: b"", 4: b"\0"}
    if 6 in asked:
        told[6] = b"\0"
    table, values = b"", b""
    start = 5 * len(told) + 1
    for number, value in told.items():
        table += struct.pack(">BHH", number, start + len(values), len(value))
        values += value
    return table + b"\xff" + values


def agreed(asked: dict[int, bytes], *, can: bool, must: bool) -> Encryption:
    """What a server answers that can, or must, encrypt."""
    wanted = asked.get(1, b"\2")[0]
    if not can:
        return Encryption.NOT_SUPPORTED
    if must:
        return Encryption.REQUIRED
    return {Encryption.ON: Encryption.ON, Encryption.REQUIRED: Encryption.ON, Encryption.OFF: Encryption.OFF}.get(
        Encryption(wanted), Encryption.NOT_SUPPORTED
    )


TEXTS = ("host", "user", "password", "application", "server", "extension", "library", "language", "database")


def login(message: Reader, encrypted: str) -> Login:
    """The content of LOGIN7."""
    content = message.rest()
    version, packet_size = struct.unpack_from("<II", content, 4)
    type_flags, more_flags = content[26], content[27]
    found = {}
    for index, name in enumerate(TEXTS):
        start, length = struct.unpack_from("<HH", content, 36 + 4 * index)
        found[name] = content[start : start + 2 * length]
    extended = more_flags & 0x10
    extension = found.pop("extension")
    found["password"] = bytes(_clear(byte) for byte in found["password"])
    return Login(
        **{name: value.decode("utf-16-le") for name, value in found.items()},
        read_only=bool(type_flags & 0x20),
        packet_size=packet_size,
        version=version,
        features=dict(_features(content, struct.unpack_from("<I", extension)[0])) if extended else {},
        encrypted=encrypted,
    )


def _clear(byte: int) -> int:
    byte ^= 0xA5
    return (byte << 4 | byte >> 4) & 0xFF


def _features(content: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    while content[at] != 0xFF:
        number, length = struct.unpack_from("<BI", content, at)
        yield number, content[at + 5 : at + 5 + length]
        at += 5 + length


def welcome(who: Login, database: str, packet_size: int) -> bytes:
    """What a login that is let in hears, up to the DONE; no session can be recovered here, so none is promised."""
    return b"".join(
        (
            changed(1, database, "master"),
            changed(7, LATIN.code, b""),
            changed(2, "us_english", ""),
            login_accepted(who.version),
            changed(4, str(packet_size), "4096"),
            features_accepted({UTF8_SUPPORT: b"\1"} if UTF8_SUPPORT in who.features else {}),
        )
    )
