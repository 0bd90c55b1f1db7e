"""The test's TDS server with both real drivers; what they send and show is recorded here, for others rely on it.

Errors (mssql-python 1.16 with its Rust provider, pymssql 2.4.6). pymssql: `args[0]` is the number, `args[1]` bytes. Of
mssql-python there is `driver_error`, an English phrase for the SQLSTATE, and the server's text after it:

| number              | mssql-python                                              | pymssql             |
|---------------------|-----------------------------------------------------------|---------------------|
| 1205                | OperationalError "Serialization failure"                  | OperationalError    |
| 40613, 1222, 229,   | ProgrammingError "Syntax error or access violation"       | OperationalError    |
|   2628, 50000, 4060 |                                                           |                     |
| 102                 | ProgrammingError "Syntax error or access violation"       | ProgrammingError    |
| 40501 (severity 20) | OperationalError "General error"                          | OperationalError    |
| 208                 | ProgrammingError "Base table or view not found"           | ProgrammingError    |
| 207                 | ProgrammingError "Column not found"                       | ProgrammingError    |
| 2627, 547, 515      | IntegrityError "Integrity constraint violation"           | IntegrityError      |
| 8134                | DataError "Division by zero"                              | OperationalError    |
| 3906                | OperationalError "Invalid transaction state"              | OperationalError    |
| 18456               | OperationalError "Invalid authorization specification"    | OperationalError    |
| cut in mid-result   | OperationalError "General error", "Connection closed: ..."| 20017, after a reset 20047 |
| cut in the login    | "Client unable to establish connection"                   | 20002               |
| silence             | "Timeout expired"                                         | 20003 and 20047     |

Surprises of mssql-python, with either provider unless one is named:
- `cursor.arrow_reader(n).read_all()` in one breath gives no rows and no error, for the reader is closed when the last
  name of it is gone: keep it in a variable.
- `executemany` takes its types from the longest value: where that is ASCII, "中文" in another row becomes "??".
  `cursor.setinputsizes` before it helps. It prepares once and sends an array of sp_execute, Decimals as varchar. A
  column of date and datetime loses the times, one of naive and aware datetimes the offsets, one of int and float fails.
- msodbcsql18: a result that is cut between two rows looks like a whole one, in every way of fetching and with
  `nextset` as well; only the next statement fails. With mssql-odbc every cut is an error.
- `bulkcopy` writes a datetimeoffset's local time as if it were UTC: 03:04+08:00 arrives as 11:04+08:00. It holds the
  interpreter's lock until it is done, so a server in the same process never answers it (msodbcsql18's Arrow batches of
  long texts do so too), and opens a connection of its own, outside the transaction.
- mssql-odbc: closing a cursor or reader that is half read sends no ATTENTION but reads all the rest, however long it
  is, and nothing from another thread interrupts; only a timeout (`connection.timeout`, taken when the cursor is made)
  sends one, and the connection goes on. msodbcsql18 sends it in each of these cases, but says of a timeout among the
  rows "Function sequence error"; closing a connection in use from another thread crashes the process.
- mssql-odbc tries a login once more after ten seconds that was refused with 40613, 4060 or 10928 (ConnectRetryCount).
- `close()` of a connection keeps it in the driver's own pool: `mssql_python.pooling(enabled=False)` before the first.
- Parameters are sent in the narrowest type that holds the value: 5 is a tinyint, "a" a varchar(1) while it is ASCII. A
  None among others is asked about with sp_describe_undeclared_parameters.
- SSL_CERT_FILE counts if it is set before the first connection.

Surprises of pymssql: parameters become literals (a datetime is cut to milliseconds, bytes become a varchar literal, a
UUID an nvarchar one); a timeout sends no ATTENTION, the connection is dropped; every failed login after the first
carries the first one's number and no text; by default the login alone is encrypted where the server can.
"""

from __future__ import annotations

import datetime as dt
import decimal
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from support.drivers import MSSQL, ODBC, PYMSSQL, RUST, Driver, elsewhere, has_libltdl
from support.tds import (
    Column,
    Count,
    Cut,
    Failure,
    Info,
    Part,
    Returned,
    Rows,
    Session,
    Statement,
    TdsServer,
    Wait,
    courtesies,
    destination,
)

pytest.importorskip("mssql_python")
pytest.importorskip("pymssql")
BOTH = pytest.mark.parametrize("driver", [MSSQL, PYMSSQL], ids=lambda driver: driver.name)
PROVIDERS = [
    pytest.param(RUST),
    pytest.param(ODBC, marks=pytest.mark.skipif(not has_libltdl(), reason="libltdl.so.7 is not on this machine")),
]
CHINA = dt.timezone(dt.timedelta(hours=8))
MARQUESAS = dt.timezone(-dt.timedelta(hours=9, minutes=30))
Parts = Iterable[Part]


def moment(*parts: int, zone: dt.tzinfo | None = None) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=zone)  # type: ignore[misc,arg-type]


# By type: values at the edges, and what Arrow makes of the type.
TYPES: dict[str, tuple[list[Any], str]] = {
    "bit": ([True, False], "bool"),
    "tinyint": ([0, 255], "uint8"),
    "smallint": ([-(2**15), 2**15 - 1], "int16"),
    "int": ([-(2**31), 2**31 - 1], "int32"),
    "bigint": ([-(2**63), 2**63 - 1, 9007199254740993], "int64"),
    "real": ([1.5, -3.4028234663852886e38], "float"),
    "float": ([0.1, 1.7976931348623157e308], "double"),
    "decimal(9,2)": ([decimal.Decimal("-9999999.99")], "decimal128(9, 2)"),
    "decimal(19,4)": ([decimal.Decimal("123456789012345.6789")], "decimal128(19, 4)"),
    "numeric(28,10)": ([decimal.Decimal("-123456789012345678.0123456789")], "decimal128(28, 10)"),
    "decimal(38,0)": ([decimal.Decimal("9" * 38), decimal.Decimal("-" + "9" * 38)], "decimal128(38, 0)"),
    "decimal(38,38)": ([decimal.Decimal("0." + "9" * 38)], "decimal128(38, 38)"),
    "money": (
        [decimal.Decimal("-922337203685477.5808"), decimal.Decimal("922337203685477.5807")],
        "decimal128(19, 4)",
    ),
    "smallmoney": ([decimal.Decimal("-214748.3648")], "decimal128(10, 4)"),
    "char(5)": (["ab   "], "large_string"),
    "varchar(20)": (["ä€", ""], "large_string"),
    "varchar(max)": (["x" * 10_000], "large_string"),
    "nchar(5)": (["中    "], "large_string"),
    "nvarchar(20)": (["中文 😀", ""], "large_string"),
    "nvarchar(max)": (["中😀" * 40_000, ""], "large_string"),
    "xml": (["<a>中</a>"], "large_string"),
    "binary(4)": ([b"\1\2\0\0"], "large_binary"),
    "varbinary(10)": ([b"", b"\0"], "large_binary"),
    "varbinary(max)": ([b"\0\xff" * 9_000], "large_binary"),
    "date": ([dt.date(1, 1, 1), dt.date(9999, 12, 31)], "date32[day]"),
    "time(0)": ([dt.time(23, 59, 59)], "time64[ns]"),
    "time(3)": ([dt.time(23, 59, 59, 999_000)], "time64[ns]"),
    "time(7)": ([dt.time(), dt.time(23, 59, 59, 999_999)], "time64[ns]"),
    "datetime": ([moment(1753, 1, 1), moment(9999, 12, 31, 23, 59, 59, 997_000)], "timestamp[us]"),
    "smalldatetime": ([moment(1900, 1, 1), moment(2079, 6, 6, 23, 59)], "timestamp[us]"),
    "datetime2(0)": ([moment(1, 1, 1)], "timestamp[us]"),
    "datetime2(3)": ([moment(2026, 1, 2, 3, 4, 5, 678_000)], "timestamp[us]"),
    "datetime2(7)": ([moment(9999, 12, 31, 23, 59, 59, 999_999)], "timestamp[us]"),
    "datetimeoffset(0)": ([moment(2026, 1, 2, 3, 4, 5, zone=CHINA)], "timestamp[us, tz=+00:00]"),
    "datetimeoffset(7)": (
        [moment(2026, 1, 2, 3, 4, 5, 678_901, zone=CHINA), moment(2026, 1, 2, zone=MARQUESAS)],
        "timestamp[us, tz=+00:00]",
    ),
    "uniqueidentifier": ([uuid.UUID("12345678-1234-5678-9abc-123456789abc")], "large_string"),
}
DEADLOCK = Failure(
    1205,
    "Transaction (Process ID 51) was deadlocked on lock resources with another process and has been chosen as the "
    "deadlock victim. Rerun the transaction.",
    severity=13,
    state=51,
)
AWAY = Failure(40613, "Database 'books' on server 'standin' is not currently available.", severity=17)
REFUSED = Failure(18456, "Login failed for user 'me'.", severity=14)
# The failure, mssql-python's class and phrase, pymssql's class.
ERRORS = [
    (DEADLOCK, "OperationalError", "Serialization failure", "OperationalError"),
    (AWAY, "ProgrammingError", "Syntax error or access violation", "OperationalError"),
    (REFUSED, "OperationalError", "Invalid authorization specification", "OperationalError"),
    (
        Failure(208, "Invalid object name 'loans'."),
        "ProgrammingError",
        "Base table or view not found",
        "ProgrammingError",
    ),
    (Failure(207, "Invalid column name 'x'."), "ProgrammingError", "Column not found", "ProgrammingError"),
    (
        Failure(2627, "Violation of PRIMARY KEY constraint 'pk'.", 14),
        "IntegrityError",
        "Integrity constraint violation",
        "IntegrityError",
    ),
    (Failure(547, "The INSERT conflicted."), "IntegrityError", "Integrity constraint violation", "IntegrityError"),
    (
        Failure(515, "Cannot insert the value NULL."),
        "IntegrityError",
        "Integrity constraint violation",
        "IntegrityError",
    ),
    (
        Failure(2628, "String or binary data would be truncated."),
        "ProgrammingError",
        "Syntax error or access violation",
        "OperationalError",
    ),
    (Failure(8134, "Divide by zero error encountered."), "DataError", "Division by zero", "OperationalError"),
    (
        Failure(229, "The SELECT permission was denied.", 14),
        "ProgrammingError",
        "Syntax error or access violation",
        "OperationalError",
    ),
    (
        Failure(1222, "Lock request time out period exceeded."),
        "ProgrammingError",
        "Syntax error or access violation",
        "OperationalError",
    ),
]


def canned(parts: Parts | Callable[[Statement], Parts]) -> Callable[[Session, Statement], Parts]:
    """An answering function for everything that says "mine"."""

    def answer(session: Session, statement: Statement) -> Parts:
        if "mine" not in statement.sql:
            return courtesies(session, statement)
        return parts(statement) if callable(parts) else parts

    return answer


def asked(connection: Any, sql: str = "select mine", *params: Any) -> list[Any]:
    """All rows of a statement."""
    cursor = connection.cursor()
    cursor.execute(sql, params) if params else cursor.execute(sql)
    return [tuple(row) for row in cursor.fetchall()]


def numbers(count: int, then: Part | None = None) -> Rows:
    """So many rows of one column, and what comes in place of the next."""

    def rows() -> Iterator[Any]:
        yield from ((number,) for number in range(count))
        if then is not None:
            yield then

    return Rows([Column("n", "int")], rows())


def soon(true: Callable[[], bool]) -> bool:
    """Whether it comes true within some seconds."""
    until = time.monotonic() + 5
    while not true() and time.monotonic() < until:
        time.sleep(0.01)
    return true()


# Types


@BOTH
@pytest.mark.parametrize("kind", TYPES)
def test_a_value_at_the_edge_of_its_type_comes_through(driver: Driver, kind: str) -> None:
    """Every type, its edges, and NULL."""
    values = [*TYPES[kind][0], None]
    with TdsServer(canned([Rows([Column("a", kind)], [(value,) for value in values])])) as server:
        assert [value for (value,) in asked(driver.connect(server))] == values


@BOTH
@pytest.mark.parametrize("kind", ["bit", "int", "bigint", "real", "float", "money", "datetime", "nvarchar(5)"])
def test_a_column_that_is_never_null_is_written_in_its_own_form(driver: Driver, kind: str) -> None:
    """NOT NULL has other type bytes."""
    value = TYPES.get(kind, ([""],))[0][0]
    with TdsServer(canned([Rows([Column("a", kind, nullable=False)], [(value,)] * 3)])) as server:
        assert asked(driver.connect(server)) == [(value,)] * 3


@BOTH
def test_a_seventh_digit_of_a_second_is_cut_by_python(driver: Driver) -> None:
    """A whole number of units is written as it is."""
    with TdsServer(canned([Rows([Column("a", "time(7)")], [(863_999_999_999,)])])) as server:
        assert asked(driver.connect(server)) == [(dt.time(23, 59, 59, 999_999),)]


@pytest.mark.parametrize("kind", TYPES)
def test_arrow_has_an_exact_type_for_each(kind: str) -> None:
    """The Arrow reader of mssql-python: decimals with their scale, times, UTC for offsets, text for a UUID."""
    values, expected = TYPES[kind]
    with TdsServer(canned([Rows([Column("a", kind)], [*((value,) for value in values), (None,)])])) as server:
        cursor = MSSQL.connect(server).cursor()
        cursor.execute("select mine")
        reader = cursor.arrow_reader(1000)
        column = reader.read_all().column("a")
    read = [str(value).upper() if kind == "uniqueidentifier" else value for value in values]
    assert column.to_pylist() == [*read, None]
    assert str(column.type) == expected


def test_an_arrow_reader_without_a_name_reads_nothing() -> None:
    """The driver's pitfall: the reader is closed before the rows are read."""
    with TdsServer(canned([numbers(5)])) as server:
        cursor = MSSQL.connect(server).cursor()
        cursor.execute("select mine")
        read = cursor.arrow_reader(10).read_all()
    assert read.num_rows == 0


@BOTH
def test_columns_without_a_name_or_with_the_same_one_come_through(driver: Driver) -> None:
    """Nothing is renamed on the way."""
    columns = [Column("", "int"), Column("a", "int"), Column("a", "nvarchar(9)"), Column("数额", "int")]
    with TdsServer(canned([Rows(columns, [(1, 2, "3", 4)])])) as server:
        cursor = driver.connect(server).cursor()
        cursor.execute("select mine")
        assert [one[0] for one in cursor.description] == ["", "a", "a", "数额"]
        assert tuple(cursor.fetchone()) == (1, 2, "3", 4)


# Results


@BOTH
def test_several_results_come_one_after_the_other(driver: Driver) -> None:
    """Counts and rows in their order; a message between them disturbs nothing."""
    parts = [Info("so far"), numbers(2), Count(7), Info("and now"), numbers(3)]
    with TdsServer(canned(lambda _: parts)) as server:
        cursor = driver.connect(server).cursor()
        cursor.execute("select mine")
        lengths = [len(cursor.fetchall())]
        while cursor.nextset():
            if cursor.description:
                lengths.append(len(cursor.fetchall()))
    assert lengths == [2, 3]


@BOTH
def test_a_count_is_the_number_of_rows_affected(driver: Driver) -> None:
    """As the driver tells it."""
    with TdsServer(canned([Count(1234)])) as server:
        cursor = driver.connect(server).cursor()
        cursor.execute("update mine set a = 1")
        assert cursor.rowcount == 1234


@BOTH
def test_a_long_result_is_made_while_it_is_read(driver: Driver) -> None:
    """A generator is not run ahead of the client by more than buffers hold."""
    made = 0

    def rows() -> Iterator[Any]:
        nonlocal made
        for made in range(3_000_000):
            yield (made,)

    with TdsServer(canned([Rows([Column("n", "int")], rows())])) as server:
        cursor = driver.connect(server, **({"autocommit": True} if driver is PYMSSQL else {})).cursor()
        cursor.execute("select mine")
        assert [cursor.fetchone()[0] for _ in range(1000)] == list(range(1000))
        time.sleep(0.3)
        assert made < 2_900_000
        server.cut()


@BOTH
def test_rows_that_repeat_are_encoded_once(driver: Driver) -> None:
    """For benchmarks: the client is the slower side."""
    some = Rows([Column("n", "int"), Column("t", "nvarchar(20)")], [(1, "a"), (2, None)], times=60_000)
    with TdsServer(canned([some])) as server:
        rows = asked(driver.connect(server))
    assert len(rows) == 120_000
    assert rows[-2:] == [(1, "a"), (2, None)]


@pytest.mark.parametrize("size", ["512", "4096", "32767"])
def test_packets_of_any_size_carry_long_statements_and_results(size: str) -> None:
    """Both ways, in more packets than one."""
    long = "中" * 100_000
    answer = canned(lambda statement: [Rows([Column("a", "nvarchar(max)")], [(statement.params["@P1"],)])])
    with TdsServer(answer) as server:
        connection = MSSQL.connect(server, PacketSize=size)
        assert asked(connection, "select mine, ?", long) == [(long,)]
        assert server.logins[0].packet_size == int(size)


# Errors


@BOTH
@pytest.mark.parametrize(("failure", "theirs", "phrase", "other"), ERRORS, ids=lambda one: getattr(one, "number", None))
def test_each_driver_shows_an_error_in_its_own_way(
    driver: Driver, failure: Failure, theirs: str, phrase: str, other: str
) -> None:
    """The table above; the connection goes on."""
    answer = canned(lambda statement: [failure] if "bad" in statement.sql else [numbers(1)])
    with TdsServer(answer) as server:
        connection = driver.connect(server)
        with pytest.raises(Exception) as caught:  # noqa: PT011  its class is compared by name
            asked(connection, "select bad mine")
        assert asked(connection) == [(0,)]
    if driver is MSSQL:
        assert (type(caught.value).__name__, caught.value.driver_error) == (theirs, phrase)
        assert failure.message in str(caught.value)
    else:
        assert (type(caught.value).__name__, caught.value.args[0]) == (other, failure.number)
        assert failure.message.encode() in caught.value.args[1]


@BOTH
def test_an_error_among_the_rows_is_an_error(driver: Driver) -> None:
    """Rows that came before it are not mistaken for all."""
    with TdsServer(canned(lambda _: [numbers(5000, DEADLOCK)])) as server, pytest.raises(Exception, match="deadlocked"):
        asked(driver.connect(server))


@pytest.mark.parametrize("then", [DEADLOCK, Cut(), Cut(reset=True)], ids=str)
def test_the_arrow_reader_fails_where_the_result_does(then: Part) -> None:
    """Not even the batches before it look like a whole."""
    with TdsServer(canned(lambda _: [numbers(50_000, then)])) as server:
        cursor = MSSQL.connect(server).cursor()
        cursor.execute("select mine")
        reader = cursor.arrow_reader(1000)
        with pytest.raises(Exception, match=r"deadlocked|Connection closed|reset by peer"):
            reader.read_all()


@BOTH
def test_an_error_of_severity_20_ends_the_connection(driver: Driver) -> None:
    """As the real server does it."""
    busy = Failure(40501, "The service is currently busy. Retry the request after 10 seconds.", severity=20)
    with TdsServer(canned([busy])) as server:
        connection = driver.connect(server)
        with pytest.raises(Exception, match="currently busy"):
            asked(connection)
        with pytest.raises(Exception, match=r"Connection is dead|DBPROCESS is dead|Unexpected EOF"):
            asked(connection)


@BOTH
@pytest.mark.parametrize("cut", [Cut(), Cut(reset=True), Cut(torn=True)], ids=str)
def test_a_result_cut_in_the_middle_is_a_lost_connection(driver: Driver, cut: Cut) -> None:
    """In order or not."""
    told = r"Connection closed by server|reset by peer|Unexpected EOF|DBPROCESS is dead"
    with TdsServer(canned(lambda _: [numbers(5000, cut)])) as server, pytest.raises(Exception, match=told):
        asked(driver.connect(server))


READ = """
import sys
connection = mssql_python.connect(text + 'Encrypt=no')
cursor = connection.cursor()
cursor.execute('select mine')
try:
    reader = cursor.arrow_reader(100)
    print(reader.read_all().num_rows)
    cursor.execute('select mine too')
except mssql_python.Error as error:
    print(error.driver_error)
"""


@pytest.mark.skipif(not has_libltdl(), reason="libltdl.so.7 is not on this machine")
@pytest.mark.parametrize(
    ("cut", "told"),
    [
        (Cut(), "3000\nCommunication link failure\n"),
        (Cut(reset=True), "3000\nCommunication link failure\n"),
        (Cut(torn=True), "Communication link failure\n"),
    ],
    ids=str,
)
def test_the_other_provider_takes_half_a_result_for_a_whole(cut: Cut, told: str) -> None:
    """msodbcsql18 sees a cut between two rows only with the next statement, which therefore has to be asked."""
    with TdsServer(canned(lambda _: [numbers(3000, cut)])) as server:
        assert elsewhere(server, READ, provider=ODBC) == told


def test_what_the_answering_function_raises_comes_out() -> None:
    """A test does not pass by an error in its server."""

    def answer(_session: Session, statement: Statement) -> Parts:
        if "mine" in statement.sql:
            raise LookupError("no such canned answer")
        return courtesies(_session, statement)

    def ask(server: TdsServer) -> None:
        with pytest.raises(Exception, match="no such canned answer"):
            asked(PYMSSQL.connect(server))

    with pytest.raises(LookupError), TdsServer(answer) as server:
        ask(server)


@BOTH
def test_what_nobody_answers_is_an_error_with_the_statement(driver: Driver) -> None:
    """The courtesies do not invent results."""
    with TdsServer() as server, pytest.raises(Exception, match="no answer to: select from nowhere"):
        asked(driver.connect(server), "select from nowhere")


# Logins


@BOTH
def test_a_login_is_understood(driver: Driver) -> None:
    """What was typed arrives, the password as well."""
    own = {"read_only": True, "appname": "reports"} if driver is PYMSSQL else {"ApplicationIntent": "ReadOnly"}
    with TdsServer(canned([numbers(1)])) as server:
        asked(driver.connect(server, **own))
        login = server.logins[0]
    assert (login.user, login.password, login.database) == ("me", "se;cr!et", "books")
    assert login.read_only
    assert login.application == ("reports" if driver is PYMSSQL else "MSSQL-Python")
    assert "se;cr!et" not in repr(login)


@BOTH
@pytest.mark.parametrize("failure", [REFUSED, AWAY], ids=lambda one: one.number)
def test_a_login_can_be_refused(driver: Driver, failure: Failure) -> None:
    """With any number; pymssql has no text for a second one in a process."""
    with TdsServer(refuse_login=failure) as server, pytest.raises(Exception, match=f"{failure.message}|20002"):
        driver.connect(server)


@BOTH
def test_some_logins_can_be_refused(driver: Driver) -> None:
    """By a function of the login, once or always."""
    with TdsServer(canned([numbers(1)]), refuse_login=lambda _: AWAY if len(server.logins) < 2 else None) as server:
        with pytest.raises(Exception, match=r"not currently available|20002"):
            driver.connect(server)
        assert asked(driver.connect(server)) == [(0,)]


@BOTH
@pytest.mark.parametrize("reset", [False, True])
def test_a_login_can_be_cut(driver: Driver, reset: bool) -> None:  # noqa: FBT001
    """In the middle of its answer."""
    told = r"Client unable to establish connection|20002"
    with TdsServer(refuse_login=Cut(reset)) as server, pytest.raises(Exception, match=told):
        driver.connect(server)


@BOTH
def test_a_silent_server_is_given_up(driver: Driver) -> None:
    """After the login timeout."""
    limit = {"login_timeout": 1} if driver is PYMSSQL else {"timeout": 1}
    with TdsServer(refuse_login=Wait(10)) as server, pytest.raises(Exception, match=r"Timeout expired|20003"):
        driver.connect(server, **limit)


# Encryption


@BOTH
def test_everything_can_be_encrypted(driver: Driver) -> None:
    """TLS inside the packets of the protocol, with a long result."""
    own = {"encryption": "require"} if driver is PYMSSQL else {"Encrypt": "yes", "TrustServerCertificate": "yes"}
    with TdsServer(canned([numbers(200_000)]), tls="offered") as server:
        assert len(asked(driver.connect(server, **own))) == 200_000
        assert server.logins[0].encrypted == "all"


@pytest.mark.parametrize(("asks", "covered"), [("off", "nothing"), ("request", "login"), ("require", "all")])
def test_pymssql_encrypts_as_much_as_it_is_told(asks: str, covered: str) -> None:
    """A request is for the login alone."""
    with TdsServer(canned([numbers(1)]), tls="offered") as server:
        asked(PYMSSQL.connect(server, encryption=asks))
        assert server.logins[0].encrypted == covered


@BOTH
def test_a_server_can_insist(driver: Driver) -> None:
    """On encryption that the client did not ask for; mssql-python then looks at the certificate."""
    with TdsServer(canned([numbers(1)]), tls="required") as server:
        if driver is PYMSSQL:
            asked(driver.connect(server))
            assert server.logins[0].encrypted == "all"
        else:
            with pytest.raises(Exception, match="certificate verify failed"):
                driver.connect(server)


@BOTH
def test_a_server_without_encryption_is_refused_where_it_is_wanted(driver: Driver) -> None:
    """Nothing goes in the clear by mistake."""
    own = {"encryption": "require"} if driver is PYMSSQL else {"Encrypt": "yes"}
    with TdsServer() as server:
        with pytest.raises(Exception, match=r"does not support encryption|20002"):
            driver.connect(server, **own)
        assert server.logins == []


def test_mssql_python_verifies_the_certificate() -> None:
    """An unknown authority is refused; one named by SSL_CERT_FILE is trusted; a wrong name is refused."""
    connect = "try: mssql_python.connect(text)\nexcept Exception as error: print(error)\nelse: print('connected')"
    with TdsServer(tls="offered") as server:
        assert "certificate verify failed" in elsewhere(server, connect)
        assert elsewhere(server, connect, SSL_CERT_FILE=server.ca_file) == "connected\n"
    with TdsServer(tls="offered", names=("other.example",)) as server:
        assert "mismatch" in elsewhere(server, connect, SSL_CERT_FILE=server.ca_file)


# Time and cancelling


@pytest.mark.parametrize("parts", [[Wait(30)], [numbers(10, Wait(30))]], ids=["silent", "among the rows"])
def test_a_timeout_of_mssql_python_ends_the_statement_with_an_attention(parts: Parts) -> None:
    """The connection is as good as before."""
    answer = canned(lambda statement: parts if "slow" in statement.sql else [numbers(1)])
    with TdsServer(answer) as server:
        connection = MSSQL.connect(server)
        connection.timeout = 1
        with pytest.raises(Exception, match="Timeout expired"):
            asked(connection, "select slow mine")
        assert server.attentions == 1
        assert asked(connection) == [(0,)]


def test_a_timeout_of_pymssql_drops_the_connection() -> None:
    """There is no ATTENTION; the server sees it go in the middle of the answer."""
    with TdsServer(canned([Wait(30)])) as server:
        with pytest.raises(Exception, match="20003"):
            asked(PYMSSQL.connect(server, timeout=1))
        assert soon(lambda: server.abandoned == 1)
        assert server.attentions == 0


def test_closing_a_half_read_cursor_reads_the_rest() -> None:
    """mssql-python sends no ATTENTION: what is not wanted is fetched all the same."""
    done = threading.Event()

    def rows() -> Iterator[Any]:
        yield from ((number,) for number in range(300_000))
        done.set()

    with TdsServer(canned([Rows([Column("n", "int")], rows())])) as server:
        cursor = MSSQL.connect(server).cursor()
        cursor.execute("select mine")
        cursor.fetchone()
        cursor.close()
        assert done.is_set()
        assert server.attentions == 0


# Statements


def test_parameters_of_mssql_python_arrive_in_their_types() -> None:
    """In the narrowest that holds the value."""
    values = {
        True: "bit",
        5: "tinyint",
        300: "smallint",
        70_000: "int",
        2**60: "bigint",
        0.1: "float",
        decimal.Decimal("1.50"): "numeric(3,2)",
        "a": "varchar(1)",
        "中文": "nvarchar(2)",
        "中" * 5000: "nvarchar(MAX)",
        b"a": "varbinary(1)",
        dt.date(2020, 1, 2): "date",
        dt.time(1, 2, 3, 456_789): "time(7)",
        moment(2020, 1, 2, 3, 4, 5, 678_901): "datetime2(7)",
        moment(2026, 1, 2, 3, 4, zone=CHINA): "datetimeoffset(7)",
        uuid.UUID(int=5): "uniqueidentifier",
        None: "varchar(1)",
    }
    with TdsServer(canned([Count(1)])) as server:
        cursor = MSSQL.connect(server).cursor()
        for value in values:
            cursor.execute("insert into mine values (?)", (value,))
        got = [one for one in server.statements if one.how == "sp_prepexec"]
    assert [one.params["@P1"] for one in got] == list(values)
    assert [one.types["@P1"] for one in got] == list(values.values())


def test_parameters_of_pymssql_are_literals() -> None:
    """They are pasted into the text by the driver; a datetime is cut to milliseconds."""
    with TdsServer(canned([Count(1)])) as server:
        cursor = PYMSSQL.connect(server).cursor()
        cursor.execute("insert mine %s %s %s %s", (1, "it's", None, moment(2020, 1, 2, 3, 4, 5, 678_901)))
        assert server.statements[-1].sql == "insert mine 1 N'it''s' NULL '2020-01-02 03:04:05.678'"


def test_executemany_of_mssql_python_is_an_array_of_executions() -> None:
    """Prepared once; with one answer for each row."""
    with TdsServer(canned([Count(1)])) as server:
        cursor = MSSQL.connect(server).cursor()
        cursor.executemany("insert into mine values (?, ?)", [(1, "中文"), (2, None), (300, "a")])
        assert cursor.rowcount == 3
        got = [one for one in server.statements if "mine" in one.sql]
    assert [one.how for one in got] == ["sp_execute"] * 3
    assert [tuple(one.params.values()) for one in got] == [(1, "中文"), (2, None), (300, "a")]
    assert got[0].types == {"@P1": "smallint", "@P2": "nvarchar(2)"}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_executemany_loses_letters_unless_it_is_told_the_sizes(provider: str) -> None:
    """The driver's error: the longest text decides for all whether they are varchar, where others become "?"."""
    with TdsServer(canned([Count(1)])) as server:
        rows = "'insert into mine values (?)', [('abc',), ('中文',)]"
        elsewhere(
            server,
            "cursor = mssql_python.connect(text + 'Encrypt=no').cursor()\n"
            f"cursor.executemany({rows})\n"
            "cursor.setinputsizes([(mssql_python.SQL_WVARCHAR, 4000, 0)])\n"
            f"cursor.executemany({rows})",
            provider=provider,
        )
        got = [one.params["@P1"] for one in server.statements if "mine" in one.sql]
    assert got == ["abc", "??", "abc", "中文"]


def test_executemany_of_pymssql_is_a_batch_for_each_row() -> None:
    """One round trip each."""
    with TdsServer(canned([Count(1)])) as server:
        PYMSSQL.connect(server).cursor().executemany("insert mine %s", [(1,), (2,)])
        assert [one.sql for one in server.statements if "mine" in one.sql] == ["insert mine 1", "insert mine 2"]


def test_a_procedure_gives_its_outputs_back() -> None:
    """Called by name; its status and output parameters are answered."""
    import pymssql  # noqa: PLC0415

    with TdsServer(canned([Returned(outputs={"@P2": 42})])) as server:
        cursor = PYMSSQL.connect(server).cursor()
        assert cursor.callproc("mine", ("中", pymssql.output(int)))[1] == 42
        assert server.statements[-1].sql == "mine"
        assert server.statements[-1].how == "procedure"


@BOTH
def test_transactions_are_counted(driver: Driver) -> None:
    """The driver's own requests and T-SQL's; the session knows its depth."""
    depths = []

    def answer(session: Session, statement: Statement) -> Parts:
        if "mine" in statement.sql:
            depths.append(session.transactions)
            return [numbers(1)]
        return courtesies(session, statement)

    with TdsServer(answer) as server:
        engine = sa.create_engine(driver.url(server), poolclass=sa.NullPool)
        with engine.connect() as connection:
            connection.execute(sa.text("select mine"))
            with connection.begin_nested() as savepoint:
                connection.execute(sa.text("select mine"))
                savepoint.rollback()
            connection.commit()
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("select mine"))
    assert depths == [1, 1, 0]


@BOTH
@pytest.mark.parametrize("level", ["AUTOCOMMIT", "SNAPSHOT", "READ UNCOMMITTED"])
def test_sqlalchemy_is_content_with_the_courtesies(driver: Driver, level: str) -> None:
    """Nothing it asks by itself is left without an answer; the level it sets it finds."""
    with TdsServer(canned([numbers(1)])) as server:
        engine = sa.create_engine(driver.url(server), poolclass=sa.NullPool, isolation_level=level)
        with engine.connect() as connection:
            assert connection.dialect.default_schema_name == "dbo"
            assert connection.dialect.server_version_info == (16, 0, 4096, 1)
            assert connection.get_isolation_level() in {level, "READ COMMITTED"}
            assert connection.execute(sa.text("select mine")).scalar() == 0


# Bulk copies

BULK = {
    kind: next(value for value in values if value or value is False)
    for kind, (values, _) in TYPES.items()
    if kind not in {"xml", "datetimeoffset(0)", "datetimeoffset(7)"}
}


def copied(columns: list[Column], rows: str, tmp_path: Path) -> list[Any]:
    """The rows that a bulk copy of mssql-python brings to the server."""
    got: list[Any] = []

    def answer(session: Session, statement: Statement) -> Parts:
        if "FMTONLY" in statement.sql:
            return destination(columns)
        if statement.how == "bulk":
            before = len(got)
            got.extend(statement.rows)
            return [Count(len(got) - before)]
        return courtesies(session, statement)

    with TdsServer(answer) as server:
        script = tmp_path / "rows.py"
        script.write_text(
            f"import datetime\nfrom decimal import Decimal\nfrom uuid import UUID\nROWS = {rows}\n", encoding="utf-8"
        )
        said = elsewhere(
            server,
            f"exec(open({str(script)!r}, encoding='utf-8').read())\n"
            "print(mssql_python.connect(text + 'Encrypt=no').cursor().bulkcopy('dbo.t', ROWS)['rows_copied'])",
        )
        assert said == f"{len(got)}\n"
    return got


def test_a_bulk_copy_brings_every_type(tmp_path: Path) -> None:
    """Through INSERT BULK, after the driver has asked what the table is like."""
    columns = [Column(f"c{place}", kind) for place, kind in enumerate(BULK)]
    row = list(BULK.values())
    got = copied(columns, repr([tuple(row), (None,) * len(row)]), tmp_path)
    trimmed = [value.rstrip(" ") if isinstance(value, str) else value for value in row]
    cut = [value.rstrip(b"\0") if isinstance(value, bytes) else value for value in trimmed]
    sent = [value.rstrip(" ") if isinstance(value, str) else value for value in got[0]]
    assert [value.rstrip(b"\0") if isinstance(value, bytes) else value for value in sent] == cut
    assert got[1] == [None] * len(row)


def test_a_bulk_copy_shifts_a_datetimeoffset(tmp_path: Path) -> None:
    """The driver's error: the local time is written where UTC belongs, so the instant is another one."""
    sent = moment(2026, 1, 2, 3, 4, zone=CHINA)
    got = copied([Column("a", "datetimeoffset(7)")], repr([(sent,)]), tmp_path)
    assert got == [[sent + dt.timedelta(hours=8)]]
