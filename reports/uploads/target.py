"""Where an upload goes: SOURCE.TABLE or SOURCE.SCHEMA.TABLE, as a person writes it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from reports.errors import DefinitionError

_HOW = "write SOURCE.TABLE or SOURCE.SCHEMA.TABLE, like warehouse.dbo.loans; a name with a dot goes into [ ] or quotes"
_PART = re.compile(r'\[((?:[^]]|\]\])+)\]|"((?:[^"]|"")+)"|([^.\[\]"]+)')


@dataclass(frozen=True, kw_only=True)
class Target:
    """A table of a source; without a schema it is in the one that the database takes by default."""

    source: str
    schema: str
    table: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.table}" if self.schema else self.table


def parse(written: str) -> Target:
    """The target as written; a DefinitionError says how one is written."""
    parts: list[str] = []
    at = 0
    while at <= len(written):
        if (found := _PART.match(written, at)) is None:
            break
        bracketed, in_quotes, plain = found.groups()
        parts.append((bracketed or "").replace("]]", "]") or (in_quotes or "").replace('""', '"') or plain.strip())
        at = found.end() + 1
        if found.end() < len(written) and written[found.end()] != ".":
            break
    if at != len(written) + 1 or len(parts) not in (2, 3) or not all(parts):
        raise DefinitionError(f"'{written}' names no table of a source", where="--to", hint=_HOW)
    return Target(source=parts[0], schema=parts[1] if len(parts) == 3 else "", table=parts[-1])
