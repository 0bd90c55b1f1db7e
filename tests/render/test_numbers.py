"""A few of a chart's numbers."""

from __future__ import annotations

from typing import Any

import pandas as pd

from reports.model import Chart, Column
from reports.render.locales import ENGLISH, Locale
from reports.render.numbers import table
from reports.render.tables import MISSING, WrittenTable

MONTHS = pd.date_range("2026-01-01", periods=360, freq="MS")


def chart(frame: pd.DataFrame, *y: str, **changes: Any) -> Chart:
    given: dict[str, Any] = {"kind": "line", "x": Column(key="x", label="Month", format="month")}
    columns = [Column(key=key, label=key.upper(), format="integer") for key in y]
    return Chart(**(given | {"frame": frame, "y": columns} | changes))


def written(given: Chart) -> tuple[WrittenTable, list[tuple[str, ...]]]:
    found = table(given, ENGLISH)
    assert found
    return found, [tuple(cell.text for cell in row) for row in found.rows]


def test_six_months_stand_for_many_the_first_and_the_last_among_them() -> None:
    """Evenly spread; a row for each line; and it is said how many there are."""
    frame = pd.DataFrame({"x": MONTHS, "a": range(360), "b": range(360, 720)})
    found, rows = written(chart(frame, "a", "b"))
    labels = [heading.label for heading in found.headings]
    assert labels == ["Month", "2026-01", "2032-01", "2038-01", "2043-12", "2049-12", "2055-12"]
    assert rows == [("A", "0", "72", "144", "215", "287", "359"), ("B", "360", "432", "504", "575", "647", "719")]
    assert found.note == "6 of 360 months."


def test_few_points_are_all_there_in_their_order() -> None:
    """Nothing is said of others then."""
    frame = pd.DataFrame({"x": [3, 1, 2], "a": [30, 10, None]})
    found, rows = written(chart(frame, "a", x=Column(key="x", label="Epoch")))
    assert [heading.label for heading in found.headings] == ["Epoch", "1", "2", "3"]
    assert rows == [("A", "10", MISSING, "30")]
    assert found.note == ""


def test_of_categories_the_largest_are_told_in_the_order_of_the_chart() -> None:
    """However they are sorted; what is far below zero is large as well."""
    frame = pd.DataFrame({"x": list("abcdefgh"), "a": [1, 9, 8, 7, 6, 5, -90, 2]})
    found, rows = written(chart(frame, "a", kind="bar", x=Column(key="x", label="Region")))
    assert [heading.label for heading in found.headings] == ["Region", "b", "c", "d", "e", "f", "g"]
    assert rows == [("A", "9", "8", "7", "6", "5", "−90")]
    assert found.note == "The 6 largest of 8."


def test_categories_with_long_names_have_a_row_each() -> None:
    """So have those of several lines, a column each."""
    frame = pd.DataFrame({"x": ["a name too long for a column", "b"], "a": [1, 2], "b": [3, 4]})
    given: dict[str, Any] = {"kind": "bar", "x": Column(key="x", label="Region")}
    assert written(chart(frame, "a", **given))[1] == [("a name too long for a column", "1"), ("b", "2")]
    assert written(chart(frame[1:], "a", "b", **given))[1] == [("b", "2", "4")]


def test_each_panel_has_a_row() -> None:
    """By its name; a panel that ends early has no value later."""
    frame = pd.DataFrame({"x": [1, 2, 1], "of": ["one", "one", "two"], "a": [10, 20, 30]})
    _, rows = written(chart(frame, "a", kind="small_multiples", by="of", x=Column(key="x", label="Day")))
    assert rows == [("one", "10", "20"), ("two", "30", MISSING)]


def test_a_chart_without_values_has_no_table() -> None:
    """It says so itself."""
    assert table(chart(pd.DataFrame({"x": MONTHS[:2], "a": [None, None]}), "a"), ENGLISH) is None


def test_places_are_said_as_the_language_says_them() -> None:
    """Months by their names, and how many there are in its words."""
    frame = pd.DataFrame({"x": MONTHS, "a": range(360)})
    found = table(chart(frame, "a", x=Column(key="x", label="Monat")), Locale("de"))
    assert found
    assert [heading.label for heading in found.headings][:2] == ["Monat", "Jan. 2026"]
    assert found.note == "6 von 360 Monaten."
