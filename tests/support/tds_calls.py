"""Requests of a client, read: batches, calls of procedures, prepared statements and transactions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from support.tds_answers import How, Statement
from support.tds_values import Read, read_type
from support.tds_wire import Reader

PROCEDURES = {
    1: "sp_cursor",
    2: "sp_cursoropen",
    3: "sp_cursorprepare",
    4: "sp_cursorexecute",
    5: "sp_cursorprepexec",
    6: "sp_cursorunprepare",
    7: "sp_cursorfetch",
    8: "sp_cursoroption",
    9: "sp_cursorclose",
    10: "sp_executesql",
    11: "sp_prepare",
    12: "sp_execute",
    13: "sp_prepexec",
    14: "sp_prepexecrpc",
    15: "sp_unprepare",
}
REQUESTS: dict[int, tuple[str, How]] = {
    5: ("BEGIN TRANSACTION", "begin"),
    7: ("COMMIT TRANSACTION", "commit"),
    8: ("ROLLBACK TRANSACTION", "rollback"),
    9: ("SAVE TRANSACTION", "save"),
}
SEPARATORS = {0x80, 0xFE, 0xFF}


@dataclass(frozen=True)
class Argument:
    """A parameter of a call as it came."""

    name: str
    output: bool
    type: Read
    value: Any


@dataclass
class Call:
    """A procedure called; what the client wants back is in `outputs`, by the parameters' places."""

    procedure: str
    arguments: list[Argument]
    prepared: dict[int, tuple[str, str]] = field(repr=False)

    def statement(self) -> Statement | None:
        """What there is to be answered; nothing for sp_prepare and sp_unprepare."""
        values = [one.value for one in self.arguments]
        if self.procedure == "sp_executesql":
            return _bound("sp_executesql", values[0], values[1] if values[1:] else "", self.arguments[2:])
        if self.procedure == "sp_prepexec":
            return _bound("sp_prepexec", values[2], values[1] or "", self.arguments[3:])
        if self.procedure == "sp_execute":
            text, declared = self.prepared[values[0]]
            return _bound("sp_execute", text, declared, self.arguments[1:])
        if self.procedure in {"sp_prepare", "sp_unprepare"}:
            return None
        return _bound("procedure", self.procedure, "", self.arguments)

    def handle(self) -> int | None:
        """The handle of what this call prepares."""
        if self.procedure in {"sp_prepare", "sp_prepexec"}:
            number = max(self.prepared, default=0) + 1
            self.prepared[number] = (self.arguments[2].value, self.arguments[1].value or "")
            return number
        if self.procedure == "sp_unprepare":
            self.prepared.pop(self.arguments[0].value, None)
        return None

    @property
    def known(self) -> bool:
        """Whether a statement that is to be executed was prepared."""
        return self.procedure not in {"sp_execute", "sp_unprepare"} or self.arguments[0].value in self.prepared


def _bound(how: How, text: str, declared: str, arguments: list[Argument]) -> Statement:
    pairs = list(_declared(declared))
    names, params, types = [name for name, _ in pairs], {}, {}
    for index, one in enumerate(arguments):
        name = one.name or (names[index] if index < len(names) else f"@P{index + 1}")
        params[name] = one.value
        types[name] = dict(pairs).get(name, one.type.declared)
    return Statement(text, how, params, types)


def _declared(text: str) -> Iterator[tuple[str, str]]:
    """Names and types of "@P1 int,@P2 decimal(19,4) output"."""
    for match in re.finditer(r"(@\w+)\s+(?:as\s+)?([\w.]+\s*(?:\([^)]*\))?)", text, re.IGNORECASE):
        yield match[1], match[2].strip()


def batch(message: Reader) -> str:
    """The text of a batch."""
    _skip_headers(message)
    return message.rest().decode("utf-16-le", "surrogatepass")


def calls(message: Reader, prepared: dict[int, tuple[str, str]]) -> Iterator[Call]:
    """The calls of one message: more than one where rows are sent as an array."""
    _skip_headers(message)
    while message.more():
        length = message.number(2)
        name = PROCEDURES[message.number(2)] if length == 0xFFFF else message.text(length)
        message.take(2)
        yield Call(name.removeprefix("sys."), list(_arguments(message)), prepared)


def _arguments(message: Reader) -> Iterator[Argument]:
    while message.more():
        length = message.byte()
        if length in SEPARATORS:
            return
        name, status = message.text(length), message.byte()
        kind = read_type(message)
        yield Argument(name, bool(status & 1), kind, kind.decode(message))


def transaction(message: Reader) -> Iterator[Statement]:
    """The request of a transaction manager; a commit may begin the next one."""
    _skip_headers(message)
    kind = message.number(2)
    if kind not in REQUESTS:
        raise ValueError(f"this server knows no request {kind} to the transaction manager")
    if kind == 5:
        yield _request(kind, _begun(message))
        return
    yield _request(kind, {"name": message.text(message.byte() // 2)})
    if kind in {7, 8} and message.byte() & 1:
        yield _request(5, _begun(message))


def _begun(message: Reader) -> dict[str, Any]:
    return {"isolation": message.byte(), "name": message.text(message.byte() // 2)}


def _request(kind: int, params: dict[str, Any]) -> Statement:
    text, how = REQUESTS[kind]
    return Statement(text, how, params)


def _skip_headers(message: Reader) -> None:
    message.take(message.number(4) - 4)
