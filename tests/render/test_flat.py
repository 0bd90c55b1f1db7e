"""CSV files: every digit comes back, and no text in them is run by a spreadsheet."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.definition import CsvFile
from reports.errors import RenderError
from reports.model import Column
from reports.render import flat


def written(frame: pd.DataFrame, **options: Any) -> tuple[bytes, Sequence[str]]:
    columns = [Column(key=key, label=key) for key in frame.columns]
    return flat.write(frame, columns, CsvFile.model_validate({"dataset": "x"} | options), where="x.csv")


def cells(values: Sequence[Any], dtype: Any = object, **options: Any) -> list[str]:
    """What the csv module finds under the heading of one column."""
    content, _ = written(pd.DataFrame({"v": pd.Series(list(values), dtype=dtype)}), **options)
    return [row[0] for row in csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))][1:]


def test_excel_opens_it_as_it_is() -> None:
    """A mark at its start, CR and LF at the end of lines, quotes where they are needed."""
    content, said = written(pd.DataFrame({"a": ["x,y", "é"], "b": [1, 2]}))
    assert content == b'\xef\xbb\xbfa,b\r\n"x,y",1\r\n\xc3\xa9,2\r\n'
    assert said == []


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "\xa0=1", "＝1", "＋1", "－1", "＠1", "\x00=1", "\tx"],
)  # fmt: skip
def test_a_text_that_would_be_evaluated_is_guarded(text: str) -> None:
    """By a ' before it, whatever else stands before; said with their number and column."""
    assert cells([text, "plain"]) == [f"'{text}", "plain"]
    _, said = written(pd.DataFrame({"v": [text, "plain", text]}))
    assert said == ["x.csv, column v: 2 texts that a spreadsheet would evaluate begin with ' now"]
    assert cells([text], guard=False) == [text]


@pytest.mark.parametrize("text", ["a=b", "2-1", "", " ", "'x", "1,5", "#N/A", "00123", "mailto:=x"])
def test_other_texts_are_left_alone(text: str) -> None:
    """Also those with such a sign inside."""
    assert cells([text, "x"])[0] == text


def test_a_heading_is_guarded_too() -> None:
    """A query may name its column as it likes."""
    content, _ = written(pd.DataFrame({"=1+1": [1]}))
    assert content.decode("utf-8-sig").splitlines()[0] == "'=1+1"


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        ([-1.5, 0.1 + 0.2, 1e300, float("nan")], float, ["-1.5", "0.30000000000000004", "1e+300", ""]),
        ([-1, 2**63 - 1], "int64", ["-1", "9223372036854775807"]),
        ([10**40, None], object, ["1" + "0" * 40, ""]),
        ([1, None], "Int64", ["1", ""]),
        ([Decimal("-1.10"), Decimal("1E+3"), Decimal("NaN")], object, ["-1.10", "1000", ""]),
        ([True, None, False], object, ["TRUE", "", "FALSE"]),
        ([float("-inf")], float, ["-inf"]),
        ([dt.date(1850, 1, 2), None], object, ["1850-01-02", ""]),
        (["2026-10-31", None], "datetime64[us]", ["2026-10-31", ""]),
        (["2026-10-31 07:30:00.5", None], "datetime64[us]", ["2026-10-31 07:30:00.500000", ""]),
        ([b"\x00\xff"], object, ["00ff"]),
    ],
)
def test_every_digit_is_kept(values: list[Any], dtype: Any, expected: list[str]) -> None:
    """Numbers whole, negative ones unguarded, dates as ISO has them, nothing as nothing."""
    assert cells(values, dtype) == expected


def test_instants_carry_the_offset_of_their_zone() -> None:
    """The two hours of an October night stay two."""
    night = pd.Series(pd.to_datetime(["2026-10-25 00:30", "2026-10-25 01:30"]).tz_localize("UTC"))
    assert cells(night.dt.tz_convert("Europe/Berlin"), dtype=None) == [
        "2026-10-25 02:30:00+02:00",
        "2026-10-25 02:30:00+01:00",
    ]


def test_a_comma_for_decimals() -> None:
    """In numbers alone, never in texts or dates."""
    frame = pd.DataFrame({"a": [1.5], "b": ["1.5"], "c": [Decimal("2.50")], "d": [dt.date(2026, 1, 1)]})
    content, _ = written(frame, decimal=",", delimiter=";")
    assert content.decode("utf-8-sig").splitlines()[1] == "1,5;1.5;2,50;2026-01-01"


def test_a_character_that_the_encoding_lacks_is_an_error() -> None:
    """With the way out; nothing is written as a question mark."""
    with pytest.raises(RenderError, match="character '现' cannot be written in cp1252") as caught:
        written(pd.DataFrame({"a": ["现金"]}), encoding="cp1252")
    assert "leave the key 'encoding' out" in caught.value.hint


def test_half_a_character_is_counted() -> None:
    """No encoding has it; it is never changed in silence."""
    content, said = written(pd.DataFrame({"a": ["x\ud800"]}, dtype=object))
    assert "x\ufffd" in content.decode("utf-8-sig")
    assert said == ["x.csv, column a: 1 texts had half a character, which is � now"]


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(TEXTS, st.floats(allow_nan=False), st.integers(), st.decimals(allow_nan=False, allow_infinity=False)), min_size=1, max_size=8))  # fmt: skip
def test_what_is_written_comes_back(rows: list[tuple[str, float, int, Decimal]]) -> None:
    """Through the csv module, the same texts and numbers; a guarded text is one ' longer and no formula any more."""
    frame = pd.DataFrame(rows, columns=["text", "float", "int", "decimal"], dtype=object)
    content, _ = written(frame)
    found = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))[1:]
    for (text, double, whole, exact), row in zip(rows, found, strict=True):
        assert row[0] in {text, f"'{text}"}
        assert not row[0].lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))
        assert (float(row[1]), int(row[2]), Decimal(row[3])) == (double, whole, exact)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.text("abc é现,;\"'\n", max_size=8), st.floats(allow_nan=False, allow_infinity=False)), min_size=1, max_size=8))  # fmt: skip
def test_pandas_reads_the_same(rows: list[tuple[str, float]]) -> None:
    """Lines inside a cell included."""
    content, _ = written(pd.DataFrame(rows, columns=["text", "float"]), guard=False)
    found = pd.read_csv(
        io.BytesIO(content),
        dtype={"text": str},
        keep_default_na=False,
        encoding="utf-8-sig",
    )
    assert list(found["float"]) == [double for _, double in rows]
    assert list(found["text"]) == [text for text, _ in rows]
