"""SQL Server: rows by executemany with mssql-python, by INSERTs of many rows with pymssql.

Plain T-SQL that also Babelfish understands, and INFORMATION_SCHEMA where others would ask sys.
"""

# ruff: noqa: S608  the SQL is made of quoted names and literals only; values of rows are always bound

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any, ClassVar

from reports.sources.dialects import sqlserver_faults as faults
from reports.uploads.causes import OTHER, cause
from reports.uploads.columns import Column, Kind, integer
from reports.uploads.server import BATCH, MARKS, ROW, Server

_INTEGERS = {"tinyint": integer(8, signed=False), "smallint": integer(16), "int": integer(32), "bigint": integer(64)}
_KINDS: dict[str, Kind] = {
    "decimal": "decimal",
    "numeric": "decimal",
    "money": "decimal",
    "smallmoney": "decimal",
    "real": "number",
    "float": "number",
    "bit": "boolean",
    **dict.fromkeys(("char", "varchar", "text", "nchar", "nvarchar", "ntext"), "text"),
    "date": "date",
    **dict.fromkeys(("datetime", "datetime2", "smalldatetime"), "datetime"),
    "datetimeoffset": "instant",
    "time": "time",
    "uniqueidentifier": "uuid",
    **dict.fromkeys(("binary", "varbinary", "image"), "binary"),
}
_MONEY = {"money": (19, 4), "smallmoney": (10, 4)}
_FRACTIONS = {"datetime": 3, "smalldatetime": 0}
# ODBC's numbers for what values are sent as.
_BIGINT, _VARBINARY, _NVARCHAR = -5, -3, -9
_LONG_VARBINARY, _LONG_NVARCHAR = -4, -10
_AT_ONCE = 500
"""Rows of one INSERT of pymssql; more than 1,000 no server takes."""


class SQLServer(Server):
    held: ClassVar[str] = " WITH (UPDLOCK, HOLDLOCK)"

    def quoted(self, name: str) -> str:
        return "[" + name.replace("]", "]]") + "]"

    def literal(self, text: str) -> str:
        return "N" + super().literal(text)

    def default_schema(self, cursor: Any) -> str:
        cursor.execute("SELECT SCHEMA_NAME()")
        return str(cursor.fetchone()[0])

    def tables(self, cursor: Any) -> list[str]:
        wanted = f"TABLE_SCHEMA = {self.literal(self.schema)} AND TABLE_NAME <> {self.literal(MARKS)}"
        cursor.execute(f"SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES WHERE {wanted} ORDER BY TABLE_NAME")
        return [row[0] for row in cursor.fetchall()]

    def exists(self, cursor: Any, table: str) -> bool:
        wanted = f"TABLE_SCHEMA = {self.literal(self.schema)} AND TABLE_NAME = {self.literal(table)}"
        cursor.execute(f"SELECT COUNT(*) FROM INFORMATION_SCHEMA.TABLES WHERE {wanted}")
        return bool(cursor.fetchone()[0])

    def columns(self, cursor: Any) -> list[Column]:
        table = f"OBJECT_ID({self.literal(self.target)})"
        cursor.execute(
            "SELECT COLUMN_NAME, DATA_TYPE, CHARACTER_MAXIMUM_LENGTH, NUMERIC_PRECISION, NUMERIC_SCALE, "
            "DATETIME_PRECISION, IS_NULLABLE, COLUMN_DEFAULT, CHARACTER_SET_NAME, "
            f"COLUMNPROPERTY({table}, COLUMN_NAME, 'IsIdentity') AS is_identity, "
            f"COLUMNPROPERTY({table}, COLUMN_NAME, 'IsComputed') AS is_computed FROM INFORMATION_SCHEMA.COLUMNS "
            f"WHERE TABLE_SCHEMA = {self.literal(self.schema)} AND TABLE_NAME = {self.literal(self.table)} "
            "ORDER BY ORDINAL_POSITION"
        )
        return [_column(row) for row in cursor.fetchall()]

    def marks(self) -> str:
        return (
            f"CREATE TABLE {self.within(MARKS)} (upload nvarchar(64) NOT NULL PRIMARY KEY, "
            "target nvarchar(400) NOT NULL, loaded bigint NOT NULL, inserted bigint NOT NULL, updated bigint NOT NULL, "
            "prefix nvarchar(64) NOT NULL, done int NOT NULL, changed datetime2 DEFAULT CURRENT_TIMESTAMP)"
        )

    def insert(self, cursor: Any, into: str, columns: Sequence[Column], rows: Sequence[Any]) -> None:
        identity = any(column.identity for column in columns)
        self.counting(cursor, into, on=identity)
        self._put(cursor, f"INSERT INTO {into} ({self.listed(columns)})", rows, columns)
        if identity:
            cursor.execute(f"SET IDENTITY_INSERT {into} OFF")

    def _put(self, cursor: Any, statement: str, rows: Sequence[Any], columns: Sequence[Column]) -> None:
        for some in _together(rows):
            values = ", ".join("?" * len(columns))
            sizes = [_sent_as(one, texts) for one, texts in zip(columns, zip(*some, strict=True), strict=True)]
            cursor.setinputsizes(sizes)
            cursor.executemany(f"{statement} VALUES ({values})", some)

    def counting(self, cursor: Any, table: str, *, on: bool) -> None:
        if on:
            cursor.execute(f"SET IDENTITY_INSERT {table} ON")

    def fill_batch(self, cursor: Any, columns: Sequence[Column], rows: Sequence[Any]) -> None:
        cursor.execute(f"DELETE FROM {self.batch}")
        numbered = [(*row, number) for number, row in enumerate(rows)]
        self._put(cursor, f"INSERT INTO {self.batch} ({self.listed(columns)}, {ROW})", numbered, [*columns, _NUMBER])

    @property
    def batch(self) -> str:
        return f"#{BATCH}"

    def make_batch(self, cursor: Any, columns: Sequence[Column]) -> None:
        # An expression, so that the copy does not count by itself.
        names = ", ".join(
            f"ISNULL({self.quoted(one.name)}, 0) AS {self.quoted(one.name)}" if one.identity else self.quoted(one.name)
            for one in columns
        )
        cursor.execute(f"SELECT TOP (0) {names}, CAST(0 AS int) AS {ROW} INTO {self.batch} FROM {self.target}")

    def update(self, cursor: Any, columns: Sequence[Column], keys: Sequence[Column]) -> int:
        changed = [column for column in columns if column not in keys and not column.identity] or list(keys)
        set_ = ", ".join(f"t.{self.quoted(one.name)} = b.{self.quoted(one.name)}" for one in changed)
        rows = f"{self.target} AS t{self.held} INNER JOIN {self.batch} AS b ON {self.same(keys)}"
        cursor.execute(f"UPDATE t SET {set_} FROM {rows}")
        return int(cursor.rowcount)

    def insert_new(self, cursor: Any, columns: Sequence[Column], keys: Sequence[Column]) -> int:
        identity = any(column.identity for column in columns)
        self.counting(cursor, self.target, on=identity)
        count = super().insert_new(cursor, columns, keys)
        if identity:
            cursor.execute(f"SET IDENTITY_INSERT {self.target} OFF")
        return count

    def swap(self, cursor: Any, staging: str, columns: Sequence[Column]) -> None:
        names = self.listed(columns)
        identity = any(column.identity for column in columns)
        cursor.execute(f"DELETE FROM {self.target}")
        self.counting(cursor, self.target, on=identity)
        cursor.execute(f"INSERT INTO {self.target} ({names}) SELECT {names} FROM {self.within(staging)}")
        if identity:
            cursor.execute(f"SET IDENTITY_INSERT {self.target} OFF")
        self.drop(cursor, staging)

    @property
    def constraints(self) -> Sequence[Callable[[Any], list[str]]]:
        return (self._keys, self._references, self._checks)

    def make_staging(self, cursor: Any, staging: str, columns: Sequence[Column], constraints: Sequence[str]) -> None:
        # No others: a copy has no defaults for those that the rows lack.
        cursor.execute(f"SELECT TOP (0) {self.listed(columns)} INTO {self.within(staging)} FROM {self.target}")
        for constraint in constraints:
            self.constrain(cursor, staging, constraint)

    def _of_table(self, name: str) -> str:
        return f"{name}.TABLE_SCHEMA = {self.literal(self.schema)} AND {name}.TABLE_NAME = {self.literal(self.table)}"

    def _keys(self, cursor: Any) -> list[str]:
        """PRIMARY KEY and UNIQUE with their columns."""
        cursor.execute(
            "SELECT c.CONSTRAINT_TYPE, c.CONSTRAINT_NAME, k.COLUMN_NAME FROM INFORMATION_SCHEMA.TABLE_CONSTRAINTS c "
            "INNER JOIN INFORMATION_SCHEMA.KEY_COLUMN_USAGE k ON k.CONSTRAINT_NAME = c.CONSTRAINT_NAME "
            "AND k.TABLE_SCHEMA = c.TABLE_SCHEMA AND k.TABLE_NAME = c.TABLE_NAME "
            f"WHERE {self._of_table('c')} AND c.CONSTRAINT_TYPE IN ('PRIMARY KEY', 'UNIQUE') "
            "ORDER BY c.CONSTRAINT_NAME, k.ORDINAL_POSITION"
        )
        found: dict[tuple[str, str], list[str]] = {}
        for kind, name, column in cursor.fetchall():
            found.setdefault((kind, name), []).append(self.quoted(column))
        return [f"{kind} ({', '.join(columns)})" for (kind, _), columns in found.items()]

    def _references(self, cursor: Any) -> list[str]:
        """FOREIGN KEYs, save those of the table to itself, which would look for the rows that are to go."""
        cursor.execute(
            "SELECT r.CONSTRAINT_NAME, k.COLUMN_NAME, u.TABLE_SCHEMA, u.TABLE_NAME, u.COLUMN_NAME "
            "FROM INFORMATION_SCHEMA.REFERENTIAL_CONSTRAINTS r "
            "INNER JOIN INFORMATION_SCHEMA.KEY_COLUMN_USAGE k ON k.CONSTRAINT_NAME = r.CONSTRAINT_NAME "
            "AND k.CONSTRAINT_SCHEMA = r.CONSTRAINT_SCHEMA "
            "INNER JOIN INFORMATION_SCHEMA.KEY_COLUMN_USAGE u ON u.CONSTRAINT_NAME = r.UNIQUE_CONSTRAINT_NAME "
            "AND u.CONSTRAINT_SCHEMA = r.UNIQUE_CONSTRAINT_SCHEMA AND u.ORDINAL_POSITION = k.ORDINAL_POSITION "
            f"WHERE {self._of_table('k')} ORDER BY r.CONSTRAINT_NAME, k.ORDINAL_POSITION"
        )
        found: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for name, column, schema, table, other in cursor.fetchall():
            if (schema, table) != (self.schema, self.table):
                there = f"{self.quoted(schema)}.{self.quoted(table)}"
                found.setdefault((name, there), []).append((self.quoted(column), self.quoted(other)))
        return [
            f"FOREIGN KEY ({', '.join(one for one, _ in pairs)}) REFERENCES {there} ({', '.join(o for _, o in pairs)})"
            for (_, there), pairs in found.items()
        ]

    def _checks(self, cursor: Any) -> list[str]:
        cursor.execute(
            "SELECT h.CHECK_CLAUSE FROM INFORMATION_SCHEMA.CHECK_CONSTRAINTS h "
            "INNER JOIN INFORMATION_SCHEMA.TABLE_CONSTRAINTS c ON c.CONSTRAINT_NAME = h.CONSTRAINT_NAME "
            f"AND c.CONSTRAINT_SCHEMA = h.CONSTRAINT_SCHEMA WHERE {self._of_table('c')}"
        )
        return [f"CHECK ({row[0]})" for row in cursor.fetchall()]

    def refused(self, error: Exception) -> bool:
        # The driver's own classes cannot be relied upon, nor does it tell numbers: the server's words can.
        return cause(self.message(error)).name != OTHER or super().refused(error)

    def constraint(self, cause: str, message: str) -> str:
        del cause
        found = re.search(r"(?:constraint|unique index) ['\"](.+?)['\"]", message)
        return found[1] if found else ""

    def columns_of(self, cursor: Any, constraint: str) -> list[str]:
        cursor.execute(
            "SELECT k.COLUMN_NAME FROM INFORMATION_SCHEMA.KEY_COLUMN_USAGE k "
            f"WHERE {self._of_table('k')} AND k.CONSTRAINT_NAME = {self.literal(constraint)} "
            "ORDER BY k.ORDINAL_POSITION"
        )
        return [row[0] for row in cursor.fetchall()]

    def message(self, error: Exception) -> str:
        _, said = faults.said(error)
        said = re.sub(r"\s*The statement has been terminated\.?", "", faults.without_the_obvious(said))
        return " ".join(said.split())

    def declared(self, kind: str, *, digits: int, scale: int, length: int, key: bool) -> str:
        if kind == "decimal":
            return f"decimal({digits}, {scale})"
        if kind == "text" and (key or length <= _LONGEST):
            sizes = (50, 200, 450) if key else (100, 400, _LONGEST)
            return f"nvarchar({next((size for size in sizes if length * 2 <= size), sizes[-1])})"
        return {"integer": "bigint", "number": "float", "boolean": "bit", "date": "date", "datetime": "datetime2",
                "instant": "datetimeoffset", "binary": "varbinary(max)"}.get(kind, "nvarchar(max)")  # fmt: skip


_LONGEST = 4000


class PyMSSQL(SQLServer):
    """With pymssql, which sends the values within the statement."""

    placeholder: ClassVar[str] = "%s"

    def _put(self, cursor: Any, statement: str, rows: Sequence[Any], columns: Sequence[Column]) -> None:
        del columns
        for start in range(0, len(rows), _AT_ONCE):
            some = rows[start : start + _AT_ONCE]
            one = f"({', '.join(['%s'] * len(some[0]))})"
            cursor.execute(
                f"{statement.replace('%', '%%')} VALUES {', '.join([one] * len(some))}",
                tuple(value for row in some for value in row),
            )


def _together(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """The rows in their order, those with a long value each by itself: in its company an empty one is an error."""
    for long, some in groupby(rows, _is_long):
        if long:
            yield from ([row] for row in some)
        else:
            yield list(some)


def _is_long(row: Sequence[Any]) -> bool:
    return any(isinstance(value, str | bytes) and len(value) > _LONGEST // 2 for value in row)


_NUMBER = Column(name=ROW, declared="int", kind="integer")


def _sent_as(column: Column, values: Sequence[Any]) -> tuple[int, int, int]:
    """The type that mssql-python is told for a column of a batch, with its length and scale.

    Left to itself it looks at the longest value alone: where that is ASCII all are sent as varchar, and of Chinese
    among them nothing but question marks arrives.
    """
    if column is _NUMBER:
        return _BIGINT, 0, 0
    present = [value for value in values if value is not None]
    longest = max(map(len, present), default=0) or 1
    if column.kind == "binary":
        return (_VARBINARY if longest <= 2 * _LONGEST else _LONG_VARBINARY), longest, 0
    units = longest if all(value.isascii() for value in present) else max(map(_units, present))
    return (_NVARCHAR if units <= _LONGEST else _LONG_NVARCHAR), units, 0


def _units(text: str) -> int:
    """How long SQL Server takes a text to be: a sign beyond the first 65,536 counts twice."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def _column(row: Sequence[Any]) -> Column:
    name, declared, length, digits, scale, fraction, nullable, default, characters, identity, computed = row
    declared = declared.lower()
    kind = "integer" if declared in _INTEGERS else _KINDS.get(declared, "other")
    rowversion = declared in ("timestamp", "rowversion")
    size = None if length is None or int(length) < 0 else int(length)
    return Column(
        name=name,
        declared=f"{declared}({size})" if size else declared,
        kind=kind,
        nullable=nullable == "YES",
        filled=default is not None or bool(identity) or bool(computed) or rowversion,
        computed=bool(computed) or rowversion,
        identity=bool(identity),
        separator="T",
        **_limits(declared, kind, size=size, digits=digits, scale=scale, fraction=fraction, characters=characters),
    )


def _limits(declared: str, kind: Kind, **given: Any) -> dict[str, Any]:
    if kind == "integer":
        return dict(_INTEGERS[declared])
    if kind == "decimal":
        digits, scale = _MONEY.get(declared, (given["digits"], given["scale"]))
        return {"digits": int(digits), "scale": int(scale)}
    if kind == "text":
        wide = declared.startswith("n")
        codec = "" if wide else _codec(str(given["characters"] or ""))
        size = None if declared in ("text", "ntext") else given["size"]
        return {"length": size, "units": "UTF-16 units" if wide else "bytes" if codec else "characters", "codec": codec}
    if kind in ("datetime", "instant", "time"):
        return {
            "scale": _FRACTIONS.get(
                declared, given["fraction"] if given["fraction"] is None else int(given["fraction"])
            )
        }
    if kind == "binary":
        return {"length": None if declared == "image" else given["size"]}
    return {}


def _codec(characters: str) -> str:
    """Python's name of the code page of a varchar, where it is known."""
    word = characters.lower()
    if word == "iso_1":
        return "cp1252"
    return word if re.fullmatch(r"cp\d{3,4}", word) else "utf-8" if word in ("utf8", "utf-8") else ""
