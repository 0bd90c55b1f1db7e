# ruff: noqa: S608
"""Rows that do not fit: an error with the place, or set aside; never dropped in silence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reports.errors import SourceError
from reports.model import Dataset, Query
from reports.sources import Source

Ask = Callable[..., Dataset]
TYPES = {"a": "integer", "b": "text", "c": "date"}
HEAD = 'a,b,c\n1,"x\ny\nz",2026-01-01\n'
GOOD = "7,ok,2026-01-01\n"


@pytest.mark.parametrize(
    ("row", "column", "value", "reason"),
    [
        ("bad,x,2026-01-01", "a", "bad", "is not a whole number"),
        ("2,x,2026-13-01", "c", "2026-13-01", "is not a date"),
        ("bad,x,2026-13-01", "a", "bad", "is not a whole number"),
        ("3,x", "", "", "has 2 columns where the header has 3"),
        ("4,x,2026-01-01,5,6", "", "", "has 5 columns where the header has 3"),
        ('5,"x"y,2026-01-01', "b", "", "has a quote that is not closed, or text after the closing quote"),
        ("6,\udcff,2026-01-01", "b", "", "has bytes that are not of the file's encoding"),
    ],
)
def test_a_bad_row_is_an_error_or_set_aside(
    ask: Ask, tmp_path: Path, row: str, column: str, value: str, reason: str
) -> None:
    """Each kind of bad row is told with its line (after quoted newlines), column, value and reason."""
    raw = f"{HEAD}{row}\n{GOOD}".encode("utf-8", "surrogateescape")
    with pytest.raises(SourceError) as error:
        ask(raw, types=TYPES)
    assert "line 5" in str(error.value)
    assert reason in str(error.value) or "byte 30 is 0xFF" in str(error.value)
    answer = ask(raw, types=TYPES, on_bad_rows="collect")
    assert list(answer.frame["a"]) == [1, 7]
    found = answer.rejected["t"].to_dict("records")
    assert len(found) == 1
    assert found[0] == found[0] | {"file": "t.csv", "line": 5, "column": column, "value": value}
    assert found[0]["reason"].startswith(reason)
    assert column == "b" or found[0]["row"] == row


def test_one_record_for_each_bad_row_in_order(ask: Ask) -> None:
    """Rows of every kind together: one record each, by line, and the rest counts."""
    bad = ["x,1,2026-01-01", "2,3", "3,x,never", '4,"a\nb",2026-01-01,9', "y,y,y"]
    answer = ask(HEAD + GOOD.join(f"{row}\n" for row in bad), types=TYPES, on_bad_rows="collect")
    assert list(answer.rejected["t"]["line"]) == [5, 7, 9, 11, 14]
    assert len(answer.frame) == 1 + 4


@pytest.mark.parametrize("sql", ["count(*) AS n", "count(a) AS n", "count(b) AS n", "count(c) AS n", "sum(1) AS n"])
def test_collected_rows_are_the_same_whatever_a_query_selects(ask: Ask, sql: str) -> None:
    """A row set aside for one column is not counted by a query of another."""
    text = HEAD + "bad,x,2026-01-01\n8,x,never\n9,x\n" + GOOD
    answer = ask(text, f"SELECT {sql} FROM t", types=TYPES, on_bad_rows="collect")
    assert answer.frame["n"][0] == 2
    assert len(answer.rejected["t"]) == 3


def test_a_bad_value_in_a_column_not_used_leaves_its_row_in(ask: Ask) -> None:
    """Without collecting, all rows count or the query fails: values are looked at where they are used."""
    text = "a,b\n1,x\nbad,y\n3,z\n"
    for sql in ("count(*) AS n", "count(b) AS n"):
        assert ask(text, f"SELECT {sql} FROM t", types={"a": "integer"}).frame["n"][0] == 3
    for sql in ("sum(a)", "count(a)", "max(a)"):
        with pytest.raises(SourceError, match="line 3, column a: 'bad'"):
            ask(text, f"SELECT {sql} FROM t", types={"a": "integer"})


@pytest.mark.parametrize("sql", ["count(*)", "count(a)", "max(b)"])
def test_a_row_that_cannot_be_cut_fails_every_query(ask: Ask, sql: str) -> None:
    """Too few columns are an error whatever is selected."""
    with pytest.raises(SourceError, match="line 3 has 1 columns where the header has 2"):
        ask("a,b\n1,x\n2\n3,z\n", f"SELECT {sql} FROM t")


def test_a_ragged_line_does_not_confuse_the_sample(ask: Ask) -> None:
    """Types and delimiter are found although lines among the first are broken."""
    answer = ask("a;b\n1;2\n3\n4;5;6\n7;8\n", on_bad_rows="collect")
    assert [str(kind) for kind in answer.frame.dtypes] == ["int64", "int64"]
    assert list(answer.rejected["t"]["line"]) == [3, 4]


def test_how_many_more_do_not_fit_is_said(ask: Ask) -> None:
    """The error is about the first row and counts the others."""
    with pytest.raises(SourceError, match=r"line 2, column a: 'x' .*\(and 2 more rows\)") as error:
        ask("a,b\nx,1\n2,2\ny,3\nz,4\n", types={"a": "integer"})
    assert 'on_bad_rows = "collect"' in error.value.hint


def test_a_quote_never_closed_is_told(ask: Ask) -> None:
    """A quote that swallows the rest of the file is found at the line that opens it."""
    text = 'a,b\n1,"x\n2,y\n3,z\n'
    with pytest.raises(SourceError, match="line 2, column b has a quote that is not closed"):
        ask(text)
    collected = ask(text, on_bad_rows="collect").rejected["t"]
    assert collected["row"][0] == '1,"x\n2,y\n3,z'


def test_values_refused_far_below_are_collected_too(ask: Ask) -> None:
    """Leading zeros beyond the sample are set aside with their lines."""
    numbers = "".join(f"{n},x\n" for n in range(1, 30_001))
    answer = ask(f"id,x\n{numbers}00715,y\n", "SELECT count(*) AS n FROM t", on_bad_rows="collect")
    assert answer.frame["n"][0] == 30_000
    assert answer.rejected["t"].to_dict("records")[0]["line"] == 30_002


def test_rejects_of_several_files(files: Callable[..., Source], tmp_path: Path) -> None:
    """Each row set aside names its own file, and only tables of the query are told of."""
    (tmp_path / "p1.csv").write_text("a,b\n1,x\nbad,y\n")
    (tmp_path / "p2.csv").write_text("b;a\ny;2\nz\n")
    (tmp_path / "other.csv").write_text("a\nbad\n")
    source = files(
        files={"p": "p*.csv", "other": "other.csv"}, types={"a": "integer"}, on_bad_rows="collect", null_words=["-"]
    )
    assert "2 rows set aside" in source.check()
    answer = source.fetch(Query(name="q", sql="SELECT sum(a) AS s FROM p", source="t"), {})
    assert answer.frame["s"][0] == 3
    found: list[tuple[Any, ...]] = list(
        answer.rejected["p"][["file", "line", "column"]].itertuples(index=False, name=None)
    )
    assert found == [("p1.csv", 3, "a"), ("p2.csv", 3, "")]
    assert list(answer.rejected) == ["p"]


def test_a_transcoded_file_keeps_its_lines(ask: Ask) -> None:
    """Lines are those of the file itself, in whatever encoding."""
    raw = '名,n\n"中\n文",1\n乙,x\n'.encode("gbk")
    with pytest.raises(SourceError, match="line 4, column n: 'x'"):
        ask(raw, encoding="gbk", types={"n": "integer"})
