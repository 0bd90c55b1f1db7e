"""What differs between a file then and now is told so that somebody knows where to look."""

from __future__ import annotations

import io
from zipfile import ZipFile

import pytest
from PIL import Image

from reports.archive.comparing import differences


def picture(*, size: tuple[int, int] = (4, 2), colour: str = "white", **options: int) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", size, colour).save(content, "PNG", **options)
    return content.getvalue()


def packed(level: int = 6, **parts: str) -> bytes:
    content = io.BytesIO()
    with ZipFile(content, "w", compression=8, compresslevel=level) as book:
        for name, text in parts.items():
            book.writestr(name, text)
    return content.getvalue()


CELLS = '<c r="A1" s="1"/><c r="B1" s="1"><v>{}</v></c>'


@pytest.mark.parametrize(
    ("then", "now", "told"),
    [
        (picture(), picture(colour="red"), "8 of 8 pixels differ"),
        (picture(), picture(size=(5, 2)), "4 x 2 pixels then, 5 x 2 now"),
        (picture(compress_level=1), picture(compress_level=0), "the same pixels, packed otherwise"),
        (packed(sheet=CELLS.format(1)), packed(sheet=CELLS.format(2)), "sheet: first in B1"),
        (packed(styles="a"), packed(styles="bc"), "styles: 1 bytes then, 2 now"),
        (packed(a="1"), packed(a="1", b="2"), "b: only now"),
        (packed(a="1", b="2"), packed(a="1"), "b: only then"),
        (packed(1, a="x" * 999), packed(0, a="x" * 999), "the parts are the same, the package around them is not"),
        (b"a,b", b"a,b,c", "3 bytes then, 5 now"),
    ],
)
def test_the_first_difference_is_told(then: bytes, now: bytes, told: str) -> None:
    """Pixels of a picture, parts and cells of a workbook, else how long each is."""
    assert told in next(differences(then, now))
