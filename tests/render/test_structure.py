"""The rules of the published structure: hypothesis' books keep them, and books that break them are found out."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.xlsx import faults

from reports.model import About, Book, Chart, Column, Figure, Figures, Provenance, Sheet, Table
from reports.render import workbook

TEXTS = st.text(st.characters(), max_size=40)
NUMBERS = st.floats() | st.integers(-(10**20), 10**20) | st.decimals(allow_nan=True, allow_infinity=True)
VALUES = TEXTS | NUMBERS | st.booleans() | st.none() | st.dates() | st.datetimes()
FORMATS = st.sampled_from(["text", "integer", "number", "currency", "compact", "percent", "date", "datetime", "month"])
LOOKS = st.sampled_from(["", "bar", "heat", "change"])


@st.composite
def tables(draw: st.DrawFn) -> Table:
    width = draw(st.integers(1, 4))
    rows = draw(st.lists(st.tuples(*[VALUES] * width), max_size=12))
    frame = pd.DataFrame(rows, columns=[f"c{n}" for n in range(width)], dtype=object)
    columns = [
        Column(key=f"c{n}", label=draw(TEXTS), format=draw(FORMATS), look=draw(LOOKS), description=draw(TEXTS))
        for n in range(width)
    ]
    return Table(frame=frame, columns=columns, title=draw(TEXTS))


@st.composite
def figures(draw: st.DrawFn) -> Figures:
    made = [
        Figure(label=draw(TEXTS), value=draw(VALUES), format=draw(FORMATS), note=draw(TEXTS), before=draw(VALUES))
        for _ in range(draw(st.integers(0, 3)))
    ]
    return Figures(items=made, title=draw(TEXTS))


@st.composite
def books(draw: st.DrawFn) -> Book:
    contents = draw(st.lists(tables() | figures(), min_size=1, max_size=4))
    origin = Provenance(dataset=draw(TEXTS), source=draw(TEXTS), sql=draw(TEXTS), query_hash="0", rows=1)
    about = About(job=draw(TEXTS), datasets=[origin], params={"a": draw(VALUES)}, notices=[draw(TEXTS)])
    sheets = [Sheet(name=draw(TEXTS), content=content) for content in contents]
    return Book(file="b", sheets=sheets, title=draw(TEXTS), about=draw(st.sampled_from([None, about])))


@settings(max_examples=60, deadline=None)
@given(books(), st.integers(3, 20))
def test_any_book_keeps_the_rules(made: Book, most: int) -> None:
    """Whatever stands in it, on as many sheets as it takes."""
    assert faults(workbook.write(made, most=most).artifact.content) == []


def good() -> bytes:
    frame = pd.DataFrame({"a": ["x", "y"], "b": [1.5, -2.0]})
    columns = [Column(key="a", label="A"), Column(key="b", label="B", format="number", total=True, look="bar")]
    chart = Chart(frame=frame, kind="bar", x=columns[0], y=columns[1:])
    sheets = [
        Sheet(name="S", content=Figures(items=[Figure(label="x", value=1)])),
        Sheet(name="T", content=Table(frame=frame, columns=columns), charts=[chart]),
    ]
    return workbook.write(Book(file="b", sheets=sheets, as_of=dt.date(2026, 10, 31))).artifact.content


def changed(content: bytes, part: str, old: str, new: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as package, zipfile.ZipFile(out, "w") as copy:
        for name in package.namelist():
            text = package.read(name)
            if name == part:
                assert re.search(old, text.decode())
                text = re.sub(old, new, text.decode(), count=1).encode()
            copy.writestr(name, text)
    return out.getvalue()


@pytest.mark.parametrize(
    ("part", "old", "new", "said"),
    [
        ("xl/worksheets/sheet2.xml", r'<c r="A2" s="\d+"', '<c r="A2" s="999"', "format that is not there"),
        ("xl/worksheets/sheet2.xml", 't="s"><v>\\d+', 't="s"><v>999', "cells name strings"),
        ("xl/worksheets/sheet2.xml", '<row r="3"', '<row r="2"', "row 2 stands after row 2"),
        ("xl/worksheets/sheet2.xml", 'r="B2"', 'r="A2"', "A2 is out of place"),
        ("xl/worksheets/sheet2.xml", "<v>1.5</v>", "<v>nan</v>", "has the number nan"),
        ("xl/worksheets/sheet2.xml", "(<pageMargins[^>]*>)(<pageSetup[^>]*>)", r"\2\1", "out of order"),
        ("xl/worksheets/sheet2.xml", "<x14:id>.", "<x14:id>!", "data bars are"),
        ("xl/tables/table1.xml", 'name="B"', 'name="C"', "its cell has 'B'"),
        ("xl/tables/table1.xml", 'name="B"', 'name="a"', "the heading a twice"),
        ("xl/tables/table1.xml", 'displayName="T"', 'displayName="T1"', "no table can be called T1"),
        ("xl/tables/table1.xml", 'ref="A1:B4"', 'ref="A1:C4"', "2 columns in A1:C4"),
        ("xl/workbook.xml", 'name="T"', 'name="s"', "two sheets have the name s"),
        ("xl/workbook.xml", 'name="T"', 'name="a:b"', "no sheet can be called"),
        ("xl/_rels/workbook.xml.rels", "worksheets/sheet2.xml", "worksheets/sheet9.xml", "sheet9.xml, which is not there"),
        ("[Content_Types].xml", "/xl/tables/table1.xml", "/xl/tables/table7.xml", "which is not there"),
        ("xl/styles.xml", '<cellXfs count="', '<cellXfs count="9', "says it has 9"),
        ("xl/styles.xml", 'fontId="1"', 'fontId="77"', "a font that is not there"),
    ],
)  # fmt: skip
def test_a_broken_rule_is_found(part: str, old: str, new: str, said: str) -> None:
    """Or no rule would be kept by the test above."""
    found = faults(changed(good(), part, old, new))
    assert any(re.search(said, fault) for fault in found), found


def test_a_good_book_has_no_faults() -> None:
    """Nor does the copy that the broken ones are made of."""
    assert faults(good()) == faults(changed(good(), "xl/workbook.xml", 'name="T"', 'name="T"')) == []


def test_values_outside_of_their_kind_are_in_the_book() -> None:
    """The books above do hold what Excel cannot: it is noted."""
    frame = pd.DataFrame({"a": ["\x07", 10**20]}, dtype=object)
    sheet = Sheet(name="S", content=Table(frame=frame, columns=[Column(key="a", label="A", format="number")]))
    notes = workbook.write(Book(file="b", sheets=[sheet])).notes
    assert {note.odd.kind for note in notes} == {"other", "replaced", "digits"}
