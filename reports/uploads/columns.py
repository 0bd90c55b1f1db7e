"""What the columns of a table hold, as far as a value can be tested for it before it is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from reports.errors import SourceError
from reports.sources.wording import listed, nearest

Kind = Literal[
    "integer", "decimal", "number", "boolean", "text", "date", "datetime", "instant", "time", "uuid", "binary", "other"
]


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column. `filled` is one that has a value where none is given: by default, by a counter, or computed.

    `least` and `most` bound an integer. `digits` and `scale` are those of a decimal; of times `scale` is how many
    digits of a second there are. `length` counts `units`, None for as many as one likes. `codec` is the encoding
    of a text that cannot hold every character. `separator` stands between date and time.
    """

    name: str
    declared: str
    kind: Kind
    nullable: bool = True
    filled: bool = False
    computed: bool = False
    identity: bool = False
    least: int | None = None
    most: int | None = None
    digits: int | None = None
    scale: int | None = None
    length: int | None = None
    units: Literal["characters", "UTF-16 units", "bytes"] = "characters"
    codec: str = ""
    separator: str = " "
    # Digits that a database keeps of a decimal which it holds as a float.
    exact: int | None = None


def integer(bits: int, *, signed: bool = True) -> Mapping[str, int]:
    """The bounds of an integer of so many bits."""
    return {"least": -(2 ** (bits - 1)) if signed else 0, "most": 2 ** (bits - 1 if signed else bits) - 1}


def matched(
    names: Sequence[str], columns: Sequence[Column], *, header: bool, file: str, table: str
) -> list[tuple[int, Column]]:
    """For each column of the file its place and the table's column; a SourceError where they do not go together.

    Names are compared whatever their capitals; without a header the columns are taken in the table's order.
    """
    if not header:
        return _by_place(names, columns, file=file, table=table)
    exact = {column.name: column for column in columns}
    folded = {column.name.casefold(): column for column in columns}
    found = [(place, exact.get(name) or folded.get(name.casefold())) for place, name in enumerate(names)]
    if unknown := [names[place] for place, column in found if column is None]:
        near = nearest(exact, unknown[0])[0] if exact else ""
        more = f" (and {', '.join(unknown[1:4])})" if unknown[1:] else ""
        raise SourceError(
            f"the file has a column '{unknown[0]}'{more}, which the table {table} does not have; nothing was written",
            where=file,
            hint=f"did you mean '{near}'? the table has {listed(exact, unknown[0])}",
        )
    pairs = [(place, column) for place, column in found if column is not None]
    if written := [column.name for _, column in pairs if column.computed]:
        raise SourceError(
            f"the column '{written[0]}' of {table} is computed by the database; nothing was written",
            where=file,
            hint="leave it out of the file",
        )
    _check_missing(pairs, columns, file=file, table=table, names=names)
    return pairs


def _check_missing(
    pairs: Sequence[tuple[int, Column]], columns: Sequence[Column], *, file: str, table: str, names: Sequence[str]
) -> None:
    given = {column.name for _, column in pairs}
    needed = [one.name for one in columns if not (one.nullable or one.filled or one.name in given)]
    if needed:
        raise SourceError(
            f"the file lacks the column '{needed[0]}', without which {table} takes no row; nothing was written",
            where=file,
            hint=f"the file has {listed(names, needed[0])}; add the column, or give it a default in the database",
        )


def _by_place(names: Sequence[str], columns: Sequence[Column], *, file: str, table: str) -> list[tuple[int, Column]]:
    taking = [column for column in columns if not (column.computed or column.identity)]
    if len(taking) != len(names):
        raise SourceError(
            f"the file has {len(names)} columns and no header, {table} takes {len(taking)}; nothing was written",
            where=file,
            hint=f"the table's columns in their order: {', '.join(column.name for column in taking)}",
        )
    return list(enumerate(taking))
