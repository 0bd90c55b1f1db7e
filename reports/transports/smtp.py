"""Messages by SMTP: what is checked before, who answered what, and what stays unknown."""

from __future__ import annotations

import datetime as dt
import ssl
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from reports.errors import ReportsError, TransportError
from reports.model import Message, Receipt, size
from reports.transports import providers
from reports.transports.account import Account, is_loopback
from reports.transports.providers import Limits
from reports.transports.session import Reply, Session, connect

MOST_RECIPIENTS = 100
"""Recipients of one transaction that every server must take (RFC 5321, 4.5.3.1.8)."""
FINAL_WAIT = 600.0
"""Seconds to wait after the final dot: less would deliver twice (RFC 5321, 4.5.3.2.6)."""
_PREFERRED = ("PLAIN", "LOGIN", "CRAM-MD5")


@dataclass(frozen=True)
class SmtpTransport:
    """Sends through one account, with a connection for each message."""

    account: Account
    final_wait: float = FINAL_WAIT

    def send(self, message: Message) -> Sequence[Receipt]:
        """One receipt a recipient, in the message's order; a TransportError means that nobody got it."""
        self._is_sendable(message)
        session = self._open()
        try:
            self._fits(message, session)
            receipts = self._deliver(session, message)
        finally:
            session.close()
        place = {recipient: number for number, recipient in enumerate(message.recipients)}
        return sorted(receipts, key=lambda receipt: place[receipt.recipient])

    def check(self) -> Sequence[str]:
        """Connect, TLS, login and size limit, without sending; a line for each thing found."""
        session = self._open()
        try:
            return [
                f"{self.account.provider.title}: connected to {self.account.where}",
                _tls_line(session),
                _login_line(session),
                _size_line(self._limit(session)),
                *_limit_lines(self.account.provider.limits),
            ]
        finally:
            session.close()

    def _open(self) -> Session:
        session = connect(self.account)
        try:
            _log_in(session)
        except ReportsError:
            session.close()
            raise
        return session

    # -- before a byte of the message is sent ------------------------------------------------------

    def _is_sendable(self, message: Message) -> None:
        for address in (message.sender, *message.recipients):
            if "@" not in address or any(sign in "<> " or not sign.isprintable() for sign in address):
                raise TransportError(f"{address!r} is not a mail address", permanent=True)
        self._fits(message, None)

    def _limit(self, session: Session | None) -> int | None:
        known = (self.account.size_limit, session.size_limit if session else None)
        return min((limit for limit in known if limit), default=None)

    def _fits(self, message: Message, session: Session | None) -> None:
        limit = self._limit(session)
        if limit is not None and len(message.content) > limit:
            raise TransportError(
                f"the message has {size(len(message.content))}, and {self.account.host} takes at most {size(limit)}",
                where=self.account.where,
                hint="attach less; files grow by 37 % in a mail. A known larger limit is set with size_limit",
                permanent=True,
            )

    # -- the envelope -------------------------------------------------------------------------------

    def _deliver(self, session: Session, message: Message) -> list[Receipt]:
        settled: list[Receipt] = []
        most = self.account.provider.limits.recipients_per_message or MOST_RECIPIENTS
        for start in range(0, len(message.recipients), most):
            try:
                self._transaction(session, message, message.recipients[start : start + most], settled)
            except TransportError as error:
                if not settled:
                    raise
                return settled + self._unsettled(error, message, settled)
        return settled

    def _transaction(self, session: Session, message: Message, group: Sequence[str], settled: list[Receipt]) -> None:
        """One envelope with the same bytes; answers are added to `settled` as soon as they are final."""
        _accepted(session, _mail_from(session, message), "the sender")
        answers = [self._receipt(one, session.command(f"RCPT TO:<{one}>")) for one in group]
        settled += [answer for answer in answers if answer.state != "accepted"]
        taken = [answer.recipient for answer in answers if answer.state == "accepted"]
        if not taken:
            session.command("RSET")
            return
        _accepted(session, "DATA", "the message", wanted=354)
        reply = session.content(message.content, final_wait=self.final_wait)
        if reply.code >= 300:
            raise session.refusal(reply, "the message")
        settled += [self._receipt(recipient, reply) for recipient in taken]

    def _receipt(self, recipient: str, reply: Reply) -> Receipt:
        if not reply.code:
            hint = "it may have arrived or not: ask the recipient, or look into the account's sent mail"
            return Receipt(recipient=recipient, state="unknown", text=reply.text, hint=hint)
        return providers.receipt(self.account.provider, recipient, reply.code, reply.text)

    def _unsettled(self, error: TransportError, message: Message, settled: Iterable[Receipt]) -> list[Receipt]:
        """Receipts for the rest, when an error came after some had their answer."""
        done = {receipt.recipient for receipt in settled}
        return [
            Receipt(
                recipient=recipient,
                state="refused" if error.permanent else "deferred",
                text=error.what,
                hint=error.hint,
            )
            for recipient in message.recipients
            if recipient not in done
        ]


# -- the login --------------------------------------------------------------------------------------


def _log_in(session: Session) -> None:
    try:
        credentials = session.account.credentials()
    except TransportError:
        raise
    except ReportsError as error:
        raise TransportError(error.what, where=error.where, hint=error.hint, permanent=True) from error
    if credentials is None:
        return
    if session.tls is None and not is_loopback(session.account.host):
        raise TransportError(
            "no login without TLS, so nothing was sent",
            where=session.account.where,
            hint='use security = "starttls" or "tls"',
            permanent=True,
        )
    session.log_in(_mechanism(session), *credentials)


def _mechanism(session: Session) -> str:
    """The one mechanism to try: as settings say, else the best that both the row and the server know."""
    account, offered = session.account, session.mechanisms
    known = [name for name in account.provider.mechanisms or _PREFERRED if name in _PREFERRED]
    wanted = [account.mechanism] if account.mechanism else known
    if found := next((name for name in wanted if name in offered), None):
        return found
    raise TransportError(
        f"the server offers no login with {' or '.join(wanted)}, only: {', '.join(offered) or 'none'}",
        where=account.where,
        hint=account.provider.advice,
        permanent=True,
    )


# -- commands ------------------------------------------------------------------------------------


def _accepted(session: Session, command: str, step: str, *, wanted: int = 250) -> None:
    reply = session.command(command)
    if reply.code // 100 != wanted // 100:
        raise session.refusal(reply, step)


def _mail_from(session: Session, message: Message) -> str:
    options = [f"SIZE={len(message.content)}"] if "size" in session.offers else []
    if not all(address.isascii() for address in (message.sender, *message.recipients)):
        if "smtputf8" not in session.offers:
            odd = next(one for one in (message.sender, *message.recipients) if not one.isascii())
            raise TransportError(
                f"the server takes no address with letters beyond ASCII: {odd}",
                where=session.account.where,
                permanent=True,
            )
        session.smtp.command_encoding = "utf-8"
        options += ["SMTPUTF8", "BODY=8BITMIME"] if "8bitmime" in session.offers else ["SMTPUTF8"]
    return " ".join([f"MAIL FROM:<{message.sender}>", *options])


# -- what a check says -----------------------------------------------------------------------------


def _tls_line(session: Session) -> str:
    if session.tls is None:
        return "not encrypted, as settings allow"
    certificate: Any = session.tls.getpeercert() or {}
    names = ", ".join(value for _, value in certificate.get("subjectAltName", ()))
    until = dt.datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), dt.UTC)
    return f"{session.tls.version()}, certificate for {names[:120]}, valid until {until:%Y-%m-%d}"


def _login_line(session: Session) -> str:
    if session.account.secret is None:
        return "no login"
    return f"logged in with {_mechanism(session)} as {session.account.user.replace('{secret}', '***')}"


def _size_line(limit: int | None) -> str:
    return f"messages up to {size(limit)}" if limit else "no size limit announced"


def _limit_lines(limits: Limits) -> list[str]:
    known = [(name, value) for name, value in vars(limits).items() if value is not None]
    return [f"at most {value:,} {name.replace('_', ' ').replace('per', 'a')}" for name, value in known]
