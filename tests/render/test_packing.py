"""Zips: equal bytes for equal files."""

from __future__ import annotations

import io
import zipfile

from reports.model import Artifact
from reports.render.packing import zipped

FILES = [
    Artifact(name="现金 loans.csv", media_type="text/csv", content=b"a,b\r\n" * 100),
    Artifact(name="b.bin", media_type="x/y", content=b""),
]


def test_every_file_is_in_it_under_its_name() -> None:
    """In the order given, whole."""
    packed = zipped("all.zip", FILES)
    with zipfile.ZipFile(io.BytesIO(packed.content)) as archive:
        assert [(name, archive.read(name)) for name in archive.namelist()] == [
            (file.name, file.content) for file in FILES
        ]
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert (packed.name, packed.media_type) == ("all.zip", "application/zip")


def test_equal_files_give_equal_bytes() -> None:
    """Whenever it is made; other content gives others."""
    assert zipped("a.zip", FILES) == zipped("a.zip", FILES)
    assert zipped("a.zip", FILES).sha256 != zipped("a.zip", FILES[:1]).sha256


def test_what_is_encrypted_is_known_by_what_is_in_it() -> None:
    """Two encryptions of one workbook are two files of one content."""
    first, second, other = (
        Artifact(name="a.xlsx", media_type="x/y", content=content, plain_sha256=plain)
        for content, plain in [(b"1", "p"), (b"2", "p"), (b"2", "q")]
    )
    assert zipped("a.zip", [first]).plain_sha256 == zipped("a.zip", [second]).plain_sha256 != ""
    assert zipped("a.zip", [other]).plain_sha256 != zipped("a.zip", [first]).plain_sha256
    assert zipped("a.zip", FILES).plain_sha256 == ""
