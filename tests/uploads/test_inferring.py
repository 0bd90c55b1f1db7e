"""Types of new tables from the values of files."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.settings import FileSource
from reports.sources.stream import open_stream
from reports.uploads.inferring import Guess, guesses
from reports.uploads.values import Writing


def guess(folder: Path, *values: str, writing: Writing | None = None, types: dict[str, str] | None = None) -> Guess:
    """What a column of these values is, looked at two rows at a time."""
    path = folder / "x.csv"
    path.write_text("x;y\n" + "".join(f"{value};\n" for value in values), "utf-8")
    stream = open_stream(path, FileSource(files="", delimiter=";"), folder)
    return guesses(stream, types or {}, writing or Writing(), size=2)[0]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "-20", ""], "integer"),
        (["1", "007"], "text"),
        (["12345678901234567890"], "decimal"),
        (["1" * 39], "text"),
        (["1", "2.50"], "decimal"),
        (["1", "2.5e10"], "number"),
        (["1.5", "x"], "text"),
        (["true", "FALSE"], "boolean"),
        (["1", "0"], "integer"),
        (["2026-01-31", "2026-02-28"], "date"),
        (["2026-01-31", "2026-02-30"], "text"),
        (["2026-01-31", "2026-01-31 10:00:00"], "datetime"),
        (["2026-01-31T10:00:00Z", "2026-01-31 10:00:00+02:00"], "instant"),
        (["", ""], "text"),
        (["yes", "no"], "text"),
    ],
)
def test_the_strictest_kind_that_holds_every_value(tmp_path: Path, values: list[str], kind: str) -> None:
    """Whatever its place in the file; what would lose a zero or a digit is a text."""
    assert guess(tmp_path, *values).kind == kind
    assert guess(tmp_path, *reversed(values)).kind == kind


def test_how_large_numbers_are(tmp_path: Path) -> None:
    """Digits before the point and behind it, wherever they were seen, with room for larger ones."""
    assert guess(tmp_path, "1.2345", "123", "12345678901234").size == (18, 4)
    assert guess(tmp_path, "1.25").size == (13, 2)
    assert guess(tmp_path, "x", "yyyy").length == 4


def test_what_the_source_says(tmp_path: Path) -> None:
    """Types that are pinned, a decimal comma, dates by their format, words that mean nothing."""
    assert guess(tmp_path, "1", types={"x": "text"}).kind == "text"
    assert guess(tmp_path, "1", types={"x": "decimal(9, 3)"}).size == (9, 3)
    assert guess(tmp_path, "1.234,5", "NA", writing=Writing(decimal=",", thousands=".", null_words=frozenset({"NA"}))).kind == "decimal"  # fmt: skip
    assert guess(tmp_path, "31.01.2026", writing=Writing(date_format="%d.%m.%Y")).kind == "date"
