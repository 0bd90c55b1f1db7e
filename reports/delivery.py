"""The right half of the flow: deliveries are claimed, handed over and settled, and nothing is computed.

    pending --claim--> sending --handing over--> DATA --answer--> accepted | refused | unknown
       ^                                                             |
       +--------------------- deferred, with a wait -----------------+--> expired

The ledger is written before the step that cannot be taken back: a sender that dies leaves behind what it had
only claimed, which is sent again, or what it was handing over, which is unknown. Whoever lost the lease
meanwhile is stopped at that same step.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from reports import leases
from reports.addressing import allowed
from reports.errors import LostBytes, ReportsError, StoreError, Superseded, TransportError
from reports.model import UNKNOWN_WAIT, Delivery, DeliveryState, Message, Outcome, Parcel, Receipt
from reports.settings import Mail
from reports.store import Store
from reports.transports import address
from reports.transports.base import Transport

AT_ONCE = 50
"""Deliveries claimed in one step."""
WAITS = (1, 2, 5, 10, 20, 40, 60)
"""Minutes before the next attempt, after the first, second, ...; the last one from then on."""
LEAST_WAIT = dt.timedelta(seconds=30)
"""However soon a server says that it may be asked again."""
SOON = dt.timedelta(seconds=3)
"""A wait that is borne at once, for those who were only too many for one message."""
_log = logging.getLogger("reports.delivery")
_TOO_MANY = {452, 552}
READ_AHEAD = 65_536
"""Bytes from which reading a message ahead is worth a thread's while."""


def wait(attempts: int, *, key: str) -> dt.timedelta:
    """The wait after that many attempts: ever longer, and up to a fifth shorter or longer by `key`.

    So a server that comes back is not met by everybody at once, and the same delivery always waits alike.
    """
    minutes = WAITS[min(attempts, len(WAITS)) - 1]
    draw = int.from_bytes(hashlib.sha256(f"{key} {attempts}".encode()).digest()[:4]) / 2**32
    return dt.timedelta(minutes=minutes * (0.8 + 0.4 * draw))


def outcome(parcel: Parcel, delivery: Delivery, receipt: Receipt, *, started: dt.datetime, now: dt.datetime) -> Outcome:
    """What a receipt means for the delivery: settled, or another attempt after a wait."""
    told = Outcome(
        delivery=delivery.id, state="pending", started=started, code=receipt.code, text=receipt.text, hint=receipt.hint,
        reference=receipt.reference,
    )  # fmt: skip
    if receipt.state in {"accepted", "refused"} or (receipt.state == "unknown" and parcel.on_unknown == "hold"):
        return replace(told, state=receipt.state)
    pause = wait(delivery.attempts + 1, key=parcel.message_id)  # so that those of one message go together again
    if receipt.retry_after is not None:
        asked = dt.timedelta(seconds=receipt.retry_after)
        pause = asked if receipt.code in _TOO_MANY else max(asked, LEAST_WAIT)
    if receipt.state == "unknown":
        pause = max(pause, UNKNOWN_WAIT)
    return replace(told, next_attempt=min(now + pause, parcel.expires), unknown=receipt.state == "unknown")


@dataclass(kw_only=True)
class Sender:
    """One connection's worth of sending; several may work on one store, in any number of processes.

    `owner` is a name nobody else has. `pause` waits for seconds, `stop` ends the work between two messages.
    """

    store: Store
    transport: Transport
    mail: Mail
    owner: str
    clock: Callable[[], dt.datetime]
    stop: threading.Event = field(default_factory=threading.Event)
    pause: Callable[[float], object] | None = None
    account: str = "mail"
    channel: str = ""
    _settled: list[Outcome] = field(default_factory=list, init=False, repr=False)
    _known: dict[int, tuple[Parcel, str]] = field(default_factory=dict, init=False, repr=False)
    _claimed: list[Parcel] = field(default_factory=list, init=False, repr=False)
    _down: TransportError | None = field(default=None, init=False, repr=False)
    _again: dt.datetime | None = field(default=None, init=False, repr=False)

    def drain(self, run: str = "") -> None:
        """Try everything that is due, of one run or of all, until nothing is due any more."""
        with leases.held(lambda: self.store.outbox.renew(owner=self.owner, until=self._until)):
            try:
                while not self.stop.is_set() and (self._claim(run) or self._waited()):
                    self._send_all()
            finally:
                try:
                    self._let_go()
                finally:
                    self.transport.close()

    def _waited(self) -> bool:
        """Whether something of this sender's own is to be tried again soon; then that time has come."""
        again, self._again = self._again, None
        if again is not None:
            self._wait(again - self.clock())
        return again is not None

    def _wait(self, time: dt.timedelta) -> None:
        (self.pause or self.stop.wait)(max(time.total_seconds(), 0))

    @property
    def _until(self) -> dt.datetime:
        return self.clock() + leases.LENGTH

    def _claim(self, run: str) -> bool:
        self._claimed = list(
            self.store.outbox.claim(
                now=self.clock(),
                owner=self.owner,
                until=self._until,
                limit=AT_ONCE,
                most_recipients=self.transport.limits.recipients,
                run=run,
                channel=self.channel,
            )
        )
        self._known = {one.id: (parcel, one.recipient) for parcel in self._claimed for one in parcel.deliveries}
        return bool(self._claimed)

    def _send_all(self) -> None:
        """The bytes of a large message are read, and their hash checked, while the one before goes out."""
        with ThreadPoolExecutor(1) as ahead:
            coming: Future[bytes] | None = None
            while self._claimed and not self.stop.is_set():
                ready, coming = coming, None
                if len(self._claimed) > 1 and self._claimed[1].size >= READ_AHEAD:
                    with contextlib.suppress(RuntimeError):  # while the interpreter ends nothing is read ahead
                        coming = ahead.submit(self.store.artifacts.get, self._claimed[1].content)
                self._send(self._claimed[0], ready)
                self._claimed = self._claimed[1:]
        self._write()

    def _let_go(self) -> None:
        """What was claimed and not tried is pending again, and what was settled is written."""
        now = self.clock()
        for delivery in (delivery for parcel in self._claimed for delivery in parcel.deliveries):
            again = Outcome(delivery=delivery.id, state="pending", started=now, next_attempt=now, tried=False)
            self._settled.append(replace(again, text=delivery.last_reply, hint=delivery.hint))
        self._claimed = []
        self._write()

    def _write(self, handing_over: Sequence[int] = ()) -> None:
        """The ledger's one commit between two messages: the answers to the last, the mark on the next."""
        if not (self._settled or handing_over):
            return
        try:
            self.store.outbox.record(
                owner=self.owner, now=self.clock(), settled=self._settled, handing_over=handing_over
            )
        except Superseded:  # what could be written is
            self._settled = []
            raise
        if _log.isEnabledFor(logging.INFO):
            self._log_settled()
        self._settled = []

    def _log_settled(self) -> None:
        for one in self._settled:
            parcel, recipient = self._known[one.delivery]
            about = {"job": parcel.job, "run": parcel.run, "message_id": parcel.message_id, "recipient": recipient}
            about |= {"channel": self.channel} if self.channel else {}
            state = "deferred" if one.state == "pending" else one.state
            reply = f"{one.code or ''} {one.text}".strip()
            level = logging.INFO if one.state in {"accepted", "pending"} else logging.WARNING
            _log.log(level, f"delivery {state}", extra=about | {"reply": reply, "next": one.next_attempt})

    # -- one message ------------------------------------------------------------------------------

    def _send(self, parcel: Parcel, ready: Future[bytes] | None = None) -> None:
        parcel = self._permitted(parcel)
        if not parcel.deliveries:
            return
        if self._down is not None:
            self._not_tried(parcel, self._down)
            return
        started = self.clock()
        if (message := self._message(parcel, ready)) is not None:
            self._in_time()
            self._answered(parcel, self._receipts(parcel, message), started)

    def _answered(self, parcel: Parcel, receipts: Sequence[Receipt], started: dt.datetime) -> None:
        now = self.clock()
        outcomes = [
            outcome(parcel, delivery, receipt, started=started, now=now)
            for delivery, receipt in zip(parcel.deliveries, receipts, strict=bool(receipts))
        ]
        if any(one.state == "accepted" for one in outcomes):  # else it would go on like this for ever
            soon = [one.next_attempt for one in outcomes if one.next_attempt and one.next_attempt - now <= SOON]
            self._again = max(soon, default=self._again)
        self._settled += outcomes

    def _permitted(self, parcel: Parcel) -> Parcel:
        """The parcel without those whom settings of now do not let it go to: they are held."""
        going = []
        for delivery in parcel.deliveries:
            if reason := "" if self.channel else _forbidden(delivery.recipient, self.mail):
                hint = f"mend the settings, then: reports outbox release {parcel.run[:8]}"
                self._settle(delivery, state="held", text=reason, hint=hint)
            else:
                going.append(delivery)
        return replace(parcel, deliveries=going)

    def _message(self, parcel: Parcel, ready: Future[bytes] | None) -> Message | None:
        """The message with its bytes, or None where they are lost, which settles it."""
        try:
            content = ready.result() if ready else self.store.artifacts.get(parcel.content)
        except LostBytes as error:
            for delivery in parcel.deliveries:
                self._settle(delivery, state="refused", text=f"not sent: {error.what}", hint=error.hint)
            return None
        return Message(
            message_id=parcel.message_id,
            date=parcel.date,
            sender=parcel.sender,
            recipients=[delivery.recipient for delivery in parcel.deliveries],
            subject=parcel.subject,
            content=content,
            follow=parcel.follow,
            earlier=parcel.earlier,
        )

    def _in_time(self) -> None:
        """Waits for this account's next place where the provider takes only so many messages a minute."""
        if most := self.transport.limits.messages_per_minute:
            now = self.clock()
            turn = self.store.outbox.reserve(self.account, interval=dt.timedelta(minutes=1) / most, now=now)
            if turn > now:
                self._write()
                self._wait(turn - now)

    def _receipts(self, parcel: Parcel, message: Message) -> Sequence[Receipt]:
        """The transport's answers; an error becomes an answer for each; none where another sender took over."""
        handed_over = False

        def handing_over() -> None:
            nonlocal handed_over
            self._write([delivery.id for delivery in parcel.deliveries])
            handed_over = True

        try:
            return self.transport.send(message, handing_over)
        except Superseded:
            return ()
        except StoreError:
            raise
        except TransportError as error:
            self._down = error if error.account else None
            return _answers(message, error)
        except Exception as error:  # noqa: BLE001  the delivery's boundary: whatever it was, it is in the ledger
            return _faults(message, error, handed_over=handed_over)
        except BaseException as error:
            if handed_over:  # stopped by hand, in the midst of it
                self._answered(parcel, _faults(message, error, handed_over=True), self.clock())
                self._claimed = self._claimed[1:]
            raise

    def _not_tried(self, parcel: Parcel, error: TransportError) -> None:
        """No message would fare better: a server that is away is not asked again, a login not tried again."""
        now = self.clock()
        for delivery, receipt in zip(parcel.deliveries, _answers(_nobody(parcel), error), strict=True):
            told = outcome(parcel, delivery, receipt, started=now, now=now)
            self._settled.append(replace(told, text=f"not tried: {_where(error)}", tried=False))

    def _settle(self, delivery: Delivery, *, state: DeliveryState, text: str, hint: str) -> None:
        started = self.clock()
        self._settled.append(
            Outcome(delivery=delivery.id, state=state, started=started, text=text, hint=hint, tried=False)
        )


def _forbidden(recipient: str, mail: Mail) -> str:
    if mail.redirect and not _same(recipient, mail.redirect):
        return f"[mail] redirect sends everything to {mail.redirect}, and this was addressed before that"
    if not mail.redirect and not allowed(recipient, mail):
        return f"[mail] allow does not name {recipient}"
    return ""


def _same(recipient: str, other: str) -> bool:
    return address.parse(recipient).key == address.parse(other).key


def _nobody(parcel: Parcel) -> Message:
    recipients = [delivery.recipient for delivery in parcel.deliveries]
    return Message(
        message_id=parcel.message_id, date=parcel.date, sender="", recipients=recipients, subject="", content=b""
    )


def _answers(message: Message, error: TransportError) -> list[Receipt]:
    return [
        Receipt(
            recipient=recipient,
            state="refused" if error.permanent else "deferred",
            text=_where(error),
            hint=error.hint,
            retry_after=error.retry_after,
        )
        for recipient in message.recipients
    ]


def _where(error: TransportError) -> str:
    return f"{error.what} ({error.where})" if error.where else error.what


def _faults(message: Message, error: BaseException, *, handed_over: bool) -> list[Receipt]:
    """A fault nobody foresaw: after the message was handed over nobody knows, before that it is refused."""
    text = error.what if isinstance(error, ReportsError) else f"{type(error).__name__}: {error}".rstrip(": ")
    hint = getattr(error, "hint", "") or "a fault of reports itself: please report what it says"
    if not isinstance(error, Exception):
        text, hint = "stopped by hand before the server's answer", "ask the recipient whether it arrived"
    return [
        Receipt(recipient=one, state="unknown" if handed_over else "refused", text=text, hint=hint)
        for one in message.recipients
    ]
