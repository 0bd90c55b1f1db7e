"""What the mail APIs have in common: one account, tokens, what an answer means, and what a check looks at."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import socket
import ssl
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal

from reports.errors import ReportsError, TransportError
from reports.model import Message, Receipt, size
from reports.transports import wire
from reports.transports.account import Account
from reports.transports.base import HandingOver, Once, nothing, step
from reports.transports.headers import addressed
from reports.transports.https import Answer, Web
from reports.transports.providers import Limits

FINAL_WAIT = 300.0
"""Seconds to wait for the answer to the request that sends: giving up sooner leaves more unknown."""
MOST_SKEW = 300.0
"""Seconds that this machine's clock may be off before tokens are refused for it."""
_UNKNOWN = "it may have been sent or not: ask the recipient, or look into the account's sent mail"
_LATER = {408, 425, 429, 500, 502, 503, 504}


@dataclass
class Api(ABC):
    """A transport by HTTPS through one account. Who receives is said by the headers: see `headers`."""

    account: Account
    final_wait: float = FINAL_WAIT
    web: Web = field(init=False, repr=False)

    name: ClassVar[str]
    permission: ClassVar[str]
    """What to do where the login is good and the right to send is missing."""

    def __post_init__(self) -> None:
        self.web = Web(self.account)

    @property
    def limits(self) -> Limits:
        return self.account.provider.limits

    def size_limit(self) -> int | None:
        """The largest message in bytes that settings or the provider's row know of."""
        return self.account.size_limit

    def send(self, message: Message, handing_over: HandingOver = nothing) -> Sequence[Receipt]:
        """One receipt a recipient, in the message's order; a TransportError means that nobody got it.

        More recipients than a message may have are several messages with the same Message-ID.
        """
        self._fits(message)
        most, once = self.limits.recipients, Once(handing_over)
        receipts: list[Receipt] = []
        for start in range(0, len(message.recipients), most):
            group = message.recipients[start : start + most]
            try:
                receipts += self._carried(message, group, once)
            except TransportError as error:
                if not receipts:
                    raise
                return receipts + _unsettled(message.recipients[start:], error)
        return receipts

    def check(self) -> Iterator[tuple[str, str]]:
        """What is looked at and what was found, step by step; nothing is sent."""
        yield from self._reached()
        with step("login"):
            answer = self._profile()
        yield "login", f"{self.name} takes the token of {self.account.user}"
        with step("clock"):
            clock = _clock(answer)
        yield "clock", clock
        limit = self.size_limit()
        yield "size", f"messages up to {size(limit)}" if limit else "no size limit known"
        if known := [(name, value) for name, value in vars(self.limits).items() if value is not None]:
            yield (
                "limits",
                ", ".join(f"{value:,} {name.replace('_', ' ').replace('per', 'a')}" for name, value in known),
            )

    def close(self) -> None:
        """Let go of the connections, if there are any."""
        self.web.close()

    # -- what each API has of its own ------------------------------------------------------------------

    @abstractmethod
    def _post(self, content: bytes, handing_over: HandingOver) -> Answer:
        """The answer to the request that sends `content`; `handing_over` is called right before that one."""

    @property
    @abstractmethod
    def _own_page(self) -> str:
        """The address of something about the mailbox itself."""

    def _accepted(self, answer: Answer) -> str:
        """What the receipt says of a message that was taken."""
        return f"{answer.code} accepted by {self.name}"

    def _is_throttling(self, answer: Answer) -> bool:
        """Whether it says that this was too much for now."""
        return answer.code in {429, 503}

    # -- asking ------------------------------------------------------------------------------------------

    def _ask(self, method: str, url: str, **named: Any) -> Answer:
        """The answer to a request with the token; whatever is not a success is a TransportError."""
        headers = {"Authorization": f"Bearer {self._token()}", **named.pop("headers", {})}
        return self._taken(self.web.ask(method, url, headers=headers, **named))

    def _ask_json(self, method: str, url: str, values: Mapping[str, Any], **named: Any) -> Answer:
        body = json.dumps(values).encode()
        return self._ask(method, url, body=body, headers={"Content-Type": "application/json"}, **named)

    def _taken(self, answer: Answer) -> Answer:
        """The answer, if it is a success or none at all."""
        if answer.code == 0 or 200 <= answer.code < 300:
            return answer
        raise self._refusal(answer)

    def _token(self) -> str:
        try:
            credentials = self.account.credentials()
        except TransportError:
            raise
        except ReportsError as error:
            raise TransportError(
                error.what, where=error.where, hint=error.hint, permanent=True, account=True
            ) from error
        token = credentials[1] if credentials else ""
        self.web.hidden |= {token} - {""}
        return token

    def _refusal(self, answer: Answer) -> TransportError:
        permanent, account, hint = self._meaning(answer)
        return TransportError(
            self.web.masked(f"{self.name} said {answer.code} {_words(answer)}".strip()),
            where=self.account.where,
            hint=hint,
            permanent=permanent,
            account=account,
            retry_after=None if permanent else answer.retry_after,
        )

    def _meaning(self, answer: Answer) -> tuple[bool, bool, str]:
        """Whether it is permanent, whether it is about the account, and what to do."""
        if self._is_throttling(answer):
            return False, True, "too much at once for this account: it is tried again"
        if answer.code in _LATER or answer.code >= 500:
            return False, False, "trouble on the other side: it is tried again"
        meant = {
            401: (True, "the token is not taken: run `reports login` again"),
            403: (True, self.permission),
            404: (True, f"look whether the mailbox {self.account.user} is there, and at [mail.oauth] endpoint"),
            413: (False, "the message is larger than one is taken here: attach less, or set size_limit"),
        }
        return True, *meant.get(answer.code, (False, ""))

    # -- one group of recipients -------------------------------------------------------------------------

    def _fits(self, message: Message) -> None:
        limit = self.size_limit()
        if limit is not None and len(message.content) > limit:
            raise TransportError(
                f"the message has {size(len(message.content))}, and {self.account.host} takes at most {size(limit)}",
                where=self.account.where,
                hint="attach less; files grow by 37 % in a mail. A known larger limit is set with size_limit",
                permanent=True,
            )

    def _carried(self, message: Message, group: Sequence[str], handing_over: HandingOver) -> list[Receipt]:
        answer = self._post(addressed(message, group), handing_over)
        if answer.code == 0:
            return [Receipt(recipient=one, state="unknown", text=answer.text, hint=_UNKNOWN) for one in group]
        told = self._accepted(answer)
        return [Receipt(recipient=one, state="accepted", code=answer.code, text=told) for one in group]

    # -- a check -----------------------------------------------------------------------------------------

    def _reached(self) -> Iterator[tuple[str, str]]:
        if proxy := _proxy(self.account):
            yield "port", f"left to the proxy {proxy}"
            return
        with step("dns"):
            found = wire.addresses(self.account)
        yield "dns", f"{self.account.host} is {', '.join(found[:3])}"
        with step("port"):
            connection = wire.dial(self.account).socket
        yield "port", f"connected to {self.account.where}"
        with connection, step("tls"):
            said = self._tls(connection)
        yield "tls", said

    def _tls(self, connection: socket.socket) -> str:
        if self.account.security == "none":
            return "not encrypted, for it is this machine itself"
        try:
            secured = wire.trusted(self.account).wrap_socket(connection, server_hostname=self.account.host)
        except OSError as error:
            raise wire.unreachable(self.account, error) from error
        with secured:
            certificate: Any = secured.getpeercert() or {}
            names = ", ".join(value for _, value in certificate.get("subjectAltName", ()))
            until = dt.datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), dt.UTC)
            return f"{secured.version()}, certificate for {names[:120]}, valid until {until:%Y-%m-%d}"

    def _profile(self) -> Answer:
        """The mailbox's own page. That it may not be read is no fault: sending needs less."""
        answer = self.web.ask("GET", self._own_page, headers={"Authorization": f"Bearer {self._token()}"})
        return answer if answer.code == 403 and not self._is_throttling(answer) else self._taken(answer)


def _unsettled(recipients: Sequence[str], error: TransportError) -> list[Receipt]:
    """Receipts for the rest, when an error came after some had theirs."""
    state: Literal["refused", "deferred"] = "refused" if error.permanent else "deferred"
    told = Receipt(recipient="", state=state, text=error.what, hint=error.hint, retry_after=error.retry_after)
    return [replace(told, recipient=recipient) for recipient in recipients]


def _words(answer: Answer) -> str:
    """The error's code and message, as both APIs write them."""
    error = answer.values.get("error")
    if not isinstance(error, dict):
        return " ".join(answer.text.split())[:300]
    said = [str(error.get(key, "")) for key in ("status", "code", "message")]
    return " ".join(": ".join(part for part in said if part and part != str(answer.code)).split())[:500]


def _clock(answer: Answer) -> str:
    if answer.date is None:
        return "the other side does not tell the time"
    ahead = (dt.datetime.now(dt.UTC) - answer.date).total_seconds()
    if abs(ahead) <= MOST_SKEW:
        return f"this machine's agrees within {abs(ahead):.0f} s"
    raise TransportError(
        f"this machine's is {abs(ahead):,.0f} s {'ahead' if ahead > 0 else 'behind'}",
        hint="set it by NTP: tokens are refused by clocks that are wrong",
        permanent=True,
        account=True,
    )


def _proxy(account: Account) -> str:
    """The proxy that the environment names for that host, without its password."""
    scheme = account.api.partition(":")[0]
    with contextlib.suppress(OSError):
        if urllib.request.proxy_bypass(account.host):
            return ""
    return urllib.request.getproxies().get(scheme, "").rpartition("@")[2]
