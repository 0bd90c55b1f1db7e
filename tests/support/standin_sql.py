"""T-SQL as PostgreSQL understands it: sqlglot translates, and what it leaves is rewritten here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

MARK = "\x01{}\x02"
CHUNK = re.compile("\x01(\\w+)\x02")
CONSTRAINT = re.compile(r"\s*ALTER\s+TABLE\s+\S+\s+ADD\s+(CONSTRAINT\s+\S+\s+)?(CHECK|FOREIGN)\b[^;]*$", re.IGNORECASE)
VIEWS = {
    "tables",
    "columns",
    "table_constraints",
    "key_column_usage",
    "referential_constraints",
    "check_constraints",
}
# Types by the word that T-SQL has for them; True where a length is kept.
TYPES: dict[str, tuple[str, bool]] = {
    "TINYINT": ("mssql.tinyint", False),
    "UTINYINT": ("mssql.tinyint", False),
    "BIT": ("boolean", False),
    "BOOLEAN": ("boolean", False),
    "MONEY": ("mssql.money", False),
    "SMALLMONEY": ("numeric(10, 4)", False),
    "FLOAT": ("double precision", False),
    "DOUBLE": ("double precision", False),
    "NVARCHAR": ("varchar", True),
    "VARCHAR": ("varchar", True),
    "NCHAR": ("char", True),
    "CHAR": ("char", True),
    "TEXT": ("text", False),
    "VARBINARY": ("bytea", False),
    "BINARY": ("bytea", False),
    "DATETIME": ("timestamp", False),
    "DATETIME2": ("timestamp", True),
    "SMALLDATETIME": ("timestamp(0)", False),
    "TIMESTAMPTZ": ("timestamptz", True),
    "TIMESTAMP": ("timestamp", True),
    "UUID": ("uuid", False),
}


class Untranslated(Exception):
    """What this stand-in does not understand."""


@dataclass(frozen=True)
class Translated:
    """One statement; `locks` is a table that others may not write to before the transaction ends."""

    sql: str
    names: list[str] | None = None
    locks: str = ""


def translated(text: str) -> Iterator[Translated]:
    """The statements of a batch."""
    try:
        trees = [tree for tree in sqlglot.parse(text, dialect="tsql") if tree is not None]
    except SqlglotError as error:
        raise Untranslated(text) from error
    for tree in trees:
        if isinstance(tree, exp.Command) and (match := CONSTRAINT.match(text)):
            yield Translated(re.sub(r"\[([^]]+)\]", lambda name: f'"{name[1].lower()}"', match[0]))
            continue
        if isinstance(tree, exp.Command | exp.IfBlock):
            raise Untranslated(tree.sql("tsql") or text)
        yield _statement(tree)


def _statement(tree: exp.Expression) -> Translated:
    names = [one.alias_or_name for one in tree.expressions] if isinstance(tree, exp.Select) else None
    if names and any(one == "*" or one.endswith(".*") for one in names):
        names = None
    locks = _locked(tree)
    tree = tree.transform(_node)
    if isinstance(tree, exp.Update):
        _update(tree)
    into = tree.args.get("into") if isinstance(tree, exp.Select) else None
    if into is not None:
        return Translated(_copied(tree, into.this), locks=locks)
    return Translated(_sql(tree), names, locks)


def _sql(tree: exp.Expression) -> str:
    return re.sub(r" NULLS (FIRST|LAST)\b(?=[,)])", "", tree.sql("postgres"))


def _locked(tree: exp.Expression) -> str:
    for table in tree.find_all(exp.Table):
        if "HOLDLOCK" in " ".join(str(hint).upper() for hint in table.args.get("hints") or ()):
            bare = exp.Table(this=table.this.copy(), db=table.args.get("db") and table.args["db"].copy())
            return _sql(bare.transform(_node))
    return ""


def _copied(tree: exp.Select, target: exp.Table) -> str:
    """SELECT ... INTO; a table copied whole keeps its NOT NULLs and counters, as SQL Server does it."""
    tree.set("into", None)
    temporary = "TEMPORARY " if target.name.startswith("#") else ""
    source = tree.args["from_"].this if tree.args.get("from_") else None
    empty = tree.args.get("limit") is not None and tree.args["limit"].expression.name == "0"
    if empty and isinstance(source, exp.Table) and [one.name for one in tree.expressions] == ["*"]:
        return f"CREATE {temporary}TABLE {_sql(target)} (LIKE {_sql(source)} INCLUDING IDENTITY)"
    return f"CREATE {temporary}TABLE {_sql(target)} AS {_sql(tree)}"


def _update(tree: exp.Update) -> None:
    """UPDATE t ... FROM a AS t JOIN b ON c becomes UPDATE a AS t ... FROM b WHERE c."""
    for one in tree.expressions:
        one.this.set("table", None)
    source = tree.args.get("from_")
    if source is None or source.this.alias_or_name != tree.this.alias_or_name:
        return
    joins = source.this.args.pop("joins", None) or []
    tree.set("this", source.this)
    tree.set("from_", exp.From(this=joins[0].this) if joins else None)
    for join in joins:
        condition = join.args.get("on")
        if condition is not None:
            tree.where(condition, copy=False)


def _node(node: exp.Expression) -> exp.Expression:
    change = CHANGES.get(type(node))
    return change(node) if change else node


def _identifier(node: exp.Expression) -> exp.Expression:
    name = node.this.lower()
    if node.args.get("temporary") and not name.startswith("#"):
        name = "#" + name
    return exp.Identifier(this=name, quoted=True)


def _table(node: exp.Expression) -> exp.Expression:
    node.set("hints", None)
    node.set("catalog", None)
    if node.args.get("db") and node.text("db").upper() == "INFORMATION_SCHEMA":
        if node.name.lower() not in VIEWS:
            raise Untranslated(node.sql("tsql"))
        node.set("db", exp.to_identifier("mssql"))
    elif node.text("db").lower() == "sys":
        raise Untranslated(node.sql("tsql"))
    return node


def _type(node: exp.Expression) -> exp.Expression:
    word = node.this.value if isinstance(node.this, exp.DataType.Type) else str(node.this)
    sizes = [one.name.upper() for one in node.expressions]
    known = TYPES.get(word.upper())
    if known is None:
        return node
    name, keeps = known
    if "MAX" in sizes:
        name = "text" if name in {"varchar", "char"} else name
    elif keeps and sizes:
        name = f"{name}({min(int(sizes[0]), 6) if name.startswith('timestamp') else sizes[0]})"
    return exp.Var(this=name)


def _add(node: exp.Expression) -> exp.Expression:
    texts = [one for one in node.find_all(exp.Literal, exp.National) if isinstance(one, exp.National) or one.is_string]
    if not texts:
        return node
    # What is replaced is not walked into any more.
    return exp.DPipe(this=node.this.transform(_node), expression=node.expression.transform(_node))


CHANGES: dict[type, Callable[[Any], exp.Expression]] = {
    exp.Identifier: _identifier,
    exp.Table: _table,
    exp.DataType: _type,
    exp.National: lambda node: exp.Literal.string(node.this),
    exp.Parameter: lambda node: exp.Var(this=MARK.format(node.name)),
    exp.Add: _add,
    exp.CurrentSchema: lambda _: exp.Literal.string("dbo"),
    exp.TemporaryProperty: lambda node: node,
}
