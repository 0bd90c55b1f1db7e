"""SQL Server by its real drivers, against a small server with canned answers: exact, patient, and never fooled."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from support import drivers
from support.tds import Column, Count, Cut, Failure, Rows, Session, Statement, TdsServer, Wait, courtesies

from reports.errors import SettingsError, SourceError
from reports.model import Query
from reports.settings import DatabaseSource, SqlServerSource
from reports.sources.database import Database

pytest.importorskip("mssql_python")
pytest.importorskip("pymssql")

DRIVERS = ("mssqlpython", "pymssql")
Parts = Callable[[Session, Statement], Any]
KINDS: tuple[tuple[str, str, Any], ...] = (
    ("whole", "int", -1),
    ("big", "bigint", 9007199254740993),
    ("amount", "decimal(38,10)", Decimal("1234567890123456789012345678.0123456789")),
    ("money", "money", Decimal("922337203685477.5807")),
    ("flag", "bit", True),
    ("first", "date", dt.date(1, 1, 1)),
    ("last", "datetime2(6)", dt.datetime(9999, 12, 31, 23, 59, 59, 999999)),  # noqa: DTZ001
    ("old", "datetime", dt.datetime(2026, 1, 31, 10)),  # noqa: DTZ001
    ("zoned", "datetimeoffset(6)", dt.datetime(2026, 1, 31, 10, tzinfo=dt.timezone(dt.timedelta(hours=2)))),
    ("guid", "uniqueidentifier", uuid.UUID("abcdefab-0000-4000-8000-000000000001")),
    ("words", "nvarchar(max)", "中文 😀 it's"),
    ("long", "nvarchar(max)", "長" * 100_000),
    ("code", "varchar(20)", "00715"),
    ("raw", "varbinary(10)", b"\x00\xff"),
    ("share", "float", 0.1),
    ("clock", "time(6)", dt.time(10, 30, 1, 500)),
)
COLUMNS = [Column(name, kind) for name, kind, _ in KINDS]
ROW = tuple(value for *_, value in KINDS)


def query(sql: str) -> Query:
    return Query(name="q", sql=sql, source="w", path=Path("jobs/j/q.sql"))


@pytest.fixture(params=DRIVERS)
def driver(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def password(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "password").write_text("secret")
    return {"file": str(tmp_path / "password")}


class Asked:
    """A database on a test's server, with what was said and slept meanwhile."""

    def __init__(self, server: TdsServer, driver: str, password: dict[str, str], **settings: Any) -> None:
        plain = "Encrypt=no" if driver == "mssqlpython" else "encryption=off"
        url = f"mssql+{driver}://me@127.0.0.1:{server.port}/risk?{plain}"
        self.said: list[str] = []
        self.slept: list[float] = []
        given = DatabaseSource.model_validate({"url": url, "password": password, **settings})
        self.source = Database("w", given, tell=self.said.append, sleep=self.slept.append)

    def __call__(self, sql: str, **values: Any) -> pd.DataFrame:
        return self.source.fetch(query(sql), values).frame


@pytest.fixture
def serving(driver: str, password: dict[str, str]) -> Iterator[Callable[..., tuple[Asked, TdsServer]]]:
    """A server with the answers given, asked by the driver."""
    servers: list[TdsServer] = []

    def start(answer: Parts, *, refuse_login: Any = None, **settings: Any) -> tuple[Asked, TdsServer]:
        def answered(session: Session, statement: Statement) -> Any:
            return answer(session, statement) or courtesies(session, statement)

        server = TdsServer(answered, refuse_login=refuse_login)
        servers.append(server.__enter__())
        return Asked(server, driver, password, **settings), server

    yield start
    for server in servers:
        server.__exit__(None, None, None)


Start = Callable[..., tuple[Asked, TdsServer]]


def on(words: str, *parts: Any) -> Parts:
    """An answer to statements with these words in them."""
    return lambda _, statement: parts if words in statement.sql else None


# -- exact -----------------------------------------------------------------------------------------


def test_every_type_comes_exactly(serving: Start) -> None:
    """To the last digit, day and sign of Chinese; an instant at the zone it is stored with as that instant."""
    ask, _ = serving(on("FROM kinds", Rows(COLUMNS, [ROW, (None,) * len(ROW)])))
    frame = ask("SELECT * FROM kinds")
    first, second = frame.iloc[0], frame.iloc[1]
    for name, _, value in KINDS:
        exact = str(value) if name == "guid" else pd.Timestamp(value) if isinstance(value, dt.date) else value
        assert first[name] == exact, name
        assert type(first[name]) is not float or name == "share"
    assert frame["zoned"].iloc[0].tzinfo is not None
    assert second.isna().all()


def test_types_of_columns_do_not_depend_on_the_rows(serving: Start, driver: str) -> None:
    """Whole numbers with NULLs stay whole, and a column without any value has the type it has otherwise."""
    ask, _ = serving(on("FROM kinds", Rows(COLUMNS, [ROW, (None,) * len(ROW)])))
    some = ask("SELECT * FROM kinds").dtypes
    assert dict(some.astype(str)) | {"old": "datetime64[us]"} == {
        "whole": "Int64", "big": "Int64", "amount": "object", "money": "object", "flag": "boolean",
        "first": "datetime64[us]", "last": "datetime64[us]", "old": "datetime64[us]",
        "zoned": "datetime64[us, UTC]", "guid": "str", "words": "str", "long": "str", "code": "str",
        "raw": "object", "share": "float64", "clock": "object",
    }  # fmt: skip
    if driver == "mssqlpython":
        none, _ = serving(on("FROM kinds", Rows(COLUMNS, [(None,) * len(ROW)])))
        assert dict(none("SELECT * FROM kinds").dtypes) == dict(some)


def test_no_rows_have_the_types_of_some(serving: Start) -> None:
    """All columns, in order, and nothing in them."""
    ask, _ = serving(on("FROM kinds", Rows(COLUMNS, [])))
    frame = ask("SELECT * FROM kinds")
    assert list(frame.columns) == [name for name, *_ in KINDS]
    assert len(frame) == 0
    assert str(frame["words"].dtype) == "str"


def test_a_hundred_thousand_rows_in_several_batches(serving: Start) -> None:
    """All of them in order, whatever the size of a batch."""
    rows = ((n, f"row {n}", Decimal(n) / 100 if n % 3 else None) for n in range(50_000))
    ask, _ = serving(
        on("FROM many", Rows([Column("n", "int"), Column("t", "nvarchar(20)"), Column("d", "decimal(9,2)")], rows))
    )
    frame = ask("SELECT * FROM many")
    assert list(frame["n"]) == list(range(50_000))
    assert frame["t"].iloc[-1] == "row 49999"
    assert frame["d"].iloc[1] == Decimal("0.01")
    assert frame["d"].iloc[3] is None


# -- one result, however it is made ----------------------------------------------------------------


def test_a_batch_gives_its_one_result(serving: Start) -> None:
    """What is counted before and after it does not matter."""
    ask, _ = serving(on("DECLARE", Count(3), Rows([Column("n", "int")], [(1,), (2,)]), Count(1)))
    assert list(ask("DECLARE @n int = 2; SELECT n INTO #t FROM x; SELECT n FROM #t; DELETE FROM #t")["n"]) == [1, 2]


def test_a_second_result_is_refused(serving: Start) -> None:
    """With the columns of both, since nobody can know which one was meant."""
    ask, _ = serving(on("FROM t", Rows([Column("a", "int")], [(1,)]), Rows([Column("b", "int")], [(1,)])))
    with pytest.raises(SourceError, match=r"second result \(b\) after the first \(a\)") as error:
        ask("SELECT a FROM t; SELECT b FROM t")
    assert error.value.where == "jobs/j/q.sql"


def test_an_error_after_the_result_is_not_lost(serving: Start) -> None:
    """The rows that came before it are no answer."""
    ask, _ = serving(on("FROM t", Rows([Column("a", "int")], [(1,)]), Failure(50000, "the total does not add up")))
    with pytest.raises(SourceError, match="the total does not add up"):
        ask("SELECT a FROM t; THROW 50000, 'the total does not add up', 1")


def test_an_error_among_the_rows_is_not_lost(serving: Start) -> None:
    """Such as a division by zero in the hundredth row."""

    def rows() -> Iterator[Any]:
        yield from ((n,) for n in range(100))
        yield Failure(8134, "Divide by zero error encountered.")

    ask, _ = serving(lambda _, s: [Rows([Column("a", "int")], rows())] if "FROM t" in s.sql else None)
    with pytest.raises(SourceError, match="Divide by zero"):
        ask("SELECT a FROM t")


def test_a_batch_without_rows_is_said(serving: Start) -> None:
    """And what a query ends in."""
    ask, _ = serving(on("DECLARE", Count(0)))
    with pytest.raises(SourceError, match="gives no rows") as error:
        ask("DECLARE @a int; SET @a = 1")
    assert "SELECT" in error.value.hint


def test_columns_without_names_are_refused_by_position(serving: Start) -> None:
    """So are two of one name."""
    ask, _ = serving(on("FROM t", Rows([Column("a", "int"), Column("", "int"), Column("A", "int")], [(1, 2, 3)])))
    with pytest.raises(SourceError, match="position 2"):
        ask("SELECT a, count(*), A FROM t")
    twice, _ = serving(on("FROM t", Rows([Column("a", "int"), Column("b", "int"), Column("A", "int")], [(1, 2, 3)])))
    with pytest.raises(SourceError, match="'a' at 1, 3"):
        twice("SELECT a, b, A FROM t")


def test_values_are_bound(serving: Start, driver: str) -> None:
    """Text, dates and decimals; what looks like one in a string, or like a driver's own mark, is left alone."""
    ask, server = serving(on("AS n", Rows([Column("n", "int")], [(1,)])))
    sql = (
        "SELECT 1 AS n, 'a%b ? %s :no' AS x -- :nor ?\nWHERE :text <> N'x' AND d = :day AND m = :amount AND :text > ''"
    )
    ask(sql, text="中文' OR 1=1", day=dt.date(2026, 1, 31), amount=Decimal("1.50"))
    asked = server.statements[-2]
    assert "'a%b ? %s :no'" in asked.sql
    assert "-- :nor ?" in asked.sql
    if driver == "mssqlpython":
        assert list(asked.params.values()) == ["中文' OR 1=1", dt.date(2026, 1, 31), Decimal("1.50"), "中文' OR 1=1"]
        assert list(asked.types.values())[1:3] == ["date", "numeric(3,2)"]
    else:
        assert "N'中文'' OR 1=1' <> N'x'" in asked.sql
        assert "d = '2026-01-31' AND m = 1.50" in asked.sql


def test_the_session_is_prepared(serving: Start) -> None:
    """No counts between results, no wait for locks beyond what is allowed, and no transaction left open."""
    ask, server = serving(on("FROM t", Rows([Column("a", "int")], [(1,)])), lock_timeout=2.5)
    ask("SELECT a FROM t")
    assert any("SET NOCOUNT ON; SET LOCK_TIMEOUT 2500" in one.sql for one in server.statements)
    begun = [one for one in server.statements if one.how == "begin" or "BEGIN TRAN" in one.sql]
    ended = [
        one
        for one in server.statements
        if one.how in {"commit", "rollback"} or "COMMIT" in one.sql or "ROLLBACK" in one.sql
    ]
    assert len(ended) >= len(begun)


def test_a_snapshot_is_asked_for_where_it_is_wanted(serving: Start) -> None:
    """And only there."""
    ask, server = serving(on("FROM t", Rows([Column("a", "int")], [(1,)])), isolation="snapshot")
    ask("SELECT a FROM t")
    assert any("ISOLATION LEVEL SNAPSHOT" in one.sql.upper() for one in server.statements)
    plain, server = serving(on("FROM t", Rows([Column("a", "int")], [(1,)])))
    plain("SELECT a FROM t")
    assert not any("ISOLATION LEVEL SNAPSHOT" in one.sql.upper() for one in server.statements)


# -- what fails, and what passes by itself ---------------------------------------------------------

DEADLOCK = (
    "Transaction (Process ID 52) was deadlocked on lock resources with another process and has been chosen as the "
    "deadlock victim. Rerun the transaction."
)
PASSING = {
    1205: DEADLOCK,
    1222: "Lock request time out period exceeded.",
    3960: "Snapshot isolation transaction aborted due to update conflict.",
    8645: "A timeout occurred while waiting for memory resources to execute the query in resource pool 'default' (2).",
    40197: "The service has encountered an error processing your request. Please try again. Error code 4221.",
    40501: "The service is currently busy. Retry the request after 10 seconds.",
    40540: "The service has encountered an error processing your request. Please try again.",
    40613: "Database 'risk' on server 'sql' is not currently available.  Please retry the connection later.",
    49918: "Cannot process request. Not enough resources to process request. Please retry you request later.",
    49919: "Cannot process create or update request. Too many create or update operations in progress for subscription.",
    49920: "Cannot process request. Too many operations in progress for subscription 'x'. Please try again later.",
    10928: "Resource ID: 1. The request limit for the database is 90 and has been reached.",
    10929: "Resource ID: 1. The request minimum guarantee is 0, maximum limit is 90 and the current usage is 90.",
}  # fmt: skip
LASTING = {
    208: ("Invalid object name 'lonas'.", "there is no table 'lonas'"),
    207: ("Invalid column name 'amuont'.", "there is no column 'amuont'"),
    229: ("The SELECT permission was denied on the object 'loans', database 'risk', schema 'dbo'.", "permission was denied"),
    2627: ("Violation of PRIMARY KEY constraint 'pk'. Cannot insert duplicate key in object 'dbo.t'.", "Violation of PRIMARY KEY"),
    102: ("Incorrect syntax near 'FORM'.", "Incorrect syntax near 'FORM'"),
    8134: ("Divide by zero error encountered.", "Divide by zero"),
}  # fmt: skip


@pytest.mark.parametrize("number", PASSING)
def test_what_passes_is_asked_again(serving: Start, number: int) -> None:
    """On a new connection, after a wait that doubles, with a line in the log for each time."""
    asked: list[int] = []

    def answer(session: Session, statement: Statement) -> Any:
        if "FROM t" not in statement.sql:
            return None
        asked.append(session.id)
        failed = len(asked) < 3
        return [Failure(number, PASSING[number])] if failed else [Rows([Column("a", "int")], [(7,)])]

    ask, _ = serving(answer)
    assert list(ask("SELECT a FROM t")["a"]) == [7]
    assert ask.slept == [1, 2]
    assert len(set(asked)) == 3
    assert [line.partition(":")[0] for line in ask.said] == ["q", "q"]
    assert "asked again in 1 s on a new connection" in ask.said[0]


def test_it_is_given_up_after_a_few_times(serving: Start) -> None:
    """As an error that a later run may not have."""
    ask, _ = serving(on("FROM t", Failure(1205, DEADLOCK)), attempts=5)
    with pytest.raises(SourceError, match="deadlocked on lock resources") as error:
        ask("SELECT a FROM t")
    assert error.value.temporary
    assert ask.slept == [1, 2, 4, 4]


@pytest.mark.parametrize("number", LASTING)
def test_what_does_not_pass_is_asked_once(serving: Start, number: int) -> None:
    """And told in the words of the server, or better ones."""
    message, told = LASTING[number]
    ask, server = serving(on("FROM t", Failure(number, message)))
    with pytest.raises(SourceError, match=told) as error:
        ask("SELECT a FROM t")
    assert not error.value.temporary
    assert (ask.slept, ask.said) == ([], [])
    assert sum("FROM t" in one.sql for one in server.statements) == 1
    for internal in ("Driver Error", "DDBC", "DB-Lib", "sqlalche.me", "[Microsoft]", "b'"):
        assert internal not in str(error.value)


def test_a_missing_table_and_column_name_what_there_is(serving: Start) -> None:
    """As for any other database."""

    def answer(_: Session, statement: Statement) -> Any:
        sql = statement.sql
        if "INFORMATION_SCHEMA.TABLES" in sql:
            names = [Column(name, "nvarchar(128)") for name in ("TABLE_SCHEMA", "TABLE_NAME", "usual")]
            return [Rows(names, [("dbo", "loans", "dbo"), ("risk", "rates", "dbo")])]
        if "INFORMATION_SCHEMA.COLUMNS" in sql:
            names = [Column(name, "nvarchar(128)") for name in ("TABLE_SCHEMA", "TABLE_NAME", "COLUMN_NAME")]
            return [Rows(names, [("dbo", "loans", "id"), ("dbo", "loans", "amount"), ("risk", "rates", "day")])]
        if "lonas" in sql:
            return [Failure(208, "Invalid object name 'lonas'.")]
        return [Failure(207, "Invalid column name 'amuont'.")] if "amuont" in sql else None

    ask, _ = serving(answer)
    with pytest.raises(SourceError, match="there is no table 'lonas'") as error:
        ask("SELECT * FROM lonas")
    assert error.value.hint == "the tables of the source 'w' are loans, risk.rates"
    with pytest.raises(SourceError, match=r"no column 'amuont'; did you mean 'amount'\?") as error:
        ask("SELECT amuont FROM loans")
    assert error.value.hint == "loans has amount, id"


REFUSED = """
from reports.errors import SourceError
from reports.model import Query
from reports.settings import DatabaseSource
from reports.sources.database import Database
source = Database("w", DatabaseSource.model_validate({"url": {"env": "URL"}}))
try:
    source.fetch(Query(name="q", sql="SELECT 1 AS a", source="w"), {})
except SourceError as error:
    print(error)
"""


def test_a_refused_login_is_told_at_once(serving: Start) -> None:
    """Who, where, and what to look at; never tried again, never with the password.

    In a process of its own, for pymssql tells only the first refusal of a process in the server's words.
    """
    ask, server = serving(on("x"), refuse_login=Failure(18456, "Login failed for user 'me'.", 14))
    url = ask.source.url.render_as_string(hide_password=False)
    given = {**os.environ, "URL": url}
    told = subprocess.run([sys.executable, "-c", REFUSED], env=given, capture_output=True, text=True, check=True).stdout
    assert "Login failed for user 'me'" in told
    assert "user, password" in told
    assert f"127.0.0.1:{server.port}/risk" in told
    assert "secret" not in told
    assert len(server.logins) == 1


@pytest.mark.parametrize("refusal", [Cut(), Wait(30)], ids=["cut", "silent"])
def test_a_server_that_ends_the_login_is_tried_again(serving: Start, refusal: Any) -> None:
    """And then told as one that cannot be reached, within the time for connecting."""
    ask, _ = serving(on("x"), refuse_login=refusal, connect_timeout=1, attempts=2)
    start = time.monotonic()
    with pytest.raises(SourceError) as error:
        ask("SELECT 1 AS a")
    assert error.value.temporary
    assert ask.slept == [1]
    assert time.monotonic() - start < 10


@pytest.mark.parametrize("rows", [0, 10, 5_000])
@pytest.mark.parametrize("reset", [False, True])
def test_a_result_that_was_cut_is_never_taken_for_a_whole_one(serving: Start, *, rows: int, reset: bool) -> None:
    """Wherever it was cut, also where the last row came whole: it is read again from the beginning."""
    asked: list[int] = []

    def answer(session: Session, statement: Statement) -> Any:
        if "FROM t" not in statement.sql:
            return None
        asked.append(session.id)

        def some() -> Iterator[Any]:
            for n in range(20_000):
                if len(asked) == 1 and n == rows:
                    yield Cut(reset=reset)
                    return
                yield (n, "x" * 40)

        return [Rows([Column("n", "int"), Column("t", "nvarchar(40)")], some())]

    ask, _ = serving(answer)
    assert len(ask("SELECT n, t FROM t")) == 20_000
    assert len(asked) == 2
    assert len(ask.said) == 1


def test_a_slow_statement_is_ended_on_the_server(serving: Start) -> None:
    """Within its time, and the server is told that nobody waits any more."""
    ask, server = serving(on("FROM t", Wait(60)), timeout=1)
    start = time.monotonic()
    with pytest.raises(SourceError, match="did not answer within 1 seconds") as error:
        ask("SELECT a FROM t")
    assert time.monotonic() - start < 10
    assert "raise timeout in [sources.w]" in error.value.hint
    assert server.attentions or not alive(server)


def alive(server: TdsServer) -> bool:
    until = time.monotonic() + 5
    while any(thread.is_alive() for _, thread in server._open) and time.monotonic() < until:
        time.sleep(0.05)
    return any(thread.is_alive() for _, thread in server._open)


INTERRUPTED = """
import sys
from reports.model import Query
from reports.settings import DatabaseSource
from reports.sources.database import Database
source = Database("w", DatabaseSource.model_validate({"url": {"env": "URL"}}))
try:
    source.fetch(Query(name="q", sql="SELECT a FROM t", source="w"), {})
except KeyboardInterrupt:
    print("stopped", flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent in another way there")
def test_an_interrupt_ends_the_statement_on_the_server(serving: Start, driver: str) -> None:
    """Ctrl-C does not wait for a query of an hour, and the server does not go on with it."""
    begun = threading.Event()

    def answer(_: Session, statement: Statement) -> Any:
        if "FROM t" not in statement.sql:
            return None
        begun.set()
        return [Wait(120)]

    ask, server = serving(answer)
    url = ask.source.url.render_as_string(hide_password=False)
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED], env={**os.environ, "URL": url}, stdout=subprocess.PIPE
    )
    assert begun.wait(30)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=10)[0].strip() == b"stopped"
    assert not alive(server)


def one(session: Session, statement: Statement) -> Any:
    """A server that knows a single query."""
    if statement.sql == "SELECT 1 AS a":
        return [Rows([Column("a", "int")], [(1,)])]
    return courtesies(session, statement)


# -- encryption ------------------------------------------------------------------------------------


def parts(server: TdsServer, driver: str, password: dict[str, str], **more: Any) -> SqlServerSource:
    given = {
        "server": "localhost",
        "port": server.port,
        "database": "risk",
        "driver": driver,
        "user": "me",
        "attempts": 1,
    }
    return SqlServerSource.model_validate({**given, "password": password, **more})


def test_what_is_not_encrypted_is_refused_unless_asked_for(driver: str, password: dict[str, str]) -> None:
    """A password never goes over the wire in the clear by itself."""
    with TdsServer(one) as server:
        source = Database("w", parts(server, driver, password))
        with pytest.raises(SourceError):
            source.check()
        assert server.logins == []
        open_ = parts(server, driver, password, encrypt="no")
        assert len(Database("w", open_).fetch(query("SELECT 1 AS a"), {}).frame) == 1


def test_a_certificate_nobody_vouches_for_is_refused(password: dict[str, str]) -> None:
    """Unless trust is asked for in as many words."""
    with TdsServer(one, tls="required") as server:
        with pytest.raises(SourceError, match="certificate") as error:
            Database("w", parts(server, "mssqlpython", password)).fetch(query("SELECT 1 AS a"), {})
        assert "trust_server_certificate" in error.value.hint
        trusting = parts(server, "mssqlpython", password, trust_server_certificate=True)
        assert len(Database("w", trusting).fetch(query("SELECT 1 AS a"), {}).frame) == 1


def test_the_server_is_told_what_is_asked_of_it(driver: str, password: dict[str, str]) -> None:
    """Encrypted, with the intent only to read, and by the name of this application where the driver allows that."""
    with TdsServer(one, tls="required") as server:
        given = parts(server, driver, password, read_only=True, trust_server_certificate=True)
        Database("w", given).fetch(query("SELECT 1 AS a"), {})
        login = server.logins[-1]
    assert (login.user, login.password, login.database) == ("me", "secret", "risk")
    assert login.read_only
    assert login.application == ("reports" if driver == "pymssql" else "MSSQL-Python")


# -- looked at beforehand --------------------------------------------------------------------------


def test_a_query_is_described_without_being_run(serving: Start) -> None:
    """Its parameters declared by their types; nothing is known of a batch that would have to be run for that."""
    names = ["is_hidden", "column_ordinal", "name"]

    def answer(_: Session, statement: Statement) -> Any:
        if "sp_describe_first_result_set" not in statement.sql:
            return None
        if "#t" in statement.sql + str(statement.params):
            return [
                Failure(11526, "The metadata could not be determined because statement 'SELECT' uses a temp table.")
            ]
        kinds = ("bit", "int", "nvarchar(128)")
        columns = [Column(name, kind) for name, kind in zip(names, kinds, strict=True)]
        return [Rows(columns, [(False, 1, "id"), (False, 2, "day"), (True, 3, "key")])]

    ask, server = serving(answer)
    described = ask.source.describe(query("SELECT id, :day AS day FROM t"), {"day": dt.date(2026, 1, 31)})
    assert described == ["id", "day"]
    text = server.statements[-1].sql + str(server.statements[-1].params)
    assert "SELECT id, @day AS day FROM t" in text
    assert "@day date" in text
    assert ask.source.describe(query("SELECT a INTO #t FROM x; SELECT a FROM #t"), {}) is None


@pytest.mark.parametrize("writable", [0, 3])
def test_check_says_what_is_there_and_what_is_not_safe(serving: Start, writable: int, driver: str) -> None:
    """Version, database, login, encryption, tables; and a warning where the login may write."""

    def answer(_: Session, statement: Statement) -> Any:
        if "ProductVersion" in statement.sql and "Edition" in statement.sql:
            kinds = [Column(name, "nvarchar(128)") for name in ("version", "edition", "db", "login")]
            return [Rows(kinds, [("16.0.4096.1", "Standard Edition", "risk", "me")])]
        if "HAS_PERMS_BY_NAME" in statement.sql:
            return [Rows([Column("", "int")], [(writable,)])]
        if "INFORMATION_SCHEMA.TABLES" in statement.sql:
            return [Rows([Column(name, "nvarchar(128)") for name in "abc"], [("dbo", "loans", "dbo")])]
        return None

    ask, _ = serving(answer)
    said = ask.source.check()
    assert said.startswith("SQL Server 16.0.4096.1 (Standard Edition); database risk as me; ")
    assert "WARNING not encrypted" in said or "WARNING perhaps not encrypted" in said
    assert said.endswith("; 1 tables: loans")
    assert ("WARNING the login may write to 3 tables" in said) == bool(writable)


# -- addresses -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"user": "me"}, {"Encrypt": "yes"}),
        ({"user": "me", "encrypt": "strict", "certificate_host": "sql.corp"},
         {"Encrypt": "strict", "HostnameInCertificate": "sql.corp"}),
        ({"login": "windows"}, {"Encrypt": "yes", "Trusted_Connection": "yes"}),
        ({"login": "entra"}, {"Encrypt": "yes", "authentication": "ActiveDirectoryDefault"}),
        ({"login": "managed_identity", "user": "id"}, {"Encrypt": "yes", "Authentication": "ActiveDirectoryMSI"}),
        ({"login": "service_principal", "user": "id"}, {"Encrypt": "yes", "Authentication": "ActiveDirectoryServicePrincipal"}),
        ({"login": "device_code"}, {"Encrypt": "yes", "authentication": "ActiveDirectoryDeviceCode"}),
        ({"user": "me", "read_only": True, "multi_subnet_failover": True},
         {"Encrypt": "yes", "ApplicationIntent": "ReadOnly", "MultiSubnetFailover": "Yes"}),
        ({"user": "me", "driver": "pymssql"}, {"charset": "UTF-8", "encryption": "require", "appname": "reports"}),
        ({"user": "me", "driver": "pymssql", "encrypt": "no", "read_only": True},
         {"charset": "UTF-8", "encryption": "off", "appname": "reports", "read_only": "1"}),
    ],
)  # fmt: skip
def test_parts_make_an_address(given: dict[str, Any], words: dict[str, str], password: dict[str, str]) -> None:
    """That the driver understands, with a password of any signs kept whole."""
    secret = {"password": password} if given.get("user") else {}
    made = SqlServerSource.model_validate({"server": "sql01", "port": 1433, "database": "risk", **secret, **given})
    url = Database("w", made).url
    assert dict(url.query) == words
    assert (url.host, url.port, url.database) == ("sql01", 1433, "risk")
    Database("w", made).engine.dispose()


@pytest.mark.parametrize(
    ("given", "key"),
    [({"login": "entra"}, "login"), ({"user": "me", "encrypt": "strict"}, "encrypt"),
     ({"user": "me", "certificate_host": "x"}, "certificate_host")],
)  # fmt: skip
def test_what_pymssql_cannot_do_is_said(given: dict[str, Any], key: str, password: dict[str, str]) -> None:
    """With the key, and the driver that can."""
    secret = {"password": password} if given.get("user") else {}
    made = SqlServerSource.model_validate({"server": "s", "database": "d", "driver": "pymssql", **secret, **given})
    with pytest.raises(SettingsError, match="pymssql") as error:
        _ = Database("w", made).url
    assert error.value.where == f"sources.w.{key}"
    assert "mssqlpython" in error.value.hint


@pytest.mark.parametrize(
    ("url", "what", "hint"),
    [
        ("mssql+mssqlpython://me@h/d?Encript=yes", "has 'Encript'", "did you mean 'Encrypt'"),
        ("mssql+mssqlpython://me@h", "names no database", "mssql+mssqlpython://USER@SERVER/DATABASE"),
        ("mssql:///d", "names no server", "mssql+mssqlpython://USER@SERVER/DATABASE"),
        ("mssql+pyodbc://me@h/d", "which ODBC driver", "?driver=ODBC+Driver+18+for+SQL+Server&Encrypt=yes"),
    ],
)
def test_a_url_that_lacks_something_says_what_to_type(url: str, what: str, hint: str) -> None:
    """Before any connection is tried."""
    with pytest.raises(SettingsError) as error:
        Database("w", DatabaseSource(url=url)).check()
    assert what in error.value.what
    assert hint in error.value.hint
    assert error.value.where == "sources.w.url"


def test_a_url_is_completed() -> None:
    """The default driver, and encryption where it is not the driver's own default."""
    assert Database("w", DatabaseSource(url="mssql://me@h/d")).url.drivername == "mssql+mssqlpython"
    assert dict(Database("w", DatabaseSource(url="mssql+pymssql://me@h/d")).url.query) == {
        "charset": "UTF-8",
        "encryption": "require",
    }


def test_a_login_by_password_needs_both(password: dict[str, str]) -> None:
    """And says what else there is."""
    with pytest.raises(ValueError, match="needs user and password"):
        SqlServerSource.model_validate({"server": "s", "database": "d", "user": "me"})
    assert SqlServerSource.model_validate({"server": "s", "database": "d", "login": "windows"}).user == ""


PROVIDER = """
import mssql_python
from reports.drivers import ready
ready("mssql+mssqlpython")
print(mssql_python.native_provider)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere the driver has all it needs")
@pytest.mark.parametrize("asked", ["", "msodbcsql18"])
def test_the_provider_that_can_be_loaded_is_chosen(asked: str) -> None:
    """Where libltdl is missing the one that needs nothing; what somebody has asked for is left alone."""
    known = {name: value for name, value in os.environ.items() if name != drivers.PROVIDER}
    given = known | ({drivers.PROVIDER: asked} if asked else {})
    ran = subprocess.run([sys.executable, "-c", PROVIDER], env=given, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == (asked or (drivers.ODBC if drivers.has_libltdl() else drivers.RUST))


def test_closing_twice_is_harmless(driver: str, password: dict[str, str]) -> None:
    """Also before anything was asked."""
    with TdsServer(one) as server, closing(Asked(server, driver, password).source) as source:
        source.close()
        assert len(source.fetch(query("SELECT 1 AS a"), {}).frame) == 1
