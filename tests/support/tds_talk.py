"""One connection to a test's server from its first packet to its last."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from support.tds_answers import (
    Count,
    Cut,
    Database,
    Failure,
    Info,
    Part,
    Returned,
    Rows,
    Session,
    Statement,
    Transaction,
    Wait,
)
from support.tds_calls import Call, batch, calls, transaction
from support.tds_login import Encryption, agreed, login, prelogin, prelogin_answer, welcome
from support.tds_tokens import (
    ATTENDED,
    COUNTED,
    DONE,
    DONE_IN_PROCEDURE,
    DONE_PROCEDURE,
    ERRED,
    IN_BATCH,
    IN_TRANSACTION,
    MORE,
    changed,
    done,
    return_status,
    return_value,
    short_text,
    told,
)
from support.tds_types import written
from support.tds_values import bulk_rows
from support.tds_wire import Attended, Gone, Kind, Reader, Wire

if TYPE_CHECKING:
    from support.tds import TdsServer

SELECTED, INSERTED = 0xC1, 0xC3
EVENTS = (Failure, Info, Cut, Wait)
BLOCK = 1024


class Over(Exception):
    """The server itself ends the connection."""


class Talk:
    """What is said on one connection."""

    def __init__(self, server: TdsServer, wire: Wire, number: int) -> None:
        self._server, self._wire, self._number = server, wire, number
        self._prepared: dict[int, tuple[str, str]] = {}
        self._bulk = ""
        self._busy = False
        self.session: Session

    def run(self) -> None:
        """Until the client goes, or is cut off."""
        try:
            if self._let_in():
                while True:
                    self._next()
        except Over:
            pass
        except (Gone, OSError):
            self._server.abandoned += self._busy
        finally:
            self._wire.close()
            if hasattr(self, "session"):
                self.session.end()

    # The opening

    def _let_in(self) -> bool:
        encryption = self._greet()
        if encryption != Encryption.NOT_SUPPORTED:
            self._wire.start_tls(self._server.context)
        covers = {Encryption.OFF: "login", Encryption.NOT_SUPPORTED: "nothing"}.get(encryption, "all")
        who = login(Reader(self._wire), covers)
        if encryption == Encryption.OFF:
            self._wire.end_tls()
        self._server.logins.append(who)
        self.session = Session(self._number, who, self._wire.attended)
        hello = welcome(who, self.session.database, min(max(who.packet_size, 512) or 4096, 32767))
        if (refusal := self._server.refusal(who)) is None:
            self._wire.write(hello + done(0))
            self._wire.end()
            self._wire.packet_size = min(max(who.packet_size, 512), 32767)
            return True
        self._refuse(refusal, hello)
        return False

    def _greet(self) -> Encryption:
        message = Reader(self._wire)
        if message.kind != Kind.PRELOGIN:
            raise Gone
        asked = prelogin(message)
        context = self._server.context
        encryption = agreed(asked, can=context is not None, must=self._server.tls == "required")
        self._wire.write(prelogin_answer(asked, encryption))
        self._wire.end()
        return encryption

    def _refuse(self, refusal: Failure | Cut | Wait, hello: bytes) -> None:
        if isinstance(refusal, Wait):
            self._wire.attended(refusal.seconds)
        elif isinstance(refusal, Cut):
            self._wire.write(hello[: len(hello) // 2])
            self._wire.flush()
            self._wire.close(reset=refusal.reset)
        else:
            self._wire.write(_error(refusal) + done(ERRED))
            self._wire.end()

    # One request

    def _next(self) -> None:
        message = Reader(self._wire)
        if message.kind == Kind.ATTENTION:
            self._wire.attentions += 1
            self._attend()
            return
        answering = Answering(self._wire)
        self._busy = True
        try:
            if message.resets:
                self._reset()
            self._take(message, answering)
        except Attended:
            self._attend()
            return
        finally:
            answering.close()
        self._wire.end()
        self._busy = False

    def _attend(self) -> None:
        self._server.attentions += 1
        self._busy = False
        self._wire.write(done(ATTENDED))
        self._wire.end()

    def _reset(self) -> None:
        self._prepared.clear()
        if self.session.transactions:
            statement = Statement("ROLLBACK TRANSACTION", "rollback")
            for _ in self._server.answer(self.session, statement):
                self.session.transactions = 0
        self._wire.write(changed(18, "", ""))

    def _take(self, message: Reader, answering: Answering) -> None:
        if message.kind == Kind.BATCH:
            self._answer(answering, Statement(batch(message)))
        elif message.kind == Kind.RPC:
            self._call(list(calls(message, self._prepared)), answering)
        elif message.kind == Kind.TRANSACTION:
            for statement in list(transaction(message)):
                self._answer(answering, statement)
        elif message.kind == Kind.BULK:
            columns, rows = bulk_rows(message)
            self._answer(answering, Statement(self._bulk, "bulk", columns=columns, rows=rows))
            message.rest()
        else:
            raise Gone
        answering.finish(self.session)

    def _call(self, asked: list[Call], answering: Answering) -> None:
        for index, call in enumerate(asked):
            if not call.known:
                answering.parts(self.session, [_unknown(call)])
            elif statement := call.statement():
                self._answer(answering, statement)
            handle = call.handle()
            answering.finish_call(self.session, call, handle, last=index == len(asked) - 1)

    def _answer(self, answering: Answering, statement: Statement) -> None:
        if statement.sql.lstrip().upper().startswith("INSERT BULK"):
            self._bulk = statement.sql
        self._server.statements.append(statement)
        try:
            answering.parts(self.session, self._server.answer(self.session, statement))
        except (Gone, Attended, Over, OSError):
            raise
        except Exception as error:  # noqa: BLE001  the test is told when the server is left
            self._server.troubles.append(error)
            answering.parts(self.session, [Failure(50000, f"the answering function failed: {error!r}")])


def _unknown(call: Call) -> Failure:
    return Failure(8179, f"Could not find prepared statement with handle {call.arguments[0].value}.")


class Answering:
    """The tokens of one answer; each DONE is held back until it is known whether more follows."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._pending: tuple[int, int, int] | None = None
        self._parts: Iterator[Part] = iter(())
        self._erred = self._in_call = False
        self._returned = Returned()

    def parts(self, session: Session, parts: Iterable[Part]) -> None:
        self._parts = iter(parts)
        for part in self._parts:
            self._say(session, part)

    def close(self) -> None:
        """No more of the parts is wanted."""
        if hasattr(self._parts, "close"):
            self._parts.close()

    def finish(self, session: Session) -> None:
        """The message's end, where no call has written it."""
        if not self._in_call:
            status, count, command = self._pending or (0, 0, 0)
            self._wire.write(done(status | _depth(session), count, command=command))

    def finish_call(self, session: Session, call: Call, handle: int | None, *, last: bool) -> None:
        """The end of a procedure's answer: what it returns."""
        self._in_call = True
        self._settle(session, DONE_IN_PROCEDURE)
        self._wire.write(return_status(self._returned.status))
        if handle is not None:
            self._wire.write(return_value(0, call.arguments[0].name, b"\x26\4\4" + handle.to_bytes(4, "little")))
        else:
            self._write_outputs(call)
        status = (0 if last else MORE | IN_BATCH) | (ERRED if self._erred else 0) | _depth(session)
        self._wire.write(done(status, kind=DONE_PROCEDURE, command=0xE0))
        self._erred, self._returned = False, Returned()

    def _write_outputs(self, call: Call) -> None:
        for ordinal, one in enumerate(call.arguments):
            if one.output:
                value = self._returned.outputs.get(one.name or f"@P{ordinal + 1}", one.value)
                kind = written(one.type.declared)
                self._wire.write(return_value(ordinal, one.name, kind.info + kind.encode(value)))

    def _settle(self, session: Session, kind: int = DONE) -> None:
        if self._pending is not None:
            status, count, command = self._pending
            self._wire.write(done(status | MORE | _depth(session), count, kind=kind, command=command))
            self._pending = None

    def _say(self, session: Session, part: Part) -> None:
        self._settle(session)
        if isinstance(part, Rows):
            self._pending = (COUNTED, self._rows(part), SELECTED)
        elif isinstance(part, Count):
            self._pending = (0, 0, 0) if part.rows is None else (COUNTED, part.rows, INSERTED)
        elif isinstance(part, Returned):
            self._returned = part
        elif isinstance(part, Transaction):
            self._wire.write(_transacted(session, part))
        elif isinstance(part, Database):
            self._wire.write(changed(1, part.name, session.database))
            session.database = part.name
        else:
            self._event(part)

    def _event(self, part: Failure | Info | Cut | Wait) -> None:
        if isinstance(part, Info):
            self._wire.write(
                told(number=part.number, message=part.message, severity=part.severity, state=part.state, line=1)
            )
        elif isinstance(part, Failure):
            self._fail(part)
        else:
            if isinstance(part, Cut) and part.torn:
                self._wire.tear()
            self._wire.flush()
            if isinstance(part, Cut):
                self._wire.close(reset=part.reset)
                raise Over
            self._wait(part.seconds)

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        if self._wire.attended(max(0, until - time.monotonic())):
            raise Attended

    def _fail(self, failure: Failure) -> None:
        self._wire.write(_error(failure))
        self._pending, self._erred = (ERRED, 0, 0), True
        if failure.severity >= 20:
            self._wire.write(done(ERRED))
            self._wire.end()
            raise Over

    def _rows(self, part: Rows) -> int:
        kinds = [written(one.type, one.collation, nullable=one.nullable) for one in part.columns]
        self._wire.write(_metadata(part, [kind.info for kind in kinds]))
        encoders = [kind.encode for kind in kinds]
        if part.times != 1:
            return self._repeated([_row(encoders, row) for row in part.rows], part.times)
        count = 0
        block: list[bytes] = []
        for row in part.rows:
            if isinstance(row, EVENTS):
                self._wire.write(b"".join(block))
                block.clear()
                self._event(row)
                if isinstance(row, Failure):
                    break
                continue
            block.append(_row(encoders, row))
            count += 1
            if len(block) == BLOCK:
                self._wire.write(b"".join(block))
                block.clear()
        self._wire.write(b"".join(block))
        return count

    def _repeated(self, rows: list[bytes], times: int) -> int:
        again = max(1, 64 * 1024 // max(1, sum(map(len, rows))))
        block = b"".join(rows) * again
        for _ in range(times // again):
            self._wire.write(block)
        self._wire.write(b"".join(rows) * (times % again))
        return len(rows) * times


def _row(encoders: list[Any], row: Any) -> bytes:
    return b"\xd1" + b"".join([encode(value) for encode, value in zip(encoders, row, strict=True)])


def _metadata(part: Rows, infos: list[bytes]) -> bytes:
    described = [
        bytes(4) + (b"\1\0" if column.nullable else b"\0\0") + info + short_text(column.name)
        for column, info in zip(part.columns, infos, strict=True)
    ]
    return b"\x81" + len(described).to_bytes(2, "little") + b"".join(described)


def _error(failure: Failure) -> bytes:
    return told(
        number=failure.number,
        message=failure.message,
        severity=failure.severity,
        state=failure.state,
        line=failure.line,
        procedure=failure.procedure,
    )


def _depth(session: Session) -> int:
    return IN_TRANSACTION if session.transactions else 0


_descriptors = itertools.count(1)


def _transacted(session: Session, part: Transaction) -> bytes:
    before = session.transactions
    session.transactions = {"begin": before + 1, "commit": max(0, before - 1), "rollback": 0, "save": before}[part.did]
    if not before and session.transactions:
        session.descriptor = next(_descriptors).to_bytes(8, "little")
        return changed(8, session.descriptor, b"")
    if before and not session.transactions:
        return changed(9 if part.did == "commit" else 10, b"", session.descriptor)
    return b""
