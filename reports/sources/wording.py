"""What every source says and checks in the same words: parameters, names that are not there, places in SQL."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reports.errors import SourceError
from reports.model import Query
from reports.sql import parameters

SHOWN = 20


def bound(query: Query, params: Mapping[str, Any]) -> dict[str, Any]:
    """The values of the parameters that `query` uses, and no others; a SourceError names a missing one."""
    used = parameters(query.sql)
    for name, line in used.items():
        if name not in params:
            raise SourceError(
                f"the query uses :{name}, which has no value",
                where=place(query, line),
                hint=f"the parameters of this run are {listed(params, name)}",
            )
    return {name: params[name] for name in used}


def place(query: Query, line: int = 0) -> str:
    """The query's file, or its name, with the line where that is known."""
    return f"{query.path or f'query {query.name}'}{f':{line}' if line else ''}"


def line_in(message: str) -> int:
    """The line of the SQL that a database's message points to, or 0."""
    found = re.search(r"^LINE (\d+):", message, re.MULTILINE)
    return int(found[1]) if found else 0


def nearest(names: Iterable[str], wanted: str) -> list[str]:
    """`names` with the ones most like `wanted` first."""

    def likeness(name: str) -> float:
        return difflib.SequenceMatcher(None, wanted.casefold(), name.casefold()).ratio()

    return sorted(names, key=likeness, reverse=True)


def no_column(column: str, tables: Mapping[str, Sequence[str]], where: str) -> SourceError:
    """The error for a column that is not there, with the columns of the `tables` the query reads."""
    near = difflib.get_close_matches(column, {name for names in tables.values() for name in names}, 1, 0.65)
    meant = f"; did you mean '{near[0]}'?" if near else ""
    there = [f"{table} has {listed(names, column)}" for table, names in tables.items()]
    return SourceError(
        f"there is no column '{column}'{meant}",
        where=where,
        hint="; ".join(there) or "the query reads no table",
    )


def listed(names: Iterable[str], wanted: str) -> str:
    """Names in a sentence, nearest to `wanted` first, a long list cut with the number of the rest."""
    ordered = nearest(names, wanted)
    rest = [f"and {len(ordered) - SHOWN} more"] if len(ordered) > SHOWN else []
    return ", ".join(ordered[:SHOWN] + rest) or "none"


def check_columns(names: Sequence[str], query: Query) -> None:
    """Refuse a result whose columns could not be told apart: the same name twice, or no name."""
    unnamed = [str(n) for n, name in enumerate(names, 1) if not name or name == "?column?"]
    if unnamed:
        what = f"the result has columns without a name, at position {', '.join(unnamed)}"
    elif again := repeated(names):
        what = f"two columns of the result have the same name: {again}"
    else:
        return
    raise SourceError(what, where=place(query), hint="give each column its own name with AS")


def repeated(names: Sequence[str]) -> str:
    """Names that stand more than once (capitals aside), each with its positions counted from 1; else empty."""
    folded = [name.casefold() for name in names]
    twice = [name for name, count in Counter(folded).items() if count > 1 and name]
    return "; ".join(
        f"'{names[folded.index(name)]}' at {', '.join(str(n) for n, one in enumerate(folded, 1) if one == name)}"
        for name in twice
    )
