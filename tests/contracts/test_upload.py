"""What every upload promises, asked of each kind of database with the same files.

SQL Server is the one that REPORTS_TEST_SQLSERVER_URL names, and one that stands in for it, by both of its drivers.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from threading import Event

import pandas as pd
import pytest
from places import Place, place
from sqlservers import SQLSERVERS

from reports.errors import DefinitionError, SourceError
from reports.uploads.result import Uploaded

LOANS = """CREATE TABLE loans (
    id {int} NOT NULL PRIMARY KEY, branch {key} NOT NULL, name {text10}, amount {decimal}, opened {date}, paid {bool},
    FOREIGN KEY (branch) REFERENCES branches (code), CHECK (amount < 1000000)
)"""
HEADER = "id,branch,name,amount,opened,paid\n"
GOOD = ["1,A,one,10.50,2026-01-31,yes", "2,B,中文 🎉,-3,2026-02-28,0", "3,A,,,,"]


@pytest.fixture(params=["sqlite", "postgresql", *SQLSERVERS])
def where(request: pytest.FixtureRequest, tmp_path: Path, sqlserver: Callable[[str], str]) -> Place:
    """A project with an empty database."""
    if request.param == "sqlite":
        return place("sqlite", tmp_path, "sqlite:///wh.db")
    if request.param == "postgresql":
        return place("postgresql", tmp_path, request.getfixturevalue("postgresql"))
    return place("mssql", tmp_path, sqlserver(request.param))


@pytest.fixture
def loans(where: Place) -> Place:
    """The same with two tables that refer to each other."""
    where.run("CREATE TABLE branches (code {key} NOT NULL PRIMARY KEY)")
    where.run("INSERT INTO branches VALUES ('A')", "INSERT INTO branches VALUES ('B')")
    where.run(LOANS)
    return where


def file(where: Place, *lines: str, header: str = HEADER, name: str = "loans.csv") -> Path:
    return where.write(header + "".join(f"{line}\n" for line in lines), name)


def ids(where: Place) -> list[int]:
    return [row[0] for row in where.rows("SELECT id FROM loans ORDER BY id")]


def counts(done: Uploaded) -> tuple[str, int, int, int, int]:
    return done.state, done.rows_read, done.inserted, done.updated, done.rejected


# -- every row, exactly --------------------------------------------------------------------------------------


def test_every_row_goes_in(loans: Place) -> None:
    """With Chinese, emoji, and NULL where the field is empty; nothing is left behind in the database."""
    done = loans.upload(file(loans, *GOOD))
    assert counts(done) == ("succeeded", 3, 3, 0, 0)
    rows = loans.rows("SELECT id, branch, name, amount, opened, paid FROM loans ORDER BY id")
    assert [(row[0], row[1], row[2], row[3] and Decimal(str(row[3]))) for row in rows] == [
        (1, "A", "one", Decimal("10.5")),
        (2, "B", "中文 🎉", Decimal(-3)),
        (3, "A", None, None),
    ]
    assert [str(row[4]) for row in rows] == ["2026-01-31", "2026-02-28", "None"]
    assert [row[5] and int(row[5]) for row in rows] == [1, 0, None]
    assert loans.one("SELECT COUNT(*) FROM reports_upload") == 0


EXACT = {
    "code": ("text", ["00715", "12345678901234567890", " spaces ", 'a,b"c\td\\n', "line 1\nline 2\r\nline 3"]),
    "n": ("big", ["9007199254740993", "-9223372036854775808", "9223372036854775807", "0", ""]),
    "amount": ("decimal", ["1234567890.12", "-0.01", "0.10", "", "100"]),
    "huge": ("huge", ["1234567890123456789012345678.0123456789", "-0.0000000001", "0", "", "1"]),
    "x": ("float", ["0.1", "1e300", "-2.5", "", "123456.789"]),
    "at": ("moment", ["2026-03-29 02:30:00.123", "0001-01-01 00:00:00", "2026-01-01T10:00", "2026-01-01", ""]),
}  # fmt: skip


def test_every_type_is_exact(where: Place) -> None:
    """Leading zeros, 20 and 38 digits, BIGINT's ends, quotes, tabs and lines in a text, and times down to their digits."""
    where.run(f"CREATE TABLE made ({', '.join(f'{name} {{{kind}}}' for name, (kind, _) in EXACT.items())})")
    frame = pd.DataFrame({name: values for name, (_, values) in EXACT.items()})
    path = where.folder / "made.csv"
    frame.to_csv(path, index=False, lineterminator="\n")
    done = where.upload(path, "wh.made")
    assert counts(done) == ("succeeded", 5, 5, 0, 0)
    rows = where.rows("SELECT code, n, amount, huge, x, at FROM made")
    found = {name: [row[place] for row in rows] for place, name in enumerate(EXACT)}
    assert sorted(found["code"]) == sorted(EXACT["code"][1])
    assert {value and int(value) for value in found["n"]} == {None, 0, 9007199254740993, -(2**63), 2**63 - 1}
    assert {value and Decimal(str(value)) for value in found["amount"]} == {
        None, Decimal("1234567890.12"), Decimal("-0.01"), Decimal("0.1"), Decimal(100),
    }  # fmt: skip
    assert {value and Decimal(str(value)) for value in found["huge"]} - {None, 0} == {
        Decimal("1234567890123456789012345678.0123456789"), Decimal("-0.0000000001"), Decimal(1),
    }  # fmt: skip
    assert set(found["x"]) == {0.1, 1e300, -2.5, None, 123456.789}
    moments = {str(value).removesuffix("000") for value in found["at"]}
    assert moments >= {"2026-03-29 02:30:00.123", "0001-01-01 00:00:00", "2026-01-01 10:00:00", "None"}


def test_a_frame_goes_in_as_it_is(loans: Place) -> None:
    """Whole numbers with NULLs, decimals, dates and booleans of pandas."""
    frame = pd.DataFrame({
        "id": pd.array([1, 2], dtype="Int64"), "branch": ["A", "B"], "name": ["x", None],
        "amount": [Decimal("10.05"), None], "opened": pd.to_datetime(["2026-01-31", None]), "paid": [True, None],
    })  # fmt: skip
    done = loans.upload(frame)
    assert counts(done) == ("succeeded", 2, 2, 0, 0)
    rows = loans.rows("SELECT id, name, amount, opened, paid FROM loans ORDER BY id")
    assert [(row[0], row[1], row[2] and Decimal(str(row[2])), str(row[3])) for row in rows] == [
        (1, "x", Decimal("10.05"), "2026-01-31"), (2, None, None, "None"),
    ]  # fmt: skip


# -- rows that do not fit ------------------------------------------------------------------------------------

BAD = {
    "10,A,much too long,1,,": ("name", "much too long", "too long"),
    "11,A,x,1.234,,": ("amount", "1.234", "wrong type"),
    "12,A,x,12345678901,,": ("amount", "12345678901", "wrong type"),
    "13,A,x,abc,,": ("amount", "abc", "wrong type"),
    "14,A,x,1,2026-02-30,": ("opened", "2026-02-30", "wrong type"),
    "15,A,x,1,,maybe": ("paid", "maybe", "wrong type"),
    "99999999999999999999,A,x,1,,": ("id", "99999999999999999999", "wrong type"),
    ",A,x,1,,": ("id", "", "missing value"),
    "16,A,x": ("", "", "broken row"),
    '17,A,"x"y,1,,': ("", "", "broken row"),
    "18,nowhere,x,1,,": ("branch", "nowhere", "unknown reference"),
    "19,A,x,5000000,,": (None, None, "refused by a check"),
    "1,B,twice,1,,": ("id", "1", "duplicate key"),
}


@pytest.mark.parametrize("line", BAD)
def test_one_bad_row_among_many(loans: Place, line: str) -> None:
    """It is found with its line, column, value and reason, and all others go in, whatever is wrong with it."""
    before = [f"{number},A,x,1,," for number in range(1, 8)]
    before[3] = '4,B,"two\nlines",1,,'
    after = [f"{number},A,x,1,," for number in range(20, 30)]
    done = loans.upload(file(loans, *before, line, *after))
    assert counts(done) == ("partial", 18, 17, 0, 1)
    assert ids(loans) == [*range(1, 8), *range(20, 30)]
    (bad,) = loans.rejects(done)
    column, value, cause = BAD[line]
    assert (bad.row, bad.line, bad.cause, bad.content) == (8, 10, cause, line)
    # What a constraint is about a server that stands in for SQL Server may not tell.
    untold = loans.kind == "mssql" and cause in {"duplicate key", "unknown reference"} and not bad.column
    assert column is None or untold or (bad.column, bad.value) == (column, value)
    assert bad.reason
    assert done.causes == {cause: 1}


def test_bad_rows_of_every_kind_at_once(loans: Place) -> None:
    """In one batch, in two parts of a batch and in batches of one row the same rows are in, and the same are not."""
    lines = [line for number, bad in enumerate(BAD) for line in (f"{100 + number},A,x,1,,", bad)]
    found = []
    for batch in (10_000, 7, 1):
        loans.run("DELETE FROM loans", "INSERT INTO loans (id, branch) VALUES (1, 'A')")
        done = loans.upload(file(loans, *lines), batch=batch, again=True)
        assert counts(done) == ("partial", 26, 13, 0, 13)
        assert ids(loans) == [1, *range(100, 113)]
        found.append([(one.row, one.cause, one.content) for one in loans.rejects(done)])
    assert found[0] == found[1] == found[2]


def test_a_file_of_bad_rows_alone(loans: Place) -> None:
    """Nothing goes in, each row is told; and with more of them than allowed the upload stops."""
    lines = [f"{number},nowhere,x,1,," for number in range(1, 41)]
    done = loans.upload(file(loans, *lines))
    assert counts(done) == ("partial", 40, 0, 0, 40)
    stopped = loans.upload(file(loans, *lines), again=True, max_rejected=10)
    assert stopped.state == "failed"
    assert "more than 10 rows were rejected" in stopped.error
    assert ids(loans) == []


def test_the_first_bad_row_may_stop_it(loans: Place) -> None:
    """What is before it is in; the file is mended from there on, and the upload goes on."""
    path = file(loans, "1,A,x,1,,", "2,B,x,1,,", "3,nowhere,x,1,,", "4,A,x,1,,", "5,A,x,abc,,")
    done = loans.upload(path, on_error="stop")
    assert (done.state, done.inserted, ids(loans)) == ("failed", 2, [1, 2])
    assert "line 4" in done.error
    assert "the 2 rows before it are in the table" in done.error
    assert "--resume" in done.error
    file(loans, "1,A,x,1,,", "2,B,x,1,,", "3,B,x,1,,", "4,A,x,1,,", "5,A,x,abc,,")
    again = loans.upload(path, on_error="stop", resume=True)
    assert again.id == done.id
    assert (again.state, again.inserted, ids(loans)) == ("failed", 4, [1, 2, 3, 4])
    assert "line 6, column amount: 'abc' is not a number" in again.error
    file(loans, "1,A,x,1,,", "2,B,x,1,,", "3,B,x,1,,", "4,A,x,1,,", "5,A,x,7,,")
    last = loans.upload(path, on_error="stop", resume=True)
    assert counts(last) == ("succeeded", 5, 5, 0, 0)
    assert ids(loans) == [1, 2, 3, 4, 5]


def test_a_part_that_is_loaded_may_not_change(loans: Place) -> None:
    """The upload does not go on with another file than it began with."""
    path = file(loans, "1,A,x,1,,", "2,B,x,1,,", "3,nowhere,x,1,,")
    loans.upload(path, on_error="stop")
    file(loans, "1,A,x,1,,", "7,B,x,1,,", "3,A,x,1,,")
    done = loans.upload(path, resume=True)
    assert done.state == "failed"
    assert "are not what they were" in done.error
    assert ids(loans) == [1, 2]


# -- the same file, and what is there already ------------------------------------------------------------------


def test_the_same_file_twice_is_noticed(loans: Place) -> None:
    """By its bytes, whatever it is called; it goes in again only when that is said."""
    done = loans.upload(file(loans, "1,A,x,1,,"))
    with pytest.raises(SourceError, match=r"was uploaded into .*loans before: 1 row ") as error:
        loans.upload(file(loans, "1,A,x,1,,", name="copy.csv"))
    assert done.id[:8] in error.value.what
    assert ids(loans) == [1]
    loans.run("DELETE FROM loans")
    assert loans.upload(file(loans, "1,A,x,1,,"), again=True).state == "succeeded"


def test_replace_leaves_the_new_rows_alone(loans: Place) -> None:
    """Those that fit; the old ones go at the end, and not if there is no end."""
    loans.run("INSERT INTO loans (id, branch) VALUES (77, 'A')")
    path = file(loans, "1,A,x,1,,", "2,nowhere,x,1,,", "1,B,twice,1,,", "3,B,x,5000000,,")
    failed = loans.upload(path, mode="replace", on_error="stop")
    assert (failed.state, ids(loans)) == ("failed", [77])
    done = loans.upload(path, mode="replace")
    assert (done.state, done.rows_read, done.inserted, done.rejected) == ("partial", 4, 1, 3)
    assert ids(loans) == [1]
    assert done.causes == {"unknown reference": 1, "duplicate key": 1, "refused by a check": 1}
    assert counts(loans.upload(path, mode="replace"))[0] == "partial"
    assert not loans.there(f"reports_new_{failed.id}")
    again = loans.upload(path, mode="replace", resume=True)
    assert "the database knows nothing of this upload any more" in again.error


def test_rows_that_refer_to_each_other(where: Place) -> None:
    """Within one table and one file, appended and replaced; one that refers to none of them is found."""
    where.run(
        "CREATE TABLE other (id {int} NOT NULL PRIMARY KEY, parent {int}, FOREIGN KEY (parent) REFERENCES other (id))"
    )
    path = where.write("id,parent\n1,\n2,1\n3,2\n", "other.csv")
    assert where.upload(path, "wh.other").state == "succeeded"
    path = where.write("id,parent\n11,\n12,11\n13,12\n", "other.csv")
    assert where.upload(path, "wh.other", mode="replace").state == "succeeded"
    assert where.rows("SELECT id, parent FROM other ORDER BY id") == [(11, None), (12, 11), (13, 12)]
    done = where.upload(where.write("id,parent\n21,99\n22,13\n", "other.csv"), "wh.other")
    assert counts(done) == ("partial", 2, 1, 0, 1)


def test_readers_never_see_a_table_half_replaced(loans: Place) -> None:
    """They see all old rows or all new ones."""
    loans.upload(file(loans, *(f"{n},A,old,1,," for n in range(2000))))
    path, over, seen = file(loans, *(f"{n},B,new,1,," for n in range(5000, 8000))), Event(), set()

    def read() -> None:
        while not over.is_set():
            seen.add(tuple(loans.rows("SELECT COUNT(*), MIN(name), MAX(name) FROM loans")[0]))

    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read)
        try:
            assert loans.upload(path, mode="replace", batch=500).state == "succeeded"
        finally:
            over.set()
        reading.result()
    assert seen <= {(2000, "old", "old"), (3000, "new", "new")}
    assert (2000, "old", "old") in seen


def test_upsert_changes_what_is_there_and_adds_the_rest(loans: Place) -> None:
    """Of a key that is twice in the file the later row counts; the other columns stay as they are."""
    loans.run("INSERT INTO loans (id, branch, name, amount) VALUES (1, 'A', 'old', 5)")
    loans.run("INSERT INTO loans (id, branch, name, amount) VALUES (2, 'A', 'kept', 6)")
    path = file(loans, "1,B,new", "3,A,first", "4,A,x", "3,B,later", ",A,nokey", header="id,branch,name\n")
    done = loans.upload(path, mode="upsert", key="ID")
    assert counts(done) == ("partial", 5, 2, 2, 1)
    assert done.causes == {"missing value": 1}
    rows = loans.rows("SELECT id, branch, name, amount FROM loans ORDER BY id")
    assert [(row[0], row[1], row[2], row[3] and int(row[3])) for row in rows] == [
        (1, "B", "new", 5), (2, "A", "kept", 6), (3, "B", "later", None), (4, "A", "x", None),
    ]  # fmt: skip
    again = loans.upload(path, mode="upsert", key=["id"], batch=2)
    assert counts(again) == ("partial", 5, 0, 4, 1)


def test_upsert_finds_bad_rows_too(loans: Place) -> None:
    """By halving, as any other."""
    lines = [f"{n},{'nowhere' if n == 5 else 'A'},x" for n in range(10)]
    done = loans.upload(file(loans, *lines, header="id,branch,name\n"), mode="upsert", key="id")
    assert counts(done) == ("partial", 10, 9, 0, 1)
    (bad,) = loans.rejects(done)
    assert (bad.line, bad.cause) == (7, "unknown reference")


def test_upsert_by_a_key_of_two_columns(where: Place) -> None:
    """Rows are the same where both are, and no constraint is needed for that."""
    where.run("CREATE TABLE keyed (a {int} NOT NULL, b {key} NOT NULL, c {int})")
    path = where.write("a,b,c\n1,x,1\n1,y,2\n2,x,3\n1,x,4\n", "keyed.csv")
    done = where.upload(path, "wh.keyed", mode="upsert", key=["a", "b"])
    assert counts(done) == ("succeeded", 4, 3, 1, 0)
    assert where.rows("SELECT a, b, c FROM keyed ORDER BY a, b") == [(1, "x", 4), (1, "y", 2), (2, "x", 3)]


def test_a_key_alone_may_be_upserted(where: Place) -> None:
    """Rows that are there count as updated, and stay."""
    where.run("CREATE TABLE keyed (a {int} NOT NULL PRIMARY KEY, c {int})", "INSERT INTO keyed VALUES (1, 5)")
    done = where.upload(where.write("a\n1\n2\n", "keyed.csv"), "wh.keyed", mode="upsert", key="a")
    assert counts(done) == ("succeeded", 2, 1, 1, 0)
    assert where.rows("SELECT a, c FROM keyed ORDER BY a") == [(1, 5), (2, None)]


# -- the table ---------------------------------------------------------------------------------------------------


def test_the_database_fills_what_the_file_lacks(where: Place) -> None:
    """Counters and defaults; and a counter may be given too."""
    where.run("CREATE TABLE made (id {counter}, name {key} NOT NULL, state {key} DEFAULT 'new' NOT NULL)")
    done = where.upload(where.write("NAME\nx\ny\n", "made.csv"), "wh.made")
    assert done.state == "succeeded"
    assert where.rows("SELECT name, state FROM made ORDER BY id") == [("x", "new"), ("y", "new")]
    done = where.upload(where.write("id,name\n70,z\n", "made.csv"), "wh.made")
    assert done.state == "succeeded"
    assert where.one("SELECT name FROM made WHERE id = 70") == "z"
    done = where.upload(where.write("id,name\n5,a\n", "made.csv"), "wh.made", mode="replace")
    assert where.rows("SELECT id, name FROM made") == [(5, "a")]


def test_columns_that_do_not_go_together_are_told_before_anything_is_written(loans: Place) -> None:
    """One that the table does not have, with the nearest; one that it needs and the file lacks."""
    with pytest.raises(SourceError, match=r"a column 'nmae', which the table .*loans does not have") as error:
        loans.upload(file(loans, "1,A,x", header="id,branch,nmae\n"))
    assert "did you mean 'name'" in error.value.hint
    with pytest.raises(SourceError, match="lacks the column 'branch'"):
        loans.upload(file(loans, "1,x", header="id,name\n"))
    assert not loans.there("reports_upload")


def test_a_table_that_is_not_there(loans: Place) -> None:
    """It is named with the nearest, and made when that is said: texts stay texts, and ids keep their zeros."""
    header = "code,n,amount,day,at,ok,note,empty\n"
    lines = ["00715,1,1.50,2026-01-31,2026-01-31 10:00:00,true,x,", "1,-20,12345678.25,2026-02-01,2026-02-01,false,,"]
    path = file(loans, *lines, header=header, name="made.csv")
    with pytest.raises(SourceError, match=r"there is no table .*made") as error:
        loans.upload(path, "wh.made")
    assert "--create" in error.value.hint
    done = loans.upload(path, "wh.made", create=True)
    assert counts(done) == ("succeeded", 2, 2, 0, 0)
    rows = loans.rows("SELECT code, n, amount, day, ok FROM made ORDER BY n DESC")
    assert [(row[0], row[1], Decimal(str(row[2])), str(row[3]), int(row[4])) for row in rows] == [
        ("00715", 1, Decimal("1.5"), "2026-01-31", 1), ("1", -20, Decimal("12345678.25"), "2026-02-01", 0),
    ]  # fmt: skip
    more = loans.upload(file(loans, lines[0].replace("1.50", "x"), header=header, name="made.csv"), "wh.made")
    assert counts(more) == ("partial", 1, 0, 0, 1)


def test_a_table_may_be_made_with_a_key(where: Place) -> None:
    """By which the same file can come every day."""
    path = where.write("id,name\nA1,x\nA2,y\n", "made.csv")
    assert counts(where.upload(path, "wh.made", create=True, mode="upsert", key="id"))[:3] == ("succeeded", 2, 2)
    assert counts(where.upload(path, "wh.made", create=True, mode="upsert", key="id"))[2:4] == (0, 2)


def test_misuse_is_told(loans: Place) -> None:
    """A source, a mode or a key that is none; each before anything is done."""
    path = file(loans, *GOOD)
    with pytest.raises(DefinitionError, match="there is no source 'wharehouse'"):
        loans.upload(path, "wharehouse.loans")
    with pytest.raises(DefinitionError, match="needs a key"):
        loans.upload(path, mode="upsert")
    with pytest.raises(DefinitionError, match="the key 'nr' is no column"):
        loans.upload(path, mode="upsert", key="nr")
    with pytest.raises(DefinitionError, match="names no table"):
        loans.upload(path, "loans")
    assert ids(loans) == []


def test_an_empty_file_and_one_with_a_header_alone(loans: Place) -> None:
    """The first is an error, the second an upload of no rows; neither changes the table."""
    with pytest.raises(SourceError, match="the file is empty"):
        loans.upload(loans.write(""))
    assert counts(loans.upload(file(loans))) == ("succeeded", 0, 0, 0, 0)
    with pytest.raises(SourceError, match="does not exist"):
        loans.upload(loans.folder / "nowhere.csv")


# -- several at once -----------------------------------------------------------------------------------------------


def test_two_uploads_at_once(loans: Place) -> None:
    """Of two files into one table, whose rows are all in, once each; of upserts as well."""
    paths = [file(loans, *(f"{n},A,x,1,," for n in range(s, s + 3000)), name=f"{s}.csv") for s in (0, 3000)]
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda path: loans.upload(path, batch=500), paths))
    assert [one.state for one in done] == ["succeeded"] * 2
    assert ids(loans) == list(range(6000))
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda path: loans.upload(path, mode="upsert", key="id", batch=500), [paths[0], paths[0]]))
    assert [one.state for one in done] == ["succeeded"] * 2
    assert ids(loans) == list(range(6000))


def test_two_upserts_of_the_same_new_keys(loans: Place) -> None:
    """Whoever comes second finds the rows of the first."""
    paths = [file(loans, *(f"{n},A,{who},1,," for n in range(2000)), name=f"{who}.csv") for who in "ab"]
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda path: loans.upload(path, mode="upsert", key="id", batch=300), paths))
    assert [one.state for one in done] == ["succeeded"] * 2
    assert sum(one.inserted for one in done) == sum(one.updated for one in done) == 2000
    assert ids(loans) == list(range(2000))


def test_the_log_has_it_all(loans: Place) -> None:
    """Who uploaded what, when, and how many rows; with each row that is not in."""
    done = loans.upload(file(loans, *GOOD, "4,A,x,abc,,"))
    with loans.app() as app:
        (one,) = app.uploads()
        found, causes, rejects = app.show_upload(one.id[:6])
        assert found == one == done.upload
        assert (dict(causes), [reject.line for reject in rejects]) == ({"wrong type": 1}, [5])
    assert (one.name, one.mode, one.state, one.rows_read, one.batches) == ("loans.csv", "append", "partial", 4, 1)
    assert one.started <= (one.ended or one.started) <= dt.datetime.now(dt.UTC)
    assert one.login
    assert replace(one, size=0) != one
