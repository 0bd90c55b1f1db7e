"""Why a server did not take a row, read from its message: the cause it counts under, and what the message names."""

from __future__ import annotations

import re
from dataclasses import dataclass

BROKEN, TYPE, LONG, MISSING = "broken row", "wrong type", "too long", "missing value"
DUPLICATE, UNKNOWN, CHECK, OTHER = "duplicate key", "unknown reference", "refused by a check", "other"


@dataclass(frozen=True, kw_only=True)
class Cause:
    """A cause, with the columns and the value that the message names; OTHER where it says nothing that is known."""

    name: str
    columns: tuple[str, ...] = ()
    value: str = ""


# What SQLite, PostgreSQL and SQL Server say; `columns` is what their message names, be it one or several.
_MESSAGES = [
    (DUPLICATE, r"UNIQUE constraint failed: (?P<columns>[^\n]+)"),
    (DUPLICATE, r"duplicate key value violates unique constraint(?:[\s\S]*?Key \((?P<columns>.+?)\)=)?"),
    (DUPLICATE, r"Violation of (?:PRIMARY|UNIQUE) KEY constraint|Cannot insert duplicate key row"),
    (MISSING, r"NOT NULL constraint failed: (?P<columns>\S+)"),
    (MISSING, r'null value in column "(?P<columns>.+?)"'),
    (MISSING, r"Cannot insert the value NULL into column '(?P<columns>.+?)'"),
    (UNKNOWN, r"FOREIGN KEY constraint failed"),
    (UNKNOWN, r"violates foreign key constraint(?:[\s\S]*?Key \((?P<columns>.+?)\)=)?"),
    (UNKNOWN, r"conflicted with the FOREIGN KEY"),
    (CHECK, r"CHECK constraint failed|violates check constraint|conflicted with the CHECK constraint"),
    (LONG, r"value too long for type(?:[\s\S]*?, column (?P<columns>[^:\n]+):)?"),
    (LONG, r"String or binary data would be truncated(?:.*?column '(?P<columns>.+?)')?"),
    (TYPE, r"cannot store \w+ value in \w+ column (?P<columns>\S+)"),
    (TYPE, r"datatype mismatch|invalid byte sequence|unsupported Unicode escape"),
    (
        TYPE,
        r"(?:invalid input syntax|invalid value for|out of range|field overflow)(?:[\s\S]*?, column (?P<columns>\w+))?",
    ),
    (TYPE, r"Conversion failed|Error converting data type|Arithmetic overflow|out-of-range value"),
]
_KNOWN = [(name, re.compile(pattern, re.IGNORECASE)) for name, pattern in _MESSAGES]


def cause(message: str) -> Cause:
    """What the server's message is about."""
    for name, pattern in _KNOWN:
        if found := pattern.search(message):
            named = found.groupdict().get("columns") or ""
            columns = tuple(_bare(one) for one in named.split(",") if one.strip())
            value = re.search(r"duplicate key value is \((.*)\)", message)
            return Cause(name=name, columns=columns, value=value[1] if value else "")
    return Cause(name=OTHER)


def _bare(name: str) -> str:
    """A column without its table and its quotes."""
    return name.strip().rpartition(".")[2].strip("\"'[]")
