"""PostgreSQL: rows by COPY, as text, within the transaction; its errors say which of the rows it was."""

# ruff: noqa: S608  the SQL is made of quoted names and literals only; values of rows are always bound

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, ClassVar

from reports.uploads.columns import Column, Kind, integer
from reports.uploads.server import BATCH, MARKS, ROW, Server
from reports.uploads.values import Value, Values

_INTEGERS = {"smallint": 16, "integer": 32, "bigint": 64}
_KINDS: dict[str, Kind] = {
    "numeric": "decimal",
    "real": "number",
    "double precision": "number",
    "boolean": "boolean",
    "character varying": "text",
    "character": "text",
    "text": "text",
    "date": "date",
    "timestamp without time zone": "datetime",
    "timestamp with time zone": "instant",
    "time without time zone": "time",
    "uuid": "uuid",
    "bytea": "binary",
}
_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_TRANSLATED = str.maketrans(_ESCAPES)
_ODD = re.compile(r"[\\\t\n\r]")


class PostgreSQL(Server):
    placeholder: ClassVar[str] = "%s"
    overriding: ClassVar[str] = "OVERRIDING SYSTEM VALUE "

    def default_schema(self, cursor: Any) -> str:
        cursor.execute("SELECT current_schema()")
        return str(cursor.fetchone()[0] or "public")

    def tables(self, cursor: Any) -> list[str]:
        wanted = f"table_schema = {self.literal(self.schema)} AND table_name <> {self.literal(MARKS)}"
        cursor.execute(f"SELECT table_name FROM information_schema.tables WHERE {wanted} ORDER BY 1")
        return [row[0] for row in cursor.fetchall()]

    def exists(self, cursor: Any, table: str) -> bool:
        cursor.execute(f"SELECT to_regclass({self.literal(self.within(table))}) IS NOT NULL")
        return bool(cursor.fetchone()[0])

    def columns(self, cursor: Any) -> list[Column]:
        cursor.execute(
            "SELECT column_name, data_type, character_maximum_length, numeric_precision, numeric_scale, "
            "datetime_precision, is_nullable, column_default, is_identity, is_generated "
            "FROM information_schema.columns "
            f"WHERE table_schema = {self.literal(self.schema)} AND table_name = {self.literal(self.table)} "
            "ORDER BY ordinal_position"
        )
        return [_column(row) for row in cursor.fetchall()]

    def rows(self, columns: Sequence[Values]) -> Sequence[Any]:
        return list(map("\t".join, zip(*map(_written, columns), strict=True)))

    def insert(self, cursor: Any, into: str, columns: Sequence[Column], rows: Sequence[Any]) -> None:
        with cursor.copy(f"COPY {into} ({self.listed(columns)}) FROM STDIN") as copy:
            copy.write("\n".join(rows) + "\n")

    def fill_batch(self, cursor: Any, columns: Sequence[Column], rows: Sequence[Any]) -> None:
        cursor.execute(f"TRUNCATE {self.batch}")
        with cursor.copy(f"COPY {self.batch} ({self.listed(columns)}, {ROW}) FROM STDIN") as copy:
            copy.write("".join(f"{row}\t{number}\n" for number, row in enumerate(rows)))

    @property
    def batch(self) -> str:
        return f"pg_temp.{BATCH}"

    def make_batch(self, cursor: Any, columns: Sequence[Column]) -> None:
        cursor.execute(
            f"CREATE TEMPORARY TABLE IF NOT EXISTS {BATCH} AS "
            f"SELECT {self.listed(columns)}, 0 AS {ROW} FROM {self.target} WHERE false"
        )

    def lock(self, cursor: Any) -> None:
        cursor.execute(f"LOCK TABLE {self.target} IN SHARE ROW EXCLUSIVE MODE")

    def swap(self, cursor: Any, staging: str, columns: Sequence[Column]) -> None:
        self.lock(cursor)
        super().swap(cursor, staging, columns)

    def make_staging(self, cursor: Any, staging: str, columns: Sequence[Column], constraints: Sequence[str]) -> None:
        del columns, constraints  # the server copies them
        table = self.within(staging)
        cursor.execute(f"CREATE TABLE {table} (LIKE {self.target} INCLUDING ALL)")
        here = f"{self.literal(self.target)}::regclass"
        # One that points at the table itself would look for the rows that are to go.
        cursor.execute(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint "
            f"WHERE contype = 'f' AND conrelid = {here} AND confrelid <> {here}"
        )
        for (definition,) in cursor.fetchall():
            cursor.execute(f"ALTER TABLE {table} ADD {definition}")

    def refused(self, error: Exception) -> bool:
        # Classes 22 and 23 are values and constraints, P0001 is what a trigger raises.
        state = str(getattr(error, "sqlstate", "") or "")
        return state[:2] in ("22", "23") or state == "P0001" or super().refused(error)

    def place(self, error: Exception) -> int | None:
        found = re.search(r"COPY .+?, line (\d+)", str(error))
        return int(found[1]) - 1 if found else None

    def message(self, error: Exception) -> str:
        return " ".join(re.sub(r"\s*CONTEXT:[\s\S]*", "", str(error)).split())

    def declared(self, kind: str, *, digits: int, scale: int, length: int, key: bool) -> str:
        del digits, scale, length, key
        return {"integer": "bigint", "decimal": "numeric", "number": "double precision", "boolean": "boolean",
                "date": "date", "datetime": "timestamp", "instant": "timestamp with time zone",
                "binary": "bytea"}.get(kind, "text")  # fmt: skip


def _column(row: Sequence[Any]) -> Column:
    name, declared, length, digits, scale, fraction, nullable, default, identity, generated = row
    limits: dict[str, Any] = {}
    kind = _KINDS.get(declared, "other")
    if declared in _INTEGERS:
        kind, limits = "integer", dict(integer(_INTEGERS[declared]))
    elif kind == "decimal":
        limits = {"digits": digits, "scale": scale}
    elif kind == "text":
        limits = {"length": length}
    elif kind in ("datetime", "instant", "time"):
        limits = {"scale": fraction}
    return Column(
        name=name,
        declared=f"{declared}({length})" if length else declared,
        kind=kind,
        nullable=nullable == "YES",
        filled=default is not None or identity == "YES" or generated == "ALWAYS",
        computed=generated == "ALWAYS",
        identity=identity == "YES",
        **limits,
    )


def _written(values: Values) -> Sequence[str]:
    """A column as COPY reads it."""
    if None not in values and all(type(one) is str for one in values):
        texts: Sequence[str] = values  # type: ignore[assignment]
        if not _ODD.search("".join(texts)):
            return texts
    return [_one(value) for value in values]


def _one(value: Value) -> str:
    if value is None:
        return "\\N"
    return f"\\\\x{value.hex()}" if isinstance(value, bytes) else value.translate(_TRANSLATED)
