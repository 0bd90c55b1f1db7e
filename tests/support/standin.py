"""A stand-in for SQL Server: T-SQL over TDS, run by a PostgreSQL, so that the real drivers have an engine to talk to.

with TdsServer(Standin("postgresql://postgres@localhost/postgres")) as server:
    ...

It is no product: what is needed is translated, and all else refused with error 102 and its own text. Names are in small
letters, whatever they were. A number over 38 digits, UTF-16 lengths, `sys` views and procedures are not there.
"""

# ruff: noqa: S608  names come from the tests alone

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from decimal import Decimal
from typing import Any

import psycopg
from support.standin_faults import failure
from support.standin_setup import SETUP
from support.standin_sql import CHUNK, Translated, Untranslated, translated
from support.tds_answers import Column, Count, Failure, Part, Rows, Session, Statement, Transaction
from support.tds_courtesies import courtesies, destination, settings
from support.tds_wire import Attended

OIDS = {16: "bit", 21: "smallint", 23: "int", 20: "bigint", 700: "real", 701: "float", 1082: "date", 1083: "time(7)",
        1114: "datetime2(7)", 1184: "datetimeoffset(7)", 2950: "uniqueidentifier", 17: "varbinary(max)"}  # fmt: skip
CONDITION = re.compile(
    r"\s*IF\s+(?P<which>OBJECT_ID\s*\([^)]*\)\s+IS\s+(?:NOT\s+)?NULL|(?:NOT\s+)?EXISTS\s*\((?:[^()]|\([^()]*\))*\))"
    r"\s+(?P<then>.+)",
    re.IGNORECASE | re.DOTALL,
)
COUNTING = re.compile(r"\s*SET\s+IDENTITY_INSERT\s+\S+\s+(ON|OFF)\s*;?", re.IGNORECASE)
NOCOUNT = re.compile(r"\bSET\s+NOCOUNT\s+(ON|OFF)\b", re.IGNORECASE)
RENAME = re.compile(r"\s*EXEC(?:UTE)?\s+sp_rename\s+N?'([^']+)'\s*,\s*N?'([^']+)'", re.IGNORECASE)
DESCRIBE = re.compile(r"\s*EXEC(?:UTE)?\s+(?:sys\.)?sp_describe_first_result_set\b", re.IGNORECASE)
DESCRIBED = re.compile(
    r"@tsql\s*=\s*(N?'(?:[^']|'')*'|@\w+)(?:\s*,\s*@params\s*=\s*(N?'(?:[^']|'')*'|@\w+|NULL))?", re.IGNORECASE
)


class Standin:
    """The answering function; each session has a connection of its own to the PostgreSQL of that URL."""

    def __init__(self, url: str) -> None:
        self._url = url.replace("postgresql+psycopg:", "postgresql:")
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(SETUP)

    def __call__(self, session: Session, statement: Statement) -> Iterable[Part]:
        if "backend" not in session.state:
            session.state["backend"] = Backend(self._url, session)
        return session.state["backend"].answer(statement)


class Backend:
    """One session's side."""

    def __init__(self, url: str, session: Session) -> None:
        self._session = session
        self._connection = psycopg.connect(url, autocommit=True)
        self._connection.execute("SET search_path = dbo, mssql; SET client_min_messages = error")
        self._pool = ThreadPoolExecutor(1)
        session.at_end(self._close)

    def _close(self) -> None:
        self._pool.shutdown()
        self._connection.close()

    def answer(self, statement: Statement) -> Iterator[Part]:
        """The parts; a failing statement leaves its transaction as it was before it."""
        try:
            if statement.how in {"begin", "commit", "rollback", "save"} or _courtesy(statement.sql):
                yield from self._transacted(courtesies(self._session, statement))
            elif statement.how == "procedure":
                yield Failure(2812, f"Could not find stored procedure '{statement.sql}'.")
            elif statement.how == "bulk":
                yield from self._guarded(lambda: self._copy(statement))
            elif "FMTONLY" in statement.sql:
                yield from self._guarded(lambda: self._destination(statement.sql))
            else:
                yield from self._batch(statement)
        except Untranslated as error:
            yield Failure(102, f"Incorrect syntax, or none that this stand-in translates: {error}", 15)

    # -- transactions ----------------------------------------------------------------------------------

    def _transacted(self, parts: Iterable[Part]) -> Iterator[Part]:
        for part in parts:
            if isinstance(part, Transaction):
                self._move(part.did)
            yield part

    def _move(self, did: str) -> None:
        snapshot = self._session.state.get("isolation") == "SNAPSHOT"
        if did == "begin" and not self._session.transactions:
            self._connection.execute(f"BEGIN ISOLATION LEVEL {'REPEATABLE READ' if snapshot else 'READ COMMITTED'}")
        elif did == "commit" and self._session.transactions == 1:
            self._connection.execute("COMMIT")
        elif did == "rollback" and self._session.transactions:
            self._connection.execute("ROLLBACK")

    def _guarded(self, work: Any) -> Iterator[Part]:
        inside = self._session.transactions > 0
        try:
            if inside:
                self._connection.execute("SAVEPOINT statement")
            parts = list(self._run(work))
            if inside:
                self._connection.execute("RELEASE SAVEPOINT statement")
        except psycopg.Error as error:
            told = failure(error)
            if told.number == 1205 and inside:
                self._connection.execute("ROLLBACK")
                yield Transaction("rollback")
            elif inside:
                self._connection.execute("ROLLBACK TO SAVEPOINT statement")
            yield told
        else:
            yield from parts

    def _run(self, work: Any) -> Iterable[Part]:
        """The work in a thread, while an ATTENTION is looked out for."""
        running = self._pool.submit(work)
        while not wait([running], 0.05).done:
            if self._session.attended(0):
                self._connection.cancel()
                wait([running])
                if self._session.transactions:
                    self._connection.execute("ROLLBACK TO SAVEPOINT statement")
                raise Attended
        result: Iterable[Part] = running.result()
        return result

    # -- statements ------------------------------------------------------------------------------------

    def _batch(self, statement: Statement) -> Iterator[Part]:
        for match in NOCOUNT.finditer(statement.sql):
            self._session.state["nocount"] = match[1].upper() == "ON"
        text = settings(self._session, statement.sql)
        while match := COUNTING.match(text):  # every counter here takes values as they are given
            text = text[match.end() :]
        text, values = _without_descriptions(text), _named(statement)
        if DESCRIBE.match(text):
            yield from self._guarded(lambda: self._describe(text, values))
        elif match := RENAME.match(text):
            yield from self._guarded(lambda: self._rename(match[1], match[2]))
        elif match := CONDITION.match(text):
            yield from self._conditional(match, values)
        else:
            yield from self._statements(text, values)

    def _statements(self, text: str, values: dict[str, Any]) -> Iterator[Part]:
        found = list(translated(text))
        if not found:
            yield Count(None)
        for one in found:
            for part in self._guarded(lambda one=one: self._execute(one, values)):
                yield part
                if isinstance(part, Failure):
                    return

    def _conditional(self, match: re.Match[str], values: dict[str, Any]) -> Iterator[Part]:
        (asked,) = translated(f"SELECT CASE WHEN {match['which']} THEN 1 ELSE 0 END AS yes")
        for part in self._guarded(lambda: self._execute(asked, values)):
            if not isinstance(part, Rows):
                yield part
            elif next(iter(part.rows))[0]:
                then = re.sub(r"^BEGIN\b(.*)\bEND\s*;?\s*$", r"\1", match["then"], flags=re.IGNORECASE | re.DOTALL)
                yield from self._statements(then, values)
            else:
                yield Count(None)

    def _execute(self, one: Translated, values: dict[str, Any]) -> list[Part]:
        if one.locks and self._session.transactions:
            self._connection.execute(f"LOCK TABLE {one.locks} IN SHARE ROW EXCLUSIVE MODE")  # type: ignore[call-overload]
        cursor = self._asked(one.sql, values)
        if cursor.description is None:
            counted = cursor.statusmessage.split()[0] in {"INSERT", "UPDATE", "DELETE", "SELECT"}
            quiet = self._session.state.get("nocount") or not counted
            return [Count(None if quiet else cursor.rowcount)]
        rows = cursor.fetchall()
        names = one.names if one.names and len(one.names) == len(cursor.description) else None
        return [Rows(_columns(cursor.description, rows, names), rows)]

    def _asked(self, sql: str, values: dict[str, Any]) -> psycopg.Cursor[Any]:
        if not CHUNK.search(sql):
            return self._connection.execute(sql)  # type: ignore[call-overload,no-any-return]
        marked = CHUNK.sub(lambda match: f"%({match[1].lower()})s", sql.replace("%", "%%"))
        return self._connection.execute(marked, values)  # type: ignore[call-overload,no-any-return]

    def _rename(self, old: str, new: str) -> list[Part]:
        name = old.replace("[", "").replace("]", "").lower().rpartition(".")[2]
        self._connection.execute(f'ALTER TABLE dbo."{name}" RENAME TO "{new.lower()}"')  # type: ignore[call-overload]
        return [Count(None)]

    def _describe(self, text: str, values: dict[str, Any]) -> list[Part]:
        match = DESCRIBED.search(text)
        if match is None:
            raise Untranslated(text)
        found = list(translated(_text(match[1], values)))
        given = dict.fromkeys(name.lower() for one in found for name in CHUNK.findall(one.sql))
        (part,) = self._execute(Translated(f"SELECT * FROM ({found[-1].sql}) AS q LIMIT 0", found[-1].names), given)
        listed = part.columns if isinstance(part, Rows) else ()
        columns = [Column("is_hidden", "bit"), Column("column_ordinal", "int"), Column("name", "nvarchar(128)"),
                   Column("is_nullable", "bit"), Column("system_type_name", "nvarchar(256)")]  # fmt: skip
        return [Rows(columns, [(False, place, one.name, True, one.type) for place, one in enumerate(listed, 1)])]

    # -- bulk copies -----------------------------------------------------------------------------------

    def _destination(self, text: str) -> Sequence[Part]:
        match = re.search(r"OBJECT_ID\(N'([^']+)'\)", text)
        if match is None:
            raise Untranslated(text)
        (asked,) = translated(f"SELECT TOP (0) * FROM {match[1]}")
        (part,) = self._execute(asked, {})
        return destination(part.columns if isinstance(part, Rows) else ())

    def _copy(self, statement: Statement) -> list[Part]:
        match = re.match(r"\s*INSERT BULK (\S+)", statement.sql, re.IGNORECASE)
        table = (match[1] if match else "").replace("[", '"').replace("]", '"').lower()
        names = ", ".join(f'"{name.lower()}"' for name, _ in statement.columns)
        count = 0
        with self._connection.cursor().copy(f"COPY {table} ({names}) FROM STDIN") as copy:  # type: ignore[call-overload]
            for row in statement.rows:
                copy.write_row(row)
                count += 1
        return [Count(count)]


def _courtesy(text: str) -> bool:
    """What no engine is asked for."""
    bare = " ".join(text.split()).upper()
    return bool(
        re.match(
            r"(BEGIN|COMMIT|ROLLBACK|SAVE)( TRAN|$|;)|IF @@TRANCOUNT|USE |SELECT @@(VERSION|TRANCOUNT|SPID)\b|INSERT BULK|"
            r"SELECT (SCHEMA_NAME|DB_NAME)\(\)$|SELECT 1 FROM FN_LIST|SELECT NAME FROM SYS\.SYSTEM_VIEWS|SELECT CASE TRANSACTION_",
            bare,
        )
    )


def _named(statement: Statement) -> dict[str, Any]:
    return {name.lstrip("@").lower(): value for name, value in statement.params.items()}


def _text(written: str, values: dict[str, Any]) -> str:
    if written.startswith("@"):
        return str(values[written[1:].lower()])
    return written.lstrip("Nn")[1:-1].replace("''", "'")


def _without_descriptions(text: str) -> str:
    return text.strip().rstrip(";")


def _columns(description: Any, rows: list[Any], names: list[str] | None) -> list[Column]:
    return [
        Column(names[place] if names else _shown(one.name), _type(one, rows, place))
        for place, one in enumerate(description)
    ]


def _shown(name: str) -> str:
    return "" if name == "?column?" else name


def _type(column: Any, rows: list[Any], place: int) -> str:
    if column.type_code == 1700:
        if column.precision is not None:
            return f"decimal({column.precision},{column.scale})"
        return f"decimal(38,{max((_scale(row[place]) for row in rows), default=0)})"
    if column.type_code in {1042, 1043} and column.display_size and column.display_size <= 4000:
        return f"{'nchar' if column.type_code == 1042 else 'nvarchar'}({column.display_size})"
    return OIDS.get(column.type_code, "nvarchar(max)")


def _scale(value: Decimal | None) -> int:
    return 0 if value is None else max(0, -int(value.as_tuple().exponent))
