"""The socket under a conversation: dialled, wrapped in TLS, read against the clock, written in blocks.

`smtplib` parses EHLO and speaks the logins. Reading and writing are done here: it waits for ever for a
reply that comes a byte at a time, and tells a timeout, a reset and a hang-up apart no more.
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
import time
from collections.abc import Iterator

from reports.errors import TransportError
from reports.transports.account import Account, is_loopback

REPLY_WAIT = 300.0
"""Seconds for the whole of one reply, however slowly it comes (RFC 5321, 4.5.3.2)."""
_BLOCK = 32_768
_MOST_UNREAD = 65_536
_HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,253}[A-Za-z0-9])?")
_LOOK_AT = "check host, port and security"
_NO_TLS = {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNSUPPORTED_PROTOCOL"}
_BAD_CERTIFICATE = {
    9: ("is not valid yet", "look at this machine's clock first: it may be behind"),
    10: ("has expired", "the server's owner renews it; if it should still be valid, look at this machine's clock"),
}


class Wire(smtplib.SMTP):
    """A connected socket with the commands of smtplib; every failure is an OSError that says what it was."""

    def __init__(self, connected: socket.socket, *, timeout: float) -> None:
        super().__init__(local_hostname=_own_name(), timeout=timeout)
        self.sock: socket.socket | None = connected
        self._unread = b""

    @property
    def socket(self) -> socket.socket:
        if self.sock is None:
            raise ConnectionError("the connection is closed")
        return self.sock

    @property
    def out_of_turn(self) -> bool:
        """Whether the server has said more than it was asked."""
        return bool(self._unread)

    def wrap(self, context: ssl.SSLContext, host: str) -> None:
        """TLS from here on; what the server said or offered in the clear is forgotten."""
        self.sock = context.wrap_socket(self.socket, server_hostname=host)
        self._unread, self.ehlo_resp, self.helo_resp = b"", None, None
        self.esmtp_features, self.does_esmtp = {}, False

    def send(self, text: str | bytes) -> None:  # type: ignore[override]  # nothing else is ever sent
        self.socket.sendall(text.encode(self.command_encoding) if isinstance(text, str) else text)

    def getreply(self) -> tuple[int, bytes]:
        """The next reply: a byte at least within the timeout, the whole of it within REPLY_WAIT."""
        return self.reply(self.timeout, max(REPLY_WAIT, self.timeout))

    def reply(self, silence: float, whole: float) -> tuple[int, bytes]:
        """The code, -1 where there is none, and the lines; seconds of silence and in all that are borne."""
        until, lines = time.monotonic() + whole, []
        while True:
            line = self._line(silence, until)
            lines.append(line[4:].strip())
            if not line[:3].isdigit() or line[3:4] != b"-":
                break
        return int(line[:3]) if line[:3].isdigit() else -1, b"\n".join(lines)

    def _line(self, silence: float, until: float) -> bytes:
        while b"\n" not in self._unread:
            if len(self._unread) > _MOST_UNREAD:
                raise ConnectionError("an answer without an end")
            self._unread += self._more(min(silence, until - time.monotonic()))
        line, _, self._unread = self._unread.partition(b"\n")
        return line

    def _more(self, seconds: float) -> bytes:
        if seconds <= 0:
            raise TimeoutError("timed out")
        connected = self.socket
        connected.settimeout(seconds)
        more = connected.recv(8192)
        if not more:
            raise ConnectionError("the server hung up")
        connected.settimeout(self.timeout)
        return more


def dial(account: Account) -> Wire:
    """A connection to the account's host and port on which nothing has been said yet."""
    try:
        connected = socket.create_connection((host_of(account), account.port), account.timeout)
    except (OSError, UnicodeError) as error:
        raise unreachable(account, error) from error
    # A command is one small packet that waits for nobody.
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return Wire(connected, timeout=account.timeout)


def addresses(account: Account) -> list[str]:
    """The addresses that the account's host has, in the order they would be tried."""
    try:
        found = socket.getaddrinfo(host_of(account), account.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise unreachable(account, error) from error
    return list(dict.fromkeys(str(end[0]) for *_, end in found))


def host_of(account: Account) -> str:
    """The host as the socket wants it: an IPv6 address without its brackets."""
    return account.host.strip("[]")


def blocks(content: bytes, *, about: int = _BLOCK) -> Iterator[tuple[bytes, bool]]:
    """The content as it is sent, and whether a block is the last one, which holds the final dot.

    Dots at the start of a line are doubled, and where there are dots all lines end in CRLF. Each block is
    whole lines, `about` bytes, made while the one before is on its way; most need no change.
    """
    start, size = 0, len(content)
    while True:
        end = content.find(b"\n", start + about) + 1 or size
        block = _lines(content[start:end])
        if end == size:
            yield block + (b".\r\n" if block.endswith(b"\r\n") else b"\r\n.\r\n"), True
            return
        yield block, False
        start = end


def _lines(block: bytes) -> bytes:
    # Found far faster than line ends; a block without a dot, as all base64 is, cannot end the message early.
    if b"." not in block:
        return block
    if not _ends_in_crlf(block):
        block = re.sub(rb"\r\n|\r|\n", b"\r\n", block)
    block = block.replace(b"\n.", b"\n..")
    return b"." + block if block.startswith(b".") else block


def _ends_in_crlf(block: bytes) -> bool:
    # A sign that stands alone ends a line of its own, one more than there are pairs.
    lines = len(block.splitlines()) - (not block.endswith((b"\n", b"\r")))
    return block.count(b"\n") == block.count(b"\r") == lines


def trusted(account: Account) -> ssl.SSLContext:
    """TLS that verifies: the system's authorities, and the company's own where `ca_file` names it."""
    context = ssl.create_default_context()
    if account.ca_file:
        try:
            context.load_verify_locations(account.ca_file)
        except OSError as error:
            raise TransportError(
                f"the file of certificates cannot be used: {error.strerror or error}",
                where=f"mail.ca_file = {account.ca_file}",
                hint="it holds one or more certificates in PEM form",
                permanent=True,
                account=True,
            ) from error
    return context


# -- why a server cannot be reached ---------------------------------------------------------------


def unreachable(account: Account, error: Exception) -> TransportError:
    """The error for a server that could not be reached, or not safely, with the setting to look at."""
    what, hint, permanent = _why(account, error)
    return TransportError(what, where=account.where, hint=hint, permanent=permanent, account=True)


def _why(account: Account, error: Exception) -> tuple[str, str, bool]:
    """What happened, what to do, and whether it is permanent."""
    hint = account.provider.advice if is_loopback(account.host) else _LOOK_AT
    what, permanent = f"the connection failed: {last_words(error)}", False
    match error:
        case ssl.SSLCertVerificationError():
            what, hint = _distrust(error)
            permanent = True
        case ssl.SSLError():
            what = f"no TLS could be agreed on: {error.reason or error}"
            hint = 'if this port starts in the clear, set security = "starttls"'
            permanent = error.reason in _NO_TLS
        case socket.gaierror():
            what = f"the host '{account.host}' is not known"
            hint = "check host, and that this machine has a network"
        case UnicodeError():
            what, permanent = f"'{account.host}' cannot be the name of a host", True
        case TimeoutError():
            what = f"the server did not answer within {account.timeout:g} s"
            hint = f"{_LOOK_AT}; many networks block port 25"
        case ConnectionRefusedError():
            what = "nothing listens there"
    return what, hint, permanent


def _distrust(error: ssl.SSLCertVerificationError) -> tuple[str, str]:
    if known := _BAD_CERTIFICATE.get(error.verify_code):
        return f"the server's certificate {known[0]}", known[1]
    what = f"the server's certificate is not trusted: {error.verify_message}"
    return what, "a company's own authority is named with ca_file; check host as well"


def last_words(error: Exception) -> str:
    """What an exception says on one line, its name where it says nothing."""
    return " ".join(str(error).split()) or type(error).__name__


def _own_name() -> str:
    """This machine's name for EHLO: never looked up, which may take seconds, and never beyond ASCII."""
    name = socket.gethostname()
    return name if _HOST_NAME.fullmatch(name) else "[127.0.0.1]"
