"""The packets of TDS on a socket, in the clear or through TLS; messages are read and written in pieces."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import struct
from collections import deque
from enum import IntEnum

HEADER = struct.Struct(">BBHHBB")
ENDS, IGNORED, RESETS = 0x01, 0x02, 0x18  # bits of a packet's status
# An answer below this goes out in one call of the system, which needs no lock of the interpreter: some drivers keep it
# while they wait for the rest of what they have begun to read.
FLUSHED_AT = 4 * 1024 * 1024


class Kind(IntEnum):
    """What a message is; written by the client but for TABULAR."""

    BATCH = 1
    RPC = 3
    TABULAR = 4
    ATTENTION = 6
    BULK = 7
    TRANSACTION = 14
    LOGIN = 16
    PRELOGIN = 18


class Gone(Exception):
    """The client has closed the connection."""


class Attended(Exception):
    """The client has sent an ATTENTION: it wants no more of this answer."""


class Wire:
    """One connection's packets; everything happens in the thread that reads and writes."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._tls: ssl.SSLObject | None = None
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._raw = bytearray()
        self._packets: deque[tuple[int, int, bytes]] = deque()
        self._written = bytearray()
        self._number = 0
        self._shaking = False
        self.packet_size = 4096
        self.attentions = 0

    # What comes in

    def packet(self) -> tuple[int, int, bytes]:
        """The next packet's kind, status and payload, waited for."""
        while not self._packets:
            self._receive()
            self._cut_packets()
        return self._packets.popleft()

    def attended(self, seconds: float = 0) -> bool:
        """Whether an ATTENTION comes within some seconds; other packets are kept for later."""
        while not (attention := next((one for one in self._packets if one[0] == Kind.ATTENTION), None)):
            if not select.select([self._socket], [], [], seconds)[0]:
                return False
            self._receive()
            self._cut_packets()
        self._packets.remove(attention)
        self.attentions += 1
        return True

    def _receive(self) -> None:
        read = self._socket.recv(256 * 1024)
        if not read:
            raise Gone
        if self._tls is None:
            self._raw += read
            return
        self._decrypt(read)

    def _decrypt(self, read: bytes) -> None:
        self._in.write(read)
        with contextlib.suppress(ssl.SSLWantReadError):
            while self._tls is not None and (part := self._tls.read(256 * 1024)):
                self._raw += part

    def _cut_packets(self) -> None:
        at = 0
        while len(self._raw) - at >= HEADER.size:
            kind, status, length = HEADER.unpack_from(self._raw, at)[:3]
            if length < HEADER.size:
                raise Gone
            if len(self._raw) - at < length:
                break
            self._packets.append((kind, status, bytes(self._raw[at + HEADER.size : at + length])))
            at += length
            if self._shaking:
                break  # what follows may be TLS already
        del self._raw[:at]

    # What goes out

    def write(self, tokens: bytes) -> None:
        """Add to the message; what fills packets goes out when it is worth a call."""
        self._written += tokens
        if len(self._written) >= FLUSHED_AT:
            self._send_packets(all_of_it=False)
            if self.attended():
                raise Attended

    def tear(self) -> None:
        """Lose the last bytes of what has not been sent."""
        del self._written[-2:]

    def flush(self) -> None:
        """Send what there is so far; the message goes on."""
        self._send_packets(all_of_it=True)

    def end(self, kind: Kind = Kind.TABULAR) -> None:
        """Send the rest, with the message's last packet."""
        size = self.packet_size - HEADER.size
        rest = bytes(self._written)
        last = max(0, len(rest) - 1) // size * size
        parts = [self._packet(rest[at : at + size], kind, 0) for at in range(0, last, size)]
        self._written.clear()
        self._send(b"".join([*parts, self._packet(rest[last:], kind, ENDS)]))
        self._number = 0

    def _send_packets(self, *, all_of_it: bool) -> None:
        size = self.packet_size - HEADER.size
        ready = bytes(self._written)
        whole = len(ready) if all_of_it else max(0, len(ready) - 1) // size * size
        if whole:
            parts = [self._packet(ready[at : at + size], Kind.TABULAR, 0) for at in range(0, whole, size)]
            self._written = bytearray(ready[whole:])
            self._send(b"".join(parts))

    def _packet(self, payload: bytes, kind: Kind, status: int) -> bytes:
        self._number = (self._number + 1) % 256
        return HEADER.pack(kind, status, HEADER.size + len(payload), 0, self._number, 0) + payload

    def _send(self, packets: bytes) -> None:
        if self._tls is not None:
            self._tls.write(packets)
            packets = self._out.read()
        self._socket.sendall(packets)

    def close(self, *, reset: bool = False) -> None:
        """End the connection, in order or as if the plug were pulled."""
        if reset:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with contextlib.suppress(OSError):
            if not reset:
                self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    # TLS

    def start_tls(self, context: ssl.SSLContext) -> None:
        """Shake hands inside PRELOGIN packets; from then on the packets are inside TLS."""
        tls = context.wrap_bio(self._in, self._out, server_side=True)
        self._shaking = True
        while True:
            with contextlib.suppress(ssl.SSLWantReadError):
                tls.do_handshake()
                break
            self._send_handshake()
            self._in.write(self.packet()[2])
        self._send_handshake()
        self._tls, self._shaking = tls, False
        early = bytes(self._raw)
        self._raw.clear()
        self._decrypt(early)
        self._cut_packets()

    def _send_handshake(self) -> None:
        if said := self._out.read():
            size = self.packet_size - HEADER.size
            starts = range(0, len(said), size)
            self._socket.sendall(
                b"".join(
                    self._packet(said[at : at + size], Kind.PRELOGIN, ENDS if at == starts[-1] else 0) for at in starts
                )
            )
            self._number = 0

    def end_tls(self) -> None:
        """Go on in the clear, as after a login that alone was encrypted."""
        self._tls = None


class Reader:
    """One message of a client, read as its packets come."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.kind, status, self._have = wire.packet()
        self.resets = bool(status & RESETS)
        self._ended, self._ignored = bool(status & ENDS), bool(status & IGNORED)
        self._at = 0

    def take(self, size: int) -> bytes:
        end = self._at + size
        while end > len(self._have):
            if not self._more():
                raise Gone
            end = self._at + size
        taken = self._have[self._at : end]
        self._at = end
        return taken

    def byte(self) -> int:
        return self.take(1)[0]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def text(self, characters: int) -> str:
        return self.take(2 * characters).decode("utf-16-le", "surrogatepass")

    def more(self) -> bool:
        """Whether the message goes on."""
        return self._at < len(self._have) or self._more()

    def rest(self) -> bytes:
        """Everything up to the message's end."""
        parts = [self._have[self._at :]]
        self._at = len(self._have)
        while self._more():
            parts.append(self._have)
            self._at = len(self._have)
        return b"".join(parts)

    @property
    def ignored(self) -> bool:
        """Whether the client took the message back when it ended."""
        return self._ignored

    def _more(self) -> bool:
        while not self._ended:
            kind, status, payload = self._wire.packet()
            if kind == Kind.ATTENTION:
                self._wire.attentions += 1
                raise Attended
            self._ended, self._ignored = bool(status & ENDS), bool(status & IGNORED)
            if payload:
                self._have = self._have[self._at :] + payload
                self._at = 0
                return True
        return False
