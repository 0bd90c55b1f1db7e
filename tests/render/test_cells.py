"""Values as cells: the parts that a finished workbook shows only in passing."""

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.render.cells import clean, display_width, markup, widest


@given(st.text(st.characters()))
def test_any_text_can_be_written_and_parsed(text: str) -> None:
    """What `markup` gives is well-formed XML, and holds the cleaned text with its escapes doubled."""
    element = ET.fromstring(f"<t>{markup(text)}</t>")  # noqa: S314  our own text
    assert (element.text or "").replace("_x005F_", "_") == clean(text).replace("_x005F_", "_")


@given(st.text(st.characters()))
def test_cleaning_keeps_what_can_be_kept(text: str) -> None:
    """Cleaning twice changes nothing more, and plain text not at all."""
    assert clean(clean(text)) == clean(text)
    if text.isprintable():
        assert clean(text) == text


@pytest.mark.parametrize(("text", "width"), [("", 0), ("abc", 3), ("贷款", 4), ("é", 1), ("ab\nlonger line", 2)])
def test_width_is_of_the_first_line_in_digits(text: str, width: int) -> None:
    """East Asian characters are two digits wide, and what wraps below does not widen a column."""
    assert display_width(text) == width


@given(st.lists(st.text(st.characters(), max_size=30)))
def test_many_are_as_wide_as_the_widest(texts: list[str]) -> None:
    """Measured together or one by one."""
    assert widest(texts) == max(map(display_width, texts), default=0)
