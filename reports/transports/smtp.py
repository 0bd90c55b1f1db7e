"""Messages by SMTP: one connection for many, who answered what, and what stays unknown."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from reports.errors import TransportError
from reports.model import Message, Receipt, size
from reports.transports import checks, providers
from reports.transports.account import Account
from reports.transports.base import HandingOver, nothing
from reports.transports.login import log_in
from reports.transports.providers import Limits
from reports.transports.session import Reply, Session, connect

FINAL_WAIT = 600.0
"""Seconds to wait after the final dot: less would deliver twice (RFC 5321, 4.5.3.2.6)."""
# A status about the address, its mailbox or the message's size (RFC 3463): whoever came before.
_HIS_OWN = re.compile(r"\b[45]\.([12]\.\d|3\.4)|mailbox|quota|size|large", re.IGNORECASE)


@dataclass
class SmtpTransport:
    """Sends through one account, over one connection as long as both sides like; not for two threads at once."""

    account: Account
    final_wait: float = FINAL_WAIT
    _session: Session | None = field(default=None, init=False, repr=False, compare=False)
    _begun: int = field(default=0, init=False, repr=False, compare=False)
    # What the server announced, (None,) where it announced nothing, () where it was never asked.
    _announced: tuple[int | None, ...] = field(default=(), init=False, repr=False, compare=False)

    @property
    def limits(self) -> Limits:
        """What the provider's row knows."""
        return self.account.provider.limits

    def size_limit(self) -> int | None:
        """The smaller of what settings or the row say and what the server announces, None if nobody knows.

        A server that was never spoken to is asked, without a login; one that cannot be reached says nothing.
        """
        if not self._announced:
            with contextlib.suppress(TransportError):
                session = connect(self.account)
                self._announced = (session.size_limit,)
                session.close()
        return min((limit for limit in (self.account.size_limit, *self._announced) if limit), default=None)

    def send(self, message: Message, handing_over: HandingOver = nothing) -> Sequence[Receipt]:
        """One transaction; a receipt a recipient, in order. A TransportError means that nobody got it.

        After an error, or where it is unknown what became of a message, the connection is not used again.
        """
        self._is_sendable(message)
        try:
            receipts = self._carry(message, handing_over)
        except BaseException:
            self.close()
            raise
        if any(receipt.state == "unknown" for receipt in receipts):
            self.close()
        return receipts

    def check(self) -> Iterator[tuple[str, str]]:
        """From the host's name to the sender's, step by step on a connection of its own; nothing is sent."""
        return checks.steps(self.account)

    def close(self) -> None:
        """Say goodbye to the server, if there is a connection; the next message opens another."""
        session, self._session, self._begun = self._session, None, 0
        if session is not None:
            session.close()

    # -- the connection -----------------------------------------------------------------------------

    def _open(self) -> Session:
        session = connect(self.account)
        try:
            log_in(session)
        except BaseException:
            session.close()
            raise
        self._session, self._begun, self._announced = session, 0, (session.size_limit,)
        return session

    def _begin(self, message: Message) -> tuple[Session, list[Reply]]:
        """The session and the replies to RCPT; a connection that the server has let go meanwhile is replaced."""
        most = self.limits.messages_per_connection
        if most and self._begun >= most:
            self.close()
        used = self._session
        try:
            return self._greeted(message)
        except TransportError:
            if used is None or not used.gone:
                raise
        self.close()
        return self._greeted(message)

    def _greeted(self, message: Message) -> tuple[Session, list[Reply]]:
        session = self._session or self._open()
        self._fits(message, session.size_limit)
        self._begun += 1
        return session, session.begin(message.sender, message.recipients, size=len(message.content))

    # -- before a byte of the message is sent ------------------------------------------------------

    def _is_sendable(self, message: Message) -> None:
        for address in (message.sender, *message.recipients):
            if "@" not in address or any(sign in "<> " or not sign.isprintable() for sign in address):
                raise TransportError(f"{address!r} is not a mail address", permanent=True)
        self._fits(message, self.account.size_limit)

    def _fits(self, message: Message, limit: int | None) -> None:
        if limit is not None and len(message.content) > limit:
            raise TransportError(
                f"the message has {size(len(message.content))}, and {self.account.host} takes at most {size(limit)}",
                where=self.account.where,
                hint="attach less; files grow by 37 % in a mail. A known larger limit is set with size_limit",
                permanent=True,
            )

    # -- the envelope -------------------------------------------------------------------------------

    def _carry(self, message: Message, handing_over: HandingOver) -> list[Receipt]:
        session, replies = self._begin(message)
        answers: list[Receipt] = []
        some = False
        for recipient, reply in zip(message.recipients, replies, strict=True):
            answers.append(self._answer(recipient, reply, some=some))
            some = some or answers[-1].state == "accepted"
        if not some:
            self._forget(session)
            return answers
        handing_over()
        return self._settled(session, message, answers)

    def _answer(self, recipient: str, reply: Reply, *, some: bool) -> Receipt:
        """The receipt for a reply to RCPT; where `some` were accepted before, 452 and 552 may mean only: enough."""
        answer = providers.receipt(self.account.provider, recipient, reply.code, reply.text)
        if not some or reply.code not in {452, 552} or _HIS_OWN.search(reply.text):
            return answer
        hint = "too many recipients for one message: the others are tried again at once"
        return replace(answer, state="deferred", retry_after=1, hint=hint)

    def _settled(self, session: Session, message: Message, answers: list[Receipt]) -> list[Receipt]:
        """All receipts, after the content was sent to those who were accepted."""
        try:
            reply = session.content(message.content, final_wait=self.final_wait)
        except TransportError as error:
            if all(answer.state == "accepted" for answer in answers):
                raise
            self.close()
            return [_failed(one, error) if one.state == "accepted" else one for one in answers]
        return [self._final(one.recipient, reply) if one.state == "accepted" else one for one in answers]

    def _final(self, recipient: str, reply: Reply) -> Receipt:
        if not reply.code:
            hint = "it may have arrived or not: ask the recipient, or look into the account's sent mail"
            return Receipt(recipient=recipient, state="unknown", text=reply.text, hint=hint)
        return providers.receipt(self.account.provider, recipient, reply.code, reply.text)

    def _forget(self, session: Session) -> None:
        """The transaction is given up; a server that cannot do that is left."""
        try:
            answered = session.command("RSET").accepts
        except TransportError:
            answered = False
        if not answered:
            self.close()


def _failed(answer: Receipt, error: TransportError) -> Receipt:
    """The receipt of one who was accepted, where the content then was not."""
    return Receipt(
        recipient=answer.recipient,
        state="refused" if error.permanent else "deferred",
        text=error.what,
        hint=error.hint,
        retry_after=error.retry_after,
    )
