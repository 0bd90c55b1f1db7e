"""Uploads through both drivers of SQL Server into a server of the tests, whose one table is kept by SQLite.

What it cannot show, types and constraints of the real product, the contract shows on a server that is named.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from places import Place, place
from support import drivers  # noqa: F401  chooses the provider that needs nothing of the system
from support.tds import Column as Answered
from support.tds import Count, Cut, Failure, Part, Rows, Session, Statement, TdsServer, courtesies

from reports import leases
from reports.settings import FileSource
from reports.sources.stream import open_stream
from reports.store import Upload
from reports.uploads.columns import Column
from reports.uploads.order import Order
from reports.uploads.sqlserver import SQLServer
from reports.uploads.target import parse
from reports.uploads.uploading import Uploading

TABLE = (
    "CREATE TABLE loans (id int PRIMARY KEY, name nvarchar(10), amount decimal(12, 2) CHECK (amount < 1000), note text)"
)
COLUMNS = [
    ("id", "int", None, 10, 0, None, "NO", None, None, 0, 0),
    ("name", "nvarchar", 10, None, None, None, "YES", None, "UNICODE", 0, 0),
    ("amount", "decimal", None, 12, 2, None, "YES", None, None, 0, 0),
    ("note", "nvarchar", -1, None, None, None, "YES", None, "UNICODE", 0, 0),
]
TEXTS = {0, 1, 6, 7, 8}
ERRORS = {
    "UNIQUE": Failure(2627, "Violation of PRIMARY KEY constraint 'PK_loans'. Cannot insert duplicate key in object "
                            "'dbo.loans'. The duplicate key value is (1)."),
    "CHECK": Failure(547, 'The INSERT statement conflicted with the CHECK constraint "CK_loans". The conflict occurred '
                          "in database \"books\", table \"dbo.loans\", column 'amount'."),
}  # fmt: skip
DEADLOCK = Failure(1205, "Transaction (Process ID 60) was deadlocked on lock resources with another process and has been "
                         "chosen as the deadlock victim. Rerun the transaction.", severity=13)  # fmt: skip
AWAY = Failure(40613, "Database 'books' on server 'x' is not currently available. Please retry the connection later.")
DENIED = Failure(229, "The INSERT permission was denied on the object 'loans', database 'books', schema 'dbo'.", 14)


class Books:
    """Answers what an upload asks; `trouble` may answer in its place, told how often the same was asked before."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.trouble: Callable[[str, int], Part | None] = lambda _, __: None
        self.asked: dict[str, int] = {}
        with closing(sqlite3.connect(file)) as connection:
            connection.execute(TABLE)

    def __call__(self, session: Session, statement: Statement) -> Iterable[Part]:
        sql, kind = statement.sql, self._kind(statement)
        if kind is None:
            return courtesies(session, statement)
        self.asked[kind] = self.asked.get(kind, 0) + 1
        trouble = self.trouble(kind, self.asked[kind])
        if trouble is not None and kind != "commit":
            return [trouble]
        done = self._answer(session, statement, sql, kind)
        return done if trouble is None else [trouble]

    def _kind(self, statement: Statement) -> str | None:
        if statement.how in {"commit", "rollback", "begin"}:
            return statement.how
        if found := re.match(r"\s*(?:IF @@TRANCOUNT > 0 )?(COMMIT|ROLLBACK|BEGIN)(?: TRAN\w*)?\b", statement.sql):
            return found[1].lower()
        ours = re.search(r"loans|reports_|SCHEMA_NAME|INFORMATION_SCHEMA", statement.sql)
        return statement.sql.split()[0].lower() if ours else None

    def _answer(self, session: Session, statement: Statement, sql: str, kind: str) -> Iterable[Part]:
        connection = self._connection(session)
        if kind in {"commit", "rollback", "begin"}:
            if kind != "begin" and connection.in_transaction:
                connection.execute(kind)
            return courtesies(session, statement)
        if "SCHEMA_NAME" in sql:
            return [Rows([Answered("s", "nvarchar(128)")], [("dbo",)])]
        if "INFORMATION_SCHEMA.COLUMNS" in sql:
            names = [Answered(f"c{n}", "nvarchar(128)" if n in TEXTS else "int") for n in range(11)]
            return [Rows(names, COLUMNS if "N'loans'" in sql else [])]
        if "INFORMATION_SCHEMA.TABLES" in sql:
            return [Rows([Answered("n", "int")], [(self._is_there(connection, sql),)])]
        if "INFORMATION_SCHEMA" in sql:
            return [Rows([Answered("a", "nvarchar(128)")], [])]
        return self._run(connection, statement)

    def _is_there(self, connection: sqlite3.Connection, sql: str) -> int:
        named = re.search(r"TABLE_NAME = N'(\w+)'", sql)
        there = connection.execute("SELECT COUNT(*) FROM sqlite_master WHERE name = ?", (named and named[1],))
        return int(there.fetchone()[0])

    def _run(self, connection: sqlite3.Connection, statement: Statement) -> Iterable[Part]:
        if not connection.in_transaction:
            connection.execute("BEGIN IMMEDIATE")
        try:
            cursor = connection.execute(lite(statement.sql), {k.lstrip("@"): v for k, v in statement.params.items()})
        except sqlite3.IntegrityError as error:
            return [ERRORS[str(error).split()[0]]]
        if cursor.description is None:
            return [Count(cursor.rowcount if cursor.rowcount >= 0 else None)]
        rows = cursor.fetchall()
        kinds = ["nvarchar(400)" if rows and isinstance(value, str) else "bigint" for value in (rows or [()])[0]]
        return [
            Rows(
                [Answered(f"c{n}", kind) for n, kind in enumerate(kinds or ["bigint"] * len(cursor.description))], rows
            )
        ]

    def _connection(self, session: Session) -> sqlite3.Connection:
        if "books" not in session.state:
            made = sqlite3.connect(self.file, isolation_level=None, timeout=10, check_same_thread=False)
            session.state["books"] = made
            session.at_end(made.close)
        kept: sqlite3.Connection = session.state["books"]
        return kept


def lite(sql: str) -> str:
    """What the upload says in T-SQL, as SQLite says it."""
    sql = re.sub(r"\bN'", "'", sql)
    sql = re.sub(r"\[dbo\]\.|\bt\.(?=\[\w+\] = b\.\[(?!id\b))", "", sql).replace(" WITH (UPDLOCK, HOLDLOCK)", "")
    sql = re.sub(r"\[(\w+)\]", r'"\1"', sql).replace("#reports_batch", "temp.reports_batch")
    sql = re.sub(r"@(\w+)", r":\1", sql)
    sql = re.sub(
        r"^SELECT TOP \(0\) (.*) INTO temp\.(\S+) FROM (\S+)$",
        r"CREATE TEMP TABLE \2 AS SELECT \1 FROM \3 WHERE 0",
        sql,
    )
    sql = re.sub(r"^SELECT TOP \(0\) (.*) INTO (\S+) FROM (\S+)$", r"CREATE TABLE \2 AS SELECT \1 FROM \3 WHERE 0", sql)
    return re.sub(
        r"^UPDATE t SET (.*) FROM (\S+) AS t INNER JOIN (\S+) AS b ON (.*)$",
        r"UPDATE \2 AS t SET \1 FROM \3 AS b WHERE \4",
        sql,
    )


@pytest.fixture(params=["mssqlpython", "pymssql"])
def books(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Books, Place]]:
    """The server, and the project whose source it is."""
    pytest.importorskip({"mssqlpython": "mssql_python"}.get(request.param, request.param))
    made = Books(tmp_path / "books.db")
    (tmp_path / "password").write_text("secret", "utf-8")
    with TdsServer(made) as server:
        option = {"pymssql": "encryption=off", "mssqlpython": "Encrypt=no"}[request.param]
        url = f"mssql+{request.param}://me@127.0.0.1:{server.port}/books?{option}"
        place("sqlite", tmp_path, "sqlite:///unused.db")
        settings = tmp_path / "settings.toml"
        text = settings.read_text("utf-8").replace("sqlite:///unused.db", url)
        settings.write_text(text.replace("uploads = true", 'uploads = true\npassword = { file = "password" }'), "utf-8")
        yield made, Place("mssql", tmp_path, url)


@contextmanager
def looked_at(where: Place) -> Iterator[Any]:
    with closing(sqlite3.connect(where.folder / "books.db")) as connection:
        yield connection


def rows(where: Place, sql: str = "SELECT id FROM loans ORDER BY id") -> list[Any]:
    with looked_at(where) as connection:
        return [row if len(row) > 1 else row[0] for row in connection.execute(sql)]


def made(where: Place, **options: Any) -> Upload:
    """An upload whose waits are none."""
    with where.app() as app:
        uploading = Uploading(
            settings=app.settings, store=app.store, clock=app.clock, new_id=app.new_id, owner=leases.new_owner(),
            sleep=lambda _: None,
        )  # fmt: skip
        reading = FileSource(files="")
        stream = open_stream(where.folder / "loans.csv", reading, where.folder)
        return uploading.upload(stream, Order(target=parse("wh.loans"), **options), reading)


def file(where: Place, *lines: str) -> Path:
    return where.write("id,name,amount,note\n" + "".join(f"{line}\n" for line in lines))


def many(where: Place, count: int = 60) -> Path:
    return file(where, *(f"{n},x,1," for n in range(count)))


def test_rows_go_in_and_bad_ones_are_found(books: tuple[Books, Place]) -> None:
    """With emoji and long texts, as the table's types want them; duplicates and checks by halving."""
    _, where = books
    done = made_by(
        where,
        "1,中文🎉,1.50,",
        "2,x,5000,",
        "3,x,1," + "y" * 5000,
        "1,y,1,",
        "4,much too long,1,",
        "5,,,",
        "6,中,1,long",
    )
    assert (done.state, done.rows_read, done.inserted, done.rejected) == ("partial", 7, 4, 3), done.error
    found = rows(where, "SELECT id, name, amount, length(note) FROM loans ORDER BY id")
    assert found == [(1, "中文🎉", 1.5, None), (3, "x", 1, 5000), (5, None, None, None), (6, "中", 1, 4)]
    with where.app() as app:
        bad = [(one.line, one.column, one.value, one.cause) for one in app.store.uploads.rejects(done.id)]
    assert bad == [
        (3, "", "", "refused by a check"), (5, "", "1", "duplicate key"), (6, "name", "much too long", "too long"),
    ]  # fmt: skip
    assert rows(where, "SELECT COUNT(*) FROM reports_upload") == [0]


def test_letters_are_letters_whatever_stands_beside_them(books: tuple[Books, Place]) -> None:
    """A driver that takes its types from the longest value is told better: it would send others as question marks."""
    _, where = books
    for mode in ("append", "upsert", "replace"):
        done = made_by(
            where, "1,中文,1,", "2,plain text,1,a longer text", "3,🎉,1,中", mode=mode,
            keys=("id",) if mode == "upsert" else (),
        )  # fmt: skip
        assert done.state == "succeeded", done.error
        found = rows(where, "SELECT name, note FROM loans ORDER BY id")
        assert found == [("中文", None), ("plain text", "a longer text"), ("🎉", "中")]


def made_by(where: Place, *lines: str, **options: Any) -> Upload:
    file(where, *lines)
    return made(where, **options)


def test_upsert(books: tuple[Books, Place]) -> None:
    """What is there changes, the rest is added; of a key that is twice the later row counts."""
    _, where = books
    made_by(where, "1,old,1,", "2,kept,1,")
    done = made_by(where, "1,new,2,", "3,first,3,", "3,later,4,", mode="upsert", keys=("id",))
    assert (done.state, done.inserted, done.updated) == ("succeeded", 1, 2)
    found = rows(where, "SELECT id, name, amount FROM loans ORDER BY id")
    assert found == [(1, "new", 2), (2, "kept", 1), (3, "later", 4)]


@pytest.mark.parametrize("commit", [0, 5, 6, 7, 8])
def test_replace_is_whole_or_not_at_all(books: tuple[Books, Place], commit: int) -> None:
    """Wherever the line is cut, the swap included: the old rows, then the new ones, each once."""
    server, where = books
    made_by(where, "900,old,1,", "901,old,1,")
    many(where, 30)
    server.asked.clear()
    server.trouble = lambda asked, count: Cut() if (asked, count) == ("commit", commit) else None
    done = made(where, mode="replace", batch=10)
    assert (done.state, done.inserted, done.retries) == ("succeeded", 30, int(commit > 0)), done.error
    assert rows(where) == list(range(30))
    assert rows(where, "SELECT name FROM sqlite_master WHERE name LIKE 'reports_new%'") == []


@pytest.mark.parametrize("trouble", [DEADLOCK, AWAY, Cut(), Cut(reset=True)])
@pytest.mark.parametrize(("kind", "number"), [("insert", 3), ("update", 2), ("commit", 3), ("commit", 5)])
def test_what_passes_is_gone_on_from(books: tuple[Books, Place], trouble: Part, kind: str, number: int) -> None:
    """A deadlock, a failover and a lost line, in a batch or at its commit: tried again, and every row is in once."""
    server, where = books
    if kind == "commit" and isinstance(trouble, Failure):
        pytest.skip("a server that has committed says so or is gone")
    many(where)
    server.trouble = lambda asked, count: trouble if (asked, count) == (kind, number) else None
    done = made(where, batch=10)
    assert server.asked[kind] > number
    assert (done.state, done.rows_read, done.inserted, done.rejected) == ("succeeded", 60, 60, 0), done.error
    assert done.retries >= 1
    assert rows(where) == list(range(60))


def test_what_does_not_pass_is_told_at_once(books: tuple[Books, Place]) -> None:
    """A permission that is missing is no fault of the rows, and is not tried again."""
    server, where = books
    many(where)
    server.trouble = lambda asked, count: DENIED if asked == "insert" and count > 1 else None
    done = made(where, batch=10)
    assert (done.state, done.inserted, done.rejected, done.retries) == ("failed", 0, 0, 0)
    assert "permission was denied" in done.error
    server.trouble = lambda _, __: None
    again = made(where, batch=10, resume=True)
    assert (again.state, again.inserted) == ("succeeded", 60)


def test_long_values_beside_empty_ones() -> None:
    """Each arrives as it is, in the order of the rows, with texts and bytes of any length among them."""
    mssql_python = pytest.importorskip("mssql_python")
    text, raw = (Column(name=name, declared="", kind=kind) for name, kind in (("t", "text"), ("r", "binary")))
    values = [("中" * 5000, b""), ("", b"x" * 9000), ("", b""), (None, None), ("🎉" * 2100, b"\x00"), ("abc", None)]

    def answer(session: Session, statement: Statement) -> Iterable[Part]:
        return [Count(1)] if "mine" in statement.sql else courtesies(session, statement)

    with TdsServer(answer) as server:
        text_of = f"Server=localhost,{server.port};UID=me;PWD=secret;Database=books;Encrypt=no"
        connection = mssql_python.connect(text_of)
        server.clients.append(connection)
        SQLServer("dbo", "mine").insert(connection.cursor(), "[dbo].[mine]", [text, raw], values)
        got = [(one.params["@P1"], one.params["@P2"]) for one in server.statements if "mine" in one.sql]
    assert got == values
