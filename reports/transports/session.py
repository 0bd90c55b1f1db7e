"""One conversation with a mail server: connect, TLS, login, commands, and the bytes of a message.

`smtplib` reads replies and wraps sockets here and decides nothing: it verifies no certificate by itself,
tries every login in turn, and cannot say whether a connection broke before or after the final dot.
"""

from __future__ import annotations

import base64
import contextlib
import re
import smtplib
import socket
import ssl
from dataclasses import dataclass, field
from typing import Any

from reports.errors import TransportError
from reports.transports.account import Account, is_loopback
from reports.transports.providers import meaning

_BLOCK = 65_536
_QUIT_WAIT = 5.0
_HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,253}[A-Za-z0-9])?")
_LOOK_AT = "check host, port and security"
_NO_TLS = {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNSUPPORTED_PROTOCOL"}
MASK = "***"


@dataclass(frozen=True)
class Reply:
    """What the server said; the code is 0 where it said nothing any more."""

    code: int
    text: str

    def __str__(self) -> str:
        return f"{self.code} {self.text}".strip() if self.code else self.text


@dataclass
class Session:
    """An open connection. Every failure is a TransportError, and no text of it shows a secret."""

    account: Account
    smtp: smtplib.SMTP
    hidden: list[str] = field(default_factory=list, repr=False)

    @property
    def offers(self) -> dict[str, str]:
        """The server's extensions in small letters, each with its parameters."""
        return self.smtp.esmtp_features

    @property
    def size_limit(self) -> int | None:
        """The largest message in bytes that the server announces, or None."""
        announced = self.offers.get("size", "").strip()
        return int(announced) or None if announced.isdecimal() else None

    @property
    def mechanisms(self) -> list[str]:
        return self.offers.get("auth", "").upper().split()

    @property
    def tls(self) -> ssl.SSLSocket | None:
        return self.smtp.sock if isinstance(self.smtp.sock, ssl.SSLSocket) else None

    def greet(self) -> None:
        """EHLO, or HELO where the server knows no better."""
        try:
            self.smtp.ehlo_or_helo_if_needed()
        except smtplib.SMTPHeloError as error:
            raise self.refusal(self._reply(error.smtp_code, error.smtp_error), "the greeting") from error
        except (OSError, smtplib.SMTPException) as error:
            raise self.lost("during the greeting", error) from error

    def start_tls(self, context: ssl.SSLContext) -> None:
        """TLS from here on; without STARTTLS nothing more is said."""
        if "starttls" not in self.offers:
            raise TransportError(
                "the server does not offer STARTTLS, so nothing was sent",
                where=self.account.where,
                hint='if this port speaks TLS from the first byte, set security = "tls"',
                permanent=True,
            )
        try:
            self.smtp.starttls(context=context)
        except smtplib.SMTPResponseException as error:
            raise self.refusal(self._reply(error.smtp_code, error.smtp_error), "STARTTLS") from error
        except (OSError, smtplib.SMTPException) as error:
            raise unreachable(self.account, error) from error
        self.greet()

    def log_in(self, mechanism: str, user: str, secret: str) -> None:
        """One attempt with one mechanism: a second one with the same password only locks accounts."""
        self._hide(user, secret)
        explained: list[bytes] = []

        def token(challenge: bytes | None = None) -> str:
            if challenge is None:
                return f"user={user}\x01auth=Bearer {secret}\x01\x01"
            explained.append(b" " + challenge)
            return ""

        known: dict[str, Any] = {
            "PLAIN": self.smtp.auth_plain,
            "LOGIN": self.smtp.auth_login,
            "CRAM-MD5": self.smtp.auth_cram_md5,
            "XOAUTH2": token,
        }
        self.smtp.user, self.smtp.password = user, secret
        try:
            self.smtp.auth(mechanism, known[mechanism])
        except smtplib.SMTPResponseException as error:
            reply = self._reply(error.smtp_code, _bytes(error.smtp_error) + b"".join(explained))
            # The cause is left out on purpose: its text is the server's, which may repeat the secret.
            raise self.refusal(reply, f"the login with {mechanism}", advice=self.account.provider.advice) from None
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise self.lost("during the login", error) from None

    def command(self, line: str) -> Reply:
        """The reply to a command; a TransportError where the server hangs up or says 421."""
        verb = line.partition(" ")[0]
        try:
            reply = self._reply(*self.smtp.docmd(line))
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise self.lost(f"at {verb}", error) from error
        if reply.code == 421 or reply.code < 200:
            raise self.refusal(reply, verb)
        return reply

    def content(self, content: bytes, *, final_wait: float) -> Reply:
        """Send a message's bytes after a 354 and return the last reply.

        Where the connection is lost before the final dot nobody has the message: a TransportError. Where
        it is lost after it nobody can know: a reply with the code 0.
        """
        try:
            for block in _blocks(content):
                self._socket.sendall(block)
        except OSError as error:
            raise self.lost("before the message had gone out", error) from error
        try:
            self._socket.settimeout(final_wait)
            self._socket.sendall(b".\r\n")
            reply = self._reply(*self.smtp.getreply())
            self._socket.settimeout(self.account.timeout)
        except (OSError, smtplib.SMTPException) as error:
            return Reply(0, self.masked(f"no answer after the whole message had gone: {error}"))
        return reply if reply.code >= 200 else Reply(0, f"an answer that means nothing: {reply.text!r}")

    def close(self) -> None:
        """Say goodbye; what the server answers to that changes nothing."""
        with contextlib.suppress(OSError, smtplib.SMTPException):
            if self.smtp.sock is not None:
                self.smtp.sock.settimeout(_QUIT_WAIT)
            self.smtp.docmd("QUIT")
        self.smtp.close()

    def refusal(self, reply: Reply, step: str, *, advice: str = "") -> TransportError:
        """The error for a reply that ends the attempt: the provider's meaning wins over the code's."""
        found = meaning(self.account.provider, reply.code, reply.text)
        permanent = reply.code >= 500 if found is None or found.permanent is None else found.permanent
        return TransportError(
            f"the server refused {step}: {reply}",
            where=self.account.where,
            hint=f"{found.means}: {found.do}" if found else advice,
            permanent=permanent,
            retry_after=found.retry_after if found and not permanent else None,
        )

    def lost(self, when: str, error: Exception) -> TransportError:
        """The error for a connection that broke while nobody had the message yet."""
        return TransportError(
            self.masked(f"the connection was lost {when}: {_last_words(error)}"),
            where=self.account.where,
            hint="nobody got the message; it can be tried again",
        )

    def masked(self, text: str) -> str:
        for secret in self.hidden:
            text = text.replace(secret, MASK)
        return text

    def _hide(self, user: str, secret: str) -> None:
        forms = [secret, f"\0{user}\0{secret}", f"user={user}\x01auth=Bearer {secret}\x01\x01"]
        encoded = [base64.b64encode(form.encode()).decode() for form in forms]
        self.hidden = [secret, *encoded] if secret else []

    def _reply(self, code: int, text: bytes | str) -> Reply:
        return Reply(code, self.masked(_words(text))[:500])

    @property
    def _socket(self) -> socket.socket:
        if self.smtp.sock is None:
            raise ConnectionError("the connection is closed")
        return self.smtp.sock


def connect(account: Account) -> Session:
    """A connection that is greeted and as safe as the account asks; without a login yet."""
    context = _context(account)
    host, name = account.host.strip("[]"), _own_name()
    try:
        smtp = (
            smtplib.SMTP_SSL(host, account.port, name, timeout=account.timeout, context=context)
            if account.security == "tls"
            else smtplib.SMTP(host, account.port, name, timeout=account.timeout)
        )
    except (OSError, UnicodeError, smtplib.SMTPException) as error:
        raise unreachable(account, error) from error
    session = Session(account, smtp)
    try:
        session.greet()
        if account.security == "starttls":
            session.start_tls(context)
    except TransportError:
        session.close()
        raise
    return session


def unreachable(account: Account, error: Exception) -> TransportError:
    """The error for a server that could not be reached, or not safely, with the setting to look at."""
    what, hint, permanent = _why(account, error)
    return TransportError(what, where=account.where, hint=hint, permanent=permanent)


def _why(account: Account, error: Exception) -> tuple[str, str, bool]:
    """What happened, what to do, and whether it is permanent."""
    if isinstance(error, smtplib.SMTPServerDisconnected) and isinstance(error.__context__, OSError):
        error = error.__context__  # smtplib says "closed" for a timeout as well
    hint = account.provider.advice if is_loopback(account.host) else _LOOK_AT
    what, permanent = f"the connection failed: {_last_words(error)}", False
    match error:
        case ssl.SSLCertVerificationError():
            what = f"the server's certificate is not trusted: {error.verify_message}"
            hint, permanent = "a company's own authority is named with ca_file; check host as well", True
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
        case smtplib.SMTPConnectError():
            what = f"the server refused the connection: {error.smtp_code} {_words(error.smtp_error)}"
            permanent = error.smtp_code >= 500
    return what, hint, permanent


def _words(text: bytes | str) -> str:
    return " ".join(_bytes(text).decode("utf-8", "replace").split())


def _bytes(text: bytes | str) -> bytes:
    return text.encode() if isinstance(text, str) else text


def _last_words(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _context(account: Account) -> ssl.SSLContext:
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
            ) from error
    return context


def _own_name() -> str:
    """This machine's name for EHLO: never looked up, which may take seconds, and never beyond ASCII."""
    name = socket.gethostname()
    return name if _HOST_NAME.fullmatch(name) else "[127.0.0.1]"


def _blocks(content: bytes) -> list[bytes]:
    """The content as lines with CRLF and dots doubled, in blocks: a timeout is about a whole sendall."""
    if not content.count(b"\r") == content.count(b"\n") == content.count(b"\r\n"):
        content = re.sub(rb"\r\n|\r|\n", b"\r\n", content)
    content = content if content.endswith(b"\r\n") else content + b"\r\n"
    stuffed = (b"\n" + content).replace(b"\n.", b"\n..")
    return [stuffed[start : start + _BLOCK] for start in range(1, len(stuffed), _BLOCK)]
