"""One conversation with a mail server: TLS, login, commands, and the bytes of a message.

`smtplib` decides nothing here: it verifies no certificate by itself, tries every login in turn, and cannot
say whether a connection broke before or after the final dot.
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import json
import smtplib
import ssl
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from reports.errors import TransportError
from reports.transports.account import Account
from reports.transports.providers import meaning
from reports.transports.wire import Wire, blocks, dial, host_of, last_words, trusted, unreachable

_QUIT_WAIT = 5.0
_BROKEN = (OSError, smtplib.SMTPException, ValueError)
_SIGN_IN = "sign in again with `reports login`; if the secret is an access token itself, fetch a new one"
MASK = "***"


@dataclass(frozen=True)
class Reply:
    """What the server said; the code is 0 where it said nothing any more."""

    code: int
    text: str

    @property
    def accepts(self) -> bool:
        return 200 <= self.code < 300

    def __str__(self) -> str:
        return f"{self.code} {self.text}".strip() if self.code else self.text


@dataclass
class Session:
    """An open connection. Every failure is a TransportError, and no text of it shows a secret.

    `gone` says that nothing more can be said: the connection was lost, ended by a 421, or left in the
    middle of a message. `greeted_at` is when the greeting came.
    """

    account: Account
    smtp: Wire
    hidden: list[str] = field(default_factory=list, repr=False)
    greeting: str = ""
    greeted_at: dt.datetime | None = None
    gone: bool = False

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
        return list(dict.fromkeys(self.offers.get("auth", "").upper().split()))

    @property
    def tls(self) -> ssl.SSLSocket | None:
        return self.smtp.sock if isinstance(self.smtp.sock, ssl.SSLSocket) else None

    # -- until the first message ------------------------------------------------------------------

    def secure(self) -> None:
        """TLS from here on, with a certificate that is verified."""
        context = trusted(self.account)
        try:
            self.smtp.wrap(context, host_of(self.account))
        except (OSError, UnicodeError) as error:
            raise self._unreachable(error) from error

    def welcome(self) -> None:
        """The server's greeting, which may be a refusal."""
        try:
            reply = self._reply(*self.smtp.getreply())
        except _BROKEN as error:
            raise self._unreachable(error) from error
        self.greeting, self.greeted_at = reply.text, dt.datetime.now(dt.UTC)
        if reply.code != 220:
            raise self.refusal(reply, "the connection", account=True)

    def greet(self) -> None:
        """EHLO, or HELO where the server knows no better."""
        try:
            self.smtp.ehlo_or_helo_if_needed()
        except smtplib.SMTPHeloError as error:
            raise self.refusal(self._reply(error.smtp_code, error.smtp_error), "the greeting", account=True) from error
        except _BROKEN as error:
            raise self.lost("during the greeting", error, account=True) from error

    def start_tls(self) -> None:
        """TLS after a greeting in the clear; without STARTTLS nothing more is said."""
        if "starttls" not in self.offers:
            raise TransportError(
                "the server does not offer STARTTLS, so nothing was sent",
                where=self.account.where,
                hint='if this port speaks TLS from the first byte, set security = "tls"',
                permanent=True,
                account=True,
            )
        reply = self.command("STARTTLS", account=True)
        if reply.code != 220:
            raise self.refusal(reply, "STARTTLS", account=True)
        self.secure()
        self.greet()

    def log_in(self, mechanism: str, user: str, secret: str) -> None:
        """One attempt with one mechanism: a second one with the same password only locks accounts."""
        self._hide(user, secret)
        explained: list[str] = []
        token = _token(user, secret, explained)
        known: dict[str, Callable[..., str]] = {
            "PLAIN": self.smtp.auth_plain,
            "LOGIN": self.smtp.auth_login,
            "CRAM-MD5": self.smtp.auth_cram_md5,
            "XOAUTH2": token,
        }
        self.smtp.user, self.smtp.password = user, secret
        advice = _SIGN_IN if mechanism == "XOAUTH2" else self.account.provider.advice
        try:
            self.smtp.auth(mechanism, known[mechanism])
        except smtplib.SMTPResponseException as error:
            reply = self._reply(error.smtp_code, _bytes(error.smtp_error) + "".join(explained).encode())
            # The cause is left out on purpose: its text is the server's, which may repeat the secret.
            raise self.refusal(reply, f"the login with {mechanism}", advice=advice, account=True) from None
        except _BROKEN as error:
            raise self.lost("during the login", error, account=True) from None

    # -- messages -----------------------------------------------------------------------------------

    def begin(self, sender: str, recipients: Sequence[str] = (), *, size: int | None = None) -> list[Reply]:
        """MAIL and RCPT: the sender is accepted, for a message of `size` bytes; the reply for each recipient."""
        replies = self.commands([self._mail(sender, recipients, size), *(f"RCPT TO:<{one}>" for one in recipients)])
        reply = next(replies)
        if not reply.accepts:
            advice = f"see that this account may send as {sender}" if reply.code >= 500 else ""
            raise self.refusal(reply, f"the sender {sender}", advice=advice)
        return list(replies)

    def _mail(self, sender: str, recipients: Sequence[str], size: int | None) -> str:
        """The command; with SMTPUTF8 where an address needs it."""
        options = [f"SIZE={size}"] if size is not None and "size" in self.offers else []
        self.smtp.command_encoding = "ascii"
        if odd := next((one for one in (sender, *recipients) if not one.isascii()), ""):
            self._takes_utf8(odd)
            self.smtp.command_encoding = "utf-8"
            options += ["SMTPUTF8", "BODY=8BITMIME"] if "8bitmime" in self.offers else ["SMTPUTF8"]
        return " ".join([f"MAIL FROM:<{sender}>", *options])

    def _takes_utf8(self, address: str) -> None:
        if "smtputf8" not in self.offers:
            raise TransportError(
                f"the server takes no address with letters beyond ASCII: {address}",
                where=self.account.where,
                hint="write an address in ASCII, or send by a server that knows SMTPUTF8",
                permanent=True,
            )

    def commands(self, lines: Sequence[str]) -> Iterator[Reply]:
        """The replies in order; all commands go out together where the server takes that (RFC 2920)."""
        if "pipelining" not in self.offers:
            yield from map(self.command, lines)
            return
        self._say(lines)
        for line in lines:
            yield self._hear(line)

    def command(self, line: str, *, account: bool = False) -> Reply:
        """The reply to a command; a TransportError where the server hangs up or says 421."""
        self._say([line], account=account)
        return self._hear(line, account=account)

    def _say(self, lines: Sequence[str], *, account: bool = False) -> None:
        try:
            self.smtp.send("".join(f"{line}\r\n" for line in lines))
        except _BROKEN as error:
            raise self.lost(f"at {lines[0].partition(' ')[0]}", error, account=account) from error

    def _hear(self, line: str, *, account: bool = False) -> Reply:
        verb = line.partition(" ")[0]
        try:
            reply = self._reply(*self.smtp.getreply())
        except _BROKEN as error:
            raise self.lost(f"at {verb}", error, account=account) from error
        if reply.code == 421 or reply.code < 200:
            raise self.refusal(reply, verb, account=account)
        return reply

    def content(self, content: bytes, *, final_wait: float) -> Reply:
        """DATA, a message's bytes, and the last reply.

        Where it is refused, or the connection is lost before the final dot went out, nobody has the
        message: a TransportError. Where it is lost after that nobody can know: a reply with the code 0.
        """
        self.gone = True  # whatever interrupts this, a QUIT after it would be a line of the message
        reply = self.command("DATA")
        if reply.code // 100 != 3:
            self.gone = False
            raise self.refusal(reply, "the message")
        if (reply := self._handed_over(content, final_wait)).code:
            self.gone = False
        if reply.code and not reply.accepts:
            raise self.refusal(reply, "the message")
        return reply

    def _handed_over(self, content: bytes, final_wait: float) -> Reply:
        last = False
        try:
            if self.smtp.out_of_turn:
                raise ConnectionError("the server says more than it was asked")
            for block, last in blocks(content):  # noqa: B007  it is asked for when a block fails
                self.smtp.socket.sendall(block)
            reply = self._reply(*self.smtp.reply(final_wait, final_wait))
        except _BROKEN as error:
            if not last:
                raise self.lost("before the message had gone out", error) from error
            return Reply(0, self.masked(f"no answer after the whole message had gone: {last_words(error)}"))
        known = reply.code // 100 in {2, 4, 5}
        return reply if known else Reply(0, f"an answer that means nothing: {reply.text!r}")

    def close(self) -> None:
        """Say goodbye, where that can be done; what the server answers to it changes nothing."""
        if not self.gone:
            with contextlib.suppress(*_BROKEN):
                self.smtp.putcmd("QUIT")
                self.smtp.reply(_QUIT_WAIT, _QUIT_WAIT)
        self.gone = True
        self.smtp.close()

    # -- what went wrong ----------------------------------------------------------------------------

    def refusal(self, reply: Reply, step: str, *, advice: str = "", account: bool = False) -> TransportError:
        """The error for a reply that ends the attempt: the provider's meaning wins over the code's."""
        self.gone = self.gone or reply.code == 421
        found = meaning(self.account.provider, reply.code, reply.text)
        permanent = reply.code >= 500 if found is None or found.permanent is None else found.permanent
        return TransportError(
            f"the server refused {step}: {reply}",
            where=self.account.where,
            hint=f"{found.means}: {found.do}" if found else advice,
            permanent=permanent,
            retry_after=found.retry_after if found and not permanent else None,
            account=account or reply.code == 421 or bool(found and found.account),
        )

    def lost(self, when: str, error: Exception, *, account: bool = False) -> TransportError:
        """The error for a connection that broke while nobody had the message yet."""
        self.gone = True
        return TransportError(
            self.masked(f"the connection was lost {when}: {last_words(error)}"),
            where=self.account.where,
            hint="nobody got the message; it can be tried again",
            account=account,
        )

    def _unreachable(self, error: Exception) -> TransportError:
        self.gone = True
        return unreachable(self.account, error)

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


def connect(account: Account) -> Session:
    """A connection that is greeted and as safe as the account asks; without a login yet."""
    session = Session(account, dial(account))
    try:
        if account.security == "tls":
            session.secure()
        session.welcome()
        session.greet()
        if account.security == "starttls":
            session.start_tls()
    except BaseException:
        session.close()
        raise
    return session


def _token(user: str, secret: str, explained: list[str]) -> Callable[..., str]:
    """XOAUTH2 for smtplib; what the server says of a token it refuses is put into `explained`."""

    def answer(challenge: bytes | None = None) -> str:
        if challenge is None:
            return f"user={user}\x01auth=Bearer {secret}\x01\x01"
        explained.append(f" ({_told(challenge)})")
        return ""

    return answer


def _told(challenge: bytes) -> str:
    """The JSON of a 334 in words: status 401, schemes bearer."""
    try:
        said = json.loads(challenge)
    except ValueError:
        return _words(challenge)
    return ", ".join(f"{key} {value}" for key, value in said.items()) if isinstance(said, dict) else _words(challenge)


def _words(text: bytes | str) -> str:
    return " ".join(_bytes(text).decode("utf-8", "replace").split())


def _bytes(text: bytes | str) -> bytes:
    return text.encode() if isinstance(text, str) else text
