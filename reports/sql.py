"""The `:name` parameters of a SQL text: found, and handed to a driver as bound values, never pasted in."""

from __future__ import annotations

import re
from collections.abc import Callable

# What a parameter cannot stand in: strings, quoted names, comments; and `::type` is a cast.
_TOKEN = re.compile(
    r"""
    '(?:[^']|'')*' | "(?:[^"]|"")*" | `[^`]*`
    | --[^\n]* | /\*.*?\*/
    | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$
    | ::
    | (?<![\w:'"\])]):(?P<name>[A-Za-z_]\w*)
    | (?P<end>;)
    """,
    re.VERBOSE | re.DOTALL,
)


def parameters(sql: str) -> dict[str, int]:
    """Each parameter's name with the first line that uses it, counted from 1."""
    found: dict[str, int] = {}
    for token in _TOKEN.finditer(sql):
        if name := token["name"]:
            found.setdefault(name, sql.count("\n", 0, token.start()) + 1)
    return found


def rewrite(sql: str, placeholder: Callable[[str], str], other: Callable[[str], str] = str) -> str:
    """`sql` with each parameter as `placeholder(name)` and the text between them as `other(text)`."""
    pieces, end = [], 0
    for token in _TOKEN.finditer(sql):
        if token["name"]:
            pieces += [other(sql[end : token.start()]), placeholder(token["name"])]
            end = token.end()
    return "".join([*pieces, other(sql[end:])])


def statement(sql: str) -> str:
    """The first statement of `sql`, without the semicolon that ends it."""
    end = next((token.start() for token in _TOKEN.finditer(sql) if token["end"]), len(sql))
    return sql[:end]
