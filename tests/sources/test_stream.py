"""Records of files in their order and with their lines, whatever stands in them."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from reports.errors import SourceError
from reports.settings import FileSource
from reports.sources.framed import framed
from reports.sources.stream import Piece, Stream, open_stream

UNQUOTED = "has a quote that is not closed, or text after the closing quote"


def stream(folder: Path, content: bytes | str, name: str = "x.csv", **options: Any) -> Stream:
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return open_stream(file, FileSource(files="", **options), folder)


def rows(of: Stream, size: int = 3) -> list[tuple[int, int, list[Any]]]:
    """Number, line and values of each row."""
    return [
        (number, piece.line(number), list(row))
        for piece in of.pieces(size)
        for number, row in zip(piece.numbers, piece.rows, strict=True)
    ]


def broken(of: Stream, size: int = 3) -> list[tuple[int, int, str, str]]:
    return [(one.row, one.line, one.content, one.reason) for piece in of.pieces(size) for one in piece.broken]


def test_rows_with_their_lines(tmp_path: Path) -> None:
    """Also after values of several lines, and after blank lines, which are no rows."""
    found = stream(tmp_path, 'a,b\n1,x\n2,"two\nlines, and ""quotes"""\n\n3,\n4,end')
    assert rows(found) == [(1, 2, ["1", "x"]), (2, 3, ["2", 'two\nlines, and "quotes"']), (3, 6, ["3", ""]),
                           (4, 7, ["4", "end"])]  # fmt: skip
    assert broken(found) == []


@pytest.mark.parametrize("size", [1, 2, 100])
def test_records_that_are_no_rows(tmp_path: Path, size: int) -> None:
    """Too few and too many columns, and quotes that are never closed: each costs its own line and no other."""
    content = 'a,b\n1,x\n2\n3,"open\n4,x\n5,x,y\n6,"z"z\n7,"last\n8,x\n'
    found = stream(tmp_path, content)
    assert rows(found, size) == [(1, 2, ["1", "x"]), (4, 5, ["4", "x"]), (8, 9, ["8", "x"])]
    assert broken(found, size) == [
        (2, 3, "2", "has 1 columns where the header has 2"),
        (3, 4, '3,"open', UNQUOTED),
        (5, 6, "5,x,y", "has 3 columns where the header has 2"),
        (6, 7, '6,"z"z', UNQUOTED),
        (7, 8, '7,"last', UNQUOTED),
    ]


def test_a_quote_that_is_never_closed_does_not_swallow_a_long_file(tmp_path: Path) -> None:
    """However much comes after it."""
    lines = [f"{n},x" for n in range(60_000)]
    lines[100] = '100,"open'
    found = stream(tmp_path, "a,b\n" + "\n".join(lines * 5))
    assert sum(len(piece.rows) for piece in found.pieces(5000)) == 5 * 60_000 - 5
    assert [one[0] for one in broken(found, 5000)] == [101 + 60_000 * n for n in range(5)]


def test_the_parts_of_a_broken_record_are_no_rows_either(tmp_path: Path) -> None:
    """A value of several lines that turns out broken is not read as rows that look whole."""
    found = stream(tmp_path, 'a,b\n1,"x\n2,y"z\n3,x\n')
    assert [row for _, _, row in rows(found)] == [["3", "x"]]
    assert [one[2] for one in broken(found)] == ['1,"x', '2,y"z']


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\x00"), max_size=8) | st.sampled_from(
    ["", '"', "a\nb", 'x"y', "a,b", ";", "\r\n"]
)


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), min_size=1, max_size=20), st.integers(1, 7))
def test_what_a_writer_has_written_comes_back(values: list[list[str]], size: int) -> None:
    """Every value as it was, in the order of the file."""
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([["first", "second"], *values])
    with tempfile.TemporaryDirectory() as folder:
        found = stream(Path(folder), text.getvalue(), delimiter=",")
        assert [row for _, _, row in rows(found, size)] == values
        assert [number for number, _, _ in rows(found, size)] == list(range(1, len(values) + 1))


@pytest.mark.parametrize(
    ("name", "content", "options"),
    [
        ("bom.csv", b"\xef\xbb\xbfa,b\r\n1,\xe4\xb8\xad\r\n", {}),
        ("gbk.csv", "a,b\n1,中\n".encode("gbk"), {"encoding": "gbk"}),
        ("utf16.csv", "a,b\r\n1,中\r\n".encode("utf-16"), {}),
        ("zip.csv.gz", gzip.compress("a,b\n1,中\n".encode(), mtime=0), {}),
        ("semi.csv", "a;b\n1;中\n".encode(), {}),
        ("excel.csv", "sep=;\na;b\n1;中\n".encode(), {}),
        ("tab.tsv", "\n\na\tb\n1\t中\n".encode(), {}),
        ("pipe.txt", "a|b\n1|中".encode(), {"delimiter": "|"}),
    ],
)
def test_every_way_of_writing_text(tmp_path: Path, name: str, content: bytes, options: dict[str, Any]) -> None:
    """Marks, encodings, delimiters, line ends, and gzip."""
    found = stream(tmp_path, content, name, **options)
    assert list(found.names) == ["a", "b"]
    assert [row for _, _, row in rows(found)] == [["1", "中"]]


def test_bytes_of_another_encoding(tmp_path: Path) -> None:
    """They cost the row that they are in, by its column."""
    found = stream(tmp_path, b"a,b\n1,x\n2,\xff\xfe\n3,y\n")
    assert [row for _, _, row in rows(found)] == [["1", "x"], ["3", "y"]]
    (one,) = (one for piece in found.pieces(5) for one in piece.broken)
    assert (one.row, one.line, one.column, one.reason) == (2, 3, "b", "has bytes that are not of the file's encoding")


def test_a_file_without_a_header(tmp_path: Path) -> None:
    """Its first line is a row."""
    found = stream(tmp_path, "1,x\n2,y\n", header=False)
    assert rows(found) == [(1, 1, ["1", "x"]), (2, 2, ["2", "y"])]


def test_a_sheet_with_the_rows_that_people_see(tmp_path: Path) -> None:
    """Lines are rows of the sheet; what an error cell says is told."""
    book = Workbook()
    sheet = book.worksheets[0]
    for row in [[None, None], ["id", "day"], ["00715", dt.date(2026, 1, 31)], [2, None]]:
        sheet.append(row)
    sheet["B5"] = "#N/A"
    sheet["B5"].data_type = "e"
    sheet["A5"] = 1.5
    book.save(tmp_path / "x.xlsx")
    found = open_stream(tmp_path / "x.xlsx", FileSource(files=""), tmp_path)
    assert rows(found) == [(1, 3, ["00715", "2026-01-31"]), (2, 4, ["2", ""]), (3, 5, ["1.5", "#N/A"])]
    assert list(found.errors) == ["#N/A"]


def test_parquet_with_every_digit(tmp_path: Path) -> None:
    """Decimals, BIGINT, dates, times, bytes and NULL; texts are known to be texts."""
    with duckdb.connect() as memory:
        memory.execute(
            f"COPY (SELECT 9007199254740993 AS n, 0.10::DECIMAL(38, 2) AS d, DATE '2026-01-31' AS day, "
            f"TIMESTAMP '2026-01-31 10:00:00.123456' AS at, '007' AS code, NULL::INT AS nothing, 0.1::DOUBLE AS x, "
            f"true AS yes, '\\xAB'::BLOB AS raw) TO '{tmp_path / 'x.parquet'}'"
        )
    found = open_stream(tmp_path / "x.parquet", FileSource(files=""), tmp_path)
    assert rows(found) == [(1, 1, ["9007199254740993", "0.10", "2026-01-31", "2026-01-31 10:00:00.123456", "007",
                                   None, "0.1", "true", "0xAB"])]  # fmt: skip
    assert dict(found.kinds) == {"code": "text"}
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(SourceError, match="not a Parquet file"):
        open_stream(tmp_path / "bad.parquet", FileSource(files=""), tmp_path)


def test_frames_with_every_digit() -> None:
    """Whole numbers with NULLs, decimals, booleans, times with and without zone, bytes."""
    frame = pd.DataFrame({
        "n": pd.array([9007199254740993, None], dtype="Int64"), "f": [1.0, float("nan")], "x": [0.1, 1e300],
        "d": [Decimal("1E+2"), None], "b": [True, False], "at": pd.to_datetime(["2026-01-31 10:00:00.5", None]),
        "s": ["007", None], "raw": [b"\xab", None],
    })  # fmt: skip
    found = framed(frame)
    assert rows(found) == [
        (1, 1, ["9007199254740993", "1", "0.1", "100", "true", "2026-01-31 10:00:00.500000", "007", "0xab"]),
        (2, 2, [None, None, "1e+300", None, "false", None, None, None]),
    ]
    assert dict(found.kinds) == {"s": "text"}
    assert found.fingerprint() == framed(frame.copy()).fingerprint() != framed(frame.head(1)).fingerprint()
    with pytest.raises(SourceError, match="is a list"):
        framed([1])


@pytest.mark.parametrize("after", [0, 1, 4, 6, 7])
def test_pieces_end_where_an_upload_stopped(tmp_path: Path, after: int) -> None:
    """And their hashes do not depend on how the records before were cut into pieces."""
    found = stream(tmp_path, "a,b\n" + "".join(f"{n},x\n" for n in range(7)))
    pieces: list[Piece] = list(found.pieces(3, after=after))
    assert after in {0, *(piece.last for piece in pieces)}
    assert [number for piece in pieces for number in piece.numbers] == list(range(1, 8))
    one_by_one = {piece.last: piece.hash(piece.last) for piece in found.pieces(1)}
    for piece in pieces:
        assert [piece.hash(n) for n in piece.numbers] == [one_by_one[n] for n in piece.numbers]
    assert len(set(one_by_one.values())) == 7


def test_how_much_is_read_is_known(tmp_path: Path) -> None:
    """Of plain and of packed files."""
    text = "a,b\n" + "".join(f"{n},{'x' * (n % 50)}\n" for n in range(50_000))
    for name, content in (("x.csv", text.encode()), ("x.csv.gz", gzip.compress(text.encode()))):
        shares = [piece.share for piece in stream(tmp_path, content, name).pieces(5000)]
        assert shares == sorted(shares)
        assert 0 < shares[0] < shares[-1] == 1
