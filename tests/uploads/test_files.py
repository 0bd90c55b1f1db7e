"""Files of every kind through the whole way and back out equal."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from places import Place, place

from reports.errors import SourceError


@pytest.fixture
def where(tmp_path: Path) -> Place:
    reading = (
        '[sources.german]\nfiles = "x.csv"\nencoding = "gbk"\ndelimiter = ";"\ndecimal = ","\nthousands = "."\n'
        'date_format = "%d.%m.%Y"\nnull_words = ["NA"]\ntypes = { amount = "decimal(20, 2)" }\n'
        '[sources.bare]\nfiles = "x.csv"\nheader = false\n'
    )
    return place("sqlite", tmp_path, "sqlite:///wh.db", more=reading)


def back(where: Place, table: str = "made") -> list[tuple[Any, ...]]:
    return where.rows(f"SELECT * FROM {table} ORDER BY rowid")  # noqa: S608  a name of the tests


def test_the_corner_cases_of_csv(where: Place, shared_data: Path) -> None:
    """Each file of csv-spectrum comes back out as it is expected to be read, with an empty field as NULL."""
    folder = shared_data / "csv-spectrum"
    files = sorted((folder / "csvs").glob("*.csv"))
    assert len(files) == 12
    for file in files:
        expected = json.loads((folder / "json" / f"{file.stem}.json").read_text("utf-8"))
        expected = expected if isinstance(expected, list) else [expected]
        names = list(expected[0]) if expected else []
        where.run("DROP TABLE IF EXISTS made")
        where.run(f"CREATE TABLE made ({', '.join(f'{json.dumps(name)} TEXT' for name in names)})")
        done = where.upload(file, "wh.made")
        assert (done.state, done.inserted) == ("succeeded", len(expected)), file.name
        found = [dict(zip(names, (value or "" for value in row), strict=True)) for row in back(where)]
        for row in (*found, *expected):
            row.pop("Contact Phone Number", None)  # of which the expectation has another than the file
        assert found == expected


@pytest.mark.parametrize(
    ("name", "null"),
    [
        ("freddie_2020q1_sampler.csv", ""),
        ("lendingclub_openintro_loans_full_schema.csv", ""),
        ("sba_case_california.csv", ""),
        ("berka_czech_loans_excerpt.csv", ""),
        ("lendingclub_42538_four_columns.csv", ""),
    ],
)
def test_real_loans(where: Place, shared_data: Path, name: str, null: str) -> None:
    """Into a table that is made for them, every value back out as it stands in the file: ids with their zeros."""
    file = shared_data / "loans" / name
    done = where.upload(file, "wh.made", create=True)
    with file.open(encoding="utf-8-sig", newline="") as opened:
        header, *rows = [row for row in csv.reader(opened) if row]
    assert (done.state, done.rejected, done.inserted) == ("succeeded", 0, len(rows))
    columns = [row[1] for row in where.rows("PRAGMA table_info(made)")]
    assert columns == [name.strip() or f"column{n}" for n, name in enumerate(header, 1)]
    for put, found in zip(rows, back(where), strict=True):
        for text, value in zip(put, found, strict=True):
            assert (value is None) == (text == null)
            assert value is None or value == text or float(value) == float(_number(text)), (text, value)


def _number(text: str) -> str:
    return {"true": "1", "false": "0"}.get(text.lower(), text)


def test_files_as_a_source_says_how_to_read_them(where: Place) -> None:
    """Encoding, delimiter, comma, thousands, dates, words that mean NULL, and types."""
    content = "name;amount;opened\n张三;1.234.567,89;31.01.2026\nNA;-0,5;NA\nx;1.5;32.01.2026\n"
    done = where.upload(where.write(content.encode("gbk")), "wh.made", create=True, source="german")
    assert (done.state, done.inserted, done.rejected) == ("succeeded", 3, 0)
    where.run("DROP TABLE made", "CREATE TABLE made (name TEXT, amount DECIMAL(12, 2), opened DATE)")
    done = where.upload(where.folder / "loans.csv", "wh.made", source="german", again=True)
    assert back(where) == [("张三", 1234567.89, "2026-01-31"), (None, -0.5, None)]
    (bad,) = where.rejects(done)
    assert (bad.line, bad.column, bad.value) == (4, "amount", "1.5")


def test_packed_excel_parquet_and_bom(where: Place) -> None:
    """The same rows whatever the file."""
    frame = pd.DataFrame({"id": ["007", "2"], "n": [1, 20], "amount": ["0.10", "12345678.90"]})
    text = frame.to_csv(index=False)
    where.write(gzip.compress(text.encode()), "a.csv.gz")
    where.write(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode(), "b.csv")
    frame.to_excel(where.folder / "c.xlsx", index=False)
    with duckdb.connect() as memory:
        memory.execute(f"COPY frame TO '{where.folder / 'd.parquet'}'")
    for name in ("a.csv.gz", "b.csv", "c.xlsx", "d.parquet"):
        where.run("DROP TABLE IF EXISTS made", "CREATE TABLE made (id TEXT, n INTEGER, amount DECIMAL(12, 2))")
        assert where.upload(where.folder / name, "wh.made", again=True).state == "succeeded"
        assert back(where) == [("007", 1, 0.1), ("2", 20, 12345678.9)], name


def test_a_table_made_from_parquet_keeps_its_texts(where: Place) -> None:
    """Digits that are a text there are a text here."""
    with duckdb.connect() as memory:
        memory.execute(f"COPY (SELECT '123' AS code, 5 AS n) TO '{where.folder / 'x.parquet'}'")
    assert where.upload(where.folder / "x.parquet", "wh.made", create=True).state == "succeeded"
    assert where.rows("SELECT typeof(code), typeof(n) FROM made") == [("text", "integer")]


def test_a_file_without_a_header(where: Place) -> None:
    """Its columns are the table's in their order."""
    where.run("CREATE TABLE made (id INTEGER, name TEXT)")
    where.write("1,x\n2,y\n")
    assert where.upload(where.folder / "loans.csv", "wh.made", source="bare").inserted == 2
    assert back(where) == [(1, "x"), (2, "y")]
    with pytest.raises(SourceError, match="has 3 columns and no header"):
        where.upload(where.write("1,x,y\n"), "wh.made", source="bare")


def test_a_table_may_be_called_anything(where: Place) -> None:
    """Names with blanks, dots and quotes, of the table and of its columns."""
    where.run('CREATE TABLE "my ""loans"".2026" ("the id" INTEGER PRIMARY KEY, "select" TEXT, "a""b" TEXT)')
    path = where.write('the id,select,"a""b"\n1,x,y\n')
    for mode in ("append", "replace", "upsert"):
        where.upload(path, 'wh."my ""loans"".2026"', mode=mode, key="the id" if mode == "upsert" else ())
        assert where.rows('SELECT * FROM "my ""loans"".2026"') == [(1, "x", "y")]


def test_a_source_that_may_not_be_written_to(where: Place) -> None:
    """The line to add is named."""
    settings = where.folder / "settings.toml"
    settings.write_text(settings.read_text("utf-8").replace("uploads = true\n", ""), "utf-8")
    with pytest.raises(SourceError, match="nothing may be written to the source 'wh'") as error:
        where.upload(where.write("a\n1\n"), "wh.made", create=True)
    assert "uploads = true" in error.value.hint
    assert not where.there("made")
