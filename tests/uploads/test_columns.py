"""Columns of files and of tables, brought together."""

from __future__ import annotations

import pytest

from reports.errors import SourceError
from reports.uploads.columns import Column, matched

ID = Column(name="Id", declared="int", kind="integer", nullable=False, filled=True, identity=True)
NAME = Column(name="Name", declared="text", kind="text", nullable=False)
NOTE = Column(name="note", declared="text", kind="text")
TOTAL = Column(name="total", declared="int", kind="integer", filled=True, computed=True)
TABLE = [ID, NAME, NOTE, TOTAL]


def match(*names: str, header: bool = True) -> list[tuple[int, Column]]:
    return matched(names, TABLE, header=header, file="x.csv", table="dbo.t")


def test_by_name_whatever_its_capitals() -> None:
    """In the file's order; what the database fills need not be there."""
    assert match("NOTE", "name") == [(0, NOTE), (1, NAME)]
    assert match("id", "Name") == [(0, ID), (1, NAME)]


def test_by_place_without_a_header() -> None:
    """Counters and computed columns aside."""
    assert match("column1", "column2", header=False) == [(0, NAME), (1, NOTE)]
    with pytest.raises(SourceError, match=r"has 1 columns and no header, dbo.t takes 2"):
        match("column1", header=False)


def test_what_does_not_go_together() -> None:
    """Unknown columns with the nearest name, computed ones, and those that are needed."""
    with pytest.raises(SourceError, match="a column 'nme'") as error:
        match("nme", "name")
    assert "did you mean 'Name'" in error.value.hint
    with pytest.raises(SourceError, match=r"'total' of dbo.t is computed"):
        match("name", "total")
    with pytest.raises(SourceError, match="lacks the column 'Name'"):
        match("note")
