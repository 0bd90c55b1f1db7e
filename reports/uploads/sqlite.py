"""SQLite: one file, one writer at a time; rows by executemany, which is as fast as it gets."""

# ruff: noqa: S608  the SQL is made of quoted names and literals only; values of rows are always bound

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, ClassVar

from reports.errors import SourceError
from reports.uploads.causes import UNKNOWN
from reports.uploads.columns import Column, Kind, integer
from reports.uploads.server import MARKS, ROW, Server

EXACT = 15
"""Digits of a decimal that a column of numbers keeps, whatever its type is called: they are floats."""
_COMPUTED = (2, 3)


class SQLite(Server):
    held: ClassVar[str] = ""

    def default_schema(self, cursor: Any) -> str:
        del cursor
        return "main"

    def tables(self, cursor: Any) -> list[str]:
        cursor.execute(f"SELECT name FROM {self.within('sqlite_master')} WHERE type = 'table' ORDER BY name")
        hidden = (MARKS, "sqlite_sequence")
        return [row[0] for row in cursor.fetchall() if row[0] not in hidden]

    def exists(self, cursor: Any, table: str) -> bool:
        cursor.execute(f"PRAGMA {self.quoted(self.schema)}.table_info({self.quoted(table)})")
        return bool(cursor.fetchall())

    def columns(self, cursor: Any) -> list[Column]:
        cursor.execute(f"PRAGMA {self.quoted(self.schema)}.table_xinfo({self.quoted(self.table)})")
        rows = cursor.fetchall()
        keys = sum(row[5] > 0 for row in rows)
        return [_column(row, single_key=keys == 1) for row in rows if row[6] != 1]

    def constraint(self, cause: str, message: str) -> str:
        del message
        return cause if cause == UNKNOWN else ""

    def columns_of(self, cursor: Any, constraint: str) -> list[str]:
        """Those of the foreign key, where there is one alone."""
        del constraint
        cursor.execute(f"PRAGMA {self.quoted(self.schema)}.foreign_key_list({self.quoted(self.table)})")
        rows = cursor.fetchall()
        return [row[3] for row in rows] if len({row[0] for row in rows}) == 1 else []

    def begin(self, cursor: Any) -> None:
        cursor.execute("BEGIN IMMEDIATE")

    def insert(self, cursor: Any, into: str, columns: Sequence[Column], rows: Sequence[Any]) -> None:
        values = ", ".join("?" * len(columns))
        cursor.executemany(f"INSERT INTO {into} ({self.listed(columns)}) VALUES ({values})", rows)

    def fill_batch(self, cursor: Any, columns: Sequence[Column], rows: Sequence[Any]) -> None:
        cursor.execute(f"DELETE FROM {self.batch}")
        values = ", ".join("?" * (len(columns) + 1))
        numbered = ((*row, number) for number, row in enumerate(rows))
        cursor.executemany(f"INSERT INTO {self.batch} ({self.listed(columns)}, {ROW}) VALUES ({values})", numbered)

    @property
    def batch(self) -> str:
        return f"temp.{super().batch}"

    def make_staging(self, cursor: Any, staging: str, columns: Sequence[Column], constraints: Sequence[str]) -> None:
        del columns, constraints  # its own statement has them all
        master = f"{self.quoted(self.schema)}.sqlite_master"
        cursor.execute(f"SELECT sql FROM {master} WHERE type = 'table' AND lower(name) = lower(?)", (self.table,))
        sql = _renamed(cursor.fetchone()[0], "TABLE", self.within(staging), staging)
        # What refers to the table itself is to be looked for among the new rows.
        itself = rf'\bREFERENCES\s+(?:"{_quoted(self.table)}"|\[{_quoted(self.table)}\]|{_quoted(self.table)})(?!\w)'
        cursor.execute(re.sub(itself, f"REFERENCES {self.quoted(staging)}", sql, flags=re.IGNORECASE))
        indexes = f"SELECT name, sql FROM {master} WHERE type = 'index' AND lower(tbl_name) = lower(?) AND sql <> ''"
        cursor.execute(indexes, (self.table,))
        for number, (_, sql) in enumerate(cursor.fetchall()):
            if re.match(r"\s*CREATE\s+UNIQUE\b", sql, re.IGNORECASE):
                cursor.execute(self._index(sql, staging, number))

    def _index(self, sql: str, staging: str, number: int) -> str:
        rest = re.split(r"\bON\b", sql, maxsplit=1, flags=re.IGNORECASE)[1]
        after = re.sub(r'^\s*("(?:[^"]|"")*"|\[[^]]*\]|`[^`]*`|\'[^\']*\'|\w+)', "", rest)
        name = f"{self.quoted(self.schema)}.{self.quoted(f'{staging}_{number}')}"
        return f"CREATE UNIQUE INDEX {name} ON {self.quoted(staging)} {after}"

    def declared(self, kind: str, *, digits: int, scale: int, length: int, key: bool) -> str:
        del length, key
        if kind == "decimal":
            return f"DECIMAL({digits}, {scale})" if digits <= EXACT else "TEXT"
        return {"integer": "INTEGER", "number": "REAL", "boolean": "BOOLEAN", "date": "DATE", "datetime": "DATETIME",
                "instant": "TEXT"}.get(kind, "TEXT")  # fmt: skip


def _quoted(name: str) -> str:
    return re.escape(name.replace('"', '""'))


def _renamed(sql: str, what: str, name: str, plain: str) -> str:
    """A CREATE statement as it was written, for a table of another name."""
    pattern = rf'^\s*CREATE\s+{what}\s+(?:IF\s+NOT\s+EXISTS\s+)?(?:"(?:[^"]|"")*"|\[[^]]*\]|`[^`]*`|\'[^\']*\'|\w+)'
    made, count = re.subn(pattern, lambda _: f"CREATE {what} {name}", sql, count=1, flags=re.IGNORECASE)
    if not count:
        raise SourceError(f"the table's own statement is not understood, so {plain} cannot be made like it", where=sql)
    return made


def _column(row: Sequence[Any], *, single_key: bool) -> Column:
    _, name, declared, not_null, default, key, hidden = row[:7]
    counter = single_key and key and declared.upper() == "INTEGER"
    kind, limits = _kind(declared)
    return Column(
        name=name,
        declared=declared or "any type",
        kind=kind,
        nullable=not (not_null or (key and not counter)),
        filled=default is not None or bool(counter) or hidden in _COMPUTED,
        computed=hidden in _COMPUTED,
        **limits,
    )


_WORDS: Sequence[tuple[str, Kind]] = (
    ("BOOL", "boolean"),
    ("^DATETIME|^TIMESTAMP", "datetime"),
    ("^DATE", "date"),
    ("INT", "integer"),
    ("CHAR|CLOB|TEXT", "text"),
    ("BLOB", "binary"),
    ("REAL|FLOA|DOUB", "number"),
    ("^NUM|^DEC|^MONEY", "decimal"),
)


def _kind(declared: str) -> tuple[Kind, dict[str, Any]]:
    """By the words of the declared type, much as SQLite itself chooses what it makes of a value."""
    word, sizes = declared.upper(), [int(one) for one in re.findall(r"\d+", declared)]
    kind: Kind = next((kind for pattern, kind in _WORDS if re.search(pattern, word)), "other")
    if kind == "integer":
        return kind, dict(integer(64))
    if kind == "text":
        return kind, {"length": sizes[0] if sizes else None}
    if kind == "decimal":
        digits, scale = (sizes[0], sizes[1] if len(sizes) > 1 else 0) if sizes else (None, None)
        return kind, {"digits": digits, "scale": scale, "exact": EXACT}
    return kind, {}
