"""Names that Excel accepts, of whatever people call their things."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.render.sheet_names import file_name, headings, quoted, sheet_names, specifier, table_names

NAMES = st.lists(st.text(st.characters(), max_size=40) | st.sampled_from(["A", "a", "History", "R1C1", "A1"]))


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


@given(NAMES)
def test_sheet_names_are_valid_and_differ(names: list[str]) -> None:
    """At most 31 units, no forbidden character, no apostrophe at an end, no two alike, none reserved."""
    made = sheet_names(names)
    assert len(made) == len({name.casefold() for name in made}) == len(names)
    for name in made:
        assert 0 < units(name) <= 31
        assert not re.search(r"[\[\]:*?/\\\x00-\x1f]|^'|'$", name)
        assert name.casefold() != "history"


@given(NAMES)
def test_table_names_are_valid_and_differ(names: list[str]) -> None:
    """Letters, digits and underscores from a letter on, no two alike, and never a cell's address."""
    made = table_names(sheet_names(names))
    assert len(made) == len({name.casefold() for name in made}) == len(names)
    for name in made:
        assert re.fullmatch(r"[^\W\d_]\w*", name)
        assert not re.fullmatch(r"[A-Za-z]{1,3}[0-9]+|[Rr][0-9]*([Cc][0-9]*)?|[Cc][0-9]*", name)


@given(NAMES)
def test_headings_are_single_lines_that_differ(labels: list[str]) -> None:
    """None empty, none of two lines, no two alike without regard to case."""
    made = headings(labels)
    assert len(made) == len({name.casefold() for name in made}) == len(labels)
    assert all(name and "\n" not in name and units(name) <= 255 for name in made)


@given(st.text(st.characters()))
def test_file_names_suit_every_system(name: str) -> None:
    """No separator, no control character, no device of Windows, no dot or blank at an end."""
    made = file_name(name)
    assert made.endswith(".xlsx")
    assert not re.search(r'[<>:"/\\|?*\x00-\x1f]', made)
    assert not re.fullmatch(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?", made)
    assert made.removesuffix(".xlsx").strip(" .")
    made.encode()


@pytest.mark.parametrize(
    ("given_", "expected"),
    [("Cash flow 2026-10-31.xlsx", "Cash flow 2026-10-31.xlsx"), ("报表", "报表.xlsx"), ("nul", "_nul.xlsx"),
     ("../x", "-x.xlsx"), ("A.XLSX", "A.xlsx"), ("...", "report.xlsx")],
)  # fmt: skip
def test_file_names_change_no_more_than_they_must(given_: str, expected: str) -> None:
    """A good name stays; a bad one stays recognisable."""
    assert file_name(given_) == expected


def test_references_quote_what_has_a_meaning() -> None:
    """An apostrophe is doubled in a sheet's name; brackets, # and ' are marked in a column's."""
    assert quoted("Bob's") == "'Bob''s'"
    assert specifier("Net [%] #1's") == "[Net '[%'] '#1''s]"
