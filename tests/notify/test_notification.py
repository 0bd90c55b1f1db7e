"""Promises of `message`: every part is in the mail that it becomes, and every mistake names its part."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest
from matplotlib.figure import Figure
from notifying import PNG, attached, body, mailed, pictures
from PIL import Image

from reports.errors import DefinitionError, ReportsError
from reports.notify import message

FRAME = pd.DataFrame({"region": ["North", "=1+1"], "revenue": [1200.5, 800.0]})


def figure(title: str = "Loss by epoch") -> Figure:
    drawn = Figure()
    axes = drawn.subplots()
    axes.plot([3, 2, 1])
    axes.set_title(title)
    return drawn


def photo(width: int = 40, height: int = 30) -> Image.Image:
    dots = np.random.default_rng(7).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(dots)


def test_a_text_becomes_html_in_the_looks_of_the_project(tmp_path: Path) -> None:
    """Its first line is the subject and the heading, and stands in the HTML once; the plain text is as it was said."""
    mail = mailed(message("Upload done.\n\n3 rows, see https://example.com/a?b=1&c=2."), tmp_path)
    assert mail["Subject"] == "Upload done."
    assert body(mail, "plain").strip() == "Upload done.\n\n3 rows, see https://example.com/a?b=1&c=2."
    html = body(mail, "html")
    assert html.count("Upload done.") == 3  # the title, what a screen reader says, and the heading
    assert "<h1" in html
    assert '<a href="https://example.com/a?b=1&amp;c=2"' in html


def test_html_becomes_a_text(tmp_path: Path) -> None:
    """With the addresses of its links; the HTML itself stays as it is, and names the subject."""
    given = '<html><head><title>Nightly &amp; done</title></head><body><h1>Done</h1><p>See <a href="https://example.com/x">the list</a></p></body></html>'
    mail = mailed(message(html=given), tmp_path)
    assert mail["Subject"] == "Nightly & done"
    assert body(mail, "plain").strip() == "Done\n\nSee the list (https://example.com/x)"
    assert body(mail, "html").strip() == given


def test_a_piece_of_html_becomes_a_document(tmp_path: Path) -> None:
    """In a font that can be read, for clients show Times where nothing is said."""
    html = body(mailed(message(html="<p>one</p><p>two</p>"), tmp_path), "html")
    assert html.startswith("<!DOCTYPE html>")
    assert html.count("<body") == html.count("</body>") == 1
    assert "<p>one</p><p>two</p>" in html


def test_text_and_html_stand_side_by_side(tmp_path: Path) -> None:
    """Neither is made of the other where both are given, one or several of each."""
    mail = mailed(message(["one", "two"], ["<p>eins</p>", "<p>zwei</p>"]), tmp_path)
    assert body(mail, "plain").strip() == "one\n\ntwo"
    assert "<p>eins</p>\n<p>zwei</p>" in body(mail, "html")
    assert "two" not in body(mail, "html")


def test_styles_of_html_are_moved_into_its_tags(tmp_path: Path) -> None:
    """Since half of the mail clients read no others."""
    html = body(mailed(message(html="<style>p{color:#ff0000}</style><p>red</p>"), tmp_path), "html")
    assert '<p style="color:#ff0000">red</p>' in html


def test_pictures_of_every_kind_are_shown_in_order(tmp_path: Path) -> None:
    """A path, bytes, a Figure, an image of Pillow: each inline by its content id, with a text in its place."""
    path = tmp_path / "loss_curve.png"
    path.write_bytes(PNG)
    mail = mailed(message("See below", img=[path, str(path), PNG, figure(), (photo(), "A photograph")]), tmp_path)
    html, shown = body(mail, "html"), pictures(mail)
    assert list(shown) == [f"picture-{n}" for n in range(1, 6)]
    places = [html.index(f'src="cid:picture-{n}"') for n in range(1, 6)]
    assert places == sorted(places)
    for alt in ("Loss curve", "Picture 3", "Loss by epoch", "A photograph"):
        assert f'alt="{alt}"' in html
        assert f"[Picture] {alt}" in body(mail, "plain")
    assert shown["picture-1"] == PNG
    assert Image.open(io.BytesIO(shown["picture-5"])).size == (40, 30)


def test_a_figure_is_still_its_makers(tmp_path: Path) -> None:
    """It can be drawn on: its canvas and its density are what they were, and pyplot still knows it."""
    from matplotlib import pyplot as plt  # noqa: PLC0415  not before it is needed

    drawn = plt.figure(dpi=80)
    drawn.subplots().set_title("One")
    canvas = drawn.canvas
    message(img=drawn)
    assert (drawn.canvas, drawn.dpi) == (canvas, 80)
    assert drawn.number in plt.get_fignums()
    plt.close(drawn)


def test_html_shows_a_picture_in_its_place(tmp_path: Path) -> None:
    """By the file's name or its number, as wide as it is, with its words; what the HTML does not show stands below."""
    path = tmp_path / "curve.png"
    path.write_bytes(PNG)
    html = '<p>before <img src="cid:curve.png"> and <img alt="mine" width=10 src=\'cid:2\'></p>'
    mail = mailed(message(html=html, img=[path, figure(), (PNG, "the third")]), tmp_path)
    found = body(mail, "html")
    assert '<img src="cid:picture-1" alt="Curve" width="2"' in found
    assert "<img alt=\"mine\" width=10 src='cid:picture-2'>" in found
    assert found.index("cid:picture-3") > found.index("</p>")
    assert set(pictures(mail)) == {"picture-1", "picture-2", "picture-3"}


def test_ten_pictures_are_not_mistaken_for_the_first(tmp_path: Path) -> None:
    """The HTML shows the tenth, and all others stand below it."""
    mail = mailed(message(html='<img src="cid:10">', img=[(PNG, f"No. {n}") for n in range(1, 13)]), tmp_path)
    html = body(mail, "html")
    assert len(pictures(mail)) == 12
    assert all(html.count(f'"cid:picture-{n}"') == 1 for n in range(1, 13))


def test_a_picture_too_heavy_for_a_mail_is_shown_lighter_and_attached_whole(tmp_path: Path) -> None:
    """Nothing of it is lost, and the mail says so."""
    made = io.BytesIO()
    photo(1200, 900).save(made, "JPEG", quality=95)
    path = tmp_path / "field.jpg"
    path.write_bytes(made.getvalue())
    mail = mailed(message(img=path), tmp_path)
    assert len(pictures(mail)["picture-1"]) < 400_000
    assert Image.open(io.BytesIO(pictures(mail)["picture-1"])).format == "JPEG"
    assert attached(mail) == {"field.jpg": path.read_bytes()}
    assert "field.jpg is attached as it was" in body(mail, "html")
    assert "field.jpg is attached as it was" in body(mail, "plain")


def test_a_picture_that_cannot_be_made_lighter_is_attached(tmp_path: Path) -> None:
    """One that moves: its words stand in its place, in HTML of one's own as well."""
    made = io.BytesIO()
    frames = [Image.fromarray(np.random.default_rng(n).integers(0, 256, (600, 800), dtype=np.uint8)) for n in range(3)]
    frames[0].save(made, "GIF", save_all=True, append_images=frames[1:])
    for html in ("", '<p>Look: <img src="cid:1"></p>'):
        mail = mailed(message("Look", html, img=(made.getvalue(), "It moves")), tmp_path)
        assert pictures(mail) == {}
        assert attached(mail) == {"picture-1.gif": made.getvalue()}
        assert "It moves" in body(mail, "html")
        assert "picture-1.gif is attached as it was" in body(mail, "html")


def test_other_kinds_of_pictures_become_png(tmp_path: Path) -> None:
    """For mail clients do not show them."""
    made = io.BytesIO()
    photo().save(made, "WEBP", lossless=True)
    path = tmp_path / "field.webp"
    path.write_bytes(made.getvalue())
    mail = mailed(message(img=path), tmp_path)
    (part,) = [part for part in mail.walk() if part["Content-ID"]]
    assert (part.get_content_type(), part.get_filename()) == ("image/png", "field.png")


def test_files_of_every_kind_are_attached(tmp_path: Path) -> None:
    """A path, bytes, a path under another name, and frames by their endings: guarded as CSV, typed as a workbook."""
    path = tmp_path / "log.txt"
    path.write_text("one\n", "utf-8")
    given: list[Any] = [
        path,
        ("raw.bin", b"\0\1"),
        ("other.txt", path),
        ("errors.csv", FRAME),
        ("all.xlsx", FRAME),
        FRAME,
    ]
    files = attached(mailed(message("See the files", attachments=given), tmp_path))
    assert list(files) == ["log.txt", "raw.bin", "other.txt", "errors.csv", "all.xlsx", "table-6.xlsx"]
    assert files["log.txt"] == files["other.txt"] == b"one\n"
    assert files["raw.bin"] == b"\0\1"
    assert files["errors.csv"].decode("utf-8-sig") == "region,revenue\r\nNorth,1200.5\r\n'=1+1,800.0\r\n"
    sheet = openpyxl.load_workbook(io.BytesIO(files["all.xlsx"])).worksheets[0]
    values = [cell.value for row in sheet.iter_rows() for cell in row]
    assert {"region", "North", "=1+1", 1200.5} <= set(values)


def test_a_dict_names_its_files_and_tables(tmp_path: Path) -> None:
    """In the order in which they stand."""
    said = message("x", attachments={"a.csv": FRAME, "b.bin": b"1"}, tables={"First": FRAME, "Second": FRAME.head(1)})
    mail = mailed(said, tmp_path)
    assert list(attached(mail)) == ["a.csv", "b.bin"]
    assert body(mail, "plain").index("First") < body(mail, "plain").index("Second")


def test_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    """Whoever saves all of them has all of them."""
    files = attached(mailed(message("x", attachments=[("a.bin", b"1"), ("A.bin", b"2"), ("a.bin", b"3")]), tmp_path))
    assert files == {"a.bin": b"1", "A (2).bin": b"2", "a (3).bin": b"3"}


def test_a_table_is_shown_in_html_and_in_text(tmp_path: Path) -> None:
    """With its columns under their own names, and an index that says something."""
    frame = FRAME.set_index("region")
    mail = mailed(message("See", tables=("Sales", frame)), tmp_path)
    for kind in ("plain", "html"):
        for word in ("Sales", "region", "revenue", "North", "1,200.50", "=1+1"):
            assert word in body(mail, kind)


def test_a_long_table_is_attached_whole(tmp_path: Path) -> None:
    """The mail shows its first rows and says where all of them are."""
    mail = mailed(message("See", tables=("All runs", pd.DataFrame({"n": range(100)}))), tmp_path)
    assert "Showing 40 of 100 rows; all in the attachment All runs.xlsx." in body(mail, "html")
    sheet = openpyxl.load_workbook(io.BytesIO(attached(mail)["All runs.xlsx"])).worksheets[0]
    assert {cell.value for row in sheet.iter_rows() for cell in row} >= set(range(100))


def test_tables_stand_below_html_of_ones_own(tmp_path: Path) -> None:
    """Before the end of its body."""
    html = body(mailed(message(html="<html><body><p>mine</p></body></html>", tables=FRAME), tmp_path), "html")
    assert html.index("mine") < html.index("1,200.50") < html.index("</body>")
    assert html.count("<body") == html.count("</body>") == 1


def test_two_columns_of_one_name_are_both_shown(tmp_path: Path) -> None:
    """As a join leaves them, or a table of several levels."""
    frame = pd.DataFrame([[1, 2]], columns=["n", "n"])
    levels = pd.DataFrame([[3, 4]], columns=pd.MultiIndex.from_tuples([("loss", "train"), ("loss", "test")]))
    text = body(mailed(message("x", tables=[frame, levels]), tmp_path), "plain")
    assert "n  n\n-  -\n1  2" in text
    assert "loss train" in text
    assert "loss test" in text


def test_small_numbers_keep_their_digits(tmp_path: Path) -> None:
    """A learning rate is not 0.00."""
    assert "0.000030" in body(mailed(message("x", tables=pd.DataFrame({"rate": [3e-5, 0.1]})), tmp_path), "plain")


def test_a_text_too_long_for_a_mail_is_attached_whole(tmp_path: Path) -> None:
    """The plain text has it anyhow."""
    long = "\n".join(f"line {n} of a long output" for n in range(5_000))
    mail = mailed(message(long, subject="Output"), tmp_path)
    assert attached(mail)["message.txt"].decode() == long
    assert long in body(mail, "plain")
    assert "all of it is in the attached message.txt" in body(mail, "html")
    assert len(body(mail, "html").encode()) < 102_000


@pytest.mark.parametrize(
    ("parts", "named"),
    [
        ({}, "no text, HTML, picture, table or file"),
        ({"text": "  \n"}, "no text, HTML, picture, table or file"),
        ({"text": 7}, "a int is no text"),
        ({"text": ["a", None]}, r"text\[1\]"),
        ({"img": "missing.png"}, "picture missing.png is not there"),
        ({"img": "https://example.com/a.png"}, "is an address, and no file"),
        ({"img": b"no picture"}, "no picture that can be read"),
        ({"img": PNG[:40]}, "no picture that can be read"),
        ({"img": 3.5}, "a float is not a picture"),
        ({"img": (PNG, 7)}, "a pair is a picture and its alternative text"),
        ({"img": ("a.png", "b.png")}, "two pictures are a list"),
        ({"img": [PNG, "gone.png"]}, r"img\[1\]"),
        ({"attachments": "missing.csv"}, "attachment missing.csv is not there"),
        ({"attachments": "."}, "it is a folder"),
        ({"attachments": b"nameless"}, "these bytes have no name"),
        ({"attachments": ("a.txt", "a text")}, "the content of a.txt is a text"),
        ({"attachments": ("a.txt", b"")}, "a.txt is empty"),
        ({"attachments": ("../a.txt", b"1")}, "cannot be the name of an attached file"),
        ({"attachments": ("a\nBcc: x@example.com", b"1")}, r"has the character U\+000A"),
        ({"attachments": ("a.docx", FRAME)}, "a DataFrame cannot become a.docx"),
        ({"attachments": [("a.csv", FRAME, 1)]}, "this is no file"),
        ({"attachments": [("a.txt", b"1"), 7]}, r"attachments\[1\]"),
        ({"tables": 7}, "a table is made of a DataFrame"),
        ({"tables": (FRAME, "Title")}, "a pair is a title and its frame"),
        ({"tables": pd.DataFrame()}, "has no columns"),
        ({"text": "x", "subject": "a\r\nBcc: x@example.com"}, r"the subject has the character U\+000D"),
    ],
)
def test_a_mistake_names_its_part(parts: dict[str, Any], named: str) -> None:
    """What, where and what to do; nothing is left out in silence."""
    with pytest.raises(ReportsError) as caught:
        message(**parts)
    assert re.search(named, str(caught.value))


def test_an_empty_file_is_told(tmp_path: Path) -> None:
    """It is a mistake somewhere, more often than a message."""
    (tmp_path / "log.txt").touch()
    with pytest.raises(DefinitionError, match=r"log\.txt is empty"):
        message(attachments=tmp_path / "log.txt")
