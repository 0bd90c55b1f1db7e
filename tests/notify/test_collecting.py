"""Promises of a collection: a loop goes on after errors, which are told at its end by cause, all of them attached."""

from __future__ import annotations

import datetime as dt
import io
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import openpyxl
import pandas as pd
import pytest
from mailserver import MailServer
from watched import Mail, end_watchers, mails, started, until
from watched import account as account_of

from reports.errors import TooManyErrors
from reports.notify import boxes, collect, gathering
from reports.notify.gathering import Gathered, fields, named
from reports.notify.voice import voice


@pytest.fixture(autouse=True)
def over() -> Iterator[None]:
    """What a test has collected is told before its server goes."""
    yield
    voice().close()
    end_watchers()


ROWS = [
    {"id": number, "amount": "12,3x" if number % 10 == 0 else str(number), "day": "2026-11-02" if number % 25 else "2026-13-01"}
    for number in range(1, 101)
]  # fmt: skip


def load(row: dict[str, Any]) -> None:
    float(row["amount"])
    dt.date.fromisoformat(row["day"])


def collected(**options: Any) -> Any:
    with collect("bulk load", **options) as errors:
        for row in ROWS:
            with errors.catch(row):
                load(row)
    return errors


def settled() -> None:
    assert voice().wait(60)
    assert boxes.flush(60)


def one(server: MailServer) -> Mail:
    """The only mail, once it is there."""
    assert until(lambda: server.messages)
    settled()
    (mail,) = mails(server)
    return mail


def sheet(mail: Mail) -> list[tuple[Any, ...]]:
    """The rows of the attached workbook, the headings first."""
    (content,) = [content for name, content in mail.files.items() if name.endswith(".xlsx")]
    book = openpyxl.load_workbook(io.BytesIO(content))
    return [tuple(row) for row in book.worksheets[0].iter_rows(values_only=True)]


def test_the_loop_goes_on_and_its_errors_are_counted(account: MailServer) -> None:
    """Those that went well, and those that failed."""
    errors = collected()
    assert (errors.good, errors.bad, bool(errors)) == (88, 12, True)
    mail = one(account)
    assert mail.subject.startswith("Finished with errors: bulk load on ")
    assert "12 rows of 100 failed" in mail.words
    assert mail.step == 100


def test_they_are_told_by_cause_the_most_frequent_first(account: MailServer) -> None:
    """With the rows that they befell, an example, and the place."""
    collected()
    mail = one(account)
    first, second = (mail.text.index(words) for words in ("could not convert string", "month must be in"))
    assert first < second
    assert "10, 20, 30, …" in mail.words
    assert "'12,3x'" in mail.words
    assert f"{Path(__file__).name}:" in mail.text


def test_all_of_them_are_attached_with_their_rows(account: MailServer) -> None:
    """Number and fields as they were, cause, message and place."""
    collected()
    heads, *rows = sheet(one(account))
    assert heads == ("Row", "id", "amount", "day", "Cause", "Message", "Where")
    assert [row[0] for row in rows] == [10, 20, 25, 30, 40, 50, 60, 70, 75, 80, 90, 100]
    assert rows[0][1:4] == (10, "12,3x", "2026-11-02")
    assert rows[0][4:6] == (
        "ValueError: could not convert string to float: …",
        "could not convert string to float: '12,3x'",
    )
    assert rows[0][6].startswith(__file__)
    assert rows[0][6].endswith(", in load")


def test_nothing_is_told_where_nothing_failed(account: MailServer) -> None:
    """Unless it is wanted always."""
    for options in ({}, {"always": True}):
        with collect("load", **options) as errors:  # type: ignore[arg-type]
            for row in range(3):
                with errors.catch(row):
                    pass
        assert not errors
    mail = one(account)
    assert mail.subject.startswith("Finished: load")
    assert "Every row went well." in mail.text


def test_an_error_of_the_loop_itself_is_told_with_those_of_rows(account: MailServer) -> None:
    """And passed on."""

    def loop() -> None:
        with collect("load") as errors:
            with errors.catch({"id": 7}):
                raise ValueError("bad row")
            raise ConnectionError("the database is gone")

    with pytest.raises(ConnectionError):
        loop()
    mail = one(account)
    assert mail.subject.startswith("Failed: load")
    assert "the database is gone" in mail.words
    assert "bad row" in mail.words
    assert sheet(mail)[1][:2] == (1, 7)


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_ends_programs_is_never_caught(account: MailServer, stop: type[BaseException]) -> None:
    """Nor counted as a row."""
    errors = collect("load")

    def loop() -> None:
        with errors, errors.catch(1):
            raise stop

    with pytest.raises(stop):
        loop()
    assert (errors.good, errors.bad) == (0, 0)


def test_a_limit_ends_the_loop(account: MailServer) -> None:
    """At one more than it, with the last error as the cause."""
    with pytest.raises(TooManyErrors, match=r"3 of 25 rows failed, and limit = 2") as caught:
        collected(limit=2)
    assert isinstance(caught.value.__cause__, ValueError)
    mail = one(account)
    assert mail.subject.startswith("Failed: bulk load")
    assert "limit = 2" in mail.words
    assert len(sheet(mail)) == 4


def test_memory_is_bounded_and_what_is_cut_is_told(account: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The counts are of all, the workbook has the first."""
    monkeypatch.setattr(gathering, "KEPT", 5)
    collected()
    mail = one(account)
    assert "12 rows of 100 failed. The first 5 of them are in the attached workbook." in mail.words
    assert len(sheet(mail)) == 6


def test_causes_beyond_measure_are_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where each message is a text of its own."""
    monkeypatch.setattr(gathering, "CAUSES", 3)
    gathered = Gathered()
    for number, word in enumerate("abcdefgh"):
        gathered.add(number, None, ValueError(word))
    assert [(cause.name, cause.count) for cause in gathered.causes] == [
        ("Others", 5), ("ValueError: a", 1), ("ValueError: b", 1), ("ValueError: c", 1),
    ]  # fmt: skip
    gathered.close()


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("could not convert string to float: '12,3x'", "could not convert string to float: 'n/a'"),
        ("row 17 has 3 fields, not 4", "row 1,812 has 12 fields, not 4"),
        ('no column "a b"', 'no column "c"'),
        ("late since 2026-11-02 10:00:01", "late since 2025-01-31 23:59:59"),
        ("<Loan at 0x7f12ab>", "<Loan at 0x55aa00>"),
        ("no 6f1c2d3e-0000-4000-8000-1234567890ab", "no 01234567-89ab-4def-8000-1234567890ab"),
        ("got -1.5e-3", "got 42"),
    ],
)
def test_values_do_not_tell_causes_apart(left: str, right: str) -> None:
    """Quoted texts, numbers, dates, addresses and ids are taken out."""
    assert named(ValueError(left)) == named(ValueError(right))
    assert named(ValueError(left)) != named(TypeError(left))


def test_words_tell_causes_apart() -> None:
    """And names of columns do."""
    assert named(ValueError("month must be in 1..12")) != named(ValueError("day is out of range for month"))
    assert named(KeyError("amount")) == named(KeyError("day"))  # the values of a KeyError are what it says at all


def test_a_databases_errors_are_told_by_column() -> None:
    """As for uploads."""
    with sqlite3.connect(":memory:") as connection:
        connection.execute("CREATE TABLE loans (id INTEGER UNIQUE)")
        connection.execute("INSERT INTO loans VALUES (1)")
        with pytest.raises(sqlite3.IntegrityError) as caught:
            connection.execute("INSERT INTO loans VALUES (1)")
    connection.close()
    assert named(caught.value) == "IntegrityError: duplicate key (id)"


@dataclass
class Loan:
    """A row as a dataclass."""

    id: int
    rate: float


class Pair(NamedTuple):
    """A row as a named tuple."""

    id: int
    rate: float


class Torn:
    """A row whose own code fails."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"id": 1, "rate": 0.5}, {"id": 1, "rate": 0.5}),
        (Loan(1, 0.5), {"id": 1, "rate": 0.5}),
        (Pair(1, 0.5), {"id": 1, "rate": 0.5}),
        (pd.Series({"id": 1, "rate": 0.5}), {"id": 1.0, "rate": 0.5}),
        ((4, pd.Series({"id": 1})), {"index": 4, "id": 1}),
        ([1, "x", None], {"column 1": 1, "column 2": "x", "column 3": None}),
        ("a,b,c", {"row": "a,b,c"}),
        (7, {"row": 7}),
        (None, {}),
        ({"day": dt.date(2026, 11, 2), "n": float("nan")}, {"day": "2026-11-02", "n": None}),
        ({"large": 2**60}, {"large": str(2**60)}),
        (Torn(), {"row": "(Torn)"}),
    ],
)
def test_rows_of_any_kind_have_fields(row: Any, expected: dict[str, Any]) -> None:
    """By name where they have names; numbers stay numbers."""
    assert fields(row) == expected


def test_threads_may_share_one(account: MailServer) -> None:
    """Each row is counted once."""
    with collect("load") as errors:

        def work() -> None:
            for number in range(500):
                with errors.catch(number):
                    _ = 1 / (number % 50)

        workers = [threading.Thread(target=work) for _ in range(4)]
        for each in workers:
            each.start()
        for each in workers:
            each.join()
    assert (errors.good, errors.bad) == (1960, 40)
    assert len(sheet(one(account))) == 41


def test_an_error_that_was_caught_already_may_be_added(account: MailServer) -> None:
    """As from a pool of workers."""
    with collect("load") as errors:
        try:
            _ = 1 / 0
        except ZeroDivisionError as error:
            errors.add(error, {"id": 3})
    assert sheet(one(account))[1][:3] == (1, 3, "ZeroDivisionError: division by zero")


def test_a_kill_tells_how_many_had_failed(alone: Path, server: MailServer, tmp_path: Path) -> None:
    """Though nothing had been told till then."""
    code = """
    import os, time
    from reports.notify import collect
    with collect("load") as errors:
        for row in range(64):
            with errors.catch(row):
                if row == 40:
                    raise ValueError(row)
        time.sleep(2)
        os.kill(os.getpid(), 9)
    """
    with started(alone, code, environment=account_of(server, tmp_path / "data")) as script:
        assert script.wait() == -9
    assert until(lambda: server.messages)
    (mail,) = mails(server)
    assert mail.subject.startswith("Killed: load")
    assert mail.step == 64
    assert "Failed 1" in mail.words


def test_a_wrong_option_is_told_at_once() -> None:
    """With those that there are."""
    with pytest.raises(TypeError, match="most; it takes to, via"):
        collect("load", most=3)  # type: ignore[call-arg]
